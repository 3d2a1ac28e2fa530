//! What is measured on a scraped endpoint: which metrics, how they become one value, and how the values of
//! several pods become one series.
//!
//! Plain data, shared by the presets, by `[[scrape.metric]]` and by the source that carries it out. May not
//! know: HTTP, text formats, clocks.

use crate::model::series::{Bad, Rollup, Unit};

/// One series of a scraped service.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What stands behind the dot: `goroutines`, `pool_in_use`.
    pub name: String,
    /// Unit of the values after [`Recipe`]'s factor.
    pub unit: Unit,
    /// Ways to get it, best first; the first whose metrics a pod has is used for that pod.
    pub recipes: Vec<Recipe>,
    /// How several pods, and several label sets in one pod, become one value.
    pub across: Across,
    /// The row of the timeline it gets by itself; none when it is only there for a `[[lane]]`.
    pub lane: Option<Shape>,
}

/// How a row of the timeline looks, without the series it draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Heading.
    pub group: String,
    /// Name of at most 15 cells.
    pub name: String,
    /// How a column is made from points.
    pub rollup: Rollup,
    /// Which side of normal is worrying.
    pub bad: Bad,
    /// Drawn scale's top, when known.
    pub ceiling: Option<f64>,
    /// Value from which it is called broken.
    pub broken_at: Option<f64>,
    /// Whether this is the traffic that drives the rest.
    pub trigger: bool,
}

/// How the values of several pods become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// Their sum: a total. It is only known while every pod answers.
    Sum,
    /// The largest: the worst pod of those that answer.
    Max,
    /// The smallest.
    Min,
    /// Their mean; a share weighs pods by what they did.
    Mean,
}

/// The configuration's words for [`Across`].
pub const ACROSS: [(&str, Across); 4] =
    [("sum", Across::Sum), ("max", Across::Max), ("min", Across::Min), ("mean", Across::Mean)];

/// How one value of one pod is made. Counters are looked at between two scrapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// The value as it stands, times a factor that brings it to the measure's unit.
    Gauge(Pick, f64),
    /// 1 when the value as it stands is this number, else 0: the state of a breaker.
    Equals(Pick, f64),
    /// Growth in a second, times a factor.
    Rate(Pick, f64),
    /// Growth since the last look: how many there were. Points of it are summed up, never averaged.
    Count(Pick),
    /// One value over another as they stand, times a factor (100 for percent); matched by their labels.
    Part {
        /// Above the line.
        of: Pick,
        /// Below it. Zero or less gives no value: `database/sql` says 0 for "no limit".
        per: Pick,
        /// The factor.
        times: f64,
    },
    /// Growth over growth, times a factor: errors of requests, seconds for each wait. No growth below the
    /// line gives no value: nothing happened that could have been slow or wrong.
    Share {
        /// Above the line.
        of: Pick,
        /// Below it.
        per: Pick,
        /// The factor.
        times: f64,
    },
    /// A quantile of what a histogram grew by, times a factor.
    Quantile(f64, Pick, f64),
}

/// Samples that are meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The metric's name; a leading `*` stands for any beginning. In `/debug/vars` the dotted path.
    pub metric: String,
    /// What its labels have to be.
    pub labels: Vec<(String, Match)>,
}

/// What a label has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Exactly this: `open`.
    Is(String),
    /// Anything that begins so: `5*`.
    Begins(String),
    /// Anything but this: `!ok`.
    Not(String),
}

impl Match {
    /// Reads `open`, `5*`, `!ok`.
    pub fn parse(text: &str) -> Self {
        match (text.strip_prefix('!'), text.strip_suffix('*')) {
            (Some(rest), _) => Self::Not(rest.to_owned()),
            (None, Some(begin)) => Self::Begins(begin.to_owned()),
            (None, None) => Self::Is(text.to_owned()),
        }
    }
    /// Whether a label's value is meant.
    pub fn fits(&self, value: &str) -> bool {
        match self {
            Self::Is(text) => value == text,
            Self::Begins(text) => value.starts_with(text.as_str()),
            Self::Not(text) => value != text,
        }
    }
}

impl Pick {
    /// All samples of a metric.
    pub fn of(metric: &str) -> Self {
        Self { metric: metric.to_owned(), labels: Vec::new() }
    }
    /// Only those whose label fits.
    #[must_use]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        self.labels.push((label.to_owned(), Match::parse(value)));
        self
    }
    /// Whether a metric of this name is meant.
    pub fn is_named(&self, name: &str) -> bool {
        match self.metric.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == self.metric,
        }
    }
    /// `http_requests_total{code=5*}`, for words.
    pub fn says(&self) -> String {
        if self.labels.is_empty() {
            return self.metric.clone();
        }
        let one = |(name, value): &(String, Match)| match value {
            Match::Is(v) => format!("{name}={v}"),
            Match::Begins(v) => format!("{name}={v}*"),
            Match::Not(v) => format!("{name}=!{v}"),
        };
        format!("{}{{{}}}", self.metric, self.labels.iter().map(one).collect::<Vec<_>>().join(","))
    }
}

impl Recipe {
    /// The metrics it is made from.
    pub fn picks(&self) -> Vec<&Pick> {
        match self {
            Self::Gauge(p, _) | Self::Equals(p, _) | Self::Rate(p, _) | Self::Count(p) | Self::Quantile(_, p, _) => {
                vec![p]
            }
            Self::Part { of, per, .. } | Self::Share { of, per, .. } => vec![of, per],
        }
    }
    /// What it is, in words.
    pub fn says(&self) -> String {
        match self {
            Self::Gauge(p, _) => p.says(),
            Self::Equals(p, n) => format!("{} is {n}", p.says()),
            Self::Rate(p, _) | Self::Count(p) => format!("growth of {}", p.says()),
            Self::Part { of, per, .. } => format!("{} of {}", of.says(), per.says()),
            Self::Share { of, per, .. } => format!("growth of {} over growth of {}", of.says(), per.says()),
            Self::Quantile(q, p, _) => format!("p{} of {}", (q * 100.0).round(), p.says()),
        }
    }
}

impl Across {
    /// In front of a recipe's words: `sum over pods of`.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Sum => "sum of all pods",
            Self::Max => "worst pod",
            Self::Min => "lowest pod",
            Self::Mean => "all pods together",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_matched_exactly_by_its_beginning_or_by_what_it_is_not() {
        assert!(Match::parse("5*").fits("503") && Match::parse("5*").fits("5xx") && !Match::parse("5*").fits("405"));
        assert!(Match::parse("!ok").fits("") && !Match::parse("!ok").fits("ok"));
        assert!(Match::parse("open").fits("open") && !Match::parse("open").fits("half_open"));
    }

    #[test]
    fn a_star_in_front_stands_for_any_beginning() {
        let pick = Pick::of("*_circuit_open");
        assert!(pick.is_named("hystrix_upg_circuit_open") && !pick.is_named("hystrix_circuit_opened"));
        assert!(!Pick::of("go_goroutines").is_named("my_go_goroutines"));
    }
}
