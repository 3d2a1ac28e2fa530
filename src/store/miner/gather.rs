//! Shapes to templates: which words vary where everything else stays.
//!
//! Only shapes with the same marks at the same places are compared. A place that takes very many words while
//! all the others stay is a value. Shapes that agree in most words form a cluster, which is split again at
//! places with few words: those are what different sentences differ in.

use super::shape::{Part, Shape};
use super::slot::{Kind, Slot};
use super::{OTHER, ShapeId};
use std::collections::HashMap;

/// A word of a shape as a number.
type Word = u32;
/// The number of a value.
const VALUE: Word = 0;

// The settings, the same for every log.
/// So much of their words two shapes of one cluster share at least.
const ALIKE: f64 = 0.7;
/// A place with fewer words than this tells sentences apart.
const FEW: usize = 4;
/// A place with so many words is a value, however short the sentence.
const MANY: usize = 16;
/// Clusters that a row is compared with at most.
const COMPARED: usize = 1_000;

/// A template: what its lines have in common.
#[derive(Clone, Debug)]
pub struct Template {
    /// Words, marks and the names of the slots.
    pub text: String,
    /// Lines so far.
    pub lines: u64,
    /// The places that vary, in order.
    pub slots: Vec<Slot>,
}

/// All templates.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    of: Vec<u32>,
    /// By the number that [`Gathered::of`] answers, oldest first.
    pub templates: Vec<Template>,
}

impl Gathered {
    /// The template that a shape is of; none when the shape came after the gathering.
    pub fn of(&self, shape: ShapeId) -> Option<u32> {
        self.of.get(shape as usize).copied()
    }
}

/// One or more shapes with the same words.
#[derive(Clone, Debug)]
struct Row {
    words: Vec<Word>,
    shapes: Vec<usize>,
    lines: u64,
}

pub(super) fn gather(shapes: &[Shape]) -> Gathered {
    let groups = groups(shapes);
    let mut of = vec![0; shapes.len()];
    let mut templates = Vec::with_capacity(groups.len());
    for group in groups {
        for shape in &group {
            of[*shape] = templates.len() as u32;
        }
        templates.push(template(shapes, &group));
    }
    Gathered { of, templates }
}

/// The shapes of each template, in order of the first.
fn groups(shapes: &[Shape]) -> Vec<Vec<usize>> {
    let mut names: HashMap<&str, Word> = HashMap::new();
    let mut buckets: HashMap<Vec<u8>, Vec<Row>> = HashMap::new();
    for (i, shape) in shapes.iter().enumerate().skip(1) {
        let mut words = Vec::new();
        for (part, _) in &shape.parts {
            match part {
                Part::Mark(_) => {}
                Part::Value => words.push(VALUE),
                Part::Word(w) => {
                    let next = names.len() as Word + 1;
                    words.push(*names.entry(w).or_insert(next));
                }
            }
        }
        buckets.entry(marks(shape)).or_default().push(Row { words, shapes: vec![i], lines: shape.lines });
    }
    let mut out: Vec<Vec<usize>> = vec![vec![OTHER as usize]];
    for rows in buckets.into_values() {
        for cluster in alike(open(rows)) {
            for group in split(cluster) {
                let mut shapes: Vec<usize> = group.into_iter().flat_map(|r| r.shapes).collect();
                shapes.sort_unstable();
                out.push(shapes);
            }
        }
    }
    out.sort_unstable();
    out
}

/// The marks and where they stand: what two shapes must share to be compared.
fn marks(shape: &Shape) -> Vec<u8> {
    let mark = |(part, _): &(Part, bool)| if let Part::Mark(b) = part { *b } else { 0 };
    shape.parts.iter().map(mark).collect()
}

/// Makes a value of every place that takes many words while the rest of the sentence stays.
fn open(mut rows: Vec<Row>) -> Vec<Row> {
    let width = rows.first().map_or(0, |r| r.words.len());
    if rows.len() < MANY {
        return rows;
    }
    for place in 0..width {
        let mut alike: HashMap<Vec<Word>, Vec<usize>> = HashMap::new();
        for (i, row) in rows.iter().enumerate() {
            let mut rest = row.words.clone();
            rest[place] = VALUE;
            alike.entry(rest).or_default().push(i);
        }
        for (rest, which) in alike {
            let says = rest.iter().any(|w| *w != VALUE);
            if says && which.len() >= MANY {
                for i in which {
                    rows[i].words[place] = VALUE;
                }
            }
        }
        rows = same(rows);
    }
    rows
}

/// Rows with the same words become one.
fn same(rows: Vec<Row>) -> Vec<Row> {
    let mut at: HashMap<Vec<Word>, usize> = HashMap::new();
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(known) = at.get(&row.words) {
            out[*known].lines += row.lines;
            out[*known].shapes.extend(row.shapes);
        } else {
            at.insert(row.words.clone(), out.len());
            out.push(row);
        }
    }
    out
}

