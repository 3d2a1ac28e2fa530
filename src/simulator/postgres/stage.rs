//! What sessions have to know of each other: which locks are held by those who are to hold them.
//!
//! Owns the order of things: whoever is to wait begins only when somebody holds what it will wait for. May
//! not know: connections.

use tokio::sync::watch;

/// The advisory lock of the batch job. Rows of a chain are 0 to 6.
pub const BATCH: u32 = 31;

/// The locks that are held, one bit each.
#[derive(Debug)]
pub struct Stage(watch::Sender<u32>);

impl Default for Stage {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Stage {
    /// Says that the caller holds it.
    pub fn hold(&self, lock: u32) {
        self.0.send_if_modified(|held| {
            let before = std::mem::replace(held, *held | 1 << lock);
            before != *held
        });
    }
    /// Says that nobody holds it: the caller gave it back, or got it itself when it should have waited.
    pub fn free(&self, lock: u32) {
        self.0.send_if_modified(|held| {
            let before = std::mem::replace(held, *held & !(1 << lock));
            before != *held
        });
    }
    /// Waits until somebody holds it.
    pub async fn held(&self, lock: u32) {
        self.until(|held| held >> lock & 1 == 1).await;
    }
    /// Waits until nobody holds it, as far as is known here.
    pub async fn freed(&self, lock: u32) {
        self.until(|held| held >> lock & 1 == 0).await;
    }
    async fn until(&self, so: impl FnMut(&u32) -> bool) {
        // It fails only without a sender, and that is ours.
        let _ = self.0.subscribe().wait_for(so).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_lock_to_be_held_goes_on_when_it_is() {
        let stage = std::sync::Arc::new(Stage::default());
        stage.hold(2);
        let waiter = tokio::spawn({
            let stage = std::sync::Arc::clone(&stage);
            async move {
                stage.held(0).await;
                stage.held(2).await;
                stage.freed(1).await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished(), "row 0 is held by nobody");
        stage.hold(0);
        waiter.await.unwrap();
        stage.free(2);
        stage.freed(2).await;
    }
}
