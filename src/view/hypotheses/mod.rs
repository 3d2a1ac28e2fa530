//! Screen 5: the answer or why there is none, hypotheses ranked by evidence, and how far the note's own
//! checklist is.
//!
//! Verdicts and scores are the analysis'; this file only places them.

mod note;

use crate::analysis::check::Finding;
use crate::app::App;
use crate::app::grid::Size;
use crate::app::rows::Panel;
use crate::model::{Lapse, Stamp, Untrusted};
use crate::view::canvas::{Canvas, Focus, Run, dim, plain, run, strong};
use crate::view::list::{Runs, visible};
use crate::view::look::Role;
use crate::view::trail::verdict as sign_of;
use crate::view::{chrome, moment, number, strip};

/// The score's rule: from here…
const LOW: f64 = -6.0;
/// …to here; scores outside end at its edge.
const HIGH: f64 = 12.0;

/// Draws the body.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    scope(app, canvas);
    let y = strip::draw(app, canvas, &["pool in use", "stuck, by birth"], &notes(app));
    let (x, end_x) = (app.grid.left, canvas.width().saturating_sub(1));
    let end = chrome::body_end(app);
    if app.store.note(app.at()).is_none() {
        canvas.fit(x, y, end_x, &no_note(app), Role::Dim);
        return;
    }
    match app.grid.size {
        Size::Wide => {
            let right = end_x.saturating_sub(65).max(x + 126);
            note::draw(app, canvas, (right, end_x), y, end);
            left(app, canvas, (x, x + 126), right.saturating_sub(1), y, end);
        }
        Size::Medium => {
            let side = app.grid.side.unwrap_or((end_x.saturating_sub(27), end_x));
            note::draw(app, canvas, side, y, end);
            left(app, canvas, (x, side.0.saturating_sub(3)), side.0.saturating_sub(3), y, end);
        }
        Size::Narrow | Size::Tiny if app.panel() != Panel::Hypotheses => note::draw(app, canvas, (x, end_x), y, end),
        Size::Narrow | Size::Tiny => left(app, canvas, (x, end_x.saturating_sub(1)), end_x, y, end),
    }
}

/// The note's name, when it was read, how much of it is ticked.
pub fn scope(app: &App, canvas: &mut Canvas<'_>) {
    let ticked = app.note.items.iter().filter(|i| i.ticked).count();
    let ticked = format!("{ticked} of {} ticked{}", app.note.items.len(), age(app));
    let says = match (app.store.note(app.at()), app.grid.size) {
        (None, _) => "no note".to_owned(),
        (Some(_), Size::Narrow | Size::Tiny) => ticked,
        (Some(n), Size::Medium) => format!("note read {} · {ticked}", app.store.incident.zone.hm(n.at)),
        (Some(n), Size::Wide) => {
            format!("note: {} · read {} · {ticked}", canvas.shown(&n.name), app.store.incident.zone.hm(n.at))
        }
    };
    chrome::scope(canvas, &[dim(says)]);
}

/// As of when the rules were asked, where that is not now.
fn age(app: &App) -> String {
    let old = app.derived.findings_at.filter(|t| app.at().since(*t) >= Lapse::seconds(1));
    old.map_or_else(String::new, |t| format!(" · rules as of {}", app.store.incident.zone.hms(t)))
}

/// The first fault and the first stuck order beside the strip.
pub fn notes(app: &App) -> Vec<Vec<Run<'static>>> {
    let zone = &app.store.incident.zone;
    let line =
        |label: &str, at: Stamp, what: &str| vec![dim(label.to_owned()), plain(zone.hm(at)), dim(format!(" {what}"))];
    let mut out = Vec::new();
    if let Some(first) = app.derived.onsets.iter().find(|o| o.first_fault) {
        out.push(line(
            "first fault ",
            first.at,
            &crate::view::text::show_str(&first.name, crate::view::text::Privacy::Masked),
        ));
    }
    if let Some((_, born)) = &app.derived.first_stuck {
        out.push(line("first stuck ", *born, "by birth"));
    }
    out
}

fn no_note(app: &App) -> String {
    let configured = app.store.incident.sources.iter().any(|s| s.kind == crate::model::incident::SourceKind::Note);
    if configured {
        format!("the note was not read yet at {}; Sources says why", app.store.incident.zone.hms(app.at()))
    } else {
        "no note is configured: [incident] note = \"path/to/note.md\" names it; its hypotheses and checkboxes are listed here".to_owned()
    }
}

/// Where the parts of a hypothesis' row stand.
struct Columns {
    title: u16,
    prior: Option<u16>,
    verdict: u16,
    checks: u16,
    rule: (u16, u16),
    score: u16,
    /// Rows a hypothesis takes.
    rows: u16,
}

