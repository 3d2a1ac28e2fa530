//! Traces of CTS: who changed what. Reading is no change, and what a request or an answer held is never
//! looked at: secrets stand there.
//!
//! May not know: when to ask.

use super::{Found, Haul, MOST_PAGES, TEXT, instant, millis};
use crate::model::{Mark, MarkKind, Span};
use crate::source::huawei::lenient::{list, number, short, switch, text};
use crate::source::huawei::{Ask, Client, Service, Trouble};
use serde_json::Value;

/// Traces of one page, the most there is.
const PAGE: usize = 200;

/// Asks for all changes of a stretch, newest first, page by page until the marker ends.
pub(super) async fn ask(client: &Client, span: Span, haul: &mut Haul) -> Result<(), Trouble> {
    let mut marker: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let mut ask = Ask::get(Service::Cts, "/v3/{project_id}/traces")
            .with("trace_type", "system")
            .with("limit", PAGE)
            // The beginning is outside.
            .with("from", millis(span.from).saturating_sub(1))
            .with("to", millis(span.to));
        if let Some(marker) = &marker {
            ask = ask.with("next", marker);
        }
        let answer = haul.ask(client, ask).await?;
        let traces = list(&answer, "traces");
        haul.found.extend(traces.iter().filter_map(read));
        let next = answer.get("meta_data").map(|m| text(m, "marker")).filter(|m| !m.is_empty());
        // A marker that does not move would turn for ever.
        if traces.is_empty() || next.is_none() || next == marker {
            return Ok(());
        }
        marker = next;
    }
    haul.more = true;
    Ok(())
}

/// `RDS/pg-order resizeFlavor`, by whom; a change that failed says so.
fn read(trace: &Value) -> Option<Found> {
    if switch(trace, "read_only") {
        return None;
    }
    let at = instant(trace, "time").or_else(|| instant(trace, "record_time"))?;
    let service = text(trace, "service_type");
    let resource = [text(trace, "resource_name"), text(trace, "resource_id"), text(trace, "resource_type")];
    let resource = resource.into_iter().find(|r| !r.trim().is_empty()).unwrap_or_default();
    let name = text(trace, "trace_name");
    let mut words = format!("{}/{} {}", short(&service, 16), short(&resource, 36), short(&name, 36));
    if let Some(code) = number(trace, "code").filter(|c| *c >= 400.0) {
        words = format!("{words} failed ({code})");
    }
    let mark =
        Mark { at, kind: MarkKind::Change, text: short(&words, TEXT).into(), who: short(&who(trace), 40).into() };
    let id = text(trace, "trace_id");
    let id = if id.is_empty() { format!("{} {}", at.0, mark.text.raw()) } else { id };
    Some(Found { id: format!("trace {id}"), mark })
}

/// The user's name; the kind of user when the cloud itself did it.
fn who(trace: &Value) -> String {
    let none = Value::Null;
    let user = trace.get("user").unwrap_or(&none);
    let domain = user.get("domain").unwrap_or(&none);
    let names = [text(user, "name"), text(user, "user_name"), text(domain, "name"), text(trace, "trace_type")];
    names.into_iter().find(|n| !n.trim().is_empty()).unwrap_or_else(|| "CTS".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trace() -> Value {
        json!({"trace_id": "t1", "trace_name": "resizeFlavor", "trace_rating": "normal", "trace_type": "ConsoleAction",
            "time": 1_736_680_680_000_i64, "service_type": "RDS", "resource_type": "instance",
            "resource_name": "pg-order", "code": "200", "request": "{\"password\":\"hunter2\"}",
            "response": {"token": "hunter2"}, "read_only": false, "user": {"name": "sari", "domain": {"name": "acme"}}})
    }

    #[test]
    fn a_change_says_what_was_done_to_what_and_by_whom_and_nothing_of_the_request() {
        let found = read(&trace()).unwrap();
        assert_eq!(found.mark.text.raw(), "RDS/pg-order resizeFlavor");
        assert_eq!((found.mark.kind, found.mark.who.raw()), (MarkKind::Change, "sari"));
        let whole = format!("{}{}{}", found.id, found.mark.text.raw(), found.mark.who.raw());
        assert!(!whole.contains("hunter2"));
    }

    #[test]
    fn reading_is_no_change_however_it_is_said() {
        for yes in [json!(true), json!("true"), json!(1)] {
            let mut reading = trace();
            reading["read_only"] = yes;
            assert_eq!(read(&reading), None);
        }
    }

    #[test]
    fn a_change_that_failed_says_so_as_number_or_text() {
        for code in [json!("409"), json!(409)] {
            let mut failed = trace();
            failed["code"] = code;
            assert_eq!(read(&failed).unwrap().mark.text.raw(), "RDS/pg-order resizeFlavor failed (409)");
        }
    }

    #[test]
    fn what_the_cloud_did_itself_has_its_kind_for_a_name() {
        let mut own = trace();
        own["user"] = json!({});
        own["trace_type"] = json!("SystemAction");
        assert_eq!(read(&own).unwrap().mark.who.raw(), "SystemAction");
        own["time"] = json!(null);
        assert_eq!(read(&own), None);
    }
}
