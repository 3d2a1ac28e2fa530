//! Screen 6: every source with its state in words and the remedy, what asking costs, the recording, gaps.

use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::health::{Cost, Health, Progress, State};
use crate::model::incident::{SourceCard, SourceKind};
use crate::model::{Lapse, Stamp};
use crate::view::canvas::{Canvas, Column, Focus, Run, TableRow, dim, left, plain, right, run, stretched, strong};
use crate::view::look::{Colours, Glyphs, Role};
use crate::view::{chrome, moment, number, strip, text};
use std::fmt::Write as _;

/// Costs are added up over this long.
const LAST: Lapse = Lapse::seconds(60);

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    chrome::scope(canvas, &[dim(summary(app))]);
    let y = strip::draw(app, canvas, &["connections", "ERROR lines"], &blind(app, canvas));
    let bottom = chrome::body_end(app);
    let y = table(app, canvas, y, bottom) + 1;
    let (x, end) = (app.grid.left, canvas.width().saturating_sub(1));
    match app.grid.size {
        Size::Wide => {
            costs(app, canvas, (x, 108), y, bottom);
            let y = recording(app, canvas, (112, end), y, bottom) + 1;
            let y = gaps(app, canvas, (112, end), y, bottom) + 1;
            terminal(canvas, (112, end), y, bottom);
        }
        Size::Medium => {
            let y = costs(app, canvas, (x, end), y, bottom) + 1;
            recording(app, canvas, (x, 60), y, bottom);
            gaps(app, canvas, (64, end), y, bottom);
        }
        _ => {
            recording(app, canvas, (x, end), y, bottom);
        }
    }
}

/// `9 sources: 7 well, 1 late, 1 off`.
fn summary(app: &App) -> String {
    let all = &app.store.incident.sources;
    let of = |state: State| all.iter().filter(|c| state_of(app, c) == state).count();
    let mut out = number::plural(all.len(), "source", "sources");
    let mut sign = ": ";
    for (state, word) in [(State::Well, "well"), (State::Late, "late"), (State::Down, "down"), (State::Off, "off")] {
        if of(state) > 0 {
            let _ = write!(out, "{sign}{} {word}", of(state));
            sign = ", ";
        }
    }
    out
}

fn state_of(app: &App, card: &SourceCard) -> State {
    app.health(&card.name).map_or(State::Off, |h| h.state)
}

/// The longest gap on the axis, for the strip's side.
fn blind(app: &App, canvas: &Canvas<'_>) -> Vec<Vec<Run<'static>>> {
    let zone = &app.store.incident.zone;
    let Some(gap) = app.derived.gaps.iter().max_by_key(|g| g.span.length()) else {
        return vec![vec![dim("no gap on this axis")]];
    };
    let (from, to) = (zone.hm(gap.span.from), zone.hm(gap.span.to));
    let source = canvas.safe(&gap.source);
    let code = if gap.code.is_empty() { String::new() } else { format!(", {}", canvas.safe(&gap.code)) };
    vec![
        vec![run(Role::Stale, "blind"), dim(format!(" {from}–{to} on {source}"))],
        vec![dim(format!("{} of {}{code}", number::span(gap.span.length()), number::span(app.axis().span().length())))],
    ]
}

/// Which columns a width has, each with what fills it.
type Cellist = fn(&Row<'_>, &Canvas<'_>) -> Vec<Run<'static>>;

struct Row<'a> {
    app: &'a App,
    card: &'a SourceCard,
    health: Option<&'a Health>,
    totals: Totals,
}

/// What asking a source has come to, up to the instant shown.
#[derive(Default)]
struct Totals {
    asked: u64,
    failed: u64,
    throttled: u64,
    last: Option<Stamp>,
    took: Option<Lapse>,
    skew: Option<Lapse>,
    interval: Lapse,
}

fn totals(app: &App, source: &str) -> Totals {
    let mut out = Totals::default();
    let Some(history) = app.store.costs(source) else { return out };
    let shown = app.at_of(source);
    let mut took = Vec::new();
    for (at, cost) in history.iter().filter(|(at, _)| *at <= shown) {
        out.asked += u64::from(cost.requests);
        out.failed += u64::from(cost.failed);
        out.throttled += u64::from(cost.throttled);
        out.last = Some(at);
        out.skew = cost.skew.or(out.skew);
        out.interval = cost.interval;
        took.push(cost.took);
    }
    // The newest hundred rounds say how slow it is now.
    let newest = took.len().saturating_sub(100);
    let recent = &mut took[newest..];
    recent.sort_unstable();
    out.took = recent.get((recent.len() * 95).div_ceil(100).saturating_sub(1)).copied();
    out
}

