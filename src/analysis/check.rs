//! Checks: what was measured, by which rule, and whether that supports or refutes a hypothesis of the note.
//!
//! A missing source never refutes; a person's override stands beside the measured verdict; a score is a
//! gate, never a probability.

mod answer;
mod area;
mod breaker;
mod callback;
mod cause;
mod desk;
mod lines;
mod measure;
mod numbers;
mod own;
mod phase;
mod pool;
mod probe;
mod race;
mod rule;
pub mod rulebook;
mod scene;
mod timeout;
mod verdict;
mod words;

use crate::analysis::reconcile::{self, SharedTrait};
use crate::analysis::spike::Onset;
use crate::model::note::{ItemId, Note, Verdict};
use crate::model::order::OrderId;
use crate::model::series::SeriesName;
use crate::model::{Span, Stamp, Untrusted};
use crate::store::Store;
use desk::{Desk, PERSON};
use lines::{Lines, Told};
use rulebook::Rulebook;
use scene::Scene;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Whether a text has the words (one alternative of those divided by `|` at least), as rules find checkboxes.
pub fn means(words: &str, text: &str) -> bool {
    rule::finds(words, text)
}

/// One check with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// `H1a`, `D3`, `Q1`.
    pub id: String,
    /// The checkbox it answers; none for checks the note does not have.
    pub item: Option<ItemId>,
    /// Its words: the checkbox's, or the check's own.
    pub title: Untrusted,
    /// What was measured, in words with numbers; empty when nothing.
    pub measured: String,
    /// The rule, with its numbers.
    pub rule: String,
    /// What it says; a person's override already applied.
    pub verdict: Verdict,
    /// The measured verdict when a person has overridden it, with who and why.
    pub overridden: Option<(Verdict, Untrusted, Untrusted)>,
    /// What it adds to the score.
    pub score: f64,
    /// How old the newest measurement is.
    pub asof: Option<Stamp>,
    /// Whether that is so old that the verdict is one of then: it counts, and is said.
    pub stale: bool,
    /// Series to draw beside it.
    pub spark: Option<SeriesName>,
    /// Whether it names orders that carry its evidence.
    pub of_orders: bool,
    /// What was read where that is no single series; empty when it does not say.
    pub reads: String,
    /// Why there is no data, and the remedy; empty otherwise.
    pub missing: String,
    /// Evidence in full: label and text.
    pub evidence: Vec<(&'static str, String)>,
    /// The one line that goes into the note when ticked with evidence, without indentation.
    pub evidence_line: String,
}

/// A hypothesis with its checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its number in the note; 0 for a cause the note does not ask about.
    pub number: u32,
    /// Its word in `model::incident::CAUSES`; empty for a hypothesis the rules do not know.
    pub cause: &'static str,
    /// Title.
    pub title: Untrusted,
    /// Priority as written.
    pub priority: Untrusted,
    /// Prior as points.
    pub prior: f64,
    /// Sum of prior and checks.
    pub score: f64,
    /// `leads`, `consequence`, `open`, `refuted`, `undetermined`.
    pub verdict: &'static str,
    /// Checks in the note's order, added ones last.
    pub checks: Vec<Check>,
    /// The strongest reason for it, in words; empty when none.
    pub because: String,
    /// The strongest reason against it, or what is missing.
    pub but: String,
}

/// All that can be said of the note's hypotheses and other checkboxes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Those of the note, ranked, best first.
    pub hypotheses: Vec<Finding>,
    /// Causes outside the note's hypotheses, ranked, best first.
    pub outside: Vec<Finding>,
    /// The cause that is named, by its word in `model::incident::CAUSES`; `none` when there is nothing to explain,
    /// nothing when it is undetermined.
    pub primary: Option<&'static str>,
    /// What the orders show besides it, and what follows from it.
    pub contributing: Vec<&'static str>,
    /// The answer, or "undetermined, because … is missing".
    pub answer: String,
    /// Answers for checkboxes outside the hypotheses (areas, questions, phases).
    pub others: Vec<Check>,
    /// Items whose evidence is complete and that are not ticked.
    pub ready: Vec<ItemId>,
    /// What no source answers, with the remedy.
    pub missing: Vec<(String, String)>,
    /// The orders that carry the evidence of the check that was asked about.
    pub carriers: Option<(String, HashSet<OrderId>)>,
}

/// Evaluates everything for `window` as of `at`. A note without hypotheses is asked the five that the rules
/// know. Nothing after `at` is used.
pub fn findings(store: &Store, note: &Note, window: Span, at: Stamp) -> Findings {
    findings_given(store, note, window, at, Given::default())
}

