//! The rows of a trail that somebody wrote down: ledger rows by role and the log lines that name the order.
//! Times of ledger rows are moved to our clock; a line keeps its own.
//!
//! May not know: classes, what is missing.

use crate::analysis::clocks::Clocks;
use crate::analysis::reconcile::facts::{newest, to_ho};
use crate::analysis::trail::{Step, StepKind, System};
use crate::analysis::words::rupiah;
use crate::model::log::{Level, LogLine};
use crate::model::order::{
    Callback, Order, OrderEvent, OrderStatus, Payment, PaymentStatus, Role, SagaState, SagaStep,
};
use crate::model::{Stamp, Untrusted};
use crate::store::Store;
use crate::store::book::Entry;

/// Saga steps in their order, as the stations and the order's `saga_step` name them.
pub const SAGA: [&str; 5] = ["CREATE", "RESERVE", "PAY", "RECORD", "COMPLETE"];

/// All rows known at `at`, in time order; systems' clocks may differ, so ties keep the way of the money.
pub fn rows(store: &Store, order: &str, entry: Option<&Entry>, clocks: &Clocks, at: Stamp) -> Vec<Step> {
    let mut out = Vec::new();
    let ours = |out: &mut Vec<Step>, from: usize, role: Role| {
        for step in out.iter_mut().skip(from) {
            step.at = step.at.map(|t| clocks.ours(role, t));
        }
    };
    if let Some(entry) = entry {
        order_rows(entry, at, &mut out);
        ours(&mut out, 0, Role::Orders);
        let events = out.len();
        event_rows(entry, at, &mut out);
        ours(&mut out, events, Role::OrderEvents);
        let sagas = out.len();
        saga_rows(entry, at, &mut out);
        ours(&mut out, sagas, Role::Saga);
        let payments = out.len();
        payment_rows(entry, at, &mut out);
        ours(&mut out, payments, Role::Payments);
        let callbacks = out.len();
        callback_rows(entry, at, &mut out);
        ours(&mut out, callbacks, Role::Callbacks);
        let records = out.len();
        for (i, (t, record)) in entry.ho.iter().enumerate() {
            if newest(&entry.ho, i, *t, at, |later| later.ho_ref == record.ho_ref) {
                let what = format!("{} recorded: {}", record.ho_ref, money(record.amount));
                out.push(event(record.recorded_at, System::Ho, what, "ho_payments"));
            }
        }
        ours(&mut out, records, Role::HoPayments);
    }
    out.extend(store.logs.of_order(order, at).map(|kept| line_row(&kept.line)));
    out.sort_by_key(|step| step.at);
    out
}

/// An amount, when the row names one.
fn money(amount: Option<i64>) -> String {
    amount.map_or_else(|| "no amount".to_owned(), rupiah)
}

fn event(at: Stamp, system: System, what: String, says: &str) -> Step {
    step(at, system, StepKind::Event, Untrusted::from(what), says.to_owned())
}

fn step(at: Stamp, system: System, kind: StepKind, what: Untrusted, says: String) -> Step {
    Step { at: Some(at), after: None, system, kind, what, says, stack: Vec::new() }
}

/// The word for a status.
pub fn status_word(status: &OrderStatus) -> &str {
    match status {
        OrderStatus::Created => "CREATED",
        OrderStatus::Active => "ACTIVE",
        OrderStatus::Complete => "COMPLETE",
        OrderStatus::Failed => "FAILED",
        OrderStatus::Cancelled => "CANCELLED",
        OrderStatus::Expired => "EXPIRED",
        OrderStatus::Other(word) => word,
    }
}

/// Birth, and every change of status or saga step that no transition already tells.
fn order_rows(entry: &Entry, at: Stamp, out: &mut Vec<Step>) {
    let told = |to: &str| entry.events.iter().any(|(t, e)| *t <= at && e.to.eq_ignore_ascii_case(to));
    let mut before: Option<&Order> = None;
    for (read, order) in versions(entry, at) {
        let changed = order.updated_at.unwrap_or(*read);
        let status = status_word(&order.status);
        let was = before.map(|b| &b.status);
        if before.is_none() {
            out.push(event(order.created_at, System::Mrg, "order created".to_owned(), "orders"));
        }
        // The first version read may already be an old order's last.
        let first_and_new = was.is_none() && matches!(order.status, OrderStatus::Active | OrderStatus::Created);
        if was != Some(&order.status) && !first_and_new && !told(status) {
            let from = was.map_or(String::new(), |s| format!("{} → ", status_word(s)));
            out.push(event(changed, System::Mrg, format!("{from}{status}"), "orders"));
        }
        if let Some(saga) = order.saga_step.as_deref()
            && before.is_some_and(|b| b.saga_step.as_deref() != Some(saga))
            && !told(saga)
            && !saga.eq_ignore_ascii_case(status)
        {
            out.push(event(changed, System::Orchestrator, format!("{saga} done"), "orders"));
        }
        before = Some(order);
    }
}

/// Versions of the order's row, oldest first.
pub fn versions(entry: &Entry, at: Stamp) -> impl Iterator<Item = &(Stamp, Order)> {
    entry.orders.iter().filter(move |(t, _)| *t <= at)
}

/// Transitions known at `at`, each once.
pub fn events(entry: &Entry, at: Stamp) -> impl Iterator<Item = &OrderEvent> {
    entry.events.iter().enumerate().filter_map(move |(i, (t, e))| {
        newest(&entry.events, i, *t, at, |later| later.at == e.at && later.to == e.to).then_some(e)
    })
}

