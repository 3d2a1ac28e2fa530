//! From checks to an answer: which hypothesis leads, which is a consequence of another, and what is missing
//! for a name. A score is a gate, never a probability.

use super::rule::Topic;
use super::scene::Scene;
use super::words::{lapse, percent};
use super::{Check, Finding};
use crate::model::note::Verdict;
use crate::model::order::Role;

/// A finding with what only the ranking needs.
pub struct Ranked {
    /// The finding.
    pub finding: Finding,
    /// What it is about.
    pub topic: Topic,
    /// Our own name for it; empty for a hypothesis the rules do not know.
    pub name: String,
    /// How the ids of its checks begin.
    pub prefix: String,
    /// Ids of its checks that look at orders.
    pub of_orders: Vec<String>,
    /// Points that its checks without data might still bring.
    pub open: f64,
    /// What it follows from.
    pub follows: Option<Topic>,
}

/// What the ranking comes to.
pub struct Ranking {
    /// Those of the note.
    pub hypotheses: Vec<Finding>,
    /// The others.
    pub outside: Vec<Finding>,
    /// What is named.
    pub primary: Option<&'static str>,
    /// What else the orders show, and what follows.
    pub contributing: Vec<&'static str>,
    /// In words.
    pub answer: String,
}

impl Ranked {
    fn has(&self, suffix: &str, verdict: Verdict) -> bool {
        let id = format!("{}{suffix}", self.prefix);
        self.finding.checks.iter().any(|c| c.id == id && c.verdict == verdict)
    }
    fn any(&self, verdict: Verdict) -> bool {
        self.finding.checks.iter().any(|c| c.verdict == verdict)
    }
    /// Whether the orders themselves show it.
    fn shown_by_orders(&self) -> bool {
        self.finding.checks.iter().any(|c| c.verdict == Verdict::Supports && self.of_orders.contains(&c.id))
    }
    /// `H1 connection pool exhaustion`, `Orchestrator down (outside the note's hypotheses)`
    fn title(&self) -> String {
        match (self.finding.number, self.name.as_str()) {
            (0, name) => format!("{name} (outside the note's hypotheses)"),
            (number, "") => format!("H{number}"),
            (number, name) => format!("H{number} {name}"),
        }
    }
}

/// Adds up, finds consequences, sorts and says the answer.
pub fn rank(s: &Scene<'_>, mut all: Vec<Ranked>) -> Ranking {
    for r in &mut all {
        r.finding.score = r.finding.prior + r.finding.checks.iter().map(|c| c.score).sum::<f64>();
    }
    consequences(s, &mut all);
    let number = |r: &Ranked| if r.finding.number == 0 { u32::MAX } else { r.finding.number };
    all.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score).then(number(a).cmp(&number(b))));
    behind_their_cause(&mut all);
    let named = named(s, &all);
    let primary = match &named {
        Named::Cause(_) => all.first().map(|r| r.finding.cause).filter(|c| !c.is_empty()),
        Named::Nothing(_) => Some("none"),
        Named::Undetermined(_) => None,
    };
    let leads = matches!(named, Named::Cause(_));
    let beside = |(i, r): (usize, &Ranked)| (!(leads && i == 0) && contributes(s, r)).then_some(r.finding.cause);
    let contributing = if matches!(named, Named::Nothing(_)) {
        Vec::new()
    } else {
        all.iter().enumerate().filter_map(beside).filter(|c| !c.is_empty()).collect()
    };
    for (i, r) in all.iter_mut().enumerate() {
        r.finding.verdict = word(r, i == 0 && leads);
        (r.finding.because, r.finding.but) = reasons(&r.finding);
    }
    let (Named::Cause(answer) | Named::Nothing(answer) | Named::Undetermined(answer)) = named;
    let (hypotheses, outside) = all.into_iter().map(|r| r.finding).partition(|f| f.number > 0);
    Ranking { hypotheses, outside, primary, contributing, answer }
}

/// Whether the orders show it by itself, or it follows from what is named.
fn contributes(s: &Scene<'_>, r: &Ranked) -> bool {
    r.shown_by_orders() && (r.follows.is_some() || r.finding.score >= s.n.contributes)
}

