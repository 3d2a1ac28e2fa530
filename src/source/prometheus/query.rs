//! A server that answers range queries, as a source: what is new each interval, and the past piece by piece.
//!
//! A window is asked a little into what is known already: newest points are revised, late ones still come.
//! Only what is new or changed is handed over. What one query gets wrong costs the others nothing; what is
//! wrong with the server stops all of them, with one reason. May not know: HTTP, JSON.

use crate::config::PrometheusConfig;
use crate::config::prometheus::PromQuery;
use crate::model::batch::Samples;
use crate::model::health::{Cost, Fetched, Loss};
use crate::model::{Fact, Lapse, Span, Stamp, Zone};
use crate::source::clock::Clock;
use crate::source::huawei::Client;
use crate::source::huawei::plan::aligned;
use crate::source::prometheus::asked::{Asked, Brought, what};
use crate::source::prometheus::door::{Door, No};
use crate::source::prometheus::past::{MOST_POINTS, Past, Piece};
use crate::source::runner::{Condition, Failure, LEAST_GAP, Next, Pace, Poll, Round, lapse};
use futures_util::StreamExt as _;
use futures_util::stream;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Queries asked at the same time.
pub const AT_ONCE: usize = 4;
/// How far back the first look goes: a row that begins at the left edge of nothing says little.
const FIRST_LOOK: Lapse = Lapse::hours(1);
/// Between two pieces of the past: the server has others to serve.
const BETWEEN: Lapse = Lapse::millis(500);
/// A piece of the past that failed so often in a row is given up.
const STRIKES: u32 = 3;
/// So long after the newest point of all, and this many steps, the server has nothing.
const PATIENCE: (Lapse, i64) = (Lapse::minutes(5), 5);
/// Points that lie further ahead than this are of a clock that is wrong.
const AHEAD: Lapse = Lapse::minutes(1);

/// What is needed besides the configuration of one server.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The cloud's client, for AOM.
    pub aom: Option<Client>,
    /// What is taken for now.
    pub clock: Clock,
    /// Zone of the words.
    pub zone: Zone,
    /// The incident's window and baseline.
    pub spans: Vec<Span>,
    /// What an earlier run of the same recording has fetched.
    pub have: Vec<Fetched>,
}

/// The source of one `[[prometheus]]`.
#[derive(Debug)]
pub struct Prometheus {
    config: PrometheusConfig,
    setting: Setting,
    door: Option<Door>,
    asked: Vec<Asked>,
    past: Option<Past>,
    /// From when on the first look asked.
    since: Option<Stamp>,
    pace: Pace,
    due: Instant,
    /// What the server warns of: an answer of which a part is missing, say.
    warning: Option<String>,
    /// Points that came of the past.
    past_points: usize,
    /// How often in a row a piece of the past failed for no lasting reason.
    strikes: u32,
}

impl Prometheus {
    /// A source that has asked nothing yet.
    pub fn new(config: PrometheusConfig, setting: Setting) -> Self {
        let asked = |query: &PromQuery| Asked::new(&config.name, query);
        Self {
            asked: config.queries.iter().map(asked).collect(),
            pace: Pace::new(config.interval.max(LEAST_GAP)),
            due: Instant::now(),
            door: None,
            past: None,
            since: None,
            warning: None,
            past_points: 0,
            strikes: 0,
            setting,
            config,
        }
    }

    fn now(&self) -> Stamp {
        self.setting.clock.now()
    }

    /// The past that is wanted: what of the incident's spans is over by now.
    fn begin(&self, now: Stamp) -> Past {
        let whats: Vec<String> = self.asked.iter().map(|a| what(&a.query, self.config.step)).collect();
        let over = |s: &Span| Span { from: s.from, to: s.to.min(now - FIRST_LOOK) };
        let spans: Vec<Span> = self.setting.spans.iter().map(over).filter(|s| s.from < s.to).collect();
        Past::new(self.config.step, &whats, &spans, &self.setting.have)
    }

