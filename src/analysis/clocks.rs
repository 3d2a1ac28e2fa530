//! Whose clock wrote a row of the order side, and how far that clock stands from ours.
//!
//! Every look at a database measures its clock against ours. A row's own times were written by that
//! database's machine, so they are moved by what was measured before they are laid beside other systems'
//! times: an effect that seems to come before its cause is nearly always a clock. May not know: classes,
//! orders.

use crate::model::order::Role;
use crate::model::{Lapse, SourceName, Stamp};
use crate::store::Store;
use std::collections::BTreeMap;

/// Looks that a clock's difference is taken from: the middle one of the newest, because one slow round trip
/// lies and the clock does not jump back.
const LOOKS: usize = 9;
/// Clocks that differ by less are taken as equal: an estimate over a network is not better than this.
pub const EQUAL: Lapse = Lapse::millis(250);

/// How far the clocks of the systems with orders are from ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clocks {
    of: BTreeMap<Role, Clock>,
}

/// A system's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// The source it was measured by: `ho`.
    pub source: SourceName,
    /// Its clock minus ours.
    pub ahead: Lapse,
}

impl Clocks {
    /// As measured up to `at`. A role whose source is not known, or has not measured its clock, has none.
    pub fn read(store: &Store, at: Stamp) -> Self {
        let of = store.incident.ledgers.iter().filter_map(|(role, source)| {
            let costs = store.costs(source)?;
            let looks = costs.iter().rev().skip_while(|(t, _)| *t > at).filter_map(|(_, cost)| cost.skew);
            let mut looks: Vec<Lapse> = looks.take(LOOKS).collect();
            looks.sort_unstable();
            let ahead = *looks.get(looks.len() / 2)?;
            Some((*role, Clock { source: source.clone(), ahead }))
        });
        Self { of: of.collect() }
    }

    /// A time of a role's row, by our clock.
    pub fn ours(&self, role: Role, t: Stamp) -> Stamp {
        self.of.get(&role).filter(|clock| clock.ahead.abs() >= EQUAL).map_or(t, |clock| t - clock.ahead)
    }

    /// Each system once, in the order of its name.
    pub fn all(&self) -> Vec<&Clock> {
        let mut out: Vec<&Clock> = self.of.values().collect();
        out.sort_by(|a, b| a.source.cmp(&b.source));
        out.dedup_by(|a, b| a.source == b.source);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::health::Cost;
    use crate::model::incident::Incident;
    use crate::model::{Batch, Fact, Zone};

    fn looked(skews: &[i64]) -> Store {
        let ledgers = vec![(Role::HoPayments, "ho".into()), (Role::Payments, "upg".into())];
        let incident = Incident { ledgers, ..Incident::unnamed(Zone::utc()) };
        let mut store = Store::default();
        store.incident = incident;
        for (i, skew) in skews.iter().enumerate() {
            let at = Stamp::from_secs(i as i64);
            let cost = Cost { at, skew: Some(Lapse::millis(*skew)), ..Cost::default() };
            store.apply(&Batch { source: "ho".into(), seq: i as u64, seen: at, facts: vec![Fact::Cost(cost)] });
        }
        store
    }

    #[test]
    fn a_time_is_moved_by_what_was_measured_by_then_and_one_slow_look_moves_nothing() {
        let t = Stamp::from_secs(1_000);
        let store = looked(&[90_010, 90_000, 97_000, 90_020]);
        let clocks = Clocks::read(&store, t);
        assert_eq!(clocks.ours(Role::HoPayments, t), t - Lapse::millis(90_020));
        assert_eq!(clocks.ours(Role::Payments, t), t, "nobody has looked at UPG");
        assert_eq!(clocks.all().iter().map(|c| &*c.source).collect::<Vec<_>>(), ["ho"]);
        assert_eq!(Clocks::read(&store, Stamp::from_secs(-1)), Clocks::default());
    }

    #[test]
    fn what_a_round_trip_may_explain_moves_nothing() {
        let clocks = Clocks::read(&looked(&[200, 210, 190]), Stamp::from_secs(9));
        assert_eq!(clocks.ours(Role::HoPayments, Stamp(5)), Stamp(5));
        assert_eq!(clocks.all()[0].ahead, Lapse::millis(200));
    }
}
