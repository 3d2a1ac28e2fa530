//! Arguments: one definition for the command line, its help, the completions and the man page.

use crate::model::Lapse;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A terminal war room for a payment platform in an incident.
///
/// Without a command: run, with the configuration from --config or the XDG configuration folder.
#[derive(Clone, Debug, Parser)]
#[command(name = "warroom", version, max_term_width = 100)]
pub struct Arguments {
    /// What all commands share.
    #[command(flatten)]
    pub options: Options,
    /// What to do; run when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Options {
    /// Configuration file [default: warroom/config.toml in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "WARROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// Look only: the note is never written
    #[arg(long, global = true)]
    pub view: bool,
    /// Palette: auto, mono, 16, 256, rgb
    #[arg(long, global = true, value_name = "PALETTE", value_parser = ["auto", "mono", "16", "256", "rgb"])]
    pub colors: Option<String>,
    /// Characters: auto, unicode, ascii, braille
    #[arg(long, global = true, value_name = "SET", value_parser = ["auto", "unicode", "ascii", "braille"])]
    pub glyphs: Option<String>,
    /// Capture the mouse (the wheel scrolls; the terminal's own selection needs Shift then)
    #[arg(long, global = true)]
    pub mouse: bool,
    /// Slow link: one frame a second besides those of your keys, no colour unless --colors names one
    #[arg(long, global = true)]
    pub slow: bool,
    /// Record into this folder
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "no_record")]
    pub record: Option<PathBuf>,
    /// Record nothing
    #[arg(long, global = true)]
    pub no_record: bool,
}

