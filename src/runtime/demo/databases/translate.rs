//! What the sources learned of real servers, in the evening's time.
//!
//! Stamps are carried over one by one. Counters went up in our own time: in the evening's, the same pace goes on for
//! longer, so what was added between two looks is stretched by as much, except for what the scene counted out
//! itself. Durations that the servers measured inside a statement stay what they are.

use super::bridge::Bridge;
use crate::model::database::{Counters, DbSample, Statement};
use crate::model::health::{Cost, Health};
use crate::model::order::{Asked, Ledger, Role};
use crate::model::{Batch, Fact, Lapse, SourceName, Span, Stamp};
use crate::simulator::scenario::Scenario;
use crate::simulator::stage;
use crate::simulator::wired::BEFORE;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Carries batches over.
#[derive(Debug)]
pub struct Translator {
    bridge: Arc<Bridge>,
    systems: BTreeMap<SourceName, System>,
    /// By source: the number of its last batch, and where the play head was.
    handed: BTreeMap<SourceName, (u64, Stamp)>,
    /// By role: up to when its rows are known.
    told: BTreeMap<Role, Stamp>,
}

/// What is known of one of the servers.
#[derive(Debug, Default)]
struct System {
    /// How far its clock is ahead in the story.
    ahead: Lapse,
    /// When it was last looked at, in the evening.
    looked: Option<Stamp>,
    meter: Meter<Counters>,
    statements: Meter<HashMap<i64, Statement>>,
}

/// Something that counts up: what it showed when, and what that was in the evening.
#[derive(Debug)]
struct Meter<T> {
    last: Option<(Stamp, Stamp, T, T)>,
}

impl<T> Default for Meter<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T: Clone> Meter<T> {
    /// What a reading is in the evening.
    fn read(&mut self, (ours, world): (Stamp, Stamp), read: T, add: impl Fn(&T, &T, &T, f64) -> T) -> T {
        let shown = match &self.last {
            None => read.clone(),
            Some((ours_before, world_before, before, shown)) => {
                let passed = ours.since(*ours_before).as_secs_f64();
                let pace = if passed > 0.0 { world.since(*world_before).as_secs_f64() / passed } else { 0.0 };
                add(shown, before, &read, pace)
            }
        };
        self.last = Some((ours, world, read, shown.clone()));
        shown
    }
}

impl Translator {
    /// Over this bridge, for servers of this scenario.
    pub fn new(bridge: Arc<Bridge>, scenario: &Scenario) -> Self {
        let system = |name: &&'static str| {
            let service = if *name == "orch" { "orchestrator" } else { name };
            ((*name).into(), System { ahead: Lapse::millis(scenario.ahead(service)), ..System::default() })
        };
        let handed = stage::DATABASES.iter().map(|name| ((*name).into(), (BEFORE, Stamp(i64::MIN)))).collect();
        Self { bridge, systems: stage::DATABASES.iter().map(system).collect(), handed, told: BTreeMap::new() }
    }

    /// Carries a batch over. In a pause of the evening, nothing is left of one without news.
    pub fn carry(&mut self, batch: &mut Batch) {
        let bridge = Arc::clone(&self.bridge);
        let head = bridge.note();
        batch.seen = bridge.world(batch.seen);
        let (last, before) = self.handed.get(&batch.source).copied().unwrap_or((0, Stamp(i64::MIN)));
        let paused = head <= before;
        let mut system = self.systems.get_mut(&batch.source);
        batch.facts.retain_mut(|fact| {
            match fact {
                Fact::Health(health) => self::health(&bridge, health),
                Fact::Cost(_) if paused => return false,
                Fact::Cost(cost) => self::cost(&bridge, cost, system.as_deref().map_or(Lapse::ZERO, |s| s.ahead)),
                Fact::Ledger(ledger) => {
                    self::ledger(&bridge, ledger);
                    let told = self.told.insert(ledger.rows.role(), ledger.asof);
                    return !(paused && ledger.rows.is_empty() && Some(ledger.asof) <= told);
                }
                Fact::Database(sample) => {
                    if let Some(system) = system.as_deref_mut() {
                        return system.look(&bridge, sample);
                    }
                }
                _ => {}
            }
            true
        });
        if !batch.facts.is_empty() {
            batch.seq = last + 1;
            self.handed.insert(batch.source.clone(), (batch.seq, head));
        }
    }
}

fn health(bridge: &Bridge, health: &mut Health) {
    health.at = bridge.world(health.at);
    health.next = health.next.map(|next| bridge.world(next));
}

fn cost(bridge: &Bridge, cost: &mut Cost, ahead: Lapse) {
    cost.at = bridge.world(cost.at);
    cost.interval = bridge.passed(cost.interval).max(Lapse::seconds(1));
    cost.skew = cost.skew.map(|skew| skew + ahead);
}

/// Tables know the evening as far as it was loaded when they were asked.
fn ledger(bridge: &Bridge, ledger: &mut Ledger) {
    ledger.asof = bridge.known(ledger.asof);
    if let Asked::Window(window) = &mut ledger.asked {
        let to = window.to.min(ledger.asof);
        *window = Span { from: window.from.min(to), to };
    }
}

