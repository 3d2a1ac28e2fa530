//! Log lines of the story: what orders leave behind, and the chatter of services around it.

use super::orders::Desk;
use super::story::{self, END, START, WEEK, crowd, harm};
use crate::model::log::{Level, LogLine};
use crate::model::order::OrderId;
use crate::model::{Lapse, Span, Stamp, Untrusted};
use std::sync::Arc;

/// What an order's line says.
#[derive(Clone, Copy, Debug)]
pub enum Script {
    /// Born.
    Created,
    /// Settled.
    Paid,
    /// The bank said no.
    PaymentRefused,
    /// No connection within the limit.
    AcquireTimeout {
        /// Saga step that wanted one.
        step: &'static str,
        /// From 1.
        attempt: i32,
    },
    /// The saga stopped trying.
    GaveUp {
        /// At which step.
        step: &'static str,
    },
    /// A deadline that was the pool's all along.
    StateDeadline,
    /// The gateway's own deadline.
    GatewayDeadline,
    /// The breaker refused.
    BreakerOpen,
    /// HO did not say 2xx.
    CallbackFailed(i32),
}

/// A line an order leaves.
#[derive(Clone, Debug)]
pub struct Told {
    /// When.
    pub at: Stamp,
    /// Which order.
    pub order: OrderId,
    /// What.
    pub script: Script,
}

/// The services' writers.
#[derive(Debug)]
pub struct Writers {
    first: Option<OrderId>,
}

fn line(at: Stamp, service: &str, level: Level, order: Option<&OrderId>, message: String) -> LogLine {
    LogLine {
        at,
        service: service.into(),
        level,
        order: order.cloned(),
        trace: None,
        message: Untrusted::from(message),
        stack: Vec::new(),
    }
}

fn pod(rng: &mut fastrand::Rng) -> String {
    format!("mrg-api-{}", rng.u32(1..=8))
}

fn pool_stack() -> Vec<Untrusted> {
    [
        "goroutine 48121 [running]:",
        "pool.(*Pool).Acquire(0xc0004a2000)",
        "    /src/pool/pool.go:212",
        "store.(*Orders).SetState(0xc00012e0f0)",
        "    /src/store/orders.go:88",
        "saga.(*Runner).advance(0xc0007c4000)",
        "    /src/saga/runner.go:141",
    ]
    .into_iter()
    .map(Untrusted::from)
    .collect()
}

impl Writers {
    /// Writers; the first order that hangs keeps every line, whatever is sampled.
    pub fn new(first: Option<OrderId>) -> Self {
        Self { first }
    }

    /// Lines of a stretch, unsorted.
    pub fn write(&mut self, span: Span, desk: &Desk, rng: &mut fastrand::Rng) -> Vec<LogLine> {
        let mut out: Vec<LogLine> = Vec::new();
        for told in desk.told(span) {
            out.push(self.told(told, rng));
        }
        chatter(span, &mut out, rng);
        let lost = story::rotation();
        out.retain(|l| !(lost.contains(l.at) && l.service.as_ref() == "mrg-api-5"));
        out
    }

    fn told(&self, told: &Told, rng: &mut fastrand::Rng) -> LogLine {
        let order = Some(&told.order);
        let id = &told.order;
        let saga = &id[4..];
        let orch = format!("orch-{}", rng.u32(1..=2));
        let at = told.at;
        match told.script {
            Script::Created => line(at, &pod(rng), Level::Info, order, format!("order {id} created")),
            Script::Paid => line(at, "upg-2", Level::Info, order, format!("payment of {id} settled")),
            Script::PaymentRefused => {
                line(at, "upg-1", Level::Warn, order, format!("payment of {id} refused by bank: 51"))
            }
            Script::AcquireTimeout { step, attempt } => {
                let text = format!(
                    "pool mrg: no connection within 5000ms (in_use=20 max=20) saga=SG-{saga} step={step} attempt={attempt}"
                );
                let mut l = line(at, &orch, Level::Error, order, text);
                if attempt == 1 && self.first.as_ref().is_none_or(|f| f == id || rng.u32(0..4) == 0) {
                    l.stack = pool_stack();
                }
                l
            }
            Script::GaveUp { step } => {
                line(at, &orch, Level::Error, order, format!("saga SG-{saga} gave up at {step} after 3 attempts"))
            }
            Script::StateDeadline => {
                line(at, &pod(rng), Level::Error, order, format!("set state of {id}: context deadline exceeded"))
            }
            Script::GatewayDeadline => line(
                at,
                "upg-3",
                Level::Error,
                order,
                format!("gateway call for {id}: Client.Timeout exceeded while awaiting headers"),
            ),
            Script::BreakerOpen => line(
                at,
                &pod(rng),
                Level::Warn,
                order,
                "circuit breaker upg-payment is open, request refused".to_owned(),
            ),
            Script::CallbackFailed(attempt) => {
                line(at, "upg-4", Level::Warn, order, format!("callback to HO attempt {attempt} failed: 503"))
            }
        }
    }
}

