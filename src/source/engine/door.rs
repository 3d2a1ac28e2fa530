//! An engine asked over HTTP: one request, and everything that is no answer in words with the remedy, told apart by
//! who is to blame: the server, the question, its amount.
//!
//! May not know: what is asked and what an answer means.

use crate::config::huawei::is_loopback;
use crate::config::log_server::LogServerConfig;
use crate::model::Lapse;
use crate::model::health::Cost;
use crate::source::clock::Clock;
use crate::source::engine::No;
use crate::source::prometheus::fault::Fault;
use crate::source::prometheus::http::{Ask, Http, Reply};
use crate::source::prometheus::pod::away;
use crate::source::runner::Condition;
use serde_json::Value;

/// Largest answer that is read.
pub const MOST: usize = 16 << 20;
/// Who refuses who we are is left alone this long.
const REFUSED_FOR: Lapse = Lapse::minutes(5);
/// After "too many requests" without a time.
const THROTTLED_FOR: Lapse = Lapse::minutes(1);
/// Letters of a refusal that are shown.
const SHOWN: usize = 300;

/// The door.
#[derive(Debug)]
pub struct Door {
    http: Http,
    name: String,
}

impl Door {
    /// A door that nothing went through yet.
    pub fn new(server: &LogServerConfig, url: &str, clock: &Clock) -> Result<Self, Condition> {
        let http = Http::new(&server.auth, server.timeout, MOST, is_here(url), clock.clone());
        let name = server.name.clone();
        match http {
            Ok(http) => Ok(Self { http, name }),
            Err(fault) => Err(Condition::down(fault.code(), format!("{name}: {}", fault.says()), fault.remedy())),
        }
    }

    /// Asks, and reads the answer as JSON.
    pub async fn ask(&self, url: &str, ask: &Ask, cost: &mut Cost) -> Result<Value, No> {
        cost.requests += 1;
        let reply = match self.http.ask(url, "application/json", ask).await {
            Ok(reply) => reply,
            Err(fault) => {
                cost.failed += 1;
                return Err(self.fault(&fault));
            }
        };
        cost.bytes += reply.wire;
        cost.skew = reply.skew.or(cost.skew);
        if (200..300).contains(&reply.status) {
            return self.read(reply).await.inspect_err(|_| cost.failed += 1);
        }
        cost.failed += 1;
        cost.throttled += u32::from(reply.status == 429);
        Err(self.refusal(&reply))
    }

    async fn read(&self, reply: Reply) -> Result<Value, No> {
        let html = reply.content_type.contains("html");
        let read = away(reply.body, move |body: &[u8]| {
            let page = html || body.trim_ascii_start().starts_with(b"<");
            (serde_json::from_slice::<Value>(body), page)
        });
        match read.await {
            Ok((Ok(value), _)) => Ok(value),
            Ok((Err(_), true)) => Err(self.down(
                "no JSON",
                "a web page came instead of an answer",
                "A login or a proxy answers for it: correct url in its [[log_server]], or bearer and headers.",
            )),
            Ok((Err(e), false)) => Err(self.down(
                "no JSON",
                &format!("the answer is broken JSON (line {}, column {})", e.line(), e.column()),
                "See its log, or that of a proxy in between; it is asked again.",
            )),
            Err(refusal) => Err(self.down(&refusal.code, &refusal.says, &refusal.remedy)),
        }
    }

    fn down(&self, code: &str, says: &str, remedy: &str) -> No {
        No::Server(Condition::down(code, format!("{}: {says}", self.name), remedy), Lapse::ZERO)
    }

    fn fault(&self, fault: &Fault) -> No {
        if let Fault::TooLarge(_) = fault {
            let remedy = "Lower page in its [[log_server]]; warroom does so by itself for this run.";
            return No::Amount(Condition::down(fault.code(), format!("{}: {}", self.name, fault.says()), remedy));
        }
        self.down(fault.code(), &fault.says(), fault.remedy())
    }

    /// What a status that is no answer means.
    fn refusal(&self, reply: &Reply) -> No {
        let status = reply.status;
        let words = words(reply);
        let said = if words.is_empty() { String::new() } else { format!(" (\"{words}\")") };
        let down = |says: &str, remedy: &str| {
            Condition::down(status.to_string(), format!("{}: {status}, {says}{said}", self.name), remedy)
        };
        match status {
            401 | 407 => No::Server(
                down(
                    "it wants to know who asks, or does not believe us",
                    "Set bearer, user and password, or headers in its [[log_server]]; it is asked again in 5 minutes.",
                ),
                REFUSED_FOR,
            ),
            403 => No::Server(
                down(
                    "it knows us and forbids this",
                    "Allow warroom to read these lines; it is asked again in 5 minutes.",
                ),
                REFUSED_FOR,
            ),
            404 | 410 if words.contains("context") || words.contains("scroll") || words.contains("cursor") => {
                No::Cursor(words)
            }
            410 => No::Cursor(words),
            404 => No::Server(
                down("there is nothing at this address", "Correct url in its [[log_server]], or index."),
                Lapse::minutes(1),
            ),
            413 => No::Amount(down("the answer would be too large", "Lower page or window_max in its [[log_server]].")),
            429 => {
                let wait = reply.retry_after.unwrap_or(THROTTLED_FOR);
                let says = format!("{}: it is asked too often and wants {} s of rest", self.name, wait.whole_seconds());
                let remedy = "warroom waits; if this lasts, lower per_minute in its [[log_server]].";
                No::Server(Condition::late("429", says, remedy), wait)
            }
            300..=399 => No::Server(
                down(
                    "it sends us elsewhere, perhaps to a login",
                    "Write the URL that answers itself; warroom follows no redirect.",
                ),
                Lapse::minutes(1),
            ),
            400 | 405 | 415 | 422 if words.contains("cursor") || words.contains("search_after") => No::Cursor(words),
            400 | 405 | 415 | 422 => {
                No::Question(down("it refuses the question", "Correct query and counts in its [[log_server]]."))
            }
            503 => No::Server(
                down("it says it cannot answer now", "See its log; warroom goes on trying."),
                reply.retry_after.unwrap_or(Lapse::ZERO),
            ),
            _ => No::Server(down("it cannot answer", "See its log for what went wrong there."), Lapse::ZERO),
        }
    }
}

/// What a refusal says, without secrets: the first message in its JSON, else its text; nothing of a web page.
fn words(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(reply.body.get(..8192).unwrap_or(&reply.body)).into_owned();
    let json = serde_json::from_slice::<Value>(&reply.body).ok();
    let message = json.as_ref().and_then(message).unwrap_or_default();
    let plain = if json.is_some() || text.trim_start().starts_with('<') { "" } else { text.trim() };
    let said = if message.is_empty() { plain } else { &message };
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    reply.known.clean(&line.chars().take(SHOWN).collect::<String>())
}

fn message(value: &Value) -> Option<String> {
    // Elasticsearch's innermost reason says most; others have one message.
    let cause = value.pointer("/error/root_cause/0");
    let typed = cause.and_then(|c| Some(format!("{}: {}", c.get("type")?.as_str()?, c.get("reason")?.as_str()?)));
    let one = ["message", "error", "error_msg", "detail", "reason"];
    typed
        .or_else(|| one.iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned)))
        .or_else(|| value.pointer("/error/reason").and_then(Value::as_str).map(str::to_owned))
}

/// Whether a URL is of this machine: then no proxy is asked.
fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    is_loopback(host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']))
}
