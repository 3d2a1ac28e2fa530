//! Appends batches to a folder of segments.
