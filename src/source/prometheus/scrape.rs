//! A service's pods as one source: all asked at once, put together honestly.
//!
//! A pod that does not answer must not look like a drop. So a total (a sum over pods) is given only while
//! every pod answers: with five of six it would be a sixth too low, scaled up it would be a guess. Worst
//! values and shares are of the pods that answer, and the source's state says which those are. A pod that
//! has been away for long is counted as gone, also in words, and totals come again without it.
//! May not know: HTTP, text formats, how a value is made.

use crate::config::ScrapeConfig;
use crate::config::measure::{Across, Measure};
use crate::config::scrape::Pod;
use crate::model::batch::Samples;
use crate::model::health::Cost;
use crate::model::series::{SeriesCard, SeriesName, Unit};
use crate::model::{Fact, Lapse, Stamp};
use crate::source::clock::Clock;
use crate::source::prometheus::fault::Fault;
use crate::source::prometheus::growth::{Kin, Look, Made, Part, fold, make, together};
use crate::source::prometheus::http::Http;
use crate::source::prometheus::pod::{self, MOST, Refusal, Spent};
use crate::source::prometheus::reading::{Reading, Wanted};
use crate::source::prometheus::words;
use crate::source::runner::{Condition, Failure, LEAST_GAP, Next, Pace, Poll, Round, lapse};
use futures_util::StreamExt as _;
use futures_util::stream;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::Instant;

/// Pods asked at the same time.
pub const AT_ONCE: usize = 8;

/// The source of one `[[scrape]]`.
#[derive(Debug)]
pub struct Scrape {
    config: ScrapeConfig,
    wanted: Arc<Wanted>,
    http: Result<Http, Fault>,
    pods: Vec<Watched>,
    pace: Pace,
    /// What was last said of each series.
    told: BTreeMap<SeriesName, String>,
    clock: Clock,
}

/// A pod with what is known of it.
#[derive(Debug)]
pub(super) struct Watched {
    pub pod: Pod,
    /// Its newest look, and how that goes with the one before.
    now: Option<Look>,
    before: Option<(Look, Kin)>,
    /// Why it does not answer.
    pub refusal: Option<Refusal>,
    /// Since when it does not; it is not asked again before the second.
    since: Option<Stamp>,
    until: Option<Stamp>,
    /// Measures it has had: without it their totals are not known.
    has: BTreeSet<usize>,
    answered: bool,
}

/// What a round found, for the words.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Series and values.
    values: Vec<(SeriesName, f64)>,
    cards: Vec<SeriesCard>,
    /// Measures that are made of something at least one pod has.
    pub measured: usize,
}

impl Scrape {
    /// A source that has asked nothing yet.
    pub fn new(config: ScrapeConfig, clock: Clock) -> Self {
        let watched = |pod: &Pod| Watched {
            pod: pod.clone(),
            now: None,
            before: None,
            refusal: None,
            since: None,
            until: None,
            has: BTreeSet::new(),
            answered: false,
        };
        Self {
            wanted: Arc::new(Wanted::by(&config.measures)),
            http: Http::new(&config.auth, config.timeout, MOST, true, clock.clone()),
            pods: config.pods.iter().map(watched).collect(),
            pace: Pace::new(config.interval.max(LEAST_GAP)),
            told: BTreeMap::new(),
            clock,
            config,
        }
    }

