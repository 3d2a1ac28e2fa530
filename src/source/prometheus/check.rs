//! What `warroom check` says of servers and scraped services: each reached once, what answers, which metrics
//! of the presets are there, which are missing, and what to write instead.

use crate::config::measure::Measure;
use crate::config::preset::{PRESETS, Preset};
use crate::config::{Config, PrometheusConfig, ScrapeConfig};
use crate::model::health::Cost;
use crate::model::{Lapse, Span, Stamp};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::clock::Clock;
use crate::source::huawei::Client;
use crate::source::huawei::plan::aligned;
use crate::source::prometheus::door::{Door, No};
use crate::source::prometheus::growth::{Look, Made, make};
use crate::source::prometheus::http::Http;
use crate::source::prometheus::matrix::Members;
use crate::source::prometheus::pod::{self, MOST, Refusal, Spent};
use crate::source::prometheus::reading::Wanted;
use crate::source::prometheus::scrape::AT_ONCE;
use crate::source::runner::Condition;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use std::sync::Arc;

/// How much of a query's past is looked at.
const LOOK: Lapse = Lapse::minutes(10);
/// Pods named in a line.
const NAMED: usize = 3;

/// Reaches every server and every service once, all at the same time. `cloud` is the client of `[huawei]`.
pub async fn check(config: &Config, cloud: Option<&Client>) -> Vec<CheckLine> {
    let servers = join_all(config.prometheus.iter().map(|p| server(p, cloud))).await;
    let services = join_all(config.scrapes.iter().map(service)).await;
    servers.into_iter().chain(services).flatten().collect()
}

async fn server(config: &PrometheusConfig, cloud: Option<&Client>) -> Vec<CheckLine> {
    let clock = Clock::wall();
    let no = |what: &str, c: Condition| CheckLine::not(&config.name, what, Works::No, c.says, c.remedy);
    let door = match Door::new(config, cloud, &clock) {
        Ok(door) => door,
        Err(condition) => return vec![no("connection", condition)],
    };
    let now = clock.now();
    let span = aligned(Span::new(now - LOOK - config.lag, now), config.step);
    let mut out = Vec::new();
    for (i, query) in config.queries.iter().enumerate() {
        let what = format!("query {}", query.name);
        let mut cost = Cost::default();
        match door.ask(&config.name, &query.promql, span, config.step, &mut cost).await {
            Ok(answer) => {
                let series = format!("{}.{}", config.name, query.name).into();
                let taken = answer.take(query, &series, span, now, &mut Members::default());
                let newest = taken.points.values().filter_map(|p| p.last_key_value().map(|(at, _)| *at)).max();
                out.push(match (taken.odd, newest) {
                    (Some(odd), _) => {
                        let remedy = "Correct promql or split in its [[prometheus.query]].";
                        CheckLine::not(&config.name, what, Works::Partly, odd, remedy)
                    }
                    (None, None) => {
                        let says = format!("answers, but has no data in the last {} min", LOOK.whole_seconds() / 60);
                        let remedy = "See whether the names and labels in promql exist there; a metric that is not exported gives no error.";
                        CheckLine::not(&config.name, what, Works::Partly, says, remedy)
                    }
                    (None, Some(at)) => {
                        CheckLine::yes(&config.name, what, format!("{}, newest point {}", many(taken.points.len()), age(now, at)))
                    }
                });
            }
            Err(No::Server(condition, _) | No::Slow(condition)) if i == 0 => {
                out.push(no("connection", condition));
                let skipped = |q: &crate::config::prometheus::PromQuery| {
                    let says = "not tried: the server did not answer the first question";
                    CheckLine::not(&config.name, format!("query {}", q.name), Works::No, says, "")
                };
                out.extend(config.queries.iter().map(skipped));
                return out;
            }
            Err(No::Server(c, _) | No::Slow(c)) => out.push(no(&what, c)),
            Err(No::Question(says)) => {
                let remedy = "Correct promql in its [[prometheus.query]]: the server says what is wrong with it.";
                out.push(CheckLine::not(&config.name, what, Works::No, says, remedy));
            }
            Err(No::Amount(says) | No::Moment(says)) => {
                let remedy = "Ask for less: fewer series, a longer step; or raise timeout.";
                out.push(CheckLine::not(&config.name, what, Works::No, says, remedy));
            }
        }
    }
    out
}

fn many(series: usize) -> String {
    if series == 1 { "1 series".to_owned() } else { format!("{series} series") }
}

fn age(now: Stamp, at: Stamp) -> String {
    match now.since(at).whole_seconds() {
        s if s < 120 => format!("{} s ago", s.max(0)),
        s => format!("{} min ago", s / 60),
    }
}

/// One look at every pod; then what the pods that answer have.
async fn service(config: &ScrapeConfig) -> Vec<CheckLine> {
    let clock = Clock::wall();
    let http = match Http::new(&config.auth, config.timeout, MOST, true, clock.clone()) {
        Ok(http) => http,
        Err(fault) => return vec![CheckLine::not(&config.name, "pods", Works::No, fault.says(), fault.remedy())],
    };
    let all: Vec<Measure> = PRESETS.iter().flat_map(|(_, p)| p.measures()).chain(config.measures.clone()).collect();
    let wanted = Arc::new(Wanted::by(&all));
    let (http, wanted, clock) = (&http, &wanted, &clock);
    let asks = config.pods.iter().map(|pod| async move {
        let now = clock.now();
        let answer = pod::ask(http, pod, wanted, now, &mut Spent::default()).await;
        answer.map(|(reading, skew)| Look { at: now, skew, reading }).map_err(|refusal| (pod.name.clone(), refusal))
    });
    let answers: Vec<Result<Look, (String, Refusal)>> = stream::iter(asks).buffered(AT_ONCE).collect().await;
    let (looks, refusals): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let looks: Vec<Look> = looks.into_iter().filter_map(Result::ok).collect();
    let refusals: Vec<(String, Refusal)> = refusals.into_iter().filter_map(Result::err).collect();
    let mut out = vec![pods(config, &looks, &refusals)];
    if !looks.is_empty() {
        out.extend(config.presets.iter().map(|p| preset(config, *p, &looks)));
        out.extend(own(config, &looks));
        out.extend(others(config, &looks));
    }
    out
}

