//! Screen 3: log patterns against the baseline, and the lines behind them.
//!
//! Everything shown came from outside and goes through `view::text`.

mod detail;
mod lines;
mod stacks;

use crate::analysis::fetched;
use crate::analysis::pattern::Pattern;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::health::State;
use crate::model::incident::SourceKind;
use crate::model::log::Level;
use crate::model::series::Counted;
use crate::model::{Span, Stamp};
use crate::view::canvas::{Canvas, Column, Focus, Run, dim, left, plain, right, run, strong};
use crate::view::list::{Runs, hits, spark, template, visible};
use crate::view::look::Role;
use crate::view::{chrome, moment, number, strip};
pub use lines::{draw as draw_lines, machine};

/// Draws the patterns, or all lines when their panel has the focus.
pub fn draw_patterns(app: &App, canvas: &mut Canvas<'_>) {
    match app.panel() {
        Panel::Lines => return lines::draw(app, canvas, ""),
        Panel::Stacks => return stacks::draw(app, canvas),
        _ => {}
    }
    scope(app, canvas);
    let mut y = strip::draw(app, canvas, &["ERROR lines", "stuck, by birth"], &notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    y = heading(app, canvas, (x, end_x), y);
    if app.derived.patterns.is_empty() {
        canvas.fit(x, y, end_x, &nothing(app, canvas, "pattern", app.derived.all_patterns.len()), Role::Dim);
        return;
    }
    let columns = columns(app, end_x.saturating_sub(x));
    canvas.table_head(x, y, &columns);
    if app.grid.size == Size::Wide {
        let span = app.lines_span();
        let zone = &app.store.incident.zone;
        canvas.fit(x + 38, y, x + 62, &format!("{} – {}", zone.hm(span.from), zone.hm(span.to)), Role::Dim);
    }
    y += 1;
    let detail = if app.grid.size == Size::Wide { detail::ROWS + 1 } else { 0 };
    y = table(app, canvas, &columns, (x, end_x), y, end.saturating_sub(detail));
    if detail > 0 {
        detail::draw(app, canvas, (x, end_x), y + 1, end);
    }
}

/// What the numbers are of: which sources, how many lines, how far.
fn scope(app: &App, canvas: &mut Canvas<'_>) {
    let sources = app.store.incident.sources.iter().filter(|s| s.kind == SourceKind::Logs);
    let names: Vec<String> = sources.map(|s| canvas.shown(&crate::model::Untrusted::from(s.name.as_str()))).collect();
    let read = number::count(app.store.logs.arrived() as i64);
    let newest = app.store.logs.within(Span::new(Stamp(i64::MIN), app.at())).last().map(|k| k.line.at);
    let to = newest.map_or(String::new(), |t| format!(" · followed to {}", app.store.incident.zone.hms(t)));
    let says = if app.grid.size == Size::Narrow {
        format!("{read} lines read")
    } else {
        format!("{} · {read} lines read{to}{}", names.join(", "), canvas.safe(&worth(app)))
    };
    chrome::scope(canvas, &[dim(says)]);
}

/// Of sources that are engines: who counted what is shown, how many of the lines in front are here, and whether
/// more of them are being read.
fn worth(app: &App) -> String {
    let store = &app.store;
    let parts = fetched::parts(store, app.lines_span());
    let counted = |source: &str, measure: &str| store.card(&format!("{source}.{measure}")).and_then(|c| c.counted);
    let mut out = String::new();
    for source in store.incident.sources.iter().filter(|s| s.kind == SourceKind::Logs) {
        let part = parts.iter().find(|p| p.source == source.name).filter(|p| p.has_more());
        let here = part.map(|p| {
            let count = |n: u64| number::count(n as i64);
            format!("{} of {} lines here are fetched", count(p.fetched), count(p.counted))
        });
        let sample = counted(&source.name, "lines") == Some(Counted::Sample) && part.is_none();
        let sample = sample.then(|| "lines elsewhere are a sample".to_owned());
        let counts = counted(&source.name, "all") == Some(Counted::Engine);
        let counts = counts.then(|| "counts are the engine's".to_owned());
        let reading = app.looking.is_some() && store.progress(&source.name, app.live_edge()).is_some();
        let reading = reading.then(|| "reading on, Esc stops".to_owned());
        let says: Vec<String> = here.into_iter().chain(sample).chain(counts).chain(reading).collect();
        if !says.is_empty() {
            out.extend([" · ", &source.name, ": ", &says.join(", ")]);
        }
    }
    out
}

/// The window and what it is compared with.
fn notes(app: &App) -> Vec<Vec<Run<'static>>> {
    let zone = &app.store.incident.zone;
    let span = app.scope();
    let against = match app.store.incident.baseline {
        Some(b) => format!("{}, against {}", number::span(span.length()), zone.format(b.from, "%a %-d %b")),
        None => format!("{}, no baseline", number::span(span.length())),
    };
    vec![vec![dim("window "), plain(format!("{}–{}", zone.hm(span.from), zone.hm(span.to)))], vec![dim(against)]]
}

