//! Whether a signal broke, or is only busy: traffic explains a rise in proportion to itself, and no more.
//!
//! A signal broke where it stayed farther beyond its normal than the users are, where it reached a limit of its
//! own, where what hardly ever happens came in numbers, or where it rose and then stood still at its top, as
//! what is full does. None of it may be chance: with so many signals and minutes, something always is.

use super::{Minutes, chance, lasting};
use crate::analysis::lane::band::Normal;
use crate::analysis::lane::is_broken;
use crate::model::incident::Rules;
use crate::model::series::{Bad, Lane, Rollup, Unit};

/// The chance that anything at all is called broken in a window in which nothing is.
const WRONGLY: f64 = 0.01;
/// Lengths of the stretches in which rare events are counted, in columns.
const STRETCHES: [usize; 4] = [3, 6, 12, 24];
/// How series of states are named that are 1 when things are bad.
const STATES: [&str; 4] = ["_open", "_down", "_failed", "_failing"];
/// Events that are never too few to be news.
const FEW: f64 = 2.0;
/// Columns of the past without which no rate is known.
const PAST: f64 = 5.0;
/// Columns before a top that tell how often two neighbours are equal.
const BEFORE_TOP: usize = 15;
/// And how many of them have to be measured.
const BEFORE_TOP_LEAST: usize = 8;
/// Share by which neighbours differ, or are taken for equal.
const EQUAL: f64 = 1e-3;

/// A signal by the minute, and what the traffic was.
pub(super) struct Watched<'a> {
    pub(super) minutes: &'a Minutes,
    pub(super) lane: &'a Lane,
    pub(super) rules: &'a Rules,
    /// Users over normal, at least 1, of each column.
    pub(super) load: &'a [f64],
    /// How many signals are looked at.
    pub(super) signals: usize,
}

