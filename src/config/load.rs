//! Reads and checks a configuration file. All problems are found at once, each with its line.

use crate::config::huawei;
use crate::config::log_server::{Kind, log_server};
use crate::config::mcp::mcp;
use crate::config::prometheus::{Server, prometheus};
use crate::config::query::query;
use crate::config::scrape::scrape;
use crate::config::section::{Page, Section};
use crate::config::words::{BAD, ROLLUPS, UNITS};
use crate::config::{
    Config, DatabaseConfig, IncidentConfig, LogConfig, LogFormat, Problem, RecordingConfig, ScreenConfig, Secret,
};
use crate::model::incident::{Limit, Probe, RuleFile, Rules, Service};
use crate::model::series::{Bad, Lane, Rollup, Unit};
use crate::model::{Lapse, Zone};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use toml::de::DeTable;

/// Reads a file. All problems found are given, not only the first.
pub fn load(file: &Path) -> Result<Config, Vec<Problem>> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let says = format!("the configuration cannot be read ({e}): check the path and who may read it");
        vec![Problem { file: file.to_owned(), line: None, key: "configuration".to_owned(), says }]
    })?;
    let mut config = parse(file, &text).0?;
    let (files, problems) = rule_files(&config);
    if !problems.is_empty() {
        return Err(problems);
    }
    config.incident.rule_files = files;
    if let Some(says) = exposed(file, &config) {
        tracing::warn!("{says}");
    }
    Ok(config)
}

/// Reads a text as if it stood in `file`; with it come all keys that exist.
pub fn parse(file: &Path, text: &str) -> (Result<Config, Vec<Problem>>, BTreeSet<String>) {
    let page = Page::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for e in &errors {
        page.problem(e.span().map(|s| s.start), "TOML", e.message());
    }
    // A broken line may have swallowed keys; what is said about those would mislead.
    let config = errors.is_empty().then(|| read(&page, table.get_ref()));
    let asked = page.asked();
    let problems = page.into_problems();
    match config {
        Some(config) if problems.is_empty() => (Ok(config), asked),
        _ => (Err(problems), asked),
    }
}

/// A warning when a password in the file can be read by others.
pub fn exposed(file: &Path, config: &Config) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let url = |d: &&DatabaseConfig| d.url.is_plain() && d.url.fetch().is_ok_and(|u| has_password(&u));
    let databases = config.databases.iter().filter(url).map(|d| &d.name);
    let servers = config.prometheus.iter().filter(|p| p.auth.is_plain()).map(|p| &p.name);
    let services = config.scrapes.iter().filter(|s| s.auth.is_plain()).map(|s| &s.name);
    let clouds = config.huawei.iter().filter(|h| h.credentials.is_plain()).map(|h| &h.name);
    let tools = config.mcp.iter().filter(|m| m.is_plain()).map(|m| &m.name);
    let engines = config.log_servers.iter().filter(|l| l.auth.is_plain()).map(|l| &l.name);
    let name = databases.chain(servers).chain(services).chain(clouds).chain(tools).chain(engines).next()?;
    (mode & 0o044 != 0).then(|| {
        format!(
            "{}: the password of {} stands in a file that others can read (mode {mode:03o}): run chmod 600, or write ${{env:NAME}} in its place",
            file.display(),
            name
        )
    })
}

fn has_password(url: &secrecy::SecretString) -> bool {
    let url = secrecy::ExposeSecret::expose_secret(url);
    url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(who, _)| who.contains(':'))
}

fn read<'a>(page: &'a Page<'a>, table: &'a DeTable<'a>) -> Config {
    let root = Section::root(page, table);
    let incident = incident(&root);
    let databases: Vec<DatabaseConfig> = root.sections("db").iter().filter_map(database).collect();
    let logs: Vec<LogConfig> = root.sections("logs").iter().filter_map(|s| log(s, &incident.zone)).collect();
    let queries = root.sections("query").iter().filter_map(|s| query(s, &databases)).collect();
    let prometheus = root.sections("prometheus").iter().filter_map(prometheus).collect();
    let scrapes = root.sections("scrape").iter().filter_map(scrape).collect();
    let tools = root.sections("mcp").iter().filter_map(mcp).collect();
    let servers = root.sections("log_server");
    let log_servers = servers.iter().filter_map(|s| log_server(s, &incident.zone)).collect();
    let config = Config {
        file: page.file().to_owned(),
        incident,
        databases,
        logs,
        queries,
        huawei: huawei::huawei(&root),
        prometheus,
        scrapes,
        mcp: tools,
        log_servers,
        screen: screen(root.section("screen").as_ref()),
        recording: recording(root.section("recording").as_ref()),
        keys: keys(&root),
    };
    root.finish();
    names(&root, &config);
    if config.huawei.is_none() && config.prometheus.iter().any(|p| p.server == Server::Aom) {
        root.problem("prometheus", "asks AOM without [huawei]: its region and keys are missing");
    }
    if config.huawei.is_none() && config.log_servers.iter().any(|l| matches!(l.kind, Kind::Lts { .. })) {
        root.problem("log_server", "asks LTS without [huawei]: its region and keys are missing");
    }
    config
}

