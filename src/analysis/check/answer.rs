//! What one rule answers, before it is put beside a checkbox.

use crate::model::Stamp;
use crate::model::note::Verdict;
use crate::model::series::SeriesName;

/// The answer of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it says.
    pub verdict: Verdict,
    /// What was measured, with numbers.
    pub measured: String,
    /// Its newest measurement.
    pub asof: Option<Stamp>,
    /// Whether that is when something happened: such an answer does not grow old.
    pub happened: bool,
    /// Series to draw.
    pub spark: Option<SeriesName>,
    /// Why there is no data, with the remedy.
    pub missing: String,
    /// More that was seen: label and text.
    pub evidence: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer that measured something.
    pub fn new(verdict: Verdict, measured: impl Into<String>) -> Self {
        Self {
            verdict,
            measured: measured.into(),
            asof: None,
            happened: false,
            spark: None,
            missing: String::new(),
            evidence: Vec::new(),
        }
    }
    /// Nothing was measured; the sentence names the missing source and the remedy. Never counts.
    pub fn no_data(missing: impl Into<String>) -> Self {
        Self { missing: missing.into(), ..Self::new(Verdict::NoData, "") }
    }
    /// Its newest measurement.
    #[must_use]
    pub fn asof(mut self, at: Option<Stamp>) -> Self {
        self.asof = at;
        self
    }
    /// When what it tells happened.
    #[must_use]
    pub fn happened(mut self, at: Option<Stamp>) -> Self {
        (self.asof, self.happened) = (at, true);
        self
    }
    /// The series to draw beside it.
    #[must_use]
    pub fn spark(mut self, series: Option<&SeriesName>) -> Self {
        self.spark = series.cloned();
        self
    }
    /// More that was seen.
    #[must_use]
    pub fn with(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.evidence.push((label, text.into()));
        self
    }
}

/// A verdict from two questions.
pub const fn verdict(supports: bool, refutes: bool) -> Verdict {
    match (supports, refutes) {
        (true, _) => Verdict::Supports,
        (false, true) => Verdict::Refutes,
        (false, false) => Verdict::Inconclusive,
    }
}
