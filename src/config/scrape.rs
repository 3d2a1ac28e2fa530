//! `[[scrape]]`: a Go service's own `/metrics` and `/debug/vars`, one or several pods, and what of it counts.

use crate::config::measure::{ACROSS, Across, Match, Measure, Pick, Recipe};
use crate::config::preset::{PRESETS, Preset};
use crate::config::prometheus::{Auth, auth, checked, measure_name, shape, unlike};
use crate::config::section::Section;
use crate::config::words::UNITS;
use crate::model::Lapse;
use crate::model::series::{Rollup, Unit};

/// `[[scrape]]`
#[derive(Clone, Debug)]
pub struct ScrapeConfig {
    /// Name on the dot, and in front of every series.
    pub name: String,
    /// The service, in words.
    pub service: String,
    /// Its pods.
    pub pods: Vec<Pod>,
    /// How often they are asked.
    pub interval: Lapse,
    /// How long one pod's answer may take.
    pub timeout: Lapse,
    /// A pod that has not answered for this long is counted as gone: totals then come without it.
    pub gone_after: Lapse,
    /// How we show who we are.
    pub auth: Auth,
    /// Libraries whose metrics are known.
    pub presets: Vec<Preset>,
    /// What is measured: of the presets, and `[[scrape.metric]]`, which replaces a preset's of the same name.
    pub measures: Vec<Measure>,
}

/// One process, with what it answers on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Short name for words: the host, with its port where that tells pods apart.
    pub name: String,
    /// Prometheus text.
    pub metrics: Option<String>,
    /// `expvar` JSON.
    pub vars: Option<String>,
}

/// Pods of one service; beyond, a server that collects them is the better place to ask.
const MOST_PODS: usize = 200;

/// Reads one `[[scrape]]`.
pub fn scrape(s: &Section<'_>) -> Option<ScrapeConfig> {
    let name = s.needed("name", "it stands beside the service's dot and in front of its series");
    let targets = urls(s, "targets", "/metrics");
    let vars = urls(s, "vars", "/debug/vars");
    let pods = pods(&targets, &vars);
    if targets.is_empty() && vars.is_empty() {
        s.problem(
            "targets",
            "is missing or empty: name the pods, like [\"mrg-api-1:8080\"], or their /debug/vars in vars",
        );
    }
    if pods.len() > MOST_PODS {
        s.problem(
            "targets",
            format!("has {} pods: at most {MOST_PODS}; ask a [[prometheus]] server instead", pods.len()),
        );
    }
    let presets = presets(s);
    let own: Vec<Measure> = s.sections("metric").iter().filter_map(metric).collect();
    unlike(s, "metric", own.iter().map(|m| m.name.as_str()));
    let interval = s.lapse("interval", Lapse::seconds(15), Lapse::seconds(1));
    let out = ScrapeConfig {
        service: s.text("service").or_else(|| name.clone()).unwrap_or_default(),
        name: name.clone().unwrap_or_default(),
        pods,
        interval,
        timeout: s.lapse("timeout", Lapse::seconds(3), Lapse::millis(100)),
        gone_after: s.lapse("gone_after", Lapse::minutes(10), Lapse::seconds(1)),
        auth: auth(s),
        measures: measures(&presets, own),
        presets,
    };
    s.finish();
    name.filter(|_| !out.pods.is_empty()).map(|_| out)
}

/// `host:port` and URLs; the path is added where there is none.
fn urls(s: &Section<'_>, key: &str, path: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for text in s.texts(key).unwrap_or_default() {
        let whole = if text.contains("://") { text.clone() } else { format!("http://{text}") };
        match checked(&whole) {
            Ok(url) => {
                let bare = url.split_once("://").is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'));
                let url = if bare { format!("{}{path}", url.trim_end_matches('/')) } else { url };
                if out.contains(&url) {
                    s.problem(key, format!("names {} twice: it would be counted twice", host(&url)));
                }
                out.push(url);
            }
            Err(says) => s.problem(key, format!("has an entry that {says}, or just host:port")),
        }
    }
    out
}

/// `host:port` of a URL.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default()
}

/// `host` without its port; an IPv6 address keeps its brackets.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The same process behind both lists is one pod: its heap must not be counted twice. Where every host has
/// one port in each list the host is the pod, so 9090 for metrics and 6060 for debugging go together.
fn pods(targets: &[String], vars: &[String]) -> Vec<Pod> {
    let unique =
        |list: &[String]| list.iter().all(|u| list.iter().filter(|o| bare(host(o)) == bare(host(u))).count() == 1);
    let by_host = unique(targets) && unique(vars);
    let name = |url: &str| if by_host { bare(host(url)) } else { host(url) }.to_owned();
    let mut out: Vec<Pod> =
        targets.iter().map(|url| Pod { name: name(url), metrics: Some(url.clone()), vars: None }).collect();
    for url in vars {
        let name = name(url);
        match out.iter_mut().find(|p| p.name == name && p.vars.is_none()) {
            Some(pod) => pod.vars = Some(url.clone()),
            None => out.push(Pod { name, metrics: None, vars: Some(url.clone()) }),
        }
    }
    out
}

