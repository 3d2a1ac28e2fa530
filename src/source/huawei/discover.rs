//! What the account has: every metric the service lists, by resource, with the block of the configuration
//! that names it.
//!
//! May not know: how it is shown.

use crate::config::cloud_presets::{self as presets, Kind, Use};
use crate::model::untrusted::shown;
use crate::source::huawei::lenient::{list, text};
use crate::source::huawei::{Ask, Client, Service, Trouble};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Metrics of one page, the most there is.
const PAGE: usize = 1000;
/// An account with more pages than this has a marker that goes round in circles.
const MOST_PAGES: usize = 500;

/// A resource with its metrics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// `SYS.RDS`
    pub namespace: String,
    /// Name and value, as listed.
    pub dimensions: Vec<(String, String)>,
    /// The kind of `[[huawei.instance]]` that it is, when warroom has presets for it.
    pub kind: Option<&'static str>,
    /// What to paste into the configuration.
    pub block: String,
    /// By id.
    pub metrics: Vec<Listed>,
}

/// A metric as listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Listed {
    /// `rds083_conn_usage`
    pub metric: String,
    /// In the service's word.
    pub unit: String,
    /// Whether naming the resource brings it.
    pub preset: bool,
}

/// Namespace and dimensions of a resource.
type Of = (String, Vec<(String, String)>);
/// Metrics with their units, by resource.
type Found = BTreeMap<Of, BTreeSet<(String, String)>>;

/// Lists what there is, all of it or of one namespace, page by page until a page is empty.
pub async fn resources(client: &Client, namespace: Option<&str>) -> Result<Vec<Resource>, Trouble> {
    let mut found = Found::new();
    let mut marker: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let mut ask = Ask::get(Service::Ces, "/V1.0/{project_id}/metrics").with("limit", PAGE);
        if let Some(namespace) = namespace {
            ask = ask.with("namespace", namespace);
        }
        if let Some(marker) = &marker {
            ask = ask.with("start", marker);
        }
        let page: Value = client.call(ask).await?.json().await?;
        let metrics = list(&page, "metrics");
        for metric in metrics {
            let dimensions = list(metric, "dimensions").iter().map(|d| (text(d, "name"), text(d, "value")));
            let of = (text(metric, "namespace"), dimensions.collect());
            found.entry(of).or_default().insert((text(metric, "metric_name"), text(metric, "unit")));
        }
        let next = page.get("meta_data").map(|m| text(m, "marker")).filter(|m| !m.is_empty());
        if metrics.is_empty() || next.is_none() || next == marker {
            break;
        }
        marker = next;
    }
    Ok(grouped(found))
}

fn grouped(found: Found) -> Vec<Resource> {
    let mut names = BTreeSet::new();
    let mut out = Vec::with_capacity(found.len());
    for ((namespace, dimensions), metrics) in found {
        let known = known(&namespace, &dimensions);
        let brought = |id: &str| {
            known.as_ref().is_some_and(|k| k.rows.iter().any(|r| r.metric == id && r.shown != Use::OnDemand))
        };
        let metrics: Vec<Listed> =
            metrics.into_iter().map(|(metric, unit)| Listed { preset: brought(&metric), metric, unit }).collect();
        let block = match &known {
            Some(known) => known.block(&mut names),
            None => free_block(&namespace, &dimensions, &metrics, &mut names),
        };
        let kind = known.map(|k| k.kind.word);
        out.push(Resource { namespace, dimensions, kind, block, metrics });
    }
    out
}

/// A resource that there are presets for.
struct Known<'d> {
    kind: &'static Kind,
    id: &'d str,
    extras: Vec<(&'static str, &'d str)>,
    rows: &'static [presets::Preset],
}

fn known<'d>(namespace: &str, dimensions: &'d [(String, String)]) -> Option<Known<'d>> {
    let kind = presets::KINDS.iter().find(|k| k.namespace == namespace)?;
    let value = |name: &str| dimensions.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let id = value(kind.dimension)?;
    let extras: Vec<_> = kind.extras.iter().filter_map(|e| Some((e.key, value(e.dimension)?))).collect();
    if extras.len() + 1 != dimensions.len() {
        return None;
    }
    let keys: Vec<&str> = extras.iter().map(|(key, _)| *key).collect();
    let (_, rows) = kind.metrics.iter().find(|(needed, _)| *needed == keys.as_slice())?;
    Some(Known { kind, id, extras, rows })
}

impl Known<'_> {
    fn block(&self, names: &mut BTreeSet<String>) -> String {
        let end = self.extras.last().map_or(self.id, |(_, value)| value);
        let name = own_name(self.kind.word, end, names);
        let mut out = format!(
            "[[huawei.instance]]\nkind = \"{}\"\nname = \"{name}\"\nid = {}\n",
            self.kind.word,
            quoted(self.id)
        );
        for (key, value) in &self.extras {
            let _ = writeln!(out, "{key} = {}", quoted(value));
        }
        out
    }
}

