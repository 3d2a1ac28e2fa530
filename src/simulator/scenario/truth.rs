//! What is true of a scenario's day: the cause, what contributed, when what began, and how many orders of each
//! class there are. For tests, scores and the sheet of a game day; nothing that judges may read it.
//!
//! The cause is declared, in `assets/scenarios/truth`. Times and counts follow from what the platform itself
//! knows of each order; a test compares them with what the tables and the measures say.

use super::bundle;
use crate::model::order::OrderId;
use crate::model::{Lapse, Stamp};
use crate::simulator::day::Day;
use crate::simulator::ledger::order_id;
use crate::simulator::platform::agenda::Ms;
use crate::simulator::platform::life::{Life, METHODS, Paid, Payment, REGIONS, Status, Step, Why};
use crate::simulator::platform::{ms, stamp};
use crate::simulator::signals::{self, MINUTE, Minute};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a scenario declares.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// `H1` to `H5`, or a cause outside the five: `orchestrator`, `vendor`, `change`, `sequence`, `leak`; `none`.
    pub cause: String,
    /// What made it worse, or is a second cause.
    #[serde(default)]
    pub contributing: Vec<String>,
    /// The signals of which one breaks first, by their series.
    pub first: Vec<String>,
    /// Which orders are hit worst: column and value.
    #[serde(default)]
    pub segment: BTreeMap<String, String>,
    /// When what begins: the earliest and the latest clock that any seed may give.
    pub onsets: BTreeMap<String, [String; 2]>,
    /// The least and the most share of the evening's orders that stay ACTIVE, in percent.
    pub stuck_percent: [f64; 2],
    /// The class most of the stuck orders are in; absent when hardly any is.
    #[serde(default)]
    pub most: Option<String>,
}

/// What is true of one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// Name of the scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The cause.
    pub cause: String,
    /// What made it worse, or is a second cause.
    pub contributing: Vec<String>,
    /// The signals of which one breaks first.
    pub first: Vec<String>,
    /// Which orders are hit worst.
    pub segment: BTreeMap<String, String>,
    /// When what began, RFC 3339 in WIB.
    pub onsets: BTreeMap<String, String>,
    /// Orders and money by class.
    pub classes: BTreeMap<String, Sum>,
}

/// So many orders, and so much money in rupiah: what was paid, or what was ordered where nothing was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub orders: u64,
    /// How much.
    pub amount: i64,
}

/// What is declared of a scenario.
pub fn declared(name: &str) -> Result<Declared, String> {
    let text = bundle::truth(name).ok_or_else(|| format!("of scenario {name} no truth is declared"))?;
    toml::from_str(text).map_err(|e| format!("truth of scenario {name}: {e}"))
}

/// What is true of a day, of the orders born in a stretch.
pub fn of(day: &Day, from: Ms, to: Ms) -> Result<Truth, String> {
    let declared = declared(&day.scenario.name)?;
    let wib = crate::model::Zone::wib();
    Ok(Truth {
        scenario: day.scenario.name.clone(),
        seed: day.seed,
        cause: declared.cause,
        contributing: declared.contributing,
        first: declared.first,
        segment: declared.segment,
        onsets: onsets(day).into_iter().map(|(name, at)| (name.to_owned(), wib.rfc3339(at))).collect(),
        classes: classes(day, from, to),
    })
}

/// Orders and money by class, of the orders born in a stretch.
pub fn classes(day: &Day, from: Ms, to: Ms) -> BTreeMap<String, Sum> {
    let mut out: BTreeMap<String, Sum> = BTreeMap::new();
    for (life, class, amount) in fates(day).filter(|(l, ..)| from <= l.born && l.born < to) {
        debug_assert!(life.born > 0);
        let sum = out.entry(class.to_owned()).or_default();
        sum.orders += 1;
        sum.amount += amount;
    }
    out
}

/// The class of every order, by its number.
pub fn by_order(day: &Day) -> BTreeMap<OrderId, &'static str> {
    fates(day).map(|(life, class, _)| (order_id(life).into(), class)).collect()
}

fn fates(day: &Day) -> impl Iterator<Item = (&Life, &'static str, i64)> {
    let h = &day.history;
    // A second payment of one order is rare; whoever has one is looked up here.
    let mut twice: BTreeMap<u32, i64> = BTreeMap::new();
    for (i, p) in h.payments.iter().enumerate() {
        let first = h.lives[p.order as usize].payment as usize == i;
        if !first && p.paid == Paid::Paid {
            *twice.entry(p.order).or_default() += 1;
        }
    }
    h.lives.iter().enumerate().filter(|(_, l)| day.holds(l)).map(move |(i, life)| {
        let payment = h.payments.get(life.payment as usize);
        let paid = i64::from(payment.is_some_and(|p| p.paid == Paid::Paid)) + twice.get(&(i as u32)).unwrap_or(&0);
        let amount = i64::from(life.amount) * paid.max(1);
        (life, fate(life, payment, paid), amount)
    })
}

