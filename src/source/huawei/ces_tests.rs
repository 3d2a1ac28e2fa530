//! Answers as they are documented, and as they may come.

use super::*;
use crate::model::Lapse;
use serde_json::json;

fn target(series: &str, metric: &str, filter: Filter) -> Target {
    Target {
        series: series.to_owned(),
        instance: "kafka".to_owned(),
        namespace: "SYS.DMS".to_owned(),
        metric: metric.to_owned(),
        dimensions: vec![("kafka_instance_id".into(), "k-1".into()), ("kafka_broker".into(), "broker-0".into())],
        filter,
        said: "",
        raw: Lapse::minutes(1),
        lane: None,
    }
}

fn targets() -> Vec<Target> {
    vec![target("h.cpu", "broker_cpu_usage", Filter::Max), target("h.produce", "broker_produce_mean", Filter::Max)]
}

fn question() -> Question {
    let span = Span::new(Stamp::from_millis(1_736_681_400_000), Stamp::from_millis(1_736_682_000_000));
    Question { asked: vec![0, 1], filter: Filter::Max, period: Period::Five, span }
}

/// Reads an answer; half past twelve is the latest that can be.
fn reading(answer: &serde_json::Value) -> Reading {
    let answer: Answer = serde_json::from_slice(answer.to_string().as_bytes()).unwrap();
    read(answer, &question(), &targets(), Stamp::from_millis(1_736_685_000_000))
}

fn entry(metric: &str, unit: &str, datapoints: serde_json::Value) -> serde_json::Value {
    // The dimensions in the other order: they are a set.
    let dimensions =
        json!([{"name": "kafka_broker", "value": "broker-0"}, {"name": "kafka_instance_id", "value": "k-1"}]);
    json!({"unit": unit, "datapoints": datapoints, "namespace": "SYS.DMS", "metric_name": metric,
        "dimensions": dimensions})
}

#[test]
fn the_body_is_the_documented_one() {
    let body: serde_json::Value = serde_json::from_slice(&question().body(&targets()).unwrap()).unwrap();
    assert_eq!(body["period"], json!("300"), "a text");
    assert_eq!(body["filter"], json!("max"));
    assert_eq!((&body["from"], &body["to"]), (&json!(1_736_681_400_000_i64), &json!(1_736_682_000_000_i64)));
    assert_eq!(body["metrics"][0]["dimensions"][0], json!({"name": "kafka_instance_id", "value": "k-1"}));
    assert_eq!(body["metrics"][1]["metric_name"], json!("broker_produce_mean"));
}

#[test]
fn a_metric_that_two_lanes_want_is_asked_for_once_and_answers_both() {
    let mut twice = targets();
    twice[1] = target("h.cpu_again", "broker_cpu_usage", Filter::Max);
    let body: serde_json::Value = serde_json::from_slice(&question().body(&twice).unwrap()).unwrap();
    assert_eq!(body["metrics"].as_array().map(Vec::len), Some(1));
    let points = json!([{"max": 1, "timestamp": 1_736_681_700_000_i64}]);
    let answer: Answer = serde_json::from_value(json!({"metrics": [entry("broker_cpu_usage", "%", points)]})).unwrap();
    let reading = read(answer, &question(), &twice, Stamp(i64::MAX));
    assert_eq!(reading.got.iter().map(|g| g.target).collect::<Vec<_>>(), [0, 1]);
    assert!(reading.twice.is_empty());
}

#[test]
fn entries_are_found_in_any_order_and_converted_by_their_own_unit() {
    let answer = json!({"metrics": [
        entry("broker_produce_mean", "ms", json!([{"max": 250, "timestamp": 1_736_681_700_000_i64}])),
        entry("broker_cpu_usage", "%", json!([{"max": 80.5, "timestamp": 1_736_681_400_000_i64}])),
    ], "meta": {"new": true}});
    let reading = reading(&answer);
    assert_eq!(reading.got[0].points, [(Stamp::from_millis(1_736_681_400_000), 80.5)]);
    assert_eq!(reading.got[1].points, [(Stamp::from_millis(1_736_681_700_000), 0.25)]);
    assert_eq!((reading.got[0].unit, reading.got[1].unit), (Some(Unit::Percent), Some(Unit::Seconds)));
    assert_eq!(reading.earliest(question().span.to), Some(Stamp::from_millis(1_736_681_400_000)));
    assert_eq!(reading.earliest(question().span.from), None);
}