/// Names are what dots, series and recordings call a source: no two alike, and none of the program's own.
fn names(root: &Section<'_>, config: &Config) {
    const OURS: [&str; 6] = ["people", "note", "orders", "warroom", "recording", "self"];
    let mut seen = BTreeSet::new();
    let databases = config.databases.iter().map(|d| ("db", &d.name));
    let logs = config.logs.iter().map(|l| ("logs", &l.name));
    let all = databases.chain(logs).chain(config.huawei.iter().map(|h| ("huawei", &h.name)));
    let all = all.chain(config.prometheus.iter().map(|p| ("prometheus", &p.name)));
    let all = all.chain(config.scrapes.iter().map(|s| ("scrape", &s.name)));
    let all = all.chain(config.mcp.iter().map(|m| ("mcp", &m.name)));
    let all = all.chain(config.log_servers.iter().map(|l| ("log_server", &l.name)));
    for (section, name) in all {
        if OURS.contains(&name.as_str()) {
            root.problem(section, format!("no source can be named \"{name}\": warroom uses that name itself"));
        }
        if !seen.insert(name) {
            root.problem(section, format!("two sources are named \"{name}\": every source has a name of its own"));
        }
        if name.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')) {
            root.problem(section, format!("\"{name}\" is no name: letters, digits, - and _"));
        }
    }
}

fn incident(root: &Section<'_>) -> IncidentConfig {
    let section = root.section("incident");
    let s = section.as_ref();
    let of_rules = root.section("rules");
    let files = of_rules.as_ref().and_then(|s| s.texts("files")).unwrap_or_default();
    let out = IncidentConfig {
        title: s.and_then(|s| s.text("title")),
        note: s.and_then(|s| s.path("note")),
        zone: s.and_then(|s| s.zone("zone")).unwrap_or_else(Zone::wib),
        window: s.and_then(|s| s.span("window")),
        baseline: s.and_then(|s| s.span("baseline")),
        rules: Rules { services: services(root), ..rules(of_rules.as_ref()) },
        lanes: root.sections("lane").iter().filter_map(lane).collect(),
        limits: root.sections("limit").iter().filter_map(limit).collect(),
        probes: root.sections("probe").iter().filter_map(probe).collect(),
        rules_in: files.iter().map(|name| root.folder().join(name)).collect(),
        rule_files: Vec::new(),
    };
    if let Some(s) = s {
        s.finish();
    }
    out
}

/// The texts of the files that change the rules; what they say is the analysis' to judge.
fn rule_files(config: &Config) -> (Vec<RuleFile>, Vec<Problem>) {
    // Rules are written by people: a larger file is another one.
    const MOST: u64 = 1 << 20;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in &config.incident.rules_in {
        let shown = path.display();
        let text = match std::fs::metadata(path).map(|m| m.len()) {
            Ok(size) if size > MOST => Err(format!("{shown} has {size} bytes: a file of rules has at most {MOST}")),
            Ok(_) => std::fs::read_to_string(path).map_err(|e| format!("{shown} cannot be read ({e})")),
            Err(e) => Err(format!("{shown} cannot be read ({e}); warroom rules --write DIR writes the built-in ones")),
        };
        match text {
            Ok(text) => files.push(RuleFile { name: shown.to_string(), text }),
            Err(says) => {
                let (file, key) = (config.file.clone(), "rules.files".to_owned());
                problems.push(Problem { file, line: None, key, says });
            }
        }
    }
    (files, problems)
}