/// How often a kind of line comes, a minute, by the state of things.
fn chatter(span: Span, out: &mut Vec<LogLine>, rng: &mut fastrand::Rng) {
    let at = span.from;
    let minutes = span.length().as_secs_f64() / 60.0;
    let harm = harm(at);
    let crowd = crowd(at).max(0.0);
    let times = |rate: f64, rng: &mut fastrand::Rng| -> Vec<Stamp> {
        let expected = rate * minutes;
        let n = expected.floor() as usize + usize::from(rng.f64() < expected.fract());
        (0..n).map(|_| at + Lapse(rng.i64(0..span.length().0.max(1)))).collect()
    };
    for t in times(520.0 * harm, rng) {
        let text = "pool mrg: no connection within 5000ms (in_use=20 max=20)".to_owned();
        out.push(line(t, &pod(rng), Level::Error, None, text));
    }
    for t in times(95.0 * harm, rng) {
        let text = format!("POST /orders {}: upstream request timeout", 500 + rng.u32(2..5));
        out.push(line(t, &pod(rng), Level::Error, None, text));
    }
    if story::breaker_open(at) {
        for t in times(120.0 * harm, rng) {
            let text = "circuit breaker upg-payment is open, request refused".to_owned();
            out.push(line(t, &pod(rng), Level::Warn, None, text));
        }
    }
    for t in times(1.2 + 60.0 * harm, rng) {
        let text = format!("slow request /orders/{} took {}ms", rng.u32(1000..9999), rng.u32(1_200..9_800));
        out.push(line(t, &pod(rng), Level::Warn, None, text));
    }
    if rng.f64() < harm * minutes * 1.4 {
        // Somebody's log text holds an escape sequence; it must be seen, never obeyed.
        let text = "note from customer: \"\u{1b}[2Jplease call +62 812-3456-7890\" kept".to_owned();
        out.push(line(at, &pod(rng), Level::Warn, None, text));
    }
    ordinary(times(4.0 + 1.5 * crowd, rng), out, rng);
}

/// What is written on any evening.
fn ordinary(times: Vec<Stamp>, out: &mut Vec<LogLine>, rng: &mut fastrand::Rng) {
    for t in times {
        let l = match rng.u32(0..10) {
            0..4 => line(t, &pod(rng), Level::Error, None, format!("voucher service answered {}", 500 + rng.u32(0..4))),
            4..6 => {
                line(t, "upg-1", Level::Warn, None, format!("gateway va-bca answered in {}ms", rng.u32(900..2_400)))
            }
            6..9 => line(t, "orch-1", Level::Info, None, format!("sweep done, {} sagas looked at", rng.u32(40..400))),
            _ => line(t, &pod(rng), Level::Info, None, format!("cache refreshed in {}ms", rng.u32(3..40))),
        };
        out.push(l);
    }
}

/// Lines of the Sunday before, so that "new" means something.
pub fn baseline(rng: &mut fastrand::Rng) -> Vec<LogLine> {
    let mut out: Vec<LogLine> = Vec::new();
    let mut at = START - WEEK;
    while at < END - WEEK {
        let minute: Vec<Stamp> = (0..6).map(|_| at + Lapse::millis(rng.i64(0..60_000))).collect();
        ordinary(minute, &mut out, rng);
        if rng.u32(0..5) < 4 {
            let text = format!("slow request /orders/{} took {}ms", rng.u32(1000..9999), rng.u32(1_200..2_100));
            out.push(line(at, &pod(rng), Level::Warn, None, text));
        }
        if rng.u32(0..12) == 0 {
            out.push(line(at, "upg-4", Level::Warn, None, "callback to HO attempt 1 failed: 503".to_owned()));
        }
        for _ in 0..17 {
            let id = rng.u32(4_700_000..4_730_000);
            let text = format!("order ORD-{id} created");
            let order: OrderId = Arc::from(format!("ORD-{id}"));
            out.push(line(at + Lapse::millis(rng.i64(0..60_000)), &pod(rng), Level::Info, Some(&order), text));
        }
        at = at + Lapse::minutes(1);
    }
    out.sort_by_key(|l| l.at);
    out
}
