//! What one order says of each hypothesis, with the reason in a sentence.
//!
//! Lines may be sampled, so a line that is not there is no evidence; a consequence is not a cause: what
//! came after the order had already failed supports nothing.

use crate::analysis::reconcile::facts::Facts;
use crate::analysis::trail::row::events;
use crate::analysis::trail::{Says, Step};
use crate::analysis::words::{count, lasting};
use crate::model::note::Verdict;
use crate::model::order::Role;
use crate::model::{Lapse, Stamp, Zone};
use crate::store::book::Entry;

/// A deadline this soon after a pool time-out of the same order is the pool's own.
const SAME_WAIT: Lapse = Lapse::seconds(10);

/// What is needed to hear an order.
pub struct Witness<'a> {
    /// What the ledgers hold of it.
    pub facts: &'a Facts<'a>,
    /// Its rows.
    pub entry: &'a Entry,
    /// Its steps, in time order, without missing ones.
    pub steps: &'a [Step],
    /// As of.
    pub at: Stamp,
    /// ACTIVE for longer than this is stuck.
    pub stuck_after: Lapse,
    /// Whether the roles that matter have ever answered.
    pub has: &'a dyn Fn(Role) -> bool,
    /// For times in sentences.
    pub zone: &'a Zone,
}

impl Witness<'_> {
    /// Verdicts on the five hypotheses of the first incident, the clearest first.
    pub fn says(&self) -> Vec<Says> {
        let mut out = vec![self.pool(), self.callback(), self.breaker(), self.timeout(), self.race()];
        let rank = |v: Verdict| match v {
            Verdict::Supports => 0,
            Verdict::Refutes => 1,
            Verdict::Inconclusive => 2,
            Verdict::NoData => 3,
        };
        out.sort_by_key(|s| (rank(s.verdict), s.hypothesis));
        out
    }

    fn lines(&self) -> impl Iterator<Item = (&Step, String)> {
        self.steps.iter().filter(|s| s.says.ends_with(" log")).map(|s| (s, s.what.raw().to_ascii_lowercase()))
    }

    /// Its own lines that match, with the time each began: a wait of 5000 ms began five seconds earlier.
    fn matching(&self, names: impl Fn(&str) -> bool) -> Vec<Stamp> {
        let begun = |s: &Step, text: &str| Some(s.at? - waited(text));
        self.lines().filter(|(_, text)| names(text)).filter_map(|(s, text)| begun(s, &text)).collect()
    }

    /// No data, or nothing in the lines it has.
    fn unsaid(&self, hypothesis: u32, of: &str) -> Says {
        let lines = self.lines().count();
        if lines == 0 {
            let because = "no log line of this order was kept, which says nothing either way".to_owned();
            return Says { hypothesis, verdict: Verdict::NoData, because };
        }
        let because = format!("none of its {} names {of}; lines may be sampled", count(lines, "line", "lines"));
        Says { hypothesis, verdict: Verdict::Inconclusive, because }
    }

    fn pool(&self) -> Says {
        let waits = self.matching(names_pool);
        let Some(first) = waits.iter().min() else { return self.unsaid(1, "a wait for a connection") };
        let because = format!(
            "{} of its own could not get a database connection in time, first at {}",
            count(waits.len(), "step", "steps"),
            self.zone.hms(*first)
        );
        Says { hypothesis: 1, verdict: Verdict::Supports, because }
    }

    fn callback(&self) -> Says {
        let facts = self.facts;
        let say = |verdict, because: String| Says { hypothesis: 2, verdict, because };
        if facts.payments_asked.is_none() {
            return say(Verdict::NoData, "UPG has not been asked about it".to_owned());
        }
        if facts.paid == 0 {
            return say(Verdict::Refutes, "no money moved, so there was nothing to tell HO".to_owned());
        }
        if facts.recorded >= facts.paid {
            return say(Verdict::Refutes, "HO has the record, so it was told".to_owned());
        }
        match (facts.callbacks, facts.callbacks_asked) {
            (0, None) => say(
                Verdict::NoData,
                "callbacks were not asked: configure a [[query]] with role = \"callbacks\"".to_owned(),
            ),
            (0, Some(_)) => say(Verdict::Refutes, "nobody ever tried to call HO about it".to_owned()),
            (n, _) if facts.acknowledged => {
                let tried = count(n, "callback", "callbacks");
                say(Verdict::Inconclusive, format!("{tried} sent and one accepted, yet HO has no record"))
            }
            (n, _) => {
                let tried = count(n, "callback", "callbacks");
                say(Verdict::Supports, format!("{tried} to HO tried and none accepted"))
            }
        }
    }

    fn breaker(&self) -> Says {
        let opened = self.matching(names_breaker);
        let Some(first) = opened.iter().min() else { return self.unsaid(3, "an open circuit breaker") };
        let failed = self.matching(|text| !names_breaker(text) && (names_pool(text) || names_deadline(text)));
        let earlier = failed.into_iter().min().filter(|t| t < first);
        let at = self.zone.hms(*first);
        match earlier {
            Some(t) => Says {
                hypothesis: 3,
                verdict: Verdict::Inconclusive,
                because: format!("the breaker refused it at {at}, after it had begun to fail at {}", self.zone.hms(t)),
            },
            None if self.stopped().is_some_and(|t| t < *first) => Says {
                hypothesis: 3,
                verdict: Verdict::Inconclusive,
                because: format!("the breaker refused it at {at}, when the order had already stopped"),
            },
            None => Says {
                hypothesis: 3,
                verdict: Verdict::Supports,
                because: format!("an open breaker refused it at {at}, before anything else of it failed"),
            },
        }
    }

    /// When its saga gave up, as far as a line says so.
    fn stopped(&self) -> Option<Stamp> {
        self.lines().filter(|(_, text)| text.contains("gave up")).filter_map(|(s, _)| s.at).min()
    }

    fn timeout(&self) -> Says {
        let waits: Vec<Stamp> = self.lines().filter(|(_, text)| names_pool(text)).filter_map(|(s, _)| s.at).collect();
        let deadlines: Vec<Stamp> = self
            .lines()
            .filter(|(_, text)| names_deadline(text) && !names_pool(text))
            .filter_map(|(s, _)| s.at)
            .collect();
        // A wait for the pool ends in the same Go error text as a slow call.
        let of_pool = |t: &Stamp| waits.iter().any(|w| *w <= *t && t.since(*w) <= SAME_WAIT);
        let own: Vec<&Stamp> = deadlines.iter().filter(|t| !of_pool(t)).collect();
        match (own.first(), deadlines.len()) {
            (Some(first), _) => Says {
                hypothesis: 4,
                verdict: Verdict::Supports,
                because: format!(
                    "{} ran into a deadline that was not the pool's, first at {}",
                    count(own.len(), "call", "calls"),
                    self.zone.hms(**first)
                ),
            },
            (None, 0) => self.unsaid(4, "a deadline"),
            (None, n) => Says {
                hypothesis: 4,
                verdict: Verdict::Inconclusive,
                because: format!(
                    "{} within {} of a wait for the pool: a consequence of that",
                    count(n, "deadline", "deadlines"),
                    lasting(SAME_WAIT)
                ),
            },
        }
    }

    fn race(&self) -> Says {
        let facts = self.facts;
        let say = |verdict, because: String| Says { hypothesis: 5, verdict, because };
        if facts.recorded > facts.paid && facts.paid > 0 {
            return say(Verdict::Supports, "HO recorded it more often than it was paid".to_owned());
        }
        if facts.stuck(self.stuck_after) && facts.paid == 1 && facts.recorded >= 1 {
            return say(Verdict::Supports, "paid and in HO's books, yet the order is still ACTIVE".to_owned());
        }
        let transitions: Vec<_> = events(self.entry, self.at).collect();
        let backwards = transitions.iter().find(|e| illegal(e.from.as_deref(), &e.to));
        if let Some(e) = backwards {
            let from = e.from.as_deref().unwrap_or_default();
            return say(Verdict::Supports, format!("went from {from} to {}, which no order may", e.to));
        }
        let mut versions: Vec<i64> = transitions.iter().filter_map(|e| e.version).collect();
        let all = versions.len();
        versions.sort_unstable();
        versions.dedup();
        if versions.len() < all {
            return say(Verdict::Supports, "two transitions carry the same version of its row".to_owned());
        }
        if transitions.is_empty() {
            let why = if (self.has)(Role::OrderEvents) {
                "no transition of it was kept"
            } else {
                "its transitions were not asked: configure a [[query]] with role = \"order_events\""
            };
            return say(Verdict::NoData, why.to_owned());
        }
        say(
            Verdict::Refutes,
            format!("{}, none out of order", count(all.max(transitions.len()), "transition", "transitions")),
        )
    }
}

