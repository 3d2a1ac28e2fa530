//! Limits beside values: what is configured or known, what is measured against it, and what would be left
//! of it with more users.
//!
//! What a number of users needs is the median of the minutes that had about so many, where there were such
//! minutes; else an estimate: the line of Theil and Sen through the minutes in which the limit was not
//! reached (a full pool says nothing about how much more was wanted). Without a relation there is no
//! estimate. May not know: how a limit is drawn.

use crate::model::incident::Limit;
use crate::model::series::Unit;
use crate::model::{Lapse, Span, Stamp};
use crate::store::{Series, Store};

/// A limit counts as reached within this share of it: pools are full in whole connections.
const REACHED: f64 = 0.99;
/// Minutes with a number of users this near to the wanted one say what it needs.
const NEAR: f64 = 0.1;
/// So many such minutes at least.
const FEWEST_NEAR: usize = 3;
/// A line needs so many minutes…
const FEWEST_FOR_LINE: usize = 20;
/// …users that differ by this factor between a tenth and nine tenths of them…
const SPREAD: f64 = 1.15;
/// …and this much more pairs of minutes that rise together than such that do not (Kendall's tau).
const RELATED: f64 = 0.4;
/// Minutes taken into the line at most, evenly spread: every pair is looked at.
const MOST_FOR_LINE: usize = 120;

const MINUTE: Lapse = Lapse::minutes(1);

/// What so many users need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need {
    /// There were such minutes: their median.
    Measured(f64),
    /// So much follows from the minutes that there were.
    Estimated(f64),
    /// Fewer users reached the limit already; how much more is needed nothing tells.
    AtLeast(f64),
}

impl Need {
    /// The number.
    pub const fn value(self) -> f64 {
        match self {
            Self::Measured(v) | Self::Estimated(v) | Self::AtLeast(v) => v,
        }
    }
}

/// One limit with what is measured against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The limit.
    pub limit: Limit,
    /// Unit of all its values.
    pub unit: Unit,
    /// Whether somebody configured it; else a source told it.
    pub configured: bool,
    /// The newest value at the cursor, with its instant.
    pub now: Option<(Stamp, f64)>,
    /// The largest value of the scope up to the cursor, with its minute.
    pub peak: Option<(Stamp, f64)>,
    /// What the users asked for need, in their order.
    pub needs: Vec<Option<Need>>,
}

impl Row {
    /// Whether a value has reached the limit.
    pub fn is_reached(&self, value: f64) -> bool {
        is_reached(&self.limit, value)
    }
}

/// Whether a value has reached a limit.
pub fn is_reached(limit: &Limit, value: f64) -> bool {
    value >= limit.value * REACHED
}

/// What a source says of itself that bounds a series: the connections a database takes, the size of a pool.
fn told(store: &Store, series: &str, at: Stamp) -> Option<Limit> {
    let limit = |name: String, value: f64, of: String| Limit {
        name,
        value,
        series: series.to_owned(),
        unit: Some(Unit::Count),
        of,
    };
    if let Some(name) = series.strip_suffix(".connections") {
        let look = store.database(name)?.at(at)?;
        let usable = look.max_connections.checked_sub(look.reserved).filter(|n| *n > 0)?;
        let of =
            if look.reserved > 0 { format!("{} − {}", look.max_connections, look.reserved) } else { String::new() };
        return Some(limit(format!("max_connections of {name}"), f64::from(usable), of));
    }
    let pool = series.strip_suffix("pool_acquired")?;
    let (_, size) = store.series(&format!("{pool}pool_max"))?.at(at).filter(|(_, size)| *size > 0.0)?;
    let of = pool.split('.').next().unwrap_or_default();
    Some(limit(format!("pool of {of}"), size, String::new()))
}

