//! `GET /metrics/{pod}`: what one pod would say about itself to whoever scrapes it, in the text format of
//! Prometheus. Labels that a Prometheus adds by itself (pod, job, app, namespace) are left out.

use super::gateway::Call;
use super::promql::visible;
use super::reply::{Answer, Reply};
use super::world::Series;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TARGET: &[&str] = &["__name__", "pod", "job", "app", "namespace"];

/// Answers with the newest point of every series of the pod.
pub fn answer(call: &Call<'_>) -> Answer {
    let (pod, now, world) = (call.places.get("name"), call.now(), call.world());
    let mut families: BTreeMap<&str, (&str, Vec<String>)> = BTreeMap::new();
    for series in world.series.iter().filter(|s| label(s, "pod") == pod) {
        let Some((_, value)) = visible(series, now).last() else { continue };
        let name = label(series, "__name__");
        let (_, lines) = families.entry(family(name, &series.kind)).or_insert((&series.kind, Vec::new()));
        let labels: Vec<String> = series
            .labels
            .iter()
            .filter(|(n, _)| !TARGET.contains(&n.as_str()))
            .map(|(n, v)| format!("{n}=\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")))
            .collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        lines.push(format!("{name}{labels} {value}"));
    }
    if families.is_empty() {
        return Err(Reply::text(404, "text/plain", format!("there is no pod {pod}\n")));
    }
    let mut out = String::new();
    for (family, (kind, lines)) in families {
        let kind = if kind.is_empty() { "untyped" } else { kind };
        let _ = writeln!(out, "# TYPE {family} {kind}\n{}", lines.join("\n"));
    }
    Ok(Reply::text(200, "text/plain; version=0.0.4; charset=utf-8", out))
}

fn label<'s>(series: &'s Series, name: &str) -> &'s str {
    series.labels.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
}

/// The parts of a histogram are one family.
fn family<'n>(name: &'n str, kind: &str) -> &'n str {
    let parts = ["_bucket", "_sum", "_count"];
    let part = parts.iter().find_map(|p| name.strip_suffix(p)).filter(|_| kind == "histogram");
    part.unwrap_or(name)
}
