//! One range query asked: of a plain server, or of AOM through the cloud's own client; and why there is no
//! answer, sorted by who is to blame: the server, the question, its amount, or the moment.
//!
//! May not know: what is asked next.

use crate::config::huawei::is_loopback;
use crate::config::prometheus::{PrometheusConfig, Server};
use crate::model::health::Cost;
use crate::model::{Lapse, Span};
use crate::source::clock::Clock;
use crate::source::huawei::{self, Client, Kind, Service};
use crate::source::prometheus::fault::Fault;
use crate::source::prometheus::http::{Ask, Http, Reply};
use crate::source::prometheus::matrix::{About, Answer};
use crate::source::prometheus::pod::{Refusal, away};
use crate::source::redact::Known;
use crate::source::runner::Condition;
use std::sync::atomic::{AtomicBool, Ordering};

/// Largest answer that is read.
const MOST: usize = 64 << 20;
/// Queries longer than this go as a form: servers and proxies cut URLs off at some kilobytes.
const LONG_QUERY: usize = 2_000;
/// A server that refuses who we are is left alone this long.
const REFUSED_FOR: Lapse = Lapse::minutes(5);
/// After "too many requests" without a time.
const THROTTLED_FOR: Lapse = Lapse::minutes(1);

/// Where it is asked.
#[derive(Debug)]
pub enum Door {
    /// A server with a URL.
    Plain {
        /// The client.
        http: Box<Http>,
        /// `…/api/v1/query_range`
        url: String,
        /// Whether it wants forms, or refuses them: learned from a 405.
        form: AtomicBool,
    },
    /// AOM. Boxed: the client brings much along.
    Aom(Box<Client>),
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum No {
    /// The server, for every question: nothing more is asked before the wait is over.
    Server(Condition, Lapse),
    /// This question, for good.
    Question(String),
    /// No answer in time: the server, when it is so for the first question asked; else this question, of
    /// which less may be answered.
    Slow(Condition),
    /// Less may be answered.
    Amount(String),
    /// This time; the next may go well.
    Moment(String),
}

impl Door {
    /// A door to the server of a configuration. `aom` is the client of `[huawei]`.
    pub fn new(config: &PrometheusConfig, aom: Option<&Client>, clock: &Clock) -> Result<Self, Condition> {
        match (&config.server, aom) {
            (Server::Url(base), _) => {
                let http = Http::new(&config.auth, config.timeout, MOST, is_here(base), clock.clone());
                let url = format!("{base}/api/v1/query_range");
                http.map(|http| Self::Plain { http: Box::new(http), url, form: AtomicBool::new(false) })
                    .map_err(|fault| down(&config.name, &fault))
            }
            (Server::Aom, Some(client)) => Ok(Self::Aom(Box::new(client.clone()))),
            (Server::Aom, None) => Err(Condition::down(
                "no cloud",
                format!("{}: AOM is asked with the keys of [huawei], which is not configured", config.name),
                "Add [huawei] with region and credentials.",
            )),
        }
    }

