//! The platform, minute by minute and order by order: users bring requests and orders; MRG's pool, the rows of
//! the stock, the Orchestrator's saga, its breaker, UPG with its vendor, the callbacks and Head Office do by
//! their own mechanics what they are set to. Nothing is painted: a symptom is there because something queued,
//! ran out of time or was refused, and retries feed back on whatever they are tried at.
//!
//! Owns the causes. May not know: sources, tables, wires, the screen, or which scenario is meant to show what.
//! Time is whole milliseconds since midnight WIB; the same scenario and seed give the same day, bit for bit.

pub mod agenda;
mod breaker;
mod crowd;
mod dice;
pub mod life;
pub mod meter;
mod office;
mod pay;
mod pool;
mod rows;
mod saga;
mod station;

use super::scenario::{Scenario, Settings, settings};
use super::story::clock;
use agenda::{Agenda, Event, Ms, OrderNo};
use breaker::Breaker;
use crowd::Crowd;
use dice::Dice;
use life::{Booked, Failed, Life, Line, METHODS, Moved, NO_PAYMENT, Payment, REGIONS, SERVICES, Says, Step, Told, Why};
use meter::Meter;
use pool::{LONG_TICK, Pool, TICK, Verdict, Wanted};
use rows::Rows;
use station::Station;

/// No order is placed from here on.
pub const MIDNIGHT: Ms = 24 * 3_600_000;
/// So long after it was placed an order has met its fate.
pub const DRAIN: Ms = 40 * 60_000;
/// The first order's number is one more.
pub const FIRST_NUMBER: u32 = 5_118_000;

/// Goroutines of a pod that serves nobody.
const IDLE_GOROUTINES: f64 = 180.0;
/// Memory of a pod that has leaked nothing, in MiB.
const IDLE_HEAP: f64 = 160.0;

/// Everything that happened on a day.
#[derive(Debug, Default)]
pub struct History {
    /// Orders as they were placed; those refused have no row anywhere.
    pub lives: Vec<Life>,
    /// Payments.
    pub payments: Vec<Payment>,
    /// Attempts to tell Head Office, as they were sent.
    pub told: Vec<Told>,
    /// Head Office's records, as they were written.
    pub booked: Vec<Booked>,
    /// Changes of status.
    pub moved: Vec<Moved>,
    /// Failed steps.
    pub failed: Vec<Failed>,
    /// Log lines, in order of time.
    pub lines: Vec<Line>,
    /// What can be measured.
    pub meter: Meter,
}

/// Lives a day or part of it: what leaks is taken to have leaked since midnight at the usual pace. Orders are placed
/// until `until`; then their fates are waited for.
pub fn live_from(scenario: &Scenario, seed: u64, from: Ms, until: Ms) -> History {
    let mut platform = Platform::new(scenario, seed, from, until);
    platform.run(from, until + DRAIN);
    let mut history = platform.out;
    history.lines.sort_by_key(|l| l.at);
    history.told.sort_by_key(|t| t.sent);
    history.booked.sort_by_key(|b| b.at);
    history
}

/// Who is worked on at UPG.
#[derive(Clone, Copy, Debug)]
enum Job {
    /// A call of the Orchestrator.
    Pay { order: OrderNo, call: u8 },
    /// A question of the poller.
    Ask { order: OrderNo },
}

/// A callback at Head Office.
#[derive(Clone, Copy, Debug)]
struct Asked {
    payment: agenda::PaymentNo,
    attempt: u8,
}

struct Platform<'s> {
    scenario: &'s Scenario,
    set: Settings,
    crowd: Crowd,
    dice: Dice,
    agenda: Agenda,
    now: Ms,
    /// No order is placed any more.
    until: Ms,
    pool: Pool,
    rows: Rows,
    breaker: Breaker,
    upg: Station<Job>,
    ho: Station<Asked>,
    /// Memory that leaked, per pod, in KiB.
    leaked: Vec<f64>,
    /// How much slower a pod is for collecting garbage.
    garbage: Vec<f64>,
    /// How much slower statements are for being many.
    crowded: f64,
    /// A slow wave on top of the users, so that no minute is like the next.
    wave: f64,
    number: u32,
    ids_used: u64,
    pending: i64,
    verdicts: Vec<Verdict>,
    out: History,
}

