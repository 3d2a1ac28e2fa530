//! The note's technical areas: what the databases, the runtimes and the network say. Most feed a hypothesis
//! by their words only; points are given once, where the hypothesis asks.

use super::answer::{Answer, verdict};
use super::lines::Says;
use super::pool::no_orders;
use super::scene::Scene;
use super::words::{count, lapse, number, percent, plain, seconds, share};
use crate::analysis::database;
use crate::model::database::DbSample;
use crate::model::note::Verdict;
use crate::model::order::{Role, SagaState, SagaStep};
use crate::model::{Lapse, Stamp};
use std::collections::BTreeMap;

const NO_DATABASE: &str = "no database is watched: configure a [[db]]";

/// D1: connections used of those that can be used.
pub fn connections(s: &Scene<'_>) -> Answer {
    let mut best: Option<(f64, Answer)> = None;
    for (name, looks) in s.databases() {
        let used = |d: &&&DbSample| {
            100.0 * f64::from(d.states.used()) / f64::from(d.max_connections.saturating_sub(d.reserved).max(1))
        };
        let Some(top) = looks.iter().max_by(|a, b| used(a).total_cmp(&used(b))) else { continue };
        let high = used(&top);
        let idle = 100.0 * f64::from(top.states.idle_in_transaction) / f64::from(top.states.used().max(1));
        let text = format!(
            "{name}: {} of {} = {} at {}",
            top.states.used(),
            top.max_connections.saturating_sub(top.reserved),
            percent(high),
            s.clock(top.at)
        );
        let answer = Answer::new(verdict(high >= s.n.pool_full, high < s.n.pool_easy), text)
            .asof(looks.last().map(|l| l.at))
            .spark(s.store.series_names().find(|x| ***x == *format!("{name}.connections")))
            .with(
                "states",
                format!(
                    "{} running, {} wait for locks, {} idle in transaction, {} idle",
                    top.states.running, top.states.lock_waiting, top.states.idle_in_transaction, top.states.idle
                ),
            )
            .with(
                "held",
                if idle >= s.n.idle_in_transaction {
                    format!("{} idle in transaction: held across calls", percent(idle))
                } else {
                    format!("{} idle in transaction", percent(idle))
                },
            );
        if best.as_ref().is_none_or(|b| high > b.0) {
            best = Some((high, answer));
        }
    }
    let refused = s.refusals();
    match (best, refused) {
        (Some((_, answer)), Some((name, first, times))) => {
            answer.with("refused", format!("{name} refused warroom {times}× from {}", s.clock(first)))
        }
        (Some((_, answer)), None) => answer,
        (None, Some((name, first, times))) => Answer::new(
            Verdict::Supports,
            format!("{name} refused warroom itself (53300) {times}× from {}", s.clock(first)),
        ),
        (None, None) => Answer::no_data(NO_DATABASE),
    }
}

/// D2: statements that became slower and hold the time.
pub fn slow_statements(s: &Scene<'_>) -> Answer {
    let mut seen = false;
    let mut worst: Option<(f64, String)> = None;
    let mut asof: Option<Stamp> = None;
    for (name, looks) in s.databases() {
        // Where it hurt most: the look at which the most sessions worked or waited.
        let busy = |d: &&&DbSample| d.states.running + d.states.lock_waiting;
        let Some(top) = looks.iter().filter(|d| d.statements.is_some()).max_by_key(busy) else { continue };
        let (rates, _) = database::statements(s.store, name, top.at, Lapse::minutes(5));
        seen |= !rates.is_empty();
        asof = asof.max(looks.last().map(|l| l.at));
        for r in rates {
            let Some(normal) = r.normal.filter(|n| n.0 > 0) else { continue };
            let times = r.mean.as_secs_f64() / normal.as_secs_f64();
            if times >= s.n.slow_times && r.share >= s.n.slow_share && worst.as_ref().is_none_or(|w| times > w.0) {
                worst = Some((
                    times,
                    format!(
                        "{name}: {} mean {} = {times:.0}× usual, {} of all time at {}",
                        plain(&r.query),
                        seconds(r.mean.as_secs_f64()),
                        percent(r.share),
                        s.clock(top.at)
                    ),
                ));
            }
        }
    }
    if !seen {
        return Answer::no_data(
            "statements are not readable: CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO warroom",
        );
    }
    match worst {
        Some((_, text)) => Answer::new(Verdict::Supports, text).asof(asof),
        None => Answer::new(Verdict::Refutes, "no statement is much slower than usual and holds much of the time")
            .asof(asof),
    }
}