/// The tightest limit of a series at an instant: a configured one, else what its source says of itself.
pub fn of_series(store: &Store, series: &str, at: Stamp) -> Option<Limit> {
    let configured = store.incident.limits.iter().filter(|l| l.series == series);
    let tightest = configured.min_by(|a, b| a.value.total_cmp(&b.value)).cloned();
    tightest.or_else(|| told(store, series, at))
}

/// All limits at an instant, and whether each is configured: those come first, then what sources say of
/// themselves where nobody configured one for the same series.
pub fn known(store: &Store, at: Stamp) -> Vec<(Limit, bool)> {
    let configured = &store.incident.limits;
    let databases = store.databases().map(|(name, _)| format!("{name}.connections"));
    let pools = store.series_names().filter(|n| n.ends_with("pool_acquired")).map(ToString::to_string);
    let open = databases.chain(pools).filter(|series| configured.iter().all(|l| l.series != *series));
    let told = open.filter_map(|series| told(store, &series, at)).map(|l| (l, false));
    configured.iter().map(|l| (l.clone(), true)).chain(told).collect()
}

/// The limits with what was measured in `scope` up to `at`, and what each number of `users` needs.
pub fn table(store: &Store, scope: Span, at: Stamp, users: &[f64]) -> Vec<Row> {
    let seen = Span::new(scope.from, scope.to.min(at + Lapse(1)).max(scope.from));
    let spans: Vec<Span> = store.incident.baseline.into_iter().chain([seen]).collect();
    let crowd = store.incident.lanes.iter().find(|l| l.trigger).and_then(|l| store.series(&l.series));
    let row = |(limit, configured): (Limit, bool)| {
        let series = store.series(&limit.series);
        let pairs = match (crowd, series) {
            (Some(crowd), Some(series)) => spans.iter().flat_map(|s| pairs(crowd, series, *s)).collect(),
            _ => Vec::new(),
        };
        let line = line(pairs.iter().filter(|(_, v)| !is_reached(&limit, *v)).copied().collect());
        let mut needs: Vec<Option<Need>> = users.iter().map(|n| need(&pairs, line, *n)).collect();
        let full = users.iter().zip(&needs).filter(|(_, n)| n.is_some_and(|n| is_reached(&limit, n.value())));
        if let Some(enough) = full.map(|(users, _)| *users).reduce(f64::min) {
            for (_, need) in users.iter().zip(&mut needs).filter(|(u, n)| **u > enough && n.is_none()) {
                *need = Some(Need::AtLeast(limit.value));
            }
        }
        Row {
            unit: unit(store, &limit),
            now: series.and_then(|s| s.at(at)),
            peak: series.and_then(|s| peak(s, seen)),
            needs,
            limit,
            configured,
        }
    };
    known(store, at).into_iter().map(row).collect()
}

fn unit(store: &Store, limit: &Limit) -> Unit {
    let lane = store.incident.lanes.iter().find(|l| *l.series == *limit.series).map(|l| l.unit);
    let card = store.card(&limit.series).and_then(|c| c.unit);
    limit.unit.or(card).or(lane).unwrap_or(Unit::Count)
}

fn peak(series: &Series, span: Span) -> Option<(Stamp, f64)> {
    let from = Stamp(span.from.0.div_euclid(MINUTE.0) * MINUTE.0);
    let minutes = usize::try_from((span.to.since(from).0 + MINUTE.0 - 1) / MINUTE.0).unwrap_or(0);
    let values = series.columns(from, MINUTE, minutes);
    let most = values.iter().enumerate().filter_map(|(i, b)| Some((i, b.as_ref()?.max)));
    // The first of equals: a pool that stays full was full from then on.
    let (i, value) = most.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some((from + MINUTE.times(i as i64), value))
}

