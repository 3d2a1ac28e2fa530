//! What there is to ask about: metrics, alarms, events, traces, logs and series of Prometheus. Plain data,
//! made by a test, by the demo's story or by anyone; nothing in here knows how it is asked for.
//!
//! Data may lie in the future of whoever asks: the emulator shows nothing that is younger than its own now.

use crate::model::{Lapse, Stamp};

/// Everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// Cloud Eye's metrics.
    pub metrics: Vec<Metric>,
    /// How long after its instant a raw point can be asked for.
    pub metrics_late: Lapse,
    /// Alarm rules.
    pub alarms: Vec<Alarm>,
    /// What alarms did.
    pub histories: Vec<AlarmRecord>,
    /// Events.
    pub events: Vec<Event>,
    /// Traces.
    pub traces: Vec<Trace>,
    /// Log groups.
    pub groups: Vec<LogGroup>,
    /// Series of Prometheus.
    pub series: Vec<Series>,
}

/// Name and value of a dimension.
pub type Dimension = (String, String);

/// One metric of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric {
    /// `SYS.RDS`.
    pub namespace: String,
    /// `rds001_cpu_util`.
    pub name: String,
    /// One to four.
    pub dimensions: Vec<Dimension>,
    /// The wire's word: `%`, `Count/s`. Empty when it has none.
    pub unit: String,
    /// Raw points in order of time, at whatever instants they were taken; missing ones are missing.
    pub points: Vec<(Stamp, f64)>,
}

impl Metric {
    /// A metric of one resource without points yet.
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)], unit: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            unit: unit.to_owned(),
            points: Vec::new(),
        }
    }

    /// The same with these points, put in order of time.
    #[must_use]
    pub fn with_points(mut self, points: impl IntoIterator<Item = (Stamp, f64)>) -> Self {
        self.points.extend(points);
        self.points.sort_by_key(|p| p.0);
        self
    }

    /// The name that pages of the list are turned by: `SYS.RDS.rds001_cpu_util.postgresql_cluster_id:3c8c`.
    pub fn marker(&self) -> String {
        let dimensions: Vec<_> = self.dimensions.iter().map(|(n, v)| format!("{n}:{v}")).collect();
        format!("{}.{}.{}", self.namespace, self.name, dimensions.join("."))
    }
}

/// An alarm rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarm {
    /// `al` and 22 letters and digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// From 1, critical, to 4, for information.
    pub level: u8,
    /// What it watches.
    pub metric: AlarmMetric,
    /// When it fires.
    pub condition: Condition,
    /// When somebody last changed it.
    pub updated: Stamp,
}

/// The metric of an alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmMetric {
    /// `SYS.RDS`.
    pub namespace: String,
    /// `rds083_conn_usage`.
    pub name: String,
    /// Which resource.
    pub dimensions: Vec<Dimension>,
}

/// When an alarm fires: `average of 60 s >= 90 %, 3 times in a row`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Seconds; 1 for raw points.
    pub period: u32,
    /// `average`.
    pub filter: String,
    /// `>=`.
    pub operator: String,
    /// The threshold.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// How often in a row.
    pub count: u32,
}

impl Default for Condition {
    fn default() -> Self {
        let (filter, operator) = ("average".to_owned(), ">=".to_owned());
        Self { period: 1, filter, operator, value: 0.0, unit: String::new(), count: 1 }
    }
}

/// A time that an alarm was on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmRecord {
    /// `ah` and 22 letters and digits.
    pub id: String,
    /// The rule, as it was.
    pub alarm: Alarm,
    /// Since when.
    pub began: Stamp,
    /// Until when; none while it lasts.
    pub ended: Option<Stamp>,
    /// The points that made it fire.
    pub points: Vec<(Stamp, f64)>,
    /// More words, such as what was done.
    pub additional: String,
}

/// Something that happened once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Id of this occurrence.
    pub id: String,
    /// `rebootServer`.
    pub name: String,
    /// Whether the cloud says it; else somebody reported it.
    pub system: bool,
    /// `SYS.ECS`.
    pub source: String,
    /// When.
    pub at: Stamp,
    /// What it says.
    pub content: String,
    /// Which resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// `normal`, `warning`, `incident`.
    pub state: String,
    /// `Critical`, `Major`, `Minor`, `Info`.
    pub level: String,
}

