//! Personal data in text from outside: where it stands and the word that replaces it. One set of rules for
//! the screen and for everything that leaves by copy, worksheet or evidence.
//!
//! Pure; may not know where the text goes.

/// Whether personal data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// E-mail addresses, telephone, card and identity numbers are replaced by what they are.
    Masked,
    /// As written, because somebody asked for it.
    Open,
}

/// The text with personal data replaced by what it is, where that is wished.
pub fn masked(text: &str, privacy: Privacy) -> String {
    split(text, privacy).into_iter().map(|(kept, word)| word.unwrap_or(kept)).collect()
}

/// Parts of column names that say the column holds personal data.
const PERSONAL: [&str; 16] = [
    "phone", "msisdn", "telp", "telepon", "hp", "mobile", "email", "mail", "nik", "ktp", "npwp", "address", "alamat",
    "card", "passport", "birth",
];
/// Names of people; what only ends so (`service_name`, `app_name`) is a thing's.
const PEOPLE: [&str; 9] =
    ["name", "nama", "customer", "customer_name", "full_name", "first_name", "last_name", "user_name", "nama_lengkap"];

/// Whether a column holds personal data: its name says so, or the operator did.
pub fn is_personal(column: &str, named: &[String]) -> bool {
    let lower = column.to_ascii_lowercase();
    named.iter().any(|n| n.eq_ignore_ascii_case(column))
        || PEOPLE.contains(&lower.as_str())
        || lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| PERSONAL.contains(&word))
}

/// A value of a column of the operator's, as it may be shown or leave: whole columns are masked where they
/// hold personal data, and what looks like such data in the others.
pub fn of_column(column: &str, value: &str, named: &[String], privacy: Privacy) -> String {
    if privacy == Privacy::Masked && is_personal(column, named) {
        return format!("[{column}]");
    }
    masked(value, privacy)
}

/// Splits text into what may be shown and what is masked, the latter with the word that replaces it.
pub fn split(text: &str, privacy: Privacy) -> Vec<(&str, Option<&'static str>)> {
    if privacy == Privacy::Open || !text.bytes().any(|b| b == b'@' || b.is_ascii_digit()) {
        return vec![(text, None)];
    }
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let (mut i, mut kept) = (0, 0);
    while i < bytes.len() {
        let found = email_at(bytes, kept, i).or_else(|| number_at(bytes, i));
        match found {
            Some((from, to, word)) => {
                if kept < from {
                    out.push((&text[kept..from], None));
                }
                out.push((&text[from..to], Some(word)));
                (i, kept) = (to, to);
            }
            None => i = skip(bytes, i),
        }
    }
    if kept < bytes.len() {
        out.push((&text[kept..], None));
    }
    out
}

