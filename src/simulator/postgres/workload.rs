//! The director: makes the sessions of a real server look like a scene, and goes on doing so.
//!
//! Owns who is connected. Each call compares what should be with what is, and tells sessions to come, to
//! change and to go; it waits for nothing. May not know: whose world the scene is from.

use super::duel::Duel;
use super::ground::Ground;
use super::plan::{Place, Post, fitted, places};
use super::pulse::{Pulse, Rates};
use super::seat::{House, Order, Phase, Seat};
use super::stage::Stage;
use crate::model::Lapse;
use crate::simulator::scene::Scene;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// How much of a server may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seats that stand for all of the scene's `max_connections`; a scene for more is made smaller.
    pub seats: u32,
    /// Sessions that connect at a time.
    pub doors: usize,
    /// Sessions that are sent for in one call.
    pub burst: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seats: u32::MAX, doors: 6, burst: 32 }
    }
}

/// What stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Sessions that the scene has.
    pub wanted: u32,
    /// Sessions at their posts.
    pub at_post: u32,
    /// Sessions coming, changing or going.
    pub moving: u32,
    /// How often the server has had no seat for us (53300).
    pub refusals: u64,
    /// Whether it has none now.
    pub full: bool,
    /// Deadlocks made.
    pub deadlocks: u64,
    /// What does not work: the server is away, or sessions are lost.
    pub trouble: Option<String>,
}

impl Standing {
    /// Whether everybody who can be is where they should be.
    pub const fn settled(&self) -> bool {
        self.trouble.is_none() && self.moving == 0 && (self.full || self.at_post >= self.wanted)
    }
}

/// Posts are taken for full that leave no more than what a server reserves by default.
const RESERVED: u32 = 3;
/// At a full server, somebody knocks every so many calls.
const KNOCK: u32 = 4;

/// The sessions of one system. Dropped, all of them are ended.
#[derive(Debug)]
pub struct Workload {
    house: Arc<House>,
    limits: Limits,
    seats: Vec<Seat>,
    /// Told to leave, and not gone yet.
    leaving: Vec<Seat>,
    pulse: Pulse,
    duel: Duel,
    /// How often the server had been reached when the sessions were opened.
    times: u64,
    calls: u32,
    /// The call in which the server last had no seat, and that in which a session was last lost.
    refused: Option<u32>,
    lost: Option<u32>,
    standing: Standing,
    /// For how long the root was open, and which of its turns this is.
    root: (Lapse, u32),
    /// Deadlocks of the last scene.
    deadlocks: u64,
}

impl Workload {
    /// Sessions for a system on claimed ground.
    pub fn new(ground: &Ground, system: &'static str, limits: Limits) -> Self {
        let options = ground.options(system);
        let pulse = Pulse::start(system, options.clone().application_name("warroom simulate"));
        let duel = Duel::start(system, ground.admin_options(system).application_name("warroom simulate"));
        let doors = Semaphore::new(limits.doors);
        Self {
            house: Arc::new(House { system, options, doors, stage: Stage::default() }),
            limits,
            seats: Vec::new(),
            leaving: Vec::new(),
            pulse,
            duel,
            times: 0,
            calls: 0,
            refused: None,
            lost: None,
            standing: Standing::default(),
            root: (Lapse::ZERO, 0),
            deadlocks: 0,
        }
    }

    /// Brings the server nearer to the scene. To be called several times a second.
    pub fn perform(&mut self, scene: &Scene) -> Standing {
        self.calls = self.calls.wrapping_add(1);
        let scene = fitted(scene, self.limits.seats);
        let contact = self.pulse.contact();
        if contact.times != self.times {
            // The server is another one than that which our sessions were with.
            self.times = contact.times;
            self.seats.clear();
            self.leaving.clear();
            (self.refused, self.lost) = (None, None);
        }
        let there = contact.trouble.is_none();
        self.standing.trouble = contact.trouble;
        self.count();
        let mut plan = places(&scene);
        self.standing.wanted = plan.len() as u32;
        if there {
            self.crowd(&scene, &mut plan);
            self.cast(&scene, plan);
            self.pace(&scene);
        }
        self.pulse.cancel(self.seats.iter().chain(&self.leaving).filter_map(Seat::stale).collect());
        let at = self.seats.iter().filter(|s| matches!(s.phase(), Phase::At(p) if s.post() == Some(p))).count();
        self.standing.at_post = at as u32;
        self.standing.moving = (self.seats.len() - at + self.leaving.len()) as u32;
        self.standing.deadlocks = self.duel.made();
        self.standing.clone()
    }

