//! Exports as they come: separators, names, local times, money as people write it, broken and half rows.

use super::*;
use crate::model::order::{Role, Rows};
use std::collections::BTreeMap;
use std::io::Write as _;

fn query(zone: Option<Zone>) -> QueryConfig {
    let map = [("ho_ref", "REF_NO"), ("upg_ref", "UPG"), ("recorded_at", "POSTED"), ("amount", "Nilai")];
    let map: BTreeMap<String, String> = map.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    QueryConfig { zone, map, ..QueryConfig::new(Role::HoPayments, "ho.csv", "") }
}

/// Reference, amount and second of a record.
type Told = (String, Option<i64>, i64);

fn read_as(name: &str, text: &[u8], query: &QueryConfig, quiet: bool) -> (Result<Found, Unread>, Vec<Told>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let mut out = Vec::new();
    let found = read(&path, query, quiet, &mut |piece| {
        let Rows::HoPayments(rows) = piece.rows else { unreachable!() };
        out.extend(rows.into_iter().map(|h| (h.ho_ref.to_string(), h.amount, h.recorded_at.0 / 1_000_000)));
        true
    });
    (found, out)
}

const NOON: i64 = 1_736_658_000; // 2025-01-12 12:00 WIB

#[test]
fn money_is_read_as_people_write_it_and_never_guessed() {
    for (text, value) in [
        ("412500", Some(412_500)),
        ("412.500", Some(412_500)),
        ("1,412,500.00", Some(1_412_500)),
        ("Rp 412.500,-", Some(412_500)),
        ("Rp. 1.412.500,00", Some(1_412_500)),
        ("-5.000", Some(-5_000)),
        ("0", Some(0)),
        ("412.5", None),
        ("412500.50", None),
        ("4125.000", None),
        ("1.41.500", None),
        ("", None),
        ("free", None),
        ("12.", None),
    ] {
        assert_eq!(rupiah(text), value, "{text}");
    }
}

#[test]
fn a_csv_with_their_names_semicolons_and_local_times_is_read() {
    let text = "\u{feff}Ref_No;UPG;Nilai;POSTED;x\nH1;U1;412.500;2025-01-12 12:00:00;\nH2;\"U;2\";7;12/01/2025 12:01;y\nH3;U3;NULL;2025-01-12T05:02:00Z;\n";
    let (found, rows) = read_as("ho.csv", text.as_bytes(), &query(Some(Zone::wib())), false);
    let found = found.unwrap();
    assert_eq!(
        rows,
        [
            ("H1".to_owned(), Some(412_500), NOON),
            ("H2".to_owned(), Some(7), NOON + 60),
            ("H3".to_owned(), None, NOON + 120),
        ]
    );
    assert_eq!((found.rows, found.broken, found.left_last), (3, 0, false));
    let span = found.span.unwrap();
    assert_eq!((span.from.0, span.to.0), (NOON * 1_000_000, (NOON + 120) * 1_000_000 + 1));
}

#[test]
fn broken_rows_are_counted_with_their_line_and_the_others_are_used() {
    let text = "REF_NO,UPG,Nilai,POSTED\nH1,U1,412.5,2025-01-12 12:00:00\nH2,U2,5\nH3,U3,5,2025-01-12 12:00:00\n";
    let (found, rows) = read_as("ho.csv", text.as_bytes(), &query(Some(Zone::wib())), false);
    let found = found.unwrap();
    assert_eq!((rows.len(), found.rows, found.broken), (1, 1, 2));
    let (line, fault) = found.first.unwrap();
    assert_eq!(line, 2);
    assert!(fault.says.contains("\"412.5\" is not a whole number of rupiah"), "{}", fault.says);
}

#[test]
fn a_half_written_last_line_waits_until_the_file_is_quiet() {
    let text = "REF_NO,UPG,Nilai,POSTED\nH1,U1,5,2025-01-12 12:00:00\nH2,U2,412500,2025-01-12 12:0";
    let (found, rows) = read_as("ho.csv", text.as_bytes(), &query(Some(Zone::wib())), false);
    let found = found.unwrap();
    assert_eq!((rows.len(), found.broken, found.left_last), (1, 0, true));
    let whole = format!("{text}0:00");
    let (found, rows) = read_as("ho.csv", whole.as_bytes(), &query(Some(Zone::wib())), true);
    assert_eq!((found.unwrap().left_last, rows.len()), (false, 2));
}

