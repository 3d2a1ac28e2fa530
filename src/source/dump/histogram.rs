//! Lines counted by time and level.

use crate::model::log::Level;
use crate::model::{Lapse, Stamp, Zone};
use crate::source::logs::glance::Glance;
use std::collections::BTreeMap;

/// The columns of a bucket.
pub const LEVELS: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

/// More buckets than this are nobody's histogram; lines beyond are counted as left out.
const MOST: usize = 200_000;

/// Lines by time and level.
#[derive(Clone, Debug)]
pub struct Histogram {
    by: i64,
    east: i64,
    buckets: BTreeMap<i64, [u64; 6]>,
    /// The bucket of the line before, which most lines share; it joins the others when it changes.
    near: i64,
    counts: [u64; 6],
    latest: i64,
    /// Lines without a time of their own: continued lines, stack traces, other text.
    pub untimed: u64,
    /// Lines that are older than one that stands before them.
    pub late: u64,
    /// Lines for which there was no room, when there are too many minutes.
    pub left_out: u64,
}

impl Histogram {
    /// Empty, by so long stretches that begin with the zone's hours and days.
    pub fn new(by: Lapse, zone: &Zone) -> Self {
        Self {
            by: by.0.max(1),
            east: i64::from(zone.east) * 1_000_000,
            buckets: BTreeMap::new(),
            near: i64::MIN,
            counts: [0; 6],
            latest: i64::MIN,
            untimed: 0,
            late: 0,
            left_out: 0,
        }
    }

    pub(super) fn count(&mut self, glance: Glance) {
        let Some(at) = glance.at else {
            self.untimed += 1;
            return;
        };
        let bucket = (at.0 + self.east).div_euclid(self.by);
        if bucket != self.near {
            self.settle();
            self.near = bucket;
        }
        self.late += u64::from(at.0 < self.latest);
        self.latest = self.latest.max(at.0);
        self.counts[glance.level.unwrap_or(Level::Info) as usize] += 1;
    }

    /// A file ends here: lateness is told inside a file, not between files.
    pub fn end_of_file(&mut self) {
        self.settle();
        self.latest = i64::MIN;
    }

    fn settle(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        if counts.iter().all(|n| *n == 0) {
            return;
        }
        if self.buckets.len() >= MOST && !self.buckets.contains_key(&self.near) {
            self.left_out += counts.iter().sum::<u64>();
            return;
        }
        let known = self.buckets.entry(self.near).or_default();
        for (known, n) in known.iter_mut().zip(counts) {
            *known += n;
        }
    }

    /// Adds what another one counted, of the same stretches.
    pub fn merge(&mut self, mut other: Self) {
        other.settle();
        self.settle();
        self.untimed += other.untimed;
        self.late += other.late;
        self.left_out += other.left_out;
        for (near, counts) in other.buckets {
            (self.near, self.counts) = (near, counts);
            self.settle();
        }
    }

    /// Every stretch that has lines, oldest first: when it begins and its lines by level.
    pub fn buckets(&self) -> impl Iterator<Item = (Stamp, &[u64; 6])> {
        self.buckets.iter().map(|(n, counts)| (Stamp(n * self.by - self.east), counts))
    }

    /// How long a stretch is.
    pub fn by(&self) -> Lapse {
        Lapse(self.by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: i64, level: Option<Level>) -> Glance {
        Glance { at: Some(Stamp::from_secs(second)), level }
    }

    #[test]
    fn lines_are_counted_where_they_belong_in_whatever_order_and_parts() {
        let zone = Zone::wib();
        let mut whole = Histogram::new(Lapse::minutes(1), &zone);
        let mut parts = [whole.clone(), whole.clone()];
        let lines = [
            line(125, Some(Level::Error)),
            line(61, None),
            line(119, Some(Level::Warn)),
            Glance::default(),
            line(120, Some(Level::Error)),
            line(-1, Some(Level::Fatal)),
        ];
        for (i, l) in lines.into_iter().enumerate() {
            whole.count(l);
            parts[i / 3].count(l);
        }
        whole.settle();
        let told = |h: &Histogram| h.buckets().map(|(at, n)| (at.0 / 1_000_000, *n)).collect::<Vec<_>>();
        assert_eq!(told(&whole), [(-60, [0, 0, 0, 0, 0, 1]), (60, [0, 0, 1, 1, 0, 0]), (120, [0, 0, 0, 0, 2, 0])]);
        assert_eq!((whole.untimed, whole.late, whole.left_out), (1, 4, 0));
        let [mut a, b] = parts;
        a.merge(b);
        assert_eq!((told(&a), a.untimed), (told(&whole), 1));
    }

    #[test]
    fn stretches_begin_with_the_days_of_the_zone_and_are_bounded() {
        let mut days = Histogram::new(Lapse::hours(24), &Zone::wib());
        days.count(Glance { at: Stamp::parse_rfc3339("2025-01-12T03:00:00+07:00"), level: None });
        days.settle();
        assert_eq!(days.buckets().next().map(|(at, _)| at), Stamp::parse_rfc3339("2025-01-12T00:00:00+07:00"));
        let mut many = Histogram::new(Lapse::seconds(1), &Zone::utc());
        for second in 0..MOST as i64 + 5 {
            many.count(line(second, None));
        }
        many.count(line(7, None));
        many.settle();
        assert_eq!((many.buckets().count(), many.left_out), (MOST, 5));
        assert_eq!(many.buckets().nth(7).map(|(_, n)| n[2]), Some(2));
    }
}
