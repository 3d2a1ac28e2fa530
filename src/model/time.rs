//! Instants, durations, spans and the one zone the screen speaks.
//!
//! Everything inside the program is UTC microseconds; a zone is applied only where text is made.
//! Nothing here asks what time it is: instants arrive with messages.

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z. Negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub i64);

/// A signed duration in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lapse(pub i64);

/// A half-open range of time, `from <= t < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First instant inside.
    pub from: Stamp,
    /// First instant outside.
    pub to: Stamp,
}

/// A fixed offset from UTC with the short name that people call it by (`WIB`, +07:00).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Short name, at most 5 letters, shown once in the header.
    pub name: String,
    /// Seconds east of UTC.
    pub east: i32,
}

impl Lapse {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// `15s`, `3m`, `200ms`, `2h`, `7d`, `1h30m`; nothing when it is written otherwise or longer than can be counted.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let mut total = None;
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
            let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
            let one = match unit.trim() {
                "ms" => 1_000,
                "s" => 1_000_000,
                "m" | "min" => 60_000_000,
                "h" => 3_600_000_000,
                "d" => 86_400_000_000,
                _ => return None,
            };
            let part = number.parse::<i64>().ok()?.checked_mul(one)?;
            total = Some(total.unwrap_or(0_i64).checked_add(part)?);
            rest = after;
        }
        total.map(Self)
    }
    /// From whole seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1_000_000)
    }
    /// From whole milliseconds.
    pub const fn millis(n: i64) -> Self {
        Self(n * 1_000)
    }
    /// From whole minutes.
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n * 60)
    }
    /// From whole hours.
    pub const fn hours(n: i64) -> Self {
        Self::minutes(n * 60)
    }
    /// As seconds with a fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// Whole seconds, towards zero.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / 1_000_000
    }
    /// The same length, never negative.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    /// `self * n`, saturating.
    #[must_use]
    pub const fn times(self, n: i64) -> Self {
        Self(self.0.saturating_mul(n))
    }
    /// As the standard library's type; a negative lapse becomes zero.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(if self.0 > 0 { self.0 as u64 } else { 0 })
    }
}