#[test]
fn texts_for_numbers_other_keys_and_unknown_fields_are_read_all_the_same() {
    let answer = json!({"metrics": [
        null,
        entry("broker_cpu_usage", "%", json!([
            {"max": "12.5", "timestamp": "1736681400000", "trace": {"a": [1]}},
            {"average": 7, "timestamp": 1_736_681_460_000.0},
            null
        ])),
        {"namespace": "SYS.DMS", "metric_name": 7, "dimensions": null, "unit": null, "datapoints": null},
    ]});
    let reading = reading(&answer);
    let values: Vec<f64> = reading.got[0].points.iter().map(|(_, v)| *v).collect();
    assert_eq!(values, [12.5, 7.0]);
    assert_eq!((reading.unusable, reading.strange), (1, 1));
}

#[test]
fn two_values_of_which_none_was_asked_for_are_no_value() {
    let points = json!([{"average": 1, "min": 0, "timestamp": 1_736_681_400_000_i64}]);
    let reading = reading(&json!({"metrics": [entry("broker_cpu_usage", "%", points)]}));
    assert_eq!((reading.got[0].points.len(), reading.unusable), (0, 1));
}

#[test]
fn points_without_instant_or_finite_value_are_counted_and_left_out() {
    let points = json!([
        {"max": "NaN", "timestamp": 1_736_681_400_000_i64}, {"max": 1}, {"timestamp": 1_736_681_400_000_i64},
        {"max": 1, "timestamp": -5}, {"max": 1, "timestamp": 1e300}, {"max": "1e999", "timestamp": 1_736_681_400_000_i64},
    ]);
    let reading = reading(&json!({"metrics": [entry("broker_cpu_usage", "%", points)]}));
    assert_eq!((reading.got[0].points.len(), reading.unusable), (0, 6));
}

#[test]
fn points_of_the_future_are_refused_and_told() {
    let points = json!([
        {"max": 1, "timestamp": 1_736_681_400_000_i64}, {"max": 2, "timestamp": 1_736_999_999_000_i64},
    ]);
    let reading = reading(&json!({"metrics": [entry("broker_cpu_usage", "%", points)]}));
    assert_eq!(reading.got[0].points.len(), 1);
    assert_eq!(reading.future.get(&0), Some(&Stamp::from_millis(1_736_999_999_000)));
}

#[test]
fn a_series_that_comes_twice_is_merged_and_told() {
    let one = entry("broker_cpu_usage", "%", json!([{"max": 1, "timestamp": 1_736_681_400_000_i64}]));
    let two = entry(
        "broker_cpu_usage",
        "%",
        json!([
            {"max": 3, "timestamp": 1_736_681_400_000_i64}, {"max": 2, "timestamp": 1_736_681_460_000_i64},
        ]),
    );
    let reading = reading(&json!({"metrics": [one, two]}));
    let values: Vec<f64> = reading.got[0].points.iter().map(|(_, v)| *v).collect();
    assert_eq!(values, [3.0, 2.0]);
    assert_eq!(reading.twice.iter().copied().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_unit_that_is_not_known_leaves_the_values_raw() {
    let points = json!([{"max": 5, "timestamp": 1_736_681_400_000_i64}]);
    let reading = reading(&json!({"metrics": [entry("broker_cpu_usage", "furlong", points)]}));
    assert_eq!((reading.got[0].unit, reading.got[0].said.as_str()), (None, "furlong"));
    assert!((reading.got[0].points[0].1 - 5.0).abs() < f64::EPSILON);
}

#[test]
fn an_answer_of_another_shape_is_an_error_and_an_empty_one_is_not() {
    assert!(serde_json::from_str::<Answer>(r#"{"metrics": "none"}"#).is_err());
    assert!(serde_json::from_str::<Answer>(r#"{"metrics": [{"datapoints": [{"max": 1, "times"#).is_err());
    for empty in ["{}", r#"{"metrics": null}"#, r#"{"metrics": []}"#] {
        assert_eq!(read(serde_json::from_str(empty).unwrap(), &question(), &targets(), Stamp(0)), Reading::default());
    }
}
