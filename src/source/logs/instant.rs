//! The many ways a log line says when it was written.
//!
//! A time without a zone is taken in the configured one; a date without a year is the last such date
//! before `near`, the moment of reading.

use crate::model::{Lapse, Stamp, Zone};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use regex::Regex;

/// Reads times.
#[derive(Clone, Debug)]
pub struct Instants {
    zone: Zone,
    custom: Option<String>,
    iso: Regex,
    syslog: Regex,
    glog: Regex,
    epoch: Regex,
}

impl Instants {
    /// For times that carry no zone, `zone`; `custom` is a `strftime` pattern tried first.
    pub fn new(zone: Zone, custom: Option<String>) -> Result<Self, regex::Error> {
        Ok(Self {
            zone,
            custom,
            iso: Regex::new(
                r"^\W{0,2}(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|[+-]\d\d:?(?:\d\d)?))?",
            )?,
            syslog: Regex::new(r"^\W{0,2}([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?")?,
            glog: Regex::new(r"^([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})")?,
            epoch: Regex::new(r"^(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?(?:\s|$)")?,
        })
    }

    /// The time at the head of a line, and how many bytes it takes.
    pub fn at_head(&self, line: &str, near: Stamp) -> Option<(Stamp, usize)> {
        self.custom(line)
            .or_else(|| self.iso(line))
            .or_else(|| self.glog(line, near))
            .or_else(|| self.syslog(line, near))
            .or_else(|| self.epoch(line))
    }

    /// The time in a field of its own.
    pub fn of_text(&self, text: &str, near: Stamp) -> Option<Stamp> {
        self.at_head(text.trim(), near).map(|(at, _)| at)
    }

    /// The time as a number: seconds, milli-, micro- or nanoseconds since the epoch, told by its size.
    pub fn of_number(value: f64) -> Option<Stamp> {
        let micros = match value {
            v if !(1e8..1e20).contains(&v) => return None,
            v if v < 1e11 => v * 1e6,
            v if v < 1e14 => v * 1e3,
            v if v < 1e17 => v,
            v => v / 1e3,
        };
        Some(Stamp(micros as i64))
    }

    fn zoned(&self, naive: NaiveDateTime) -> Stamp {
        Stamp(naive.and_utc().timestamp_micros()) - Lapse::seconds(i64::from(self.zone.east))
    }

    fn custom(&self, line: &str) -> Option<(Stamp, usize)> {
        let pattern = self.custom.as_deref()?;
        if let Ok((at, rest)) = chrono::DateTime::parse_and_remainder(line, pattern) {
            return Some((Stamp(at.timestamp_micros()), line.len() - rest.len()));
        }
        let (naive, rest) = NaiveDateTime::parse_and_remainder(line, pattern).ok()?;
        Some((self.zoned(naive), line.len() - rest.len()))
    }

    fn iso(&self, line: &str) -> Option<(Stamp, usize)> {
        let c = self.iso.captures(line)?;
        let n = |i: usize| c.get(i)?.as_str().parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(n(1)? as i32, n(2)?, n(3)?)?;
        let naive = date.and_time(time(n(4)?, n(5)?, n(6)?, c.get(7).map_or("", |m| m.as_str()))?);
        let at = match c.get(8).map(|m| m.as_str()) {
            None => self.zoned(naive),
            Some(offset) => Stamp(naive.and_utc().timestamp_micros()) - Lapse::seconds(offset_seconds(offset)?),
        };
        Some((at, c.get(0)?.end()))
    }

    fn glog(&self, line: &str, near: Stamp) -> Option<(Stamp, usize)> {
        let c = self.glog.captures(line)?;
        let n = |i: usize| c.get(i)?.as_str().parse::<u32>().ok();
        let clock = time(n(4)?, n(5)?, n(6)?, &c[7])?;
        Some((self.in_year(n(2)?, n(3)?, clock, near)?, c.get(0)?.end()))
    }