    /// Asks every pod that may be asked. Gives what it cost, and how long answers took.
    async fn ask(&mut self, http: &Http, begun: Stamp) -> (Spent, Vec<Lapse>) {
        let may = |w: &Watched| w.until.is_none_or(|until| until <= begun);
        let due: Vec<usize> = (0..self.pods.len()).filter(|i| may(&self.pods[*i])).collect();
        let (wanted, clock) = (&self.wanted, &self.clock);
        let pods = &self.pods;
        let asks = due.into_iter().map(|i| async move {
            let mut spent = Spent::default();
            let asked = Instant::now();
            let answer = pod::ask(http, &pods[i].pod, wanted, begun, &mut spent).await;
            (i, answer, spent, lapse(asked.elapsed()), clock.now())
        });
        let answers: Vec<_> = stream::iter(asks).buffer_unordered(AT_ONCE).collect().await;
        let (mut all, mut took) = (Spent::default(), Vec::new());
        for watched in &mut self.pods {
            watched.answered = false;
        }
        let interval = self.pace.current();
        for (i, answer, spent, lasted, at) in answers {
            all.requests += spent.requests;
            all.failed += spent.failed;
            all.throttled += spent.throttled;
            all.bytes += spent.bytes;
            match answer {
                Ok((reading, skew)) => {
                    took.push(lasted);
                    self.pods[i].answers(Look { at, skew, reading }, interval);
                }
                Err(refusal) => self.pods[i].refuses(refusal, at),
            }
        }
        (all, took)
    }

    /// Makes every measure of what the pods said.
    fn measure(&mut self, at: Stamp) -> Found {
        let gone_after = self.config.gone_after;
        let mut found = Found::default();
        for (index, measure) in self.config.measures.iter().enumerate() {
            let mut of_recipe: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
            let mut missing = 0;
            for watched in &mut self.pods {
                let Some(look) = watched.now.as_ref().filter(|_| watched.answered) else {
                    let counted = watched.has.contains(&index) || watched.now.is_none();
                    missing += usize::from(counted && !watched.gone(at, gone_after));
                    continue;
                };
                let before = watched.before.as_ref().map(|(look, kin)| (look, *kin));
                let made = measure.recipes.iter().enumerate().map(|(i, r)| (i, make(r, look, before)));
                match made.into_iter().find(|(_, made)| *made != Made::Absent) {
                    Some((i, Made::Parts(parts))) => {
                        watched.has.insert(index);
                        of_recipe.entry(i).or_default().extend(parts);
                    }
                    Some((_, Made::NotYet)) => {
                        watched.has.insert(index);
                        missing += 1;
                    }
                    Some((_, Made::Absent)) | None => {}
                }
            }
            found.measured += usize::from(self.pods.iter().any(|w| w.has.contains(&index)));
            let Some(first) = of_recipe.keys().next().copied() else { continue };
            if measure.across == Across::Sum && missing > 0 {
                continue;
            }
            let values = of_recipe.iter().filter_map(|(i, p)| together(measure.across, &measure.recipes[*i], p));
            if let Some(value) = fold(measure.across, values) {
                self.tell(measure, first, value, &mut found);
            }
        }
        let answering = self.pods.iter().filter(|w| w.answered).count();
        found.values.push((self.series("pods"), answering as f64));
        found
    }

    fn series(&self, measure: &str) -> SeriesName {
        format!("{}.{measure}", self.config.name).into()
    }
}

impl Watched {
    fn answers(&mut self, look: Look, interval: Lapse) {
        self.before = self.now.take().map(|before| {
            let kin = look.kin(&before, interval);
            (before, kin)
        });
        self.now = Some(look);
        (self.refusal, self.since, self.until, self.answered) = (None, None, None, true);
    }

    fn refuses(&mut self, refusal: Refusal, at: Stamp) {
        self.since.get_or_insert(at);
        self.until = (refusal.leave.0 > 0).then(|| at + refusal.leave);
        self.refusal = Some(refusal);
    }

    /// Whether it has been away for so long that it counts as gone.
    pub fn gone(&self, at: Stamp, after: Lapse) -> bool {
        self.since.is_some_and(|since| at.since(since) >= after)
    }
    /// Whether it answered in this round.
    pub const fn is_there(&self) -> bool {
        self.answered
    }
    /// What it said last.
    pub fn reading(&self) -> Option<&Reading> {
        self.now.as_ref().filter(|_| self.answered).map(|look| &look.reading)
    }
    /// Whether two processes answer at its address.
    pub fn mixed(&self) -> bool {
        self.answered && self.before.as_ref().is_some_and(|(_, kin)| *kin == Kin::Another)
    }
    fn skew(&self) -> Option<Lapse> {
        self.now.as_ref().filter(|_| self.answered).map(|look| look.skew)
    }
}

