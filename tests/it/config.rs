//! The configuration as people meet it: the example that is copied, the typo at night, the file that
//! others can read.

use std::collections::BTreeSet;
use std::path::Path;
use warroom::config::load::{exposed, load, parse};
use warroom::config::{Config, Problem, incident};
use warroom::model::incident::Rules;
use warroom::model::{Lapse, Zone};

const EXAMPLE: &str = include_str!("../../config.example.toml");

const PROM: &str = "[[prometheus]]\nname = 'p'\nurl = 'http://prom:9090'\n";
const QUERY: &str = "[[prometheus.query]]\nname = 'errors'\npromql = 'up'\n";
const SCRAPE: &str = "[[scrape]]\nname = 's'\ntargets = ['a:8080']\n";

fn problems(text: &str) -> Vec<Problem> {
    parse(Path::new("/etc/warroom/config.toml"), text).0.unwrap_err()
}

/// The only problem of a text, as it is printed.
fn says(text: &str) -> String {
    let problems = problems(text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

fn config(text: &str) -> Config {
    parse(Path::new("/etc/warroom/config.toml"), text).0.unwrap()
}

/// A comment that is a key: `# interval = "15s"`.
fn commented_key(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("# ")?;
    let (key, _) = rest.split_once(" = ")?;
    key.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some(rest)
}

/// The example with every key in force.
fn everything() -> String {
    EXAMPLE.lines().map(|l| commented_key(l).unwrap_or(l)).collect::<Vec<_>>().join("\n")
}

/// The example with only those commented keys in force that are said to be defaults.
fn defaults_written_out() -> String {
    let mut example = false;
    let mut out = Vec::new();
    for line in EXAMPLE.lines() {
        let key = commented_key(line);
        if key.is_none() {
            example = line.starts_with('#') && (line.contains("An example:") || line.contains("Examples:"));
        }
        out.push(if example { line } else { key.unwrap_or(line) });
    }
    out.join("\n")
}

#[test]
fn the_example_is_accepted_as_it_stands_and_with_every_key_in_force() {
    config(EXAMPLE);
    config(&everything());
}

/// Every key of a table and of the tables in it: `scrape.metric.name`.
fn keys_in(path: &str, table: &toml::Table, out: &mut BTreeSet<String>) {
    for (key, value) in table {
        let key = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            toml::Value::Table(inner) => keys_in(&key, inner, out),
            toml::Value::Array(items) => {
                items.iter().filter_map(toml::Value::as_table).for_each(|inner| keys_in(&key, inner, out));
            }
            _ => {}
        }
        out.insert(key);
    }
}

#[test]
fn every_key_there_is_stands_in_the_example() {
    let (_, asked) = parse(Path::new("config.toml"), &everything());
    let table: toml::Table = everything().parse().unwrap();
    let mut there = BTreeSet::new();
    keys_in("", &table, &mut there);
    let missing: Vec<_> = asked.difference(&there).collect();
    assert!(missing.is_empty(), "keys that the example does not show: {missing:?}");
}

#[test]
fn what_the_example_calls_defaults_are_the_defaults() {
    // Everything the example comments out as a default changes nothing when it is written out.
    let (short, long) = (format!("{:#?}", config(EXAMPLE)), format!("{:#?}", config(&defaults_written_out())));
    let differ = short.lines().zip(long.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(short.lines().count(), long.lines().count());
    assert_ne!(EXAMPLE, defaults_written_out());
}

#[test]
fn an_empty_file_has_the_documented_defaults() {
    let c = config("");
    assert_eq!((c.incident.zone.clone(), c.incident.rules.clone()), (Zone::wib(), Rules::default()));
    assert_eq!(c.recording.keep_free, 256 << 20);
    let c = config("[[db]]\nname = 'mrg'\nurl = 'env:X'");
    assert_eq!((c.databases[0].interval, c.databases[0].watch), (Lapse::seconds(15), true));
}

#[test]
fn a_typo_names_file_line_key_and_what_was_meant() {
    let text = "[[db]]\nname = 'mrg'\nurl = 'env:X'\nintervall = '5s'\n";
    assert_eq!(says(text), "/etc/warroom/config.toml:4: db.intervall: is not a key of warroom: did you mean interval?");
    assert!(says("[recoding]\n").contains("did you mean recording?"));
    assert!(says("[[database]]\n").contains("it is called db here"));
    assert!(says("[screen]\nzzzz = 1\n").contains("known here: colors, glyphs, mouse, slow, who"));
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = "[incident]\nzone = 'Mars'\n[rules]\nstuck_after = 15\n[[db]]\nname = 'mrg'\n[screen]\nmouse = 'yes'\n";
    let told: Vec<String> = problems(text).iter().map(|p| format!("{} {}", p.line.unwrap(), p.key)).collect();
    assert_eq!(told, ["2 incident.zone", "4 rules.stuck_after", "5 db.url", "8 screen.mouse"]);
}

#[test]
fn a_line_that_is_no_toml_is_told_with_its_line() {
    let problems = problems("[incident]\ntitle = \"open\nzone = 'WIB'\n");
    assert_eq!((problems[0].line, problems[0].key.as_str()), (Some(2), "TOML"));
}

#[test]
fn wrong_values_say_what_is_right() {
    let db = "[[db]]\nname = 'mrg'\nurl = 'env:X'\n";
    let cases = [
        ("[rules]\nstuck_after = '15 weeks'".to_owned(), "\"15s\""),
        ("[incident]\nwindow = { from = '2025-01-12T18:45:00', to = '2025-01-12T20:45:00+07:00' }".to_owned(), "zone"),
        (
            "[incident]\nwindow = { from = '2025-01-12T21:45:00+07:00', to = '2025-01-12T20:45:00+07:00' }".to_owned(),
            "before it begins",
        ),
        (format!("{db}interval = '10ms'"), "too short"),
        (format!("{db}[[query]]\nrole = 'orders'\ndb = 'mgr'\nsql = 'SELECT :from :to'"), "there are: mrg"),
        (format!("{db}[[query]]\nrole = 'order'\ndb = 'mrg'\nsql = 'SELECT :from :to'"), "did you mean orders?"),
        (format!("{db}[[query]]\nrole = 'orders'\ndb = 'mrg'\nmode = 'ids'\nsql = 'SELECT 1'"), "has no :ids"),
        (format!("{db}{db}"), "two sources are named \"mrg\""),
        ("[[db]]\nname = 'people'\nurl = 'env:X'".to_owned(), "warroom uses that name itself"),
        ("[[logs]]\npaths = ['/var/*/x.log']".to_owned(), "* in a folder"),
        ("[[logs]]\npaths = ['/x']\norder_pattern = '('".to_owned(), "no regular expression"),
        ("[[logs]]\npaths = ['/x']\ntime_format = '%Q'".to_owned(), "no time pattern"),
        ("[db]\nname = 'mrg'".to_owned(), "[[db]]"),
        ("[[prometheus]]\nname = 'p'\nurl = 'http://p'".to_owned(), "asked nothing without a [[prometheus.query]]"),
        (format!("{PROM}aom = true\n{QUERY}"), "two servers"),
        (format!("{PROM}bearer = 'env:T'\nuser = 'w'\npassword = 'env:P'\n{QUERY}"), "keep one"),
        (format!("{PROM}{QUERY}{QUERY}"), "two are named \"errors\""),
        (format!("{PROM}{QUERY}lane = 'far too long a name'"), "15 letters"),
        (format!("{PROM}{QUERY}[[logs]]\nname = 'p'\npaths = ['/x']"), "two sources are named \"p\""),
        ("[[prometheus]]\nname = 'p'\naom = true\nuser = 'w'\npassword = 'x'\n".to_owned() + QUERY, "keys of [huawei]"),
        ("[[scrape]]\nname = 's'".to_owned(), "name the pods"),
        (format!("{SCRAPE}presets = ['pgx']"), "there are: go, process, sql, pgxpool"),
        (format!("{SCRAPE}vars = ['http://']"), "no host"),
        (format!("{SCRAPE}[[scrape.metric]]\nname = 'a b'\nmetric = 'x'"), "no name of a measure"),
        (format!("{SCRAPE}[[scrape.metric]]\nname = 'a'\nmetric = 'x'\nquantile = 0.5"), "needs histogram"),
        ("[[scrape]]\nname = 's'\ntargets = ['a:1', 'http://a:1/metrics']".to_owned(), "counted twice"),
        ("[[probe]]\nid = 'H1d'\nseries = 'x.y'\nanswer = 'supports'".to_owned(), "needs its reason"),
    ];
    for (text, hint) in cases {
        let told = problems(&text).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(told.contains(hint), "{text}\nsays: {told}");
    }
}

#[test]
fn no_problem_ever_quotes_a_url() {
    let told =
        problems("[[db]]\nname = 'mrg'\nurl = 'postgres://w:hunter2@h/d'\nintervall = '5s'\n[[db]]\nurl = 'hunter2'");
    assert!(told.iter().all(|p| !p.to_string().contains("hunter2")), "{told:?}");
}

#[test]
fn what_a_scraped_service_measures_comes_from_its_presets_and_its_own_metrics() {
    let own = "[[scrape.metric]]\nname = 'goroutines'\nmetric = 'my_goroutines'\nlane = ''\n";
    let c = config(&format!("{SCRAPE}presets = ['go', 'pgxpool', 'sql']\n{own}"));
    let measures = &c.scrapes[0].measures;
    let pool = measures.iter().filter(|m| m.name == "pool_in_use").count();
    assert_eq!(pool, 1, "two presets with one measure are one measure with more recipes");
    let own = measures.iter().find(|m| m.name == "goroutines").unwrap();
    assert_eq!((own.recipes.len(), own.lane.is_none()), (1, true), "an own metric takes a preset's place");
    let lanes: Vec<String> = incident::lanes(&c).iter().map(|l| l.series.to_string()).collect();
    assert_eq!(lanes, ["s.gc_pause", "s.pool_in_use", "s.pool_wait", "s.pool_timeouts"]);
    let card = &incident::incident(&c).sources[0];
    assert_eq!((card.name.as_str(), card.what.raw(), card.every), ("s", "s, 1 pod", Some(Lapse::seconds(15))));
}

#[test]
fn a_query_has_a_row_with_the_lag_of_its_server() {
    let c = config(&format!("{PROM}lag = '2m'\n{QUERY}unit = 'percent'\nbroken_at = 2\n"));
    let lane = incident::lanes(&c).remove(0);
    assert_eq!((&*lane.series, lane.name.as_str(), lane.lag), ("p.errors", "errors", Lapse::minutes(2)));
    assert_eq!((lane.unit, lane.broken_at), (warroom::model::series::Unit::Percent, Some(2.0)));
}

#[test]
fn a_password_in_a_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, "[[db]]\nname = 'mrg'\nurl = 'postgres://w:hunter2@h/d'").unwrap();
    let mode = |m| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(m)).unwrap();
    mode(0o644);
    let warning = exposed(&file, &load(&file).unwrap()).expect("others can read it");
    assert!(warning.contains("chmod 600") && warning.contains("mrg") && !warning.contains("hunter2"), "{warning}");
    mode(0o600);
    assert_eq!(exposed(&file, &load(&file).unwrap()), None);
    std::fs::write(&file, format!("{SCRAPE}bearer = 'hunter2'")).unwrap();
    mode(0o640);
    assert_eq!(exposed(&file, &load(&file).unwrap()).map(|w| w.contains("hunter2")), Some(false));
    std::fs::write(&file, format!("{SCRAPE}bearer = 'env:TOKEN'")).unwrap();
    assert_eq!(exposed(&file, &load(&file).unwrap()), None);
}