/// Transitions that no order may make: nothing leads back into ACTIVE, and nothing out of COMPLETE.
fn illegal(from: Option<&str>, to: &str) -> bool {
    let Some(from) = from else { return false };
    let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
    (is(to, "ACTIVE") && !is(from, "CREATED")) || (is(from, "COMPLETE") && !is(to, "COMPLETE"))
}

/// A line about waiting in vain for a pooled connection. `text` is in lower case.
pub fn names_pool(text: &str) -> bool {
    let waited = text.contains("timeout") || text.contains("timed out") || text.contains("deadline");
    (text.contains("acquire") && waited)
        || text.contains("no connection within")
        || text.contains("pool exhausted")
        || text.contains("too many clients")
        || text.contains("remaining connection slots")
}

/// A line about a call that ran into a deadline. `text` is in lower case.
pub fn names_deadline(text: &str) -> bool {
    ["deadline exceeded", "client.timeout", "i/o timeout", "timeout exceeded", "request timeout", "timed out"]
        .iter()
        .any(|words| text.contains(words))
}

/// A line about a breaker that refused. `text` is in lower case.
pub fn names_breaker(text: &str) -> bool {
    text.contains("circuit breaker") && text.contains("open")
}

/// How long a line says it waited: the first number that stands before `ms`.
fn waited(text: &str) -> Lapse {
    let Some(end) =
        text.match_indices("ms").map(|(i, _)| i).find(|i| text[..*i].ends_with(|c: char| c.is_ascii_digit()))
    else {
        return Lapse::ZERO;
    };
    let digits = text[..end].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().map_or(Lapse::ZERO, |ms: i64| Lapse::millis(ms.min(600_000)))
}
