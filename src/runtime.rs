//! The loop: signals, keys, batches, answers and ticks in, effects out, a frame when something changed.
