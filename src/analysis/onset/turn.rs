//! The row at which many signals change, found in their ranks: units, outliers and steps of any size count
//! the same.

/// The row before which and after which the signals differ most, from the middle of what is called "before"
/// up to `noticed`.
///
/// For each signal, the share of the variance of its ranks that one split explains; these are summed over
/// the signals. A row that was not measured counts as an average one.
pub fn turn(signals: &[&[Option<f64>]], noticed: usize, rows: usize) -> usize {
    let mut explained = vec![0.0; noticed + 1];
    for ranks in signals.iter().filter_map(|s| ranks(s, rows)) {
        let mut sum = 0.0;
        for (row, split) in explained.iter_mut().enumerate() {
            if row > 0 {
                sum += ranks[row - 1];
                *split += sum * sum / (row as f64 * (rows - row) as f64);
            }
        }
    }
    let from = noticed / 2;
    let best = (from..=noticed).max_by(|a, b| explained[*a].total_cmp(&explained[*b]));
    // Where nothing turns, what was noticed stands.
    best.filter(|row| explained[*row] > 0.0).unwrap_or(noticed)
}

/// Ranks with mean 0 and variance 1, equal values sharing their mean rank; none for a constant signal.
fn ranks(signal: &[Option<f64>], rows: usize) -> Option<Vec<f64>> {
    let measured = signal.iter().enumerate().filter_map(|(row, v)| Some((row, v.filter(|v| v.is_finite())?)));
    let mut order: Vec<(usize, f64)> = measured.collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut out = vec![0.0; rows];
    let middle = (order.len() as f64 - 1.0) / 2.0;
    let mut squares = 0.0;
    let mut first = 0;
    for equal in order.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let rank = first as f64 + (equal.len() as f64 - 1.0) / 2.0 - middle;
        for (row, _) in equal {
            out[*row] = rank;
            squares += rank * rank;
        }
        first += equal.len();
    }
    if squares <= 0.0 {
        return None;
    }
    let scale = (order.len() as f64 / squares).sqrt();
    for rank in &mut out {
        *rank *= scale;
    }
    Some(out)
}
