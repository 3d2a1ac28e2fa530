//! Tests of `analysis::database`, as stories.

use super::*;
use crate::model::database::Session;
use crate::model::{Batch, Fact, Span};

const T: Stamp = Stamp::from_secs(1_000_000);

fn statement(id: i64, calls: i64, total_ms: f64) -> Statement {
    Statement { id, calls, total_ms, rows: calls, query: format!("SELECT {id}").as_str().into() }
}

fn store(looks: &[(i64, Option<Vec<Statement>>)]) -> Store {
    let mut store = Store::default();
    for (second, statements) in looks {
        let at = T + Lapse::seconds(*second);
        let sample = DbSample { at, statements: statements.clone(), ..DbSample::default() };
        let facts = vec![Fact::Database(Box::new(sample))];
        store.apply(&Batch { source: "mrg".into(), seq: 1, seen: at, facts });
    }
    store
}

fn at(second: i64) -> Stamp {
    T + Lapse::seconds(second)
}

#[test]
fn one_look_or_none_tells_no_rate() {
    let over = Lapse::seconds(60);
    assert_eq!(statements(&store(&[]), "mrg", at(0), over).0, []);
    assert_eq!(statements(&store(&[(0, Some(vec![statement(1, 5, 5.0)]))]), "mrg", at(0), over).0, []);
    assert_eq!(statements(&store(&[(0, None), (60, None)]), "mrg", at(60), over).0, []);
}

#[test]
fn rates_are_differences_over_the_stretch_asked_for() {
    let looks = [
        (0, Some(vec![statement(1, 1_000, 2_000.0), statement(2, 10, 10.0)])),
        (60, Some(vec![statement(1, 1_100, 2_200.0), statement(2, 10, 10.0)])),
        (75, None),
        (120, Some(vec![statement(1, 1_400, 2_800.0), statement(2, 70, 610.0)])),
    ];
    let (rates, stretch) = statements(&store(&looks), "mrg", at(130), Lapse::seconds(60));
    assert_eq!(stretch, Lapse::seconds(60));
    let told: Vec<_> = rates.iter().map(|r| (r.id, r.mean, r.calls, r.share)).collect();
    assert_eq!(told, [(1, Lapse::millis(2), 5.0, 50.0), (2, Lapse::millis(10), 1.0, 50.0)]);
}

#[test]
fn as_of_an_earlier_instant_later_looks_do_not_exist() {
    let look = |s, calls| (s, Some(vec![statement(1, calls, calls as f64)]));
    let (rates, _) =
        statements(&store(&[look(0, 0), look(60, 60), look(120, 6_000)]), "mrg", at(90), Lapse::seconds(60));
    assert!((rates[0].calls - 1.0).abs() < 1e-9);
}

#[test]
fn a_shorter_stretch_is_used_and_said_when_there_is_no_older_look() {
    let look = |s, calls| (s, Some(vec![statement(1, calls, 1.0)]));
    let (_, stretch) = statements(&store(&[look(0, 0), look(15, 60)]), "mrg", at(20), Lapse::seconds(60));
    assert_eq!(stretch, Lapse::seconds(15));
}

#[test]
fn a_reset_and_an_eviction_count_from_zero_and_never_below() {
    let looks = [
        (0, Some(vec![statement(1, 9_000, 9_000.0)])),
        (60, Some(vec![statement(1, 60, 120.0), statement(2, 60, 60.0)])),
    ];
    let (rates, _) = statements(&store(&looks), "mrg", at(60), Lapse::seconds(60));
    assert_eq!(
        rates.iter().map(|r| (r.id, r.mean)).collect::<Vec<_>>(),
        [(1, Lapse::millis(2)), (2, Lapse::millis(1))]
    );
    assert!(rates.iter().all(|r| r.calls > 0.0));
}

#[test]
fn a_statement_that_may_have_been_cut_off_before_is_not_taken_for_new() {
    let looks = [
        (0, Some(vec![statement(1, 10, 500.0), statement(2, 10, 400.0)])),
        (60, Some(vec![statement(1, 20, 600.0), statement(3, 9_999, 390.0)])),
    ];
    let (rates, _) = statements(&store(&looks), "mrg", at(60), Lapse::seconds(60));
    assert_eq!(rates.iter().map(|r| r.id).collect::<Vec<_>>(), [1]);
}

#[test]
fn the_baseline_gives_the_normal_mean_and_nothing_else_does() {
    let week = 7 * 86_400;
    let looks = [
        (-week, Some(vec![statement(1, 0, 0.0)])),
        (-week + 600, Some(vec![statement(1, 100, 200.0)])),
        (0, Some(vec![statement(1, 1_000, 5_000.0), statement(2, 1, 1.0)])),
        (60, Some(vec![statement(1, 1_100, 8_000.0), statement(2, 9, 9.0)])),
    ];
    let mut store = store(&looks);
    let bare = statements(&store, "mrg", at(60), Lapse::seconds(60)).0;
    assert!(bare.iter().all(|r| r.normal.is_none()));
    store.incident.baseline = Some(Span::new(at(-week), at(-week + 3_600)));
    let rates = statements(&store, "mrg", at(60), Lapse::seconds(60)).0;
    assert_eq!(rates.iter().map(|r| (r.id, r.normal)).collect::<Vec<_>>(), [(1, Some(Lapse::millis(2))), (2, None)]);
}

#[test]
fn wanted_locks_are_grouped_with_the_longest_wait() {
    let want = |kind: &str, target: &str, seconds: i64| Session {
        wants: Some(Lock { kind: kind.to_owned(), mode: "ShareLock".to_owned(), target: target.into() }),
        waiting: Some(T - Lapse::seconds(seconds)),
        ..Session::default()
    };
    let sessions = vec![
        want("relation", "orders", 5),
        want("transactionid", "xid 9", 3),
        want("transactionid", "xid 9", 30),
        Session::default(),
    ];
    let found = wanted(&DbSample { at: T, sessions, ..DbSample::default() });
    let told: Vec<_> = found.iter().map(|w| (w.target.raw(), w.mode.as_str(), w.waiting, w.longest)).collect();
    assert_eq!(told[0], ("xid 9", "ShareLock on transactionid", 2, Some(Lapse::seconds(30))));
    assert_eq!(told[1], ("orders", "ShareLock", 1, Some(Lapse::seconds(5))));
}

#[test]
fn a_database_that_never_answered_has_no_rates() {
    let rates = rates(&Store::default(), "mrg", T);
    assert_eq!(rates.len(), 4);
    assert!(rates.iter().all(|r| r.value.is_none() && r.normal.is_none()));
}