/// What became of an order, by what the platform did with it.
fn fate(life: &Life, payment: Option<&Payment>, paid: i64) -> &'static str {
    if paid > 1 {
        return "duplicate_charge";
    }
    let booked = payment.is_some_and(|p| p.booked);
    match (life.status, life.gave_up) {
        (Status::Complete, _) if paid == 1 && booked => "ok",
        (Status::Complete, _) if paid == 1 => "charged_not_recorded",
        (Status::Complete, _) => "complete_not_charged",
        (Status::Failed | Status::Expired, _) if paid == 1 => "failed_but_charged",
        (Status::Failed | Status::Expired | Status::Refused, _) => "ok",
        (Status::Active, Some((Step::Complete, Why::Overwritten))) => "paid_stuck_recorded",
        (Status::Active, _) if paid == 1 && booked => "paid_stuck_recorded",
        (Status::Active, _) if paid == 1 => match payment {
            Some(p) if p.acknowledged => "acked_not_recorded",
            Some(p) if p.told > 0 => "paid_stuck_unrecorded_callback_failed",
            _ => "paid_stuck_unrecorded_never_sent",
        },
        (Status::Active, _) if payment.is_some_and(|p| p.paid == Paid::Pending) => "payment_pending_stuck",
        (Status::Active, _) => "unpaid_stuck",
    }
}

/// A test on one minute, against the same minute of the usual Sunday.
type Sign = fn(&Minute<'_>, &Minute<'_>) -> bool;

/// What may begin, and how a minute of it looks: the first of three in a row is its onset.
const SIGNS: [(&str, Sign); 10] = [
    ("users", |m, usual| m.bucket.users >= 1.2 * usual.bucket.users),
    ("pool", |m, _| f64::from(m.bucket.used_mean()) >= 0.95 * m.size()),
    ("pool_wait", |m, _| m.pool_wait() >= 0.5),
    ("errors", |m, _| m.errors() >= 2.0),
    ("callbacks", |m, _| m.bucket.told > 0.0 && m.bucket.acknowledged < 0.9 * m.bucket.told),
    ("vendor", |m, usual| slow(&m.bucket.gateway, &usual.bucket.gateway, 2.0)),
    ("upg", |m, usual| slow(&m.bucket.upg, &usual.bucket.upg, 1.5)),
    ("timeouts", |m, _| m.bucket.timeouts >= 0.01 * m.bucket.calls.max(1.0) && m.bucket.timeouts >= 3.0),
    ("orchestrator", |m, _| m.bucket.up < 0.5),
    ("gave_up", |m, _| m.bucket.gave_up >= 0.01 * m.bucket.born.max(1.0) && m.bucket.gave_up >= 5.0),
];

fn slow(
    now: &crate::simulator::platform::meter::Took,
    usual: &crate::simulator::platform::meter::Took,
    by: f32,
) -> bool {
    now.quantile(0.95).zip(usual.quantile(0.95)).is_some_and(|(n, u)| n >= by * u)
}

/// When what began.
pub fn onsets(day: &Day) -> BTreeMap<&'static str, Stamp> {
    let mut out = BTreeMap::new();
    let (from, to) = (day.lived.0.max(ms(stamp(0)) + 60 * MINUTE), day.lived.1);
    for (name, sign) in SIGNS {
        let mut in_a_row = 0;
        let mut at = from;
        while at < to {
            let both = signals::minute(day, at, false).zip(signals::minute(day, at, true));
            in_a_row = if both.is_some_and(|(m, usual)| sign(&m, &usual)) { in_a_row + 1 } else { 0 };
            if in_a_row == 3 {
                out.insert(name, stamp(at - 2 * MINUTE));
                break;
            }
            at += MINUTE;
        }
    }
    // A breaker need not stay open for three minutes to have opened.
    let opened = day.history.lines.iter().find(|l| l.says == crate::simulator::platform::life::Says::BreakerOpened);
    if let Some(line) = opened {
        out.insert("breaker", stamp(line.at).floor(Lapse::minutes(1), &crate::model::Zone::wib()));
    }
    out
}

/// How many of a hundred orders of a segment stay ACTIVE, and of the others; of those born in a stretch.
pub fn stuck_in(day: &Day, segment: &BTreeMap<String, String>, from: Ms, to: Ms) -> [f64; 2] {
    let mut counts = [[0_u32; 2]; 2];
    for life in day.history.lives.iter().filter(|l| from <= l.born && l.born < to && l.born > 0) {
        let inside = segment.iter().all(|(column, value)| match column.as_str() {
            "payment_method" => METHODS[usize::from(life.method)].0 == value,
            "region" => REGIONS[usize::from(life.region)].0 == value,
            _ => false,
        });
        let slot = &mut counts[usize::from(!inside)];
        slot[0] += u32::from(life.stuck());
        slot[1] += 1;
    }
    counts.map(|[stuck, all]| 100.0 * f64::from(stuck) / f64::from(all.max(1)))
}
