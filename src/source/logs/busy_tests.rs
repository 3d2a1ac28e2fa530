//! A file that grows by thousands of lines between two looks and is rotated meanwhile: nothing is lost, nothing is
//! told twice, and what waits in memory is bounded. Counted in lines and bytes, not in seconds.

use super::*;
use crate::model::log::LogLine;
use crate::store::LogIndex;
use std::io::Write as _;

/// Twenty seconds of twenty thousand lines.
const LINES: u64 = 400_000;
/// Lines between two looks: a quarter of a second's, and every tenth time of a disk that was slow eight times as many.
const BETWEEN: u64 = 5_000;
/// Lines of a file before it is rotated.
const ROTATED: u64 = 90_000;
/// What the store may hold of lines here.
const BUDGET: usize = 4 << 20;

fn line(n: u64) -> String {
    format!(
        "{{\"time\":\"2025-01-12T19:{:02}:{:02}.{:03}+07:00\",\"level\":\"info\",\"service\":\"mrg-api-{}\",\"order_id\":\"ORD-{}\",\"msg\":\"callback {n} received from upg\"}}\n",
        n / 1_200_000,
        n / 20_000 % 60,
        n / 20 % 1_000,
        n % 4,
        n % 7_000
    )
}

/// Lines of the facts that wait, and what they hold in memory.
fn handed(desk: &mut Desk) -> Vec<LogLine> {
    let round = desk.hand_over();
    let mut out = Vec::new();
    for fact in round.facts {
        match fact {
            Fact::Lines(lines) => out.extend(lines),
            Fact::Loss(loss) => assert_eq!(loss.says.raw(), "", "nothing is lost"),
            _ => {}
        }
    }
    out
}

#[test]
fn a_file_of_twenty_thousand_lines_a_second_is_followed_across_rotations_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mrg.log");
    let mut config = LogConfig::usual("logs", &crate::model::Zone::wib());
    config.paths = vec![path.clone()];
    let mut file = std::fs::File::create(&path).unwrap();
    let mut desk = Desk::new(config, Stamp(0));
    let (mut index, mut seq) = (LogIndex::with_budget(BUDGET), 0);
    // Of the numbers of the lines, and of their squares: together they do not lie.
    let (mut came, mut sum, mut squares, mut most) = (0_u64, 0_u128, 0_u128, 0);
    let begin = clock::now();
    let mut look = |desk: &mut Desk, at: Lapse, index: &mut LogIndex| {
        desk.round(begin + at, begin + at);
        let lines = handed(desk);
        most = most.max(lines.len());
        for line in &lines {
            let n = line.message.raw().split(' ').nth(1).and_then(|n| n.parse::<u128>().ok()).unwrap();
            (came, sum, squares) = (came + 1, sum + n, squares + n * n);
        }
        seq += 1;
        let batch = Batch { source: "logs".into(), seq, seen: begin + at, facts: Vec::new() };
        index.take(&batch, 0, &lines);
        assert!(index.bytes() <= BUDGET, "{} bytes", index.bytes());
        (lines.len(), desk.more)
    };
    let (mut written, mut looks) = (0, 0_i64);
    while written < LINES {
        let until = LINES.min(written + if looks % 10 == 9 { BETWEEN * 8 } else { BETWEEN });
        let mut page = String::new();
        for n in written..until {
            page += &line(n);
            if (n + 1) % ROTATED == 0 {
                file.write_all(page.as_bytes()).unwrap();
                page.clear();
                std::fs::rename(&path, folder.path().join(format!("mrg.log.{}", n / ROTATED))).unwrap();
                file = std::fs::File::create(&path).unwrap();
            }
        }
        file.write_all(page.as_bytes()).unwrap();
        written = until;
        looks += 1;
        look(&mut desk, EVERY.times(looks), &mut index);
    }
    // What is left is read without waiting for more; the very last line waits for one quiet look.
    for _ in 0..50 {
        looks += 1;
        if look(&mut desk, EVERY.times(looks), &mut index) == (0, false) {
            break;
        }
    }
    let n = u128::from(LINES);
    assert_eq!(came, LINES, "every line came");
    assert_eq!((sum, squares), (n * (n - 1) / 2, (n - 1) * n * (2 * n - 1) / 6), "and came once");
    assert!(most <= MOST_LINES + BUDGET_LINES, "{most} lines at once");
    assert!(index.arrived() == LINES && index.bytes() > BUDGET / 2, "{}", index.bytes());
}

/// Lines that the bytes of one round may hold beyond the bound that is looked at between files.
const BUDGET_LINES: usize = super::BUDGET / 140;
