//! What the stuck orders have in common, tested against all orders of the window.
//!
//! A value is named only when it is clearly over-represented, often enough, and not by chance after
//! correcting for every value that was tested. May not know: classes other than "stuck".

use crate::analysis::cohort::{self, Cell, Shared, Term};
use crate::analysis::reconcile::known;
use crate::model::{Lapse, Span, Stamp, Untrusted, Zone};
use crate::store::Store;
use statrs::distribution::{DiscreteCDF, Hypergeometric};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A named value is at least this many times as frequent among the stuck as among all.
const LIFT: f64 = 1.5;
/// A named value has at least this many stuck orders.
const FEWEST: usize = 30;
/// A named value would come about by chance less often than this.
const CHANCE: f64 = 0.01;

/// A trait the stuck share, tested against all orders of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedTrait {
    /// `service`, `method`, `region`, `born`, `amount`; `together` for values of several traits at once.
    pub name: &'static str,
    /// Its value; the words come from the operator's rows.
    pub value: Untrusted,
    /// Stuck orders with it.
    pub stuck: usize,
    /// Share among the stuck, 0 to 100.
    pub of_stuck: f64,
    /// Share among all, 0 to 100.
    pub of_all: f64,
    /// `of_stuck / of_all`.
    pub lift: f64,
    /// Probability of this or more by chance, corrected for the number of values tested (Holm).
    pub p: f64,
    /// Named: lift ≥ 1.5, at least 30 stuck, p < 0.01.
    pub named: bool,
}

/// The traits that are compared.
const TRAITS: [&str; 5] = ["born", "service", "method", "region", "amount"];

/// A value of a trait, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    HalfHour(Stamp),
    Word(Arc<str>),
    Band(usize),
}

/// Upper edges of the amount bands, in rupiah.
const BANDS: [(i64, &str); 5] = [
    (50_000, "up to Rp 50,000"),
    (100_000, "Rp 50,000 to 100,000"),
    (250_000, "Rp 100,000 to 250,000"),
    (500_000, "Rp 250,000 to 500,000"),
    (1_000_000, "Rp 500,000 to 1 jt"),
];
const ABOVE: &str = "above Rp 1 jt";

/// Traits of the stuck, highest lift first: the strongest value of each trait, and every named one.
pub fn shared(store: &Store, window: Span, at: Stamp) -> Vec<SharedTrait> {
    let mut tally = Tally::default();
    let stuck_after = store.incident.rules.stuck_after;
    for (_, facts) in known(store, window, at) {
        let Some(order) = facts.order else { continue };
        let stuck = facts.stuck(stuck_after);
        tally.all += 1;
        tally.stuck += usize::from(stuck);
        let values = [
            Some(Value::HalfHour(half_hour(facts.born, &store.incident.zone))),
            order.service_type.clone().map(Value::Word),
            order.payment_method.clone().map(Value::Word),
            order.region.clone().map(Value::Word),
            order.amount.map(band).map(Value::Band),
        ];
        tally.together(&values, stuck);
        for (name, value) in TRAITS.into_iter().zip(values) {
            tally.add(name, value, stuck);
        }
    }
    tally.tested(&store.incident.zone)
}

fn half_hour(born: Stamp, zone: &Zone) -> Stamp {
    born.floor(Lapse::minutes(30), zone)
}

fn band(amount: i64) -> usize {
    BANDS.iter().position(|(edge, _)| amount <= *edge).unwrap_or(BANDS.len())
}

impl Value {
    fn words(&self, zone: &Zone) -> Untrusted {
        match self {
            Self::HalfHour(from) => {
                let last = *from + Lapse::minutes(29);
                Untrusted::from(format!("{}–{}", zone.hm(*from), zone.hm(last)))
            }
            Self::Word(word) => Untrusted::new(word.clone()),
            Self::Band(i) => Untrusted::from(BANDS.get(*i).map_or(ABOVE, |(_, words)| *words)),
        }
    }
}

/// Orders by trait and value: all of them, and the stuck ones.
#[derive(Default)]
struct Tally {
    all: usize,
    stuck: usize,
    values: BTreeMap<(&'static str, Value), (usize, usize)>,
    /// The values of each trait by number; 0 stands for an order whose row does not say.
    numbers: [BTreeMap<Value, u32>; TRAITS.len()],
    cells: BTreeMap<Vec<u32>, (usize, usize)>,
}

impl Tally {
    fn together(&mut self, values: &[Option<Value>; TRAITS.len()], stuck: bool) {
        let number = |(numbers, value): (&mut BTreeMap<Value, u32>, &Option<Value>)| {
            let Some(value) = value else { return 0 };
            let next = numbers.len() as u32 + 1;
            *numbers.entry(value.clone()).or_insert(next)
        };
        let key: Vec<u32> = self.numbers.iter_mut().zip(values).map(number).collect();
        let (all, hung) = self.cells.entry(key).or_default();
        *all += 1;
        *hung += usize::from(stuck);
    }

