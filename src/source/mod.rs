//! The only place that opens sockets, pools and child processes to the systems watched; all of it read-only.
//!
//! A source learns and hands over batches; it knows no store and no screen. Clocks are read here (a batch
//! says when it was seen) and in `runtime`, nowhere else.

pub mod clock;
pub mod logs;
pub mod note;
pub mod orders;
pub mod postgres;
pub mod replay;
pub mod runner;
