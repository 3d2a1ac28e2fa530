//! Where a note's parts stand: headings, checkboxes with their bytes, questions. Markdown is read by
//! pulldown-cmark; this file only keeps what an incident's note is made of.
//!
//! May not know: what a hypothesis or a phase is, files.

use pulldown_cmark::{Event, HeadingLevel, OffsetIter, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// What evidence lines begin with; a question mark in one asks nobody anything.
pub const EVIDENCE: &str = "evidence (warroom";
/// What answers begin with.
pub const ANSWER: &str = "answer (warroom";

/// The parts in the file's order. Offsets are bytes of the whole text.
#[derive(Debug, Default)]
pub struct Outline {
    /// Headings.
    pub headings: Vec<Heading>,
    /// Checkboxes.
    pub boxes: Vec<Checkbox>,
    /// Questions that are no checkbox.
    pub questions: Vec<Asked>,
    /// Byte at which each line begins.
    lines: Vec<usize>,
}

/// A heading.
#[derive(Debug)]
pub struct Heading {
    /// 1 to 6.
    pub level: u32,
    /// Its words.
    pub text: String,
    /// First line, from 1.
    pub line: usize,
    /// Last line of its section that is not blank.
    pub last_line: usize,
    /// The heading it stands under.
    pub parent: Option<usize>,
    /// First sentence below it, without a bold lead-in.
    pub reasoning: String,
}

/// A checkbox.
#[derive(Debug)]
pub struct Checkbox {
    /// The byte between the brackets.
    pub mark: usize,
    /// Ticked.
    pub ticked: bool,
    /// Its own words, children not included.
    pub text: String,
    /// The list item's bytes, children included; it begins at the list marker.
    pub range: Range<usize>,
    /// End of its own words.
    pub own_end: usize,
    /// Where its first nested list item begins.
    pub child: Option<usize>,
    /// The heading it stands under.
    pub heading: Option<usize>,
}

/// A question.
#[derive(Debug)]
pub struct Asked {
    /// Whom it is for.
    pub group: String,
    /// Its words.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
    /// Where its sentence stands.
    pub place: Place,
    /// The answers below it, as they stand there.
    pub answers: Vec<String>,
}

/// Where a list item or a paragraph stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its first byte; of a list item its marker's.
    pub start: usize,
    /// The first byte of its own words.
    pub words: usize,
    /// Where its own words end.
    pub own_end: usize,
    /// Where its first nested list item begins.
    pub child: Option<usize>,
    /// Whether it is a list item.
    pub item: bool,
}

impl Outline {
    /// The line of a byte, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }
    /// The headings above and including this one, outermost first.
    pub fn path(&self, heading: Option<usize>) -> Vec<usize> {
        let mut path: Vec<usize> =
            std::iter::successors(heading, |h| self.headings.get(*h).and_then(|h| h.parent)).collect();
        path.reverse();
        path
    }
}

/// Reads the outline of `text` from byte `from` on (behind the front matter).
pub fn read(text: &str, from: usize) -> Outline {
    let body = text.get(from..).unwrap_or_default();
    let options = Options::ENABLE_TASKLISTS | Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut walk =
        Walk { text, from, outline: Outline { lines: line_starts(text), ..Outline::default() }, ..Walk::default() };
    let events: OffsetIter<'_> = Parser::new_ext(body, options).into_offset_iter();
    for (event, range) in events {
        walk.event(event, range.start + from..range.end + from);
    }
    walk.finish()
}

fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends =
        bytes.iter().enumerate().filter(|(i, b)| **b == b'\n' || (**b == b'\r' && bytes.get(i + 1) != Some(&b'\n')));
    std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect()
}

/// A list item that is open.
#[derive(Default)]
struct Open {
    start: usize,
    text: String,
    /// Its own words are over: a child, a block or a second paragraph follows.
    closed: bool,
    checkbox: Option<usize>,
    /// Its first word, and the end of its last.
    own: Option<Range<usize>>,
    child: Option<usize>,
    /// Answers among its children.
    answers: Vec<String>,
}

/// A paragraph that is no list item's own.
#[derive(Default)]
struct Paragraph {
    start: usize,
    text: String,
    /// Where its last word ends.
    own_end: usize,
    /// Words in bold at its beginning.
    lead: String,
    /// Length of `text` at the first line break that Markdown keeps.
    first_line: Option<usize>,
}

#[derive(Default)]
struct Walk<'t> {
    text: &'t str,
    from: usize,
    outline: Outline,
    items: Vec<Open>,
    paragraph: Option<Paragraph>,
    heading: Option<Heading>,
    /// The bold line that introduces what follows.
    lead: String,
    bold: u32,
    quoted: u32,
    /// Inside a fence or HTML, where nothing means anything.
    opaque: u32,
}

