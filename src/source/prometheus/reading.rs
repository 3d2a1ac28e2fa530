//! What one look at a pod gave: the samples that are wanted, by name and labels.
//!
//! Both kinds of endpoint come out alike: Prometheus text with its names and labels, `expvar` JSON with
//! dotted paths and no labels. May not know: what is made of the values.

use crate::config::measure::{Measure, Recipe};
use crate::model::{Lapse, Stamp};
use crate::source::prometheus::exposition::{self, Format, Report};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Labels in the order of their names.
pub type Labels = Vec<(String, String)>;

/// The samples of a metric.
pub type Rows = BTreeMap<Labels, f64>;

/// When the process began, in Unix seconds: tells a restart from a second process behind one address.
pub const STARTED: &str = "process_start_time_seconds";

/// Samples kept of one pod. An endpoint that has more for the few metrics wanted has a label for every
/// order or user, and no mean of it would say anything.
const MOST_ROWS: usize = 50_000;

/// A sample with a time of its own that is older than this says nothing about now.
const STALE: Lapse = Lapse::minutes(5);

/// Which metrics are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    names: BTreeSet<String>,
    /// Those of which only the end is known.
    ends: Vec<String>,
}

/// One look at a pod.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Samples by the metric's name.
    pub rows: BTreeMap<String, Rows>,
    /// Samples left out because there are too many.
    pub dropped: usize,
    /// Samples left out because their own time is long ago.
    pub stale: usize,
    /// What the text was like.
    pub report: Report,
}

impl Wanted {
    /// What these measures are made from.
    pub fn by(measures: &[Measure]) -> Self {
        let mut out = Self::default();
        out.names.insert(STARTED.to_owned());
        for recipe in measures.iter().flat_map(|m| &m.recipes) {
            let end = if matches!(recipe, Recipe::Quantile(..)) { "_bucket" } else { "" };
            for pick in recipe.picks() {
                match pick.metric.strip_prefix('*') {
                    Some(known) => out.ends.push(format!("{known}{end}")),
                    None => {
                        out.names.insert(format!("{}{end}", pick.metric));
                    }
                }
            }
        }
        out
    }
    fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.ends.iter().any(|end| name.ends_with(end.as_str()))
    }
}

impl Reading {
    /// Reads a metrics endpoint's text as of `now`.
    pub fn of_text(text: &str, format: Format, wanted: &Wanted, now: Stamp) -> Self {
        let mut out = Self::default();
        let report = exposition::read(text, format, |sample| {
            if !wanted.has(sample.name) {
                return Ok(());
            }
            if sample.at.is_some_and(|at| now.since(at) > STALE) {
                out.stale += 1;
                return Ok(());
            }
            let mut labels: Labels =
                sample.labels()?.into_iter().map(|(n, v)| (n.to_owned(), v.into_owned())).collect();
            labels.sort();
            if out.put(sample.name, labels, sample.value) { Ok(()) } else { Err("the same sample stands there twice") }
        });
        out.report = report;
        out
    }

    /// Reads `expvar` JSON: numbers at any depth by their dotted path. Lists (the last pauses, sizes of
    /// allocations, the command line) and texts say nothing here.
    pub fn of_vars(json: &[u8], wanted: &Wanted) -> Result<Self, serde_json::Error> {
        let all: serde_json::Map<String, Value> = serde_json::from_slice(json)?;
        let mut out = Self::default();
        let mut path = String::new();
        for (name, value) in &all {
            out.walk(&mut path, name, value, wanted);
        }
        Ok(out)
    }

