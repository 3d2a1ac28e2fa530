//! The demo's evening, checked as people would at several instants.

use super::*;
use crate::model::health::{Health, State};
use crate::model::log::{Level, LogLine};
use crate::model::note::Override;
use crate::model::order::{Asked, Attributes, Ledger, Order, OrderStatus, Rows};
use crate::model::{Batch, Fact, Lapse};
use crate::note::parse::parse;
use crate::simulator::{self, END, NOTE, START};

fn evening() -> Store {
    let mut store = Store::default();
    simulator::demo(1).for_each(|batch| store.apply(&batch));
    store
}

fn at(store: &Store, clock: &str) -> Stamp {
    store.incident.zone.on_day(START, clock).unwrap()
}

fn checked(store: &Store, clock: &str) -> Findings {
    findings(store, &parse("n.md", NOTE), Span::new(START, END), at(store, clock))
}

fn check<'f>(f: &'f Findings, id: &str) -> &'f Check {
    let mut all = f.hypotheses.iter().flat_map(|h| &h.checks).chain(&f.others);
    all.find(|c| c.id == id).unwrap_or_else(|| panic!("no check {id}"))
}

#[test]
fn the_pool_is_named_and_what_follows_from_it_is_not() {
    let f = checked(&evening(), "20:52");
    let first = &f.hypotheses[0];
    assert_eq!((first.number, first.verdict), (1, "leads"));
    assert!((first.score - 10.8).abs() < 1e-9, "{}", first.score);
    assert!(f.answer.starts_with("H1 connection pool exhaustion is named: score 10.8"), "{}", f.answer);
    assert!(f.answer.contains("5 of 5 checks support"));
    assert!(f.hypotheses.iter().filter(|h| [2, 3, 5].contains(&h.number)).all(|h| h.verdict == "refuted"));
}

#[test]
fn every_checkbox_has_one_check_and_every_rule_prints_its_numbers() {
    let f = checked(&evening(), "20:52");
    let note = parse("n.md", NOTE);
    let all: Vec<&Check> = f.hypotheses.iter().flat_map(|h| &h.checks).chain(&f.others).collect();
    let mut items: Vec<&ItemId> = all.iter().filter_map(|c| c.item.as_ref()).collect();
    assert_eq!(items.len(), 66);
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len(), 66);
    assert_eq!(note.items.len(), 66);
    for c in all {
        assert!(!c.rule.is_empty(), "{}", c.id);
        assert_eq!(c.verdict == Verdict::NoData, !c.missing.is_empty(), "{}", c.id);
        assert!(c.verdict != Verdict::NoData || (c.score == 0.0 && c.measured.is_empty()), "{}", c.id);
        assert!(c.evidence_line.starts_with("evidence (warroom 2025-01-12 20:52 WIB): "), "{}", c.evidence_line);
        assert!(!c.evidence_line.contains('\n'));
    }
    for score in &f.hypotheses {
        let sum = score.prior + score.checks.iter().map(|c| c.score).sum::<f64>();
        assert!((sum - score.score).abs() < 1e-9, "the scores add up visibly");
    }
}

#[test]
fn rules_are_put_beside_the_checkboxes_that_mean_them() {
    let f = checked(&evening(), "20:52");
    for (id, words) in [
        ("H1a", "metrics connection pool"),
        ("H1c", "wait time"),
        ("H2b", "endpoint"),
        ("H3c", "dependency"),
        ("H4b", "p95"),
        ("H5b", "locking"),
        ("P1e", "records HO"),
        ("P4b", "reconciliation"),
        ("M2", "Goroutine"),
        ("U1", "gateway timeout"),
        ("O2", "Transisi state machine"),
        ("D3", "Lock contention"),
        ("I3", "UPG → HO"),
        ("Q2", "sudah bayar"),
        ("Q3", "belum bayar"),
        ("L4", "stack trace"),
    ] {
        assert!(check(&f, id).title.raw().contains(words), "{id}: {}", check(&f, id).title.raw());
    }
}

#[test]
fn in_the_calm_before_there_is_nothing_to_explain() {
    let f = checked(&evening(), "19:10");
    assert!(f.answer.starts_with("nothing to explain"), "{}", f.answer);
    assert!(f.hypotheses.iter().all(|h| h.verdict != "leads"));
    assert_eq!(check(&f, "H1a").verdict, Verdict::Refutes);
}

