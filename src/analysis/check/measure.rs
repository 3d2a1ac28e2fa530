//! What can be measured: a name for each, as rules write it, and the function that does it.

use super::answer::Answer;
use super::scene::Scene;
use super::{area, breaker, callback, cause, phase, pool, race, timeout};

/// How a measure comes to its answer.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// From what is known.
    Scene(fn(&Scene<'_>) -> Answer),
    /// From a rule's own levels.
    Own(Own),
    /// From what the other rules said.
    Sum(Sum),
}

/// Measures that a rule points at something by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// A series against two levels.
    Series,
    /// Lines a minute that have words.
    Lines,
    /// Percent of the stuck orders with lines whose lines have words.
    OrdersWithLines,
}

/// Measures of the other rules' answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Whether every check of every hypothesis has data.
    EveryCheck,
    /// What is named.
    NamedCause,
    /// What else has a supporting check.
    Contributing,
}

/// Every measure by its name.
pub const MEASURES: &[(&str, Run)] = &[
    ("pool_in_use", Run::Scene(pool::in_use)),
    ("pool_limits", Run::Scene(pool::limits)),
    ("pool_wait", Run::Scene(pool::wait)),
    ("pool_in_lines", Run::Scene(pool::shown)),
    ("pool_before_stuck", Run::Scene(pool::order_of_events)),
    ("callback_queue", Run::Scene(callback::queue)),
    ("callbacks_accepted", Run::Scene(callback::available)),
    ("callbacks_failed", Run::Scene(callback::error_rate)),
    ("callback_tried", Run::Scene(callback::class_split)),
    ("charged_not_at_ho", Run::Scene(callback::unrecorded)),
    ("breaker_open", Run::Scene(breaker::open)),
    ("breaker_threshold", Run::Scene(breaker::threshold)),
    ("callee_before_breaker", Run::Scene(breaker::dependency)),
    ("breaker_in_lines", Run::Scene(breaker::shown)),
    ("breaker_before_stuck", Run::Scene(breaker::before_stuck)),
    ("timeouts_configured", Run::Scene(timeout::configured)),
    ("response_against_timeout", Run::Scene(timeout::response)),
    ("deadline_in_lines", Run::Scene(timeout::shown)),
    ("timed_out_and_paid", Run::Scene(timeout::went_on)),
    ("slower_than_load", Run::Scene(timeout::sick)),
    ("illegal_transitions", Run::Scene(race::transitions)),
    ("deadlocks", Run::Scene(race::locking)),
    ("two_on_one_version", Run::Scene(race::conflicts)),
    ("stuck_but_recorded", Run::Scene(race::recorded)),
    ("metrics_collected", Run::Scene(phase::metrics)),
    ("logs_collected", Run::Scene(phase::logs)),
    ("stuck_orders", Run::Scene(phase::stuck_list)),
    ("payments_asked", Run::Scene(phase::payments)),
    ("ho_records", Run::Scene(phase::ho_records)),
    ("error_patterns", Run::Scene(phase::patterns)),
    ("orders_joined", Run::Scene(phase::join)),
    ("stuck_share", Run::Scene(phase::shared)),
    ("onsets", Run::Scene(phase::timeline)),
    ("impact", Run::Scene(phase::impact)),
    ("worksheet", Run::Scene(phase::worksheet)),
    ("upg_ho_gap", Run::Scene(phase::gap)),
    ("limits_at_plan", Run::Scene(phase::capacity)),
    ("pool_proposal", Run::Scene(phase::proposal)),
    ("goroutines_stay", Run::Scene(area::goroutines)),
    ("gc_pause", Run::Scene(area::gc)),
    ("network_lines", Run::Scene(area::network)),
    ("gateway_lines", Run::Scene(area::gateway)),
    ("two_payments_at_once", Run::Scene(race::double_payments)),
    ("write_waits", Run::Scene(area::writes)),
    ("callback_attempts", Run::Scene(area::retries)),
    ("refused_lines", Run::Scene(area::refused)),
    ("saga_steps", Run::Scene(area::steps)),
    ("saga_compensation", Run::Scene(area::compensation)),
    ("duplicate_keys", Run::Scene(area::duplicates)),
    ("connections_used", Run::Scene(area::connections)),
    ("slow_statements", Run::Scene(area::slow_statements)),
    ("lock_waits", Run::Scene(area::locks)),
    ("rollbacks", Run::Scene(area::rollbacks)),
    ("db_cpu", Run::Scene(area::power)),
    ("deadline_lines", Run::Scene(area::hop)),
    ("paid_and_stuck", Run::Scene(phase::paid_and_stuck)),
    ("unpaid_and_stuck", Run::Scene(phase::unpaid_and_stuck)),
    ("words", Run::Scene(phase::words)),
    ("error_lines", Run::Scene(phase::error_rate)),
    ("errors_of_stuck", Run::Scene(phase::errors_of_orders)),
    ("stack_traces", Run::Scene(phase::stacks)),
    ("orchestrator_up", Run::Scene(cause::up)),
    ("stuck_while_down", Run::Scene(cause::born_while_down)),
    ("refused_in_lines", Run::Scene(cause::refused)),
    ("gateway_slow", Run::Scene(cause::gateway_slow)),
    ("slow_gateway_in_lines", Run::Scene(cause::met_slow_gateway)),
    ("gateway_before_stuck", Run::Scene(cause::gateway_first)),
    ("stuck_after_change", Run::Scene(cause::after_change)),
    ("stuck_since_change", Run::Scene(cause::hang_since_change)),
    ("panic_in_lines", Run::Scene(cause::panics)),
    ("sequence_lines", Run::Scene(cause::sequence_ended)),
    ("sequence_in_lines", Run::Scene(cause::without_number)),
    ("goroutines_before", Run::Scene(cause::leak)),
    ("gc_cpu", Run::Scene(cause::collector)),
    ("pool_in_lines_after_gc", Run::Scene(cause::waited_for_leaking)),
    ("series", Run::Own(Own::Series)),
    ("lines", Run::Own(Own::Lines)),
    ("orders_with_lines", Run::Own(Own::OrdersWithLines)),
    ("every_check", Run::Sum(Sum::EveryCheck)),
    ("named_cause", Run::Sum(Sum::NamedCause)),
    ("contributing_causes", Run::Sum(Sum::Contributing)),
];

/// A measure with the name it stands under.
pub fn measure(name: &str) -> Option<(&'static str, Run)> {
    MEASURES.iter().find(|(n, _)| *n == name).copied()
}