/// Users and value of every minute of a stretch that has both: the mean of the users, the largest value.
fn pairs(crowd: &Series, series: &Series, span: Span) -> Vec<(f64, f64)> {
    let from = Stamp(span.from.0.div_euclid(MINUTE.0) * MINUTE.0);
    let minutes = usize::try_from(span.to.since(from).0 / MINUTE.0).unwrap_or(0);
    let (users, values) = (crowd.columns(from, MINUTE, minutes), series.columns(from, MINUTE, minutes));
    let both = users.into_iter().zip(values);
    both.filter_map(|(u, v)| Some((u.map(|u| u.sum / f64::from(u.count.max(1)))?, v?.max))).collect()
}

fn need(pairs: &[(f64, f64)], line: Option<(f64, f64)>, users: f64) -> Option<Need> {
    let mut near: Vec<f64> = pairs.iter().filter(|(u, _)| (u - users).abs() <= users * NEAR).map(|(_, v)| *v).collect();
    if near.len() >= FEWEST_NEAR {
        return Some(Need::Measured(median(&mut near)));
    }
    let (slope, level) = line?;
    Some(Need::Estimated((level + slope * users).max(0.0)))
}

/// Slope and level of the line through the pairs, when they have one.
fn line(pairs: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    if pairs.len() < FEWEST_FOR_LINE {
        return None;
    }
    let step = pairs.len().div_ceil(MOST_FOR_LINE);
    let some: Vec<(f64, f64)> = pairs.into_iter().step_by(step).collect();
    let mut users: Vec<f64> = some.iter().map(|p| p.0).collect();
    users.sort_by(f64::total_cmp);
    let (low, high) = (users[users.len() / 10], users[users.len() * 9 / 10]);
    if low <= 0.0 || high < low * SPREAD {
        return None;
    }
    let (mut slopes, mut tau) = (Vec::with_capacity(some.len() * some.len() / 2), 0i64);
    for (i, a) in some.iter().enumerate() {
        for b in &some[i + 1..] {
            let (du, dv) = (b.0 - a.0, b.1 - a.1);
            // Minutes with nearly the same users tell noise from noise.
            if du.abs() < (high - low) * 0.05 {
                continue;
            }
            slopes.push(dv / du);
            tau += if dv * du > 0.0 { 1 } else { -i64::from(dv * du < 0.0) };
        }
    }
    if slopes.is_empty() || (tau as f64) < RELATED * slopes.len() as f64 {
        return None;
    }
    let slope = median(&mut slopes);
    let mut levels: Vec<f64> = some.iter().map(|(u, v)| v - slope * u).collect();
    Some((slope, median(&mut levels)))
}

