//! Paying: the breaker, UPG's workers and the vendor behind them, the user who pays, and the poller that copies
//! payment states onto orders.

use super::agenda::{Event, Ms, OrderNo, PaymentNo};
use super::life::{METHODS, Moved, NO_PAYMENT, Paid, Payment, REGIONS, Says, Stage, Status, Step, Why};
use super::pool::Use;
use super::saga::EXPIRES;
use super::{Job, Platform};

/// Nobody takes longer to pay.
const LONGEST: f64 = 28.0 * 60_000.0;
/// UPG tells an Orchestrator that does not answer again after so long.
const WEBHOOK_PAUSES: [Ms; 3] = [20_000, 60_000, 120_000];

impl Platform<'_> {
    /// Calls UPG, when the breaker lets it.
    pub(super) fn call_upg(&mut self, order: OrderNo) {
        let now = self.now;
        let timeout = self.set.saga.upg_timeout;
        let life = self.life_mut(order);
        life.stage = Stage::Calling;
        life.turn += 1;
        life.calls += 1;
        let (turn, call) = (life.turn, life.calls);
        if !self.breaker.lets_through(now) {
            self.out.meter.at(now).rejected += 1.0;
            self.say(order, Says::BreakerOpen(call));
            return self.call_failed(order, Why::BreakerOpen);
        }
        self.out.meter.at(now).calls += 1.0;
        self.upg.arrive(now, Job::Pay { order, call });
        self.agenda.add(now + timeout, Event::UpgTimeout { order, turn });
        self.begin_at_upg();
    }

    /// UPG's free workers take what waits.
    pub(super) fn begin_at_upg(&mut self) {
        while let Some((since, job)) = self.upg.begin() {
            match job {
                Job::Ask { order } => {
                    let work = self.set.poller.ask * self.dice.between(0.6, 1.4);
                    self.agenda.add(self.now + work.round().max(1.0) as Ms, Event::PollDone { order });
                }
                Job::Pay { order, call } => self.begin_payment(order, call, since),
            }
        }
    }

    /// The first call for an order makes the payment; a later one with the same key finds it.
    fn begin_payment(&mut self, order: OrderNo, call: u8, since: Ms) {
        let known = self.life(order).payment;
        let own = self.set.upg.own * self.dice.between(0.6, 1.6);
        if known != NO_PAYMENT {
            let at = self.now + own.round() as Ms;
            self.out.meter.at(at).upg.add(1.0, (at - since) as f64);
            self.agenda.add(at, Event::UpgDone { order, call, payment: known, made: false });
            return;
        }
        let payment = self.out.payments.len() as PaymentNo;
        self.out.payments.push(Payment { order, created: self.now, ..Payment::default() });
        self.life_mut(order).payment = payment;
        let gateway = self.gateway(order);
        let at = self.now + (own + gateway).round() as Ms;
        let bucket = self.out.meter.at(at);
        bucket.gateway.add(1.0, gateway);
        bucket.upg.add(1.0, (at - since) as f64);
        self.out.payments[payment as usize].gateway = gateway as u32;
        self.agenda.add(at, Event::UpgDone { order, call, payment, made: true });
    }

    fn gateway(&mut self, order: OrderNo) -> f64 {
        let vendor = &self.set.vendor;
        let life = &self.out.lives[order as usize];
        let method = METHODS[usize::from(life.method)].0;
        let region = REGIONS[usize::from(life.region)].0;
        let on_route = vendor.route_method.as_deref() == Some(method) && vendor.route_region.as_deref() == Some(region);
        let factor = vendor.factor * if on_route { vendor.route_factor } else { 1.0 };
        let (answer, spread) = (vendor.answer, vendor.spread);
        self.dice.tailed(answer * factor, spread)
    }

    /// A worker is done with a call, whether or not anybody still waits for it.
    pub(super) fn upg_done(&mut self, order: OrderNo, call: u8, payment: PaymentNo, made: bool) {
        self.upg.leave();
        self.begin_at_upg();
        let p = &mut self.out.payments[payment as usize];
        p.answered |= made;
        let (answered, awaited) = (p.answered, p.awaited);
        let life = self.life(order);
        let heard = life.alive && life.stage == Stage::Calling && life.calls == call;
        if !answered {
            // The first call is still at the gateway: the same key is refused.
            if heard {
                self.heard(true);
                self.say(order, Says::InProgress(call));
                self.call_failed(order, Why::UpgTimeout);
            }
            return;
        }
        let declined = made && self.dice.chance(self.set.upg.declined);
        if made || (heard && !awaited) {
            self.money(order, payment, declined, heard);
        }
        if heard {
            let counted = !(declined && self.set.breaker.counts_declined);
            self.heard(counted);
            self.answered(order);
        }
    }

    /// What will come of a payment: declined, never made, or made after a while.
    fn money(&mut self, order: OrderNo, payment: PaymentNo, declined: bool, heard: bool) {
        let fetched = self.life(order).fetched();
        let now = self.now;
        self.out.payments[payment as usize].awaited = true;
        if declined {
            self.agenda.add(now + self.dice.between(900.0, 6_000.0) as Ms, Event::Settle { payment, well: false });
            return;
        }
        // A number that never reached the user is never paid.
        let unseen = self.needs_number(order) && !heard;
        if unseen || (heard && self.dice.chance(self.set.upg.abandoned)) {
            if heard {
                let at = self.life(order).born + EXPIRES;
                self.agenda.add(at, Event::Expire { order });
                self.agenda.add(at + 30_000, Event::Settle { payment, well: false });
            } else {
                self.out.payments[payment as usize].awaited = false;
            }
            return;
        }
        let wait = match (fetched, self.life(order).method) {
            (true, 2) => self.dice.tailed(14_000.0, 0.5),
            (true, _) => self.dice.tailed(4_500.0, 0.45),
            (false, _) => self.dice.tailed(52_000.0, 0.72),
        };
        let at = now + wait.min(LONGEST) as Ms;
        self.agenda.add(at, Event::Settle { payment, well: true });
        let expires = self.life(order).born + EXPIRES;
        if at > expires {
            self.agenda.add(expires, Event::Expire { order });
        }
        if self.dice.chance(self.set.upg.paid_twice) {
            let second = self.out.payments.len() as PaymentNo;
            let gateway = self.out.payments[payment as usize].gateway;
            let again = Payment { order, created: now + 400, gateway, answered: true, ..Payment::default() };
            self.out.payments.push(again);
            self.agenda.add(at + 1_700, Event::Settle { payment: second, well: true });
        }
    }

    /// The breaker hears how a call went.
    fn heard(&mut self, well: bool) {
        let was = self.breaker.is_open();
        if !well {
            self.out.meter.at(self.now).failed += 1.0;
        }
        if self.breaker.heard(self.now, well, &self.set.breaker) {
            self.out.meter.at(self.now).opened += 1.0;
            self.say(OrderNo::MAX, Says::BreakerOpened);
        } else if was && !self.breaker.is_open() {
            self.say(OrderNo::MAX, Says::BreakerClosed);
        }
    }

    fn answered(&mut self, order: OrderNo) {
        if self.life(order).connection == Use::Idle {
            let life = self.life_mut(order);
            life.stage = Stage::Answered;
            life.turn += 1;
            life.connection = Use::Running;
            self.pool.change(Use::Idle, Use::Running);
            let turn = self.life(order).turn;
            let work = (self.set.mrg.step * 0.3 * self.crowded).round().max(1.0) as Ms;
            self.agenda.add(self.now + work, Event::Held { order, turn });
        } else {
            self.await_payment(order);
        }
    }

    pub(super) fn await_payment(&mut self, order: OrderNo) {
        let now = self.now;
        let life = self.life_mut(order);
        life.turn += 1;
        life.stage = Stage::Await;
        life.done(Step::Pay, now);
        let payment = life.payment;
        // The user may have been faster than the transaction.
        if self.out.payments.get(payment as usize).is_some_and(|p| p.settled > 0) {
            self.agenda.add(now + 30, Event::Webhook { payment, attempt: 1 });
        }
    }

    /// UPG has not answered in time. It goes on all the same.
    pub(super) fn upg_timeout(&mut self, order: OrderNo) {
        if self.life(order).stage != Stage::Calling {
            return;
        }
        self.out.meter.at(self.now).timeouts += 1.0;
        self.heard(false);
        let call = self.life(order).calls;
        self.say(order, Says::UpgTimeout(call));
        self.call_failed(order, Why::UpgTimeout);
    }

    fn call_failed(&mut self, order: OrderNo, why: Why) {
        if self.life(order).connection == Use::Idle {
            self.out.meter.at(self.now).rollbacks += 1.0;
        }
        self.release(order);
        let life = self.life_mut(order);
        life.turn += 1;
        let (calls, turn) = (life.calls, life.turn);
        self.failed(order, Step::Pay, calls, why);
        if calls >= self.set.saga.upg_attempts {
            return self.give_up(order, Step::Pay, why);
        }
        let pause = self.set.saga.upg_pause << (calls - 1);
        let pause = pause + self.dice.between(0.0, 300.0) as Ms;
        if self.set.saga.sync_pay {
            // The whole transaction is done again, reservation and all.
            let life = self.life_mut(order);
            life.stage = Stage::Reserve;
            life.tries = 0;
        }
        self.agenda.add(self.now + pause, Event::Again { order, turn });
    }

    /// The user has paid, or the bank has said no, or the time is up.
    pub(super) fn settle(&mut self, payment: PaymentNo, well: bool) {
        let now = self.now;
        let p = &mut self.out.payments[payment as usize];
        if p.settled > 0 {
            return;
        }
        (p.settled, p.paid) = (now, if well { Paid::Paid } else { Paid::Failed });
        let order = p.order;
        if well {
            self.out.meter.at(now).paid += 1.0;
            if order.is_multiple_of(10) {
                self.say(order, Says::Paid);
            }
        }
        let at = now + self.dice.between(20.0, 70.0) as Ms;
        self.agenda.add(at, Event::Webhook { payment, attempt: 1 });
    }

    /// UPG tells the Orchestrator what became of a payment.
    pub(super) fn webhook(&mut self, payment: PaymentNo, attempt: u8) {
        let p = &self.out.payments[payment as usize];
        let (order, well) = (p.order, p.paid == Paid::Paid);
        if self.life(order).payment != payment {
            return;
        }
        if !self.set.saga.up {
            self.say(order, Says::NoOrchestrator);
            if let Some(pause) = WEBHOOK_PAUSES.get(usize::from(attempt) - 1) {
                self.agenda.add(self.now + pause, Event::Webhook { payment, attempt: attempt + 1 });
            }
            return;
        }
        let life = self.life(order);
        match (life.alive, life.stage, well) {
            (true, Stage::Await, true) => self.begin_step(order, Stage::Record),
            (true, Stage::Await, false) => {
                self.say(order, Says::Declined);
                self.begin_step(order, Stage::Decline);
            }
            // Still in the transaction that asked for it, or trying again: it will look by itself.
            (true, _, _) | (false, _, false) => {}
            (false, _, true) => {
                if life.status == Status::Expired || order.is_multiple_of(3) {
                    self.say(order, Says::PaidTooLate);
                }
            }
        }
    }

    /// The poller comes by: it reads the order, and asks UPG.
    pub(super) fn poll(&mut self, order: OrderNo) {
        let life = self.life(order);
        if life.status != Status::Active || !life.alive || self.set.poller.versioned {
            return;
        }
        // It has read the order as it is now; what it writes will be as old as this.
        self.upg.arrive(self.now, Job::Ask { order });
        self.begin_at_upg();
    }

    /// UPG has answered: the poller writes what it read, with the payment's state.
    pub(super) fn poll_done(&mut self, order: OrderNo) {
        self.upg.leave();
        self.begin_at_upg();
        let now = self.now;
        let life = self.life(order);
        match life.status {
            // It was completed between the reading and the writing: the older state is written over it.
            Status::Complete => {
                let life = self.life_mut(order);
                life.status = Status::Active;
                life.ended = 0;
                let version = life.version;
                let moved = Moved { order, at: now, from: Status::Active, to: Status::Active, poller: true, version };
                self.out.moved.push(moved);
                let life = self.life_mut(order);
                (life.step, life.steps[Step::Complete as usize]) = (Step::Record, 0);
                self.give_up(order, Step::Complete, Why::Overwritten);
                if order.is_multiple_of(10) {
                    self.say(order, Says::Copied);
                }
            }
            Status::Active if life.alive => {
                // Both want the order's row and the saga's, in opposite order, in the same moment.
                if life.stage == Stage::Complete && life.connection == Use::Running && life.row > 0 {
                    let bucket = self.out.meter.at(now);
                    bucket.deadlocks += 1.0;
                    bucket.rollbacks += 1.0;
                    self.say(order, Says::Deadlock);
                }
                let at = now + self.set.poller.every;
                self.agenda.add(at, Event::Poll { order });
            }
            _ => {}
        }
    }
}
