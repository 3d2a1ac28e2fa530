//! Texts that many rows have in common, kept once: words (methods, regions, versions of an app) for all orders,
//! identifiers among the rows of one.
//!
//! Bounded: a column whose words are all different fills the pool and is then kept as it comes.

use crate::model::order::{Callback, HoPayment, Order, OrderEvent, OrderId, Payment, SagaStep};
use crate::store::book::Entry;
use std::collections::HashMap;
use std::sync::Arc;

/// Words kept at most.
const MOST: usize = 16_384;

/// The pool.
#[derive(Clone, Debug, Default)]
pub struct Words {
    numbers: HashMap<Arc<str>, u32>,
    words: Vec<Arc<str>>,
}

/// Identifiers that the rows of one order have kept already.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    order: Option<OrderId>,
    upg_ref: Option<Arc<str>>,
}

impl Kept {
    /// Those of an entry, for a row of this UPG reference.
    pub fn of(entry: &Entry, upg_ref: Option<&Arc<str>>) -> Self {
        let order = entry.orders.first().map(|(_, o)| &o.order_id);
        let order = order.or_else(|| entry.payments.first().map(|(_, p)| &p.order_id));
        let paid = entry.payments.iter().map(|(_, p)| &p.upg_ref);
        let upg_ref = upg_ref.and_then(|r| paid.into_iter().find(|known| *known == r));
        Self { order: order.cloned(), upg_ref: upg_ref.cloned() }
    }
    fn order(&self, id: &mut OrderId) {
        again(id, self.order.as_ref());
    }
    fn named(&self, id: &mut Option<OrderId>) {
        if let Some(id) = id {
            self.order(id);
        }
    }
    fn reference(&self, upg_ref: &mut Option<Arc<str>>) {
        if let Some(upg_ref) = upg_ref {
            again(upg_ref, self.upg_ref.as_ref());
        }
    }
}

/// The text that is known already, where it is the same.
fn again(text: &mut Arc<str>, known: Option<&Arc<str>>) {
    if let Some(known) = known.filter(|known| *known == text) {
        *text = Arc::clone(known);
    }
}

fn maybe_again(text: &mut Option<Arc<str>>, known: Option<&Option<Arc<str>>>) {
    if let Some(text) = text {
        again(text, known.and_then(Option::as_ref));
    }
}

impl Words {
    /// An order to keep, after the version before it.
    pub fn order(&mut self, order: &Order, kept: &Kept, known: Option<&Order>) -> Order {
        let mut order = order.clone();
        kept.order(&mut order.order_id);
        let texts = [&mut order.payment_method, &mut order.region, &mut order.service_type, &mut order.saga_step];
        for word in texts {
            self.maybe(word);
        }
        maybe_again(&mut order.trace_id, known.map(|k| &k.trace_id));
        order.attributes.share(|word| self.one(word));
        order
    }
    /// A payment to keep, after the version before it.
    pub fn payment(&mut self, payment: &Payment, kept: &Kept, known: Option<&Payment>) -> Payment {
        let mut payment = payment.clone();
        kept.order(&mut payment.order_id);
        again(&mut payment.upg_ref, known.map(|k| &k.upg_ref));
        self.maybe(&mut payment.payment_method);
        maybe_again(&mut payment.gateway_ref, known.map(|k| &k.gateway_ref));
        maybe_again(&mut payment.idempotency_key, known.map(|k| &k.idempotency_key));
        payment
    }
    /// A record at HO to keep, after the version before it.
    pub fn record(record: &HoPayment, kept: &Kept, known: Option<&HoPayment>) -> HoPayment {
        let mut record = record.clone();
        kept.named(&mut record.order_id);
        kept.reference(&mut record.upg_ref);
        again(&mut record.ho_ref, known.map(|k| &k.ho_ref));
        record
    }
    /// A callback to keep.
    pub fn callback(&mut self, callback: &Callback, kept: &Kept) -> Callback {
        let mut callback = callback.clone();
        kept.named(&mut callback.order_id);
        kept.reference(&mut callback.upg_ref);
        self.maybe(&mut callback.target);
        callback
    }
    /// A transition to keep.
    pub fn event(&mut self, event: &OrderEvent, kept: &Kept) -> OrderEvent {
        let mut event = event.clone();
        kept.order(&mut event.order_id);
        self.one(&mut event.to);
        self.maybe(&mut event.from);
        self.maybe(&mut event.actor);
        event
    }
    /// A saga's step to keep.
    pub fn step(&mut self, step: &SagaStep, kept: &Kept) -> SagaStep {
        let mut step = step.clone();
        kept.order(&mut step.order_id);
        self.one(&mut step.step);
        step
    }

    fn maybe(&mut self, word: &mut Option<Arc<str>>) {
        if let Some(word) = word {
            self.one(word);
        }
    }

    /// The word as the pool has it; into the pool where there is room.
    pub fn one(&mut self, word: &mut Arc<str>) {
        if let Some((known, _)) = self.numbers.get_key_value(&**word) {
            *word = Arc::clone(known);
        } else if self.words.len() < MOST {
            self.numbers.insert(Arc::clone(word), self.words.len() as u32);
            self.words.push(Arc::clone(word));
        }
    }
    /// The number of a word of the pool, which it keeps.
    pub fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }
    /// The word of a number.
    pub fn numbered(&self, number: u64) -> Option<&Arc<str>> {
        self.words.get(usize::try_from(number).ok()?)
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
        let first = words.order(&order(0, "JKT", "a".into()), &Kept::default(), None);
        let second = words.order(&order(1, "JKT", "a".into()), &Kept::default(), None);
        assert!(Arc::ptr_eq(first.region.as_ref().unwrap(), second.region.as_ref().unwrap()));
        assert!(Arc::ptr_eq(first.attribute("pod").unwrap(), second.attribute("pod").unwrap()));
        for n in 0..2 * MOST {
            let given = order(n, "JKT", format!("pod-{n}"));
            assert_eq!(words.order(&given, &Kept::default(), None), given);
        }
        assert_eq!(words.words.len(), MOST);
    }
}
