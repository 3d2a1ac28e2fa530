//! The note's four log tasks on the simulator's logs by three ways: the services' own files, the log service of the
//! cloud, and a real MCP server. Every number is the same by each of them, and the same as the services wrote.
//!
//! The words, the order's lines and the traces are asked for by keys; what engines count is compared as well.

use crate::huawei_ces::clock_of;
use crate::log_servers::lts_cloud;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use warroom::app::key::Key;
use warroom::app::keymap::Keymap;
use warroom::app::rows::Panel;
use warroom::app::state::{Mode, Start};
use warroom::app::{App, Message, settle, update};
use warroom::config::Config;
use warroom::config::load::parse;
use warroom::model::log::{Level, LogLine};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp, Untrusted, Zone};
use warroom::runtime::demo::{Made, SEED};
use warroom::simulator::cloud::{LOG_GROUP, LOG_STREAMS, evening};
use warroom::simulator::platform::ms;
use warroom::simulator::{self, lines, scenario, text};
use warroom::source::{self, Recorded, engine, huawei};

/// Of the evening: before the first error until the orders of the worst minutes are stuck.
const FROM: Stamp = Stamp::from_secs(1_736_686_800 - 45 * 60);
const MINUTES: i64 = 70;
const WINDOW: Span = Span { from: FROM, to: Stamp(FROM.0 + MINUTES * 60_000_000) };
const WORDS: [&str; 4] = ["timeout", "connection", "circuit", "payment"];
/// Nothing takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_mins(1);

static MADE: LazyLock<Made> = LazyLock::new(|| Made::later(scenario::named("pool").unwrap(), SEED));

fn said() -> Vec<LogLine> {
    lines::between(&MADE.day(), ms(WINDOW.from), ms(WINDOW.to))
}

/// What the four tasks come to.
#[derive(Debug, PartialEq)]
struct Numbers {
    /// 1: lines with each word, and with any of them.
    words: Vec<(String, usize)>,
    /// 2: errors by service and minute.
    errors: BTreeMap<(String, Stamp), usize>,
    /// 3: of each order its lines, the first, the last and the worst.
    orders: BTreeMap<String, (usize, Stamp, Stamp, Level)>,
    /// 3: of each pattern the lines, the stuck orders that carry it, and those by stretch over those heard of.
    patterns: BTreeMap<String, Carried>,
    /// 4: traces by their own frames, with lines and orders.
    traces: Vec<(String, u64, usize, usize)>,
}

/// Lines, stuck orders and those by stretch; stuck orders heard of and those by stretch.
type Carried = (u64, usize, Vec<u32>, usize, Vec<u32>);

/// Sits down in front of what one way brought, and does the four tasks by keys.
fn tasks(batches: &[Batch]) -> Numbers {
    let start = Start {
        mode: Mode::Live,
        now: WINDOW.to,
        size: (200, 50),
        who: "lukman".to_owned(),
        may_write: false,
        keymap: Keymap::default(),
        pace: 1.0,
        mouse: false,
    };
    let mut app = App::new(start);
    // The orders are the same whatever the lines come by.
    for batch in ORDERS.iter().chain(batches) {
        app.store.apply(batch);
    }
    app.window = Some(WINDOW);
    let mut now = WINDOW.to;
    let press = |app: &mut App, now: &mut Stamp, keys: &str| {
        for key in keys.split_whitespace() {
            *now = *now + Lapse::millis(10);
            update(app, *now, Message::Key(Key::parse(key).unwrap()));
            settle(app);
        }
    };
    press(&mut app, &mut now, "3");
    let patterns = app.derived.patterns.iter().map(|p| {
        let by = (p.lines, p.orders, p.carried.clone(), p.heard.all, p.heard.by_stretch.clone());
        (p.template.raw().to_owned(), by)
    });
    let patterns = patterns.collect();
    let mut words = Vec::new();
    for _ in 0..=WORDS.len() {
        press(&mut app, &mut now, "K");
        words.push((app.filter.clone(), app.derived.lines.len()));
    }
    press(&mut app, &mut now, "esc tab tab");
    assert_eq!(app.panel(), Panel::Stacks);
    let traces: Vec<_> =
        app.derived.traces.iter().map(|t| (t.name.raw().to_owned(), t.lines, t.orders, t.stuck)).collect();
    // The first of them opened has as many lines, and one of these its order's trail.
    press(&mut app, &mut now, "enter");
    assert_eq!(Some(app.derived.lines.len() as u64), traces.first().map(|t| t.1));
    let order = app.line(app.focus()).and_then(|k| k.line.order.clone());
    press(&mut app, &mut now, "enter");
    assert_eq!(app.place(), &warroom::app::state::Place::Trail(order.unwrap()));
    let (mut errors, mut orders) = (BTreeMap::new(), BTreeMap::new());
    for kept in app.store.logs.within(WINDOW) {
        let line = &kept.line;
        if line.level >= Level::Error {
            let minute = Stamp(line.at.0.div_euclid(60_000_000) * 60_000_000);
            *errors.entry((line.service.to_string(), minute)).or_default() += 1;
        }
        if let Some(order) = &line.order {
            let of = orders.entry(order.to_string()).or_insert((0, line.at, line.at, line.level));
            *of = (of.0 + 1, of.1.min(line.at), of.2.max(line.at), of.3.max(line.level));
        }
    }
    Numbers { words, errors, orders, patterns, traces }
}

