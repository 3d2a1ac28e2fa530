//! Log lines of the platform: what orders leave behind, what services say of themselves, and the chatter of any
//! evening. A line carries an order's id only where the service that writes it knows the order.
//!
//! May not know: files, formats, the wire; see `text` for those.

use super::day::Day;
use super::ledger::order_id;
use super::platform::agenda::{Ms, OrderNo};
use super::platform::life::{Life, Line, METHODS, Says, Step, Why};
use super::platform::meter::{BUCKET, Bucket};
use super::platform::stamp;
use crate::model::log::{Level, LogLine};
use crate::model::{Lapse, Stamp, Untrusted};
use std::sync::Arc;

/// A service writes at most so many lines of one kind in ten seconds; the rest it counts.
const MOST: f32 = 45.0;

/// What a line is made of, before it is written anywhere.
struct Draft {
    level: Level,
    service: String,
    system: &'static str,
    text: String,
    stack: &'static [&'static str],
}

const POOL_STACK: &[&str] = &[
    "goroutine 48121 [running]:",
    "pool.(*Pool).Acquire(0xc0004a2000)",
    "    /src/pool/pool.go:212",
    "store.(*Orders).SetState(0xc00012e0f0)",
    "    /src/store/orders.go:88",
    "saga.(*Runner).advance(0xc0007c4000)",
    "    /src/saga/runner.go:141",
];

const PANIC_STACK: &[&str] = &[
    "goroutine 51877 [running]:",
    "saga.(*Voucher).Discount(0x0)",
    "    /src/saga/voucher.go:57",
    "saga.(*Runner).reserve(0xc0007c4000)",
    "    /src/saga/reserve.go:119",
    "saga.(*Runner).advance(0xc0007c4000)",
    "    /src/saga/runner.go:133",
];

/// All lines of a stretch that arrive, in order of time. `usual` are those of the Sunday before: no orders, the
/// chatter alone.
pub fn between(day: &Day, from: Ms, to: Ms) -> Vec<LogLine> {
    let mut out = Vec::new();
    let lines = &day.history.lines;
    let first = lines.partition_point(|l| l.at < from);
    let last = lines.partition_point(|l| l.at < to);
    for line in &lines[first..last] {
        out.extend(told(day, line));
    }
    let mut bucket = from.div_euclid(BUCKET) * BUCKET;
    while bucket < to {
        if let Some(b) = day.history.meter.between(bucket, bucket + BUCKET).first() {
            let mut dice = dice(day.seed, bucket);
            around(day, bucket, b, &mut dice, &mut out);
            chatter(bucket, b, &mut dice, &mut out);
        }
        bucket += BUCKET;
    }
    out.retain(|l| stamp(from) <= l.at && l.at < stamp(to));
    let observed = &day.scenario.observed;
    out.retain(|l| observed.logs_kept >= 1.0 || arrives(day.seed, l) < observed.logs_kept);
    if let Some(lost) = observed.logs_lost {
        let of = &observed.logs_lost_of;
        out.retain(|l| {
            !(lost.contains(l.at) && (of.is_empty() || of.iter().any(|s| l.service.starts_with(s.as_str()))))
        });
    }
    for (system, by) in &observed.ahead {
        let prefix = if system == "orchestrator" { "orch" } else { system.as_str() };
        out.iter_mut().filter(|l| l.service.starts_with(prefix)).for_each(|l| l.at = l.at + Lapse::millis(*by));
    }
    out.sort_by_key(|l| l.at);
    out
}

/// The lines of the usual Sunday, a week earlier.
pub fn usual(day: &Day, from: Ms, to: Ms, week: Lapse) -> Vec<LogLine> {
    let mut out = Vec::new();
    let mut bucket = from;
    while bucket < to {
        if let Some(b) = day.usual.between(bucket, bucket + BUCKET).first() {
            let mut dice = dice(day.seed ^ 7, bucket);
            around(day, bucket, b, &mut dice, &mut out);
            chatter(bucket, b, &mut dice, &mut out);
            // As of the evening, only of the orders that the demo's databases hold.
            let born = f64::from(b.born) / f64::from(day.shard);
            for _ in 0..(born / 10.0 + dice.f64()).floor() as u32 {
                orderly(bucket, &mut dice, &mut out);
            }
            rarely(bucket, born, &mut dice, &mut out);
        }
        bucket += BUCKET;
    }
    for line in &mut out {
        line.at = line.at - week;
    }
    out.sort_by_key(|l| l.at);
    out
}

