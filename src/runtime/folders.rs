//! Where the program's own files are: XDG folders, asked for in one place.

use directories::ProjectDirs;
use std::path::PathBuf;

/// The folders of this login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// `config.toml`.
    pub config: PathBuf,
    /// Log file, recordings, the last thing copied.
    pub state: PathBuf,
    /// Exports.
    pub data: PathBuf,
}

impl Folders {
    /// Those of this process; the temporary folder when there is no home.
    pub fn of_process() -> Self {
        let Some(dirs) = ProjectDirs::from("", "", "warroom") else {
            let root = std::env::temp_dir().join("warroom");
            return Self { config: root.clone(), state: root.clone(), data: root };
        };
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned();
        Self { config: dirs.config_dir().to_owned(), state, data: dirs.data_dir().to_owned() }
    }
    /// The configuration that is read when none is named.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
    /// The last thing copied.
    pub fn yank(&self) -> PathBuf {
        self.state.join("yank")
    }
    /// The program's own log.
    pub fn log_file(&self) -> PathBuf {
        self.state.join("warroom.log")
    }
    /// Folder of recordings.
    pub fn recordings(&self) -> PathBuf {
        self.state.join("recordings")
    }
}
