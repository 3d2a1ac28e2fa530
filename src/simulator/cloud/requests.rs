//! What was asked of the emulator, for tests to count.

use super::api::Api;
use crate::model::Stamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many are remembered; older ones are forgotten.
const ROOM: usize = 100_000;

/// One request and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// By the emulator's wall clock, when it had been read.
    pub when: Stamp,
    /// `GET`.
    pub method: String,
    /// As sent.
    pub path: String,
    /// As sent.
    pub query: String,
    /// Which API; none for a path that is none.
    pub api: Option<Api>,
    /// Length of the body in bytes.
    pub bytes: usize,
    /// What was answered; none when the connection was cut or kept waiting.
    pub status: Option<u16>,
}

/// The log. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<VecDeque<Asked>>>);

impl Requests {
    pub(super) fn add(&self, asked: Asked) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() >= ROOM {
            log.pop_front();
        }
        log.push_back(asked);
    }

    /// Everything, oldest first.
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Those of an API.
    pub fn of(&self, api: Api) -> Vec<Asked> {
        self.all().into_iter().filter(|a| a.api == Some(api)).collect()
    }

    /// How many there were of an API.
    pub fn count(&self, api: Api) -> usize {
        self.of(api).len()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
