//! `warroom report`: the demo is recorded, and the report of the recording is read as its reader would.

use crate::pty::warroom;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use warroom::config::load::load;
use warroom::model::batch::PEOPLE;
use warroom::model::incident::RuleFile;
use warroom::model::log::{Level, LogLine};
use warroom::model::note::{Override, Verdict};
use warroom::model::{Batch, Fact, Lapse, Mark, MarkKind, Untrusted};
use warroom::note::parse::parse;
use warroom::recording::{Options, Recorder};
use warroom::simulator;

const HOSTILE: &str = "<script>alert('x')</script><img src=https://evil.example/a.png onerror=x()>";

fn report(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["report", folder.to_str().unwrap()])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = report(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path) -> Value {
    serde_json::from_str(&text(folder, &["--format", "json"])).unwrap()
}

/// The evening, recorded once, in which a title, a remark, an override and a log line are hostile, and the team has
/// concluded something.
fn evening() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::open(dir.path(), Options::default()).unwrap();
        let mut last = simulator::START;
        for mut batch in simulator::demo(77_000) {
            for fact in &mut batch.facts {
                if let Fact::Incident(incident) = fact {
                    incident.title = format!("order gantung {HOSTILE}").into();
                    let text = "[[rule]]\nid = \"H1c\"\nthresholds = { wait_long = 0.4 }\n".to_owned();
                    incident.rule_files = vec![RuleFile { name: "/home/ana/mine.toml".to_owned(), text }];
                }
            }
            last = batch.seen;
            let _ = recorder.append(&batch);
        }
        let who = Untrusted::from("ana <b>");
        let mark =
            |says: String| Fact::Mark(Mark { at: last, kind: MarkKind::Note, text: says.into(), who: who.clone() });
        let line = LogLine {
            at: last,
            level: Level::Error,
            service: "mrg-api".into(),
            message: format!("{HOSTILE} acquire timed out").into(),
            order: None,
            trace: None,
            stack: Vec::new(),
        };
        let over = Override {
            at: last,
            check: "H5b".to_owned(),
            verdict: Some(Verdict::Refutes),
            reason: HOSTILE.into(),
            who: who.clone(),
        };
        let facts = vec![
            mark(HOSTILE.to_owned()),
            mark("concluded: H1".to_owned()),
            Fact::Override(over),
            Fact::Lines(vec![line]),
        ];
        let _ = recorder.append(&Batch { source: PEOPLE.into(), seq: 1, seen: last, facts });
        drop(recorder);
        dir
    })
    .path()
}

