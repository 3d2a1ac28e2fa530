//! A CSV file as columns of text and numbers. What is wrong with it is said with file, line and remedy.

use crate::model::untrusted::shown;
use std::path::{Path, PathBuf};

/// How much of a field an error shows.
const SHOWN: usize = 40;

/// A file with a heading. Every row has as many fields as the heading.
#[derive(Clone, Debug)]
pub struct Table {
    /// The heading, as written.
    pub columns: Vec<String>,
    file: PathBuf,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    line: u64,
    fields: Vec<String>,
}

impl Table {
    /// Reads a file whose fields are separated by commas, semicolons or tabs: whichever its first line has
    /// most of.
    ///
    /// # Errors
    /// A sentence with the file, the line and what to do: not readable, no heading, no row, a column named
    /// twice, a row of another length.
    pub fn read(file: &Path) -> Result<Self, String> {
        let table = Self::read_raw(file)?;
        let names = &table.columns;
        if let Some(twice) = names.iter().enumerate().find(|(i, n)| names[..*i].contains(n)).map(|(_, n)| n) {
            return Err(format!("{}:1: two columns are called {}: rename one", file.display(), cut(twice)));
        }
        if table.rows.is_empty() {
            return Err(format!("{}:2: there is no row under the heading: add the data", file.display()));
        }
        Ok(table)
    }

    /// The same for a file whose heading takes several lines and repeats names.
    ///
    /// # Errors
    /// As [`Table::read`], but for names and rows.
    pub fn read_raw(file: &Path) -> Result<Self, String> {
        let text = std::fs::read(file).map_err(|e| format!("{} cannot be read ({e}): name a file", file.display()))?;
        let mut reader = csv::ReaderBuilder::new().delimiter(separator(&text)).from_reader(text.as_slice());
        let heading = reader.headers().map_err(|e| sentence(file, &e))?;
        let columns: Vec<String> = heading.iter().map(|c| c.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            return Err(format!("{}:1: there is no heading: write the names of the columns", file.display()));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| sentence(file, &e))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(Row { line, fields: record.iter().map(str::to_owned).collect() });
        }
        Ok(Self { columns, file: file.to_owned(), rows })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where a column stands.
    ///
    /// # Errors
    /// A sentence that names the columns there are.
    pub fn column(&self, name: &str) -> Result<usize, String> {
        self.columns.iter().position(|c| c == name).ok_or_else(|| {
            let there: Vec<String> = self.columns.iter().take(12).map(|c| cut(c)).collect();
            let more = if self.columns.len() > 12 { ", …" } else { "" };
            format!(
                "{}:1: there is no column {}: name one of {}{more}",
                self.file.display(),
                cut(name),
                there.join(", ")
            )
        })
    }

    /// A field, as written; empty beyond the end.
    pub fn text(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|r| r.fields.get(column)).map_or("", |f| f.trim())
    }

    /// A column as numbers; none where the field is empty or says that nothing was measured (`NaN`, `null`).
    ///
    /// # Errors
    /// A sentence with the line of the first field that is neither.
    pub fn numbers(&self, column: usize) -> Result<Vec<Option<f64>>, String> {
        self.numbers_from(column, 0)
    }

    /// The same from a row on, for headings of several lines.
    ///
    /// # Errors
    /// As [`Table::numbers`].
    pub fn numbers_from(&self, column: usize, row: usize) -> Result<Vec<Option<f64>>, String> {
        (row..self.rows.len()).map(|row| self.number(row, column)).collect()
    }

    fn number(&self, row: usize, column: usize) -> Result<Option<f64>, String> {
        let text = self.text(row, column);
        if text.is_empty() || ["nan", "null", "na", "none"].contains(&text.to_lowercase().as_str()) {
            return Ok(None);
        }
        let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
        number.map(Some).ok_or_else(|| {
            format!(
                "{}:{}: column {}: {} is no number: write it with a decimal point, or leave it empty",
                self.file.display(),
                self.rows.get(row).map_or(0, |r| r.line),
                cut(self.columns.get(column).map_or("", String::as_str)),
                cut(text)
            )
        })
    }

    /// A sentence about a line of this file.
    pub fn at(&self, row: usize, says: &str) -> String {
        format!("{}:{}: {says}", self.file.display(), self.rows.get(row).map_or(0, |r| r.line))
    }
}

/// Text of the file as an error may show it.
fn cut(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    format!("\"{}\"", shown(&out))
}

fn separator(text: &[u8]) -> u8 {
    let heading = String::from_utf8_lossy(text.split(|b| *b == b'\n').next().unwrap_or_default());
    let count = |s: u8| heading.matches(char::from(s)).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|s| count(*s)).unwrap_or(b',')
}

fn sentence(file: &Path, error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    let says = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the heading has {expected_len}: complete the line, or take it out")
        }
        csv::ErrorKind::Utf8 { .. } => "this line is not UTF-8: save the file as UTF-8".to_owned(),
        _ => format!("this is not CSV ({error}): look at its quotes"),
    };
    format!("{}:{line}: {says}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        std::fs::write(&file, text).unwrap();
        Table::read(&file)
    }

    #[test]
    fn the_separator_is_the_one_the_heading_uses() {
        for text in ["a,b\n1,2\n", "a;b\n1;2\n", "a\tb\n1\t2\n"] {
            let t = table(text).unwrap();
            assert_eq!(t.columns, ["a", "b"], "{text:?}");
            assert_eq!(t.numbers(1), Ok(vec![Some(2.0)]));
        }
    }

    #[test]
    fn a_field_that_is_empty_was_not_measured() {
        let t = table("\u{feff}time,v\n1,\n2,NaN\n3,null\n4,0\n").unwrap();
        assert_eq!(t.column("time"), Ok(0));
        assert_eq!(t.numbers(1), Ok(vec![None, None, None, Some(0.0)]));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_remedy() {
        let number = table("time,v\n1,2\n2,1.5e\u{1b}[2J\n").unwrap().numbers(1).unwrap_err();
        assert!(number.contains("t.csv:3: column \"v\"") && number.contains("decimal point"), "{number}");
        assert!(!number.contains('\u{1b}'), "control characters are shown, not sent");
        let long = table("a,b\n1,2\n1,2,3\n").unwrap_err();
        assert!(long.contains("t.csv:3: 3 fields where the heading has 2"), "{long}");
        let twice = table("a,a\n1,2\n").unwrap_err();
        assert!(twice.contains(":1: two columns are called \"a\""), "{twice}");
        assert!(table("").unwrap_err().contains("no heading"));
        assert!(table("a,b\n").unwrap_err().contains("no row"));
        let column = table("a,b\n1,2\n").unwrap().column("c").unwrap_err();
        assert!(column.contains("no column \"c\": name one of \"a\", \"b\""), "{column}");
    }
}
