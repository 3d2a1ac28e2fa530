//! The only place that touches the terminal: session, keys, signals, writer, capabilities, clipboard.
