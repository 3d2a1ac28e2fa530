//! The source `orders`: answers of all queries under one name, and one health for all of them.
//!
//! The queries run in the sessions of their databases; their facts meet here so that they are numbered
//! once, and the worst of their conditions is what the dot shows.

use crate::config::Config;
use crate::model::health::{Cost, Health, State};
use crate::model::{Batch, Fact};
use crate::source::clock;
use crate::source::orders::name_of;
use crate::source::runner::{Closed, Condition, Outlet};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The name of the source.
pub const NAME: &str = "orders";
/// Reports that wait for the collector; a full channel slows the queries.
const ROOM: usize = 8;

/// What one query has to say.
#[derive(Clone, Debug)]
pub struct Report {
    /// [`name_of`] the query.
    pub query: String,
    /// How it is.
    pub condition: Condition,
    /// Its answers.
    pub facts: Vec<Fact>,
    /// What they cost.
    pub cost: Option<Cost>,
}

/// Starts the collector; `None` without queries. It ends with the last sender, or when cancelled.
pub fn start(
    config: &Config,
    to: &mpsc::Sender<Batch>,
    cancel: &CancellationToken,
) -> (mpsc::Sender<Report>, Option<JoinHandle<()>>) {
    let (tx, rx) = mpsc::channel(ROOM);
    if config.queries.is_empty() {
        return (tx, None);
    }
    let collector = Collector {
        outlet: Outlet::new(NAME.into(), to.clone()),
        conditions: config.queries.iter().map(|q| (name_of(q), None)).collect(),
        told: None,
    };
    let cancel = cancel.clone();
    let task = tokio::spawn(async move {
        let _ = cancel.run_until_cancelled(collector.run(rx)).await;
    });
    (tx, Some(task))
}

struct Collector {
    outlet: Outlet,
    /// By query; none before its first answer.
    conditions: BTreeMap<String, Option<Condition>>,
    told: Option<Condition>,
}

impl Collector {
    async fn run(mut self, mut reports: mpsc::Receiver<Report>) -> Result<(), Closed> {
        let first = self.health();
        self.outlet.emit(first.into_iter().collect()).await?;
        while let Some(report) = reports.recv().await {
            self.conditions.insert(report.query, Some(report.condition));
            let mut facts = report.facts;
            facts.extend(self.health());
            facts.extend(report.cost.map(Fact::Cost));
            self.outlet.emit(facts).await?;
        }
        Ok(())
    }

    /// A health fact, when the state of all together has changed.
    fn health(&mut self) -> Option<Fact> {
        let condition = together(&self.conditions);
        if self.told.as_ref() == Some(&condition) {
            return None;
        }
        self.told = Some(condition.clone());
        let Condition { state, code, says, remedy } = condition;
        Some(Fact::Health(Health { at: clock::now(), state, code, says, remedy, next: None }))
    }
}

/// The worst of all, and how many others are unwell.
fn together(conditions: &BTreeMap<String, Option<Condition>>) -> Condition {
    let unwell: Vec<&Condition> = conditions.values().flatten().filter(|c| c.state != State::Well).collect();
    if let Some(worst) = unwell.iter().rev().max_by_key(|c| c.state) {
        let mut worst = (*worst).clone();
        if unwell.len() > 1 {
            let others = unwell.len() - 1;
            worst.says =
                format!("{}; and {others} more of {} queries unwell", worst.says.raw(), conditions.len()).into();
        }
        // Some queries answer: the source as a whole is late, not down.
        if worst.state == State::Down && conditions.values().flatten().any(|c| c.state == State::Well) {
            worst.state = State::Late;
        }
        return worst;
    }
    let silent: Vec<&str> = conditions.iter().filter(|(_, c)| c.is_none()).map(|(name, _)| name.as_str()).collect();
    if silent.is_empty() {
        return Condition::well();
    }
    Condition::late("asking", format!("not answered yet: {}", silent.join(", ")), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(list: &[(&str, Option<Condition>)]) -> Condition {
        together(&list.iter().map(|(n, c)| ((*n).to_owned(), c.clone())).collect())
    }

    #[test]
    fn one_dot_stands_for_all_queries() {
        let down = Condition::down("53300", "upg has no free connection", "free one");
        assert_eq!(all(&[("a", None), ("b", Some(Condition::well()))]).code, "asking");
        assert_eq!(all(&[("a", Some(Condition::well())), ("b", Some(Condition::well()))]), Condition::well());
        let partly = all(&[("a", Some(Condition::well())), ("b", Some(down.clone()))]);
        assert_eq!((partly.state, partly.code.as_str()), (State::Late, "53300"));
        let none = all(&[("a", Some(down.clone())), ("b", Some(down))]);
        assert_eq!(none.state, State::Down);
        assert!(none.says.raw().ends_with("and 1 more of 2 queries unwell"), "{}", none.says.raw());
    }
}
