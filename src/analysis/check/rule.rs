//! What a rule is: which checkbox it answers, what it measures, when that supports, and what it counts for.
//! The rules themselves are text, in `assets/rules`; `rulebook` reads them.
//!
//! `finds` are the words that find a checkbox, alternatives divided by `|`; the heading right above the
//! checkbox counts as part of its words. Words of three letters or fewer match whole words, longer ones the
//! beginning of a word; writing without spaces matches anywhere.

use super::answer::Answer;
use super::measure::Run;
use super::numbers::Numbers;
use super::own;
use super::scene::Scene;
use crate::model::Lapse;
use crate::model::note::Verdict;

/// What a rule is about. The first five are hypotheses, in the order of the incident that came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Connection pool exhaustion.
    Pool,
    /// Payment callback failure.
    Callback,
    /// Circuit breaker.
    Breaker,
    /// Time-outs.
    Timeout,
    /// Race condition.
    Race,
    /// The Orchestrator is gone.
    Orchestrator,
    /// The gateway's vendor is slow or fails.
    Vendor,
    /// A deployment, a flag, a parameter.
    Change,
    /// A sequence is at its end.
    Sequence,
    /// Memory or goroutines leak.
    Leak,
    /// Everything outside the hypotheses.
    Other,
}

impl Topic {
    /// Those that can be named as a cause, with their words in `model::incident::CAUSES`; the five first.
    pub const NAMED: [(Self, &'static str); 10] = [
        (Self::Pool, "H1"),
        (Self::Callback, "H2"),
        (Self::Breaker, "H3"),
        (Self::Timeout, "H4"),
        (Self::Race, "H5"),
        (Self::Orchestrator, "orchestrator"),
        (Self::Vendor, "vendor"),
        (Self::Change, "change"),
        (Self::Sequence, "sequence"),
        (Self::Leak, "leak"),
    ];
    /// Its word; empty for what is outside the hypotheses.
    pub fn cause(self) -> &'static str {
        Self::NAMED.iter().find(|(topic, _)| *topic == self).map_or("", |(_, cause)| cause)
    }
    /// Whether it is one of the five.
    pub const fn is_hypothesis(self) -> bool {
        matches!(self, Self::Pool | Self::Callback | Self::Breaker | Self::Timeout | Self::Race)
    }
}

/// A hypothesis the rules know.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Which.
    pub topic: Topic,
    /// Our own name for it.
    pub name: String,
    /// Words of a title that mean it, alternatives divided by `|`.
    pub finds: String,
    /// Points before anything is measured, where the note gives none.
    pub prior: f64,
}

/// What a rule speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// A hypothesis by what it is about; `Topic::Other` is a checkbox outside the hypotheses.
    Topic(Topic),
    /// A hypothesis by its number in the note, for one that the rules do not know.
    Number(u32),
}

/// The stretch a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The one that is asked about.
    Stretch,
    /// Its end, this long.
    Last(Lapse),
}

/// What a rule compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The incident's.
    Incident,
    /// Nothing.
    None,
    /// The same stretch, this much earlier.
    Before(Lapse),
}

/// Two levels for a measure that anybody can name: a series, or lines with words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// The series, or the words that a line must have (alternatives divided by `|`).
    pub of: String,
    /// Supports at or above this.
    pub supports_at: Option<f64>,
    /// Refutes when it never reached this.
    pub refutes_below: Option<f64>,
    /// For how long it must be there to support.
    pub for_: Lapse,
    /// Whether the two are times what is usual.
    pub of_usual: bool,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `H1a`, `vendor.x`, `D3`.
    pub id: String,
    /// What it speaks for.
    pub feeds: Feeds,
    /// Words that find its checkbox; empty for a check that no note has.
    pub finds: String,
    /// Its own words, where the note has none.
    pub title: String,
    /// The measure's name.
    pub measure: &'static str,
    /// Measures it.
    pub run: Run,
    /// The levels of a measure that has no rule of its own.
    pub levels: Levels,
    /// What is read, where that is no single series; empty when it does not say.
    pub reads: String,
    /// Whether it looks at the orders themselves: a metric alone names nothing.
    pub of_orders: bool,
    /// Points when it supports, and taken off when it refutes; given once, where the hypothesis asks.
    pub weight: (f64, f64),
    /// The sentence it prints, with the names of its numbers in braces.
    pub says: String,
    /// The stretch it looks at.
    pub window: Window,
    /// What it compares with.
    pub baseline: Baseline,
    /// The number that is the coverage it needs; empty where it needs none.
    pub coverage: String,
    /// Its numbers: the shared ones, and its own in their place.
    pub numbers: Numbers,
    /// The names of the numbers it prints.
    pub thresholds: Vec<String>,
}

impl Rule {
    /// `a` of H1a, `x` of vendor.x; the whole id of a rule outside the hypotheses.
    pub fn suffix(&self) -> &str {
        match self.feeds {
            Feeds::Topic(topic) if topic != Topic::Other => {
                let rest = self.id.strip_prefix(topic.cause()).unwrap_or(&self.id);
                rest.strip_prefix('.').unwrap_or(rest)
            }
            Feeds::Number(n) => self.id.strip_prefix(&format!("H{n}")).unwrap_or(&self.id),
            Feeds::Topic(_) => &self.id,
        }
    }
    /// What it answers in a scene that is seen by it.
    pub fn answer(&self, scene: &Scene<'_>) -> Answer {
        match self.run {
            Run::Scene(measure) => measure(scene),
            Run::Own(own) => own::run(scene, own, &self.levels),
            // Those are asked when all others have answered.
            Run::Sum(_) => Answer::no_data("it says what the other rules come to"),
        }
    }
    /// When it supports and refutes, with its numbers; of levels of its own these, where it has no other words.
    pub fn said(&self) -> String {
        match self.run {
            Run::Own(own) if self.says.is_empty() => self.numbers.fill(&own::says(own, &self.levels)),
            _ => self.numbers.fill(&self.says),
        }
    }
}

/// Points of a weight for a verdict: inconclusive and no data count nothing.
pub const fn points(weight: (f64, f64), verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Supports => weight.0,
        Verdict::Refutes => 0.0 - weight.1,
        Verdict::Inconclusive | Verdict::NoData => 0.0,
    }
}

/// Whether the words (one alternative of `finds` at least) are all in the text.
pub fn finds(finds: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |words: &str| {
        let mut words = words.split_whitespace().peekable();
        words.peek().is_some() && words.all(|w| has_word(&text, w))
    };
    finds.split('|').any(has)
}

fn has_word(text: &str, word: &str) -> bool {
    let spaced = word.is_ascii() || word.chars().all(|c| c.is_alphabetic() && (c as u32) < 0x2e80);
    if !spaced {
        return text.contains(word);
    }
    let whole = word.chars().count() <= 3;
    text.match_indices(word).any(|(i, _)| {
        let before = text.get(..i).and_then(|t| t.chars().next_back());
        let after = text.get(i + word.len()..).and_then(|t| t.chars().next());
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (!whole || !inside(after) || after == Some('s'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_words() {
        assert!(finds("lock | sperr", "Check for proper locking"));
        assert!(!finds("lock", "deadlock rate") && !finds("gc", "GCP quota") && finds("gc", "Memory / GC pauses"));
        assert!(finds("upg ho", "UPG → HO: success rate") && !finds("upg ho", "UPG should"));
        assert!(finds("プール 指標", "接続プールの指標"));
        assert!(!finds("", "anything") && !finds(" | ", "anything"));
    }
}
