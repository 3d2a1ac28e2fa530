//! One session of a database: everything the look knows of it, its statement in full, who blocks it and
//! whom it blocks.

use crate::app::App;
use crate::app::grid::Size;
use crate::model::database::{DbSample, Pid, Session};
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, Focus, dim, plain, run, strong};
use crate::view::database::{Shown, lock_name, shown, since, state_of};
use crate::view::list::{Runs, kept};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip, text};

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, pid: Pid) {
    let Some(db) = shown(app) else {
        crate::view::nothing(canvas, app, "no database is configured");
        return;
    };
    let Some((sample, session)) = db.sample.and_then(|s| Some((s, s.sessions.iter().find(|x| x.pid == pid)?))) else {
        absent(&db, canvas, pid);
        return;
    };
    let zone = &app.store.incident.zone;
    let role = if db.stale { Role::Warn } else { Role::Dim };
    let age = number::ago(app.at().since(sample.at));
    chrome::scope(
        canvas,
        &[dim(format!("{} · ", db.name)), run(role, format!("look of {}, {age}", zone.hms(sample.at)))],
    );
    let mut y = if app.grid.size == Size::Narrow {
        chrome::body_top(app)
    } else {
        strip::draw(app, canvas, &["connections", "lock waits"], &[])
    };
    let end = chrome::body_end(app);
    let left = app.grid.left;
    let right = canvas.width().saturating_sub(1);
    canvas.head(left, y, right, &format!("SESSION {pid}"), "", Focus::Here(moment::accent(app)));
    y += 1;
    for (label, runs) in sheet(&db, session, canvas) {
        if y >= end {
            return;
        }
        canvas.fit(left, y, left + 17, label, Role::Dim);
        canvas.runs(left + 18, y, right, &kept(runs, db.stale));
        y += 1;
    }
    y = statement(&db, session, canvas, (left, right), y + 1, end);
    y = people(&db, sample, canvas, (left, right), y + 1, end, &waits_for(sample, session));
    people(&db, sample, canvas, (left, right), y + 1, end, &holds_up(sample, session));
}

/// The session is not in the look of this instant: it ended, or it waits for nobody and blocks nobody.
fn absent(db: &Shown<'_>, canvas: &mut Canvas<'_>, pid: Pid) {
    let app = db.app;
    let zone = &app.store.incident.zone;
    let last = app.store.database(&db.name).and_then(|h| {
        h.iter().rev().find(|(t, s)| *t <= app.at() && s.sessions.iter().any(|x| x.pid == pid)).map(|(t, _)| t)
    });
    let seen = match last {
        Some(t) => format!("it was last seen at {}; ← goes there", zone.hms(t)),
        None => "it was not seen before this instant".to_owned(),
    };
    let says = format!(
        "session {pid} of {} is not in the look of {}: it ended, or it neither waits nor blocks nor is long in a transaction; {seen}",
        db.name,
        zone.hms(app.at())
    );
    crate::view::nothing(canvas, app, &says);
}

fn sheet(db: &Shown<'_>, s: &Session, canvas: &Canvas<'_>) -> Vec<(&'static str, Runs)> {
    let when = |t: Option<Stamp>| -> Runs {
        match (t, since(t, db.at)) {
            (Some(t), Some(age)) => {
                vec![strong(number::duration(age)), dim(format!("   since {}", db.app.store.incident.zone.hms(t)))]
            }
            _ => vec![dim(number::NOTHING)],
        }
    };
    let mut who = canvas.outside(&s.application, Role::Strong);
    who.push(dim("   role "));
    who.extend(canvas.outside(&s.user, Role::Text));
    who.push(dim("   from "));
    let client = if s.client.is_empty() {
        vec![dim("a local socket, or not visible")]
    } else {
        canvas.outside(&s.client, Role::Text)
    };
    who.extend(client);
    let state = if s.wait_kind == "Lock" { Role::Bad } else { Role::Text };
    let mut out =
        vec![("application", who), ("state", vec![run(state, state_of(s))]), ("in this state", when(s.in_state))];
    out.extend([("waits for a lock", when(s.waiting)), ("in transaction", when(s.in_transaction))]);
    out.extend([("last statement", when(s.in_query)), ("connected", when(s.connected))]);
    let wants = s.wants.as_ref().map_or_else(
        || vec![dim("no lock")],
        |l| {
            let mut runs = canvas.outside(&lock_name(l), Role::Text);
            runs.push(dim(format!("   {} on {}", calm(&l.mode), calm(&l.kind))));
            runs
        },
    );
    out.push(("wants", wants));
    if s.holds.is_empty() {
        out.push(("holds", vec![dim("no lock that somebody wants")]));
    }
    for (i, lock) in s.holds.iter().enumerate() {
        let mut runs = canvas.outside(&lock_name(lock), Role::Text);
        runs.push(dim(format!("   {} on {}", calm(&lock.mode), calm(&lock.kind))));
        out.push((if i == 0 { "holds" } else { "" }, runs));
    }
    out
}