impl Scrape {
    /// Notes a value, and what the series is when that is new.
    fn tell(&self, measure: &Measure, recipe: usize, value: f64, found: &mut Found) {
        let name = self.series(&measure.name);
        let from = measure.recipes[recipe].says();
        let from = if self.pods.len() > 1 { format!("{}: {from}", measure.across.says()) } else { from };
        if self.told.get(&name) != Some(&from) {
            found.cards.push(SeriesCard {
                name: name.clone(),
                unit: Some(measure.unit),
                unit_said: String::new().into(),
                from: from.into(),
                counted: None,
            });
        }
        found.values.push((name, value));
    }

    fn facts(&mut self, at: Stamp, found: Found) -> Vec<Fact> {
        let mut cards = found.cards;
        let pods = self.series("pods");
        if !self.told.contains_key(&pods) {
            let from = "pods that answer".to_owned();
            let unit_said = String::new().into();
            cards.push(SeriesCard { name: pods, unit: Some(Unit::Count), unit_said, from: from.into(), counted: None });
        }
        self.told.extend(cards.iter().map(|c| (c.name.clone(), c.from.raw().to_owned())));
        let samples = Fact::Samples(Samples { at, values: found.values });
        if cards.is_empty() { vec![samples] } else { vec![Fact::Series(cards), samples] }
    }

    fn cost(&self, spent: Spent) -> Cost {
        let skews = self.pods.iter().filter_map(Watched::skew);
        Cost {
            requests: spent.requests,
            failed: spent.failed,
            throttled: spent.throttled,
            bytes: spent.bytes,
            skew: skews.max_by_key(|s| s.abs()),
            interval: self.pace.current(),
            ..Cost::default()
        }
    }
}

impl Poll for Scrape {
    async fn poll(&mut self) -> Result<Round, Failure> {
        let begun = Instant::now();
        let http = match std::mem::replace(&mut self.http, Err(Fault::Other("it is in use".to_owned()))) {
            Ok(http) => http,
            Err(fault) => {
                // Dropped in the middle of a round, or it could not be made: made anew.
                self.http = Http::new(&self.config.auth, self.config.timeout, MOST, true, self.clock.clone());
                match std::mem::replace(&mut self.http, Err(fault)) {
                    Ok(http) => http,
                    Err(fault) => return Err(unable(&self.config.name, &fault)),
                }
            }
        };
        let (spent, mut took) = self.ask(&http, self.clock.now()).await;
        self.http = Ok(http);
        // The usual pod sets the pace: one that hangs must not slow the others down.
        took.sort_unstable();
        if let Some(usual) = took.get(took.len() / 2) {
            self.pace.took(*usual);
        }
        let at = self.clock.now();
        let cost = Some(self.cost(spent));
        let found = self.measure(at);
        let condition = words::condition(&self.config, &self.pods, &found, at);
        let facts = self.facts(at, found);
        if took.is_empty() {
            let asked_again = self.pods.iter().map(|w| w.until.map_or(Lapse::ZERO, |until| until.since(at)));
            let wait = asked_again.min().unwrap_or_default();
            return Err(Failure { condition, facts: Vec::new(), cost, wait });
        }
        let wait = self.pace.current() - lapse(begun.elapsed());
        Ok(Round { facts, cost, condition, next: Next::After(wait.max(LEAST_GAP)) })
    }
}

fn unable(name: &str, fault: &Fault) -> Failure {
    let condition = Condition::down(fault.code(), format!("{name}: {}", fault.says()), fault.remedy());
    Failure { condition, facts: Vec::new(), cost: None, wait: Lapse::minutes(1) }
}
