//! Log lines grouped into patterns: the words that stay, counted against the baseline.

use crate::analysis::reconcile;
use crate::model::log::Level;
use crate::model::{Lapse, Span, Stamp, Untrusted};
use crate::store::Store;
use crate::store::lines::Kept;
use crate::store::template::TemplateId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Stretches of a pattern's trend.
pub const TREND: usize = 24;

/// A pattern of log lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Words with placeholders: `took <n>ms`.
    pub template: Untrusted,
    /// Worst level seen.
    pub level: Level,
    /// Service without its replica number, `several` when more than one.
    pub service: Arc<str>,
    /// Lines in the window.
    pub lines: u64,
    /// Lines in a stretch of the same length of the baseline; none when there is no baseline data.
    pub normal: Option<f64>,
    /// First line inside the window; none when the pattern is older than the window.
    pub first: Option<Stamp>,
    /// Absent from the baseline, and the baseline has lines.
    pub new: bool,
    /// Lines over the window in [`TREND`] equal stretches.
    pub trend: Vec<u32>,
    /// Stuck orders that carry it.
    pub orders: usize,
    /// The same by stretch: in how many stuck orders' lines of each it is.
    pub carried: Vec<u32>,
    /// What `orders` and `carried` are to be measured by, the same for all patterns of a window.
    pub heard: Arc<Heard>,
    /// Numbers (`Kept::number`) of the lines, oldest first.
    pub members: Vec<u64>,
}

/// Stuck orders that were heard of at all: they have a line, whatever it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// In the window.
    pub all: usize,
    /// In each of its stretches.
    pub by_stretch: Vec<u32>,
}

impl Pattern {
    /// The share of stuck orders with it among those with any line, stretch by stretch, as a percentage; none where
    /// no stuck order was heard of.
    pub fn shares(&self) -> Vec<Option<f64>> {
        let share = |(with, of): (&u32, &u32)| (*of > 0).then(|| f64::from(*with) * 100.0 / f64::from(*of));
        self.carried.iter().zip(&self.heard.by_stretch).map(share).collect()
    }
    /// How many times the normal count it is; none without a baseline or when it is new.
    pub fn times_normal(&self) -> Option<f64> {
        self.normal.filter(|n| *n > 0.0).map(|n| self.lines as f64 / n)
    }
    /// Whether there is clearly more of it than usual: at least half as much again, and not by chance
    /// (three standard deviations of a Poisson count).
    pub fn more_than_usual(&self) -> bool {
        let Some(normal) = self.normal else { return false };
        let lines = self.lines as f64;
        !self.new && lines >= 1.5 * normal && lines > normal + 3.0 * normal.max(1.0).sqrt()
    }
}

/// Groups the lines of the window: new ones first, then those with more than usual, then by count.
///
/// `baseline` is scaled to the window's length. Lines after `window.to` are not looked at.
pub fn patterns(store: &Store, window: Span, baseline: Option<Span>) -> Vec<Pattern> {
    let stuck = stuck_orders(store, window);
    let mut groups: HashMap<TemplateId, Group> = HashMap::new();
    let mut heard = Carriers::default();
    for kept in store.logs.within(window) {
        groups.entry(store.logs.template_of(kept)).or_default().add(kept, window, &stuck);
        heard.add(kept, window, &stuck);
    }
    let heard = Arc::new(Heard { all: heard.all.len(), by_stretch: heard.by_stretch() });
    let usual = baseline.map(|span| counts(store, span));
    let scale = baseline.map_or(1.0, |b| window.length().as_secs_f64() / b.length().as_secs_f64().max(1.0));
    let before = counts(store, Span::new(window.from - Lapse::hours(24), window.from));
    let known = usual.as_ref().filter(|u| !u.is_empty());
    let mut out: Vec<Pattern> = groups
        .into_iter()
        .filter_map(|(id, group)| {
            let template = store.logs.template(id)?;
            let normal = known.map(|u| u.get(&id).map_or(0.0, |n| *n as f64 * scale));
            let older = before.contains_key(&id);
            Some(group.into_pattern(template, normal, older, &heard))
        })
        .collect();
    out.sort_by(|a, b| rank(a).cmp(&rank(b)).then(b.lines.cmp(&a.lines)).then_with(|| a.template.cmp(&b.template)));
    out
}

/// 0 new, 1 more than usual, 2 as usual.
fn rank(p: &Pattern) -> u8 {
    if p.new {
        0
    } else if p.more_than_usual() {
        1
    } else {
        2
    }
}

