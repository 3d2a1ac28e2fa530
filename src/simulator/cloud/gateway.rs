//! What stands in front of every service: path, fault, signature, project, rate, media type, in this order;
//! then the service; then what a fault does to its answer.

use super::api::{Api, Auth, Places, Service};
use super::clock::Clock;
use super::faults::{Fault, Faults};
use super::keyring::{Keyring, expired};
use super::reply::{self, Answer, Content, Reply};
use super::requests::{Asked, Requests};
use super::throttle::{Counter, Rate, Rates, Refused, Throttle};
use super::wire::{Cut, Door, Wire};
use super::world::World;
use super::{ces, change, control, cts, iam, lts, metadata, prometheus, scrape};
use crate::model::{Lapse, Stamp, Zone};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::Response;
use futures_util::{StreamExt as _, stream};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// The gateway takes no larger body.
const LARGEST_BODY: usize = 12 << 20;
/// The gateway takes no longer path and query.
const LONGEST_URI: usize = 32 << 10;

/// Numbers that the services hold their callers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Metrics in one batch: 500 by the interface's page, 10 by another.
    pub batch_metrics: usize,
    /// Bytes of a batch's body.
    pub batch_bytes: usize,
    /// Points of a batch; `from` is moved in silence when there would be more.
    pub batch_points: i64,
    /// Whether a span longer than its period allows is refused. Off, it is answered like any other.
    pub span_caps: bool,
    /// Points of one PromQL series in an answer.
    pub series_points: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch_metrics: 500, batch_bytes: 512 << 10, batch_points: 3_000, span_caps: true, series_points: 11_000 }
    }
}

/// Everything behind one listener.
#[derive(Debug)]
pub struct State {
    pub world: RwLock<World>,
    pub wall: Clock,
    pub now: Clock,
    pub keyring: Mutex<Keyring>,
    pub throttle: Mutex<Throttle>,
    pub limits: Limits,
    pub rates: Rates,
    pub control: bool,
    pub faults: Faults,
    pub requests: Requests,
}

/// A request on its way through a service.
#[derive(Debug)]
pub struct Call<'c> {
    /// Which API.
    pub api: Api,
    /// What stood in the path.
    pub places: Places,
    /// As it came.
    pub wire: &'c Wire,
    /// The fault that was taken for it.
    pub fault: Option<Fault>,
    state: &'c State,
}

