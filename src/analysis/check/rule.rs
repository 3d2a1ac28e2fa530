//! The one table of rules: what each is called, which checkbox it answers, when it supports, and the
//! function that measures it.
//!
//! `finds` are the words that find the checkbox, alternatives divided by `|`; the heading right above the
//! checkbox counts as part of its words. Words of three letters or fewer match whole words, longer ones the
//! beginning of a word; writing without spaces matches anywhere.

use super::answer::Answer;
use super::numbers as n;
use super::outside::{OUTSIDE, OUTSIDE_RULES};
use super::scene::Scene;
use super::words::{lapse, percent, seconds};
use super::{area, breaker, callback, phase, pool, race, timeout};
use crate::model::note::Verdict;

/// What a rule is about. The first five are hypotheses, in the order of the incident that came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Connection pool exhaustion.
    Pool,
    /// Payment callback failure.
    Callback,
    /// Circuit breaker.
    Breaker,
    /// Time-outs.
    Timeout,
    /// Race condition.
    Race,
    /// The Orchestrator is gone.
    Orchestrator,
    /// The gateway's vendor is slow or fails.
    Vendor,
    /// A deployment, a flag, a parameter.
    Change,
    /// A sequence is at its end.
    Sequence,
    /// Memory or goroutines leak.
    Leak,
    /// Everything outside the hypotheses.
    Other,
}

/// A hypothesis the rules know.
pub struct Card {
    /// Which.
    pub topic: Topic,
    /// Its word in `model::incident::CAUSES`.
    pub cause: &'static str,
    /// Our own name for it.
    pub name: &'static str,
    /// Words of a title that mean it, alternatives divided by `|`.
    pub finds: &'static str,
    /// Points before anything is measured, where the note gives none.
    pub prior: f64,
}

/// The hypotheses the rules know.
pub const CARDS: [Card; 5] = [
    Card {
        topic: Topic::Pool,
        cause: "H1",
        name: "connection pool exhaustion",
        finds: "pool | koneksi habis | conexiones | verbindungspool | プール | 连接池",
        prior: 0.8,
    },
    Card {
        topic: Topic::Callback,
        cause: "H2",
        name: "payment callback failure",
        finds: "callback | webhook | コールバック | 回调 | rückruf | retrollamada",
        prior: 0.6,
    },
    Card {
        topic: Topic::Breaker,
        cause: "H3",
        name: "circuit breaker",
        finds: "circuit | breaker | ブレーカー | 熔断 | disyuntor",
        prior: 0.4,
    },
    Card {
        topic: Topic::Timeout,
        cause: "H4",
        name: "timeout configuration",
        finds: "timeout | time-out | zeitüberschreitung | tiempo de espera | batas waktu | タイムアウト | 超时",
        prior: 0.4,
    },
    Card {
        topic: Topic::Race,
        cause: "H5",
        name: "race condition",
        finds: "race | concurren | carrera | wettlauf | balapan | 競合 | 竞争",
        prior: 0.2,
    },
];

