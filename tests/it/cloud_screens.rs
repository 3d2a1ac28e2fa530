//! The cloud on the real screens: lanes with their units, marks of alarms and changes, the day that is
//! fetched with its progress, a fault in words and the recovery. The program runs in a pseudo-terminal and
//! asks the emulator over HTTP, signed.

use crate::pty::{Running, warroom};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use warroom::model::{Lapse, Stamp, Zone};
use warroom::simulator::cloud::{self, Clock, Cloud, INSTANCES, evening};
use warroom::simulator::{END, START};
use warroom::source::clock::now;

/// The evening moved so that it ended this long ago.
const AGO: Lapse = Lapse::hours(2);

struct Emulated {
    cloud: cloud::Running,
    /// What the evening was moved by.
    by: Lapse,
    /// The emulator answers on it.
    _threads: tokio::runtime::Runtime,
}

fn emulated() -> Emulated {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let by = now().since(END) - AGO;
    let by = Lapse(by.0 - by.0.rem_euclid(Lapse::minutes(1).0));
    let cloud = Cloud::new(
        evening(&warroom::simulator::day::Day::whole(warroom::simulator::scenario::named("pool").unwrap(), 1), by),
        Clock::new(now),
    );
    let cloud = threads.block_on(cloud.listen(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    Emulated { cloud, by, _threads: threads }
}

fn time(at: Stamp) -> String {
    Zone::wib().rfc3339(at)
}

impl Emulated {
    /// What a person would write to watch it, with the evening as the incident.
    fn config(&self, folder: &Path, more: &str) -> String {
        let (endpoint, account) = (self.cloud.endpoint(), self.cloud.account());
        let (from, to) = (time(START + self.by), time(END + self.by));
        let week = Lapse::hours(7 * 24);
        let (was, until) = (time(START + self.by - week), time(END + self.by - week));
        let mut text = format!(
            "[incident]\ntitle = 'cloudy evening'\nwindow = {{ from = '{from}', to = '{to}' }}\n\
             baseline = {{ from = '{was}', to = '{until}' }}\n\
             [huawei]\nregion = '{}'\naccess_key = '{}'\nsecret_key = '{}'\ninterval = '10s'\n{more}\n\
             [huawei.endpoints]\n",
            account.region(),
            account.ak,
            account.sk
        );
        for service in ["ces", "cts", "aom", "iam"] {
            writeln!(text, "{service} = '{endpoint}'").unwrap();
        }
        for (kind, name, id) in INSTANCES.iter().filter(|i| matches!(i.0, "elb" | "rds")) {
            writeln!(text, "[[huawei.instance]]\nkind = '{kind}'\nname = '{name}'\nid = '{id}'").unwrap();
        }
        text += "[[prometheus]]\nname = 'aom'\naom = true\n[[prometheus.query]]\nname = 'users'\nunit = 'users'\n\
                 trigger = true\npromql = 'sum(app_sessions_active)'\n";
        let path = folder.join("config.toml");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// What stands beside a lane's name: value, normal, worst.
fn numbers(screen: &vt100::Screen, lane: &str) -> Vec<String> {
    let contents = screen.contents();
    let row = contents.lines().find_map(|l| l.trim_start().strip_prefix(lane).map(str::to_owned));
    row.unwrap_or_default().split_whitespace().take(6).map(str::to_owned).collect()
}

fn quit(mut running: Running) {
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
}

#[test]
fn the_evening_of_a_cloud_is_fetched_with_its_marks_and_stands_on_the_screens() {
    let emulated = emulated();
    let dir = tempfile::tempdir().unwrap();
    // Slowly enough that the progress can be seen.
    let config = emulated.config(dir.path(), "requests_per_second = 4");
    let mut running = warroom(&["--config", &config, "--no-record"]).size(200, 50).start();
    running.shows("cloudy evening");
    running.until("progress in words", |s| s.contents().contains(" % fetching "));
    // The incident is over: what is shown is its end, with lanes in their units beside last week's.
    running.shows("PAST");
    running.until("users of the last minute beside normal", |s| {
        let numbers = numbers(s, "users");
        numbers.len() > 2 && numbers[..2].iter().all(|n| n.ends_with('k'))
    });
    running.until("seconds", |s| numbers(s, "elb latency").iter().any(|n| n == "s" || n == "ms"));
    running.until("a share", |s| numbers(s, "order conn %").iter().any(|n| n == "%"));
    running.until("the spike and who was first", |s| {
        // A long name leaves room for the sign alone.
        let first = |l: &str| l.contains(" 1st") || (l.contains(" ◂") && !l.contains("PAST"));
        s.contents().contains("trigger") && s.contents().lines().any(first)
    });
    // Did an alarm fire, and what changed: marks, counted from the onset.
    running.until("alarms", |s| s.contents().lines().any(|l| l.contains("alarms") && l.contains("first ")));
    running.until("a change, with who made it known", |s| {
        s.contents().lines().any(|l| l.contains("changes ") && !l.contains("none"))
    });
    running.send("6");
    running.shows("huawei-marks");
    running.until("all fetched", |s| !s.contents().contains(" % fetching "));
    quit(running);
}

#[test]
fn a_fault_of_the_cloud_is_a_sentence_with_its_remedy_and_over_when_it_is_over() {
    let emulated = emulated();
    let dir = tempfile::tempdir().unwrap();
    let config = emulated.config(dir.path(), "requests_per_second = 10\nevents = false\ntraces = false");
    let mut running = warroom(&["--config", &config, "--no-record"]).size(200, 50).start();
    running.send("6");
    running.until("a first answer", |s| s.contents().lines().any(|l| l.contains("● ") && l.contains("huawei ")));
    emulated.cloud.faults().read("ces.batch=html").unwrap();
    let row =
        |s: &vt100::Screen, sign: &str| s.contents().lines().any(|l| l.contains(sign) && l.contains("metrics of"));
    running.until("the source is down", |s| row(s, "✕"));
    running.until("why, in words", |s| s.contents().contains("web page"));
    emulated.cloud.faults().clear();
    running.send("r");
    running.until("it is well again", |s| row(s, "●"));
    // A wrong signature stops the source after one refusal: five would lock the key for everyone.
    let before = emulated.cloud.requests().all().iter().filter(|r| r.status == Some(401)).count();
    emulated.cloud.faults().read("*=401").unwrap();
    running.until("refused", |s| row(s, "✕"));
    running.send("r");
    running.settles();
    let refused = emulated.cloud.requests().all().iter().filter(|r| r.status == Some(401)).count() - before;
    // The metrics' request and the query's may have been on their way side by side.
    assert!((1..=2).contains(&refused), "nobody asks after a refusal: {refused}");
    let raw = String::from_utf8_lossy(&running.raw()).into_owned();
    let account = emulated.cloud.account();
    assert!(!raw.contains(&account.sk) && !raw.contains(&account.ak), "a key reached the screen");
    quit(running);
}
