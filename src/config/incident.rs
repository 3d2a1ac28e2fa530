//! From configuration to the incident that is recorded first: the lanes of its sources when none are
//! named, and a card for every source, so that a replay needs no configuration.

use crate::config::log_server::Counter;
use crate::config::mcp::Door;
use crate::config::measure::Shape;
use crate::config::prometheus::Server;
use crate::config::{
    Config, DatabaseConfig, HuaweiConfig, LogConfig, LogServerConfig, McpConfig, PrometheusConfig, ScrapeConfig,
    cloud_metrics,
};
use crate::model::incident::{Incident, SourceCard, SourceKind};
use crate::model::order::Role;
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Untrusted};

/// The incident as configured.
pub fn incident(config: &Config) -> Incident {
    let c = &config.incident;
    Incident {
        title: c.title.clone().map(Untrusted::from).unwrap_or_default(),
        severity: Untrusted::default(),
        status: Untrusted::default(),
        zone: c.zone.clone(),
        window: c.window,
        baseline: c.baseline,
        rules: c.rules.clone(),
        lanes: if c.lanes.is_empty() { lanes(config) } else { c.lanes.clone() },
        sources: cards(config),
        limits: c.limits.clone(),
        probes: c.probes.clone(),
        rule_files: c.rule_files.clone(),
        ledgers: config.queries.iter().map(|q| (q.role, q.db.as_str().into())).collect(),
        masks: config.queries.iter().flat_map(|q| q.mask.clone()).collect(),
        demo: false,
    }
}

/// One row for each measure that the configured sources bring by themselves.
pub fn lanes(config: &Config) -> Vec<Lane> {
    let watched: Vec<&DatabaseConfig> = config.databases.iter().filter(|d| d.watch).collect();
    let one = watched.len() == 1;
    let mut out = Vec::new();
    for db in watched {
        let name = |what: &str| if one { what.to_owned() } else { format!("{} {what}", shorten(&db.name)) };
        let series = |measure: &str| format!("{}.{measure}", db.name);
        out.push(lane("database", name("conns"), series("connections"), Unit::Count, Rollup::Max));
        out.push(lane("database", name("lock waits"), series("lock_waits"), Unit::Count, Rollup::Max));
        out.push(Lane {
            bad: Bad::Low,
            ..lane("database", name("commits"), series("commits"), Unit::PerSecond, Rollup::Mean)
        });
        out.push(lane("database", name("rollbacks"), series("rollbacks"), Unit::PerSecond, Rollup::Mean));
    }
    out.extend(config.huawei.iter().flat_map(|h| h.metrics.lanes()));
    out.extend(order_lanes(config));
    out.extend(metric_lanes(config));
    let tools = config.mcp.iter().filter(|m| m.search.is_some()).map(|m| &m.name);
    let engines = config.log_servers.iter().map(|l| &l.name);
    let logs: Vec<&String> = config.logs.iter().map(|l| &l.name).chain(tools).chain(engines).collect();
    for source in &logs {
        let name = if logs.len() == 1 { "ERROR lines".to_owned() } else { format!("{} ERROR", brief(source, &logs)) };
        out.push(lane("logs", name, format!("{source}.ERROR"), Unit::PerMinute, Rollup::SumPerMinute));
    }
    let before = |name: &str| if logs.len() == 1 { String::new() } else { format!("{} ", brief(name, &logs)) };
    for server in &config.log_servers {
        out.extend(counted_lanes(&server.name, &server.counters, server.late, &before(&server.name)));
    }
    for (mcp, histogram) in config.mcp.iter().filter_map(|m| Some((m, m.histogram.as_ref()?))) {
        out.extend(counted_lanes(&mcp.name, &histogram.counters, Lapse::seconds(30), &before(&mcp.name)));
    }
    // From where the load comes from to what it does; a heading stands once.
    out.sort_by_cached_key(|l| {
        let known = HEADINGS.iter().position(|h| *h == l.group);
        let other = if known.is_some() { String::new() } else { l.group.clone() };
        // Where people are counted, they are the traffic; requests are what they cause.
        (known.unwrap_or(HEADINGS.len()), other, l.unit != Unit::Users)
    });
    out
}

/// Headings of lanes that nobody ordered, from cause to effect; others follow.
const HEADINGS: [&str; 6] = ["traffic", "application", "database", "payment", "orders", "logs"];

