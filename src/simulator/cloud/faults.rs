//! Faults on demand: which API fails how, and how often. Set by a test through the handle, by the command
//! line, or over HTTP at `/emulator/faults`.
//!
//! As text a fault is `API=FAULT[:ARGUMENT][*TIMES]`, several separated by commas: `ces.batch=429:7*3`,
//! `*=slow:500`, `lts.query=hang*1`. `*` is every API; without a number a fault stays until it is cleared.

use super::api::Api;
use crate::model::Lapse;
use std::sync::{Arc, Mutex, PoisonError};

/// A way to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `401`: the signature is called wrong, whatever it is.
    Unauthorized,
    /// `403`: the gateway forbids it.
    Forbidden,
    /// `429` or `429:SECONDS`: too often, with `Retry-After` when a number is given.
    Throttled(Option<u32>),
    /// `500`, `502`, `503`, `504` or any other status: from the service, or the gateway for 502 and 504.
    Status(u16),
    /// `html`: a proxy on the way answers with a page of its own (502).
    Html,
    /// `login`: a proxy on the way answers 200 with a page of its own.
    Login,
    /// `slow:MILLISECONDS`: the right answer, late.
    Slow(Lapse),
    /// `hang`: nothing, ever.
    Hang,
    /// `truncated`: half of the body, then the connection breaks.
    Truncated,
    /// `malformed`: all of the body but its last byte, as if that were all.
    Malformed,
    /// `types`: numbers as texts, texts of digits as numbers, truth as `"true"`.
    Types,
    /// `unknown`: a field nobody has heard of in every object.
    Unknown,
    /// `duplicates`: every series, alarm, line and trace twice.
    Duplicates,
    /// `future`: each series has a last point that is an hour ahead.
    Future,
    /// `bad:METRIC`: a request that names this metric is refused as a whole.
    BadMetric(String),
    /// `moved:MINUTES`: points begin this much later than asked.
    Moved(Lapse),
    /// `expired`: every token and temporary key ends now.
    Expired,
    /// `incomplete`: a log query answers with nothing yet and says that it is not complete.
    Incomplete,
    /// `reset`: the connection is cut without an answer.
    Reset,
}

impl Fault {
    /// Reads one way to fail: the word and its argument.
    pub fn read(text: &str) -> Result<Self, String> {
        let (word, argument) = text.split_once(':').map_or((text, None), |(w, a)| (w, Some(a)));
        let number = |absent: Option<u32>| match (argument, absent) {
            (Some(a), _) => a.parse::<u32>().map_err(|_| format!("{word} takes a whole number, not {a}")),
            (None, Some(n)) => Ok(n),
            (None, None) => Err(format!("{word} needs a number: {word}:30")),
        };
        Ok(match word {
            "401" => Self::Unauthorized,
            "403" => Self::Forbidden,
            "429" => Self::Throttled(argument.map(|_| number(None)).transpose()?),
            "html" => Self::Html,
            "login" => Self::Login,
            "slow" => Self::Slow(Lapse::millis(number(Some(1_000))?.into())),
            "hang" => Self::Hang,
            "truncated" => Self::Truncated,
            "malformed" => Self::Malformed,
            "types" => Self::Types,
            "unknown" => Self::Unknown,
            "duplicates" => Self::Duplicates,
            "future" => Self::Future,
            "bad" => Self::BadMetric(argument.ok_or("bad needs the metric's name: bad:rds001_cpu_util")?.to_owned()),
            "moved" => Self::Moved(Lapse::minutes(number(Some(10))?.into())),
            "expired" => Self::Expired,
            "incomplete" => Self::Incomplete,
            "reset" => Self::Reset,
            status => match status.parse() {
                Ok(status @ 400..=599) => Self::Status(status),
                _ => return Err(format!("{status} is no fault; {WORDS}")),
            },
        })
    }

    /// Whether a request is one that the fault is about.
    fn concerns(&self, body: &[u8]) -> bool {
        match self {
            Self::BadMetric(metric) => {
                let name = format!("\"{metric}\"");
                body.windows(name.len()).any(|w| w == name.as_bytes())
            }
            _ => true,
        }
    }
}

const WORDS: &str = "there are 401, 403, 429[:SECONDS], 4xx, 5xx, html, login, slow:MILLISECONDS, hang, truncated, \
                     malformed, types, unknown, duplicates, future, bad:METRIC, moved:MINUTES, expired, incomplete, reset";

/// As it is read.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("401"),
            Self::Forbidden => f.write_str("403"),
            Self::Throttled(None) => f.write_str("429"),
            Self::Throttled(Some(after)) => write!(f, "429:{after}"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Html => f.write_str("html"),
            Self::Login => f.write_str("login"),
            Self::Slow(by) => write!(f, "slow:{}", by.0 / 1_000),
            Self::Hang => f.write_str("hang"),
            Self::Truncated => f.write_str("truncated"),
            Self::Malformed => f.write_str("malformed"),
            Self::Types => f.write_str("types"),
            Self::Unknown => f.write_str("unknown"),
            Self::Duplicates => f.write_str("duplicates"),
            Self::Future => f.write_str("future"),
            Self::BadMetric(name) => write!(f, "bad:{name}"),
            Self::Moved(by) => write!(f, "moved:{}", by.whole_seconds() / 60),
            Self::Expired => f.write_str("expired"),
            Self::Incomplete => f.write_str("incomplete"),
            Self::Reset => f.write_str("reset"),
        }
    }
}

