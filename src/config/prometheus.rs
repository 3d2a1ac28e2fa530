//! `[[prometheus]]`: servers that answer PromQL range queries, and what is asked of them.
//!
//! Also what such a server and a scraped endpoint have in common: how we show who we are, and what a URL
//! may be. May not know: HTTP.

use crate::config::Secret;
use crate::config::measure::{ACROSS, Across, Shape};
use crate::config::section::Section;
use crate::config::words::{BAD, ROLLUPS, UNITS};
use crate::model::Lapse;
use crate::model::series::{Bad, Rollup, Unit};
use std::collections::BTreeSet;

/// `[[prometheus]]`
#[derive(Clone, Debug)]
pub struct PrometheusConfig {
    /// Name on the dot, and in front of every series.
    pub name: String,
    /// Where it is.
    pub server: Server,
    /// How we show who we are.
    pub auth: Auth,
    /// How often it is asked.
    pub interval: Lapse,
    /// Distance of the points asked for.
    pub step: Lapse,
    /// How long one answer may take.
    pub timeout: Lapse,
    /// How late its newest points are by nature.
    pub lag: Lapse,
    /// What is asked.
    pub queries: Vec<PromQuery>,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// Here; `/api/v1/query_range` is added.
    Url(String),
    /// AOM of Huawei Cloud, through `[huawei]`.
    Aom,
}

/// How we show who we are. Never shown itself.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// `Authorization: Bearer …`
    pub bearer: Option<Secret>,
    /// `Authorization: Basic …`: user and password.
    pub basic: Option<(String, Secret)>,
    /// `Authorization: ApiKey …`
    pub api_key: Option<Secret>,
    /// Further headers, such as a tenant.
    pub headers: Vec<(String, Secret)>,
}

impl Auth {
    /// Whether a token or a password stands in the configuration itself. Headers rarely are secrets.
    pub fn is_plain(&self) -> bool {
        let plain = |secret: &Option<Secret>| secret.as_ref().is_some_and(Secret::is_plain);
        plain(&self.bearer) || plain(&self.api_key) || self.basic.as_ref().is_some_and(|(_, p)| p.is_plain())
    }
}

/// `[[prometheus.query]]`
#[derive(Clone, Debug, PartialEq)]
pub struct PromQuery {
    /// What stands behind the dot.
    pub name: String,
    /// The expression.
    pub promql: String,
    /// Unit of its values.
    pub unit: Unit,
    /// One series for each value of a label.
    pub split: Option<Split>,
    /// The row it gets; none for `lane = ""`.
    pub lane: Option<Shape>,
}

/// One series for each value of a label, beside the one of them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The label.
    pub by: String,
    /// At most so many series; the rest is counted in words.
    pub most: u32,
    /// How all of them become the one series that the lane draws.
    pub across: Across,
}

/// Values of a label that become series, unless told otherwise, and at most.
const SPLIT: (u32, u32) = (10, 50);

/// Reads one `[[prometheus]]`.
pub fn prometheus(s: &Section<'_>) -> Option<PrometheusConfig> {
    let name = s.needed("name", "it stands beside the server's dot and in front of its series");
    let server = server(s);
    let auth = auth(s);
    if server == Some(Server::Aom) && (auth.bearer.is_some() || auth.basic.is_some() || !auth.headers.is_empty()) {
        s.problem("aom", "goes with the keys of [huawei]: take bearer, user and headers out");
    }
    let second = Lapse::seconds(1);
    let queries: Vec<PromQuery> = s.sections("query").iter().filter_map(query).collect();
    if queries.is_empty() {
        s.problem("query", "is missing: a server is asked nothing without a [[prometheus.query]]");
    }
    unlike(s, "query", queries.iter().map(|q| q.name.as_str()));
    let out = PrometheusConfig {
        name: name.clone().unwrap_or_default(),
        server: server.clone().unwrap_or(Server::Aom),
        auth,
        interval: s.lapse("interval", Lapse::seconds(30), Lapse::seconds(5)),
        step: s.lapse("step", Lapse::seconds(30), second),
        timeout: s.lapse("timeout", Lapse::seconds(10), second),
        lag: s.lapse("lag", Lapse::seconds(60), Lapse::ZERO),
        queries,
    };
    s.finish();
    name.and(server).map(|_| out)
}

fn server(s: &Section<'_>) -> Option<Server> {
    let (url, aom) = (s.text("url"), s.switch("aom", false));
    match (url, aom) {
        (Some(_), true) => {
            s.problem("aom", "and url are two servers: write one [[prometheus]] for each");
            None
        }
        (None, true) => Some(Server::Aom),
        (None, false) => {
            s.problem("url", "is missing: http://prometheus:9090, or aom = true for AOM of [huawei]");
            None
        }
        (Some(url), false) => match base(&url) {
            Ok(url) => Some(Server::Url(url)),
            Err(says) => {
                s.problem("url", says);
                None
            }
        },
    }
}

/// A server's URL without what we add ourselves.
fn base(url: &str) -> Result<String, String> {
    let url = checked(url)?;
    if url.contains('?') {
        return Err("has a query in it: warroom adds that itself".to_owned());
    }
    let url = url.trim_end_matches('/');
    Ok(url.strip_suffix("/api/v1/query_range").or_else(|| url.strip_suffix("/api/v1")).unwrap_or(url).to_owned())
}

