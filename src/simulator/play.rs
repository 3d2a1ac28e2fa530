//! What a real server is told to show: any world that can say what its sessions do and which rows it wrote.
//!
//! Owns that interface, and the bundled evening behind it. May not know: servers.

use super::scene::{Crew, Root, Scene};
use crate::model::database::DbSample;
use crate::model::order::Rows;
use crate::model::{Fact, Lapse, Span, Stamp};
use std::collections::{BTreeMap, VecDeque};

/// A world, as its databases show it.
pub trait Play: Send {
    /// From when to when it goes.
    fn span(&self) -> Span;
    /// What the sessions of a system's database do at an instant.
    fn scene(&self, database: &str, at: Stamp) -> Scene;
    /// Rows that were written since the last call, up to and including an instant, in their order.
    fn rows(&mut self, until: Stamp) -> Vec<Rows>;
}

/// The bundled evening. Making it takes a moment.
pub fn evening(seed: u64) -> impl Play {
    let mut scenes: BTreeMap<String, Vec<(Stamp, Scene)>> = BTreeMap::new();
    let mut rows = VecDeque::new();
    let mut before: BTreeMap<String, DbSample> = BTreeMap::new();
    for batch in super::demo(seed).filter(|b| b.seen > super::START) {
        for fact in batch.facts {
            match fact {
                Fact::Ledger(ledger) => rows.push_back((batch.seen, ledger.rows)),
                Fact::Database(sample) => {
                    let name = batch.source.to_string();
                    let scene = scene(&sample, before.get(&name));
                    scenes.entry(name.clone()).or_default().push((sample.at, scene));
                    before.insert(name, *sample);
                }
                _ => {}
            }
        }
    }
    Evening { scenes, rows }
}

struct Evening {
    scenes: BTreeMap<String, Vec<(Stamp, Scene)>>,
    rows: VecDeque<(Stamp, Rows)>,
}

impl Play for Evening {
    fn span(&self) -> Span {
        Span::new(super::START, super::END)
    }
    fn scene(&self, database: &str, at: Stamp) -> Scene {
        let scenes = self.scenes.get(database).map(Vec::as_slice).unwrap_or_default();
        let after = scenes.partition_point(|(t, _)| *t <= at);
        scenes.get(after.saturating_sub(1)).map(|(_, scene)| scene.clone()).unwrap_or_default()
    }
    fn rows(&mut self, until: Stamp) -> Vec<Rows> {
        let n = self.rows.partition_point(|(t, _)| *t <= until);
        self.rows.drain(..n).map(|(_, rows)| rows).collect()
    }
}

/// A generated look, read backwards.
fn scene(sample: &DbSample, before: Option<&DbSample>) -> Scene {
    let mut crews: Vec<Crew> = Vec::new();
    for a in sample.applications.iter().filter(|a| a.name.raw() != "warroom") {
        let i = crews.iter().position(|c| c.application == a.name.raw()).unwrap_or_else(|| {
            crews.push(Crew { application: a.name.raw().to_owned(), ..Crew::default() });
            crews.len() - 1
        });
        let of = match a.state.as_str() {
            "active" => &mut crews[i].running,
            "idle" => &mut crews[i].idle,
            _ => &mut crews[i].idle_in_transaction,
        };
        *of += a.sessions;
    }
    // The look counts those who wait as active.
    let waiting = sample.states.lock_waiting;
    if let Some(crew) = crews.iter_mut().max_by_key(|c| c.running) {
        crew.waiting = waiting.min(crew.running);
        crew.running -= crew.waiting;
    }
    let advisory = waiting / 6;
    let chain = 4.min(waiting - advisory);
    let head = sample.sessions.iter().find(|s| s.state.starts_with("idle in") && s.blocked_by.is_empty());
    let rates = before.map_or((0.0, 0.0), |b| rates(b, sample));
    Scene {
        max_connections: sample.max_connections,
        crews,
        root: head.map(|s| Root {
            application: s.application.raw().to_owned(),
            idle: true,
            open_for: s.in_transaction.map_or(Lapse::ZERO, |t| sample.at.since(t)),
        }),
        chain,
        fan: waiting - advisory - chain,
        advisory,
        deadlocks: sample.counters.as_ref().map_or(0, |c| c.deadlocks.max(0) as u64),
        commits: rates.0,
        rollbacks: rates.1,
    }
}

fn rates(before: &DbSample, now: &DbSample) -> (f64, f64) {
    let seconds = now.at.since(before.at).as_secs_f64().max(1.0);
    match (&before.counters, &now.counters) {
        (Some(a), Some(b)) => ((b.commits - a.commits) as f64 / seconds, (b.rollbacks - a.rollbacks) as f64 / seconds),
        _ => (0.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::story::clock;

    #[test]
    fn the_evening_has_a_full_database_with_a_tree_in_it_and_rows_that_grow() {
        let mut evening = evening(1);
        let calm = evening.scene("mrg", clock(19, 0, 0));
        let bad = evening.scene("mrg", clock(19, 40, 0));
        assert!(calm.root.is_none() && calm.waiting() == 0 && calm.sessions() > 50, "{calm:?}");
        let root = bad.root.as_ref().unwrap();
        assert_eq!((root.application.as_str(), root.idle), ("orchestrator", true));
        assert!(root.open_for > Lapse::minutes(9));
        assert!(bad.sessions() > 190 && bad.chain == 4 && bad.fan > 4 && bad.advisory > 1, "{bad:?}");
        assert_eq!(bad.waiting(), bad.chain + bad.fan + bad.advisory);
        assert!((300.0..700.0).contains(&calm.commits), "{}", calm.commits);
        let count =
            |rows: Vec<Rows>| rows.iter().map(|r| if let Rows::Orders(o) = r { o.len() } else { 0 }).sum::<usize>();
        let (early, late) = (count(evening.rows(clock(19, 0, 0))), count(evening.rows(clock(21, 30, 0))));
        assert!(early > 1_000 && late > 20_000, "{early}, {late}");
        assert_eq!(count(evening.rows(clock(21, 30, 0))), 0);
    }
}