fn counts(store: &Store, span: Span) -> HashMap<TemplateId, u64> {
    let mut out = HashMap::new();
    for kept in store.logs.within(span) {
        *out.entry(store.logs.template_of(kept)).or_default() += 1;
    }
    out
}

pub(super) fn stuck_orders(store: &Store, window: Span) -> HashSet<Arc<str>> {
    let classes: Vec<_> = reconcile::CLASSES.iter().filter(|c| c.stuck).map(|c| c.class).collect();
    if classes.is_empty() {
        return HashSet::new();
    }
    reconcile::orders(store, window, &classes, window.to).into_iter().map(|o| o.id).collect()
}

/// Which of the [`TREND`] stretches of a window an instant is in.
pub(super) fn stretch_of(at: Stamp, window: Span) -> usize {
    (at.since(window.from).0 as f64 / window.length().0.max(1) as f64 * TREND as f64) as usize
}

/// `mrg-api-3` is `mrg-api`: a replica's number says nothing about the pattern.
pub fn family(service: &str) -> &str {
    let cut = service.trim_end_matches(|c: char| c.is_ascii_digit());
    match cut.strip_suffix('-') {
        Some(name) if cut.len() < service.len() && !name.is_empty() => name,
        _ => service,
    }
}

#[derive(Default)]
struct Group {
    level: Option<Level>,
    service: Option<Arc<str>>,
    several: bool,
    first: Option<Stamp>,
    trend: Vec<u32>,
    carriers: Carriers,
    members: Vec<u64>,
}

/// Stuck orders that are named, in all and by stretch.
#[derive(Default)]
struct Carriers {
    all: HashSet<Arc<str>>,
    stretches: HashMap<usize, HashSet<Arc<str>>>,
}

impl Carriers {
    fn add(&mut self, kept: &Kept, window: Span, stuck: &HashSet<Arc<str>>) {
        let Some(order) = kept.line.order.as_ref().filter(|o| stuck.contains(*o)) else { return };
        self.all.insert(order.clone());
        self.stretches.entry(stretch_of(kept.line.at, window)).or_default().insert(order.clone());
    }

    fn by_stretch(&self) -> Vec<u32> {
        (0..TREND).map(|i| self.stretches.get(&i).map_or(0, |orders| orders.len() as u32)).collect()
    }
}

impl Group {
    fn add(&mut self, kept: &Kept, window: Span, stuck: &HashSet<Arc<str>>) {
        let line = &kept.line;
        self.level = Some(self.level.map_or(line.level, |l| l.max(line.level)));
        match &self.service {
            None => self.service = Some(family(&line.service).into()),
            Some(s) if s.as_ref() != family(&line.service) => self.several = true,
            Some(_) => {}
        }
        self.first.get_or_insert(line.at);
        if self.trend.is_empty() {
            self.trend = vec![0; TREND];
        }
        if let Some(n) = self.trend.get_mut(stretch_of(line.at, window)) {
            *n += 1;
        }
        self.carriers.add(kept, window, stuck);
        self.members.push(kept.number);
    }

