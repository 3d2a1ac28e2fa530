//! A day as plain files: CSV, JSON lines, TOML and logs, for tools that know nothing of this program. The same day
//! gives the same bytes.
//!
//! Owns which files there are, and what is in them: of all orders, however a day is sharded. Writes into whatever it is given; may not know: folders, disks,
//! clocks.

mod about;
mod logs;
mod marks;
mod measures;
mod sheet;
mod tables;

pub use about::{ABOUT, FORMAT, Listed, about, earlier};
pub use logs::write as logs;

use super::day::Day;
use super::scenario::Scenario;
use std::io::{self, Write};

/// A file of an export.
pub struct Part {
    /// Where it is, below the export's folder.
    pub path: &'static str,
    /// What it is, in a sentence.
    pub what: &'static str,
    /// Its columns, or the keys of a line; none of a file without rows.
    pub columns: &'static [&'static str],
    write: fn(&Day, &mut dyn Write) -> io::Result<u64>,
}

/// All files but `about.toml` and the logs; largest first, so that two who write them end together.
const PARTS: [Part; 12] = [
    Part {
        path: "upg/payments.csv",
        what: "UPG's payments, by their beginning",
        columns: tables::PAYMENTS,
        write: tables::payments,
    },
    Part { path: "mrg/orders.csv", what: "MRG's orders, by birth", columns: tables::ORDERS, write: tables::orders },
    Part {
        path: "ho/ho_payments.csv",
        what: "Head Office's records, by time",
        columns: tables::HO_PAYMENTS,
        write: tables::ho_payments,
    },
    Part {
        path: "orch/order_events.csv",
        what: "changes of an order's status after its birth, by time",
        columns: tables::EVENTS,
        write: tables::events,
    },
    Part {
        path: CALLBACKS,
        what: "UPG's attempts to tell Head Office, as they were sent; without a status nothing came back in time",
        columns: tables::CALLBACKS,
        write: tables::callbacks,
    },
    Part {
        path: "orch/saga.csv",
        what: "failed attempts of saga steps, and all steps of sagas that did not end; by order and time",
        columns: tables::SAGA,
        write: tables::saga,
    },
    Part {
        path: "databases.csv",
        what: "sessions of the four databases by state, a look a minute; first the usual Sunday before, then the day",
        columns: measures::SESSIONS,
        write: measures::databases,
    },
    Part {
        path: "metrics.csv",
        what: "measured series, a point a minute; first the usual Sunday before, then the day",
        columns: measures::METRICS,
        write: measures::metrics,
    },
    Part {
        path: "marks.jsonl",
        what: "what people and deployments left on the timeline",
        columns: marks::MARKS,
        write: marks::marks,
    },
    Part { path: "alarms.jsonl", what: "alarms and when they were on", columns: marks::ALARMS, write: marks::alarms },
    Part {
        path: "scenario.toml",
        what: "what the platform and its users were set to, from when on",
        columns: &[],
        write: about::scenario,
    },
    Part {
        path: "truth.toml",
        what: "the true cause, onsets, and orders by class: delete it before you let anybody guess",
        columns: &[],
        write: about::truth,
    },
];

/// UPG's attempts to tell Head Office: not everybody keeps them.
const CALLBACKS: &str = "upg/callbacks.csv";

/// The files of a scenario's day besides `about.toml` and the logs.
pub fn parts(scenario: &Scenario) -> impl Iterator<Item = &'static Part> + use<> {
    let kept = scenario.observed.callbacks_kept;
    PARTS.iter().filter(move |part| kept || part.path != CALLBACKS)
}

impl Part {
    /// Writes it, and gives how many rows or lines it has; 0 of a file without rows.
    pub fn write(&self, day: &Day, out: &mut dyn Write) -> io::Result<u64> {
        (self.write)(day, out)
    }
}

#[cfg(test)]
mod tests;
