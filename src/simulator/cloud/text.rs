//! Percent-encoding as the published signing algorithm writes it, and the query string taken apart. Bytes in,
//! bytes out: what is not UTF-8 stays what it is.

use std::fmt::Write as _;

/// Undoes percent-encoding. A `%` that begins no pair of hex digits stays as it is.
pub fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let pair = (bytes[i] == b'%').then(|| Some(hex(*bytes.get(i + 1)?)? * 16 + hex(*bytes.get(i + 2)?)?)).flatten();
        out.push(pair.unwrap_or(bytes[i]));
        i += if pair.is_some() { 3 } else { 1 };
    }
    out
}

/// Undoes percent-encoding into text.
pub fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

/// Unreserved characters of RFC 3986 as they are, every other byte as `%XX`.
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// The pairs of a query string or a form, in order; `+` is a blank (our choice: as forms and most gateways
/// have it). Empty pieces are nothing.
pub fn pairs(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            let (key, value) = p.split_once('=').unwrap_or((p, ""));
            (unescaped(&key.replace('+', " ")), unescaped(&value.replace('+', " ")))
        })
        .collect()
}

/// Lower-case hex.
pub fn hexed(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        let _ = write!(out, "{b:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_keeps_the_unreserved_and_undoes_itself() {
        let odd = "a b+c*'%/~-_.é".as_bytes();
        assert_eq!(escaped(odd), "a%20b%2Bc%2A%27%25%2F~-_.%C3%A9");
        assert_eq!(unescaped(&escaped(odd)), odd);
    }

    #[test]
    fn a_percent_sign_that_begins_nothing_stays() {
        assert_eq!(unescaped("100%&%zz%4"), b"100%&%zz%4");
    }

    #[test]
    fn a_query_keeps_order_repeats_and_empty_values() {
        let found: Vec<(String, String)> = pairs("b=1&a=&b=2&&c=x+y%2B")
            .into_iter()
            .map(|(k, v)| (String::from_utf8(k).unwrap(), String::from_utf8(v).unwrap()))
            .collect();
        let expected = [("b", "1"), ("a", ""), ("b", "2"), ("c", "x y+")];
        assert!(found.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected));
    }
}
