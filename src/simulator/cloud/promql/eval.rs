//! What an expression is worth at an instant.
//!
//! As Prometheus does it: an instant looks five minutes back; a range is open at its beginning; the growth of
//! a counter takes every fall for a reset and is stretched towards the ends of the range when the first and
//! the last point are near them.

use super::parse::{Expr, Function, How, Matcher, Sign};
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::{Series, World};
use std::collections::BTreeMap;

/// How old the newest point of a series may be.
const LOOK_BACK: Lapse = Lapse::minutes(5);

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// What an expression is worth.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(f64),
    /// A number for each set of labels.
    Vector(Vec<(Labels, f64)>),
}

/// The series that fit all matchers.
pub fn select<'w>(world: &'w World, matchers: &[Matcher]) -> impl Iterator<Item = &'w Series> {
    let value = |s: &'w Series, label: &str| s.labels.iter().find(|(n, _)| n == label).map_or("", |(_, v)| v.as_str());
    world.series.iter().filter(move |s| matchers.iter().all(|m| m.fits(value(s, &m.label))))
}

/// The points that are there by now.
pub fn visible(series: &Series, now: Stamp) -> &[(Stamp, f64)] {
    &series.points[..series.points.partition_point(|p| p.0 <= now)]
}

/// The worth of an expression at an instant; nothing younger than `now` is known.
pub fn evaluate(expr: &Expr, world: &World, at: Stamp, now: Stamp) -> Result<Value, String> {
    let eval = |e: &Expr| evaluate(e, world, at, now);
    match expr {
        Expr::Number(n) => Ok(Value::Scalar(*n)),
        Expr::Series { range: Some(_), .. } => Err("a range of a series has to stand in a function".to_owned()),
        Expr::Series { matchers, range: None, offset } => {
            let at = at - *offset;
            let newest = |s: &Series| visible(s, now.min(at)).last().filter(|p| p.0 > at - LOOK_BACK).map(|p| p.1);
            let found = select(world, matchers).filter_map(|s| Some((labels(s), newest(s)?)));
            Ok(Value::Vector(found.collect()))
        }
        Expr::Call(function, of) => {
            let Expr::Series { matchers, range: Some(range), offset } = of.as_ref() else {
                return Err("a range of a series is expected".to_owned());
            };
            let to = at - *offset;
            let from = to - *range;
            let made = |s: &Series| {
                let points = visible(s, now.min(to));
                apply(*function, &points[points.partition_point(|p| p.0 <= from)..], from, to)
            };
            let keeps_name = *function == Function::Last;
            let found = select(world, matchers).filter_map(|s| {
                let v = made(s)?;
                Some((if keeps_name { labels(s) } else { nameless(labels(s)) }, v))
            });
            Ok(Value::Vector(found.collect()))
        }
        Expr::Quantile(share, buckets) => match (eval(share)?, eval(buckets)?) {
            (Value::Scalar(q), Value::Vector(v)) => Ok(Value::Vector(quantiles(q, v))),
            _ => Err("histogram_quantile takes a number and a vector".to_owned()),
        },
        Expr::Aggregate { how, labels, without, of } => match eval(of)? {
            Value::Vector(v) => Ok(Value::Vector(aggregate(*how, labels, *without, v))),
            Value::Scalar(_) => Err("expected type instant vector in an aggregation".to_owned()),
        },
        Expr::Binary(sign, left, right) => binary(*sign, eval(left)?, eval(right)?),
    }
}

fn labels(series: &Series) -> Labels {
    series.labels.iter().cloned().collect()
}

fn nameless(mut labels: Labels) -> Labels {
    labels.remove("__name__");
    labels
}

fn apply(function: Function, points: &[(Stamp, f64)], from: Stamp, to: Stamp) -> Option<f64> {
    let n = points.len() as f64;
    let values = points.iter().map(|p| p.1);
    match function {
        Function::Rate => Some(growth(points, from, to, true)? / to.since(from).as_secs_f64()),
        Function::Increase => growth(points, from, to, true),
        Function::Delta => growth(points, from, to, false),
        Function::Irate => match points {
            [.., a, b] => {
                let by = if b.1 < a.1 { b.1 } else { b.1 - a.1 };
                Some(by / b.0.since(a.0).as_secs_f64())
            }
            _ => None,
        },
        _ if points.is_empty() => None,
        Function::Avg => Some(values.sum::<f64>() / n),
        Function::Sum => Some(values.sum()),
        Function::Count => Some(n),
        Function::Max => Some(values.fold(f64::NEG_INFINITY, f64::max)),
        Function::Min => Some(values.fold(f64::INFINITY, f64::min)),
        Function::Last => points.last().map(|p| p.1),
    }
}

