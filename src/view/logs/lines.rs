//! Log lines, one a row with their stack folded below; what a source lost is a row of its own.

use super::{level_role, nothing};
use crate::analysis::fetched;
use crate::analysis::reconcile::class_of;
use crate::analysis::reconcile::facts::{Asked, Facts};
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::health::Loss;
use crate::model::incident::SourceKind;
use crate::model::{Span, Stamp, Untrusted};
use crate::store::lines::Kept;
use crate::view::canvas::{Canvas, Column, dim, left, plain, run, strong};
use crate::view::list::{Runs, hits};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip, text};

/// Draws the lines of one pattern; all when the template is empty.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, template: &str) {
    super::scope(app, canvas);
    let y = strip::draw(app, canvas, &["ERROR lines", "stuck, by birth"], &super::notes(app));
    let x = app.grid.left;
    let end_x = canvas.width().saturating_sub(1);
    let end = chrome::body_end(app);
    let mut y = heading(app, canvas, template, (x, end_x), y);
    if app.derived.lines.is_empty() {
        canvas.fit(x, y, end_x, &nothing(app, canvas, "line", app.derived.unfiltered), Role::Dim);
        return;
    }
    let columns = columns(app.grid.size, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    y += 1;
    let foot = if app.grid.size == Size::Narrow { 1 } else { 7 };
    let shown = list(app, canvas, &columns, (x, end_x), y, end.saturating_sub(foot));
    footer(app, canvas, (x, end_x), &shown, end);
}

/// What was drawn: rows from, to, and the row of the screen after them.
struct Drawn {
    rows: std::ops::Range<usize>,
    y: u16,
}

fn heading(app: &App, canvas: &mut Canvas<'_>, template: &str, (x, end_x): (u16, u16), y: u16) -> u16 {
    canvas.gutter(x.saturating_sub(1), y, moment::accent(app));
    let n = app.derived.lines.len();
    let mut runs = vec![strong("LINES"), plain(format!("   {}", number::count(n as i64)))];
    if app.derived.unfiltered > n {
        runs.push(dim(format!(" of {}", number::count(app.derived.unfiltered as i64))));
    }
    if !template.is_empty() {
        runs.push(dim(" of "));
        runs.push(plain(text::cut(&canvas.shown(&Untrusted::from(template)), 60)));
    }
    if n > 0 {
        let row = app.rows_in(Panel::Lines).focus + 1;
        runs.push(dim(format!(" in the window, oldest first · row {}", number::count(row as i64))));
    }
    for (label, word) in [(" · search /", &app.search), (" · filter ", &app.filter)] {
        if !word.is_empty() {
            runs.push(dim(label));
            runs.push(run(Role::Hit, canvas.shown(&Untrusted::from(word.as_str()))));
        }
    }
    canvas.runs(x, y, end_x, &runs);
    if app.grid.size == Size::Narrow { y + 1 } else { y + 2 }
}

fn columns(size: Size, total: u16) -> Vec<Column> {
    let time = if size == Size::Narrow { 8 } else { 12 };
    let service = 10;
    vec![
        left("WIB", time),
        left("", 1),
        left("service", service),
        left("order", 11),
        left("message", total.saturating_sub(time + 1 + service + 11 + 8)),
    ]
}

/// Draws as many rows as fit, the focused one always among them.
fn list(app: &App, canvas: &mut Canvas<'_>, columns: &[Column], (x, end_x): (u16, u16), y: u16, end: u16) -> Drawn {
    let rows = app.rows_in(Panel::Lines);
    let len = app.derived.lines.len();
    let room = usize::from(end.saturating_sub(y)).max(1);
    let lines = Window::of(app);
    let mut first = rows.first(room, len);
    let mut height: usize = (first..=rows.focus.min(len.saturating_sub(1))).map(|i| lines.height(app, i)).sum();
    while height > room && first < rows.focus {
        height -= lines.height(app, first);
        first += 1;
    }
    let message_x = x + columns.iter().take(4).map(|c| c.width + 2).sum::<u16>();
    let mut y = y;
    let mut i = first;
    let mut before: Option<&Kept> = first.checked_sub(1).and_then(|i| lines.get(app, i));
    while i < len && y < end {
        let Some(kept) = lines.get(app, i) else { break };
        for loss in lines.lost(before.map(|k| k.line.at), kept.line.at) {
            canvas.fit(message_x, y, end_x, &lost(app, canvas, loss), Role::Stale);
            y += 1;
        }
        if y >= end {
            break;
        }
        canvas.table_row(x, y, columns, &cells(app, kept, canvas));
        if i == rows.focus {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y = stack(app, canvas, kept, before, (message_x, end_x), y + 1, end);
        before = Some(kept);
        i += 1;
    }
    Drawn { rows: first..i, y }
}

/// The lines of the window with what was lost of it, looked up once for a frame.
struct Window<'a> {
    lines: &'a [Kept],
    losses: Vec<&'a Loss>,
}

