//! Reads a recording back.
