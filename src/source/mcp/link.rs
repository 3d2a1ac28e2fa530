//! The connection to one server: which era it speaks, calls with their deadlines, and a server that died
//! started again.
//!
//! May not know: what a tool's answer means.

use crate::config::mcp::{Door, Era, McpConfig};
use crate::model::Lapse;
use crate::source::mcp::pipe::{LONGEST, Notes, Pipe};
use crate::source::mcp::trouble::Trouble;
use crate::source::redact::Known;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
    PaginatedRequestParams, ProtocolVersion, Tool,
};
use rmcp::service::{ClientLifecycleMode, Peer, RunningService, serve_client_with_lifecycle};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long a server may think about a question of the modern era before it is taken for a legacy one.
const PROBE: Duration = Duration::from_secs(3);
/// Pages of a list of tools.
const PAGES: usize = 50;

/// A server.
#[derive(Debug)]
pub struct Link {
    config: McpConfig,
    open: tokio::sync::Mutex<Option<Open>>,
    /// What was found out, for as long as the program runs.
    era: Mutex<Option<Era>>,
    gate: Semaphore,
    last: tokio::sync::Mutex<Option<Instant>>,
}

/// A connection that stands.
#[derive(Debug)]
struct Open {
    service: RunningService<RoleClient, ClientConfig>,
    era: Era,
    notes: Arc<Notes>,
    known: Known,
}

/// What a server says of itself.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Modern or legacy.
    pub era: Era,
    /// The version in use.
    pub version: String,
    /// Its name and version, in its own words.
    pub server: String,
    /// The first line on its standard output that is no message.
    pub stray: Option<String>,
}

/// An answer, and what it cost.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The tool's.
    pub result: CallToolResult,
    /// Bytes of it.
    pub bytes: u64,
    /// How long it took.
    pub took: Lapse,
    /// Calls made: two where the server died in the first.
    pub calls: u32,
}

/// Whether a call may be made twice when the server dies in the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It reads.
    May,
    /// Nobody knows what it does.
    Never,
}

impl Link {
    /// A connection that nobody has opened yet.
    pub fn new(config: McpConfig) -> Self {
        Self {
            gate: Semaphore::new(config.max_in_flight as usize),
            config,
            open: tokio::sync::Mutex::default(),
            era: Mutex::default(),
            last: tokio::sync::Mutex::default(),
        }
    }
    /// How it is configured.
    pub const fn config(&self) -> &McpConfig {
        &self.config
    }

    /// Connects where that has not happened, and says with whom.
    pub async fn introduction(&self) -> Result<Introduction, Trouble> {
        let (peer, era, notes, _) = self.peer().await?;
        let info = peer.peer_info();
        let version = info.as_ref().map(|i| i.protocol_version.to_string()).unwrap_or_default();
        let server =
            info.and_then(|i| i.server_info.clone()).map(|s| format!("{} {}", s.name, s.version).trim().to_owned());
        Ok(Introduction { era, version, server: server.unwrap_or_default(), stray: notes.stray() })
    }

