//! Tests of `analysis::episode`.
