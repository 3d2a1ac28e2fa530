//! The wall clock, read in one place.

use crate::model::Stamp;

/// Now, in UTC microseconds.
#[expect(clippy::disallowed_methods, reason = "the one place below runtime where a source says when it saw something")]
pub fn now() -> Stamp {
    Stamp(chrono::Utc::now().timestamp_micros())
}
