//! Alarm histories of Cloud Eye: a record is an alarm that was raised and, later, perhaps cleared.
//!
//! May not know: when to ask.

use super::{Found, Haul, MOST_PAGES, TEXT, instant, millis};
use crate::model::{Mark, MarkKind, Span, Stamp, Zone};
use crate::source::huawei::lenient::{list, number, short, text};
use crate::source::huawei::{Ask, Client, Service, Trouble};
use serde_json::Value;

/// Records of one page, the most there is.
const PAGE: usize = 100;

/// Asks the second interface, whose records know when they began and ended.
pub(super) async fn second(client: &Client, span: Span, haul: &mut Haul) -> Result<(), Trouble> {
    let zone = Zone::utc();
    for page in 0..MOST_PAGES {
        let ask = Ask::get(Service::Ces, "/v2/{project_id}/alarm-histories")
            .with("from", zone.rfc3339(span.from))
            .with("to", zone.rfc3339(span.to))
            .with("limit", PAGE)
            .with("offset", page * PAGE);
        let answer = haul.ask(client, ask).await?;
        let records = list(&answer, "alarm_histories");
        haul.found.extend(records.iter().flat_map(read_second));
        if records.len() < PAGE {
            return Ok(());
        }
    }
    haul.more = true;
    Ok(())
}

/// Asks the first interface: milliseconds, pages by number.
pub(super) async fn first(client: &Client, span: Span, haul: &mut Haul) -> Result<(), Trouble> {
    for page in 0..MOST_PAGES {
        let ask = Ask::get(Service::Ces, "/V1.0/{project_id}/alarm-histories")
            .with("from", millis(span.from))
            .with("to", millis(span.to))
            .with("limit", PAGE)
            .with("start", page * PAGE);
        let answer = haul.ask(client, ask).await?;
        let records = list(&answer, "alarm_histories");
        haul.found.extend(records.iter().flat_map(read_first));
        if records.len() < PAGE {
            return Ok(());
        }
    }
    haul.more = true;
    Ok(())
}

fn read_second(record: &Value) -> Vec<Found> {
    let status = text(record, "status");
    let began = instant(record, "first_alarm_time").or_else(|| instant(record, "begin_time"));
    let ended = instant(record, "alarm_recovery_time").or_else(|| instant(record, "end_time"));
    let id = text(record, "record_id");
    marks(record, &Told { id: &id, name: &text(record, "name"), status: &status, points: "data_points", began, ended })
}

fn read_first(record: &Value) -> Vec<Found> {
    let status = text(record, "alarm_status");
    let began = instant(record, "trigger_time");
    let ended = instant(record, "update_time");
    let id = format!("{} {}", text(record, "alarm_id"), began.map_or(0, |b| b.0));
    marks(
        record,
        &Told { id: &id, name: &text(record, "alarm_name"), status: &status, points: "datapoints", began, ended },
    )
}

/// A record of either interface.
struct Told<'r> {
    id: &'r str,
    name: &'r str,
    status: &'r str,
    points: &'r str,
    began: Option<Stamp>,
    ended: Option<Stamp>,
}

/// One mark for the beginning, one for the end when it is over. A record about missing data is no alarm.
fn marks(record: &Value, told: &Told<'_>) -> Vec<Found> {
    let over = matches!(told.status, "ok" | "ok_manual");
    if !over && told.status != "alarm" {
        return Vec::new();
    }
    let mark = |at, kind, words: String| Mark { at, kind, text: short(&words, TEXT).into(), who: "CES".into() };
    let words = describe(record, told);
    let mut out = Vec::new();
    if let Some(at) = told.began {
        let id = format!("alarm {} raised", told.id);
        out.push(Found { id, mark: mark(at, MarkKind::Alarm, words.clone()) });
    }
    if let Some(at) = told.ended.filter(|e| over && told.began.is_none_or(|b| *e > b)) {
        let by = if told.status == "ok_manual" { "ended by hand" } else { "over" };
        let id = format!("alarm {} cleared", told.id);
        out.push(Found { id, mark: mark(at, MarkKind::Cleared, format!("{by}: {words}")) });
    }
    out
}

