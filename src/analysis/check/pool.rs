//! Connection pool exhaustion (H1): how full, how long the wait, whether the limits can work at all, and
//! whether the stuck orders themselves say so.

use super::answer::{Answer, verdict};
use super::cause::born_within;
use super::lines::Says;
use super::scene::{Curve, POOL, POOL_LANE, Scene};
use super::words::{count, lapse, number, percent, seconds, share};
use crate::model::note::Verdict;
use crate::model::{Lapse, Span};

const MISSING: &str = "no pool metric: add a [[lane]] whose series ends in .pool_in_use (percent), or a [[db]]";

/// H1a: how much of the pool is in use.
pub fn in_use(s: &Scene<'_>) -> Answer {
    match s.measured(POOL, POOL_LANE) {
        Some(curve) => refusals(s, by_metric(s, &curve)),
        None => refusals(s, by_server(s)),
    }
}

fn by_metric(s: &Scene<'_>, curve: &Curve<'_>) -> Answer {
    let peak = curve.peak().map_or(0.0, |p| p.1);
    let full = curve.longest(|v| v >= s.n.pool_full).filter(|(_, len)| *len >= s.n.lasting);
    let cancelled: f64 = s.measured(&["pool_timeouts", "canceled_acquires"], "").map_or(0.0, |c| c.total);
    let waiting = s.measured(WAIT, "pool wait").and_then(|c| c.peak()).is_some_and(|p| p.1 >= s.n.wait_long);
    let lines = s.lines().count(Says::POOL);
    let queued = cancelled > 0.0 || waiting || lines > 0;
    let easy = peak < s.n.pool_easy && curve.coverage() >= s.n.covered;
    let measured = match full {
        Some((from, len)) => {
            let timeouts =
                if cancelled > 0.0 { format!("; {} timeouts", count(cancelled as usize)) } else { String::new() };
            format!("{} for {len} min from {}{timeouts}", percent(peak), s.clock(from))
        }
        None => format!("at most {}", percent(peak)),
    };
    let usual = s.usually(curve.name).and_then(|c| c.peak());
    Answer::new(verdict(full.is_some() && queued, easy), measured)
        .asof(curve.asof)
        .spark(Some(curve.name))
        .with("coverage", format!("{} of {} minutes", curve.values().count(), curve.minutes.len()))
        .with("waiting", format!("{} acquire timeouts in the logs", count(lines)))
        .with("baseline", usual.map_or("no baseline".to_owned(), |p| format!("at most {}", percent(p.1))))
}

/// Without the pool's own metric: the server's side. It cannot see who waits inside the application.
fn by_server(s: &Scene<'_>) -> Answer {
    let fullest = s.databases().filter_map(|(name, looks)| {
        let ratio = |d: &&crate::model::database::DbSample| {
            100.0 * f64::from(d.states.used()) / f64::from(d.max_connections.saturating_sub(d.reserved).max(1))
        };
        let high = looks.iter().map(ratio).fold(0.0, f64::max);
        Some((name, high, looks.last()?.at))
    });
    let Some((name, high, asof)) = fullest.max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Answer::no_data(MISSING);
    };
    let flat = high >= s.n.pool_full;
    let said = s.lines().count(Says::POOL);
    let caveat = if flat {
        "flat top: waiters are not visible in Postgres"
    } else {
        "the application's own pool is not measured"
    };
    Answer::new(verdict(flat && said > 0, false), format!("{name}: {} of usable connections; {caveat}", percent(high)))
        .asof(Some(asof))
        .spark(s.store.series_names().find(|x| ***x == *format!("{name}.connections")))
        .with("waiting", format!("{} acquire timeouts in the logs", count(said)))
        .with("not known", MISSING)
}

/// A server that turns even us away is out of connections: that is evidence, not trouble of ours.
fn refusals(s: &Scene<'_>, answer: Answer) -> Answer {
    let Some((name, first, times)) = s.refusals() else { return answer };
    let says = format!("{name} refused warroom itself (53300) from {}, {times}×", s.clock(first));
    let measured = if answer.measured.is_empty() { says.clone() } else { format!("{}; {says}", answer.measured) };
    Answer {
        verdict: Verdict::Supports,
        measured,
        missing: String::new(),
        asof: answer.asof.max(Some(first)),
        ..answer
    }
    .with("refused", says)
}

