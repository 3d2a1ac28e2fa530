//! Templates of log messages: the words that stay, with numbers, ids and quoted text taken out.
//!
//! One pass over the message, one setting for every service. A line gets its template once, when it comes
//! in, so that counting patterns later is only counting.

use crate::model::Untrusted;
use std::collections::HashMap;
use std::sync::Arc;

/// Names a template inside one store.
pub type TemplateId = u32;

/// More different templates than this come only from text that has no templates; the rest share one.
const MOST: usize = 20_000;
/// Longer templates are cut: what tells patterns apart stands at the front.
const LONGEST: usize = 240;

/// All templates met so far.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    ids: HashMap<Arc<str>, TemplateId>,
    texts: Vec<Untrusted>,
    scratch: String,
}

impl Templates {
    /// The template of a message.
    pub fn of(&mut self, message: &str) -> TemplateId {
        self.scratch.clear();
        let mut scratch = std::mem::take(&mut self.scratch);
        template_into(message, &mut scratch);
        let id = match self.ids.get(scratch.as_str()) {
            Some(id) => *id,
            None if self.texts.len() >= MOST => self.name("<a message unlike any other>"),
            None => self.name(&scratch),
        };
        self.scratch = scratch;
        id
    }

    fn name(&mut self, text: &str) -> TemplateId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.texts.len() as TemplateId;
        let text: Arc<str> = Arc::from(text);
        self.ids.insert(text.clone(), id);
        self.texts.push(Untrusted::new(text));
        id
    }

    /// The words of a template.
    pub fn text(&self, id: TemplateId) -> Option<&Untrusted> {
        self.texts.get(id as usize)
    }
}

/// The template of a message: numbers become `<n>`, words with digits `<id>`, addresses `<ip>`, quoted
/// text `<text>`; a unit glued to a number stays (`<n>ms`).
pub fn template(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    template_into(message, &mut out);
    out
}

fn template_into(message: &str, out: &mut String) {
    let mut rest = message.lines().next().unwrap_or_default().trim();
    while let Some(c) = rest.chars().next() {
        if out.len() >= LONGEST {
            out.push('…');
            return;
        }
        if c == '"'
            && let Some(end) = rest[1..].find('"')
        {
            out.push_str("<text>");
            rest = &rest[end + 2..];
            continue;
        }
        let word = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
        if word == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            // A full stop or dash at the end is punctuation of the sentence, not of the word.
            let trimmed = rest[..word].trim_end_matches(['.', '-']);
            let word = if trimmed.is_empty() { word } else { trimmed.len() };
            mask(&rest[..word], out);
            rest = &rest[word..];
        }
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn mask(word: &str, out: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        out.push_str(if is_hex_id(word) { "<id>" } else { word });
        return;
    }
    if word.split('.').count() == 4 && word.split('.').all(|p| p.parse::<u8>().is_ok()) {
        out.push_str("<ip>");
        return;
    }
    let body = word.trim_start_matches(['-', '.']);
    let number = body.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(body.len());
    let unit = &body[number..];
    if number > 0 && unit.len() <= 3 && unit.bytes().all(|b| b.is_ascii_alphabetic()) {
        out.push_str("<n>");
        out.push_str(unit);
    } else if digits == 1 && !word.contains(['-', '_', '.']) && word.len() > 2 && word.starts_with(char::is_alphabetic)
    {
        // http2, utf8, p95's shorter cousins: part of the vocabulary.
        out.push_str(word);
    } else {
        out.push_str("<id>");
    }
}

/// Eight or more hexadecimal letters without a digit are rare words ("defaced") or rarer ids; only long
/// ones are taken for ids.
fn is_hex_id(word: &str) -> bool {
    word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ids_addresses_and_quotes_go_and_words_stay() {
        for (message, expected) in [
            ("no connection within 5000ms (in_use=20 max=20)", "no connection within <n>ms (in_use=<n> max=<n>)"),
            ("saga SG-88120 gave up at RECORD after 3 attempts", "saga <id> gave up at RECORD after <n> attempts"),
            ("GET /orders/1234 from 10.0.4.31:5432", "GET /orders/<n> from <ip>:<n>"),
            ("note \"call me\" kept.", "note <text> kept."),
            ("request 6f1c0a2e-77aa-4f0b-9c11-0123456789ab done", "request <id> done"),
            ("took 0.61s, http2 ok", "took <n>s, http2 ok"),
            ("an unclosed \"quote 5", "an unclosed \"quote <n>"),
        ] {
            assert_eq!(template(message), expected);
        }
    }

    #[test]
    fn the_same_words_share_an_id_and_text_without_templates_cannot_grow_for_ever() {
        let mut t = Templates::default();
        assert_eq!(t.of("took 5ms"), t.of("took 17ms"));
        for i in 0..MOST + 50 {
            let letters: String = format!("{i:05}").bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            t.of(&format!("word {letters}"));
        }
        assert!(t.texts.len() <= MOST + 1);
    }
}