/// How much a series grew over a range, stretched to its ends.
fn growth(points: &[(Stamp, f64)], from: Stamp, to: Stamp, counter: bool) -> Option<f64> {
    let ([first, .., last], n) = (points, points.len()) else { return None };
    let resets: f64 = points.windows(2).filter(|w| w[1].1 < w[0].1).map(|w| w[0].1).sum();
    let grown = last.1 - first.1 + if counter { resets } else { 0.0 };
    let sampled = last.0.since(first.0).as_secs_f64();
    if sampled <= 0.0 {
        return None;
    }
    let between = sampled / (n - 1) as f64;
    let stretch = |gap: f64| if gap < 1.1 * between { gap } else { between / 2.0 };
    let mut before = stretch(first.0.since(from).as_secs_f64());
    if counter && grown > 0.0 && first.1 >= 0.0 {
        // A counter was never below zero.
        before = before.min(sampled * first.1 / grown);
    }
    let after = stretch(to.since(last.0).as_secs_f64());
    Some(grown * (sampled + before + after) / sampled)
}

fn aggregate(how: How, names: &[String], without: bool, vector: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (labels, value) in vector {
        let mut key = if without { nameless(labels) } else { labels };
        key.retain(|name, _| names.contains(name) != without);
        groups.entry(key).or_default().push(value);
    }
    let made = |v: &[f64]| match how {
        How::Sum => v.iter().sum(),
        How::Avg => v.iter().sum::<f64>() / v.len() as f64,
        How::Max => v.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        How::Min => v.iter().copied().fold(f64::INFINITY, f64::min),
        How::Count => v.len() as f64,
    };
    groups.into_iter().map(|(labels, v)| (labels, made(&v))).collect()
}

/// The share `q` of each histogram, straight between the edges of its bucket.
fn quantiles(q: f64, buckets: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (labels, count) in buckets {
        let mut key = nameless(labels);
        let Some(edge) = key.remove("le").and_then(|le| le.parse::<f64>().ok()) else { continue };
        groups.entry(key).or_default().push((edge, count));
    }
    groups.into_iter().filter_map(|(labels, mut b)| Some((labels, quantile(q, &mut b)?))).collect()
}

fn quantile(q: f64, buckets: &mut [(f64, f64)]) -> Option<f64> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (last, rest) = buckets.split_last()?;
    if rest.is_empty() || last.0 != f64::INFINITY || last.1 <= 0.0 {
        return None;
    }
    let rank = q.clamp(0.0, 1.0) * last.1;
    let Some(i) = rest.iter().position(|b| b.1 >= rank) else { return rest.last().map(|b| b.0) };
    let (low, below) = if i == 0 { (0.0, 0.0) } else { rest[i - 1] };
    let (high, here) = rest[i];
    let share = if here > below { (rank - below) / (here - below) } else { 0.0 };
    Some(low + (high - low) * share)
}

fn binary(sign: Sign, left: Value, right: Value) -> Result<Value, String> {
    let compares =
        matches!(sign, Sign::Equal | Sign::Unequal | Sign::Above | Sign::Below | Sign::AtLeast | Sign::AtMost);
    match (left, right) {
        (Value::Scalar(_), Value::Scalar(_)) if compares => {
            Err("comparisons between scalars must use BOOL modifier, which is not supported here".to_owned())
        }
        (Value::Scalar(a), Value::Scalar(b)) => Ok(Value::Scalar(sum(sign, a, b))),
        (Value::Vector(v), Value::Scalar(n)) => Ok(each(v, compares, |v| (sum(sign, v, n), v))),
        (Value::Scalar(n), Value::Vector(v)) => Ok(each(v, compares, |v| (sum(sign, n, v), v))),
        (Value::Vector(a), Value::Vector(b)) => {
            let mut others: BTreeMap<Labels, f64> = BTreeMap::new();
            for (labels, value) in b {
                if others.insert(nameless(labels), value).is_some() {
                    return Err("found duplicate series for the match group on the right side".to_owned());
                }
            }
            let mut out = Vec::new();
            for (labels, value) in a {
                let Some(other) = others.get(&nameless(labels.clone())) else { continue };
                let made = sum(sign, value, *other);
                if !compares {
                    out.push((nameless(labels), made));
                } else if made > 0.0 {
                    out.push((labels, value));
                }
            }
            Ok(Value::Vector(out))
        }
    }
}

/// A number and every entry of a vector: made anew, or kept where a comparison holds.
fn each(vector: Vec<(Labels, f64)>, compares: bool, made: impl Fn(f64) -> (f64, f64)) -> Value {
    let entries = vector.into_iter().filter_map(|(labels, v)| {
        let (new, old) = made(v);
        if compares { (new > 0.0).then_some((labels, old)) } else { Some((nameless(labels), new)) }
    });
    Value::Vector(entries.collect())
}

