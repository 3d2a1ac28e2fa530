//! Rows into cells: words become numbers, rare ones one number, and what tells nothing apart is left out.
//!
//! Memory is four bytes for each row and column. A table of counts (a tally made elsewhere) is a table whose
//! rows stand for many. May not know: the store, what the words mean.

use super::{CHANCE, Cell, LIFT, Shared, explain};
use std::collections::HashMap;
use std::sync::Arc;

/// Values of a column beyond which it tells nothing apart: identifiers, instants.
const MOST_VALUES: usize = 10_000;
/// Values of a column that are looked at, those with most bad ones; the rest are one.
const KEPT_VALUES: usize = 24;
/// Rows without which a value is not looked at.
const FEWEST: u64 = 30;
/// Rows a cell should stand for, about: the search listens to cells, and a cell of one row says nothing.
const ROWS_OF_A_CELL: u64 = 25;
/// But so many cells are never too many…
const FEW_CELLS: usize = 200;
/// …and more are not looked at.
const MOST_CELLS: usize = 20_000;
/// Columns whose numbers one key holds, at five bits each.
const MOST_COLUMNS: usize = 12;
/// The number of a value that is not there, or is one of the rest.
const REST: u32 = 0;

/// Rows by column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    /// The column whose values are compared with themselves alone: of what hour a row is.
    within: Option<usize>,
    bad: Vec<u32>,
    all: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Column {
    name: Arc<str>,
    numbers: HashMap<Arc<str>, u32>,
    words: Vec<Arc<str>>,
    codes: Vec<u32>,
    /// It had too many values, and holds none any more.
    given_up: bool,
}

/// Values that together hold more bad ones than should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Column and value, in the order of the columns.
    pub terms: Vec<(Arc<str>, Arc<str>)>,
    /// Bad ones in it.
    pub bad: u64,
    /// All of it.
    pub all: u64,
    /// Probability of this many by chance, times the number of conjunctions there are (Bonferroni).
    pub p: f64,
}

/// One value of one column, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Single {
    /// Place of the column.
    pub column: usize,
    /// Its value.
    pub value: Arc<str>,
    /// Bad ones with it.
    pub bad: u64,
    /// All with it.
    pub all: u64,
}

/// Counts of the values of a column, by number.
type Counts = Vec<(u64, u64)>;

impl Table {
    /// An empty table of some columns.
    pub fn new(names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let column = |name| Column {
            name,
            numbers: HashMap::new(),
            words: vec![Arc::from("")],
            codes: Vec::new(),
            given_up: false,
        };
        Self { columns: names.into_iter().map(column).collect(), ..Self::default() }
    }

    /// The same, and rows are compared with those of the same value of one column alone. In an incident the hour
    /// explains most; what else the bad ones share is what they have beyond their hour.
    #[must_use]
    pub fn within(self, name: &str) -> Self {
        Self { within: self.columns.iter().position(|c| &*c.name == name), ..self }
    }