/// D3: waiting for locks.
pub fn locks(s: &Scene<'_>) -> Answer {
    let mut best: Option<((usize, u32), Answer)> = None;
    for (name, looks) in s.databases() {
        let waiting = |d: &DbSample| {
            100.0 * f64::from(d.states.lock_waiting) / f64::from((d.states.running + d.states.lock_waiting).max(1))
        };
        let mut minutes: Vec<i64> = looks
            .iter()
            .filter(|d| d.states.lock_waiting > 0 && waiting(d) >= s.n.lock_waits)
            .map(|d| d.at.0.div_euclid(60_000_000))
            .collect();
        minutes.dedup();
        let Some(top) = looks.iter().max_by_key(|d| d.states.lock_waiting) else { continue };
        let root = top
            .sessions
            .iter()
            .filter(|x| x.blocked_by.is_empty())
            .max_by_key(|x| top.sessions.iter().filter(|w| w.blocked_by.contains(&x.pid)).count());
        let blocker = root
            .filter(|_| top.states.lock_waiting > 0)
            .map_or(String::new(), |r| format!("; blocker pid {} {} {}", r.pid, plain(&r.application), r.state));
        let text = format!(
            "{name}: at most {} wait = {} of the active, {} min{blocker}",
            top.states.lock_waiting,
            percent(waiting(top)),
            minutes.len()
        );
        let answer = Answer::new(verdict(minutes.len() >= s.n.lasting, minutes.is_empty()), text)
            .asof(looks.last().map(|l| l.at))
            .spark(s.store.series_names().find(|x| ***x == *format!("{name}.lock_waits")));
        let rank = (minutes.len(), top.states.lock_waiting);
        if best.as_ref().is_none_or(|b| rank > b.0) {
            best = Some((rank, answer));
        }
    }
    let Some((_, answer)) = best else { return Answer::no_data(NO_DATABASE) };
    let consequence = s.pool_onset().zip(first_lock(s)).is_some_and(|((pool, _), lock)| lock > pool + s.n.slack);
    if consequence { answer.with("order", "waits rose after the pool was full: a consequence") } else { answer }
}

fn first_lock(s: &Scene<'_>) -> Option<Stamp> {
    let waits = |looks: Vec<&DbSample>| looks.into_iter().find(|d| d.states.lock_waiting >= 3).map(|d| d.at);
    s.databases().filter_map(|(_, looks)| waits(looks)).min()
}

/// D4: transactions that fail.
pub fn rollbacks(s: &Scene<'_>) -> Answer {
    let mut best: Option<(f64, Answer)> = None;
    for (name, looks) in s.databases() {
        let Some((inc, at)) = ratio(&looks) else { continue };
        let usual = s.baseline().and_then(|b| {
            let looks: Vec<&DbSample> = s.store.database(name)?.within(b).map(|(_, d)| d).collect();
            ratio(&looks).map(|r| r.0)
        });
        let many = inc > s.n.rollback_least && usual.is_some_and(|u| inc > s.n.rollback_times * u);
        let calm = usual.is_some_and(|u| inc <= u.max(0.1) * 1.5);
        let text =
            format!("{name}: {} rolled back, usually {}", percent(inc), usual.map_or("not known".to_owned(), percent));
        let answer = Answer::new(verdict(many, calm), text)
            .asof(Some(at))
            .spark(s.store.series_names().find(|x| ***x == *format!("{name}.rollbacks")));
        if best.as_ref().is_none_or(|b| inc > b.0) {
            best = Some((inc, answer));
        }
    }
    best.map_or_else(|| Answer::no_data(NO_DATABASE), |b| b.1)
}

