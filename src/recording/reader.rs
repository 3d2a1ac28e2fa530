//! Reads a recording back: everything in order, a stretch of time, or what the first full frame needs.
//!
//! It takes no lock, so it may look at a recording that is being written. May not know: clocks.

use crate::model::{Batch, Fact, Span, Stamp};
use crate::recording::index::{self, Head, union};
use crate::recording::line::{Decoder, FORMAT, Line};
use crate::recording::segment::{self, Form, Segment, Text};
use crate::recording::{Damage, OpenError, Place};
use crate::store::derive::Deriver;
use crate::store::{Store, Summary};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Text that is read in full at the end of a recording, for its newest lines and raw points.
const TAIL: u64 = 4 << 20;

/// A recording opened for reading.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    damage: Mutex<Vec<Damage>>,
    decoded: AtomicUsize,
    unknown: AtomicU64,
}

impl Reader {
    /// Opens a recording; with it comes the damage that is known already. More may be found while reading,
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
        let reader = Self {
            folder: folder.to_owned(),
            damage: Mutex::default(),
            decoded: AtomicUsize::new(0),
            unknown: AtomicU64::new(0),
        };
        reader.report(missing_numbers(&segments));
        for s in segments.iter().filter(|s| s.form == Form::Closed) {
            reader.report(index::head(s).into_iter().flat_map(|head| head.damage));
        }
        let damage = reader.damage();
        Ok((reader, damage))
    }

    /// All damage found so far, in order of place.
    pub fn damage(&self) -> Vec<Damage> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many times a segment or a part of one was unpacked and decoded: what questions cost.
    pub fn decoded(&self) -> usize {
        self.decoded.load(Ordering::Relaxed)
    }

    /// Facts skipped so far because a newer version wrote them.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// From the oldest fact's own time to just after the newest; none while nothing is recorded.
    pub fn span(&self) -> Option<Span> {
        let mut all: Option<Span> = None;
        let mut take = |own: Option<Span>| all = union(all, own);
        for segment in self.segments() {
            match index::head(&segment) {
                Some(head) => take(head.own),
                None => Batches::new(self, vec![segment]).for_each(|b| take(own_time(&b))),
            }
        }
        all
    }

    /// Every batch in order of arrival.
    pub fn batches(&self) -> Batches<&Self> {
        Batches::new(self, self.segments())
    }

    /// The same for a reader that is shared with a thread.
    pub fn all(self: Arc<Self>) -> Batches<Arc<Self>> {
        let segments = self.segments();
        Batches::new(self, segments)
    }

    /// A store ready for the first full frame: light facts and roll-ups of the whole recording, the last
    /// looks at each database, the newest lines. Stretches it lacks are named by [`Store::missing`] and
    /// come from [`Reader::load`].
    pub fn overview(&self) -> Store {
        self.opening().store
    }

    /// The overview, and from when to when it goes by the times of arrival.
    pub fn opening(&self) -> Opening {
        let mut store = Store::default();
        let mut last = None;
        let (mut decoder, mut deriver) = (Decoder::default(), Deriver::default());
        let segments = self.segments();
        let tail = tail(&segments);
        for segment in &segments[..tail] {
            if let Some((_, summary)) = self.index(segment, &mut deriver, &mut decoder) {
                index::carry(&mut deriver, &summary.light);
                store.absorb(&summary);
            }
        }
        for batch in Batches::new(self, segments[tail..].to_vec()) {
            last = last.max(Some(batch.seen));
            store.apply(&batch);
        }
        Opening { store, first: self.first_arrival(segments), last }
    }

    fn first_arrival(&self, segments: Vec<Segment>) -> Option<Stamp> {
        let mut first = None;
        if let Some(segment) = segments.first()
            && let Some(head) = index::head(segment)
            && let Some(block) = head.blocks.first()
        {
            let mut decoder = Decoder::default();
            let mut take = |b: Batch| first = first.or(Some(b.seen));
            self.decode(segment, segment.part(block.from, block.to), &mut decoder, &mut take);
        }
        first.or_else(|| Batches::new(self, segments).next().map(|b| b.seen))
    }

    /// The batches that hold facts of a stretch of time, in order of arrival.
    pub fn load(&self, span: Span) -> Vec<Arc<Batch>> {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for segment in self.segments() {
            let mut keep = |b: Batch| {
                if own_time(&b).is_some_and(|own| own.overlaps(&span)) {
                    out.push(Arc::new(b));
                }
            };
            // Without an index, and where something is damaged, the segment is read as a whole.
            let Some(head) = index::head(&segment).filter(|h| !h.blocks.is_empty()) else {
                decoder.next_segment();
                self.decode(&segment, segment.text(), &mut decoder, &mut keep);
                continue;
            };
            let blocks = head.blocks.iter().filter(|b| b.own.is_some_and(|own| own.overlaps(&span)));
            for block in blocks {
                decoder.next_segment();
                for (number, names) in &head.shapes {
                    decoder.define(*number, names.clone());
                }
                self.decode(&segment, segment.part(block.from, block.to), &mut decoder, &mut keep);
            }
        }
        out
    }

    fn segments(&self) -> Vec<Segment> {
        match segment::list(&self.folder) {
            Ok(segments) => segments,
            Err(e) => {
                let file = self.folder.display().to_string();
                self.report([Damage { file, place: Place::Whole, says: e.to_string() }]);
                Vec::new()
            }
        }
    }

    /// The index of a segment: read, or made from its text and kept for the next time.
    fn index(&self, segment: &Segment, deriver: &mut Deriver, decoder: &mut Decoder) -> Option<(Head, Summary)> {
        if segment.form == Form::Closed
            && let Some((head, summary)) = index::read(segment, decoder)
        {
            return Some((head, summary));
        }
        let text = match segment.text() {
            Ok(text) => text,
            Err(e) => {
                self.unreadable(segment, &e);
                return None;
            }
        };
        self.decoded.fetch_add(1, Ordering::Relaxed);
        let (head, summary) = index::make(&segment.name(), &text, deriver.clone(), decoder);
        self.report(head.damage.iter().cloned());
        if segment.form == Form::Closed
            && let Err(e) = index::write(segment, &head, &summary)
        {
            // A recording that may only be read is opened without its cache every time.
            tracing::debug!(segment = %segment.path.display(), error = %e, "no index was written");
        }
        Some((head, summary))
    }

    /// Decodes text and hands over its batches.
    fn decode(
        &self,
        segment: &Segment,
        text: std::io::Result<Text>,
        decoder: &mut Decoder,
        each: &mut impl FnMut(Batch),
    ) {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        let text = match text {
            Ok(text) => text,
            Err(e) => return self.unreadable(segment, &e),
        };
        let file = segment.name();
        let mut damage = text.damage.clone();
        for placed in text.lines() {
            match decoder.line(placed.line) {
                Ok(Line::Batch(batch)) => each(batch),
                Ok(_) => {}
                Err(_) if text.part => {}
                Err(says) => damage.push(Damage { file: file.clone(), place: placed.place, says }),
            }
        }
        self.report(damage);
        self.unknown.fetch_add(std::mem::take(&mut decoder.unknown), Ordering::Relaxed);
    }

    fn unreadable(&self, segment: &Segment, error: &std::io::Error) {
        let says = format!("it cannot be read: {error}");
        self.report([Damage { file: segment.name(), place: Place::Whole, says }]);
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

/// A recording as it is opened: what the first full frame needs.
#[derive(Clone)]
pub struct Opening {
    /// The whole of it, in short where it is long; see [`Reader::overview`].
    pub store: Store,
    /// When the first batch arrived.
    pub first: Option<Stamp>,
    /// When the newest batch arrived.
    pub last: Option<Stamp>,
}

/// Batches of a recording, one segment in memory at a time.
pub struct Batches<R> {
    reader: R,
    segments: std::vec::IntoIter<Segment>,
    decoder: Decoder,
    ready: std::vec::IntoIter<Arc<Batch>>,
}

impl<R: Deref<Target = Reader>> Batches<R> {
    fn new(reader: R, segments: Vec<Segment>) -> Self {
        Self { reader, segments: segments.into_iter(), decoder: Decoder::default(), ready: Vec::new().into_iter() }
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
            let mut batches = Vec::new();
            self.decoder.next_segment();
            self.reader.decode(&segment, segment.text(), &mut self.decoder, &mut |b| batches.push(Arc::new(b)));
            self.ready = batches.into_iter();
        }
    }
}

