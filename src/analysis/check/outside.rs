//! Causes that no hypothesis of the note may name and that are named all the same: the table of their rules. A
//! note that has such a hypothesis of its own gets the same rules there.

use super::cause;
use super::numbers as n;
use super::rule::{Card, Rule, Topic, of_orders, rule, share};
use super::words::{lapse, percent};

/// The causes the rules know outside the five.
pub const OUTSIDE: [Card; 5] = [
    Card {
        topic: Topic::Orchestrator,
        cause: "orchestrator",
        name: "Orchestrator down",
        finds: "orchestrator | orkestrator | spof",
        prior: 0.0,
    },
    Card {
        topic: Topic::Vendor,
        cause: "vendor",
        name: "the payment gateway's vendor",
        finds: "vendor | gateway | acquirer",
        prior: 0.0,
    },
    Card {
        topic: Topic::Change,
        cause: "change",
        name: "a deployment or another change",
        finds: "deploy | rilis | release | change | perubahan",
        prior: 0.0,
    },
    Card {
        topic: Topic::Sequence,
        cause: "sequence",
        name: "a sequence ran out of numbers",
        finds: "sequence | secuencia",
        prior: 0.0,
    },
    Card {
        topic: Topic::Leak,
        cause: "leak",
        name: "memory or goroutines leak",
        finds: "leak | bocor | memory",
        prior: 0.0,
    },
];

fn slow_gateway() -> String {
    format!("≥ {:.0} × usual for ≥ {} min; not < {:.1} ×", n::VENDOR.0, n::LASTING, n::VENDOR.1)
}
fn lines_say() -> String {
    format!("≥ {}; not < {}", share(n::SHOWN), share(n::HARDLY_SHOWN))
}
fn half_hang() -> String {
    format!(
        "≥ {} of the stuck, {:.0} × as often as the others and ≥ {} of them",
        percent(100.0 * n::MOST_OF),
        n::TIMES,
        percent(100.0 * n::MOST_HANG)
    )
}

/// Their rules.
pub const OUTSIDE_RULES: &[Rule] = &[
    rule(
        Topic::Orchestrator,
        "a",
        "",
        "whether the Orchestrator was there",
        || format!("not up for ≥ {} min; not always up with {} measured", n::DOWN, percent(n::COVERED)),
        cause::up,
    )
    .weighs(3.0, 4.0),
    of_orders(Topic::Orchestrator, "x", "stuck orders placed while it was gone", half_hang, cause::born_while_down)
        .weighs(3.0, 2.0),
    of_orders(Topic::Orchestrator, "y", "stuck orders with a refused connection", lines_say, cause::refused)
        .weighs(2.0, 2.0),
    rule(Topic::Vendor, "a", "", "response time of the gateway", slow_gateway, cause::gateway_slow).weighs(3.0, 4.0),
    of_orders(
        Topic::Vendor,
        "x",
        "stuck orders that met the slow gateway",
        || format!("a call given up or refused by the breaker, no wait for a connection: ≥ {}", share(n::SHOWN)),
        cause::met_slow_gateway,
    )
    .weighs(3.0, 2.0),
    rule(
        Topic::Vendor,
        "y",
        "",
        "order of events",
        || format!("gateway ≤ stuck + {0} and ≤ breaker + {0}; not > stuck + {1}", lapse(n::SLACK), lapse(n::TOO_LATE)),
        cause::gateway_first,
    )
    .weighs(2.0, 0.0),
    rule(
        Topic::Change,
        "a",
        "",
        "orders that hang right after a change",
        || format!("a change ≤ {} before the first stuck order, without a crowd", lapse(n::AFTER_CHANGE)),
        cause::after_change,
    )
    .weighs(2.0, 4.0),
    of_orders(
        Topic::Change,
        "x",
        "orders placed after the change",
        || format!("hang ≥ {:.0} × as often as those before it, ≥ {} of them", n::TIMES, n::SHOWN.1),
        cause::hang_since_change,
    )
    .weighs(3.0, 0.0),
    of_orders(Topic::Change, "y", "stuck orders with a panic", lines_say, cause::panics).weighs(2.0, 1.0),
    rule(
        Topic::Sequence,
        "a",
        "",
        "a sequence at its end",
        || format!("≥ {} min with such lines; not none with {} covered", n::LASTING, percent(n::COVERED)),
        cause::sequence_ended,
    )
    .weighs(3.0, 4.0),
    of_orders(Topic::Sequence, "x", "stuck orders without a number", lines_say, cause::without_number).weighs(3.0, 2.0),
    rule(
        Topic::Leak,
        "a",
        "",
        "goroutines before anybody came",
        || format!("≥ {} × usual with the usual users; not < {} ×", n::GOROUTINES, n::LEAK_NONE),
        cause::leak,
    )
    .weighs(3.0, 4.0),
    rule(
        Topic::Leak,
        "b",
        "",
        "garbage collection",
        || {
            format!(
                "≥ {} of the processors for ≥ {} min, or lines of memory running short",
                percent(n::GC_CPU),
                n::LASTING
            )
        },
        cause::collector,
    )
    .weighs(3.0, 3.0),
    of_orders(
        Topic::Leak,
        "x",
        "stuck orders that waited for pods that collect",
        || format!("≥ {}, and the collector worked first", share(n::SHOWN)),
        cause::waited_for_leaking,
    )
    .weighs(3.0, 2.0),
];
