//! The Timeline's side column: what broke first, the leading hypothesis, what was so at the cursor, events;
//! in its place the selection's drill panel, the sources not reached yet, or how to use the demo. When
//! there is no side column the same is said in three lines.

use crate::analysis::check::Finding;
use crate::analysis::lane::{Cell, is_broken};
use crate::analysis::reconcile::Standing;
use crate::app::App;
use crate::app::findings::Event;
use crate::app::rows::Panel as Rows;
use crate::app::state::Mode;
use crate::model::health::State;
use crate::model::incident::SourceKind;
use crate::model::note::Verdict;
use crate::model::series::{Bad, Lane, Rollup};
use crate::model::untrusted::shown;
use crate::model::{Lapse, MarkKind, Span, Stamp};
use crate::view::canvas::{Canvas, Run, dim, plain, run, strong};
use crate::view::look::Role;
use crate::view::{chrome, lane, marks, moment, number, text};

/// A column that is filled downwards until its end.
struct Panel<'c, 'b> {
    canvas: &'c mut Canvas<'b>,
    x: u16,
    end: u16,
    y: u16,
    bottom: u16,
}

impl Panel<'_, '_> {
    fn width(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }
    fn full(&self) -> bool {
        self.y >= self.bottom
    }
    fn head(&mut self, title: &str, right: &str) {
        if !self.full() {
            self.canvas.head_apart(self.x, self.y, self.end, title, right, crate::view::canvas::Focus::Away);
            self.y += 1;
        }
    }
    fn focused_head(&mut self, title: &str, right: &str, app: &App, focused: bool) {
        let y = self.y;
        self.head(title, right);
        if focused && y < self.bottom {
            self.canvas.gutter(self.x.saturating_sub(1), y, moment::accent(app));
        }
    }
    fn line(&mut self, runs: &[Run<'_>]) {
        if !self.full() {
            self.canvas.runs(self.x, self.y, self.end, runs);
            self.y += 1;
        }
    }
    /// A line with something at its right edge, which is never cut.
    fn pair(&mut self, left: &[Run<'_>], right: Run<'_>) {
        if !self.full() {
            let end = self.end.saturating_sub(right.width() as u16);
            self.canvas.put(end, self.y, &right.text, right.role);
            self.canvas.runs(self.x, self.y, end.saturating_sub(1), left);
            self.y += 1;
        }
    }
    fn sentence(&mut self, says: &str, role: Role) {
        for line in text::wrap(says, self.width()) {
            self.line(&[run(role, line)]);
        }
    }
    fn gap(&mut self) {
        self.y += 1;
    }
}

/// Draws the side column from row `y` to `bottom` (exclusive).
pub fn draw(app: &App, canvas: &mut Canvas<'_>, y: u16, bottom: u16) {
    let Some((x, end)) = app.grid.side else { return };
    let mut panel = Panel { canvas, x, end, y, bottom };
    if let Some(span) = moment::selected(app).or(app.window) {
        selection(app, &mut panel, span);
    } else if is_cold(app) {
        cold(app, &mut panel);
    } else if app.mode == Mode::Demo && !moment::after_onset(app) && !app.in_the_past() {
        demo(app, &mut panel);
    } else {
        broke_first(app, &mut panel);
        leading(app, &mut panel);
        at_cursor(app, &mut panel);
        events(app, &mut panel, None);
    }
}

/// The three lines that stand for the side column on narrow screens.
pub fn draw_lines(app: &App, canvas: &mut Canvas<'_>, y: u16, bottom: u16) {
    let (x, end) = (app.grid.left, canvas.width().saturating_sub(1));
    let mut lines: Vec<Vec<Run<'_>>> = Vec::new();
    let zone = &app.store.incident.zone;
    if is_cold(app) {
        let unwell: Vec<String> = unwell(app).into_iter().map(|(name, _)| name).collect();
        lines.push(vec![strong("Not reached yet "), run(Role::Bad, format!("✕ {}", unwell.join("  ✕ ")))]);
        lines.push(vec![dim("6 says why and what to do; warroom check tries each once.")]);
    } else {
        lines.push(first_line(app));
        lines.push(leading_line(app, canvas));
        let mut at = vec![strong(format!("At {} ", lane::clock(zone, app.at(), app.step)))];
        for (name, says) in at_rows(app, canvas, 30).into_iter().take(2) {
            at.extend([dim(format!("{name} ")), plain(format!("{says}  "))]);
        }
        lines.push(at);
    }
    for (i, line) in lines.iter().enumerate() {
        if y + (i as u16) < bottom {
            canvas.runs(x, y + i as u16, end, line);
        }
    }
}

fn first_line(app: &App) -> Vec<Run<'static>> {
    let mut out = vec![strong("Broke first ")];
    let known = || app.derived.onsets.iter().filter(|o| !o.trigger && o.at <= app.at());
    let faults: Vec<_> = known().filter(|o| o.broke.is_some()).take(4).collect();
    let Some(first) = faults.first() else {
        let busy = known().next().is_some();
        out.push(dim(if busy { "nothing: what moved, moved with the traffic" } else { "nothing has left its band" }));
        return out;
    };
    out.push(dim(format!("{} ", app.store.incident.zone.hm(first.at))));
    for (i, o) in faults.iter().enumerate() {
        let after = number::after(o.after).replace(' ', "");
        let arrow = if i > 0 { " › " } else { "" };
        out.extend([dim(arrow), plain(lane::short(&o.name, 12)), dim(format!(" {after}"))]);
    }
    out
}

fn leading_line(app: &App, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    let ranked = &app.derived.findings.hypotheses;
    let Some(first) = ranked.first() else { return vec![strong("Leading "), dim("the note has no hypothesis")] };
    let mut out = vec![
        strong("Leading "),
        plain(format!("H{} {} ", first.number, text::cut(&canvas.shown(&first.title), 26))),
        strong(format!("{} ", number::score(first.score))),
        dim(tally(first, app.in_the_past())),
    ];
    if let Some(next) = ranked.get(1) {
        out.push(dim(format!("; next H{} {}", next.number, number::score(next.score))));
    }
    out
}

/// Whether nothing has been measured at all and somebody does not answer.
pub fn is_cold(app: &App) -> bool {
    !app.store.incident.lanes.is_empty()
        && app.derived.lanes.iter().all(|l| l.now.is_none() && l.cells.iter().all(|c| c.value().is_none()))
        && !unwell(app).is_empty()
}

/// Sources that are down or have not said anything, with what they say.
fn unwell(app: &App) -> Vec<(String, Option<&crate::model::health::Health>)> {
    let health = |name: &str| app.health(name);
    app.store
        .incident
        .sources
        .iter()
        .map(|c| (c.name.clone(), health(&c.name)))
        .filter(|(_, h)| h.is_none_or(|h| h.state == State::Down))
        .collect()
}

fn cold(app: &App, panel: &mut Panel<'_, '_>) {
    panel.head("NOT REACHED YET", "next try");
    let tight = unwell(app).len() * 4 + 6 > usize::from(panel.bottom.saturating_sub(panel.y));
    for (name, health) in unwell(app) {
        let next = health.and_then(|h| h.next).map_or_else(String::new, |t| number::age(t.since(app.now)));
        panel.pair(&[run(Role::Bad, "✕ "), strong(name)], dim(next));
        let (says, remedy) = health.map_or_else(
            || ("has not answered yet".to_owned(), String::new()),
            |h| (panel.canvas.shown(&h.says), panel.canvas.shown(&h.remedy)),
        );
        panel.line(&[plain(format!("  {says}"))]);
        if !remedy.is_empty() {
            panel.line(&[dim(format!("  {remedy}"))]);
        }
        panel.y += u16::from(!tight);
    }
    let here: Vec<_> = app
        .store
        .incident
        .sources
        .iter()
        .filter_map(|c| Some((&c.name, app.health(&c.name)?)))
        .filter(|(_, h)| matches!(h.state, State::Well | State::Late))
        .collect();
    if !here.is_empty() {
        panel.head("HERE ALREADY", "");
        for (name, health) in here {
            let (glyph, role) = chrome::dot(health.state);
            let says = panel.canvas.shown(&health.says);
            panel.line(&[run(role, format!("{glyph} ")), strong(name.as_str()), dim(format!(" {says}"))]);
        }
        panel.gap();
    }
    panel.sentence("warroom check tries each once and prints the exact remedy.", Role::Dim);
}

fn demo(app: &App, panel: &mut Panel<'_, '_>) {
    panel.head("THE ONE PATH", "");
    for (key, does) in [
        ("1", "wait for the spike, or }"),
        ("Enter", "on a bad minute: its orders"),
        ("Enter", "on a class: the list"),
        ("Enter", "on an order: its trail"),
        ("Enter", "on a trail: its hypotheses"),
        ("x", "tick it, evidence beside"),
        ("Esc", "one step back, always"),
    ] {
        panel.line(&[run(Role::Key, format!("{key:<7}")), dim(does)]);
    }
    panel.gap();
    panel.gap();
    panel.head("THIS IS A DEMO", "");
    panel.sentence(
        "Every number, order and line here is invented. No server is asked, nothing is written but a recording in a temporary folder.",
        Role::Dim,
    );
    panel.gap();
    if let Some(window) = app.store.incident.window {
        let zone = &app.store.incident.zone;
        panel.sentence(
            &format!("Plays {} → {} at {}×.", zone.hm(window.from), zone.hm(window.to), app.pace),
            Role::Text,
        );
    }
}

fn broke_first(app: &App, panel: &mut Panel<'_, '_>) {
    let wide = panel.width() > 30;
    let focused = app.panel() == Rows::Onsets;
    panel.focused_head("WHAT BROKE FIRST", if wide { "after onset" } else { "T+" }, app, focused);
    if let Some(reason) = why_short(app) {
        panel.sentence(&reason, Role::Dim);
    }
    let zone = &app.store.incident.zone;
    let rows = if wide { 10 } else { 8 };
    let known = app.derived.onsets.iter().filter(|o| o.at <= app.at()).count();
    let focus = app.rows_in(Rows::Onsets);
    let first = if focused { focus.first(rows, known) } else { 0 };
    let so_far = app.derived.onsets.iter().enumerate().filter(|(_, o)| o.at <= app.at());
    for (i, o) in so_far.skip(first).take(rows) {
        let lag = number::after(o.after);
        // The name gives way: that it is the first fault is never cut off.
        let fixed = 7 + text::width(&lag) + 1 + if o.first_fault { text::width(" ◂") } else { 0 };
        let name = text::cut(&o.name, panel.width().saturating_sub(fixed));
        let mut left = vec![
            dim(format!("{}  ", zone.hm(o.at))),
            // A consequence stands under its cause.
            plain(if o.under.is_some() { "  " } else { "" }),
            match (o.first_fault, o.trigger || o.broke.is_some()) {
                (true, _) => strong(name),
                (false, true) => plain(name),
                (false, false) => dim(name),
            },
        ];
        let room = panel.width().saturating_sub(crate::view::canvas::width_of(&left) + text::width(&lag) + 1);
        match (o.first_fault, o.trigger) {
            (true, _) if room >= 11 => left.push(run(Role::Warn, "  1st fault")),
            (true, _) => left.push(run(Role::Warn, if room >= 6 { " ◂ 1st" } else { " ◂" })),
            (_, true) if room >= 9 => left.push(dim("  trigger")),
            (_, false) if o.broke.is_none() && room >= 14 => left.push(dim("  with traffic")),
            _ => {}
        }
        let y = panel.y;
        panel.pair(&left, dim(lag));
        if focused && i == focus.focus && y < panel.bottom {
            panel.canvas.focus_row(panel.x, y, panel.end, moment::accent(app));
        }
    }
    let all = app.derived.onsets.len();
    if app.in_the_past() && all > known {
        panel.gap();
        panel.line(&[dim(format!("as known at {}: {known} of {all}", zone.hm(app.at())))]);
    } else if known > rows {
        panel.line(&[dim(format!("and {} more", known - rows))]);
    }
    panel.gap();
}

/// Why the list is short or says less than it could; nothing when it says all.
fn why_short(app: &App) -> Option<String> {
    let incident = &app.store.incident;
    let Some(spike) = app.derived.spike.as_ref().filter(|_| moment::after_onset(app)) else {
        let reason = if !incident.lanes.iter().any(|l| l.trigger) {
            "no [[lane]] has trigger = true: no spike is looked for"
        } else if incident.baseline.is_none() {
            "no spike found: without a baseline 15 quiet minutes are needed to compare with"
        } else {
            "no spike found in this window"
        };
        return Some(reason.to_owned());
    };
    if let Some(by) = &spike.told_by {
        return Some(format!("told by {}: {} not in yet", shown(by), shown(&spike.lane)));
    }
    let so_far = || app.derived.onsets.iter().filter(|o| o.at <= app.at());
    let quiet = so_far().all(|o| o.trigger || o.broke.is_none());
    quiet.then(|| "nothing broke: what moved, moved with the traffic".to_owned())
}

fn tally(finding: &Finding, past: bool) -> String {
    let count = |v: Verdict| finding.checks.iter().filter(|c| c.verdict == v).count();
    let (all, supports, refutes) = (finding.checks.len(), count(Verdict::Supports), count(Verdict::Refutes));
    if past || refutes > 0 {
        format!(
            "{supports} support  {refutes} refute  {} {}",
            all - supports - refutes,
            if past { "not yet" } else { "open" }
        )
    } else {
        format!("{supports} of {all} checks support")
    }
}

fn leading(app: &App, panel: &mut Panel<'_, '_>) {
    panel.head("LEADING HYPOTHESIS", "score");
    let found = &app.derived.findings;
    let Some(first) = found.hypotheses.first() else {
        panel.sentence(
            if app.note.items.is_empty() { "no note has been read" } else { "the note has no hypothesis" },
            Role::Dim,
        );
        return panel.gap();
    };
    let named = |f: &Finding, canvas: &Canvas<'_>| format!("H{} {}", f.number, canvas.shown(&f.title));
    panel.pair(&[strong(named(first, panel.canvas))], strong(number::score(first.score)));
    panel.line(&[dim(tally(first, app.in_the_past()))]);
    if first.verdict != "leads" && !found.answer.is_empty() {
        panel.sentence(&found.answer, Role::Dim);
    }
    let others = if panel.width() > 30 { 4 } else { 1 };
    for f in found.hypotheses.iter().skip(1).take(others) {
        panel.pair(&[dim(named(f, panel.canvas))], dim(number::score(f.score)));
    }
    panel.gap();
}

fn at_cursor(app: &App, panel: &mut Panel<'_, '_>) {
    let clock = lane::clock(&app.store.incident.zone, app.at(), app.step);
    panel.head(&format!("AT {clock}"), "");
    for (name, says) in at_rows(app, panel.canvas, panel.width().saturating_sub(9)) {
        panel.line(&[dim(format!("{name:<8} ")), plain(says)]);
    }
    panel.gap();
}

/// What was so at the cursor, each within `room` cells: the fullest database, logs, orders, the last change.
fn at_rows(app: &App, canvas: &Canvas<'_>, room: usize) -> Vec<(String, String)> {
    let at = app.at();
    let mut out = Vec::new();
    let looks: Vec<_> = app.store.databases().filter_map(|(name, history)| Some((name, history.at(at)?))).collect();
    // The one whose connections are a lane, unless another is fuller than nine tenths.
    let lane_of =
        |name: &str| app.store.incident.lanes.iter().any(|l| l.series.strip_suffix(".connections") == Some(name));
    let usable = |s: &crate::model::database::DbSample| s.max_connections.saturating_sub(s.reserved);
    let share = |s: &crate::model::database::DbSample| f64::from(s.states.used()) / f64::from(usable(s).max(1));
    let rank = |name: &str, look| (share(look) > 0.9, lane_of(name));
    if let Some((name, look)) =
        looks.into_iter().max_by(|(m, a), (n, b)| rank(m, a).cmp(&rank(n, b)).then(share(a).total_cmp(&share(b))))
    {
        let down = app.store.health(name, at).filter(|h| h.state == State::Down);
        let says = if let Some(h) = down {
            format!("no answer since {}", app.store.incident.zone.hm(h.at))
        } else {
            let blocked = look.sessions.iter().filter(|s| !s.blocked_by.is_empty()).count();
            format!("{}/{}, {blocked} blocked", look.states.used(), usable(look))
        };
        out.push((canvas.shown(&name.as_ref().into()), says));
    }
    let of = |fits: &dyn Fn(&Lane) -> bool| {
        let i = app.store.incident.lanes.iter().position(fits)?;
        Some((app.store.incident.lanes.get(i)?, app.derived.lanes.get(i)?.now))
    };
    if let Some((l, now)) = of(&|l| l.group == "logs" && l.rollup == Rollup::SumPerMinute) {
        let value = now.map_or(number::NOTHING.to_owned(), |(_, v)| number::of_lane(l, v));
        let word = l.name.split(' ').next().unwrap_or_default();
        let fresh = app.derived.patterns.iter().filter(|p| p.new && p.first.is_some_and(|f| f <= at)).count();
        let rate = value.strip_suffix("/m").map_or_else(|| value.clone(), |n| format!("{n} {word}/m"));
        out.push((
            "logs".to_owned(),
            if app.derived.patterns.is_empty() { rate } else { format!("{rate}, {fresh} new") },
        ));
    }
    if let Some((_, now)) = of(&|l| &*l.series == "orders.stuck_by_birth") {
        let says = match now.map(|(_, v)| v.round() as i64) {
            Some(0) => "none born stuck".to_owned(),
            Some(n) => format!("{} a minute born stuck", number::count(n)),
            None => "not known yet".to_owned(),
        };
        out.push(("orders".to_owned(), says));
    }
    if let Some(says) = alarms(app) {
        out.push(("alarms".to_owned(), says));
    }
    if let Some(mark) = app.store.marks(at).iter().rev().find(|m| m.kind == MarkKind::Change) {
        let age = number::age(at.since(mark.at)).replace('m', " m").replace('h', " h ").trim_end().to_owned();
        let what = text::cut(&canvas.shown(&mark.text), room.saturating_sub(age.len() + 2));
        out.push(("changes".to_owned(), format!("{what}, {age}")));
    }
    out
}

/// Did an alarm fire: the first of the scope, how long after the onset, and how many more. Where nothing
/// that knows alarms answers, nobody can say that none fired.
fn alarms(app: &App) -> Option<String> {
    let (at, scope) = (app.at(), app.scope());
    let mut raised = app.store.marks(at).iter().filter(|m| m.kind == MarkKind::Alarm && m.at >= scope.from);
    let Some(first) = raised.next() else {
        let cloud = app.store.incident.sources.iter().filter(|c| c.kind == SourceKind::Metrics);
        let well = |name: &str| app.store.health(name, at).is_some_and(|h| h.state == State::Well);
        return cloud.map(|c| c.name.as_str()).any(well).then(|| "none seen".to_owned());
    };
    let lag = app.derived.spike.as_ref().map(|s| first.at.since(s.onset));
    let lag = lag.filter(|l| *l >= Lapse::ZERO).map_or_else(String::new, |l| format!(", {}", number::after(l)));
    let more = raised.count();
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    Some(format!("first {}{lag}{more}", app.store.incident.zone.hm(first.at)))
}

/// Events up to the cursor. While the panel has the focus all of them, else only what people and systems
/// did: that a signal left its band is said above.
fn events(app: &App, panel: &mut Panel<'_, '_>, within: Option<Span>) {
    if panel.y + 1 >= panel.bottom {
        return;
    }
    let focused = app.panel() == Rows::Events;
    panel.focused_head("EVENTS", "", app, focused);
    let all: Vec<(usize, &Event)> = app
        .derived
        .events
        .iter()
        .enumerate()
        .filter(|(_, e)| focused || (e.at <= app.at() && marks::is_told(app, e, within.is_some())))
        .filter(|(_, e)| within.is_none_or(|w| w.from <= e.at && e.at <= w.to))
        .collect();
    let room = usize::from(panel.bottom.saturating_sub(panel.y));
    if all.is_empty() {
        panel.line(&[dim("none so far")]);
    }
    // The newest are nearest to the cursor: they stay when room is short, unless somebody scrolls.
    let focus = app.rows_in(Rows::Events);
    let first = if focused { focus.first(room, all.len()) } else { all.len().saturating_sub(room) };
    for (i, e) in all.into_iter().skip(first) {
        let clock = app.store.incident.zone.hm(e.at);
        let (glyph, says) = (marks::glyph(e.kind), marks::says(app, panel.canvas, e, panel.width().saturating_sub(8)));
        let role = if e.at > app.at() { Role::Later } else { Role::Text };
        let y = panel.y;
        panel.line(&[dim(format!("{clock} ")), strong(glyph), run(role, format!(" {says}"))]);
        if focused && i == focus.focus && y < panel.bottom {
            panel.canvas.focus_row(panel.x, y, panel.end, moment::accent(app));
        }
    }
}

fn selection(app: &App, panel: &mut Panel<'_, '_>, span: Span) {
    let zone = &app.store.incident.zone;
    let clock = |t: Stamp| lane::clock(zone, t, app.step);
    panel.head("WINDOW", &format!("{} – {}", clock(span.from), clock(span.to)));
    let room = usize::from(panel.bottom.saturating_sub(panel.y));
    let lanes = app.store.incident.lanes.iter().zip(&app.derived.lanes);
    for (l, columns) in lanes.take((room / 4).max(3)) {
        if let Some((says, role)) = course(app, l, &columns.cells, span) {
            panel.pair(&[dim(lane::short(&l.name, 12))], run(role, says));
        }
    }
    panel.gap();
    let here = app.derived.born.as_ref().filter(|b| b.span == span);
    born(app, panel, here.map(|b| &b.standing));
    let fresh: Vec<_> = here.iter().flat_map(|b| &b.fresh).take(4).collect();
    if !fresh.is_empty() {
        panel.head("LOG PATTERNS NEW HERE", "lines");
        for p in fresh {
            let service = panel.canvas.shown(&p.service.as_ref().into());
            let mut left = vec![plain(format!("{:<6}", text::cut(&service, 5)))];
            left.extend(panel.canvas.outside(&p.template, Role::Text));
            panel.pair(&left, strong(number::count(p.lines as i64)));
        }
        panel.gap();
    }
    events(app, panel, Some(span));
}

/// Where the orders born in the window stand now.
fn born(app: &App, panel: &mut Panel<'_, '_>, standing: Option<&Standing>) {
    let Some(s) = standing else {
        panel.head("ORDERS BORN HERE", "");
        panel.sentence("being counted", Role::Stale);
        return panel.gap();
    };
    let as_of = s.asof.map_or_else(String::new, |t| format!("as of {}", app.store.incident.zone.hm(t)));
    panel.head("ORDERS BORN HERE", &as_of);
    if s.asof.is_none() {
        panel.sentence("orders have not been asked for", Role::Stale);
        return panel.gap();
    }
    panel.pair(
        &[plain("stuck")],
        run(if s.stuck > 0 { Role::Bad } else { Role::Strong }, number::count(s.stuck as i64)),
    );
    for c in &s.classes {
        if let Some(card) = c.class.card().filter(|c| c.stuck) {
            panel.pair(&[plain(format!("  {}", card.name))], plain(number::count(c.orders as i64)));
        }
    }
    if s.not_at_ho > 0 {
        panel.pair(&[plain("charged, not at HO")], run(Role::Bad, number::count(s.not_at_ho as i64)));
    }
    panel.pair(&[dim("all")], dim(number::count(s.total as i64)));
    panel.gap();
}

/// How a lane went through a window: `46.2k → 77.0k`, `100 % all along`, `up to 31`, with blind minutes.
fn course(app: &App, l: &Lane, cells: &[Cell], span: Span) -> Option<(String, Role)> {
    let axis = app.axis();
    let inside = cells.iter().enumerate().filter(|(i, _)| {
        let start = axis.start(*i);
        start + axis.step > span.from && start < span.to
    });
    let (mut values, mut blind, mut outside) = (Vec::new(), 0, false);
    for (_, cell) in inside {
        match cell {
            Cell::Value { value, outside: o } => {
                values.push(*value);
                outside |= *o;
            }
            Cell::Blind => blind += 1,
            Cell::NotYet | Cell::Empty => {}
        }
    }
    let says = |v: f64| number::of_lane(l, v);
    let (first, last) = (*values.first()?, *values.last()?);
    let low = values.iter().copied().fold(f64::MAX, f64::min);
    let high = values.iter().copied().fold(f64::MIN, f64::max);
    let mut words = match l.bad {
        _ if says(low) == says(high) && blind == 0 => format!("{} all along", says(first)),
        _ if says(low) == says(high) => says(first),
        Bad::Low if low < first.min(last) => format!("down to {}", says(low)),
        Bad::High | Bad::Both if high > first.max(last) => format!("up to {}", says(high)),
        _ => format!("{} → {}", says(first), says(last)),
    };
    if blind > 0 {
        let _ = std::fmt::Write::write_fmt(
            &mut words,
            format_args!(", {} m blind", axis.step.times(blind).whole_seconds() / 60),
        );
    }
    let broken = values.iter().any(|v| is_broken(*v, l));
    let role = match (broken, outside) {
        (true, _) => Role::Bad,
        (_, true) => Role::Warn,
        _ => Role::Strong,
    };
    Some((words, role))
}
