//! Tests of `analysis::suspect`.