fn columns(size: Size, x: u16, end: u16) -> Columns {
    match size {
        Size::Wide => Columns {
            title: x + 5,
            prior: Some(x + 42),
            verdict: x + 55,
            checks: x + 69,
            rule: (x + 82, x + 118),
            score: end - 1,
            rows: 4,
        },
        Size::Medium => {
            let rule = end.saturating_sub(29);
            Columns {
                title: x + 4,
                prior: None,
                verdict: x + 32,
                checks: x + 46,
                rule: (rule, rule + 22),
                score: end,
                rows: 3,
            }
        }
        Size::Narrow | Size::Tiny => Columns {
            title: x + 3,
            prior: None,
            verdict: x + 32,
            checks: x + 45,
            rule: (x + 56, x + 70),
            score: end,
            rows: 2,
        },
    }
}

/// The answer, the ranking, and below it what is open and missing.
fn left(app: &App, canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), answer_end: u16, y: u16, end: u16) {
    let findings = &app.derived.findings;
    let size = app.grid.size;
    let y = said(app, canvas, (x, answer_end), y);
    let mut y = if size == Size::Narrow { y + 1 } else { y + 2 };
    if findings.hypotheses.is_empty() {
        let says =
            "the note names no hypothesis: numbered headings with a priority, side by side, are taken for hypotheses";
        canvas.fit(x, y, end_x, says, Role::Dim);
        return;
    }
    let at = columns(size, x, end_x);
    if size == Size::Wide {
        head(canvas, &at, y);
        y += 1;
    }
    let below = match size {
        Size::Wide => 4,
        Size::Medium | Size::Narrow | Size::Tiny => 3,
    };
    let rows = app.rows_in(Panel::Hypotheses);
    let room = usize::from(end.saturating_sub(y + below) / at.rows).max(1);
    let shown = visible(findings.hypotheses.len(), room, rows.top, rows.focus);
    for i in shown {
        let Some(finding) = findings.hypotheses.get(i) else { continue };
        hypothesis(app, canvas, finding, &at, (x, end_x), y);
        if i == rows.focus && app.panel() == Panel::Hypotheses {
            canvas.focus_row(x, y, end_x, moment::accent(app));
        }
        y += at.rows;
    }
    legend(canvas, (x, end_x), y, size);
    if size == Size::Wide {
        let next = note::questions(app, canvas, (x, end_x), y + 2, end.saturating_sub(4));
        note::missing(app, canvas, (x, end_x), next, end);
    } else {
        note::in_words(app, canvas, (x, end_x), y + 2, end);
    }
}

/// The answer, on a medium screen over two lines when it needs them; gives back its last row.
fn said(app: &App, canvas: &mut Canvas<'_>, (x, end): (u16, u16), y: u16) -> u16 {
    let says = canvas.shown(&Untrusted::from(app.derived.findings.answer.as_str()));
    let lines = crate::view::text::wrap(&says, usize::from(end.saturating_sub(x)));
    let (first, second) = match (app.grid.size, lines.as_slice()) {
        (Size::Medium, [first, rest @ ..]) => (first.clone(), rest.join(" ")),
        _ => (says, String::new()),
    };
    canvas.runs(x, y, end, &answer(&first));
    if second.is_empty() {
        return y;
    }
    canvas.fit(x, y + 1, end, &second, Role::Text);
    y + 1
}

/// The answer with what it names in strong.
fn answer(says: &str) -> Runs {
    match says.split_once(" is named") {
        Some((what, rest)) => vec![strong(what.to_owned()), plain(format!(" is named{rest}"))],
        None if says.is_empty() => vec![dim("nothing was measured yet")],
        None => vec![plain(says.to_owned())],
    }
}

fn head(canvas: &mut Canvas<'_>, at: &Columns, y: u16) {
    canvas.put(at.title, y, "hypothesis", Role::Dim);
    if let Some(prior) = at.prior {
        canvas.put(prior, y, "prior", Role::Dim);
    }
    canvas.put(at.verdict, y, "verdict", Role::Dim);
    canvas.put(at.checks, y, "checks", Role::Dim);
    canvas.put(at.rule.0, y, "−6", Role::Dim);
    canvas.put(zero(at.rule), y, "0", Role::Dim);
    canvas.right(at.rule.1, y, "+12", Role::Dim);
    canvas.right(at.score, y, "score", Role::Dim);
}

/// The column of zero on the rule.
fn zero((from, to): (u16, u16)) -> u16 {
    from + (f64::from(to - from) * -LOW / (HIGH - LOW)).round() as u16
}

