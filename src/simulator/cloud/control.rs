//! `/emulator/faults`: faults set over HTTP by whoever runs the emulator from the command line. GET lists
//! them, POST adds the lines of its body, DELETE clears them.

use super::faults::Faults;
use super::reply::Reply;
use super::wire::Wire;
use serde_json::json;

/// Where it stands.
pub const PATH: &str = "/emulator/faults";

/// Answers a request for the controls.
pub fn answer(wire: &Wire, faults: &Faults) -> Reply {
    match wire.method.as_str() {
        "GET" => {}
        "DELETE" => faults.clear(),
        "POST" => {
            let text = String::from_utf8_lossy(&wire.body).replace('\n', ",");
            if let Err(says) = faults.read(&text) {
                return Reply::text(400, "text/plain", format!("{says}\n"));
            }
        }
        _ => return Reply::text(405, "text/plain", "GET, POST or DELETE\n"),
    }
    let waiting: Vec<_> = faults
        .list()
        .into_iter()
        .map(|p| json!({"api": p.api.map_or("*", |a| a.name()), "fault": p.fault.to_string(), "times": p.times}))
        .collect();
    Reply::ok(json!({ "faults": waiting }))
}