fn heading(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16) -> u16 {
    canvas.gutter(x.saturating_sub(1), y, moment::accent(app));
    let shown = app.derived.patterns.len();
    let mut runs = vec![strong("PATTERNS"), plain(format!("   {}", number::count(shown as i64)))];
    let all = app.derived.all_patterns.len();
    if all > shown {
        runs.push(dim(format!(" of {}", number::count(all as i64))));
    }
    runs.push(dim("   sorted by "));
    runs.push(plain(app.sorted_by().map_or("new first, then count", |(name, _)| name)));
    if !app.filter.is_empty() {
        runs.push(dim("   filter "));
        runs.push(run(Role::Hit, canvas.shown(&crate::model::Untrusted::from(app.filter.as_str()))));
    }
    canvas.runs(x, y, end_x, &runs);
    if app.grid.size == Size::Narrow { y + 1 } else { y + 2 }
}

/// Why a list of logs is empty, with the remedy.
fn nothing(app: &App, canvas: &Canvas<'_>, what: &str, unfiltered: usize) -> String {
    if unfiltered > 0 {
        return format!("no {what} matches; {} without the filter", number::count(unfiltered as i64));
    }
    let mut sources = app.store.incident.sources.iter().filter(|s| s.kind == SourceKind::Logs).peekable();
    if sources.peek().is_none() && app.store.logs.arrived() == 0 {
        return "no log source is configured: add a [[logs]] with name and paths to config.toml".to_owned();
    }
    let down = sources.filter_map(|s| app.store.health(&s.name, app.at())).find(|h| h.state == State::Down);
    if let Some(health) = down {
        return format!("no {what} in this window: {} {}", canvas.shown(&health.says), canvas.shown(&health.remedy));
    }
    match app.store.logs.oldest() {
        Some(oldest) if app.scope().to <= oldest => {
            format!("no line here: the oldest line read is of {}", app.store.incident.zone.hms(oldest))
        }
        _ => format!("no log line in this window, so no {what}"),
    }
}

const WIDE: usize = 9;

/// Narrower: the sparkline goes first, then normal, then first seen.
fn columns(app: &App, total: u16) -> Vec<Column> {
    let mut out = vec![right("lines", 7)];
    match app.grid.size {
        Size::Wide => out.extend([right("normal", 7), right("×", 6), right("first seen", 10), left("", 24)]),
        Size::Medium => out.extend([right("normal", 7), right("×", 6), right("first seen", 10)]),
        Size::Narrow | Size::Tiny => out.push(right("×", 5)),
    }
    out.extend([left("", 1), left("service", if app.grid.size == Size::Narrow { 7 } else { 10 }), right("orders", 6)]);
    let taken: u16 = out.iter().map(|c| c.width + 2).sum();
    out.push(left("pattern", total.saturating_sub(taken)));
    out
}

/// Which of the three groups a pattern is in.
fn group(p: &Pattern) -> (u8, &'static str, &'static str) {
    match (p.new, p.more_than_usual(), p.normal) {
        (true, ..) => (0, "New in this window", "absent from the baseline"),
        (_, true, _) => (1, "More than usual", ""),
        (_, _, Some(_)) => (2, "As usual", ""),
        (_, _, None) => (2, "Not compared", "there is no baseline to compare with"),
    }
}