/// A URL we can ask: its scheme, a host, and no password for all to see. The problem quotes no URL.
pub(super) fn checked(url: &str) -> Result<String, String> {
    let url = url.trim();
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or("is no URL we can ask: write http://host:port or https://host:port")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("has a user or password in it: write user and password, or bearer, beside it".to_owned());
    }
    if host.is_empty() || host.starts_with(':') {
        return Err("has no host: write http://host:port".to_owned());
    }
    if rest.contains('#') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("has a blank or a # in it: write http://host:port/path".to_owned());
    }
    Ok(url.to_owned())
}

/// Reads the keys that say who we are.
pub(super) fn auth(s: &Section<'_>) -> Auth {
    let folder = s.page().folder();
    let secret = |key: &str| s.text(key).map(|t| Secret::parse(&t, folder));
    let (bearer, user, password) = (secret("bearer"), s.text("user"), secret("password"));
    if bearer.is_some() && (user.is_some() || password.is_some()) {
        s.problem("bearer", "and user are two ways to say who we are: keep one");
    }
    let basic = match (user, password) {
        (Some(user), Some(_)) if user.contains(':') => {
            s.problem("user", "has a colon in it, which ends a user's name on the wire: take it out");
            None
        }
        (Some(user), Some(password)) => Some((user, password)),
        (Some(_), None) => {
            s.problem("password", "is missing: user needs one; \"\" when there is none");
            None
        }
        (None, Some(_)) => {
            s.problem("user", "is missing: password needs one");
            None
        }
        (None, None) => None,
    };
    let headers = s.words("headers", |t| Ok(Secret::parse(t, folder)));
    for (name, _) in &headers {
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') || name.is_empty() {
            s.problem("headers", "has a name that is no HTTP header: letters, digits and -");
        }
    }
    Auth { bearer, basic, api_key: None, headers }
}

fn query(s: &Section<'_>) -> Option<PromQuery> {
    let name = measure_name(s);
    let promql = s.needed("promql", "the expression, like sum(rate(http_requests_total[1m]))");
    let split = split(s);
    let out = PromQuery {
        name: name.clone().unwrap_or_default(),
        promql: promql.clone().unwrap_or_default(),
        unit: s.choice("unit", &UNITS).unwrap_or(Unit::Count),
        split,
        lane: shape(s, name.as_deref().unwrap_or_default(), "application", Rollup::Max),
    };
    s.finish();
    name.and(promql).map(|_| out)
}

fn split(s: &Section<'_>) -> Option<Split> {
    let by = s.text("split");
    let most = s.whole("split_most", SPLIT.0, 1..=SPLIT.1);
    let across = s.choice("across", &ACROSS).unwrap_or(Across::Max);
    by.map(|by| Split { by, most, across })
}

/// The keys of a row: `lane`, `group`, `rollup`, `bad`, `ceiling`, `broken_at`, `trigger`.
pub(super) fn shape(s: &Section<'_>, name: &str, group: &str, rollup: Rollup) -> Option<Shape> {
    let lane = s.text("lane").unwrap_or_else(|| name.replace('_', " ").chars().take(15).collect());
    if lane.chars().count() > 15 {
        s.problem("lane", format!("\"{lane}\" is longer than the 15 letters there is room for"));
    }
    let trigger = s.switch("trigger", false);
    // What drives the rest is traffic.
    let group = if trigger { "traffic" } else { group };
    let shape = Shape {
        group: s.text("group").unwrap_or_else(|| group.to_owned()),
        name: lane,
        rollup: s.choice("rollup", &ROLLUPS).unwrap_or(rollup),
        bad: s.choice("bad", &BAD).unwrap_or(Bad::High),
        ceiling: s.number("ceiling"),
        broken_at: s.number("broken_at"),
        trigger,
    };
    (!shape.name.is_empty()).then_some(shape)
}

/// What stands behind the dot: letters, digits and `_`, so that a series' name is one word.
pub(super) fn measure_name(s: &Section<'_>) -> Option<String> {
    let name = s.needed("name", "it stands behind the dot of the series, like errors")?;
    if name.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '_')) {
        s.problem("name", format!("\"{name}\" is no name of a measure: letters, digits and _"));
        return None;
    }
    Some(name)
}

/// No two alike.
pub(super) fn unlike<'n>(s: &Section<'_>, key: &str, names: impl Iterator<Item = &'n str>) {
    let mut seen = BTreeSet::new();
    for name in names.filter(|n| !n.is_empty()) {
        if !seen.insert(name) {
            s.problem(key, format!("two are named \"{name}\": every series has a name of its own"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_as_a_url_becomes_the_server() {
        for (pasted, server) in [
            ("http://prom:9090", "http://prom:9090"),
            ("https://thanos.internal/", "https://thanos.internal"),
            ("http://vm:8481/select/0/prometheus/api/v1/query_range", "http://vm:8481/select/0/prometheus"),
        ] {
            assert_eq!(base(pasted).as_deref(), Ok(server));
        }
        for (wrong, hint) in [
            ("prom:9090", "http://"),
            ("http://:9090", "no host"),
            ("http://w:hunter2@prom", "bearer"),
            ("http://prom/?a=b", "query"),
            ("http://pr om", "blank"),
        ] {
            let says = base(wrong).unwrap_err();
            assert!(says.contains(hint) && !says.contains("hunter2"), "{wrong}: {says}");
        }
    }
}