#[test]
fn a_file_that_is_not_there_is_a_sentence() {
    let told = load(Path::new("/nowhere/config.toml")).unwrap_err();
    assert!(told[0].to_string().contains("/nowhere/config.toml") && told[0].says.contains("check the path"));
}

#[test]
fn lanes_of_log_servers_are_told_apart_by_what_is_their_own_in_their_names() {
    let server = |name: &str| {
        format!(
            "[[log_server]]\nname = '{name}'\nkind = 'loki'\nurl = 'http://l'\nquery = '{{a=\"b\"}}'\ncounts = {{ circuit_open = '|= \"open\"' }}\n"
        )
    };
    let names = |c: &Config| incident::lanes(c).into_iter().map(|l| l.name).collect::<Vec<_>>();
    let two = config(&format!("{}{}", server("lts-mrg"), server("lts-orch")));
    assert_eq!(names(&two), ["mrg ERROR", "orch ERROR", "mrg circuit ope", "orch circuit op"]);
    assert_eq!(names(&config(&server("loki"))), ["ERROR lines", "circuit open"]);
}

#[test]
fn without_lanes_the_configured_sources_have_theirs() {
    let made = incident::incident(&config(EXAMPLE));
    assert_eq!(made.lanes.len(), 1, "a configured lane stands alone");
    let text = EXAMPLE.replace("[[lane]]", "[[limit]]").replace("# ", "## ");
    assert!(parse(Path::new("x"), &text).0.is_err(), "a lane is no limit");
    let text = "[[db]]\nname='mrg'\nurl='env:X'\n[[db]]\nname='ho'\nurl='env:X'\nwatch=false\n[[logs]]\npaths=['/x']\n\
                [[query]]\nrole='orders'\ndb='mrg'\nsql=':from :to'\n[[query]]\nrole='payments'\ndb='ho'\nmode='ids'\nsql=':ids'\n";
    let series: Vec<String> = incident::lanes(&config(text)).iter().map(|l| l.series.to_string()).collect();
    assert_eq!(
        series,
        [
            "mrg.connections",
            "mrg.lock_waits",
            "mrg.commits",
            "mrg.rollbacks",
            "orders.paid",
            "orders.born",
            "orders.stuck_by_birth",
            "logs.ERROR"
        ]
    );
}
