//! What the rules look at: the store as of one instant, with everything that several rules need worked out
//! at most once.

use super::callback::Attempts;
use super::lines::{Lines, Says, Told};
use super::numbers::Numbers;
use super::rule::{Baseline, Rule, Window};
use super::{Given, Spoken, Usual};
use crate::analysis::reconcile::facts::{Asked, Facts};
use crate::analysis::reconcile::{self, Class, SharedTrait, card};
use crate::analysis::spike::{self, Onset};
use crate::model::database::DbSample;
use crate::model::health::State;
use crate::model::incident::{Limit, Rules, SourceKind};
use crate::model::order::{OrderId, ROLES, Role};
use crate::model::series::SeriesName;
use crate::model::{Lapse, SourceName, Span, Stamp};
use crate::store::{Series, Store};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// One minute: the resolution of every rule about series.
const MINUTE: Lapse = Lapse::minutes(1);

/// The store as of an instant, for one stretch, with the numbers of one rule.
pub struct Scene<'s> {
    sight: Rc<Sight<'s>>,
    /// The numbers of the rule that looks.
    pub n: Numbers,
}

/// What is seen, and what was worked out of it for whichever rule came first.
pub struct Sight<'s> {
    /// Everything known.
    pub store: &'s Store,
    /// The stretch asked about, whole.
    pub window: Span,
    /// The part of it that has happened.
    pub span: Span,
    /// As of when.
    pub at: Stamp,
    answered: OnceCell<[(Role, Option<Stamp>); ROLES.len()]>,
    book: OnceCell<Book<'s>>,
    lines: OnceCell<(Lines, Vec<Told>)>,
    usual: OnceCell<Option<Arc<Lines>>>,
    spoken: Option<Spoken>,
    onsets: OnceCell<Vec<Onset>>,
    shared: OnceCell<Vec<SharedTrait>>,
    callbacks: OnceCell<Attempts>,
    /// Orders that carry what a rule looks for, while somebody asks which.
    carriers: RefCell<Option<HashSet<OrderId>>>,
    /// What it is compared with, where that is not the incident's.
    baseline: Baseline,
    /// The numbers that all rules share.
    shared_n: Numbers,
}

impl<'s> std::ops::Deref for Scene<'s> {
    type Target = Sight<'s>;

    fn deref(&self) -> &Self::Target {
        &self.sight
    }
}

/// One order that matters.
pub struct Known<'s> {
    /// Which.
    pub id: &'s OrderId,
    /// What is known of it.
    pub facts: Facts<'s>,
    /// Its class.
    pub class: Class,
}

/// The orders of the stretch.
#[derive(Default)]
pub struct Book<'s> {
    /// All that were born in it.
    pub total: usize,
    /// ACTIVE for too long.
    pub stuck: Vec<Known<'s>>,
    /// Not stuck, and in a class that is a fault.
    pub faults: Vec<Known<'s>>,
    /// Charged and not at HO for too long: how many, and the money.
    pub not_at_ho: (usize, i64),
    /// Paid orders, and those of them that HO has been asked about.
    pub paid: (usize, usize),
    /// Orders not old enough to be stuck and older than `late`, and those of them that have not ended.
    pub late: (usize, usize),
    /// The numbers that all rules share.
    n: Numbers,
    /// Births by minute.
    births: BTreeMap<i64, usize>,
}