impl Walk<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, &range),
            Event::End(tag) => self.end(tag, &range),
            Event::TaskListMarker(ticked) => self.checkbox(ticked, &range),
            Event::Text(words) | Event::Code(words) => self.words(&words, &range),
            Event::SoftBreak => self.words(" ", &range),
            Event::HardBreak => {
                if let Some(p) = &mut self.paragraph {
                    p.first_line.get_or_insert(p.text.len());
                }
                self.words(" ", &range);
            }
            Event::InlineHtml(_) => self.words("", &range),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.open_heading(*level, range.start),
            Tag::Item => {
                // With a tab that is only partly the parent's, the range begins at the line end before it.
                let inside = self.text.get(range.clone()).unwrap_or_default();
                let start = range.end - inside.trim_start_matches([' ', '\t', '\r', '\n', '>']).len();
                if let Some(parent) = self.items.last().and_then(|i| i.checkbox)
                    && let Some(parent) = self.outline.boxes.get_mut(parent)
                {
                    parent.child.get_or_insert(start);
                }
                if let Some(parent) = self.items.last_mut() {
                    parent.child.get_or_insert(start);
                }
                self.items.push(Open { start, ..Open::default() });
            }
            Tag::Paragraph if self.items.last().is_none_or(|i| i.closed) => {
                self.paragraph = Some(Paragraph { start: range.start, ..Paragraph::default() });
            }
            Tag::Strong => self.bold += 1,
            Tag::BlockQuote(_) => {
                self.quoted += 1;
                self.close_item();
            }
            Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.opaque += 1;
                self.close_item();
            }
            Tag::List(_) | Tag::Table(_) => self.close_item(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: &Range<usize>) {
        match tag {
            TagEnd::Heading(_) => {
                if let Some(mut heading) = self.heading.take() {
                    heading.text = squeeze(&heading.text);
                    self.lead.clear();
                    self.outline.headings.push(heading);
                }
            }
            TagEnd::Item => self.end_item(range),
            TagEnd::Paragraph => match self.paragraph.take() {
                Some(p) => self.end_paragraph(p),
                None => self.close_item(),
            },
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::BlockQuote(_) => self.quoted = self.quoted.saturating_sub(1),
            TagEnd::CodeBlock | TagEnd::HtmlBlock => self.opaque = self.opaque.saturating_sub(1),
            TagEnd::Link | TagEnd::Image | TagEnd::Emphasis | TagEnd::Strikethrough => self.words("", range),
            _ => {}
        }
    }

    fn open_heading(&mut self, level: HeadingLevel, start: usize) {
        let level = level as u32;
        // The nearest shallower heading, found through the parents of the one before: at most six steps.
        let last = self.outline.headings.len().checked_sub(1);
        let above = |h: &usize| self.outline.headings.get(*h).and_then(|h| h.parent);
        let shallower = |h: &usize| self.outline.headings.get(*h).is_some_and(|h| h.level < level);
        let parent = std::iter::successors(last, above).find(shallower);
        self.heading = Some(Heading {
            level,
            text: String::new(),
            line: self.outline.line(start),
            last_line: 0,
            parent,
            reasoning: String::new(),
        });
    }

    fn checkbox(&mut self, ticked: bool, range: &Range<usize>) {
        let Some(found) = self.text.get(range.clone()).and_then(|m| m.find('[')) else { return };
        let mark = range.start + found + 1;
        let heading = self.outline.headings.len().checked_sub(1);
        let Some(item) = self.items.last_mut().filter(|i| !i.closed && i.checkbox.is_none()) else { return };
        item.checkbox = Some(self.outline.boxes.len());
        self.outline.boxes.push(Checkbox {
            mark,
            ticked,
            text: String::new(),
            range: item.start..range.end,
            own_end: mark + 2,
            child: None,
            heading,
        });
    }

    fn words(&mut self, words: &str, range: &Range<usize>) {
        if self.opaque > 0 {
            return;
        }
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(words);
        } else if let Some(item) = self.items.last_mut().filter(|i| !i.closed) {
            item.text.push_str(words);
            let own = item.own.get_or_insert_with(|| range.clone());
            own.end = own.end.max(range.end);
            if let Some(b) = item.checkbox.and_then(|b| self.outline.boxes.get_mut(b)) {
                b.own_end = b.own_end.max(range.end);
            }
        } else if let Some(p) = &mut self.paragraph {
            if self.bold > 0 && p.lead.len() == p.text.len() {
                p.lead.push_str(words);
            }
            p.text.push_str(words);
            p.own_end = p.own_end.max(range.end);
        }
    }

    fn close_item(&mut self) {
        if let Some(item) = self.items.last_mut() {
            item.closed = true;
        }
    }

    fn end_item(&mut self, range: &Range<usize>) {
        let Some(item) = self.items.pop() else { return };
        let text = squeeze(&item.text);
        if let Some(b) = item.checkbox.and_then(|b| self.outline.boxes.get_mut(b)) {
            b.text = text;
            b.range = item.start..range.end;
            return;
        }
        if text.starts_with(ANSWER) {
            self.answered(text);
            return;
        }
        let above = self.items.last().filter(|p| p.checkbox.is_none()).map(|p| squeeze(&p.text));
        let group = above.and_then(|t| lead_in(&t)).unwrap_or_default();
        let own = item.own.unwrap_or(item.start..item.start);
        let words = behind_marker(self.text, item.start);
        let place = Place { start: item.start, words, own_end: own.end, child: item.child, item: true };
        self.ask(&text, place, group, &item.answers);
    }

    /// An answer below a question: a child of its list item, or a list right behind its paragraph.
    fn answered(&mut self, text: String) {
        if let Some(parent) = self.items.last_mut() {
            parent.answers.push(text);
            return;
        }
        let questions = &mut self.outline.questions;
        let Some(place) = questions.last().map(|q| q.place.clone()).filter(|p| !p.item) else { return };
        for q in questions.iter_mut().rev().take_while(|q| q.place == place) {
            q.answers.push(text.clone());
        }
    }

    fn end_paragraph(&mut self, p: Paragraph) {
        let outside = p.text.get(p.lead.len()..).unwrap_or_default();
        if !p.lead.is_empty() && outside.trim_matches([' ', ':', '：']).is_empty() {
            p.lead.trim().trim_end_matches([':', '：']).clone_into(&mut self.lead);
            return;
        }
        if let Some(heading) = self.outline.headings.last_mut().filter(|h| h.reasoning.is_empty()) {
            heading.reasoning = first_sentence(&p);
        }
        let place = Place { start: p.start, words: p.start, own_end: p.own_end, child: None, item: false };
        self.ask(&squeeze(&p.text), place, String::new(), &[]);
    }

    fn ask(&mut self, text: &str, place: Place, group: String, answers: &[String]) {
        if self.quoted > 0 || text.starts_with(EVIDENCE) {
            return;
        }
        let group = match (group.is_empty(), self.lead.is_empty()) {
            (false, _) => group,
            (true, false) => self.lead.clone(),
            (true, true) => self.outline.headings.last().map(|h| h.text.clone()).unwrap_or_default(),
        };
        let line = self.outline.line(place.start);
        let (place, answers) = (&place, answers.to_vec());
        self.outline.questions.extend(questions(text).map(|question| Asked {
            group: group.clone(),
            text: question.to_owned(),
            line,
            place: place.clone(),
            answers: answers.clone(),
        }));
    }

    /// Fills in where sections end and puts questions into the file's order.
    fn finish(mut self) -> Outline {
        self.outline.questions.sort_by_key(|q| q.line);
        let blank = |line: usize| {
            let start = self.outline.lines.get(line - 1).copied().unwrap_or(self.from);
            let end = self.outline.lines.get(line).copied().unwrap_or(self.text.len());
            self.text.get(start..end).is_none_or(|l| l.trim().is_empty())
        };
        let total = self.outline.lines.len();
        let mut last_lines = Vec::with_capacity(self.outline.headings.len());
        // Walked backwards with the next start of each level, so that a note of headings only stays linear.
        let mut next = [total + 1; 7];
        for heading in self.outline.headings.iter().rev() {
            let level = (heading.level as usize).min(6);
            let after = next.iter().take(level + 1).copied().min().unwrap_or(total + 1);
            let mut last = after - 1;
            while last > heading.line && blank(last) {
                last -= 1;
            }
            last_lines.push(last);
            if let Some(slot) = next.get_mut(level) {
                *slot = heading.line;
            }
        }
        for (heading, last) in self.outline.headings.iter_mut().rev().zip(last_lines) {
            heading.last_line = last;
        }
        self.outline
    }
}

