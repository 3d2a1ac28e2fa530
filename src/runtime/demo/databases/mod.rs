//! The demo's databases over a real wire: a private throw-away PostgreSQL for each system, in which the evening's
//! sessions connect, wait and are refused, and its rows are written; asked by the same sources that ask real ones.
//! They go with whoever started them, however that ends.
//!
//! The first frame does not wait for servers: they start while it is drawn. What hands over the rest of the evening
//! waits for [`Fate`], and where none can be had hands over generated snapshots in their place.

mod bridge;
mod config;
mod fate;
mod house;
mod translate;

use super::wiring::Evening;
use crate::model::incident::{Incident, SourceCard, SourceKind};
use crate::model::{Lapse, Stamp};
use crate::simulator::play::{self, Play};
use crate::simulator::postgres::load::merged;
use crate::simulator::scenario::Scenario;
use crate::simulator::{END, START, postgres, stage};
use crate::source::{orders, postgres as watched};
use bridge::Bridge;
pub use fate::{Fate, Outcome, Rest, Why};
use futures_util::future::join_all;
use house::House;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use translate::Translator;

/// Time between two scenes, in our own time.
const BEAT: Duration = Duration::from_millis(250);
/// Every so many scenes, rows are written.
const ROWS_EACH: u32 = 4;
/// Servers that are not there by then are not waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The sessions of the first scene have so many beats to come in.
const GATHERING: u32 = 20;
/// At the end, the servers have this long to go; after that, they go by themselves.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// The source of the rows, and what its card says it is.
const ROWS: &str = orders::NAME;

/// Where the programs of PostgreSQL are, or why none is started.
pub fn binaries(generated: bool) -> Result<PathBuf, Why> {
    if generated {
        return Err(Why::new("generated snapshots", "no server was to be started (--generated)"));
    }
    postgres::binaries().map_err(|says| Why::new("generated: no PostgreSQL here", says))
}

/// The private servers, for as long as this is kept.
#[derive(Debug)]
pub struct DemoDatabases {
    bin: PathBuf,
    fate: Fate,
    cancel: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for DemoDatabases {
    fn drop(&mut self) {
        self.cancel.cancel();
        // Nobody is to wait for what will never be.
        self.fate.decide(Outcome::Generated(Why::new("generated snapshots", "the demo is over")));
    }
}

impl DemoDatabases {
    /// How late looks and rows are by nature, in the evening's time at the usual pace.
    pub const LAG: Lapse = Lapse::minutes(2);

    /// Servers to be started from this folder.
    pub fn new(bin: PathBuf, fate: Fate) -> Self {
        Self { bin, fate, cancel: CancellationToken::new(), task: Mutex::new(None) }
    }

