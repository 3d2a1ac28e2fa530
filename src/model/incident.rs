//! What an incident is to the program: names, times, rules and the lanes to look at. It is written into
//! the recording first, so that a replay needs no configuration.

use crate::model::note::Verdict;
use crate::model::order::Role;
use crate::model::series::{Lane, Unit};
use crate::model::{Lapse, SourceName, Span, Stamp, Untrusted, Zone};
use serde::{Deserialize, Serialize};

/// The incident as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// `12 Jan 2025 · order gantung`.
    pub title: Untrusted,
    /// `HIGH`; empty when unknown. The note's front matter wins when it has one.
    pub severity: Untrusted,
    /// `investigating`; empty when unknown.
    pub status: Untrusted,
    /// Zone of every time on screen.
    pub zone: Zone,
    /// The time being looked into, when it is known.
    pub window: Option<Span>,
    /// A time when all was well, same length or longer; the band and every "normal" come from it.
    pub baseline: Option<Span>,
    /// Numbers the rules use.
    pub rules: Rules,
    /// Rows of the timeline, in order.
    pub lanes: Vec<Lane>,
    /// Every source there is, in the order of the dots.
    pub sources: Vec<SourceCard>,
    /// Configured limits to compare with what is measured.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Probes that answer the note's checkboxes, beyond the built-in ones.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// Files that change the rules, as they were read: a replay judges by them, too.
    #[serde(default)]
    pub rule_files: Vec<RuleFile>,
    /// Which source each role of the order side is read from: its clock wrote their times.
    #[serde(default)]
    pub ledgers: Vec<(Role, SourceName)>,
    /// Columns of the operator's that hold personal data although their names do not say so.
    #[serde(default)]
    pub masks: Vec<String>,
    /// Whether this is invented data.
    #[serde(default)]
    pub demo: bool,
}

/// A file of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFile {
    /// Its name, for what is said of it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Thresholds of the rules; every verdict prints the ones it used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// ACTIVE for longer than this is stuck.
    pub stuck_after: Lapse,
    /// Paid for less than this and not yet at HO is settling, not missing.
    pub settle_after: Lapse,
    /// Users at normal load.
    pub normal_users: f64,
    /// Users at the peak.
    pub peak_users: f64,
    /// Users to plan for: what limits would have to hold next time.
    #[serde(default = "plan_users")]
    pub plan_users: f64,
    /// A spike is a level this many times its baseline…
    pub spike_ratio: f64,
    /// …for at least this long.
    pub spike_for: Lapse,
    /// Who calls whom, where that is known: a consequence cannot outrank its cause.
    #[serde(default)]
    pub services: Vec<Service>,
}

/// A service of the call graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name, for other services' `calls`.
    pub name: String,
    /// The services it calls.
    pub calls: Vec<String>,
    /// Beginnings of the names of its series: `upg.`, `huawei.elb-upg_`. The longest that fits decides.
    pub series: Vec<String>,
}

const fn plan_users() -> f64 {
    100_000.0
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            stuck_after: Lapse::minutes(15),
            settle_after: Lapse::minutes(10),
            normal_users: 30_000.0,
            peak_users: 77_000.0,
            plan_users: plan_users(),
            spike_ratio: 1.2,
            spike_for: Lapse::minutes(3),
            services: Vec::new(),
        }
    }
}

/// A source as the screen introduces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceCard {
    /// Name on the dot.
    pub name: String,
    /// What kind.
    pub kind: SourceKind,
    /// What it is, in words: `PostgreSQL`, `3 services, 19 files`.
    pub what: Untrusted,
    /// How often it is asked; none when it is followed or watched.
    pub every: Option<Lapse>,
}

/// Kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A PostgreSQL server.
    Database,
    /// Log files.
    Logs,
    /// Orders, payments, books by SQL.
    Orders,
    /// Metrics.
    Metrics,
    /// The note.
    Note,
    /// Log tools.
    Mcp,
}

/// A configured limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// `pool_max × pods`.
    pub name: String,
    /// The value.
    pub value: f64,
    /// The series it bounds; empty for one that nothing measures (a number of retries).
    pub series: String,
    /// What the value is in; that of the series' lane when absent.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// How the value comes about: `20 × 8`; empty when it is just what it is.
    #[serde(default)]
    pub of: String,
}

/// A probe from the configuration: what it measures and when that supports or refutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// `H1a`; one of the built-in ids replaces that one.
    pub id: String,
    /// Hypothesis it feeds, from 1; 0 for none.
    pub hypothesis: u32,
    /// Words that find its checkbox, any language; the first item that has them all is meant.
    pub matches: Vec<String>,
    /// The series it looks at.
    pub series: String,
    /// Supports when the value was at or above this for `for_` in the window.
    pub supports_at: Option<f64>,
    /// Refutes when the value never reached this.
    pub refutes_below: Option<f64>,
    /// How long.
    pub for_: Lapse,
    /// What it counts for.
    pub weight: f64,
    /// A fixed answer a person put in the configuration.
    #[serde(default)]
    pub answer: Option<(Verdict, String)>,
}

impl Incident {
    /// An incident of which nothing is known but its title.
    pub fn unnamed(zone: Zone) -> Self {
        Self {
            title: Untrusted::from("no incident named"),
            severity: Untrusted::default(),
            status: Untrusted::default(),
            zone,
            window: None,
            baseline: None,
            rules: Rules::default(),
            lanes: Vec::new(),
            sources: Vec::new(),
            limits: Vec::new(),
            probes: Vec::new(),
            rule_files: Vec::new(),
            ledgers: Vec::new(),
            masks: Vec::new(),
            demo: false,
        }
    }
    /// The instant the baseline has for `at`: the same offset into the baseline window, when both windows
    /// are configured; else the baseline is a level and has no instants of its own.
    pub fn baseline_of(&self, at: Stamp) -> Option<Stamp> {
        let (w, b) = (self.window?, self.baseline?);
        let t = b.from + at.since(w.from);
        b.contains(t).then_some(t)
    }
}

/// What may have caused an incident, as a team says it: the five hypotheses by their numbers, causes outside the
/// five, and none. Word and meaning.
pub const CAUSES: [(&str, &str); 11] = [
    ("H1", "connection pool exhaustion"),
    ("H2", "payment callback failure"),
    ("H3", "circuit breaker"),
    ("H4", "timeout configuration"),
    ("H5", "race condition"),
    ("orchestrator", "the Orchestrator was down"),
    ("vendor", "the payment gateway's vendor"),
    ("change", "a deployment or another change"),
    ("sequence", "a sequence ran out of numbers"),
    ("leak", "memory or goroutines leak"),
    ("none", "nothing broke"),
];

/// How a conclusion begins on the timeline; the causes follow, the first one first.
pub const CONCLUDED: &str = "concluded: ";
