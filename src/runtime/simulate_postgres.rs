//! `simulate --postgres`: a real server that shows the world, until Ctrl-C.
//!
//! Owns the loop: rows as they are written, a scene for each system several times a second, and an end that
//! leaves nothing behind. The world goes at the pace of the real clock, moved to it unless `--keep-dates`.

use crate::cli::Simulate;
use crate::model::order::Rows;
use crate::model::{Lapse, Stamp, Zone};
use crate::runtime::effects::now;
use crate::runtime::{Ending, simulate};
use crate::simulator::day::Day;
use crate::simulator::play::{self, Play};
use crate::simulator::postgres::load::merged;
use crate::simulator::postgres::{Claim, DATABASES, Ground, Limits, Loader, Workload};
use crate::simulator::scenario;
use std::io::Write as _;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// Time between two scenes.
const BEAT: Lapse = Lapse::millis(250);
/// Every so many scenes, rows are written.
const ROWS_EACH: u32 = 4;
/// After so many failures in a row, a second each, the rows will not wait any longer.
const MOST_FAILURES: u32 = 60;
/// Sessions of ours that are no scenery: one that claimed the server, one that paces each system, and one
/// that loads its rows.
const OURS: u32 = 9;

/// Shows the evening on the server at `url` until a signal.
pub async fn run(how: &Simulate, url: &str) -> Ending {
    let Some(instant) = simulate::instant(&how.now) else { return Ending::Refused(simulate::no_time(&how.now)) };
    let scenario = match scenario::named(&how.scenario) {
        Ok(scenario) => scenario,
        Err(says) => return Ending::Refused(says),
    };
    let seed = how.seed;
    let made = tokio::task::spawn_blocking(move || play::evening(Arc::new(Day::evening(scenario, seed)))).await;
    let Ok(mut play) = made else {
        return Ending::Failed("the evening could not be made: this is a fault of warroom".to_owned());
    };
    let ground = match Ground::claim_url(url, Claim { anywhere: how.anywhere, keep: how.keep }).await {
        Ok(ground) => ground,
        Err(says) => return Ending::Refused(says),
    };
    let by = simulate::whole_minutes(now().since(instant));
    let moved = if how.keep_dates { Lapse::ZERO } else { by };
    let mut server = Server::new(&ground, moved);
    let shown = tokio::select! {
        shown = server.show(&mut play, by, &ground) => shown,
        ended = ended() => ended,
    };
    server.close().await;
    let cleared = ground.clear().await;
    match shown.and(cleared) {
        Ok(()) => Ending::Well,
        Err(says) => Ending::Failed(says),
    }
}

/// Waits for whatever ends us well. Ctrl-Z stays what the shell makes of it.
async fn ended() -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|e| format!("signals cannot be listened to ({e})"));
    let mut end = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Everybody who works on the server.
struct Server {
    loader: Loader,
    systems: Vec<System>,
    /// Rows that are not in yet, and how often in a row that failed.
    rows: Vec<Rows>,
    failures: u32,
}

/// One of the four.
struct System {
    name: &'static str,
    workload: Workload,
    /// What was last said of it.
    said: Option<String>,
}

impl Server {
    fn new(ground: &Ground, moved: Lapse) -> Self {
        let seats = ground.usable().saturating_sub(OURS);
        // MRG is where it happens; the others need a place at the table.
        let other = seats / 8;
        let limits = |system: &str| Limits {
            seats: if system == DATABASES[0] { seats - 3 * other } else { other },
            ..Limits::default()
        };
        let system = |name| System { name, workload: Workload::new(ground, name, limits(name)), said: None };
        let systems = DATABASES.map(system).into();
        Self { loader: Loader::new(ground, moved), systems, rows: Vec::new(), failures: 0 }
    }

    async fn show(&mut self, play: &mut impl Play, by: Lapse, ground: &Ground) -> Result<(), String> {
        say(&format!("# {}\n", ground.describe()))?;
        let written = self.write(play, now() - by).await?;
        say(&format!(
            "# It is {} of the evening; {written} rows are in. It goes on until Ctrl-C.\n",
            Zone::wib().hm(now() - by)
        ))?;
        let mut beat = interval(BEAT.to_std());
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for n in 0_u32.. {
            beat.tick().await;
            let at = now() - by;
            for system in &mut self.systems {
                let standing = system.workload.perform(&play.scene(system.name, at));
                if standing.trouble != system.said {
                    let words = standing.trouble.as_deref().unwrap_or("well again");
                    say(&format!("# {}: {words}\n", system.name))?;
                    system.said = standing.trouble;
                }
            }
            if n % ROWS_EACH == 0 {
                self.write(play, at).await?;
            }
        }
        Ok(())
    }

    /// Writes what the world has written until now. While the server is away, the rows wait for it.
    async fn write(&mut self, play: &mut impl Play, at: Stamp) -> Result<u64, String> {
        let waiting = std::mem::take(&mut self.rows);
        self.rows = merged(waiting.into_iter().chain(play.rows(at.min(play.span().to))));
        match self.loader.load_each(&self.rows).await {
            Ok(written) => {
                self.rows.clear();
                self.failures = 0;
                Ok(written)
            }
            Err(says) if self.failures == MOST_FAILURES => Err(says),
            Err(says) => {
                if self.failures == 0 {
                    say(&format!("# {says}. They wait\n"))?;
                }
                self.failures += 1;
                Ok(0)
            }
        }
    }

    async fn close(self) {
        self.loader.close().await;
        for system in self.systems {
            system.workload.close().await;
        }
    }
}

fn say(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|e| format!("standard output cannot be written ({e})"))
}
