//! What a real server is told to show: any world that can say what its sessions do and which rows it wrote.
//!
//! Owns that interface, and a lived day behind it. May not know: servers.

use super::day::Day;
use super::ledger::{Ledger, Write};
use super::platform::agenda::Ms;
use super::platform::{ms, stamp};
use super::scene::Scene;
use super::stage::{self, DATABASES};
use super::{END, START, rows};
use crate::model::order::Rows;
use crate::model::{Span, Stamp};
use std::sync::Arc;

/// A world, as its databases show it.
pub trait Play: Send {
    /// From when to when it goes.
    fn span(&self) -> Span;
    /// What the sessions of a system's database do at an instant.
    fn scene(&self, database: &str, at: Stamp) -> Scene;
    /// Rows that were written since the last call, up to and including an instant, in their order.
    fn rows(&mut self, until: Stamp) -> Vec<Rows>;
}

/// The evening of a day, with every order since the day began to be lived.
pub fn evening(day: Arc<Day>) -> impl Play {
    let ledger = Ledger::new(Arc::clone(&day));
    let writes = ledger.writes(0, Ms::MAX);
    Evening { day, ledger, writes, read: 0 }
}

/// The evening with its own orders alone: those from before it are nobody's business.
pub fn within(day: Arc<Day>) -> impl Play {
    let ledger = Ledger::new(Arc::clone(&day));
    let writes = of_the_evening(&day, &ledger);
    Evening { day, ledger, writes, read: 0 }
}

/// What was written of orders that were placed in the evening, while it lasts.
pub fn of_the_evening(day: &Day, ledger: &Ledger) -> Vec<(Ms, Write)> {
    let first = ms(START);
    let mut writes = ledger.writes(first, ms(END));
    writes.retain(|(_, w)| day.history.lives[ledger.order_of(*w) as usize].born >= first);
    writes
}

struct Evening {
    day: Arc<Day>,
    ledger: Ledger,
    writes: Vec<(Ms, Write)>,
    read: usize,
}

impl Play for Evening {
    fn span(&self) -> Span {
        Span::new(START, END)
    }
    fn scene(&self, database: &str, at: Stamp) -> Scene {
        let (from, to) = self.day.lived;
        stage::scene(&self.day, database, ms(at.max(stamp(from)).min(stamp(to) - super::STEP)), false)
    }
    fn rows(&mut self, until: Stamp) -> Vec<Rows> {
        let end = self.writes.partition_point(|(t, _)| *t <= ms(until)).max(self.read);
        let fresh = &self.writes[self.read..end];
        self.read = end;
        let kept = self.day.scenario.observed.callbacks_kept;
        (0..DATABASES.len()).flat_map(|database| rows(&self.ledger, fresh, database, kept)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::named;
    use crate::simulator::story::clock;

    #[test]
    fn the_evening_has_a_full_database_with_a_tree_in_it_and_rows_that_grow() {
        let mut evening = evening(Arc::new(Day::evening(named("pool").unwrap(), 1)));
        let calm = evening.scene("mrg", clock(19, 0, 0));
        let bad = evening.scene("mrg", clock(19, 50, 0));
        assert!(calm.sessions() > 60 && calm.sessions() < 150, "{calm:?}");
        let root = bad.root.as_ref().unwrap();
        assert_eq!((root.application.as_str(), root.idle), ("orchestrator", true));
        assert!(bad.sessions() > 165 && bad.chain >= 1, "{bad:?}");
        assert_eq!(bad.waiting(), bad.chain + bad.fan + bad.advisory);
        assert!((300.0..900.0).contains(&calm.commits), "{}", calm.commits);
        let count =
            |rows: Vec<Rows>| rows.iter().map(|r| if let Rows::Orders(o) = r { o.len() } else { 0 }).sum::<usize>();
        let (early, late) = (count(evening.rows(clock(19, 0, 0))), count(evening.rows(clock(21, 30, 0))));
        assert!(early > 1_000 && late > 20_000, "{early}, {late}");
        assert_eq!(count(evening.rows(clock(21, 30, 0))), 0);
    }
}