/// H1b: whether the configured limits can carry the peak.
pub fn limits(s: &Scene<'_>) -> Answer {
    let mut pools: Vec<_> =
        s.limits("pool", "pool_acquired").filter(|l| !l.name.to_lowercase().contains("timeout")).collect();
    pools.sort_by(|a, b| a.value.total_cmp(&b.value));
    let Some(pool) = pools.first() else {
        return Answer::no_data(
            "the pool's limit is not configured: add a [[limit]] \"pool_max × pods\" with the series of acquired connections",
        );
    };
    let server = s.limits("max_connections", "connections").next();
    let rules = s.rules();
    let load = rules.peak_users / rules.normal_users.max(1.0);
    let series = s.store.series_names().find(|x| ***x == *pool.series);
    let found = series.and_then(|name| Some((name, s.store.series(name)?)));
    let curve = found.map(|f| s.curve(f, s.span));
    let peak = curve.as_ref().and_then(Curve::peak).map(|p| p.1);
    let usual = series.and_then(|x| s.usually(x)).and_then(|c| c.median());
    let need = match (usual.map(|u| u * load), peak) {
        (Some(a), Some(b)) => a.max(b),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return Answer::no_data(format!("{} is not measured: the need cannot be told", pool.series)),
    };
    let starving = server.is_some_and(|l| pool.value > l.value);
    let tight = need > s.n.need_tight * pool.value || starving;
    let roomy = need < s.n.need_roomy * pool.value && !starving;
    let parts = [
        peak.map(|p| format!("peak {}", number(p))),
        usual.map(|u| format!("{} at normal load × {load:.2} = {}", number(u), number(u * load))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let text = format!("need {}, limit {} ({})", number(need), number(pool.value), parts.join("; "));
    let mut answer = Answer::new(verdict(tight, roomy), text).spark(series).asof(curve.and_then(|c| c.asof));
    if let Some(l) = server {
        answer = answer.with("server", format!("{} leaves {} connections", l.name, number(l.value)));
    }
    if starving {
        answer = answer.with("starving", "the pods together may open more than the server has");
    }
    answer
}

const WAIT: &[&str] = &["pool_wait", "acquire_wait", "acquire_duration"];

/// H1c: how long a request waits for a connection.
pub fn wait(s: &Scene<'_>) -> Answer {
    let said = s.lines().count(Says::POOL);
    if let Some(curve) = s.measured(WAIT, "pool wait") {
        let peak = curve.peak().map_or(0.0, |p| p.1);
        let when = curve.peak().map_or(String::new(), |p| format!(" at {}", s.clock(p.0)));
        return Answer::new(
            verdict(peak >= s.n.wait_long, peak < s.n.wait_short),
            format!("at most {}{when}; {} timeouts in the logs", seconds(peak), count(said)),
        )
        .asof(curve.asof)
        .spark(Some(curve.name));
    }
    let (minutes, most) = s.lines().minutes_of(Says::POOL);
    if minutes >= s.n.lasting {
        let text = format!("{} acquire timeouts in the logs, {minutes} minutes, most {most} in one", count(said));
        return Answer::new(Verdict::Supports, text).asof(s.lines().newest);
    }
    Answer::no_data("no measure of the wait: add a [[lane]] whose series ends in .pool_wait (seconds)")
        .with("logs", format!("{said} acquire timeouts in the logs"))
}

/// H1x: whether the stuck orders' own lines show an acquire timeout.
pub fn shown(s: &Scene<'_>) -> Answer {
    let answer = by_orders(s, "acquire timeout", |t| t.says.has(Says::POOL));
    // Without lines of theirs, when they were placed says whether they hang with the pool.
    match s.pool_full() {
        Some(full) if answer.verdict == Verdict::NoData && !s.book().stuck.is_empty() => {
            born_within(s, Span::new(full.from - s.n.under_way, full.to), "pool full").with("lines", answer.missing)
        }
        _ => answer,
    }
}

/// Share of the stuck orders with lines whose lines fit. Orders without lines say nothing: logs are sampled.
pub fn by_orders(s: &Scene<'_>, what: &str, fits: impl Fn(super::lines::Told) -> bool) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let stuck = s.book().stuck.len();
    s.carry(|| s.book().stuck.iter().zip(s.told()).filter(|(_, t)| fits(**t)).map(|(k, _)| k.id).collect());
    let (all, some) = s.shown(fits);
    let part = some as f64 / all.max(1) as f64;
    let supports = all >= s.n.shown_orders && part >= s.n.shown;
    // Of a service whose lines do not come, the other lines say nothing: they may show it, and not that it is not so.
    let few = all < s.n.shown_orders || (all as f64) < s.n.lined * stuck as f64;
    if few && !supports {
        return Answer::no_data(format!(
            "only {} of {} stuck orders have any log line: too few to tell; configure order_fields or order_pattern in [[logs]]",
            count(all),
            count(stuck)
        ));
    }
    let refutes = part < s.n.hardly_shown && all >= s.n.hardly_shown_orders;
    Answer::new(
        verdict(supports, refutes),
        format!("{} of {} with lines = {} show {what}", count(some), count(all), share(some, all)),
    )
    .asof(s.lines().newest)
    .with("coverage", format!("{} of {} stuck orders have a line", count(all), count(stuck)))
}

/// Why rules about orders have nothing to say: nobody asked, or nothing is stuck.
pub fn no_orders(s: &Scene<'_>) -> Option<Answer> {
    if s.answered(crate::model::order::Role::Orders).is_none() {
        return Some(Answer::no_data("orders are not read: configure a [[query]] with role = \"orders\""));
    }
    let after = lapse(s.rules().stuck_after);
    s.book()
        .stuck
        .is_empty()
        .then(|| Answer::new(Verdict::Inconclusive, format!("no order is ACTIVE for longer than {after}")))
}

/// H1y: whether the pool was full before the orders hung and before the breaker opened.
pub fn order_of_events(s: &Scene<'_>) -> Answer {
    let Some((pool, how)) = s.pool_onset() else {
        return Answer::no_data("no onset of the pool: neither its metric, a refusal nor an acquire timeout was seen");
    };
    let Some(stuck) = s.book().first_stuck() else {
        return no_orders(s).unwrap_or_else(|| Answer::new(Verdict::Inconclusive, "no order is stuck"));
    };
    let breaker = s.breaker_onset();
    let in_time = pool <= stuck + s.n.slack && breaker.is_none_or(|b| pool <= b + s.n.slack);
    let late = pool > stuck + s.n.too_late;
    let opened = breaker.map_or("breaker never open".to_owned(), |b| format!("breaker {}", s.clock(b)));
    Answer::new(verdict(in_time, late), format!("{how} {}, stuck {}, {opened}", s.clock(pool), s.clock(stuck)))
        .happened(Some(pool.max(stuck)))
        .with("lag", format!("first stuck order {} after the pool", signed(stuck.since(pool))))
}

/// `8 min`, `−2 min`
fn signed(l: Lapse) -> String {
    if l.0 < 0 { format!("−{}", lapse(l)) } else { lapse(l) }
}
