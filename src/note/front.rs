//! Front matter: the block between `---` lines at the head of a note. Only the few keys an incident's note
//! has are read, from the plain subset of YAML that note editors write; anything else is stepped over.
//!
//! May not know: headings, checkboxes, files.

/// What the front matter said, and where the Markdown begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// `date`.
    pub date: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `severity`.
    pub severity: Option<String>,
    /// `tags`, from a list in brackets, a list of dashes or words with commas.
    pub tags: Vec<String>,
    /// Byte offset of the first byte after it; after a byte order mark when there is no front matter.
    pub end: usize,
}

const MARK: &str = "\u{feff}";

/// Reads the front matter. A block that is never closed is not one.
pub fn read(text: &str) -> Front {
    let start = if text.starts_with(MARK) { MARK.len() } else { 0 };
    let none = Front { end: start, ..Front::default() };
    let body = text.get(start..).unwrap_or_default();
    let mut lines = body.split_inclusive('\n');
    let Some(first) = lines.next() else { return none };
    if first.trim_end() != "---" {
        return none;
    }
    let mut front = Front { end: start + first.len(), ..Front::default() };
    let mut key = String::new();
    for line in lines {
        front.end += line.len();
        let bare = line.trim_end();
        if bare == "---" || bare == "..." {
            return front;
        }
        take_line(&mut front, &mut key, bare);
    }
    none
}

/// The text with another `status`: the value alone is replaced where there is one, its quotes and the comment behind it
/// stay; else a line is added at the end of the block. None where there is no front matter.
pub fn with_status(text: &str, status: &str) -> Option<String> {
    let start = if text.starts_with(MARK) { MARK.len() } else { 0 };
    let end = read(text).end;
    let block = text.get(start..end).filter(|b| !b.is_empty())?;
    let mut at = start;
    for line in block.split_inclusive('\n') {
        let bare = line.trim_end();
        // An indented key belongs to a mapping that is none of ours.
        let name = line.split_once(':').map(|(name, _)| name.trim_end().trim_matches(['"', '\'']));
        if name.is_some_and(|n| n.eq_ignore_ascii_case("status")) {
            let colon = line.find(':')? + 1;
            let value = bare.get(colon..).unwrap_or_default();
            let lead = value.len() - value.trim_start().len();
            let inner = value.trim_start();
            let quoted = ['"', '\''].into_iter().find(|q| inner.starts_with(*q));
            let length = match quoted.and_then(|q| Some((q, inner.get(1..)?.find(q)?))) {
                Some((_, close)) => close + 2,
                None => inner.find(" #").map_or(inner.len(), |i| inner.get(..i).unwrap_or_default().trim_end().len()),
            };
            let (from, gap) = (at + colon + lead, if lead == 0 { " " } else { "" });
            let value = written(status, quoted);
            return Some(format!("{}{gap}{value}{}", text.get(..from)?, text.get(from + length..)?));
        }
        let closes = at > start && matches!(bare, "---" | "...");
        if closes {
            let newline = if block.contains("\r\n") { "\r\n" } else { "\n" };
            let value = written(status, None);
            return Some(format!("{}status: {value}{newline}{}", text.get(..at)?, text.get(at..)?));
        }
        at += line.len();
    }
    None
}

/// A value as YAML reads it back: in the quotes it had, or in single ones where it needs any.
fn written(value: &str, quote: Option<char>) -> String {
    let plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/'));
    let plain = plain && value.chars().next().is_some_and(char::is_alphabetic);
    match quote {
        None if plain => value.to_owned(),
        Some('"') => format!("\"{}\"", value.replace(['"', '\\'], "'")),
        _ => format!("'{}'", value.replace('\'', "’")),
    }
}

