//! From checks to an answer: which hypothesis leads, which is a consequence of another, and what is missing
//! for a name. A score is a gate, never a probability.

use super::numbers as n;
use super::rule::Topic;
use super::scene::Scene;
use super::words::percent;
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
    pub name: &'static str,
    /// Ids of its checks that look at orders.
    pub of_orders: Vec<String>,
    /// The hypothesis it follows from, by number.
    pub follows: Option<u32>,
}

impl Ranked {
    fn has(&self, suffix: &str, verdict: Verdict) -> bool {
        let id = format!("H{}{suffix}", self.finding.number);
        self.finding.checks.iter().any(|c| c.id == id && c.verdict == verdict)
    }
    fn any(&self, verdict: Verdict) -> bool {
        self.finding.checks.iter().any(|c| c.verdict == verdict)
    }
    /// Whether the orders themselves show it.
    fn shown_by_orders(&self) -> bool {
        self.finding.checks.iter().any(|c| c.verdict == Verdict::Supports && self.of_orders.contains(&c.id))
    }
}

/// Adds up, finds consequences, sorts and says the answer.
pub fn rank(s: &Scene<'_>, mut all: Vec<Ranked>) -> (Vec<Finding>, String) {
    for r in &mut all {
        r.finding.score = r.finding.prior + r.finding.checks.iter().map(|c| c.score).sum::<f64>();
    }
    consequences(s, &mut all);
    all.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score).then(a.finding.number.cmp(&b.finding.number)));
    behind_their_cause(&mut all);
    let named = named(s, &all);
    for (i, r) in all.iter_mut().enumerate() {
        r.finding.verdict = word(r, i == 0 && named.is_ok());
        (r.finding.because, r.finding.but) = reasons(&r.finding);
    }
    let answer = named.unwrap_or_else(|why| why);
    (all.into_iter().map(|r| r.finding).collect(), answer)
}

/// A breaker that opened after its callee failed, and a time-out of something that was slower than load
/// explains, follow from whatever made it so: the pool, when the pool is supported and came first.
fn consequences(s: &Scene<'_>, all: &mut [Ranked]) {
    let pool =
        all.iter().find(|r| r.topic == Topic::Pool && (r.has("a", Verdict::Supports) || r.has("x", Verdict::Supports)));
    let cause = pool.map(|r| r.finding.number);
    let opened = s.breaker_onset();
    let pool_first = cause.is_some() && s.pool_onset().zip(opened).is_some_and(|((pool, _), b)| pool + n::SLACK < b);
    for r in all {
        let follows = match r.topic {
            Topic::Breaker => {
                opened.is_some() && (r.has("c", Verdict::Refutes) || (pool_first && !r.has("c", Verdict::Supports)))
            }
            Topic::Timeout => r.has("y", Verdict::Refutes) && r.any(Verdict::Supports),
            _ => false,
        };
        r.follows = cause.filter(|_| follows);
    }
}

/// A consequence never stands above its cause.
fn behind_their_cause(all: &mut Vec<Ranked>) {
    let mut i = 0;
    while i < all.len() {
        let cause = all.get(i).and_then(|r| r.follows);
        let at = all.iter().position(|r| Some(r.finding.number) == cause);
        match at {
            Some(at) if at > i => {
                let moved = all.remove(i);
                all.insert(at, moved);
            }
            _ => i += 1,
        }
    }
}

/// The sentence that names the first, or the one that says why nothing can be named.
fn named(s: &Scene<'_>, all: &[Ranked]) -> Result<String, String> {
    let Some(first) = all.first() else { return Err("undetermined: the note has no hypotheses".to_owned()) };
    let book = s.book();
    if s.answered(Role::Orders).is_some() && (book.stuck.len() as f64) < n::NOTHING_STUCK * book.total.max(1) as f64 {
        let limit = percent(100.0 * n::NOTHING_STUCK);
        return Err(format!(
            "nothing to explain: {} of {} orders are stuck, below {limit}",
            book.stuck.len(),
            book.total
        ));
    }
    let f = &first.finding;
    let title = if first.name.is_empty() { format!("H{}", f.number) } else { format!("H{} {}", f.number, first.name) };
    let next = all.iter().skip(1).filter(|r| r.follows != Some(f.number)).map(|r| r.finding.score).reduce(f64::max);
    let ahead = next.map_or(f64::INFINITY, |next| f.score - next);
    let missing = missing(all);
    let because = |why: String| {
        if missing.is_empty() {
            format!("undetermined: {why}")
        } else {
            format!("undetermined, because {missing}; {why}")
        }
    };
    if f.score < n::NAMED.0 {
        return Err(because(format!("{title} comes first with {}, below {:.1}", points(f.score), n::NAMED.0)));
    }
    if ahead < n::NAMED.1 {
        return Err(because(format!("{title} is only {ahead:.1} ahead of the next, less than {:.1}", n::NAMED.1)));
    }
    if !first.shown_by_orders() {
        return Err(because(format!("{title} has {} points from metrics, but no order shows it", points(f.score))));
    }
    if first.follows.is_some() {
        return Err(because(format!("{title} follows from another")));
    }
    let supports = f.checks.iter().filter(|c| c.verdict == Verdict::Supports).count();
    let lead = if ahead.is_finite() { format!(", {ahead:.1} ahead of the next") } else { String::new() };
    Ok(format!(
        "{title} is named: score {}{lead}, {supports} of {} checks support. Not accepted by a person yet.",
        points(f.score),
        f.checks.len()
    ))
}

/// The checks about orders that nobody could answer, of the hypotheses that are still open: what would
/// decide.
fn missing(all: &[Ranked]) -> String {
    let decisive = all.iter().filter(|r| r.follows.is_none() && r.finding.score >= 0.0);
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