    /// Takes away those who are gone, and remembers why.
    fn count(&mut self) {
        self.leaving.retain(|s| !s.over());
        let (calls, standing) = (self.calls, &mut self.standing);
        let (refused, lost) = (&mut self.refused, &mut self.lost);
        self.seats.retain(|seat| {
            match seat.phase() {
                _ if !seat.over() => return true,
                Phase::Refused => {
                    standing.refusals += 1;
                    *refused = Some(calls);
                }
                Phase::Lost(why) => {
                    standing.trouble.get_or_insert_with(|| format!("a session was lost: {why}"));
                    *lost = Some(calls);
                }
                Phase::Moving | Phase::At(_) => {}
            }
            false
        });
        self.standing.full = self.lately(self.refused);
    }

    /// Whether something happened in one of the last calls.
    fn lately(&self, call: Option<u32>) -> bool {
        call.is_some_and(|call| self.calls.wrapping_sub(call) < 2 * KNOCK)
    }

    /// A scene that fills its server fills this one: the largest crew goes on coming until it is refused.
    fn crowd(&self, scene: &Scene, plan: &mut Vec<Place>) {
        if scene.sessions() + RESERVED < scene.max_connections {
            return;
        }
        let Some(crew) = scene.crews.iter().max_by_key(|c| c.sessions()) else { return };
        let more = if self.standing.full { 1 } else { 4 };
        let all = plan.len().max(self.seats.len() + more).min(plan.len() + self.limits.seats as usize);
        plan.resize(all, (crew.application.clone(), Post::Idle));
    }

    /// Gives every place to a session: first to who has it, then to who can change to it, then to new ones.
    fn cast(&mut self, scene: &Scene, plan: Vec<Place>) {
        let round = self.turn(scene);
        let mut have: HashMap<Place, Vec<usize>> = HashMap::new();
        for (i, seat) in self.seats.iter().enumerate() {
            if let Some(post) = seat.post() {
                have.entry((seat.application.clone(), post)).or_default().push(i);
            }
        }
        let mut missing = Vec::new();
        for place in plan {
            match have.get_mut(&place).and_then(Vec::pop) {
                Some(i) => self.seats[i].tell(Order::Hold(place.1, turn_of(place.1, round))),
                None => missing.push(place),
            }
        }
        let mut loose: HashMap<String, Vec<(bool, usize)>> = HashMap::new();
        for ((application, post), seats) in have {
            loose.entry(application).or_default().extend(seats.into_iter().map(|i| (post.waits(), i)));
        }
        // Those who do not wait can change at once: they come last, to be taken first.
        for seats in loose.values_mut() {
            seats.sort_unstable_by(|a, b| b.cmp(a));
        }
        let mut sent = 0;
        // Whoever is turned away does not storm the door.
        let burst = if self.standing.full || self.lately(self.lost) {
            usize::from(self.calls.is_multiple_of(KNOCK))
        } else {
            self.limits.burst
        };
        for (application, post) in missing {
            if let Some((_, i)) = loose.get_mut(&application).and_then(Vec::pop) {
                self.seats[i].tell(Order::Hold(post, turn_of(post, round)));
            } else if sent < burst {
                sent += 1;
                self.seats.push(Seat::open(&self.house, application, post, turn_of(post, round)));
            }
        }
        let mut free: Vec<usize> = loose.into_values().flatten().map(|(_, i)| i).collect();
        free.sort_unstable_by(|a, b| b.cmp(a));
        for i in free {
            let mut leaver = self.seats.swap_remove(i);
            leaver.tell(Order::Leave);
            self.leaving.push(leaver);
        }
    }

    /// A root that is open for less long than before is another transaction.
    fn turn(&mut self, scene: &Scene) -> u32 {
        let open_for = scene.root.as_ref().map_or(Lapse::ZERO, |r| r.open_for);
        if open_for < self.root.0 {
            self.root.1 = self.root.1.wrapping_add(1);
        }
        self.root.0 = open_for;
        self.root.1
    }

    /// The counters: what the sessions commit by themselves is part of the rate.
    fn pace(&mut self, scene: &Scene) {
        let busy: u32 = scene.crews.iter().map(|c| c.running).sum();
        let open: u32 = scene.crews.iter().map(|c| c.idle_in_transaction).sum();
        let commits = scene.commits - f64::from(busy) - f64::from(open) / 2.0;
        self.pulse.pace(Rates { commits: commits.max(0.0), rollbacks: scene.rollbacks.max(0.0) });
        self.duel.more(scene.deadlocks.saturating_sub(self.deadlocks));
        self.deadlocks = scene.deadlocks;
    }

    /// Ends all sessions, and waits for them, but not for long.
    pub async fn close(mut self) {
        self.leaving.append(&mut self.seats);
        self.leaving.iter_mut().for_each(|s| s.tell(Order::Leave));
        for _ in 0..100 {
            self.leaving.retain(|s| !s.over());
            if self.leaving.is_empty() {
                return;
            }
            self.pulse.cancel(self.leaving.iter().filter_map(Seat::stale).collect());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Only the root's transaction is another one in another turn.
const fn turn_of(post: Post, turn: u32) -> u32 {
    match post {
        Post::RootIdle | Post::RootRunning => turn,
        _ => 0,
    }
}
