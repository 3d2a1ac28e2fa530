//! The many ways a log line says when it was written, read byte by byte.
//!
//! A time without a zone is taken in the configured one; a date without a year is the last such date
//! before `near`, the moment of reading.

use crate::model::{Lapse, Stamp, Zone};
use chrono::{Datelike as _, NaiveDateTime};

/// How far into a line the time of an access log is looked for: behind addresses and names.
const ACCESS: usize = 120;
const DAY: i64 = 86_400_000_000;

/// Reads times.
#[derive(Clone, Debug)]
pub struct Instants {
    zone: Zone,
    custom: Option<String>,
}

impl Instants {
    /// For times that carry no zone, `zone`; `custom` is a `strftime` pattern tried first.
    pub fn new(zone: Zone, custom: Option<String>) -> Self {
        Self { zone, custom }
    }

    /// The time at the head of a line, and how many bytes it takes; none of them when it stands inside, as in
    /// access logs.
    pub fn at_head(&self, line: &[u8], near: Stamp) -> Option<(Stamp, usize)> {
        self.custom(line)
            .or_else(|| self.iso(line))
            .or_else(|| self.glog(line, near))
            .or_else(|| self.syslog(line, near))
            .or_else(|| epoch(line))
            .or_else(|| self.access(line))
    }

