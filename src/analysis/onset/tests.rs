//! Tests of `analysis::onset`.
