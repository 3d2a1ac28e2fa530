//! The metrics of a cloud account as a source: the newest points each interval, the past piece by piece in
//! between, all of it within what the service allows.
//!
//! `plan` says what fits into a request, `fetch` asks, `known` leaves out what was handed over, `backfill`
//! knows what of the past is missing, `standing` puts it into words. Here is decided what comes next; waiting
//! is the runner's.

use crate::config::HuaweiConfig;
use crate::config::cloud_presets::Filter;
use crate::model::health::{Cost, Fetched, Loss, Progress};
use crate::model::{Fact, Lapse, Span, Stamp, Zone};
use crate::source::clock::Clock;
use crate::source::huawei::backfill::{self, Backfill, Brought, Part, Why};
use crate::source::huawei::ces::{Question, Reading};
use crate::source::huawei::fetch::Fetcher;
use crate::source::huawei::known::{Gathered, Known};
use crate::source::huawei::plan::{self, Period};
use crate::source::huawei::standing::{self, Remarks, View};
use crate::source::huawei::{Client, Trouble};
use crate::source::runner::{Condition, Failure, LEAST_GAP, Next, Poll, Round, lapse};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The newest stretch is asked for again and again: points come late, and windows fill up.
const OVERLAP: Lapse = Lapse::minutes(15);
/// What a live question reaches back at most; more is the backfill's.
const REACH: Lapse = Lapse::minutes(30);
/// How far back is read at the start when nobody says more.
const BEFORE: Lapse = Lapse::hours(2);
/// What is shown around the window.
const AROUND: Lapse = Lapse::minutes(30);
/// Values handed over at once: a long answer must not hold up whoever takes them in.
const AT_ONCE: usize = 5_000;
/// Waits between attempts at the past.
const LEAST_WAIT: Lapse = Lapse::seconds(5);
const LONGEST_WAIT: Lapse = Lapse::seconds(60);

/// Which past is wanted, and what of it is there.
#[derive(Clone, Debug)]
pub struct Past {
    /// The incident.
    pub window: Option<Span>,
    /// When all was well.
    pub baseline: Option<Span>,
    /// Of the words.
    pub zone: Zone,
    /// What was fetched before, by this run or an earlier one into the same recording. Shared, so that a
    /// source that starts again goes on where it was.
    pub fetched: Arc<Mutex<Vec<Fetched>>>,
}

impl Past {
    /// The past of an incident of which these parts are recorded already.
    pub fn new(window: Option<Span>, baseline: Option<Span>, zone: Zone, fetched: Vec<Fetched>) -> Self {
        Self { window, baseline, zone, fetched: Arc::new(Mutex::new(fetched)) }
    }
}

/// The source.
pub struct Metrics {
    fetcher: Fetcher,
    clock: Clock,
    past: Past,
    known: Vec<Known>,
    backfill: Backfill,
    /// Everything up to here was asked for while it was new.
    covered: Option<Stamp>,
    /// From when on something was asked for.
    since: Stamp,
    interval: Lapse,
    due: Instant,
    live: Condition,
    stuck: Option<Stuck>,
    remarks: Remarks,
    /// Facts that nobody has taken yet.
    outbox: VecDeque<Fact>,
    told: BTreeSet<String>,
}

/// The past cannot be fetched for now.
struct Stuck {
    failures: u32,
    until: Instant,
    condition: Condition,
}

impl Metrics {
    /// A source that has asked nothing yet.
    pub fn new(client: Client, clock: Clock, past: Past) -> Self {
        let config: &HuaweiConfig = client.config();
        let targets: Arc<[_]> = config.metrics.targets.clone().into();
        let known: Vec<Known> = targets.iter().map(Known::new).collect();
        let bundles = backfill::bundles(&targets, usize::try_from(config.batch_size).unwrap_or(1));
        let interval = config.interval.max(LEAST_GAP);
        let now = clock.now();
        let mut backfill = Backfill::new(bundles, plan::POINTS);
        {
            let have = past.fetched.lock().unwrap_or_else(PoisonError::into_inner);
            let until = now - OVERLAP;
            let mut want = |span: Span, why| {
                if span.from < until {
                    backfill.want(Span::new(span.from, span.to.min(until)), why, &have);
                }
            };
            if let Some(window) = past.window {
                want(Span::new(window.from - AROUND, window.to + AROUND), Why::Window);
            }
            if let Some(baseline) = past.baseline {
                want(baseline, Why::Baseline);
            }
            want(Span::new(now - BEFORE, until), Why::Before);
        }
        Self {
            fetcher: Fetcher::new(client, targets),
            clock,
            past,
            known,
            backfill,
            covered: None,
            since: now - OVERLAP,
            interval,
            due: Instant::now(),
            live: Condition::well(),
            stuck: None,
            remarks: Remarks::default(),
            outbox: VecDeque::new(),
            told: BTreeSet::new(),
        }
    }