static ORDERS: LazyLock<Vec<Batch>> = LazyLock::new(|| {
    let all = simulator::demo(SEED).take_while(|b| b.seen <= WINDOW.to);
    let ledgers = all.map(|b| {
        let facts = b.facts.iter().filter(|f| matches!(f, Fact::Ledger(_))).cloned().collect();
        Batch { facts, ..b }
    });
    ledgers.filter(|b| !b.facts.is_empty()).collect()
});

fn config(text: &str) -> Config {
    let zone = Zone::wib();
    let head =
        format!("[incident.window]\nfrom = \"{}\"\nto = \"{}\"\n", zone.rfc3339(WINDOW.from), zone.rfc3339(WINDOW.to));
    parse(Path::new("/etc/warroom/config.toml"), &format!("{head}{text}")).0.unwrap()
}

/// What came by one way: its batches, of them the lines of the window alone.
#[derive(Default)]
struct Came {
    batches: Vec<Batch>,
    lines: usize,
    /// Series, minute, count.
    counts: BTreeMap<(String, Stamp), u64>,
}

impl Came {
    fn take(&mut self, mut batch: Batch) {
        for fact in &mut batch.facts {
            match fact {
                Fact::Lines(lines) => {
                    lines.retain(|l| WINDOW.contains(l.at));
                    self.lines += lines.len();
                }
                Fact::Samples(s) if WINDOW.contains(s.at) => {
                    self.counts.extend(s.values.iter().map(|(name, n)| ((name.to_string(), s.at), *n as u64)));
                }
                Fact::Loss(loss) => assert_eq!(loss.says.raw(), "", "nothing is lost"),
                _ => {}
            }
        }
        self.batches.push(batch);
    }

    /// Until all of it is here, and for a while longer: what came twice would show.
    async fn all(inbox: &mut mpsc::Receiver<Batch>, counted: usize) -> Self {
        let (mut came, lines) = (Self::default(), said().len());
        let whole = async {
            while came.lines < lines || came.counts.len() < counted * MINUTES as usize {
                came.take(inbox.recv().await.unwrap());
            }
        };
        let whole = tokio::time::timeout(PATIENCE, whole).await.is_ok();
        assert!(whole, "{} of {lines} lines and {} counts came", came.lines, came.counts.len());
        // A source that goes on asking goes on telling what that costs.
        let _ = tokio::time::timeout(Duration::from_secs(3), async {
            while let Some(batch) = inbox.recv().await {
                came.take(batch);
            }
        })
        .await;
        came
    }

    /// What an engine counts of a word in the window, and what the fetched lines have.
    fn counted(&self, word: &str) -> u64 {
        self.counts.iter().filter(|((name, _), _)| name.ends_with(&format!(".{word}"))).map(|(_, n)| n).sum()
    }
}

/// By the sources that a configuration starts.
async fn followed(config: &Config, counted: usize) -> Came {
    let (to, mut inbox) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let sources = source::start(config, &to, &cancel);
    let came = Came::all(&mut inbox, counted).await;
    cancel.cancel();
    inbox.close();
    sources.ended().await;
    came
}

async fn by_files() -> Came {
    let folder = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for line in text::files(&MADE.day(), ms(WINDOW.from), ms(WINDOW.to)) {
        let _ = writeln!(files.entry(line.file).or_default(), "{}", line.text);
    }
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let logs = format!("[[logs]]\nname = \"files\"\npaths = [\"{}/*.log\"]\nzone = \"WIB\"\n", folder.path().display());
    followed(&config(&logs), 0).await
}

async fn by_cloud() -> Came {
    let (cloud, watch) = lts_cloud(evening(&MADE.day(), Lapse::ZERO)).await;
    watch.set(WINDOW.to + Lapse::minutes(2));
    let account = cloud.account();
    let mut text = format!(
        "[huawei]\nregion = \"{}\"\nproject_id = \"{}\"\naccess_key = \"{}\"\nsecret_key = \"{}\"\n[huawei.endpoints]\nlts = \"{}\"\n",
        account.region(),
        account.project(),
        account.ak,
        account.sk,
        cloud.endpoint()
    );
    for (name, _, id) in LOG_STREAMS {
        let _ = write!(
            text,
            "[[log_server]]\nname = \"{name}\"\nkind = \"lts\"\ngroup = \"{LOG_GROUP}\"\nstream = \"{id}\"\nper_minute = 6000\npage = 5000\n\
             most_lines = 1000000\ninterval = \"5s\"\ncounts = {{ timeout = \"timeout\", connection = \"connection\", circuit = \"circuit\", payment = \"payment\", errors = \"ERROR\" }}\n"
        );
    }
    let mut config = config(&text);
    config.huawei.as_mut().unwrap().requests_per_second = 10_000.0;
    let client = huawei::Client::new(config.huawei.as_ref().unwrap());
    let (to, mut inbox) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let handles =
        engine::start(&config, Some(&client), &Recorded::default(), &Arc::default(), &clock_of(&watch), &to, &cancel);
    // Three streams, each with six counts.
    let came = Came::all(&mut inbox, 3 * 6).await;
    cancel.cancel();
    inbox.close();
    for handle in handles {
        handle.ended().await;
    }
    came
}

