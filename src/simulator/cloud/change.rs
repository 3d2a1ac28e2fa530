//! Faults that leave an answer whole but change what is in it.

use super::faults::Fault;
use crate::model::Stamp;
use serde_json::{Map, Number, Value, json};

/// Maps from anything to texts, in which a new key is data and not a field that nobody has heard of.
const MAPS: &[&str] = &["metric", "labels", "tag"];
/// Lists whose entries are what was asked for.
const ENTRIES: &[&str] =
    &["metrics", "result", "alarm_histories", "alarms", "metric_alarms", "events", "traces", "logs"];

/// Changes an answer.
pub fn change(body: &mut Value, fault: &Fault, now: Stamp) {
    match fault {
        Fault::Types => drift(body),
        Fault::Unknown => unknown(body),
        Fault::Duplicates => duplicate(body),
        Fault::Future => future(body, now),
        Fault::Incomplete => incomplete(body),
        _ => {}
    }
}

/// Numbers become texts, texts of digits numbers, and truth a text.
fn drift(value: &mut Value) {
    match value {
        Value::Number(n) => *value = Value::String(n.to_string()),
        Value::Bool(b) => *value = Value::String(b.to_string()),
        Value::String(text) => {
            if let Ok(n) = text.parse::<i64>() {
                *value = n.into();
            } else if let Some(n) = text.parse::<f64>().ok().and_then(Number::from_f64) {
                *value = Value::Number(n);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(drift),
        Value::Object(all) => all.values_mut().for_each(drift),
        Value::Null => {}
    }
}

fn unknown(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(unknown),
        Value::Object(all) => {
            all.iter_mut().filter(|(k, _)| !MAPS.contains(&k.as_str())).for_each(|(_, v)| unknown(v));
            all.insert("added_yesterday".to_owned(), json!({"why": null, "how_many": [1, "two"]}));
        }
        _ => {}
    }
}

/// Does `work` to every list of entries and to the object it stands in.
fn lists(value: &mut Value, names: &[&str], work: &mut impl FnMut(&mut Vec<Value>)) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|v| lists(v, names, work)),
        Value::Object(all) => {
            for (name, v) in all.iter_mut() {
                lists(v, names, work);
                if let (true, Value::Array(list)) = (names.contains(&name.as_str()), v) {
                    work(list);
                }
            }
        }
        _ => {}
    }
}

fn duplicate(body: &mut Value) {
    lists(body, ENTRIES, &mut |list| list.extend(list.clone()));
}

fn future(body: &mut Value, now: Stamp) {
    let ahead = now.0 / 1_000 + 3_600_000;
    lists(body, &["datapoints", "values"], &mut |list| {
        let Some(mut last) = list.last().cloned() else { return };
        match &mut last {
            Value::Object(point) => drop(point.insert("timestamp".to_owned(), ahead.into())),
            Value::Array(pair) if pair.len() == 2 => pair[0] = (ahead / 1_000).into(),
            _ => return,
        }
        list.push(last);
    });
}

fn incomplete(body: &mut Value) {
    let Value::Object(all) = body else { return };
    let empty = |all: &mut Map<String, Value>, name: &str| {
        if let Some(Value::Array(list)) = all.get_mut(name) {
            list.clear();
        }
    };
    empty(all, "logs");
    empty(all, "histogram");
    all.insert("isQueryComplete".to_owned(), false.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(fault: &Fault) -> Value {
        let mut body =
            json!({"metrics": [{"unit": "%", "datapoints": [{"max": 1.5, "timestamp": 7}]}], "ok": true, "n": "12"});
        change(&mut body, fault, Stamp::from_secs(0));
        body
    }

    #[test]
    fn types_drift_both_ways() {
        let body = changed(&Fault::Types);
        let point = &body["metrics"][0]["datapoints"][0];
        assert_eq!(
            (&point["max"], &point["timestamp"], &body["ok"], &body["n"]),
            (&json!("1.5"), &json!("7"), &json!("true"), &json!(12))
        );
    }

    #[test]
    fn series_come_twice_and_points_from_the_future() {
        assert_eq!(changed(&Fault::Duplicates)["metrics"].as_array().map(Vec::len), Some(2));
        assert_eq!(changed(&Fault::Future)["metrics"][0]["datapoints"][1], json!({"max": 1.5, "timestamp": 3_600_000}));
    }

    #[test]
    fn new_fields_come_everywhere_but_in_maps_of_labels() {
        let mut body = json!({"result": [{"metric": {"job": "a"}, "values": []}]});
        change(&mut body, &Fault::Unknown, Stamp::from_secs(0));
        assert_eq!(body["result"][0]["metric"], json!({"job": "a"}));
        assert!(body["added_yesterday"].is_object() && body["result"][0]["added_yesterday"].is_object());
    }
}
