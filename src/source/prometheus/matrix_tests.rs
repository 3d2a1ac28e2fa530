//! Answers to range queries as they come: numbers as texts, splits, names, errors, and what cannot be drawn.

use super::*;
use crate::model::series::Unit;
use proptest::prelude::*;

const WITHIN: Span = Span { from: Stamp(1_000_000_000), to: Stamp(2_000_000_000) };

fn query(split: Option<Split>) -> PromQuery {
    PromQuery { name: "errors".into(), promql: "x".into(), unit: Unit::Percent, split, lane: None }
}

fn take(body: &str, split: impl Into<Option<Split>>, members: &mut Members) -> Taken {
    let latest = Stamp(1_900_000_000);
    Answer::read(body.as_bytes()).unwrap().take(&query(split.into()), &"p.errors".into(), WITHIN, latest, members)
}

fn by_pod(most: u32, across: Across) -> Split {
    Split { by: "pod".into(), most, across }
}

#[test]
fn numbers_come_as_texts_or_numbers_and_what_is_none_is_absent() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":
        [[1100,"1.5"],["1200",2],[1300.5,"3e0"],[1400,"NaN"],[1500,"+Inf"],[1600,"-Inf"],[1700,null],[900,"9"],[1950,"8"]]}]},
        "warnings":["PromQL info: x"],"infos":[1]}"#;
    let taken = take(body, None, &mut Members::default());
    let points: Vec<(i64, f64)> = taken.points["p.errors"].iter().map(|(t, v)| (t.0 / 1000, *v)).collect();
    assert_eq!(points, [(1_100_000, 1.5), (1_200_000, 2.0), (1_300_500, 3.0)]);
    assert_eq!((taken.future, taken.warnings.len(), taken.odd), (1, 1, None));
}

fn pods(values: &[(&str, &str)]) -> String {
    let one = |(pod, v): &(&str, &str)| format!(r#"{{"metric":{{"pod":"{pod}"}},"values":[[1100,"{v}"]]}}"#);
    let all: Vec<String> = values.iter().map(one).collect();
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#, all.join(","))
}

#[test]
fn a_split_gives_a_series_for_each_value_and_one_of_all() {
    let mut members = Members::default();
    let taken = take(&pods(&[("a", "1"), ("b", "5"), ("c", "3")]), by_pod(2, Across::Max), &mut members);
    let values: Vec<(String, f64)> =
        taken.points.iter().map(|(n, p)| (n.to_string(), *p.values().next().unwrap())).collect();
    let expected = [("p.errors", 5.0), ("p.errors/a", 1.0), ("p.errors/b", 5.0)];
    assert_eq!(values, expected.map(|(n, v)| (n.to_owned(), v)));
    assert_eq!((members.count(), members.beyond()), (2, 1));
    // Whoever has a series keeps it, also when others come first.
    let later = take(&pods(&[("c", "3"), ("b", "6")]), by_pod(2, Across::Sum), &mut members);
    let names: Vec<&str> = later.points.keys().map(|n| &**n).collect();
    assert_eq!(names, ["p.errors", "p.errors/b"]);
    assert_eq!(later.points["p.errors"].values().next(), Some(&9.0));
}

#[test]
fn a_name_is_made_of_plain_letters_and_stays_its_own() {
    let mut members = Members::default();
    let taken = take(&pods(&[("\\u001b[2J", "1"), ("?[2J", "2"), ("", "3")]), by_pod(9, Across::Max), &mut members);
    let names: Vec<&str> = taken.points.keys().map(|n| &**n).collect();
    assert_eq!(names, ["p.errors", "p.errors/__2J", "p.errors/__2J~2", "p.errors/none"]);
}

#[test]
fn what_cannot_be_drawn_as_one_row_says_what_to_write() {
    let several = take(&pods(&[("a", "1"), ("b", "2")]), None, &mut Members::default());
    assert!(several.points.is_empty() && several.odd.is_some_and(|o| o.contains("2 series") && o.contains("sum(")));
    let same = take(&pods(&[("a", "1"), ("a", "2")]), by_pod(9, Across::Max), &mut Members::default());
    assert!(same.odd.is_some_and(|o| o.contains("sum by (pod)")));
    let none = take(&pods(&[]), None, &mut Members::default());
    assert!(none.points.is_empty() && none.odd.is_none());
}

#[test]
fn errors_are_about_the_expression_the_amount_or_the_moment() {
    let about = |kind: &str, words: &str| {
        let body = format!(r#"{{"status":"error","errorType":"{kind}","error":"{words}"}}"#);
        Answer::read(body.as_bytes()).unwrap().refused().map(|r| r.about)
    };
    assert_eq!(about("bad_data", "1:5: parse error: unclosed left parenthesis"), Some(About::Expression));
    assert_eq!(about("bad_data", "exceeded maximum resolution of 11,000 points"), Some(About::Amount));
    assert_eq!(about("execution", "query processing would load too many samples"), Some(About::Amount));
    assert_eq!(about("execution", "multiple matches for labels"), Some(About::Moment));
    assert_eq!(about("timeout", "query timed out"), Some(About::Moment));
    let fine = Answer::read(br#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#).unwrap();
    assert_eq!((fine.refused(), fine.is_matrix()), (None, true));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_answer_makes_it_panic(at in any::<f64>(), value in "\\PC{0,10}", pod in "\\PC{0,60}") {
        let body = serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result":
            [{"metric": {"pod": pod}, "values": [[at, value]]}]}}).to_string();
        let taken = take(&body, by_pod(3, Across::Mean), &mut Members::default());
        prop_assert!(taken.points.values().flat_map(|p| p.values()).all(|v| v.is_finite()));
    }
}
