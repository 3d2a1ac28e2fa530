//! A simulated evening as files: the same bytes for the same seed, tables that add up to the declared truth when they
//! are joined by nothing but their keys, and a folder that is whole or not there.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

fn warroom(scenario: &str, seed: &str, to: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", to.parent().unwrap());
    command.args(["simulate", "--scenario", scenario, "--seed", seed, "--evening", "--export"]).arg(to);
    command.stdin(Stdio::null());
    command
}

fn exported(scenario: &str, seed: &str, to: &Path) -> Output {
    let output = warroom(scenario, seed, to).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The evening that most of these tests look at, written once.
fn evening() -> &'static Path {
    static HOME: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let made = HOME.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("evening");
        let says = String::from_utf8(exported("pool-and-callback", "5", &to).stdout).unwrap();
        assert!(says.contains("seed 5") && says.contains("rows") && says.contains("MiB"), "{says}");
        assert_eq!(names(home.path()), ["evening"], "nothing stays beside it");
        (home, to)
    });
    &made.1
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file below a folder, with its bytes.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            out.extend(bytes(&path).into_iter().map(|(p, b)| (Path::new(&name).join(p), b)));
        } else {
            out.insert(PathBuf::from(name), std::fs::read(path).unwrap());
        }
    }
    out
}

fn toml_of(folder: &Path, file: &str) -> toml::Table {
    std::fs::read_to_string(folder.join(file)).unwrap().parse().unwrap()
}

/// Rows of a table as columns by name. Nothing in an export needs quotes, so that none are understood here.
fn table(folder: &Path, file: &str) -> Vec<HashMap<String, String>> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), columns.len(), "{file}: {line}");
            columns.iter().zip(fields).map(|(c, f)| ((*c).to_owned(), f.to_owned())).collect()
        })
        .collect()
}

fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
    text.parse().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("day");
    exported("pool-and-callback", "5", &to);
    let (one, two) = (bytes(evening()), bytes(&to));
    let paths = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&one), paths(&two));
    let differing: Vec<_> = one.iter().filter(|(path, bytes)| two[*path] != **bytes).map(|(p, _)| p).collect();
    assert!(differing.is_empty(), "{differing:?}");
    // Over the earlier export: it gives way, whatever of it was deleted.
    std::fs::remove_file(to.join("truth.toml")).unwrap();
    exported("pool-and-callback", "6", &to);
    let three = bytes(&to);
    assert_eq!(paths(&one), paths(&three));
    for table in ["mrg/orders.csv", "upg/callbacks.csv", "metrics.csv", "truth.toml", "logs/orch-1.log"] {
        assert!(one[Path::new(table)] != three[Path::new(table)], "{table}");
    }
    assert_eq!(names(home.path()), ["day"]);
}

#[test]
fn every_file_is_what_about_says_it_is() {
    let folder = evening();
    let about = toml_of(folder, "about.toml");
    assert_eq!(about["format"].as_str(), Some("warroom-export/1"));
    let (from, to) = (instant(about["from"].as_str().unwrap()), instant(about["to"].as_str().unwrap()));
    assert_eq!((to - from).num_minutes(), 193);
    let mut listed = vec![PathBuf::from("about.toml")];
    let on_disk = bytes(folder);
    for file in about["file"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        listed.push(path.into());
        let text = std::str::from_utf8(&on_disk[Path::new(path)]).unwrap();
        assert_eq!(file["bytes"].as_integer(), Some(text.len() as i64), "{path}");
        let columns: Vec<&str> =
            file.get("columns").into_iter().flat_map(|c| c.as_array().unwrap()).map(|c| c.as_str().unwrap()).collect();
        let rows = file.get("rows").map(|r| r.as_integer().unwrap() as usize);
        match Path::new(path).extension().unwrap().to_str().unwrap() {
            "csv" => {
                assert_eq!(text.lines().next().unwrap().split(',').collect::<Vec<_>>(), columns, "{path}");
                let rows_read = table(folder, path);
                assert!(Some(rows_read.len()) == rows && rows_read.len() > 100, "{path}: {rows:?}");
                let times = columns.iter().filter(|c| c.ends_with("_at") || matches!(**c, "time" | "at"));
                for row in &rows_read {
                    for column in times.clone().filter(|c| !row[**c].is_empty()) {
                        instant(&row[*column]);
                    }
                }
            }
            "jsonl" => {
                assert!(Some(text.lines().count()) == rows && rows > Some(0), "{path}");
                for line in text.lines() {
                    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
                    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
                    let mut said = columns.clone();
                    keys.sort_unstable();
                    said.sort_unstable();
                    assert_eq!(keys, said, "{path}: {line}");
                }
            }
            "log" => {
                let json = |l: &&str| serde_json::from_str::<serde_json::Value>(l).is_ok_and(|v| v["msg"].is_string());
                let plain = |l: &&str| l.starts_with("2025-01-12 ");
                let entries = if path.contains("upg") {
                    text.lines().filter(plain).count()
                } else {
                    assert!(text.lines().all(|l| json(&l)), "{path}");
                    text.lines().count()
                };
                assert!(Some(entries) == rows && entries > 20, "{path}: {rows:?} {entries}");
            }
            _ => drop(toml_of(folder, path)),
        }
    }
    listed.sort();
    assert_eq!(listed, on_disk.into_keys().collect::<Vec<_>>());
}

