//! Tests of `analysis::blocking`, as stories.

use super::*;
use crate::model::database::{Lock, Session};
use crate::model::{Lapse, Stamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const AT: Stamp = Stamp::from_secs(10_000);

fn session(pid: Pid, behind: &[Pid]) -> Session {
    Session {
        pid,
        application: format!("app-{pid}").as_str().into(),
        blocked_by: behind.to_vec(),
        ..Session::default()
    }
}

fn waiter(pid: Pid, application: &str, behind: &[Pid], waited: i64, target: &str) -> Session {
    let wants = Lock { kind: "transactionid".to_owned(), mode: "ShareLock".to_owned(), target: target.into() };
    Session {
        application: application.into(),
        state: "active".to_owned(),
        waiting: Some(AT - Lapse::seconds(waited)),
        wants: Some(wants),
        ..session(pid, behind)
    }
}

fn look(sessions: Vec<Session>) -> DbSample {
    DbSample { at: AT, sessions, ..DbSample::default() }
}

/// Rows as `depth:pid*blocks`, a fold with how many.
fn drawn(tree: &Tree) -> Vec<String> {
    let fold = |r: &Row| if r.folded.is_empty() { String::new() } else { format!(" x{}", r.folded.len()) };
    tree.rows.iter().map(|r| format!("{}:{}*{}{}", r.depth, r.pid, r.blocks, fold(r))).collect()
}

#[test]
fn nobody_waits_and_nothing_is_drawn() {
    assert_eq!(tree(&look(vec![session(1, &[]), session(2, &[])]), &[]), Tree::default());
}

#[test]
fn a_chain_of_five_is_as_deep_as_it_is_and_the_busiest_root_comes_first() {
    let mut sessions = vec![session(90, &[]), session(91, &[90])];
    sessions.extend([session(10, &[]), session(11, &[10]), session(12, &[11]), session(13, &[12]), session(14, &[13])]);
    let tree = tree(&look(sessions), &[]);
    assert_eq!(drawn(&tree), ["0:10*4", "1:11*3", "2:12*2", "3:13*1", "4:14*0", "0:90*1", "1:91*0"]);
    assert_eq!((tree.waiting, tree.roots, tree.cycle), (5, 2, false));
}

#[test]
fn guides_say_at_each_level_whether_a_sibling_follows() {
    let sessions = vec![session(1, &[]), session(2, &[1]), session(3, &[2]), session(4, &[1])];
    let guides: Vec<Vec<bool>> = tree(&look(sessions), &[]).rows.into_iter().map(|r| r.guides).collect();
    assert_eq!(guides, [vec![], vec![true], vec![true, false], vec![false]]);
}

#[test]
fn a_waiter_of_several_stands_below_the_first_in_the_order_of_pg_blocking_pids() {
    let tree = tree(&look(vec![session(1, &[]), session(2, &[]), session(3, &[2, 1])]), &[]);
    assert_eq!(drawn(&tree), ["0:2*1", "1:3*0", "0:1*0"]);
}

#[test]
fn siblings_stand_in_queue_order_even_when_the_newest_waits_longest_by_its_clock() {
    let sessions = vec![
        session(1, &[]),
        waiter(5, "a", &[1, 7, 6], 300, "x"),
        waiter(6, "b", &[1, 7], 20, "x"),
        waiter(7, "c", &[1], 10, "x"),
    ];
    assert_eq!(drawn(&tree(&look(sessions), &[])), ["0:1*3", "1:7*0", "1:6*0", "1:5*0"]);
}

#[test]
fn three_replicas_that_want_the_same_lock_are_one_row_until_unfolded() {
    let mut sessions = vec![session(1, &[])];
    sessions.extend((0..12).map(|i| waiter(20 + i, &format!("mrg-api-{i}"), &[1], 100 - i64::from(i), "xid 9")));
    sessions.push(waiter(50, "cron", &[1], 500, "xid 9"));
    let look = look(sessions);
    let folded = tree(&look, &[]);
    assert_eq!(drawn(&folded), ["0:1*13", "1:50*0", "1:20*0 x12"]);
    assert_eq!(folded.rows[2].waits, Some(Lapse::seconds(100)));
    assert_eq!(folded.waiting, 13);
    assert_eq!(tree(&look, &[20]).rows.len(), 14);
}

#[test]
fn two_alike_stay_apart_and_one_with_waiters_of_its_own_is_never_folded() {
    let two = vec![session(1, &[]), waiter(2, "a-1", &[1], 9, "x"), waiter(3, "a-2", &[1], 8, "x")];
    assert_eq!(tree(&look(two), &[]).rows.len(), 3);
    let mut four: Vec<Session> = vec![session(1, &[])];
    four.extend((2..6).map(|i| waiter(i, &format!("a-{i}"), &[1], 20 - i64::from(i), "x")));
    four.push(waiter(9, "b", &[3], 1, "y"));
    assert_eq!(drawn(&tree(&look(four), &[])), ["0:1*5", "1:2*0 x3", "1:3*1", "2:9*0"]);
}

#[test]
fn a_deadlock_is_cut_and_said() {
    let tree = tree(&look(vec![session(1, &[2]), session(2, &[3]), session(3, &[1])]), &[]);
    assert!(tree.cycle);
    assert_eq!((tree.rows.len(), tree.waiting, tree.roots), (3, 3, 0));
}

#[test]
fn a_session_that_blocks_itself_through_its_own_workers_is_no_waiter() {
    assert_eq!(tree(&look(vec![session(1, &[1])]), &[]), Tree::default());
}

#[test]
fn blockers_we_cannot_see_are_rows_too() {
    let tree = tree(&look(vec![session(3, &[0]), session(4, &[0]), session(5, &[777])]), &[]);
    assert_eq!(drawn(&tree), ["0:0*2", "1:3*0", "1:4*0", "0:777*1", "1:5*0"]);
    assert_eq!(tree.rows[0].session, Row::UNSEEN);
    assert!(sentence(&look(Vec::new()), Row::UNSEEN, AT).contains("pg_prepared_xacts"));
}

#[test]
fn the_sentence_says_what_the_root_does_since_when_and_whom_it_holds_up() {
    let mut root = session(48_211, &[]);
    root.state = "idle in transaction".to_owned();
    root.in_transaction = Some(AT - Lapse::seconds(252));
    root.in_state = Some(AT - Lapse::seconds(250));
    let look = look(vec![root, waiter(2, "a", &[48_211], 238, "x"), waiter(3, "b", &[2], 9, "y")]);
    assert_eq!(
        sentence(&look, 0, AT),
        "48211 (app-48211) has had a transaction open for 4 min 12 s and has asked nothing for 4 min 10 s: its \
         client is busy with something that is not this database; 2 sessions wait behind it, the longest for \
         3 min 58 s."
    );
    assert!(sentence(&look, 1, AT + Lapse::minutes(5)).ends_with("(as of 5 min earlier)."));
    assert!(sentence(&look, 1, AT).contains("has waited 3 min 58 s for ShareLock on x; 1 session waits behind it"));
}

/// Any wait graph of up to 24 sessions, unknown blockers and circles included.
fn graphs() -> impl Strategy<Value = DbSample> {
    let behind = prop::collection::vec(0_i32..28, 0..4);
    prop::collection::vec((behind, 0_i64..50, 0_usize..3), 0..24).prop_map(|all| {
        let one = |(i, (behind, waited, app)): (usize, (Vec<i32>, i64, usize))| {
            let app = ["mrg-api-1", "mrg-api-2", "cron"][app];
            let mut s = waiter(i as i32 + 1, app, &behind, waited, "x");
            if s.blocked_by.is_empty() {
                (s.wants, s.waiting) = (None, None);
            }
            s
        };
        look(all.into_iter().enumerate().map(one).collect())
    })
}

proptest! {
    #[test]
    fn every_waiter_and_blocker_appears_once_below_a_blocker_of_its_own_and_counts_add_up(look in graphs()) {
        let all: Vec<Pid> = look.sessions.iter().map(|s| s.pid).collect();
        let tree = tree(&look, &all);
        let by_pid: BTreeMap<Pid, &Session> = look.sessions.iter().map(|s| (s.pid, s)).collect();
        let mut expected: BTreeSet<Pid> = BTreeSet::new();
        let mut waiting = 0;
        for s in &look.sessions {
            let others: Vec<Pid> = s.blocked_by.iter().copied().filter(|p| *p != s.pid).collect();
            if !others.is_empty() {
                waiting += 1;
                expected.insert(s.pid);
                expected.extend(others);
            }
        }
        let shown: Vec<Pid> = tree.rows.iter().map(|r| r.pid).collect();
        prop_assert_eq!(shown.len(), expected.len());
        prop_assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), expected);
        prop_assert_eq!(tree.waiting, waiting);
        let mut path: Vec<Pid> = Vec::new();
        for (i, row) in tree.rows.iter().enumerate() {
            path.truncate(row.depth);
            prop_assert_eq!(path.len(), row.depth);
            if let Some(parent) = path.last() {
                prop_assert!(by_pid[&row.pid].blocked_by.contains(parent), "{} is not blocked by {}", row.pid, parent);
            } else {
                let waits = by_pid.get(&row.pid).is_some_and(|s| s.blocked_by.iter().any(|p| *p != s.pid));
                prop_assert!(!waits || tree.cycle, "a waiter is a root only where a circle was cut");
            }
            let below = tree.rows[i + 1..].iter().take_while(|r| r.depth > row.depth).count();
            prop_assert_eq!(row.blocks, below);
            path.push(row.pid);
        }
    }

    #[test]
    fn folding_hides_rows_and_no_session(look in graphs()) {
        let all: Vec<Pid> = look.sessions.iter().map(|s| s.pid).collect();
        let folded = tree(&look, &[]);
        let count: usize = folded.rows.iter().map(|r| r.folded.len().max(1)).sum();
        prop_assert_eq!(count, tree(&look, &all).rows.len());
        prop_assert!(folded.rows.iter().all(|r| r.folded.is_empty() || r.folded.len() >= FOLD_FROM));
    }
}