/// The middle value; the lower one of two.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len().saturating_sub(1) / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::Samples;
    use crate::model::series::{Bad, Lane, Rollup};
    use crate::model::{Batch, Fact};

    const FROM: Stamp = Stamp(1_736_683_200_000_000);

    fn lane(series: &str, trigger: bool) -> Lane {
        Lane {
            group: "traffic".into(),
            name: series.into(),
            series: series.into(),
            unit: Unit::Count,
            rollup: Rollup::Max,
            bad: Bad::High,
            floor: 0.0,
            ceiling: None,
            lag: Lapse::ZERO,
            trigger,
            broken_at: None,
        }
    }

    /// An hour in which users go from 20k to 79k, and what they need is `of` them.
    fn world(of: impl Fn(i64, f64) -> Option<f64>) -> Store {
        let mut store = Store::default();
        store.incident.lanes = vec![lane("m.users", true), lane("m.pool", false)];
        store.incident.limits =
            vec![Limit { name: "pool".into(), value: 160.0, series: "m.pool".into(), unit: None, of: String::new() }];
        for minute in 0..60 {
            let users = 20_000.0 + 1_000.0 * minute as f64;
            let mut values = vec![("m.users".into(), users)];
            values.extend(of(minute, users).map(|v| ("m.pool".into(), v)));
            let facts = vec![Fact::Samples(Samples { at: FROM + MINUTE.times(minute), values })];
            store.apply(&Batch { source: "m".into(), seq: minute as u64 + 1, seen: FROM, facts });
        }
        store
    }

    fn hour() -> Span {
        Span::new(FROM, FROM + Lapse::hours(1))
    }

    #[test]
    fn what_was_measured_is_said_and_what_was_not_is_estimated_from_below_the_limit() {
        // A connection for every 400 users, until the pool is full.
        let store = world(|minute, users| Some((users / 400.0 + (minute % 3) as f64).min(160.0)));
        let rows = table(&store, hour(), hour().to, &[30_000.0, 77_000.0, 100_000.0]);
        let row = &rows[0];
        let Some(Need::Measured(at_30k)) = row.needs[0] else { panic!("{:?}", row.needs) };
        assert!((at_30k - 75.0).abs() < 4.0, "{at_30k}");
        assert_eq!(row.needs[1], Some(Need::Measured(160.0)));
        let Some(Need::Estimated(at_100k)) = row.needs[2] else { panic!("{:?}", row.needs) };
        assert!((at_100k - 251.0).abs() < 6.0, "a full pool hides what was wanted: {at_100k}");
        assert_eq!(row.peak.map(|p| p.1), Some(160.0));
        let full = FROM + MINUTE.times(44);
        assert!(row.peak.is_some_and(|p| p.0 <= full), "the first full minute: {:?}", row.peak);
        assert!(row.is_reached(159.0) && !row.is_reached(150.0));
    }

    #[test]
    fn without_a_relation_there_is_no_estimate() {
        let store = world(|minute, _| Some(f64::from((minute * 37 % 11) as i32)));
        let rows = table(&store, hour(), hour().to, &[100_000.0]);
        assert_eq!(rows[0].needs, [None]);
    }

    #[test]
    fn what_was_full_with_fewer_users_is_full_with_more_even_when_nothing_tells_how_much() {
        let store = world(|minute, users| Some(if users > 60_000.0 { 160.0 } else { f64::from((minute % 3) as i32) }));
        let rows = table(&store, hour(), hour().to, &[30_000.0, 70_000.0, 100_000.0]);
        assert_eq!(rows[0].needs[1..], [Some(Need::Measured(160.0)), Some(Need::AtLeast(160.0))]);
    }

    #[test]
    fn what_nobody_measured_is_not_zero() {
        let store = world(|_, _| None);
        let rows = table(&store, hour(), hour().to, &[30_000.0]);
        assert_eq!((rows[0].now, rows[0].peak, rows[0].needs[0]), (None, None, None));
    }

    #[test]
    fn nothing_after_the_cursor_counts() {
        let store = world(|_, users| Some(users / 1_000.0));
        let rows = table(&store, hour(), FROM + Lapse::minutes(10), &[77_000.0]);
        assert_eq!(rows[0].peak, Some((FROM + MINUTE.times(10), 30.0)));
        assert_eq!(rows[0].now, Some((FROM + MINUTE.times(10), 30.0)));
        assert_eq!(rows[0].needs, [None], "eleven minutes are no line");
    }

    #[test]
    fn a_pool_that_says_its_size_is_a_limit_unless_somebody_configured_one() {
        let mut store = world(|_, users| Some(users));
        let values = vec![("go.pool_max".into(), 25.0), ("go.pool_acquired".into(), 24.0)];
        let facts = vec![Fact::Samples(Samples { at: FROM, values })];
        store.apply(&Batch { source: "go".into(), seq: 1, seen: FROM, facts });
        let of = |s: &Store| of_series(s, "go.pool_acquired", FROM).map(|l| (l.name, l.value));
        assert_eq!((known(&store, FROM).len(), of(&store)), (2, Some(("pool of go".to_owned(), 25.0))));
        store.incident.limits[0].series = "go.pool_acquired".into();
        assert_eq!((known(&store, FROM).len(), of(&store)), (1, Some(("pool".to_owned(), 160.0))));
    }
}
