//! The words of a rule's keys: what each may be, and what is said when it is something else.

use super::Fault;
use crate::analysis::check::measure::{Own, Run};
use crate::analysis::check::numbers::{Numbers, Unit};
use crate::analysis::check::rule::{Baseline, Feeds, Rule, Topic, Window};
use crate::model::Lapse;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// The shared numbers a rule prints, or values of its own.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Thresholds {
    Shared(Vec<String>),
    Own(BTreeMap<String, Value>),
}

/// A file while it is read.
pub(super) struct Reader<'t> {
    /// Its name.
    pub file: &'t str,
    /// Its text.
    pub text: &'t str,
    /// What is wrong so far.
    pub faults: Vec<Fault>,
}

impl Reader<'_> {
    /// Notes a fault at a byte.
    pub fn fault(&mut self, at: usize, key: impl Into<String>, says: impl Into<String>) {
        let line = 1 + self.text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count();
        self.faults.push(Fault { file: self.file.to_owned(), line, key: key.into(), says: says.into() });
    }
}

/// Its sentence, all of whose numbers there must be; levels of its own are said by themselves.
pub(super) fn spoken(
    r: &mut Reader<'_>,
    id: &str,
    at: usize,
    rule: &mut Rule,
    says: Option<Spanned<String>>,
) -> Option<()> {
    if let Run::Own(own) = rule.run {
        if rule.levels.of.is_empty() {
            let (what, like) = match own {
                Own::Series => ("series", "mrg.lock_waits"),
                Own::Lines | Own::OrdersWithLines => ("lines", "no route to host | dns"),
            };
            r.fault(
                at,
                format!("rule {id} {what}"),
                format!("is missing: what this measure looks at, like \"{like}\""),
            );
            return None;
        }
        if rule.levels.supports_at.is_none() && rule.levels.refutes_below.is_none() && own == Own::Lines {
            r.fault(at, format!("rule {id}"), "has no level: give supports_at, refutes_below or both");
            return None;
        }
    }
    let from = says.as_ref().map_or(at, |s| s.span().start);
    if let Some(says) = says {
        rule.says = says.into_inner();
    }
    for name in Numbers::names(&rule.says) {
        if Numbers::unit(name).is_none() {
            let near = nearest(name, Numbers::NAMES.iter().map(|n| n.0));
            r.fault(from, format!("rule {id} says"), format!("no number is called {{{name}}}{near}"));
        }
    }
    Some(())
}

/// `30m`, `7d`
pub(super) fn said(l: Lapse) -> String {
    let s = l.whole_seconds();
    match s {
        _ if s % 86_400 == 0 => format!("{}d", s / 86_400),
        _ if s % 3_600 == 0 => format!("{}h", s / 3_600),
        _ if s % 60 == 0 => format!("{}m", s / 60),
        _ => format!("{s}s"),
    }
}

/// `, the nearest is "pool_in_use"`, or where to find the names.
pub(super) fn nearest<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> String {
    let near = among.map(|n| (strsim::damerau_levenshtein(name, n), n)).min();
    near.map_or_else(String::new, |(_, n)| format!("; the nearest is \"{n}\""))
}

pub(super) fn no_lapse(text: &str) -> String {
    format!("\"{text}\" is no duration: write it like \"3m\", \"30s\", \"100ms\", \"2h\" or \"7d\"")
}

/// The value of one number; durations in milliseconds.
pub(super) fn number(r: &mut Reader<'_>, key: &str, name: &str, value: &Value, at: usize) -> Option<f64> {
    let Some(unit) = Numbers::unit(name) else {
        let near = nearest(name, Numbers::NAMES.iter().map(|n| n.0));
        r.fault(at, key, format!("no number is called \"{name}\"{near}"));
        return None;
    };
    let plain = match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Float(n) => Some(*n),
        _ => None,
    };
    match (unit, value) {
        (Unit::Lapse, Value::String(text)) => {
            let found = Lapse::parse(text);
            if found.is_none() {
                r.fault(at, key, no_lapse(text));
            }
            found.map(|l| l.0 as f64 / 1e3)
        }
        (Unit::Lapse, _) => {
            r.fault(at, key, "is a duration: write it like \"3m\"");
            None
        }
        _ => match plain.filter(|n| n.is_finite() && *n >= 0.0) {
            Some(n) if unit == Unit::Share && n > 1.0 => {
                r.fault(at, key, format!("is a share of one: {n} is more than all; write 0.3 for 30 %"));
                None
            }
            Some(n) => Some(n),
            None => {
                r.fault(at, key, "is a number from 0 on");
                None
            }
        },
    }
}