fn presets(s: &Section<'_>) -> Vec<Preset> {
    let Some(words) = s.texts("presets") else { return vec![Preset::Go] };
    let mut out = Vec::new();
    for word in words {
        match PRESETS.iter().find(|(w, _)| *w == word) {
            Some((_, preset)) if !out.contains(preset) => out.push(*preset),
            Some(_) => {}
            None => {
                let all: Vec<&str> = PRESETS.iter().map(|(w, _)| *w).collect();
                s.problem("presets", format!("\"{word}\" is no preset; there are: {}", all.join(", ")));
            }
        }
    }
    out
}

/// Those of the presets, the recipes of equal names put together, and the operator's own in their place.
fn measures(presets: &[Preset], own: Vec<Measure>) -> Vec<Measure> {
    let mut out: Vec<Measure> = Vec::new();
    for measure in presets.iter().flat_map(|p| p.measures()) {
        match out.iter_mut().find(|m| m.name == measure.name) {
            Some(there) => there.recipes.extend(measure.recipes),
            None => out.push(measure),
        }
    }
    for measure in own {
        match out.iter_mut().find(|m| m.name == measure.name) {
            Some(there) => *there = measure,
            None => out.push(measure),
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Gauge,
    Counter,
    Count,
    Histogram,
}

/// `[[scrape.metric]]`
fn metric(s: &Section<'_>) -> Option<Measure> {
    let name = measure_name(s);
    let metric = s.needed("metric", "its name on the endpoint; in /debug/vars the path, like memstats.HeapAlloc");
    let labels = s.words("labels", |t| Ok(Match::parse(t)));
    let kinds =
        [("gauge", Kind::Gauge), ("counter", Kind::Counter), ("count", Kind::Count), ("histogram", Kind::Histogram)];
    let kind = s.choice("kind", &kinds).unwrap_or(Kind::Gauge);
    let per = s.text("per");
    let times = s.positive("times", 1.0);
    let quantile = s.number("quantile");
    let equals = s.number("equals");
    if quantile.is_some_and(|q| !(0.0..=1.0).contains(&q)) {
        s.problem("quantile", "is a number from 0 to 1, like 0.95");
    }
    for (key, there, needs) in
        [("quantile", quantile.is_some(), Kind::Histogram), ("equals", equals.is_some(), Kind::Gauge)]
    {
        if there && kind != needs {
            s.problem(key, "does not go with this kind: quantile needs histogram, equals needs gauge");
        }
    }
    if matches!(kind, Kind::Histogram | Kind::Count) && per.is_some() {
        s.problem("per", "does not go with this kind: use gauge or counter");
    }
    let of = Pick { metric: metric.clone().unwrap_or_default(), labels: labels.clone() };
    let recipe = match (kind, per, equals) {
        (Kind::Histogram, ..) => Recipe::Quantile(quantile.unwrap_or(0.95).clamp(0.0, 1.0), of, times),
        (Kind::Gauge, _, Some(n)) => Recipe::Equals(of, n),
        (Kind::Gauge, Some(per), None) => Recipe::Part { of, per: Pick::of(&per), times },
        (Kind::Gauge, None, None) => Recipe::Gauge(of, times),
        (Kind::Counter, Some(per), _) => Recipe::Share { of, per: Pick::of(&per), times },
        (Kind::Counter, None, _) => Recipe::Rate(of, times),
        (Kind::Count, ..) => Recipe::Count(of),
    };
    let rollup = if kind == Kind::Count { Rollup::SumPerMinute } else { Rollup::Max };
    let usual_unit = match recipe {
        Recipe::Rate(..) => Unit::PerSecond,
        Recipe::Count(..) => Unit::PerMinute,
        Recipe::Quantile(..) => Unit::Seconds,
        _ => Unit::Count,
    };
    let usual_across = match recipe {
        Recipe::Gauge(..) | Recipe::Rate(..) | Recipe::Count(..) => Across::Sum,
        Recipe::Equals(..) => Across::Max,
        _ => Across::Mean,
    };
    let out = Measure {
        name: name.clone().unwrap_or_default(),
        unit: s.choice("unit", &UNITS).unwrap_or(usual_unit),
        recipes: vec![recipe],
        across: s.choice("across", &ACROSS).unwrap_or(usual_across),
        lane: shape(s, name.as_deref().unwrap_or_default(), "application", rollup),
    };
    s.finish();
    name.and(metric).map(|_| out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(list: &[&str]) -> Vec<String> {
        list.iter().map(|u| (*u).to_owned()).collect()
    }

    #[test]
    fn metrics_and_debug_ports_of_one_host_are_one_pod() {
        let pods =
            pods(&urls(&["http://a:8080/metrics", "http://b:8080/metrics"]), &urls(&["http://a:6060/debug/vars"]));
        let told: Vec<_> = pods.iter().map(|p| (p.name.as_str(), p.metrics.is_some(), p.vars.is_some())).collect();
        assert_eq!(told, [("a", true, true), ("b", true, false)]);
    }

    #[test]
    fn several_pods_on_one_host_are_told_apart_by_their_ports() {
        let both = urls(&["http://[::1]:8080/metrics", "http://[::1]:8081/metrics"]);
        let vars = urls(&["http://[::1]:8081/debug/vars"]);
        let pods = pods(&both, &vars);
        let told: Vec<_> = pods.iter().map(|p| (p.name.as_str(), p.vars.is_some())).collect();
        assert_eq!(told, [("[::1]:8080", false), ("[::1]:8081", true)]);
    }
}