/// Which rules, and how.
#[derive(Clone, Debug, Args)]
pub struct RuleList {
    /// One of them, whole: H1a, vendor.x, D3
    pub id: Option<String>,
    /// What can be measured, by the names that rules write
    #[arg(long, conflicts_with_all = ["id", "write"])]
    pub measures: bool,
    /// Write the built-in files here, to be read and changed; `[rules] files` names those that count
    #[arg(long, value_name = "DIR", conflicts_with = "id")]
    pub write: Option<PathBuf>,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Watch the configured sources (the default)
    Run,
    /// Play the bundled incident: no server, no account, no configuration needed
    Demo(Demo),
    /// Collect without a screen until SIGTERM or Ctrl-C
    Record,
    /// Open a recording: at its end with all of it known, or played from an instant
    Replay {
        /// Folder of the recording
        dir: PathBuf,
        /// Seconds of the recording in one second
        #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = pace)]
        pace: f64,
        /// Where to play from, instead of standing at the end: RFC 3339 with its zone, or HH:MM on the
        /// recording's first day
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// What an incident comes to, of a recording or of what is out there now: the verdict with its evidence, the
    /// impact, when what began, what people said, what was not measured
    Report {
        /// Folder of a recording; without one the sources of --config are asked until each has answered
        dir: Option<PathBuf>,
        /// As of when, instead of its end: RFC 3339 with its zone, or HH:MM on the recording's first day
        #[arg(long, value_name = "TIME", requires = "dir")]
        at: Option<String>,
        /// How long sources may take to answer: 90s, 3m
        #[arg(long, value_name = "TIME", default_value = "2m", conflicts_with = "dir", value_parser = lapse)]
        wait: Lapse,
        /// For people or for machines
        #[arg(long, value_enum, default_value_t = Form::Md)]
        format: Form,
        /// Where to, instead of standard output
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Write the orders with their next safe action here too, as CSV with a checksum beside it; the report
        /// links to it
        #[arg(long, value_name = "FILE")]
        worksheet: Option<PathBuf>,
    },
    /// Write something for later use
    Export {
        /// What
        #[command(subcommand)]
        what: Export,
    },
    /// Reach every source once and say what works, what is refused and the remedy
    Check {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Compare the ledgers of a window, order by order: counts and sums by class, what is stuck, what is not at HO
    Reconcile(Reconcile),
    /// List the orders of some classes, with what is known of each and what to do next
    Orders(Listing),
    /// Look into a Huawei Cloud account
    Huawei {
        /// At what
        #[command(subcommand)]
        what: Account,
    },
    /// Look into a server of tools (MCP) of the configuration
    Mcp {
        /// How
        #[command(subcommand)]
        what: Tools,
    },
    /// Answer as the cloud does, on loopback: Huawei Cloud's interfaces and a Prometheus, with the bundled evening;
    /// or show it on a PostgreSQL of yours, or write a simulated day as files
    Simulate(Simulate),
    /// Look for spikes, for what broke first, for suspects and for what bad ones share, in CSV files
    Analyze(Analyze),
    /// Patterns, histograms and search in log files of any size, plain or packed: JSON, logfmt, text
    Logs {
        /// What to do with them
        #[command(subcommand)]
        what: Logs,
    },
    /// Print the rules that judge: what each measures, when that supports and refutes, what it counts for
    Rules(RuleList),
    /// Print the key table
    Keys,
    /// Print shell completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// Which orders.
#[derive(Clone, Debug, Default, Args)]
pub struct Stretch {
    /// Orders born from here on: RFC 3339 with its zone, or HH:MM on the window's first day [default: the window
    /// in the configuration, else 24 hours ago]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Orders born before this: RFC 3339 with its zone, or HH:MM on the window's last day
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

/// A reconciliation.
#[derive(Clone, Debug, Args)]
pub struct Reconcile {
    /// Which orders.
    #[command(flatten)]
    pub stretch: Stretch,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// A list of orders.
#[derive(Clone, Debug, Args)]
pub struct Listing {
    /// Which orders.
    #[command(flatten)]
    pub stretch: Stretch,
    /// Which classes, by the keys that `warroom reconcile --json` prints; several with commas [default: all]
    #[arg(long, value_name = "C", value_delimiter = ',')]
    pub class: Vec<String>,
    /// Only the first so many, as soon as they are found: in the order of their birth, the rest of the window unread
    #[arg(long, value_name = "N")]
    pub first: Option<u32>,
    /// How to write it
    #[arg(long, value_enum, default_value = "csv")]
    pub format: crate::runtime::reconcile::list::Format,
}

/// What is written for later use.
#[derive(Clone, Debug, Subcommand)]
pub enum Export {
    /// The incident's checkboxes, rules and thresholds as a note and a configuration for the next one
    Runbook {
        /// Folder of a recording; without one the sources of --config are asked until each has answered
        dir: Option<PathBuf>,
        /// Folder to write runbook.md and runbook.toml into
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
        /// How long sources may take to answer: 90s, 3m
        #[arg(long, value_name = "TIME", default_value = "2m", conflicts_with = "dir", value_parser = lapse)]
        wait: Lapse,
    },
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Markdown.
    Md,
    /// One HTML page with everything in it.
    Html,
    /// JSON.
    Json,
}

/// The demo.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Seconds of the incident in one second
    #[arg(long, visible_alias = "speed", default_value_t = 60.0, value_name = "FACTOR", value_parser = pace)]
    pub pace: f64,
    /// Which incident [default: pool]; --list says which there are
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Another world of the same scenario
    #[arg(long, default_value_t = 77_000, value_name = "N")]
    pub seed: u64,
    /// A game day: nobody says which incident it is, `:conclude` takes the team's verdict, and a sheet compares it
    /// with the truth when everybody has left. Without --scenario one is drawn
    #[arg(long)]
    pub drill: bool,
    /// Start no server of its own: databases are snapshots that the demo generates, also where PostgreSQL is installed
    #[arg(long, env = "WARROOM_GENERATED", value_parser = clap::builder::BoolishValueParser::new())]
    pub generated: bool,
    /// A note of yours beside the invented evening, instead of the bundled one: ticks and answers are written into it
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub note: Option<PathBuf>,
    /// List the scenarios and what happens in them
    #[arg(long)]
    pub list: bool,
}

/// What of an account.
#[derive(Clone, Debug, Subcommand)]
pub enum Account {
    /// List the metrics of every resource, with blocks to paste into the configuration
    Metrics {
        /// Only this one: SYS.RDS, SYS.ELB
        #[arg(long, value_name = "NS")]
        namespace: Option<String>,
        /// For machines
        #[arg(long)]
        json: bool,
    },
}

/// What of a server of tools.
#[derive(Clone, Debug, Subcommand)]
pub enum Tools {
    /// Say which protocol it speaks, which tools it has, and guess a mapping to paste into the configuration
    Probe {
        /// Name of an `[[mcp]]`
        name: String,
    },
    /// Call a tool and print what it answers
    Call {
        /// Name of an `[[mcp]]`
        name: String,
        /// Name of the tool
        tool: String,
        /// Its arguments as a JSON object
        #[arg(default_value = "{}", value_name = "JSON")]
        arguments: String,
        /// Print the answer as the log lines that the mapping makes of it
        #[arg(long)]
        lines: bool,
    },
}

/// Analysis of files.
#[derive(Clone, Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub struct Analyze {
    /// Of what
    #[command(subcommand)]
    pub what: Option<Analysis>,
    /// Answer every case of a public data set, as JSON its scorer reads: nab, skab, sockshop, petshop, rs
    #[arg(long, num_args = 2, value_names = ["SET", "DIR"], required = true)]
    pub bench: Option<Vec<String>>,
    /// With --bench sockshop: so many rows of the trouble pass for normal, as if it had been noticed late
    #[arg(long, value_name = "ROWS", default_value_t = 0, requires = "bench")]
    pub late: usize,
}

/// What to analyze.
#[derive(Clone, Debug, Subcommand)]
pub enum Analysis {
    /// Episodes of one series: a file of times and values
    Spikes {
        /// CSV: time, value
        file: PathBuf,
    },
    /// The one episode of a run of several signals: onset, peak, recovery
    Episode {
        /// CSV: time, then a column for each signal
        file: PathBuf,
    },
    /// What broke first between two stretches of time, and who is to blame
    Rank(Rank),
    /// What the bad ones of a table of counts share
    Cohort(Cohort),
}

/// Two stretches of time.
#[derive(Clone, Debug, Args)]
pub struct Rank {
    /// CSV of quiet times: time, then a column for each signal
    #[arg(long, value_name = "CSV")]
    pub before: PathBuf,
    /// CSV of the trouble, with the same columns; may begin late
    #[arg(long, value_name = "CSV")]
    pub after: PathBuf,
    /// CSV of who calls whom: caller, callee; or a square of them. Columns are named like services, or begin
    /// with one (orders_cpu)
    #[arg(long, value_name = "CSV")]
    pub graph: Option<PathBuf>,
    /// With --graph: the column that raised the alarm. What is odd while it is at its worst is suspected
    #[arg(long, value_name = "COLUMN", requires = "graph")]
    pub alarm: Option<String>,
    /// A column that is bad when low, such as a success rate; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub low: Vec<String>,
}

/// A table of counts.
#[derive(Clone, Debug, Args)]
pub struct Cohort {
    /// CSV: a row for each combination of attributes, with counts
    pub file: PathBuf,
    /// Column with the number of bad ones
    #[arg(long, value_name = "COLUMN")]
    pub bad: String,
    /// Column with the number of all
    #[arg(long, value_name = "COLUMN")]
    pub total: String,
    /// Column with the time of a row, when the file holds earlier counts too: they tell what is usual
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// The time that is looked at
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// What to do with log files.
#[derive(Clone, Debug, Subcommand)]
pub enum Logs {
    /// Lines by time and level
    Histogram(Histogram),
    /// Lines in which a regular expression is found, as they are found; exit code 1 when there is none. Secrets
    /// and personal data are masked
    Search(Search),
    /// Lines grouped by the words that stay, with what varies in them
    Patterns(Patterns),
    /// What a `[[log_server]]` has: counts by the minute, by the engine itself, and the first lines
    Server(AskServer),
}

/// A question to a log server.
#[derive(Clone, Debug, Args)]
pub struct AskServer {
    /// Its name in the configuration
    pub name: String,
    /// Only lines that fit, in the engine's own words: keywords for LTS, |= "timeout" for Loki, query_string for
    /// Elasticsearch
    pub filter: Option<String>,
    /// Which stretch
    #[command(flatten)]
    pub stretch: Stretch,
    /// Lines at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub lines: u32,
    /// The neighbours of a line of LTS, by the number that stands behind it: #1736686710000742246
    #[arg(long, value_name = "NUMBER")]
    pub around: Option<String>,
}

/// Which lines of which files.
#[derive(Clone, Debug, Args)]
pub struct Lines {
    /// Log files, plain, .gz or .zst; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only this service, or its replicas: mrg-api is also mrg-api-2. Lines that name none are of their file's
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Only this level and worse: trace, debug, info, warn, error, fatal. A line that names none is info
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only lines that name this order
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// Only lines from then on: 2025-01-12T19:24:00+07:00, or without the zone
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only lines before then
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Zone of times that carry none, and of the answer
    #[arg(long, default_value = "WIB", value_name = "ZONE")]
    pub zone: String,
}

/// A histogram.
#[derive(Clone, Debug, Args)]
pub struct Histogram {
    /// Which lines
    #[command(flatten)]
    pub lines: Lines,
    /// How long a stretch is: 10s, 1m, 1h
    #[arg(long, default_value = "1m", value_name = "TIME")]
    pub by: String,
    /// Only lines in which this regular expression is found
    #[arg(long = "where", value_name = "REGEX")]
    pub pattern: Option<String>,
    /// For machines
    #[arg(long)]
    pub json: bool,
}

/// A search.
#[derive(Clone, Debug, Args)]
pub struct Search {
    /// Regular expression; (?i) before it takes small and capital letters for the same
    pub pattern: String,
    /// Which lines
    #[command(flatten)]
    pub lines: Lines,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only say how many lines there are
    #[arg(long, conflicts_with_all = ["json", "raw"])]
    pub count: bool,
    /// A JSON object a line, with what was read from it
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// The bytes as they are, nothing masked: not for a terminal
    #[arg(long)]
    pub raw: bool,
}

/// Patterns.
#[derive(Clone, Debug, Args)]
pub struct Patterns {
    /// Which lines
    #[command(flatten)]
    pub lines: Lines,
    /// Every line is a message as it is, without time, level or fields
    #[arg(long)]
    pub messages: bool,
    /// Write the number of each line's pattern into this file, one a line; implies --messages
    #[arg(long, value_name = "OUT", conflicts_with_all = ["service", "level", "order", "from", "to"])]
    pub ids: Option<PathBuf>,
    /// For machines, with the most frequent values of every place that varies
    #[arg(long)]
    pub json: bool,
}

/// The emulator of the cloud, a real database in its place, or a day of its world as files.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Simulate {
    /// Where to listen; port 0 is a free one
    #[arg(long, default_value = "127.0.0.1:18080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Which incident; `warroom demo --list` says which there are
    #[arg(long, default_value = crate::simulator::scenario::DEFAULT, value_name = "NAME")]
    pub scenario: String,
    /// Another world of the same scenario
    // TOML knows no greater number.
    #[arg(long, default_value_t = 77_000, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// Write the whole simulated day into this folder as CSV, JSON lines, TOML and logs, and end; truth.toml in it
    /// has the answer. The folder is new, empty or an earlier export
    #[arg(long, value_name = "DIR", conflicts_with_all = ["listen", "now", "keep_dates", "faults", "anywhere", "postgres"])]
    pub export: Option<PathBuf>,
    /// Export the evening that the demo plays, instead of the whole day
    #[arg(long, requires = "export")]
    pub evening: bool,
    /// Which instant of 12 January 2025 is now: HH:MM in WIB, or RFC 3339 with its zone. Everything is moved
    /// there and goes on from it
    #[arg(long, default_value = "19:50", value_name = "TIME")]
    pub now: String,
    /// The data keeps its dates of January 2025, and the service what it would have kept on that evening; the
    /// clock of signatures is the real one. For clients that do not know how long the real cloud keeps things
    #[arg(long)]
    pub keep_dates: bool,
    /// What goes wrong: API=FAULT or API=FAULT:ARGUMENT, *TIMES behind it, several with commas:
    /// ces.batch=429:7*3,lts.query=slow:2000
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
    /// Instead of the cloud, show the evening on this PostgreSQL: databases mrg, orch, upg and ho with growing
    /// tables, and sessions that fill it, wait and block. They are dropped at the end. Names that are taken by
    /// somebody else are never touched. A password is better given in PGPASSWORD than here
    #[arg(long, value_name = "URL", conflicts_with = "faults")]
    pub postgres: Option<String>,
    /// Leave what was created on that PostgreSQL in place
    #[arg(long, requires = "postgres")]
    pub keep: bool,
    /// Beyond loopback too. Listening, whoever reaches it may ask and set faults; with --postgres, the server may
    /// stand elsewhere
    #[arg(long)]
    pub anywhere: bool,
}

fn lapse(text: &str) -> Result<Lapse, String> {
    crate::config::value::lapse(text)
}

fn pace(text: &str) -> Result<f64, String> {
    let pace: f64 =
        text.trim_end_matches(['x', '×']).parse().map_err(|_| "a number is expected, such as 60".to_owned())?;
    if pace.is_finite() && (0.0..=3600.0).contains(&pace) {
        Ok(pace)
    } else {
        Err("it goes from 0 (paused) to 3600".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_pace_may_carry_its_sign() {
        assert_eq!(pace("60x"), Ok(60.0));
        assert!(pace("fast").is_err() && pace("-1").is_err() && pace("NaN").is_err());
    }
}
