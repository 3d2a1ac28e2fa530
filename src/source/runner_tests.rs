//! The runner under a clock that the tests turn.

use super::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Plays a script, one entry a round; notes when it was asked.
struct Scripted {
    script: Arc<Mutex<Vec<Step>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Well,
    Slow(u64),
    Again(i64),
    Refused,
    Hang,
    Panic,
}

fn round(next: Next) -> Round {
    Round { facts: Vec::new(), cost: Some(Cost { requests: 1, ..Cost::default() }), condition: Condition::well(), next }
}

impl Poll for Scripted {
    async fn poll(&mut self) -> Result<Round, Failure> {
        self.asked.lock().unwrap().push(Instant::now());
        let step = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.remove(0) } else { script[0] }
        };
        match step {
            Step::Well => Ok(round(Next::Interval)),
            Step::Slow(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(round(Next::Interval))
            }
            Step::Again(ms) => Ok(round(Next::After(Lapse::millis(ms)))),
            Step::Refused => Err(Failure {
                condition: Condition::down("53300", "full", "wait"),
                facts: Vec::new(),
                cost: None,
                wait: Lapse::ZERO,
            }),
            Step::Hang => std::future::pending().await,
            Step::Panic => panic!("a fault in a source"),
        }
    }
}

struct Scene {
    handle: Handle,
    batches: mpsc::Receiver<Batch>,
    asked: Arc<Mutex<Vec<Instant>>>,
    lives: Arc<AtomicU32>,
    cancel: CancellationToken,
}

fn scene(interval: i64, script: &[Step]) -> Scene {
    let plan = Plan {
        name: "mrg".into(),
        interval: Lapse::seconds(interval),
        deadline: Lapse::seconds(8),
        floor: Lapse::seconds(5),
        doing: "connecting",
    };
    let script = Arc::new(Mutex::new(script.to_vec()));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lives = Arc::new(AtomicU32::new(0));
    let (tx, batches) = mpsc::channel(1000);
    let cancel = CancellationToken::new();
    let make = {
        let (script, asked, lives) = (script, asked.clone(), lives.clone());
        move || {
            lives.fetch_add(1, Ordering::SeqCst);
            Scripted { script: script.clone(), asked: asked.clone() }
        }
    };
    let handle = spawn(plan, make, tx, cancel.clone());
    Scene { handle, batches, asked, lives, cancel }
}

impl Scene {
    /// Lets time pass, then gives all facts so far.
    async fn after(&mut self, seconds: u64) -> Vec<Fact> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let mut facts = Vec::new();
        while let Ok(batch) = self.batches.try_recv() {
            facts.extend(batch.facts);
        }
        facts
    }
    /// Seconds between the rounds.
    fn gaps(&self) -> Vec<f64> {
        self.asked.lock().unwrap().windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect()
    }
}

