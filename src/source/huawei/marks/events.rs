//! Events of Cloud Eye: asked by name first, then each occurrence with what it says.
//!
//! May not know: when to ask.

use super::{Found, Haul, MOST_PAGES, TEXT, instant, millis};
use crate::model::{Mark, MarkKind, Span};
use crate::source::huawei::lenient::{list, short, text};
use crate::source::huawei::sign::encode;
use crate::source::huawei::{Ask, Client, Service, Trouble};
use serde_json::Value;
use std::collections::BTreeSet;

/// Items of one page, the most there is.
const PAGE: usize = 100;
/// The cloud's own, and those that programs report.
const KINDS: [&str; 2] = ["EVENT.SYS", "EVENT.CUSTOM"];

/// Asks for all events of a stretch.
pub(super) async fn ask(client: &Client, span: Span, haul: &mut Haul) -> Result<(), Trouble> {
    for kind in KINDS {
        let mut names = BTreeSet::new();
        let items = pages(client, "/V1.0/{project_id}/events", "events", kind, span, haul).await?;
        names.extend(items.iter().map(|e| text(e, "event_name")).filter(|n| !n.is_empty()));
        if names.len() > MOST_PAGES {
            haul.more = true;
        }
        for name in names.into_iter().take(MOST_PAGES) {
            let path = format!("/V1.0/{{project_id}}/event/{}", encode(&name));
            let items = pages(client, &path, "event_info", kind, span, haul).await?;
            haul.found.extend(items.iter().filter_map(|item| read(&name, item)));
        }
    }
    Ok(())
}

/// All pages of one list.
async fn pages(
    client: &Client,
    path: &str,
    key: &str,
    kind: &str,
    span: Span,
    haul: &mut Haul,
) -> Result<Vec<Value>, Trouble> {
    let mut out = Vec::new();
    for page in 0..MOST_PAGES {
        let ask = Ask::get(Service::Ces, path)
            .with("event_type", kind)
            .with("from", millis(span.from))
            .with("to", millis(span.to))
            .with("start", page * PAGE)
            .with("limit", PAGE);
        let answer = haul.ask(client, ask).await?;
        let items = list(&answer, key);
        out.extend(items.iter().cloned());
        if items.len() < PAGE {
            return Ok(out);
        }
    }
    haul.more = true;
    Ok(out)
}

/// `rebootServer mrg-01: the server was rebooted`.
fn read(name: &str, item: &Value) -> Option<Found> {
    let at = instant(item, "time")?;
    let none = Value::Null;
    let detail = item.get("detail").unwrap_or(&none);
    let bad = matches!(text(detail, "event_state").as_str(), "incident" | "warning")
        || matches!(text(detail, "event_level").as_str(), "Critical" | "Major");
    let mut words = short(name, 40);
    for (key, before) in [("resource_name", " "), ("content", ": ")] {
        let more = text(detail, key);
        if !more.trim().is_empty() {
            words = format!("{words}{before}{}", short(&more, TEXT));
        }
    }
    let source = text(item, "event_source");
    let mark = Mark {
        at,
        kind: if bad { MarkKind::Alarm } else { MarkKind::Change },
        text: short(&words, TEXT).into(),
        who: if source.is_empty() { "CES".into() } else { format!("CES {}", short(&source, 32)).into() },
    };
    let id = text(item, "event_id");
    let id = if id.is_empty() { format!("{name} {} {}", at.0, mark.text.raw()) } else { id };
    Some(Found { id: format!("event {id}"), mark })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stamp;
    use serde_json::json;

    #[test]
    fn an_event_says_what_happened_to_what() {
        let item = json!({"event_id": "e1", "event_source": "SYS.ECS", "time": 1_736_680_680_000_i64,
            "detail": {"content": "the server was rebooted\nby its host", "resource_name": "mrg-01",
                "event_state": "normal", "event_level": "Minor"}});
        let found = read("rebootServer", &item).unwrap();
        assert_eq!(found.mark.text.raw(), "rebootServer mrg-01: the server was rebooted");
        assert_eq!((found.mark.kind, found.mark.who.raw()), (MarkKind::Change, "CES SYS.ECS"));
        assert_eq!(found.mark.at, Stamp::from_millis(1_736_680_680_000));
    }

    #[test]
    fn an_event_that_is_bad_is_an_alarm() {
        for detail in [json!({"event_state": "incident"}), json!({"event_level": "Critical"})] {
            let item = json!({"time": "1736680680000", "detail": detail});
            assert_eq!(read("x", &item).unwrap().mark.kind, MarkKind::Alarm);
        }
    }

    #[test]
    fn an_event_without_an_instant_is_none() {
        assert_eq!(read("x", &json!({"time": "soon"})), None);
        assert_eq!(read("x", &json!(null)), None);
    }
}
