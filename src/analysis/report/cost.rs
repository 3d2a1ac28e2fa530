//! What watching cost the systems watched, added up from every round of a recording.
//!
//! Owns the sums: the store forgets old rounds, a report does not. May not know: how it is written.

use crate::model::untrusted::shown;
use crate::model::{Batch, Fact, SourceName, Stamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// What asking one source cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Which.
    pub source: String,
    /// How often it was asked.
    pub rounds: u64,
    /// Statements or requests sent.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many were turned away for asking too often.
    pub throttled: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Time the rounds took from our side, in milliseconds.
    pub took_ms: u64,
    /// The longest of them.
    pub longest_ms: u64,
    /// Time the server says it spent, where it says.
    pub server_ms: Option<u64>,
    /// The most connections held at once.
    pub connections: u32,
}

/// Adds up the rounds of every source.
#[derive(Clone, Debug, Default)]
pub struct Costs(BTreeMap<SourceName, Cost>);

impl Costs {
    /// Takes in what a batch tells of costs up to `at`.
    pub fn take(&mut self, batch: &Batch, at: Stamp) {
        for fact in &batch.facts {
            let Fact::Cost(c) = fact else { continue };
            if c.at > at {
                continue;
            }
            let sum = self.0.entry(batch.source.clone()).or_default();
            let took = (c.took.0.max(0) / 1000) as u64;
            sum.rounds += 1;
            sum.requests += u64::from(c.requests);
            sum.failed += u64::from(c.failed);
            sum.throttled += u64::from(c.throttled);
            sum.bytes += c.bytes;
            sum.took_ms += took;
            sum.longest_ms = sum.longest_ms.max(took);
            let server = c.server.map(|s| (s.0.max(0) / 1000) as u64);
            sum.server_ms = server.map_or(sum.server_ms, |s| Some(sum.server_ms.unwrap_or(0) + s));
            sum.connections = sum.connections.max(c.connections);
        }
    }

    /// One row for each source, by name.
    pub fn rows(self) -> Vec<Cost> {
        self.0.into_iter().map(|(name, cost)| Cost { source: shown(&name), ..cost }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lapse;
    use crate::model::health::Cost as Round;

    #[test]
    fn rounds_are_added_up_and_later_ones_left_out() {
        let round = |at, requests, took| {
            Fact::Cost(Round { at: Stamp(at), requests, took: Lapse::millis(took), connections: 1, ..Round::default() })
        };
        let facts = vec![round(1, 3, 20), round(2, 4, 50), round(9, 100, 900)];
        let mut costs = Costs::default();
        costs.take(&Batch { source: "mrg".into(), seq: 1, seen: Stamp(9), facts }, Stamp(5));
        let rows = costs.rows();
        let [row] = rows.as_slice() else { panic!("one source: {rows:?}") };
        assert_eq!((row.rounds, row.requests, row.took_ms, row.longest_ms, row.connections), (2, 7, 70, 50, 1));
        assert_eq!(row.server_ms, None, "a server that does not say spent an unknown time");
    }
}