fn healths(facts: &[Fact]) -> Vec<(State, String, bool)> {
    let of = |f: &Fact| match f {
        Fact::Health(h) => Some((h.state, h.code.clone(), h.next.is_some())),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

fn intervals(facts: &[Fact]) -> Vec<i64> {
    let of = |f: &Fact| match f {
        Fact::Cost(c) => Some(c.interval.whole_seconds()),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn health_is_told_when_it_changes_and_cost_each_round() {
    let mut s = scene(10, &[Step::Well]);
    let facts = s.after(31).await;
    assert_eq!(healths(&facts), [(State::Late, "connecting".into(), false), (State::Well, String::new(), false)]);
    assert_eq!(intervals(&facts), [10, 10, 10, 10]);
    assert_eq!(s.gaps(), [10.0, 10.0, 10.0]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_asked_less_often_and_soon_again_as_often_as_configured() {
    let mut s = scene(10, &[Step::Slow(3_000), Step::Well]);
    let facts = s.after(200).await;
    assert_eq!(intervals(&facts)[..5], [30, 15, 10, 10, 10]);
    assert_eq!(s.gaps()[..3], [33.0, 15.0, 10.0]);
}

#[tokio::test(start_paused = true)]
async fn a_very_slow_source_is_still_asked() {
    let mut pace = Pace::new(Lapse::seconds(2));
    pace.took(Lapse::seconds(600));
    assert_eq!(pace.current(), Lapse::seconds(40));
}

#[tokio::test(start_paused = true)]
async fn attempts_after_a_refusal_grow_apart_and_are_never_closer_than_the_floor() {
    let mut s = scene(1, &[Step::Refused]);
    let facts = s.after(1_200).await;
    let gaps = s.gaps();
    assert!(gaps.iter().all(|g| (5.0..=60.1).contains(g)), "{gaps:?}");
    assert!(gaps.len() < 60, "{} attempts in 20 minutes", gaps.len());
    let late: f64 = gaps[8..].iter().sum::<f64>() / (gaps.len() - 8) as f64;
    assert!(late > gaps[0], "waits grow: first {}, later {late} on average", gaps[0]);
    // Each attempt tells when the next one is.
    assert!(healths(&facts)[1..].iter().all(|h| *h == (State::Down, "53300".into(), true)));
    assert_eq!(healths(&facts).len(), 1 + s.asked.lock().unwrap().len());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up_at_its_deadline_and_asked_again() {
    let mut s = scene(10, &[Step::Hang, Step::Well]);
    let facts = s.after(60).await;
    let told = healths(&facts);
    assert_eq!(told[1], (State::Down, "no answer".into(), true));
    assert_eq!(told[2], (State::Well, String::new(), false));
    assert!(s.gaps()[0] >= 13.0, "8 s of deadline and at least 5 s of manners: {:?}", s.gaps());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_source_is_its_own_affair() {
    let mut s = scene(10, &[Step::Panic, Step::Well]);
    let facts = s.after(60).await;
    let told = healths(&facts);
    assert_eq!(told[1], (State::Down, "crashed".into(), true));
    assert_eq!(told[2].0, State::Well);
    assert_eq!(s.lives.load(Ordering::SeqCst), 2, "it was built anew");
}

#[tokio::test(start_paused = true)]
async fn asked_now_it_answers_now_but_not_more_than_once_a_second() {
    let mut s = scene(60, &[Step::Well]);
    s.after(10).await;
    for _ in 0..5 {
        s.handle.refresh();
    }
    s.after(1).await;
    s.handle.refresh();
    s.handle.refresh();
    s.after(1).await;
    let gaps = s.gaps();
    assert_eq!(gaps[..1], [10.0], "the first request is answered at once");
    assert!(gaps[1..].iter().all(|g| *g >= 1.0) && gaps.len() <= 3, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn asking_now_does_not_hammer_a_server_that_refuses() {
    let mut s = scene(60, &[Step::Refused]);
    for _ in 0..300 {
        s.handle.refresh();
        s.after(1).await;
    }
    assert!(s.gaps().iter().all(|g| *g >= 5.0), "{:?}", s.gaps());
}

#[tokio::test(start_paused = true)]
async fn a_source_with_more_to_say_is_asked_again_without_its_interval() {
    let mut s = scene(60, &[Step::Again(0), Step::Again(250), Step::Well]);
    s.after(5).await;
    assert_eq!(s.gaps(), [0.0, 0.25]);
}

#[tokio::test(start_paused = true)]
async fn cancellation_ends_a_source_that_hangs_and_one_that_nobody_drains() {
    let s = scene(10, &[Step::Hang]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    s.cancel.cancel();
    s.handle.ended().await;

    let (tx, _full) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let plan = Plan {
        name: "x".into(),
        interval: Lapse::seconds(1),
        deadline: Lapse::seconds(1),
        floor: Lapse::seconds(1),
        doing: "connecting",
    };
    let script = Arc::new(Mutex::new(vec![Step::Well]));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let handle = spawn(plan, move || Scripted { script: script.clone(), asked: asked.clone() }, tx, cancel.clone());
    tokio::time::sleep(Duration::from_secs(5)).await;
    cancel.cancel();
    handle.ended().await;
}
