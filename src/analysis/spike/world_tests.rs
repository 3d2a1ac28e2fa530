//! What broke first in every scenario, and when, against what is true of it.

use super::*;
use crate::model::Zone;
use crate::simulator::day::Day;
use crate::simulator::platform::{ms, stamp};
use crate::simulator::scenario::{self, truth};
use crate::simulator::signals::{MINUTE, minute};
use crate::simulator::{self, END, START};
use std::sync::Arc;

/// What truth calls a beginning, and the series on which the same can be seen: a limit that the lane has too, or
/// a step. UPG's latency is not among them: truth calls half as much again slow, and it creeps there from the
/// fifth as much again that rules call a departure, which is minutes earlier.
const SEEN_ON: [(&str, &str); 6] = [
    ("pool", "metrics.pool_in_use"),
    ("pool_wait", "metrics.pool_wait"),
    ("errors", "metrics.errors"),
    ("callbacks", "metrics.callback_ok"),
    ("vendor", "metrics.gateway_p95"),
    ("orchestrator", "metrics.orchestrator_up"),
];

#[derive(Default)]
struct Score {
    heads: [usize; 2],
    onsets: [usize; 2],
    wrong: Vec<String>,
}

impl Score {
    /// Plays a scenario's evening to its end and compares.
    fn play(&mut self, name: &str, seed: u64) {
        let day = Arc::new(Day::evening(scenario::named(name).unwrap(), seed).sharded(simulator::SHARD));
        let mut store = Store::default();
        simulator::play(Arc::clone(&day)).for_each(|batch| store.apply(&batch));
        let list = broke_first(&store, END);
        self.head(name, seed, &list);
        self.spike(&day, &spike(&store, END).unwrap());
        for (what, is) in truth::onsets(&day) {
            let series = SEEN_ON.iter().find(|(sign, _)| *sign == what).map(|(_, series)| *series);
            let Some(series) = series.filter(|_| measured(&day, is)) else { continue };
            let broke = list.iter().find(|o| &*o.series == series).and_then(|o| o.broke);
            self.onset(&day, what, is, broke);
        }
    }

    fn head(&mut self, name: &str, seed: u64, list: &[Onset]) {
        let declared = truth::declared(name).unwrap().first;
        let head = hung(list).into_iter().find(|o| !o.trigger && o.broke.is_some());
        let is_one =
            |o: &Onset| o.series.split_once('.').is_some_and(|(_, measure)| declared.iter().any(|d| d == measure));
        let right = head.as_ref().map_or(declared.is_empty(), |o| o.first_fault && is_one(o));
        self.heads[1] += 1;
        self.heads[0] += usize::from(right);
        if !right {
            let said: Vec<String> = list.iter().map(|o| format!("{} {}", Zone::wib().hm(o.at), o.name)).collect();
            self.wrong.push(format!("{name} {seed}: of {declared:?} one breaks first, not in {}", said.join(", ")));
        }
    }

    fn onset(&mut self, day: &Day, what: &str, is: Stamp, seen: Option<Stamp>) {
        let right = seen.is_some_and(|seen| seen.since(is).abs() <= Lapse::minutes(1));
        self.onsets[1] += 1;
        self.onsets[0] += usize::from(right);
        if !right {
            let hm = |at| Zone::wib().hm(at);
            let seen = seen.map_or_else(|| "nothing".to_owned(), hm);
            self.wrong.push(format!("{} {}: {what} began {}, seen {seen}", day.scenario.name, day.seed, hm(is)));
        }
    }

    /// The spike's level is reached when it was, and its peak is the largest minute that was measured.
    fn spike(&mut self, day: &Day, found: &Spike) {
        self.onset(day, "users", truth::onsets(day)["users"], found.reached);
        let minutes = (ms(START)..ms(END)).step_by(MINUTE as usize).filter(|at| measured(day, stamp(*at)));
        let users = minutes.map(|at| (at, f64::from(minute(day, at, false).unwrap().bucket.users).round()));
        let (at, users) = users.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i))).unwrap();
        assert_eq!(found.peak, (stamp(at), users), "{}", day.scenario.name);
    }

    /// Most of it is right; what is not is told.
    fn judge(&self) {
        let said = self.wrong.join("\n");
        for (what, [right, all]) in [("heads", self.heads), ("onsets", self.onsets)] {
            assert!(all > 0 && right * 100 >= all * 95, "{right} of {all} {what} are right:\n{said}");
        }
    }
}

/// Whether the metrics of a minute arrived.
fn measured(day: &Day, at: Stamp) -> bool {
    day.scenario.observed.metrics_lost.is_none_or(|lost| !lost.contains(at))
}

#[test]
fn what_broke_first_heads_the_list_and_is_dated_to_the_minute_in_every_scenario() {
    let mut score = Score::default();
    for name in scenario::list() {
        score.play(name, 1);
    }
    // The demo's own world, where a breaker opens for minutes at a time.
    score.play("breaker", 77_000);
    assert_eq!(score.heads[1], 19);
    score.judge();
}

#[test]
#[ignore = "takes ten minutes: the same for days that no test has seen"]
fn and_on_other_days() {
    let mut score = Score::default();
    for seed in 11..15 {
        for name in scenario::list() {
            score.play(name, seed);
        }
    }
    score.judge();
}