fn columns(size: Size) -> Vec<(Column, Cellist)> {
    let all: [(Column, Cellist, Size); 12] = [
        (left("", 1), |r, _| vec![dot(r)], Size::Narrow),
        (left("source", 10), name, Size::Narrow),
        (left("what", 32), |r, c| c.outside(&r.card.what, if off(r) { Role::Dim } else { Role::Text }), Size::Wide),
        (right("last", 6), last, Size::Narrow),
        (right("lag", 6), lag, Size::Medium),
        (right("every", 6), every, Size::Medium),
        (right("asked", 8), |r, _| vec![counted(r.totals.asked, Role::Text, asks(r))], Size::Medium),
        (right("failed", 7), |r, _| vec![counted(r.totals.failed, Role::Warn, asks(r))], Size::Narrow),
        (
            right("throttled", 9),
            |r, _| vec![counted(r.totals.throttled, Role::Warn, r.totals.throttled > 0)],
            Size::Wide,
        ),
        (right("took p95", 9), took, Size::Medium),
        (right("skew", 8), skew, Size::Wide),
        (left("state, in words, and the remedy", 72), words, Size::Narrow),
    ];
    all.into_iter().filter(|(.., from)| size >= *from).map(|(c, f, _)| (c, f)).collect()
}

fn off(r: &Row<'_>) -> bool {
    r.health.is_none_or(|h| h.state == State::Off)
}
fn asks(r: &Row<'_>) -> bool {
    r.totals.last.is_some()
}
fn nothing() -> Run<'static> {
    dim(number::NOTHING)
}
fn dot(r: &Row<'_>) -> Run<'static> {
    let (glyph, role) = chrome::dot(r.health.map_or(State::Off, |h| h.state));
    run(role, glyph)
}
fn name(r: &Row<'_>, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    vec![run(if off(r) { Role::Dim } else { Role::Strong }, canvas.safe(&r.card.name))]
}
fn counted(n: u64, role: Role, known: bool) -> Run<'static> {
    if known { run(if n > 0 { role } else { Role::Text }, number::count(n as i64)) } else { nothing() }
}
fn last(r: &Row<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    vec![r.totals.last.map_or_else(nothing, |at| plain(number::age(r.app.at_of(&r.card.name).since(at))))]
}
/// How late the lanes of the source are by nature.
fn lag(r: &Row<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    let lanes = r.app.store.incident.lanes.iter();
    let lag = lanes.filter(|l| l.series.split('.').next() == Some(&r.card.name)).map(|l| l.lag).max();
    vec![lag.map_or_else(nothing, |l| run(if l > Lapse::ZERO { Role::Warn } else { Role::Dim }, number::age(l)))]
}
fn every(r: &Row<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    let words = match r.card.kind {
        // How often their files are looked at says nothing: what is written is read.
        SourceKind::Logs => return vec![plain("follow")],
        SourceKind::Note => return vec![plain("watch")],
        _ => "asked",
    };
    let usual = r.card.every;
    let now = if r.totals.interval > Lapse::ZERO { Some(r.totals.interval) } else { usual };
    let slowed = now > usual;
    vec![now.map_or_else(|| plain(words), |l| run(if slowed { Role::Warn } else { Role::Text }, number::age(l)))]
}
fn took(r: &Row<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    vec![r.totals.took.map_or_else(nothing, |l| plain(number::seconds(l.as_secs_f64())))]
}
fn skew(r: &Row<'_>, _: &Canvas<'_>) -> Vec<Run<'static>> {
    vec![r.totals.skew.map_or_else(nothing, |l| dim(format!("{:+.2}s", l.as_secs_f64()).replace('-', "−")))]
}

