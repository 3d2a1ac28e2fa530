//! What people write, and the targets and lanes that come of it.

use super::*;
use crate::config::load::parse;
use std::path::Path;

fn read(text: &str) -> Result<CloudMetrics, String> {
    let whole = format!("[huawei]\nregion = \"ap-southeast-4\"\n{text}");
    let config = parse(Path::new("config.toml"), &whole).0;
    let config = config.map_err(|p| p.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    Ok(config.huawei.map(|h| h.metrics).unwrap_or_default())
}

fn instance(kind: &str, name: &str, more: &str) -> String {
    format!("[[huawei.instance]]\nkind = \"{kind}\"\nname = \"{name}\"\nid = \"id-of-{name}\"\n{more}\n")
}

fn names(metrics: &CloudMetrics) -> Vec<String> {
    metrics.lanes().map(|l| l.name).collect()
}

#[test]
fn an_instance_brings_the_lanes_of_its_kind_with_their_units() {
    let metrics = read(&instance("rds", "pg-order", "")).unwrap();
    let target = metrics.targets.iter().find(|t| t.metric == "rds083_conn_usage").unwrap();
    assert_eq!(target.series, "huawei.pg-order_conn_usage");
    assert_eq!(target.namespace, "SYS.RDS");
    assert_eq!(target.dimensions, [("postgresql_cluster_id".to_owned(), "id-of-pg-order".to_owned())]);
    let lane = target.lane.clone().unwrap();
    assert_eq!((lane.name.as_str(), lane.group.as_str(), lane.unit), ("rds conn %", "database", Unit::Percent));
    assert_eq!((lane.ceiling, lane.broken_at, lane.lag), (Some(100.0), Some(95.0), Lapse::minutes(3)));
    assert!(metrics.targets.iter().any(|t| t.lane.is_none()), "some are only kept");
    assert!(metrics.alarms && metrics.events && metrics.traces);
}

#[test]
fn every_kind_can_be_named_with_every_extra_it_knows() {
    for kind in presets::KINDS {
        for (extras, _) in kind.metrics {
            let more: String = extras.iter().map(|e| format!("{e} = \"x\"\n")).collect();
            let metrics = read(&instance(kind.word, "a", &more)).unwrap();
            assert!(metrics.lanes().count() > 0, "{} {extras:?}", kind.word);
            assert!(metrics.targets.iter().all(|t| t.dimensions.len() == 1 + extras.len()));
        }
    }
}

#[test]
fn lanes_of_several_resources_of_a_kind_are_told_apart_in_fifteen_cells() {
    let text: String = ["pg-order", "pg-upg", "pg-orders-archive", "db_ho"].map(|n| instance("rds", n, "")).concat();
    let metrics = read(&text).unwrap();
    let names = names(&metrics);
    assert!(names.iter().all(|n| n.chars().count() <= 15), "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    let two = read(&["pg-order", "pg-upg"].map(|n| instance("rds", n, "")).concat()).unwrap();
    assert!(self::names(&two).contains(&"order conn %".to_owned()), "{:?}", self::names(&two));
    assert!(self::names(&two).contains(&"upg conn %".to_owned()));
}

#[test]
fn only_and_also_choose_by_id_or_measure_and_what_is_named_is_drawn() {
    let metrics = read(&instance("rds", "pg", "only = [\"rds083_conn_usage\", \"disk\"]")).unwrap();
    assert_eq!(
        metrics.targets.iter().map(|t| t.metric.as_str()).collect::<Vec<_>>(),
        ["rds083_conn_usage", "rds039_disk_util"]
    );
    assert!(metrics.targets.iter().all(|t| t.lane.is_some()));
    let metrics = read(&instance("elb", "web", "also = [\"l7_qps_usage\", \"m99_new\"]")).unwrap();
    let new = metrics.targets.iter().find(|t| t.metric == "m99_new").unwrap();
    assert_eq!(new.series, "huawei.web_m99_new");
    assert!(new.lane.is_some() && metrics.targets.iter().any(|t| t.metric == "mb_l7_qps"));
}

#[test]
fn any_metric_can_be_named_with_its_dimensions_in_order() {
    let text = "[[huawei.metric]]\nname = \"group_lag\"\nnamespace = \"SYS.DMS\"\nmetric = \"topic_messages_remained\"\n\
        dimensions = [\"kafka_instance_id=k=1\", \"kafka_groups=g\"]\nfilter = \"max\"\ngroup = \"payment\"\nbroken_at = 1000\n";
    let metrics = read(text).unwrap();
    let target = &metrics.targets[0];
    assert_eq!(target.series, "huawei.group_lag");
    assert_eq!(target.dimensions[0], ("kafka_instance_id".to_owned(), "k=1".to_owned()));
    assert_eq!((target.filter, target.dimensions.len()), (Filter::Max, 2));
    let lane = target.lane.clone().unwrap();
    assert_eq!((lane.name.as_str(), lane.group.as_str(), lane.broken_at), ("group lag", "payment", Some(1000.0)));
    assert!(read(&format!("{text}lane = false")).unwrap().targets[0].lane.is_none());
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_to_write() {
    let cases = [
        (instance("rdss", "pg", ""), "did you mean rds"),
        (instance("rds", "pg order", ""), "is no name"),
        (instance("rds", "pg", "listener = \"x\""), "it has an id only"),
        (instance("elb", "web", "node = \"x\""), "known are listener, pool"),
        (instance("elb", "web", "listener = \"l\"\npool = \"p\""), "name its metrics with also"),
        (instance("rds", "pg", "also = [\"no metric\"]"), "is no metric of SYS.RDS"),
        (instance("rds", "pg", "ids = \"x\""), "is not a key of warroom"),
        ([instance("rds", "pg", ""), instance("rds", "pg", "")].concat(), "is there twice"),
        ("[[huawei.metric]]\nname = \"a\"\nnamespace = \"SYS.RDS\"\nmetric = \"m\"".to_owned(), "write dimensions = "),
        (
            "[[huawei.metric]]\nname = \"a\"\nnamespace = \"SYSRDS\"\nmetric = \"m\"\ndimensions = [\"a=b\"]"
                .to_owned(),
            "is no namespace",
        ),
    ];
    for (text, expected) in cases {
        let says = read(&text).unwrap_err();
        assert!(says.contains(expected) && says.contains("config.toml:"), "{text}: {says}");
    }
}

#[test]
fn the_group_of_a_resource_can_be_chosen_for_all_its_lanes() {
    let metrics = read(&instance("rds", "upg", "group = \"payment\"")).unwrap();
    assert!(metrics.lanes().all(|l| l.group == "payment"));
}