    fn into_pattern(self, template: Untrusted, normal: Option<f64>, older: bool, heard: &Arc<Heard>) -> Pattern {
        Pattern {
            template,
            level: self.level.unwrap_or(Level::Info),
            service: if self.several { "several".into() } else { self.service.unwrap_or_else(|| "–".into()) },
            lines: self.members.len() as u64,
            normal,
            first: self.first.filter(|_| !older),
            new: normal == Some(0.0) && !older,
            trend: self.trend,
            orders: self.carriers.all.len(),
            carried: self.carriers.by_stretch(),
            heard: Arc::clone(heard),
            members: self.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::LogLine;
    use crate::model::order::{Asked, Attributes, Ledger, Order, OrderStatus, Rows};
    use crate::model::{Batch, Fact};

    fn line(second: i64, service: &str, level: Level, message: &str) -> LogLine {
        LogLine {
            at: Stamp::from_secs(second),
            service: service.into(),
            level,
            order: None,
            trace: None,
            message: message.into(),
            stack: Vec::new(),
        }
    }

    fn store(lines: Vec<LogLine>) -> Store {
        let mut store = Store::default();
        store.apply(&Batch { source: "logs".into(), seq: 1, seen: Stamp(0), facts: vec![Fact::Lines(lines)] });
        store
    }

    fn seconds(from: i64, to: i64) -> Span {
        Span::new(Stamp::from_secs(from), Stamp::from_secs(to))
    }

    #[test]
    fn new_patterns_come_first_then_those_with_more_than_usual() {
        let day = 86_400 * 7;
        let mut lines: Vec<LogLine> = (0..10).map(|i| line(i * 10, "upg-1", Level::Warn, "slow 5ms")).collect();
        lines.push(line(50, "upg-1", Level::Info, "sweep done"));
        lines.extend((0..60).map(|i| line(day + i, "upg-2", Level::Warn, "slow 9ms")));
        lines.push(line(day + 50, "orch-1", Level::Info, "sweep done"));
        lines.push(line(day + 7, "mrg-api-3", Level::Error, "no connection within 5000ms"));
        let got = patterns(&store(lines), seconds(day, day + 100), Some(seconds(0, 100)));
        let short: Vec<_> =
            got.iter().map(|p| (p.template.raw().to_owned(), p.lines, p.new, p.more_than_usual())).collect();
        assert_eq!(
            short,
            vec![
                ("no connection within <duration>".to_owned(), 1, true, false),
                ("slow <duration>".to_owned(), 60, false, true),
                ("sweep done".to_owned(), 1, false, false),
            ]
        );
        assert_eq!(got[0].first, Some(Stamp::from_secs(day + 7)));
        assert_eq!(got[1].times_normal(), Some(6.0));
        assert_eq!(got[0].service.as_ref(), "mrg-api");
    }

    #[test]
    fn without_lines_in_the_baseline_nothing_is_called_new_or_usual() {
        let got =
            patterns(&store(vec![line(5, "mrg", Level::Error, "broken")]), seconds(0, 10), Some(seconds(-100, 0)));
        assert_eq!((got[0].normal, got[0].new), (None, false));
    }

    #[test]
    fn lines_after_the_window_are_not_counted_and_the_trend_adds_up() {
        let lines =
            vec![line(1, "a", Level::Info, "x"), line(9, "a", Level::Info, "x"), line(10, "a", Level::Info, "x")];
        let got = patterns(&store(lines), seconds(0, 10), None);
        assert_eq!(got[0].lines, 2);
        assert_eq!(got[0].trend.iter().sum::<u32>(), 2);
    }

    #[test]
    fn the_share_of_stuck_orders_is_measured_by_those_that_have_any_line() {
        let order = |id: &str| Order {
            order_id: id.into(),
            created_at: Stamp::from_secs(1),
            status: OrderStatus::Active,
            amount: None,
            payment_method: None,
            region: None,
            service_type: None,
            saga_step: None,
            trace_id: None,
            updated_at: None,
            version: None,
            attributes: Attributes::default(),
        };
        let window = seconds(0, 24 * 600);
        let late = Stamp::from_secs(24 * 600);
        let rows = ["A", "B", "C", "D"].map(order).to_vec();
        let (payments, records) = (Rows::Payments(Vec::new()), Rows::HoPayments(Vec::new()));
        let answer = |rows| Fact::Ledger(Ledger { asof: late, asked: Asked::Window(window), rows });
        let facts = [Rows::Orders(rows), payments, records].map(answer).into();
        let of = |second: i64, order: &str, message: &str| LogLine {
            order: Some(order.into()),
            ..line(second, "mrg-1", Level::Error, message)
        };
        // In the first stretch A times out and B says something else; in the second A alone speaks, twice; D never
        // says anything, and Z is no order.
        let lines = vec![
            of(10, "A", "acquire timeout"),
            of(20, "B", "sweep done"),
            of(30, "Z", "acquire timeout"),
            of(610, "A", "acquire timeout"),
            of(620, "A", "acquire timeout"),
            of(1_300, "C", "sweep done"),
        ];
        let mut store = store(lines);
        store.apply(&Batch { source: "o".into(), seq: 1, seen: late, facts });
        assert_eq!(stuck_orders(&store, window).len(), 4);
        let got = patterns(&store, window, None);
        let timeout = got.iter().find(|p| p.template.raw() == "acquire timeout").unwrap();
        assert_eq!((timeout.orders, timeout.heard.all, timeout.lines), (1, 3, 4));
        assert_eq!(timeout.shares()[..4], [Some(50.0), Some(100.0), Some(0.0), None]);
        assert_eq!(
            (timeout.carried[..3].to_vec(), timeout.heard.by_stretch[..3].to_vec()),
            (vec![1, 1, 0], vec![2, 1, 1])
        );
    }

    #[test]
    fn a_replica_number_is_not_part_of_the_service() {
        assert_eq!(family("mrg-api-3"), "mrg-api");
        assert_eq!(family("upg2"), "upg2");
        assert_eq!(family("7"), "7");
    }
}