/// A bar of long work with what it is: `━━━━━┈┈┈┈┈ 48 % fetching 18:45–21:30 of 12 Jan`.
pub fn progress(canvas: &Canvas<'_>, p: &Progress) -> Vec<Run<'static>> {
    const CELLS: u16 = 10;
    let share = p.done as f64 / p.of.max(1) as f64;
    let full = crate::view::list::bar(share, CELLS);
    let rest = usize::from(CELLS).saturating_sub(text::width(&full));
    vec![
        run(Role::Accent, full),
        run(Role::Faint, "┈".repeat(rest)),
        // Only what is done is a hundred.
        strong(format!(" {:.0} %", (share * 100.0).min(99.0).floor())),
        dim(format!(" {}", canvas.shown(&p.what))),
    ]
}

/// The state in a sentence; what it could not see or keep; the remedy.
fn words(r: &Row<'_>, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    let mut out = Vec::new();
    if let Some(p) = r.app.store.progress(&r.card.name, r.app.at_of(&r.card.name)) {
        out = progress(canvas, p);
        out.push(dim(" · "));
    }
    out.extend(state(r, canvas));
    out
}

fn state(r: &Row<'_>, canvas: &Canvas<'_>) -> Vec<Run<'static>> {
    let Some(health) = r.health else { return vec![dim("has not answered yet")] };
    let zone = &r.app.store.incident.zone;
    let says = canvas.shown(&health.says);
    let role = match health.state {
        State::Down => Role::Bad,
        State::Late => Role::Warn,
        State::Off => Role::Dim,
        State::Well => Role::Text,
    };
    let mut out = vec![run(role, if says.is_empty() { state_word(health.state).to_owned() } else { says })];
    let mut more = Vec::new();
    if !health.remedy.is_empty() {
        out.push(plain(format!(" · {}", canvas.shown(&health.remedy))));
    }
    if let Some(next) = health.next.filter(|_| health.state == State::Down) {
        more.push(format!("next attempt in {}", number::age(next.since(r.app.now))));
    }
    if let Some(look) = r.app.store.database(&r.card.name).and_then(|h| h.at(r.app.at())) {
        more.extend(look.limited.iter().map(|l| format!("no {}: {}", canvas.safe(&l.what), canvas.safe(&l.remedy))));
        if look.replica {
            more.push("replica".to_owned());
        }
    }
    for gap in r.app.derived.gaps.iter().filter(|g| *g.source == *r.card.name && g.span.from <= r.app.at() && !g.open) {
        let code = if gap.code.is_empty() { String::new() } else { format!(" ({})", canvas.safe(&gap.code)) };
        more.push(format!("blind {}–{}{code}", zone.hm(gap.span.from), zone.hm(gap.span.to)));
    }
    out.extend(more.into_iter().map(|m| dim(format!(" · {m}"))));
    out
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::Well => "well",
        State::Late => "late",
        State::Down => "does not answer",
        State::Off => "not configured",
    }
}

fn table(app: &App, canvas: &mut Canvas<'_>, y: u16, bottom: u16) -> u16 {
    let (x, end) = (app.grid.left, canvas.width().saturating_sub(2));
    let y = canvas.head(x, y, end, "SOURCES", "", Focus::Here(moment::accent(app)));
    let cards = &app.store.incident.sources;
    if cards.is_empty() {
        canvas.fit(x, y, end, "no source is configured: add [[database]] or [[logs]] to the configuration", Role::Dim);
        return y + 1;
    }
    let (layout, fill): (Vec<Column>, Vec<Cellist>) = columns(app.grid.size).into_iter().unzip();
    let layout = stretched(&layout, layout.len() - 1, end.saturating_sub(x));
    let mut y = canvas.table_head(x, y, &layout);
    let focus = app.rows_in(Panel::Sources);
    let room = usize::from(bottom.saturating_sub(y));
    let mut cut = None;
    for (i, card) in cards.iter().enumerate().skip(focus.first(room, cards.len())).take(room) {
        let row = Row { app, card, health: app.health(&card.name), totals: totals(app, &card.name) };
        let cells: TableRow<'_> = fill.iter().map(|f| f(&row, canvas)).collect();
        canvas.table_row(x, y, &layout, &cells);
        if i == focus.focus {
            canvas.focus_row(x, y, end, moment::accent(app));
            let says: String = words(&row, canvas).iter().map(|r| r.text.as_ref()).collect();
            let room = layout.last().map_or(0, |c| usize::from(c.width));
            cut = (text::width(&says) > room).then_some((canvas.safe(&card.name), says));
        }
        y += 1;
    }
    // What the column had to cut stands below, whole: the remedy is the point of the screen.
    if let Some((name, says)) = cut {
        y += 1;
        for (i, says) in text::wrap(&says, usize::from(end.saturating_sub(x + 12))).into_iter().enumerate().take(3) {
            if y < bottom {
                canvas.fit(x, y, x + 11, if i == 0 { &name } else { "" }, Role::Strong);
                canvas.fit(x + 12, y, end, &says, Role::Text);
                y += 1;
            }
        }
    }
    y
}