    fn walk(&mut self, path: &mut String, name: &str, value: &Value, wanted: &Wanted) {
        let before = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        match value {
            Value::Object(inner) => inner.iter().for_each(|(name, value)| self.walk(path, name, value, wanted)),
            Value::Number(_) | Value::Bool(_) => {
                self.report.samples += 1;
                let number = value.as_f64().or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))));
                if let Some(number) = number.filter(|_| wanted.has(path)) {
                    self.put(path, Labels::new(), number);
                }
            }
            Value::Null | Value::String(_) | Value::Array(_) => {}
        }
        path.truncate(before);
    }

    /// Keeps a sample; false when it is there already.
    fn put(&mut self, name: &str, labels: Labels, value: f64) -> bool {
        if !self.rows.contains_key(name) {
            self.rows.insert(name.to_owned(), Rows::new());
        }
        if self.rows.values().map(Rows::len).sum::<usize>() >= MOST_ROWS {
            self.dropped += 1;
            return true;
        }
        let Some(rows) = self.rows.get_mut(name) else { return true };
        if rows.contains_key(&labels) {
            return false;
        }
        rows.insert(labels, value);
        true
    }

    /// Takes in what the same process says elsewhere.
    pub fn join(&mut self, other: Self) {
        for (name, rows) in other.rows {
            self.rows.entry(name).or_insert(rows);
        }
        self.dropped += other.dropped;
        self.stale += other.stale;
        self.report.samples += other.report.samples;
        self.report.broken += other.report.broken;
        self.report.first_broken = self.report.first_broken.or(other.report.first_broken);
    }

    /// When the process began, by its own clock.
    pub fn started(&self) -> Option<f64> {
        self.rows.get(STARTED)?.values().next().copied().filter(|s| s.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::measure::Pick;
    use crate::config::preset::Preset;

    const VARS: &str = r#"{"cmdline":["/app/mrg","-v"],"goroutines":1900,"jobs":{"open":{"paid":7}},"ready":true,
        "memstats":{"HeapAlloc":52428800,"PauseTotalNs":1500000,"NumGC":12,"GCCPUFraction":0.002,"PauseNs":[1,2,3],"BySize":[{"Size":0}]}}"#;

    #[test]
    fn numbers_of_debug_vars_are_found_by_their_path_and_lists_are_left_alone() {
        let mut measures = Preset::Go.measures();
        measures[0].recipes.push(Recipe::Gauge(Pick::of("jobs.open.paid"), 1.0));
        let reading = Reading::of_vars(VARS.as_bytes(), &Wanted::by(&measures)).unwrap();
        let value = |name: &str| reading.rows.get(name).and_then(|r| r.values().next().copied());
        assert_eq!(value("memstats.HeapAlloc"), Some(52_428_800.0));
        assert_eq!(value("goroutines"), Some(1_900.0));
        assert_eq!(value("jobs.open.paid"), Some(7.0));
        assert_eq!((value("cmdline"), value("memstats.PauseNs")), (None, None));
        assert!(Reading::of_vars(b"[1]", &Wanted::default()).is_err());
    }

    #[test]
    fn only_what_is_wanted_is_kept_and_a_sample_counts_once() {
        let text = "go_goroutines 5\ngo_goroutines 6\nother{a=\"b\"} 1\nhystrix_circuit_open{command=\"upg\"} 1\n";
        let measures: Vec<Measure> = [Preset::Go, Preset::Breaker].iter().flat_map(|p| p.measures()).collect();
        let reading = Reading::of_text(text, Format::Text, &Wanted::by(&measures), Stamp(0));
        assert_eq!(reading.rows.keys().collect::<Vec<_>>(), ["go_goroutines", "hystrix_circuit_open"]);
        assert_eq!(reading.rows["go_goroutines"].values().copied().collect::<Vec<_>>(), [5.0]);
        assert_eq!(reading.report.first_broken, Some((2, "the same sample stands there twice")));
    }

    #[test]
    fn a_sample_whose_own_time_is_long_ago_is_not_now() {
        let now = Stamp::from_secs(1_000);
        let text = "go_goroutines 5 600000\n";
        let reading = Reading::of_text(text, Format::Text, &Wanted::by(&Preset::Go.measures()), now);
        assert_eq!((reading.rows.len(), reading.stale), (0, 1));
    }
}