    /// Adds a row that stands for `all` cases, of which `bad` are bad. A value for each column; none where the
    /// row does not say.
    pub fn add<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v str>>, bad: u32, all: u32) {
        let mut values = values.into_iter();
        for column in &mut self.columns {
            column.push(values.next().flatten());
        }
        self.bad.push(bad.min(all));
        self.all.push(all);
    }

    /// Names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.columns.iter().map(|c| &c.name)
    }

    /// Bad ones, and all.
    pub fn sums(&self) -> (u64, u64) {
        let sum = |of: &[u32]| of.iter().map(|n| u64::from(*n)).sum();
        (sum(&self.bad), sum(&self.all))
    }

    /// Every value of every column that tells something apart.
    pub fn singles(&self) -> Vec<Single> {
        let mut out = Vec::new();
        for (place, column) in self.columns.iter().enumerate() {
            let counts = self.counts(column);
            for ((bad, all), word) in counts.into_iter().zip(&column.words).skip(1) {
                out.push(Single { column: place, value: Arc::clone(word), bad, all });
            }
        }
        out
    }

    /// The segments that stand out, the best first, and none that has a value of a better one; none at all when
    /// none does.
    pub fn segments(&self) -> Vec<Segment> {
        let (bad, all) = self.sums();
        if bad == 0 {
            return Vec::new();
        }
        let share = bad as f64 / all as f64;
        let looked_at = |place: usize| {
            let column = self.columns.get(place)?;
            Kept::of(column, &self.counts(column), share)
        };
        let within = self.within.and_then(looked_at);
        let others = (0..self.columns.len()).filter(|place| Some(*place) != self.within);
        let mut kept: Vec<Kept<'_>> = others.filter_map(looked_at).collect();
        let tried = tried(kept.iter().map(|k| k.values));
        kept.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        let most = usize::try_from(all / ROWS_OF_A_CELL).unwrap_or(MOST_CELLS).clamp(FEW_CELLS, MOST_CELLS);
        let cells = loop {
            match self.cells(&kept, within.as_ref(), most) {
                Some(cells) => break cells,
                None if kept.pop().is_none() => return Vec::new(),
                None => {}
            }
        };
        let Shared::Explained(found) = explain(&cells) else { return Vec::new() };
        let mut out: Vec<Segment> = Vec::new();
        for found in found.iter().filter(|e| e.lift >= LIFT) {
            let [terms] = found.parts.as_slice() else { continue };
            let p = (found.chance * tried).min(1.0);
            if p >= CHANCE || terms.iter().any(|t| t.value == REST) {
                continue;
            }
            let mut named: Vec<(usize, &Arc<str>, &Arc<str>)> = terms
                .iter()
                .filter_map(|t| {
                    let kept = kept.get(t.attribute)?;
                    let place = self.columns.iter().position(|c| std::ptr::eq(c, kept.column))?;
                    Some((
                        place,
                        &kept.column.name,
                        kept.column.words.get(*kept.codes.get(t.value as usize)? as usize)?,
                    ))
                })
                .collect();
            named.sort_unstable();
            let terms = named.into_iter().map(|(_, name, value)| (Arc::clone(name), Arc::clone(value))).collect();
            let segment = Segment { terms, bad: found.bad as u64, all: found.total as u64, p };
            // What shares a value with a better one is a part of it, or a wider cut through it: no news.
            let told = |s: &Segment| s.terms.iter().any(|t| segment.terms.contains(t));
            if !out.iter().any(told) {
                out.push(segment);
            }
        }
        out
    }

    /// Bad ones and all of each value of a column, by number.
    fn counts(&self, column: &Column) -> Counts {
        let mut counts = vec![(0, 0); column.words.len()];
        for ((code, bad), all) in column.codes.iter().zip(&self.bad).zip(&self.all) {
            if let Some((b, a)) = counts.get_mut(*code as usize) {
                *b += u64::from(*bad);
                *a += u64::from(*all);
            }
        }
        counts
    }

    /// The cells of some columns; none when there would be more than `most`, or more columns than a key holds.
    fn cells(&self, kept: &[Kept<'_>], within: Option<&Kept<'_>>, most: usize) -> Option<Vec<Cell>> {
        if kept.len() >= MOST_COLUMNS {
            return None;
        }
        let mut cells: HashMap<u64, (u64, u64)> = HashMap::new();
        for row in 0..self.all.len() {
            // Five bits for each of at most twelve columns hold one of 25 values.
            let first = u64::from(within.map_or(0, |k| k.number(row)));
            let key = kept.iter().fold(first, |key, k| key << 5 | u64::from(k.number(row)));
            let cell = cells.entry(key).or_default();
            cell.0 += u64::from(self.bad[row]);
            cell.1 += u64::from(self.all[row]);
            if cells.len() > most {
                return None;
            }
        }
        let mut cells: Vec<(u64, (u64, u64))> = cells.into_iter().collect();
        cells.sort_unstable();
        let values = |key: u64| (0..kept.len()).rev().map(|i| (key >> (5 * i) & 31) as u32).collect();
        // What is usual in a cell is what is usual among those of its own value.
        let own = |key: u64| (key >> (5 * kept.len())) as usize;
        let mut usual = vec![(0.0, 0.0); 32];
        for (key, (bad, all)) in cells.iter().filter(|_| within.is_some()) {
            usual[own(*key)].0 += *bad as f64;
            usual[own(*key)].1 += *all as f64;
        }
        let cell = |(key, (bad, all)): (u64, (u64, u64))| Cell {
            values: values(key),
            bad: bad as f64,
            total: all as f64,
            before: usual[own(key)],
        };
        Some(cells.into_iter().map(cell).collect())
    }
}

