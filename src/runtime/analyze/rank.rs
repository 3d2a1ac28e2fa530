//! `analyze rank`: what broke first between two files, and with a call graph, who is to blame.

use super::{Answer, Table, rounded};
use crate::analysis::onset::{self, Departure, Normal, Ranking, Signal};
use crate::analysis::suspect::{self, Measured, Standing, Suspect};
use crate::cli::Rank;
use crate::model::series::Bad;
use serde_json::{Value, json};
use std::path::Path;

/// A signal of both files.
pub struct Column {
    /// Its name.
    pub name: String,
    /// Rows of the reference, then rows of the trouble.
    pub values: Vec<Option<f64>>,
    /// Which side is bad.
    pub bad: Bad,
}

/// Columns of both files with the row where the second begins.
pub struct Joined {
    /// In the order of the second file.
    pub columns: Vec<Column>,
    /// First row of the second file.
    pub noticed: usize,
    times: Vec<String>,
}

impl Joined {
    /// Reads two wide files: first column time, every other one a signal; signals of one file alone are left
    /// out. `low` names those that are bad when low.
    ///
    /// # Errors
    /// A sentence with the remedy.
    pub fn read(before: &Path, after: &Path, low: &[String]) -> Result<Self, String> {
        let (a, b) = (Table::read(before)?, Table::read(after)?);
        let mut columns = Vec::new();
        for (i, name) in b.columns.iter().enumerate().skip(1) {
            let Ok(there) = a.column(name) else { continue };
            if there == 0 {
                continue;
            }
            let values = [a.numbers(there)?, b.numbers(i)?].concat();
            let bad = if low.contains(name) { Bad::Low } else { Bad::High };
            columns.push(Column { name: name.clone(), values, bad });
        }
        if columns.is_empty() {
            return Err(format!(
                "{} and {} share no column beside the time: give both the same names",
                before.display(),
                after.display()
            ));
        }
        if let Some(name) = low.iter().find(|l| !columns.iter().any(|c| c.name == **l)) {
            b.column(name)?;
        }
        let times = [&a, &b].iter().flat_map(|t| (0..t.len()).map(|row| t.text(row, 0).to_owned())).collect();
        Ok(Self { columns, noticed: a.len(), times })
    }

    /// Columns that were put together elsewhere, without times.
    pub fn of(columns: Vec<Column>, noticed: usize) -> Self {
        Self { columns, noticed, times: Vec::new() }
    }

    /// All signals, most departed first.
    ///
    /// # Errors
    /// Why there is no ranking.
    pub fn ranking(&self, noticed: usize) -> Result<Ranking, onset::Blank> {
        let signals: Vec<Signal<'_>> = self.columns.iter().map(|c| Signal { values: &c.values, bad: c.bad }).collect();
        onset::rank(&signals, noticed)
    }
}

/// A call graph: services by name, and who calls whom.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Names, each once.
    pub services: Vec<String>,
    /// Caller and callee, by place in `services`.
    pub calls: Vec<(usize, usize)>,
}

impl Graph {
    /// Reads pairs of caller and callee, or a square of them: a row for each caller, a column for each
    /// callee, and something other than 0 where it calls.
    ///
    /// # Errors
    /// A sentence with the remedy.
    pub fn read(file: &Path) -> Result<Self, String> {
        let table = Table::read(file)?;
        let mut graph = Self::default();
        if table.columns.len() == 2 {
            for row in 0..table.len() {
                let (from, to) = (table.text(row, 0), table.text(row, 1));
                if from.is_empty() || to.is_empty() {
                    return Err(table.at(row, "a caller and a callee are expected: complete the line"));
                }
                graph.call(from, to);
            }
            return Ok(graph);
        }
        for name in table.columns.iter().skip(1) {
            graph.service(name);
        }
        for column in 1..table.columns.len() {
            for (row, called) in table.numbers(column)?.into_iter().enumerate() {
                if called.is_some_and(|c| c != 0.0) {
                    graph.call(table.text(row, 0), &table.columns[column]);
                }
            }
        }
        Ok(graph)
    }

    /// The number of a service, which is new if need be.
    pub fn service(&mut self, name: &str) -> usize {
        self.services.iter().position(|s| s == name).unwrap_or_else(|| {
            self.services.push(name.to_owned());
            self.services.len() - 1
        })
    }

    fn call(&mut self, from: &str, to: &str) {
        let call = (self.service(from), self.service(to));
        if !self.calls.contains(&call) {
            self.calls.push(call);
        }
    }

    /// The service a column measures: the one it is named like, else the longest one its name begins with
    /// before a mark (`orders_cpu`, `orders.latency`).
    fn of(&self, column: &str) -> Option<usize> {
        let fits = |name: &str| {
            column
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '.', ':', '-', '/', ' ']))
        };
        let all = self.services.iter().enumerate().filter(|(_, name)| !name.is_empty() && fits(name));
        all.max_by_key(|(_, name)| name.len()).map(|(i, _)| i)
    }
}