    /// Starts them in the background, fills them from then on, and has them asked. What the sources learn is recorded
    /// and goes to the screen.
    pub fn ask(&self, evening: &Evening) {
        let (bin, fate, cancel) = (self.bin.clone(), self.fate.clone(), self.cancel.clone());
        let evening = evening.clone();
        let task = tokio::spawn(async move {
            let started = timeout(PATIENCE, start(&bin, &evening));
            let stage = match cancel.run_until_cancelled(started).await {
                None => return,
                Some(Ok(Ok(stage))) => stage,
                Some(Ok(Err(says))) => return fate.failed(says),
                Some(Err(_elapsed)) => return fate.failed(format!("not ready after {} s", PATIENCE.as_secs())),
            };
            stage.show(&evening, &fate, &cancel).await;
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Ends the servers, and waits until nothing is left of them, but not for long.
    pub async fn close(self) {
        self.cancel.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && timeout(LAST_WAIT, task).await.is_err()
        {
            tracing::warn!("the private PostgreSQL takes its time to end");
        }
    }
}

/// Says on the cards what stands behind the databases, once that is known.
pub fn tell(outcome: &Outcome, incident: &mut Incident) {
    let what = outcome.what();
    let cards = incident.sources.iter_mut().filter(|c| stage::DATABASES.contains(&c.name.as_str()));
    cards.for_each(|card| card.what = what.as_str().into());
    if !outcome.is_up() {
        return;
    }
    let late = [stage::DATABASES.as_slice(), &[ROWS]].concat();
    let of_them = |series: &str| series.split('.').next().is_some_and(|source| late.contains(&source));
    let lanes = incident.lanes.iter_mut().filter(|l| of_them(&l.series));
    lanes.for_each(|lane| lane.lag = lane.lag.max(DemoDatabases::LAG));
    if incident.sources.iter().all(|c| c.name != ROWS) {
        let card = SourceCard {
            name: ROWS.to_owned(),
            kind: SourceKind::Orders,
            what: "their tables, by SQL".into(),
            every: None,
        };
        let after = incident.sources.iter().rposition(|c| c.kind == SourceKind::Database).map_or(0, |i| i + 1);
        incident.sources.insert(after, card);
    }
}

/// The servers and the play that is given on them.
struct Stage<P> {
    houses: Vec<House>,
    play: P,
    bridge: Arc<Bridge>,
}

/// Starts the servers and lets the sessions of the first scene in.
async fn start(bin: &Path, evening: &Evening) -> Result<Stage<impl Play + use<>>, String> {
    let made = evening.made.clone();
    let playing = tokio::task::spawn_blocking(move || play::within(made.day()));
    let scenario = evening.made.scenario();
    let houses = house::open(bin, |system| room(system, scenario)).await?;
    let play = playing.await.map_err(|e| format!("the evening could not be made ({e})"))?;
    let mut stage = Stage { houses, play, bridge: Arc::new(Bridge::new(evening.head.clone())) };
    for _ in 0..GATHERING {
        if stage.perform(START) {
            break;
        }
        tokio::time::sleep(BEAT).await;
    }
    Ok(stage)
}

/// How many may connect to a system's server.
fn room(system: &str, scenario: &Scenario) -> u32 {
    match system {
        "mrg" => scenario.at(START).mrg.max_connections.max(scenario.at(END).mrg.max_connections),
        "upg" => 300,
        _ => 100,
    }
}

impl<P: Play> Stage<P> {
    /// The scenes of this instant: whether everybody is at their posts.
    fn perform(&mut self, at: Stamp) -> bool {
        let mut settled = true;
        for house in &mut self.houses {
            settled &= house.perform(&self.play.scene(house.system, at)).settled();
        }
        settled
    }

    /// Plays until it is told to stop, then ends everything.
    async fn show(mut self, evening: &Evening, fate: &Fate, cancel: &CancellationToken) {
        let sources = cancel.child_token();
        let up = match config::config(&self.houses, evening.made.scenario()) {
            Ok(config) => {
                let version = self.houses.first().map_or(0, |h| h.version);
                let up = fate.decide(Outcome::Up(format!("private PostgreSQL {version}")));
                if up {
                    self.watch(&config, evening, &sources);
                }
                up
            }
            Err(says) => {
                fate.failed(says);
                false
            }
        };
        if up {
            cancel.run_until_cancelled(self.play()).await;
        }
        sources.cancel();
        for ended in join_all(self.houses.into_iter().map(House::close)).await {
            if let Err(says) = ended {
                tracing::warn!(says, "a private PostgreSQL of the demo");
            }
        }
    }

    /// Has the servers asked by the program's own sources.
    fn watch(&self, config: &crate::config::Config, evening: &Evening, cancel: &CancellationToken) {
        let (enter, entered) = mpsc::channel(64);
        let (report, _collector) = orders::start(config, &enter, cancel);
        let board = Arc::new(orders::Board::default());
        let _handles = watched::start(config, &board, &report, &enter, cancel);
        let mut translator = Translator::new(Arc::clone(&self.bridge), evening.made.scenario());
        evening.hand_on(entered, move |batch| translator.carry(batch));
    }

    /// Scenes and rows, behind the play head.
    async fn play(&mut self) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for n in 0_u32.. {
            beat.tick().await;
            let head = self.bridge.note();
            self.perform(head);
            if n % ROWS_EACH == 0 {
                self.write(head).await;
            }
        }
    }

    /// Writes what has been written in the evening up to `head`.
    async fn write(&mut self, head: Stamp) {
        let rows = merged(self.play.rows(head.min(END)));
        let written = join_all(self.houses.iter_mut().map(|house| house.write(&rows))).await;
        let failed = written.into_iter().filter_map(Result::err).inspect(|says| tracing::warn!(says, "rows wait"));
        if failed.count() == 0 {
            self.bridge.loaded(head);
        }
    }
}
