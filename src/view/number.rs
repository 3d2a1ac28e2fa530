//! Numbers as people read them here: a unit on each, a decimal point, a comma between thousands, and money
//! in rupiah with sums in `jt` (juta, a million; never `M`, which an Indonesian reader takes for miliar).
//!
//! Ages are coarse on purpose: a screen that stands still must send nothing when only the clock moves.

use crate::model::Lapse;
use crate::model::series::{Lane, Unit};

/// Nothing known, or not applicable. Zero is `0` and was measured.
pub const NOTHING: &str = "–";

/// A value with its unit, at most eight cells for any value that occurs in practice.
pub fn value(unit: Unit, v: f64) -> String {
    match unit {
        Unit::Count => count(v.round() as i64),
        Unit::Users => users(v),
        Unit::PerSecond => format!("{}/s", rate(v)),
        Unit::PerMinute => format!("{}/m", rate(v)),
        Unit::Percent => percent(v),
        Unit::Seconds => seconds(v),
        Unit::Bytes => bytes(v),
        Unit::BytesPerSecond => format!("{}/s", bytes(v)),
        Unit::Rupiah => rupiah_sum(v.round() as i64),
    }
}

/// A value as its lane writes it: shares of a pool are whole, shares near their top are not.
pub fn of_lane(lane: &Lane, v: f64) -> String {
    if lane.unit == Unit::Percent && lane.ceiling.is_some_and(|c| c >= 100.0) && lane.floor <= 0.0 {
        return format!("{v:.0} %");
    }
    value(lane.unit, v)
}

/// The digits and the unit of a written value apart, for big numbers: `31.2` and `k`.
pub fn split(whole: &str) -> (String, String) {
    let end = whole.rfind(|c: char| c.is_ascii_digit()).map_or(0, |i| i + 1);
    let (digits, rest) = whole.split_at(end);
    (digits.trim_start_matches("Rp ").to_owned(), rest.trim().to_owned())
}

