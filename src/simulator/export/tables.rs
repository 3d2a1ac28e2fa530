//! The rows of the four systems as their tables have them once the last order has met its fate. A clock that lies
//! does so in its rows.
//!
//! No column says what another table says already: a day has to stay below 200 MiB.
//!
//! May not know: causes, files. What a row says in the course of the day is the ledger's.

use super::sheet::Sheet;
use crate::simulator::day::Day;
use crate::simulator::ledger::{HO, ORDER, UPG, reference, status_name, step_after};
use crate::simulator::platform::agenda::{Ms, OrderNo};
use crate::simulator::platform::life::{Life, METHODS, Paid, REGIONS, SERVICES, Status, Step, Why};
use std::io::{self, Write};

/// Columns of [`orders`].
pub const ORDERS: &[&str] = &[
    "order_id",
    "created_at",
    "status",
    "amount",
    "payment_method",
    "region",
    "service_type",
    "saga_step",
    "updated_at",
];
/// Columns of [`events`].
pub const EVENTS: &[&str] = &["order_id", "at", "from_status", "to_status", "actor", "version"];
/// Columns of [`saga`].
pub const SAGA: &[&str] = &["order_id", "step", "attempt", "state", "at", "error"];
/// Columns of [`payments`]; the method is the order's.
pub const PAYMENTS: &[&str] =
    &["upg_ref", "order_id", "amount", "payment_status", "created_at", "settled_at", "gateway_ms"];
/// Columns of [`callbacks`]; all go to Head Office, and the order is the payment's.
pub const CALLBACKS: &[&str] = &["upg_ref", "attempt", "sent_at", "http_status", "duration_ms"];
/// Columns of [`ho_payments`]; the order is the payment's.
pub const HO_PAYMENTS: &[&str] = &["ho_ref", "upg_ref", "amount", "recorded_at"];

/// Indices in order of an instant; where instants are equal, as they were.
fn by_time(n: usize, at: impl Fn(usize) -> Ms) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by_key(|i| at(*i as usize));
    order
}

/// What an order's row says last, and since when.
fn last(life: &Life, moved: Option<(Ms, Status, Step)>) -> (Ms, Status, Step) {
    let born = (life.born, Status::Active, Step::Create);
    let reached = life.gave_up.and(life.done_at(life.step)).filter(|_| life.step != Step::Create);
    let stayed = reached.map_or(born, |at| (at, Status::Active, life.step));
    moved.filter(|(at, ..)| *at >= stayed.0).unwrap_or(stayed)
}

/// MRG's orders, by birth.
pub fn orders(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("mrg");
    let mut latest: Vec<u32> = vec![u32::MAX; h.lives.len()];
    for i in by_time(h.moved.len(), |i| h.moved[i].at) {
        latest[h.moved[i as usize].order as usize] = i;
    }
    let mut sheet = Sheet::new(out, ORDERS);
    for i in by_time(h.lives.len(), |i| h.lives[i].born) {
        let life = &h.lives[i as usize];
        if life.born == 0 {
            continue;
        }
        let moved = h.moved.get(latest[i as usize] as usize).map(|m| (m.at, m.to, step_after(m)));
        let (at, status, step) = last(life, moved);
        sheet
            .key(ORDER, life.number.into())
            .time(life.born + ahead)
            .word(status_name(status))
            .number(life.amount.into())
            .word(METHODS[usize::from(life.method)].0)
            .word(REGIONS[usize::from(life.region)].0)
            .word(SERVICES[usize::from(life.service)].0)
            .word(step.name())
            .time(at + ahead)
            .end()?;
    }
    sheet.close()
}

/// Changes of an order's status after its birth, by time.
pub fn events(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("orchestrator");
    let mut sheet = Sheet::new(out, EVENTS);
    for i in by_time(h.moved.len(), |i| h.moved[i].at) {
        let m = &h.moved[i as usize];
        sheet
            .key(ORDER, h.lives[m.order as usize].number.into())
            .time(m.at + ahead)
            .word(status_name(m.from))
            .word(status_name(m.to))
            .word(if m.poller { "poller" } else { "orchestrator" })
            .number(m.version.into())
            .end()?;
    }
    sheet.close()
}

/// What the Orchestrator's table keeps of a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    Done,
    Failed(u8, &'static str),
    /// Whoever worked on it is gone, and wrote nothing more.
    Pending,
}

const STEPS: [Step; 5] = [Step::Create, Step::Reserve, Step::Pay, Step::Record, Step::Complete];

