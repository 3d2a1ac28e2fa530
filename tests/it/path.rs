//! The whole path of an incident on real parts, by keys alone: from the connections to a tick in the note,
//! through a stop of the server and a kill of the program to the replay of its recording.

use crate::pg::{self, Server, number, sql};
use crate::pty::{self, Running};
use sqlx::postgres::PgConnection;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// 2,000 orders: 1,900 between 45 and 21 minutes old, far from every border of time, in the mixes of an incident,
/// and 100 young. The oldest, ORD-1, was paid, hangs, and is not at HO.
const WORLD: &str = "
    CREATE ROLE warroom LOGIN; GRANT pg_monitor TO warroom;
    CREATE SCHEMA mrg; CREATE SCHEMA upg; CREATE SCHEMA ho;
    CREATE TABLE mrg.orders (id text PRIMARY KEY, born timestamptz NOT NULL, state text NOT NULL, total bigint, region text);
    CREATE TABLE upg.payments (ref text PRIMARY KEY, order_id text, amount bigint, status text, at timestamptz);
    CREATE TABLE ho.payments (id text PRIMARY KEY, upg_ref text, amount bigint, at timestamptz);
    INSERT INTO mrg.orders SELECT 'ORD-' || g, now() - interval '45 min' + g * interval '0.75 s',
        CASE WHEN g % 10 IN (0, 1, 2, 3) THEN 'GANTUNG' WHEN g % 10 = 5 THEN 'FAILED' ELSE 'COMPLETE' END,
        100000 + g, (ARRAY['JKT', 'SBY', 'BDG'])[1 + g % 3] FROM generate_series(1, 1900) g;
    INSERT INTO mrg.orders SELECT 'ORD-' || g, now() - interval '2 min', 'GANTUNG', 100000 + g, 'JKT'
        FROM generate_series(1901, 2000) g;
    INSERT INTO upg.payments SELECT 'UPG-' || substr(id, 5), id, total, 'CHARGED', born + interval '4 s' FROM mrg.orders
        WHERE born < now() - interval '15 min' AND substr(id, 5)::int % 10 NOT IN (2, 5);
    INSERT INTO ho.payments SELECT 'HO-' || substr(ref, 5), ref, amount, at + interval '5 s' FROM upg.payments
        WHERE substr(ref, 5)::int % 10 NOT IN (0, 1) AND substr(ref, 5)::int % 30 <> 4;
    GRANT USAGE ON SCHEMA mrg, upg, ho TO warroom;
    GRANT SELECT ON ALL TABLES IN SCHEMA mrg, upg, ho TO warroom";

/// Classes as the screen names them, each with the condition that says the same in SQL.
const CLASSES: [(&str, &str); 6] = [
    ("paid, stuck, not at HO", "stuck AND paid = 1 AND booked = 0"),
    ("paid, stuck, recorded at HO", "stuck AND paid = 1 AND booked = 1"),
    ("unpaid, stuck", "stuck AND paid = 0"),
    ("complete, not at HO", "state = 'COMPLETE' AND paid = 1 AND booked = 0"),
    ("in flight", "state = 'GANTUNG' AND NOT stuck"),
    ("ok", "state = 'FAILED' AND paid = 0 OR state = 'COMPLETE' AND paid = 1 AND booked = 1"),
];

/// What the systems say about each other, asked in one statement that warroom does not know.
async fn expected(admin: &mut PgConnection) -> Vec<(&'static str, i64)> {
    let mut out = Vec::new();
    for (class, condition) in CLASSES {
        let text = format!(
            "SELECT count(*) FROM (SELECT state, state = 'GANTUNG' AND born < now() - interval '15 min' AS stuck,
               (SELECT count(*) FROM upg.payments p WHERE p.order_id = o.id AND p.status = 'CHARGED') AS paid,
               (SELECT count(*) FROM ho.payments h JOIN upg.payments p ON p.ref = h.upg_ref WHERE p.order_id = o.id) AS booked
             FROM mrg.orders o) x WHERE {condition}"
        );
        out.push((class, number(admin, &text).await));
    }
    out
}

fn grouped(n: i64) -> String {
    if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
}

/// Whether a row of the screen begins with a name and goes on with a count.
fn counts(contents: &str, class: &str, n: i64) -> bool {
    let rest = contents.lines().filter_map(|line| line.trim_start_matches([' ', '▌']).strip_prefix(class));
    rest.into_iter().any(|rest| rest.split_whitespace().next() == Some(&grouped(n)))
}