fn order_lanes(config: &Config) -> Vec<Lane> {
    let has = |role: Role| config.queries.iter().any(|q| q.role == role);
    let per_minute = |group, name: &str, series: &str| {
        lane(group, name.to_owned(), series.to_owned(), Unit::PerMinute, Rollup::SumPerMinute)
    };
    let mut out = Vec::new();
    if has(Role::Payments) {
        out.push(Lane { bad: Bad::Low, ..per_minute("payment", "paid at UPG", "orders.paid") });
    }
    if has(Role::Orders) {
        out.push(Lane { bad: Bad::Both, ..per_minute("orders", "orders born", "orders.born") });
        out.push(per_minute("orders", "stuck, by birth", "orders.stuck_by_birth"));
    }
    if has(Role::OrdersAgg) {
        out.push(per_minute("orders", "ACTIVE, counted", "orders.n_active"));
        out.push(per_minute("orders", "FAILED, counted", "orders.n_failed"));
    }
    if has(Role::CallbackQueue) {
        let waiting = ("callbacks wait".to_owned(), "orders.callbacks_waiting".to_owned());
        out.push(lane("payment", waiting.0, waiting.1, Unit::Count, Rollup::Max));
    }
    if has(Role::Payments) && has(Role::HoPayments) {
        let sum = lane("orders", "not at HO, Σ".to_owned(), "orders.not_at_ho".to_owned(), Unit::Count, Rollup::Last);
        out.push(Lane { broken_at: Some(1.0), ..sum });
    }
    out
}

/// Rows of PromQL queries and of scraped services: each measure brings its own shape.
fn metric_lanes(config: &Config) -> Vec<Lane> {
    let shaped = |shape: &Shape, name: String, series: String, unit: Unit, lag: Lapse| Lane {
        bad: shape.bad,
        ceiling: shape.ceiling,
        broken_at: shape.broken_at,
        trigger: shape.trigger,
        lag,
        ..lane(&shape.group, name, series, unit, shape.rollup)
    };
    let mut out = Vec::new();
    for server in &config.prometheus {
        for (query, shape) in server.queries.iter().filter_map(|q| Some((q, q.lane.as_ref()?))) {
            let series = format!("{}.{}", server.name, query.name);
            out.push(shaped(shape, shape.name.clone(), series, query.unit, server.lag));
        }
    }
    let one = config.scrapes.len() == 1;
    for service in &config.scrapes {
        for (measure, shape) in service.measures.iter().filter_map(|m| Some((m, m.lane.as_ref()?))) {
            let name = if one { shape.name.clone() } else { format!("{} {}", shorten(&service.name), shape.name) };
            let name = name.chars().take(15).collect();
            let series = format!("{}.{}", service.name, measure.name);
            out.push(shaped(shape, name, series, measure.unit, Lapse::ZERO));
        }
    }
    out
}

/// What an engine is asked to count: a point is the count of a minute.
fn counted_lanes(source: &str, counters: &[Counter], lag: Lapse, before: &str) -> Vec<Lane> {
    let one = |counter: &Counter| {
        let name = format!("{before}{}", counter.name.replace('_', " "));
        let series = format!("{source}.{}", counter.name);
        Lane { lag, ..lane("logs", name.chars().take(15).collect(), series, Unit::PerMinute, Rollup::Mean) }
    };
    counters.iter().filter(|c| c.filter.is_some()).map(one).collect()
}

fn lane(group: &str, name: String, series: String, unit: Unit, rollup: Rollup) -> Lane {
    Lane {
        group: group.to_owned(),
        name,
        series: series.into(),
        unit,
        rollup,
        bad: Bad::High,
        floor: 0.0,
        ceiling: None,
        lag: Lapse::ZERO,
        trigger: false,
        broken_at: None,
    }
}

/// Names that leave room for the measure: a lane's name has 15 cells.
fn shorten(name: &str) -> String {
    name.chars().take(4).collect()
}

/// The same for one of several, which may begin alike: what is its own in its name.
fn brief(name: &str, all: &[&String]) -> String {
    let short = shorten(name);
    let alike: Vec<&str> = all.iter().map(|n| n.as_str()).filter(|n| *n != name && n.starts_with(&short)).collect();
    let common = |other: &str| name.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let Some(shared) = alike.iter().map(|other| common(other)).max() else { return short };
    let own: String = name.chars().skip(shared).take(6).collect();
    if own.is_empty() { name.chars().take(6).collect() } else { own }
}

