//! Amounts and durations inside sentences that analysis writes; columns on screen use `view::number`.

use crate::model::Lapse;

/// `Rp 412,500`.
pub fn rupiah(amount: i64) -> String {
    format!("{}Rp {}", if amount < 0 { "-" } else { "" }, thousands(amount.unsigned_abs()))
}

/// `1,284`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time as somebody would say it: `340 ms`, `12 s`, `4 min 10 s`, `1 h 20 min`.
pub fn lasting(lapse: Lapse) -> String {
    let seconds = lapse.abs().whole_seconds();
    match seconds {
        0 => format!("{} ms", lapse.abs().0 / 1000),
        1..60 => format!("{seconds} s"),
        60..3600 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1 session`, `2 sessions`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n as u64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_grouped_by_thousands() {
        for (amount, text) in [(0, "Rp 0"), (999, "Rp 999"), (412_500, "Rp 412,500"), (-1_204_000, "-Rp 1,204,000")] {
            assert_eq!(rupiah(amount), text);
        }
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        let cases = [
            (Lapse::millis(340), "340 ms"),
            (Lapse::seconds(12), "12 s"),
            (Lapse::seconds(250), "4 min 10 s"),
            (Lapse::minutes(15), "15 min"),
            (Lapse::minutes(80), "1 h 20 min"),
            (Lapse::hours(2), "2 h"),
        ];
        for (lapse, text) in cases {
            assert_eq!(lasting(lapse), text);
        }
    }
}
