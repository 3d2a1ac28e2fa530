//! Words that many rows have in common, kept once: methods, regions, versions of an app.
//!
//! Bounded: a column whose words are all different fills the pool and is then kept as it comes.

use crate::model::order::Order;
use std::collections::HashSet;
use std::sync::Arc;

/// Words kept at most.
const MOST: usize = 16_384;

/// The pool.
#[derive(Clone, Debug, Default)]
pub struct Words(HashSet<Arc<str>>);

impl Words {
    /// The order with its words taken from the pool.
    pub fn share(&mut self, order: &Order) -> Order {
        let mut order = order.clone();
        let texts = [&mut order.payment_method, &mut order.region, &mut order.service_type, &mut order.saga_step];
        for word in texts.into_iter().flatten() {
            self.one(word);
        }
        order.attributes.share(|word| self.one(word));
        order
    }

    fn one(&mut self, word: &mut Arc<str>) {
        if let Some(known) = self.0.get(&**word) {
            *word = Arc::clone(known);
        } else if self.0.len() < MOST {
            self.0.insert(Arc::clone(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stamp;
    use crate::model::order::{Attributes, OrderStatus};

    fn order(n: usize, region: &str, pod: String) -> Order {
        Order {
            order_id: format!("O{n}").into(),
            created_at: Stamp(0),
            status: OrderStatus::Active,
            amount: None,
            payment_method: None,
            region: Some(region.into()),
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: None,
            version: None,
            attributes: Attributes::from_iter([("pod".into(), pod.into())]),
        }
    }

    #[test]
    fn a_word_is_kept_once_and_a_column_of_different_words_does_not_grow_the_pool_without_end() {
        let mut words = Words::default();
        let first = words.share(&order(0, "JKT", "a".into()));
        let second = words.share(&order(1, "JKT", "a".into()));
        assert!(Arc::ptr_eq(first.region.as_ref().unwrap(), second.region.as_ref().unwrap()));
        assert!(Arc::ptr_eq(first.attribute("pod").unwrap(), second.attribute("pod").unwrap()));
        for n in 0..2 * MOST {
            let given = order(n, "JKT", format!("pod-{n}"));
            assert_eq!(words.share(&given), given);
        }
        assert_eq!(words.0.len(), MOST);
    }
}