/// `pg-conn-usage: rds083_conn_usage >= 90 %, was 99.1, 3c8c…in03`.
fn describe(record: &Value, told: &Told<'_>) -> String {
    let none = Value::Null;
    let metric = record.get("metric").unwrap_or(&none);
    let condition = record.get("condition").unwrap_or(&none);
    let mut out = if told.name.is_empty() { "an alarm without a name".to_owned() } else { short(told.name, 40) };
    let name = text(metric, "metric_name");
    if !name.is_empty() {
        out = format!("{out}: {name}");
    }
    let operator = text(condition, "comparison_operator");
    if let Some(limit) = number(condition, "value").filter(|_| !operator.is_empty()) {
        let unit = text(condition, "unit");
        out = format!("{out} {operator} {}", with_unit(limit, &unit));
    }
    let last = list(record, told.points).last().and_then(|p| number(p, "value"));
    if let Some(value) = last.filter(|v| v.is_finite()) {
        out = format!("{out}, was {}", rounded(value));
    }
    let resource = list(metric, "dimensions").last().map(|d| text(d, "value")).filter(|v| !v.is_empty());
    match resource {
        Some(id) => format!("{out}, {}", super::super::known::shortened(&id)),
        None => out,
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { rounded(value) } else { format!("{} {unit}", rounded(value)) }
}

/// Two digits behind the point at most.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> Value {
        json!({"record_id": "ah1", "alarm_id": "al1", "name": "pg-conn-usage", "status": "ok", "level": 1,
            "begin_time": "2025-01-12T11:18:00Z", "first_alarm_time": "2025-01-12T11:18:00Z",
            "alarm_recovery_time": "2025-01-12T12:40:00Z", "end_time": null,
            "metric": {"namespace": "SYS.RDS", "metric_name": "rds083_conn_usage",
                "dimensions": [{"name": "postgresql_cluster_id", "value": "3c8cc15614ab46f5b8743317555e0de2in03"}]},
            "condition": {"period": 1, "filter": "average", "comparison_operator": ">=", "value": "90", "unit": "%"},
            "data_points": [{"time": "x", "value": 91}, {"time": "y", "value": 99.126}], "mask_status": "UN_MASKED"})
    }

    fn at(text: &str) -> Stamp {
        Stamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_record_that_is_over_is_raised_and_cleared() {
        let marks = read_second(&record());
        let kinds: Vec<(MarkKind, Stamp)> = marks.iter().map(|f| (f.mark.kind, f.mark.at)).collect();
        assert_eq!(
            kinds,
            [(MarkKind::Alarm, at("2025-01-12T11:18:00Z")), (MarkKind::Cleared, at("2025-01-12T12:40:00Z"))]
        );
        assert_eq!(marks[0].mark.text.raw(), "pg-conn-usage: rds083_conn_usage >= 90 %, was 99.13, 3c8c…in03");
        assert_eq!(marks[1].mark.text.raw(), "over: pg-conn-usage: rds083_conn_usage >= 90 %, was 99.13, 3c8c…in03");
        assert_eq!(marks[0].mark.who.raw(), "CES");
        assert_ne!(marks[0].id, marks[1].id);
    }

    #[test]
    fn an_alarm_that_lasts_is_only_raised_and_missing_data_is_none() {
        let mut lasting = record();
        lasting["status"] = json!("alarm");
        assert_eq!(read_second(&lasting).len(), 1);
        lasting["status"] = json!("insufficient_data");
        assert!(read_second(&lasting).is_empty());
    }

    #[test]
    fn the_first_interface_says_the_same_in_its_own_words() {
        let old = json!({"alarm_id": "al1", "alarm_name": "pg", "alarm_status": "ok", "trigger_time": "1736680680000",
            "update_time": 1_736_685_600_000_i64, "metric": null, "condition": {}, "datapoints": []});
        let marks = read_first(&old);
        assert_eq!(
            marks.iter().map(|f| f.mark.at).collect::<Vec<_>>(),
            [at("2025-01-12T11:18:00Z"), at("2025-01-12T12:40:00Z")]
        );
        assert_eq!(marks[0].mark.text.raw(), "pg");
    }

    #[test]
    fn a_record_of_nothing_is_no_mark() {
        for odd in [json!(null), json!({}), json!([1]), json!({"status": "alarm"}), json!({"status": 7})] {
            assert!(read_second(&odd).is_empty() && read_first(&odd).is_empty(), "{odd}");
        }
    }

    #[test]
    fn a_long_name_leaves_room_for_the_rest() {
        let mut long = record();
        long["name"] = json!("x".repeat(300));
        assert!(read_second(&long).iter().all(|f| f.mark.text.raw().chars().count() <= TEXT));
    }
}
