//! What happened, on disk: append-only segments of batches, a reader that tolerates a torn end and names
//! any other damage, roll-ups that make a day open at once.

pub mod reader;
pub mod recorder;
