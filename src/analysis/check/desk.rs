//! Puts rules beside the note's checkboxes: each checkbox gets at most one rule, each rule at most one
//! checkbox; what no rule answers is a person's to answer.

use super::answer::Answer;
use super::measure::{Own, Run, Sum};
use super::own;
use super::rule::{self, Card, Feeds, Levels, Rule, Topic};
use super::rulebook::Rulebook;
use super::scene::Scene;
use super::verdict::Ranked;
use super::{Check, Finding, probe, words};
use crate::model::Untrusted;
use crate::model::incident::Probe;
use crate::model::note::{Bound, Hypothesis, Note, Verdict};
use crate::model::order::OrderId;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is said of a checkbox that no rule answers.
pub const PERSON: &str = "no rule measures this: a person answers it (A, v), or B binds it to a rule or a series";

/// Measures that name orders without being a proof by orders.
const NAMES_ORDERS: [&str; 1] = ["charged_not_at_ho"];

/// Rules and checkboxes being matched.
pub struct Desk<'s> {
    /// What is looked at.
    pub scene: &'s Scene<'s>,
    /// The rules.
    pub book: &'s Rulebook,
    /// The note.
    pub note: &'s Note,
    /// Checkboxes that have their rule.
    pub taken: BTreeSet<usize>,
    /// Probes that have been asked.
    pub probed: BTreeSet<usize>,
    /// The check whose orders somebody wants to see, and those orders.
    pub carriers: Option<(String, HashSet<OrderId>)>,
    /// Rules that have looked for their checkbox.
    pub asked: BTreeSet<String>,
    /// What people have bound checkboxes to, by their place in the note.
    pub bound: BTreeMap<usize, Bound>,
}

impl<'s> Desk<'s> {
    /// The note's hypotheses with their checks, the known five where the note has none, and the causes outside
    /// them that the note does not ask about.
    pub fn hypotheses(&mut self) -> Vec<Ranked> {
        let own = |number: u32, card: &Card| Hypothesis {
            number,
            title: card.name.as_str().into(),
            priority: Untrusted::default(),
            prior: card.prior,
            lines: (0, 0),
            reasoning: Untrusted::default(),
            items: Vec::new(),
        };
        let book = self.book;
        let mut all: Vec<Ranked> = if self.note.hypotheses.is_empty() {
            let known = book.cards.iter().filter(|c| c.topic.is_hypothesis()).enumerate();
            known.map(|(i, card)| self.hypothesis(&own(i as u32 + 1, card), Some(card))).collect()
        } else {
            let asked = self.note.hypotheses.iter();
            asked.map(|h| self.hypothesis(h, book.topic_of(h.title.raw()))).collect()
        };
        for card in book.cards.iter().filter(|c| !c.topic.is_hypothesis()) {
            if all.iter().all(|r| r.topic != card.topic) {
                all.push(self.hypothesis(&own(0, card), Some(card)));
            }
        }
        all
    }

    fn hypothesis(&mut self, h: &Hypothesis, card: Option<&Card>) -> Ranked {
        let topic = card.map_or(Topic::Other, |c| c.topic);
        let mut found: Vec<(usize, Check)> = Vec::new();
        let mut added: Vec<Check> = Vec::new();
        let mut of_orders = Vec::new();
        let mut open = 0.0;
        let prefix = match (h.number, card) {
            (0, Some(card)) => format!("{}.", card.topic.cause()),
            (number, _) => format!("H{number}"),
        };
        let speaks = |r: &&Rule| match r.feeds {
            Feeds::Topic(Topic::Other) => false,
            Feeds::Topic(t) => t == topic,
            Feeds::Number(n) => h.number > 0 && n == h.number,
        };
        for rule in self.book.rules.iter().filter(speaks) {
            let id = format!("{prefix}{}", rule.suffix());
            let item = self.find_for(rule, &h.items);
            if rule.of_orders {
                of_orders.push(id.clone());
            }
            let check = match self.replaced(&id) {
                Some(probe) => self.probe(&id, item, probe),
                None => self.check(&id, item, rule),
            };
            if check.verdict == Verdict::NoData {
                open += rule.weight.0;
            }
            match item {
                Some(item) => found.push((item, check)),
                None => added.push(check),
            }
        }
        let asked = |p: &Probe| h.number > 0 && p.hypothesis == h.number;
        for (i, probe) in self.probes().filter(|(_, p)| asked(p)).collect::<Vec<_>>() {
            if self.probed.insert(i) {
                let item = self.find_all(&probe.matches, &h.items);
                let check = self.probe(&probe.id, item, probe);
                match item {
                    Some(item) => found.push((item, check)),
                    None => added.push(check),
                }
            }
        }
        let left: Vec<usize> = h.items.iter().copied().filter(|i| !self.taken.contains(i)).collect();
        for item in left {
            found.extend(self.left_over(item).map(|check| (item, check)));
        }
        found.sort_by_key(|(item, _)| *item);
        let checks = found.into_iter().map(|(_, c)| c).chain(added).collect();
        let finding = Finding { cause: topic.cause(), ..Self::finding(h, checks) };
        Ranked {
            finding,
            topic,
            name: card.map_or_else(String::new, |c| c.name.clone()),
            prefix,
            of_orders,
            open,
            follows: None,
        }
    }

