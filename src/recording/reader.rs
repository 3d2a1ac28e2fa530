//! Reads a recording back: everything in order, a stretch of time, or what the first full frame needs.
//!
//! It takes no lock, so it may look at a recording that is being written. May not know: clocks.

use crate::model::{Batch, Fact, Span, Stamp};
use crate::recording::line::{Decoder, FORMAT, Line};
use crate::recording::segment::{self, Segment, Text};
use crate::recording::{Damage, OpenError, Place};
use crate::store::Store;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A recording opened for reading.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    damage: Mutex<Vec<Damage>>,
}

impl Reader {
    /// Opens a recording; with it comes the damage that shows at once. More may be found while reading,
    /// see [`Reader::damage`].
    ///
    /// # Errors
    /// When there is no recording, or a newer program wrote it.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Damage>), OpenError> {
        let segments = segment::list(folder)?;
        if segments.is_empty() {
            return Err(OpenError::Empty { folder: folder.to_owned() });
        }
        for s in &segments {
            if let Some(format) = format_of(s).filter(|f| *f > FORMAT) {
                return Err(OpenError::TooNew { path: s.path.clone(), format });
            }
        }
        let reader = Self { folder: folder.to_owned(), damage: Mutex::default() };
        let damage = reader.damage();
        Ok((reader, damage))
    }

    /// All damage found so far, in order of place.
    pub fn damage(&self) -> Vec<Damage> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From the oldest fact's own time to just after the newest; none while nothing is recorded.
    pub fn span(&self) -> Option<Span> {
        let mut store = Store::default();
        self.batches().for_each(|b| store.apply(&b));
        Some(Span::new(store.oldest?, Stamp(store.newest?.0 + 1)))
    }

    /// Every batch in order of arrival.
    pub fn batches(&self) -> Batches<&Self> {
        Batches::new(self)
    }

    /// The same for a reader that is shared with a thread.
    pub fn all(self: Arc<Self>) -> Batches<Arc<Self>> {
        Batches::new(self)
    }

    /// A store ready for the first full frame: light facts and roll-ups of the whole recording, the last
    /// look at each database, the newest lines. Stretches it lacks are named by `Store::missing` and come
    /// from [`Reader::load`].
    pub fn overview(&self) -> Store {
        let mut store = Store::default();
        self.batches().for_each(|b| store.apply(&b));
        store
    }

    /// The batches that hold facts of a stretch of time, in order of arrival.
    pub fn load(&self, span: Span) -> Vec<Arc<Batch>> {
        self.batches().filter(|b| own_time(b).is_some_and(|own| own.overlaps(&span))).collect()
    }

    fn report(&self, damage: impl IntoIterator<Item = Damage>) {
        let mut all = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        for d in damage {
            if let Err(i) = all.binary_search(&d) {
                all.insert(i, d);
            }
        }
    }
}

/// Batches of a recording, one segment in memory at a time.
pub struct Batches<R> {
    reader: R,
    segments: std::vec::IntoIter<Segment>,
    decoder: Decoder,
    ready: std::vec::IntoIter<Arc<Batch>>,
}

impl<R: Deref<Target = Reader>> Batches<R> {
    fn new(reader: R) -> Self {
        let segments = segment::list(&reader.folder).unwrap_or_default().into_iter();
        Self { reader, segments, decoder: Decoder::default(), ready: Vec::new().into_iter() }
    }
}

impl<R: Deref<Target = Reader>> Iterator for Batches<R> {
    type Item = Arc<Batch>;
    fn next(&mut self) -> Option<Arc<Batch>> {
        loop {
            if let Some(batch) = self.ready.next() {
                return Some(batch);
            }
            let segment = self.segments.next()?;
            match segment.text() {
                Ok(text) => {
                    let mut batches = Vec::new();
                    let damage = decode(&segment.name(), &text, &mut self.decoder, |b| batches.push(Arc::new(b)));
                    self.reader.report(text.damage.into_iter().chain(damage));
                    self.ready = batches.into_iter();
                }
                Err(e) => {
                    let says = format!("it cannot be read: {e}");
                    self.reader.report([Damage { file: segment.name(), place: Place::Whole, says }]);
                }
            }
        }
    }
}

/// Decodes the lines of a segment, handing over its batches; what cannot be read comes back.
fn decode(file: &str, text: &Text, decoder: &mut Decoder, mut each: impl FnMut(Batch)) -> Vec<Damage> {
    decoder.next_segment();
    let mut damage = Vec::new();
    for placed in text.lines() {
        match decoder.line(placed.line) {
            Ok(Line::Batch(batch)) => each(batch),
            Ok(_) => {}
            Err(says) => damage.push(Damage { file: file.to_owned(), place: placed.place, says }),
        }
    }
    damage
}

/// The format a segment's header names; none when there is no readable header.
pub(super) fn format_of(segment: &Segment) -> Option<u32> {
    let line = segment.first_line().ok()?;
    match Decoder::default().line(&line) {
        Ok(Line::Header { format }) => Some(format),
        _ => None,
    }
}

/// The own times of a batch's facts; the time of arrival counts too.
pub(super) fn own_time(batch: &Batch) -> Option<Span> {
    let mut span: Option<(Stamp, Stamp)> = None;
    let mut take = |at: Stamp| {
        span = Some(span.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
    };
    for fact in &batch.facts {
        match fact {
            Fact::Incident(_) => take(batch.seen),
            Fact::Samples(s) => take(s.at),
            Fact::Database(s) => take(s.at),
            Fact::Lines(lines) => lines.iter().for_each(|l| take(l.at)),
            Fact::Ledger(l) => take(l.asof),
            Fact::Health(h) => take(h.at),
            Fact::Cost(c) => take(c.at),
            Fact::Loss(l) => {
                take(l.span.from);
                take(l.span.to);
            }
            Fact::Mark(m) => take(m.at),
            Fact::Note(n) => take(n.at),
            Fact::Tick(t) => take(t.at),
            Fact::Override(o) => take(o.at),
        }
    }
    span.map(|(from, to)| Span { from, to: Stamp(to.0.saturating_add(1)) })
}
