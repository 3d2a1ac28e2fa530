//! Sorted rows, order by order: each is classed and counted, or kept back because a ledger that can be asked
//! by name may know more. Several passes may go over the bins of one intake at the same time.

use crate::analysis::reconcile::class::Class;
use crate::analysis::reconcile::day::{Answers, Case, Day, Ledgers, placed};
use crate::analysis::reconcile::facts::Facts;
use crate::model::Span;
use crate::model::incident::Rules;
use crate::model::order::{OrderId, Role};
use crate::runtime::reconcile::intake::{Intake, Taken, damaged};
use crate::spill::record::{Kind, Record, rank};
use crate::spill::{Scratch, Sorted, Sorter};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Bytes of one order's rows that are kept at hand in case it has to be asked for; one with more is looked
/// at a second time in any case.
const KEEP: usize = 1 << 20;
/// References of one order that are remembered.
const REFS: usize = 32;
/// Records between two looks at whether it shall stop.
const LOOK: u64 = 4_096;

/// An order that was classed.
pub struct Found<'f> {
    /// Its id.
    pub id: &'f str,
    /// What is known.
    pub facts: &'f Facts<'f>,
    /// Its class.
    pub class: Class,
    /// References of its payments, of which there may be more.
    pub upg_refs: &'f Names,
    /// Records at HO, of which there may be more.
    pub ho_refs: &'f Names,
}

/// A few texts, kept for one order after the other in the same memory.
#[derive(Debug, Default)]
pub struct Names {
    text: String,
    ends: Vec<usize>,
}

impl Names {
    fn push(&mut self, name: &str) {
        if self.ends.len() < REFS {
            self.text.push_str(name);
            self.ends.push(self.text.len());
        }
    }
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
    /// All of them.
    pub fn to_vec(&self) -> Vec<Arc<str>> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).filter_map(|(from, to)| self.text.get(from..*to)).map(Into::into).collect()
    }
}

/// What a pass is told.
pub struct Setting<'s> {
    /// What the ledgers were asked.
    pub answers: &'s Answers,
    /// Rules.
    pub rules: &'s Rules,
    /// Orders born in here.
    pub window: Span,
    /// Stops it.
    pub cancel: &'s CancellationToken,
}

/// Orders that have to be asked for by name, shared by the passes that find them.
#[derive(Clone)]
pub struct Asks {
    /// Roles that can be asked, as bits.
    able: u8,
    shelf: Arc<Mutex<Shelf>>,
}

/// What is kept of them.
struct Shelf {
    /// Their rows so far.
    rows: Intake,
    /// Which, with the roles and the references.
    list: Sorter,
}

impl Asks {
    /// None yet.
    pub fn new(folder: &Path, room: usize, able: u8) -> Self {
        let shelf = Shelf { rows: Intake::new(folder, room), list: Sorter::new(folder, room / 2) };
        Self { able, shelf: Arc::new(Mutex::new(shelf)) }
    }
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Rows are put down whole or not at all.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The rows, and who has to be asked; nobody else may have them any more.
    pub fn finish(self) -> io::Result<(Intake, Sorted)> {
        let kept = Arc::into_inner(self.shelf).ok_or_else(|| io::Error::other("a comparison has not ended"))?;
        let Shelf { rows, list } = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((rows, list.finish()?))
    }
}

/// Somebody who has to be asked for.
pub type Asked = (OrderId, u8, Vec<Arc<str>>);

/// Why a pass ended early.
#[derive(Debug)]
pub enum Broke {
    /// Somebody wanted it to.
    Cancelled,
    /// The disk.
    Disk(io::Error),
}

impl From<io::Error> for Broke {
    fn from(e: io::Error) -> Self {
        Self::Disk(e)
    }
}

/// A pass over all orders.
pub struct Pass<'s, F> {
    setting: Setting<'s>,
    /// The counts.
    pub day: Day,
    /// Rows that came more than once.
    pub again: Ledgers,
    /// Orders to ask for; none in the last pass.
    pub asks: Option<Asks>,
    found: F,
    case: Case,
    /// Rows of the present order that came more than once.
    repeated: Ledgers,
    key: Vec<u8>,
    begun: bool,
    last: Vec<u8>,
    kept: Vec<u8>,
    overflowed: bool,
    upg_refs: Names,
    ho_refs: Names,
}