    /// The one conjunction of several values that explains the stuck better than any single value.
    fn conjunction(&self, zone: &Zone) -> Option<SharedTrait> {
        let cell = |(values, (all, hung)): (&Vec<u32>, &(usize, usize))| Cell {
            values: values.clone(),
            bad: *hung as f64,
            total: *all as f64,
            before: (0.0, 0.0),
        };
        let Shared::Explained(found) = cohort::explain(&self.cells.iter().map(cell).collect::<Vec<_>>()) else {
            return None;
        };
        let best = found.iter().find(|e| e.parts.len() == 1)?;
        let terms = best.parts.first().filter(|t| t.len() > 1 && t.iter().all(|t| t.value > 0))?;
        let word = |t: &Term| {
            let value = self.numbers.get(t.attribute)?.iter().find(|(_, n)| **n == t.value)?.0;
            Some(value.words(zone).raw().to_owned())
        };
        let words: Vec<String> = terms.iter().map(word).collect::<Option<_>>()?;
        let stuck = best.bad as usize;
        let (of_stuck, of_all) = (100.0 * best.bad / self.stuck as f64, 100.0 * best.total / self.all as f64);
        let named = stuck >= FEWEST;
        let value = Untrusted::from(words.join(" + "));
        Some(SharedTrait {
            name: "together",
            value,
            stuck,
            of_stuck,
            of_all,
            lift: of_stuck / of_all,
            p: best.p,
            named,
        })
    }

    fn add(&mut self, name: &'static str, value: Option<Value>, stuck: bool) {
        let Some(value) = value else { return };
        let (all, hung) = self.values.entry((name, value)).or_default();
        *all += 1;
        *hung += usize::from(stuck);
    }

    fn tested(&self, zone: &Zone) -> Vec<SharedTrait> {
        if self.stuck == 0 {
            return Vec::new();
        }
        // An order whose row does not say is in neither share, so shares are of those that say.
        let mut says: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for ((name, _), (all, hung)) in &self.values {
            let (a, h) = says.entry(name).or_default();
            *a += all;
            *h += hung;
        }
        let mut out: Vec<SharedTrait> = Vec::new();
        for ((name, value), (all, hung)) in &self.values {
            let (of, hung_of) = says.get(name).copied().unwrap_or_default();
            if hung_of == 0 {
                continue;
            }
            let of_stuck = 100.0 * *hung as f64 / hung_of as f64;
            let of_all = 100.0 * *all as f64 / of as f64;
            let p = by_chance(of, *all, hung_of, *hung);
            let lift = of_stuck / of_all;
            let value = value.words(zone);
            out.push(SharedTrait { name, value, stuck: *hung, of_stuck, of_all, lift, p, named: false });
        }
        correct(&mut out);
        for t in &mut out {
            t.named = t.lift >= LIFT && t.stuck >= FEWEST && t.p < CHANCE;
        }
        out.extend(self.conjunction(zone));
        strongest(out)
    }
}

/// The strongest value of each trait and every named one, named first, highest lift first.
fn strongest(mut all: Vec<SharedTrait>) -> Vec<SharedTrait> {
    all.sort_by(|a, b| b.named.cmp(&a.named).then(b.lift.total_cmp(&a.lift)).then(a.value.cmp(&b.value)));
    // A handful of stuck orders makes any lift; the strongest value is one that could have been named.
    let mut shown: Vec<SharedTrait> = Vec::new();
    for enough in [true, false] {
        for t in &all {
            let first = !shown.iter().any(|s| s.name == t.name);
            if (t.named && enough) || (first && (t.stuck >= FEWEST) == enough) {
                shown.push(t.clone());
            }
        }
    }
    shown.sort_by(|a, b| b.named.cmp(&a.named).then(b.lift.total_cmp(&a.lift)));
    shown
}

/// Chance that of `drawn` orders out of `all`, of which `with` have the value, at least `hit` have it:
/// Fisher's one-sided test, the upper tail of the hypergeometric distribution.
fn by_chance(all: usize, with: usize, drawn: usize, hit: usize) -> f64 {
    let Some(below) = hit.checked_sub(1) else { return 1.0 };
    match Hypergeometric::new(all as u64, with as u64, drawn as u64) {
        Ok(law) => law.sf(below as u64).clamp(0.0, 1.0),
        Err(_) => 1.0,
    }
}

/// Holm's step-down: the smallest p is multiplied by the number of tests, the next by one less, and none
/// may be smaller than the one before.
fn correct(tests: &mut [SharedTrait]) {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by(|a, b| tests[*a].p.total_cmp(&tests[*b].p));
    let mut floor = 0.0_f64;
    for (rank, i) in order.into_iter().enumerate() {
        floor = (tests[i].p * (tests.len() - rank) as f64).clamp(floor, 1.0);
        tests[i].p = floor;
    }
}