impl Book<'_> {
    /// Orders born within a stretch and outside it, of those born up to `ripe`; by whole minutes.
    pub fn births_split(&self, span: Span, ripe: Stamp) -> (usize, usize) {
        let born = self.births.iter().map(|(m, n)| (Stamp(m * MINUTE.0), *n)).filter(|(at, _)| *at <= ripe);
        born.fold((0, 0), |(inside, outside), (at, n)| {
            let within = span.contains(at + Lapse(MINUTE.0 / 2));
            if within { (inside + n, outside) } else { (inside, outside + n) }
        })
    }
    /// Orders of some class, stuck or not: how many and the money.
    pub fn of(&self, classes: &[Class]) -> (usize, i64) {
        let all = self.stuck.iter().chain(&self.faults).filter(|k| classes.contains(&k.class));
        all.fold((0, 0), |(n, sum), k| (n + 1, sum.saturating_add(k.facts.amount())))
    }
    /// The end of the last quarter of an hour in which many more were born than in the quietest one.
    fn crowd(&self) -> Option<Stamp> {
        let mut quarters: BTreeMap<i64, usize> = BTreeMap::new();
        for (minute, n) in &self.births {
            *quarters.entry(minute.div_euclid(15)).or_default() += n;
        }
        // The first and the last are not whole.
        let whole = quarters.len().saturating_sub(1);
        let quietest = quarters.values().take(whole).skip(1).min()?;
        let many = |n: usize| n as f64 >= self.n.crowd_of_orders * *quietest as f64;
        let last = quarters.iter().rev().find(|(_, n)| many(**n))?.0;
        Some(Stamp((last + 1) * 15 * MINUTE.0).min(self.newest()))
    }
    fn newest(&self) -> Stamp {
        self.births.keys().next_back().map_or(Stamp(0), |m| Stamp((m + 1) * MINUTE.0))
    }
    /// Birth of the first of the orders that hang together: on any day one hangs now and then, so the first is
    /// one that one in a hundred of all stuck orders, three at least, follow within `together`.
    pub fn first_stuck(&self) -> Option<Stamp> {
        let mut births: Vec<Stamp> = self.stuck.iter().map(|k| k.facts.born).collect();
        births.sort_unstable();
        let many = (births.len() / 100).max(3);
        let together = births.windows(many).find(|w| w.last().is_some_and(|last| last.since(w[0]) <= self.n.together));
        together.or(Some(births.as_slice())).and_then(|w| w.first().copied())
    }
    /// Money of the stuck that fit.
    pub fn stuck_where(&self, fits: impl Fn(&Known<'_>) -> bool) -> (usize, i64) {
        let some = self.stuck.iter().filter(|k| fits(k));
        some.fold((0, 0), |(n, sum), k| (n + 1, sum.saturating_add(k.facts.amount())))
    }
}

/// A series by the minute.
#[derive(Clone)]
pub struct Curve<'s> {
    /// Its name.
    pub name: &'s SeriesName,
    /// One value a minute, where measured.
    pub minutes: Vec<Option<f64>>,
    /// First minute.
    pub from: Stamp,
    /// Its newest point up to the instant.
    pub asof: Option<Stamp>,
    /// Sum of all its points: how many there were, of a series that counts.
    pub total: f64,
    /// Minutes that should be measured by now.
    due: usize,
}

impl Curve<'_> {
    /// Measured values.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.minutes.iter().flatten().copied()
    }
    /// The largest, with its minute.
    pub fn peak(&self) -> Option<(Stamp, f64)> {
        let at = |i: usize| self.from + MINUTE.times(i as i64);
        let measured = self.minutes.iter().enumerate().filter_map(|(i, v)| Some((at(i), (*v)?)));
        measured
            .fold(None, |best: Option<(Stamp, f64)>, p| if best.is_some_and(|b| b.1 >= p.1) { best } else { Some(p) })
    }
    /// The middle one.
    pub fn median(&self) -> Option<f64> {
        let mut all: Vec<f64> = self.values().collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    }
    /// Percent of the minutes that are measured.
    pub fn coverage(&self) -> f64 {
        100.0 * self.values().count() as f64 / self.minutes.len().max(self.due).max(1) as f64
    }
    /// The longest stretch of measured minutes that fit: its first minute and length. An unmeasured minute
    /// neither fits nor ends the stretch.
    pub fn longest(&self, fits: impl Fn(f64) -> bool) -> Option<(Stamp, usize)> {
        let (mut best, mut run) = (None::<(usize, usize)>, None::<(usize, usize)>);
        for (i, value) in self.minutes.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))) {
            run = fits(value).then(|| run.map_or((i, 1), |(from, len)| (from, len + 1)));
            if run.map_or(0, |r| r.1) > best.map_or(0, |b| b.1) {
                best = run;
            }
        }
        best.map(|(i, len)| (self.from + MINUTE.times(i as i64), len))
    }
}

