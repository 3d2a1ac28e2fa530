//! What was handed over already: the newest points of each series, and what the series was said to be.
//!
//! The newest stretch is asked for again and again, for points that come late; only those that are new or
//! changed go on. May not know: how points are asked for.

use crate::config::cloud_metrics::Target;
use crate::model::batch::Samples;
use crate::model::series::{SeriesCard, SeriesName};
use crate::model::{Fact, Lapse, Stamp};
use crate::source::huawei::ces::Got;
use std::collections::BTreeMap;

/// Points this much older than the newest are not remembered: they are not asked for twice.
const REMEMBERED: Lapse = Lapse::hours(1);

/// What is known of one target.
#[derive(Clone, Debug)]
pub struct Known {
    name: SeriesName,
    from: String,
    /// The newest point there was.
    pub newest: Option<Stamp>,
    seen: BTreeMap<Stamp, f64>,
    card: Option<SeriesCard>,
}

impl Known {
    /// Nothing yet.
    pub fn new(target: &Target) -> Self {
        Self {
            name: target.series.as_str().into(),
            from: origin(target),
            newest: None,
            seen: BTreeMap::new(),
            card: None,
        }
    }

    /// Its series.
    pub const fn name(&self) -> &SeriesName {
        &self.name
    }

    /// Takes in an answer: the card when it says something new, and the points that are new or changed.
    pub fn take(&mut self, got: &Got) -> (Option<SeriesCard>, Vec<(Stamp, f64)>) {
        let card = SeriesCard {
            name: self.name.clone(),
            unit: got.unit,
            unit_said: got.said.as_str().into(),
            from: self.from.as_str().into(),
            counted: None,
        };
        // An answer without points may name no unit: it says nothing about the points there were.
        let tells = !got.points.is_empty() && self.card.as_ref() != Some(&card);
        let news = tells.then(|| {
            self.card = Some(card.clone());
            card
        });
        let fresh: Vec<(Stamp, f64)> = got
            .points
            .iter()
            .filter(|(at, v)| self.seen.get(at).is_none_or(|s| s.to_bits() != v.to_bits()))
            .copied()
            .collect();
        self.newest = self.newest.max(got.points.last().map(|(at, _)| *at));
        if let Some(newest) = self.newest {
            let keep = newest - REMEMBERED;
            self.seen.extend(fresh.iter().filter(|(at, _)| *at >= keep).copied());
            self.seen = self.seen.split_off(&keep);
        }
        (news, fresh)
    }
}

/// Where a series is from, in words: `SYS.RDS rds083_conn_usage of pg-order (3c8c…in03), max`.
fn origin(target: &Target) -> String {
    let ids: Vec<String> = target.dimensions.iter().map(|(_, value)| shortened(value)).collect();
    let Target { namespace, metric, instance, filter, .. } = target;
    format!("{namespace} {metric} of {instance} ({}), {}", ids.join(" "), filter.word())
}

/// An id by its ends.
pub fn shortened(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= 12 {
        return id.to_owned();
    }
    let (head, tail) = (letters.iter().take(4), letters.iter().skip(letters.len() - 4));
    head.chain(std::iter::once(&'…')).chain(tail).collect()
}

/// Points gathered into facts: one for each instant, oldest first.
#[derive(Debug, Default)]
pub struct Gathered {
    cards: Vec<SeriesCard>,
    points: BTreeMap<Stamp, Vec<(SeriesName, f64)>>,
}

impl Gathered {
    /// Adds what one series brought.
    pub fn add(&mut self, name: &SeriesName, card: Option<SeriesCard>, points: Vec<(Stamp, f64)>) {
        self.cards.extend(card);
        for (at, value) in points {
            self.points.entry(at).or_default().push((name.clone(), value));
        }
    }
    /// The facts; what the series are comes first.
    pub fn facts(self) -> impl Iterator<Item = Fact> {
        let cards = (!self.cards.is_empty()).then_some(Fact::Series(self.cards));
        cards.into_iter().chain(self.points.into_iter().map(|(at, values)| Fact::Samples(Samples { at, values })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::cloud_presets::Filter;
    use crate::model::series::Unit;

    fn target() -> Target {
        Target {
            series: "huawei.pg_conns".to_owned(),
            instance: "pg".to_owned(),
            namespace: "SYS.RDS".to_owned(),
            metric: "rds083_conn_usage".to_owned(),
            dimensions: vec![("postgresql_cluster_id".to_owned(), "3c8cc15614ab46f5b8743317555e0de2in03".to_owned())],
            filter: Filter::Max,
            said: "%",
            raw: Lapse::minutes(1),
            lane: None,
        }
    }

    fn got(points: &[(i64, f64)]) -> Got {
        let points = points.iter().map(|(s, v)| (Stamp::from_secs(*s), *v)).collect();
        Got { target: 0, said: "%".to_owned(), unit: Some(Unit::Percent), points }
    }

    #[test]
    fn only_new_late_and_changed_points_go_on() {
        let mut known = Known::new(&target());
        let at = Stamp::from_secs;
        assert_eq!(known.take(&got(&[(100, 1.0), (160, 2.0)])).1, [(at(100), 1.0), (at(160), 2.0)]);
        assert_eq!(known.take(&got(&[(100, 1.0), (160, 2.0)])).1, []);
        let (_, fresh) = known.take(&got(&[(100, 1.0), (130, 9.0), (160, 3.0), (220, 4.0)]));
        assert_eq!(fresh, [(at(130), 9.0), (at(160), 3.0), (at(220), 4.0)]);
        assert_eq!(known.newest, Some(at(220)));
    }

    #[test]
    fn a_card_comes_once_and_again_when_the_unit_changes() {
        let mut known = Known::new(&target());
        assert_eq!(known.take(&got(&[])).0, None, "no points, nothing to say of them");
        let card = known.take(&got(&[(100, 1.0)])).0.unwrap();
        assert_eq!(card.from.raw(), "SYS.RDS rds083_conn_usage of pg (3c8c…in03), max");
        assert_eq!(known.take(&got(&[(160, 1.0)])).0, None);
        let other = Got { said: "Count".to_owned(), unit: Some(Unit::Count), ..got(&[(220, 1.0)]) };
        assert_eq!(known.take(&other).0.map(|c| c.unit), Some(Some(Unit::Count)));
    }

    #[test]
    fn memory_of_points_is_an_hour() {
        let mut known = Known::new(&target());
        for minute in 0..600 {
            known.take(&got(&[(minute * 60, 1.0)]));
        }
        assert_eq!(known.seen.len(), 61);
    }

    #[test]
    fn points_of_one_instant_are_one_fact_after_the_cards() {
        let mut gathered = Gathered::default();
        let mut known = Known::new(&target());
        let (card, points) = known.take(&got(&[(100, 1.0), (160, 2.0)]));
        gathered.add(known.name(), card, points);
        gathered.add(&"huawei.other".into(), None, vec![(Stamp::from_secs(160), 5.0)]);
        let facts: Vec<Fact> = gathered.facts().collect();
        let [Fact::Series(_), Fact::Samples(first), Fact::Samples(second)] = facts.as_slice() else {
            panic!("{facts:?}")
        };
        assert_eq!((first.values.len(), second.values.len()), (1, 2));
    }
}