    fn finding(h: &Hypothesis, checks: Vec<Check>) -> Finding {
        Finding {
            number: h.number,
            cause: "",
            title: h.title.clone(),
            priority: h.priority.clone(),
            prior: h.prior,
            score: h.prior,
            verdict: "open",
            checks,
            because: String::new(),
            but: String::new(),
        }
    }

    /// Rules outside the hypotheses whose checkbox the note has.
    pub fn others(&mut self) -> Vec<Check> {
        let all: Vec<usize> = (0..self.note.items.len()).collect();
        let mut out = Vec::new();
        for (i, probe) in self.probes().filter(|(_, p)| p.hypothesis == 0).collect::<Vec<_>>() {
            if let Some(item) = self.find_all(&probe.matches, &all) {
                self.probed.insert(i);
                out.push(self.probe(&probe.id, Some(item), probe));
            }
        }
        for rule in self.book.of_topic(Topic::Other).filter(|r| !matches!(r.run, Run::Sum(_))) {
            let Some(item) = self.find_for(rule, &all) else { continue };
            out.push(match self.replaced(&rule.id) {
                Some(probe) => self.probe(&rule.id, Some(item), probe),
                None => self.check(&rule.id, Some(item), rule),
            });
        }
        out
    }

    /// The phase about the root cause itself: what the other checks come to.
    pub fn summaries(&mut self, hypotheses: &[Finding], answer: &str) -> Vec<Check> {
        let all: Vec<usize> = (0..self.note.items.len()).collect();
        let silent: Vec<&str> = hypotheses
            .iter()
            .flat_map(|f| &f.checks)
            .filter(|c| c.verdict == Verdict::NoData && c.missing != PERSON)
            .map(|c| c.id.as_str())
            .collect();
        let some = hypotheses.iter().filter(|f| f.verdict == "open" || f.verdict == "consequence");
        let contributing: Vec<String> = some
            .filter(|f| f.checks.iter().any(|c| c.verdict == Verdict::Supports))
            .map(|f| format!("H{} {}", f.number, f.verdict))
            .collect();
        let validated = if silent.is_empty() {
            Answer::new(Verdict::Supports, "every check of every hypothesis has data")
        } else {
            Answer::new(Verdict::Inconclusive, format!("no data for {}", silent.join(", ")))
        };
        let list = if contributing.is_empty() {
            "no other hypothesis has a supporting check".to_owned()
        } else {
            contributing.join(", ")
        };
        let mut out = Vec::new();
        for rule in self.book.of_topic(Topic::Other) {
            let Run::Sum(sum) = rule.run else { continue };
            let answer = match sum {
                Sum::EveryCheck => validated.clone(),
                Sum::NamedCause => Answer::new(Verdict::Inconclusive, answer),
                Sum::Contributing => Answer::new(Verdict::Supports, list.clone()),
            };
            if let Some(item) = self.find(&rule.finds, &all) {
                let made = self.make(&rule.id, Some(item), (&rule.title, rule.said()), (0.0, 0.0), answer);
                out.push(Check { reads: rule.reads.clone(), ..made });
            }
        }
        out
    }

    /// Checkboxes that nothing answers.
    pub fn rest(&mut self) -> Vec<Check> {
        let left: Vec<usize> = (0..self.note.items.len()).filter(|i| !self.taken.contains(i)).collect();
        left.into_iter().filter_map(|item| self.left_over(item)).collect()
    }