/// A rule.
pub struct Rule {
    /// `a` of H1a for hypotheses; the whole id otherwise.
    pub id: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// Words that find its checkbox; empty for a check that no note has.
    pub finds: &'static str,
    /// Its own words, where the note has none.
    pub title: &'static str,
    /// Whether it looks at the orders themselves: a metric alone names nothing.
    pub of_orders: bool,
    /// Points when it supports, and taken off when it refutes; given once, where the hypothesis asks.
    pub weight: (f64, f64),
    /// When it supports and refutes, with its numbers.
    pub says: fn() -> String,
    /// Measures it.
    pub run: fn(&Scene<'_>) -> Answer,
}

/// A rule about no orders.
pub const fn rule(
    topic: Topic,
    id: &'static str,
    finds: &'static str,
    title: &'static str,
    says: fn() -> String,
    run: fn(&Scene<'_>) -> Answer,
) -> Rule {
    Rule { id, topic, finds, title, of_orders: false, weight: (0.0, 0.0), says, run }
}
/// A rule about orders, beside no checkbox.
pub const fn of_orders(
    topic: Topic,
    id: &'static str,
    title: &'static str,
    says: fn() -> String,
    run: fn(&Scene<'_>) -> Answer,
) -> Rule {
    Rule { id, topic, finds: "", title, of_orders: true, weight: (0.0, 0.0), says, run }
}
const fn other(
    id: &'static str,
    finds: &'static str,
    title: &'static str,
    says: fn() -> String,
    run: fn(&Scene<'_>) -> Answer,
) -> Rule {
    rule(Topic::Other, id, finds, title, says, run)
}

impl Rule {
    /// With points.
    pub const fn weighs(mut self, supports: f64, refutes: f64) -> Self {
        self.weight = (supports, refutes);
        self
    }
    const fn looks_at_orders(mut self) -> Self {
        self.of_orders = true;
        self
    }
}

/// Points of a weight for a verdict: inconclusive and no data count nothing.
pub const fn points(weight: (f64, f64), verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Supports => weight.0,
        Verdict::Refutes => 0.0 - weight.1,
        Verdict::Inconclusive | Verdict::NoData => 0.0,
    }
}

/// `30 % of ≥ 10 orders`
pub fn share(v: (f64, usize)) -> String {
    format!("{} of ≥ {} orders", percent(100.0 * v.0), v.1)
}
fn pool_full() -> String {
    format!(
        "≥ {} for ≥ {} min and somebody waits, or 53300; not below {} with {} measured",
        percent(n::POOL_FULL),
        n::LASTING,
        percent(n::POOL_EASY),
        percent(n::COVERED)
    )
}
fn callback_errors() -> String {
    format!(
        "≥ {} failed for ≥ {} min; not below {} in all minutes of ≥ {} attempts",
        percent(n::CALLBACK_FAILED.0),
        n::LASTING,
        percent(n::CALLBACK_FAILED.1),
        n::FEW_CALLBACKS
    )
}
fn callback_available() -> String {
    format!(
        "accepted < {} for ≥ {} min; not ≥ {} in all minutes",
        percent(n::CALLBACK_OK.0),
        n::LASTING,
        percent(n::CALLBACK_OK.1)
    )
}
fn breaker_open() -> String {
    format!("open, and the callee was healthy before; not never open with {} of minutes covered", percent(n::COVERED))
}
fn breaker_threshold() -> String {
    format!("threshold < {:.0} × usual failures; not ≥ {:.0} ×", n::BREAKER_ROOM.0, n::BREAKER_ROOM.1)
}
fn answered() -> String {
    "answered when every system was asked".to_owned()
}
fn collected() -> String {
    format!("done from {} on", percent(n::COMPLETE))
}
fn more_lines() -> String {
    format!("> 3 × usual in ≥ {} min; not none with {} of minutes covered", n::LASTING, percent(n::COVERED))
}
fn one_place() -> String {
    format!("used ≥ {} of usable; not < {}", percent(n::POOL_FULL), percent(n::POOL_EASY))
}

/// All rules, those of a note's own checkboxes first within each topic.
pub const RULES: &[Rule] = &[
    rule(
        Topic::Pool,
        "a",
        "metric | métric | metrik | 指標 | 指标 | messwert",
        "how full the pool is",
        pool_full,
        pool::in_use,
    )
    .weighs(3.0, 3.0),
    rule(
        Topic::Pool,
        "b",
        "config | konfig | 設定 | 配置",
        "limits of the pool",
        || format!("need > {} × (pool_max × pods), or pods may starve; not < {} ×", n::NEED.0, n::NEED.1),
        pool::limits,
    ),
    rule(
        Topic::Pool,
        "c",
        "wait | tunggu | antre | espera | wart | 待ち | 等待",
        "wait for a connection",
        || format!("≥ {}; not < {}", seconds(n::WAIT.0), seconds(n::WAIT.1)),
        pool::wait,
    )
    .weighs(2.0, 1.0),
    of_orders(
        Topic::Pool,
        "x",
        "stuck orders whose lines say so",
        || format!("≥ {}; not < {}", share(n::SHOWN), share(n::HARDLY_SHOWN)),
        pool::shown,
    )
    .weighs(3.0, 2.0),
    rule(
        Topic::Pool,
        "y",
        "",
        "order of events",
        || format!("pool ≤ stuck + {0} and ≤ breaker + {0}; not > stuck + {1}", lapse(n::SLACK), lapse(n::TOO_LATE)),
        pool::order_of_events,
    )
    .weighs(2.0, 0.0),
    rule(
        Topic::Callback,
        "a",
        "queue | antre | retry | cola | warteschlange | キュー | 再送 | 队列",
        "callbacks waiting to be sent again",
        || format!("≥ 1 % not accepted for {}; not none", lapse(n::CALLBACK_OLD)),
        callback::queue,
    ),
    rule(
        Topic::Callback,
        "b",
        "endpoint | availab | tersedia | disponib | erreichbar | エンドポイント",
        "whether HO accepts callbacks",
        callback_available,
        callback::available,
    ),
    rule(
        Topic::Callback,
        "c",
        "error | log | errores | fehler | エラー",
        "callbacks that failed",
        callback_errors,
        callback::error_rate,
    )
    .weighs(3.0, 3.0),
    of_orders(
        Topic::Callback,
        "x",
        "unrecorded payments with a callback tried",
        || {
            format!(
                "≥ {} of ≥ {}; not < {}",
                percent(100.0 * n::CLASS_SPLIT.0),
                n::SHOWN.1,
                percent(100.0 * n::CLASS_SPLIT.1)
            )
        },
        callback::class_split,
    )
    .weighs(3.0, 2.0),
    rule(
        Topic::Callback,
        "y",
        "",
        "stuck orders charged and not at HO",
        || format!("≥ {}, a weak sign", percent(100.0 * n::UNRECORDED)),
        callback::unrecorded,
    )
    .weighs(1.0, 0.0),
    rule(
        Topic::Breaker,
        "a",
        "metric | métric | metrik | 指標 | 指标",
        "whether the breaker opened",
        breaker_open,
        breaker::open,
    )
    .weighs(0.0, 4.0),
    rule(
        Topic::Breaker,
        "b",
        "threshold | ambang | umbral | schwell | しきい値 | 阈值 | config",
        "threshold of the breaker",
        breaker_threshold,
        breaker::threshold,
    ),
    rule(
        Topic::Breaker,
        "c",
        "depend | kesehatan | health | salud | abhäng | 依存",
        "health of what it guards before it opened",
        || format!("callee failed < {} in the 5 min before; not ≥ {}", percent(n::CALLEE.0), percent(n::CALLEE.1)),
        breaker::dependency,
    )
    .weighs(3.0, 3.0),
    of_orders(
        Topic::Breaker,
        "x",
        "stuck orders that met it open",
        || format!("≥ 50 % of ≥ {} orders with lines", n::SHOWN.1),
        breaker::shown,
    )
    .weighs(3.0, 0.0),
    rule(
        Topic::Breaker,
        "y",
        "",
        "order of events",
        || format!("opened before the first stuck order; not > {} after", lapse(n::TOO_LATE)),
        breaker::before_stuck,
    )
    .weighs(1.0, 0.0),
    rule(
        Topic::Timeout,
        "a",
        "config | konfig | daftar | lista | liste | 設定",
        "configured time-outs",
        || format!("one below what is usual; not all ≥ {} × the peak", n::TIMEOUT_ROOM),
        timeout::configured,
    ),
    rule(
        Topic::Timeout,
        "b",
        "response | respons | respuesta | antwort | p95 | 応答 | 响应",
        "response time against the time-out",
        || format!("T < p95 at the peak; not T > {} × p99", n::TIMEOUT_ROOM),
        timeout::response,
    )
    .weighs(2.0, 3.0),
    rule(
        Topic::Timeout,
        "c",
        "log | error | errores | fehler | ログ",
        "stuck orders with a deadline of their own",
        || format!("≥ {}; not < {}; acquire timeouts left out", share(n::SHOWN), share(n::HARDLY_SHOWN)),
        timeout::shown,
    )
    .looks_at_orders()
    .weighs(3.0, 2.0),
    of_orders(
        Topic::Timeout,
        "x",
        "timed-out orders that were paid",
        || format!("≥ 50 % of ≥ {}, a weak sign", n::SHOWN.1),
        timeout::went_on,
    )
    .weighs(1.0, 0.0),
    rule(
        Topic::Timeout,
        "y",
        "",
        "slower than load explains",
        || format!("refuted as root by > {:.0} × what load explains", n::SICK),
        timeout::sick,
    )
    .weighs(0.0, 5.0),
    rule(
        Topic::Race,
        "a",
        "state machine | mesin status | transisi | transition | máquina de estado | zustand | 状態 | 状态",
        "illegal transitions",
        || format!("≥ {} of the stuck; not none with {} covered", percent(100.0 * n::ILLEGAL), percent(n::COMPLETE)),
        race::transitions,
    )
    .looks_at_orders()
    .weighs(3.0, 2.0),
    rule(
        Topic::Race,
        "b",
        "lock | bloqueo | sperr | ロック | kunci | 锁",
        "locking",
        || format!("deadlocks in ≥ {} min", n::DEADLOCK_MINUTES),
        race::locking,
    )
    .weighs(1.0, 0.0),
    rule(
        Topic::Race,
        "c",
        "concurren | bersamaan | nebenläuf | 同時 | 并发",
        "two actors on one version",
        || format!("≥ {}; not < {}; within 100 ms", share(n::SHOWN), share(n::HARDLY_SHOWN)),
        race::conflicts,
    )
    .looks_at_orders()
    .weighs(5.0, 4.0),
    of_orders(
        Topic::Race,
        "x",
        "stuck orders recorded at HO",
        || format!("≥ {} or recorded twice; not < {}", percent(100.0 * n::RECORDED.0), percent(100.0 * n::RECORDED.1)),
        race::recorded,
    )
    .weighs(2.0, 1.0),
    other(
        "P1a",
        "metric full day | metrics cloud | metrics huawei | metrics day",
        "metrics of the whole day",
        collected,
        phase::metrics,
    ),
    other("P1b", "export log | ekspor log | exportar", "logs of every service", collected, phase::logs),
    other(
        "P1c",
        "query order_id | list order | daftar order gantung",
        "list of stuck orders",
        answered,
        phase::stuck_list,
    ),
    other(
        "P1d",
        "payment transaction | transaksi pembayaran | payment record upg",
        "payments of the stuck orders",
        collected,
        phase::payments,
    ),
    other("P1e", "ho record | records ho | ho missing", "what HO lacks", collected, phase::ho_records),
    other("P2a", "error pattern | pola error | patrones", "patterns of errors", collected, phase::patterns),
    other(
        "P2b",
        "correlate order_id mrg | hubungkan order_id | order_id upg",
        "orders joined over the systems",
        answered,
        phase::join,
    ),
    other(
        "P2c",
        "characteristic | ciri",
        "what the stuck share",
        || "lift ≥ 1.5, ≥ 30 orders, p < 0.01 after Holm".to_owned(),
        phase::shared,
    ),
    other(
        "P2d",
        "timeline | linimasa | cronología | zeitachse",
        "lags after the spike",
        || "spike and at least three onsets".to_owned(),
        phase::timeline,
    ),
    other("P3d", "impact | dampak | impacto", "impact", answered, phase::impact),
    other("P4a", "recover | pulihkan | recuperar", "worksheet of the stuck orders", collected, phase::worksheet),
    other(
        "P4b",
        "reconcil | rekonsiliasi | conciliación",
        "gap between UPG and HO",
        || "done when the gap is 0".to_owned(),
        phase::gap,
    ),
    other(
        "P5b",
        "capacity | kapasitas | capacidad",
        "limits at the planned load",
        || "every limit: measured minutes, else a line through those below it".to_owned(),
        phase::capacity,
    ),
    other(
        "P5e",
        "optimization connection | optimasi connection | optimasi pool | pool optimization",
        "proposal for the pool",
        || format!("{} × need", n::POOL_ROOM),
        phase::proposal,
    ),
    other("M1", "mrg pool", "pool of MRG", pool_full, pool::in_use),
    other(
        "M2",
        "goroutine",
        "goroutines that stay",
        || format!("> {} × usual after users are below {} × normal", n::GOROUTINES, n::USERS_BACK),
        area::goroutines,
    ),
    other(
        "M3",
        "gc | memory",
        "memory and GC",
        || format!("pause ≥ {}; not < {}", seconds(n::GC_PAUSE), seconds(n::GC_PAUSE / 2.0)),
        area::gc,
    ),
    other("M5", "mrg circuit | mrg breaker", "breaker of MRG", breaker_open, breaker::open),
    other("M4", "mrg network | mrg downstream", "network to downstream", more_lines, area::network),
    other("U1", "upg gateway vendor timeout | upg gateway timeout", "gateway of the vendor", more_lines, area::gateway),
    other("U2", "upg callback", "callbacks of UPG", callback_errors, callback::error_rate),
    other(
        "U3",
        "upg race",
        "two payments of one order",
        || format!("≥ {} within {}", percent(100.0 * n::ILLEGAL), lapse(n::TWICE_WITHIN)),
        race::double_payments,
    ),
    other(
        "U4",
        "upg write",
        "waits to write",
        || {
            format!(
                "≥ {} of the active for ≥ {} min; not < {}",
                percent(n::WRITE_WAITS.0),
                n::LASTING,
                percent(n::WRITE_WAITS.1)
            )
        },
        area::writes,
    ),
    other(
        "U5",
        "upg backoff retry | upg retry | upg backoff",
        "attempts for each callback",
        || format!("> {} each; not < 1.1", n::RETRIES),
        area::retries,
    ),
    other("O1", "spof", "the Orchestrator refused", more_lines, area::refused),
    other(
        "O2",
        "orchestrator state machine | orchestrator transisi | orchestrator transition",
        "step of the stuck orders",
        || format!("one step ≥ {}", percent(100.0 * n::ONE_STEP)),
        area::steps,
    ),
    other(
        "O3",
        "saga | compensation",
        "saga compensation",
        || "FAILED without compensation in 10 min".to_owned(),
        area::compensation,
    ),
    other(
        "O4",
        "sequence | secuencia",
        "sequences and ids",
        || format!("≥ {:.0} duplicate keys a minute; not none", n::DUPLICATES),
        area::duplicates,
    ),
    other(
        "D1",
        "connection max active | connections max | koneksi max",
        "connections used",
        one_place,
        area::connections,
    ),
    other(
        "D2",
        "slow query | query lambat | consultas lentas",
        "slow statements",
        || format!("mean > {:.0} × usual and ≥ {} of all time", n::SLOW.0, percent(n::SLOW.1)),
        area::slow_statements,
    ),
    other(
        "D3",
        "lock contention | deadlock | bloqueos",
        "waits for locks",
        || format!("≥ {} of the active for ≥ {} min; not never", percent(n::LOCK_WAITS), n::LASTING),
        area::locks,
    ),
    other(
        "D4",
        "rollback",
        "transactions rolled back",
        || format!("> {:.0} × usual and > {}; not as usual", n::ROLLBACKS.0, percent(n::ROLLBACKS.1)),
        area::rollbacks,
    ),
    other(
        "D5",
        "cpu",
        "power of the database",
        || format!("CPU ≥ {} for ≥ 5 min; not < {}", percent(n::CPU.0), percent(n::CPU.1)),
        area::power,
    ),
    other("I3", "upg ho", "UPG to HO", callback_available, callback::available),
    other("I2", "upg gateway | gateway response", "UPG to the gateway", more_lines, area::gateway),
    other("I1", "mrg upg", "MRG to UPG", more_lines, area::hop),
    other(
        "Q2",
        "berapa bayar stuck | berapa sudah bayar | how many paid | paid stuck",
        "paid and stuck",
        answered,
        phase::paid_and_stuck,
    ),
    other(
        "Q3",
        "berapa belum bayar | how many unpaid | unpaid stuck",
        "unpaid and stuck",
        answered,
        phase::unpaid_and_stuck,
    ),
    other(
        "Q4",
        "pattern region | pola region | pattern service",
        "what the stuck share",
        || "lift ≥ 1.5, ≥ 30 orders, p < 0.01 after Holm".to_owned(),
        phase::shared,
    ),
    other("Q1", "total order gantung | berapa total | how many order", "orders that hang", answered, phase::stuck_list),
    other(
        "L1",
        "search timeout connection | cari timeout connection | timeout connection circuit",
        "the words searched first",
        || "lines with each word".to_owned(),
        phase::words,
    ),
    other(
        "L2",
        "frequency | frekuensi | frecuencia | häufigkeit",
        "errors by the minute",
        || "lines of ERROR and FATAL".to_owned(),
        phase::error_rate,
    ),
    other(
        "L3",
        "error order_id gantung | kaitkan error | correlate error",
        "errors of stuck orders",
        || "stuck orders with an ERROR line".to_owned(),
        phase::errors_of_orders,
    ),
    other("L4", "stack trace", "stack traces", || "lines with a stack trace".to_owned(), phase::stacks),
];

/// Whether the words (one alternative of `finds` at least) are all in the text.
pub fn finds(finds: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |words: &str| {
        let mut words = words.split_whitespace().peekable();
        words.peek().is_some() && words.all(|w| has_word(&text, w))
    };
    finds.split('|').any(has)
}

fn has_word(text: &str, word: &str) -> bool {
    let spaced = word.is_ascii() || word.chars().all(|c| c.is_alphabetic() && (c as u32) < 0x2e80);
    if !spaced {
        return text.contains(word);
    }
    let whole = word.chars().count() <= 3;
    text.match_indices(word).any(|(i, _)| {
        let before = text.get(..i).and_then(|t| t.chars().next_back());
        let after = text.get(i + word.len()..).and_then(|t| t.chars().next());
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (!whole || !inside(after) || after == Some('s'))
    })
}

/// The hypothesis a title means, when the rules know it.
pub fn topic_of(title: &str) -> Option<&'static Card> {
    CARDS.iter().chain(&OUTSIDE).find(|card| finds(card.finds, title))
}

/// The rules about one thing.
pub fn of_topic(topic: Topic) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(OUTSIDE_RULES).filter(move |r| r.topic == topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_words() {
        assert!(finds("lock | sperr", "Check for proper locking"));
        assert!(!finds("lock", "deadlock rate") && !finds("gc", "GCP quota") && finds("gc", "Memory / GC pauses"));
        assert!(finds("upg ho", "UPG → HO: success rate") && !finds("upg ho", "UPG should"));
        assert!(finds("プール 指標", "接続プールの指標"));
        assert!(!finds("", "anything") && !finds(" | ", "anything"));
    }

    #[test]
    fn titles_of_several_languages_mean_the_same() {
        for (title, topic) in [
            ("Database Connection Pool Exhaustion", Topic::Pool),
            ("接続プール枯渇", Topic::Pool),
            ("Payment callback ke HO gagal", Topic::Callback),
            ("Zeitüberschreitung zu kurz", Topic::Timeout),
            ("Race condition di alur pembayaran", Topic::Race),
        ] {
            assert_eq!(topic_of(title).map(|c| c.topic), Some(topic), "{title}");
        }
        assert!(topic_of("Sperren in der Datenbank").is_none());
    }

    #[test]
    fn ids_are_given_once() {
        let mut ids: Vec<(Topic, &str)> = RULES.iter().map(|r| (r.topic, r.id)).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
