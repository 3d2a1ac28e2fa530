//! Log files: followed across rotation and truncation, merged by their own time.