    fn syslog(&self, line: &str, near: Stamp) -> Option<(Stamp, usize)> {
        let c = self.syslog.captures(line)?;
        let n = |i: usize| c.get(i)?.as_str().parse::<u32>().ok();
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = months.iter().position(|m| *m == &c[1])? as u32 + 1;
        let clock = time(n(3)?, n(4)?, n(5)?, c.get(6).map_or("", |m| m.as_str()))?;
        Some((self.in_year(month, n(2)?, clock, near)?, c.get(0)?.end()))
    }

    fn epoch(&self, line: &str) -> Option<(Stamp, usize)> {
        let c = self.epoch.captures(line)?;
        let at = Self::of_number(c.get(0)?.as_str().trim().parse().ok()?)?;
        Some((at, c.get(0)?.end()))
    }

    /// The last such date that is not more than a day after `near`.
    fn in_year(&self, month: u32, day: u32, clock: NaiveTime, near: Stamp) -> Option<Stamp> {
        let year = chrono::DateTime::from_timestamp_micros(near.0)?.year();
        [year + 1, year, year - 1]
            .into_iter()
            .filter_map(|y| Some(self.zoned(NaiveDate::from_ymd_opt(y, month, day)?.and_time(clock))))
            .find(|at| *at <= near + Lapse::hours(24))
    }
}

fn time(h: u32, m: u32, s: u32, fraction: &str) -> Option<NaiveTime> {
    let nanos = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    // 23:59:60 is a leap second; the second before it is near enough.
    NaiveTime::from_hms_nano_opt(h, m, s.min(59), nanos)
}

fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "UTC") {
        return Some(0);
    }
    let digits: String = text[1..].chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
    let seconds = hours * 3600 + minutes * 60;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants() -> Instants {
        Instants::new(Zone::wib(), None).unwrap()
    }

    #[test]
    fn the_usual_forms_give_the_same_instant() {
        let i = instants();
        let at = Stamp::parse_rfc3339("2025-01-12T19:31:08.250+07:00").unwrap();
        for text in [
            "2025-01-12T19:31:08.250+07:00 x",
            "2025-01-12T12:31:08.250Z x",
            "2025-01-12 19:31:08,250 ERROR x",
            "[2025/01/12 19:31:08.25] x",
            "2025-01-12 12:31:08.250 UTC [77] LOG: x",
            "E0112 19:31:08.250000 7 main.go:1] x",
            "1736685068.250 x",
            "1736685068250 x",
        ] {
            assert_eq!(i.at_head(text, at + Lapse::hours(2)).map(|(t, _)| t), Some(at), "{text}");
        }
    }

    #[test]
    fn a_date_without_a_year_is_the_last_one_before_the_reading() {
        let i = instants();
        let near = Stamp::parse_rfc3339("2025-01-02T00:10:00+07:00").unwrap();
        let at = i.of_text("Dec 31 23:59:58 host app: x", near).unwrap();
        assert_eq!(Zone::wib().rfc3339(at), "2024-12-31T23:59:58+07:00");
    }

    #[test]
    fn numbers_that_are_no_times_and_impossible_dates_give_nothing() {
        let i = instants();
        for text in ["12345 orders", "2025-13-40 19:00:00", "order 2025-01-12 19:00:00", "", "99999999999999999999 x"] {
            assert_eq!(i.at_head(text, Stamp(0)), None, "{text}");
        }
        assert_eq!(Instants::of_number(f64::NAN), None);
    }

    #[test]
    fn a_pattern_of_the_configuration_comes_first() {
        let i = Instants::new(Zone::wib(), Some("%d.%m.%Y %H:%M:%S".to_owned())).unwrap();
        let (at, end) = i.at_head("12.01.2025 19:31:08 words", Stamp(0)).unwrap();
        assert_eq!(Zone::wib().rfc3339(at), "2025-01-12T19:31:08+07:00");
        assert_eq!(end, 19);
    }
}
