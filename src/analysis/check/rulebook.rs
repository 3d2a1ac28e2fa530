//! The rules as text: those that come with the program, and the files that change them.
//!
//! A file may give a shared number another value (`[numbers]`), change any key of a rule by its id, switch one
//! off, add rules and change the words of a hypothesis. What is wrong in a file is said with its line and the
//! nearest name that exists; the rest of it counts.

mod words;

use super::measure::{MEASURES, Own, Run, measure};
use super::numbers::Numbers;
use super::rule::{Baseline, Card, Feeds, Levels, Rule, Topic, Window};
use crate::model::Lapse;
use crate::model::incident::RuleFile;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use toml::{Spanned, Value};
use words::{
    Reader, Thresholds, baseline, coverage, feeds, nearest, no_lapse, number, said, spoken, thresholds, window,
};

/// The files that come with the program: name and text.
pub const FILES: [(&str, &str); 4] = [
    ("numbers.toml", include_str!("../../../assets/rules/numbers.toml")),
    ("hypotheses.toml", include_str!("../../../assets/rules/hypotheses.toml")),
    ("outside.toml", include_str!("../../../assets/rules/outside.toml")),
    ("note.toml", include_str!("../../../assets/rules/note.toml")),
];

static BUILT_IN: LazyLock<(Rulebook, Vec<Fault>)> = LazyLock::new(|| {
    let mut book = Rulebook::default();
    let faults = FILES.iter().flat_map(|(name, text)| book.read(name, text)).collect();
    (book, faults)
});

/// All rules.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// The hypotheses, the five first.
    pub(super) cards: Vec<Card>,
    /// The rules, in the order in which they choose their checkboxes.
    pub(super) rules: Vec<Rule>,
    /// The shared numbers.
    pub(super) numbers: Numbers,
}

/// A rule in words, for a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// `H1a`
    pub id: String,
    /// The hypothesis it speaks for; empty for a checkbox outside them.
    pub feeds: String,
    /// The measure's name.
    pub measure: &'static str,
    /// Its own words; those that find its checkbox where it has none.
    pub title: String,
    /// Words that find its checkbox; empty when no note has one.
    pub finds: String,
    /// The sentence it prints, with its numbers.
    pub says: String,
    /// Points when it supports, and when it refutes.
    pub points: (f64, f64),
    /// Whether it looks at the orders themselves.
    pub of_orders: bool,
    /// The stretch.
    pub window: String,
    /// What it is compared with.
    pub baseline: String,
    /// The coverage it needs; empty where it needs none.
    pub coverage: String,
    /// Its numbers, by name.
    pub thresholds: Vec<(String, String)>,
}