impl Column {
    fn push(&mut self, value: Option<&str>) {
        if self.given_up {
            return;
        }
        let code = match value {
            None => REST,
            Some(word) => match self.numbers.get(word) {
                Some(code) => *code,
                None if self.words.len() > MOST_VALUES => {
                    *self = Self {
                        given_up: true,
                        codes: Vec::new(),
                        words: Vec::new(),
                        numbers: HashMap::new(),
                        name: Arc::clone(&self.name),
                    };
                    return;
                }
                None => {
                    let word: Arc<str> = Arc::from(word);
                    let code = self.words.len() as u32;
                    self.words.push(Arc::clone(&word));
                    self.numbers.insert(word, code);
                    code
                }
            },
        };
        self.codes.push(code);
    }
}

/// A column with the values that are looked at.
struct Kept<'t> {
    column: &'t Column,
    /// By number of the value in the column: its number here, [`REST`] for the rest.
    numbers: Vec<u8>,
    /// The other way round.
    codes: Vec<u32>,
    values: f64,
    /// How far the worst of its values is beyond what everybody's share lets expect, in strays.
    strength: f64,
}

impl<'t> Kept<'t> {
    /// None for a column that tells nothing apart.
    fn of(column: &'t Column, counts: &Counts, share: f64) -> Option<Self> {
        let enough = |code: &usize| counts[*code].1 >= FEWEST;
        let mut best: Vec<usize> = (1..counts.len()).filter(enough).collect();
        best.sort_by_key(|code| (std::cmp::Reverse(counts[*code].0), *code));
        best.truncate(KEPT_VALUES);
        let beyond = |code: &usize| {
            let (bad, all) = counts[*code];
            let usual = all as f64 * share;
            (bad as f64 - usual) / usual.sqrt().max(1.0)
        };
        let strength = best.iter().map(beyond).fold(f64::NEG_INFINITY, f64::max);
        let tells =
            !best.is_empty() && best.first().is_some_and(|code| counts[*code].1 < counts.iter().map(|c| c.1).sum());
        let mut numbers = vec![0_u8; counts.len()];
        for (i, code) in best.iter().enumerate() {
            numbers[*code] = (i + 1) as u8;
        }
        let codes = std::iter::once(REST).chain(best.iter().map(|c| *c as u32)).collect();
        tells.then_some(Self { column, numbers, codes, values: best.len() as f64, strength })
    }

    fn number(&self, row: usize) -> u8 {
        self.column.codes.get(row).and_then(|code| self.numbers.get(*code as usize)).copied().unwrap_or_default()
    }
}