fn sum(sign: Sign, a: f64, b: f64) -> f64 {
    let truth = |t: bool| f64::from(u8::from(t));
    #[expect(clippy::float_cmp, reason = "PromQL compares numbers as they are")]
    match sign {
        Sign::Add => a + b,
        Sign::Sub => a - b,
        Sign::Mul => a * b,
        Sign::Div => a / b,
        Sign::Mod => a % b,
        Sign::Pow => a.powf(b),
        Sign::Equal => truth(a == b),
        Sign::Unequal => truth(a != b),
        Sign::Above => truth(a > b),
        Sign::Below => truth(a < b),
        Sign::AtLeast => truth(a >= b),
        Sign::AtMost => truth(a <= b),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn at(seconds: i64) -> Stamp {
        Stamp::from_secs(1_000_000 + seconds)
    }

    fn world() -> World {
        let counter = |pod: &str, code: &str, per_second: f64, reset: i64| {
            let points = (0..=20).map(|i| {
                let t = i * 30;
                (at(t), per_second * if t >= reset { t - reset } else { t } as f64)
            });
            Series::new("requests_total", &[("pod", pod), ("code", code)], "counter").with_points(points)
        };
        let bucket =
            |le: &str, n: f64| Series::new("took_bucket", &[("le", le)], "histogram").with_points([(at(600), n)]);
        World {
            series: vec![
                counter("a", "200", 9.0, 9_999),
                counter("a", "500", 1.0, 9_999),
                counter("b", "200", 4.0, 300),
                bucket("0.1", 50.0),
                bucket("0.5", 90.0),
                bucket("+Inf", 100.0),
            ],
            ..World::default()
        }
    }

    fn worth(query: &str) -> BTreeMap<String, f64> {
        match evaluate(&parse(query).unwrap(), &world(), at(600), at(600)).unwrap() {
            Value::Scalar(n) => BTreeMap::from([(String::new(), n)]),
            Value::Vector(v) => v
                .into_iter()
                .map(|(l, v)| (l.values().cloned().collect::<Vec<_>>().join("/"), (v * 1e6).round() / 1e6))
                .collect(),
        }
    }

    fn map(entries: &[(&str, f64)]) -> BTreeMap<String, f64> {
        entries.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect()
    }

    #[test]
    fn a_rate_is_the_slope_across_a_reset() {
        assert_eq!(worth("rate(requests_total[2m])"), map(&[("200/a", 9.0), ("500/a", 1.0), ("200/b", 4.0)]));
        let across = worth("increase(requests_total{pod=\"b\"}[10m])")["200/b"];
        assert!(
            (across - 4.0 * 570.0).abs() < 130.0,
            "{across}: what happened between the last point and the reset is lost"
        );
        assert_eq!(worth("irate(requests_total{code=\"500\"}[2m])"), map(&[("500/a", 1.0)]));
    }

    #[test]
    fn sums_are_made_by_labels_and_without_them() {
        assert_eq!(worth("sum by (pod) (rate(requests_total[2m]))"), map(&[("a", 10.0), ("b", 4.0)]));
        assert_eq!(worth("max(rate(requests_total[2m])) without (pod)"), map(&[("200", 9.0), ("500", 1.0)]));
        assert_eq!(worth("count(requests_total{code=~\"5..|x\"})"), map(&[("", 1.0)]));
    }

    #[test]
    fn a_share_of_two_vectors_keeps_the_labels_they_have_in_common() {
        let share =
            "100 * sum by (pod) (rate(requests_total{code=~\"5..\"}[2m])) / sum by (pod) (rate(requests_total[2m]))";
        assert_eq!(worth(share), map(&[("a", 10.0)]));
        assert_eq!(worth("sum(rate(requests_total[2m])) > 20"), map(&[]));
        assert_eq!(worth("-2 ^ 2 * 3 + 14 % 4"), map(&[("", -10.0)]));
    }

    #[test]
    fn a_quantile_lies_straight_inside_its_bucket() {
        assert_eq!(worth("histogram_quantile(0.7, took_bucket)"), map(&[("", 0.3)]));
        assert_eq!(worth("histogram_quantile(0.99, took_bucket)"), map(&[("", 0.5)]));
    }

    #[test]
    fn an_old_point_is_none() {
        let then = |s| evaluate(&parse("took_bucket").unwrap(), &world(), at(s), at(s)).unwrap();
        assert!(matches!(then(899), Value::Vector(v) if v.len() == 3));
        assert_eq!(then(900), Value::Vector(Vec::new()));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for bad in [
            "topk(1, x)",
            "rate(x)",
            "x[5m]",
            "x offset",
            "{}",
            "{a=~\".*\"}",
            "a{b=c}",
            "a and b",
            "1 > bool 2",
            "(",
            "",
        ] {
            let parsed = parse(bad);
            assert!(parsed.is_err() || evaluate(&parsed.unwrap(), &world(), at(0), at(0)).is_err(), "{bad}");
        }
        assert!(parse(&"(".repeat(1_000_000)).is_err() && parse(&"-".repeat(1_000_000)).is_err());
    }
}