    /// Asks for the newest points of everything.
    async fn newest(&mut self) -> Result<Round, Failure> {
        let begun = Instant::now();
        let now = self.clock.now();
        let all = self.fetcher.targets().len();
        let wanted = self.covered.map_or(now - OVERLAP, |c| c.min(now) - OVERLAP);
        let from = wanted.max(now - REACH).floor(Period::Raw.step(), &Zone::utc());
        let span = Span::new(from, now.max(from + LEAST_GAP));
        let most = plan::most_metrics(span.length(), Period::Raw, self.fetcher.batch, self.backfill.points);
        // Raw values do not depend on the filter, so all metrics share their requests.
        let question = |asked: Vec<usize>| Question { asked, filter: Filter::Average, period: Period::Raw, span };
        let welcome = self.fetcher.welcome(0..all);
        let mut questions: Vec<Question> = welcome.chunks(most).map(|c| question(c.to_vec())).collect();
        questions.extend(self.fetcher.on_probation(now).into_iter().map(|i| question(vec![i])));
        let mut cost = Cost::default();
        let mut earliest: Option<Stamp> = None;
        for question in questions {
            let got = self.fetcher.fetch(question, now).await;
            cost.add(&got.cost);
            for reading in got.readings {
                earliest = earliest.into_iter().chain(reading.earliest(span.to)).min();
                self.take(reading);
            }
            if let Some(trouble) = got.trouble {
                self.due = Instant::now();
                return Err(self.failure(&trouble, cost));
            }
        }
        self.fill_up(wanted, from, earliest);
        self.covered = Some(now);
        let view = View { source: &self.name(), known: &self.known, since: self.since, now, zone: &self.past.zone };
        self.live = standing::condition(&view, &self.fetcher, &self.remarks);
        self.due = begun + self.interval.to_std();
        Ok(self.hand_over(Some(cost)))
    }

    /// What was missed while nothing could be asked, or left out of an answer that began later than asked,
    /// is fetched like any other past.
    fn fill_up(&mut self, wanted: Stamp, from: Stamp, earliest: Option<Stamp>) {
        let Some(covered) = self.covered else { return };
        if wanted < from - LEAST_GAP {
            self.backfill.want(Span::new(wanted, from), Why::Missed, &[]);
        }
        if let Some(began) = earliest.filter(|e| *e > covered && e.since(from) > Period::Raw.step().times(3)) {
            self.backfill.want(Span::new(from, began), Why::Missed, &[]);
        }
    }

    /// Asks for the next part of the past; none when there is none.
    async fn past_part(&mut self) -> Option<Round> {
        let now = self.clock.now();
        let part = self.backfill.next(now);
        self.tell_too_old();
        let part = part?;
        let bundle = self.backfill.bundles().get(part.bundle)?.clone();
        let asked = self.fetcher.welcome(bundle.members.iter().copied());
        let mut brought = Brought::Nothing;
        let mut cost = None;
        if !asked.is_empty() {
            let apart = asked.iter().filter_map(|i| self.fetcher.targets().get(*i)).map(|t| t.raw).max();
            let question = Question { asked, filter: bundle.filter, period: part.period, span: part.span };
            let got = self.fetcher.fetch(question, now).await;
            if let Some(trouble) = got.trouble {
                got.readings.into_iter().for_each(|r| self.take(r));
                self.put_off(&trouble);
                return Some(self.hand_over(Some(got.cost)));
            }
            if let Some(earliest) = got.readings.iter().filter_map(|r| r.earliest(part.span.to)).min() {
                brought = Brought::Points { earliest, apart: apart.unwrap_or_default() };
            }
            got.readings.into_iter().for_each(|r| self.take(r));
            cost = Some(got.cost);
        }
        self.stuck = None;
        self.learn(&part, brought, now);
        Some(self.hand_over(cost))
    }

    fn learn(&mut self, part: &Part, brought: Brought, now: Stamp) {
        let doing = self.backfill.doing(&self.past.zone, part);
        let outcome = self.backfill.learn(part, brought, now);
        if matches!(brought, Brought::Points { .. }) && part.period > Period::Raw {
            self.tell_coarse(part);
        }
        if let Some(moved) = outcome.moved {
            let zone = &self.past.zone;
            let says = format!(
                "{}: asked from {}, the metric service answered from {} and said nothing; the rest was asked for again and came, and parts are smaller from now on",
                self.name(),
                zone.hm(moved.asked),
                zone.hm(moved.began)
            );
            tracing::info!("{says}");
            let condition = Condition::late("moved", says, "");
            self.stuck = Some(Stuck { failures: 0, until: Instant::now(), condition });
        }
        if let Some(fetched) = outcome.fetched {
            self.past.fetched.lock().unwrap_or_else(PoisonError::into_inner).push(fetched.clone());
            self.outbox.push_back(Fact::Fetched(fetched));
        }
        let (done, of) = self.backfill.progress(now);
        self.outbox.push_back(Fact::Progress(Progress { at: now, what: doing.into(), done, of }));
    }