/// How many conjunctions of up to three values there are: the elementary symmetric sums of how many values each
/// column has. All count, also those of columns that were left out.
fn tried(values: impl Iterator<Item = f64>) -> f64 {
    let mut sums = [1.0, 0.0, 0.0, 0.0];
    for n in values {
        for terms in (1..sums.len()).rev() {
            sums[terms] += sums[terms - 1] * n;
        }
    }
    sums[1..].iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 4] = ["method", "region", "pod", "id"];

    /// 20,000 rows, a fiftieth bad, and a third where `hit` says so; every row has an identifier of its own.
    fn table(hit: impl Fn([usize; 3]) -> bool) -> Table {
        let mut table = Table::new(COLUMNS.map(Arc::from));
        let mut state = 7_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for row in 0..20_000 {
            let values = [next(5), next(6), next(40)];
            let bad = next(600) < if hit(values) { 200 } else { 12 };
            let words =
                [format!("m{}", values[0]), format!("r{}", values[1]), format!("p{}", values[2]), format!("{row}")];
            table.add(words.iter().map(|w| Some(w.as_str())), u32::from(bad), 1);
        }
        table
    }

    fn best(table: &Table) -> Vec<String> {
        let found = table.segments();
        let words = |s: &Segment| s.terms.iter().map(|(n, v)| format!("{n}={v}")).collect();
        found.first().map(words).unwrap_or_default()
    }

    #[test]
    fn what_was_planted_is_named_first_and_nothing_where_nothing_was() {
        assert_eq!(best(&table(|v| v[1] == 2)), ["region=r2"]);
        assert_eq!(best(&table(|v| v[0] == 3 && v[1] == 4)), ["method=m3", "region=r4"]);
        assert_eq!(best(&table(|v| v[2] == 17)), ["pod=p17"]);
        assert_eq!(table(|_| false).segments(), []);
        assert_eq!(Table::new(COLUMNS.map(Arc::from)).segments(), []);
    }

    #[test]
    fn what_the_hour_explains_is_not_laid_upon_others() {
        // Half of the hours are ten times as bad; in them and outside of them region r4 is three times as bad, and
        // method m1 came mostly in the bad ones.
        let mut table = Table::new(["hour", "method", "region"].map(Arc::from)).within("hour");
        for row in 0..30_000_u32 {
            let mixed = row.wrapping_mul(2_654_435_761) >> 8;
            let hour = mixed % 6;
            let region = mixed / 6 % 7;
            let method = if hour < 3 { mixed / 42 % 4 % 3 } else { 2 + mixed / 42 % 3 };
            let share = if hour < 3 { 100 } else { 10 } * if region == 4 { 3 } else { 1 };
            let bad = mixed / 500 % 1000 < share;
            let words = [format!("h{hour}"), format!("m{method}"), format!("r{region}")];
            table.add(words.iter().map(|w| Some(w.as_str())), u32::from(bad), 1);
        }
        assert_eq!(best(&table), ["region=r4"]);
        assert_eq!(table.segments().len(), 1);
    }

    #[test]
    fn a_column_of_identifiers_is_given_up_and_costs_nothing() {
        let table = table(|v| v[1] == 2);
        let ids = &table.columns[3];
        assert!(ids.given_up && ids.codes.is_empty() && ids.words.is_empty() && ids.numbers.is_empty());
        assert!(table.singles().iter().all(|s| s.column < 3));
    }

    #[test]
    fn a_tally_says_what_its_rows_say() {
        let rows = table(|v| v[0] == 3 && v[1] == 4);
        let mut tally: std::collections::BTreeMap<[u32; 3], (u32, u32)> = std::collections::BTreeMap::new();
        for row in 0..rows.all.len() {
            let cell = tally.entry([0, 1, 2].map(|c: usize| rows.columns[c].codes[row])).or_default();
            cell.0 += rows.bad[row];
            cell.1 += 1;
        }
        let mut counted = Table::new(COLUMNS[..3].iter().map(|n| Arc::from(*n)));
        for (codes, (bad, all)) in tally {
            let words = (0..3).map(|c| Some(&*rows.columns[c].words[codes[c] as usize]));
            counted.add(words, bad, all);
        }
        assert_eq!(counted.sums(), rows.sums());
        assert_eq!(counted.segments(), rows.segments());
    }

    #[test]
    fn all_conjunctions_count() {
        assert!((tried([2.0, 3.0, 4.0].into_iter()) - (9.0 + 26.0 + 24.0)).abs() < 1e-9);
        assert!((tried([5.0].into_iter()) - 5.0).abs() < 1e-9);
    }
}