    /// A checkbox that no rule's words have found: what it is bound to answers it, else a person. None while the
    /// rule it is bound to has yet to come.
    fn left_over(&mut self, item: usize) -> Option<Check> {
        let book = self.book;
        let bound = self.bound.get(&item).cloned();
        let check = match &bound {
            Some(Bound::Rule(id)) => {
                let rule = book.rules.iter().find(|r| r.id == *id && !matches!(r.run, Run::Sum(_)));
                match rule {
                    Some(rule) if rule.feeds == Feeds::Topic(Topic::Other) => self.check(&rule.id, Some(item), rule),
                    Some(_) if !self.asked.contains(id) => return None,
                    Some(rule) => self.check(&rule.id, Some(item), rule),
                    None => {
                        let says =
                            format!("it is bound to the rule {id}, and there is none: warroom rules lists them (B)");
                        self.without_rule(item, says)
                    }
                }
            }
            Some(Bound::Series(name)) => {
                let levels = Levels { of: name.clone(), ..Levels::default() };
                let answer = own::run(self.scene, Own::Series, &levels);
                let text = ("", own::NO_LEVEL.to_owned());
                self.make(&format!("s{}", self.short(item)), Some(item), text, (0.0, 0.0), answer)
            }
            Some(Bound::Person | Bound::Words) | None => self.by_person(item),
        };
        self.taken.insert(item);
        Some(check)
    }

    /// The checkbox of a rule: the one a person bound to it, else the first free one that its words find.
    fn find_for(&mut self, rule: &Rule, among: &[usize]) -> Option<usize> {
        self.asked.insert(rule.id.clone());
        let mine = self
            .bound
            .iter()
            .find(|(item, to)| matches!(to, Bound::Rule(id) if *id == rule.id) && !self.taken.contains(item));
        match mine.map(|(item, _)| *item) {
            Some(item) => {
                self.taken.insert(item);
                Some(item)
            }
            None => self.find(&rule.finds, among),
        }
    }

    /// The first free checkbox of `among` that the words find, taken.
    fn find(&mut self, finds: &str, among: &[usize]) -> Option<usize> {
        let free = |i: &usize| !self.taken.contains(i) && !self.bound.contains_key(i);
        let fits = |i: &usize| free(i) && self.words(*i).is_some_and(|text| rule::finds(finds, &text));
        let found = among.iter().copied().find(fits)?;
        self.taken.insert(found);
        Some(found)
    }

    fn find_all(&mut self, matches: &[String], among: &[usize]) -> Option<usize> {
        let wanted = matches.join(" ").to_lowercase().replace('|', " ");
        self.find(&wanted, among)
    }

    /// A checkbox's words with those of the heading above it.
    fn words(&self, item: usize) -> Option<String> {
        let item = self.note.items.get(item)?;
        // Inside a hypothesis its own title would find everything.
        let of_hypothesis =
            self.note.hypotheses.iter().any(|h| item.path.iter().any(|p| p.raw().contains(h.title.raw())));
        let above = item.path.last().filter(|_| !of_hypothesis).map_or("", |p| p.raw());
        Some(format!("{above} {}", item.text.raw()))
    }

    fn probes(&self) -> impl Iterator<Item = (usize, &'s Probe)> + use<'s> {
        self.scene.store.incident.probes.iter().enumerate()
    }

    fn replaced(&mut self, id: &str) -> Option<&'s Probe> {
        let (i, probe) = self.probes().find(|(_, p)| p.id == id)?;
        self.probed.insert(i);
        Some(probe)
    }

    fn check(&mut self, id: &str, item: Option<usize>, rule: &Rule) -> Check {
        let scene = self.scene.seen_by(rule);
        let wanted = self.carriers.as_mut().filter(|(check, _)| check == id);
        if wanted.is_some() {
            scene.remember_carriers();
        }
        let answer = rule.answer(&scene);
        if let Some((_, orders)) = wanted {
            *orders = scene.take_carriers();
        }
        let says = rule.said();
        let made = self.made(&scene, id, item, (&rule.title, says), rule.weight, answer);
        Check { reads: rule.reads.clone(), of_orders: rule.of_orders || NAMES_ORDERS.contains(&rule.measure), ..made }
    }
    fn probe(&self, id: &str, item: Option<usize>, probe: &Probe) -> Check {
        let text = ("probe of the configuration", probe::says(probe));
        self.make(id, item, text, (probe.weight, probe.weight), probe::run(self.scene, probe))
    }
    fn by_person(&self, item: usize) -> Check {
        self.without_rule(item, PERSON.to_owned())
    }
    fn without_rule(&self, item: usize, says: String) -> Check {
        let id = format!("p{}", self.short(item));
        self.make(&id, Some(item), ("", "a person answers".to_owned()), (0.0, 0.0), Answer::no_data(says))
    }
    /// A name by the checkbox, so that an override stays with it when the note changes elsewhere.
    fn short(&self, item: usize) -> String {
        self.note.items.get(item).map_or("", |i| i.id.0.as_str()).chars().take(5).collect()
    }