fn rules(section: Option<&Section<'_>>) -> Rules {
    let usual = Rules::default();
    let Some(s) = section else { return usual };
    let minute = Lapse::minutes(1);
    let out = Rules {
        stuck_after: s.lapse("stuck_after", usual.stuck_after, minute),
        settle_after: s.lapse("settle_after", usual.settle_after, minute),
        normal_users: s.positive("normal_users", usual.normal_users),
        peak_users: s.positive("peak_users", usual.peak_users),
        plan_users: s.positive("plan_users", usual.plan_users),
        spike_ratio: s.positive("spike_ratio", usual.spike_ratio),
        spike_for: s.lapse("spike_for", usual.spike_for, minute),
        services: usual.services,
    };
    s.finish();
    out
}

/// The call graph. A callee that is no service is a slip of the pen: nothing could hang under it.
fn services(root: &Section<'_>) -> Vec<Service> {
    let sections = root.sections("service");
    let all: Vec<Service> = sections
        .iter()
        .filter_map(|s| {
            let name = s.needed("name", "other services' calls name it");
            let calls = s.texts("calls").unwrap_or_default();
            let series = s.texts("series").unwrap_or_else(|| name.iter().map(|n| format!("{n}.")).collect());
            s.finish();
            name.map(|name| Service { name, calls, series })
        })
        .collect();
    for (service, s) in all.iter().zip(&sections) {
        for callee in service.calls.iter().filter(|c| !all.iter().any(|other| other.name == **c)) {
            s.problem("calls", format!("no [[service]] is named \"{callee}\": add it, or take it out of the list"));
        }
    }
    all
}

fn database(s: &Section<'_>) -> Option<DatabaseConfig> {
    let second = Lapse::seconds(1);
    let ms = Lapse::millis(10);
    let name = s.needed("name", "it stands beside the database's dot");
    let url = s.needed("url", "postgres://warroom:${env:PASSWORD}@host/database");
    let out = DatabaseConfig {
        name: name.clone().unwrap_or_default(),
        url: Secret::parse(url.as_deref().unwrap_or_default(), s.page().folder()),
        interval: s.lapse("interval", Lapse::seconds(15), second),
        statement_timeout: s.lapse("statement_timeout", Lapse::seconds(3), ms),
        lock_timeout: s.lapse("lock_timeout", Lapse::millis(200), ms),
        connect_timeout: s.lapse("connect_timeout", Lapse::seconds(5), second),
        watch: s.switch("watch", true),
    };
    s.finish();
    name.and(url).map(|_| out)
}

fn log(s: &Section<'_>, zone: &Zone) -> Option<LogConfig> {
    let usual = LogConfig::usual(s.text("name").unwrap_or_else(|| "logs".to_owned()), zone);
    let paths = s.texts("paths").unwrap_or_default();
    if paths.is_empty() {
        s.problem("paths", "is missing or empty: name files like [\"/var/log/mrg/*.log\"]");
    }
    for path in &paths {
        let folder = Path::new(path).parent().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        if folder.contains('*') {
            s.problem("paths", format!("\"{path}\" has a * in a folder: only the file's own name may have one"));
        }
    }
    let out = LogConfig {
        name: usual.name,
        paths: paths.iter().map(|p| s.page().folder().join(p)).collect(),
        service: s.text("service"),
        format: s
            .choice("format", &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("plain", LogFormat::Plain)])
            .unwrap_or(usual.format),
        time_fields: s.texts("time_fields").unwrap_or(usual.time_fields),
        level_fields: s.texts("level_fields").unwrap_or(usual.level_fields),
        message_fields: s.texts("message_fields").unwrap_or(usual.message_fields),
        service_fields: s.texts("service_fields").unwrap_or(usual.service_fields),
        order_fields: s.texts("order_fields").unwrap_or(usual.order_fields),
        trace_fields: s.texts("trace_fields").unwrap_or(usual.trace_fields),
        order_pattern: s.text("order_pattern"),
        time_format: s.text("time_format"),
        zone: s.zone("zone").unwrap_or(usual.zone),
        read_back: s.lapse("read_back", usual.read_back, Lapse::ZERO),
    };
    if let Some(Err(e)) = out.order_pattern.as_deref().map(regex::Regex::new) {
        let first = e.to_string();
        let why = first.lines().last().unwrap_or_default().trim_start_matches("error: ");
        s.problem("order_pattern", format!("is no regular expression: {why}"));
    }
    if let Some(format) = &out.time_format
        && chrono::format::StrftimeItems::new(format).any(|i| i == chrono::format::Item::Error)
    {
        s.problem("time_format", format!("\"{format}\" is no time pattern: write it like \"%Y-%m-%d %H:%M:%S%.3f\""));
    }
    s.finish();
    (!paths.is_empty()).then_some(out)
}

