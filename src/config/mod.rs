//! `config.toml` to types. Every problem names file, line, key and a remedy; secrets come by `env:`,
//! `file:` or `cmd:` and never show themselves.

pub mod cloud_metrics;
pub mod cloud_presets;
pub mod huawei;
pub mod incident;
pub mod load;
pub mod log_server;
pub mod mcp;
pub mod mcp_histogram;
pub mod mcp_search;
pub mod measure;
pub mod preset;
pub mod problem;
pub mod prometheus;
pub mod query;
pub mod scrape;
pub mod secret;
pub mod section;
pub mod value;
pub mod words;

use crate::model::incident::Rules;
use crate::model::order::{OrderStatus, PaymentStatus, Role};
use crate::model::series::Lane;
use crate::model::{Lapse, Span, Zone};
pub use huawei::{CredentialConfig, HuaweiConfig};
pub use log_server::LogServerConfig;
pub use mcp::McpConfig;
pub use problem::Problem;
pub use prometheus::PrometheusConfig;
pub use scrape::ScrapeConfig;
pub use secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// File it was read from; relative paths in it are relative to its folder.
    pub file: PathBuf,
    /// The incident.
    pub incident: IncidentConfig,
    /// Databases, in the order of the dots.
    pub databases: Vec<DatabaseConfig>,
    /// Log sources.
    pub logs: Vec<LogConfig>,
    /// Order-side queries.
    pub queries: Vec<QueryConfig>,
    /// The cloud account.
    pub huawei: Option<HuaweiConfig>,
    /// Servers that answer PromQL.
    pub prometheus: Vec<PrometheusConfig>,
    /// Services whose own endpoints are read.
    pub scrapes: Vec<ScrapeConfig>,
    /// Servers of tools.
    pub mcp: Vec<McpConfig>,
    /// Engines that keep lines.
    pub log_servers: Vec<LogServerConfig>,
    /// The screen.
    pub screen: ScreenConfig,
    /// The recording.
    pub recording: RecordingConfig,
    /// Key bindings that differ from the defaults: command name to keys.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// `[incident]`
#[derive(Clone, Debug)]
pub struct IncidentConfig {
    /// Title; the note's heading when absent.
    pub title: Option<String>,
    /// The note.
    pub note: Option<PathBuf>,
    /// Zone of the screen, WIB unless told.
    pub zone: Zone,
    /// Time looked into.
    pub window: Option<Span>,
    /// Time when all was well.
    pub baseline: Option<Span>,
    /// `[rules]`
    pub rules: Rules,
    /// `[[lane]]`; the default lanes of the configured sources when empty.
    pub lanes: Vec<Lane>,
    /// `[[limit]]`
    pub limits: Vec<crate::model::incident::Limit>,
    /// `[[probe]]`
    pub probes: Vec<crate::model::incident::Probe>,
    /// `[rules] files`: where they lie.
    pub rules_in: Vec<PathBuf>,
    /// Their texts, once the configuration has been loaded from its file.
    pub rule_files: Vec<crate::model::incident::RuleFile>,
}

/// `[[db]]`
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Name on the dot.
    pub name: String,
    /// Connection URL, password included.
    pub url: Secret,
    /// How often it is looked at.
    pub interval: Lapse,
    /// `statement_timeout` of every statement.
    pub statement_timeout: Lapse,
    /// `lock_timeout` of every statement.
    pub lock_timeout: Lapse,
    /// How long connecting may take.
    pub connect_timeout: Lapse,
    /// Whether its statistics are a source (a database may serve queries only).
    pub watch: bool,
}

/// `[[logs]]`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Name on the dot.
    pub name: String,
    /// Files, with `*` in the last part.
    pub paths: Vec<PathBuf>,
    /// Service name; taken from the line or the file name when absent.
    pub service: Option<String>,
    /// How lines are read.
    pub format: LogFormat,
    /// Fields of JSON lines, first that exists wins.
    pub time_fields: Vec<String>,
    /// Fields for the level.
    pub level_fields: Vec<String>,
    /// Fields for the message.
    pub message_fields: Vec<String>,
    /// Fields for the service.
    pub service_fields: Vec<String>,
    /// Fields for the order id.
    pub order_fields: Vec<String>,
    /// Fields for the trace id.
    pub trace_fields: Vec<String>,
    /// Pattern that finds an order id in a message; group 1 or the whole match.
    pub order_pattern: Option<String>,
    /// `strftime` pattern of plain lines' time; several usual ones are tried when absent.
    pub time_format: Option<String>,
    /// Zone of times that carry none.
    pub zone: Zone,
    /// How much of an existing file is read at the start.
    pub read_back: Lapse,
}