pub(super) fn feeds(r: &mut Reader<'_>, key: &str, value: &Spanned<Value>) -> Option<Feeds> {
    match value.get_ref() {
        Value::Integer(n @ 1..=99) => return u32::try_from(*n).ok().map(Feeds::Number),
        Value::String(word) if word.is_empty() => return Some(Feeds::Topic(Topic::Other)),
        Value::String(word) => {
            if let Some((topic, _)) = Topic::NAMED.iter().find(|(_, cause)| cause == word) {
                return Some(Feeds::Topic(*topic));
            }
        }
        _ => {}
    }
    let known = Topic::NAMED.map(|(_, cause)| cause).join(", ");
    r.fault(value.span().start, key, format!("is one of {known}, or the number of a hypothesis in the note, like 6"));
    None
}

pub(super) fn window(r: &mut Reader<'_>, key: &str, text: &Spanned<String>) -> Option<Window> {
    let words = text.get_ref().trim();
    let found = match words.strip_prefix("last ") {
        Some(rest) => Lapse::parse(rest).filter(|l| l.0 > 0).map(Window::Last),
        None => (words == "stretch").then_some(Window::Stretch),
    };
    if found.is_none() {
        r.fault(text.span().start, key, "is \"stretch\", the one on the screen, or its end, like \"last 30m\"");
    }
    found
}

pub(super) fn baseline(r: &mut Reader<'_>, key: &str, text: &Spanned<String>) -> Option<Baseline> {
    let words = text.get_ref().trim();
    let found = match (words, words.strip_prefix("before ")) {
        ("incident", _) => Some(Baseline::Incident),
        ("none", _) => Some(Baseline::None),
        (_, Some(rest)) => Lapse::parse(rest).filter(|l| l.0 > 0).map(Baseline::Before),
        _ => None,
    };
    if found.is_none() {
        r.fault(text.span().start, key, "is \"incident\", \"none\", or the same stretch earlier, like \"before 7d\"");
    }
    found
}

pub(super) fn thresholds(r: &mut Reader<'_>, key: &str, rule: &mut Rule, text: Option<Spanned<Thresholds>>) {
    let Some(text) = text else { return };
    let at = text.span().start;
    match text.into_inner() {
        Thresholds::Shared(names) => {
            for name in names.iter().filter(|n| Numbers::unit(n).is_none()) {
                let near = nearest(name, Numbers::NAMES.iter().map(|n| n.0));
                r.fault(at, key, format!("no number is called \"{name}\"{near}"));
            }
            rule.thresholds = names;
        }
        Thresholds::Own(values) => {
            for (name, value) in values {
                if let Some(value) = number(r, key, &name, &value, at) {
                    rule.numbers.set(&name, value);
                    if !rule.thresholds.contains(&name) {
                        rule.thresholds.push(name);
                    }
                }
            }
        }
    }
}

/// Which number is the coverage, or another value for the one that is.
pub(super) fn coverage(r: &mut Reader<'_>, key: &str, rule: &mut Rule, value: &Spanned<Value>) {
    let at = value.span().start;
    match value.get_ref() {
        Value::String(name) if matches!(Numbers::unit(name), Some(Unit::Percent | Unit::Share)) => {
            rule.coverage.clone_from(name);
        }
        Value::String(name) => {
            let shares = Numbers::NAMES.iter().filter(|n| matches!(n.1, Unit::Percent | Unit::Share)).map(|n| n.0);
            r.fault(at, key, format!("no share is called \"{name}\"{}", nearest(name, shares)));
        }
        _ if rule.coverage.is_empty() => {
            "covered".clone_into(&mut rule.coverage);
            coverage(r, key, rule, value);
        }
        plain => {
            let name = rule.coverage.clone();
            if let Some(value) = number(r, key, &name, plain, at) {
                rule.numbers.set(&name, value);
            }
        }
    }
}