/// The part of a stretch that has happened.
pub fn happened(window: Span, at: Stamp) -> Span {
    Span::new(window.from, window.to.min(at + Lapse(1)).max(window.from))
}

impl<'s> Scene<'s> {
    /// A scene of `window` as of `at`, with what the caller has worked out already for the same two.
    pub fn new(store: &'s Store, window: Span, at: Stamp, n: &Numbers, given: Given) -> Self {
        let usual = given.usual.map_or_else(OnceCell::new, |u| OnceCell::from(u.lines));
        let sight = Sight {
            spoken: given.spoken,
            onsets: given.onsets.map_or_else(OnceCell::new, OnceCell::from),
            shared: given.shared.map_or_else(OnceCell::new, OnceCell::from),
            usual,
            ..Sight::of(store, window, at, Baseline::Incident, n)
        };
        Self { sight: Rc::new(sight), n: *n }
    }

    /// As one rule sees it: with its numbers, its part of the stretch and what it compares with. What others have
    /// worked out is shared with rules that look at the same.
    pub fn seen_by(&self, rule: &Rule) -> Self {
        if rule.window == Window::Stretch && rule.baseline == self.baseline {
            return Self { sight: Rc::clone(&self.sight), n: rule.numbers };
        }
        let window = match rule.window {
            Window::Stretch => self.window,
            Window::Last(long) => Span::new((self.span.to - long).max(self.span.from), self.window.to),
        };
        let sight = Sight::of(self.store, window, self.at, rule.baseline, &self.shared_n);
        Self { sight: Rc::new(sight), n: rule.numbers }
    }
}

impl<'s> Sight<'s> {
    fn of(store: &'s Store, window: Span, at: Stamp, baseline: Baseline, shared_n: &Numbers) -> Self {
        Self {
            store,
            window,
            span: happened(window, at),
            at,
            answered: OnceCell::new(),
            book: OnceCell::new(),
            lines: OnceCell::new(),
            usual: OnceCell::new(),
            spoken: None,
            onsets: OnceCell::new(),
            shared: OnceCell::new(),
            callbacks: OnceCell::new(),
            carriers: RefCell::new(None),
            baseline,
            shared_n: *shared_n,
        }
    }

