//! Damage is named with its place, and everything else is read.

use super::{busy, files, read, record, second, small};
use std::path::Path;
use warroom::model::Batch;
use warroom::recording::{Reader, Recorder};

fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let i = at(bytes.len());
    bytes[i] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_torn_end_is_nobodys_fault_and_is_cut_when_writing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..20).map(second).collect();
    drop(record(folder.path(), small(1 << 20), &batches));
    let open = &files(folder.path(), ".jsonl")[0];
    let whole = std::fs::read(open).unwrap();
    for torn in [1, 20, 60] {
        std::fs::write(open, &whole[..whole.len() - torn]).unwrap();
        assert_eq!(read(folder.path()), (batches[..19].to_vec(), vec![]), "{torn} bytes");
    }
    record(folder.path(), small(1 << 20), &[second(20)]).finish().unwrap();
    let expected: Vec<Batch> = (0..21).filter(|n| *n != 19).map(second).collect();
    assert_eq!(read(folder.path()), (expected, vec![]));
}

#[test]
fn a_flipped_bit_in_an_open_segment_costs_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..20).map(second).collect();
    drop(record(folder.path(), small(1 << 20), &batches));
    let open = &files(folder.path(), ".jsonl")[0];
    flip(open, |length| length / 2);
    let (got, damage) = read(folder.path());
    assert_eq!(got.len(), 19);
    assert!(got.iter().all(|b| batches.contains(b)));
    let [says] = &damage[..] else { panic!("{damage:?}") };
    assert!(says.starts_with("000001.jsonl, line 1") && says.contains("checksum"), "{says}");
    // Closed with the damage in it, it still says so.
    Recorder::open(folder.path(), small(1 << 20)).unwrap().finish().unwrap();
    assert_eq!(read(folder.path()).0, got);
    let (_, known) = Reader::open(folder.path()).unwrap();
    assert!(known[0].to_string().starts_with("000001.jsonl.gz, line 1"), "{known:?}");
}

#[test]
fn a_flipped_bit_in_a_closed_segment_costs_one_part_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..4000).flat_map(busy).collect();
    record(folder.path(), small(64 << 20), &batches).finish().unwrap();
    let closed = &files(folder.path(), ".gz")[0];
    let whole = std::fs::read(closed).unwrap();
    for place in [1, 3, 5, 7] {
        flip(closed, |length| length * place / 8);
        let (got, damage) = read(folder.path());
        assert!(got.len() >= batches.len() * 2 / 3 && got.len() <= batches.len(), "{} of {}", got.len(), batches.len());
        assert!(damage.iter().any(|d| d.starts_with("000001.jsonl.gz, byte ")), "{damage:?}");
        let mut rest = batches.iter();
        let odd = got.iter().position(|b| !rest.any(|r| r == b));
        assert_eq!(odd, None, "what is read is what was written, in order; {damage:?}");
        std::fs::write(closed, &whole).unwrap();
    }
    assert_eq!(read(folder.path()), (batches, vec![]));
}

#[test]
fn a_damaged_part_is_named_when_somebody_looks_there_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..4000).flat_map(busy).collect();
    record(folder.path(), small(64 << 20), &batches).finish().unwrap();
    flip(&files(folder.path(), ".gz")[0], |length| length / 2);
    let (reader, known) = Reader::open(folder.path()).unwrap();
    assert!(known.is_empty());
    let span = reader.span().unwrap();
    let first = reader.load(warroom::model::Span::new(span.from, span.from + warroom::model::Lapse::minutes(2)));
    assert_eq!((first.len(), reader.damage().len()), (3 * 120, 0));
    assert!(reader.load(span).len() < batches.len());
    assert_eq!(reader.damage().len(), 1, "{:?}", reader.damage());
}

#[test]
fn a_truncated_closed_segment_is_read_up_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..4000).flat_map(busy).collect();
    record(folder.path(), small(64 << 20), &batches).finish().unwrap();
    let closed = &files(folder.path(), ".gz")[0];
    let whole = std::fs::read(closed).unwrap();
    std::fs::write(closed, &whole[..whole.len() / 2]).unwrap();
    let (got, damage) = read(folder.path());
    assert!(got.len() > batches.len() / 4 && got.len() < batches.len());
    let odd = got.iter().zip(&batches).position(|(a, b)| a != b);
    assert_eq!(odd, None, "of {}; {damage:?}", got.len());
    assert!(damage.len() == 1 && damage[0].contains("byte"), "{damage:?}");
    // The index is of another file now: the roll-ups are made from what can be read.
    let (reader, _) = Reader::open(folder.path()).unwrap();
    assert_eq!(reader.overview().logs.arrived(), got.len() as u64 / 3);
}

#[test]
fn a_segment_that_was_taken_away_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<Batch> = (0..100).map(second).collect();
    record(folder.path(), small(2000), &batches).finish().unwrap();
    let closed = files(folder.path(), ".gz");
    std::fs::remove_file(&closed[1]).unwrap();
    std::fs::remove_file(&closed[2]).unwrap();
    let (_, damage) = Reader::open(folder.path()).unwrap();
    assert_eq!(damage[0].to_string(), "000002.jsonl: it and all up to 000003.jsonl are missing");
}
