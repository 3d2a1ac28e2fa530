//! Secrets: never shown, fetched when needed from the environment, a file or a command.

use secrecy::SecretString;

/// Where a secret comes from; its `Debug` shows no content.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Written in the configuration.
    Plain(SecretString),
    /// An environment variable.
    Env(String),
    /// A file only its owner may read.
    File(std::path::PathBuf),
    /// A command's first line of output.
    Command(String),
}