/// What the Orchestrator writes beside a step that failed; nothing when it could not write any more.
const fn error(why: Why) -> Option<&'static str> {
    match why {
        Why::NoConnection => Some("pool mrg: acquire timeout"),
        Why::RowLocked => Some("canceling statement due to statement timeout"),
        Why::UpgTimeout => Some("call of upg: Client.Timeout exceeded while awaiting headers"),
        Why::BreakerOpen => Some("circuit breaker upg-payment is open"),
        Why::Dead => Some("callback to HO failed"),
        Why::NoIds | Why::Panic | Why::NoOrchestrator | Why::Overwritten => None,
    }
}

/// Failed attempts of steps, and all steps of sagas that did not come to an end; by order and time.
pub fn saga(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("orchestrator");
    let mut kept: Vec<(u32, Ms, Step, Kept)> = Vec::new();
    for f in &h.failed {
        let life = &h.lives[f.order as usize];
        let what = error(f.why).map_or(Kept::Pending, |error| Kept::Failed(f.attempt, error));
        // A request that got no connection left no order behind.
        if life.born > 0 {
            kept.push((life.number, f.at, f.step, what));
        }
    }
    for life in h.lives.iter().filter(|l| l.born > 0 && (l.gave_up.is_some() || l.stuck())) {
        for step in STEPS.into_iter().take_while(|s| *s <= life.step) {
            kept.extend(life.done_at(step).map(|at| (life.number, at, step, Kept::Done)));
        }
        if let Some((step, Why::Panic)) = life.gave_up {
            kept.push((life.number, life.gave_up_at, step, Kept::Pending));
        }
    }
    kept.sort_unstable();
    let mut sheet = Sheet::new(out, SAGA);
    let (mut of, mut failures) = (OrderNo::MAX, [0_u8; 5]);
    for (number, at, step, what) in kept {
        if number != of {
            (of, failures) = (number, [0; 5]);
        }
        let failed = &mut failures[step as usize];
        sheet.key(ORDER, number.into()).word(step.name());
        let (state, error) = match what {
            Kept::Failed(attempt, error) => {
                *failed = attempt;
                sheet.number(attempt.into());
                ("FAILED", error)
            }
            Kept::Done | Kept::Pending => {
                sheet.number(i64::from(*failed) + 1);
                (if what == Kept::Done { "DONE" } else { "PENDING" }, "")
            }
        };
        sheet.word(state).time(at + ahead).word(error).end()?;
    }
    sheet.close()
}

/// UPG's payments, by their beginning.
pub fn payments(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("upg");
    let mut sheet = Sheet::new(out, PAYMENTS);
    for i in by_time(h.payments.len(), |i| h.payments[i].created) {
        let p = &h.payments[i as usize];
        let life = &h.lives[p.order as usize];
        sheet
            .key(UPG, reference(i))
            .key(ORDER, life.number.into())
            .number(life.amount.into())
            .word(match p.paid {
                Paid::Pending => "PENDING",
                Paid::Paid => "PAID",
                Paid::Failed => "FAILED",
            })
            .time(p.created + ahead);
        if p.paid == Paid::Paid {
            sheet.time(p.settled + ahead)
        } else {
            sheet.nothing()
        };
        if p.answered {
            sheet.number(p.gateway.into())
        } else {
            sheet.nothing()
        };
        sheet.end()?;
    }
    sheet.close()
}

/// UPG's attempts to tell Head Office, as they were sent.
pub fn callbacks(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("upg");
    let mut sheet = Sheet::new(out, CALLBACKS);
    for i in by_time(h.told.len(), |i| h.told[i].sent) {
        let t = &h.told[i as usize];
        sheet.key(UPG, reference(t.payment)).number(t.attempt.into()).time(t.sent + ahead);
        // No status: nothing came back in time.
        if t.http > 0 {
            sheet.number(t.http.into())
        } else {
            sheet.nothing()
        };
        sheet.number(t.took.into()).end()?;
    }
    sheet.close()
}

/// Head Office's records, as they were written.
pub fn ho_payments(day: &Day, out: &mut dyn Write) -> io::Result<u64> {
    let h = &day.history;
    let ahead = day.scenario.ahead("ho");
    let mut sheet = Sheet::new(out, HO_PAYMENTS);
    for i in by_time(h.booked.len(), |i| h.booked[i].at) {
        let b = &h.booked[i as usize];
        let life = &h.lives[h.payments[b.payment as usize].order as usize];
        sheet
            .key(HO, reference(b.payment))
            .key(UPG, reference(b.payment))
            .number(life.amount.into())
            .time(b.at + ahead)
            .end()?;
    }
    sheet.close()
}
