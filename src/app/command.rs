//! The one table of commands: keys, help, palette, footer, `warroom keys` and the README come from it.