impl<'a> Window<'a> {
    fn of(app: &'a App) -> Self {
        let span = app.lines_span();
        let sources = app.store.incident.sources.iter().filter(|s| s.kind == SourceKind::Logs);
        let losses =
            sources.flat_map(|s| fetched::losses(&app.store, &s.name)).filter(|l| l.span.overlaps(&span)).collect();
        Self { lines: app.store.logs.within(span), losses }
    }
    fn get(&self, app: &App, row: usize) -> Option<&'a Kept> {
        let number = *app.derived.lines.get(row)?;
        self.lines.iter().find(|k| k.number == number)
    }
    fn height(&self, app: &App, row: usize) -> usize {
        let Some(kept) = self.get(app, row) else { return 1 };
        match kept.line.stack.len() {
            0 => 1,
            n if is_open(app, kept) => 2 + n,
            _ => 2,
        }
    }
    /// What was lost between two lines.
    fn lost(&self, after: Option<Stamp>, until: Stamp) -> Vec<&'a Loss> {
        let from = after.unwrap_or(Stamp(i64::MIN));
        let mut out: Vec<&Loss> = self
            .losses
            .iter()
            .copied()
            .filter(|l| after.is_some() && l.span.from > from && l.span.from <= until)
            .collect();
        out.sort_by_key(|l| l.span.from);
        out
    }
}

fn is_open(app: &App, kept: &Kept) -> bool {
    app.unfolded.contains(&(kept.number as i64))
}

fn lost(app: &App, canvas: &Canvas<'_>, loss: &Loss) -> String {
    let zone = &app.store.incident.zone;
    let span = number::span(loss.span.length());
    format!(
        "lines lost from {} to {}, {span}: {}",
        zone.hms(loss.span.from),
        zone.hms(loss.span.to),
        canvas.shown(&loss.says)
    )
}

fn cells(app: &App, kept: &Kept, canvas: &Canvas<'_>) -> Vec<Runs> {
    let zone = &app.store.incident.zone;
    let line = &kept.line;
    let time = if app.grid.size == Size::Narrow { zone.hms(line.at) } else { zone.hms_milli(line.at) };
    let order = line
        .order
        .as_deref()
        .map_or_else(|| vec![dim(number::NOTHING)], |o| canvas.outside(&Untrusted::from(o), Role::Var));
    let service = canvas.outside(&Untrusted::from(&*line.service), Role::Text);
    let message = canvas.outside(&line.message, Role::Text);
    vec![
        vec![dim(time)],
        vec![run(level_role(line.level), line.level.letter().to_string())],
        service,
        hits(order, &app.search),
        hits(message, &app.search),
    ]
}

/// The three innermost frames of a stack as names: without places, arguments and the goroutine's heading.
pub fn frames(stack: &[Untrusted], canvas: &Canvas<'_>) -> Vec<String> {
    let shown = stack.iter().map(|f| canvas.shown(&text::flat(f)));
    let calls = shown.filter(|f| !f.starts_with('/') && !f.starts_with("goroutine ") && !f.is_empty());
    calls.take(3).map(|f| f.split("(0x").next().unwrap_or(&f).to_owned()).collect()
}

/// The stack below a line: folded in one row, or every frame.
fn stack(
    app: &App,
    canvas: &mut Canvas<'_>,
    kept: &Kept,
    before: Option<&Kept>,
    (x, end_x): (u16, u16),
    y: u16,
    end: u16,
) -> u16 {
    let stack = &kept.line.stack;
    if stack.is_empty() || y >= end {
        return y;
    }
    let many = number::plural(stack.len(), "frame", "frames");
    if !is_open(app, kept) {
        let mut runs = vec![dim(format!("▸ stack {many}"))];
        if before.is_some_and(|b| b.line.stack == *stack) {
            runs.push(dim(", the same"));
        } else {
            runs.push(dim(format!(": {}", self::frames(stack, canvas).join(" ← "))));
        }
        canvas.runs(x, y, end_x, &runs);
        return y + 1;
    }
    canvas.fit(x, y, end_x, &format!("▾ stack {many}"), Role::Dim);
    let mut y = y + 1;
    for frame in stack {
        if y >= end {
            return y;
        }
        let runs = hits(canvas.outside(frame, Role::Text), &app.search);
        canvas.runs(x + 2, y, end_x, &runs);
        y += 1;
    }
    y
}

