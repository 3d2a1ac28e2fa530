//! Rows of the stock that many orders want: one transaction has a row, the others wait behind it in line.

use super::agenda::OrderNo;
use std::collections::VecDeque;

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    holder: Option<OrderNo>,
    line: VecDeque<OrderNo>,
}

/// All of them. Row 0 is nobody's.
#[derive(Debug, Default)]
pub struct Rows(Vec<Row>);

impl Rows {
    /// So many.
    pub fn new(n: u8) -> Self {
        Self(vec![Row::default(); usize::from(n) + 1])
    }

    /// An order wants a row: it has it when this is true, else it stands in line.
    pub fn take(&mut self, row: u8, order: OrderNo) -> bool {
        let Some(row) = self.0.get_mut(usize::from(row)) else { return true };
        if row.holder.is_none() {
            row.holder = Some(order);
            return true;
        }
        row.line.push_back(order);
        false
    }

    /// An order lets go, or leaves the line. Gives who has the row now, when that is news.
    pub fn leave(&mut self, row: u8, order: OrderNo) -> Option<OrderNo> {
        let row = self.0.get_mut(usize::from(row))?;
        if row.holder == Some(order) {
            row.holder = row.line.pop_front();
            return row.holder;
        }
        row.line.retain(|o| *o != order);
        None
    }

    /// The longest line, and how many wait behind the holders altogether.
    pub fn lines(&self) -> (usize, usize) {
        let lines = || self.0.iter().map(|r| r.line.len());
        (lines().max().unwrap_or(0), lines().sum())
    }
}