/// Services with how unwell each is, ranked.
pub struct Blamed {
    /// Graph, with services that only columns name at its end.
    pub graph: Graph,
    /// All services.
    pub suspects: Vec<Suspect>,
}

/// Ranks the services of a graph by what their columns show while `alarm`, a column, is at its worst.
pub fn blamed(joined: &Joined, mut graph: Graph, alarm: Option<usize>, strength: &[Option<f64>]) -> Blamed {
    let services: Vec<usize> =
        joined.columns.iter().map(|c| graph.of(&c.name).unwrap_or_else(|| graph.service(&c.name))).collect();
    let mut strengths: Vec<Option<f64>> = vec![None; graph.services.len()];
    for (service, strength) in services.iter().zip(strength) {
        // A service is as unwell as the worst of what is measured of it.
        strengths[*service] = [strengths[*service], *strength].into_iter().flatten().reduce(f64::max);
    }
    let suspects = suspect::rank(&graph.calls, &strengths, alarm.map(|a| services[a]));
    Blamed { graph, suspects }
}

/// How much worse each column is while the alarm rings.
pub fn with_alarm(joined: &Joined, alarm: usize) -> Vec<Option<f64>> {
    let measured = |c: &'_ Column| {
        let (before, after) = c.values.split_at(joined.noticed);
        Normal::of(before).map(|normal| (after.to_vec(), normal, c.bad))
    };
    let Some((rows, normal, bad)) = measured(&joined.columns[alarm]) else { return vec![None; joined.columns.len()] };
    let alarm = Measured { rows: &rows, normal, bad };
    let strength = |c: &Column| {
        let (rows, normal, bad) = measured(c)?;
        suspect::with_alarm(alarm, Measured { rows: &rows, normal, bad })
    };
    joined.columns.iter().map(strength).collect()
}

/// `analyze rank`.
pub fn run(what: &Rank) -> Result<Answer, String> {
    let joined = Joined::read(&what.before, &what.after, &what.low)?;
    let ranking = match joined.ranking(joined.noticed) {
        Ok(ranking) => ranking,
        Err(why) => return Ok(Answer::blank(json!({ "suspects": [], "reason": why.to_string() }))),
    };
    let alarm = match &what.alarm {
        Some(name) => Some(
            joined
                .columns
                .iter()
                .position(|c| c.name == *name)
                .ok_or_else(|| format!("--alarm {name} is no column of both files: name one that is"))?,
        ),
        None => None,
    };
    let turn = joined.times.get(ranking.turn).cloned().unwrap_or_default();
    let Some(file) = &what.graph else {
        let suspects: Vec<Value> = ranking.departures.iter().map(|d| told(&joined, &ranking, d)).collect();
        return Ok(Answer::found(json!({ "turn": turn, "suspects": suspects })));
    };
    let strength = if let Some(alarm) = alarm {
        with_alarm(&joined, alarm)
    } else {
        let mut all = vec![None; joined.columns.len()];
        ranking.departures.iter().for_each(|d| all[d.signal] = Some(d.score));
        all
    };
    let Blamed { graph, suspects } = blamed(&joined, Graph::read(file)?, alarm, &strength);
    let names = |of: &[usize]| of.iter().map(|s| graph.services[*s].clone()).collect::<Vec<_>>();
    let service = |s: &Suspect| {
        let name = &graph.services[s.service];
        let own = |d: &&Departure| graph.of(&joined.columns[d.signal].name) == Some(s.service);
        let signals: Vec<Value> = ranking.departures.iter().filter(own).map(|d| told(&joined, &ranking, d)).collect();
        json!({
            "name": name, "standing": standing(s.standing), "score": s.strength.map(rounded),
            "explains": names(&s.explains), "suffers_from": names(&s.suffers_from), "signals": signals,
        })
    };
    let suspects: Vec<Value> = suspects.iter().map(service).collect();
    Ok(Answer::found(json!({ "turn": turn, "suspects": suspects })))
}

fn told(joined: &Joined, ranking: &Ranking, d: &Departure) -> Value {
    json!({
        "name": joined.columns[d.signal].name,
        "onset": d.onset.and_then(|row| joined.times.get(row)),
        "rows_after_turn": d.onset.map(|row| row as i64 - ranking.turn as i64),
        "score": rounded(d.score), "usual": rounded(d.usual), "since": rounded(d.since),
    })
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Cause => "cause",
        Standing::Consequence => "consequence",
        Standing::Well => "well",
        Standing::Unmeasured => "not measured",
    }
}
