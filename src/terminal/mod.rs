//! The only place that touches the tty: the session, the writer thread, keys, capabilities, the clipboard.
//!
//! Gets finished cells and gives keys; knows nothing of incidents. May not know: the store, analysis, sources.

pub mod caps;
pub mod clipboard;
pub mod encode;
pub mod keys;
pub mod panic;
pub mod report;
pub mod screen;
pub mod session;
pub mod tmux;
pub mod tty;
pub mod writer;