impl Call<'_> {
    /// The world's time: nothing younger is shown.
    pub fn now(&self) -> Stamp {
        self.state.now.now()
    }

    /// The gateway's time.
    pub fn wall(&self) -> Stamp {
        self.state.wall.now()
    }

    /// What there is.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.state.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is allowed.
    pub fn limits(&self) -> &Limits {
        &self.state.limits
    }

    /// Does something with the keys.
    pub fn keyring<T>(&self, work: impl FnOnce(&mut Keyring) -> T) -> T {
        work(&mut held(&self.state.keyring))
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers whoever comes through the door, until the task is ended.
pub async fn serve(door: Door, state: Arc<State>) {
    let router = Router::new().fallback(answer).with_state(state);
    // It ends with its task; what goes wrong on a connection ends that connection.
    let _ = axum::serve(door, router.into_make_service_with_connect_info::<Cut>()).await;
}

async fn answer(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Cut>,
    request: Request,
) -> Response<Body> {
    let (wire, whole) = read(request).await;
    let found = Api::find(&wire.method, &wire.path);
    let mut asked = Asked {
        when: state.wall.now(),
        method: wire.method.clone(),
        path: wire.path.clone(),
        query: wire.query.clone(),
        api: found.as_ref().map(|(api, _)| *api),
        bytes: wire.body.len(),
        status: None,
    };
    if state.control && wire.path == control::PATH {
        return rendered(&state, control::answer(&wire, &state.faults), None);
    }
    let fault = found.as_ref().and_then(|(api, _)| state.faults.take(*api, &wire.body));
    match &fault {
        Some(Fault::Reset) => {
            state.requests.add(asked);
            line.cut();
            return Response::new(Body::empty());
        }
        Some(Fault::Hang) => {
            state.requests.add(asked);
            return std::future::pending().await;
        }
        Some(Fault::Slow(by)) => tokio::time::sleep(by.to_std()).await,
        _ => {}
    }
    let reply = if whole { decide(&state, &wire, found, fault.as_ref()) } else { too_large(&wire) };
    asked.status = Some(reply.status);
    state.requests.add(asked);
    rendered(&state, reply, fault.as_ref())
}

/// Reads a request; false when it was larger than anything the gateway takes.
async fn read(request: Request) -> (Wire, bool) {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await;
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let whole = body.is_ok() && path.len().saturating_add(query.len()) <= LONGEST_URI;
    let body = body.unwrap_or_default();
    (Wire { method: parts.method.as_str().to_owned(), path, query, headers, body }, whole)
}

fn too_large(wire: &Wire) -> Reply {
    if wire.path.len().saturating_add(wire.query.len()) > LONGEST_URI {
        return reply::gateway(414, "APIGW.0201", "The request URI is longer than 32 KB");
    }
    reply::gateway(413, "APIGW.0201", "The request body is larger than 12 MB")
}

fn decide(state: &State, wire: &Wire, found: Option<(Api, Places)>, fault: Option<&Fault>) -> Reply {
    let Some((api, places)) = found else {
        let says = format!("The API does not exist or has not been published: {} {}", wire.method, wire.path);
        return reply::gateway(404, "APIGW.0101", says);
    };
    if let Some(reply) = fault.and_then(|f| failed(state, api, f)) {
        return reply;
    }
    let call = Call { api, places, wire, fault: fault.cloned(), state };
    pass(state, &call).and_then(|()| service(&call)).unwrap_or_else(|refusal| refusal)
}

/// What a fault answers instead of the service.
fn failed(state: &State, api: Api, fault: &Fault) -> Option<Reply> {
    let says = "as the emulator was told to";
    Some(match fault {
        Fault::Unauthorized => reply::unauthorized("verify aksk signature fail"),
        Fault::Forbidden => reply::gateway(403, "APIGW.0302", format!("The request is not authorized: {says}")),
        Fault::Throttled(after) => throttled(&format!("limit:0,{says}"), *after),
        Fault::Status(status @ (502 | 504)) => {
            reply::gateway(*status, "APIGW.0201", format!("Backend unavailable, {says}"))
        }
        Fault::Status(status) => reply::by_service(api.service(), *status, format!("Failed {says}")),
        Fault::Html => page(502),
        Fault::Login => page(200),
        Fault::Expired => {
            let now = state.wall.now();
            held(&state.keyring).expire(now);
            expired(now)
        }
        _ => return None,
    })
}

fn page(status: u16) -> Reply {
    let title = if status == 200 { "Sign in" } else { "Bad gateway" };
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n\
         <body><h1>{title}</h1><p>proxy.corp.example</p></body></html>\n"
    );
    Reply::text(status, "text/html; charset=utf-8", page)
}

fn throttled(policy: &str, after: Option<u32>) -> Reply {
    let says = format!("The throttling threshold has been reached: policy {policy}");
    let reply = reply::gateway(429, "APIGW.0308", says);
    match after {
        Some(seconds) => reply.with("Retry-After", seconds.to_string()),
        None => reply,
    }
}

/// The checks that are the same for every service.
fn pass(state: &State, call: &Call<'_>) -> Result<(), Reply> {
    let service = call.api.service();
    if call.api.auth() == Auth::Gateway {
        let now = state.wall.now();
        held(&state.keyring).admit(call.wire, now)?;
        let project = call.places.get("project");
        let owner = held(&state.keyring).account.project().to_owned();
        if !project.is_empty() && project != owner {
            let says = format!("the project {project} is not that of the account");
            return Err(reply::by_service(service, 403, says));
        }
    }
    limit(state, call)?;
    let json = matches!(service, Service::Ces | Service::CesV2 | Service::Lts) && call.wire.method == "POST";
    if json && !call.wire.header("content-type").is_some_and(|t| t.starts_with("application/json")) {
        return Err(reply::by_service(service, 400, "the Content-Type must be application/json"));
    }
    Ok(())
}

