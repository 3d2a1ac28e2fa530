//! A scenario's evening as somebody sees it who lacks a source, has it in part, or has it with a wrong clock.
//!
//! Owns the conditions, as filters over the batches that the world hands over. Knows nothing of verdicts.

use warroom::model::log::LogLine;
use warroom::model::order::{Asked, Ledger, Role, Rows};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::simulator::{START, WEEK};

/// What somebody sees of an evening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Everything.
    All,
    /// No log line.
    NoLogs,
    /// One log line in ten.
    FewLogs,
    /// No table of callbacks.
    NoCallbacks,
    /// No transitions.
    NoEvents,
    /// No metric of the worst forty minutes.
    LostMetrics,
    /// One system's clock is 90 seconds ahead, in its rows, its looks and its lines.
    WrongClock,
    /// No metric at all.
    NoMetrics,
    /// UPG's database is not asked.
    NoPayments,
    /// Head Office is not asked.
    NoBooks,
    /// No database is looked at; rows come.
    NoLooks,
    /// Nobody says what was changed.
    NoMarks,
}

impl Seen {
    /// All of them.
    pub const EACH: [Self; 12] = [
        Self::All,
        Self::NoLogs,
        Self::FewLogs,
        Self::NoCallbacks,
        Self::NoEvents,
        Self::LostMetrics,
        Self::WrongClock,
        Self::NoMetrics,
        Self::NoPayments,
        Self::NoBooks,
        Self::NoLooks,
        Self::NoMarks,
    ];

    /// What of a batch arrives.
    pub fn of(self, mut batch: Batch, seed: u64) -> Batch {
        let system = SYSTEMS[(seed % SYSTEMS.len() as u64) as usize];
        let here = &*batch.source == system.0;
        batch.facts = batch.facts.into_iter().filter_map(|f| self.fact(f, seed, system, here)).collect();
        batch
    }

    fn fact(self, fact: Fact, seed: u64, system: (&str, &str), here: bool) -> Option<Fact> {
        match (self, fact) {
            (Self::NoLogs, Fact::Lines(_)) | (Self::NoLooks, Fact::Database(_)) | (Self::NoMarks, Fact::Mark(_)) => {
                None
            }
            (Self::NoMetrics, Fact::Samples(_)) => None,
            (Self::LostMetrics, Fact::Samples(s)) if lost(s.at) => None,
            (Self::NoCallbacks, Fact::Ledger(l)) if l.rows.role() == Role::Callbacks => None,
            (Self::NoEvents, Fact::Ledger(l)) if l.rows.role() == Role::OrderEvents => None,
            (Self::NoBooks, Fact::Ledger(l)) if l.rows.role() == Role::HoPayments => None,
            (Self::NoPayments, Fact::Ledger(l)) if matches!(l.rows.role(), Role::Payments | Role::Callbacks) => None,
            (Self::FewLogs, Fact::Lines(lines)) => {
                Some(Fact::Lines(lines.into_iter().filter(|l| kept(seed, l)).collect()))
            }
            (Self::WrongClock, Fact::Lines(mut lines)) => {
                let theirs = |l: &&mut LogLine| l.service.starts_with(system.1) && l.at >= START;
                lines.iter_mut().filter(theirs).for_each(|l| l.at = l.at + AHEAD);
                lines.sort_by_key(|l| l.at);
                Some(Fact::Lines(lines))
            }
            (Self::WrongClock, Fact::Ledger(l)) if here => Some(Fact::Ledger(ahead(l))),
            (Self::WrongClock, Fact::Database(mut look)) if here && look.at >= START => {
                look.at = look.at + AHEAD;
                Some(Fact::Database(look))
            }
            (_, fact) => Some(fact),
        }
    }
}

/// Sources and the beginnings of their services' names.
const SYSTEMS: [(&str, &str); 4] = [("ho", "ho"), ("upg", "upg"), ("orch", "orch"), ("mrg", "mrg")];
const AHEAD: Lapse = Lapse::seconds(90);

fn lost(at: Stamp) -> bool {
    let from = START + Lapse::minutes(43);
    Span::new(from, from + Lapse::minutes(40)).contains(at)
}

/// By the line itself, so that a second look loses the same ones.
fn kept(seed: u64, line: &LogLine) -> bool {
    let sum = line
        .message
        .raw()
        .bytes()
        .fold(seed ^ line.at.0 as u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    fastrand::Rng::with_seed(sum).u32(0..10) == 0 || line.at < START - Lapse(WEEK.0 / 2)
}

fn ahead(mut l: Ledger) -> Ledger {
    l.asof = l.asof + AHEAD;
    if let Asked::Window(span) = &mut l.asked {
        span.to = span.to + AHEAD;
    }
    match &mut l.rows {
        Rows::Orders(rows) => rows.iter_mut().for_each(|r| {
            r.created_at = r.created_at + AHEAD;
            r.updated_at = r.updated_at.map(|t| t + AHEAD);
        }),
        Rows::OrderEvents(rows) => rows.iter_mut().for_each(|r| r.at = r.at + AHEAD),
        Rows::Payments(rows) => rows.iter_mut().for_each(|r| {
            r.created_at = r.created_at + AHEAD;
            r.settled_at = r.settled_at.map(|t| t + AHEAD);
        }),
        Rows::Callbacks(rows) => rows.iter_mut().for_each(|r| r.sent_at = r.sent_at + AHEAD),
        Rows::HoPayments(rows) => rows.iter_mut().for_each(|r| r.recorded_at = r.recorded_at + AHEAD),
        Rows::OrdersAgg(rows) => rows.iter_mut().for_each(|r| r.bucket = r.bucket + AHEAD),
        Rows::Saga(rows) => rows.iter_mut().for_each(|r| r.at = r.at + AHEAD),
        Rows::CallbackQueue(rows) => rows.iter_mut().for_each(|r| r.oldest_at = r.oldest_at.map(|t| t + AHEAD)),
    }
    l
}