    /// Thresholds of the incident.
    pub fn rules(&self) -> &'s Rules {
        &self.store.incident.rules
    }
    /// The baseline, as far as it lies before the instant and outside the stretch.
    pub fn baseline(&self) -> Option<Span> {
        let b = match self.baseline {
            Baseline::Incident => self.store.incident.baseline?,
            Baseline::None => return None,
            Baseline::Before(long) => Span::new(self.window.from - long, self.window.to - long),
        };
        (b.to <= self.at && !b.overlaps(&self.span)).then_some(b)
    }
    /// `19:30` in the incident's zone.
    pub fn clock(&self, at: Stamp) -> String {
        self.store.incident.zone.hm(at)
    }

    /// The orders of the stretch, read once.
    pub fn book(&self) -> &Book<'s> {
        self.book.get_or_init(|| self.read_book())
    }

    fn read_book(&self) -> Book<'s> {
        let rules = self.rules();
        let mut book = Book { n: self.shared_n, ..Book::default() };
        let asked = Asked::new(&self.store.orders, self.at);
        // The facts are lent; of orders that stay in the book they are read again.
        let keep = |id: &'s OrderId, class| {
            let facts = Facts::read(self.store.orders.entry(id)?, &asked, rules.settle_after)?;
            Some(Known { id, facts, class })
        };
        reconcile::known(self.store, self.window, self.at, |id, facts| {
            let class = reconcile::class_of(facts, rules);
            if facts.order.is_some() {
                book.total += 1;
                let age = facts.age();
                if self.shared_n.late <= age && age <= rules.stuck_after {
                    book.late = (book.late.0 + 1, book.late.1 + usize::from(facts.active()));
                }
                *book.births.entry(facts.born.0.div_euclid(MINUTE.0)).or_default() += 1;
            }
            if facts.paid > 0 {
                book.paid.0 += 1;
                book.paid.1 += usize::from(facts.ho_asked.is_some());
            }
            if facts.missing_at_ho(rules.settle_after).is_some() {
                let money = facts.paid_amount.saturating_sub(facts.recorded_amount).max(0);
                book.not_at_ho = (book.not_at_ho.0 + 1, book.not_at_ho.1.saturating_add(money));
            }
            let fine = class == Class::NotAsked || card::CLASSES.iter().any(|c| c.class == class && c.fine);
            if facts.stuck(rules.stuck_after) {
                book.stuck.extend(keep(id, class));
            } else if !fine {
                book.faults.extend(keep(id, class));
            }
        });
        book
    }

    /// When a role last answered, up to the instant.
    pub fn answered(&self, role: Role) -> Option<Stamp> {
        let known = self.answered.get_or_init(|| ROLES.map(|role| (role, self.store.orders.asof(role, self.at))));
        known.iter().find(|(r, _)| *r == role).and_then(|(_, at)| *at)
    }

    fn read_lines(&self) -> &(Lines, Vec<Told>) {
        self.lines.get_or_init(|| {
            let stuck = &self.book().stuck;
            if let Some(Spoken { lines, told }) = &self.spoken {
                let of = |k: &Known<'_>| told.get(k.id).copied().unwrap_or_default();
                return (lines.clone(), stuck.iter().map(of).collect());
            }
            let mut wanted: HashMap<&str, Told> = stuck.iter().map(|k| (k.id.as_ref(), Told::default())).collect();
            let lines = Lines::read(self.store, self.span, &mut wanted);
            let told = stuck.iter().map(|k| wanted.get(k.id.as_ref()).copied().unwrap_or_default()).collect();
            (lines, told)
        })
    }
    /// The lines of the stretch, read once.
    pub fn lines(&self) -> &Lines {
        &self.read_lines().0
    }
    /// What the lines of each stuck order say, in the order of `Book::stuck`.
    pub fn told(&self) -> &[Told] {
        &self.read_lines().1
    }
    /// The lines of the baseline; none without lines there.
    pub fn usual_lines(&self) -> Option<&Lines> {
        // A baseline that lies in the stretch, or is not over yet, tells nothing.
        self.baseline()?;
        self.usual.get_or_init(|| Usual::of_span(self.store, self.baseline()).lines).as_deref()
    }
    /// Stuck orders with any line, and those of them whose lines fit.
    pub fn shown(&self, fits: impl Fn(Told) -> bool) -> (usize, usize) {
        let with_lines = self.told().iter().filter(|t| t.says.has(Lines::ANY));
        with_lines.fold((0, 0), |(all, some), t| (all + 1, some + usize::from(fits(*t))))
    }
    /// What broke first, worked out once.
    pub fn onsets(&self) -> &[Onset] {
        self.onsets.get_or_init(|| spike::broke_first(self.store, self.at))
    }

    /// From here on the orders that rules name are remembered.
    pub fn remember_carriers(&self) {
        *self.carriers.borrow_mut() = Some(HashSet::new());
    }
    /// Those that were named.
    pub fn take_carriers(&self) -> HashSet<OrderId> {
        self.carriers.borrow_mut().take().unwrap_or_default()
    }
    /// Names orders that carry what a rule looks for; costs nothing while nobody asks.
    pub fn carry<'o>(&self, orders: impl FnOnce() -> Vec<&'o OrderId>) {
        if let Some(named) = self.carriers.borrow_mut().as_mut() {
            named.extend(orders().into_iter().cloned());
        }
    }

    /// What the stuck orders share, worked out once.
    pub fn shared(&self) -> &[SharedTrait] {
        self.shared.get_or_init(|| reconcile::shared(self.store, self.window, self.at))
    }
    /// Callback attempts of the stretch, counted once.
    pub fn callbacks(&self) -> &Attempts {
        self.callbacks.get_or_init(|| Attempts::count(self))
    }

    /// The series that measures one of these: by its name behind the dot (`pool_in_use`), else by the lane
    /// that has all of the words in its name.
    pub fn series(&self, measures: &[&str], lane: &str) -> Option<(&'s SeriesName, &'s Series)> {
        let known = |name: &SeriesName| self.store.series(name).filter(|s| s.at(self.at).is_some());
        let by_name = |m: &&str| {
            let fits = |name: &&SeriesName| name.split_once('.').is_some_and(|(_, rest)| rest == *m);
            self.store.series_names().filter(fits).find_map(|name| Some((name, known(name)?)))
        };
        measures.iter().find_map(by_name).or_else(|| {
            let words: Vec<&str> = lane.split_whitespace().collect();
            let fits = |name: &str| !words.is_empty() && words.iter().all(|w| name.contains(w));
            let lanes = self.store.incident.lanes.iter().filter(|l| fits(&l.name.to_lowercase()));
            lanes.map(|l| &l.series).find_map(|name| Some((name, known(name)?)))
        })
    }

    /// A series by the minute over `span`, with the largest value of each.
    pub fn curve(&self, (name, series): (&'s SeriesName, &'s Series), span: Span) -> Curve<'s> {
        let to = span.to.min(self.at + Lapse(1));
        let count = (to.since(span.from).0.max(0) + MINUTE.0 - 1) / MINUTE.0;
        let count = count.clamp(0, 100_000);
        let mut buckets = series.columns(span.from, MINUTE, count as usize);
        // The last minute is not over: what comes after the instant is not known yet.
        let last = span.from + MINUTE.times((count - 1).max(0));
        if let Some(slot) = buckets.last_mut().filter(|_| to < last + MINUTE) {
            *slot = series.columns(last, to.since(last), 1).pop().flatten();
        }
        let asof = series.at(self.at).map(|(t, _)| t);
        // A minute that is younger than its source's lag, or not over yet, may be unmeasured by nature.
        let settled = asof.map_or(0, |t| (t.since(span.from).0.max(0) / MINUTE.0 + 1) as usize);
        let total = buckets.iter().flatten().map(|b| b.sum).sum();
        let minutes = buckets.into_iter().take(settled).map(|b| b.map(|b| b.max)).collect();
        let due = (self.at - self.shared_n.lag).min(to).since(span.from).0.max(0) / MINUTE.0;
        Curve { name, minutes, from: span.from, asof, total, due: due as usize }
    }
    /// The curve of the stretch, when one of these is measured in it.
    pub fn measured(&self, measures: &[&str], lane: &str) -> Option<Curve<'s>> {
        let curve = self.curve(self.series(measures, lane)?, self.span);
        Some(curve).filter(|c| c.values().next().is_some())
    }
    /// The curve of the same series over the baseline.
    pub fn usually(&self, name: &str) -> Option<Curve<'s>> {
        let (name, series) =
            self.store.series_names().find(|n| &***n == name).and_then(|n| Some((n, self.store.series(n)?)))?;
        let curve = self.curve((name, series), self.baseline()?);
        Some(curve).filter(|c| c.values().next().is_some())
    }

    /// Configured limits whose name has all the words, or that bound a series with this measure.
    pub fn limits(&self, words: &str, measure: &str) -> impl Iterator<Item = &'s Limit> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let measure = measure.to_owned();
        self.store.incident.limits.iter().filter(move |l| {
            let name = l.name.to_lowercase();
            let bounds = !measure.is_empty() && l.series.split_once('.').is_some_and(|(_, m)| m == measure);
            bounds || (!words.is_empty() && words.iter().all(|w| name.contains(w.as_str())))
        })
    }

    /// Looks at every database inside the stretch.
    pub fn databases(&self) -> impl Iterator<Item = (&'s SourceName, Vec<&'s DbSample>)> {
        let span = self.span;
        let looks = move |h: &'s crate::store::History<DbSample>| h.within(span).map(|(_, s)| s).collect::<Vec<_>>();
        self.store.databases().map(move |(name, h)| (name, looks(h))).filter(|(_, looks)| !looks.is_empty())
    }

    /// When a database refused us for want of connections (SQLSTATE class 53), and how often.
    pub fn refusals(&self) -> Option<(SourceName, Stamp, usize)> {
        let databases = self.store.incident.sources.iter().filter(|s| s.kind == SourceKind::Database);
        let configured = databases.map(|s| SourceName::from(s.name.as_str()));
        let names = configured.chain(self.store.databases().map(|(name, _)| name.clone()));
        let mut found: Vec<(SourceName, Stamp, usize)> = Vec::new();
        for name in names {
            if found.iter().any(|f| f.0 == name) {
                continue;
            }
            let Some(history) = self.store.health_history(&name) else { continue };
            let refused = |state: State, code: &str| state == State::Down && code.starts_with("53");
            let hits: Vec<Stamp> =
                history.within(self.span).filter(|(_, h)| refused(h.state, &h.code)).map(|(t, _)| *t).collect();
            if let Some(first) = hits.first() {
                found.push((name, *first, hits.len()));
            }
        }
        found.into_iter().min_by_key(|f| f.1)
    }
}