    /// A check from an answer: a person's override applied, evidence written out.
    fn make(&self, id: &str, item: Option<usize>, text: (&str, String), weight: (f64, f64), answer: Answer) -> Check {
        self.made(self.scene, id, item, text, weight, answer)
    }
    fn made(
        &self,
        scene: &Scene<'_>,
        id: &str,
        item: Option<usize>,
        text: (&str, String),
        weight: (f64, f64),
        answer: Answer,
    ) -> Check {
        let (title, rule) = text;
        let zone = &scene.store.incident.zone;
        let item = item.and_then(|i| self.note.items.get(i));
        let over = scene.store.override_of(id, scene.at).and_then(|o| Some((o.verdict?, o)));
        let verdict = over.as_ref().map_or(answer.verdict, |(v, _)| *v);
        let name = evidence_id(id, &answer);
        // What is over needs no younger value than its end.
        let due = scene.at.min(scene.window.to);
        let old = answer.asof.filter(|_| !answer.happened && answer.verdict != Verdict::NoData);
        let stale = old.map(|t| due.since(t)).filter(|age| *age > scene.n.stale);
        let said = if answer.measured.is_empty() { &answer.missing } else { &answer.measured };
        let by = over
            .as_ref()
            .map(|(_, o)| format!("; by {}: {}", words::plain(&o.who), words::plain(&o.reason)))
            .unwrap_or_default();
        let aged = stale.map_or_else(String::new, |age| format!(", stale: {} old", words::lapse(age)));
        let line = format!(
            "evidence (warroom {} {}): {said}; rule {rule}: {}{aged}{by}; {name}",
            zone.format(scene.at, "%Y-%m-%d %H:%M"),
            zone.name,
            words::verdict(verdict)
        );
        let mut evidence = vec![("value", answer.measured.clone()), ("rule", rule.clone()), ("window", window(scene))];
        evidence.extend(answer.evidence);
        evidence.extend(answer.asof.map(|t| ("source", format!("newest value {}", zone.rfc3339(t)))));
        evidence.extend(stale.map(|age| {
            let says = format!(
                "the newest value is {} old: the verdict is of then, and nobody knows what came after",
                words::lapse(age)
            );
            ("stale", says)
        }));
        evidence.push(("id", name));
        evidence.retain(|(_, text)| !text.is_empty());
        Check {
            id: id.to_owned(),
            item: item.map(|i| i.id.clone()),
            title: item.map_or_else(|| title.into(), |i| i.text.clone()),
            measured: answer.measured,
            rule,
            verdict,
            overridden: over.map(|(_, o)| (answer.verdict, o.who.clone(), o.reason.clone())),
            // A person's verdict counts as the measured one would have.
            score: rule::points(weight, verdict),
            asof: answer.asof,
            stale: stale.is_some(),
            spark: answer.spark,
            of_orders: false,
            reads: String::new(),
            missing: answer.missing,
            evidence,
            evidence_line: line,
        }
    }
}

/// `19:24–20:41 WIB, against 2025-01-05 19:24–20:41`
fn window(s: &Scene<'_>) -> String {
    let zone = &s.store.incident.zone;
    let own = format!("{}–{} {}", zone.hm(s.span.from), zone.hm(s.span.to), zone.name);
    match s.baseline() {
        Some(b) => format!("{own}, against {} {}–{}", zone.format(b.from, "%Y-%m-%d"), zone.hm(b.from), zone.hm(b.to)),
        None => format!("{own}, no baseline"),
    }
}

/// Names a piece of evidence by what was measured: the same measurement has the same name.
fn evidence_id(id: &str, answer: &Answer) -> String {
    let mut hash = Sha256::new();
    hash.update(id.as_bytes());
    hash.update(answer.measured.as_bytes());
    hash.update(words::verdict(answer.verdict).as_bytes());
    let bytes: [u8; 32] = hash.finalize().into();
    let [a, b, c, ..] = bytes;
    format!("ev-{a:02x}{b:02x}{c:02x}")
}