/// What asking has cost in the last minute, databases and others.
fn costs(app: &App, canvas: &mut Canvas<'_>, (x, end): (u16, u16), y: u16, bottom: u16) -> u16 {
    if y + 2 >= bottom {
        return y;
    }
    let mut y = canvas.head(x, y, end, "WHAT WARROOM COSTS", "last 60 s", Focus::Away);
    let layout = [
        left("source", 10),
        right("connections", 11),
        right("asked/m", 12),
        right("server ms/m", 11),
        right("KB/m", 6),
        left("slowed by itself", 30),
    ];
    y = canvas.table_head(x, y, &layout);
    let asks = |kind| matches!(kind, SourceKind::Database | SourceKind::Orders | SourceKind::Metrics);
    for card in app.store.incident.sources.iter().filter(|c| asks(c.kind)) {
        let Some(history) = app.store.costs(&card.name).filter(|_| y < bottom) else { continue };
        let (from, to) = (app.at_of(&card.name) - LAST, app.at_of(&card.name));
        let recent: Vec<&Cost> =
            history.iter().rev().skip_while(|(t, _)| *t > to).take_while(|(t, _)| *t > from).map(|(_, c)| c).collect();
        let sum = |of: &dyn Fn(&Cost) -> f64| recent.iter().map(|c| of(c)).sum::<f64>();
        let server = sum(&|c| c.server.map_or(0.0, Lapse::as_secs_f64)) * 1e3;
        let newest = recent.first();
        let slowed = newest.filter(|c| card.every.is_some_and(|e| c.interval > e));
        let row: TableRow<'_> = vec![
            vec![plain(canvas.safe(&card.name))],
            vec![
                newest
                    .filter(|_| card.kind == SourceKind::Database)
                    .map_or_else(nothing, |c| strong(c.connections.to_string())),
            ],
            vec![plain(number::count(sum(&|c| f64::from(c.requests)) as i64))],
            vec![if recent.iter().any(|c| c.server.is_some()) { plain(format!("{server:.0}")) } else { nothing() }],
            vec![plain(number::count((sum(&|c| c.bytes as f64) / 1024.0).round() as i64))],
            vec![slowed.map_or_else(|| dim("no"), |c| run(Role::Warn, format!("every {}", number::span(c.interval))))],
        ];
        y = canvas.table_row(x, y, &layout, &row);
    }
    y
}

fn label(canvas: &mut Canvas<'_>, (x, end): (u16, u16), y: u16, name: &str, says: &[Run<'_>]) {
    canvas.fit(x, y, x + 11, name, Role::Dim);
    canvas.runs(x + 12, y, end, says);
}

