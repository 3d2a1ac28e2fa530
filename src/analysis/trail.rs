//! One order's way through MRG, UPG, the Orchestrator and HO, with the log lines that name it, on one time
//! axis; steps that should have come and did not are rows too.

pub mod first;
mod row;
pub mod says;
mod station;
pub mod usual;

use crate::analysis::clocks::Clocks;
use crate::analysis::reconcile::facts::{Asked, Facts};
use crate::analysis::reconcile::{Class, Flags, class_of, flags_of};
use crate::analysis::words::lasting;
use crate::model::incident::Rules;
use crate::model::order::{OrderId, Role};
use crate::model::{Lapse, Stamp, Untrusted};
use crate::store::Store;
use first::{First, Way};

/// Nothing of an order for longer than this is a row of its own.
const SILENCE: Lapse = Lapse::minutes(10);

/// Which system a step belongs to; columns of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Orders.
    Mrg,
    /// Payments.
    Upg,
    /// Sagas.
    Orchestrator,
    /// Books.
    Ho,
}

/// What kind of step it is; decides its glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Something happened: `●`.
    Event,
    /// A log line at INFO or below: `·`.
    Line,
    /// A warning: `!`.
    Warn,
    /// An error: `✕`.
    Error,
    /// Should have happened and did not: `○`.
    Missing,
    /// A long silence: `┊`.
    Silence,
}

/// One row of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When; for a missing step when it was due, none when that is not known.
    pub at: Option<Stamp>,
    /// Time since the step before.
    pub after: Option<Lapse>,
    /// System.
    pub system: System,
    /// Kind.
    pub kind: StepKind,
    /// What, in words.
    pub what: Untrusted,
    /// Who says so: the role or the service.
    pub says: String,
    /// Stack lines folded below it.
    pub stack: Vec<Untrusted>,
}

/// A station of the saga.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// CREATE, RESERVE, PAY, RECORD, COMPLETE.
    pub name: &'static str,
    /// When it was reached.
    pub at: Option<Stamp>,
    /// The first one not reached while an earlier one was; with a time, one that was reached and undone.
    pub broken: bool,
}

/// What the order says of a hypothesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Says {
    /// Number of the hypothesis.
    pub hypothesis: u32,
    /// What.
    pub verdict: crate::model::note::Verdict,
    /// Why, in a sentence.
    pub because: String,
}

/// The whole trail.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// Which order.
    pub id: OrderId,
    /// Its class.
    pub class: Class,
    /// What else is true of it.
    pub flags: Flags,
    /// Rows, time downwards, missing ones last or where they were due.
    pub steps: Vec<Step>,
    /// Saga stations.
    pub stations: Vec<Station>,
    /// Hypotheses it speaks to, strongest first.
    pub says: Vec<Says>,
    /// Since when it has been ACTIVE, when it is.
    pub active_for: Option<Lapse>,
    /// The first step that did not come, in words.
    pub first: Option<First>,
    /// The clocks its times were moved by.
    pub clocks: Clocks,
}

/// The trail of an order as of `at`; none when nobody knows the order.
pub fn trail(store: &Store, order: &str, at: Stamp) -> Option<Trail> {
    let rules = &store.incident.rules;
    let asked = Asked::new(&store.orders, at);
    let entry = store.orders.entry(order);
    let facts = entry.and_then(|e| Facts::read(e, &asked, rules.settle_after));
    let clocks = Clocks::read(store, at);
    let steps = row::rows(store, order, entry, &clocks, at);
    if facts.is_none() && steps.is_empty() {
        return None;
    }
    let mut out = Trail {
        id: order.into(),
        class: Class::NotAsked,
        flags: Flags::default(),
        steps,
        stations: Vec::new(),
        says: Vec::new(),
        active_for: None,
        first: None,
        clocks,
    };
    let mut missing = Vec::new();
    let mut seen_until = at;
    if let (Some(entry), Some(facts)) = (entry, &facts) {
        out.class = class_of(facts, rules);
        out.flags = flags_of(facts, rules, &store.incident.zone);
        let card = out.class.card();
        out.stations = station::stations(entry, facts, &out.clocks, (card, station::reserves(store, at)), at);
        out.active_for = facts.active().then(|| facts.age());
        let (stations, clocks, zone) = (&out.stations, &out.clocks, &store.incident.zone);
        out.first = Way { facts, entry, stations, clocks, at, rules, zone }.first();
        if card.is_some_and(|c| !c.fine) {
            let has = |role| asked.has(role);
            let (steps, zone) = (&out.steps, &store.incident.zone);
            let stuck_after = rules.stuck_after;
            out.says = says::Witness { facts, entry, steps, at, stuck_after, has: &has, zone }.says();
            missing = missing_steps(facts, &out.stations, &out.clocks, rules);
        }
        seen_until = facts.asof;
    }
    out.steps = with_gaps(out.steps, missing, seen_until, out.active_for.is_some());
    Some(out)
}