/// Percent of transactions rolled back between the first and the last look, resets left out.
fn ratio(looks: &[&DbSample]) -> Option<(f64, Stamp)> {
    let (mut commits, mut rollbacks) = (0, 0);
    for pair in looks.windows(2) {
        let [a, b] = pair else { continue };
        if let (Some(x), Some(y)) = (&a.counters, &b.counters)
            && x.reset == y.reset
        {
            commits += (y.commits - x.commits).max(0);
            rollbacks += (y.rollbacks - x.rollbacks).max(0);
        }
    }
    let all = commits + rollbacks;
    (all > 0).then_some((100.0 * rollbacks as f64 / all as f64, looks.last()?.at))
}

/// D5: whether the database was short of power.
pub fn power(s: &Scene<'_>) -> Answer {
    let Some(cpu) = s.measured(&["db_cpu", "cpu"], "cpu") else {
        return Answer::no_data("no CPU metric: add a [[lane]] whose series ends in .db_cpu (percent)");
    };
    let high = cpu.peak().map_or(0.0, |p| p.1);
    let short = cpu.longest(|v| v >= s.n.cpu_short).map_or(0, |r| r.1);
    let full = s.pool_onset().is_some();
    let answer =
        Answer::new(verdict(short >= s.n.cpu_minutes, high < s.n.cpu_enough), format!("CPU at most {}", percent(high)))
            .asof(cpu.asof)
            .spark(Some(cpu.name));
    if full && high < s.n.cpu_enough {
        answer.with("so", "pool size or hold time, not the database's power")
    } else {
        answer
    }
}

/// M2: goroutines that stay when the users have gone.
pub fn goroutines(s: &Scene<'_>) -> Answer {
    let Some(curve) = s.measured(&["goroutines", "go_goroutines"], "goroutines") else {
        return Answer::no_data("no goroutine metric: add a [[lane]] whose series ends in .goroutines");
    };
    let usual = s.usually(curve.name).and_then(|c| c.median());
    let peak = curve.peak().map_or(0.0, |p| p.1);
    let now = curve.values().last().unwrap_or(peak);
    let users = s.measured(&["users"], "users").and_then(|c| c.values().last());
    let back = users.is_some_and(|u| u < s.n.users_back * s.rules().normal_users);
    let stays = usual.is_some_and(|u| now > s.n.goroutines * u);
    let text = format!(
        "at most {}, now {}, usually {}",
        number(peak),
        number(now),
        usual.map_or("not known".to_owned(), number)
    );
    Answer::new(
        verdict(
            back && stays,
            usual.is_some_and(|u| peak <= s.n.goroutines * u) || (back && usual.is_some() && !stays),
        ),
        text,
    )
    .asof(curve.asof)
    .spark(Some(curve.name))
    .with("users", if back { "back to normal" } else { "not back to normal yet: a rise may only be waiting" })
}

/// M3: memory and GC pauses.
pub fn gc(s: &Scene<'_>) -> Answer {
    let Some(curve) = s.measured(&["gc_pause", "gc_pause_p99"], "gc pause") else {
        return Answer::no_data("no GC metric: add a [[lane]] whose series ends in .gc_pause (seconds)");
    };
    let peak = curve.peak().map_or(0.0, |p| p.1);
    Answer::new(verdict(peak >= s.n.gc_pause, peak < s.n.gc_pause / 2.0), format!("pause at most {}", seconds(peak)))
        .asof(curve.asof)
        .spark(Some(curve.name))
}