impl Stamp {
    /// From whole seconds since the epoch.
    pub const fn from_secs(s: i64) -> Self {
        Self(s * 1_000_000)
    }
    /// From milliseconds since the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms * 1_000)
    }
    /// Reads RFC 3339 (`2025-01-12T19:24:00+07:00`, `…Z`). A text without a zone is refused: eight
    /// hours of an incident have been lost to bare times before.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        chrono::DateTime::parse_from_rfc3339(text.trim()).ok().map(|t| Self(t.timestamp_micros()))
    }
    /// Rounds down to a whole multiple of `step` since the epoch, shifted so that steps of an hour or
    /// more fall on the zone's own hours and days.
    #[must_use]
    pub fn floor(self, step: Lapse, zone: &Zone) -> Self {
        let step = step.0.max(1);
        let east = i64::from(zone.east) * 1_000_000;
        Self((self.0 + east).div_euclid(step) * step - east)
    }
    /// `self - earlier`.
    pub const fn since(self, earlier: Self) -> Lapse {
        Lapse(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Lapse> for Stamp {
    type Output = Self;
    fn add(self, by: Lapse) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}
impl std::ops::Sub<Lapse> for Stamp {
    type Output = Self;
    fn sub(self, by: Lapse) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}
impl std::ops::Add for Lapse {
    type Output = Self;
    fn add(self, by: Self) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}
impl std::ops::Sub for Lapse {
    type Output = Self;
    fn sub(self, by: Self) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}

impl Span {
    /// From `from` to `to`; the two are put in order.
    pub fn new(from: Stamp, to: Stamp) -> Self {
        Self { from: from.min(to), to: from.max(to) }
    }
    /// How long it is.
    pub const fn length(&self) -> Lapse {
        self.to.since(self.from)
    }
    /// Whether `at` is inside; the end is outside.
    pub fn contains(&self, at: Stamp) -> bool {
        self.from <= at && at < self.to
    }
    /// Whether the two share an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
    /// The same span moved by `by`.
    #[must_use]
    pub fn moved(&self, by: Lapse) -> Self {
        Self { from: self.from + by, to: self.to + by }
    }
}

impl Zone {
    /// UTC itself.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), east: 0 }
    }
    /// Western Indonesia, the zone of the first incident.
    pub fn wib() -> Self {
        Self { name: "WIB".to_owned(), east: 7 * 3600 }
    }
    fn at(&self, t: Stamp) -> chrono::DateTime<chrono::FixedOffset> {
        let offset = chrono::FixedOffset::east_opt(self.east).unwrap_or_else(|| chrono::Offset::fix(&chrono::Utc));
        chrono::DateTime::from_timestamp_micros(t.0).unwrap_or_default().with_timezone(&offset)
    }
    /// Formats with chrono's `strftime` letters, in this zone.
    pub fn format(&self, t: Stamp, pattern: &str) -> String {
        self.at(t).format(pattern).to_string()
    }
    /// `19:24`.
    pub fn hm(&self, t: Stamp) -> String {
        self.format(t, "%H:%M")
    }
    /// `19:24:08`.
    pub fn hms(&self, t: Stamp) -> String {
        self.format(t, "%H:%M:%S")
    }
    /// `19:24:08.214`.
    pub fn hms_milli(&self, t: Stamp) -> String {
        self.format(t, "%H:%M:%S%.3f")
    }
    /// `2025-01-12T19:24:08+07:00`: what leaves the program always carries its offset.
    pub fn rfc3339(&self, t: Stamp) -> String {
        self.at(t).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }
    /// Midnight in this zone of the day that `t` falls on.
    pub fn midnight(&self, t: Stamp) -> Stamp {
        t.floor(Lapse::hours(24), self)
    }
    /// The calendar day of an instant.
    pub fn day(&self, t: Stamp) -> chrono::NaiveDate {
        self.at(t).date_naive()
    }
    /// The instant of a wall-clock `HH:MM[:SS]` on the day of `day`, or `None` when it is not one.
    pub fn on_day(&self, day: Stamp, clock: &str) -> Option<Stamp> {
        let time = chrono::NaiveTime::parse_from_str(clock.trim(), "%H:%M:%S")
            .or_else(|_| chrono::NaiveTime::parse_from_str(clock.trim(), "%H:%M"))
            .ok()?;
        let seconds = i64::from(chrono::Timelike::num_seconds_from_midnight(&time));
        Some(self.midnight(day) + Lapse::seconds(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units_and_nothing_else_is_one() {
        for (text, seconds) in [("15s", 15), ("3m", 180), ("1h30m", 5_400), (" 2 h", 7_200), ("7d", 604_800)] {
            assert_eq!(Lapse::parse(text), Some(Lapse::seconds(seconds)), "{text}");
        }
        assert_eq!(Lapse::parse("200ms"), Some(Lapse::millis(200)));
        for text in ["", "5", "m", "-3m", "3 weeks", "99999999999999d", "9223372036854775807ms"] {
            assert_eq!(Lapse::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_time_without_a_zone_is_refused() {
        assert_eq!(Stamp::parse_rfc3339("2025-01-12T19:24:00"), None);
        assert_eq!(Stamp::parse_rfc3339("2025-01-12T19:24:00+07:00"), Stamp::parse_rfc3339("2025-01-12T12:24:00Z"));
    }

    #[test]
    fn days_begin_at_midnight_of_the_zone_not_of_utc() {
        let wib = Zone::wib();
        let t = Stamp::parse_rfc3339("2025-01-12T03:10:00+07:00").unwrap();
        assert_eq!(wib.rfc3339(wib.midnight(t)), "2025-01-12T00:00:00+07:00");
        assert_eq!(wib.hm(t.floor(Lapse::minutes(15), &wib)), "03:00");
    }

    #[test]
    fn a_clock_time_is_found_on_its_day() {
        let wib = Zone::wib();
        let t = Stamp::parse_rfc3339("2025-01-12T23:10:00+07:00").unwrap();
        assert_eq!(wib.on_day(t, "19:24").map(|t| wib.rfc3339(t)).as_deref(), Some("2025-01-12T19:24:00+07:00"));
        assert_eq!(wib.on_day(t, "25:00"), None);
    }

    #[test]
    fn spans_are_half_open() {
        let s = Span::new(Stamp(10), Stamp(0));
        assert!(s.contains(Stamp(0)) && !s.contains(Stamp(10)));
        assert!(!s.overlaps(&Span::new(Stamp(10), Stamp(20))));
    }
}