/// Of the orders that were told of on a usual Sunday: refused by the bank, and callbacks that HO did not take at
/// first.
const DECLINED: f64 = 0.03;
const FAULTS: f64 = 0.000_8;

/// What an order of a usual Sunday, one of ten, leaves in the logs of all services.
fn orderly(bucket: Ms, dice: &mut fastrand::Rng, out: &mut Vec<LogLine>) {
    let number = dice.u32(4_700_000..4_990_000);
    let (id, born) = (format!("ORD-{number}"), stamp(bucket) + Lapse::millis(dice.i64(0..BUCKET)));
    let paid = born + Lapse::millis(dice.i64(2_000..9_000));
    let upg = format!("upg-{}", number % 4 + 1);
    let said = [
        (born, draft(Level::Info, pod(dice), "mrg", format!("order {id} created"))),
        (paid, draft(Level::Info, upg, "upg", format!("payment of {id} settled"))),
        (
            paid + Lapse::millis(dice.i64(200..900)),
            draft(Level::Info, "orch-1".to_owned(), "orchestrator", format!("saga SG-{number} of {id} complete")),
        ),
    ];
    let well = dice.f64() >= DECLINED;
    for (at, said) in said.into_iter().take(if well { 3 } else { 1 }) {
        out.push(LogLine { order: Some(id.as_str().into()), ..line(at, said) });
    }
}

/// What happens to few orders on any day.
fn rarely(bucket: Ms, born: f64, dice: &mut fastrand::Rng, out: &mut Vec<LogLine>) {
    for (share, declined) in [(DECLINED, true), (FAULTS, false)] {
        for _ in 0..(born * share + dice.f64()).floor() as u32 {
            let number = dice.u32(4_700_000..4_990_000);
            let id = format!("ORD-{number}");
            let text = if declined {
                format!("payment of {id} refused by bank: 51")
            } else {
                format!("callback to HO attempt 1 failed for {id}: 503")
            };
            let at = stamp(bucket) + Lapse::millis(dice.i64(0..BUCKET));
            let said = draft(Level::Warn, format!("upg-{}", number % 4 + 1), "upg", text);
            out.push(LogLine { order: Some(id.into()), ..line(at, said) });
        }
    }
}

/// Chance that belongs to a stretch of a day, whoever asks for it and in whatever order.
fn dice(seed: u64, at: Ms) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at as u64)
}

/// The chance of a line to be among those that are kept: its own, so that every wire keeps the same ones.
fn arrives(seed: u64, line: &LogLine) -> f64 {
    let words = line.service.bytes().chain(line.message.raw().bytes());
    let sum = words.fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    dice(seed ^ sum, line.at.0).f64()
}

fn pod(dice: &mut fastrand::Rng) -> String {
    format!("mrg-api-{}", dice.u32(1..=8))
}

fn draft(level: Level, service: String, system: &'static str, text: String) -> Draft {
    Draft { level, service, system, text, stack: &[] }
}

fn line(at: Stamp, draft: Draft) -> LogLine {
    debug_assert!(!draft.system.is_empty());
    LogLine {
        at,
        service: draft.service.into(),
        level: draft.level,
        order: None,
        trace: None,
        message: Untrusted::from(draft.text),
        stack: draft.stack.iter().map(|s| Untrusted::from(*s)).collect(),
    }
}

/// What an order, or a service on its own, had to say.
fn told(day: &Day, said: &Line) -> Option<LogLine> {
    let at = stamp(said.at);
    if said.order == OrderNo::MAX {
        return Some(line(at, of_service(said.says)?));
    }
    let life = day.history.lives.get(said.order as usize)?;
    // Who was refused before there was a row is nobody's order in particular.
    if life.born > 0 && !day.holds(life) {
        return None;
    }
    let mut told = line(at, of_order(life, said)?);
    if life.born > 0 && said.says != Says::Deadlock {
        told.order = Some(Arc::from(order_id(life)));
    }
    Some(told)
}

