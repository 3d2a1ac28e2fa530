//! The answer to a range query, read leniently: numbers as texts, warnings, every shape of error.
//!
//! What is no number of ours (stale marks, NaN, infinities) is absent. Which of the series of an answer
//! become series of ours, and by what name, is decided here. May not know: HTTP, clocks.

use crate::config::measure::Across;
use crate::config::prometheus::{PromQuery, Split};
use crate::model::series::SeriesName;
use crate::model::{Span, Stamp};
use crate::source::huawei::lenient::Number;
use crate::source::redact::Known;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Letters of a label's value that go into a series' name.
const LONGEST: usize = 40;

/// An answer as it comes.
#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default)]
    status: String,
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default, rename = "resultType")]
    kind: String,
    #[serde(default)]
    result: Option<Vec<One>>,
}

#[derive(Debug, Deserialize)]
struct One {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(Number, Number)>,
}

/// What an error of the server is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The expression: it will never be answered.
    Expression,
    /// The amount: less of it may be answered.
    Amount,
    /// The moment: the server was too slow, or was stopped.
    Moment,
}

/// An error in the server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it is about.
    pub about: About,
    /// Kind and words, cut to a line.
    pub says: String,
}

/// Points by series, in the order of time.
pub type Points = BTreeMap<SeriesName, BTreeMap<Stamp, f64>>;

/// The series of one query that were met: names stay with their label values for good.
#[derive(Clone, Debug, Default)]
pub struct Members {
    names: BTreeMap<String, SeriesName>,
    /// Values beyond the most there may be.
    beyond: BTreeSet<String>,
}

/// What an answer gave.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Points.
    pub points: Points,
    /// What stands in the way of drawing all of it.
    pub odd: Option<String>,
    /// Points that lie in the future.
    pub future: usize,
    /// The server's warnings.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Reads a body. The error names the place, never the content.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// The same without a secret of ours in the server's words.
    #[must_use]
    pub fn cleaned(mut self, known: &Known) -> Self {
        let words = self.warnings.iter_mut().flatten();
        for text in [&mut self.error, &mut self.error_type].into_iter().chain(words).filter(|t| !t.is_empty()) {
            *text = known.clean(text);
        }
        self
    }

    /// The error in it, when it is one.
    pub fn refused(&self) -> Option<Refused> {
        if self.status != "error" && self.error_type.is_empty() {
            return None;
        }
        let words = self.error.to_lowercase();
        let amount = ["too many", "maximum resolution", "maximum number", "exceeds the limit", "too large"];
        let about = match self.error_type.as_str() {
            _ if amount.iter().any(|w| words.contains(w)) => About::Amount,
            "bad_data" | "not_found" => About::Expression,
            // Two series that match in the middle of a rollout, say: it may pass.
            _ => About::Moment,
        };
        let line: String = self.error.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
        Some(Refused { about, says: format!("{}: {line}", self.error_type) })
    }

    /// How many points it has.
    pub fn points(&self) -> usize {
        let series = self.data.iter().filter_map(|d| d.result.as_ref()).flatten();
        series.map(|one| one.values.len()).sum()
    }

    /// Whether it is an answer to a range query at all.
    pub fn is_matrix(&self) -> bool {
        self.status == "success" && self.data.as_ref().is_some_and(|d| d.kind == "matrix")
    }

    /// Takes what lies in `within` (its end included) and not after `latest`.
    pub fn take(
        self,
        query: &PromQuery,
        series: &SeriesName,
        within: Span,
        latest: Stamp,
        members: &mut Members,
    ) -> Taken {
        let result = self.data.and_then(|d| d.result).unwrap_or_default();
        let mut out = Taken { warnings: self.warnings.unwrap_or_default(), ..Taken::default() };
        let points_of = |one: &One, future: &mut usize| -> BTreeMap<Stamp, f64> {
            let mut points = BTreeMap::new();
            for (at, value) in &one.values {
                let Some((at, value)) = at.0.zip(value.0).filter(|(at, v)| at.is_finite() && v.is_finite()) else {
                    continue;
                };
                // A cast from float to integer saturates.
                let at = Stamp((at * 1e6).round() as i64);
                if at > latest {
                    *future += 1;
                } else if within.from <= at && at <= within.to {
                    points.insert(at, value);
                }
            }
            points
        };
        match &query.split {
            None => match result.as_slice() {
                [] => {}
                [one] => {
                    let points = points_of(one, &mut out.future);
                    out.points.insert(series.clone(), points);
                }
                many => {
                    out.odd = Some(format!(
                        "the answer has {} series where a row draws one: write sum(…) or max(…) around it, or split by a label",
                        many.len()
                    ));
                }
            },
            Some(split) => {
                let mut all: BTreeMap<Stamp, Vec<f64>> = BTreeMap::new();
                let mut seen = BTreeSet::new();
                for one in &result {
                    let value = one.metric.get(&split.by).cloned().unwrap_or_default();
                    if !seen.insert(value.clone()) {
                        out.odd = Some(format!(
                            "several series have the same {}: sum by ({}) leaves one of each",
                            split.by, split.by
                        ));
                        continue;
                    }
                    let points = points_of(one, &mut out.future);
                    for (at, v) in &points {
                        all.entry(*at).or_default().push(*v);
                    }
                    if let Some(name) = members.name(&value, series, split) {
                        out.points.insert(name, points);
                    }
                }
                if !result.is_empty() && result.iter().all(|o| !o.metric.contains_key(&split.by)) {
                    out.odd = Some(format!("no series has the label {}: write sum by ({}) (…)", split.by, split.by));
                }
                let whole = all.into_iter().map(|(at, values)| (at, joined(split.across, &values)));
                out.points.entry(series.clone()).or_default().extend(whole);
            }
        }
        out
    }
}

/// All values of one instant as one.
fn joined(across: Across, values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    match across {
        Across::Sum => sum,
        Across::Mean => sum / values.len().max(1) as f64,
        Across::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Across::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
    }
}

impl Members {
    /// The series of a label's value; none beyond the most there may be.
    fn name(&mut self, value: &str, series: &str, split: &Split) -> Option<SeriesName> {
        if let Some(name) = self.names.get(value) {
            return Some(name.clone());
        }
        if self.names.len() >= split.most as usize {
            // Values of labels are the outside's: how many of them are remembered is ours.
            if self.beyond.len() < 10_000 {
                self.beyond.insert(value.to_owned());
            }
            return None;
        }
        let plain = plain(value);
        let taken = |name: &str| self.names.values().any(|n| **n == *name);
        let mut name = format!("{series}/{plain}");
        let mut n = 2;
        while taken(&name) {
            name = format!("{series}/{plain}~{n}");
            n += 1;
        }
        let name: SeriesName = name.into();
        self.names.insert(value.to_owned(), name.clone());
        Some(name)
    }
    /// Values with the names of their series.
    pub fn names(&self) -> impl Iterator<Item = (&str, &SeriesName)> {
        self.names.iter().map(|(value, name)| (value.as_str(), name))
    }
    /// Series there are.
    pub fn count(&self) -> usize {
        self.names.len()
    }
    /// Values that have none.
    pub fn beyond(&self) -> usize {
        self.beyond.len()
    }
}

/// A label's value as part of a name: it is the outside's, and names go where only plain text may.
fn plain(value: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    let out: String = value.chars().take(LONGEST).map(|c| if fits(c) { c } else { '_' }).collect();
    if out.is_empty() { "none".to_owned() } else { out }
}

#[cfg(test)]
#[path = "matrix_tests.rs"]
mod tests;
