//! `logs histogram`: lines by time and level, every file on a thread of its own.

use super::{Reading, grouped, remark, remark_cut};
use crate::cli;
use crate::config::value;
use crate::model::Lapse;
use crate::runtime::Ending;
use crate::runtime::start::print;
use crate::source::dump::{self, Histogram, LEVELS, Read};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cells of the longest bar.
const BAR: usize = 30;

pub(super) fn run(how: &cli::Histogram) -> Result<Ending, Ending> {
    let by = value::lapse(&how.by).map_err(|e| Ending::Refused(format!("--by: {e}")))?;
    if by < Lapse::millis(1) {
        return Err(Ending::Refused("--by is no length of time: write it like 1m".to_owned()));
    }
    let reading = Reading::of(&how.lines, how.pattern.as_deref())?;
    let (histogram, read) = count(&how.lines.files, &reading, by).map_err(Ending::Failed)?;
    remark_cut(read);
    if histogram.left_out > 0 {
        remark(&format!(
            "{} lines are left out, they stand in too many different stretches: use a longer --by",
            grouped(histogram.left_out)
        ));
    }
    let text = if how.json { machine(&histogram, &reading, read) } else { table(&histogram, &reading, how) };
    Ok(print(&text))
}

/// Counts all files, as many at once as there are processors.
fn count(files: &[std::path::PathBuf], reading: &Reading, by: Lapse) -> Result<(Histogram, Read), String> {
    let next = AtomicUsize::new(0);
    let empty = Histogram::new(by, &reading.zone);
    let all = Mutex::new(Ok((empty.clone(), Read::default())));
    let work = || {
        loop {
            let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let mut one = empty.clone();
            let read =
                dump::histogram(Path::new(file), &reading.ask, &reading.glancer, reading.near, &mut one, || true);
            let mut all = all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (&mut *all, read) {
                (Ok((known, sum)), Ok(read)) => {
                    known.merge(one);
                    *sum += read;
                }
                (all @ Ok(_), Err(says)) => {
                    *all = Err(says);
                    // One sentence is enough; the rest is not begun.
                    next.store(files.len(), Ordering::Relaxed);
                }
                (Err(_), _) => {}
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(files.len());
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn table(histogram: &Histogram, reading: &Reading, how: &cli::Histogram) -> String {
    let zone = &reading.zone;
    let rows: Vec<_> = histogram.buckets().map(|(at, n)| (at, *n, n.iter().sum::<u64>())).collect();
    let total: u64 = rows.iter().map(|r| r.2).sum();
    let files = how.lines.files.len();
    let mut out = format!(
        "{} lines with a time, every line of {files} file{} counted, by {}, {} (UTC{})\n",
        grouped(total),
        if files == 1 { "" } else { "s" },
        how.by,
        zone.name,
        zone.format(crate::model::Stamp(0), "%:z"),
    );
    let columns: Vec<usize> = (0..6).filter(|i| rows.iter().any(|r| r.1[*i] > 0)).collect();
    if !rows.is_empty() {
        let _ = write!(out, "\n{:<19} {:>11}", "from", "lines");
        for i in &columns {
            let _ = write!(out, " {:>11}", word(*i));
        }
        out.push('\n');
    }
    let most = rows.iter().map(|r| r.2).max().unwrap_or(1).max(1);
    let mut before: Option<crate::model::Stamp> = None;
    for (at, counts, sum) in &rows {
        if before.is_some_and(|b| at.since(b) > histogram.by()) {
            let _ = writeln!(out, "{:<19} {:>11}", "…", "no line");
        }
        before = Some(*at);
        let _ = write!(out, "{} {:>11}", zone.format(*at, "%Y-%m-%d %H:%M:%S"), grouped(*sum));
        for i in &columns {
            let _ = write!(out, " {:>11}", if counts[*i] > 0 { grouped(counts[*i]) } else { "–".to_owned() });
        }
        let cells = (*sum as f64 / most as f64 * BAR as f64).ceil() as usize;
        let _ = writeln!(out, "  {}", "#".repeat(cells));
    }
    let _ = write!(out, "{}", if rows.is_empty() { "" } else { "\n" });
    if histogram.untimed > 0 {
        let _ = writeln!(
            out,
            "{} lines have no time of their own (stack traces, continued text) and are not counted above",
            grouped(histogram.untimed)
        );
    }
    if histogram.late > 0 {
        let _ = writeln!(
            out,
            "{} lines stand behind a later one in their file; they are counted at their own time",
            grouped(histogram.late)
        );
    }
    out
}

fn machine(histogram: &Histogram, reading: &Reading, read: Read) -> String {
    let buckets: Vec<Value> = histogram
        .buckets()
        .map(|(at, counts)| {
            let mut row = Map::new();
            row.insert("from".to_owned(), reading.zone.format(at, "%Y-%m-%dT%H:%M:%S%.f%:z").into());
            row.insert("lines".to_owned(), counts.iter().sum::<u64>().into());
            for (i, n) in counts.iter().enumerate() {
                row.insert(word(i).to_owned(), (*n).into());
            }
            Value::Object(row)
        })
        .collect();
    let all = json!({
        "by_seconds": histogram.by().as_secs_f64(),
        "buckets": buckets,
        "without_time": histogram.untimed,
        "out_of_order": histogram.late,
        "left_out": histogram.left_out,
        "bytes": read.bytes,
        "cut_lines": read.cut,
    });
    format!("{all:#}\n")
}

const fn word(level: usize) -> &'static str {
    use crate::model::log::Level;
    match LEVELS[level] {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}