fn of_service(says: Says) -> Option<Draft> {
    let orch = || "orch-1".to_owned();
    Some(match says {
        Says::BreakerOpened => {
            draft(Level::Warn, orch(), "orchestrator", "circuit breaker upg-payment: closed to open".to_owned())
        }
        Says::BreakerClosed => {
            draft(Level::Info, orch(), "orchestrator", "circuit breaker upg-payment: half-open to closed".to_owned())
        }
        Says::Began => {
            draft(Level::Info, orch(), "orchestrator", "orchestrator 3.9.0 began, 0 sagas in memory".to_owned())
        }
        Says::OutOfMemory(pod) => {
            draft(Level::Fatal, format!("mrg-api-{}", pod + 1), "mrg", "out of memory: killed, restarting".to_owned())
        }
        _ => return None,
    })
}

fn of_order(life: &Life, said: &Line) -> Option<Draft> {
    let id = order_id(life);
    let saga = format!("SG-{}", life.number);
    let mrg = || format!("mrg-api-{}", life.pod + 1);
    let orch = || "orch-1".to_owned();
    let upg = || format!("upg-{}", said.order % 4 + 1);
    let (error, warn, info) = (Level::Error, Level::Warn, Level::Info);
    Some(match said.says {
        Says::Created => draft(info, mrg(), "mrg", format!("order {id} created")),
        Says::Completed => draft(info, orch(), "orchestrator", format!("saga {saga} of {id} complete")),
        Says::Paid => draft(info, upg(), "upg", format!("payment of {id} settled")),
        Says::Declined => draft(warn, upg(), "upg", format!("payment of {id} refused by bank: 51")),
        Says::CreateRefused => {
            let text = "POST /orders 503: pool mrg: no connection within 5000ms (in_use=20 max=20)".to_owned();
            draft(error, mrg(), "mrg", text)
        }
        Says::NoConnection(step, attempt) => {
            let step = step.name();
            let text = format!(
                "pool mrg: no connection within 5000ms (in_use=20 max=20) saga={saga} step={step} attempt={attempt}"
            );
            let stack = if attempt == 1 && said.order.is_multiple_of(4) { POOL_STACK } else { &[] };
            Draft { stack, ..draft(error, orch(), "orchestrator", text) }
        }
        Says::RowLocked(step, attempt) => {
            let step = step.name();
            let text = format!("{step} of {id}: canceling statement due to statement timeout, attempt {attempt}");
            draft(error, orch(), "orchestrator", text)
        }
        Says::GaveUp(step, why) => draft(error, orch(), "orchestrator", gave_up(&saga, step, why)),
        Says::UpgTimeout(call) => {
            let text = format!("call of upg for {id}: Client.Timeout exceeded while awaiting headers, attempt {call}");
            draft(error, orch(), "orchestrator", text)
        }
        Says::InProgress(call) => {
            let text = format!("call of upg for {id}: 409 payment is in progress, attempt {call}");
            draft(warn, orch(), "orchestrator", text)
        }
        Says::BreakerOpen(call) => {
            let text = format!("circuit breaker upg-payment is open, request refused for {id}, attempt {call}");
            draft(warn, orch(), "orchestrator", text)
        }
        Says::CallbackFailed(attempt, 0) => {
            draft(warn, upg(), "upg", format!("callback to HO attempt {attempt} failed for {id}: timeout after 5s"))
        }
        Says::CallbackFailed(attempt, http) => {
            draft(warn, upg(), "upg", format!("callback to HO attempt {attempt} failed for {id}: {http}"))
        }
        Says::CallbackDead => {
            draft(error, upg(), "upg", format!("callback to HO gave up for {id}: moved to dead letters"))
        }
        Says::PaidTooLate => {
            let method = METHODS[usize::from(life.method)].0;
            draft(warn, orch(), "orchestrator", format!("payment event for {saga} of {id} ({method}): saga has ended"))
        }
        Says::NoOrchestrator => {
            let text = format!("begin saga of {id}: dial tcp 10.0.6.11:9090: connect: connection refused");
            draft(error, mrg(), "mrg", text)
        }
        Says::NoIds => {
            let text = format!(
                "begin saga of {id}: ERROR: nextval: reached maximum value of sequence \"saga_id_seq\" (2147483647) (SQLSTATE 2200H)"
            );
            draft(error, orch(), "orchestrator", text)
        }
        Says::Panic => {
            let text = format!("panic in saga {saga} of {id}: invalid memory address or nil pointer dereference");
            Draft { stack: PANIC_STACK, ..draft(error, orch(), "orchestrator", text) }
        }
        Says::Deadlock => {
            let text = "copy payment state: ERROR: deadlock detected (SQLSTATE 40P01)".to_owned();
            draft(warn, orch(), "orchestrator", text)
        }
        Says::Copied => draft(info, orch(), "orchestrator", format!("poller: payment state copied onto {id}")),
        Says::BreakerOpened | Says::BreakerClosed | Says::OutOfMemory(_) | Says::Began => return None,
    })
}

