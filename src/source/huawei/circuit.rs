//! Nobody asks again for a while after who we are was refused: five wrong signatures lock the access key for
//! everybody who uses it.
//!
//! Until something was answered with the keys in use, requests go one at a time, so that a wrong key costs
//! one refusal and not one for each source. May not know: what is asked.

use crate::model::Lapse;
use crate::model::health::Cost;
use crate::source::huawei::Service;
use crate::source::huawei::trouble::{Kind, Trouble};
use crate::source::runner::lapse;
use std::collections::BTreeMap;
use std::sync::{Mutex as Lock, MutexGuard as Locked, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// After a refusal one request is tried again so much later.
pub const SLOW_RETRY: Duration = Duration::from_mins(10);
/// While nobody asks, places where credentials can be corrected are looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

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

    /// Who we are was refused. Gives the trouble with the time that it now stands.
    pub fn refused(&self, service: Service, mut trouble: Trouble) -> Trouble {
        let now = Instant::now();
        trouble.held = Some(lapse(SLOW_RETRY));
        let open = Open { trouble: trouble.clone(), until: now + SLOW_RETRY, looked: now };
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
        let Some(open) = state.whole.as_mut().filter(|o| now >= o.looked + LOOK_AGAIN) else { return false };
        open.looked = now;
        true
    }

    /// The credentials are others now.
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

    fn refusal(kind: Kind) -> Trouble {
        Trouble::new(kind, "huawei", Service::Ces, "host", "no")
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_stands_for_all_services_until_the_slow_retry() {
        let circuit = Circuit::default();
        assert!(circuit.enter(Service::Ces).await.unwrap().is_some(), "the first goes alone");
        circuit.refused(Service::Ces, refusal(Kind::BadSignature));
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
        circuit.refused(Service::Aom, refusal(Kind::Unauthorized));
        assert!(circuit.enter(Service::Aom).await.is_err() && circuit.enter(Service::Ces).await.is_ok());
        circuit.refused(Service::Aom, refusal(Kind::BadSignature));
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
        circuit.refused(Service::Ces, refusal(Kind::UnknownKey));
        drop(first);
        assert_eq!(other.await.unwrap(), Err(Kind::UnknownKey));
    }

    #[tokio::test(start_paused = true)]
    async fn corrected_credentials_are_looked_for_now_and_then() {
        let circuit = Circuit::default();
        assert!(!circuit.look_again());
        circuit.refused(Service::Ces, refusal(Kind::BadSignature));
        assert!(!circuit.look_again());
        tokio::time::advance(LOOK_AGAIN).await;
        assert!(circuit.look_again() && !circuit.look_again());
        circuit.corrected();
        assert!(circuit.enter(Service::Ces).await.is_ok() && circuit.held().is_none());
    }
}
