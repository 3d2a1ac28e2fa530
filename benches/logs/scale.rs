//! The dump of the promise: five million lines, 1 GiB, three files. The program itself is started as a person
//! starts it, and a dedicated search program on the same files; what counts is processor time, which other work
//! on the machine changes little, and the peak of resident memory.
//!
//! `WARROOM_BENCH_DUMP=FOLDER cargo bench --bench logs`: the dump is kept in the folder.

use crate::dump;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LINES: u64 = 5_000_000;
/// Runs of each measurement; the best one counts, as the others were disturbed.
const RUNS: usize = 3;

/// What a command took.
struct Took {
    cpu: f64,
    wall: f64,
    first: Option<f64>,
    peak: u64,
    bytes: u64,
    said: String,
}

/// Processor seconds of all children that have ended; the kernel counts in hundredths.
fn of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind = stat.rsplit(") ").next().unwrap();
    let fields: Vec<f64> = behind.split(' ').map(|f| f.parse().unwrap_or(0.0)).collect();
    // The children's user and system time are fields 16 and 17, and two of the fields stand before.
    (fields[13] + fields[14]) / 100.0
}

/// Peak of a process in KiB; none when it is gone.
pub fn peak(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|l| l.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn run(mut command: Command) -> Took {
    let (before, begun) = (of_children(), Instant::now());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let process = child.id();
    let mut from = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut first, mut bytes, mut said) = (None, 0_u64, Vec::new());
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = from.read(&mut buffer).unwrap();
            if n == 0 {
                return (first, bytes, String::from_utf8_lossy(&said).into_owned());
            }
            first.get_or_insert_with(|| begun.elapsed().as_secs_f64());
            bytes += n as u64;
            said.extend_from_slice(&buffer[..n.min(4_096 - said.len().min(4_096))]);
        }
    });
    let mut highest = 0;
    loop {
        // The mark only rises, so the last look before the end is the peak but for five milliseconds.
        highest = highest.max(peak(process).unwrap_or_default());
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall = begun.elapsed().as_secs_f64();
    let (first, bytes, said) = reader.join().unwrap();
    Took { cpu: of_children() - before, wall, first, peak: highest, bytes, said }
}

fn best(mut make: impl FnMut() -> Command) -> Took {
    let runs = (0..RUNS).map(|_| run(make()));
    runs.min_by(|a, b| a.cpu.total_cmp(&b.cpu)).unwrap()
}

fn ours(arguments: &[&str], files: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.arg("logs").args(arguments).args(files);
    command
}

fn theirs(arguments: &[&str], files: &[PathBuf]) -> Command {
    let mut command = Command::new("rg");
    command.args(["--no-config", "--no-filename", "--no-line-number"]).args(arguments).args(files);
    command
}

/// A question: its name, what we are asked, and what the search program is.
const QUESTIONS: [(&str, &[&str], &str); 9] = [
    ("a literal", &["no connection within"], "no connection within"),
    ("a rare literal", &["ORD-20250112000123456"], "ORD-20250112000123456"),
    ("in no line", &["nowhere to be found"], "nowhere to be found"),
    ("a regex", &["upg.*[0-9]{4} ms"], "upg.*[0-9]{4} ms"),
    ("words of a regex", &["timeout|connection|circuit|payment"], "timeout|connection|circuit|payment"),
    ("small and capital", &["(?i)circuit|refused"], "(?i)circuit|refused"),
    (
        "all four, small and capital",
        &["(?i)timeout|connection|circuit|payment"],
        "(?i)timeout|connection|circuit|payment",
    ),
    ("a field and a word", &["timeout waiting", "--level", "error"], r#""level":"error".*timeout waiting"#),
    ("a field's number", &[r#""attempt":4,.*"n1\d\d""#], r#""attempt":4,.*"n1\d\d""#),
];

/// Measures all of it.
pub fn measure(folder: &Path) {
    let files = dump::three_files(folder, LINES).unwrap();
    let bytes: u64 = files.iter().map(|f| std::fs::metadata(f).unwrap().len()).sum();
    // Once through, so that what is measured is not the disk.
    for file in &files {
        drop(std::fs::read(file).unwrap());
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    println!("{LINES} lines, {bytes} bytes in {} files; load {}", files.len(), load.trim());
    let took = best(|| ours(&["histogram"], &files));
    println!(
        "histogram: {:.2} s of processor (budget 1.5), {:.2} s, peak {} MiB (budget 100)",
        took.cpu,
        took.wall,
        took.peak >> 10
    );
    println!("{}", took.said.lines().next().unwrap_or_default());
    for (name, asked, pattern) in QUESTIONS {
        let mut highest = 0;
        let mut line = format!("{name:<28}");
        for (how, ours_is, theirs_is) in [("count", "--count", "--count"), ("lines", "--raw", "--no-heading")] {
            let us = best(|| ours(&[&["search", ours_is][..], asked].concat(), &files));
            let them = best(|| theirs(&[theirs_is, pattern], &files));
            highest = highest.max(us.peak);
            if how == "count" {
                let counted: u64 = them.said.lines().map(|l| l.parse::<u64>().unwrap()).sum();
                assert_eq!(us.said.trim(), counted.to_string(), "{name}: both find the same lines");
            } else {
                assert_eq!(us.bytes, them.bytes, "{name}: both give the same lines");
            }
            let first = us.first.map_or_else(|| "nothing".to_owned(), |s| format!("first {s:.3} s"));
            let _ = write!(
                line,
                " | {how} {:.2} s / rg {:.2} s = {:.2} ({:.2} s / {:.2} s by the clock{})",
                us.cpu,
                them.cpu,
                us.cpu / them.cpu,
                us.wall,
                them.wall,
                if how == "count" { String::new() } else { format!(", {first}") },
            );
        }
        let masked = best(|| ours(&[&["search"][..], asked].concat(), &files));
        println!("{line} | masked for the screen {:.2} s | peak {} MiB", masked.cpu, highest.max(masked.peak) >> 10);
    }
}