fn gave_up(saga: &str, step: Step, why: Why) -> String {
    let step = step.name();
    let why = match why {
        Why::NoConnection => "no connection",
        Why::RowLocked => "statement timeout",
        Why::UpgTimeout => "upg did not answer in time",
        Why::BreakerOpen => "circuit breaker open",
        Why::NoIds | Why::Panic | Why::NoOrchestrator | Why::Dead | Why::Overwritten => "ended",
    };
    format!("saga {saga} gave up at {step}: {why}")
}

/// What services say of the load they are under.
fn around(day: &Day, at: Ms, b: &Bucket, dice: &mut fastrand::Rng, out: &mut Vec<LogLine>) {
    let set = day.scenario.at(stamp(at));
    let n = set.mrg.pool;
    let mut some = |count: f32, dice: &mut fastrand::Rng, make: &mut dyn FnMut(&mut fastrand::Rng) -> Draft| {
        for _ in 0..count.min(MOST).round() as u32 {
            let when = stamp(at) + Lapse::millis(dice.i64(0..BUCKET));
            out.push(line(when, make(dice)));
        }
    };
    some(b.refused, dice, &mut |dice| {
        let text = format!("pool mrg: no connection within 5000ms (in_use={n} max={n})");
        draft(Level::Error, pod(dice), "mrg", text)
    });
    some(b.refused * 0.15, dice, &mut |dice| {
        let text = format!("POST /orders {}: upstream request timeout", 500 + dice.u32(2..5));
        draft(Level::Error, pod(dice), "mrg", text)
    });
    some(b.faults * 0.25, dice, &mut |dice| {
        let text = format!("voucher service answered {}", 500 + dice.u32(0..4));
        draft(Level::Error, pod(dice), "mrg", text)
    });
    let slow = b.wait.n - b.wait.up_to(900.0) + 0.2;
    some(slow * 0.02 + 0.2 * f32::from(dice.u8(0..2)), dice, &mut |dice| {
        let text = format!("slow request /orders/{} took {}ms", dice.u32(1000..9999), dice.u32(1_200..6_800));
        draft(Level::Warn, pod(dice), "mrg", text)
    });
    let collected = if b.gc > 0.15 { b.gc * 12.0 } else { 0.0 };
    some(collected, dice, &mut |dice| {
        let text = format!("gc: {}ms pause, heap {}MiB", (b.gc * 90.0) as u32 + dice.u32(1..9), b.heap as u32);
        draft(Level::Warn, pod(dice), "mrg", text)
    });
    if b.refused > 20.0 && dice.u32(0..7) == 0 {
        // Somebody's log text holds an escape sequence; it must be seen, never obeyed.
        let text = "note from customer: \"\u{1b}[2Jplease call +62 812-3456-7890\" kept".to_owned();
        out.push(line(stamp(at), draft(Level::Warn, pod(dice), "mrg", text)));
    }
}

/// What is written on any evening.
fn chatter(at: Ms, b: &Bucket, dice: &mut fastrand::Rng, out: &mut Vec<LogLine>) {
    let lines = 1 + u32::from(b.users > 40_000.0 && dice.bool());
    for _ in 0..lines {
        let when = stamp(at) + Lapse::millis(dice.i64(0..BUCKET));
        let gateway = b.gateway.quantile(0.98).unwrap_or(1_400.0) as u32;
        out.push(line(
            when,
            match dice.u32(0..10) {
                0..2 => {
                    draft(Level::Error, pod(dice), "mrg", format!("voucher service answered {}", 500 + dice.u32(0..4)))
                }
                2..5 => {
                    draft(Level::Warn, "upg-1".to_owned(), "upg", format!("gateway va-bca answered in {gateway}ms"))
                }
                5..8 => {
                    let text = format!("sweep done, {} sagas looked at", dice.u32(40..400));
                    draft(Level::Info, "orch-1".to_owned(), "orchestrator", text)
                }
                _ => draft(Level::Info, pod(dice), "mrg", format!("cache refreshed in {}ms", dice.u32(3..40))),
            },
        ));
    }
}
