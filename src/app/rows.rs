//! The lists of every place: which panels it has, how many rows each holds, which row is focused.
//!
//! The view draws exactly these rows in this order; what a row opens is in `act::drill`.

use crate::app::state::{App, Place, Rows, Screen};
use crate::model::database::DbSample;
use crate::model::note::{Item, Question, Section};
use crate::model::order::OrderId;
use crate::store::lines::Kept;

/// A panel with rows that can be focused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Panel {
    /// Timeline: lanes (`derived.shown`).
    Lanes,
    /// Timeline: what broke first (`derived.onsets`).
    Onsets,
    /// Timeline: events (`derived.events`).
    Events,
    /// Database: the blocking tree (`derived.tree.rows`).
    Tree,
    /// Database: statements (`derived.statements`).
    Statements,
    /// Database: locks not granted (`derived.wanted`).
    Wanted,
    /// Database: applications, waits, longest transactions, rates; no rows.
    Activity,
    /// One session's sheet; no rows.
    Session,
    /// Logs: patterns (`derived.patterns`).
    Patterns,
    /// Log lines (`derived.lines`).
    Lines,
    /// Logs: stack traces by their own frames (`derived.traces`).
    Stacks,
    /// Order classes (`derived.classes`).
    Classes,
    /// Traits the stuck share (`derived.shared`).
    Traits,
    /// Orders (`derived.orders`).
    Orders,
    /// Steps of the trail (`derived.steps`).
    Steps,
    /// Hypotheses (`derived.findings.hypotheses`).
    Hypotheses,
    /// Phases, areas and other sections of the note (`sections`).
    Sections,
    /// Items ready to tick (`derived.findings.ready`).
    Ready,
    /// Checks of the hypothesis in front (`checks`).
    Checks,
    /// Checkboxes of the section in front (`section_items`).
    Items,
    /// Sources of the incident.
    Sources,
    /// Health of one source, newest first.
    Health,
    /// Limits beside what is measured (`derived.limits`).
    Limits,
    /// What was said, newest first.
    Messages,
    /// The note's questions, open ones first (`question`).
    Questions,
}

impl Panel {
    /// Its name, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Onsets => "what broke first",
            Self::Events => "events",
            Self::Tree => "blocking tree",
            Self::Statements => "statements",
            Self::Wanted => "locks not granted",
            Self::Activity => "activity",
            Self::Session => "session",
            Self::Patterns => "patterns",
            Self::Lines => "lines",
            Self::Stacks => "stack traces",
            Self::Classes => "classes",
            Self::Traits => "shared traits",
            Self::Orders => "orders",
            Self::Steps => "steps",
            Self::Hypotheses => "hypotheses",
            Self::Sections => "phases and areas",
            Self::Ready => "ready to tick",
            Self::Checks => "checks",
            Self::Items => "checkboxes",
            Self::Sources => "sources",
            Self::Health => "health",
            Self::Limits => "limits",
            Self::Messages => "messages",
            Self::Questions => "questions",
        }
    }
}

/// Panels of a place, in the order of Tab.
pub const fn panels(place: &Place) -> &'static [Panel] {
    match place {
        Place::Top(Screen::Timeline) => &[Panel::Lanes, Panel::Onsets, Panel::Events],
        Place::Top(Screen::Database) => &[Panel::Tree, Panel::Statements, Panel::Wanted, Panel::Activity],
        Place::Top(Screen::Logs) => &[Panel::Patterns, Panel::Lines, Panel::Stacks],
        Place::Top(Screen::Orders) | Place::OrderClasses => &[Panel::Classes, Panel::Traits],
        Place::Top(Screen::Hypotheses) => &[Panel::Hypotheses, Panel::Sections, Panel::Ready],
        Place::Top(Screen::Sources) => &[Panel::Sources],
        Place::OrderList { .. } => &[Panel::Orders],
        Place::Trail(_) => &[Panel::Steps],
        Place::Checks(_) => &[Panel::Checks],
        Place::Session(_) => &[Panel::Session],
        Place::Lines(_) | Place::Stack(_) => &[Panel::Lines],
        Place::Section(_) => &[Panel::Items],
        Place::SourceLog(_) => &[Panel::Health],
        Place::Limits => &[Panel::Limits],
        Place::Messages => &[Panel::Messages],
        Place::Questions => &[Panel::Questions],
    }
}