fn limit(state: &State, call: &Call<'_>) -> Result<(), Reply> {
    let rates = &state.rates;
    let mut counters: Vec<(Counter, Rate)> = Vec::new();
    let mut add = |counter, rate: Option<Rate>| counters.extend(rate.map(|r| (counter, r)));
    add(Counter::Api(call.api), rates.by_api.get(&call.api).copied());
    if let Some((group, stream)) = stream_of(call) {
        add(Counter::Account, rates.by_account);
        add(Counter::Group(group), rates.by_group);
        add(Counter::Stream(stream), rates.by_stream);
    }
    held(&state.throttle).ask(counters, state.wall.now()).map_err(|Refused { rate, wait }| {
        let policy = format!("user over ratelimit,limit:{},time:{} second", rate.requests, rate.window.whole_seconds());
        let after = (wait + Lapse(999_999)).whole_seconds().max(1);
        throttled(&policy, u32::try_from(after).ok())
    })
}

/// Group and stream of a read: in the path, or for the histogram in the body.
fn stream_of(call: &Call<'_>) -> Option<(String, String)> {
    match call.api {
        Api::Query | Api::Context => Some((call.places.get("group").to_owned(), call.places.get("stream").to_owned())),
        Api::Histogram => {
            let body: serde_json::Value = serde_json::from_slice(&call.wire.body).ok()?;
            let text = |name: &str| body[name].as_str().map(str::to_owned);
            Some((text("group_id")?, text("stream_id")?))
        }
        _ => None,
    }
}

fn service(call: &Call<'_>) -> Answer {
    match call.api {
        Api::Projects => Ok(iam::projects(call)),
        Api::Tokens => iam::tokens(call),
        Api::SecurityTokens => iam::security_tokens(call),
        Api::MetadataToken => metadata::token(call),
        Api::SecurityKey => metadata::security_key(call),
        Api::Batch => ces::batch::answer(call),
        Api::Data => ces::data::answer(call),
        Api::Metrics => ces::metrics::answer(call),
        Api::AlarmsV1 => ces::alarms::first(call),
        Api::AlarmsV2 => ces::alarms::second(call),
        Api::HistoriesV1 => ces::histories::first(call),
        Api::HistoriesV2 => ces::histories::second(call),
        Api::Events => ces::events::list(call),
        Api::Event => ces::events::detail(call),
        Api::Traces => cts::answer(call),
        Api::Groups => Ok(lts::groups::groups(call)),
        Api::Streams => lts::groups::streams(call),
        Api::LogStreams => Ok(lts::groups::log_streams(call)),
        Api::Query => lts::query::answer(call),
        Api::Histogram => lts::histogram::answer(call),
        Api::Context => lts::context::answer(call),
        Api::AomRange | Api::AomRangePost | Api::PromRange | Api::PromRangePost => prometheus::range(call),
        Api::AomQuery | Api::AomQueryPost | Api::PromQuery | Api::PromQueryPost => prometheus::query(call),
        Api::AomLabels | Api::AomLabelsPost | Api::PromLabels | Api::PromLabelsPost => prometheus::labels(call),
        Api::AomValues | Api::PromValues => prometheus::values(call),
        Api::AomMetadata | Api::PromMetadata => prometheus::metadata(call),
        Api::Scrape => scrape::answer(call),
    }
}

/// The bytes of an answer, after what a fault does to them.
fn rendered(state: &State, mut reply: Reply, fault: Option<&Fault>) -> Response<Body> {
    let now = state.wall.now();
    let id = format!("{:032x}", now.0.unsigned_abs());
    let (media, text) = match &mut reply.content {
        Content::Json(body) => {
            if let Some(field) = body.get_mut("request_id") {
                *field = id.clone().into();
            }
            if let (Some(fault), 200..300) = (fault, reply.status) {
                change::change(body, fault, state.now.now());
            }
            ("application/json", body.to_string())
        }
        Content::Text(media, text) => (*media, std::mem::take(text)),
    };
    let mut response = Response::builder()
        .status(reply.status)
        .header("Content-Type", media)
        .header("Date", Zone::utc().format(now, "%a, %d %b %Y %H:%M:%S GMT"))
        .header("X-Request-Id", id);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let mut bytes = Bytes::from(text);
    let body = match fault {
        Some(Fault::Truncated) => {
            response = response.header("Content-Length", bytes.len());
            let half = bytes.split_to(bytes.len() / 2);
            let broken = stream::once(async { Err(io::Error::from(io::ErrorKind::ConnectionAborted)) });
            Body::from_stream(stream::once(async { Ok(half) }).chain(broken))
        }
        Some(Fault::Malformed) => Body::from(bytes.split_to(bytes.len().saturating_sub(1))),
        _ => Body::from(bytes),
    };
    // Every part of it is text that we made.
    response.body(body).unwrap_or_default()
}