/// A line of the table: a group's heading, a blank, or a pattern.
enum Line {
    Blank,
    Group(&'static str, String),
    Pattern(usize),
}

fn lines_of(app: &App) -> Vec<Line> {
    let patterns = &app.derived.patterns;
    // Another order than the usual one mixes the groups; then they have no headings.
    let grouped = patterns.is_sorted_by_key(|p| group(p).0);
    let mut out = Vec::with_capacity(patterns.len() + 6);
    let mut before = None;
    for (i, p) in patterns.iter().enumerate() {
        let (rank, title, remark) = group(p);
        if grouped && before != Some(rank) {
            if before.is_some() {
                out.push(Line::Blank);
            }
            let members = patterns.iter().filter(|q| group(q).0 == rank).count();
            let remark =
                if remark.is_empty() { number::plural(members, "pattern", "patterns") } else { remark.to_owned() };
            out.push(Line::Group(title, remark));
            before = Some(rank);
        }
        out.push(Line::Pattern(i));
    }
    out
}

fn table(app: &App, canvas: &mut Canvas<'_>, columns: &[Column], (x, end_x): (u16, u16), y: u16, end: u16) -> u16 {
    let lines = lines_of(app);
    let rows = app.rows_in(Panel::Patterns);
    let at = lines.iter().position(|l| matches!(l, Line::Pattern(i) if *i == rows.focus)).unwrap_or(0);
    // The heading of the first group stays visible while its first row is focused.
    let at = if rows.focus == 0 { 0 } else { at };
    let room = usize::from(end.saturating_sub(y));
    let focused = matches!(focus(app), Focus::Here(_));
    let mut y = y;
    for i in visible(lines.len(), room, rows.top, at.max(1)) {
        match lines.get(i) {
            Some(Line::Group(title, remark)) => {
                canvas.runs(x, y, end_x, &[strong(*title), dim(format!("  {remark}"))]);
            }
            Some(Line::Pattern(i)) => {
                if let Some(p) = app.derived.patterns.get(*i) {
                    canvas.table_row(x, y, columns, &cells(app, p, columns.len(), canvas));
                }
                if focused && *i == rows.focus {
                    canvas.focus_row(x, y, end_x, moment::accent(app));
                }
            }
            Some(Line::Blank) | None => {}
        }
        y += 1;
    }
    y
}

fn focus(app: &App) -> Focus {
    if app.panel() == Panel::Patterns { Focus::Here(moment::accent(app)) } else { Focus::Away }
}

/// The role of a level: errors are outside normal, not broken at this instant.
fn level_role(level: Level) -> Role {
    match level {
        Level::Error | Level::Fatal => Role::Warn,
        Level::Warn => Role::Text,
        _ => Role::Dim,
    }
}

fn cells(app: &App, p: &Pattern, columns: usize, canvas: &Canvas<'_>) -> Vec<Runs> {
    let usual = group(p).0 == 2;
    let loud = if usual { Role::Dim } else { Role::Strong };
    let lines = vec![run(if usual { Role::Text } else { Role::Strong }, number::count(p.lines as i64))];
    let normal = vec![dim(p.normal.map_or(number::NOTHING.to_owned(), |n| number::count(n.round() as i64)))];
    let times = match (p.new, p.times_normal()) {
        (true, _) => vec![strong("new")],
        (_, Some(t)) => vec![run(loud, number::times(t).replace('×', ""))],
        (_, None) => vec![dim(number::NOTHING)],
    };
    let zone = &app.store.incident.zone;
    let first = match p.first {
        Some(t) => vec![run(if usual { Role::Dim } else { Role::Text }, zone.hms(t))],
        None => vec![run(if usual { Role::Dim } else { Role::Text }, "before")],
    };
    let orders = match (p.orders, usual) {
        (0, _) => vec![dim("0")],
        (n, true) => vec![dim(number::count(n as i64))],
        (n, false) => vec![strong(number::count(n as i64))],
    };
    let words = template(&canvas.shown(&p.template), Role::Text);
    let tail = [
        vec![run(level_role(p.level), p.level.letter().to_string())],
        canvas.outside(&crate::model::Untrusted::from(&*p.service), if usual { Role::Dim } else { Role::Text }),
        orders,
        hits(words, &app.search),
    ];
    let mut out = vec![lines];
    match columns {
        WIDE => out.extend([normal, times, first, vec![run(if usual { Role::Ser } else { Role::Hot }, trend(p))]]),
        8 => out.extend([normal, times, first]),
        _ => out.push(times),
    }
    out.extend(tail);
    out
}

fn trend(p: &Pattern) -> String {
    let values: Vec<Option<f64>> = p.trend.iter().map(|n| Some(f64::from(*n))).collect();
    let top = p.trend.iter().max().map_or(1.0, |n| f64::from(*n));
    spark(&values, 0.0, top.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::state::Mode;
    use crate::model::batch::Samples;
    use crate::model::health::Progress;
    use crate::model::incident::SourceCard;
    use crate::model::series::SeriesCard;
    use crate::model::{Batch, Fact};

    #[test]
    fn what_an_engine_counted_and_what_is_a_sample_is_said_beside_the_lines() {
        let now = Stamp::from_secs(600);
        let mut app = crate::view::scene_tests::blank(Mode::Live, now, (200, 50));
        app.window = Some(Span::new(Stamp(0), now));
        assert_eq!(worth(&app), "");
        for name in ["loki", "files"] {
            let what = "x".into();
            app.store.incident.sources.push(SourceCard {
                name: name.to_owned(),
                kind: SourceKind::Logs,
                what,
                every: None,
            });
        }
        let card = |name: &str, counted| SeriesCard {
            name: name.into(),
            unit: None,
            unit_said: "".into(),
            from: "".into(),
            counted: Some(counted),
        };
        let tell = |app: &mut App, facts| {
            app.store.apply(&Batch { source: "loki".into(), seq: 1, seen: now, facts });
            worth(app)
        };
        let cards = vec![card("loki.lines", Counted::Sample), card("loki.all", Counted::Engine)];
        let said = tell(&mut app, vec![Fact::Series(cards)]);
        assert_eq!(said, " · loki: lines elsewhere are a sample, counts are the engine's");
        let count = |n| Fact::Samples(Samples { at: Stamp::from_secs(60), values: vec![("loki.all".into(), n)] });
        let said = tell(&mut app, vec![count(4_200.0)]);
        assert_eq!(said, " · loki: 0 of 4,200 lines here are fetched, counts are the engine's");
        app.looking = app.window;
        let progress = |done| Fact::Progress(Progress { at: now, what: "x".into(), done, of: 1 });
        let said = tell(&mut app, vec![progress(0)]);
        assert!(said.ends_with("counts are the engine's, reading on, Esc stops"), "{said}");
        let said = tell(&mut app, vec![progress(1)]);
        assert!(said.ends_with("counts are the engine's"), "{said}");
    }
}