fn footer(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), drawn: &Drawn, end: u16) {
    let lines = Window::of(app);
    let all = number::count(app.derived.lines.len() as i64);
    let zone = &app.store.incident.zone;
    let clock = |i: usize| lines.get(app, i).map_or(String::new(), |k| zone.hms(k.line.at));
    let (from, to) = (clock(drawn.rows.start), clock(drawn.rows.end.saturating_sub(1)));
    let narrow = app.grid.size == Size::Narrow;
    let y = if narrow { drawn.y } else { drawn.y + 1 };
    if y >= end {
        return;
    }
    canvas.fit(x, y, end_x, &format!("{} of {all} · {from} → {to}", drawn.rows.len()), Role::Dim);
    if !narrow {
        row(app, canvas, (x, end_x), y + 2, end);
    }
}

/// The focused line's order, trace, and the machine at that second.
fn row(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, end: u16) {
    let Some(kept) = app.line(app.rows_in(Panel::Lines).focus) else { return };
    let rows = [
        ("order", order(app, kept, canvas)),
        ("trace", trace(app, kept, canvas)),
        ("at that second", machine(app, kept.line.at)),
    ];
    canvas.head(x, y, end_x, "ROW", "fields", crate::view::canvas::Focus::Away);
    for (i, (label, runs)) in rows.into_iter().enumerate() {
        let y = y + 1 + i as u16;
        if y >= end {
            return;
        }
        canvas.fit(x, y, x + 15, label, Role::Dim);
        canvas.runs(x + 16, y, end_x, &runs);
    }
}

fn order(app: &App, kept: &Kept, canvas: &Canvas<'_>) -> Runs {
    let Some(id) = kept.line.order.as_deref() else { return vec![dim("the line names none")] };
    let mut runs = canvas.outside(&Untrusted::from(id), Role::Var);
    let rules = &app.store.incident.rules;
    let facts = app
        .store
        .orders
        .entry(id)
        .and_then(|e| Facts::read(e, &Asked::new(&app.store.orders, app.at()), rules.settle_after));
    match facts {
        Some(facts) => {
            let class = class_of(&facts, rules).card().map_or("", |c| c.name);
            runs.push(dim(format!("   {class} · {} · Enter opens its trail", number::rupiah(facts.amount()))));
        }
        None => runs.push(dim("   no row of it was read from the order side")),
    }
    runs
}

fn trace(app: &App, kept: &Kept, canvas: &Canvas<'_>) -> Runs {
    let Some(trace) = &kept.line.trace else { return vec![dim(number::NOTHING)] };
    let mut runs = canvas.outside(&Untrusted::from(&**trace), Role::Var);
    let lines = app.store.logs.within(app.lines_span()).iter().filter(|k| k.line.trace.as_ref() == Some(trace));
    let mut services: Vec<&str> = Vec::new();
    let mut n = 0;
    for k in lines {
        n += 1;
        let service = crate::analysis::pattern::family(&k.line.service);
        if !services.contains(&service) {
            services.push(service);
        }
    }
    runs.push(dim(format!(
        "   {} in {}",
        number::plural(n, "line", "lines"),
        number::plural(services.len(), "service", "services")
    )));
    runs
}

/// The database and traffic lanes as they were at an instant.
pub fn machine(app: &App, at: Stamp) -> Runs {
    let mut runs: Runs = Vec::new();
    let lanes = app.store.incident.lanes.iter().filter(|l| l.trigger || l.group == "database");
    for lane in lanes {
        let Some((t, v)) = app.store.series(&lane.series).and_then(|s| s.at(at)) else { continue };
        // A value of minutes ago says nothing of that second.
        if Span::new(t, at).length() > crate::model::Lapse::minutes(2) {
            continue;
        }
        let broken =
            lane.broken_at.is_some_and(|b| if lane.bad == crate::model::series::Bad::Low { v <= b } else { v >= b });
        runs.push(dim(format!("{} ", canvas_name(&lane.name))));
        runs.push(run(if broken { Role::Bad } else { Role::Strong }, number::value(lane.unit, v)));
        runs.push(plain("   "));
    }
    if runs.is_empty() {
        runs.push(dim("nothing was measured within 2 min of it"));
    }
    runs
}

/// Lane names come from the configuration.
fn canvas_name(name: &str) -> String {
    text::show_str(name, text::Privacy::Masked)
}