fn event_rows(entry: &Entry, at: Stamp, out: &mut Vec<Step>) {
    for e in events(entry, at) {
        let (system, mut what) = match &e.from {
            _ if !is_status(&e.to) => (System::Orchestrator, format!("{} done", e.to)),
            Some(from) => (System::Mrg, format!("{from} → {}", e.to)),
            None => (System::Mrg, format!("→ {}", e.to)),
        };
        if let Some(actor) = e.actor.as_deref().filter(|a| !a.eq_ignore_ascii_case("orchestrator")) {
            what = format!("{what} by {actor}");
        }
        if let Some(version) = e.version {
            what = format!("{what}, version {version}");
        }
        out.push(event(e.at, system, what, "order_events"));
    }
}

/// Attempts at the steps of the saga; a step that a transition tells already is not told twice.
fn saga_rows(entry: &Entry, at: Stamp, out: &mut Vec<Step>) {
    for (i, (t, s)) in entry.saga.iter().enumerate() {
        let same = |later: &SagaStep| later.step == s.step && later.attempt == s.attempt;
        if !newest(&entry.saga, i, *t, at, same) {
            continue;
        }
        let told = events(entry, at).any(|e| e.to.eq_ignore_ascii_case(&s.step));
        let (word, kind) = match &s.state {
            SagaState::Done if told => continue,
            SagaState::Done => ("done", StepKind::Event),
            SagaState::Pending => ("begun, not done", StepKind::Event),
            SagaState::Failed => ("FAILED", StepKind::Error),
            SagaState::Compensated => ("compensated", StepKind::Warn),
            SagaState::Other(word) => (word.as_str(), StepKind::Event),
        };
        let attempt = if s.attempt > 1 { format!(", attempt {}", s.attempt) } else { String::new() };
        let error = s.error.as_ref().map_or(String::new(), |e| format!(": {}", e.raw()));
        let what = Untrusted::from(format!("{} {word}{attempt}{error}", s.step));
        out.push(step(s.at, System::Orchestrator, kind, what, "saga".to_owned()));
    }
}

/// Whether a word is a status of an order rather than a step of its saga.
pub fn is_status(word: &str) -> bool {
    ["CREATED", "ACTIVE", "COMPLETE", "COMPLETED", "FAILED", "CANCELLED", "EXPIRED"]
        .iter()
        .any(|s| s.eq_ignore_ascii_case(word))
}

fn payment_rows(entry: &Entry, at: Stamp, out: &mut Vec<Step>) {
    for (i, (t, p)) in entry.payments.iter().enumerate() {
        if !newest(&entry.payments, i, *t, at, |later| later.upg_ref == p.upg_ref) {
            continue;
        }
        let method = p.payment_method.as_deref().map_or(String::new(), |m| format!(", {m}"));
        let begun = format!("payment {} begun: {}{method}", p.upg_ref, money(p.amount));
        out.push(event(p.created_at, System::Upg, begun, "payments"));
        if let Some((when, what, kind)) = payment_end(p, *t) {
            out.push(step(when, System::Upg, kind, Untrusted::from(what), "payments".to_owned()));
        }
    }
}

/// How a payment ended, when it did. Without a time of its own it is dated by the look that saw it.
fn payment_end(p: &Payment, seen: Stamp) -> Option<(Stamp, String, StepKind)> {
    let dated = |word: &str| match p.settled_at {
        Some(t) => (t, format!("payment {} {word}", p.upg_ref)),
        None => (seen, format!("payment {} seen {word}", p.upg_ref)),
    };
    match &p.status {
        PaymentStatus::Paid => {
            let (when, what) = dated("PAID");
            Some((when, format!("{what}: {}", money(p.amount)), StepKind::Event))
        }
        PaymentStatus::Refunded => Some(dated("REFUNDED")).map(|(t, w)| (t, w, StepKind::Event)),
        PaymentStatus::Failed => Some(dated("FAILED")).map(|(t, w)| (t, w, StepKind::Warn)),
        PaymentStatus::Other(word) => Some(dated(word)).map(|(t, w)| (t, w, StepKind::Event)),
        PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::Authorized => None,
    }
}

fn callback_rows(entry: &Entry, at: Stamp, out: &mut Vec<Step>) {
    for (i, (t, c)) in entry.callbacks.iter().enumerate() {
        let same = |later: &Callback| later.upg_ref == c.upg_ref && later.attempt == c.attempt;
        if !newest(&entry.callbacks, i, *t, at, same) {
            continue;
        }
        let target = if to_ho(c) { "HO" } else { c.target.as_deref().unwrap_or("HO") };
        let (answer, kind) = match c.http_status {
            Some(s @ 200..300) => (s.to_string(), StepKind::Event),
            Some(s) => (s.to_string(), StepKind::Error),
            None => ("no answer".to_owned(), StepKind::Error),
        };
        let what = format!("callback to {target}, attempt {}: {answer}", c.attempt);
        out.push(step(c.sent_at, System::Upg, kind, Untrusted::from(what), "callbacks".to_owned()));
    }
}

fn line_row(line: &LogLine) -> Step {
    let kind = match line.level {
        Level::Error | Level::Fatal => StepKind::Error,
        Level::Warn => StepKind::Warn,
        Level::Info | Level::Debug | Level::Trace => StepKind::Line,
    };
    let says = format!("{} log", line.service);
    Step { stack: line.stack.clone(), ..step(line.at, system_of(&line.service), kind, line.message.clone(), says) }
}

/// The system a service belongs to, by the first word of its name; what is not known writes for MRG, where
/// orders live.
fn system_of(service: &str) -> System {
    let first = service.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
    match first.as_str() {
        "upg" | "payment" | "payments" | "gateway" => System::Upg,
        "orch" | "orchestrator" | "saga" => System::Orchestrator,
        "ho" | "headoffice" | "head" => System::Ho,
        _ => System::Mrg,
    }
}
