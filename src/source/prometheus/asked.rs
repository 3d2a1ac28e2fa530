//! One query of a server with what is known of it: what was handed over, what its answers make of its
//! series, and why it is not answered.
//!
//! May not know: HTTP, when it is asked.

use crate::config::prometheus::PromQuery;
use crate::model::series::{SeriesCard, SeriesName};
use crate::model::{Fact, Lapse, Span, Stamp};
use crate::source::prometheus::door::No;
use crate::source::prometheus::matrix::{Answer, Members, Points, Taken};
use std::collections::BTreeMap;

/// Points that are gone through where others wait: about as many as 128 KiB hold.
const TAKE_AT_ONCE: usize = 5_000;

/// A query with what is known of it.
#[derive(Debug)]
pub(super) struct Asked {
    /// As configured.
    pub query: PromQuery,
    /// Its series, or that of all its members.
    pub series: SeriesName,
    /// The series it is split into.
    pub members: Members,
    /// Up to here points were asked for.
    pub until: Option<Stamp>,
    /// The newest points handed over, to tell what is new.
    pub known: Points,
    /// Why it is not answered, in words.
    pub trouble: Option<String>,
    /// Why its answer cannot be drawn.
    pub odd: Option<String>,
    /// It never will be.
    pub hopeless: bool,
    /// Its newest point.
    pub newest: Option<Stamp>,
    /// Of how many series the cards were handed over.
    pub told: usize,
}

/// What a round brings.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// Values by their instant.
    pub points: BTreeMap<Stamp, Vec<(SeriesName, f64)>>,
    /// Everything else.
    pub facts: Vec<Fact>,
    /// Points that lay in the future.
    pub future: usize,
}

impl Asked {
    /// A query of the server of this name that was not asked yet.
    pub fn new(server: &str, query: &PromQuery) -> Self {
        Self {
            series: format!("{server}.{}", query.name).into(),
            query: query.clone(),
            members: Members::default(),
            until: None,
            known: Points::new(),
            trouble: None,
            odd: None,
            hopeless: false,
            newest: None,
            told: 0,
        }
    }

    /// What an answer gives; a long one is gone through away from the async threads, where it would hold up
    /// others.
    pub async fn take(&mut self, answer: Answer, within: Span, latest: Stamp) -> Taken {
        if answer.points() <= TAKE_AT_ONCE {
            return answer.take(&self.query, &self.series, within, latest, &mut self.members);
        }
        let (query, series, mut members) = (self.query.clone(), self.series.clone(), self.members.clone());
        let work = move || (answer.take(&query, &series, within, latest, &mut members), members);
        match tokio::task::spawn_blocking(work).await {
            Ok((taken, members)) => {
                self.members = members;
                taken
            }
            Err(_) => Taken { odd: Some("reading the answer failed inside warroom".to_owned()), ..Taken::default() },
        }
    }

    /// Keeps what is new. With `forget` it is a look at now: older points need not be remembered.
    pub fn learn(&mut self, taken: Taken, forget: Option<Stamp>, out: &mut Brought) {
        (self.trouble, self.odd) = (None, taken.odd);
        out.future += taken.future;
        for (name, points) in taken.points {
            self.newest = self.newest.max(points.last_key_value().map(|(at, _)| *at));
            let known = self.known.get(&name);
            let fresh: BTreeMap<Stamp, f64> = points
                .into_iter()
                .filter(|(at, v)| known.and_then(|k| k.get(at)).is_none_or(|old| old.to_bits() != v.to_bits()))
                .collect();
            for (at, value) in &fresh {
                out.points.entry(*at).or_default().push((name.clone(), *value));
            }
            if forget.is_some() {
                self.known.entry(name).or_default().extend(fresh);
            }
        }
        if let Some(before) = forget {
            for points in self.known.values_mut() {
                *points = points.split_off(&before);
            }
            self.known.retain(|_, points| !points.is_empty());
        }
    }

    /// Notes why it was not answered.
    pub fn refused(&mut self, no: No) {
        match no {
            No::Question(says) => (self.trouble, self.hopeless) = (Some(says), true),
            No::Amount(says) | No::Moment(says) => self.trouble = Some(says),
            No::Slow(condition) => self.trouble = Some(condition.says.raw().to_owned()),
            No::Server(..) => {}
        }
    }

    /// What its series are.
    pub fn cards(&self) -> Vec<SeriesCard> {
        let card = |name: SeriesName, from: String| SeriesCard {
            name,
            unit: Some(self.query.unit),
            unit_said: String::new().into(),
            from: from.into(),
            counted: None,
        };
        let Some(split) = &self.query.split else { return vec![card(self.series.clone(), self.query.promql.clone())] };
        let (shown, beyond) = (self.members.count(), self.members.beyond());
        let all = format!(
            "{} of {} by {}, {shown} of {} shown",
            across(split.across),
            self.query.promql,
            split.by,
            shown + beyond
        );
        let mut out = vec![card(self.series.clone(), all)];
        let each = self
            .members
            .names()
            .map(|(value, name)| card(name.clone(), format!("{} where {} is {value}", self.query.promql, split.by)));
        out.extend(each);
        out
    }
}

fn across(across: crate::config::measure::Across) -> &'static str {
    use crate::config::measure::Across as A;
    match across {
        A::Sum => "sum",
        A::Max => "largest",
        A::Min => "smallest",
        A::Mean => "mean",
    }
}

/// A query's words in `Fetched`: another expression, step or split is another question.
pub(super) fn what(query: &PromQuery, step: Lapse) -> String {
    let by = query.split.as_ref().map_or("", |s| s.by.as_str());
    format!("{}: {} every {} s by {by}", query.name, query.promql, step.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::measure::Across;
    use crate::config::prometheus::Split;
    use crate::model::series::Unit;

    /// Each of so many pods has so many points, a second apart.
    fn body(pods: usize, points: usize) -> String {
        let values: Vec<String> = (0..points).map(|i| format!("[{i},\"{i}\"]")).collect();
        let one = |pod: usize| format!(r#"{{"metric":{{"pod":"{pod}"}},"values":[{}]}}"#, values.join(","));
        let all: Vec<String> = (0..pods).map(one).collect();
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#, all.join(","))
    }

    #[tokio::test]
    async fn a_long_answer_gives_what_a_short_one_gives_and_series_keep_their_names() {
        let split = Split { by: "pod".into(), most: 3, across: Across::Max };
        let query =
            PromQuery { name: "q".into(), promql: "x".into(), unit: Unit::Count, split: Some(split), lane: None };
        let mut asked = Asked::new("p", &query);
        let within = Span::new(Stamp(0), Stamp::from_secs(10_000));
        for (points, long) in [(10, false), (TAKE_AT_ONCE, true)] {
            let answer = Answer::read(body(4, points).as_bytes()).unwrap();
            assert_eq!((answer.points(), answer.points() > TAKE_AT_ONCE), (4 * points, long));
            let taken = asked.take(answer, within, Stamp::from_secs(9_000)).await;
            let names: Vec<&str> = taken.points.keys().map(|n| &**n).collect();
            assert_eq!(names, ["p.q", "p.q/0", "p.q/1", "p.q/2"]);
            assert!(taken.points.values().all(|p| p.len() == points), "{long}");
            assert_eq!((asked.members.count(), asked.members.beyond()), (3, 1));
        }
    }
}