#[test]
fn nothing_after_the_instant_is_used() {
    let mut store = evening();
    let before = checked(&store, "19:50");
    let late = at(&store, "19:51");
    let order = |n: i64| Order {
        order_id: format!("ORD-5118{n:03}").as_str().into(),
        created_at: START,
        status: OrderStatus::Complete,
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
    let line = LogLine {
        at: late,
        service: "mrg".into(),
        level: Level::Error,
        order: None,
        trace: None,
        message: "ERROR: deadlock detected".into(),
        stack: Vec::new(),
    };
    let health = Health {
        at: late,
        state: State::Down,
        code: "53300".into(),
        says: Untrusted::default(),
        remedy: Untrusted::default(),
        next: None,
    };
    let word = Override {
        at: late,
        check: "H1a".into(),
        verdict: Some(Verdict::Refutes),
        reason: "no".into(),
        who: "me".into(),
    };
    let samples = crate::model::batch::Samples {
        at: late,
        values: vec![("metrics.latency_p95".into(), 900.0), ("metrics.pool_wait".into(), 900.0)],
    };
    let rows = Rows::Orders((1..400).map(order).collect());
    let ledger = Ledger { asof: late, asked: Asked::Window(Span::new(START, late)), rows };
    let facts = vec![
        Fact::Lines(vec![line]),
        Fact::Health(health),
        Fact::Override(word),
        Fact::Samples(samples),
        Fact::Ledger(ledger),
    ];
    store.apply(&Batch { source: "ho".into(), seq: 9_999, seen: late, facts });
    assert_eq!(checked(&store, "19:50"), before);
}

#[test]
fn a_persons_word_counts_and_the_measured_verdict_stays_beside_it() {
    let mut store = evening();
    let over = |verdict| Override {
        at: at(&store, "20:40"),
        check: "H2x".to_owned(),
        verdict,
        reason: "HO confirmed\u{1b}[2J by phone".into(),
        who: "leader".into(),
    };
    let batch = |o, seq| Batch { source: "people".into(), seq, seen: END, facts: vec![Fact::Override(o)] };
    let (set, back) = (batch(over(Some(Verdict::Supports)), 90), batch(over(None), 91));
    store.apply(&set);
    let f = checked(&store, "20:52");
    let c = check(&f, "H2x");
    assert_eq!((c.verdict, c.overridden.as_ref().map(|o| o.0)), (Verdict::Supports, Some(Verdict::Refutes)));
    assert!((c.score - 3.0).abs() < 1e-9);
    assert!(c.evidence_line.contains("by leader: HO confirmed·[2J by phone"), "{}", c.evidence_line);
    store.apply(&back);
    assert_eq!(check(&checked(&store, "20:52"), "H2x").overridden, None);
}

#[test]
fn without_callbacks_logs_and_metrics_the_answer_is_undetermined_and_says_what_is_missing() {
    let mut store = Store::default();
    for batch in simulator::demo(1) {
        let facts = batch.facts.iter().filter(|f| {
            !matches!(f, Fact::Lines(_) | Fact::Samples(_))
                && !matches!(f, Fact::Ledger(l) if matches!(l.rows, Rows::Callbacks(_)))
        });
        let facts = facts.cloned().collect();
        store.apply(&Batch { facts, ..batch });
    }
    let f = checked(&store, "20:52");
    assert_eq!(check(&f, "H2x").verdict, Verdict::NoData);
    assert!(check(&f, "H2x").missing.contains("role = \"callbacks\""));
    assert_eq!(check(&f, "H1x").verdict, Verdict::NoData);
    assert!(f.answer.starts_with("undetermined, because "), "{}", f.answer);
    assert!(f.hypotheses.iter().all(|h| h.verdict != "leads"));
    assert!(f.missing.iter().any(|(id, _)| id == "H2x"));
}

#[test]
fn ready_items_are_answered_and_not_ticked_yet() {
    let store = evening();
    let now = at(&store, "20:52");
    let f = checked(&store, "20:52");
    let first = f.ready.first().unwrap().clone();
    let edit = crate::note::edit::Edit { item: first.clone(), ticked: true, evidence: None };
    let ticked = crate::note::edit::apply(NOTE, &edit).unwrap();
    let after = findings(&store, &parse("n.md", &ticked), Span::new(START, END), now);
    assert_eq!(after.ready.len(), f.ready.len() - 1);
    assert!(!after.ready.contains(&first));
}

#[test]
fn an_empty_store_and_an_empty_note_refute_nothing() {
    let store = Store::default();
    let f = findings(&store, &Note::default(), Span::new(Stamp(0), Stamp(0) + Lapse::hours(1)), Stamp(1));
    assert_eq!(f.hypotheses.len(), 5);
    let verdicts = || f.hypotheses.iter().flat_map(|h| &h.checks).map(|c| c.verdict);
    assert!(verdicts().all(|v| matches!(v, Verdict::NoData | Verdict::Inconclusive)));
    assert!(f.hypotheses.iter().all(|h| h.verdict == "undetermined"));
    assert!(f.answer.starts_with("undetermined"), "{}", f.answer);
    assert!(f.ready.is_empty());
}

#[test]
fn what_the_caller_has_worked_out_already_changes_no_answer() {
    let store = evening();
    let note = parse("n.md", simulator::NOTE);
    for minutes in [45, 70, 150] {
        let (window, at) = (Span::new(simulator::START, simulator::END), simulator::START + Lapse::minutes(minutes));
        let given = Given {
            carry: None,
            onsets: Some(crate::analysis::spike::broke_first(&store, at)),
            shared: Some(reconcile::shared(&store, window, at)),
            spoken: Some(spoken(&store, window, at, &hung(&store, window, at))),
            usual: Some(Usual::read(&store)),
        };
        let (own, spared) = (findings(&store, &note, window, at), findings_given(&store, &note, window, at, given));
        assert!(own == spared, "{minutes}: {} {}", own.answer, spared.answer);
    }
    assert!(Usual::read(&store).holds(&store));
}