impl<'s> Platform<'s> {
    fn new(scenario: &'s Scenario, seed: u64, from: Ms, until: Ms) -> Self {
        let set = scenario.at(stamp(from)).clone();
        let crowd = Crowd::new(scenario, scenario.first());
        let pods = set.mrg.pods as usize;
        let placed = placed_by(&crowd, &set, from);
        Self {
            pool: Pool::new(f64::from(set.mrg.pods * set.mrg.pool)),
            rows: Rows::new(set.stock.rows),
            breaker: Breaker::default(),
            upg: Station::new(set.upg.workers),
            ho: Station::new(set.ho.workers),
            leaked: vec![set.leak.order_kib * placed / pods as f64; pods],
            garbage: vec![1.0; pods],
            crowded: 1.0,
            wave: 0.0,
            number: FIRST_NUMBER + placed as u32,
            ids_used: placed as u64,
            pending: 0,
            verdicts: Vec::new(),
            out: History::default(),
            dice: Dice::new(seed),
            agenda: Agenda::default(),
            now: from,
            until,
            scenario,
            set,
            crowd,
        }
    }

    fn run(&mut self, from: Ms, to: Ms) {
        for (i, (at, _)) in self.scenario.settings.iter().enumerate().skip(1) {
            let at = ms(*at);
            if at > from {
                self.agenda.add(at, Event::Change { which: i as u8 });
            }
        }
        self.agenda.add(from, Event::Arrive);
        let mut tick = from;
        while tick <= to {
            while let Some((at, event)) = self.agenda.due(tick) {
                self.now = at;
                self.happen(event);
            }
            self.now = tick;
            // Long ticks end on their own grid, so that a second is never missed.
            let step = if tick % LONG_TICK == 0 { self.pool.step() } else { TICK };
            self.tick(step);
            tick += step;
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive => self.arrive(),
            Event::Insist => self.place(),
            Event::Held { order, turn } if self.meant(order, turn) => self.held(order),
            Event::Again { order, turn } if self.meant(order, turn) => self.again(order),
            Event::RowTimeout { order, turn } if self.meant(order, turn) => self.row_timeout(order),
            Event::UpgTimeout { order, turn } if self.meant(order, turn) => self.upg_timeout(order),
            Event::Held { .. } | Event::Again { .. } | Event::RowTimeout { .. } | Event::UpgTimeout { .. } => {}
            Event::UpgDone { order, call, payment, made } => self.upg_done(order, call, payment, made),
            Event::PollDone { order } => self.poll_done(order),
            Event::Settle { payment, well } => self.settle(payment, well),
            Event::Webhook { payment, attempt } => self.webhook(payment, attempt),
            Event::Callback { payment, attempt } => self.callback(payment, attempt),
            Event::HoDone { payment, attempt, asked } => self.ho_done(payment, attempt, asked),
            Event::CallbackTimeout { payment, attempt, asked } => self.callback_timeout(payment, attempt, asked),
            Event::Expire { order } => self.expire(order),
            Event::Poll { order } => self.poll(order),
            Event::Mended => self.pool.leaked = self.pool.leaked.saturating_sub(1),
            Event::Change { which } => self.change(usize::from(which)),
        }
    }

    fn meant(&self, order: OrderNo, turn: u16) -> bool {
        self.life(order).turn == turn
    }

    fn life(&self, order: OrderNo) -> &Life {
        &self.out.lives[order as usize]
    }

    fn life_mut(&mut self, order: OrderNo) -> &mut Life {
        &mut self.out.lives[order as usize]
    }

    fn say(&mut self, order: OrderNo, says: Says) {
        self.out.lines.push(Line { at: self.now, order, says });
    }