    /// All its tools.
    pub async fn tools(&self) -> Result<Vec<Tool>, Trouble> {
        let (peer, _, notes, known) = self.peer().await?;
        let mut out = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let params = cursor.take().map(|c| PaginatedRequestParams::default().with_cursor(Some(c)));
            let listing = tokio::time::timeout(self.config.timeout.to_std(), peer.list_tools(params));
            let page = match listing.await {
                Err(_) => return Err(Trouble::Silent(self.config.timeout.whole_seconds())),
                Ok(Err(e)) => {
                    self.drop_if_closed().await;
                    return Err(Trouble::of_call(&e, &known, &notes.last_words()));
                }
                Ok(Ok(page)) => page,
            };
            out.extend(page.tools);
            // An empty cursor is one like any other.
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(out),
            }
        }
        tracing::warn!("{}: more than {PAGES} pages of tools; the rest is not known", self.config.name);
        Ok(out)
    }

    /// Calls a tool. A tool that says it failed is a failure.
    pub async fn call(&self, tool: &str, arguments: &Map<String, Value>, again: Again) -> Result<Reply, Trouble> {
        let begun = Instant::now();
        let mut calls = 0;
        let result = loop {
            calls += 1;
            let result = self.once(tool, arguments).await;
            let died = matches!(result, Err(Trouble::Gone(_)));
            if died && again == Again::May && calls == 1 {
                tracing::warn!("{}: the server ended while it was asked; it is started again", self.config.name);
                continue;
            }
            break result;
        };
        let duration = crate::source::runner::lapse(begun.elapsed());
        let reply = result.map(|result| Reply { bytes: weight(&result), result, took: duration, calls });
        self.audit(tool, arguments, duration, &reply);
        match reply {
            Ok(reply) if reply.result.is_error == Some(true) => Err(self.tool_error(tool, &reply.result).await),
            Err(Trouble::Refused(why)) => Err(self.missing(tool).await.unwrap_or(Trouble::Refused(why))),
            other => other,
        }
    }

    /// Ends the connection, and the child with it.
    pub async fn close(&self) {
        if let Some(mut open) = self.open.lock().await.take() {
            // It has ended either way; why is in the log of the library.
            let _ = open.service.close().await;
        }
    }

    async fn once(&self, tool: &str, arguments: &Map<String, Value>) -> Result<CallToolResult, Trouble> {
        let Ok(_place) = self.gate.acquire().await else { return Err(Trouble::Gone(String::new())) };
        self.manners().await;
        let (peer, _, notes, known) = self.peer().await?;
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments.clone());
        let deadline = self.config.timeout;
        // A future that is dropped cancels its call: by a message, or by closing the response.
        match tokio::time::timeout(deadline.to_std(), peer.call_tool_once(params)).await {
            Err(_) => Err(Trouble::Silent(deadline.whole_seconds())),
            Ok(Ok(CallToolResponse::Complete(result))) => Ok(result),
            Ok(Ok(_)) => Err(Trouble::Asks),
            Ok(Err(e)) => {
                self.drop_if_closed().await;
                if notes.too_long() {
                    return Err(Trouble::TooLong);
                }
                Err(Trouble::of_call(&e, &known, &notes.last_words()))
            }
        }
    }

    /// Keeps the distance between calls.
    async fn manners(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.config.min_interval.to_std()).await;
        }
        *last = Some(Instant::now());
    }

    async fn drop_if_closed(&self) {
        let mut open = self.open.lock().await;
        if open
            .as_ref()
            .is_some_and(|o| o.service.is_closed() || o.service.peer().is_transport_closed() || o.notes.too_long())
            && let Some(mut gone) = open.take()
        {
            let _ = gone.service.close().await;
        }
    }

    /// Somebody to talk to.
    async fn peer(&self) -> Result<(Peer<RoleClient>, Era, Arc<Notes>, Known), Trouble> {
        let mut open = self.open.lock().await;
        if let Some(there) = open.as_ref().filter(|o| !o.service.is_closed() && !o.service.peer().is_transport_closed())
        {
            return Ok(there.parts());
        }
        if let Some(mut gone) = open.take() {
            let _ = gone.service.close().await;
        }
        let opened = self.connect().await?;
        *self.era.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened.era);
        let parts = opened.parts();
        *open = Some(opened);
        Ok(parts)
    }

    /// Modern first; whatever comes of that but an answer, legacy on a fresh connection.
    async fn connect(&self) -> Result<Open, Trouble> {
        let found = *self.era.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = self.config.timeout.to_std();
        match (self.config.era, found) {
            (Era::Modern, _) => self.begin(Era::Modern, whole).await,
            (Era::Legacy, _) => self.begin(Era::Legacy, whole).await,
            (Era::Auto, Some(found)) => match self.begin(found, whole).await {
                Err(Trouble::Handshake(_)) => self.find_out().await,
                other => other,
            },
            (Era::Auto, None) => self.find_out().await,
        }
    }

    async fn find_out(&self) -> Result<Open, Trouble> {
        let whole = self.config.timeout.to_std();
        let modern = match self.begin(Era::Modern, PROBE.min(whole)).await {
            Ok(open) => return Ok(open),
            Err(trouble @ (Trouble::Secret(_) | Trouble::Start(_) | Trouble::Who(_))) => return Err(trouble),
            Err(trouble) => trouble,
        };
        match (self.begin(Era::Legacy, whole).await, modern) {
            (Ok(open), _) => Ok(open),
            // A modern server that takes long to start: it gets the time that a call has.
            (Err(Trouble::Handshake(_)), Trouble::Silent(_)) => self.begin(Era::Modern, whole).await,
            (Err(legacy), _) => Err(legacy),
        }
    }

    async fn begin(&self, era: Era, within: Duration) -> Result<Open, Trouble> {
        let us =
            ClientConfig::new(ClientCapabilities::default(), Implementation::new("warroom", env!("CARGO_PKG_VERSION")))
                .with_protocol_version(match era {
                    Era::Legacy => ProtocolVersion::LATEST_WITH_INITIALIZE,
                    Era::Auto | Era::Modern => ProtocolVersion::LATEST,
                });
        let life = match era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Auto | Era::Modern => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] }
            }
        };
        let (values, known) = self.secrets().await?;
        let late = || Trouble::Silent(within.as_secs().cast_signed());
        let (service, notes) = match &self.config.door {
            Door::Stdio { command, .. } => {
                let (pipe, notes) =
                    Pipe::open(command, &values).map_err(|e| Trouble::Start(format!("{}: {e}", command.join(" "))))?;
                let serving = serve_client_with_lifecycle(us, pipe, life);
                let service = tokio::time::timeout(within, serving).await.map_err(|_| late())?;
                (service.map_err(|e| Trouble::of_handshake(&e, &known, &notes.last_words()))?, notes)
            }
            Door::Http { url, .. } => {
                let wire = self.wire(url, &values)?;
                let serving = serve_client_with_lifecycle(us, wire, life);
                let service = tokio::time::timeout(within, serving).await.map_err(|_| late())?;
                (service.map_err(|e| Trouble::of_handshake(&e, &known, ""))?, Arc::default())
            }
        };
        let era = if era == Era::Legacy { Era::Legacy } else { Era::Modern };
        Ok(Open { service, era, notes, known })
    }

    fn wire(
        &self,
        url: &str,
        values: &[(String, String)],
    ) -> Result<StreamableHttpClientTransport<reqwest::Client>, Trouble> {
        // Somebody else may have chosen it already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder();
        // What is on this machine is not behind a proxy.
        let builder = if is_here(url) { builder.no_proxy() } else { builder };
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.config.timeout.to_std().min(PROBE))
            .user_agent(concat!("warroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Trouble::Start(format!("HTTP cannot be spoken here: {e}")))?;
        let mut headers = HashMap::new();
        for (name, value) in values {
            let wrong = || Trouble::Mapping(format!("the header {name} has characters that a header cannot have"));
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        let config = StreamableHttpClientTransportConfig::with_uri(url)
            .custom_headers(headers)
            .max_json_response_size(LONGEST)
            .max_sse_event_size(LONGEST)
            .max_concurrent_requests(self.config.max_in_flight as usize)
            .reinit_on_expired_session(true);
        Ok(StreamableHttpClientTransport::with_client(client, config))
    }

    /// Variables or headers with what their secrets give, and what of it must not be said.
    async fn secrets(&self) -> Result<(Vec<(String, String)>, Known), Trouble> {
        let (mut values, mut known) = (Vec::new(), Vec::new());
        for (name, secret) in self.config.door.secrets() {
            let value = secret.obtain().await.map_err(Trouble::Secret)?;
            values.push((name.clone(), value.expose_secret().to_owned()));
            // Short values are switches, and `Bearer x` is also known as x.
            known.extend(value.expose_secret().split(' ').filter(|w| w.len() >= 8).map(Into::into));
            known.push(value);
        }
        Ok((values, Known::new(known)))
    }

    async fn tool_error(&self, tool: &str, result: &CallToolResult) -> Trouble {
        let words = text(result);
        let lower = words.to_ascii_lowercase();
        if (lower.contains("unknown tool") || lower.contains("not found"))
            && let Some(missing) = self.missing(tool).await
        {
            return missing;
        }
        let known = self.open.lock().await.as_ref().map(|o| o.known.clone()).unwrap_or_default();
        Trouble::Tool(known.clean(&words))
    }

    /// Whether there is no such tool at all.
    async fn missing(&self, tool: &str) -> Option<Trouble> {
        let names: Vec<String> = self.tools().await.ok()?.iter().map(|t| t.name.to_string()).collect();
        (!names.iter().any(|n| n == tool)).then(|| Trouble::NoTool(tool.to_owned(), names))
    }

    /// One line in the program's own log for each call: what was asked, never what came.
    fn audit(&self, tool: &str, arguments: &Map<String, Value>, duration: Lapse, reply: &Result<Reply, Trouble>) {
        let asked = crate::source::redact::clean(&Value::Object(arguments.clone()).to_string(), &[]);
        let asked = crate::model::untrusted::shown(&asked);
        let tool = crate::model::untrusted::shown(tool);
        let (name, ms) = (&self.config.name, duration.0 / 1_000);
        match reply {
            Ok(reply) => tracing::info!("mcp {name}: {tool} {asked}: {} bytes in {ms} ms", reply.bytes),
            Err(trouble) => tracing::info!("mcp {name}: {tool} {asked}: {} after {ms} ms", trouble.words().0),
        }
    }
}

impl Open {
    fn parts(&self) -> (Peer<RoleClient>, Era, Arc<Notes>, Known) {
        (self.service.peer().clone(), self.era, Arc::clone(&self.notes), self.known.clone())
    }
}

/// Whether a URL is of this machine.
fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here))
}

/// All text of a result, block by block.
pub fn text(result: &CallToolResult) -> String {
    let blocks: Vec<&str> = result.content.iter().filter_map(|b| b.as_text()).map(|t| t.text.as_str()).collect();
    blocks.join("\n")
}

fn weight(result: &CallToolResult) -> u64 {
    let structured = result.structured_content.as_ref().map_or(0, |v| v.to_string().len());
    (text(result).len() + structured) as u64
}
