//! How the recording is doing, as the Sources screen and the header show it.

use crate::model::Stamp;

/// How the recording is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecorderState {
    /// Folder, shortened for the screen; empty when nothing is recorded.
    pub folder: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Segments.
    pub segments: usize,
    /// Free bytes on that disk, when known.
    pub free: Option<u64>,
    /// Last flush.
    pub flushed: Option<Stamp>,
    /// Why it stopped, with the remedy; none while all is well.
    pub trouble: Option<String>,
    /// Damage found on opening, with its place.
    pub damage: Vec<String>,
}