#[test]
fn a_report_for_machines_has_the_verdict_its_evidence_the_impact_and_the_onsets() {
    let r = json(evening());
    assert_eq!(r["primary"], "H1");
    assert_eq!(r["demo"], true);
    let lead = &r["hypotheses"][0];
    assert_eq!((&lead["id"], &lead["verdict"]), (&"H1".into(), &"leads".into()));
    assert!(lead["score"].as_f64().unwrap() >= 4.0);
    for key in ["item", "verdict", "value", "rule", "source", "coverage"] {
        assert!(lead["items"][0].get(key).is_some_and(|v| !v.is_null()), "{key}: {}", lead["items"][0]);
    }
    let ids: Vec<&str> = r["hypotheses"].as_array().unwrap().iter().map(|h| h["id"].as_str().unwrap()).collect();
    for id in ["H1", "H2", "H3", "H4", "H5", "vendor", "orchestrator"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    // What is added up is what stands in the table.
    let i = &r["impact"];
    let number = |v: &Value| v.as_i64().unwrap();
    assert!(number(&i["stuck"]) > 500 && number(&i["stuck"]) == number(&i["stuck_paid"]) + number(&i["stuck_unpaid"]));
    let classes = i["classes"].as_array().unwrap();
    assert_eq!(classes.iter().map(|c| number(&c["orders"])).sum::<i64>(), number(&i["orders"]));
    assert!(number(&i["not_at_ho_amount"]) > 0 && i["users"]["peak"].as_f64().unwrap() > 70_000.0);
    // From the spike to the gap at HO, each stage with its lag.
    let lags = r["lags"].as_array().unwrap();
    let stages: Vec<&str> = lags.iter().map(|l| l["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["spike", "saturation", "errors", "stuck", "ho_gap"]);
    let after: Vec<i64> = lags.iter().map(|l| number(&l["after_s"])).collect();
    assert!(after[0] == 0 && after[1..].iter().all(|s| (60..3600).contains(s)) && after[1] <= after[4], "{after:?}");
    assert_eq!(r["onsets"]["users"], "2025-01-12T19:24:00+07:00");
    // What nobody measured is named with its remedy.
    let missing = r["missing_sources"].as_array().unwrap();
    assert!(missing.iter().any(|m| m["says"].as_str().unwrap().contains("role = \"saga\"")), "{missing:?}");
    assert!(r["blind"].as_array().unwrap().iter().any(|b| b["says"].as_str().unwrap().contains("53300")));
    assert_eq!(r["accepted"]["causes"][0], "H1");
    let said = r["answers"].as_array().unwrap();
    assert!(said.iter().any(|a| a["kind"] == "verdict" && a["about"] == "H5b"), "{said:?}");
    let h5 = r["hypotheses"].as_array().unwrap().iter().find(|h| h["id"] == "H5").unwrap();
    let b = h5["items"].as_array().unwrap().iter().find(|i| i["item"] == "H5b").unwrap();
    assert!(b["overridden"].as_str().unwrap().starts_with("measured: inconclusive; ana"), "{b}");
    let cost = r["cost"].as_array().unwrap();
    let of_mrg = cost.iter().find(|c| c["source"] == "mrg").unwrap();
    assert!(number(&of_mrg["requests"]) > 1000 && number(&of_mrg["connections"]) == 1, "{of_mrg}");
}

#[test]
fn a_report_for_people_says_the_same_and_links_the_worksheet() {
    let dir = tempfile::tempdir().unwrap();
    let (md, csv) = (dir.path().join("report.md"), dir.path().join("orders to mend.csv"));
    let arguments = ["--to", md.to_str().unwrap(), "--worksheet", csv.to_str().unwrap()];
    assert_eq!(text(evening(), &arguments), "");
    let text = std::fs::read_to_string(&md).unwrap();
    for part in ["## Summary", "## Impact", "## Timeline", "## Hypotheses", "## Checklist", "## What was not measured"]
    {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("H1 connection pool exhaustion is named"), "{text}");
    assert!(text.contains("| saturation | 19:3") && text.contains("| gap at HO | "), "{text}");
    assert!(!text.contains("<script") && text.contains("&lt;script"), "what comes from outside is no HTML");
    // The link leads to a file that is there, with the checksum it has.
    assert!(text.contains("[orders to mend.csv](<orders to mend.csv>)"), "{text}");
    let sheet = std::fs::read(&csv).unwrap();
    let sum = std::fs::read_to_string(dir.path().join("orders to mend.csv.sha256")).unwrap();
    let hex: String = <sha2::Sha256 as sha2::Digest>::digest(&sheet).iter().map(|b| format!("{b:02x}")).collect();
    assert!(sum.starts_with(&hex) && text.contains(&hex));
    let orders = json(evening())["worksheet"]["orders"].as_u64().unwrap();
    assert_eq!(String::from_utf8(sheet).unwrap().lines().count() as u64, orders + 1);
}

#[test]
fn the_page_needs_nothing_else_and_nothing_in_it_takes_effect() {
    let page = text(evening(), &["--format", "html"]);
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    // Nothing hostile is an element, and nothing at all is loaded or run.
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), "the title is shown as it is");
    let lower = page.to_lowercase();
    for element in ["<script", "<img", "<link", "<iframe", "<object", "<base", "@import", "url(", " onerror=x()>"] {
        let escaped =
            lower.replace("&lt;script", "").replace("&lt;img src=https://evil.example/a.png onerror=x()&gt;", "");
        assert!(!escaped.contains(element), "{element}");
    }
    let loads =
        regex::Regex::new(r#"(?i)<[a-z][^>]*\s(src|srcset|href|action|data|poster)\s*=\s*["']?\s*(https?:)?//"#)
            .unwrap();
    assert!(!loads.is_match(&page));
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'"));
    // It fits a telephone and paper.
    assert!(page.contains("name=\"viewport\" content=\"width=device-width") && page.contains("@media print"));
    // The timeline is a picture: every lane with its band, the spike, and the first that broke.
    assert!(page.matches("<svg").count() > 10 && page.matches("class=\"band\"").count() >= 6);
    assert!(page.contains("the spike begins at 19:24") && page.contains("class=\"onset first\""));
    assert!(page.contains("class=\"blind\""), "a gap is drawn as one");
    let opened = regex::Regex::new(r"<(svg|table|tr|td|section|p|ul|li|h2|h3|dl|div)[ >]").unwrap();
    for (tag, n) in opened.captures_iter(&page).fold(std::collections::BTreeMap::new(), |mut m, c| {
        *m.entry(c[1].to_owned()).or_insert(0) += 1;
        m
    }) {
        assert_eq!(page.matches(&format!("</{tag}>")).count(), n, "{tag} is opened and closed as often");
    }
}

#[test]
fn as_of_an_earlier_instant_nothing_later_is_known() {
    let r: Value = serde_json::from_str(&text(evening(), &["--format", "json", "--at", "19:30"])).unwrap();
    assert_eq!((&r["primary"], &r["accepted"]), (&Value::Null, &Value::Null));
    assert_eq!(r["impact"]["stuck"], 0);
    let events = r["events"].as_array().unwrap();
    assert!(events.iter().all(|e| e["at"].as_str().unwrap() <= "2025-01-12T19:30:00+07:00"), "{events:?}");
}

#[test]
fn the_demo_is_recorded_where_somebody_says_and_a_report_can_be_made_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("kept");
    let arguments = ["demo", "--generated", "--pace", "3600", "--record", folder.to_str().unwrap()];
    let mut running = warroom(&arguments).size(120, 35).start();
    running.shows("ended");
    running.send("a");
    running.send("looks like the pool\r");
    running.shows("noted at");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
    let r = json(&folder);
    assert_eq!(r["primary"], "H1");
    let said = r["answers"].as_array().unwrap();
    assert!(said.iter().any(|a| a["says"] == "looks like the pool"), "{said:?}");
    // It is somebody's evidence now: a second evening does not go into it.
    let output = Command::new(env!("CARGO_BIN_EXE_warroom")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds a recording already"));
}

#[test]
fn a_report_of_what_is_out_there_ends_when_everybody_has_answered_and_says_who_has_not() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let rows = |of: fn(usize) -> String| (0..40).map(of).collect::<String>();
    put(
        "orders.csv",
        &format!(
            "order_id,created_at,status,amount\n{}",
            rows(|i| format!(
                "O{i},2025-01-12T12:{:02}:00Z,{},1000\n",
                20 + i / 2,
                if i < 5 { "ACTIVE" } else { "COMPLETE" }
            ))
        ),
    );
    let paid =
        |i| format!("U{i},O{i},1000,PAID,2025-01-12T12:{:02}:30Z,2025-01-12T12:{:02}:40Z\n", 20 + i / 2, 20 + i / 2);
    put("payments.csv", &format!("upg_ref,order_id,amount,payment_status,created_at,settled_at\n{}", rows(paid)));
    put(
        "app.log",
        "{\"time\":\"2025-01-12T12:21:00Z\",\"level\":\"ERROR\",\"msg\":\"acquire timed out <b>\",\"order_id\":\"O1\"}\n",
    );
    let config = |more: &str| {
        let text = format!(
            "[incident]\ntitle = 'now'\nwindow = {{ from = '2025-01-12T12:00:00Z', to = '2025-01-12T13:00:00Z' }}\n\
             [[query]]\nrole = 'orders'\nfile = 'orders.csv'\n[[query]]\nrole = 'payments'\nfile = 'payments.csv'\n\
             [[logs]]\nname = 'logs'\npaths = ['app.log']\n{more}"
        );
        put("config.toml", &text);
        dir.path().join("config.toml")
    };
    let live = |config: &Path, wait: &str| -> (Value, Lapse) {
        let begun = warroom::source::clock::now();
        let output = Command::new(env!("CARGO_BIN_EXE_warroom"))
            .args(["--config", config.to_str().unwrap(), "report", "--format", "json", "--wait", wait])
            .env("HOME", dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (serde_json::from_slice(&output.stdout).unwrap(), warroom::source::clock::now().since(begun))
    };
    let (r, took) = live(&config(""), "60s");
    assert!(took < Lapse::seconds(50), "it does not wait longer than it has to: {took:?}");
    assert_eq!(
        (&r["impact"]["orders"], &r["impact"]["stuck"], &r["impact"]["stuck_paid"]),
        (&40.into(), &5.into(), &5.into())
    );
    assert!(r["impact"]["not_known"].to_string().contains("HO was not asked"), "{}", r["impact"]);
    assert!(!r["impact"]["doubts"].to_string().contains("time to wait"), "{}", r["impact"]["doubts"]);
    // A file that never comes: the report is made all the same, and says what is missing.
    let (r, _) = live(&config("[[query]]\nrole = 'ho_payments'\nfile = 'never.csv'\n"), "4s");
    assert_eq!(r["impact"]["orders"], 40);
    assert!(
        r["impact"]["doubts"].to_string().contains("when the time to wait was over, ho_payments"),
        "{}",
        r["impact"]
    );
}

#[test]
fn the_runbook_asks_the_same_again_and_its_configuration_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let export = || {
        let arguments = ["export", "runbook", evening().to_str().unwrap(), "--to", dir.path().to_str().unwrap()];
        Command::new(env!("CARGO_BIN_EXE_warroom")).args(arguments).output().unwrap()
    };
    let output = export();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(dir.path().join("runbook.md")).unwrap();
    let (before, after) = (parse("n.md", simulator::NOTE), parse("runbook.md", &text));
    // Every checkbox is there, open, under the same hypotheses; what was told of that evening is not.
    let words = |note: &warroom::model::note::Note| -> Vec<String> {
        note.items.iter().map(|i| i.text.raw().to_owned()).filter(|t| !t.starts_with('R')).collect()
    };
    assert_eq!(words(&after), words(&before));
    assert!(after.items.iter().all(|i| !i.ticked));
    let titles = |note: &warroom::model::note::Note| -> Vec<String> {
        note.hypotheses.iter().map(|h| format!("{} {}", h.title.raw(), h.priority.raw())).collect()
    };
    assert_eq!(titles(&after), titles(&before));
    assert_eq!(after.questions.len(), before.questions.len());
    assert!(!text.contains("77k pengguna") && text.contains("on 2025-01-12: supports"), "{text}");
    // The configuration is read as it stands, with the incident's thresholds, and its probes find their checkboxes.
    let file = dir.path().join("runbook.toml");
    let config = load(&file).unwrap_or_else(|problems| panic!("{problems:?}"));
    let was = simulator::incident();
    assert_eq!((config.incident.rules.clone(), config.incident.limits.len()), (was.rules, was.limits.len()));
    assert_eq!(config.incident.lanes.len(), was.lanes.len());
    // The rules of that evening come along, without the place where they lay.
    assert!(config.incident.rule_files[0].text.contains("wait_long = 0.4") && !text.contains("/home/ana"));
    assert!(config.incident.probes.len() >= 4);
    for probe in &config.incident.probes {
        let found = after.items.iter().any(|i| probe.matches.iter().all(|m| i.text.raw().contains(m.as_str())));
        assert!(found, "{probe:?}");
        assert!(probe.refutes_below < probe.supports_at, "{probe:?}");
    }
    assert_eq!(export().status.code(), Some(2), "what somebody may have edited is not written over");
}