/// A fault that waits for its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Of which API; none for every one.
    pub api: Option<Api>,
    /// How it fails.
    pub fault: Fault,
    /// How often; none for always.
    pub times: Option<u32>,
}

/// Faults that wait. Cheap to clone; the first that fits a request is taken.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Planned>>>);

impl Faults {
    /// The next `times` requests of an API fail.
    pub fn next(&self, api: Api, fault: Fault, times: u32) {
        self.plan(Planned { api: Some(api), fault, times: Some(times) });
    }

    /// Every request of an API fails until this is cleared.
    pub fn always(&self, api: Api, fault: Fault) {
        self.plan(Planned { api: Some(api), fault, times: None });
    }

    /// Adds a fault behind those that wait already.
    pub fn plan(&self, planned: Planned) {
        if planned.times != Some(0) {
            self.lock().push(planned);
        }
    }

    /// Adds all faults of a text, or none of them.
    pub fn read(&self, text: &str) -> Result<(), String> {
        let all = text.split(',').map(str::trim).filter(|p| !p.is_empty()).map(planned);
        all.collect::<Result<Vec<_>, _>>()?.into_iter().for_each(|p| self.plan(p));
        Ok(())
    }

    /// All is well again.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What waits.
    pub fn list(&self) -> Vec<Planned> {
        self.lock().clone()
    }

    /// Takes the fault for a request, if one waits for it.
    pub(super) fn take(&self, api: Api, body: &[u8]) -> Option<Fault> {
        let mut all = self.lock();
        let i = all.iter().position(|p| p.api.is_none_or(|a| a == api) && p.fault.concerns(body))?;
        let fault = all[i].fault.clone();
        match &mut all[i].times {
            Some(1) => {
                all.remove(i);
            }
            Some(n) => *n -= 1,
            None => {}
        }
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn planned(text: &str) -> Result<Planned, String> {
    let (api, fault) =
        text.split_once('=').ok_or_else(|| format!("{text}: API=FAULT is expected, such as ces.batch=429*3"))?;
    let (fault, times) = match fault.split_once('*') {
        Some((fault, times)) => {
            (fault, Some(times.parse().map_err(|_| format!("{text}: after * a whole number is expected"))?))
        }
        None => (fault, None),
    };
    let api = match api {
        "*" => None,
        name => Some(Api::named(name).ok_or_else(|| {
            let names: Vec<_> = Api::all().map(Api::name).collect();
            format!("{name} is no API; there are * and {}", names.join(", "))
        })?),
    };
    Ok(Planned { api, fault: Fault::read(fault)?, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_a_line_and_taken_in_order() {
        let faults = Faults::default();
        faults.read("ces.batch=429:7*2, *=slow:50").unwrap();
        let take = |api| faults.take(api, b"");
        assert_eq!(take(Api::Batch), Some(Fault::Throttled(Some(7))));
        assert_eq!(take(Api::Metrics), Some(Fault::Slow(Lapse::millis(50))));
        assert_eq!(take(Api::Batch), Some(Fault::Throttled(Some(7))));
        assert_eq!(take(Api::Batch), Some(Fault::Slow(Lapse::millis(50))));
        faults.clear();
        assert_eq!(take(Api::Batch), None);
    }

    #[test]
    fn every_fault_is_written_as_it_is_read() {
        let words = [
            "401",
            "403",
            "429",
            "429:7",
            "500",
            "503",
            "html",
            "login",
            "slow:250",
            "hang",
            "truncated",
            "malformed",
            "types",
            "unknown",
            "duplicates",
            "future",
            "bad:m",
            "moved:5",
            "expired",
            "incomplete",
            "reset",
        ];
        for word in words {
            assert_eq!(Fault::read(word).unwrap().to_string(), word);
        }
    }

    #[test]
    fn a_bad_metric_waits_for_a_request_that_names_it() {
        let faults = Faults::default();
        faults.next(Api::Batch, Fault::BadMetric("cpu".to_owned()), 1);
        assert_eq!(faults.take(Api::Batch, br#"{"metric_name":"cpu_util"}"#), None);
        assert!(faults.take(Api::Batch, br#"{"metric_name":"cpu"}"#).is_some());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_refused_as_a_whole() {
        let faults = Faults::default();
        for text in ["ces.batch=429,x", "ces.nothing=429", "ces.batch=sleepy", "ces.batch=hang*many", "*=bad", "*=200"]
        {
            assert!(faults.read(text).is_err(), "{text}");
        }
        assert!(faults.list().is_empty());
    }
}
