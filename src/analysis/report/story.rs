//! What happened when: the stages from the spike to the gap at HO with their lags, and everything with a time in
//! one list.
//!
//! Owns which stage a signal belongs to. May not know: how it is written or drawn.

use super::text;
use crate::analysis::lane::book::Derived;
use crate::analysis::spike::{Onset, Spike};
use crate::model::incident::CONCLUDED;
use crate::model::untrusted::shown;
use crate::model::{MarkKind, Span, Stamp};
use crate::store::Store;
use serde::Serialize;

/// A stage of an incident of this kind, in the order in which one leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The crowd comes.
    Spike,
    /// Something is full, waits or is slow.
    Saturation,
    /// Something fails.
    Errors,
    /// Orders hang.
    Stuck,
    /// HO lacks what was charged.
    HoGap,
    /// It moved with the crowd, and that is all.
    Load,
}

impl Stage {
    /// Those that lead from one to the next.
    pub const CHAIN: [Self; 5] = [Self::Spike, Self::Saturation, Self::Errors, Self::Stuck, Self::HoGap];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Saturation => "saturation",
            Self::Errors => "errors",
            Self::Stuck => "stuck orders",
            Self::HoGap => "gap at HO",
            Self::Load => "moves with the load",
        }
    }

    /// The stage that a signal's departure belongs to.
    pub fn of(onset: &Onset) -> Self {
        if onset.trigger {
            return Self::Spike;
        }
        // Twice the users write twice the lines: nothing broke.
        if onset.broke.is_none() {
            return Self::Load;
        }
        let fails = || {
            let words = format!("{} {}", onset.name, onset.series).to_lowercase();
            onset.lines || ["error", "timeout", "fail", "rollback", "5xx", "deadlock"].iter().any(|w| words.contains(w))
        };
        match Derived::of(&onset.series) {
            Some(Derived::NotAtHo) => Self::HoGap,
            Some(Derived::StuckByBirth) => Self::Stuck,
            Some(Derived::Class(class)) => match class.card() {
                Some(card) if card.stuck => Self::Stuck,
                Some(card) if card.not_at_ho => Self::HoGap,
                _ => Self::Load,
            },
            None if fails() => Self::Errors,
            None => Self::Saturation,
            Some(Derived::Born | Derived::Paid) => Self::Load,
        }
    }
}

/// When a stage began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// Which.
    pub stage: Stage,
    /// The signals of its first minute.
    pub what: Vec<String>,
    /// When; none when it was not seen.
    pub at: Option<String>,
    /// Seconds after the spike; none without either.
    pub after_s: Option<i64>,
}

/// The stages in their order, each with its first minute.
pub fn lags(store: &Store, spike: Option<&Spike>, onsets: &[Onset]) -> Vec<Lag> {
    let zone = &store.incident.zone;
    let lag = |stage: Stage| {
        let of = || onsets.iter().filter(|o| Stage::of(o) == stage);
        let at = match (stage, spike) {
            (Stage::Spike, Some(s)) => Some(s.onset),
            _ => of().map(|o| o.at).min(),
        };
        let mut what: Vec<String> = of().filter(|o| Some(o.at) == at).map(|o| shown(&o.name)).collect();
        if let (Stage::Spike, Some(s), true) = (stage, spike, what.is_empty()) {
            what.push(shown(&s.lane));
        }
        let after_s = at.zip(spike).map(|(at, s)| at.since(s.onset).whole_seconds());
        Lag { stage, what, at: at.map(|t| zone.rfc3339(t)), after_s }
    };
    Stage::CHAIN.into_iter().map(lag).collect()
}

/// Something with a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: String,
    /// Seconds after the spike, where there is one.
    pub after_s: Option<i64>,
    /// `spike`, `peak`, `recovery`, a stage, `change`, `alarm`, `cleared`, `remark`, `conclusion`.
    pub kind: &'static str,
    /// What.
    pub text: String,
}

/// Everything with a time in the window, oldest first.
pub fn events(store: &Store, spike: Option<&Spike>, onsets: &[Onset], window: Span, at: Stamp) -> Vec<Event> {
    let mut all: Vec<(Stamp, &'static str, String)> = Vec::new();
    if let Some(s) = spike {
        let lane = shown(&s.lane);
        let told = s.told_by.as_ref().map(|by| format!(", told by {}", shown(by))).unwrap_or_default();
        all.push((s.onset, "spike", format!("{lane}: the spike begins{told}")));
        if s.told_by.is_none() {
            all.push((s.peak.0, "peak", format!("{lane}: the most, {}", super::impact::crowd(s.peak.1))));
        }
        all.extend(s.recovery.map(|t| (t, "recovery", format!("{lane}: back below the spike"))));
    }
    for o in onsets.iter().filter(|o| !o.trigger) {
        let stage = Stage::of(o);
        let first = if o.first_fault { ", the first that broke" } else { "" };
        let under = o.under.as_ref().map(|u| format!(", under {}", shown(u))).unwrap_or_default();
        let says = match stage {
            Stage::Stuck => format!("{}: from here on orders hang{first}", shown(&o.name)),
            _ => format!("{} leaves its usual{first}{under}", shown(&o.name)),
        };
        all.push((o.at, stage.name(), says));
    }
    for m in store.marks(at).iter().filter(|m| window.contains(m.at)) {
        let kind = match m.kind {
            MarkKind::Change => "change",
            MarkKind::Alarm => "alarm",
            MarkKind::Cleared => "cleared",
            MarkKind::Note if m.text.raw().starts_with(CONCLUDED) => "conclusion",
            MarkKind::Note => "remark",
        };
        all.push((m.at, kind, format!("{}: {}", text(&m.who), text(&m.text))));
    }
    all.retain(|(t, ..)| *t <= at);
    all.sort_by_key(|(t, kind, _)| (*t, *kind != "spike"));
    let zone = &store.incident.zone;
    let event = |(t, kind, text): (Stamp, &'static str, String)| Event {
        at: zone.rfc3339(t),
        after_s: spike.map(|s| t.since(s.onset).whole_seconds()),
        kind,
        text,
    };
    all.into_iter().map(event).collect()
}
