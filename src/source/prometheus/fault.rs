//! Why a server or a service gave no HTTP answer, in words with the remedy.
//!
//! May not know: how it is asked.

use crate::model::Lapse;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens there.
    Refused,
    /// No host of this name.
    NoHost,
    /// No way there.
    Unreachable(String),
    /// No secure connection.
    Tls(String),
    /// No answer in time.
    Overdue(Lapse),
    /// The connection ended within the answer.
    CutOff,
    /// More than we read.
    TooLarge(usize),
    /// Packed in a way we cannot undo.
    Packed,
    /// Our secret cannot be had, in a sentence with the remedy.
    Secret(String),
    /// Something else, without the URL.
    Other(String),
}

impl Fault {
    /// In words that stand behind a name: `connection refused`.
    pub fn says(&self) -> String {
        match self {
            Self::Refused => "connection refused".to_owned(),
            Self::NoHost => "there is no host of this name".to_owned(),
            Self::Unreachable(why) => format!("cannot be reached ({why})"),
            Self::Tls(why) => format!("no secure connection ({why})"),
            Self::Overdue(limit) => format!("no answer within {} s", limit.as_secs_f64()),
            Self::CutOff => "the answer was cut off".to_owned(),
            Self::TooLarge(most) => format!("the answer is larger than {} MiB", most >> 20),
            Self::Packed => "the answer is packed in a way that cannot be undone".to_owned(),
            Self::Secret(says) | Self::Other(says) => says.clone(),
        }
    }
    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused => "Start the process, or correct host and port in the configuration.",
            Self::NoHost => "Correct the host's name in the configuration, or the name service of this machine.",
            Self::Unreachable(_) => {
                "See whether the host is up and a firewall or network policy lets this machine through."
            }
            Self::Tls(_) => {
                "Write http:// if there is no TLS, or let this machine trust the server's certificate authority (SSL_CERT_FILE)."
            }
            Self::Overdue(_) => {
                "It is overloaded, hangs, or a firewall drops what we send; raise timeout if it is always slow."
            }
            Self::CutOff => "See its log: it crashed or was stopped while answering, or a proxy ended it.",
            Self::TooLarge(_) => "Ask for less: fewer labels in the query or the metrics, a longer step.",
            Self::Packed => "A proxy changes its answers: ask the process itself.",
            Self::Secret(_) => "bearer, password and headers take env:NAME, file:/path or cmd:COMMAND.",
            Self::Other(_) => "See warroom's own log file.",
        }
    }
    /// For beside the dot, at most 12 cells.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoHost => "no host",
            Self::Unreachable(_) => "no route",
            Self::Tls(_) => "TLS",
            Self::Overdue(_) => "no answer",
            Self::CutOff => "cut off",
            Self::TooLarge(_) => "too large",
            Self::Packed => "packed",
            Self::Secret(_) => "no secret",
            Self::Other(_) => "error",
        }
    }
}
