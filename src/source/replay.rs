//! A recording as a source: its batches again, at an adjustable pace.
