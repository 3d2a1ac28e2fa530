//! truth placeholder
