//! Locks that several want, and transactions that stay open.

use super::Shown;
use crate::analysis::pattern::family;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::database::{DbSample, Lock, Session};
use crate::model::{Lapse, Stamp, Untrusted};
use crate::view::canvas::{Canvas, Focus, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, kept, visible};
use crate::view::look::Role;
use crate::view::{moment, number};
use std::collections::BTreeMap;

/// A transaction open for longer than this is listed.
const LONG: Lapse = Lapse::seconds(30);

/// What a lock is on, in the words of the look.
pub fn lock_name(lock: &Lock) -> Untrusted {
    if lock.target.is_empty() { Untrusted::from(format!("{} {}", lock.kind, lock.mode)) } else { lock.target.clone() }
}

/// The state of a session with what it waits for: `Lock transactionid`, `active IO DataFileRead`.
pub fn state_of(session: &Session) -> String {
    let wait = format!("{} {}", session.wait_kind, session.wait_event);
    let said = match (session.wait_kind.as_str(), session.state.as_str()) {
        ("Lock", _) => wait,
        ("" | "Client", state) => state.to_owned(),
        (_, state) => format!("{state} {wait}"),
    };
    // Words of the server's own lists; cut by the column, never trusted further than a name.
    said.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// How long ago `from` was; never negative.
pub fn since(from: Option<Stamp>, at: Stamp) -> Option<Lapse> {
    from.map(|t| at.since(t)).map(|l| if l < Lapse::ZERO { Lapse::ZERO } else { l })
}

/// Draws both panels, side by side where there is room.
pub fn draw(db: &Shown<'_>, sample: &DbSample, canvas: &mut Canvas<'_>, (x, right): (u16, u16), y: u16, end: u16) {
    if db.app.grid.size == Size::Wide {
        let middle = x + 82;
        wanted(db, canvas, (x, x + 75), y, end);
        open(db, sample, canvas, (middle, right), y, end);
        return;
    }
    let half = y + end.saturating_sub(y) / 2;
    let next = wanted(db, canvas, (x, right), y, half);
    open(db, sample, canvas, (x, right), next, end);
}

fn wanted(db: &Shown<'_>, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let locks = &db.app.derived.wanted;
    let total: usize = locks.iter().map(|l| l.waiting).sum();
    canvas.head_apart(x, y, end_x, "LOCKS NOT GRANTED", &total.to_string(), db.focus(Panel::Wanted));
    let mut y = y + 1;
    if locks.is_empty() {
        canvas.fit(x, y, end_x, "every lock asked for was granted", db.role(Role::Dim));
        return y + 2;
    }
    let columns = [left("on", 22), left("mode wanted", 28), right("waiting", 7), right("longest", 8)];
    canvas.table_head(x, y, &columns);
    y += 1;
    let rows = db.app.rows_in(Panel::Wanted);
    for i in visible(locks.len(), usize::from(end.saturating_sub(y)), rows.top, rows.focus) {
        let Some(lock) = locks.get(i) else { continue };
        let longest = lock.longest.map_or_else(|| dim(number::NOTHING), |l| plain(number::duration(l)));
        let mode = canvas.shown(&Untrusted::from(lock.mode.as_str()));
        let cells: [Runs; 4] = [
            canvas.outside(&lock.target, Role::Text),
            vec![dim(mode)],
            vec![strong(lock.waiting.to_string())],
            vec![longest],
        ];
        canvas.table_row(x, y, &columns, &cells.map(|c| kept(c, db.stale)));
        if i == rows.focus && matches!(db.focus(Panel::Wanted), Focus::Here(_)) {
            canvas.focus_row(x, y, end_x, moment::accent(db.app));
        }
        y += 1;
    }
    y + 1
}

/// Sessions of one application in one state whose transaction has been open for long.
struct Open<'a> {
    sessions: Vec<&'a Session>,
    longest: Lapse,
}

fn groups<'a>(sample: &'a DbSample, at: Stamp, canvas: &Canvas<'_>) -> Vec<((String, String), Open<'a>)> {
    let mut groups: BTreeMap<(String, String), Open<'_>> = BTreeMap::new();
    for session in &sample.sessions {
        let Some(age) = since(session.in_transaction, at).filter(|a| *a > LONG) else { continue };
        let state = match session.wait_kind.as_str() {
            "" | "Client" => session.state.clone(),
            kind => format!("{}, {kind}", session.state),
        };
        let entry = groups.entry((family(&canvas.shown(&session.application)).to_owned(), state));
        let group = entry.or_insert(Open { sessions: Vec::new(), longest: age });
        group.longest = group.longest.max(age);
        group.sessions.push(session);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, g)| std::cmp::Reverse(g.longest));
    groups
}

/// Whom or what the sessions wait for: the one blocker, the one event, or their client.
fn waits_for(group: &Open<'_>) -> String {
    let mut blockers: Vec<i32> = group.sessions.iter().flat_map(|s| s.blocked_by.iter().copied()).collect();
    blockers.sort_unstable();
    blockers.dedup();
    let first = group.sessions.first();
    match (blockers.as_slice(), first) {
        ([0], _) => "a prepared one".to_owned(),
        ([one], _) => one.to_string(),
        ([_, _, ..], _) => format!("{} sessions", blockers.len()),
        ([], Some(s)) if s.state.starts_with("idle in") => "its client".to_owned(),
        ([], Some(s)) if !s.wait_event.is_empty() => s.wait_event.chars().filter(|c| !c.is_control()).collect(),
        _ => "nothing: runs".to_owned(),
    }
}

fn open(db: &Shown<'_>, sample: &DbSample, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let groups = groups(sample, db.at, canvas);
    let total: usize = groups.iter().map(|(_, g)| g.sessions.len()).sum();
    canvas.head_apart(x, y, end_x, "TRANSACTIONS OPEN > 30 s", &total.to_string(), Focus::Away);
    let mut y = y + 1;
    if groups.is_empty() {
        canvas.fit(x, y, end_x, "no transaction has been open for longer than 30 s", db.role(Role::Dim));
        return;
    }
    let columns =
        [left("application", 16), left("state", 22), right("sessions", 8), right("longest", 8), left("waits for", 14)];
    canvas.table_head(x, y, &columns);
    y += 1;
    for ((application, state), group) in groups.iter().take(usize::from(end.saturating_sub(y))) {
        let state = canvas.shown(&Untrusted::from(state.as_str()));
        let cells: [Runs; 5] = [
            vec![plain(application.clone())],
            vec![dim(state)],
            vec![strong(group.sessions.len().to_string())],
            vec![plain(number::duration(group.longest))],
            vec![run(Role::Dim, waits_for(group))],
        ];
        canvas.table_row(x, y, &columns, &cells.map(|c| kept(c, db.stale)));
        y += 1;
    }
}