    fn failed(&mut self, order: OrderNo, step: Step, attempt: u8, why: Why) {
        self.out.failed.push(Failed { order, at: self.now, step, attempt, why });
    }

    fn users(&self, at: Ms) -> f64 {
        self.crowd.users(at) * (1.0 + self.wave)
    }

    /// A user places an order; the next one will come by the number of users there are.
    fn arrive(&mut self) {
        let rate = self.users(self.now) * self.set.traffic.orders_per_user;
        let next = self.now + self.dice.next_in(rate).round().max(1.0) as Ms;
        if next < self.until {
            self.agenda.add(next, Event::Arrive);
        }
        self.place();
    }

    fn place(&mut self) {
        let order = self.out.lives.len() as OrderNo;
        let set = &self.set;
        let wants_row = self.dice.chance(set.stock.share);
        let life = Life {
            placed: self.now,
            method: self.dice.pick(&METHODS),
            region: self.dice.pick(&REGIONS),
            service: self.dice.pick(&SERVICES),
            pod: self.dice.below(set.mrg.pods) as u8,
            row: if wants_row { 1 + self.dice.below(u32::from(set.stock.rows)) as u8 } else { 0 },
            amount: (self.dice.tailed(146_000.0, 0.72) / 500.0).round().max(24.0) as i32 * 500,
            user: self.dice.below(2_400_000),
            payment: NO_PAYMENT,
            alive: true,
            ..Life::default()
        };
        self.out.lives.push(life);
        self.want(order);
    }

    /// Something is set otherwise from now on.
    fn change(&mut self, which: usize) {
        let Some((_, next)) = self.scenario.settings.get(which) else { return };
        let before = std::mem::replace(&mut self.set, next.clone());
        self.pool.size = f64::from(next.mrg.pods * next.mrg.pool);
        self.upg.workers = next.upg.workers;
        self.ho.workers = next.ho.workers;
        if before.saga.up && !next.saga.up {
            self.orchestrator_dies();
        }
        if !before.saga.up && next.saga.up {
            self.say(OrderNo::MAX, Says::Began);
        }
        if before.saga.ids_left != next.saga.ids_left {
            self.ids_used = 0;
        }
        if before.leak.order_kib > 0.0 && next.leak.order_kib <= 0.0 {
            self.leaked.iter_mut().for_each(|kib| *kib = 0.0);
        }
        self.begin_at_upg();
        self.begin_at_ho();
    }

    /// A stretch of the flow up to now, and what is measured of it.
    fn tick(&mut self, step: Ms) {
        if self.now % 1_000 == 0 {
            self.wave = 0.97 * self.wave + 0.002 * self.dice.bell();
            self.collect_garbage();
        }
        let settings::Mrg { request, busy_backends, acquire_timeout, insists, faults, .. } = self.set.mrg;
        let busy = self.pool.requests + f64::from(self.pool.running);
        self.crowded = 1.0 + ((busy - busy_backends) / busy_backends).max(0.0);
        let garbage = self.garbage.iter().sum::<f64>() / self.garbage.len().max(1) as f64;
        let users = self.users(self.now);
        let mean = users * self.set.traffic.requests_per_user * step as f64 / 1_000.0;
        let arriving = if self.now < self.until { (mean + mean.sqrt() * self.dice.bell()).max(0.0) } else { 0.0 };
        let hold = request * self.crowded * garbage;
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let requests = Wanted { step, arriving, hold, patience: acquire_timeout, insists };
        let flow = self.pool.tick(self.now, requests, &mut verdicts);
        self.measure(step, users, &flow, garbage, faults);
        for verdict in verdicts.drain(..) {
            match verdict {
                Verdict::Granted(order, turn, waited) => self.found(order, turn, waited),
                Verdict::Starved(order, turn, waited) => {
                    self.waited(1.0, waited);
                    if self.meant(order, turn) {
                        self.starved(order);
                    }
                }
                Verdict::Served(n, waited) | Verdict::Refused(n, waited) => self.waited(n, waited),
            }
        }
        self.verdicts = verdicts;
    }

