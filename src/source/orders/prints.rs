//! Which rows were seen before, and how: only those that are new or differ are handed on.
//!
//! Keeps two numbers for each row and nothing of what it holds.

use crate::model::order::Rows;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What the rows of one query looked like when they were seen last, by their key.
#[derive(Debug, Default)]
pub struct Prints(HashMap<u64, u64>);

impl Prints {
    /// How many rows were seen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Leaves the rows that are new or differ from when they were seen last.
    pub fn changed(&mut self, rows: Rows) -> Rows {
        match rows {
            Rows::Orders(v) => Rows::Orders(self.news(v, |o| o.order_id.as_bytes().to_vec())),
            Rows::OrderEvents(v) => {
                Rows::OrderEvents(self.news(v, |e| format!("{} {}", e.order_id, e.at.0).into_bytes()))
            }
            Rows::Payments(v) => Rows::Payments(self.news(v, |p| p.upg_ref.as_bytes().to_vec())),
            Rows::Callbacks(v) => Rows::Callbacks(
                self.news(v, |c| format!("{:?} {:?} {:?} {}", c.upg_ref, c.order_id, c.target, c.attempt).into_bytes()),
            ),
            Rows::HoPayments(v) => Rows::HoPayments(self.news(v, |h| h.ho_ref.as_bytes().to_vec())),
            Rows::OrdersAgg(v) => {
                Rows::OrdersAgg(self.news(v, |c| format!("{} {:?}", c.bucket.0, c.status).into_bytes()))
            }
            Rows::Saga(v) => {
                Rows::Saga(self.news(v, |s| format!("{} {} {}", s.order_id, s.step, s.attempt).into_bytes()))
            }
            // A queue that has not changed was still looked at: each look is a point of its curve.
            Rows::CallbackQueue(v) => Rows::CallbackQueue(v),
        }
    }

    fn news<T: serde::Serialize>(&mut self, rows: Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> Vec<T> {
        let hash = |bytes: &[u8]| {
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            hasher.finish()
        };
        let is_news = |row: &T| {
            let print = hash(&serde_json::to_vec(row).unwrap_or_default());
            self.0.insert(hash(&key(row)), print) != Some(print)
        };
        let mut is_news = is_news;
        rows.into_iter().filter(|row| is_news(row)).collect()
    }
}