fn lane(s: &Section<'_>) -> Option<Lane> {
    let name = s.needed("name", "at most 15 letters");
    let series = s.needed("series", "source.measure, like mrg.connections");
    if let Some(name) = name.as_ref().filter(|n| n.chars().count() > 15) {
        s.problem("name", format!("\"{name}\" is longer than the 15 letters there is room for"));
    }
    let out = Lane {
        group: s.text("group").unwrap_or_else(|| "other".to_owned()),
        name: name.clone().unwrap_or_default(),
        series: series.clone().unwrap_or_default().into(),
        unit: s.choice("unit", &UNITS).unwrap_or(Unit::Count),
        rollup: s.choice("rollup", &ROLLUPS).unwrap_or(Rollup::Max),
        bad: s.choice("bad", &BAD).unwrap_or(Bad::High),
        floor: s.number("floor").unwrap_or(0.0),
        ceiling: s.number("ceiling"),
        lag: s.lapse("lag", Lapse::ZERO, Lapse::ZERO),
        trigger: s.switch("trigger", false),
        broken_at: s.number("broken_at"),
    };
    s.finish();
    name.and(series).map(|_| out)
}

fn limit(s: &Section<'_>) -> Option<Limit> {
    let name = s.needed("name", "how the limit is called, like pool_max × pods");
    if !s.has("value") {
        s.problem("value", "is missing: the limit itself, like 160, or what it is made of, like \"20 × 8\"");
    }
    let (value, of) = s.product("value").unwrap_or_default();
    let (series, unit) = (s.text("series").unwrap_or_default(), s.choice("unit", &UNITS));
    s.finish();
    name.map(|name| Limit { name, value, series, unit, of })
}

fn probe(s: &Section<'_>) -> Option<Probe> {
    let id = s.needed("id", "H and a number and a letter, like H1d; one of the built-in ids replaces that one");
    let series = s.needed("series", "the series it looks at, like mrg.lock_waits");
    let out = Probe {
        id: id.clone().unwrap_or_default(),
        hypothesis: s.whole("hypothesis", 0, 0..=99),
        matches: s.texts("matches").unwrap_or_default(),
        series: series.clone().unwrap_or_default(),
        supports_at: s.number("supports_at"),
        refutes_below: s.number("refutes_below"),
        for_: s.lapse("for", Lapse::minutes(3), Lapse::ZERO),
        weight: s.positive("weight", 1.0),
        answer: answer(s),
    };
    s.finish();
    id.and(series).map(|_| out)
}

fn answer(s: &Section<'_>) -> Option<(crate::model::note::Verdict, String)> {
    use crate::model::note::Verdict;
    let words =
        [("supports", Verdict::Supports), ("refutes", Verdict::Refutes), ("inconclusive", Verdict::Inconclusive)];
    let verdict = s.choice("answer", &words);
    let because = s.text("because");
    if verdict.is_some() && because.is_none() {
        s.problem("because", "is missing: an answer that was given by a person needs its reason");
    }
    verdict.zip(because)
}

fn screen(section: Option<&Section<'_>>) -> ScreenConfig {
    let auto = || "auto".to_owned();
    let word = |key: &str, words: &[&str]| {
        let words: Vec<(&str, String)> = words.iter().map(|w| (*w, (*w).to_owned())).collect();
        section.and_then(|s| s.choice(key, &words)).unwrap_or_else(auto)
    };
    let out = ScreenConfig {
        colors: word("colors", &["auto", "mono", "16", "256", "rgb"]),
        glyphs: word("glyphs", &["auto", "unicode", "ascii", "braille"]),
        mouse: section.is_some_and(|s| s.switch("mouse", false)),
        slow: section.is_some_and(|s| s.switch("slow", false)),
        who: section.and_then(|s| s.text("who")),
    };
    if let Some(s) = section {
        s.finish();
    }
    out
}

fn recording(section: Option<&Section<'_>>) -> RecordingConfig {
    let usual = 256 << 20;
    let out = RecordingConfig {
        folder: section.and_then(|s| s.path("folder")),
        keep_free: section.map_or(usual, |s| s.size("keep_free", usual)),
    };
    if let Some(s) = section {
        s.finish();
    }
    out
}

/// `[keys]`: whether the commands and keys exist is the key map's to say.
fn keys(root: &Section<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(section) = root.section("keys") else { return BTreeMap::new() };
    section.keys().into_iter().filter_map(|name| section.texts(&name).map(|keys| (name, keys))).collect()
}
