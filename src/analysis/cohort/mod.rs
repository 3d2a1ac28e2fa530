//! What the bad ones share: conjunctions of at most three attributes in which more is bad than should be.
//!
//! Every cell of the table says whether it holds more bad ones than usual or not, and how loudly; a
//! conjunction is the sum of its cells. So a wide one wins over a narrow one only while the cells it adds
//! are bad too, and a narrow one over a wide one only while those it leaves out are not. May not know: the
//! store, words; attributes and values are numbers.

mod search;
pub mod table;
#[cfg(test)]
mod tests;

pub use search::explain;
pub use table::{Segment, Single, Table};

/// Bad ones of a cell are held against this many times the usual: below it, a cell speaks against.
const TIMES: f64 = 2.5;
/// A further conjunction joins an explanation from this share of the first one's weight on.
const JOINS: f64 = 0.4;
/// Conjunctions of one explanation at most.
const PARTS: usize = 3;
/// Attributes of one conjunction at most.
pub const TERMS: usize = 3;
/// Explanations given at most.
const GIVEN: usize = 6;
/// An explanation holds at least this many times as many bad ones as it should…
pub const LIFT: f64 = 1.5;
/// …and would come about by chance less often than this, after correcting for all that was tried.
pub const CHANCE: f64 = 0.01;

/// A cell of the table: one combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The value of each attribute, by number.
    pub values: Vec<u32>,
    /// How many are bad; at most `total`.
    pub bad: f64,
    /// How many there are.
    pub total: f64,
    /// The same two of quiet times; zero where nothing is known of them.
    pub before: (f64, f64),
}

/// An attribute and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Number of the attribute.
    pub attribute: usize,
    /// Number of the value.
    pub value: u32,
}

/// A set of conjunctions with its counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// One or more conjunctions, the weightiest first; a case is in the set when it is in one of them.
    pub parts: Vec<Vec<Term>>,
    /// Bad ones in it.
    pub bad: f64,
    /// All of it.
    pub total: f64,
    /// Bad ones that would be usual in it.
    pub usual: f64,
    /// `bad / usual`.
    pub lift: f64,
    /// Probability of this many or more by chance (Poisson), of this set alone.
    pub chance: f64,
    /// The same, times the number of conjunctions tried
    /// (Bonferroni), at most 1.
    pub p: f64,
}

impl Explanation {
    /// Whether it stands out: lift and chance are beyond the bounds.
    pub fn stands_out(&self) -> bool {
        self.lift >= LIFT && self.p < CHANCE
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Shared {
    /// Explanations that stand out, the best first.
    Explained(Vec<Explanation>),
    /// No segment stands out; the best there was, when any holds more than usual.
    NothingStandsOut(Option<Explanation>),
    /// Nothing is bad.
    NothingBad,
}
