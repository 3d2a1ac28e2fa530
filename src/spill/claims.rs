//! Which references are not where rows say: told by sixteen bytes for each row, so that the rows themselves
//! need be brought together by reference only where they disagree.
//!
//! References and orders are known by their ranks here. Two ranks that are alike by accident send a row the
//! long way, where texts are compared; that both of a pair are alike by accident is one in 2^128.

use super::Bins;
use super::bins::BINS;
use std::io;
use std::path::Path;

/// Payments and records, each a reference with the order it names.
#[derive(Debug)]
pub struct Claims(Bins);

/// Rows of one bin beyond which those that say the same are dropped.
const MANY: usize = 200_000;
const PAID: u8 = 1;
const CLAIMED: u8 = 0;

impl Claims {
    /// None yet.
    pub fn new(folder: &Path, room: usize) -> Self {
        Self(Bins::new(folder, room))
    }
    /// A row has this reference and names this order: a payment, which is `paid`, or a record at HO.
    pub fn put(&mut self, upg_ref: u64, order: u64, paid: bool) -> io::Result<()> {
        let mut record = [if paid { PAID } else { CLAIMED }; 9];
        let (order_bytes, _) = record.split_at_mut(8);
        order_bytes.copy_from_slice(&order.to_le_bytes());
        self.0.push(upg_ref, &record)
    }

    /// Marks the references of which a record names another order than a payment, or payments several.
    pub fn disputed(&self, lost: &mut Marks) -> io::Result<()> {
        let mut rows: Vec<(u64, u64, u8)> = Vec::new();
        for bin in 0..BINS {
            rows.clear();
            let mut enough = MANY;
            self.0.each_of(bin, |upg_ref, record| {
                if let Some((order, [which])) = record.split_first_chunk::<8>() {
                    rows.push((upg_ref, u64::from_le_bytes(*order), *which));
                }
                // A million rows of one reference say the same a million times.
                if rows.len() > enough {
                    rows.sort_unstable();
                    rows.dedup();
                    enough = MANY.max(2 * rows.len());
                }
                Ok(())
            })?;
            rows.sort_unstable();
            for of_one in rows.chunk_by(|a, b| a.0 == b.0) {
                let [first, rest @ ..] = of_one else { continue };
                let differ = rest.iter().any(|r| r.1 != first.1);
                if differ && of_one.iter().any(|r| r.2 == PAID) && of_one.iter().any(|r| r.2 == CLAIMED) {
                    lost.mark(first.0);
                }
            }
        }
        Ok(())
    }
}

/// How many marks there are: a MiB of bits.
const MARKS: usize = 1 << 23;

/// Ranks that were marked; one that was not may be taken for one that was, never the other way round.
#[derive(Debug, Default)]
pub struct Marks(Vec<u64>);

impl Marks {
    const fn place(rank: u64) -> (usize, u64) {
        let bit = (rank as usize) % MARKS;
        (bit / 64, 1 << (bit % 64))
    }
    /// Marks one.
    pub fn mark(&mut self, rank: u64) {
        if self.0.is_empty() {
            self.0.resize(MARKS / 64, 0);
        }
        let (word, bit) = Self::place(rank);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }
    /// Whether it may have been marked.
    pub fn has(&self, rank: u64) -> bool {
        let (word, bit) = Self::place(rank);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }
    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_disputed_when_a_record_and_a_payment_name_different_orders() {
        for room in [0, 1 << 16] {
            let mut claims = Claims::new(&std::env::temp_dir(), room);
            for n in 0..1_000_u64 {
                claims.put(n, n, true).unwrap();
                claims.put(n, n, false).unwrap();
            }
            claims.put(5, 6, false).unwrap();
            claims.put(7, 8, true).unwrap();
            // Nobody paid with these, and nobody claims that.
            claims.put(2_001, 1, false).unwrap();
            claims.put(2_001, 2, false).unwrap();
            claims.put(2_002, 1, true).unwrap();
            claims.put(2_002, 2, true).unwrap();
            let mut lost = Marks::default();
            claims.disputed(&mut lost).unwrap();
            let found: Vec<u64> = (0..3_000).filter(|n| lost.has(*n)).collect();
            assert_eq!(found, [5, 7]);
        }
    }

    #[test]
    fn what_nobody_marked_costs_nothing() {
        let mut marks = Marks::default();
        assert!(marks.is_empty() && !marks.has(9));
        marks.mark(9);
        assert!(marks.has(9) && !marks.has(10));
    }
}