#[test]
fn lines_of_json_and_gzip_are_read_the_same() {
    let text = "{\"REF_NO\":\"H1\",\"UPG\":\"U1\",\"Nilai\":412500,\"POSTED\":\"2025-01-12T12:00:00+07:00\"}\n\n{\"REF_NO\":\"H2\"\n";
    let (found, rows) = read_as("ho.jsonl", text.as_bytes(), &query(None), false);
    let found = found.unwrap();
    assert_eq!(rows, [("H1".to_owned(), Some(412_500), NOON)]);
    assert_eq!((found.broken, found.first.unwrap().0), (1, 3));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let (_, rows) = read_as("ho.jsonl.gz", &packed.finish().unwrap(), &query(None), false);
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_line_or_row_without_end_is_said_and_fills_no_memory() {
    let row = |n| format!("{{\"REF_NO\":\"H{n}\",\"Nilai\":5,\"POSTED\":\"2025-01-12T12:00:00+07:00\"}}\n");
    let text = format!("{}{{\"REF_NO\":\"{}\"}}\n{}", row(1), "x".repeat(3 * LONGEST), row(2));
    let (found, rows) = read_as("ho.jsonl", text.as_bytes(), &query(None), false);
    let found = found.unwrap();
    assert_eq!((rows.len(), found.broken), (2, 1), "the rest goes on");
    let (line, fault) = found.first.unwrap();
    assert!(line == 2 && fault.says == "it is longer than 1024 KiB", "{line}: {}", fault.says);
    // While somebody may still be writing it, it is only not there yet.
    let half = format!("{}{{\"REF_NO\":\"{}", row(1), "x".repeat(3 * LONGEST));
    let (found, rows) = read_as("ho.jsonl", half.as_bytes(), &query(None), false);
    let found = found.unwrap();
    assert_eq!((rows.len(), found.broken, found.left_last), (1, 0, true));

    let row = "H1,U1,5,2025-01-12T12:00:00+07:00\n";
    let text = format!("REF_NO,UPG,Nilai,POSTED\n{row}H2,\"U2,5,2025-01-12T12:00:00+07:00\n{}", row.repeat(100_000));
    let (found, rows) = read_as("ho.csv", text.as_bytes(), &query(None), false);
    let found = found.unwrap();
    assert_eq!((rows.len(), found.broken), (1, 1));
    let (line, fault) = found.first.unwrap();
    assert!(line == 3 && fault.says.contains("does not end within 1024 KiB"), "{line}: {}", fault.says);
}

#[test]
fn times_without_a_zone_and_missing_columns_are_refused_with_the_remedy() {
    let text = "REF_NO,UPG,Nilai,POSTED\nH1,U1,5,2025-01-12 12:00:00\nH2,U2,5,2025-01-12 12:00:00+07\n";
    let (found, rows) = read_as("ho.csv", text.as_bytes(), &query(None), false);
    let fault = found.unwrap().first.unwrap().1;
    assert!(fault.says.contains("time without a zone") && fault.remedy.contains("zone = "), "{fault:?}");
    assert_eq!(rows, [("H2".to_owned(), Some(5), NOON)]);
    let (found, _) = read_as("ho.csv", b"REF_NO,UPG,POSTED\n", &query(None), false);
    let Err(Unread::Fault(fault)) = found else { unreachable!() };
    assert!(fault.says.contains("no column Nilai; it has posted, ref_no, upg"), "{}", fault.says);
    assert!(fault.remedy.contains("map = { amount"), "{}", fault.remedy);
}

#[test]
fn a_large_file_comes_in_pieces_and_stops_when_nobody_listens() {
    use std::fmt::Write as _;
    let mut text = "REF_NO,UPG,Nilai,POSTED\n".to_owned();
    for i in 0..10_001 {
        writeln!(text, "H{i},U{i},5,2025-01-12T12:00:00+07:00").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ho.csv");
    std::fs::write(&path, &text).unwrap();
    let mut pieces = Vec::new();
    read(&path, &query(None), true, &mut |piece| {
        pieces.push(piece.keys.len());
        true
    })
    .unwrap();
    assert_eq!(pieces, [2_000, 2_000, 2_000, 2_000, 2_000, 1]);
    let mut once = 0;
    read(&path, &query(None), true, &mut |_| {
        once += 1;
        false
    })
    .unwrap();
    assert_eq!(once, 1);
}