/// Where the end of the recording begins that is read in full.
fn tail(segments: &[Segment]) -> usize {
    let mut text = 0;
    let kept = segments.iter().rev().take_while(|s| {
        let more = text < TAIL;
        let length = index::head(s).map(|h| h.text);
        text += length.or_else(|| s.path.metadata().ok().map(|m| m.len())).unwrap_or(0);
        more
    });
    segments.len() - kept.count()
}

/// Segments are numbered without gaps: one that is missing was taken away.
fn missing_numbers(segments: &[Segment]) -> Vec<Damage> {
    let mut expected = 1;
    let mut damage = Vec::new();
    for s in segments {
        if s.number > expected {
            let (from, to) = (segment::open_name(expected), segment::open_name(s.number - 1));
            let says =
                if from == to { "it is missing".to_owned() } else { format!("it and all up to {to} are missing") };
            damage.push(Damage { file: from, place: Place::Whole, says });
        }
        expected = s.number + 1;
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
            Fact::Incident(_) | Fact::Series(_) => take(batch.seen),
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
            Fact::Progress(p) => take(p.at),
            Fact::Fetched(f) => {
                take(f.span.from);
                take(f.span.to);
            }
            Fact::Mark(m) => take(m.at),
            Fact::Note(n) => take(n.at),
            Fact::Tick(t) => take(t.at),
            Fact::Override(o) => take(o.at),
            Fact::Bind(b) => take(b.at),
            Fact::Lane(l) => take(l.at),
        }
    }
    span.map(|(from, to)| Span { from, to: Stamp(to.0.saturating_add(1)) })
}
