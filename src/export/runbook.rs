//! The runbook: what this incident measured, as a note to be filled in by the next one.
//!
//! May not know: files.
