//! A table as text: CSV rows put together by hand, because there are two million of them and a formatter for
//! each number would take longer than the day that is written.
//!
//! Fields are separated by commas and quoted where they must be; instants are UTC, RFC 3339 with milliseconds.
//! May not know: which tables there are, files.

use crate::simulator::platform::agenda::Ms;
use std::io::{self, Write};

/// So much is handed on at a time.
const CHUNK: usize = 64 * 1024;
/// Midnight WIB of 12 January 2025, in milliseconds since 1970 UTC; the day's clock counts from it.
const MIDNIGHT: i64 = 1_736_614_800_000;
const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

/// Rows on their way into a writer.
pub struct Sheet<'w> {
    out: &'w mut dyn Write,
    text: Vec<u8>,
    /// Whether the row has a field already.
    begun: bool,
    rows: u64,
    clock: Clock,
}

impl<'w> Sheet<'w> {
    /// A table with these columns in its first line.
    pub fn new(out: &'w mut dyn Write, columns: &[&str]) -> Self {
        let mut text = Vec::with_capacity(CHUNK + 1_024);
        text.extend_from_slice(columns.join(",").as_bytes());
        text.push(b'\n');
        Self { out, text, begun: false, rows: 0, clock: Clock::default() }
    }

    fn next(&mut self) {
        if self.begun {
            self.text.push(b',');
        }
        self.begun = true;
    }

    /// A field of text.
    pub fn word(&mut self, word: &str) -> &mut Self {
        self.next();
        if word.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
            self.text.push(b'"');
            self.text.extend_from_slice(word.replace('"', "\"\"").as_bytes());
            self.text.push(b'"');
        } else {
            self.text.extend_from_slice(word.as_bytes());
        }
        self
    }

    /// A field that has no value.
    pub fn nothing(&mut self) -> &mut Self {
        self.next();
        self
    }

    /// A whole number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.next();
        if number < 0 {
            self.text.push(b'-');
        }
        digits(&mut self.text, number.unsigned_abs());
        self
    }

    /// An identifier: a prefix and a number.
    pub fn key(&mut self, prefix: &str, number: u64) -> &mut Self {
        self.next();
        self.text.extend_from_slice(prefix.as_bytes());
        digits(&mut self.text, number);
        self
    }

    /// A measured value, as short as it can be read back.
    pub fn value(&mut self, value: f64) -> &mut Self {
        self.next();
        // Writing into memory does not fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// An instant, in milliseconds of the day.
    pub fn time(&mut self, at: Ms) -> &mut Self {
        self.next();
        self.clock.write(&mut self.text, MIDNIGHT + at);
        self
    }

    /// The row is complete.
    pub fn end(&mut self) -> io::Result<()> {
        self.text.push(b'\n');
        (self.begun, self.rows) = (false, self.rows + 1);
        if self.text.len() >= CHUNK {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    /// The table is complete: how many rows it has, without its first line.
    pub fn close(self) -> io::Result<u64> {
        self.out.write_all(&self.text)?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// An instant of the day as text by itself.
pub fn instant(at: Ms) -> String {
    let mut text = Vec::with_capacity(24);
    Clock::default().write(&mut text, MIDNIGHT + at);
    String::from_utf8(text).unwrap_or_default()
}

/// Remembers the minute it wrote last: the next row is mostly of the same one.
#[derive(Default)]
struct Clock {
    minute: i64,
    /// `2025-01-12T12:41:`
    text: Vec<u8>,
}

impl Clock {
    /// Writes an instant given in milliseconds since 1970 UTC.
    fn write(&mut self, out: &mut Vec<u8>, at: i64) {
        let minute = at.div_euclid(MINUTE);
        if self.text.is_empty() || minute != self.minute {
            self.minute = minute;
            self.text.clear();
            date(&mut self.text, at.div_euclid(DAY));
            let of_day = minute.rem_euclid(DAY / MINUTE);
            self.text.push(b'T');
            two(&mut self.text, of_day / 60);
            self.text.push(b':');
            two(&mut self.text, of_day % 60);
            self.text.push(b':');
        }
        let rest = at.rem_euclid(MINUTE);
        out.extend_from_slice(&self.text);
        two(out, rest / 1_000);
        out.push(b'.');
        out.push(b'0' + (rest % 1_000 / 100) as u8);
        two(out, rest % 100);
        out.push(b'Z');
    }
}

/// A date of the Gregorian calendar from days since 1 January 1970, by eras of 400 years that begin in March.
fn date(out: &mut Vec<u8>, days: i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    two(out, year / 100);
    two(out, year % 100);
    out.push(b'-');
    two(out, month);
    out.push(b'-');
    two(out, day);
}

fn two(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(&[b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]);
}

fn digits(out: &mut Vec<u8>, mut n: u64) {
    let mut text = [b'0'; 20];
    let mut from = text.len();
    loop {
        from -= 1;
        text[from] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Zone;
    use crate::simulator::platform::stamp;

    #[test]
    fn instants_are_those_that_the_program_knows() {
        for at in [0, 1, 999, 62_005, 43_200_000, 86_399_999, 86_400_000, -604_800_000, 41 * 86_400_000 + 7] {
            assert_eq!(instant(at), Zone::utc().format(stamp(at), "%Y-%m-%dT%H:%M:%S%.3fZ"));
        }
        assert_eq!(instant(0), "2025-01-11T17:00:00.000Z");
    }

    #[test]
    fn a_table_is_its_columns_and_its_rows_with_quotes_where_needed() {
        let mut out = Vec::new();
        let mut sheet = Sheet::new(&mut out, &["a", "b", "c", "d", "e"]);
        sheet.word("plain").number(-120).nothing().key("ORD-", 0).value(0.25).end().unwrap();
        sheet.word("a \"b\", c").number(i64::MIN).number(0).time(61_042).word("").end().unwrap();
        assert_eq!(sheet.close().unwrap(), 2);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a,b,c,d,e\nplain,-120,,ORD-0,0.25\n\
             \"a \"\"b\"\", c\",-9223372036854775808,0,2025-01-11T17:01:01.042Z,\n"
        );
    }

    #[test]
    fn a_writer_that_is_full_is_an_error_of_the_table() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut full = Full;
        assert_eq!(Sheet::new(&mut full, &["a"]).close().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
