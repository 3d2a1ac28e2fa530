//! Nobody asks again for a while after who we are was refused: five wrong signatures lock the access key for
//! everybody who uses it.
//!
//! Until something was answered with the keys in use, requests go one at a time, so that a wrong key costs
//! one refusal and not one for each source. A wait ends early when its reason is gone: the credentials were
//! corrected, or our clock was set. May not know: what is asked.

use crate::model::health::Cost;
use crate::model::{Lapse, Stamp};
use crate::source::huawei::Service;
use crate::source::huawei::trouble::{Kind, LOOK_AGAIN, Trouble};
use crate::source::runner::lapse;
use std::collections::BTreeMap;
use std::sync::{Mutex as Lock, MutexGuard as Locked, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// After a refusal one request is tried again so much later.
pub const SLOW_RETRY: Duration = Duration::from_mins(10);

/// Signatures are accepted while the clocks are less apart than this, with something left for the way.
const NEAR_ENOUGH: Lapse = Lapse::minutes(14);

/// The circuit of a block.
#[derive(Debug, Default)]
pub struct Circuit {
    state: Lock<State>,
    /// Held by the one request that goes while nothing is proven.
    gate: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    proven: bool,
    /// For all services.
    whole: Option<Open>,
    /// For one service that refuses although others accept us.
    one: BTreeMap<Service, Open>,
}

#[derive(Debug)]
struct Open {
    trouble: Trouble,
    until: Instant,
    looked: Instant,
    /// When it began, by both clocks: the one that people set, and the one that only goes on.
    began: (Stamp, Instant),
}

impl Open {
    /// The refusal once more, without having asked.
    fn again(&self, now: Instant) -> Option<Trouble> {
        let left = self.until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let mut trouble = self.trouble.clone();
        trouble.held = Some(lapse(left));
        trouble.cost = Cost::default();
        Some(trouble)
    }

    /// Whether it was refused because of our clock, which has been set since: by how much it moved tells how
    /// far apart the clocks are now, without asking.
    fn clock_is_right(&self, wall: Stamp, now: Instant) -> bool {
        let Kind::Skewed(skew) = self.trouble.kind else { return false };
        let moved = wall.since(self.began.0) - lapse(now.saturating_duration_since(self.began.1));
        match skew {
            Some(skew) => (skew - moved).abs() < NEAR_ENOUGH,
            None => moved.abs() >= Lapse::minutes(1),
        }
    }
}

impl Circuit {
    fn state(&self) -> Locked<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request through, or gives the refusal that still stands. While nothing is proven the request
    /// holds what is returned until its answer is told.
    pub async fn enter(&self, service: Service) -> Result<Option<MutexGuard<'_, ()>>, Trouble> {
        if self.closed(service)? {
            return Ok(None);
        }
        let gate = self.gate.lock().await;
        // Whoever went before may have learned what we were about to.
        Ok(if self.closed(service)? { None } else { Some(gate) })
    }

    /// Whether requests may go side by side.
    fn closed(&self, service: Service) -> Result<bool, Trouble> {
        let (now, state) = (Instant::now(), self.state());
        let standing = state.whole.as_ref().or_else(|| state.one.get(&service));
        match standing {
            Some(open) => open.again(now).map_or(Ok(false), Err),
            None => Ok(state.proven),
        }
    }

    /// A request was accepted.
    pub fn accepted(&self, service: Service) {
        let mut state = self.state();
        state.proven = true;
        state.whole = None;
        state.one.remove(&service);
    }

    /// Who we are was refused; `wall` is our wall clock. Gives the trouble with the time that it now stands.
    pub fn refused(&self, service: Service, mut trouble: Trouble, wall: Stamp) -> Trouble {
        let now = Instant::now();
        trouble.held = Some(lapse(SLOW_RETRY));
        let open = Open { trouble: trouble.clone(), until: now + SLOW_RETRY, looked: now, began: (wall, now) };
        let mut state = self.state();
        if state.proven && trouble.kind == Kind::Unauthorized {
            // The same keys are accepted elsewhere: this is between us and that service.
            state.one.insert(service, open);
        } else {
            state.proven = false;
            state.whole = Some(open);
        }
        trouble
    }

    /// Whether it is time to see if somebody has corrected the credentials; then asked again only later.
    pub fn look_again(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let Some(open) = state.whole.as_mut().filter(|o| now >= o.looked + LOOK_AGAIN.to_std()) else { return false };
        open.looked = now;
        true
    }

    /// Whether our clock was the reason and has been set.
    pub fn clock_was_set(&self, wall: Stamp) -> bool {
        self.state().whole.as_ref().is_some_and(|open| open.clock_is_right(wall, Instant::now()))
    }

    /// The reason is gone: one request may try.
    pub fn corrected(&self) {
        let mut state = self.state();
        (state.proven, state.whole) = (false, None);
        state.one.clear();
    }

    /// How long nobody asks, while that is so.
    pub fn held(&self) -> Option<Lapse> {
        let now = Instant::now();
        self.state().whole.as_ref().and_then(|o| o.again(now)).and_then(|t| t.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Stamp = Stamp(1_736_683_200_000_000);

    fn refusal(kind: Kind) -> Trouble {
        Trouble::new(kind, "huawei", Service::Ces, "host", "no")
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_stands_for_all_services_until_the_slow_retry() {
        let circuit = Circuit::default();
        assert!(circuit.enter(Service::Ces).await.unwrap().is_some(), "the first goes alone");
        circuit.refused(Service::Ces, refusal(Kind::BadSignature), WALL);
        tokio::time::advance(Duration::from_secs(100)).await;
        let trouble = circuit.enter(Service::Cts).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.held), (Kind::BadSignature, Some(Lapse::seconds(500))));
        tokio::time::advance(Duration::from_secs(500)).await;
        assert!(circuit.enter(Service::Cts).await.unwrap().is_some(), "one may try, alone");
        circuit.accepted(Service::Cts);
        assert!(circuit.enter(Service::Ces).await.unwrap().is_none(), "and then all go side by side");
    }

    #[tokio::test(start_paused = true)]
    async fn one_service_that_refuses_does_not_stop_those_that_accept_us() {
        let circuit = Circuit::default();
        circuit.accepted(Service::Ces);
        circuit.refused(Service::Aom, refusal(Kind::Unauthorized), WALL);
        assert!(circuit.enter(Service::Aom).await.is_err() && circuit.enter(Service::Ces).await.is_ok());
        circuit.refused(Service::Aom, refusal(Kind::BadSignature), WALL);
        assert!(circuit.enter(Service::Ces).await.is_err(), "a wrong signature counts for the key, not the service");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_the_first_does_not_repeat_its_refusal() {
        let circuit = std::sync::Arc::new(Circuit::default());
        let first = circuit.enter(Service::Ces).await.unwrap();
        let other = tokio::spawn({
            let circuit = circuit.clone();
            async move { circuit.enter(Service::Cts).await.map(|_| ()).map_err(|t| t.kind) }
        });
        tokio::task::yield_now().await;
        circuit.refused(Service::Ces, refusal(Kind::UnknownKey), WALL);
        drop(first);
        assert_eq!(other.await.unwrap(), Err(Kind::UnknownKey));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_ends_the_wait_when_it_is_near_enough_now() {
        let circuit = Circuit::default();
        circuit.refused(Service::Ces, refusal(Kind::Skewed(Some(Lapse::minutes(40)))), WALL);
        tokio::time::advance(LOOK_AGAIN.to_std()).await;
        let later = WALL + LOOK_AGAIN;
        for (set_by, right) in [(0, false), (20, false), (27, true), (40, true), (53, true), (70, false), (-40, false)]
        {
            assert_eq!(circuit.clock_was_set(later + Lapse::minutes(set_by)), right, "{set_by} min");
        }
        circuit.refused(Service::Ces, refusal(Kind::Skewed(None)), WALL);
        assert!(!circuit.clock_was_set(WALL) && circuit.clock_was_set(WALL - Lapse::minutes(40)));
        circuit.refused(Service::Ces, refusal(Kind::BadSignature), WALL);
        assert!(!circuit.clock_was_set(WALL + Lapse::minutes(40)), "a wrong key stays wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn corrected_credentials_are_looked_for_now_and_then() {
        let circuit = Circuit::default();
        assert!(!circuit.look_again());
        circuit.refused(Service::Ces, refusal(Kind::BadSignature), WALL);
        assert!(!circuit.look_again());
        tokio::time::advance(LOOK_AGAIN.to_std()).await;
        assert!(circuit.look_again() && !circuit.look_again());
        circuit.corrected();
        assert!(circuit.enter(Service::Ces).await.is_ok() && circuit.held().is_none());
    }
}
