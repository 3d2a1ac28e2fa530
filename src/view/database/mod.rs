//! Screen 2: one database at the instant shown. Connections against what is usable, who blocks whom, what
//! the statements cost, which locks are wanted.
//!
//! Reads one look of `store` and what `analysis` makes of it. When the server refuses or does not answer,
//! the reason stands first and everything below is the last answer, greyed, with its time.

mod connections;
mod lock;
mod side;
mod statement;
mod tree;
mod trouble;

pub use lock::{lock_name, since, state_of};

use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::database::DbSample;
use crate::model::health::{Health, State};
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, Focus, Run, dim, plain, run, strong};
use crate::view::list::Runs;
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip};

/// What the panels draw from: one database as of the instant shown.
pub struct Shown<'a> {
    /// State.
    pub app: &'a App,
    /// Its name.
    pub name: String,
    /// The newest look at or before the instant.
    pub sample: Option<&'a DbSample>,
    /// The look of the baseline that belongs to the instant.
    pub normal: Option<&'a DbSample>,
    /// How the source is.
    pub health: Option<&'a Health>,
    /// Whether the look is old data kept.
    pub stale: bool,
    /// The instant ages are counted to: that of the look while it is kept, else the instant shown.
    pub at: Stamp,
}

/// The database in front, when there is one.
pub fn shown(app: &App) -> Option<Shown<'_>> {
    let name = app.database_name()?.to_owned();
    let at = app.at();
    let history = app.store.database(&name);
    let sample = app.look();
    let normal = app.store.incident.baseline_of(at).and_then(|t| history?.at(t));
    let health = app.store.health(&name, at);
    let every = app.store.incident.sources.iter().find(|c| c.name == name).and_then(|c| c.every);
    let patience = every.unwrap_or(Lapse::seconds(15)).times(4).max(Lapse::minutes(1));
    let old = sample.is_some_and(|s| at.since(s.at) > patience);
    let stale = health.is_some_and(|h| h.state == State::Down) || old;
    let counted = sample.map_or(at, |s| if stale { s.at } else { at });
    // A look of the baseline taken long before it is no look of that minute.
    let normal =
        normal.filter(|n| app.store.incident.baseline_of(at).is_some_and(|t| t.since(n.at) < Lapse::minutes(30)));
    Some(Shown { app, name, sample, normal, health, stale, at: counted })
}

impl Shown<'_> {
    /// The role of something that is drawn as of now: stale when it is old data kept.
    pub const fn role(&self, role: Role) -> Role {
        if self.stale { Role::Stale } else { role }
    }
    /// Whether a panel has the focus, and in which colour.
    pub fn focus(&self, panel: Panel) -> Focus {
        if self.app.panel() == panel { Focus::Here(moment::accent(self.app)) } else { Focus::Away }
    }
    /// Usable connections of a look.
    pub fn usable(sample: &DbSample) -> u32 {
        sample.max_connections.saturating_sub(sample.reserved)
    }
}

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let Some(db) = shown(app) else {
        strip::draw(app, canvas, &[], &[]);
        crate::view::nothing(
            canvas,
            app,
            "no database is configured: add a [[db]] with name and url to config.toml, or run warroom demo",
        );
        return;
    };
    scope(&db, canvas);
    let mut y = strip::draw(app, canvas, &lanes(&db), &notes(&db));
    let end = chrome::body_end(app);
    if app.grid.size != Size::Narrow {
        databases(&db, canvas, y);
        y += 2;
    }
    y = trouble::draw(&db, canvas, y);
    let Some(sample) = db.sample else {
        if db.health.is_none() {
            canvas.fit(
                app.grid.left,
                y,
                canvas.width(),
                &format!("{} has not answered yet: nothing is known of it", db.name),
                Role::Dim,
            );
        }
        return;
    };
    y = connections::draw(&db, sample, canvas, y);
    panels(&db, sample, canvas, y, end);
}

/// Which panels stand where: all of them on a wide screen, else the focused one.
fn panels(db: &Shown<'_>, sample: &DbSample, canvas: &mut Canvas<'_>, y: u16, end: u16) {
    let grid = &db.app.grid;
    let left = grid.left;
    if let (Size::Wide, Some((x, right))) = (grid.size, grid.side) {
        let main = grid.chart.1;
        side::draw(db, sample, canvas, (x, right), y, end);
        // Two of the panels below keep their room; the tree takes what they leave, at least eight rows.
        let statements = 8;
        let locks = 8;
        let tree_end = end.saturating_sub(statements + locks).max(y + 8).min(end);
        let mut next = tree::draw(db, sample, canvas, (left, main), y, tree_end);
        next = statement::draw(db, sample, canvas, (left, main), next, end.saturating_sub(locks));
        lock::draw(db, sample, canvas, (left, main), next, end);
        return;
    }
    let right = canvas.width().saturating_sub(1);
    match db.app.panel() {
        Panel::Statements => {
            statement::draw(db, sample, canvas, (left, right), y, end);
        }
        Panel::Wanted => lock::draw(db, sample, canvas, (left, right), y, end),
        Panel::Activity => side::draw(db, sample, canvas, (left, (left + 60).min(right)), y, end),
        _ => {
            let next = tree::draw(db, sample, canvas, (left, right), y, end);
            if grid.size == Size::Medium && end.saturating_sub(next) >= 5 {
                statement::draw(db, sample, canvas, (left, right), next, end);
            }
        }
    }
}

