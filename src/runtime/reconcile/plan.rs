//! What is to be reconciled: which ledgers are read over the window, and which can be asked by name.

use crate::analysis::reconcile::Class;
use crate::config::{Config, QueryConfig, QueryMode};
use crate::model::order::Role;
use crate::model::{Lapse, Span};
use crate::runtime::reconcile::progress::Progress;
use crate::source::orders::bulk::Line;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Payments and records come after their orders; how long after is read in the window of their own time,
/// where the late ones can be asked for by name…
const MARGIN: Lapse = Lapse::minutes(30);
/// …and where they cannot.
const WIDE_MARGIN: Lapse = Lapse::hours(24);

/// The roles a reconciliation reads, in the order in which they are told.
pub const ROLES: [Role; 4] = [Role::Orders, Role::Payments, Role::HoPayments, Role::Callbacks];

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub struct Job {
    /// The configuration.
    pub config: Config,
    /// Orders born in here.
    pub window: Span,
    /// Where rows are put aside; unlinked files.
    pub folder: PathBuf,
    /// Memory for rows that are sorted.
    pub room: usize,
    /// Classes whose orders are listed; none for counts alone.
    pub list: Option<Vec<Class>>,
    /// Stops it.
    pub cancel: CancellationToken,
    /// How far it is.
    pub progress: Arc<Progress>,
}

/// The session of each database.
pub type Lines = BTreeMap<String, Arc<Mutex<Line>>>;

impl Job {
    /// The queries of a role in a mode.
    pub fn queries(&self, role: Role, mode: QueryMode) -> impl Iterator<Item = &QueryConfig> {
        self.config.queries.iter().filter(move |q| q.role == role && q.mode == mode)
    }
    /// Whether there is such a query.
    pub fn has(&self, role: Role, mode: QueryMode) -> bool {
        self.queries(role, mode).next().is_some()
    }
    /// The stretch of a role's own time that is read.
    pub fn span(&self, role: Role) -> Span {
        let margin = match role {
            Role::Orders | Role::OrderEvents => Lapse::ZERO,
            _ if self.has(role, QueryMode::Ids) => MARGIN,
            _ => WIDE_MARGIN,
        };
        Span { from: self.window.from, to: self.window.to + margin }
    }
    /// Whether a role is read over its window. Callbacks matter for the few that are not at HO: they are
    /// asked by name where that is possible.
    pub fn walks(&self, role: Role) -> bool {
        self.has(role, QueryMode::Window) && !(role == Role::Callbacks && self.has(role, QueryMode::Ids))
    }
    /// Whether payments are asked for along with the orders, because there is no other way.
    pub fn payments_follow(&self) -> bool {
        !self.walks(Role::Payments) && self.has(Role::Payments, QueryMode::Ids)
    }
    /// A session for each database that has a query, not opened yet.
    pub fn lines(&self) -> Lines {
        let used = |name: &str| self.config.queries.iter().any(|q| q.db == name && ROLES.contains(&q.role));
        let lines = self.config.databases.iter().filter(|db| used(&db.name));
        lines.map(|db| (db.name.clone(), Line::new(db.clone(), self.cancel.clone()))).collect()
    }
}
