//! Pure functions over the store: what a lane looks like, when a spike began, who blocks whom, which class
//! an order is in, what the checks of the note say. Same store, same instant, same answer.
//!
//! `episode`, `onset`, `suspect` and `cohort` know no store: they take numbers and give numbers, so that
//! they can be measured on data that is not ours.
//!
//! May not know: clocks, files, screens, keys. Every function takes the instant it is asked for.

pub mod blocking;
pub mod check;
pub mod clocks;
pub mod cohort;
pub mod database;
pub mod episode;
pub mod fetched;
pub mod gap;
pub mod lane;
pub mod limit;
pub mod onset;
pub mod pattern;
pub mod reconcile;
pub mod report;
pub mod spike;
pub mod stack;
pub mod suspect;
pub mod trail;
mod words;
