//! What happened in the cloud, as marks on the timeline: alarms raised and cleared (`alarms`), events
//! (`events`), changes by people and programs (`traces`).
//!
//! One task asks all three, each by its own manners; what one of them is refused the others do not feel, and
//! the metrics even less. Each thing that happened is handed over once.

mod alarms;
mod events;
mod traces;

use crate::config::cloud_metrics::MARKS_EVERY;
use crate::model::health::{Cost, Loss, State};
use crate::model::{Fact, Lapse, Mark, Span, Stamp};
use crate::source::clock::Clock;
use crate::source::huawei::metrics::Past;
use crate::source::huawei::{Answer, Ask, Client, Kind, Trouble};
use crate::source::runner::{Condition, Failure, Next, Poll, Round};
use std::collections::BTreeSet;

/// What happened up to this long before the window, or before the start, is asked for too.
const AROUND: Lapse = Lapse::minutes(30);
/// Something is told of this long after it happened, at most, in a live round.
const LATE: Lapse = Lapse::hours(2);
/// How far back is read at the start.
const BEFORE: Lapse = Lapse::hours(24);
/// An alarm of the window may be cleared this long after it.
const CLEARED: Lapse = Lapse::hours(24);
/// CTS keeps traces for seven days.
const TRACES_KEPT: Lapse = Lapse::hours(7 * 24);
/// Pages of one question: beyond them the newest are shown and the rest is told.
const MOST_PAGES: usize = 40;
/// Cells of a mark's text.
const TEXT: usize = 100;

/// A mark and what it is known by.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    id: String,
    mark: Mark,
}

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Alarms,
    Events,
    Traces,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Alarms => "alarms",
            Self::Events => "events",
            Self::Traces => "changes",
        }
    }
    /// What to grant when it is forbidden.
    const fn permission(self) -> &'static str {
        match self {
            Self::Alarms => "ces:alarmHistory:list (the policy CES ReadOnlyAccess has it), or set alarms = false",
            Self::Events => "the policy CES ReadOnlyAccess, or set events = false",
            Self::Traces => "cts:trace:list (the policy CTS ReadOnlyAccess has it), or set traces = false",
        }
    }
}

/// The source.
pub struct Marks {
    client: Client,
    clock: Clock,
    wanted: Vec<Wanted>,
    past: Past,
    seen: BTreeSet<String>,
    /// The second interface of alarms is not there: the first one is asked.
    first_interface: bool,
}

/// One question with what is left of it.
struct Wanted {
    what: What,
    /// Stretches of the past that were not answered yet.
    past: Vec<Span>,
    /// Up to here everything was asked for.
    covered: Option<Stamp>,
    /// Whether more pages were there than are read.
    more: bool,
    trouble: Option<Trouble>,
}

/// What asking brought; with a trouble, what came before it.
#[derive(Default)]
struct Haul {
    found: Vec<Found>,
    cost: Cost,
    more: bool,
}

impl Haul {
    /// Asks for one page and adds what it cost.
    async fn ask(&mut self, client: &Client, ask: Ask<'_>) -> Result<serde_json::Value, Trouble> {
        let answer: Answer = match client.call(ask).await {
            Ok(answer) => answer,
            Err(trouble) => {
                self.cost.add(&trouble.cost);
                return Err(trouble);
            }
        };
        self.cost.add(&answer.cost());
        answer.json().await
    }
}

impl Marks {
    /// A source that has asked nothing yet.
    pub fn new(client: Client, clock: Clock, past: Past) -> Self {
        let metrics = &client.config().metrics;
        let now = clock.now();
        let kinds = [(metrics.alarms, What::Alarms), (metrics.events, What::Events), (metrics.traces, What::Traces)];
        let wanted = kinds.into_iter().filter(|(on, _)| *on).map(|(_, what)| Wanted::new(what, &past, now)).collect();
        Self { client, clock, wanted, past, seen: BTreeSet::new(), first_interface: false }
    }

    /// Asks one question over a stretch.
    async fn ask(&mut self, what: What, span: Span, haul: &mut Haul) -> Result<(), Trouble> {
        match what {
            What::Alarms => {
                if !self.first_interface {
                    match alarms::second(&self.client, span, haul).await {
                        // Not every region has it.
                        Err(t) if matches!(t.kind, Kind::NotFound) => self.first_interface = true,
                        other => return other,
                    }
                }
                alarms::first(&self.client, span, haul).await
            }
            What::Events => events::ask(&self.client, span, haul).await,
            What::Traces => traces::ask(&self.client, span, haul).await,
        }
    }

