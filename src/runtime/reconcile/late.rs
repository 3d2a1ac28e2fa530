//! The second part of a reconciliation: orders that lack something are asked for by name, where a query can.
//! HO is days late at times; and only who was asked can say "not there".

use crate::analysis::reconcile::day::{Answers, bit};
use crate::config::QueryMode;
use crate::model::order::{OrderId, Role, Rows};
use crate::runtime::reconcile::intake::{Intake, Owners, damaged};
use crate::runtime::reconcile::pass::Asked;
use crate::runtime::reconcile::plan::{Job, Lines};
use crate::runtime::reconcile::walks::{Ended, Reached, count, disk};
use crate::source::orders::bulk::{ById, Halt, Line, MOST_IDS};
use crate::spill::Sorted;
use std::sync::Arc;
use tokio::sync::Mutex;

/// In this order: payments bring the references by which the others are asked.
const ORDER: [Role; 4] = [Role::Orders, Role::Payments, Role::HoPayments, Role::Callbacks];

/// A query by name, with what became of it.
struct Query {
    by_id: ById,
    line: Arc<Mutex<Line>>,
    reached: Reached,
}

/// The queries that can be asked by name.
pub struct Late(Vec<Query>);

impl Late {
    /// Those of the job, but of roles that could not be read a moment ago.
    pub fn new(job: &Job, lines: &Lines, walked: &[Reached]) -> Self {
        let mut all = Vec::new();
        for role in ORDER {
            if walked.iter().any(|r| r.role == role && r.failed.is_some()) {
                continue;
            }
            for q in job.queries(role, QueryMode::Ids) {
                let Some(line) = lines.get(&q.db) else { continue };
                let mut reached = Reached::nothing(q, job.window.from);
                match ById::new(q.clone()) {
                    Ok(by_id) => all.push(Query { by_id, line: Arc::clone(line), reached }),
                    Err(Halt::Failed(condition)) => reached.failed = Some(condition),
                    Err(Halt::Cancelled) => {}
                }
            }
        }
        Self(all)
    }

    /// Roles that can be asked, as bits. Who was asked about every order already is not asked again.
    pub fn able(&self, job: &Job) -> u8 {
        let roles = self.0.iter().map(|q| q.by_id.role());
        let roles = roles.filter(|r| *r != Role::Payments || !job.payments_follow());
        roles.fold(0, |all, role| all | bit(role))
    }

    /// What became of them.
    pub fn reached(self) -> impl Iterator<Item = Reached> {
        self.0.into_iter().map(|q| q.reached).filter(|r| r.asked > 0 || r.failed.is_some())
    }

    /// Asks for everybody on the list and puts the answers beside their rows.
    pub async fn ask(
        &mut self,
        job: &Job,
        list: &Sorted,
        rows: &mut Intake,
        answers: &mut Answers,
    ) -> Result<(), Ended> {
        job.progress.doing("asking by name");
        let of = list.records();
        let broken = |e: &std::io::Error| disk(job, e);
        let mut merge = list.read().map_err(|e| broken(&e))?;
        let mut done = 0;
        loop {
            let mut chunk: Vec<Asked> = Vec::with_capacity(MOST_IDS);
            while chunk.len() < MOST_IDS
                && let Some((_, bytes)) = merge.next().map_err(|e| broken(&e))?
            {
                chunk.push(serde_json::from_slice(bytes).map_err(|_| broken(&damaged()))?);
            }
            if chunk.is_empty() {
                return Ok(());
            }
            self.chunk(job, &mut chunk, rows, answers).await?;
            done += chunk.len() as u64;
            job.progress.asked(done, of);
        }
    }

    async fn chunk(
        &mut self,
        job: &Job,
        chunk: &mut [Asked],
        rows: &mut Intake,
        answers: &mut Answers,
    ) -> Result<(), Ended> {
        let mut owners = Owners::new();
        for (id, _, refs) in chunk.iter() {
            owners.extend(refs.iter().map(|r| (r.clone(), id.clone())));
        }
        for q in self.0.iter_mut().filter(|q| q.reached.failed.is_none()) {
            let role = q.by_id.role();
            let by_refs = q.by_id.by_refs();
            let wanted = |a: &&Asked| a.1 & bit(role) != 0 && !(by_refs && a.2.is_empty());
            let ids: Vec<OrderId> = chunk.iter().filter(wanted).map(|a| a.0.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            let refs: Vec<Arc<str>> = chunk.iter().filter(wanted).flat_map(|a| a.2.iter().cloned()).collect();
            let page = match q.by_id.rows(&q.line, &ids, &refs).await {
                Ok(page) => page,
                Err(Halt::Cancelled) => return Err(Ended::Cancelled),
                Err(Halt::Failed(condition)) => {
                    answers.silent(role);
                    q.reached.failed = Some(condition);
                    continue;
                }
            };
            answers.by_id(role, page.asof);
            job.progress.page(role, count(&page.rows), None);
            q.reached.answered(page.asof, count(&page.rows) as u64, page.unknown);
            q.reached.asked += ids.len() as u64;
            if let Rows::Payments(payments) = &page.rows {
                for p in payments {
                    owners.insert(p.upg_ref.clone(), p.order_id.clone());
                    if let Some(asked) = chunk.iter_mut().find(|a| a.0 == p.order_id)
                        && !asked.2.contains(&p.upg_ref)
                    {
                        asked.2.push(p.upg_ref.clone());
                    }
                }
            }
            let put = rows.take_named(&page.rows, &owners);
            let put = put.and_then(|()| ids.iter().try_for_each(|id| rows.asked(id, bit(role))));
            put.map_err(|e| disk(job, &e))?;
        }
        Ok(())
    }
}