/// How every source is introduced, in the order of the dots.
pub fn cards(config: &Config) -> Vec<SourceCard> {
    let mut out: Vec<SourceCard> = config.databases.iter().filter(|d| d.watch).map(database_card).collect();
    if let Some(every) = config.queries.iter().map(|q| q.interval).min() {
        out.push(SourceCard {
            name: "orders".to_owned(),
            kind: SourceKind::Orders,
            what: roles(config).into(),
            every: Some(every),
        });
    }
    out.extend(config.huawei.iter().flat_map(cloud_cards));
    out.extend(config.prometheus.iter().map(prometheus_card));
    out.extend(config.scrapes.iter().map(scrape_card));
    out.extend(config.logs.iter().map(log_card));
    out.extend(config.mcp.iter().filter_map(tool_card));
    out.extend(config.log_servers.iter().map(server_card));
    if let Some(note) = &config.incident.note {
        let name = note.file_name().unwrap_or(note.as_os_str());
        out.push(SourceCard {
            name: "note".to_owned(),
            kind: SourceKind::Note,
            what: Untrusted::from_bytes(name.as_encoded_bytes()),
            every: None,
        });
    }
    out
}

fn database_card(db: &DatabaseConfig) -> SourceCard {
    SourceCard {
        name: db.name.clone(),
        kind: SourceKind::Database,
        what: "PostgreSQL".into(),
        every: Some(db.interval),
    }
}

fn prometheus_card(server: &PrometheusConfig) -> SourceCard {
    let what = if server.server == Server::Aom { "AOM" } else { "Prometheus" };
    let what = format!("{what}, {} queries", server.queries.len());
    SourceCard { name: server.name.clone(), kind: SourceKind::Metrics, what: what.into(), every: Some(server.interval) }
}

fn scrape_card(service: &ScrapeConfig) -> SourceCard {
    let what = match service.pods.len() {
        1 => format!("{}, 1 pod", service.service),
        n => format!("{}, {n} pods", service.service),
    };
    SourceCard {
        name: service.name.clone(),
        kind: SourceKind::Metrics,
        what: what.into(),
        every: Some(service.interval),
    }
}

fn log_card(logs: &LogConfig) -> SourceCard {
    let what = match logs.paths.as_slice() {
        [one] => one.display().to_string(),
        many => format!("{} patterns of files", many.len()),
    };
    SourceCard { name: logs.name.clone(), kind: SourceKind::Logs, what: what.into(), every: None }
}

/// A log tool; a server without one is no source.
fn tool_card(mcp: &McpConfig) -> Option<SourceCard> {
    let search = mcp.search.as_ref()?;
    let place = match &mcp.door {
        Door::Stdio { command, .. } => command.first().map_or_else(String::new, Clone::clone),
        Door::Http { url, .. } => url.clone(),
    };
    let what = format!("{} at {place}", search.tool);
    Some(SourceCard { name: mcp.name.clone(), kind: SourceKind::Logs, what: what.into(), every: Some(mcp.interval) })
}

/// An engine that keeps lines.
fn server_card(server: &LogServerConfig) -> SourceCard {
    let what = format!("{} {}", server.kind.name(), server.kind.place());
    SourceCard { name: server.name.clone(), kind: SourceKind::Logs, what: what.into(), every: Some(server.interval) }
}

/// The metrics of a cloud account, and what happened there.
fn cloud_cards(huawei: &HuaweiConfig) -> Vec<SourceCard> {
    let wanted = &huawei.metrics;
    let card = |name: String, what: String, every| SourceCard {
        name,
        kind: SourceKind::Metrics,
        what: what.into(),
        every: Some(every),
    };
    let mut out = Vec::new();
    if !wanted.targets.is_empty() {
        let what = format!("{} metrics of {} resources", wanted.targets.len(), wanted.instances());
        out.push(card(huawei.name.clone(), what, huawei.interval));
    }
    if wanted.marks() {
        let kinds = [(wanted.alarms, "alarms"), (wanted.events, "events"), (wanted.traces, "changes")];
        let kinds: Vec<&str> = kinds.iter().filter(|(on, _)| *on).map(|(_, k)| *k).collect();
        out.push(card(huawei.marks_name(), kinds.join(", "), cloud_metrics::MARKS_EVERY));
    }
    out
}

fn roles(config: &Config) -> String {
    let mut names: Vec<&str> = config.queries.iter().map(|q| q.role.name()).collect();
    names.dedup();
    names.join(", ")
}
