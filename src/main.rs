//! Thin start: arguments in, exit code out.

fn main() {}
