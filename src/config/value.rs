//! The values of the configuration that TOML has no type for: durations, sizes, zones, instants.
//! Each says in its error what it should look like.

use crate::model::{Lapse, Stamp, Zone};

/// `15s`, `3m`, `200ms`, `2h`, `1h30m`.
pub fn lapse(text: &str) -> Result<Lapse, String> {
    Lapse::parse(text)
        .ok_or_else(|| format!("\"{text}\" is no duration: write it like \"15s\", \"3m\", \"200ms\" or \"2h\""))
}

/// `512MiB`, `1GiB`, `64 kB`, `1000`.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no size: write it like \"256MiB\" or \"1GiB\"");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let one: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "kib" => 1 << 10,
        "mb" => 1_000_000,
        "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let n: u64 = number.parse().map_err(|_| wrong())?;
    n.checked_mul(one).ok_or_else(wrong)
}

/// Places without summer time whose zone can be given by name; others are given by offset, because the
/// program carries no zone database.
const ZONES: [(&str, &str, i32); 12] = [
    ("wib", "WIB", 7),
    ("asia/jakarta", "WIB", 7),
    ("asia/pontianak", "WIB", 7),
    ("wita", "WITA", 8),
    ("asia/makassar", "WITA", 8),
    ("wit", "WIT", 9),
    ("asia/jayapura", "WIT", 9),
    ("asia/singapore", "SGT", 8),
    ("asia/bangkok", "ICT", 7),
    ("utc", "UTC", 0),
    ("z", "UTC", 0),
    ("etc/utc", "UTC", 0),
];

/// `WIB`, `Asia/Makassar`, `UTC`, `+07:00`.
pub fn zone(text: &str) -> Result<Zone, String> {
    let key = text.trim().to_ascii_lowercase();
    if let Some((_, name, hours)) = ZONES.iter().find(|(k, ..)| *k == key) {
        return Ok(Zone { name: (*name).to_owned(), east: hours * 3600 });
    }
    offset(&key).map(|east| named_offset(text.trim(), east)).ok_or_else(|| {
        format!("\"{text}\" is no zone known here: write WIB, WITA, WIT, UTC, Asia/Jakarta or an offset like +07:00")
    })
}

fn named_offset(text: &str, east: i32) -> Zone {
    let known = ZONES.iter().find(|(key, name, hours)| hours * 3600 == east && *key == name.to_ascii_lowercase());
    // A name has five cells in the header; +07:00 is six and means WIB, +05:30 keeps its sign and digits.
    let name = known.map_or_else(|| text.replace(':', ""), |(_, name, _)| (*name).to_owned());
    Zone { name, east }
}

fn offset(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// RFC 3339 with its zone.
pub fn stamp(text: &str) -> Result<Stamp, String> {
    Stamp::parse_rfc3339(text)
        .ok_or_else(|| format!("\"{text}\" is no instant: write date, time and zone, like 2025-01-12T18:45:00+07:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        assert_eq!(lapse("15s"), Ok(Lapse::seconds(15)));
        assert_eq!(lapse("200ms"), Ok(Lapse::millis(200)));
        assert_eq!(lapse("1h30m"), Ok(Lapse::minutes(90)));
        for wrong in ["", "15", "s", "1.5s", "-3s", "3 weeks", "99999999999999999999s"] {
            assert!(lapse(wrong).is_err_and(|e| e.contains("15s")), "{wrong}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("1 GB"), Ok(1_000_000_000));
        assert_eq!(size("1000"), Ok(1000));
        assert!(size("lots").is_err() && size("99999999999GiB").is_err());
    }

    #[test]
    fn zones_by_name_and_by_offset() {
        for (text, name, hours) in
            [("WIB", "WIB", 7), ("Asia/Jayapura", "WIT", 9), ("utc", "UTC", 0), ("+0700", "WIB", 7)]
        {
            assert_eq!(zone(text), Ok(Zone { name: name.into(), east: hours * 3600 }), "{text}");
        }
        assert_eq!(zone("-03:30"), Ok(Zone { name: "-0330".into(), east: -12_600 }));
        assert!(zone("Mars/Olympus").is_err() && zone("+7").is_err() && zone("+25:00").is_err());
    }

    #[test]
    fn an_instant_without_its_zone_is_refused() {
        assert!(stamp("2025-01-12T18:45:00").is_err_and(|e| e.contains("+07:00")));
        assert!(stamp("2025-01-12T18:45:00+07:00").is_ok());
    }
}