impl System {
    /// Whether the look is one more: in a pause the evening stands still, and one look at it is enough.
    fn look(&mut self, bridge: &Bridge, sample: &mut DbSample) -> bool {
        let ours = sample.at;
        let world = bridge.world(ours);
        if self.looked.is_some_and(|before| world <= before) {
            return false;
        }
        self.looked = Some(world);
        sample.at = world;
        let carry = |at: &mut Option<Stamp>| *at = at.map(|at| bridge.world(at));
        sample.applications.iter_mut().for_each(|a| carry(&mut a.since));
        for s in &mut sample.sessions {
            let stamps = [&mut s.connected, &mut s.in_transaction, &mut s.in_query, &mut s.in_state, &mut s.waiting];
            stamps.into_iter().for_each(carry);
        }
        sample.counters = sample.counters.take().map(|counters| {
            let reset = Some(counters.reset.map_or_else(|| bridge.world(Stamp(0)), |at| bridge.world(at)));
            Counters { reset, ..self.meter.read((ours, world), counters, count) }
        });
        sample.statements = sample.statements.take().map(|read| {
            let order: Vec<i64> = read.iter().map(|s| s.id).collect();
            let read: HashMap<i64, Statement> = read.into_iter().map(|s| (s.id, s)).collect();
            let mut shown = self.statements.read((ours, world), read, call);
            order.iter().filter_map(|id| shown.remove(id)).collect()
        });
        true
    }
}

/// What was added since, stretched; a counter that began anew has added what it shows.
fn more(shown: i64, before: i64, read: i64, pace: f64) -> i64 {
    let added = if read >= before { read - before } else { read };
    shown + (added as f64 * pace).round() as i64
}

fn count(shown: &Counters, before: &Counters, read: &Counters, pace: f64) -> Counters {
    let of = |field: fn(&Counters) -> i64, pace: f64| more(field(shown), field(before), field(read), pace);
    Counters {
        commits: of(|c| c.commits, pace),
        rollbacks: of(|c| c.rollbacks, pace),
        // As many as the evening had, whatever its pace.
        deadlocks: of(|c| c.deadlocks, 1.0),
        temp_bytes: of(|c| c.temp_bytes, pace),
        blocks_read: of(|c| c.blocks_read, pace),
        blocks_hit: of(|c| c.blocks_hit, pace),
        reset: read.reset,
    }
}

type Statements = HashMap<i64, Statement>;

fn call(shown: &Statements, before: &Statements, read: &Statements, pace: f64) -> Statements {
    let one = |s: &Statement| match (shown.get(&s.id), before.get(&s.id)) {
        (Some(shown), Some(before)) => {
            let ms = if s.total_ms >= before.total_ms { s.total_ms - before.total_ms } else { s.total_ms };
            Statement {
                calls: more(shown.calls, before.calls, s.calls, pace),
                rows: more(shown.rows, before.rows, s.rows, pace),
                total_ms: ms.mul_add(pace, shown.total_ms),
                ..s.clone()
            }
        }
        _ => s.clone(),
    };
    read.values().map(|s| (s.id, one(s))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::cloud::Watch;
    use crate::simulator::{START, scenario};
    use crate::source::clock;

    #[test]
    fn counters_are_stretched_by_the_pace_and_what_the_story_counts_is_not() {
        let read = |commits, deadlocks| Counters { commits, deadlocks, ..Counters::default() };
        let mut meter = Meter::default();
        let at = |real: i64, world: i64| (Stamp::from_secs(real), Stamp::from_secs(world));
        assert_eq!(meter.read(at(10, 600), read(1_000, 1), count), read(1_000, 1));
        assert_eq!(meter.read(at(11, 660), read(1_400, 3), count), read(1_000 + 400 * 60, 3));
        assert_eq!(meter.read(at(91, 660), read(9_999, 3), count).commits, 25_000, "a pause adds nothing");
        assert_eq!(meter.read(at(92, 670), read(50, 0), count).commits, 25_500, "it began anew");
    }

    #[test]
    fn what_is_carried_over_lies_in_the_evening_and_a_pause_is_one_look() {
        let head = Watch::at(START);
        let bridge = Arc::new(Bridge::new(head.clone()));
        let mut translator = Translator::new(bridge, &scenario::named("pool").unwrap());
        let now = clock::now();
        let look = || {
            let sample = DbSample { at: clock::now(), counters: Some(Counters::default()), ..DbSample::default() };
            let cost = Cost { at: now, interval: Lapse::millis(250), ..Cost::default() };
            let facts = vec![Fact::Database(Box::new(sample)), Fact::Cost(cost)];
            Batch { source: "mrg".into(), seq: 1, seen: clock::now(), facts }
        };
        let mut first = look();
        translator.carry(&mut first);
        assert_eq!((first.seen, first.seq, first.facts.len()), (START, 1 + BEFORE, 2));
        let Fact::Database(sample) = &first.facts[0] else { panic!("it is a look") };
        assert_eq!((sample.at, sample.counters.as_ref().unwrap().reset), (START, Some(START)));
        let mut again = look();
        translator.carry(&mut again);
        assert!(again.facts.is_empty(), "the evening has not gone on");
        head.set(START + Lapse::seconds(5));
        let mut on = look();
        translator.carry(&mut on);
        assert_eq!((on.seq, on.facts.len()), (2 + BEFORE, 2), "numbered on");
    }
}