impl<'s> Scene<'s> {
    /// From when to when the pool was full for a while.
    pub fn pool_full(&self) -> Option<Span> {
        let pool = self.measured(POOL, POOL_LANE)?;
        let (from, len) = pool.longest(|v| v >= self.n.pool_full).filter(|(_, len)| *len >= self.n.lasting)?;
        Some(Span::new(from, from + MINUTE.times(len as i64)))
    }

    /// Since when the pool was full for a while; else the first refusal, else the first line that says so.
    pub fn pool_onset(&self) -> Option<(Stamp, &'static str)> {
        if let Some(full) = self.pool_full() {
            return Some((full.from, "pool full"));
        }
        let refused = self.refusals().map(|r| (r.1, "connection refused"));
        let said = self.lines().first(Says::POOL).map(|t| (t, "first acquire timeout"));
        [refused, said].into_iter().flatten().min_by_key(|p| p.0)
    }

    /// The series that a limit bounds, with its curve over a stretch and its usual middle, when measured there.
    pub fn bounded(&self, words: &str, span: Span) -> Option<(&'s Limit, Curve<'s>, Option<f64>)> {
        self.limits(words, "").find_map(|limit| {
            let name = self.store.series_names().find(|x| ***x == *limit.series)?;
            let curve = self.curve((name, self.store.series(name)?), span);
            curve.values().next()?;
            Some((limit, curve, self.usually(name).and_then(|c| c.median())))
        })
    }

