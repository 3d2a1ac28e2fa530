//! `analyze cohort`: what the bad ones of a table share.

use super::{Answer, Table, rounded};
use crate::analysis::cohort::{self, Cell, Explanation, Shared};
use crate::cli::Cohort;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A table of counts with the words of its values.
pub struct Counts {
    /// Names of the attributes.
    pub attributes: Vec<String>,
    /// Words of each attribute's values.
    words: Vec<Vec<String>>,
    /// The cells.
    pub cells: Vec<Cell>,
}

/// When the counts are of.
pub struct When<'a> {
    /// Column that says it.
    pub column: &'a str,
    /// The instant that is looked at; rows before it are what is usual, rows after it are left out.
    pub at: &'a str,
}

impl Counts {
    /// Sums a table by all of its columns but those of counts and time.
    ///
    /// # Errors
    /// A sentence with the line and the remedy.
    pub fn of(table: &Table, bad: &str, total: &str, when: Option<&When<'_>>) -> Result<Self, String> {
        let (bad, total) = (table.column(bad)?, table.column(total)?);
        let time = when.map(|w| Ok::<_, String>((table.column(w.column)?, w.at))).transpose()?;
        let is_attribute = |c: &usize| *c != bad && *c != total && time.is_none_or(|(t, _)| t != *c);
        let columns: Vec<usize> = (0..table.columns.len()).filter(is_attribute).collect();
        let (bads, totals) = (table.numbers(bad)?, table.numbers(total)?);
        let mut words: Vec<Vec<String>> = vec![Vec::new(); columns.len()];
        let mut numbers: Vec<BTreeMap<String, u32>> = vec![BTreeMap::new(); columns.len()];
        let mut cells: BTreeMap<Vec<u32>, Cell> = BTreeMap::new();
        for row in 0..table.len() {
            let earlier = match time.map(|(column, at)| compare(table.text(row, column), at)) {
                Some(std::cmp::Ordering::Greater) => continue,
                Some(std::cmp::Ordering::Less) => true,
                Some(std::cmp::Ordering::Equal) | None => false,
            };
            let (Some(bad), Some(total)) = (bads[row], totals[row]) else { continue };
            if bad < 0.0 || total < bad {
                return Err(table.at(row, "more are bad than there are, or less than none: correct the counts"));
            }
            let mut values = Vec::with_capacity(columns.len());
            for (i, column) in columns.iter().enumerate() {
                let text = table.text(row, *column);
                let number = *numbers[i].entry(text.to_owned()).or_insert_with(|| {
                    words[i].push(text.to_owned());
                    words[i].len() as u32 - 1
                });
                values.push(number);
            }
            let cell = cells.entry(values.clone()).or_insert(Cell { values, bad: 0.0, total: 0.0, before: (0.0, 0.0) });
            if earlier {
                cell.before = (cell.before.0 + bad, cell.before.1 + total);
            } else {
                cell.bad += bad;
                cell.total += total;
            }
        }
        let attributes = columns.iter().map(|c| table.columns[*c].clone()).collect();
        Ok(Self { attributes, words, cells: cells.into_values().collect() })
    }

    /// `bitrate=500&p2p=1;cdn=5`: terms by `&`, conjunctions by `;`.
    pub fn words(&self, of: &Explanation) -> String {
        let conjunction = |terms: &Vec<cohort::Term>| {
            let term = |t: &cohort::Term| {
                let word = self.words.get(t.attribute).and_then(|w| w.get(t.value as usize));
                let name = self.attributes.get(t.attribute).map_or("", String::as_str);
                format!("{name}={}", word.map_or("", String::as_str))
            };
            terms.iter().map(term).collect::<Vec<_>>().join("&")
        };
        of.parts.iter().map(conjunction).collect::<Vec<_>>().join(";")
    }
}

/// Numbers by size, anything else as text.
fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => a.cmp(b),
    }
}

/// `analyze cohort`.
pub fn run(what: &Cohort) -> Result<Answer, String> {
    let table = Table::read(&what.file)?;
    let when = match (&what.time, &what.at) {
        (Some(column), Some(at)) => Some(When { column, at }),
        (None, None) => None,
        _ => return Err("--time and --at belong together: name the column and the instant looked at".to_owned()),
    };
    let counts = Counts::of(&table, &what.bad, &what.total, when.as_ref())?;
    let sum = |of: fn(&Cell) -> f64| rounded(counts.cells.iter().map(of).sum());
    let told = |e: &Explanation| -> Value {
        json!({
            "share": counts.words(e), "bad": rounded(e.bad), "total": rounded(e.total), "usual": rounded(e.usual),
            "lift": rounded(e.lift), "p": rounded(e.p),
        })
    };
    let (bad, total) = (sum(|c| c.bad), sum(|c| c.total));
    Ok(match cohort::explain(&counts.cells) {
        Shared::Explained(found) => Answer::found(json!({
            "bad": bad, "total": total, "explanations": found.iter().map(told).collect::<Vec<_>>(),
        })),
        Shared::NothingStandsOut(best) => Answer::blank(json!({
            "bad": bad, "total": total, "explanations": [], "reason": "no segment stands out",
            "nearest": best.as_ref().map(told),
        })),
        Shared::NothingBad => Answer::blank(json!({
            "bad": bad, "total": total, "explanations": [], "reason": "nothing is bad",
        })),
    })
}