impl LogConfig {
    /// What holds where the configuration says nothing; files are not among it.
    pub fn usual(name: impl Into<String>, zone: &Zone) -> Self {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect();
        Self {
            name: name.into(),
            paths: Vec::new(),
            service: None,
            format: LogFormat::Auto,
            time_fields: names(&["time", "ts", "timestamp", "@timestamp"]),
            level_fields: names(&["level", "severity", "lvl"]),
            message_fields: names(&["msg", "message"]),
            service_fields: names(&["service", "app", "logger"]),
            order_fields: names(&["order_id", "orderId", "order"]),
            trace_fields: names(&["trace_id", "traceId", "trace"]),
            order_pattern: None,
            time_format: None,
            zone: zone.clone(),
            read_back: Lapse::hours(2),
        }
    }
}

/// How log lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Decided for each line.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text.
    Plain,
}

/// `[[query]]`
#[derive(Clone, Debug)]
pub struct QueryConfig {
    /// What it answers.
    pub role: Role,
    /// Which `[[db]]` it runs on.
    pub db: String,
    /// One statement, parameters as `:name`.
    pub sql: String,
    /// How it is asked.
    pub mode: QueryMode,
    /// How often.
    pub interval: Lapse,
    /// Rows of one page.
    pub limit: u32,
    /// Zone of `timestamp without time zone` columns; refused when they occur and this is absent.
    pub zone: Option<Zone>,
    /// Words of the status column that are not ours.
    pub order_status: BTreeMap<String, OrderStatus>,
    /// Words of the payment status column that are not ours.
    pub payment_status: BTreeMap<String, PaymentStatus>,
    /// Further columns of orders, carried along as attributes.
    pub columns: Vec<String>,
    /// Columns that hold personal data, masked besides those whose names say so.
    pub mask: Vec<String>,
    /// The column by which changed rows are found, in mode `watermark`.
    pub watermark: Option<String>,
    /// Whether it may read large tables from end to end.
    pub allow_seqscan: bool,
    /// Rows that may be read from end to end without that.
    pub largest_scan: u32,
    /// Files that hold the rows instead of a database; the last part of the path may hold `*`.
    pub file: Option<PathBuf>,
    /// What our columns are called in the files.
    pub map: BTreeMap<String, String>,
}

impl QueryConfig {
    /// A query of a database with nothing out of the ordinary; by ids when its SQL asks so.
    pub fn new(role: Role, db: &str, sql: &str) -> Self {
        Self {
            role,
            db: db.to_owned(),
            sql: sql.to_owned(),
            mode: if sql.contains(":ids") || sql.contains(":refs") { QueryMode::Ids } else { QueryMode::Window },
            interval: Lapse::minutes(1),
            limit: 500,
            zone: None,
            order_status: BTreeMap::new(),
            payment_status: BTreeMap::new(),
            columns: Vec::new(),
            mask: Vec::new(),
            watermark: None,
            allow_seqscan: false,
            largest_scan: query::LARGEST_SCAN,
            file: None,
            map: BTreeMap::new(),
        }
    }
}

/// How an order-side query is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryMode {
    /// `:from`, `:to`, `:after_at`, `:after_id`, `:limit`: keyset pages over a window.
    Window,
    /// `:ids`: an array of order ids.
    Ids,
    /// As `Window`, but over the time of the last change: afterwards only what has changed is read.
    Watermark,
}

/// `[screen]`
#[derive(Clone, Debug)]
pub struct ScreenConfig {
    /// `auto`, `mono`, `16`, `256`, `rgb`.
    pub colors: String,
    /// `auto`, `unicode`, `ascii`, `braille`.
    pub glyphs: String,
    /// Mouse capture.
    pub mouse: bool,
    /// Slow link: one frame a second, no colour.
    pub slow: bool,
    /// Name written beside ticks and notes; the login name when absent.
    pub who: Option<String>,
}

/// `[recording]`
#[derive(Clone, Debug)]
pub struct RecordingConfig {
    /// Folder for recordings; the XDG state folder when absent.
    pub folder: Option<PathBuf>,
    /// Stop recording, and say so, when less than this is free.
    pub keep_free: u64,
}
