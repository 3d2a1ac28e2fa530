//! One system's private server: started, built upon, filled with the evening's sessions and rows, and ended.
//!
//! Each system has its own, as on the platform: how many may connect is the server's to say, and a full MRG leaves
//! room at UPG.

use crate::model::Lapse;
use crate::model::order::Rows;
use crate::simulator::postgres::load::system_of;
use crate::simulator::postgres::private::OWNER;
use crate::simulator::postgres::{Claim, DATABASES, Ground, Limits, Loader, Private, Standing, Workload};
use crate::simulator::scene::Scene;
use futures_util::future::try_join_all;
use std::path::Path;

/// A server with a system on it.
#[derive(Debug)]
pub struct House {
    /// Whose.
    pub system: &'static str,
    /// The server's major version.
    pub version: i32,
    workload: Workload,
    loader: Loader,
    /// Rows that are not in yet.
    waiting: Vec<Rows>,
    /// Held for as long as it stands: the claim goes with it.
    ground: Ground,
    private: Private,
}

/// Starts all of them, `room` connections each; one that does not start ends the others.
pub async fn open(bin: &Path, room: impl Fn(&str) -> u32) -> Result<Vec<House>, String> {
    try_join_all(DATABASES.map(|system| House::open(bin, system, room(system)))).await
}

impl House {
    async fn open(bin: &Path, system: &'static str, connections: u32) -> Result<Self, String> {
        let private = Private::start_from(bin, connections).await?;
        // It goes as a whole: nothing has to be dropped.
        let claim = Claim { keep: true, ..Claim::default() };
        let ground = Ground::claim_for(&private.options("postgres"), claim, &[system]).await?;
        let workload = Workload::new(&ground, system, Limits::default());
        let loader = Loader::new(&ground, Lapse::ZERO);
        Ok(Self { system, version: ground.version() / 10_000, workload, loader, waiting: Vec::new(), ground, private })
    }

    /// How the program's own source connects.
    pub fn url(&self) -> String {
        self.private.url(OWNER, self.system)
    }

    /// Brings its sessions nearer to a scene.
    pub fn perform(&mut self, scene: &Scene) -> Standing {
        self.workload.perform(scene)
    }

    /// Writes what of these rows is its own, with what has waited. What fails waits for the next time.
    pub async fn write(&mut self, rows: &[Rows]) -> Result<(), String> {
        self.waiting.extend(rows.iter().filter(|r| system_of(r) == self.system).cloned());
        self.loader.load_each(&self.waiting).await?;
        self.waiting.clear();
        Ok(())
    }

    /// Ends the server, whatever goes on in it, and waits until nothing is left.
    pub async fn close(self) -> Result<(), String> {
        let Self { workload, loader, ground, private, .. } = self;
        let ended = private.stop().await;
        drop((workload, loader, ground));
        ended
    }
}
