//! The program's own log: a file in the XDG state folder, never the terminal.
//!
//! Text from outside is not logged; what is formatted here is our own words and the system's.

use crate::runtime::folders::Folders;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Days whose log files are kept.
const KEPT: usize = 7;

/// Opens the log. The guard writes out what is left when it is dropped. Without a folder to write to there
/// is no log, and the sentence says so.
pub fn open(folders: &Folders) -> Result<WorkerGuard, String> {
    let folder = &folders.state;
    let cannot = |e: &dyn std::fmt::Display| format!("no log file in {} ({e})", folder.display());
    std::fs::create_dir_all(folder).map_err(|e| cannot(&e))?;
    let file = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("warroom")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder)
        .map_err(|e| cannot(&e))?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(fmt::layer().with_ansi(false).with_writer(writer))
        .try_init()
        .map_err(|e| cannot(&e))?;
    Ok(guard)
}