/// What is expensive in the findings, when the caller has it for the same stretch and instant.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `spike::broke_first` at the instant.
    pub onsets: Option<Vec<Onset>>,
    /// `reconcile::shared` of the stretch at the instant.
    pub shared: Option<Vec<SharedTrait>>,
    /// What the lines of the stretch say.
    pub spoken: Option<Spoken>,
    /// What those of the baseline say.
    pub usual: Option<Usual>,
    /// A check, by its id, whose orders somebody wants to see.
    pub carry: Option<String>,
}

/// What the lines of a stretch say, and those of each order that hangs.
#[derive(Clone, Debug)]
pub struct Spoken {
    lines: Lines,
    told: HashMap<OrderId, Told>,
}

/// The orders of a stretch that hang as of an instant: whose lines [`spoken`] is to keep.
pub fn hung(store: &Store, window: Span, at: Stamp) -> Vec<OrderId> {
    reconcile::stuck(store, window, at).cloned().collect()
}

/// Reads the lines of a stretch as of an instant, and keeps what those of the orders that hang say.
pub fn spoken(store: &Store, window: Span, at: Stamp, hung: &[OrderId]) -> Spoken {
    let mut wanted: HashMap<&str, Told> = hung.iter().map(|id| (&**id, Told::default())).collect();
    let lines = Lines::read(store, scene::happened(window, at), &mut wanted);
    let told = hung.iter().map(|id| (id.clone(), wanted.get(&**id).copied().unwrap_or_default())).collect();
    Spoken { lines, told }
}

/// What the lines of the baseline say: the same again and again, so whoever keeps it asks whether it [holds].
///
/// [holds]: Usual::holds
#[derive(Clone, Debug)]
pub struct Usual {
    of: (Option<Span>, usize),
    lines: Option<Arc<Lines>>,
}

impl Usual {
    /// Reads the lines of the baseline.
    pub fn read(store: &Store) -> Self {
        Self::of_span(store, store.incident.baseline)
    }
    fn of_span(store: &Store, baseline: Option<Span>) -> Self {
        let of = (baseline, baseline.map_or(0, |b| store.logs.within(b).len()));
        let read = |b| Some(Lines::read(store, b, &mut HashMap::new())).filter(|l| l.total > 0);
        Self { of, lines: baseline.and_then(read).map(Arc::new) }
    }
    /// Whether nothing has come to the baseline or gone from it since.
    pub fn holds(&self, store: &Store) -> bool {
        self.of == Self::of(store)
    }
    fn of(store: &Store) -> (Option<Span>, usize) {
        let baseline = store.incident.baseline;
        (baseline, baseline.map_or(0, |b| store.logs.within(b).len()))
    }
}

/// As [`findings`], sparing what is given.
pub fn findings_given(store: &Store, note: &Note, window: Span, at: Stamp, given: Given) -> Findings {
    let (book, faults) = Rulebook::of(&store.incident.rule_files);
    let carry = given.carry.clone();
    let scene = Scene::new(store, window, at, &book.numbers, given);
    let bindings = store.bindings(at);
    let place = |id: &ItemId| note.items.iter().position(|i| i.id == *id);
    let mut desk = Desk {
        scene: &scene,
        book: &book,
        note,
        taken: BTreeSet::new(),
        probed: BTreeSet::new(),
        asked: BTreeSet::new(),
        carriers: carry.map(|id| (id, HashSet::new())),
        bound: bindings.into_iter().filter_map(|(id, to)| Some((place(id)?, to.clone()))).collect(),
    };
    let hypotheses = desk.hypotheses();
    let mut others = desk.others();
    let verdict::Ranking { hypotheses, outside, primary, contributing, answer } = verdict::rank(&scene, hypotheses);
    others.extend(desk.summaries(&hypotheses, &answer));
    others.extend(desk.rest());
    let carriers = desk.carriers.take();
    let all = || hypotheses.iter().flat_map(|f| &f.checks).chain(&others);
    let open = |item: &&ItemId| note.items.iter().any(|i| i.id == **item && !i.ticked);
    let complete = |c: &&Check| matches!(c.verdict, Verdict::Supports | Verdict::Refutes);
    let ready = all().filter(complete).filter_map(|c| c.item.as_ref()).filter(open).cloned().collect();
    let silent = |c: &&Check| c.verdict == Verdict::NoData && !c.missing.is_empty() && c.missing != PERSON;
    let wrong = faults.iter().map(|f| ("rules".to_owned(), f.to_string()));
    let missing = wrong.chain(all().filter(silent).map(|c| (c.id.clone(), c.missing.clone()))).collect();
    Findings { hypotheses, outside, primary, contributing, answer, others, ready, missing, carriers }
}

#[cfg(test)]
#[path = "check/demo_tests.rs"]
mod demo_tests;

#[cfg(test)]
#[path = "check/rule_tests.rs"]
mod rule_tests;

#[cfg(test)]
#[path = "check/world_tests.rs"]
mod world_tests;