/// Words of the server's own lists.
fn calm(word: &str) -> String {
    text::show_str(word, text::Privacy::Masked)
}

fn statement(db: &Shown<'_>, s: &Session, canvas: &mut Canvas<'_>, (left, right): (u16, u16), y: u16, end: u16) -> u16 {
    if y >= end {
        return y;
    }
    let runs = if s.state.starts_with("idle") { "LAST STATEMENT" } else { "STATEMENT" };
    canvas.head(left, y, right, runs, "as far as the server keeps it", Focus::Away);
    let mut y = y + 1;
    let shown = canvas.shown(&text::flat(&s.query));
    if shown.is_empty() {
        canvas.fit(left, y, right, "not visible to our role: GRANT pg_read_all_stats TO warroom", Role::Warn);
        return y + 1;
    }
    for line in text::wrap(&shown, usize::from(right.saturating_sub(left))) {
        if y >= end {
            break;
        }
        canvas.fit(left, y, right, &line, db.role(Role::Text));
        y += 1;
    }
    y
}

/// Sessions with a heading of their own.
struct People<'a> {
    title: &'static str,
    none: &'static str,
    sessions: Vec<(Pid, Option<&'a Session>)>,
}

fn waits_for<'a>(sample: &'a DbSample, s: &Session) -> People<'a> {
    let find = |pid: &Pid| (*pid, sample.sessions.iter().find(|x| x.pid == *pid));
    People {
        title: "BLOCKED BY",
        none: "nobody: it waits for no other session",
        sessions: s.blocked_by.iter().map(find).collect(),
    }
}

fn holds_up<'a>(sample: &'a DbSample, s: &Session) -> People<'a> {
    let mut behind: Vec<&Session> = sample.sessions.iter().filter(|x| x.blocked_by.contains(&s.pid)).collect();
    behind.sort_by_key(|x| x.waiting);
    People { title: "HOLDS UP", none: "nobody", sessions: behind.into_iter().map(|x| (x.pid, Some(x))).collect() }
}

fn people(
    db: &Shown<'_>,
    sample: &DbSample,
    canvas: &mut Canvas<'_>,
    (left, right): (u16, u16),
    y: u16,
    end: u16,
    who: &People<'_>,
) -> u16 {
    if y + 1 >= end {
        return y;
    }
    let n = who.sessions.len();
    let remark = if n == 0 { String::new() } else { number::plural(n, "session directly", "sessions directly") };
    canvas.head(left, y, right, who.title, &remark, Focus::Away);
    let mut y = y + 1;
    if n == 0 {
        canvas.fit(left, y, right, who.none, Role::Dim);
        return y + 1;
    }
    let room = usize::from(end.saturating_sub(y));
    let most = if n > room { room.saturating_sub(1) } else { n };
    for (pid, session) in who.sessions.iter().take(most) {
        let mut runs: Runs = vec![strong(if *pid == 0 { format!("{:<9}", "prepared") } else { format!("{pid:<9}") })];
        match session {
            Some(s) => {
                let wait = since(s.waiting, db.at).or_else(|| since(s.in_transaction, db.at)).unwrap_or(Lapse::ZERO);
                runs.push(plain(format!("{:>7}  ", number::duration(wait))));
                runs.push(dim(format!("{:<22}", text::cut(&state_of(s), 21))));
                runs.extend(canvas.outside(&s.application, Role::Text));
                runs.push(plain("  "));
                runs.extend(canvas.outside(&text::flat(&s.query), Role::Dim));
            }
            None if *pid == 0 => runs
                .push(dim("a prepared transaction: see pg_prepared_xacts; somebody has to commit it or roll it back")),
            None => runs.push(dim(format!("not among the {} sessions of this look", sample.sessions.len()))),
        }
        canvas.runs(left, y, right, &kept(runs, db.stale));
        y += 1;
    }
    if most < n {
        canvas.fit(left, y, right, &format!("… {} more", n - most), Role::Dim);
        y += 1;
    }
    y
}