    fn waited(&mut self, n: f64, waited: Ms) {
        let bucket = self.out.meter.at(self.now);
        bucket.wait.add(n, waited as f64);
        bucket.waited += n as f32;
    }

    fn measure(&mut self, step: Ms, users: f64, flow: &pool::Flow, garbage: f64, faults: f64) {
        let (used, queued) = (self.pool.used() as f32, self.pool.queued() as f32);
        let open = self.breaker.is_open();
        let b = self.out.meter.at(self.now);
        b.came += flow.came as f32;
        b.refused += flow.refused as f32;
        b.faults += (flow.done * faults) as f32;
        b.wait.add(flow.at_once, 0.4);
        b.used = b.used.max(used);
        b.used_sum += used * step as f32;
        b.ticks += step as f32;
        b.queued = b.queued.max(queued);
        b.commits += flow.done as f32;
        b.open += if open { step as f32 / meter::BUCKET as f32 } else { 0.0 };
        if self.now % 1_000 == 0 {
            self.look_around(users, garbage);
        }
    }

    /// What a look once a second is enough for.
    fn look_around(&mut self, users: f64, garbage: f64) {
        let (line, locked) = self.rows.lines();
        let heap = IDLE_HEAP + self.leaked.iter().copied().fold(0.0, f64::max) / 1_024.0;
        let leaked: f64 = self.leaked.iter().sum();
        let goroutines = self.leaked.len() as f64 * IDLE_GOROUTINES
            + 4.0 * self.pool.used()
            + 2.0 * self.pool.queued()
            + leaked / self.set.leak.order_kib.max(1.0);
        let idle = self.pool.idle + self.pool.leaked;
        let running = self.pool.requests as f32 + self.pool.running as f32;
        let (busy, upg_line) = (self.upg.busy as f32, self.upg.waiting() as f32);
        let (pending, ids, slow) = (self.pending as f32, self.ids_used as f32, self.crowded * garbage);
        let up = self.set.saga.up;
        let b = self.out.meter.at(self.now);
        b.users = users as f32;
        b.running = b.running.max(running);
        b.locked = b.locked.max(locked as f32);
        b.line = b.line.max(line as f32);
        b.idle_open = b.idle_open.max(idle as f32);
        b.slow = slow as f32;
        b.upg_busy = b.upg_busy.max(busy);
        b.upg_line = b.upg_line.max(upg_line);
        b.pending = pending;
        b.goroutines = goroutines as f32;
        b.heap = heap as f32;
        b.gc = (1.0 - 1.0 / garbage) as f32;
        b.up = f32::from(u8::from(up));
        b.ids = ids;
    }

    /// A pod whose memory is half used up collects garbage more and more; one that has none left is ended.
    fn collect_garbage(&mut self) {
        let limit = self.set.leak.limit_mib;
        for pod in 0..self.leaked.len() {
            let heap = IDLE_HEAP + self.leaked[pod] / 1_024.0;
            let full = ((heap / limit - 0.5) / 0.5).clamp(0.0, 1.0);
            self.garbage[pod] = 1.0 / (1.0 - 0.02 - 0.72 * full * full);
            if heap >= limit {
                self.leaked[pod] = 0.0;
                self.out.meter.at(self.now).restarts += 1.0;
                self.say(OrderNo::MAX, Says::OutOfMemory(pod as u8));
            }
        }
    }
}

/// How many orders were placed since midnight, as many as are expected.
fn placed_by(crowd: &Crowd, set: &Settings, at: Ms) -> f64 {
    (0..at / 60_000).map(|m| crowd.users(m * 60_000) * set.traffic.orders_per_user * 60.0).sum()
}

/// An instant of the day as the program has instants.
pub fn stamp(at: Ms) -> crate::model::Stamp {
    clock(0, 0, 0) + crate::model::Lapse::millis(at)
}

/// And back.
pub fn ms(at: crate::model::Stamp) -> Ms {
    at.since(clock(0, 0, 0)).0 / 1_000
}
