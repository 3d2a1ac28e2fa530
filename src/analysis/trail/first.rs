//! The first missing step of an order in one sentence: what came last, and what should have followed.
//!
//! A step is missing only where somebody looked for it: a system that was not asked is said to be unknown.
//! May not know: hypotheses, screens.

use crate::analysis::clocks::Clocks;
use crate::analysis::reconcile::facts::{Facts, to_ho};
use crate::analysis::trail::Station;
use crate::analysis::trail::row::{events, status_word};
use crate::analysis::words::count;
use crate::model::incident::Rules;
use crate::model::order::{OrderStatus, PaymentStatus, Role};
use crate::model::{Stamp, Untrusted, Zone};
use crate::store::book::Entry;

/// A step of an order's way, in the order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The order's own row.
    Created,
    /// Goods and courier are reserved.
    Reserved,
    /// UPG knows of a payment.
    Begun,
    /// UPG took the money.
    Settled,
    /// A callback to HO was sent.
    Told,
    /// HO answered one with 2xx.
    Acknowledged,
    /// HO has the record.
    Recorded,
    /// The order is COMPLETE.
    Completed,
}

/// Where an order's way ends.
#[derive(Clone, Debug, PartialEq)]
pub struct First {
    /// The step that did not come.
    pub missing: Stage,
    /// The last one that came.
    pub last: Stage,
    /// `UPG settled 19:41:07; no callback was ever sent`.
    pub says: Untrusted,
}

/// What is needed to say it.
pub struct Way<'a> {
    /// What is known of the order.
    pub facts: &'a Facts<'a>,
    /// Its rows.
    pub entry: &'a Entry,
    /// Its stations.
    pub stations: &'a [Station],
    /// Clocks of the systems.
    pub clocks: &'a Clocks,
    /// As of.
    pub at: Stamp,
    /// When something is overdue.
    pub rules: &'a Rules,
    /// For times in the sentence.
    pub zone: &'a Zone,
}

