//! What the bad orders have in common, tested against all orders of the window: single values, and the
//! conjunctions of up to three, each held against what is usual in its own half hour.
//!
//! A value is named only when it is clearly over-represented, often enough, and not by chance after
//! correcting for everything that was tested: single values by Fisher's exact test and Holm's step-down (1979),
//! conjunctions by Poisson's law and Bonferroni. May not know: screens, keys.

use crate::analysis::cohort::{Segment, Table};
use crate::analysis::reconcile::facts::{Facts, newest_order};
use crate::analysis::reconcile::{Class, class_of, known};
use crate::model::incident::Rules;
use crate::model::order::Order;
use crate::model::{Lapse, Span, Stamp, Untrusted, Zone};
use crate::store::Store;
use statrs::distribution::{DiscreteCDF, Hypergeometric};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A named value is at least this many times as frequent among the stuck as among all.
pub const LIFT: f64 = 1.5;
/// A named value has at least this many stuck orders: below, an answer would be about single orders.
pub const FEWEST: usize = 20;
/// A named value would come about by chance less often than this.
pub const CHANCE: f64 = 0.01;

/// A trait the stuck share, tested against all orders of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedTrait {
    /// `service`, `method`, `region`, `born`, `amount`, or a column of the operator's; `together` for values of
    /// several traits at once.
    pub name: Arc<str>,
    /// Its value; the words come from the operator's rows.
    pub value: Untrusted,
    /// The values, trait by trait: what an order has to have.
    pub terms: Vec<Term>,
    /// Bad orders with it.
    pub stuck: usize,
    /// Of the orders with it, how many of a hundred are bad.
    pub inside: f64,
    /// Of the orders without it.
    pub outside: f64,
    /// Share among the bad, 0 to 100.
    pub of_stuck: f64,
    /// Share among all, 0 to 100.
    pub of_all: f64,
    /// `of_stuck / of_all`.
    pub lift: f64,
    /// Probability of this or more by chance, corrected for the number of values tested (Holm).
    pub p: f64,
    /// Named: lift ≥ 1.5, at least 20 stuck, p < 0.01.
    pub named: bool,
}

/// A trait and the value of it that an order has to have, in words.
pub type Term = (Arc<str>, Arc<str>);

/// Which orders are the bad ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bad {
    /// Those that are stuck.
    #[default]
    Stuck,
    /// Those that are charged and not at HO.
    NotAtHo,
    /// Those of a class.
    Class(Class),
}

impl Bad {
    fn holds(self, facts: &Facts<'_>, rules: &Rules) -> bool {
        match self {
            Self::Stuck => facts.stuck(rules.stuck_after),
            Self::NotAtHo => facts.missing_at_ho(rules.settle_after).is_some(),
            Self::Class(class) => class_of(facts, rules) == class,
        }
    }
}

/// The traits of every order.
const TRAITS: [&str; 5] = ["born", "service", "method", "region", "amount"];
/// Columns of the operator's that are compared besides.
const COLUMNS: usize = 12;

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
    shared_by(store, window, at, Bad::Stuck)
}

/// The same of the orders that somebody chose to call bad.
pub fn shared_by(store: &Store, window: Span, at: Stamp, bad: Bad) -> Vec<SharedTrait> {
    let rules = &store.incident.rules;
    let mut columns: BTreeSet<Arc<str>> = BTreeSet::new();
    for (_, entry) in store.orders.entries() {
        if columns.len() >= COLUMNS {
            break;
        }
        let order = newest_order(&entry, at).map(|(_, order)| order).filter(|o| window.contains(o.created_at));
        columns.extend(order.iter().flat_map(|o| o.attributes.iter()).map(|(name, _)| Arc::clone(name)));
    }
    let names: Vec<Arc<str>> = TRAITS.iter().map(|t| Arc::from(*t)).chain(columns.into_iter().take(COLUMNS)).collect();
    let mut words = Words::new(&store.incident.zone);
    let mut table = Table::new(names.iter().cloned()).within(TRAITS[0]);
    known(store, window, at, |_, facts| {
        let Some(order) = facts.order else { return };
        let values: Vec<Option<Arc<str>>> = names.iter().map(|n| words.of(n, order, facts.born)).collect();
        table.add(values.iter().map(Option::as_deref), u32::from(bad.holds(facts, rules)), 1);
    });
    traits_of(&table)
}