/// The first byte behind a list marker and its blanks.
fn behind_marker(text: &str, start: usize) -> usize {
    let inside = text.get(start..).unwrap_or_default();
    let marker = inside.find([' ', '\t']).unwrap_or(0);
    let rest = inside.get(marker..).unwrap_or_default();
    start + marker + (rest.len() - rest.trim_start_matches([' ', '\t']).len())
}

/// The words of a list item that only introduces its children: `Product:`.
fn lead_in(text: &str) -> Option<String> {
    text.strip_suffix([':', '：']).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

/// One space where the text had any blank.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sentences that end in a question mark.
fn questions(text: &str) -> impl Iterator<Item = &str> {
    sentences(text).filter(|s| s.ends_with(['?', '？', '؟']) && s.chars().any(char::is_alphabetic))
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let mut chars = rest.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let next_blank = chars.peek().is_none_or(|(_, n)| n.is_whitespace());
            if matches!(c, '。' | '？' | '！') || (matches!(c, '.' | '?' | '!' | '؟') && next_blank) {
                let (sentence, tail) = rest.split_at(i + c.len_utf8());
                rest = tail;
                return Some(sentence);
            }
        }
        Some(std::mem::take(&mut rest))
    })
}

fn first_sentence(p: &Paragraph) -> String {
    let line = p.text.get(..p.first_line.unwrap_or(p.text.len())).unwrap_or_default();
    let said = line.get(p.lead.len().min(line.len())..).unwrap_or_default();
    let said = squeeze(said.trim_start_matches([' ', ':', '：']));
    sentences(&said).next().unwrap_or_default().to_owned()
}