/// Steps that should have come and did not, in the saga's order, each with the time it was due.
fn missing_steps(facts: &Facts<'_>, stations: &[Station], clocks: &Clocks, rules: &Rules) -> Vec<Step> {
    let mut out = Vec::new();
    let mut miss = |at: Option<Stamp>, system: System, what: &str, says: &str| {
        let (what, says) = (Untrusted::from(what), says.to_owned());
        out.push(Step { at, after: None, system, kind: StepKind::Missing, what, says, stack: Vec::new() });
    };
    match station::broken(stations) {
        Some("RESERVE") => miss(None, System::Orchestrator, "missing: RESERVE, the first step that did not come", ""),
        Some("PAY") => miss(None, System::Orchestrator, "missing: PAY, the first step that did not come", ""),
        Some("RECORD") => miss(None, System::Orchestrator, "missing: RECORD, the first step that did not come", ""),
        _ => {}
    }
    if let Some(due) = facts.missing_at_ho(rules.settle_after) {
        let due = clocks.ours(Role::Payments, due);
        if facts.callbacks == 0 && facts.callbacks_asked.is_some() {
            miss(Some(due), System::Ho, "missing: a callback to HO; none was ever sent", "callbacks");
        }
        miss(Some(due), System::Ho, "missing: a record at HO, due by now", "ho_payments");
    }
    if facts.stuck(rules.stuck_after) {
        let due = clocks.ours(Role::Orders, facts.born + rules.stuck_after);
        miss(Some(due), System::Mrg, "missing: COMPLETE; from here on the order is stuck in ACTIVE", "orders");
    }
    out.sort_by_key(|step| step.at);
    out
}

/// Puts in the time since the step before, a row for every long silence, and the missing steps where they
/// were due. Silence up to `until` counts only while the order is `open`: nobody expects more of an ended one.
fn with_gaps(steps: Vec<Step>, missing: Vec<Step>, until: Stamp, open: bool) -> Vec<Step> {
    let mut due: std::collections::VecDeque<Step> = missing.into();
    let mut out: Vec<Step> = Vec::with_capacity(steps.len() + due.len() + 2);
    let mut before: Option<Stamp> = None;
    for mut step in steps {
        step.after = step.at.zip(before).map(|(at, last)| at.since(last));
        if let Some(length) = step.after.filter(|l| *l > SILENCE) {
            out.push(silence(length));
        }
        // Steps without a due time belong to the one that follows them.
        while let Some(at) = due.iter().find_map(|s| s.at).filter(|at| step.at.is_some_and(|t| *at < t)) {
            while let Some(next) = due.pop_front() {
                let timed = next.at == Some(at);
                out.push(next);
                if timed {
                    break;
                }
            }
        }
        before = step.at.or(before);
        out.push(step);
    }
    let quiet = before.map(|last| until.since(last)).filter(|l| *l > SILENCE && open);
    out.extend(quiet.map(silence));
    out.extend(due);
    out
}

fn silence(length: Lapse) -> Step {
    let what = format!("nothing of this order in any system or log we read for {}", lasting(length));
    Step {
        at: None,
        after: None,
        system: System::Mrg,
        kind: StepKind::Silence,
        what: Untrusted::from(what),
        says: String::new(),
        stack: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