    /// Asks for the points of `span`, both ends included.
    pub async fn ask(&self, name: &str, promql: &str, span: Span, step: Lapse, cost: &mut Cost) -> Result<Answer, No> {
        let parameters: Vec<(String, String)> = [
            ("query", promql.to_owned()),
            ("start", seconds(span.from.0)),
            ("end", seconds(span.to.0)),
            ("step", seconds(step.0)),
        ]
        .map(|(n, v)| (n.to_owned(), v))
        .into();
        match self {
            Self::Plain { http, url, form } => plain(http, url, form, name, parameters, cost).await,
            Self::Aom(client) => aom(client, name, parameters, cost).await,
        }
    }
}

/// Microseconds as seconds, with a fraction only where there is one.
fn seconds(micros: i64) -> String {
    let (whole, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:06}").trim_end_matches('0').to_owned() }
}

fn down(name: &str, fault: &Fault) -> Condition {
    Condition::down(fault.code(), format!("{name}: {}", fault.says()), fault.remedy())
}

async fn plain(
    http: &Http,
    url: &str,
    form: &AtomicBool,
    name: &str,
    parameters: Vec<(String, String)>,
    cost: &mut Cost,
) -> Result<Answer, No> {
    let long = parameters.iter().any(|(_, v)| v.len() > LONG_QUERY);
    let mut as_form = long || form.load(Ordering::Relaxed);
    for again in [true, false] {
        let ask = if as_form { Ask::Form(parameters.clone()) } else { Ask::Get(parameters.clone()) };
        cost.requests = cost.requests.saturating_add(1);
        let reply = http.ask(url, "application/json", &ask).await.map_err(|fault| {
            cost.failed = cost.failed.saturating_add(1);
            faulty(name, &fault)
        })?;
        cost.bytes = cost.bytes.saturating_add(reply.wire);
        cost.skew = reply.skew.or(cost.skew);
        if matches!(reply.status, 405 | 414 | 501) && again {
            // The other way then, and from now on.
            as_form = !as_form;
            form.store(as_form, Ordering::Relaxed);
            continue;
        }
        return read(name, reply).await.inspect_err(|no| {
            cost.failed = cost.failed.saturating_add(1);
            let throttled = matches!(no, No::Server(c, _) if c.code == "429");
            cost.throttled = cost.throttled.saturating_add(u32::from(throttled));
        });
    }
    Err(No::Moment("the server takes neither GET nor POST".to_owned()))
}

/// A request without an answer: a slow question is its own fault, everything else the server's.
fn faulty(name: &str, fault: &Fault) -> No {
    match fault {
        Fault::TooLarge(_) => No::Amount(fault.says()),
        Fault::Overdue(_) => No::Slow(down(name, fault)),
        _ => No::Server(down(name, fault), Lapse::ZERO),
    }
}

/// An answer of any status. Servers put their reasons into the body; proxies put pages there.
async fn read(name: &str, reply: Reply) -> Result<Answer, No> {
    let (status, retry_after) = (reply.status, reply.retry_after);
    let page = reply.content_type.contains("html") || reply.body.trim_ascii_start().starts_with(b"<");
    let server = |says: &str, remedy: &str, wait: Lapse| {
        No::Server(Condition::down(status.to_string(), format!("{name}: {says} ({status})"), remedy), wait)
    };
    match status {
        401 | 407 => {
            let remedy = "Set bearer, or user and password, in its [[prometheus]]; it is asked again in 5 minutes.";
            return Err(server("the server wants to know who asks, or does not believe us", remedy, REFUSED_FOR));
        }
        403 => {
            let remedy = "Allow this user to query, or set the tenant in headers; it is asked again in 5 minutes.";
            return Err(server("the server knows us and forbids this", remedy, REFUSED_FOR));
        }
        429 => {
            let wait = retry_after.unwrap_or(THROTTLED_FOR);
            let says = format!("the server is asked too often and wants {} s of rest", wait.whole_seconds());
            return Err(server(&says, "Raise interval in its [[prometheus]].", wait));
        }
        300..=399 => {
            let remedy = "Write the URL that answers itself into url; warroom follows no redirect.";
            return Err(server("the server sends us elsewhere, perhaps to a login", remedy, Lapse::ZERO));
        }
        _ if page => {
            let remedy = "Write the server's own URL into url: what answered is a login, a proxy or its web interface.";
            return Err(server("a web page came instead of an answer", remedy, retry_after.unwrap_or_default()));
        }
        _ => {}
    }
    let lost = |refusal: Refusal| No::Moment(refusal.says);
    let known = reply.known;
    match away(reply.body, Answer::read).await.map_err(lost)? {
        Ok(answer) => sorted(name, status, answer.cleaned(&known)),
        Err(e) if status == 200 && e.is_eof() => Err(No::Moment("the answer was cut off".to_owned())),
        Err(e) if status == 200 => {
            Err(No::Moment(format!("the answer is not a range query's (line {}, column {})", e.line(), e.column())))
        }
        Err(_) if status == 404 => {
            let remedy = "Write the server's base URL into url: /api/v1/query_range is added to it.";
            Err(server("there is no range query at this URL", remedy, Lapse::ZERO))
        }
        Err(_) => Err(server("the server cannot answer", "See its log.", retry_after.unwrap_or_default())),
    }
}

/// An answer in the API's own shape.
fn sorted(name: &str, status: u16, answer: Answer) -> Result<Answer, No> {
    if let Some(refused) = answer.refused() {
        return Err(match refused.about {
            About::Expression => No::Question(refused.says),
            About::Amount => No::Amount(refused.says),
            About::Moment => No::Moment(refused.says),
        });
    }
    if status < 300 && answer.is_matrix() {
        return Ok(answer);
    }
    let says = format!("{name}: what answers speaks JSON, but not that of a Prometheus server ({status})");
    let remedy = "Write the server's base URL into url: /api/v1/query_range is added to it.";
    Err(No::Server(Condition::down("protocol", says, remedy), Lapse::ZERO))
}

/// AOM wants the parameters in the URL and signs them; the cloud's client does that, repeats what is
/// harmless and keeps its manners.
async fn aom(client: &Client, name: &str, parameters: Vec<(String, String)>, cost: &mut Cost) -> Result<Answer, No> {
    let ask = huawei::Ask {
        query: parameters,
        ..huawei::Ask::post(Service::Aom, "/v1/{project_id}/aom/api/v1/query_range", Vec::new())
    };
    let ask = huawei::Ask { body: None, ..ask };
    match client.call(ask).await {
        Ok(answer) => {
            cost.add(&answer.cost());
            let lost = |refusal: Refusal| No::Moment(refusal.says);
            match away(answer.body.to_vec(), Answer::read).await.map_err(lost)? {
                // Who we are is known to the client only, which has cut it out of every refusal already.
                Ok(read) => sorted(name, answer.status, read.cleaned(&Known::default())),
                Err(e) => {
                    Err(No::Moment(format!("AOM's answer cannot be read (line {}, column {})", e.line(), e.column())))
                }
            }
        }
        Err(trouble) => {
            cost.add(&trouble.cost);
            Err(match trouble.kind {
                Kind::BadRequest => {
                    let says = trouble.message.raw().to_owned();
                    let much = ["too many", "maximum resolution"].iter().any(|w| says.to_lowercase().contains(w));
                    if much { No::Amount(says) } else { No::Question(says) }
                }
                Kind::TimedOut => No::Slow(trouble.condition()),
                Kind::TooLarge => No::Amount("the answer is larger than is read".to_owned()),
                Kind::Throttled { after } => No::Server(trouble.condition(), after.unwrap_or(THROTTLED_FOR)),
                Kind::Forbidden => No::Server(trouble.condition(), REFUSED_FOR),
                _ if trouble.is_refusal() => No::Server(trouble.condition(), trouble.wait()),
                _ => No::Server(trouble.condition(), Lapse::ZERO),
            })
        }
    }
}

/// Whether a server is on this machine: no proxy knows the way to it.
fn is_here(url: &str) -> bool {
    let url = reqwest::Url::parse(url);
    url.is_ok_and(|u| u.host_str().is_some_and(|h| is_loopback(h.trim_start_matches('[').trim_end_matches(']'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_a_fraction_only_where_there_is_one() {
        let times = [1_736_679_600_000_000, 1_500_000, 30_000_000, -1].map(seconds);
        assert_eq!(times, ["1736679600", "1.5", "30", "-1.999999"]);
    }
}
