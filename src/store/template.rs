//! Templates of the lines in memory: the miner's, with one name for each that goes on when its words change.
//!
//! A line gets its shape once, when it comes in; shapes are gathered into templates when there are new ones, so
//! that counting patterns later is only counting. May not know: services, levels, time.

use crate::model::Untrusted;
use crate::store::miner::{Gathered, Miner, ShapeId, Slot};
use std::collections::HashMap;

/// More shapes than this come only from text that has no templates: gathering them must not be felt.
const MOST: usize = 2_000;
/// Shapes that came since the last gathering wait until they are one in so many of all, as templates of their own.
const SHARE: usize = 50;
/// Templates that were called something else before are found by so many names.
const NAMES: usize = 20_000;

/// Names a template inside one store, until the next gathering.
pub type TemplateId = u32;

/// All templates met so far.
#[derive(Clone, Debug)]
pub struct Templates {
    miner: Miner,
    gathered: Gathered,
    /// Shapes at the last gathering.
    known: usize,
    texts: Vec<Untrusted>,
    /// A shape of each template, by everything it was ever called.
    names: HashMap<String, ShapeId>,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            miner: Miner::with_most(MOST),
            gathered: Gathered::default(),
            known: 0,
            texts: Vec::new(),
            names: HashMap::new(),
        }
    }
}

impl Templates {
    /// The shape of a message.
    pub fn take(&mut self, message: &str) -> ShapeId {
        self.miner.take(message.as_bytes())
    }

    /// Gathers what has come, when it is much; to be called after many lines.
    pub fn tidy(&mut self) {
        let shapes = self.miner.shapes();
        if shapes == self.known || (self.known > SHARE && shapes - self.known <= self.known / SHARE) {
            return;
        }
        self.known = shapes;
        self.gathered = self.miner.gather();
        self.texts = self.gathered.templates.iter().map(|t| Untrusted::from(t.text.as_str())).collect();
        for shape in 0..shapes as ShapeId {
            if self.names.len() >= NAMES {
                self.names.clear();
            }
            if let Some(text) = self.gathered.of(shape).and_then(|id| self.texts.get(id as usize)) {
                self.names.entry(text.raw().to_owned()).or_insert(shape);
            }
        }
    }

    /// The template of a shape.
    pub fn of(&self, shape: ShapeId) -> TemplateId {
        // What came since the last gathering stands for itself.
        self.gathered.of(shape).unwrap_or_else(|| self.texts.len() as TemplateId + shape)
    }

    /// The words of a template.
    pub fn text(&self, id: TemplateId) -> Option<Untrusted> {
        match self.texts.get(id as usize) {
            Some(text) => Some(text.clone()),
            None => self.miner.text(id - self.texts.len() as TemplateId).map(Untrusted::from),
        }
    }

    /// What varies in a template, in order, with the most frequent values of all lines so far.
    pub fn slots(&self, id: TemplateId) -> &[Slot] {
        self.gathered.templates.get(id as usize).map_or(&[], |t| &t.slots)
    }

    /// The template that was once called so.
    pub fn called(&self, text: &str) -> Option<TemplateId> {
        self.names.get(text).map(|shape| self.of(*shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: &Templates, shape: ShapeId) -> String {
        t.text(t.of(shape)).unwrap().raw().to_owned()
    }

    #[test]
    fn a_template_whose_words_turn_out_to_vary_is_found_by_what_it_was_called_before() {
        let mut t = Templates::default();
        let first = t.take("session opened for ana");
        assert_eq!(text(&t, first), "session opened for ana", "before any gathering");
        t.tidy();
        assert_eq!(text(&t, first), "session opened for ana");
        for name in ["budi", "citra", "dewi", "eko", "fitri", "gita"] {
            t.take(&format!("session opened for {name}"));
        }
        t.tidy();
        assert_eq!(text(&t, first), "session opened for <text>");
        assert_eq!(t.called("session opened for ana"), Some(t.of(first)));
        let slots = t.slots(t.of(first));
        assert!(slots.len() == 1 && slots[0].seen() == 7, "{slots:?}");
    }

    #[test]
    fn text_without_templates_cannot_grow_for_ever() {
        let mut t = Templates::default();
        for i in 0..MOST * 2 {
            let letters: String = format!("{i:05}").bytes().map(|b| char::from(b - b'0' + b'g')).collect();
            t.take(&format!("word {letters}"));
            t.tidy();
        }
        assert!(t.miner.shapes() <= MOST && t.names.len() <= NAMES);
    }
}
