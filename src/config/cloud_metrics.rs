//! `[[huawei.instance]]`, `[[huawei.metric]]` and the switches of marks: which metrics are asked for, as what
//! series, and the lanes they bring.
//!
//! An instance is spread out into its kind's presets here, so that everybody else sees plain targets. May
//! not know: how a metric is asked for.

use crate::config::cloud_presets::{self as presets, Filter, Kind, Preset, Use};
use crate::config::section::Section;
use crate::config::words::{BAD, ROLLUPS};
use crate::model::Lapse;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of the cloud's metric, alarm, event and trace services.
#[derive(Clone, Debug, Default)]
pub struct CloudMetrics {
    /// One for each series, in the order of the configuration.
    pub targets: Vec<Target>,
    /// Whether raised and cleared alarms become marks.
    pub alarms: bool,
    /// Whether events of the cloud become marks.
    pub events: bool,
    /// Whether changes by people and programs (CTS) become marks.
    pub traces: bool,
}

impl CloudMetrics {
    /// Whether any kind of mark is asked for.
    pub const fn marks(&self) -> bool {
        self.alarms || self.events || self.traces
    }
    /// The lanes of all targets that are drawn.
    pub fn lanes(&self) -> impl Iterator<Item = Lane> {
        self.targets.iter().filter_map(|t| t.lane.clone())
    }
    /// How many resources are named.
    pub fn instances(&self) -> usize {
        self.targets.iter().map(|t| &t.instance).collect::<BTreeSet<_>>().len()
    }
}

/// One metric of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its series: `huawei.pg-order_conn_usage`.
    pub series: String,
    /// Name of the resource, or of the metric itself when it was chosen freely.
    pub instance: String,
    /// `SYS.RDS`
    pub namespace: String,
    /// `rds083_conn_usage`
    pub metric: String,
    /// Name and value, in the order of the API's hierarchy.
    pub dimensions: Vec<(String, String)>,
    /// How points become one when they are rolled up.
    pub filter: Filter,
    /// The unit the service documents, for answers that name none; empty when unknown.
    pub said: &'static str,
    /// Distance of raw points.
    pub raw: Lapse,
    /// The lane it is drawn in.
    pub lane: Option<Lane>,
}

/// How often alarms, events and traces are asked for.
pub const MARKS_EVERY: Lapse = Lapse::minutes(3);
/// Points reach the metric service this long after their own distance.
const LATE: Lapse = Lapse::minutes(2);
/// Cells of a lane's name.
const NAME: usize = 15;
/// Cells of a resource's name in front of a measure.
const TAG: usize = 5;

/// Reads the metrics' part of `[huawei]`; `source` is the name in front of every series.
pub fn read(s: &Section<'_>, source: &str) -> CloudMetrics {
    let instances: Vec<Instance> = s.sections("instance").iter().filter_map(instance).collect();
    let tags = tags(&instances);
    let mut targets: Vec<Target> =
        instances.iter().zip(&tags).flat_map(|(i, tag)| i.targets(source, tag).collect::<Vec<_>>()).collect();
    targets.extend(s.sections("metric").iter().filter_map(|m| free(m, source)));
    let mut seen = BTreeSet::new();
    for target in &targets {
        if !seen.insert(target.series.clone()) {
            s.problem("instance", format!("{} is there twice: every resource has a name of its own", target.series));
        }
    }
    own_names(&mut targets);
    CloudMetrics {
        targets,
        alarms: s.switch("alarms", true),
        events: s.switch("events", true),
        traces: s.switch("traces", true),
    }
}

/// `[[huawei.instance]]`
struct Instance {
    kind: &'static Kind,
    name: String,
    dimensions: Vec<(String, String)>,
    presets: Vec<Chosen>,
    group: Option<String>,
}

/// A preset, or a metric of the kind that has none.
struct Chosen {
    metric: String,
    preset: Option<&'static Preset>,
    drawn: bool,
}