    /// Whether the users are measured up to now.
    pub fn users_measured(&self) -> bool {
        self.measured(&["users"], "users").is_some_and(|c| c.coverage() >= self.n.covered)
    }

    /// When the crowd was last seen: by the users, else by the orders that are placed.
    pub fn crowd(&self) -> Option<Stamp> {
        let Some(users) = self.measured(&["users"], "users") else { return self.book().crowd() };
        let many = self.n.crowd * self.rules().normal_users;
        let last = users.minutes.iter().rposition(|u| u.is_some_and(|u| u >= many));
        let last = last.map(|i| users.from + MINUTE.times(i as i64));
        // Where the users are not measured any more, the orders tell whether they are still there.
        if users.coverage() >= self.n.covered { last } else { last.max(self.book().crowd()) }
    }

    /// When the breaker first opened.
    pub fn breaker_onset(&self) -> Option<Stamp> {
        let opened = self.measured(BREAKER, "breaker open").and_then(|c| c.first(|v| v > 0.0));
        opened.or_else(|| self.lines().first(Says::BREAKER))
    }
}

impl Curve<'_> {
    /// The first measured minute that fits.
    pub fn first(&self, fits: impl Fn(f64) -> bool) -> Option<Stamp> {
        let at = self.minutes.iter().position(|v| v.is_some_and(&fits))?;
        Some(self.from + MINUTE.times(at as i64))
    }
}

/// Percent of a pool in use.
pub const POOL: &[&str] = &["pool_in_use", "pool_utilization", "pool_usage"];
/// The lane's words where the series has another name.
pub const POOL_LANE: &str = "pool use";
/// Whether a breaker is open.
pub const BREAKER: &[&str] = &["breaker_open", "circuit_open"];