    fn put_off(&mut self, trouble: &Trouble) {
        let failures = self.stuck.as_ref().map_or(0, |s| s.failures);
        let wait = LEAST_WAIT.times(1_i64 << failures.min(8)).min(LONGEST_WAIT).max(trouble.wait());
        let says = format!("{}; the past is fetched further in {} s", trouble.says(), wait.whole_seconds());
        let Condition { code, remedy, .. } = trouble.condition();
        let condition = Condition::late(code, says, remedy);
        self.stuck =
            Some(Stuck { failures: failures.saturating_add(1), until: Instant::now() + wait.to_std(), condition });
    }

    fn failure(&mut self, trouble: &Trouble, cost: Cost) -> Failure {
        self.live = trouble.condition();
        Failure { condition: self.live.clone(), facts: self.drain(), cost: Some(cost), wait: trouble.wait() }
    }

    fn name(&self) -> String {
        self.fetcher.name().to_owned()
    }

    /// Takes in an answer.
    fn take(&mut self, reading: Reading) {
        let mut gathered = Gathered::default();
        for got in &reading.got {
            if let Some(known) = self.known.get_mut(got.target) {
                let (card, fresh) = known.take(got);
                gathered.add(known.name(), card, fresh);
            }
        }
        self.outbox.extend(gathered.facts());
        let series = |i: usize| self.known.get(i).map(|k| k.name().to_string());
        self.remarks.twice.extend(reading.twice.iter().filter_map(|i| series(*i)));
        self.remarks.strange = self.remarks.strange.saturating_add(reading.strange);
        self.remarks.unusable = self.remarks.unusable.saturating_add(reading.unusable);
        for (target, newest) in &reading.future {
            let Some(name) = series(*target) else { continue };
            if self.remarks.future.insert(name.clone()) {
                let now = self.clock.now();
                let says = format!(
                    "{name}: points up to {} lie in the future and were left out",
                    self.past.zone.rfc3339(*newest)
                );
                self.outbox.push_back(Fact::Loss(Loss {
                    span: Span::new(now, Stamp(newest.0.saturating_add(1))),
                    says: says.into(),
                }));
            }
        }
    }

    /// Rolled up data is less than there was: that is a loss, told once for each stretch and period.
    fn tell_coarse(&mut self, part: &Part) {
        let (name, zone) = (self.name(), &self.past.zone);
        let day = zone.format(part.span.from, "%-d %b");
        if !self.told.insert(format!("{day} {}", part.period.word())) {
            return;
        }
        let says = format!(
            "{name}: {day} came as one value in {}, because the metric service keeps raw points for two days only",
            part.period.says()
        );
        self.outbox.push_back(Fact::Loss(Loss { span: part.span, says: says.into() }));
    }

    fn tell_too_old(&mut self) {
        for span in self.backfill.too_old() {
            let days = Period::Hour.kept().0 / Lapse::hours(24).0;
            let day = self.past.zone.format(span.from, "%-d %b %Y");
            let says = format!("{}: nothing is left of {day}: the metric service keeps {days} days", self.name());
            self.outbox.push_back(Fact::Loss(Loss { span, says: says.into() }));
        }
    }

    /// What can be taken in at once.
    fn drain(&mut self) -> Vec<Fact> {
        let mut values = 0;
        let mut facts = Vec::new();
        while values < AT_ONCE {
            let Some(fact) = self.outbox.pop_front() else { break };
            values += match &fact {
                Fact::Samples(samples) => samples.values.len(),
                Fact::Series(cards) => cards.len(),
                _ => 1,
            };
            facts.push(fact);
        }
        facts
    }

    fn hand_over(&mut self, cost: Option<Cost>) -> Round {
        let facts = self.drain();
        let now = Instant::now();
        let next =
            if self.outbox.is_empty() { self.next().saturating_duration_since(now) } else { std::time::Duration::ZERO };
        Round { facts, cost, condition: self.condition(), next: Next::After(lapse(next)) }
    }

    /// When something is to be done next.
    fn next(&self) -> Instant {
        if self.backfill.is_over() {
            return self.due;
        }
        self.stuck.as_ref().map_or_else(Instant::now, |s| s.until).min(self.due)
    }

    /// The live part decides; trouble with the past makes a well source late, never down.
    fn condition(&self) -> Condition {
        match &self.stuck {
            Some(stuck) if self.live.state == crate::model::health::State::Well => stuck.condition.clone(),
            _ => self.live.clone(),
        }
    }
}

impl Poll for Metrics {
    async fn poll(&mut self) -> Result<Round, Failure> {
        if !self.outbox.is_empty() {
            return Ok(self.hand_over(None));
        }
        let now = Instant::now();
        let past = !self.backfill.is_over() && self.stuck.as_ref().is_none_or(|s| s.until <= now);
        if self.due > now
            && past
            && let Some(round) = self.past_part().await
        {
            return Ok(round);
        }
        self.newest().await
    }
}
