//! Named series of numbers and the lanes that draw them.

use crate::model::{Lapse, Untrusted};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The name of a series, `source.measure`: `mrg.connections`, `logs.ERROR`, `metrics.users`.
pub type SeriesName = Arc<str>;

/// What a series is measured in; decides how a value is written (see `view::number`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things: `1,284`.
    Count,
    /// A large number of people, one decimal: `31.2k`.
    Users,
    /// Per second: `462/s`.
    PerSecond,
    /// Per minute: `34/m`.
    PerMinute,
    /// A share from 0 to 100: `14.2 %`.
    Percent,
    /// Seconds: `0.61 s`, `4 ms`.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Integer rupiah: `Rp 412,500`, sums as `237.5 jt`.
    Rupiah,
}

/// How the points of one column become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollup {
    /// The newest point.
    Last,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Sum over count.
    Mean,
    /// The sum, as a rate per minute: for counts of things that happened (lines, orders born).
    SumPerMinute,
}

/// Which side of normal is worrying; decides `worst` and what counts as broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bad {
    /// Above the band.
    High,
    /// Below the band (a success rate).
    Low,
    /// Either side.
    Both,
}

/// One row of the timeline: where its numbers come from and how they are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Heading it stands under: traffic, application, database, payment, orders, logs.
    pub group: String,
    /// Name of at most 15 cells.
    pub name: String,
    /// The series drawn.
    pub series: SeriesName,
    /// Unit of its values.
    pub unit: Unit,
    /// How a column is made from points.
    pub rollup: Rollup,
    /// Which side of normal is bad.
    pub bad: Bad,
    /// Drawn scale's bottom; 0 but for shares that live near their top (callback ok: 96).
    #[serde(default)]
    pub floor: f64,
    /// Drawn scale's top when known (100 for shares, usable connections); else the lane's own maximum.
    #[serde(default)]
    pub ceiling: Option<f64>,
    /// How late its source is by nature; younger columns are "not measured yet", not a drop.
    #[serde(default)]
    pub lag: Lapse,
    /// Whether this is the traffic that drives the rest: it is called trigger, never a fault.
    #[serde(default)]
    pub trigger: bool,
    /// Value from which the lane is called broken (drawn red at the instant shown).
    #[serde(default)]
    pub broken_at: Option<f64>,
}

/// What a series is, as its source says. Values are stored in `unit`, whatever the wire had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesCard {
    /// Which.
    pub name: SeriesName,
    /// What its values are in; decides over a lane's own unit. None when the source's word is not one of ours.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// The unit in the source's own word: `Count/s`, `KiB/s`.
    #[serde(default)]
    pub unit_said: Untrusted,
    /// Where it is from: `SYS.ELB mb_l7_qps of 77d3…6c11, max of 60 s`, a PromQL expression, a metric's name.
    #[serde(default)]
    pub from: Untrusted,
    /// Of a series of counts: who counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// Who counted, and so what a count is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The engine that has the data: all of it.
    Engine,
    /// Here, from every line there is, all fetched.
    Lines,
    /// Here, from those lines that were fetched: there are more.
    Sample,
}

impl Counted {
    /// Behind a number.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Engine => "counted by the engine",
            Self::Lines => "counted from fetched lines",
            Self::Sample => "sampled: not all lines were fetched",
        }
    }
}