fn pods(config: &ScrapeConfig, looks: &[Look], refusals: &[(String, Refusal)]) -> CheckLine {
    let samples: usize = looks.iter().map(|l| l.reading.report.samples).sum();
    let there = format!("{} of {} pods answer with {samples} samples", looks.len(), config.pods.len());
    let Some((_, first)) = refusals.first() else {
        let broken = looks.iter().find_map(|l| l.reading.report.first_broken);
        return match broken {
            None => CheckLine::yes(&config.name, "pods", there),
            Some((line, why)) => {
                let says = format!("{there}; line {line} cannot be read: {why}");
                CheckLine::not(
                    &config.name,
                    "pods",
                    Works::Partly,
                    says,
                    "Mend what writes that line; the rest is read.",
                )
            }
        };
    };
    let named: Vec<String> = refusals.iter().take(NAMED).map(|(pod, r)| format!("{pod}: {}", r.says)).collect();
    let more = refusals.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let works = if looks.is_empty() { Works::No } else { Works::Partly };
    CheckLine::not(&config.name, "pods", works, format!("{there}; {}{more}", named.join(", ")), first.remedy.clone())
}

/// Whether any pod has what a measure is made from.
fn has(measure: &Measure, looks: &[Look]) -> bool {
    looks.iter().any(|look| measure.recipes.iter().any(|r| make(r, look, None) != Made::Absent))
}

fn preset(config: &ScrapeConfig, preset: Preset, looks: &[Look]) -> CheckLine {
    let what = format!("preset {}", preset.word());
    let (found, missing): (Vec<Measure>, Vec<Measure>) = preset.measures().into_iter().partition(|m| has(m, looks));
    let names = |m: &[Measure]| m.iter().map(|m| m.name.clone()).collect::<Vec<_>>().join(", ");
    if missing.is_empty() {
        return CheckLine::yes(&config.name, what, format!("found: {}", names(&found)));
    }
    if found.is_empty() {
        let says = format!("none of its metrics is there: {}", names(&missing));
        let remedy = format!(
            "Take {} out of presets, export the metrics, or name yours in [[scrape.metric]]; looked for: {}",
            preset.word(),
            looked_for(&missing)
        );
        return CheckLine::not(&config.name, what, Works::No, says, remedy);
    }
    let says = format!("found: {}; missing: {}", names(&found), names(&missing));
    let remedy = format!("Export them, or name yours in [[scrape.metric]]; looked for: {}", looked_for(&missing));
    CheckLine::not(&config.name, what, Works::Partly, says, remedy)
}

/// The first metrics that each measure is made from.
fn looked_for(missing: &[Measure]) -> String {
    let first = |m: &Measure| {
        let recipe = m.recipes.first()?;
        Some(recipe.picks().iter().map(|p| p.says()).collect::<Vec<_>>().join(" and "))
    };
    missing.iter().filter_map(first).collect::<Vec<_>>().join("; ")
}

/// `[[scrape.metric]]` of which nothing is there.
fn own(config: &ScrapeConfig, looks: &[Look]) -> Vec<CheckLine> {
    let preset: Vec<Measure> = config.presets.iter().flat_map(|p| p.measures()).collect();
    let is_own = |m: &&Measure| !preset.iter().any(|p| p.name == m.name && m.recipes.starts_with(&p.recipes));
    let line = |m: &Measure| {
        let what = format!("metric {}", m.name);
        if has(m, looks) {
            return CheckLine::yes(
                &config.name,
                what,
                m.recipes.first().map(crate::config::measure::Recipe::says).unwrap_or_default(),
            );
        }
        let says = format!("not there: {}", looked_for(std::slice::from_ref(m)));
        CheckLine::not(&config.name, what, Works::No, says, "Correct metric, per or labels in its [[scrape.metric]].")
    };
    config.measures.iter().filter(is_own).map(line).collect()
}

/// Presets that would fit and are not configured.
fn others(config: &ScrapeConfig, looks: &[Look]) -> Option<CheckLine> {
    let fits = |(_, p): &&(&str, Preset)| {
        !config.presets.contains(p) && p.measures().iter().any(|m| has(m, looks)) && *p != Preset::Process
    };
    let words: Vec<&str> = PRESETS.iter().filter(fits).map(|(word, _)| *word).collect();
    if words.is_empty() {
        return None;
    }
    let all: Vec<String> =
        config.presets.iter().map(|p| p.word()).chain(words.iter().copied()).map(|w| format!("\"{w}\"")).collect();
    let says = format!("more is there than is looked at: {}", words.join(", "));
    let remedy = format!("Write presets = [{}] in its [[scrape]].", all.join(", "));
    Some(CheckLine::not(&config.name, "presets", Works::Partly, says, remedy))
}