/// Whether an order has all of some values.
pub fn has_all(terms: &[Term], order: &Order, born: Stamp, zone: &Zone) -> bool {
    let mut words = Words::new(zone);
    terms.iter().all(|(name, value)| words.of(name, order, born).as_ref() == Some(value))
}

/// An order's values in words.
struct Words<'z> {
    zone: &'z Zone,
    halves: BTreeMap<Stamp, Arc<str>>,
    bands: Vec<Arc<str>>,
}

impl<'z> Words<'z> {
    fn new(zone: &'z Zone) -> Self {
        let bands = BANDS.iter().map(|(_, words)| *words).chain([ABOVE]).map(Arc::from).collect();
        Self { zone, halves: BTreeMap::new(), bands }
    }

    /// The value of a trait; none when the row does not say.
    fn of(&mut self, name: &str, order: &Order, born: Stamp) -> Option<Arc<str>> {
        match name {
            "born" => {
                let (from, zone) = (half_hour(born, self.zone), self.zone);
                let half = || format!("{}–{}", zone.hm(from), zone.hm(from + Lapse::minutes(29))).into();
                Some(Arc::clone(self.halves.entry(from).or_insert_with(half)))
            }
            "amount" => self.bands.get(band(order.amount?)).cloned(),
            "service" => order.service_type.clone(),
            "method" => order.payment_method.clone(),
            "region" => order.region.clone(),
            column => order.attributes.get(column).cloned(),
        }
    }
}

fn half_hour(born: Stamp, zone: &Zone) -> Stamp {
    born.floor(Lapse::minutes(30), zone)
}

fn band(amount: i64) -> usize {
    BANDS.iter().position(|(edge, _)| amount <= *edge).unwrap_or(BANDS.len())
}

/// Everything a table of orders says: single values tested, and the conjunctions that stand out. The table may as
/// well be a tally that somebody else made.
pub fn traits_of(table: &Table) -> Vec<SharedTrait> {
    let (bad, all) = table.sums();
    if bad == 0 {
        return Vec::new();
    }
    let names: Vec<&Arc<str>> = table.names().collect();
    let singles = table.singles();
    // An order whose row does not say is in neither share, so shares are of those that say.
    let mut says: Vec<(u64, u64)> = vec![(0, 0); names.len()];
    for single in &singles {
        says[single.column].0 += single.bad;
        says[single.column].1 += single.all;
    }
    let mut out: Vec<SharedTrait> = Vec::new();
    for single in singles {
        let ((bad, all), name) = (says[single.column], names[single.column]);
        if bad > 0 {
            let p = by_chance(all, single.all, bad, single.bad);
            let terms = vec![(Arc::clone(name), single.value)];
            out.push(SharedTrait::new(Arc::clone(name), terms, (single.bad, single.all), (bad, all), p));
        }
    }
    correct(&mut out);
    let several = |s: &Segment| s.terms.len() > 1;
    let together: Arc<str> = Arc::from("together");
    for s in table.segments().into_iter().filter(several) {
        out.push(SharedTrait::new(Arc::clone(&together), s.terms, (s.bad, s.all), (bad, all), s.p));
    }
    for t in &mut out {
        t.named = t.lift >= LIFT && t.stuck >= FEWEST && t.p < CHANCE;
    }
    strongest(out)
}

impl SharedTrait {
    /// Counts inside, and counts of everything.
    fn new(name: Arc<str>, terms: Vec<Term>, inside: (u64, u64), of: (u64, u64), p: f64) -> Self {
        let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
        let words: Vec<&str> = terms.iter().map(|(_, value)| &**value).collect();
        let (of_stuck, of_all) = (percent(inside.0, of.0), percent(inside.1, of.1));
        Self {
            value: Untrusted::from(words.join(" + ")),
            name,
            stuck: usize::try_from(inside.0).unwrap_or(usize::MAX),
            inside: percent(inside.0, inside.1),
            outside: percent(of.0 - inside.0, of.1 - inside.1),
            of_stuck,
            of_all,
            lift: if of_all > 0.0 { of_stuck / of_all } else { 0.0 },
            p,
            named: false,
            terms,
        }
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
fn by_chance(all: u64, with: u64, drawn: u64, hit: u64) -> f64 {
    let Some(below) = hit.checked_sub(1) else { return 1.0 };
    match Hypergeometric::new(all, with, drawn) {
        Ok(law) => law.sf(below).clamp(0.0, 1.0),
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