/// The first metric of a resource that there are no presets for; the others are written like it.
fn free_block(
    namespace: &str,
    dimensions: &[(String, String)],
    metrics: &[Listed],
    names: &mut BTreeSet<String>,
) -> String {
    let Some(first) = metrics.first() else { return String::new() };
    let name = own_name("m", &first.metric, names);
    let dimensions: Vec<String> = dimensions.iter().map(|(n, v)| quoted(&format!("{n}={v}"))).collect();
    format!(
        "[[huawei.metric]]\nname = \"{name}\"\nnamespace = {}\nmetric = {}\ndimensions = [{}]\n",
        quoted(namespace),
        quoted(&first.metric),
        dimensions.join(", ")
    )
}

/// A name that fits a series, made of a word and what tells the resource from others.
fn own_name(word: &str, from: &str, names: &mut BTreeSet<String>) -> String {
    let fit: String = from.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let whole = format!("{word}-{}", fit.to_ascii_lowercase());
    let mut name = whole.clone();
    let mut n = 2;
    while !names.insert(name.clone()) {
        name = format!("{whole}-{n}");
        n += 1;
    }
    name
}

/// A text as TOML writes it; what a terminal would obey is shown instead.
fn quoted(value: &str) -> String {
    format!("\"{}\"", shown(value).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Everything as a piece of configuration: blocks to keep, metrics as comments above them.
pub fn as_toml(region: &str, resources: &[Resource]) -> String {
    let count: usize = resources.iter().map(|r| r.metrics.len()).sum();
    let mut out = format!(
        "# {}: {count} metrics of {} resources. Keep the blocks you want and give them names; * marks the\n# metrics that a block brings, others are added with also = [\"ID\"].\n",
        shown(region),
        resources.len()
    );
    for r in resources {
        let dimensions: Vec<String> = r.dimensions.iter().map(|(n, v)| format!("{}={}", shown(n), shown(v))).collect();
        let _ = writeln!(out, "\n# {} {}", shown(&r.namespace), dimensions.join(" "));
        let width = r.metrics.iter().map(|m| shown(&m.metric).chars().count()).max().unwrap_or(0);
        for m in &r.metrics {
            let sign = if m.preset { '*' } else { ' ' };
            let line = format!("#   {sign} {:<width$}  {}", shown(&m.metric), shown(&m.unit));
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push_str(&r.block);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::parse;
    use std::path::Path;

    type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r str, &'r str);

    fn found(rows: &[Row<'_>]) -> Vec<Resource> {
        let mut out = Found::new();
        for (namespace, dimensions, metric, unit) in rows {
            let dimensions = dimensions.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            let of = ((*namespace).to_owned(), dimensions);
            out.entry(of).or_default().insert(((*metric).to_owned(), (*unit).to_owned()));
        }
        grouped(out)
    }

    #[test]
    fn what_is_listed_can_be_pasted_into_the_configuration() {
        let rds: &[(&str, &str)] = &[("postgresql_cluster_id", "3c8cc15614ab46f5b8743317555e0de2in03")];
        let listener: &[(&str, &str)] = &[("lbaas_instance_id", "77d3"), ("lbaas_listener_id", "l1")];
        let odd: &[(&str, &str)] = &[("odd\u{1b}[2J", "va\"l\\ue")];
        let resources = found(&[
            ("SYS.RDS", rds, "rds083_conn_usage", "%"),
            ("SYS.RDS", rds, "rds_new_thing", "Count"),
            ("SYS.ELB", listener, "mb_l7_qps", "Count/s"),
            ("SYS.ODD", odd, "strange", ""),
        ]);
        let text = as_toml("ap-southeast-4", &resources);
        assert!(
            text.contains("#   * rds083_conn_usage  %\n") && text.contains("#     rds_new_thing      Count\n"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
        let whole = format!("[huawei]\nregion = \"ap-southeast-4\"\n{text}");
        let config = parse(Path::new("config.toml"), &whole).0.unwrap_or_else(|p| panic!("{p:?}\n{text}"));
        let targets = config.huawei.unwrap().metrics.targets;
        let rds = targets.iter().find(|t| t.metric == "rds083_conn_usage").unwrap();
        assert_eq!(rds.dimensions[0].1, "3c8cc15614ab46f5b8743317555e0de2in03");
        let elb = targets.iter().find(|t| t.metric == "mb_l7_qps").unwrap();
        assert_eq!(elb.dimensions[1], ("lbaas_listener_id".to_owned(), "l1".to_owned()));
        assert!(targets.iter().any(|t| t.namespace == "SYS.ODD"));
    }

    #[test]
    fn two_resources_of_like_ids_have_names_of_their_own() {
        let resources = found(&[
            ("SYS.ECS", &[("instance_id", "aaaaaaaa-1")], "cpu_util", "%"),
            ("SYS.ECS", &[("instance_id", "aaaaaaaa-2")], "cpu_util", "%"),
        ]);
        assert!(resources[0].block.contains("name = \"ecs-aaaaaaaa\""));
        assert!(resources[1].block.contains("name = \"ecs-aaaaaaaa-2\""));
    }
}
