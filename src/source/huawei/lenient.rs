//! JSON as it really comes: numbers as texts, texts as numbers, nulls, fields nobody told of.
//!
//! A value of another type than the documented one is absent, never an error: one odd field must not cost an
//! answer. May not know: what the fields mean.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// A number, or a text that is one; anything else is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number(pub Option<f64>);

/// A text, or a number written as one; anything else is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }
    fn visit_u64<E>(self, v: u64) -> Result<Number, E> {
        Ok(Number(Some(v as f64)))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Number, E> {
        Ok(Number(Some(v as f64)))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Number, E> {
        Ok(Number(Some(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Number, E> {
        Ok(Number(v.trim().parse().ok()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number(None))
    }
    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(None))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        drain_map(map).map(|()| Number(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Number, A::Error> {
        drain_seq(seq).map(|()| Number(None))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(NumberVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }
    fn visit_str<E>(self, v: &str) -> Result<Text, E> {
        Ok(Text(v.to_owned()))
    }
    fn visit_string<E>(self, v: String) -> Result<Text, E> {
        Ok(Text(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }
    fn visit_bool<E>(self, v: bool) -> Result<Text, E> {
        Ok(Text(v.to_string()))
    }
    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        drain_map(map).map(|()| Text::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Text, A::Error> {
        drain_seq(seq).map(|()| Text::default())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(TextVisitor)
    }
}

/// Reads over an object.
pub fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A whole answer as a tree, for the small ones.
pub fn tree(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| unreadable(&e))
}

/// Why an answer is no JSON: the place, never the content.
pub fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends in the middle",
        serde_json::error::Category::Data => "it has another shape than documented",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// A text inside a tree; a number counts, anything else is empty.
pub fn text(tree: &Value, key: &str) -> String {
    match tree.get(key) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::Bool(b)) => b.to_string(),
        _ => String::new(),
    }
}

/// A number inside a tree; a text that is one counts.
pub fn number(tree: &Value, key: &str) -> Option<f64> {
    match tree.get(key)? {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// A switch inside a tree: true, `"true"`, 1.
pub fn switch(tree: &Value, key: &str) -> bool {
    match tree.get(key) {
        Some(Value::Bool(b)) => *b,
        Some(Value::String(s)) => s.trim().eq_ignore_ascii_case("true"),
        Some(Value::Number(n)) => n.as_i64() == Some(1),
        _ => false,
    }
}

/// The items of a list; nothing when it is none.
pub fn list<'v>(tree: &'v Value, key: &str) -> &'v [Value] {
    tree.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The first cells of a text from outside on one line: what a mark has room for.
pub fn short(text: &str, cells: usize) -> String {
    let line = text.split(['\n', '\r']).find(|l| !l.trim().is_empty()).unwrap_or_default().trim();
    if line.chars().count() <= cells {
        return line.to_owned();
    }
    let kept: String = line.chars().take(cells.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_in_each_others_clothes() {
        let numbers: Vec<Number> =
            serde_json::from_str(r#"[1, -2.5, "3", " 4.5 ", null, true, {"a":[1]}, [1,{}], "x"]"#).unwrap();
        let got: Vec<Option<f64>> = numbers.into_iter().map(|n| n.0).collect();
        let some = |n: f64| Some(n);
        assert_eq!(got, [some(1.0), some(-2.5), some(3.0), some(4.5), None, None, None, None, None]);
        let texts: Vec<Text> = serde_json::from_str(r#"["a", 7, null, {"b":1}, 0.5, false]"#).unwrap();
        assert_eq!(texts.iter().map(|t| t.0.as_str()).collect::<Vec<_>>(), ["a", "7", "", "", "0.5", "false"]);
    }

    #[test]
    fn an_answer_cut_short_says_so_and_shows_none_of_it() {
        let says = tree(br#"{"secret": "abc"#).unwrap_err();
        assert!(says.contains("ends in the middle") && !says.contains("abc"), "{says}");
        let says = tree(b"<html>proxy</html>").unwrap_err();
        assert!(says.contains("no JSON") && !says.contains("proxy"), "{says}");
    }

    #[test]
    fn a_long_text_is_cut_on_its_first_line() {
        assert_eq!(short("\n  one \n two", 20), "one");
        assert_eq!(short("abcdefgh", 5), "abcd…");
    }
}