fn by_lines(s: &Scene<'_>, says: Says, what: &str) -> Answer {
    let lines = s.lines();
    if lines.total == 0 {
        return Answer::no_data("no log lines in this stretch: configure [[logs]]");
    }
    let (minutes, most) = lines.minutes_of(says);
    let all = lines.count(says);
    let usual = s.usual_lines().map(|u| u.count(says) as f64 * lines.minutes as f64 / u.minutes.max(1) as f64);
    let much = minutes >= s.n.lasting && usual.is_none_or(|u| all as f64 > s.n.more_lines * u.max(1.0));
    let none = all == 0 && lines.coverage() >= s.n.covered;
    let usual = usual.map_or("no baseline".to_owned(), |u| format!("{} usually", number(u)));
    Answer::new(
        verdict(much, none),
        format!("{} lines of {what}, {minutes} min, most {most} in one; {usual}", count(all)),
    )
    .asof(lines.newest)
    .with("coverage", format!("{} of the minutes have lines", percent(lines.coverage())))
}

/// M4: the network between services.
pub fn network(s: &Scene<'_>) -> Answer {
    by_lines(s, Says::NETWORK, "a failing network")
}
/// U1 and I2: the payment gateway.
pub fn gateway(s: &Scene<'_>) -> Answer {
    by_lines(s, Says::GATEWAY, "a failing gateway")
}
/// O1: the Orchestrator not there.
pub fn refused(s: &Scene<'_>) -> Answer {
    by_lines(s, Says::REFUSED, "a refused connection")
}
/// O4: keys that exist already.
pub fn duplicates(s: &Scene<'_>) -> Answer {
    let answer = by_lines(s, Says::DUPLICATE, "a duplicate key or a sequence at its end");
    if answer.verdict == Verdict::NoData {
        return answer;
    }
    let most = s.lines().minutes_of(Says::DUPLICATE).1 as usize;
    Answer { verdict: verdict(most >= s.n.duplicates, most == 0 && s.lines().coverage() >= s.n.covered), ..answer }
}
/// I1: the hop from MRG to UPG.
pub fn hop(s: &Scene<'_>) -> Answer {
    by_lines(s, Says::DEADLINE, "a deadline")
}

/// U4: waiting to write.
pub fn writes(s: &Scene<'_>) -> Answer {
    let mut best: Option<(f64, Answer)> = None;
    // It is UPG's database that is asked about, where one is called so.
    let of_upg = |name: &str| name.to_lowercase().contains("upg");
    let any = s.databases().any(|(name, _)| of_upg(name));
    for (name, looks) in s.databases().filter(|(name, _)| !any || of_upg(name)) {
        let waiting = |d: &DbSample| {
            let write = |w: &&crate::model::database::Wait| {
                w.event.starts_with("WAL") || matches!(w.event.as_str(), "DataFileWrite" | "DataFileExtend")
            };
            let n: u32 = d.waits.iter().filter(write).map(|w| w.sessions).sum();
            100.0 * f64::from(n) / f64::from((d.states.running + d.states.lock_waiting).max(1))
        };
        let high = looks.iter().map(|d| waiting(d)).fold(0.0, f64::max);
        let mut minutes: Vec<i64> =
            looks.iter().filter(|d| waiting(d) >= s.n.write_waits).map(|d| d.at.0.div_euclid(60_000_000)).collect();
        minutes.dedup();
        let answer = Answer::new(
            verdict(minutes.len() >= s.n.lasting, high < s.n.write_waits_none),
            format!("{name}: at most {} of the active wait to write", percent(high)),
        )
        .asof(looks.last().map(|l| l.at));
        if best.as_ref().is_none_or(|b| high > b.0) {
            best = Some((high, answer));
        }
    }
    best.map_or_else(|| Answer::no_data(NO_DATABASE), |b| b.1)
}

