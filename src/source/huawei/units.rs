//! Units as the metric service writes them, turned into ours: which one, and by how much a value grows.
//!
//! The service's lists and answers are not of one hand (`Count/s`, `count/s`, `bytes/s`, `KiB/s`, `Mbit/s`),
//! so words are read generously; one that is not known stays what it is, and so do its values.

use crate::model::series::Unit;

/// What a unit word means here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Ours.
    pub unit: Unit,
    /// What a value is multiplied by.
    pub scale: f64,
}

const KI: f64 = 1024.0;

/// The meaning of a unit word; none when it is not one of ours. An empty word is no unit.
pub fn meaning(word: &str) -> Option<Meaning> {
    let word = word.trim();
    let (amount, per) = match word.split_once('/') {
        Some((amount, per)) => (amount.trim(), Some(per.trim())),
        None => (word, None),
    };
    let of = |unit, scale| Some(Meaning { unit, scale });
    let each = match per.map(str::to_ascii_lowercase).as_deref() {
        None => return plain(amount),
        Some("s" | "sec" | "second") => 1.0,
        Some("min" | "m" | "minute") => 60.0,
        Some(_) => return None,
    };
    if let Some(bytes) = bytes(amount) {
        return of(Unit::BytesPerSecond, bytes / each);
    }
    match amount.to_ascii_lowercase().as_str() {
        "" | "count" | "counts" | "times" | "request" | "requests" | "query" | "queries" | "transaction"
        | "transactions" | "packet" | "packets" | "message" | "messages" | "row" | "rows" | "io" | "pcs" => {
            if each > 1.0 { of(Unit::PerMinute, 1.0) } else { of(Unit::PerSecond, 1.0) }
        }
        _ => None,
    }
}

/// Units that are no rate.
fn plain(word: &str) -> Option<Meaning> {
    let of = |unit, scale| Some(Meaning { unit, scale });
    if let Some(scale) = bytes(word) {
        return of(Unit::Bytes, scale);
    }
    match word.to_ascii_lowercase().as_str() {
        "%" | "percent" => of(Unit::Percent, 1.0),
        "count" | "counts" | "times" | "time" | "pcs" | "messages" | "packets" | "connections" => of(Unit::Count, 1.0),
        "ns" => of(Unit::Seconds, 1e-9),
        "us" | "µs" | "μs" => of(Unit::Seconds, 1e-6),
        "ms" | "millisecond" | "milliseconds" => of(Unit::Seconds, 1e-3),
        "s" | "sec" | "second" | "seconds" => of(Unit::Seconds, 1.0),
        "min" | "minute" | "minutes" => of(Unit::Seconds, 60.0),
        "h" | "hour" | "hours" => of(Unit::Seconds, 3600.0),
        "day" | "days" => of(Unit::Seconds, 86_400.0),
        "pps" | "qps" | "tps" | "iops" => of(Unit::PerSecond, 1.0),
        "bps" => of(Unit::BytesPerSecond, 1.0 / 8.0),
        _ => None,
    }
}

/// Bytes in one of an amount of data. Here the case counts: `Mb` is bits, `MB` is bytes; multiples of bytes
/// are of 1024 as the service's conversion rules say, multiples of bits of 1000.
fn bytes(word: &str) -> Option<f64> {
    Some(match word {
        "bit" | "bits" | "Bit" | "b" => 1.0 / 8.0,
        "kbit" | "Kbit" | "kb" | "Kb" => 1e3 / 8.0,
        "Mbit" | "mbit" | "Mb" => 1e6 / 8.0,
        "Gbit" | "gbit" | "Gb" => 1e9 / 8.0,
        "B" | "byte" | "bytes" | "Byte" | "Bytes" => 1.0,
        "KB" | "kB" | "KiB" | "kbyte" | "Kbyte" => KI,
        "MB" | "MiB" | "mbyte" | "Mbyte" => KI * KI,
        "GB" | "GiB" => KI * KI * KI,
        "TB" | "TiB" => KI * KI * KI * KI,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_services_has_its_unit_and_scale() {
        let table = [
            ("%", Unit::Percent, 1.0),
            ("Count", Unit::Count, 1.0),
            ("count", Unit::Count, 1.0),
            ("Count/s", Unit::PerSecond, 1.0),
            ("count/s", Unit::PerSecond, 1.0),
            ("Requests/s", Unit::PerSecond, 1.0),
            ("counts/min", Unit::PerMinute, 1.0),
            ("ms", Unit::Seconds, 1e-3),
            ("us", Unit::Seconds, 1e-6),
            ("s", Unit::Seconds, 1.0),
            ("byte", Unit::Bytes, 1.0),
            ("KB", Unit::Bytes, 1024.0),
            ("MB", Unit::Bytes, 1_048_576.0),
            ("GB", Unit::Bytes, 1_073_741_824.0),
            ("byte/s", Unit::BytesPerSecond, 1.0),
            ("bytes/s", Unit::BytesPerSecond, 1.0),
            ("KiB/s", Unit::BytesPerSecond, 1024.0),
            ("MB/s", Unit::BytesPerSecond, 1_048_576.0),
            ("bit/s", Unit::BytesPerSecond, 0.125),
            ("Mbit/s", Unit::BytesPerSecond, 125_000.0),
            ("pps", Unit::PerSecond, 1.0),
        ];
        for (word, unit, scale) in table {
            let got = meaning(word).unwrap_or_else(|| panic!("{word} is not known"));
            assert_eq!(got.unit, unit, "{word}");
            assert!((got.scale - scale).abs() <= scale * 1e-12, "{word}: {}", got.scale);
        }
    }

    #[test]
    fn bits_and_bytes_are_told_apart_by_their_case() {
        assert_eq!(meaning("Mb/s").map(|m| m.scale), Some(125_000.0));
        assert_eq!(meaning("MB/s").map(|m| m.scale), Some(1_048_576.0));
    }

    #[test]
    fn a_word_that_is_not_known_has_no_meaning() {
        for word in ["", "furlong", "Count/fortnight", "°C", "/", "%/s"] {
            let got = meaning(word);
            assert!(got.is_none() || word == "/", "{word}: {got:?}");
        }
    }
}