/// Where it stands in one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    /// Beyond the band, as wide as the traffic makes it: above or below.
    side: Option<Side>,
    /// Far enough to be broken.
    broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Watched<'_> {
    /// The column in which it left what the traffic explains, on its way to being broken, and the one in which
    /// it was; none when it did not break.
    pub(super) fn broke(&self) -> Option<(usize, usize)> {
        let standing: Vec<Option<Standing>> = (0..self.minutes.values.len()).map(|c| self.standing(c)).collect();
        if self.is_rare() {
            return self.in_numbers(&standing);
        }
        let stayed = self.stayed(&standing);
        let full = self.full();
        stayed.into_iter().chain(full).min()
    }

    /// The chance below which nothing is called chance.
    fn news(&self) -> f64 {
        WRONGLY / (self.signals.max(1) * self.minutes.values.len().max(1)) as f64
    }

    fn standing(&self, column: usize) -> Option<Standing> {
        let (value, normal) = (self.minutes.values[column]?, self.minutes.normal(column)?);
        let within = Standing { side: None, broken: false };
        let beyond = |normal: Normal, bad: Bad, side: Side| {
            let lane = Lane { bad, ..self.lane.clone() };
            normal.has_left(value, &lane).then(|| {
                let far = normal.departed(value, &lane, self.rules.spike_ratio);
                let limit = lane.broken_at.is_none() || is_broken(value, &lane);
                Standing { side: Some(side), broken: far && limit }
            })
        };
        let above = || beyond(self.busy(normal, column), Bad::High, Side::Above);
        let below = || beyond(normal, Bad::Low, Side::Below);
        let found = match self.lane.bad {
            Bad::High => above(),
            Bad::Low => below(),
            Bad::Both => above().or_else(below),
        };
        // What is full is full, whoever filled it.
        let full = self.lane.ceiling.is_some() && self.lane.bad == Bad::High && is_broken(value, self.lane);
        Some(match found {
            Some(standing) if !full => standing,
            _ if full => Standing { side: Some(Side::Above), broken: true },
            _ => within,
        })
    }

    /// The normal of a column if everything grew with the users.
    fn busy(&self, normal: Normal, column: usize) -> Normal {
        let load = if self.grows_with_traffic() { self.load[column] } else { 1.0 };
        let by = |value: f64| self.lane.floor + (value - self.lane.floor) * load;
        Normal { low: by(normal.low), median: by(normal.median), high: by(normal.high) }
    }

    /// Twice the users are twice the requests and twice the connections, but no longer a wait and no larger a
    /// share of errors. What is used of something is such a share, and grows.
    fn grows_with_traffic(&self) -> bool {
        self.lane.ceiling.is_some() || !matches!(self.lane.unit, Unit::Seconds | Unit::Percent)
    }

    /// Whether it counts, and never counted anything when all was well.
    fn is_rare(&self) -> bool {
        let known = (0..self.minutes.values.len()).filter_map(|c| self.minutes.normal(c));
        let mut normals = known.peekable();
        self.lane.bad != Bad::Low && self.counts() && normals.peek().is_some() && normals.all(|n| n.median == 0.0)
    }

    /// Whether its values are numbers of something.
    fn counts(&self) -> bool {
        self.minutes.values.iter().flatten().all(|v| *v >= 0.0 && v.fract() == 0.0)
    }

    /// The first column of a stretch that stayed broken for as long as rules say, dated back to where it left
    /// its band.
    fn stayed(&self, standing: &[Option<Standing>]) -> Option<(usize, usize)> {
        let counts = self.counts();
        let mut run: Vec<usize> = Vec::new();
        for (column, now) in standing.iter().enumerate() {
            let Some(now) = now else { continue };
            if run.first().is_some_and(|c| standing[*c].is_some_and(|before| before.side != now.side)) {
                run.clear();
            }
            if !now.broken {
                run.clear();
                continue;
            }
            run.push(column);
            let Some(newest) = run.len().checked_sub(lasting(self.rules)).map(|from| &run[from..]) else { continue };
            let counted = counts && now.side == Some(Side::Above);
            if counted && self.may_be_chance(newest) {
                continue;
            }
            let from = newest.first().copied()?;
            // A count leaves its band by chance every so often: only what is measured is dated back.
            let before = (0..from).rev().take_while(|c| !counted && standing[*c].is_some_and(|s| s.side == now.side));
            return Some((before.last().unwrap_or(from), from));
        }
        None
    }

    /// Whether so many are no news, for a count that strays as counts of chance events do.
    fn may_be_chance(&self, columns: &[usize]) -> bool {
        let (mut count, mut mean, mut strays) = (0.0, 0.0, false);
        for column in columns {
            let (Some(value), Some(normal)) = (self.minutes.values[*column], self.minutes.normal(*column)) else {
                continue;
            };
            count += value;
            mean += self.busy(normal, *column).median;
            strays |= normal.high - normal.low >= normal.median.sqrt();
        }
        strays && chance::at_least(count, mean) > self.news()
    }

    /// The first event of a stretch with more of them than chance brings.
    fn in_numbers(&self, standing: &[Option<Standing>]) -> Option<(usize, usize)> {
        let events: Vec<f64> = (0..standing.len()).map(|c| self.events(c)).collect();
        let seen = |from: usize, to: usize| {
            let columns = (from..to).filter(|c| self.minutes.values[*c].is_some());
            columns.fold((0.0, 0.0), |(count, time), c| (count + events[c], time + self.load[c]))
        };
        let usual = self.minutes.baseline.is_some().then_some((0.0, standing.len() as f64));
        let flag = self.is_flag();
        for (column, _) in standing.iter().enumerate().filter(|(_, s)| s.is_some_and(|s| s.broken)) {
            for length in STRETCHES {
                let from = (column + 1).saturating_sub(length);
                let (count, time) = seen(from, column + 1);
                let (before, past) = usual.unwrap_or_else(|| seen(0, from));
                let news = self.news() / STRETCHES.len() as f64;
                let chance = || chance::after(count.min(1e6) as u32, before, past / time);
                if count >= FEW && past >= PAST && (flag || chance() < news) {
                    return (from..=column).find(|c| events[*c] > 0.0).map(|first| (first, column));
                }
            }
        }
        None
    }

    /// Whether it says that something is in a bad state, and never said so in the baseline: a breaker that is
    /// open is no count of anything, and to be open twice is enough.
    fn is_flag(&self) -> bool {
        let never = |c: usize| self.minutes.normal(c).is_none_or(|n| n.high == 0.0);
        let known = || self.minutes.values.iter().flatten();
        let named = STATES.iter().any(|end| self.lane.series.ends_with(end));
        named && self.minutes.baseline.is_some() && known().all(|v| *v <= 1.0) && (0..self.load.len()).all(never)
    }

    /// What happened in a column. A running total without a baseline tells it by its growth.
    fn events(&self, column: usize) -> f64 {
        let value = |c: usize| self.minutes.values[c].unwrap_or(0.0);
        if self.minutes.baseline.is_some() || self.lane.rollup == Rollup::SumPerMinute {
            return value(column);
        }
        (value(column) - column.checked_sub(1).map_or(0.0, value)).max(0.0)
    }

    /// The first column of a stretch in which it stood still at its top, above its band: a pool hands out its
    /// last connection and no more. Neighbours that are equal by chance are counted before.
    fn full(&self) -> Option<(usize, usize)> {
        if self.lane.bad == Bad::Low {
            return None;
        }
        let mut top: Option<f64> = None;
        let (mut from, mut length) = (0, 0_i32);
        for (column, value) in self.minutes.values.iter().enumerate() {
            let (Some(value), Some(normal)) = (*value, self.minutes.normal(column)) else { continue };
            let Some(most) = top.filter(|top| value <= top + EQUAL * top.abs()) else {
                (top, from, length) = (Some(value), column, 1);
                continue;
            };
            if value < most - EQUAL * most.abs() {
                length = 0;
                continue;
            }
            if length == 0 {
                from = column;
            }
            length += 1;
            let wide = normal.high - normal.low;
            let moves = wide > 0.01 * normal.median.abs();
            if moves && value > normal.high + wide / 2.0 && self.equals_before(from).powi(length - 1) < self.news() {
                return Some((from, from));
            }
        }
        None
    }

    /// How likely two neighbours are equal, by those before a column.
    fn equals_before(&self, column: usize) -> f64 {
        let before = &self.minutes.values[column.saturating_sub(BEFORE_TOP)..column];
        let before: Vec<f64> = before.iter().flatten().copied().collect();
        if before.len() < BEFORE_TOP_LEAST {
            return 1.0;
        }
        let equal = before.windows(2).filter(|w| (w[1] - w[0]).abs() <= EQUAL * w[1].abs()).count();
        (equal + 1) as f64 / (before.len() + 1) as f64
    }
}
