//! One table of the configuration while it is read: typed values by key, problems with file and line,
//! and at the end whatever key nobody asked for, with the nearest one that exists.

use crate::config::Problem;
use crate::config::value;
use crate::model::{Lapse, Span, Zone};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file while it is read.
#[derive(Debug)]
pub struct Page<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Page<'a> {
    /// A page of a file with its text.
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default(), asked: RefCell::default() }
    }
    /// Notes a problem at a byte position.
    pub fn problem(&self, at: Option<usize>, key: &str, says: impl Into<String>) {
        let line = at.map(|at| self.text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1);
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            says: says.into(),
        });
    }
    /// The file.
    pub const fn file(&self) -> &Path {
        self.file
    }
    /// Folder that relative paths are relative to.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or_else(|| Path::new(""))
    }
    /// All problems in the order of their lines.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| p.line);
        problems
    }
    /// Every key that was asked for, with its table: `db.interval`.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.borrow().clone()
    }
}

/// A table.
#[derive(Debug)]
pub struct Section<'a> {
    page: &'a Page<'a>,
    path: String,
    at: usize,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<String>>,
}

/// Names that people try, and what they are called here.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("database", "db"),
    ("databases", "db"),
    ("postgres", "db"),
    ("log", "logs"),
    ("queries", "query"),
    ("colours", "colors"),
    ("name", "title"),
    ("timezone", "zone"),
];

