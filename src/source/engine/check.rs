//! What `warroom check` says of a `[[log_server]]`: one page of its last minutes, and each of its counts once.
//!
//! May not know: how the lines are shown.

use crate::config::Config;
use crate::config::log_server::{Kind, LogServerConfig};
use crate::model::health::Cost;
use crate::model::{Lapse, Span};
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::clock::Clock;
use crate::source::engine::past::floor;
use crate::source::engine::{Ask, LogEngine, No, api, elastic, loki, lts};
use crate::source::huawei::Client;
use crate::source::runner::Condition;

/// Lines looked at.
const LOOKED_AT: u32 = 20;
/// How far back.
const BACK: Lapse = Lapse::minutes(15);

/// Asks every engine once, all at the same time.
pub async fn check(config: &Config, cloud: Option<&Client>) -> Vec<CheckLine> {
    let clock = Clock::wall();
    let all = config.log_servers.iter().map(|server| one(server, cloud, &clock));
    futures_util::future::join_all(all).await.into_iter().flatten().collect()
}

/// Asks one.
pub async fn one(server: &LogServerConfig, cloud: Option<&Client>, clock: &Clock) -> Vec<CheckLine> {
    match &server.kind {
        Kind::Lts { .. } => with(server, lts::Lts::new(server, cloud), clock).await,
        Kind::Loki { .. } => {
            let made = loki::Loki::new(server, clock);
            let index = match &made {
                Ok(loki) => index(server, loki, clock).await,
                Err(_) => None,
            };
            let mut out = with(server, made, clock).await;
            out.extend(index);
            out
        }
        Kind::Elastic { .. } => with(server, elastic::Elastic::new(server, clock), clock).await,
        Kind::Http { .. } => with(server, api::Api::new(server, clock), clock).await,
    }
}

fn not(server: &LogServerConfig, what: &str, condition: &Condition) -> CheckLine {
    CheckLine::not(&server.name, what, Works::No, condition.says.raw(), condition.remedy.raw())
}

async fn with<E: LogEngine>(server: &LogServerConfig, engine: Result<E, Condition>, clock: &Clock) -> Vec<CheckLine> {
    let engine = match engine {
        Ok(engine) => engine,
        Err(condition) => return vec![not(server, "setup", &condition)],
    };
    let (now, mut cost, mut out) = (clock.now(), Cost::default(), Vec::new());
    let ask = Ask { span: Span::new(now - BACK, now), cursor: None, limit: LOOKED_AT, near: now };
    match engine.lines(&ask, &mut cost).await {
        Ok(page) if page.lines.is_empty() && page.undated > 0 => {
            let says = format!("answers, but none of {} rows has a time that is understood", page.undated);
            out.push(CheckLine::not(&server.name, "lines", Works::Partly, says, "Set ts in [log_server.result]."));
        }
        Ok(page) if page.lines.is_empty() => {
            let says = format!("{} answers; it has no line of the last 15 minutes", engine.name());
            let remedy = "If there should be some, correct query, or index, stream, tenant.";
            out.push(CheckLine::not(&server.name, "lines", Works::Partly, says, remedy));
        }
        Ok(page) => {
            let more = if page.next.is_some() { " and more" } else { "" };
            let says = format!("{} answers; {} lines{more} of the last 15 minutes", engine.name(), page.lines.len());
            out.push(CheckLine::yes(&server.name, "lines", says));
        }
        Err(no) => {
            out.push(not(server, "lines", &no.condition()));
            // Who cannot be reached is not asked again.
            if matches!(no, No::Server(..)) {
                return out;
            }
        }
    }
    if !engine.counts_itself() {
        out.push(CheckLine::yes(
            &server.name,
            "counts",
            "counted from fetched lines: it has no [log_server.histogram]",
        ));
        return out;
    }
    let span = Span::new(floor(now) - BACK, floor(now));
    for counter in &server.counters {
        let what = format!("count {}", counter.name);
        match engine.counts(counter, span, &mut cost).await {
            Ok(counts) => {
                let n: u64 = counts.windows.iter().map(|(_, n)| n).sum();
                let says = format!("{n} lines in 15 minutes, {} ({})", counts.how.words(), counts.by);
                out.push(CheckLine::yes(&server.name, what, says));
            }
            Err(no) => out.push(not(server, &what, &no.condition())),
        }
    }
    out
}

/// What Loki's index says: an estimate, by the chunks that overlap.
async fn index(server: &LogServerConfig, loki: &loki::Loki, clock: &Clock) -> Option<CheckLine> {
    let (now, mut cost) = (clock.now(), Cost::default());
    let entries = loki.about(Span::new(now - Lapse::hours(1), now), &mut cost).await.ok()?;
    let says = format!("about {entries} lines an hour by its index, filters aside (an estimate)");
    Some(CheckLine::yes(&server.name, "index", says))
}