fn instance(s: &Section<'_>) -> Option<Instance> {
    let words: Vec<(&str, &'static Kind)> = presets::KINDS.iter().map(|k| (k.word, k)).collect();
    let kind = s.choice("kind", &words);
    if kind.is_none() && s.text("kind").is_none() {
        let names: Vec<&str> = words.iter().map(|(n, _)| *n).collect();
        s.problem("kind", format!("is missing: one of {}", names.join(", ")));
    }
    let name = s.needed("name", "a short name of the resource, like pg-order").filter(|n| identifier(s, "name", n));
    let id = s.needed("id", "the resource's id, as warroom huawei metrics lists it");
    let (only, also) = (s.texts("only"), s.texts("also").unwrap_or_default());
    let group = s.text("group");
    // All extra keys are asked for, so that each kind can say which it knows.
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for key in EXTRAS {
        if let Some(value) = s.text(key) {
            named.insert(key, value);
        }
    }
    s.finish();
    let (kind, name, id) = (kind?, name?, id?);
    let mut dimensions = vec![(kind.dimension.to_owned(), id)];
    for extra in kind.extras {
        if let Some(value) = named.get(extra.key) {
            dimensions.push((extra.dimension.to_owned(), value.clone()));
        }
    }
    for (key, _) in named.iter().filter(|(key, _)| kind.extras.iter().all(|e| e.key != **key)) {
        s.problem(key, format!("is not known of kind {}: {}", kind.word, known_extras(kind)));
    }
    if let Some((dimension, _)) = dimensions.iter().find(|(_, v)| !(1..=256).contains(&v.chars().count())) {
        s.problem("id", format!("the value of {dimension} is empty or longer than 256 letters"));
    }
    let keys: Vec<&str> = kind.extras.iter().map(|e| e.key).filter(|k| named.contains_key(k)).collect();
    let rows = kind.metrics.iter().find(|(extras, _)| *extras == keys.as_slice()).map_or(&[] as &[Preset], |(_, r)| r);
    let presets = chosen(s, kind, rows, only.as_deref(), &also);
    if presets.is_empty() {
        let says = format!("there is no preset for {} with {}: name its metrics with also", kind.word, keys.join(", "));
        s.problem("also", says);
    }
    Some(Instance { kind, name, dimensions, presets, group })
}

/// Keys of extra dimensions of all kinds.
const EXTRAS: [&str; 9] = ["listener", "pool", "node", "broker", "consumer", "topic", "mount_point", "disk", "api"];

fn known_extras(kind: &Kind) -> String {
    let keys: Vec<&str> = kind.extras.iter().map(|e| e.key).collect();
    if keys.is_empty() { "it has an id only".to_owned() } else { format!("known are {}", keys.join(", ")) }
}

/// The metrics of an instance: those of its kind, or `only` some, and `also` others by their id or measure.
fn chosen(
    s: &Section<'_>,
    kind: &Kind,
    rows: &'static [Preset],
    only: Option<&[String]>,
    also: &[String],
) -> Vec<Chosen> {
    let of = |word: &str| rows.iter().find(|r| r.metric == word || r.measure == word);
    let named = |key: &str, word: &str| {
        if !(1..=96).contains(&word.len()) || !word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            s.problem(key, format!("\"{word}\" is no metric of {}: ids have letters, digits and _", kind.namespace));
        }
        // What is named by hand is wanted on the screen.
        Chosen { metric: of(word).map_or(word, |r| r.metric).to_owned(), preset: of(word), drawn: true }
    };
    let mut out: Vec<Chosen> = match only {
        Some(words) => words.iter().map(|w| named("only", w)).collect(),
        None => rows
            .iter()
            .filter(|r| r.shown != Use::OnDemand)
            .map(|r| Chosen { metric: r.metric.to_owned(), preset: Some(r), drawn: r.shown == Use::Drawn })
            .collect(),
    };
    for word in also {
        let wanted = named("also", word);
        out.retain(|c| c.metric != wanted.metric);
        out.push(wanted);
    }
    out
}

impl Instance {
    fn targets<'a>(&'a self, source: &'a str, tag: &'a str) -> impl Iterator<Item = Target> + 'a {
        self.presets.iter().map(move |c| {
            let measure = c.preset.map_or(c.metric.as_str(), |p| p.measure);
            let series = format!("{source}.{}_{measure}", self.name);
            let lane = c.drawn.then(|| self.lane(c, series.clone(), tag));
            Target {
                series,
                instance: self.name.clone(),
                namespace: self.kind.namespace.to_owned(),
                metric: c.metric.clone(),
                dimensions: self.dimensions.clone(),
                filter: c.preset.map_or(Filter::Average, |p| p.filter),
                said: c.preset.map_or("", |p| p.said),
                raw: self.kind.raw,
                lane,
            }
        })
    }

    fn lane(&self, c: &Chosen, series: String, tag: &str) -> Lane {
        let short = c.preset.map_or(c.metric.as_str(), |p| p.short);
        let group = self.group.clone().or_else(|| c.preset.map(|p| p.group.to_owned()));
        Lane {
            group: group.unwrap_or_else(|| "other".to_owned()),
            name: cut(&format!("{tag} {short}"), NAME),
            series: series.into(),
            unit: c.preset.map_or(Unit::Count, |p| p.unit),
            rollup: c.preset.map_or(Rollup::Max, |p| p.rollup),
            bad: c.preset.map_or(Bad::High, |p| p.bad),
            floor: 0.0,
            ceiling: c.preset.and_then(|p| p.ceiling),
            lag: self.kind.raw + LATE,
            trigger: c.preset.is_some_and(|p| p.trigger),
            broken_at: c.preset.and_then(|p| p.broken_at),
        }
    }
}

