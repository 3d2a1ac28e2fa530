//! A small honest part of PromQL over the world's series: selectors with matchers, ranges and offsets;
//! `rate increase irate delta`, `…_over_time`, `histogram_quantile`; `sum avg max min count` by or without
//! labels; arithmetic and comparisons between numbers and vectors, and between vectors of equal labels.
//! Everything else is refused as data that is bad, never answered wrongly.

mod eval;
mod lex;
mod parse;

pub use eval::{Labels, Value, evaluate, select, visible};
pub use lex::duration;
pub use parse::{Expr, parse, parse_selector};