/// Lanes of the strip: those of this database.
fn lanes<'a>(db: &Shown<'a>) -> Vec<&'a str> {
    let of = |measure: &str| {
        let series = format!("{}.{measure}", db.name);
        db.app.store.incident.lanes.iter().find(move |l| *l.series == *series).map(|l| l.name.as_str())
    };
    [of("connections"), of("lock_waits")].into_iter().flatten().collect()
}

fn notes(db: &Shown<'_>) -> Vec<Vec<Run<'static>>> {
    let app = db.app;
    let zone = &app.store.incident.zone;
    if db.stale
        && let Some(sample) = db.sample
    {
        let ago = number::span(app.at().since(sample.at));
        return vec![
            vec![dim(format!("no sample of {} since", db.name))],
            vec![run(Role::Stale, format!("{}, {ago}", zone.hms(sample.at)))],
        ];
    }
    if app.in_the_past() {
        let before = number::span(app.live_edge().since(app.at()));
        return vec![
            vec![run(Role::Past, zone.hms(app.at())), dim(format!(" {before} before live"))],
            vec![dim("all panels show that moment")],
        ];
    }
    Vec::new()
}

/// Which look the numbers are of.
fn scope(db: &Shown<'_>, canvas: &mut Canvas<'_>) {
    let zone = &db.app.store.incident.zone;
    let wide = db.app.grid.size == Size::Wide;
    let every = db.app.store.incident.sources.iter().find(|c| c.name == db.name).and_then(|c| c.every);
    let Some(sample) = db.sample else {
        chrome::scope(canvas, &[dim(format!("{} · no answer yet", db.name))]);
        return;
    };
    let narrow = db.app.grid.size == Size::Narrow;
    let product =
        if narrow { String::new() } else { format!("{} · PostgreSQL {} · ", db.name, version(sample.version)) };
    let mut says = vec![dim(product)];
    if sample.replica {
        says.push(dim("replica · "));
    }
    let clock = zone.hms(sample.at);
    if db.stale {
        says.push(run(Role::Warn, format!("last answer {clock}, {}", number::ago(db.app.at().since(sample.at)))));
    } else if let (true, Some(every)) = (wide, every) {
        says.push(dim(format!("sample of {clock}, every {}", number::span(every))));
    } else {
        says.push(dim(format!("sample of {clock}")));
    }
    chrome::scope(canvas, &says);
}

/// `server_version_num` as people say it: 150018 is 15.18.
fn version(number: i32) -> String {
    format!("{}.{}", number / 10_000, number % 10_000)
}

/// The databases side by side, the one in front as a label.
fn databases(db: &Shown<'_>, canvas: &mut Canvas<'_>, y: u16) {
    let app = db.app;
    let end = canvas.width().saturating_sub(1);
    let mut x = app.grid.left;
    for name in app.database_names() {
        let front = name == db.name;
        let sample = app.store.database(name).and_then(|h| h.at(app.at()));
        let health = app.store.health(name, app.at());
        let state = word(health, sample);
        let broken = state.1 == Role::Bad;
        let down = health.is_some_and(|h| h.state == State::Down);
        let used = sample.map_or(number::NOTHING.to_owned(), |s| format!("{}/{}", s.states.used(), Shown::usable(s)));
        let full = sample.is_some_and(|s| s.states.used() * 20 >= Shown::usable(s) * 19 && Shown::usable(s) > 0);
        let used_role = match (down, full || (broken && front)) {
            (true, _) => Role::Stale,
            (false, true) => Role::Bad,
            (false, false) => Role::Dim,
        };
        let shown = canvas.shown(&crate::model::Untrusted::from(name));
        let mut runs: Runs =
            vec![if front { run(Role::Label, format!(" {shown} ")) } else { plain(shown) }, plain(" ")];
        runs.push(run(used_role, used));
        runs.push(run(state.1, format!("  {}", state.0)));
        x = canvas.runs(x, y, end, &runs) + 5;
        if x >= end {
            break;
        }
    }
}

fn word(health: Option<&Health>, sample: Option<&DbSample>) -> (String, Role) {
    match (health, sample) {
        (Some(h), _) if h.state == State::Down && h.code.starts_with("53") => ("refused".to_owned(), Role::Bad),
        (Some(h), _) if h.state == State::Down => ("does not answer".to_owned(), Role::Bad),
        (_, None) => ("not asked yet".to_owned(), Role::Dim),
        (_, Some(s)) => {
            let blocked = s.sessions.iter().filter(|x| !x.blocked_by.is_empty()).count();
            (format!("{blocked} blocked"), if blocked > 0 { Role::Bad } else { Role::Dim })
        }
    }
}

/// A number with the strong role while it is now, the stale one when kept.
fn value(db: &Shown<'_>, text: String) -> Run<'static> {
    if db.stale { run(Role::Stale, text) } else { strong(text) }
}