impl<'a> Section<'a> {
    /// The whole file.
    pub fn root(page: &'a Page<'a>, table: &'a DeTable<'a>) -> Self {
        Self { page, path: String::new(), at: 0, table, known: RefCell::default() }
    }
    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }
    /// The page it stands on.
    pub const fn page(&self) -> &'a Page<'a> {
        self.page
    }
    /// Notes a problem with one of its keys, at the key's line when it is there, else at the table's.
    pub fn problem(&self, key: &str, says: impl Into<String>) {
        let at = self.table.get(key).map_or(self.at, |v| v.span().start);
        self.page.problem(Some(at), &self.full(key), says);
    }
    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key.to_owned());
        self.page.asked.borrow_mut().insert(self.full(key));
        self.table.get(key)
    }
    /// A value read by `read`, or nothing and a problem.
    pub fn read<T>(&self, key: &str, read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>) -> Option<T> {
        let value = self.get(key)?;
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(says) => {
                self.page.problem(Some(value.span().start), &self.full(key), says);
                None
            }
        }
    }
    /// A text that is read further.
    fn parsed<T>(&self, key: &str, example: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.read(key, |v| match v.as_str() {
            Some(text) => parse(text),
            None => Err(expected(&format!("a text like {example}"), v)),
        })
    }
    /// A text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.parsed(key, "\"this\"", |t| Ok(t.to_owned()))
    }
    /// A text that has to be there and must not be empty; `why` ends the sentence "is missing: …".
    pub fn needed(&self, key: &str, why: &str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.get(key);
            self.problem(key, format!("is missing: {why}"));
            return None;
        }
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.problem(key, format!("is empty: {why}"));
            return None;
        }
        Some(text)
    }
    /// A path, relative to the configuration's folder.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(|t| self.page.folder().join(t))
    }
    /// The folder that relative paths are relative to.
    pub fn folder(&self) -> &Path {
        self.page.folder()
    }
    /// A duration of at least `least`.
    pub fn lapse(&self, key: &str, default: Lapse, least: Lapse) -> Lapse {
        let lapse = self.parsed(key, "\"15s\"", |t| {
            value::lapse(t).and_then(|l| {
                if l < least { Err(format!("\"{t}\" is too short: at least {} ms", least.0 / 1000)) } else { Ok(l) }
            })
        });
        lapse.unwrap_or(default)
    }
    /// A size in bytes.
    pub fn size(&self, key: &str, default: u64) -> u64 {
        self.parsed(key, "\"256MiB\"", value::size).unwrap_or(default)
    }
    /// A zone.
    pub fn zone(&self, key: &str) -> Option<Zone> {
        self.parsed(key, "\"WIB\"", value::zone)
    }
    /// `{ from = …, to = … }`.
    pub fn span(&self, key: &str) -> Option<Span> {
        let section = self.section(key)?;
        let (from, to) = (section.stamp("from"), section.stamp("to"));
        section.finish();
        let (from, to) = from.zip(to)?;
        if from >= to {
            self.problem(key, "ends before it begins: exchange from and to");
            return None;
        }
        Some(Span::new(from, to))
    }
    fn stamp(&self, key: &str) -> Option<crate::model::Stamp> {
        if self.table.contains_key(key) {
            return self.parsed(key, "\"2025-01-12T18:45:00+07:00\"", value::stamp);
        }
        self.get(key);
        self.problem(key, "is missing: a stretch of time has from and to");
        None
    }
    /// true or false.
    pub fn switch(&self, key: &str, default: bool) -> bool {
        self.read(key, |v| v.as_bool().ok_or_else(|| expected("true or false", v))).unwrap_or(default)
    }
    /// A number, or the factors of one: 160 or "20 × 8"; with it the factors as they are shown.
    pub fn product(&self, key: &str) -> Option<(f64, String)> {
        self.read(key, |v| {
            let Some(text) = v.as_str() else {
                return number(v)
                    .map(|n| (n, String::new()))
                    .ok_or_else(|| expected("a number like 160 or \"20 × 8\"", v));
            };
            let factors: Option<Vec<f64>> =
                text.split(['×', 'x', '*']).map(|f| f.trim().parse().ok().filter(|n: &f64| n.is_finite())).collect();
            let factors = factors.ok_or_else(|| format!("\"{text}\" is no product: write it like \"20 × 8\""))?;
            let shown: Vec<String> = factors.iter().map(ToString::to_string).collect();
            Ok((factors.iter().product(), shown.join(" × ")))
        })
    }
    /// A finite number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.read(key, |v| number(v).ok_or_else(|| expected("a number", v)))
    }
    /// A number above zero.
    pub fn positive(&self, key: &str, default: f64) -> f64 {
        let positive = |v| number(v).filter(|n| *n > 0.0).ok_or_else(|| expected("a number above 0", v));
        self.read(key, positive).unwrap_or(default)
    }
    /// A whole number in a range.
    pub fn whole(&self, key: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
        let whole = |v: &DeValue<'_>| {
            let n = number(v)
                .filter(|n| n.fract() == 0.0 && f64::from(*range.start()) <= *n && *n <= f64::from(*range.end()));
            n.map(|n| n as u32)
                .ok_or_else(|| expected(&format!("a whole number from {} to {}", range.start(), range.end()), v))
        };
        self.read(key, whole).unwrap_or(default)
    }
    /// A text or a list of texts.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        self.read(key, |v| match (v.as_str(), v.as_array()) {
            (Some(one), _) => Ok(vec![one.to_owned()]),
            (None, Some(many)) => many
                .iter()
                .map(|v| {
                    v.get_ref().as_str().map(str::to_owned).ok_or_else(|| expected("a list of texts", v.get_ref()))
                })
                .collect(),
            (None, None) => Err(expected("a text or a list of texts", v)),
        })
    }
    /// One of several words.
    pub fn choice<T: Clone>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.parsed(key, "\"auto\"", |t| {
            words.iter().find(|(w, _)| *w == t).map(|(_, v)| v.clone()).ok_or_else(|| {
                let names: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
                format!("\"{t}\" is not one of {}{}", names.join(", "), meant(t, names.iter().copied()))
            })
        })
    }
    /// A table of texts, each value read by `read`.
    pub fn words<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, String>) -> Vec<(String, T)> {
        let Some(table) = self.section(key) else { return Vec::new() };
        let mut out = Vec::new();
        for (name, value) in table.table {
            match value.get_ref().as_str().ok_or_else(|| expected("a text", value.get_ref())).and_then(&read) {
                Ok(v) => out.push((name.get_ref().to_string(), v)),
                Err(says) => {
                    self.page.problem(Some(value.span().start), &table.full(name.get_ref()), says);
                }
            }
        }
        out
    }
    /// Every key of this table, for tables whose keys people choose.
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().map(|k| k.get_ref().to_string()).collect()
    }
    /// A table inside.
    pub fn section(&self, key: &str) -> Option<Self> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.problem(key, expected(&format!("a table: [{}]", self.full(key)), value.get_ref()));
            return None;
        };
        Some(self.inner(key, value.span().start, table))
    }
    /// Tables inside: `[[key]]`.
    pub fn sections(&self, key: &str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.problem(key, format!("there can be several of these: write [[{key}]] with two brackets"));
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in array {
            match item.get_ref().as_table() {
                Some(table) => out.push(self.inner(key, item.span().start, table)),
                None => self.page.problem(
                    Some(item.span().start),
                    key,
                    expected(&format!("tables: [[{key}]]"), item.get_ref()),
                ),
            }
        }
        out
    }
    fn inner(&self, key: &str, at: usize, table: &'a DeTable<'a>) -> Self {
        Self { page: self.page, path: self.full(key), at, table, known: RefCell::default() }
    }
    /// Reports every key that was not asked for. Call it last.
    pub fn finish(&self) {
        let known = self.known.borrow();
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if known.iter().any(|k| k == name) {
                continue;
            }
            let other = OTHER_NAMES.iter().find(|(tried, real)| *tried == name && known.iter().any(|k| k == real));
            let hint = other.map_or_else(
                || meant(name, known.iter().map(String::as_str)),
                |(_, real)| format!(": it is called {real} here"),
            );
            let hint = if hint.is_empty() { format!("; known here: {}", known.join(", ")) } else { hint };
            self.page.problem(Some(key.span().start), &self.full(name), format!("is not a key of warroom{hint}"));
        }
    }
}

/// The nearest of the names, when one is near enough to have been meant.
fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known.map(|k| (strsim::damerau_levenshtein(name, k), k)).min();
    match near {
        Some((distance, k)) if distance <= (name.len() / 3).max(1) => format!(": did you mean {k}?"),
        _ => String::new(),
    }
}

fn expected(what: &str, found: &DeValue<'_>) -> String {
    format!("{what} is expected here, not a {}", found.type_str())
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let text =
        value.as_integer().map(ToString::to_string).or_else(|| value.as_float().map(|f| f.as_str().to_owned()))?;
    text.replace('_', "").parse().ok().filter(|n: &f64| n.is_finite())
}