/// Rows that agree in most of their words, each cluster around its most frequent row.
fn alike(mut rows: Vec<Row>) -> Vec<Vec<Row>> {
    rows.sort_by_key(|r| std::cmp::Reverse(r.lines));
    let mut out: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let mut best: Option<(f64, usize)> = None;
        for (i, cluster) in out.iter().enumerate().take(COMPARED) {
            let like = likeness(&cluster[0].words, &row.words);
            if like >= ALIKE && best.is_none_or(|(b, _)| like > b) {
                best = Some((like, i));
            }
        }
        match best {
            Some((_, i)) => out[i].push(row),
            None => out.push(vec![row]),
        }
    }
    out
}

/// Which share of their words is the same. Two values are a weak agreement: they may be anything.
fn likeness(a: &[Word], b: &[Word]) -> f64 {
    let (mut same, mut all) = (0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let weight = if *x == VALUE && *y == VALUE { 0.5 } else { 1.0 };
        all += weight;
        if x == y {
            same += weight;
        }
    }
    if all == 0.0 { 1.0 } else { same / all }
}

/// Splits a cluster at places with few words.
fn split(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let width = rows.first().map_or(0, |r| r.words.len());
    let mut best: Option<(usize, usize)> = None;
    for place in 0..width {
        let mut seen: Vec<Word> = Vec::with_capacity(FEW);
        for row in &rows {
            if !seen.contains(&row.words[place]) {
                seen.push(row.words[place]);
            }
            if seen.len() >= FEW {
                break;
            }
        }
        let kinds = seen.len();
        if kinds > 1 && kinds < FEW && !seen.contains(&VALUE) && best.is_none_or(|(k, _)| kinds < k) {
            best = Some((kinds, place));
        }
    }
    let Some((_, place)) = best else { return vec![rows] };
    let mut parts: Vec<(Word, Vec<Row>)> = Vec::new();
    for row in rows {
        let word = row.words[place];
        match parts.iter_mut().find(|(w, _)| *w == word) {
            Some((_, part)) => part.push(row),
            None => parts.push((word, vec![row])),
        }
    }
    parts.into_iter().flat_map(|(_, part)| split(part)).collect()
}

/// The words that stay in all of `group`, and the slots between them.
pub(super) fn template(shapes: &[Shape], group: &[usize]) -> Template {
    let first = &shapes[group[0]];
    let mut text = String::new();
    let mut slots = Vec::new();
    let mut next = vec![0; group.len()];
    for (i, (part, glued)) in first.parts.iter().enumerate() {
        if !glued && !text.is_empty() {
            text.push(' ');
        }
        match part {
            Part::Mark(b) => {
                text.push(char::from(*b));
                continue;
            }
            Part::Word(w) if group.iter().all(|s| shapes[*s].parts[i].0 == *part) => {
                text.push_str(w);
                continue;
            }
            Part::Word(_) | Part::Value => {}
        }
        let mut slot = Slot::default();
        for (which, shape) in group.iter().enumerate() {
            let shape = &shapes[*shape];
            match &shape.parts[i].0 {
                Part::Word(word) => slot.take_word(word, shape.lines),
                Part::Value => {
                    if let Some(values) = shape.slots.get(next[which]) {
                        slot.merge(values);
                    }
                    next[which] += 1;
                }
                Part::Mark(_) => {}
            }
        }
        if slot.kind() != Kind::Empty {
            text.push_str(slot.kind().name());
        }
        slots.push(slot);
    }
    Template { text, lines: group.iter().map(|s| shapes[*s].lines).sum(), slots }
}

/// The words that stay at their places, and a shape of the template.
type Known = (Vec<Option<Box<str>>>, ShapeId);

/// The templates at the time when no more shapes are taken, to find one for a shape that comes later.
#[derive(Clone, Debug)]
pub(super) struct Frozen {
    by_marks: HashMap<Vec<u8>, Vec<Known>>,
}

impl Frozen {
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let mut by_marks: HashMap<_, Vec<_>> = HashMap::new();
        for group in groups(shapes) {
            let first = &shapes[group[0]];
            let stays = |i: usize, part: &Part| match part {
                Part::Word(w) if group.iter().all(|s| shapes[*s].parts[i].0 == *part) => Some(w.clone()),
                _ => None,
            };
            let words: Vec<_> = first.parts.iter().enumerate().map(|(i, (part, _))| stays(i, part)).collect();
            let known = by_marks.entry(marks(first)).or_default();
            // A template of one shape would have been found by its hash.
            if group.len() > 1 && words.iter().any(Option::is_some) && known.len() < COMPARED {
                known.push((words, group[0] as ShapeId));
            }
        }
        Self { by_marks }
    }

    pub(super) fn find(&self, shape: &Shape) -> Option<ShapeId> {
        let fits = |(words, _): &&Known| {
            words.iter().zip(&shape.parts).all(|(word, (part, _))| match (word, part) {
                (None, _) => true,
                (Some(word), Part::Word(w)) => word == w,
                (Some(_), _) => false,
            })
        };
        self.by_marks.get(&marks(shape))?.iter().find(fits).map(|(_, id)| *id)
    }
}