/// What a row is, across new data: the focus stays with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RowId {
    Number(u64),
    Name(String),
    Order(OrderId),
}

impl App {
    /// The focused panel.
    pub fn panel(&self) -> Panel {
        let panels = panels(self.place());
        panels.get(self.panel).or_else(|| panels.first()).copied().unwrap_or(Panel::Lanes)
    }
    /// Under which name a panel's rows are remembered.
    pub fn rows_key(&self, panel: Panel) -> String {
        format!("{}#{}", self.place().key(), panel.name())
    }
    /// Focus and first row of a panel of the place in front; always inside the list.
    pub fn rows_in(&self, panel: Panel) -> Rows {
        let rows = self.rows.get(&self.rows_key(panel)).copied().unwrap_or_default();
        let last = self.len(panel).saturating_sub(1);
        Rows { focus: rows.focus.min(last), top: rows.top.min(last) }
    }
    /// Whether the lines in front are not all there are.
    pub fn narrowed_lines(&self) -> bool {
        let part = match self.place() {
            Place::Lines(template) => !template.is_empty(),
            place => matches!(place, Place::Stack(_)),
        };
        part || !self.filter.is_empty()
    }
    /// The focused row of the focused panel.
    pub fn focus(&self) -> usize {
        self.rows_in(self.panel()).focus
    }
    /// How many rows a panel of the place in front has.
    pub fn len(&self, panel: Panel) -> usize {
        let d = &self.derived;
        match panel {
            Panel::Lanes => d.shown.len(),
            Panel::Onsets => d.onsets.len(),
            Panel::Events => d.events.len(),
            Panel::Tree => d.tree.rows.len(),
            Panel::Statements => d.statements.0.len(),
            Panel::Wanted => d.wanted.len(),
            Panel::Activity | Panel::Session => 0,
            Panel::Patterns => d.patterns.len(),
            Panel::Lines => d.lines.len(),
            Panel::Stacks => d.traces.len(),
            Panel::Classes => d.classes.len(),
            Panel::Traits => d.shared.len(),
            Panel::Orders => d.orders.len(),
            Panel::Steps => d.steps.len(),
            Panel::Hypotheses => d.findings.hypotheses.len(),
            Panel::Sections => self.note.phases.len() + self.note.areas.len() + self.note.others.len(),
            Panel::Ready => d.findings.ready.len(),
            Panel::Checks => self.checks().len(),
            Panel::Items => self.section_items().count(),
            Panel::Sources => self.store.incident.sources.len(),
            Panel::Health => self.health_rows().count(),
            Panel::Limits => d.limits.len(),
            Panel::Messages => self.messages.len(),
            Panel::Questions => self.note.questions.len(),
        }
    }
    /// Whether a panel has no rows.
    pub fn is_empty(&self, panel: Panel) -> bool {
        self.len(panel) == 0
    }
    /// What stands in a row, to find it again after new data; none where position is all there is.
    pub(super) fn row_id(&self, panel: Panel, i: usize) -> Option<RowId> {
        let d = &self.derived;
        Some(match panel {
            Panel::Patterns => RowId::Name(d.patterns.get(i)?.template.raw().to_owned()),
            Panel::Lines => RowId::Number(*d.lines.get(i)?),
            Panel::Stacks => RowId::Name(d.traces.get(i)?.name.raw().to_owned()),
            Panel::Orders => RowId::Order(d.orders.get(i)?.id.clone()),
            Panel::Hypotheses => RowId::Number(u64::from(d.findings.hypotheses.get(i)?.number)),
            Panel::Classes => RowId::Number(d.classes.get(i)?.class as u64),
            Panel::Tree => RowId::Number(d.tree.rows.get(i)?.pid.unsigned_abs().into()),
            Panel::Statements => RowId::Number(d.statements.0.get(i)?.id as u64),
            Panel::Ready => RowId::Name(d.findings.ready.get(i)?.0.clone()),
            Panel::Onsets => RowId::Name(d.onsets.get(i)?.name.clone()),
            Panel::Questions => RowId::Name(self.question(i)?.id.0.clone()),
            _ => return None,
        })
    }
    /// The numbers of users that limits are looked at for: normal, at the peak, planned.
    pub fn loads(&self) -> [f64; 3] {
        let rules = &self.store.incident.rules;
        [rules.normal_users, rules.peak_users, rules.plan_users]
    }
    /// Checks of the hypothesis in front, in the note's order, added ones last.
    pub fn checks(&self) -> &[crate::analysis::check::Check] {
        let Place::Checks(number) = self.place() else { return &[] };
        self.derived.findings.hypotheses.iter().find(|f| f.number == *number).map_or(&[], |f| f.checks.as_slice())
    }
    /// A section of the note by its index over phases, areas and others.
    pub fn section(&self, i: usize) -> Option<&Section> {
        self.note.phases.iter().chain(&self.note.areas).chain(&self.note.others).nth(i)
    }
    /// A question of the note by its row: those that nobody has answered first, each part in the note's order.
    pub fn question(&self, row: usize) -> Option<&Question> {
        let all = || self.note.questions.iter();
        all().filter(|q| q.answers.is_empty()).chain(all().filter(|q| !q.answers.is_empty())).nth(row)
    }
    /// Checkboxes of the section in front.
    pub fn section_items(&self) -> impl Iterator<Item = &Item> {
        let section = if let Place::Section(i) = self.place() { self.section(*i) } else { None };
        section.map_or(&[][..], |s| s.items.as_slice()).iter().filter_map(|i| self.note.items.get(*i))
    }
    /// Health changes of the source in front up to the cursor, newest first.
    pub fn health_rows(&self) -> impl Iterator<Item = (crate::model::Stamp, &crate::model::health::Health)> {
        let history = if let Place::SourceLog(name) = self.place() { self.store.health_history(name) } else { None };
        let at = self.at();
        history.into_iter().flat_map(|h| h.iter().rev()).filter(move |(t, _)| *t <= at)
    }
    /// Name of the database in front, in the order of the incident's sources.
    pub fn database_name(&self) -> Option<&str> {
        let names = self.database_names();
        names.get(self.database.min(names.len().saturating_sub(1))).copied()
    }
    /// Databases that are watched: those of the incident, then those that answered all the same.
    pub fn database_names(&self) -> Vec<&str> {
        let cards = self.store.incident.sources.iter();
        let mut names: Vec<&str> =
            cards.filter(|c| c.kind == crate::model::incident::SourceKind::Database).map(|c| c.name.as_str()).collect();
        for (name, _) in self.store.databases() {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        names
    }
    /// The look at the database in front that was newest at the cursor.
    pub fn look(&self) -> Option<&DbSample> {
        self.store.database(self.database_name()?)?.at(self.at())
    }
    /// The log line of a row of `derived.lines`.
    pub fn line(&self, row: usize) -> Option<&Kept> {
        self.store.logs.get(*self.derived.lines.get(row)?)
    }
    /// The stretch whose lines are listed: the scope, cut at the cursor.
    pub fn lines_span(&self) -> crate::model::Span {
        let scope = self.scope();
        let end = self.at() + crate::model::Lapse(1);
        crate::model::Span::new(scope.from, scope.to.min(end).max(scope.from))
    }
    /// About how many rows fit; paging and `top` go by it. The view shows the focus whatever this says.
    pub fn page(&self) -> usize {
        usize::from(self.grid.height.saturating_sub(14)).max(1)
    }
    /// Puts the focus of a panel on a row and keeps it in view.
    pub(super) fn focus_row(&mut self, panel: Panel, row: usize) {
        let last = self.len(panel).saturating_sub(1);
        let focus = row.min(last);
        let page = self.page();
        let rows = self.rows.entry(self.rows_key(panel)).or_default();
        rows.focus = focus;
        rows.top = rows.top.clamp((focus + 1).saturating_sub(page), focus);
    }
}

impl Rows {
    /// The first row to draw where `height` rows fit, so that the focus is among them.
    pub fn first(self, height: usize, len: usize) -> usize {
        let height = height.max(1);
        self.top.clamp((self.focus + 1).saturating_sub(height), self.focus).min(len.saturating_sub(height))
    }
}