#[test]
fn settings_are_told_and_the_truth_is_apart() {
    let folder = evening();
    let scenario = toml_of(folder, "scenario.toml");
    let since = scenario["settings"].as_array().unwrap();
    assert_eq!(since[0]["mrg"]["pool"].as_integer(), Some(20));
    assert!(since.len() > 1 && since[0]["mrg"]["version"] != since[1]["mrg"]["version"], "a deployment at 18:55");
    let truth = toml_of(folder, "truth.toml");
    assert_eq!(truth["cause"].as_str(), Some("H1"));
    let about = toml_of(folder, "about.toml");
    assert!(!about.contains_key("cause") && !scenario.contains_key("about") && !scenario.contains_key("cause"));
}

/// One order, as the files tell of it.
#[derive(Default)]
struct Order {
    status: String,
    amount: i64,
    paid: Vec<i64>,
    pending: bool,
    told: u32,
    acknowledged: bool,
    records: Vec<i64>,
}

/// The class of an order. The evening is over and everything has settled: nothing is in flight any more.
fn class(o: &Order) -> &'static str {
    let (p, h) = (o.paid.len(), o.records.len());
    let (active, complete) = (o.status == "ACTIVE", o.status == "COMPLETE");
    if p > 1 {
        "duplicate_charge"
    } else if p == 0 && h > 0 {
        "recorded_not_charged"
    } else if h > p {
        "duplicate_record"
    } else if p == 1 && h == 1 && o.records != o.paid {
        "amount_mismatch_upg_ho"
    } else if p == 1 && o.paid[0] != o.amount {
        "amount_mismatch_order_upg"
    } else if active && p == 1 && h == 0 && o.told == 0 {
        "paid_stuck_unrecorded_never_sent"
    } else if active && p == 1 && h == 0 && !o.acknowledged {
        "paid_stuck_unrecorded_callback_failed"
    } else if p == 1 && h == 0 && o.acknowledged {
        "acked_not_recorded"
    } else if active && p == 1 {
        "paid_stuck_recorded"
    } else if complete && p == 1 && h == 0 {
        "charged_not_recorded"
    } else if complete && p == 0 {
        "complete_not_charged"
    } else if !active && !complete && p == 1 {
        "failed_but_charged"
    } else if active && o.pending {
        "payment_pending_stuck"
    } else if active {
        "unpaid_stuck"
    } else {
        "ok"
    }
}

fn orders(folder: &Path) -> HashMap<String, Order> {
    let mut orders: HashMap<String, Order> = HashMap::new();
    for mut row in table(folder, "mrg/orders.csv") {
        let (status, amount) = (row.remove("status").unwrap(), row["amount"].parse().unwrap());
        let twice = orders.insert(row.remove("order_id").unwrap(), Order { status, amount, ..Order::default() });
        assert!(twice.is_none());
    }
    let mut payments = HashMap::new();
    for row in table(folder, "upg/payments.csv") {
        let order = orders.get_mut(&row["order_id"]).unwrap();
        match row["payment_status"].as_str() {
            "PAID" => order.paid.push(row["amount"].parse().unwrap()),
            "PENDING" => order.pending = true,
            other => assert_eq!(other, "FAILED"),
        }
        assert_eq!(row["payment_status"] == "PAID", !row["settled_at"].is_empty());
        assert!(payments.insert(row["upg_ref"].clone(), row["order_id"].clone()).is_none());
    }
    for row in table(folder, "upg/callbacks.csv") {
        let order = orders.get_mut(&payments[&row["upg_ref"]]).unwrap();
        order.told += 1;
        order.acknowledged |= row["http_status"].starts_with('2');
    }
    for row in table(folder, "ho/ho_payments.csv") {
        orders.get_mut(&payments[&row["upg_ref"]]).unwrap().records.push(row["amount"].parse().unwrap());
    }
    orders
}