/// Something that somebody did to a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// `resizeFlavor`.
    pub name: String,
    /// `normal`, `warning`, `incident`.
    pub rating: String,
    /// `ConsoleAction`, `ApiCall`, `SystemAction`.
    pub kind: String,
    /// Whether it is about objects in a bucket (`data`), not about resources (`system`).
    pub data: bool,
    /// When.
    pub at: Stamp,
    /// `RDS`.
    pub service: String,
    /// `instance`.
    pub resource_type: String,
    /// Its name.
    pub resource_name: String,
    /// Its id.
    pub resource_id: String,
    /// HTTP status of what was done.
    pub code: String,
    /// What was sent: may hold secrets.
    pub request: String,
    /// What was answered.
    pub response: String,
    /// From where.
    pub ip: String,
    /// Who.
    pub user: String,
    /// With which key.
    pub access_key: String,
    /// Whether nothing was changed.
    pub read_only: bool,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogGroup {
    /// 36 letters and digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Stamp,
    /// How long lines are kept.
    pub days: u32,
    /// Its streams.
    pub streams: Vec<LogStream>,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogStream {
    /// 36 letters and digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Stamp,
    /// Whether lines are in the order of their own time, so that a cursor needs it beside the number.
    pub custom_time: bool,
    /// Lines in order of time; see [`LogStream::write`].
    pub lines: Vec<LogEntry>,
}

/// A line as it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogEntry {
    /// Its time.
    pub at: Stamp,
    /// Its number in the stream, 19 digits: nanoseconds of its arrival, made unique.
    pub number: i64,
    /// What it says.
    pub content: String,
    /// What the collector knew: `hostName`, `appName`, `podName`.
    pub labels: Vec<(String, String)>,
}

impl LogStream {
    /// An empty stream.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// Adds a line and numbers it: the nanoseconds of its time, or one more than the line before it when
    /// that number is taken.
    pub fn write(&mut self, at: Stamp, content: impl Into<String>, labels: &[(&str, &str)]) {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let place = self.lines.partition_point(|l| l.at <= at);
        let least = at.0.saturating_mul(1_000);
        let before = place.checked_sub(1).map_or(least, |i| self.lines[i].number.saturating_add(1));
        let number = least.max(before);
        self.lines.insert(place, LogEntry { at, number, content: content.into(), labels });
        // A line that came late pushes the numbers of a crowd in the same microsecond along.
        for i in place + 1..self.lines.len() {
            if self.lines[i].number > self.lines[i - 1].number {
                break;
            }
            self.lines[i].number = self.lines[i - 1].number.saturating_add(1);
        }
    }
}

/// A series of Prometheus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Labels with `__name__`, sorted by name.
    pub labels: Vec<(String, String)>,
    /// `counter`, `gauge`, `histogram`, `summary`; empty when unknown.
    pub kind: String,
    /// What it counts, in words.
    pub help: String,
    /// Points in order of time.
    pub points: Vec<(Stamp, f64)>,
}

impl Series {
    /// A series without points yet.
    pub fn new(name: &str, labels: &[(&str, &str)], kind: &str) -> Self {
        let mut all: Vec<(String, String)> = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        all.push(("__name__".to_owned(), name.to_owned()));
        all.sort();
        Self { labels: all, kind: kind.to_owned(), help: String::new(), points: Vec::new() }
    }

    /// The same with these points, put in order of time.
    #[must_use]
    pub fn with_points(mut self, points: impl IntoIterator<Item = (Stamp, f64)>) -> Self {
        self.points.extend(points);
        self.points.sort_by_key(|p| p.0);
        self
    }
}

impl World {
    /// The same world at another time: everything happens `by` later.
    #[must_use]
    pub fn moved(mut self, by: Lapse) -> Self {
        let shift = |points: &mut Vec<(Stamp, f64)>| points.iter_mut().for_each(|p| p.0 = p.0 + by);
        self.metrics.iter_mut().for_each(|m| shift(&mut m.points));
        self.series.iter_mut().for_each(|s| shift(&mut s.points));
        self.alarms.iter_mut().for_each(|a| a.updated = a.updated + by);
        for record in &mut self.histories {
            record.alarm.updated = record.alarm.updated + by;
            record.began = record.began + by;
            record.ended = record.ended.map(|t| t + by);
            shift(&mut record.points);
        }
        self.events.iter_mut().for_each(|e| e.at = e.at + by);
        self.traces.iter_mut().for_each(|t| t.at = t.at + by);
        for group in &mut self.groups {
            group.created = group.created + by;
            for stream in &mut group.streams {
                stream.created = stream.created + by;
                for line in &mut stream.lines {
                    line.at = line.at + by;
                    line.number = line.number.saturating_add(by.0.saturating_mul(1_000));
                }
            }
        }
        self
    }
}