impl<'s, F: FnMut(&Found<'_>) -> io::Result<()>> Pass<'s, F> {
    /// A pass that tells `found` about every order it counts.
    pub fn new(setting: Setting<'s>, day: Day, asks: Option<Asks>, found: F) -> Self {
        Self {
            setting,
            day,
            again: Ledgers::default(),
            asks,
            found,
            case: Case::default(),
            repeated: Ledgers::default(),
            key: Vec::new(),
            begun: false,
            last: Vec::new(),
            kept: Vec::new(),
            overflowed: false,
            upg_refs: Names::default(),
            ho_refs: Names::default(),
        }
    }

    /// Goes over these bins, each sorted in about `room` bytes.
    pub fn over(&mut self, taken: &Taken, bins: impl Iterator<Item = usize>, room: usize) -> Result<(), Broke> {
        let mut scratch = Scratch::default();
        for bin in bins {
            let sorted = taken.by_order.sorted(bin, room, scratch)?;
            self.bin(taken, &sorted)?;
            scratch = Scratch::of(sorted);
        }
        Ok(())
    }

    fn bin(&mut self, taken: &Taken, sorted: &Sorted) -> Result<(), Broke> {
        let mut merge = sorted.read()?;
        let mut n = 0_u64;
        while let Some((_, bytes)) = merge.next()? {
            if n.is_multiple_of(LOOK) && self.setting.cancel.is_cancelled() {
                return Err(Broke::Cancelled);
            }
            n += 1;
            let record = Record::read(bytes).ok_or_else(damaged)?;
            if taken.belongs(&record) {
                self.record(&record, bytes)?;
            }
        }
        self.close()?;
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>, bytes: &[u8]) -> io::Result<()> {
        if !self.begun || record.key != self.key {
            self.close()?;
            self.begun = true;
            self.key.clear();
            self.key.extend_from_slice(record.key);
        }
        let last = std::mem::take(&mut self.last);
        if !last.is_empty() {
            let before = Record::read(&last).ok_or_else(damaged)?;
            let same = before.kind == record.kind && before.sub == record.sub;
            // The same row, read again later: the later one counts.
            if same { self.repeat(&before)? } else { self.apply(&before)? }
        }
        self.last = last;
        self.last.clear();
        self.last.extend_from_slice(bytes);
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(asks) = &self.asks else { return Ok(()) };
        if self.overflowed {
            return asks.shelf().rows.again(bytes, &self.key);
        }
        self.kept.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.kept.extend_from_slice(bytes);
        if self.kept.len() > KEEP {
            self.overflowed = true;
            self.keep_for_later()?;
        }
        Ok(())
    }

    fn keep_for_later(&mut self) -> io::Result<()> {
        let Some(asks) = &self.asks else { return Ok(()) };
        let mut put = asks.shelf();
        let mut rest = self.kept.as_slice();
        while let Some((len, after)) = rest.split_first_chunk::<4>() {
            let (record, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(damaged)?;
            put.rows.again(record, &self.key)?;
            rest = after;
        }
        self.kept.clear();
        Ok(())
    }

    fn repeat(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (role, amount) = match record.kind {
            Kind::Asked => return Ok(()),
            Kind::Order => (Role::Orders, record.order().ok_or_else(damaged)?.amount),
            Kind::Payment => (Role::Payments, record.payment().ok_or_else(damaged)?.amount),
            Kind::Callback => (Role::Callbacks, None),
            Kind::HoPayment => (Role::HoPayments, record.ho().ok_or_else(damaged)?.amount),
        };
        self.repeated.of_mut(role).row(amount);
        Ok(())
    }

    fn apply(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (answers, by_id) = (self.setting.answers, record.turn.by_id);
        match record.kind {
            Kind::Asked => self.case.asked(record.sub.iter().fold(0, |all, bits| all | bits)),
            Kind::Order => self.case.order(answers, by_id, &record.order().ok_or_else(damaged)?),
            Kind::Payment => {
                let payment = record.payment().ok_or_else(damaged)?;
                self.case.payment(answers, by_id, &payment);
                self.upg_refs.push(payment.upg_ref);
            }
            Kind::Callback => self.case.callback(answers, by_id, &record.callback().ok_or_else(damaged)?),
            Kind::HoPayment => {
                let ho = record.ho().ok_or_else(damaged)?;
                self.case.record(answers, by_id, &ho);
                self.ho_refs.push(ho.ho_ref);
            }
        }
        Ok(())
    }

    /// All rows of an order are there.
    fn close(&mut self) -> io::Result<()> {
        if !self.begun {
            return Ok(());
        }
        let last = std::mem::take(&mut self.last);
        self.apply(&Record::read(&last).ok_or_else(damaged)?)?;
        let Setting { answers, rules, window, .. } = self.setting;
        let facts = self.case.facts(answers, rules);
        let class = placed(facts.as_ref(), window, rules);
        let able = self.asks.as_ref().map_or(0, |a| a.able);
        let wanted = self.case.wants(facts.as_ref(), class, window) & able;
        if wanted != 0
            && let Some(asks) = &self.asks
        {
            let whom: Asked = (String::from_utf8_lossy(&self.key).into(), wanted, self.upg_refs.to_vec());
            // By rank, so that it is the same list however many passes there were.
            asks.shelf().list.push(rank(&self.key), &serde_json::to_vec(&whom)?)?;
        }
        if wanted != 0 || self.overflowed {
            self.keep_for_later()?;
        } else {
            self.again.add(&self.repeated);
            if let (Some(facts), Some(class)) = (&facts, class) {
                self.day.add(facts, class, rules, &self.case.ledgers);
                let id = String::from_utf8_lossy(&self.key);
                let found = Found { id: &id, facts, class, upg_refs: &self.upg_refs, ho_refs: &self.ho_refs };
                (self.found)(&found)?;
            } else {
                self.day.beside(&self.case.ledgers);
            }
        }
        self.case.clear();
        self.repeated = Ledgers::default();
        self.begun = false;
        self.last = last;
        self.last.clear();
        self.kept.clear();
        self.overflowed = false;
        self.upg_refs.clear();
        self.ho_refs.clear();
        Ok(())
    }
}
