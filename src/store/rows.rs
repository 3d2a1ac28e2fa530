//! The rows of one kind that are kept of one order, by the times they were read: a list in exactly the memory it
//! needs. Most orders have one row or two of a kind and there are very many orders, while a growing list of the
//! standard library begins with room for four.

use crate::model::Stamp;
use std::ops::{Deref, DerefMut};

/// Rows with the times they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<T>(Box<[(Stamp, T)]>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> Deref for Rows<T> {
    type Target = [(Stamp, T)];
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Rows<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T> FromIterator<(Stamp, T)> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = (Stamp, T)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl<'r, T> IntoIterator for &'r Rows<T> {
    type Item = &'r (Stamp, T);
    type IntoIter = std::slice::Iter<'r, (Stamp, T)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Rows<T> {
    /// Changes the list as a whole.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Vec<(Stamp, T)>) -> R) -> R {
        let mut list = std::mem::take(&mut self.0).into_vec();
        let result = change(&mut list);
        self.0 = list.into_boxed_slice();
        result
    }
    /// Puts a row at a place.
    pub fn insert(&mut self, at: usize, row: (Stamp, T)) {
        self.change(|list| {
            list.reserve_exact(1);
            list.insert(at, row);
        });
    }
    /// Takes out the rows that are `wanted`, in their order.
    pub fn take_out(&mut self, wanted: impl Fn(&(Stamp, T)) -> bool) -> Vec<(Stamp, T)> {
        if !self.0.iter().any(&wanted) {
            return Vec::new();
        }
        self.change(|list| list.extract_if(.., |row| wanted(row)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_they_are_put_and_come_out_in_order() {
        let mut rows = Rows::default();
        for n in [2, 0, 1] {
            let at = rows.partition_point(|(t, _)| *t <= Stamp(n));
            rows.insert(at, (Stamp(n), n * 10));
        }
        assert_eq!(&rows[..], [(Stamp(0), 0), (Stamp(1), 10), (Stamp(2), 20)]);
        assert_eq!(rows.take_out(|(_, n)| *n != 10), [(Stamp(0), 0), (Stamp(2), 20)]);
        assert_eq!((rows.take_out(|(_, n)| *n > 90).len(), rows.len()), (0, 1));
    }
}
