//! A generated dump of JSON lines: the same bytes for everybody, about 215 of them a line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a line says.
pub fn message(n: u64) -> String {
    const SAID: [&str; 6] = [
        "payment request accepted",
        "no connection within 5000ms (in_use=20 max=20)",
        "callback received from upg",
        "circuit breaker opened for upg",
        "saga step RECORD done",
        "timeout waiting for upg response",
    ];
    format!("{} after {} ms", SAID[(n / 64 % 6) as usize], n % 9_000)
}

/// A number without a pattern.
pub fn odd(n: u64) -> u64 {
    n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33
}

/// Line `i`, with its newline; `at` is its time without the zone, to the millisecond.
pub fn line(i: u64, at: &str, out: &mut impl Write) -> io::Result<()> {
    const LEVELS: [&str; 5] = ["info", "info", "debug", "warn", "error"];
    let n = odd(i);
    writeln!(
        out,
        "{{\"time\":\"{at}+07:00\",\"level\":\"{}\",\"service\":\"mrg-api-{}\",\"order_id\":\"ORD-2025011200{:07}\",\"trace_id\":\"{i:016x}\",\"msg\":\"{}\",\"attempt\":{},\"node\":\"n{}\"}}",
        LEVELS[(n % 5) as usize],
        n / 16 % 4,
        n % 4_000_000,
        message(n),
        n % 5,
        n % 250
    )
}

/// A hundred lines a second of one evening.
pub fn write(lines: std::ops::Range<u64>, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    for i in lines {
        let (hour, minute, second) = (19 - i / 360_000 % 20, i / 6_000 % 60, i / 100 % 60);
        line(i, &format!("2025-01-12T{hour:02}:{minute:02}:{second:02}.{:03}", i % 1_000), &mut out)?;
    }
    out.flush()
}

/// The dump of `lines` lines in three files of a folder, made when it is not there yet.
pub fn three_files(folder: &Path, lines: u64) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let third = lines.div_ceil(3);
    let mut all = Vec::new();
    for part in 0..3 {
        let path = folder.join(format!("dump-{lines}-{part}.log"));
        if !path.exists() {
            let half = path.with_extension("half");
            write(part * third..lines.min((part + 1) * third), File::create(&half)?)?;
            std::fs::rename(&half, &path)?;
        }
        all.push(path);
    }
    Ok(all)
}