    /// What is new since the last look, for every query that may be answered.
    async fn look(&mut self, door: &Door, now: Stamp, cost: &mut Cost) -> Result<Brought, (Brought, No)> {
        let (step, lag) = (self.config.step, self.config.lag);
        let down = |at: Stamp| aligned(Span::new(at, at), step).from;
        let newest = down(now);
        let overlap = lag.max(step.times(2));
        let mut questions = Vec::new();
        for (i, asked) in self.asked.iter().enumerate().filter(|(_, a)| !a.hopeless) {
            let from = asked.until.map_or(now - FIRST_LOOK, |until| until - overlap);
            let from = down(from);
            // After an outage what is missing comes in as many looks as it takes.
            let to = newest.min(from + step.times(MOST_POINTS));
            questions.push((i, Span::new(from.min(to), to)));
        }
        let mut out = Brought::default();
        let mut warning = None;
        // The first alone: when the server refuses, it refuses once.
        let rest = questions.split_off(questions.len().min(1));
        for (batch, first) in [(questions, true), (rest, false)] {
            let name = &self.config.name;
            let queries = &self.asked;
            let asks = batch.into_iter().map(|(i, span)| async move {
                let mut spent = Cost::default();
                let answer = door.ask(name, &queries[i].query.promql, span, step, &mut spent).await;
                (i, span, answer, spent)
            });
            let answers: Vec<_> = stream::iter(asks).buffered(AT_ONCE).collect().await;
            let mut refused = None;
            for (i, span, answer, spent) in answers {
                cost.add(&spent);
                match answer {
                    Ok(answer) => {
                        let asked = &mut self.asked[i];
                        let taken = asked.take(answer, span, now + AHEAD).await;
                        warning = warning.or_else(|| taken.warnings.first().cloned());
                        asked.until = Some(span.to);
                        asked.learn(taken, Some(span.to - overlap - overlap), &mut out);
                    }
                    Err(no @ No::Server(..)) => refused = Some(no),
                    // Who does not answer the first question in time is not asked the others.
                    Err(No::Slow(condition)) if first => refused = Some(No::Server(condition, Lapse::ZERO)),
                    Err(no) => self.asked[i].refused(no),
                }
            }
            if let Some(no) = refused {
                return Err((out, no));
            }
        }
        self.warning = warning;
        Ok(out)
    }

    /// One piece of the past.
    async fn fetch(&mut self, door: &Door, piece: &Piece, cost: &mut Cost) -> Result<Brought, (Brought, No)> {
        let mut out = Brought::default();
        let Some(past) = &mut self.past else { return Ok(out) };
        let asked = &mut self.asked[piece.query];
        let answer = if asked.hopeless {
            Err(No::Question(asked.trouble.clone().unwrap_or_default()))
        } else {
            door.ask(&self.config.name, &asked.query.promql, piece.span, self.config.step, cost).await
        };
        let now = self.setting.clock.now();
        let lost = |spans: Vec<Span>, asked: &Asked, says: &str, out: &mut Brought| {
            let loss = |span| Loss { span, says: format!("{}: {says}", asked.series).into() };
            out.facts.extend(spans.into_iter().map(|s| Fact::Loss(loss(s))));
        };
        let no = match answer {
            Ok(answer) => {
                let taken = asked.take(answer, piece.span, now + AHEAD).await;
                self.past_points += taken.points.values().map(BTreeMap::len).sum::<usize>();
                asked.learn(taken, None, &mut out);
                out.facts.extend(past.came(piece).map(Fact::Fetched));
                None
            }
            Err(no) => Some(no),
        };
        match no {
            None => {}
            Some(No::Slow(Condition { says, .. })) if past.too_much(piece) => {
                asked.trouble = Some(says.raw().to_owned());
            }
            Some(No::Amount(_)) if past.too_much(piece) => {}
            Some(No::Amount(says)) => lost(past.give_up(piece.query), asked, &says, &mut out),
            Some(No::Question(says)) => {
                lost(past.give_up(piece.query), asked, &says, &mut out);
                asked.refused(No::Question(says));
            }
            Some(no @ No::Server(..)) => return Err((out, no)),
            Some(no) => {
                asked.refused(no.clone());
                self.strikes += 1;
                if self.strikes < STRIKES {
                    // Asked again when the newest points have been asked for.
                    return Err((out, no));
                }
                let says = asked.trouble.clone().unwrap_or_default();
                lost(past.give_up(piece.query), asked, &says, &mut out);
            }
        }
        self.strikes = 0;
        let progress = past.progress(now, &self.setting.zone);
        out.facts.push(Fact::Progress(progress));
        if past.is_over() {
            self.past = None;
            if self.past_points == 0 {
                let says =
                    format!("{} has no points of it: it keeps less, or nothing was there then", self.config.name);
                let spans = self.setting.spans.iter();
                out.facts.extend(spans.map(|s| Fact::Loss(Loss { span: *s, says: says.clone().into() })));
            }
        }
        Ok(out)
    }

