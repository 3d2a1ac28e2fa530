//! Cloud Eye's batch query on the wire: what is asked, and what an answer means for which series.
//!
//! Entries of an answer are found again by namespace, metric and dimensions, in any order; points are kept
//! at their own instants, however they lie; what is missing stays missing. May not know: when to ask.

use crate::config::cloud_metrics::Target;
use crate::config::cloud_presets::Filter;
use crate::model::series::Unit;
use crate::model::{Span, Stamp};
use crate::source::huawei::lenient::{Number, Text};
use crate::source::huawei::plan::Period;
use crate::source::huawei::units;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Where it is asked; the client puts the project in.
pub const PATH: &str = "/V1.0/{project_id}/batch-query-metric-data";

/// A question for several metrics.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which targets, by their place in the configuration.
    pub asked: Vec<usize>,
    /// How points become one; for raw data it only names the key.
    pub filter: Filter,
    /// How fine.
    pub period: Period,
    /// From when to when.
    pub span: Span,
}

#[derive(Serialize)]
struct Body<'t> {
    metrics: Vec<Metric<'t>>,
    /// Documented as a text.
    period: &'static str,
    filter: &'static str,
    /// Milliseconds.
    from: i64,
    to: i64,
}

#[derive(Serialize)]
struct Metric<'t> {
    namespace: &'t str,
    #[serde(rename = "metric_name")]
    name: &'t str,
    dimensions: Vec<Dimension<'t>>,
}

#[derive(Serialize)]
struct Dimension<'t> {
    name: &'t str,
    value: &'t str,
}

impl Question {
    /// The body of the request. A metric that several targets want is asked for once.
    pub fn body(&self, targets: &[Target]) -> Result<Vec<u8>, serde_json::Error> {
        let mut seen = BTreeSet::new();
        let asked = self.asked.iter().filter_map(|i| targets.get(*i)).filter(|t| seen.insert(key_of(t)));
        let metrics = asked.map(|t| Metric {
            namespace: &t.namespace,
            name: &t.metric,
            dimensions: t.dimensions.iter().map(|(name, value)| Dimension { name, value }).collect(),
        });
        let (from, to) = (self.span.from.0.div_euclid(1000), self.span.to.0.saturating_add(999).div_euclid(1000));
        serde_json::to_vec(&Body {
            metrics: metrics.collect(),
            period: self.period.word(),
            filter: self.filter.word(),
            from,
            to,
        })
    }
}

/// An answer as it comes. Every field may be missing or of another type.
#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default)]
    metrics: Option<Vec<Option<Entry>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    namespace: Text,
    metric_name: Text,
    dimensions: Option<Vec<Option<Pair>>>,
    unit: Option<Text>,
    datapoints: Option<Vec<Option<Point>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pair {
    name: Text,
    value: Text,
}

/// A point: an instant in milliseconds, and a value under the name of a filter.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    at: Option<f64>,
    values: [Option<f64>; Filter::ALL.len()],
}

impl Point {
    /// The value asked for, or the only one there is.
    fn value(&self, filter: Filter) -> Option<f64> {
        let asked = Filter::ALL.iter().position(|(_, f)| *f == filter).and_then(|i| self.values.get(i).copied());
        asked.flatten().or_else(|| {
            let mut there = self.values.iter().flatten();
            there.next().copied().filter(|_| there.next().is_none())
        })
    }
    /// The instant, when it is one that a clock can show.
    fn at(&self) -> Option<Stamp> {
        // From 1970 to the year 2286: thirteen digits of milliseconds at most, as documented.
        self.at.filter(|ms| (0.0..1e13).contains(ms)).map(|ms| Stamp::from_millis(ms as i64))
    }
}

struct PointVisitor;

impl<'de> Visitor<'de> for PointVisitor {
    type Value = Point;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a data point")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Point, A::Error> {
        let mut point = Point::default();
        while let Some(key) = map.next_key::<Key>()? {
            let slot = match key {
                Key::Instant => Some(&mut point.at),
                Key::Value(i) => point.values.get_mut(i),
                Key::Other => None,
            };
            match slot {
                Some(slot) => *slot = map.next_value::<Number>()?.0,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(point)
    }
}

/// A key of a point, without a text being made of it.
enum Key {
    Instant,
    /// Place in [`Filter::ALL`].
    Value(usize),
    Other,
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        if key == "timestamp" {
            return Ok(Key::Instant);
        }
        Ok(Filter::ALL.iter().position(|(word, _)| *word == key).map_or(Key::Other, Key::Value))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_identifier(KeyVisitor)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(PointVisitor)
    }
}