/// What is wrong in a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {says}")]
pub struct Fault {
    /// Its name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What it is about: `rule H1a measure`.
    pub key: String,
    /// A sentence with the remedy.
    pub says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    numbers: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    hypothesis: Vec<CardText>,
    #[serde(default)]
    rule: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardText {
    id: Spanned<String>,
    name: Option<String>,
    finds: Option<String>,
    prior: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: Spanned<String>,
    hypothesis: Option<Spanned<Value>>,
    measure: Option<Spanned<String>>,
    title: Option<String>,
    finds: Option<String>,
    reads: Option<String>,
    window: Option<Spanned<String>>,
    baseline: Option<Spanned<String>>,
    coverage: Option<Spanned<Value>>,
    thresholds: Option<Spanned<Thresholds>>,
    says: Option<Spanned<String>>,
    of_orders: Option<bool>,
    supports: Option<f64>,
    refutes: Option<f64>,
    series: Option<String>,
    lines: Option<String>,
    supports_at: Option<f64>,
    refutes_below: Option<f64>,
    #[serde(rename = "for")]
    for_: Option<Spanned<String>>,
    of_usual: Option<bool>,
    #[serde(default)]
    off: bool,
}

impl Rulebook {
    /// The rules that come with the program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN.0
    }
    /// The rules with the files of an incident over them, and what is wrong in those.
    pub fn of(files: &[RuleFile]) -> (Cow<'static, Self>, Vec<Fault>) {
        if files.is_empty() {
            return (Cow::Borrowed(Self::built_in()), Vec::new());
        }
        let mut book = Self::built_in().clone();
        let faults = files.iter().flat_map(|f| book.read(&f.name, &f.text)).collect();
        (Cow::Owned(book), faults)
    }
    /// The hypothesis a title means, when the rules know it.
    pub(super) fn topic_of(&self, title: &str) -> Option<&Card> {
        self.cards.iter().find(|card| super::rule::finds(&card.finds, title))
    }
    /// The rules that speak for one thing.
    pub(super) fn of_topic(&self, topic: Topic) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |r| r.feeds == Feeds::Topic(topic))
    }

    /// Every rule in words, in order.
    pub fn listed(&self) -> impl Iterator<Item = Listed> + '_ {
        self.rules.iter().map(|rule| Listed {
            id: rule.id.clone(),
            feeds: match rule.feeds {
                Feeds::Topic(Topic::Other) => String::new(),
                Feeds::Topic(topic) => topic.cause().to_owned(),
                Feeds::Number(n) => format!("the note's hypothesis {n}"),
            },
            measure: rule.measure,
            title: if rule.title.is_empty() { rule.finds.clone() } else { rule.title.clone() },
            finds: rule.finds.clone(),
            says: rule.said(),
            points: rule.weight,
            of_orders: rule.of_orders,
            window: match rule.window {
                Window::Stretch => "stretch".to_owned(),
                Window::Last(long) => format!("last {}", said(long)),
            },
            baseline: match rule.baseline {
                Baseline::Incident => "incident".to_owned(),
                Baseline::None => "none".to_owned(),
                Baseline::Before(long) => format!("before {}", said(long)),
            },
            coverage: rule.numbers.said(&rule.coverage).unwrap_or_default(),
            thresholds: rule
                .thresholds
                .iter()
                .filter_map(|name| Some((name.clone(), rule.numbers.said(name)?)))
                .collect(),
        })
    }
    /// The names of what can be measured.
    pub fn measures() -> impl Iterator<Item = &'static str> {
        MEASURES.iter().map(|m| m.0)
    }

    /// Reads one file over what is there.
    fn read(&mut self, file: &str, text: &str) -> Vec<Fault> {
        let mut r = Reader { file, text, faults: Vec::new() };
        let page: Page = match toml::from_str(text) {
            Ok(page) => page,
            Err(e) => {
                let says = format!("{}; nothing of this file counts until that is mended", e.message());
                r.fault(e.span().map_or(0, |s| s.start), "TOML", says);
                return r.faults;
            }
        };
        for (name, value) in &page.numbers {
            let key = format!("numbers {name}");
            if let Some(value) = number(&mut r, &key, name, value.get_ref(), value.span().start) {
                self.numbers.set(name, value);
                // A rule with a value of its own keeps it only when it is said below: shared means shared.
                for rule in &mut self.rules {
                    rule.numbers.set(name, value);
                }
            }
        }
        for card in page.hypothesis {
            self.card(&mut r, card);
        }
        for rule in page.rule {
            self.rule(&mut r, rule);
        }
        r.faults
    }

    fn card(&mut self, r: &mut Reader<'_>, text: CardText) {
        let (id, at) = (text.id.get_ref(), text.id.span().start);
        let Some((topic, _)) = Topic::NAMED.iter().find(|(_, cause)| cause == id) else {
            let known = Topic::NAMED.map(|(_, cause)| cause).join(", ");
            let says = format!(
                "no cause is called so ({known}); a hypothesis of your note needs no entry here: its rules say hypothesis = its number"
            );
            r.fault(at, format!("hypothesis {id}"), says);
            return;
        };
        let place = self.cards.iter().position(|c| c.topic == *topic).unwrap_or_else(|| {
            self.cards.push(Card { topic: *topic, name: id.clone(), finds: String::new(), prior: 0.0 });
            self.cards.len() - 1
        });
        if let Some(card) = self.cards.get_mut(place) {
            card.name = text.name.unwrap_or_else(|| card.name.clone());
            card.finds = text.finds.unwrap_or_else(|| card.finds.clone());
            card.prior = text.prior.unwrap_or(card.prior);
        }
    }

    fn rule(&mut self, r: &mut Reader<'_>, text: RuleText) {
        let id = text.id.get_ref().clone();
        let place = self.rules.iter().position(|rule| rule.id == id);
        if text.off {
            if let Some(i) = place {
                self.rules.remove(i);
            } else {
                let near = nearest(&id, self.rules.iter().map(|rule| rule.id.as_str()));
                r.fault(
                    text.id.span().start,
                    format!("rule {id}"),
                    format!("there is no such rule to switch off{near}"),
                );
            }
            return;
        }
        let before = place.and_then(|i| self.rules.get(i)).cloned();
        let Some(rule) = self.filled(r, before, text) else { return };
        match place.and_then(|i| self.rules.get_mut(i)) {
            Some(old) => *old = rule,
            None => self.rules.push(rule),
        }
    }

    /// A rule from its text over what it was; none when what it measures cannot be told.
    fn filled(&self, r: &mut Reader<'_>, before: Option<Rule>, text: RuleText) -> Option<Rule> {
        let (id, at) = (text.id.get_ref().clone(), text.id.span().start);
        let key = |what: &str| format!("rule {id} {what}");
        let run = match &text.measure {
            Some(name) => {
                let Some(found) = measure(name.get_ref()) else {
                    let near = nearest(name.get_ref(), MEASURES.iter().map(|m| m.0));
                    let says = format!("nothing is measured by the name \"{}\"{near}", name.get_ref());
                    r.fault(name.span().start, key("measure"), says);
                    return None;
                };
                Some(found)
            }
            None => before.as_ref().map(|b| (b.measure, b.run)),
        };
        let Some((measure, run)) = run else {
            r.fault(at, key("measure"), "is missing: what is measured; warroom rules --measures lists the names");
            return None;
        };
        let points = [("supports", text.supports), ("refutes", text.refutes)];
        if let Some((what, _)) = points.iter().find(|(_, p)| p.is_some_and(|p| !p.is_finite() || p < 0.0)) {
            r.fault(at, key(what), "is a number of points from 0 on");
            return None;
        }
        let levels = [("supports_at", text.supports_at), ("refutes_below", text.refutes_below)];
        if let Some((what, _)) = levels.iter().find(|(_, l)| l.is_some_and(|l| !l.is_finite())) {
            r.fault(at, key(what), "is a number");
            return None;
        }
        let feeds = match &text.hypothesis {
            Some(value) => feeds(r, &key("hypothesis"), value)?,
            None => before.as_ref().map_or(Feeds::Topic(Topic::Other), |b| b.feeds),
        };
        let mut rule = before.unwrap_or_else(|| Rule {
            id: id.clone(),
            feeds,
            finds: String::new(),
            title: id.clone(),
            measure,
            run,
            levels: Levels { for_: Lapse::minutes(3), ..Levels::default() },
            reads: String::new(),
            of_orders: matches!(run, Run::Own(Own::OrdersWithLines)),
            weight: (0.0, 0.0),
            says: String::new(),
            window: Window::Stretch,
            baseline: Baseline::Incident,
            coverage: String::new(),
            numbers: self.numbers,
            thresholds: Vec::new(),
        });
        (rule.feeds, rule.measure, rule.run) = (feeds, measure, run);
        let put = |slot: &mut String, text: Option<String>| {
            if let Some(text) = text {
                *slot = text;
            }
        };
        put(&mut rule.finds, text.finds);
        put(&mut rule.title, text.title);
        put(&mut rule.reads, text.reads);
        rule.of_orders = text.of_orders.unwrap_or(rule.of_orders);
        rule.weight = (text.supports.unwrap_or(rule.weight.0), text.refutes.unwrap_or(rule.weight.1));
        if let Some(w) = &text.window {
            rule.window = window(r, &key("window"), w)?;
        }
        if let Some(b) = &text.baseline {
            rule.baseline = baseline(r, &key("baseline"), b)?;
        }
        thresholds(r, &key("thresholds"), &mut rule, text.thresholds);
        if let Some(c) = &text.coverage {
            coverage(r, &key("coverage"), &mut rule, c);
        }
        put(&mut rule.levels.of, text.series.or(text.lines));
        rule.levels.supports_at = text.supports_at.or(rule.levels.supports_at);
        rule.levels.refutes_below = text.refutes_below.or(rule.levels.refutes_below);
        rule.levels.of_usual = text.of_usual.unwrap_or(rule.levels.of_usual);
        if let Some(text) = &text.for_ {
            match Lapse::parse(text.get_ref()) {
                Some(l) => rule.levels.for_ = l,
                None => r.fault(text.span().start, key("for"), no_lapse(text.get_ref())),
            }
        }
        spoken(r, &id, at, &mut rule, text.says)?;
        Some(rule)
    }
}

#[cfg(test)]
#[path = "rulebook_tests.rs"]
mod tests;
