//! Numbers and words as a check writes them. Text from outside is stripped of what could move a terminal.

use crate::model::note::Verdict;
use crate::model::{Lapse, Untrusted};

/// `1,284`
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `12.4 %`, `100 %`
pub fn percent(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// `79 %` of two counts; `–` of nothing.
pub fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "–".to_owned() } else { percent(100.0 * part as f64 / whole as f64) }
}

/// `4 ms`, `2.14 s`
pub fn seconds(value: f64) -> String {
    if value < 0.1 { format!("{:.0} ms", value * 1e3) } else { format!("{value:.2} s") }
}

/// `412`, `2.4`
pub fn number(value: f64) -> String {
    if value.abs() >= 100.0 || (value - value.round()).abs() < 0.05 {
        let sign = if value < 0.0 { "−" } else { "" };
        format!("{sign}{}", count(value.abs().round() as usize))
    } else {
        format!("{value:.1}")
    }
}

/// `Rp 412,500`, `Rp 237.5 jt`, `Rp 1.24 M` (juta, miliar).
pub fn rupiah(amount: i64) -> String {
    let sign = if amount < 0 { "−" } else { "" };
    let value = amount.unsigned_abs();
    match value {
        0..1_000_000 => format!("{sign}Rp {}", count(value as usize)),
        1_000_000..1_000_000_000 => format!("{sign}Rp {:.1} jt", value as f64 / 1e6),
        _ => format!("{sign}Rp {:.2} M", value as f64 / 1e9),
    }
}

/// `8 min`, `40 s`, never negative.
pub fn lapse(l: Lapse) -> String {
    let s = l.abs().whole_seconds();
    if s < 120 { format!("{s} s") } else { format!("{} min", (s + 30) / 60) }
}

/// `one order`, `12 orders`
pub fn orders(n: usize) -> String {
    if n == 1 { "1 order".to_owned() } else { format!("{} orders", count(n)) }
}

/// Words from outside for a sentence of ours: one line, at most 60 characters, nothing that moves a cursor
/// or turns the direction of writing.
pub fn plain(text: &Untrusted) -> String {
    let harmless = |c: char| {
        !(c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    text.raw().chars().map(|c| if harmless(c) { c } else { '·' }).take(60).collect()
}

/// `supports`
pub const fn verdict(v: Verdict) -> &'static str {
    match v {
        Verdict::Supports => "supports",
        Verdict::Refutes => "refutes",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!((count(7), count(1_284), count(1_000_000)), ("7".into(), "1,284".into(), "1,000,000".into()));
        assert_eq!((percent(99.96), percent(12.44)), ("100 %".into(), "12.4 %".into()));
        assert_eq!((seconds(0.004), seconds(2.138)), ("4 ms".into(), "2.14 s".into()));
        assert_eq!((rupiah(412_500), rupiah(237_500_000)), ("Rp 412,500".into(), "Rp 237.5 jt".into()));
        assert_eq!((share(3, 0), share(1, 4)), ("–".into(), "25 %".into()));
        assert_eq!(plain(&"a\u{1b}[2J\u{202e}b\nc".into()), "a·[2J·b·c");
    }
}