/// What an answer brought for one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    /// Which target.
    pub target: usize,
    /// The unit in the answer's own word; the documented one when the answer names none.
    pub said: String,
    /// What the values are in; none when the word is not one of ours, and then they are as they came.
    pub unit: Option<Unit>,
    /// In time order, one for each instant.
    pub points: Vec<(Stamp, f64)>,
}

/// What an answer brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// For each target asked for that the answer knows, with points or without.
    pub got: Vec<Got>,
    /// Targets that the answer had more than once; their points are merged.
    pub twice: BTreeSet<usize>,
    /// Entries that nobody asked for.
    pub strange: usize,
    /// Points without an instant or without a finite value.
    pub unusable: usize,
    /// Points beyond the latest instant that can be: refused, by target, with the newest one.
    pub future: BTreeMap<usize, Stamp>,
}

impl Reading {
    /// The earliest point of all that lies before `end`: the service counts the end of a span as inside.
    pub fn earliest(&self, end: Stamp) -> Option<Stamp> {
        self.got.iter().filter_map(|g| g.points.first()).map(|(at, _)| *at).filter(|at| *at < end).min()
    }
}

/// Reads an answer to a question; points after `latest` cannot be.
pub fn read(answer: Answer, question: &Question, targets: &[Target], latest: Stamp) -> Reading {
    let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
    for i in &question.asked {
        if let Some(target) = targets.get(*i) {
            wanted.entry(key_of(target)).or_default().push(*i);
        }
    }
    let mut out = Reading::default();
    let mut found: BTreeMap<usize, (Option<String>, BTreeMap<Stamp, f64>)> = BTreeMap::new();
    for entry in answer.metrics.into_iter().flatten().flatten() {
        let Some(meant) = wanted.get(&entry.key()) else {
            out.strange += 1;
            continue;
        };
        for target in meant {
            if found.contains_key(target) {
                out.twice.insert(*target);
            }
            let (said, points) = found.entry(*target).or_default();
            if let Some(unit) = entry.unit.as_ref().filter(|u| !u.0.trim().is_empty()) {
                *said = Some(unit.0.trim().chars().take(32).collect());
            }
            for point in entry.datapoints.iter().flatten() {
                let usable = point.and_then(|p| p.at().zip(p.value(question.filter).filter(|v| v.is_finite())));
                match usable {
                    None => out.unusable += 1,
                    Some((at, _)) if at > latest => {
                        let newest = out.future.entry(*target).or_insert(at);
                        *newest = at.max(*newest);
                    }
                    Some((at, value)) => {
                        points.insert(at, value);
                    }
                }
            }
        }
    }
    for (target, (said, points)) in found {
        let said = said.unwrap_or_else(|| targets.get(target).map_or("", |t| t.said).to_owned());
        let meaning = units::meaning(&said);
        let scale = meaning.map_or(1.0, |m| m.scale);
        let points = points.into_iter().map(|(at, v)| (at, v * scale)).filter(|(_, v)| v.is_finite()).collect();
        out.got.push(Got { target, said, unit: meaning.map(|m| m.unit), points });
    }
    out
}

impl Entry {
    fn key(&self) -> String {
        let pairs = self.dimensions.iter().flatten().flatten();
        key(&self.namespace.0, &self.metric_name.0, pairs.map(|p| (p.name.0.as_str(), p.value.0.as_str())))
    }
}

fn key_of(target: &Target) -> String {
    let pairs = target.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    key(&target.namespace, &target.metric, pairs)
}

/// What tells one metric of the cloud from another: dimensions are a set there.
fn key<'k>(namespace: &'k str, metric: &'k str, dimensions: impl Iterator<Item = (&'k str, &'k str)>) -> String {
    let mut pairs: Vec<(&str, &str)> = dimensions.collect();
    pairs.sort_unstable();
    let mut out = String::with_capacity(96);
    out.push_str(namespace);
    out.push('\u{1f}');
    out.push_str(metric);
    for (name, value) in pairs {
        out.extend(['\u{1f}']);
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
    out
}

#[cfg(test)]
#[path = "ces_tests.rs"]
mod tests;