/// A breaker that opened after its callee failed, a time-out of something that was slower than load explains, a
/// pool that pods full of garbage do not give back: each follows from what made it so, when that is supported and
/// came first.
fn consequences(s: &Scene<'_>, all: &mut [Ranked]) {
    let supported = |topic: Topic, by: &[&str]| {
        all.iter().any(|r| r.topic == topic && by.iter().any(|x| r.has(x, Verdict::Supports)))
    };
    let vendor = supported(Topic::Vendor, &["a"]);
    let pool = supported(Topic::Pool, &["a", "x"]);
    let leak = supported(Topic::Leak, &["a"]) || supported(Topic::Leak, &["b"]);
    let opened = s.breaker_onset();
    let first = |cause: Option<crate::model::Stamp>| cause.zip(opened).is_some_and(|(c, b)| c <= b + s.n.slack);
    let pool_first = pool && s.pool_onset().zip(opened).is_some_and(|((pool, _), b)| pool + s.n.slack < b);
    let vendor_first = vendor && first(super::cause::gateway(s).map(|g| g.from));
    let leak_first = leak
        && super::cause::collecting(s).is_some_and(|t| s.pool_onset().is_none_or(|(pool, _)| t <= pool + s.n.slack));
    for r in all {
        r.follows = match r.topic {
            Topic::Breaker if opened.is_some() && vendor_first => Some(Topic::Vendor),
            Topic::Breaker if opened.is_some() && pool => {
                let follows = r.has("c", Verdict::Refutes) || (pool_first && !r.has("c", Verdict::Supports));
                follows.then_some(Topic::Pool)
            }
            Topic::Timeout if r.any(Verdict::Supports) && vendor => Some(Topic::Vendor),
            Topic::Timeout if r.has("y", Verdict::Refutes) && r.any(Verdict::Supports) && pool => Some(Topic::Pool),
            Topic::Pool if leak_first => Some(Topic::Leak),
            _ => None,
        };
    }
}

/// A consequence never stands above its cause.
fn behind_their_cause(all: &mut Vec<Ranked>) {
    let mut i = 0;
    while i < all.len() {
        let cause = all.get(i).and_then(|r| r.follows);
        let at = all.iter().position(|r| Some(r.topic) == cause);
        match at {
            Some(at) if at > i => {
                let moved = all.remove(i);
                all.insert(at, moved);
            }
            _ => i += 1,
        }
    }
}

/// What can be said.
enum Named {
    /// The first is named.
    Cause(String),
    /// There is nothing to explain.
    Nothing(String),
    /// Nothing can be named, and why.
    Undetermined(String),
}

/// The sentence that names the first, or the one that says why nothing can be named.
fn named(s: &Scene<'_>, all: &[Ranked]) -> Named {
    let Some(first) = all.first() else {
        return Named::Undetermined("undetermined: the note has no hypotheses".to_owned());
    };
    let book = s.book();
    if s.answered(Role::Orders).is_some() && (book.stuck.len() as f64) < s.n.nothing_stuck * book.total.max(1) as f64 {
        return nothing(s, all);
    }
    let f = &first.finding;
    let title = first.title();
    let rivals = || all.iter().skip(1).filter(|r| r.follows != Some(first.topic));
    let next = rivals().map(|r| r.finding.score).reduce(f64::max);
    let ahead = next.map_or(f64::INFINITY, |next| f.score - next);
    let missing = missing(all);
    let because = |why: String| {
        Named::Undetermined(if missing.is_empty() {
            format!("undetermined: {why}")
        } else {
            format!("undetermined, because {missing}; {why}")
        })
    };
    if f.score < s.n.named {
        return because(format!("{title} comes first with {}, below {:.1}", points(f.score), s.n.named));
    }
    if ahead < s.n.ahead {
        return because(format!("{title} is only {ahead:.1} ahead of the next, less than {:.1}", s.n.ahead));
    }
    if !first.shown_by_orders() {
        return because(format!("{title} has {} points from metrics, but no order shows it", points(f.score)));
    }
    if first.follows.is_some() {
        return because(format!("{title} follows from another"));
    }
    // What is missing may name another that something speaks for already.
    let spoken_for = |r: &&Ranked| r.any(Verdict::Supports) && r.finding.score + r.open > f.score;
    if let Some(rival) = rivals().find(spoken_for) {
        return because(format!(
            "{title} has {} points, but {} with {} may still come to {}",
            points(f.score),
            rival.title(),
            points(rival.finding.score),
            points(rival.finding.score + rival.open)
        ));
    }
    // The stuck that are judged are the first: while more are about to join them than there are, whatever speaks for
    // another may be about those.
    let (young, late) = book.late;
    let many = late > book.stuck.len() && late as f64 >= s.n.too_early * young as f64;
    let spoken_for = |r: &&Ranked| r.finding.checks.iter().any(|c| c.score > 0.0);
    if let Some(rival) = rivals().find(spoken_for).filter(|_| many) {
        return because(format!(
            "it is too early: {late} of the {young} orders placed less than {} ago hang beside {} stuck ones; {title} \
             comes first with {}, and something speaks for {} as well",
            lapse(s.rules().stuck_after),
            book.stuck.len(),
            points(f.score),
            rival.title()
        ));
    }
    let supports = f.checks.iter().filter(|c| c.verdict == Verdict::Supports).count();
    let lead = if ahead.is_finite() { format!(", {ahead:.1} ahead of the next") } else { String::new() };
    Named::Cause(format!(
        "{title} is named: score {}{lead}, {supports} of {} checks support. Not accepted by a person yet.",
        points(f.score),
        f.checks.len()
    ))
}