    /// The time in a field of its own.
    pub fn of_text(&self, text: &[u8], near: Stamp) -> Option<Stamp> {
        self.at_head(text.trim_ascii(), near).map(|(at, _)| at)
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

    fn zoned(&self, micros: i64) -> Stamp {
        Stamp(micros) - Lapse::seconds(i64::from(self.zone.east))
    }

    fn custom(&self, line: &[u8]) -> Option<(Stamp, usize)> {
        let pattern = self.custom.as_deref()?;
        let line = match std::str::from_utf8(line) {
            Ok(line) => line,
            Err(e) => std::str::from_utf8(&line[..e.valid_up_to()]).ok()?,
        };
        if let Ok((at, rest)) = chrono::DateTime::parse_and_remainder(line, pattern) {
            return Some((Stamp(at.timestamp_micros()), line.len() - rest.len()));
        }
        let (naive, rest) = NaiveDateTime::parse_and_remainder(line, pattern).ok()?;
        Some((self.zoned(naive.and_utc().timestamp_micros()), line.len() - rest.len()))
    }

    /// `2025-01-12T19:31:08.250+07:00`, with `/` and a space as well, a bracket before it or none.
    fn iso(&self, line: &[u8]) -> Option<(Stamp, usize)> {
        let mut read = Reader { bytes: line, at: opening(line) };
        let year = read.number(4)?;
        read.one_of(b"-/")?;
        let month = read.number(2)?;
        read.one_of(b"-/")?;
        let day = read.number(2)?;
        read.one_of(b"T ")?;
        let micros = days(year, month, day)? * DAY + read.clock(b".,")?;
        let at = match read.offset() {
            Some(east) => Stamp(micros) - Lapse::seconds(east),
            None => self.zoned(micros),
        };
        Some((at, read.at))
    }

    /// `E0112 19:31:08.250000`
    fn glog(&self, line: &[u8], near: Stamp) -> Option<(Stamp, usize)> {
        let mut read = Reader { bytes: line, at: 0 };
        read.one_of(b"IWEF")?;
        let (month, day) = (read.number(2)?, read.number(2)?);
        read.one_of(b" ")?;
        let clock = read.clock(b".")?;
        Some((self.in_year(month, day, clock, near)?, read.at))
    }

    /// `Jan 12 19:31:08`
    fn syslog(&self, line: &[u8], near: Stamp) -> Option<(Stamp, usize)> {
        let mut read = Reader { bytes: line, at: opening(line) };
        let month = read.month()?;
        read.one_of(b" ")?;
        let _ = read.one_of(b" ");
        let day = read.number(2).or_else(|| read.number(1))?;
        read.one_of(b" ")?;
        let clock = read.clock(b".")?;
        Some((self.in_year(month, day, clock, near)?, read.at))
    }

    /// `10.0.0.1 - - [12/Jan/2025:19:31:08 +0700] "GET …`
    fn access(&self, line: &[u8]) -> Option<(Stamp, usize)> {
        let head = &line[..line.len().min(ACCESS)];
        let open = memchr::memchr(b'[', head)?;
        let mut read = Reader { bytes: line, at: open + 1 };
        let day = read.number(2)?;
        read.one_of(b"/")?;
        let month = read.month()?;
        read.one_of(b"/")?;
        let year = read.number(4)?;
        read.one_of(b":")?;
        let micros = days(year, month, day)? * DAY + read.clock(b".")?;
        let at = match read.offset() {
            Some(east) => Stamp(micros) - Lapse::seconds(east),
            None => self.zoned(micros),
        };
        Some((at, if open <= 1 { read.at } else { 0 }))
    }

    /// The last such date that is not more than a day after `near`.
    fn in_year(&self, month: i64, day: i64, clock: i64, near: Stamp) -> Option<Stamp> {
        let year = i64::from(chrono::DateTime::from_timestamp_micros(near.0)?.year());
        [year + 1, year, year - 1]
            .into_iter()
            .filter_map(|y| Some(self.zoned(days(y, month, day)? * DAY + clock)))
            .find(|at| *at <= near + Lapse::hours(24))
    }
}

/// Bytes before a time that are neither letter nor digit: a bracket, a quote; a byte order mark.
fn opening(line: &[u8]) -> usize {
    let from = if line.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let skipped = line[from..].iter().take(2).take_while(|b| b.is_ascii() && !b.is_ascii_alphanumeric()).count();
    from + skipped
}

/// `1736685068.250`, alone in its word.
fn epoch(line: &[u8]) -> Option<(Stamp, usize)> {
    let whole = line.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    if !matches!(whole, 10 | 13 | 16 | 19) {
        return None;
    }
    let mut end = whole;
    if line.get(end) == Some(&b'.') {
        let part = line[end + 1..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&part) {
            return None;
        }
        end += 1 + part;
    }
    let next = line.get(end);
    if next.is_some_and(|b| !b.is_ascii_whitespace()) {
        return None;
    }
    let value = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
    Some((Instants::of_number(value)?, end + usize::from(next.is_some())))
}

/// Days since the epoch; none for a date that does not exist.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the day that comes and goes is the last of its year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * m + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A place in a line.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// So many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let mut value = 0;
        for b in self.bytes.get(self.at..self.at + digits)? {
            if !b.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(b - b'0');
        }
        self.at += digits;
        Some(value)
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let found = *self.bytes.get(self.at)?;
        wanted.contains(&found).then(|| {
            self.at += 1;
            found
        })
    }

    /// `19:31:08` with a fraction behind one of `points`, as microseconds of the day.
    fn clock(&mut self, points: &[u8]) -> Option<i64> {
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        self.one_of(b":")?;
        let second = self.number(2)?;
        // 23:59:60 is a leap second; the second before it is near enough.
        if hour > 23 || minute > 59 || second > 99 {
            return None;
        }
        let mut micros = (hour * 3_600 + minute * 60 + second.min(59)) * 1_000_000;
        if self.bytes.get(self.at).is_some_and(|b| points.contains(b)) {
            let part = self.bytes[self.at + 1..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
            let mut unit = 100_000;
            for b in &self.bytes[self.at + 1..self.at + 1 + part] {
                micros += i64::from(b - b'0') * unit;
                unit /= 10;
            }
            self.at += if part > 0 { 1 + part } else { 0 };
        }
        Some(micros)
    }

    /// Seconds east of UTC: `Z`, ` UTC`, `+07:00`, `+0700`, `+07`.
    fn offset(&mut self) -> Option<i64> {
        let from = self.at;
        let _ = self.one_of(b" ");
        let found = self.offset_here();
        if found.is_none() {
            self.at = from;
        }
        found
    }

    fn offset_here(&mut self) -> Option<i64> {
        let rest = self.bytes.get(self.at..)?;
        if rest.starts_with(b"Z") || rest.starts_with(b"UTC") {
            self.at += if rest[0] == b'Z' { 1 } else { 3 };
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2)?;
        let colon = self.at;
        let _ = self.one_of(b":");
        let minutes = self.number(2).unwrap_or_else(|| {
            self.at = colon;
            0
        });
        Some(sign * (hours * 3_600 + minutes * 60))
    }

    fn month(&mut self) -> Option<i64> {
        const MONTHS: [&[u8]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        let word = self.bytes.get(self.at..self.at + 3)?;
        let month = MONTHS.iter().position(|m| *m == word)?;
        self.at += 3;
        Some(month as i64 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn instants() -> Instants {
        Instants::new(Zone::wib(), None)
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
            "[12/Jan/2025:19:31:08.250 +0700] x",
            "2025-01-12T05:31:08.250-07 x",
        ] {
            assert_eq!(i.at_head(text.as_bytes(), at + Lapse::hours(2)).map(|(t, _)| t), Some(at), "{text}");
        }
    }

    #[test]
    fn a_date_without_a_year_is_the_last_one_before_the_reading() {
        let i = instants();
        let near = Stamp::parse_rfc3339("2025-01-02T00:10:00+07:00").unwrap();
        let at = i.of_text(b"Dec 31 23:59:58 host app: x", near).unwrap();
        assert_eq!(Zone::wib().rfc3339(at), "2024-12-31T23:59:58+07:00");
    }

    #[test]
    fn numbers_that_are_no_times_and_impossible_dates_give_nothing() {
        let i = instants();
        for text in ["12345 orders", "2025-13-40 19:00:00", "order 2025-01-12 19:00:00", "", "99999999999999999999 x"] {
            assert_eq!(i.at_head(text.as_bytes(), Stamp(0)), None, "{text}");
        }
        assert_eq!(Instants::of_number(f64::NAN), None);
    }

    #[test]
    fn a_pattern_of_the_configuration_comes_first() {
        let i = Instants::new(Zone::wib(), Some("%d.%m.%Y %H:%M:%S".to_owned()));
        let (at, end) = i.at_head(b"12.01.2025 19:31:08 words", Stamp(0)).unwrap();
        assert_eq!(Zone::wib().rfc3339(at), "2025-01-12T19:31:08+07:00");
        assert_eq!(end, 19);
    }

    #[test]
    fn every_day_is_the_day_of_the_calendar() {
        for day in (-200_000..200_000).step_by(17) {
            let date = NaiveDate::from_num_days_from_ce_opt(719_163 + day).unwrap();
            assert_eq!(days(date.year().into(), date.month().into(), date.day().into()), Some(day.into()), "{date}");
        }
        for (y, m, d) in [(2025, 2, 29), (1900, 2, 29), (2025, 4, 31), (2025, 0, 1), (2025, 13, 1), (2025, 1, 0)] {
            assert_eq!(days(y, m, d), None);
        }
    }

    #[test]
    fn the_time_of_an_access_log_stands_behind_its_addresses() {
        let i = instants();
        let line = b"10.0.4.31 - budi [12/Jan/2025:12:31:08 +0000] \"GET / HTTP/1.1\" 200";
        assert_eq!(i.at_head(line, Stamp(0)), Some((Stamp::parse_rfc3339("2025-01-12T19:31:08+07:00").unwrap(), 0)));
    }
}
