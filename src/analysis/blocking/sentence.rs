//! One sentence about a session of the blocking tree.

use crate::analysis::blocking::forest::Forest;
use crate::analysis::words::{count, lasting};
use crate::model::database::{DbSample, Session};
use crate::model::{Lapse, Stamp};
use std::fmt::Write as _;

/// One sentence about a session: what it does, since when, whom it holds up. Ages are measured by the
/// server's own clock at the look; `at` only tells how much older than the moment shown the look is.
pub fn sentence(sample: &DbSample, session: usize, at: Stamp) -> String {
    let forest = Forest::grow(sample);
    let Some(s) = sample.sessions.get(session) else {
        return "The blocker is not among the sessions of this look: a prepared transaction (see \
                pg_prepared_xacts), one that has just ended, or one we may not see."
            .to_owned();
    };
    let mut out = format!("{} ({}){}", s.pid, s.application.raw(), doing(s, sample.at));
    if let Some(node) = forest.nodes.iter().find(|n| n.session == session && n.blocks > 0) {
        let sessions = count(node.blocks, "session waits", "sessions wait");
        let _ = write!(out, "; {sessions} behind it");
        let longest = behind(&forest, sample, session).map(|since| sample.at.since(since));
        if let Some(longest) = longest {
            let _ = write!(out, ", the longest for {}", lasting(longest));
        }
    }
    let age = at.since(sample.at);
    if age > Lapse::minutes(1) {
        let _ = write!(out, " (as of {} earlier)", lasting(age));
    }
    out.push('.');
    out
}

/// Since when the longest of those behind a session waits.
fn behind(forest: &Forest, sample: &DbSample, session: usize) -> Option<Stamp> {
    let root = forest.nodes.iter().position(|n| n.session == session)?;
    let mut open = vec![root];
    let mut longest: Option<Stamp> = None;
    while let Some(n) = open.pop() {
        for &child in &forest.nodes[n].children {
            open.push(child);
            let since = sample.sessions.get(forest.nodes[child].session).and_then(|s| s.waiting);
            longest = match (longest, since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    longest
}

fn doing(s: &Session, now: Stamp) -> String {
    let since = |t: Option<Stamp>| t.map(|t| lasting(now.since(t)));
    let opened = since(s.in_transaction).map_or(String::new(), |age| format!(" has had a transaction open for {age}"));
    let rest = if s.state.starts_with("idle in transaction") {
        let quiet = since(s.in_state).map_or(String::new(), |age| format!(" and has asked nothing for {age}"));
        let aborted = if s.state.contains("aborted") { "; a statement of it failed" } else { "" };
        format!("{quiet}{aborted}: its client is busy with something that is not this database")
    } else if let Some(wants) = s.wants.as_ref().filter(|_| s.waiting.is_some()) {
        let age = since(s.waiting).unwrap_or_default();
        let joint = if opened.is_empty() { "" } else { " and" };
        format!("{joint} has waited {age} for {} on {}", wants.mode, wants.target.raw())
    } else if s.state == "active" {
        let running = since(s.in_query).map_or(String::new(), |age| format!(" for {age}"));
        let joint = if opened.is_empty() { "" } else { " and" };
        let busy = if s.wait_kind.is_empty() {
            "on the processor".to_owned()
        } else {
            format!("now waiting on {} {}", s.wait_kind, s.wait_event)
        };
        format!("{joint} runs its statement{running}, {busy}")
    } else if s.state.is_empty() {
        ": we may not see what it does".to_owned()
    } else {
        format!(" is {}", s.state)
    };
    format!("{opened}{rest}")
}