    /// Asks everything that one question still has to; facts and cost go out even when it fails.
    async fn round(&mut self, i: usize, facts: &mut Vec<Fact>, cost: &mut Cost) {
        let now = self.clock.now();
        let Some(wanted) = self.wanted.get_mut(i) else { return };
        let what = wanted.what;
        wanted.more = false;
        if what == What::Traces {
            facts.extend(wanted.forgotten(now).map(|span| {
                let day = self.past.zone.format(span.from, "%-d %b");
                let says = format!("CTS keeps traces for 7 days: changes of {day} are gone");
                Fact::Loss(Loss { span, says: says.into() })
            }));
        }
        let live = Span::new(wanted.covered.map_or(now - BEFORE, |c| c.min(now) - LATE), now);
        let past = wanted.past.clone();
        let mut trouble = None;
        for (at, span) in std::iter::once(live).chain(past).enumerate() {
            let mut haul = Haul::default();
            let done = self.ask(what, span, &mut haul).await;
            cost.add(&haul.cost);
            for found in haul.found {
                if self.seen.insert(found.id) {
                    facts.push(Fact::Mark(found.mark));
                }
            }
            let Some(wanted) = self.wanted.get_mut(i) else { return };
            wanted.more |= haul.more;
            match done {
                Ok(()) if at == 0 => wanted.covered = Some(now),
                Ok(()) => wanted.past.retain(|s| *s != span),
                Err(t) => {
                    trouble = Some(t);
                    break;
                }
            }
        }
        if let Some(wanted) = self.wanted.get_mut(i) {
            wanted.trouble = trouble;
        }
    }

    /// How all of them are together: what one is refused leaves the others well.
    fn condition(&self) -> Condition {
        let troubled: Vec<(&Wanted, &Trouble)> =
            self.wanted.iter().filter_map(|w| Some((w, w.trouble.as_ref()?))).collect();
        let Some((first, trouble)) = troubled.first() else {
            let more: Vec<&str> = self.wanted.iter().filter(|w| w.more).map(|w| w.what.name()).collect();
            let says = if more.is_empty() {
                String::new()
            } else {
                format!("{}: more {} than are shown here; the newest are", self.client.name(), more.join(" and "))
            };
            return Condition { state: State::Well, says: says.into(), ..Condition::well() };
        };
        let own = trouble.condition();
        let names: Vec<&str> = troubled.iter().map(|(w, _)| w.what.name()).collect();
        let says = format!("no {}: {}", names.join(", no "), trouble.says());
        let remedy = match trouble.kind {
            Kind::Forbidden => format!("Grant {} in [huawei].", first.what.permission()),
            _ => own.remedy.raw().to_owned(),
        };
        if troubled.len() == self.wanted.len() {
            return Condition::down(own.code, says, remedy);
        }
        Condition::late(own.code, says, remedy)
    }
}

impl Wanted {
    fn new(what: What, past: &Past, now: Stamp) -> Self {
        let after = if what == What::Alarms { CLEARED } else { AROUND };
        let stretch = |span: Span| Span::new(span.from - AROUND, (span.to + after).min(now));
        let past = past.window.into_iter().map(stretch).filter(|s| s.from < now - BEFORE).collect();
        Self { what, past, covered: None, more: false, trouble: None }
    }

    /// What of the past is older than anything that is kept; it is not asked for.
    fn forgotten(&mut self, now: Stamp) -> impl Iterator<Item = Span> + use<> {
        let oldest = now - TRACES_KEPT;
        let mut gone = Vec::new();
        self.past.retain_mut(|span| {
            if span.from < oldest {
                gone.push(Span::new(span.from, span.to.min(oldest)));
                span.from = oldest;
            }
            span.from < span.to
        });
        gone.into_iter()
    }
}

impl Poll for Marks {
    async fn poll(&mut self) -> Result<Round, Failure> {
        let mut facts = Vec::new();
        let mut cost = Cost::default();
        for i in 0..self.wanted.len() {
            self.round(i, &mut facts, &mut cost).await;
        }
        cost.interval = MARKS_EVERY;
        let condition = self.condition();
        if condition.state == State::Down {
            return Err(Failure { condition, facts, cost: Some(cost), wait: MARKS_EVERY });
        }
        Ok(Round { facts, cost: Some(cost), condition, next: Next::Interval })
    }
}

/// An instant in whatever form: milliseconds, a text of them, RFC 3339.
fn instant(tree: &serde_json::Value, key: &str) -> Option<Stamp> {
    let text = tree.get(key).and_then(serde_json::Value::as_str);
    text.and_then(Stamp::parse_rfc3339).or_else(|| {
        let ms = super::lenient::number(tree, key)?;
        (1.0..1e13).contains(&ms).then(|| Stamp::from_millis(ms as i64))
    })
}

/// Milliseconds, as the interfaces want them.
const fn millis(at: Stamp) -> i64 {
    at.0.div_euclid(1000)
}