/// `[[huawei.metric]]`: any metric there is.
fn free(s: &Section<'_>, source: &str) -> Option<Target> {
    let name = s.needed("name", "the lane's name, which its series is named by too: huawei.NAME");
    let name = name.filter(|n| identifier(s, "name", n));
    if let Some(name) = name.as_ref().filter(|n| n.chars().count() > NAME) {
        s.problem("name", format!("\"{name}\" is longer than the {NAME} letters there is room for"));
    }
    let namespace = s.needed("namespace", "the service's namespace, like SYS.RDS");
    if let Some(text) = namespace.as_ref().filter(|n| !(3..=32).contains(&n.len()) || !n.contains('.')) {
        s.problem("namespace", format!("\"{text}\" is no namespace: it has 3 to 32 letters and a dot, like SYS.RDS"));
    }
    let metric = s.needed("metric", "the metric's id, like rds083_conn_usage");
    let dimensions = dimensions(s);
    let filter = s.choice("filter", &Filter::ALL).unwrap_or(Filter::Average);
    let raw = s.lapse("raw", Lapse::minutes(1), Lapse::seconds(1));
    let drawn = s.switch("lane", true);
    let lane = Lane {
        group: s.text("group").unwrap_or_else(|| "other".to_owned()),
        name: name.clone().unwrap_or_default().replace('_', " "),
        series: format!("{source}.{}", name.clone().unwrap_or_default()).into(),
        unit: Unit::Count,
        rollup: s.choice("rollup", &ROLLUPS).unwrap_or(Rollup::Max),
        bad: s.choice("bad", &BAD).unwrap_or(Bad::High),
        floor: 0.0,
        ceiling: s.number("ceiling"),
        lag: raw + LATE,
        trigger: s.switch("trigger", false),
        broken_at: s.number("broken_at"),
    };
    s.finish();
    let (name, namespace, metric, dimensions) = (name?, namespace?, metric?, dimensions?);
    let series = lane.series.to_string();
    let lane = drawn.then_some(lane);
    Some(Target { series, instance: name, namespace, metric, dimensions, filter, said: "", raw, lane })
}

/// `["kafka_instance_id=1a…", "kafka_broker=broker-0"]`, one to four.
fn dimensions(s: &Section<'_>) -> Option<Vec<(String, String)>> {
    let form = "write dimensions = [\"NAME=VALUE\"], one to four in the order of the API, as warroom huawei metrics lists them";
    let Some(texts) = s.texts("dimensions") else {
        s.problem("dimensions", format!("is missing: {form}"));
        return None;
    };
    let split = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let fits = (1..=32).contains(&name.chars().count()) && (1..=256).contains(&value.chars().count());
        fits.then(|| (name.to_owned(), value.to_owned()))
    };
    let all: Option<Vec<_>> = texts.iter().map(split).collect();
    let all = all.filter(|d| (1..=4).contains(&d.len()));
    if all.is_none() {
        s.problem("dimensions", format!("cannot be used: {form}"));
    }
    all
}

/// Names become part of a series' name.
fn identifier(s: &Section<'_>, key: &str, text: &str) -> bool {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') && text.len() <= 40;
    if !fits {
        s.problem(key, format!("\"{text}\" is no name: at most 40 letters, digits, - and _"));
    }
    fits
}

/// What stands for each resource in front of its measures: the kind's tag when it is the only one of its
/// kind, else the part of its name that tells it from its neighbours.
fn tags(instances: &[Instance]) -> Vec<String> {
    let mut out = Vec::with_capacity(instances.len());
    let mut used: BTreeSet<(&str, String)> = BTreeSet::new();
    for i in instances {
        let kin: Vec<&str> = instances.iter().filter(|o| o.kind.word == i.kind.word).map(|o| o.name.as_str()).collect();
        let mut tag = if kin.len() == 1 { i.kind.tag.to_owned() } else { cut(telling(&i.name, &kin), TAG) };
        let mut n = 2;
        while !used.insert((i.kind.word, tag.clone())) {
            tag = format!("{}{n}", cut(&tag, TAG - n.to_string().len()));
            n += 1;
        }
        out.push(tag);
    }
    out
}

/// A name without the words that all of its kin begin with: `order` of `pg-order`, beside `pg-upg`.
fn telling<'n>(name: &'n str, kin: &[&str]) -> &'n str {
    let words = name.match_indices(['-', '_']).map(|(i, _)| i + 1);
    let shared = words.take_while(|i| kin.iter().all(|k| k.get(..*i) == name.get(..*i))).last().unwrap_or(0);
    name.get(shared..).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

fn cut(text: &str, cells: usize) -> String {
    text.chars().take(cells).collect::<String>().trim_end().to_owned()
}

/// No two lanes have the same name: later ones get a number.
fn own_names(targets: &mut [Target]) {
    let mut seen = BTreeSet::new();
    for lane in targets.iter_mut().filter_map(|t| t.lane.as_mut()) {
        let whole = lane.name.clone();
        let mut n = 2;
        while !seen.insert(lane.name.clone()) {
            lane.name = format!("{}{n}", cut(&whole, NAME - n.to_string().len()));
            n += 1;
        }
    }
}

#[cfg(test)]
#[path = "cloud_metrics_tests.rs"]
mod tests;