/// Files of the scene: configuration, note and two logs that grow until this is dropped.
struct Files {
    folder: tempfile::TempDir,
    stop: Arc<AtomicBool>,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Files {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Files {
    fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/incident-note.md"), at("incident.md"))
            .unwrap();
        std::fs::write(at("config.toml"), config(server)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (json, plain, ended) = (at("mrg.log"), at("upg.log"), stop.clone());
        let writer = std::thread::spawn(move || grow(&json, &plain, &ended));
        Self { folder, stop, writer: Some(writer) }
    }
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn note(&self) -> Vec<u8> {
        std::fs::read(self.at("incident.md")).unwrap()
    }
    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }
    /// The one recording that was begun.
    fn recording(&self) -> String {
        let mut entries: Vec<_> = std::fs::read_dir(self.at("rec")).unwrap().flatten().map(|e| e.path()).collect();
        entries.retain(|p| p.is_dir());
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0).to_str().unwrap().to_owned()
    }
}

/// Appends to both logs, with text that a terminal must never get among it.
fn grow(json: &Path, plain: &Path, ended: &AtomicBool) {
    let open = |path| std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let (mut json, mut plain) = (open(json), open(plain));
    for i in (1_u32..).take_while(|_| !ended.load(Ordering::SeqCst)) {
        let now = now_as_text();
        let order = format!("ORD-{}", if i % 3 == 0 { i % 1_900 + 1 } else { 1 });
        writeln!(json, "{{\"time\":\"{now}\",\"level\":\"ERROR\",\"service\":\"mrg-api\",\"msg\":\"callback for order {order} timed out after {i} ms\",\"order_id\":\"{order}\"}}").unwrap();
        writeln!(plain, "{now} WARN upg: circuit breaker open, order={order} rejected").unwrap();
        plain.write_all(format!("{now} ERROR upg: ").as_bytes()).unwrap();
        plain.write_all(b"\x1b]0;OWNED\x07\x1b[2J\x9b31m\xc2\x9b5n \xe2\x80\xae\xc3\x28 hostile\r\x08\n").unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn now_as_text() -> String {
    let now = warroom::source::clock::now();
    warroom::model::Zone::utc().rfc3339(now)
}

fn config(server: &Server) -> String {
    let mut text = String::from("[incident]\nnote = \"incident.md\"\n");
    for (name, watch) in [("mrg", true), ("upg", false), ("ho", false)] {
        let url = server.url("warroom");
        let _ = write!(text, "[[db]]\nname = \"{name}\"\nurl = \"{url}\"\ninterval = \"1s\"\nwatch = {watch}\n");
    }
    text + r#"
[[logs]]
name = "logs"
paths = ["*.log"]
order_pattern = 'order[ =](ORD-\d+)'
[[query]]
role = "orders"
db = "mrg"
interval = "5s"
order_status = { GANTUNG = "active" }
sql = """SELECT id AS order_id, born AS created_at, state AS status, total AS amount, region FROM mrg.orders
WHERE born >= :from AND born < :to AND (born, id) > (:after_at, :after_id) ORDER BY born, id LIMIT :limit"""
[[query]]
role = "payments"
db = "upg"
mode = "ids"
interval = "5s"
payment_status = { CHARGED = "paid" }
sql = "SELECT ref AS upg_ref, order_id, amount, status AS payment_status, at AS created_at FROM upg.payments WHERE order_id = ANY(:ids)"
[[query]]
role = "ho_payments"
db = "ho"
mode = "ids"
interval = "5s"
sql = "SELECT id AS ho_ref, upg_ref, amount, at AS recorded_at FROM ho.payments WHERE upg_ref = ANY(:refs)"
[recording]
folder = "rec"
"#
}

/// The third row: where one is.
fn crumb(screen: &vt100::Screen) -> String {
    screen.contents().lines().nth(2).unwrap_or_default().to_owned()
}

fn stands(program: &Running, what: &str, is: impl Fn(&str) -> bool) {
    program.until(what, |s| is(&crumb(s)));
}

fn shows_classes(program: &Running, expected: &[(&str, i64)]) {
    for (class, n) in expected {
        program.until(&format!("{class}: {n}"), |s| counts(&s.contents(), class, *n));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_from_the_connections_to_the_tick_and_back_through_a_dead_server_and_a_dead_program() {
    let server = Server::start(&pg::any(), &[]);
    let mut admin = server.connect("test").await;
    sql(&mut admin, WORLD).await;
    let scene = pg::scene(&server, 4, 5).await;
    let root = number(&mut admin, "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'chain-1'").await;
    let next = number(&mut admin, "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'chain-2'").await;
    let expected = expected(&mut admin).await;
    assert!(expected.iter().all(|(_, n)| *n > 10), "{expected:?}");
    let files = Files::new(&server);
    let before = files.note();

    let mut program = pty::warroom(&["run", "--config", &files.text("config.toml")]).size(200, 50).start();
    program.shows("1 Timeline");
    // The note's own heading, as none is configured.
    program.shows("Order gantung saat lonjakan trafik");
    program.shows("conns");
    program.send("2");
    program.shows("BLOCKING TREE");
    program.until("the chain", |s| {
        let text = s.contents();
        text.contains(&format!("{root}  blocks")) && text.contains(&format!("└ {next}"))
    });
    program.shows(&format!("{} blocked", scene.waiting));
    program.send("3");
    program.shows("callback for order <id> timed out");
    // It came as far as the screen, without its controls.
    program.shows("hostile");

    program.send("4");
    shows_classes(&program, &expected);
    program.send("\r");
    stands(&program, "the list", |c| c.contains("orders › paid, stuck, not at HO"));
    program.send("\r");
    stands(&program, "the trail", |c| c.contains("› ORD-1 ") || c.trim_end().contains("ORD-1"));
    program.shows("callback for order ORD-1 timed out");
    program.send("\r");
    stands(&program, "its hypothesis", |c| c.contains("ORD-1 › H"));
    program.send("x");
    program.shows("TICK IN THE NOTE");
    program.shows("y writes it");
    assert_eq!(files.note(), before, "nothing is written before somebody says so");
    program.send("y");
    program.shows("ticked in the note");
    one_tick(&before, &files.note());
    let ticked = files.note();
    for place in ["ORD-1", "not at HO", "orders"] {
        program.send("\x1b");
        stands(&program, place, |c| c.trim_end().contains(place) && !c.contains("› H"));
    }
    drop(scene);

    dies_and_returns(&mut program, &server, &expected);

    program.send("4");
    shows_classes(&program, &expected);
    harmless(&program);
    program.signal(rustix::process::Signal::KILL);
    program.exit_code();
    assert_eq!(files.note(), ticked);
    replays(&files.recording(), &expected, root);
}

/// One byte of the note differs: a blank box has its mark.
fn one_tick(before: &[u8], after: &[u8]) {
    assert_eq!(before.len(), after.len());
    let changed: Vec<usize> = (0..before.len()).filter(|i| before[*i] != after[*i]).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let i = changed[0];
    assert_eq!((before[i], after[i], &after[i - 3..i], after[i + 1]), (b' ', b'x', b"- [".as_slice(), b']'));
}

/// The server ends and comes back: said in words, old data kept, keys answered, well again by itself.
fn dies_and_returns(program: &mut Running, server: &Server, expected: &[(&str, i64)]) {
    server.stop();
    program.send("6");
    program.shows("nothing listens at 127.0.0.1");
    program.shows("Start the server");
    // The next attempt may be far away; keys do not wait for it, and what was known stays.
    program.send("4");
    shows_classes(program, expected);
    server.launch();
    program.send("6");
    program.until("four sources that are well", |s| s.contents().contains("4 sources: 4 well"));
}

/// No byte of the hostile text reached the terminal as it was.
fn harmless(program: &Running) {
    let raw = program.raw();
    let has = |bytes: &[u8]| raw.windows(bytes.len()).any(|w| w == bytes);
    assert!(has(b"hostile"), "it was never shown");
    for evil in [b"\x1b]0;OWNED".as_slice(), b"\x9b31m", b"\xc2\x9b", "\u{202e}".as_bytes(), b"\x07", b"\x08"] {
        assert!(!has(evil), "{evil:?} reached the terminal");
    }
}

/// Orders, the tick and the looks at the database, from the recording alone.
fn replays(recording: &str, expected: &[(&str, i64)], root: i64) {
    let mut program = pty::warroom(&["replay", recording]).size(200, 50).start();
    program.shows("REPLAY");
    program.send("4");
    shows_classes(&program, expected);
    program.send("1");
    // The tick's mark above the lanes; the looks of that moment, when the chain was still there.
    program.shows("✓");
    program.send("2{");
    program.shows(&format!("{root}  blocks"));
    program.send(":q\r");
    assert_eq!(program.exit_code(), 0);
}