/// Every order in one class, by the files alone, is what the truth says.
fn adds_up(folder: &Path) {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let orders = orders(folder);
    assert!(orders.len() > 20_000);
    for order in orders.values() {
        let (n, money) = sums.entry(class(order)).or_default();
        *n += 1;
        *money += if order.paid.is_empty() { order.amount } else { order.paid.iter().sum() };
    }
    let truth = toml_of(folder, "truth.toml");
    let said: BTreeMap<&str, (i64, i64)> = truth["classes"]
        .as_table()
        .unwrap()
        .iter()
        .map(|(class, sum)| {
            let of = |what: &str| sum[what].as_integer().unwrap();
            (class.as_str(), (of("orders"), of("amount")))
        })
        .collect();
    assert_eq!(sums, said);
    assert!(said.len() > 3 && said["ok"].0 > 10_000, "{said:?}");
    // Sagas that went wrong are told of orders that exist, and every order that stays has one.
    let mut in_saga: HashMap<String, String> = HashMap::new();
    for row in table(folder, "orch/saga.csv") {
        assert!(orders.contains_key(&row["order_id"]), "{row:?}");
        assert_eq!(row["state"] == "FAILED", !row["error"].is_empty(), "{row:?}");
        in_saga.insert(row["order_id"].clone(), row["state"].clone());
    }
    let untold = orders.iter().filter(|(id, o)| o.status == "ACTIVE" && !in_saga.contains_key(*id)).count();
    assert_eq!(untold, 0);
    // An order's status is the last that its events say.
    let mut last: HashMap<String, String> = HashMap::new();
    for row in table(folder, "orch/order_events.csv") {
        last.insert(row["order_id"].clone(), row["to_status"].clone());
    }
    for (id, order) in &orders {
        assert_eq!(last.get(id).map_or("ACTIVE", String::as_str), order.status, "{id}");
    }
}

#[test]
fn the_tables_alone_add_up_to_the_truth() {
    adds_up(evening());
}

#[test]
fn a_clock_that_lies_does_so_in_its_rows_alone() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("day");
    exported("wrong-clock", "3", &to);
    adds_up(&to);
    let mut told = HashMap::new();
    for row in table(&to, "upg/callbacks.csv") {
        // The last attempt of each payment is the one that may have been recorded.
        told.insert(row["upg_ref"].clone(), instant(&row["sent_at"]));
    }
    let ahead: Vec<i64> = table(&to, "ho/ho_payments.csv")
        .iter()
        .map(|row| (instant(&row["recorded_at"]) - told[&row["upg_ref"]]).num_seconds())
        .collect();
    let at_least_so = ahead.iter().filter(|s| **s >= 90).count();
    // What was recorded only after the next attempt was sent is some seconds less ahead of that one.
    assert!(at_least_so * 10 > ahead.len() * 9 && ahead.iter().all(|s| *s > 0), "{at_least_so} of {}", ahead.len());
    let seen = toml_of(&to, "scenario.toml");
    assert_eq!(seen["observed"]["clock_ahead_ms"]["ho"].as_integer(), Some(90_000));
}

#[test]
fn a_folder_of_something_else_is_refused_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("thesis");
    std::fs::create_dir(&to).unwrap();
    std::fs::write(to.join("chapter.txt"), "mine").unwrap();
    let refused = |remedy: &str| {
        let before = bytes(&to);
        let output = warroom("pool", "1", &to).output().unwrap();
        let says = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{says}");
        assert!(says.contains(remedy) && output.stdout.is_empty(), "{says}");
        assert!(bytes(&to) == before && names(home.path()) == ["thesis"]);
    };
    refused("name a new folder");
    // The same where an earlier export was, and somebody has put something of his own into it.
    for (path, text) in bytes(evening()).into_iter().filter(|(p, _)| p.components().count() == 1) {
        std::fs::write(to.join(path), text).unwrap();
    }
    refused("chapter.txt");
}

#[test]
fn a_disk_that_takes_no_more_leaves_nothing_new_and_the_old_whole() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("day");
    std::fs::create_dir(&to).unwrap();
    std::fs::copy(evening().join("about.toml"), to.join("about.toml")).unwrap();
    let before = bytes(&to);
    // No file may be longer than some hundred blocks; without the signal that is an error of the write.
    let output = Command::new("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_warroom")])
        .args(["simulate", "--evening", "--seed", "1", "--export"])
        .arg(&to)
        .env("HOME", home.path())
        .output()
        .unwrap();
    let says = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{says}");
    assert!(says.contains("cannot be written") && says.contains("nothing was left"), "{says}");
    assert!(names(home.path()) == ["day"] && bytes(&to) == before, "{:?}", names(home.path()));
}

#[test]
fn ctrl_c_in_the_middle_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("day");
    let mut child = warroom("pool", "1", &to).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while names(home.path()).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(home.path()), Vec::<String>::new());
}

#[test]
fn what_has_no_meaning_for_an_export_is_a_usage_error() {
    for more in [["--listen", "127.0.0.1:0"], ["--now", "19:00"], ["--faults", "ces.batch=429:1"]] {
        let home = tempfile::tempdir().unwrap();
        let output = warroom("pool", "1", &home.path().join("day")).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--export"), "{more:?}");
        assert_eq!(names(home.path()), Vec::<String>::new());
    }
}