    /// How the server is: well, or with queries that are not answered.
    fn condition(&self, future: usize, now: Stamp) -> Condition {
        let name = &self.config.name;
        let troubled: Vec<&Asked> = self.asked.iter().filter(|a| a.trouble.is_some()).collect();
        if let Some(first) = troubled.first() {
            let why = first.trouble.as_deref().unwrap_or_default();
            let says = match troubled.len() {
                1 => format!("{name}: {} is not answered: {why}", first.query.name),
                n => {
                    format!("{name}: {n} of {} queries are not answered; {}: {why}", self.asked.len(), first.query.name)
                }
            };
            let remedy = if first.hopeless {
                "Correct promql in its [[prometheus.query]]: the server says what is wrong with it."
            } else {
                "It is asked again; if that stays so, ask for less (fewer series, a longer step) or raise timeout."
            };
            let code = format!("{} of {}", self.asked.len() - troubled.len(), self.asked.len());
            return Condition::late(code, says, remedy);
        }
        if let Some((query, odd)) = self.asked.iter().find_map(|a| Some((&a.query, a.odd.as_ref()?))) {
            let says = format!("{name}: {} cannot be drawn as it is: {odd}", query.name);
            return Condition::late("not drawn", says, "Correct promql or split in its [[prometheus.query]].");
        }
        if let Some(warning) = &self.warning {
            let line: String = warning.chars().take(200).collect();
            let says = format!("{name} answers with a warning: {line}");
            return Condition::late("warning", says, "What is drawn may lack the part that the server speaks of.");
        }
        if future > 0 {
            let says = format!("{name}: {future} points lie in the future and are left out");
            return Condition::late(
                "future",
                says,
                "The server's clock, or that of what it scrapes, is ahead: set it.",
            );
        }
        let newest = self.asked.iter().filter_map(|a| a.newest).max();
        let patience = PATIENCE.0.max(self.config.step.times(PATIENCE.1)) + self.config.lag;
        if newest.is_none_or(|newest| now.since(newest) > patience) {
            let since = self.setting.zone.format(newest.or(self.since).unwrap_or(now), "%-d %b %H:%M");
            let says = format!(
                "{name}: no data since {since}: it answers, and has no point for any of {} queries",
                self.asked.len()
            );
            let remedy = "Run warroom check; see in the server's own page whether the names in promql exist there.";
            return Condition::late("no data", says, remedy);
        }
        Condition::well()
    }

    fn facts(&mut self, brought: Brought) -> Vec<Fact> {
        let mut cards = Vec::new();
        for asked in &mut self.asked {
            let series = 1 + asked.members.count();
            if asked.told == series || asked.newest.is_none() {
                continue;
            }
            asked.told = series;
            cards.extend(asked.cards());
        }
        let mut facts: Vec<Fact> = Vec::new();
        if !cards.is_empty() {
            facts.push(Fact::Series(cards));
        }
        facts.extend(brought.points.into_iter().map(|(at, values)| Fact::Samples(Samples { at, values })));
        facts.extend(brought.facts);
        facts
    }
}

impl Poll for Prometheus {
    async fn poll(&mut self) -> Result<Round, Failure> {
        // Out of `self` while it is used, and made anew when a round was dropped in the middle.
        let door = match self.door.take() {
            Some(door) => door,
            None => Door::new(&self.config, self.setting.aom.as_ref(), &self.setting.clock)
                .map_err(|condition| Failure { condition, facts: Vec::new(), cost: None, wait: Lapse::minutes(1) })?,
        };
        let (begun, now) = (Instant::now(), self.now());
        if self.past.is_none() && self.asked.iter().all(|a| a.until.is_none()) {
            self.since = Some(now - FIRST_LOOK);
            self.past = Some(self.begin(now)).filter(|p| !p.is_over());
        }
        let mut cost = Cost { interval: self.pace.current(), ..Cost::default() };
        let piece = self.past.as_ref().and_then(Past::next).filter(|_| self.due > begun);
        let answered = match &piece {
            Some(piece) => self.fetch(&door, piece, &mut cost).await,
            None => self.look(&door, now, &mut cost).await,
        };
        self.door = Some(door);
        if piece.is_none() {
            self.pace.took(lapse(begun.elapsed()));
            self.due = begun + self.pace.current().to_std();
        }
        let (brought, no) = match answered {
            Ok(brought) => (brought, None),
            Err((brought, no)) => (brought, Some(no)),
        };
        let condition = self.condition(brought.future, now);
        let facts = self.facts(brought);
        if let Some(No::Server(condition, wait)) = no {
            return Err(Failure { condition, facts, cost: Some(cost), wait });
        }
        let wait = lapse(self.due.saturating_duration_since(Instant::now()));
        let busy = no.is_none() && self.past.is_some();
        let next = Next::After(if busy { wait.min(BETWEEN) } else { wait });
        Ok(Round { facts, cost: Some(cost), condition, next })
    }
}
