//! The scenarios that come with the program, in the order they are listed in.

/// What every other one is laid over; no scenario by itself.
pub const USUAL: &str = "usual";
/// The one that the demo plays when none is named.
pub const DEFAULT: &str = "pool";

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        const NAMES: &[&str] = &[$($name),*];
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../assets/scenarios/", $name, ".toml")))),*];
        const TRUTHS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../assets/scenarios/truth/", $name, ".toml")))),*];
    };
}

bundled!(
    "pool",
    "callback",
    "breaker",
    "timeout",
    "race",
    "calm",
    "orchestrator-down",
    "vendor-slow",
    "pool-and-callback",
    "bad-deployment",
    "sequence",
    "goroutine-leak",
    "idle-in-transaction",
    "segment",
    "lost-metrics",
    "sampled-logs",
    "lost-logs",
    "wrong-clock",
);

const BELOW: &str = include_str!("../../../assets/scenarios/usual.toml");

/// The names of all scenarios.
pub fn list() -> &'static [&'static str] {
    NAMES
}

/// The text of one.
pub(super) fn text(name: &str) -> Option<&'static str> {
    if name == USUAL {
        return Some(BELOW);
    }
    FILES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// The text of what is true of one.
pub(super) fn truth(name: &str) -> Option<&'static str> {
    TRUTHS.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// The nearest name, and all of them.
pub(super) fn nearest(name: &str) -> String {
    let near = NAMES.iter().map(|n| (strsim::jaro_winkler(n, name), n)).max_by(|a, b| a.0.total_cmp(&b.0));
    let near = near.filter(|(likeness, _)| *likeness > 0.8).map(|(_, n)| format!("did you mean {n}? "));
    format!("{}there are {}", near.unwrap_or_default(), NAMES.join(", "))
}