/// The official SDK, when it has been prepared.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn python() -> Option<PathBuf> {
    let folder = std::env::var("WARROOM_MCP_SERVERS").ok().filter(|f| !f.is_empty());
    let all = folder.into_iter().flat_map(|f| ["python2", "python1"].map(|p| Path::new(&f).join(p).join("bin/python")));
    let found = all.into_iter().find(|p| p.exists());
    if found.is_none() {
        println!(
            "skipped: WARROOM_MCP_SERVERS has no Python with the official SDK; tests/run prepares it where it can"
        );
    }
    found
}

async fn by_mcp(python: &Path) -> Came {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.jsonl");
    let mut all = String::new();
    for (id, line) in said().iter().enumerate() {
        let stack: Vec<&str> = line.stack.iter().map(Untrusted::raw).collect();
        let row = json!({
            "id": id,
            "ts": Zone::wib().format(line.at, "%Y-%m-%dT%H:%M:%S%.6f%:z"),
            "service": line.service,
            "level": format!("{:?}", line.level).to_uppercase(),
            "msg": line.message.raw(),
            "order_id": line.order,
            "stack": (!stack.is_empty()).then(|| stack.join("\n")),
        });
        let _ = writeln!(all, "{row}");
    }
    std::fs::write(&file, all).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/mcp_evening.py");
    let text = format!(
        "[[mcp]]\nname = \"mcp\"\ncommand = {}\nmin_interval_ms = 0\ntimeout_s = 60\ninterval = \"1s\"\n\
         [mcp.search]\ntool = \"search_logs\"\nargs = {{ query = \"query\", from = \"start\", to = \"end\", limit = \"limit\", cursor = \"cursor\" }}\n\
         time_format = \"strftime:%Y-%m-%dT%H:%M:%S+00:00\"\nlimit_max = 500\nwindow_max = \"10m\"\n\
         [mcp.histogram]\ntool = \"log_histogram\"\nargs = {{ query = \"query\", from = \"start\", to = \"end\" }}\n\
         counts = {{ timeout = \"timeout\", connection = \"connection\", circuit = \"circuit\", payment = \"payment\" }}\n",
        json!([python, script, file])
    );
    followed(&config(&text), 5).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_four_tasks_of_the_note_have_the_same_numbers_by_files_by_the_cloud_and_by_mcp() {
    let said = said();
    let truth = vec![Batch { source: "truth".into(), seq: 1, seen: WINDOW.to, facts: vec![Fact::Lines(said.clone())] }];
    let truth = tasks(&truth);
    // The numbers are some: an empty world would agree with everything.
    let (none, some): (Vec<_>, Vec<_>) = truth.words.iter().partition(|(_, n)| *n == 0);
    assert!(some.len() == 4 && some.iter().all(|(_, n)| *n > 20), "{:?}", truth.words);
    assert_eq!(none[0].0, "circuit", "no breaker opens in this evening");
    assert!(truth.errors.len() > 20 && truth.orders.len() > 100, "{} {}", truth.errors.len(), truth.orders.len());
    assert!(truth.patterns.values().any(|(_, orders, ..)| *orders > 10));
    assert!(!truth.traces.is_empty() && truth.traces[0].3 > 0, "{:?}", truth.traces);
    let mut ways = vec![("files", by_files().await), ("cloud", by_cloud().await)];
    if let Some(python) = python() {
        ways.push(("mcp", by_mcp(&python).await));
    }
    for (way, came) in &ways {
        assert_eq!(came.lines, said.len(), "{way}: every line once");
        let numbers = tasks(&came.batches);
        assert_eq!(numbers.words, truth.words, "{way}");
        assert_eq!(numbers.errors, truth.errors, "{way}");
        assert_eq!(numbers.orders, truth.orders, "{way}");
        assert_eq!(numbers.patterns, truth.patterns, "{way}");
        assert_eq!(numbers.traces, truth.traces, "{way}");
        if *way == "files" {
            continue;
        }
        // What the engine counts itself is what its lines have.
        assert_eq!(came.counted("all"), said.len() as u64, "{way}");
        for word in WORDS {
            let lines = said.iter().filter(|l| l.message.raw().to_lowercase().contains(word)).count();
            assert_eq!(came.counted(word), lines as u64, "{way}: {word}");
        }
    }
}