impl Way<'_> {
    /// The first missing step; none while nothing is overdue or everything came.
    pub fn first(&self) -> Option<First> {
        let facts = self.facts;
        let order = facts.order?;
        let ended = matches!(order.status, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired);
        let overdue = facts.stuck(self.rules.stuck_after) || facts.missing_at_ho(self.rules.settle_after).is_some();
        if !overdue || (ended && facts.paid == 0) {
            return None;
        }
        let came = self.came();
        let reached = |stage: Stage| came.iter().any(|(s, _)| *s == stage);
        let missing = self.expected(ended).into_iter().find(|stage| {
            // What a later step of the same way proves did happen, though nobody wrote it down.
            !reached(*stage) && !came.iter().any(|(s, _)| s > stage)
        })?;
        let (last, at) = came.iter().filter(|(s, _)| *s < missing).max_by_key(|(s, _)| *s).copied()?;
        let says = format!("{}; {}", self.past(last, at), self.absence(missing));
        Some(First { missing, last, says: says.into() })
    }

    /// Steps in front of the end of a way, in their order.
    fn expected(&self, ended: bool) -> Vec<Stage> {
        let mut out = vec![Stage::Reserved, Stage::Begun, Stage::Settled, Stage::Told];
        if !self.stations.iter().any(|s| s.name == "RESERVE") {
            out.retain(|s| *s != Stage::Reserved);
        }
        if self.facts.callbacks_asked.is_none() {
            out.retain(|s| *s != Stage::Told);
        } else {
            out.push(Stage::Acknowledged);
        }
        out.push(Stage::Recorded);
        if !ended {
            out.push(Stage::Completed);
        }
        out
    }

    /// Steps that came, each with its time by our clock.
    fn came(&self) -> Vec<(Stage, Stamp)> {
        let station = |name: &str| self.stations.iter().find(|s| s.name == name).and_then(|s| s.at);
        let first = |role, times: &mut dyn Iterator<Item = Stamp>| times.min().map(|t| self.clocks.ours(role, t));
        let known = |t: &Stamp| *t <= self.at;
        let payments = || self.entry.payments.iter().filter(|(t, _)| known(t)).map(|(_, p)| p);
        let callbacks = || {
            let told = self.entry.callbacks.iter().filter(|(t, c)| known(t) && to_ho(c));
            told.map(|(_, c)| c)
        };
        let accepted = |s: Option<i32>| s.is_some_and(|s| (200..300).contains(&s));
        [
            (Stage::Created, station("CREATE")),
            (Stage::Reserved, station("RESERVE")),
            (Stage::Begun, first(Role::Payments, &mut payments().map(|p| p.created_at))),
            (Stage::Settled, self.facts.settled.map(|t| self.clocks.ours(Role::Payments, t))),
            (Stage::Told, first(Role::Callbacks, &mut callbacks().map(|c| c.sent_at))),
            (
                Stage::Acknowledged,
                first(Role::Callbacks, &mut callbacks().filter(|c| accepted(c.http_status)).map(|c| c.sent_at)),
            ),
            (Stage::Recorded, self.facts.recorded_at.map(|t| self.clocks.ours(Role::HoPayments, t))),
            (Stage::Completed, station("COMPLETE").filter(|_| !self.facts.active())),
        ]
        .into_iter()
        .filter_map(|(stage, at)| Some((stage, at?)))
        .collect()
    }

    fn past(&self, stage: Stage, at: Stamp) -> String {
        let t = self.zone.hms(at);
        match stage {
            Stage::Created => format!("created {t}"),
            Stage::Reserved => format!("reserved {t}"),
            Stage::Begun => format!("payment begun {t}"),
            Stage::Settled => format!("UPG settled {t}"),
            Stage::Told => self.told(&t),
            Stage::Acknowledged => format!("HO answered 2xx {t}"),
            Stage::Recorded => format!("HO recorded {t}"),
            Stage::Completed => format!("COMPLETE {t}"),
        }
    }

    /// All attempts in one clause: how many, since when, and the answer of the last.
    fn told(&self, first: &str) -> String {
        let sent = self.entry.callbacks.iter().filter(|(t, c)| *t <= self.at && to_ho(c)).map(|(_, c)| c);
        let last = sent.max_by_key(|c| (c.sent_at, c.attempt));
        let answer = match last.and_then(|c| c.http_status) {
            Some(status) => format!("HO answered {status}"),
            None => "HO did not answer".to_owned(),
        };
        match last.map(|c| self.clocks.ours(Role::Callbacks, c.sent_at)) {
            Some(t) if self.facts.callbacks > 1 => format!(
                "{} to HO since {first}, the last {}: {answer}",
                count(self.facts.callbacks, "callback", "callbacks"),
                self.zone.hms(t)
            ),
            _ => format!("callback to HO {first}: {answer}"),
        }
    }

    fn absence(&self, missing: Stage) -> String {
        let since = |asked: Option<Stamp>| asked.map_or(String::new(), |t| format!(" (asked {})", self.zone.hms(t)));
        match missing {
            Stage::Created => "its own row is missing".to_owned(),
            Stage::Reserved => "it was never reserved".to_owned(),
            Stage::Begun => match self.facts.payments_asked {
                None => "UPG was not asked whether it was paid".to_owned(),
                asked => format!("UPG knows of no payment{}", since(asked)),
            },
            Stage::Settled => self.unpaid(),
            Stage::Told => format!("no callback was ever sent{}", since(self.facts.callbacks_asked)),
            Stage::Acknowledged => "none was accepted".to_owned(),
            Stage::Recorded => match self.facts.ho_asked {
                None => "HO was not asked whether it has the record".to_owned(),
                asked => format!("HO has no record{}", since(asked)),
            },
            Stage::Completed => {
                let still = self.facts.order.map_or("ACTIVE", |o| status_word(&o.status));
                let wrote = events(self.entry, self.at).filter(|e| e.to.eq_ignore_ascii_case("COMPLETE")).count();
                if wrote > 0 {
                    format!("it was COMPLETE and is {still} again")
                } else {
                    format!("the order is still {still}")
                }
            }
        }
    }

    /// Begun and no money: it failed, or the gateway owes an answer.
    fn unpaid(&self) -> String {
        let newest = self.entry.payments.iter().filter(|(t, _)| *t <= self.at).max_by_key(|(t, p)| (p.created_at, *t));
        match newest.map(|(_, p)| &p.status) {
            Some(PaymentStatus::Failed) => "it FAILED at UPG, and the order was left as it is".to_owned(),
            Some(PaymentStatus::Refunded) => "the money went back, and the order was left as it is".to_owned(),
            Some(PaymentStatus::Other(word)) => {
                format!("UPG says {word}, which nobody has explained")
            }
            _ => "the gateway never answered".to_owned(),
        }
    }
}