/// How a verdict is written: the leading one stands out, a refuted one steps back.
pub fn verdict_role(verdict: &str) -> Role {
    match verdict {
        "leads" | "named" => Role::Strong,
        "refuted" => Role::Dim,
        "undetermined" => Role::Stale,
        "consequence" => Role::Warn,
        _ => Role::Text,
    }
}

fn hypothesis(app: &App, canvas: &mut Canvas<'_>, f: &Finding, at: &Columns, (x, end_x): (u16, u16), y: u16) {
    let lead = matches!(f.verdict, "leads" | "named");
    let role = if lead { Role::Strong } else { Role::Text };
    canvas.put(x, y, &format!("H{}", f.number), Role::Strong);
    let title_end = at.prior.unwrap_or(at.verdict).saturating_sub(1);
    canvas.untrusted(at.title, y, title_end, &f.title, role);
    if let Some(prior) = at.prior {
        canvas.untrusted(prior, y, at.verdict.saturating_sub(1), &f.priority, Role::Dim);
    }
    canvas.fit(at.verdict, y, at.checks.saturating_sub(1), f.verdict, verdict_role(f.verdict));
    canvas.runs(at.checks, y, at.rule.0.saturating_sub(1), &signs(f));
    rule(canvas, f.score, lead, at.rule, y);
    canvas.right(at.score, y, &number::score(f.score), role);
    let because = canvas.shown(&Untrusted::from(f.because.as_str()));
    let but = canvas.shown(&Untrusted::from(f.but.as_str()));
    if app.grid.size == Size::Wide {
        canvas.runs(
            at.title,
            y + 1,
            end_x,
            &[
                dim("because "),
                plain(if because.is_empty() { "nothing measured speaks for it".to_owned() } else { because }),
            ],
        );
        canvas.runs(
            at.title,
            y + 2,
            end_x,
            &[dim(format!("but     {}", if but.is_empty() { "nothing against it" } else { &but }))],
        );
    } else {
        // Room for one sentence: what decided it.
        let says = if lead && !because.is_empty() || but.is_empty() { because } else { but };
        canvas.fit(at.title, y + 1, end_x, &says, Role::Dim);
    }
}

/// The checks as signs, in the note's order.
fn signs(f: &Finding) -> Runs {
    let mut out = Vec::new();
    for (i, check) in f.checks.iter().enumerate() {
        if i > 0 {
            out.push(plain(" "));
        }
        let (sign, role, _) = sign_of(check.verdict);
        out.push(run(if check.stale { Role::Stale } else { role }, sign));
    }
    out
}

/// A score on its rule: from zero to the right for it, to the left against it.
fn rule(canvas: &mut Canvas<'_>, score: f64, lead: bool, (from, to): (u16, u16), y: u16) {
    let width = f64::from(to.saturating_sub(from));
    let zero = zero((from, to));
    canvas.put(from, y, &"┈".repeat(usize::from(to.saturating_sub(from))), Role::Faint);
    let cells = (score.clamp(LOW, HIGH).abs() / (HIGH - LOW) * width).round() as u16;
    let role = if lead { Role::Strong } else { Role::Dim };
    if score >= 0.0 {
        let cells = cells.max(1).min(to.saturating_sub(zero));
        canvas.put(zero, y, &"━".repeat(usize::from(cells)), if lead { Role::Strong } else { Role::Ser });
    } else {
        let cells = cells.min(zero.saturating_sub(from));
        canvas.put(zero - cells, y, &"━".repeat(usize::from(cells)), Role::Dim);
        canvas.put(zero, y, "┼", role);
    }
}

fn legend(canvas: &mut Canvas<'_>, (x, end_x): (u16, u16), y: u16, size: Size) {
    let gap = if size == Size::Wide { "   " } else { "  " };
    let mut runs: Runs = Vec::new();
    for (sign, role, words) in [
        ("+", Role::Ok, "supports"),
        ("−", Role::Var, "refutes"),
        ("?", Role::Warn, "inconclusive"),
        ("○", Role::Stale, "no data: never counts"),
        ("~", Role::Stale, if matches!(size, Size::Wide | Size::Medium) { "stale: of then" } else { "stale" }),
    ] {
        runs.extend([run(role, sign), dim(format!(" {words}{gap}"))]);
    }
    canvas.runs(x, y, end_x, &runs);
}

/// The focus of a panel of this screen.
fn focus(app: &App, panel: Panel) -> Focus {
    if app.panel() == panel { Focus::Here(moment::accent(app)) } else { Focus::Away }
}
