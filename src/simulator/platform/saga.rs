//! The Orchestrator: an order's steps, each in a transaction of its own, tried a few times and then given up.

use super::Platform;
use super::agenda::{Event, Ms, OrderNo};
use super::life::{METHODS, Moved, Says, Stage, Status, Step, Why};
use super::pool::Use;
use crate::simulator::scenario::settings;

/// One in so many orders leaves lines of its ordinary course.
const TALKS: u32 = 10;
/// A payment that nobody makes is waited for so long.
pub const EXPIRES: Ms = 600_000;

/// Which step a stage belongs to.
pub const fn step_of(stage: Stage) -> Step {
    match stage {
        Stage::Create => Step::Create,
        Stage::Reserve => Step::Reserve,
        Stage::Pay | Stage::Calling | Stage::Answered | Stage::Await | Stage::Decline => Step::Pay,
        Stage::Record | Stage::Telling => Step::Record,
        Stage::Complete | Stage::Done => Step::Complete,
    }
}

impl Platform<'_> {
    /// The order's stage wants a connection.
    pub(super) fn want(&mut self, order: OrderNo) {
        let (now, turn, place) = (self.now, self.life(order).turn, self.dice.share());
        if self.pool.ask(now, place, order, turn) {
            self.out.meter.at(now).wait.add(1.0, 0.4);
            self.life_mut(order).connection = Use::Running;
            self.granted(order);
        }
    }

    /// A connection that was waited for is there.
    pub(super) fn found(&mut self, order: OrderNo, turn: u16, waited: Ms) {
        self.waited(1.0, waited);
        if self.meant(order, turn) {
            self.life_mut(order).connection = Use::Running;
            self.granted(order);
        } else {
            self.pool.change(Use::Running, Use::None);
        }
    }

    fn granted(&mut self, order: OrderNo) {
        let life = self.life(order);
        let (row, turn) = (life.row, life.turn);
        if life.stage == Stage::Reserve && row > 0 && !life.on_row {
            self.life_mut(order).on_row = true;
            if !self.rows.take(row, order) {
                self.use_as(order, Use::Waiting);
                let at = self.now + self.set.mrg.statement_timeout;
                self.agenda.add(at, Event::RowTimeout { order, turn });
                return;
            }
        }
        self.hold(order);
    }

    /// Works, and will end its transaction.
    fn hold(&mut self, order: OrderNo) {
        let life = self.life(order);
        let (turn, pod) = (life.turn, usize::from(life.pod));
        let slow = self.crowded * self.garbage.get(pod).copied().unwrap_or(1.0);
        let work = self.set.mrg.step * self.dice.between(0.5, 1.5) * slow;
        self.agenda.add(self.now + work.round().max(1.0) as Ms, Event::Held { order, turn });
    }

    fn use_as(&mut self, order: OrderNo, to: Use) {
        let from = self.life(order).connection;
        self.pool.change(from, to);
        self.life_mut(order).connection = to;
    }

    /// Gives the connection and the row back; who waited for the row goes on.
    pub(super) fn release(&mut self, order: OrderNo) {
        self.use_as(order, Use::None);
        if std::mem::take(&mut self.life_mut(order).on_row)
            && let Some(next) = self.rows.leave(self.life(order).row, order)
        {
            self.use_as(next, Use::Running);
            self.life_mut(next).turn += 1;
            self.hold(next);
        }
    }

    fn enter(&mut self, order: OrderNo, stage: Stage) {
        let life = self.life_mut(order);
        life.turn += 1;
        if life.stage != stage {
            life.tries = 0;
        }
        life.stage = stage;
    }

    pub(super) fn begin_step(&mut self, order: OrderNo, stage: Stage) {
        self.enter(order, stage);
        self.want(order);
    }

    fn done(&mut self, order: OrderNo, step: Step) {
        let now = self.now;
        self.life_mut(order).done(step, now);
    }

    /// A transaction has ended well.
    pub(super) fn held(&mut self, order: OrderNo) {
        self.out.meter.at(self.now).commits += 1.0;
        match self.life(order).stage {
            Stage::Create => self.created(order),
            Stage::Reserve => self.reserved(order),
            Stage::Pay => {
                self.release(order);
                self.call_upg(order);
            }
            Stage::Answered => {
                self.release(order);
                self.await_payment(order);
            }
            Stage::Record => {
                self.release(order);
                self.done(order, Step::Record);
                self.enter(order, Stage::Telling);
                let payment = self.life(order).payment;
                self.pending += 1;
                let at = self.now + self.dice.between(25.0, 90.0) as Ms;
                self.agenda.add(at, Event::Callback { payment, attempt: 1 });
                if !self.set.poller.versioned {
                    let at = self.now + self.dice.between(0.0, self.set.poller.every as f64) as Ms;
                    self.agenda.add(at, Event::Poll { order });
                }
            }
            Stage::Complete => {
                self.release(order);
                self.done(order, Step::Complete);
                self.end(order, Status::Complete, false);
                self.out.meter.at(self.now).completed += 1.0;
                self.talk(order, Says::Completed);
            }
            Stage::Decline => {
                self.release(order);
                self.end(order, Status::Failed, false);
            }
            Stage::Calling | Stage::Await | Stage::Telling | Stage::Done => {}
        }
    }

    fn talk(&mut self, order: OrderNo, says: Says) {
        if order.is_multiple_of(TALKS) {
            self.say(order, says);
        }
    }

    fn created(&mut self, order: OrderNo) {
        self.release(order);
        self.number += 1;
        let (now, number) = (self.now, self.number);
        let life = self.life_mut(order);
        (life.born, life.number, life.status, life.version) = (now, number, Status::Active, 1);
        let pod = usize::from(life.pod);
        self.done(order, Step::Create);
        self.out.meter.at(now).born += 1.0;
        self.leaked[pod] += self.set.leak.order_kib;
        self.talk(order, Says::Created);
        if !self.set.saga.up {
            self.say(order, Says::NoOrchestrator);
            return self.give_up(order, Step::Create, Why::NoOrchestrator);
        }
        if self.set.saga.ids_left.is_some_and(|left| self.ids_used >= left) {
            self.say(order, Says::NoIds);
            return self.give_up(order, Step::Create, Why::NoIds);
        }
        self.ids_used += 1;
        self.begin_step(order, Stage::Reserve);
    }

    fn reserved(&mut self, order: OrderNo) {
        let life = self.life(order);
        let delivery = life.service == 0;
        if delivery && !life.half {
            self.release(order);
            self.life_mut(order).half = true;
            return self.begin_step(order, Stage::Reserve);
        }
        self.done(order, Step::Reserve);
        if self.dice.chance(self.set.leak.open_share) {
            self.pool.leaked += 1;
            self.agenda.add(self.now + self.set.leak.open_for, Event::Mended);
        }
        if self.dice.chance(self.set.saga.faults) {
            self.release(order);
            self.say(order, Says::Panic);
            return self.give_up(order, Step::Reserve, Why::Panic);
        }
        if self.set.saga.sync_pay {
            // The transaction stays open, with its row, until UPG has answered.
            self.use_as(order, Use::Idle);
            return self.call_upg(order);
        }
        self.release(order);
        self.begin_step(order, Stage::Pay);
    }

    /// No connection in time.
    pub(super) fn starved(&mut self, order: OrderNo) {
        let step = step_of(self.life(order).stage);
        self.out.meter.at(self.now).starved += 1.0;
        if self.life(order).stage == Stage::Create {
            // There is no order yet: the user sees an error, and some try again.
            let life = self.life_mut(order);
            (life.stage, life.alive) = (Stage::Done, false);
            life.turn += 1;
            self.talk(order, Says::CreateRefused);
            if self.now < self.until && self.dice.chance(self.set.mrg.insists) {
                let at = self.now + self.dice.between(1_500.0, 6_000.0) as Ms;
                self.agenda.add(at, Event::Insist);
            }
            return;
        }
        let attempt = self.life(order).tries + 1;
        self.say(order, Says::NoConnection(step, attempt));
        self.missed(order, step, Why::NoConnection);
    }

    /// A row was not to be had in time: the transaction is rolled back.
    pub(super) fn row_timeout(&mut self, order: OrderNo) {
        self.out.meter.at(self.now).rollbacks += 1.0;
        self.release(order);
        let attempt = self.life(order).tries + 1;
        self.say(order, Says::RowLocked(Step::Reserve, attempt));
        self.missed(order, Step::Reserve, Why::RowLocked);
    }

    /// An attempt has failed: another one, or none.
    fn missed(&mut self, order: OrderNo, step: Step, why: Why) {
        let settings::Saga { attempts, last_attempts, pause, .. } = self.set.saga;
        let life = self.life_mut(order);
        life.tries += 1;
        life.turn += 1;
        let (tries, turn, stage) = (life.tries, life.turn, life.stage);
        self.failed(order, step, tries, why);
        let most = if matches!(stage, Stage::Complete | Stage::Decline) { last_attempts } else { attempts };
        if tries >= most {
            return self.give_up(order, step, why);
        }
        let pause = pause * i64::from(tries) + self.dice.between(0.0, 200.0) as Ms;
        self.agenda.add(self.now + pause, Event::Again { order, turn });
    }

    pub(super) fn again(&mut self, order: OrderNo) {
        match self.life(order).stage {
            Stage::Calling => self.call_upg(order),
            _ => self.want(order),
        }
    }

    /// The saga ends here, and nothing takes back what it did: the order stays ACTIVE.
    pub(super) fn give_up(&mut self, order: OrderNo, step: Step, why: Why) {
        let now = self.now;
        let life = self.life_mut(order);
        life.alive = false;
        life.turn += 1;
        life.stage = Stage::Done;
        (life.gave_up, life.gave_up_at) = (Some((step, why)), now);
        self.out.meter.at(now).gave_up += 1.0;
        if !matches!(why, Why::NoOrchestrator | Why::NoIds | Why::Panic | Why::Dead | Why::Overwritten) {
            self.say(order, Says::GaveUp(step, why));
        }
    }

    /// The order's status is final, as far as its saga knows.
    pub(super) fn end(&mut self, order: OrderNo, to: Status, poller: bool) {
        let now = self.now;
        let life = self.life_mut(order);
        let from = std::mem::replace(&mut life.status, to);
        life.ended = now;
        life.version += 1;
        life.turn += 1;
        (life.stage, life.alive) = (Stage::Done, false);
        let version = life.version;
        self.out.moved.push(Moved { order, at: now, from, to, poller, version });
    }

    /// Nobody has paid in time.
    pub(super) fn expire(&mut self, order: OrderNo) {
        let life = self.life(order);
        if life.alive && life.stage == Stage::Await {
            self.end(order, Status::Expired, false);
        }
    }

    /// Whether the user has to do something with a number the Orchestrator hands out.
    pub(super) fn needs_number(&self, order: OrderNo) -> bool {
        let life = self.life(order);
        debug_assert!(usize::from(life.method) < METHODS.len());
        !life.fetched()
    }

    /// Its sagas die with it: what they held is given back, and nobody goes on with them.
    pub(super) fn orchestrator_dies(&mut self) {
        let since = self.now - 45 * 60_000;
        let first = self.out.lives.partition_point(|l| l.placed < since);
        for order in first as OrderNo..self.out.lives.len() as OrderNo {
            let life = self.life(order);
            if !life.alive || life.born == 0 || life.status != Status::Active {
                continue;
            }
            let step = step_of(life.stage);
            let telling = life.stage == Stage::Telling;
            self.release(order);
            self.failed(order, step, 1, Why::NoOrchestrator);
            self.give_up(order, step, Why::NoOrchestrator);
            // What UPG has been told to send, it sends.
            if telling {
                self.life_mut(order).stage = Stage::Telling;
            }
        }
    }
}