/// U5: how often callbacks were tried again.
pub fn retries(s: &Scene<'_>) -> Answer {
    let Some(asof) = s.answered(Role::Callbacks) else {
        return Answer::no_data("callbacks are not read: configure a [[query]] with role = \"callbacks\"");
    };
    let (mut payments, mut attempts) = (0, 0);
    for (_, entry) in s.store.orders.entries() {
        let mut seen: Vec<(Option<&str>, i32)> = entry
            .callbacks
            .iter()
            .filter(|(t, c)| *t <= s.at && s.span.contains(c.sent_at))
            .map(|(_, c)| (c.upg_ref.as_deref(), c.attempt))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        attempts += seen.len();
        seen.dedup_by_key(|x| x.0);
        payments += seen.len();
    }
    if payments == 0 {
        return Answer::new(Verdict::Inconclusive, "no callback was sent in this stretch").asof(Some(asof));
    }
    let each = attempts as f64 / payments as f64;
    Answer::new(
        verdict(each > s.n.retries, each < s.n.retries_none),
        format!("{each:.2} attempts for each of {} payments", count(payments)),
    )
    .asof(Some(asof))
}

/// O2: the step at which the stuck orders stand.
pub fn steps(s: &Scene<'_>) -> Answer {
    if let Some(answer) = no_orders(s) {
        return answer;
    }
    let mut by_step: BTreeMap<&str, usize> = BTreeMap::new();
    for k in &s.book().stuck {
        let row = || k.facts.order.and_then(|o| o.saga_step.as_deref());
        if let Some(step) = last_step(s, k.id).or_else(row) {
            *by_step.entry(step).or_default() += 1;
        }
    }
    let known: usize = by_step.values().sum();
    let Some((step, most)) = by_step.iter().max_by_key(|(_, n)| **n) else {
        return Answer::no_data(
            "orders carry no saga step: add saga_step to the orders query, or a [[query]] with role = \"saga\"",
        );
    };
    let named = *most as f64 >= s.n.one_step * known as f64;
    let list = by_step
        .iter()
        .map(|(step, n)| format!("{} {}", plain(&(*step).into()), count(*n)))
        .collect::<Vec<_>>()
        .join(", ");
    Answer::new(
        verdict(named, false),
        format!("{} of the stuck stand at {}", share(*most, known), plain(&(*step).into())),
    )
    .asof(s.answered(Role::Orders))
    .with("steps", list)
}

/// O3: steps that failed and were not undone.
pub fn compensation(s: &Scene<'_>) -> Answer {
    let Some(asof) = s.answered(Role::Saga) else {
        return Answer::no_data("saga states are not read: configure a [[query]] with role = \"saga\"");
    };
    let (mut failed, mut left) = (0_usize, 0_usize);
    for (_, entry) in s.store.orders.entries() {
        let known = || entry.saga.iter().filter(|(read, _)| *read <= s.at).map(|(_, step)| step);
        let Some(first) = known().filter(|x| x.state == SagaState::Failed && s.span.contains(x.at)).map(|x| x.at).min()
        else {
            continue;
        };
        // Before that time has passed nobody can say that it was missed.
        if first + s.n.compensated > asof {
            continue;
        }
        failed += 1;
        // A later attempt that went well leaves nothing to undo.
        let settled = |x: &SagaStep| {
            let done = x.state == SagaState::Done && x.attempt > 1;
            x.at >= first && (x.state == SagaState::Compensated || done)
        };
        left += usize::from(!known().any(settled));
    }
    if failed == 0 {
        return Answer::new(Verdict::Refutes, "no step of a saga failed").asof(Some(asof));
    }
    let many = left as f64 >= s.n.uncompensated * failed as f64;
    Answer::new(
        verdict(many && failed >= s.n.shown_orders, left == 0),
        format!(
            "{} of {} orders with a failed step were not compensated in {} ({})",
            count(left),
            count(failed),
            lapse(s.n.compensated),
            share(left, failed)
        ),
    )
    .asof(Some(asof))
}

/// The last step that an order's saga has begun, when that was read.
fn last_step<'s>(s: &Scene<'s>, order: &str) -> Option<&'s str> {
    let entry = s.store.orders.entry(order)?;
    let known = entry.saga.iter().filter(|(read, _)| *read <= s.at);
    known.max_by_key(|(read, step)| (step.at, *read)).map(|(_, step)| &*step.step)
}