/// Where everything shown is kept, or why it is not.
fn recording(app: &App, canvas: &mut Canvas<'_>, at: (u16, u16), y: u16, bottom: u16) -> u16 {
    if y + 2 >= bottom {
        return y;
    }
    let r = &app.recorder;
    let mut y = canvas.head(at.0, y, at.1, "RECORDING", "everything shown is in it", Focus::Away);
    let mut rows: Vec<(&str, Vec<Run<'_>>)> = Vec::new();
    if let Some(trouble) = &r.trouble {
        rows.push(("trouble", vec![run(Role::Bad, format!("✕ {}", canvas.safe(trouble)))]));
    }
    if r.folder.is_empty() {
        rows.push(("folder", vec![run(Role::Stale, "nothing is being recorded here")]));
    } else {
        let size = number::bytes(r.bytes as f64);
        rows.push((
            "folder",
            vec![plain(format!(
                "{}, {size} in {}",
                canvas.safe(&r.folder),
                number::plural(r.segments, "segment", "segments")
            ))],
        ));
        let written = r.flushed.map_or_else(
            || vec![run(Role::Stale, "not yet")],
            |t| {
                vec![
                    plain(format!("{}, ", app.store.incident.zone.hm(t))),
                    strong(number::ago(app.now.since(t))),
                    dim(" · flushed every second"),
                ]
            },
        );
        rows.push(("written", written));
        rows.push((
            "disk",
            vec![r.free.map_or_else(
                || dim("free space is not known"),
                |f| plain(format!("{} free", number::bytes(f as f64))),
            )],
        ));
    }
    rows.extend(r.damage.iter().map(|d| ("damage", vec![run(Role::Warn, canvas.safe(d))])));
    for (name, says) in rows {
        if y < bottom {
            label(canvas, at, y, name, &says);
            y += 1;
        }
    }
    y
}

fn gaps(app: &App, canvas: &mut Canvas<'_>, at: (u16, u16), y: u16, bottom: u16) -> u16 {
    if y + 2 >= bottom {
        return y;
    }
    let mut y = canvas.head(at.0, y, at.1, "GAPS", "drawn as gaps, never as zero", Focus::Away);
    let zone = &app.store.incident.zone;
    if app.derived.gaps.is_empty() {
        canvas.fit(at.0, y, at.1, "none on this axis", Role::Dim);
        y += 1;
    }
    for gap in &app.derived.gaps {
        if y >= bottom {
            break;
        }
        let end = if gap.open { "now".to_owned() } else { zone.hms(gap.span.to) };
        let code = if gap.code.is_empty() { String::new() } else { format!("{} ", canvas.safe(&gap.code)) };
        let mut says = vec![plain(format!("{}–{end}  {code}", zone.hms(gap.span.from)))];
        says.extend(canvas.outside(&gap.says, Role::Text));
        let source = canvas.safe(&gap.source);
        label(canvas, at, y, &source, &says);
        y += 1;
    }
    y
}

fn terminal(canvas: &mut Canvas<'_>, at: (u16, u16), y: u16, bottom: u16) {
    if y + 2 >= bottom {
        return;
    }
    let y = canvas.head(at.0, y, at.1, "TERMINAL", "warroom check says the rest", Focus::Away);
    let look = canvas.look();
    let colours = match look.colours {
        Colours::Mono => "no colours",
        Colours::Sixteen => "16 colours",
        Colours::Indexed => "256 colours",
        Colours::Rgb => "24-bit colours",
    };
    let glyphs = match look.glyphs {
        Glyphs::Unicode => "blocks",
        Glyphs::Ascii => "ASCII only",
        Glyphs::Braille => "Braille",
    };
    let size = format!("{}×{}", canvas.width(), canvas.height());
    label(canvas, at, y, "drawn", &[plain(format!("{size}, {colours}, {glyphs}"))]);
}

/// Draws one source's health in time, newest first.
pub fn draw_log(app: &App, canvas: &mut Canvas<'_>, name: &str) {
    let y = strip::draw(app, canvas, &["connections", "ERROR lines"], &blind(app, canvas));
    let (x, end) = (app.grid.left, canvas.width().saturating_sub(2));
    let title = format!("HEALTH OF {}", canvas.safe(name));
    let mut y = canvas.head(x, y, end, &title, "newest first", Focus::Here(moment::accent(app)));
    let rows: Vec<_> = app.health_rows().collect();
    if rows.is_empty() {
        canvas.fit(x, y, end, "it has not said anything up to this instant", Role::Dim);
        return;
    }
    let layout = stretched(
        &[left("", 1), left("since", 8), left("code", 12), left("state, in words, and the remedy", 40)],
        3,
        end.saturating_sub(x),
    );
    y = canvas.table_head(x, y, &layout);
    let focus = app.rows_in(Panel::Health);
    let room = usize::from(chrome::body_end(app).saturating_sub(y));
    let shown = rows.iter().enumerate().skip(focus.first(room, rows.len())).take(room);
    for (y, (i, (at, h))) in (y..).zip(shown) {
        let (glyph, role) = chrome::dot(h.state);
        let mut says = canvas.outside(&h.says, Role::Text);
        if says.is_empty() {
            says.push(plain(state_word(h.state)));
        }
        if !h.remedy.is_empty() {
            says.push(dim(format!(" · {}", canvas.shown(&h.remedy))));
        }
        let code = text::cut(&canvas.safe(&h.code), 12);
        let cells =
            vec![vec![run(role, glyph)], vec![dim(app.store.incident.zone.hms(*at))], vec![run(role, code)], says];
        canvas.table_row(x, y, &layout, &cells);
        if i == focus.focus {
            canvas.focus_row(x, y, end, moment::accent(app));
        }
    }
}
