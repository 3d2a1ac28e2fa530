//! The search: every conjunction that occurs, weighed by its cells.

use super::{Cell, Explanation, GIVEN, JOINS, PARTS, Shared, TERMS, TIMES, Term};
use statrs::distribution::{DiscreteCDF, Poisson};

/// How many of a cell's own earlier cases weigh as much as what is usual everywhere.
const PRIOR: f64 = 50.0;
/// How often what is usual outside the explanation is estimated anew, when nothing earlier is known.
const ROUNDS: usize = 3;

/// Finds what the bad ones share. What is usual comes from the cells' earlier counts where there are any;
/// otherwise from the cells outside the explanation itself.
pub fn explain(cells: &[Cell]) -> Shared {
    let bad: f64 = cells.iter().map(|c| c.bad).sum();
    let total: f64 = cells.iter().map(|c| c.total).sum();
    if bad <= 0.0 || total <= 0.0 {
        return Shared::NothingBad;
    }
    let tried = Conjunctions::of(cells);
    let known: (f64, f64) = cells.iter().fold((0.0, 0.0), |(b, t), c| (b + c.before.0, t + c.before.1));
    let found = if known.1 > 0.0 {
        tried.weighed(cells, &earlier(cells, known.0 / known.1))
    } else {
        // Twice nothing is nothing: a share of one bad one keeps a clean outside from making all else news.
        let least = 1.0 / (total + 1.0);
        let mut share = bad / total;
        let mut found = Vec::new();
        for _ in 0..ROUNDS {
            let usual: Vec<f64> = cells.iter().map(|c| c.total * share).collect();
            found = tried.weighed(cells, &usual);
            let Some(best) = found.first() else { break };
            if total - best.total <= 0.0 {
                break;
            }
            share = ((bad - best.bad) / (total - best.total)).max(least);
        }
        found
    };
    let (out, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(Explanation::stands_out);
    if out.is_empty() { Shared::NothingStandsOut(rest.into_iter().next()) } else { Shared::Explained(out) }
}

/// Bad ones that would be usual in each cell: its own earlier share, drawn towards everybody's.
fn earlier(cells: &[Cell], everywhere: f64) -> Vec<f64> {
    cells.iter().map(|c| c.total * (c.before.0 + PRIOR * everywhere) / (c.before.1 + PRIOR)).collect()
}

/// How loudly a cell says that it is worse than usual; negative when it says that it is not. The log
/// likelihood of `TIMES` the usual against the usual, by Poisson's law; its root, because a cell ten times
/// as large is not ten witnesses.
fn voice(bad: f64, usual: f64) -> f64 {
    let likelihood = bad * TIMES.ln() - usual * (TIMES - 1.0);
    likelihood.signum() * likelihood.abs().sqrt()
}

/// Every conjunction that occurs, with its cells.
struct Conjunctions {
    terms: Vec<Vec<Term>>,
    cells: Vec<Vec<usize>>,
}

impl Conjunctions {
    fn of(cells: &[Cell]) -> Self {
        let attributes = cells.iter().map(|c| c.values.len()).min().unwrap_or(0);
        let mut out = Self { terms: Vec::new(), cells: Vec::new() };
        for chosen in choices(attributes) {
            // Three values of 32 bits in one number: sorted without looking at the cells again.
            let key = |cell: &Cell| chosen.iter().fold(0_u128, |key, a| (key << 32) | u128::from(cell.values[*a]));
            let there = cells.iter().enumerate().filter(|(_, c)| c.total > 0.0);
            let mut order: Vec<(u128, usize)> = there.map(|(i, c)| (key(c), i)).collect();
            order.sort_unstable();
            for equal in order.chunk_by(|a, b| a.0 == b.0) {
                let value_of = |a: &usize| Term { attribute: *a, value: cells[equal[0].1].values[*a] };
                out.terms.push(chosen.iter().map(value_of).collect());
                out.cells.push(equal.iter().map(|(_, i)| *i).collect());
            }
        }
        out
    }

    /// The heaviest explanation, the heaviest single conjunction, and the next ones.
    fn weighed(&self, cells: &[Cell], usual: &[f64]) -> Vec<Explanation> {
        let mut voices: Vec<f64> = cells.iter().zip(usual).map(|(c, u)| voice(c.bad, *u)).collect();
        let weights = self.weights(&voices);
        let Some(first) = heaviest(&weights) else { return Vec::new() };
        let mut parts = vec![first];
        let mut next = first;
        while parts.len() < PARTS {
            // What one conjunction has explained is no news for another.
            self.cells[next].iter().for_each(|c| voices[*c] = 0.0);
            let left = self.weights(&voices);
            match heaviest(&left).filter(|i| left[*i] >= JOINS * weights[first]) {
                Some(other) => parts.push(other),
                None => break,
            }
            next = parts[parts.len() - 1];
        }
        let mut singles: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0.0).collect();
        singles.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
        let mut sets = vec![parts];
        sets.extend(singles.into_iter().take(GIVEN).map(|i| vec![i]));
        sets.dedup();
        sets.truncate(GIVEN);
        sets.iter().map(|set| self.explanation(set, cells, usual)).collect()
    }

    fn weights(&self, voices: &[f64]) -> Vec<f64> {
        self.cells.iter().map(|cells| cells.iter().map(|c| voices[*c]).sum()).collect()
    }

    fn explanation(&self, set: &[usize], cells: &[Cell], usual: &[f64]) -> Explanation {
        let mut inside: Vec<usize> = set.iter().flat_map(|i| self.cells[*i].iter().copied()).collect();
        inside.sort_unstable();
        inside.dedup();
        let sum = |of: &dyn Fn(usize) -> f64| inside.iter().map(|i| of(*i)).sum::<f64>();
        let (bad, total, usual) = (sum(&|i| cells[i].bad), sum(&|i| cells[i].total), sum(&|i| usual[i]));
        let chance = chance(bad, usual);
        let p = (chance * self.terms.len() as f64).min(1.0);
        let parts = set.iter().map(|i| self.terms[*i].clone()).collect();
        Explanation { parts, bad, total, usual, lift: bad / usual.max(f64::MIN_POSITIVE), chance, p }
    }
}

/// The heaviest, of equals the first: those with fewer terms stand before those with more.
fn heaviest(weights: &[f64]) -> Option<usize> {
    let best = weights.iter().enumerate().max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)))?;
    (*best.1 > 0.0).then_some(best.0)
}

/// Probability of `bad` or more where `usual` are expected.
fn chance(bad: f64, usual: f64) -> f64 {
    let at_least = bad.round() as u64;
    match (at_least.checked_sub(1), Poisson::new(usual)) {
        (Some(below), Ok(law)) => law.sf(below).clamp(0.0, 1.0),
        _ => 1.0,
    }
}

/// Every choice of one to `TERMS` attributes, fewer first.
fn choices(attributes: usize) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut last: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..TERMS {
        let longer = |chosen: &Vec<usize>| {
            let from = chosen.last().map_or(0, |a| a + 1);
            let chosen = chosen.clone();
            (from..attributes).map(move |a| [chosen.as_slice(), &[a]].concat())
        };
        last = last.iter().flat_map(longer).collect();
        out.extend(last.iter().cloned());
    }
    out
}