fn take_line(front: &mut Front, key: &mut String, line: &str) {
    let inner = line.trim_start();
    if inner.starts_with('#') {
        return;
    }
    if let Some(entry) = inner.strip_prefix("- ").or_else(|| (inner == "-").then_some("")) {
        if key == "tags" {
            push_tag(front, entry);
        }
        return;
    }
    // An indented `key:` belongs to a mapping that is none of ours.
    if inner.len() != line.len() {
        return;
    }
    let Some((name, value)) = line.split_once(':') else { return };
    *key = name.trim().trim_matches(['"', '\'']).to_lowercase();
    let value = scalar(value);
    match key.as_str() {
        "date" => front.date = some(value),
        "status" => front.status = some(value),
        "severity" => front.severity = some(value),
        "tags" => {
            let list = value.trim_start_matches('[').trim_end_matches(']').to_owned();
            list.split(',').for_each(|t| push_tag(front, t));
        }
        _ => {}
    }
}

fn push_tag(front: &mut Front, tag: &str) {
    let tag = scalar(tag);
    if !tag.is_empty() {
        front.tags.push(tag.trim_start_matches('#').to_owned());
    }
}

/// A value without its quotes, or without the comment behind it.
fn scalar(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote)
            && let Some(end) = inner.find(quote)
        {
            return inner.get(..end).unwrap_or_default().to_owned();
        }
    }
    value.split(" #").next().unwrap_or_default().trim().to_owned()
}

fn some(value: String) -> Option<String> {
    (!value.is_empty() && value != "null" && value != "~").then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_read_in_any_order_with_any_quotes_and_line_ends() {
        let text = "---\r\nseverity: \"high\" # as of noon\r\nextra:\r\n  status: nested\r\ntags:\r\n  - incident\r\n  - 'payment'\r\ndate: '2025-01-12'\r\nstatus: investigating\r\n---\r\n# Title\r\n";
        let front = read(text);
        assert_eq!(front.severity.as_deref(), Some("high"));
        assert_eq!(front.status.as_deref(), Some("investigating"));
        assert_eq!(front.date.as_deref(), Some("2025-01-12"));
        assert_eq!(front.tags, ["incident", "payment"]);
        assert!(text[front.end..].starts_with("# Title"));
    }

    #[test]
    fn a_list_in_brackets_and_a_byte_order_mark_are_fine() {
        let front = read("\u{feff}---\ntags: [a, \"b\", '#c']\n---\nx");
        assert_eq!(front.tags, ["a", "b", "c"]);
        assert_eq!(read("\u{feff}# no front").end, 3);
    }

    #[test]
    fn another_status_changes_its_value_and_nothing_else() {
        for (text, after) in [
            ("---\nstatus: investigating\ntags: [a]\n---\n# T\n", "---\nstatus: resolved\ntags: [a]\n---\n# T\n"),
            ("---\r\nstatus: 'a' # since noon\r\n---\r\n", "---\r\nstatus: 'resolved' # since noon\r\n---\r\n"),
            ("---\nStatus:\n---\n", "---\nStatus: resolved\n---\n"),
            ("---\nstatus: a b # c\n---\n", "---\nstatus: resolved # c\n---\n"),
            (
                "\u{feff}---\n  status: nested\ndate: x\n---\nstatus: text\n",
                "\u{feff}---\n  status: nested\ndate: x\nstatus: resolved\n---\nstatus: text\n",
            ),
        ] {
            assert_eq!(with_status(text, "resolved").as_deref(), Some(after));
            assert_eq!(read(after).status.as_deref(), Some("resolved"));
        }
        let odd = with_status("---\nstatus: x\n---\n", "waiting: for HO #1").unwrap();
        assert_eq!(read(&odd).status.as_deref(), Some("waiting: for HO #1"));
        assert_eq!(with_status("# no front\nstatus: x\n", "resolved"), None);
    }

    #[test]
    fn a_rule_that_is_never_closed_is_no_front_matter() {
        assert_eq!(read("---\nstatus: x\n- [ ] a\n"), Front::default());
        assert_eq!(read(""), Front::default());
        assert_eq!(read("text\n---\nstatus: x\n---\n"), Front::default());
    }
}
