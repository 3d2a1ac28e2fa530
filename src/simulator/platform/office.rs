//! Head Office: UPG tells it of a payment, it writes a record, and it refuses what it has no room for.

use super::agenda::{Event, Ms, PaymentNo};
use super::life::Step;
use super::life::{Booked, Says, Stage, Told, Why};
use super::{Asked, Platform};

/// A refusal comes back after so long.
const REFUSED_AFTER: Ms = 6;

impl Platform<'_> {
    /// Sends a callback.
    pub(super) fn callback(&mut self, payment: PaymentNo, attempt: u8) {
        let now = self.now;
        self.out.payments[payment as usize].told = attempt;
        self.out.meter.at(now).told += 1.0;
        if !self.set.ho.up {
            return self.told(payment, attempt, now, 502, REFUSED_AFTER);
        }
        if self.ho.waiting() >= self.set.ho.queue || self.dice.chance(self.set.ho.faults) {
            self.out.meter.at(now).ho.add(1.0, REFUSED_AFTER as f64);
            return self.told(payment, attempt, now, 503, REFUSED_AFTER);
        }
        self.ho.arrive(now, Asked { payment, attempt });
        let timeout = Event::CallbackTimeout { payment, attempt, asked: now };
        self.agenda.add(now + self.set.callback.timeout, timeout);
        self.begin_at_ho();
    }

    /// Free writers take what waits.
    pub(super) fn begin_at_ho(&mut self) {
        while let Some((asked, Asked { payment, attempt })) = self.ho.begin() {
            let known = self.out.payments[payment as usize].booked;
            let work = self.dice.tailed(self.set.ho.write, self.set.ho.spread) * if known { 0.2 } else { 1.0 };
            let at = self.now + work.round().max(1.0) as Ms;
            self.agenda.add(at, Event::HoDone { payment, attempt, asked });
        }
    }

    /// A record is written, whether or not anybody still waits for it.
    pub(super) fn ho_done(&mut self, payment: PaymentNo, attempt: u8, asked: Ms) {
        let now = self.now;
        self.ho.leave();
        self.begin_at_ho();
        let took = now - asked;
        self.out.meter.at(now).ho.add(1.0, took as f64);
        if !std::mem::replace(&mut self.out.payments[payment as usize].booked, true) {
            self.out.booked.push(Booked { payment, at: now });
            self.out.meter.at(now).booked += 1.0;
        }
        if took < self.set.callback.timeout && self.out.payments[payment as usize].told == attempt {
            self.told(payment, attempt, asked, 200, took);
        }
    }

    pub(super) fn callback_timeout(&mut self, payment: PaymentNo, attempt: u8, asked: Ms) {
        let p = &self.out.payments[payment as usize];
        if p.told == attempt && !p.acknowledged && self.now - asked >= self.set.callback.timeout {
            self.told(payment, attempt, asked, 0, self.now - asked);
        }
    }

    /// What came of an attempt.
    fn told(&mut self, payment: PaymentNo, attempt: u8, sent: Ms, http: u16, took: Ms) {
        self.out.told.push(Told { payment, attempt, sent, http, took: took as u32 });
        let order = self.out.payments[payment as usize].order;
        if http == 200 {
            self.out.payments[payment as usize].acknowledged = true;
            self.out.meter.at(self.now).acknowledged += 1.0;
            self.pending -= 1;
            let life = self.life(order);
            if life.alive && life.stage == Stage::Telling {
                self.begin_step(order, Stage::Complete);
            }
            return;
        }
        self.say(order, Says::CallbackFailed(attempt, http));
        self.failed(order, Step::Record, attempt, Why::Dead);
        if attempt < self.set.callback.attempts {
            let pause = self.set.callback.pause as f64 * self.set.callback.factor.powi(i32::from(attempt) - 1);
            let at = self.now + (pause * self.dice.between(0.8, 1.2)) as Ms;
            self.agenda.add(at, Event::Callback { payment, attempt: attempt + 1 });
            return;
        }
        self.pending -= 1;
        self.out.meter.at(self.now).dead += 1.0;
        self.say(order, Says::CallbackDead);
        if self.life(order).alive {
            self.give_up(order, Step::Record, Why::Dead);
        }
    }
}
