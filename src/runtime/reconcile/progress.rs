//! How far a reconciliation is: counted by whoever works, read by whoever waits.

use crate::model::order::{ROLES, Role};
use crate::model::{Span, Stamp, Zone};
use std::sync::Mutex;
use std::sync::PoisonError;

/// Where one role is.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    /// Rows read.
    pub rows: u64,
    /// Pages read.
    pub pages: u64,
    /// Up to where in time.
    pub upto: Option<Stamp>,
}

/// Where everything is.
#[derive(Debug, Default)]
struct State {
    roles: [At; ROLES.len()],
    asked: (u64, u64),
    doing: &'static str,
}

/// Where everything is, shared.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

impl Progress {
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        // A number that somebody panicked over is still a number.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// A page has come.
    pub fn page(&self, role: Role, rows: usize, upto: Option<Stamp>) {
        self.with(|s| {
            let at = &mut s.roles[role as usize];
            at.rows += rows as u64;
            at.pages += 1;
            at.upto = at.upto.max(upto);
        });
    }
    /// What is being done now.
    pub fn doing(&self, what: &'static str) {
        self.with(|s| s.doing = what);
    }
    /// Orders asked by name, of so many.
    pub fn asked(&self, done: u64, of: u64) {
        self.with(|s| s.asked = (done, of));
    }
    /// Where a role is.
    pub fn of(&self, role: Role) -> At {
        self.with(|s| s.roles[role as usize])
    }

    /// One line for people.
    pub fn line(&self, window: Span, zone: &Zone) -> String {
        self.with(|s| {
            let of = |role: Role| s.roles[role as usize];
            let (orders, payments, ho) = (of(Role::Orders), of(Role::Payments), of(Role::HoPayments));
            let upto = orders.upto.map_or_else(String::new, |t| {
                let length = window.length().0.max(1) as f64;
                let share = (t.since(window.from).0 as f64 / length).clamp(0.0, 1.0) * 100.0;
                format!(", up to {} ({share:.0} %)", zone.hm(t))
            });
            let asked =
                if s.asked.1 > 0 { format!("; {} of {} asked by name", s.asked.0, s.asked.1) } else { String::new() };
            format!("{}: {} orders{upto}, {} payments, {} at HO{asked}", s.doing, orders.rows, payments.rows, ho.rows)
        })
    }
}