type Found = (usize, usize, &'static str);

/// From here on: the next place where something can begin. A word with letters and digits (an order id, a
/// reference, a hash) is passed over whole, so that no part of it is taken for a telephone number.
fn skip(bytes: &[u8], i: usize) -> usize {
    if !bytes[i].is_ascii_alphanumeric() {
        return i + 1;
    }
    let mut j = i;
    let mut letters = false;
    while let Some(b) = bytes.get(j).filter(|b| b.is_ascii_alphanumeric() || **b >= 0x80) {
        letters |= b.is_ascii_alphabetic();
        j += 1;
    }
    // A prefix joined by dash, underscore or dot belongs to its number: ORD-4418920, upg_ref.20250112.
    while letters
        && j + 1 < bytes.len()
        && matches!(bytes[j], b'-' | b'_' | b'.' | b'/' | b'#' | b':')
        && bytes[j + 1].is_ascii_digit()
        && bytes[j] != b':'
    {
        j += 1;
        while bytes.get(j).is_some_and(u8::is_ascii_alphanumeric) {
            j += 1;
        }
    }
    j.max(i + 1)
}

/// An e-mail address whose `@` is at `i`.
fn email_at(bytes: &[u8], kept: usize, i: usize) -> Option<Found> {
    if bytes[i] != b'@' {
        return None;
    }
    let local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-') || *b >= 0x80;
    let host = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let from = i - bytes[kept..i].iter().rev().take_while(|b| local(b)).count();
    let mut to = i + 1 + bytes[i + 1..].iter().take_while(|b| host(b)).count();
    while to > i + 1 && matches!(bytes[to - 1], b'.' | b'-') {
        to -= 1;
    }
    (from < i && bytes[i + 1..to].contains(&b'.')).then_some((from, to, "[e-mail]"))
}

/// A telephone, card or identity number that begins at `i`.
fn number_at(bytes: &[u8], i: usize) -> Option<Found> {
    let starts = bytes[i].is_ascii_digit() || (bytes[i] == b'+' && bytes.get(i + 1).is_some_and(u8::is_ascii_digit));
    let joined = i.checked_sub(1).and_then(|p| bytes.get(p));
    if !starts || joined.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'#')) {
        return None;
    }
    let mut digits = Vec::with_capacity(20);
    let mut end = i;
    let mut j = i;
    while j < bytes.len() && digits.len() < 20 {
        match bytes[j] {
            b @ b'0'..=b'9' => {
                digits.push(b - b'0');
                end = j + 1;
            }
            b'+' if j == i => {}
            b' ' | b'-' if bytes.get(j + 1).is_some_and(u8::is_ascii_digit) && j + 1 - end == 1 => {}
            _ => break,
        }
        j += 1;
    }
    let after = bytes.get(end);
    if after.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return None;
    }
    let word = if is_phone(&digits, bytes[i] == b'+') {
        "[phone]"
    } else if is_card(&digits) {
        "[card]"
    } else if is_identity(&digits) && end - i == 16 {
        "[id number]"
    } else {
        return None;
    };
    Some((i, end, word))
}

/// Indonesian mobile numbers (08…, 62 8…) and anything written with a plus and a country code.
fn is_phone(digits: &[u8], plus: bool) -> bool {
    let n = digits.len();
    match digits {
        _ if plus => (9..=15).contains(&n),
        [0, 8, ..] => (10..=13).contains(&n),
        [6, 2, 8, ..] => (11..=14).contains(&n),
        _ => false,
    }
}

/// A payment card: 13 to 19 digits, a first digit that networks issue, and Luhn's check digit (ISO/IEC 7812).
fn is_card(digits: &[u8]) -> bool {
    let n = digits.len();
    let issued = match digits {
        [4, ..] => matches!(n, 13 | 16 | 19),
        [3, 4 | 7, ..] => n == 15,
        [2 | 3 | 5 | 6 | 9, ..] => (16..=19).contains(&n),
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| match u32::from(*d) {
            d if i % 2 == 0 => d,
            d if d > 4 => 2 * d - 9,
            d => 2 * d,
        })
        .sum();
    issued && sum.is_multiple_of(10)
}

/// An Indonesian identity number (NIK): 16 digits, the 7th to 12th a birthday, the day plus 40 for women.
fn is_identity(digits: &[u8]) -> bool {
    let two = |i: usize| digits.get(i).zip(digits.get(i + 1)).map_or(0, |(a, b)| a * 10 + b);
    digits.len() == 16
        && (11..=94).contains(&two(0))
        && matches!(two(6), 1..=31 | 41..=71)
        && (1..=12).contains(&two(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_masked_whole_when_their_name_or_the_operator_says_so() {
        let named = ["partner".to_owned()];
        for (column, personal) in [
            ("customer_phone", true),
            ("PHONE", true),
            ("email", true),
            ("nik", true),
            ("name", true),
            ("card.holder", true),
            ("Partner", true),
            ("service_name", false),
            ("app_version", false),
            ("technik", false),
            ("pod", false),
        ] {
            assert_eq!(is_personal(column, &named), personal, "{column}");
        }
        assert_eq!(of_column("partner", "Budi", &named, Privacy::Masked), "[partner]");
        assert_eq!(of_column("partner", "Budi", &named, Privacy::Open), "Budi");
        assert_eq!(of_column("memo", "call 081234567890", &named, Privacy::Masked), "call [phone]");
    }

    #[test]
    fn what_is_masked_is_named_and_the_rest_is_as_written() {
        let text = "ORD-4418920: mail budi@mail.co.id or +62 812 3456 7890";
        assert_eq!(masked(text, Privacy::Masked), "ORD-4418920: mail [e-mail] or [phone]");
        assert_eq!(masked(text, Privacy::Open), text);
    }
}
