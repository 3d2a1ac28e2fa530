//! Asks for the values of several metrics and lives with refusals: a batch that is refused is halved until
//! the one that is to blame is alone, so that all others come.
//!
//! It remembers which metrics are refused and how many the service takes at once. May not know: why something
//! is asked for.

use crate::config::cloud_metrics::Target;
use crate::model::health::Cost;
use crate::model::{Lapse, Stamp, Untrusted};
use crate::source::huawei::ces::{self, Question, Reading};
use crate::source::huawei::{Ask, Client, Kind, Service, Trouble};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A refused metric is tried again after this.
const AGAIN: Lapse = Lapse::minutes(30);
/// When so many metrics are refused one after the other and none is answered, it is not their fault.
const NOT_THEIRS: usize = 3;
/// What the service's clock may be ahead of ours, beyond the difference that is known.
const AHEAD: Lapse = Lapse::minutes(2);

/// Asks, and knows what not to ask again.
pub struct Fetcher {
    client: Client,
    targets: Arc<[Target]>,
    /// Metrics in one request, as far as the service takes them.
    pub batch: usize,
    refused: BTreeMap<usize, Refused>,
}

/// A metric that the service does not want to be asked for.
#[derive(Clone, Debug)]
struct Refused {
    says: Untrusted,
    again: Stamp,
}

/// What came of a question.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Answers, one for each request that had one.
    pub readings: Vec<Reading>,
    /// What it cost.
    pub cost: Cost,
    /// Why it ended early, when it did.
    pub trouble: Option<Trouble>,
}

impl Fetcher {
    /// A fetcher that was refused nothing yet.
    pub fn new(client: Client, targets: Arc<[Target]>) -> Self {
        let batch = usize::try_from(client.config().batch_size).unwrap_or(1).max(1);
        Self { client, targets, batch, refused: BTreeMap::new() }
    }

    /// Name of the source.
    pub fn name(&self) -> &str {
        self.client.name()
    }

    /// What is asked for, in the order of the configuration.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Those of `some` that may be asked for together.
    pub fn welcome(&self, some: impl IntoIterator<Item = usize>) -> Vec<usize> {
        some.into_iter().filter(|i| !self.refused.contains_key(i)).collect()
    }

    /// Refused ones whose time has come: each is asked for alone.
    pub fn on_probation(&self, now: Stamp) -> Vec<usize> {
        self.refused.iter().filter(|(_, r)| r.again <= now).map(|(i, _)| *i).collect()
    }

    /// Refused metrics with the service's words.
    pub fn refused(&self) -> impl Iterator<Item = (&Target, &Untrusted)> {
        self.refused.iter().filter_map(|(i, r)| Some((self.targets.get(*i)?, &r.says)))
    }

    /// Asks, in halves where the whole is refused.
    pub async fn fetch(&mut self, question: Question, now: Stamp) -> Fetched {
        let mut out = Fetched::default();
        let mut answered = 0;
        let mut halved = false;
        let mut blamed = 0;
        let mut in_a_row = 0;
        let mut todo = vec![question];
        while let Some(question) = todo.pop().filter(|q| !q.asked.is_empty()) {
            match self.ask(&question, now, &mut out.cost).await {
                Ok(reading) => {
                    answered = answered.max(question.asked.len());
                    for i in &question.asked {
                        self.refused.remove(i);
                    }
                    out.readings.push(reading);
                }
                Err(trouble) if !is_refusal(&trouble) => {
                    out.trouble = Some(trouble);
                    return out;
                }
                Err(trouble) => {
                    let (first, second) = question.asked.split_at(question.asked.len() / 2);
                    if let (true, Some(alone)) = (first.is_empty(), second.first()) {
                        blamed += 1;
                        in_a_row += 1;
                        self.refused.insert(*alone, Refused { says: trouble.message.clone(), again: now + AGAIN });
                        if answered == 0 && in_a_row >= NOT_THEIRS {
                            // Nobody is to blame for what all have in common.
                            self.refused.clear();
                            out.trouble = Some(trouble);
                            return out;
                        }
                        continue;
                    }
                    halved = true;
                    for half in [second, first] {
                        todo.push(Question { asked: half.to_vec(), ..question.clone() });
                    }
                }
            }
        }
        if halved && blamed == 0 && answered > 0 {
            // All of them are welcome, only not so many at once.
            self.batch = self.batch.min(answered);
        }
        out
    }

    async fn ask(&self, question: &Question, now: Stamp, cost: &mut Cost) -> Result<Reading, Trouble> {
        let body = question.body(&self.targets).map_err(|e| {
            let source = self.client.name();
            Trouble::new(Kind::Setup, source, Service::Ces, "", format!("the question cannot be written: {e}"))
        })?;
        let answer = match self.client.call(Ask::post(Service::Ces, ces::PATH, body)).await {
            Ok(answer) => answer,
            Err(trouble) => {
                cost.add(&trouble.cost);
                return Err(trouble);
            }
        };
        cost.add(&answer.cost());
        let latest = now + answer.skew.unwrap_or_default().max(Lapse::ZERO) + AHEAD;
        let (question, targets) = (question.clone(), Arc::clone(&self.targets));
        let reading = answer.read(move |read| ces::read(read, &question, &targets, latest)).await;
        reading.inspect_err(|_| cost.failed = cost.failed.saturating_add(1))
    }
}

/// Whether the service does not like what was asked, rather than that or how it was asked.
fn is_refusal(trouble: &Trouble) -> bool {
    match trouble.kind {
        Kind::BadRequest | Kind::TooLong => true,
        // An unknown path is 404 as well; that is nobody's metric.
        Kind::NotFound => trouble.code.to_ascii_lowercase().starts_with("ces"),
        _ => false,
    }
}
