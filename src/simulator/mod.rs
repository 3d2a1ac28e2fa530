//! A world that has an incident: the bundled demo, with no server behind it.