/// Hardly any order is stuck: that nothing broke can be said when nothing hangs and the crowd has gone.
fn nothing(s: &Scene<'_>, all: &[Ranked]) -> Named {
    let book = s.book();
    let stuck = format!(
        "{} of {} orders are stuck, below {}",
        book.stuck.len(),
        book.total,
        percent(100.0 * s.n.nothing_stuck)
    );
    let (young, late) = book.late;
    let after = s.rules().stuck_after;
    if late >= s.n.shown_orders && late as f64 >= s.n.too_early * young as f64 {
        let ages = format!("{} to {}", lapse(s.n.late), lapse(after));
        let why = format!("{late} of the {young} orders placed {ages} ago have not ended; {stuck}");
        return Named::Undetermined(format!("undetermined, because it is too early: {why}"));
    }
    if let Some(last) = s.crowd().filter(|last| s.at.since(*last) < after) {
        let why = format!("the crowd was there at {}, orders hang from {} on", s.clock(last), lapse(after));
        return Named::Undetermined(format!("nothing to explain so far: {stuck}; {why}"));
    }
    let speaks = |r: &&Ranked| r.finding.checks.iter().any(|c| c.score > 0.0);
    match all.iter().find(speaks) {
        // Where nobody measures the users, orders that nobody could place hide the crowd.
        Some(r) if !s.users_measured() => Named::Undetermined(format!(
            "nothing to explain so far: {stuck}; something speaks for {}, and whether the crowd has gone is not measured",
            r.title()
        )),
        _ => Named::Nothing(format!("nothing to explain: {stuck}")),
    }
}

/// The checks about orders that nobody could answer, of the hypotheses that are still open: what would
/// decide.
fn missing(all: &[Ranked]) -> String {
    let decisive = all.iter().filter(|r| r.follows.is_none() && r.finding.score > 0.0);
    let silent = decisive
        .flat_map(|r| r.finding.checks.iter().filter(|c| c.verdict == Verdict::NoData && r.of_orders.contains(&c.id)));
    let mut sources: Vec<&str> = silent.map(|c| c.missing.split([':', ';']).next().unwrap_or_default()).collect();
    sources.dedup();
    sources.truncate(2);
    sources.join(" and ")
}

fn word(r: &Ranked, leads: bool) -> &'static str {
    let decided = r.any(Verdict::Supports) || r.any(Verdict::Refutes);
    match (leads, r.follows.is_some(), decided) {
        (true, ..) => "leads",
        (_, true, _) => "consequence",
        (_, _, false) => "undetermined",
        _ if r.finding.score < 0.0 && r.any(Verdict::Refutes) => "refuted",
        _ => "open",
    }
}

/// `10.8`, `−2.6`
pub fn points(score: f64) -> String {
    if score < 0.0 { format!("−{:.1}", -score) } else { format!("{score:.1}") }
}

/// The strongest for, and the strongest against or what is missing. Of a hypothesis that is refuted, what
/// refutes it comes first.
fn reasons(f: &Finding) -> (String, String) {
    let strongest = |verdict: Verdict| {
        let some = f.checks.iter().filter(|c| c.verdict == verdict && !c.measured.is_empty());
        some.max_by(|a, b| a.score.abs().total_cmp(&b.score.abs()).then(b.id.cmp(&a.id)))
            .map(|c: &Check| c.measured.clone())
    };
    let (good, bad) = (strongest(Verdict::Supports), strongest(Verdict::Refutes));
    let silent = f.checks.iter().find(|c| c.verdict == Verdict::NoData).map(|c| c.missing.clone());
    let good = good.or_else(|| strongest(Verdict::Inconclusive));
    if f.verdict == "refuted" {
        return (bad.unwrap_or_default(), good.or(silent).unwrap_or_default());
    }
    let but = bad.or(silent).unwrap_or_else(|| {
        if good.is_some() { "nothing against it; accepting it needs a person".to_owned() } else { String::new() }
    });
    (good.unwrap_or_default(), but)
}
