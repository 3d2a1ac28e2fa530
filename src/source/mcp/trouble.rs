//! Every way a call can fail, as a sentence with its remedy. A server's own words come without our secrets.

use crate::source::redact::Known;
use crate::source::runner::Condition;
use rmcp::ServiceError;
use rmcp::service::ClientInitializeError;
use std::error::Error;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A secret cannot be had.
    Secret(String),
    /// The program cannot be started.
    Start(String),
    /// No handshake came about.
    Handshake(String),
    /// Who we are was not believed: HTTP 401 or 403.
    Who(String),
    /// The server ended, or closed the connection, while it was asked.
    Gone(String),
    /// More than is read at once.
    TooLong,
    /// No answer in time, in seconds.
    Silent(i64),
    /// The server refused the call.
    Refused(String),
    /// The tool says that it failed.
    Tool(String),
    /// There is no such tool; those that there are.
    NoTool(String, Vec<String>),
    /// The tool asks a person for something.
    Asks,
    /// The answer is none that is understood.
    Unreadable(String),
    /// The mapping does not work.
    Mapping(String),
}

impl Trouble {
    /// In words: what stands beside the dot, the sentence, the remedy.
    pub fn words(&self) -> (&'static str, String, String) {
        let remedy = |text: &str| text.to_owned();
        match self {
            Self::Secret(says) => ("secret", says.clone(), String::new()),
            Self::Start(why) => (
                "no start",
                format!("the program cannot be started: {why}"),
                remedy("check command in its [[mcp]]: an absolute path is the surest"),
            ),
            Self::Handshake(why) => (
                "no handshake",
                format!("no handshake came about: {why}"),
                remedy(
                    "warroom mcp probe says more; era = \"legacy\" or \"modern\" settles what is found out otherwise",
                ),
            ),
            Self::Who(why) => (
                "refused",
                format!("the server does not believe who we are: {why}"),
                remedy("check headers or env in its [[mcp]]; the token may be over"),
            ),
            Self::Gone(last) if last.is_empty() => {
                ("gone", remedy("the server ended while it was asked"), remedy("it is started again by itself"))
            }
            Self::Gone(last) => (
                "gone",
                format!("the server ended while it was asked; its last words: {last}"),
                remedy("it is started again by itself"),
            ),
            Self::TooLong => (
                "too long",
                remedy("the answer is longer than 8 MiB and was not read"),
                remedy("lower limit_max or window_max in its [mcp.search]"),
            ),
            Self::Silent(seconds) => (
                "no answer",
                format!("no answer within {seconds} s; the call was cancelled"),
                remedy("lower window_max or limit_max, or raise timeout_s (60 at most)"),
            ),
            Self::Refused(why) => (
                "refused",
                format!("the server refused the call: {why}"),
                remedy("compare args in its [mcp.search] with what warroom mcp probe lists"),
            ),
            Self::Tool(why) => ("tool error", format!("the tool says: {why}"), String::new()),
            Self::NoTool(tool, there) => (
                "no tool",
                format!("there is no tool \"{tool}\"; there are: {}", listed(there)),
                remedy("correct tool in its [mcp.search]"),
            ),
            Self::Asks => ("asks", remedy("the tool asks a person for input, which is not supported"), String::new()),
            Self::Unreadable(why) => (
                "unreadable",
                why.clone(),
                remedy("warroom mcp call shows the answer as it is; correct [mcp.search.result]"),
            ),
            Self::Mapping(why) => ("mapping", why.clone(), String::new()),
        }
    }

    /// As the health of a source.
    pub fn condition(&self) -> Condition {
        let (code, says, remedy) = self.words();
        Condition::down(code, says, remedy)
    }

    /// For a person at a prompt.
    pub fn sentence(&self) -> String {
        let (_, says, remedy) = self.words();
        let says = crate::model::untrusted::shown(&says);
        if remedy.is_empty() { says } else { format!("{says}\n  → {remedy}") }
    }

    /// Of a call that failed. `last` are the last words of a child.
    pub fn of_call(e: &ServiceError, known: &Known, last: &str) -> Self {
        let chain = known.clean(&chain(e));
        match e {
            ServiceError::McpError(data) => Self::Refused(known.clean(&format!("{} ({})", data.message, data.code.0))),
            ServiceError::TransportClosed | ServiceError::Cancelled { .. } => Self::Gone(known.clean(last)),
            ServiceError::TransportSend(_) => Self::of_transport(&chain).unwrap_or(Self::Gone(if last.is_empty() {
                chain
            } else {
                known.clean(last)
            })),
            ServiceError::UnexpectedResponse => Self::Unreadable("the answer is none of the protocol's".to_owned()),
            _ => Self::Refused(chain),
        }
    }

    /// Of a handshake that failed.
    pub fn of_handshake(e: &ClientInitializeError, known: &Known, last: &str) -> Self {
        let words = known.clean(&chain(e));
        if e.is_authorization_required() {
            return Self::Who(words);
        }
        if let Some(trouble) = Self::of_transport(&words) {
            return trouble;
        }
        match e {
            ClientInitializeError::JsonRpcError(data) => {
                Self::Handshake(known.clean(&format!("{} ({})", data.message, data.code.0)))
            }
            ClientInitializeError::ConnectionClosed(_) if !last.is_empty() => {
                Self::Handshake(format!("the program ended; its last words: {}", known.clean(last)))
            }
            ClientInitializeError::ConnectionClosed(_) => Self::Handshake("the connection was closed".to_owned()),
            _ => Self::Handshake(words),
        }
    }

    /// What the library says only in words.
    fn of_transport(words: &str) -> Option<Self> {
        let has = |needle: &str| words.contains(needle);
        if has("HTTP 401") || has("HTTP 403") || has("Auth required") || has("Insufficient scope") {
            return Some(Self::Who(words.to_owned()));
        }
        (has("maximum size of") || has("exceeded the maximum")).then_some(Self::TooLong)
    }
}

fn listed(names: &[String]) -> String {
    let mut out = names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 20 {
        out.push_str(", …");
    }
    if out.is_empty() { "none".to_owned() } else { out }
}

/// An error with its causes, each said once.
fn chain(e: &dyn Error) -> String {
    let mut out = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !out.contains(&words) {
            out.push_str(": ");
            out.push_str(&words);
        }
        source = cause.source();
    }
    out
}
