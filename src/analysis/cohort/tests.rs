//! Tests of `analysis::cohort`.