/// `1,284`.
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 3);
    if n < 0 {
        out.push('−');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `842`, `31.2k`, `1,204k`.
pub fn users(v: f64) -> String {
    let k = v / 1000.0;
    if v.abs() < 1000.0 {
        count(v.round() as i64)
    } else if k.abs() < 999.95 {
        format!("{k:.1}k")
    } else {
        format!("{}k", count(k.round() as i64))
    }
}

fn rate(v: f64) -> String {
    if v != 0.0 && v.abs() < 9.95 && (v - v.round()).abs() > 0.049 {
        format!("{v:.1}")
    } else {
        count(v.round() as i64)
    }
}

/// `14.2 %`, `0.3 %`, `100 %`, `0 %`.
pub fn percent(v: f64) -> String {
    if v.abs() >= 99.95 || v == 0.0 { format!("{v:.0} %") } else { format!("{v:.1} %") }
}

/// `4 ms` below a tenth of a second, `0.61 s`, `12.4 s`, then as [`duration`].
pub fn seconds(v: f64) -> String {
    match v.abs() {
        0.0 => "0 s".to_owned(),
        a if a < 0.000_95 => format!("{v:.1} ms", v = v * 1e3),
        a if a < 0.0995 => format!("{:.0} ms", v * 1e3),
        a if a < 9.995 => format!("{v:.2} s"),
        a if a < 59.95 => format!("{v:.1} s"),
        _ => duration(Lapse((v * 1e6) as i64)),
    }
}

/// A length of time in a table: `4 ms`, `0.61 s`, `51s`, `1m17s`, `80m`, `2h05m`, `3d04h`.
pub fn duration(l: Lapse) -> String {
    let s = l.whole_seconds().abs();
    let sign = if l.0 < 0 { "−" } else { "" };
    match s {
        0..=9 => seconds(l.as_secs_f64()).replace('-', "−"),
        10..=59 => format!("{sign}{s}s"),
        60..=3599 => format!("{sign}{}m{:02}s", s / 60, s % 60),
        3600..=5999 => format!("{sign}{}m", s / 60),
        6000..=86_399 => format!("{sign}{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{sign}{}d{:02}h", s / 86_400, s / 3600 % 24),
    }
}

/// A length of time in a sentence: `26 min`, `2 h`, `1 h 20 m`, `45 s`.
pub fn span(l: Lapse) -> String {
    let s = l.whole_seconds().abs();
    match (s, s / 3600, s / 60 % 60) {
        (0..=59, ..) => format!("{s} s"),
        (60..=3599, ..) if s % 60 == 0 || s >= 600 => format!("{} min", s / 60),
        (60..=3599, ..) => format!("{} min {} s", s / 60, s % 60),
        (_, h, 0) if h < 48 => format!("{h} h"),
        (_, h, m) if h < 48 => format!("{h} h {m} m"),
        (_, h, _) => format!("{} days", h / 24),
    }
}

/// How long ago, in a table: `4s`, `2m`, `1h`. Steps of five and ten seconds below a minute, so that the
/// cell changes rarely; a future instant (a clock that runs ahead) is `0s`.
pub fn age(l: Lapse) -> String {
    match coarse(l) {
        s @ 0..=59 => format!("{s}s"),
        s @ 60..=5999 => format!("{}m", s / 60),
        // Of an hour and 50 minutes no whole hour is lost, or it would look younger than 98 minutes.
        s @ 6000..=35_999 => format!("{}h{:02}", s / 3600, s % 3600 / 60),
        s @ 36_000..=172_799 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

/// How long ago, in words: `8 s ago` rounded down to steps, `2 min ago`, `just now`.
pub fn ago(l: Lapse) -> String {
    match coarse(l) {
        0 => "just now".to_owned(),
        s @ 1..=59 => format!("{s} s ago"),
        s @ 60..=5999 => format!("{} min ago", s / 60),
        s @ 6000..=172_799 => format!("{} h ago", s / 3600),
        s => format!("{} days ago", s / 86_400),
    }
}

fn coarse(l: Lapse) -> i64 {
    match l.whole_seconds().max(0) {
        s @ 0..=29 => s / 5 * 5,
        s @ 30..=59 => s / 10 * 10,
        s => s,
    }
}

/// Time since the onset: `+7 m`, `+1 h 05 m`; below two minutes with seconds.
pub fn after(l: Lapse) -> String {
    let s = l.whole_seconds();
    let (sign, s) = if s < 0 { ('−', -s) } else { ('+', s) };
    if s < 6000 { format!("{sign}{} m", s / 60) } else { format!("{sign}{} h {:02} m", s / 3600, s / 60 % 60) }
}

/// `T+01:28`, hours and minutes since the onset; days are counted in hours.
pub fn t_plus(l: Lapse) -> String {
    let m = l.whole_seconds().abs() / 60;
    format!("T{}{:02}:{:02}", if l.0 < 0 { '−' } else { '+' }, m / 60, m % 60)
}

/// One amount in full: `Rp 412,500`.
pub fn rupiah(n: i64) -> String {
    format!("Rp {}", count(n))
}

/// A sum: `Rp 237.5 jt` from a million on, else in full.
pub fn rupiah_sum(n: i64) -> String {
    if n.unsigned_abs() < 1_000_000 { rupiah(n) } else { format!("Rp {}", juta(n)) }
}

/// A sum in millions: `237.5 jt`.
pub fn juta(n: i64) -> String {
    let tenths = (n as f64 / 100_000.0).round() as i64;
    format!("{}.{} jt", count(tenths / 10), tenths.unsigned_abs() % 10)
}

/// `84 KiB`, `214 MiB`.
pub fn bytes(v: f64) -> String {
    let mut v = v;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if v.abs() < 1023.5 {
            return if v >= 99.5 || unit == "B" || (v - v.round()).abs() < 0.05 {
                format!("{v:.0} {unit}")
            } else {
                format!("{v:.1} {unit}")
            };
        }
        v /= 1024.0;
    }
    format!("{v:.1} TiB")
}

/// A score with its sign spelt for the eye: `10.8`, `−1.6`.
pub fn score(v: f64) -> String {
    format!("{v:.1}").replace('-', "−").replace("−0.0", "0.0")
}

/// `2.7×`; large factors without decimals.
pub fn times(v: f64) -> String {
    if v.abs() < 9.95 { format!("{v:.1}×") } else { format!("{}×", count(v.round() as i64)) }
}

/// `1 order`, `1,284 orders`.
pub fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as i64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_unit_is_written_as_the_war_room_speaks() {
        let said = [
            value(Unit::Users, 31_240.0),
            value(Unit::Users, 842.0),
            value(Unit::Count, 1284.0),
            value(Unit::PerSecond, 462.0),
            value(Unit::PerMinute, 0.5),
            value(Unit::Percent, 14.2),
            value(Unit::Percent, 99.97),
            value(Unit::Seconds, 0.004),
            value(Unit::Seconds, 0.61),
            value(Unit::Seconds, 77.0),
            value(Unit::Rupiah, 237_500_000.0),
        ];
        assert_eq!(
            said,
            ["31.2k", "842", "1,284", "462/s", "0.5/m", "14.2 %", "100 %", "4 ms", "0.61 s", "1m17s", "Rp 237.5 jt"]
        );
    }

    #[test]
    fn lengths_of_time_change_their_unit_where_people_do() {
        let said = [4, 51, 77, 4800, 7500].map(|s| duration(Lapse::seconds(s)));
        assert_eq!(said, ["4.00 s", "51s", "1m17s", "80m", "2h05m"]);
        assert_eq!(span(Lapse::minutes(80)), "1 h 20 m");
        assert_eq!(span(Lapse::hours(2)), "2 h");
        assert_eq!(t_plus(Lapse::minutes(88)), "T+01:28");
        assert_eq!(after(Lapse::minutes(7)), "+7 m");
    }

    #[test]
    fn an_age_changes_a_dozen_times_in_its_first_minute_not_sixty() {
        let ages: std::collections::BTreeSet<_> = (0..60).map(|s| age(Lapse::seconds(s))).collect();
        assert!(ages.len() <= 9, "{ages:?}");
    }

    #[test]
    fn a_big_number_is_split_into_digits_and_unit() {
        assert_eq!(split("31.2k"), ("31.2".to_owned(), "k".to_owned()));
        assert_eq!(split("1,284"), ("1,284".to_owned(), String::new()));
        assert_eq!(split("0.4 %"), ("0.4".to_owned(), "%".to_owned()));
    }

    proptest! {
        #[test]
        fn any_number_can_be_written(v in proptest::num::f64::ANY, n in any::<i64>()) {
            for unit in [Unit::Count, Unit::Users, Unit::PerSecond, Unit::PerMinute, Unit::Percent, Unit::Seconds,
                         Unit::BytesPerSecond, Unit::Rupiah] {
                prop_assert!(!value(unit, v).is_empty());
            }
            let l = Lapse(n);
            prop_assert!(![duration(l), span(l), age(l), ago(l), after(l), t_plus(l), juta(n)].iter().any(String::is_empty));
        }
        #[test]
        fn the_comma_stands_before_every_third_digit(n in any::<i32>()) {
            let back: i64 = count(i64::from(n)).replace(',', "").replace('−', "-").parse().unwrap();
            prop_assert_eq!(back, i64::from(n));
        }
    }
}
