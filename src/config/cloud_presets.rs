//! The metrics that matter in an incident, for each kind of cloud resource: one table.
//!
//! Ids, dimensions and units are those of the services' own metric lists (Cloud Eye, "services
//! interconnected with Cloud Eye"). May not know: how they are asked for.

use crate::model::Lapse;
use crate::model::series::{Bad, Rollup, Unit};

/// How several points become one when an answer has a period above raw (the API's `filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// Mean of the points.
    Average,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The sum.
    Sum,
    /// The variance.
    Variance,
}

impl Filter {
    /// All of them, in the API's words.
    pub const ALL: [(&'static str, Self); 5] = [
        ("average", Self::Average),
        ("max", Self::Max),
        ("min", Self::Min),
        ("sum", Self::Sum),
        ("variance", Self::Variance),
    ];
    /// The API's word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, f)| *f == self).map_or("average", |(w, _)| w)
    }
}

/// How much of the screen a metric gets when nobody says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Collected and drawn.
    Drawn,
    /// Collected, for lanes and probes that name it.
    Kept,
    /// Only when `only` or `also` names it.
    OnDemand,
}

/// A dimension beyond the resource's own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Key in `[[huawei.instance]]`.
    pub key: &'static str,
    /// The API's name of the dimension.
    pub dimension: &'static str,
}

/// One metric of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The API's `metric_name`.
    pub metric: &'static str,
    /// What stands behind the instance's name in a series: `conn_usage`.
    pub measure: &'static str,
    /// What stands behind the instance's name in a lane, at most 9 cells.
    pub short: &'static str,
    /// Whether it is drawn.
    pub shown: Use,
    /// The unit the service documents; what an answer says wins.
    pub said: &'static str,
    /// The unit its values are stored in.
    pub unit: Unit,
    /// See [`Filter`].
    pub filter: Filter,
    /// How points become a column.
    pub rollup: Rollup,
    /// Which side worries.
    pub bad: Bad,
    /// Heading on the timeline.
    pub group: &'static str,
    /// Known top of the scale.
    pub ceiling: Option<f64>,
    /// Broken from here on.
    pub broken_at: Option<f64>,
    /// The traffic that drives the rest.
    pub trigger: bool,
}

/// A kind of resource.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `kind` in `[[huawei.instance]]`.
    pub word: &'static str,
    /// In front of a lane when there is one resource of this kind; at most 5 cells.
    pub tag: &'static str,
    /// The API's namespace.
    pub namespace: &'static str,
    /// The API's name of the dimension that the resource's id is the value of.
    pub dimension: &'static str,
    /// Dimensions that may follow, in the order of the API's hierarchy.
    pub extras: &'static [Extra],
    /// Distance of raw points.
    pub raw: Lapse,
    /// Metrics, each with the extra dimensions it needs: none of them, or all that are named.
    pub metrics: &'static [(&'static [&'static str], &'static [Preset])],
}

const TRAFFIC: &str = "traffic";
const APPLICATION: &str = "application";
const DATABASE: &str = "database";
const OTHER: &str = "other";

/// The largest of a number of things, kept and not drawn: what the functions below change.
const fn metric(metric: &'static str, measure: &'static str, short: &'static str, group: &'static str) -> Preset {
    Preset {
        metric,
        measure,
        short,
        shown: Use::Kept,
        said: "Count",
        unit: Unit::Count,
        filter: Filter::Max,
        rollup: Rollup::Max,
        bad: Bad::High,
        group,
        ceiling: None,
        broken_at: None,
        trigger: false,
    }
}

impl Preset {
    const fn drawn(self) -> Self {
        Self { shown: Use::Drawn, ..self }
    }
    const fn on_demand(self) -> Self {
        Self { shown: Use::OnDemand, ..self }
    }
    const fn said(self, said: &'static str, unit: Unit) -> Self {
        Self { said, unit, ..self }
    }
    const fn percent(self) -> Self {
        Self { ceiling: Some(100.0), ..self.said("%", Unit::Percent) }
    }
    const fn rate(self) -> Self {
        Self { filter: Filter::Average, rollup: Rollup::Mean, ..self.said("Count/s", Unit::PerSecond) }
    }
    const fn millis(self) -> Self {
        self.said("ms", Unit::Seconds)
    }
    const fn average(self) -> Self {
        Self { filter: Filter::Average, ..self }
    }
    const fn low(self) -> Self {
        Self { filter: Filter::Min, rollup: Rollup::Min, bad: Bad::Low, ..self }
    }
    const fn broken(self, at: f64) -> Self {
        Self { broken_at: Some(at), ..self }
    }
    const fn trigger(self) -> Self {
        Self { trigger: true, ..self }
    }
}

const BITS: &str = "bit/s";

const ELB: &[Preset] = &[
    metric("mb_l7_qps", "requests", "requests", TRAFFIC).rate().trigger().drawn(),
    metric("m1_cps", "connections", "conns", TRAFFIC).drawn(),
    metric("m4_ncps", "new_connections", "new conns", TRAFFIC).rate(),
    metric("m2_act_conn", "active_connections", "active", TRAFFIC),
    metric("m22_in_bandwidth", "in_bandwidth", "in", TRAFFIC).average().said(BITS, Unit::BytesPerSecond),
    metric("m23_out_bandwidth", "out_bandwidth", "out", TRAFFIC).average().said(BITS, Unit::BytesPerSecond),
    metric("mf_l7_http_5xx", "http_5xx", "5xx", APPLICATION).rate().drawn(),
    metric("me_l7_http_4xx", "http_4xx", "4xx", APPLICATION).rate(),
    metric("m12_l7_http_499", "http_499", "499", APPLICATION).rate(),
    metric("m13_l7_http_502", "http_502", "502", APPLICATION).rate(),
    metric("m16_l7_upstream_5xx", "upstream_5xx", "up 5xx", APPLICATION).rate(),
    metric("m14_l7_rt", "latency", "latency", APPLICATION).millis().average().drawn(),
    metric("m1c_l7_rt_max", "latency_max", "worst", APPLICATION).millis(),
    metric("m17_l7_upstream_rt", "upstream_latency", "up rt", APPLICATION).millis().average(),
    metric("m9_abnormal_servers", "abnormal_servers", "sick", APPLICATION).broken(1.0),
    metric("ma_normal_servers", "normal_servers", "healthy", APPLICATION).low(),
    metric("l7_con_usage", "connection_usage", "conn %", TRAFFIC).percent().on_demand(),
    metric("l7_ncps_usage", "new_connection_usage", "new %", TRAFFIC).percent().on_demand(),
    metric("l7_qps_usage", "request_usage", "qps %", TRAFFIC).percent().on_demand(),
    metric("m1e_server_rps", "server_resets", "resets", APPLICATION).rate().on_demand(),
    metric("m21_client_rps", "client_resets", "resets c", APPLICATION).rate().on_demand(),
];

const ELB_POOL: &[Preset] = &[
    metric("m9_abnormal_servers", "abnormal_servers", "sick", APPLICATION).broken(1.0).drawn(),
    metric("ma_normal_servers", "normal_servers", "healthy", APPLICATION).low().drawn(),
];

const RDS: &[Preset] = &[
    metric("rds083_conn_usage", "conn_usage", "conn %", DATABASE).percent().broken(95.0).drawn(),
    metric("rds042_database_connections", "connections", "conns", DATABASE),
    metric("active_connections", "active", "active", DATABASE),
    metric("idle_transaction_connections", "idle_in_transaction", "idle tx", DATABASE).drawn(),
    metric("lock_waiting_sessions", "lock_waits", "lock wait", DATABASE).drawn(),
    metric("oldest_transaction_duration", "oldest_transaction", "oldest tx", DATABASE).millis().drawn(),
    metric("rds001_cpu_util", "cpu", "cpu", DATABASE).percent().broken(95.0).drawn(),
    metric("rds082_tps", "transactions", "tps", DATABASE).rate(),
    metric("slow_sql_one_second", "slow_sql", "slow sql", DATABASE),
    metric("slow_sql_three_second", "slow_sql_3s", "slow 3s", DATABASE),
    metric("slow_sql_five_second", "slow_sql_5s", "slow 5s", DATABASE).on_demand(),
    metric("rds081_qps", "queries", "qps", DATABASE).rate(),
    metric("rds002_mem_util", "memory", "memory", DATABASE).percent(),
    metric("rds039_disk_util", "disk", "disk", DATABASE).percent().broken(95.0),
    metric("disk_io_usage", "disk_io", "disk io", DATABASE).percent(),
    metric("cpu_wait_usage", "cpu_wait", "cpu wait", DATABASE).percent(),
    metric("swap_usage", "swap", "swap", DATABASE).percent().on_demand(),
    metric("rds003_iops", "iops", "iops", DATABASE).rate(),
    metric("io_read_delay", "read_delay", "read lat", DATABASE).millis(),
    metric("io_write_delay", "write_delay", "write lat", DATABASE).millis(),
    metric("rds004_bytes_in", "bytes_in", "in", DATABASE).average().said("bytes/s", Unit::BytesPerSecond).on_demand(),
    metric("rds005_bytes_out", "bytes_out", "out", DATABASE)
        .average()
        .said("bytes/s", Unit::BytesPerSecond)
        .on_demand(),
    metric("rds046_replication_lag", "replication_lag", "repl lag", DATABASE).millis(),
    metric("synchronous_replication_blocking_time", "sync_blocking", "sync wait", DATABASE)
        .said("s", Unit::Seconds)
        .on_demand(),
    metric("rds040_transaction_logs_usage", "wal_size", "wal", DATABASE).said("MB", Unit::Bytes).on_demand(),
    metric("rds045_oldest_replication_slot_lag", "slot_lag", "slot lag", DATABASE).said("MB", Unit::Bytes).on_demand(),
    metric("rds043_maximum_used_transaction_ids", "used_transaction_ids", "xids", DATABASE).on_demand(),
];

const DCS: &[Preset] = &[
    metric("cpu_usage", "cpu", "cpu", APPLICATION).percent().broken(95.0).drawn(),
    metric("memory_usage", "memory", "memory", APPLICATION).percent().broken(95.0),
    metric("connections_usage", "conn_usage", "conn %", APPLICATION).percent().broken(95.0),
    metric("connected_clients", "clients", "clients", APPLICATION),
    metric("blocked_clients", "blocked", "blocked", APPLICATION),
    metric("bandwidth_usage", "bandwidth_usage", "band %", APPLICATION).percent(),
    metric("instantaneous_ops", "ops", "ops", APPLICATION).rate(),
    metric("keyspace_hits_perc", "hits", "hits", APPLICATION).percent().low(),
    metric("command_max_delay", "max_delay", "max delay", APPLICATION).millis().drawn(),
    metric("command_max_rt", "max_rt", "max rt", APPLICATION).said("us", Unit::Seconds),
    metric("command_avg_rt", "avg_rt", "avg rt", APPLICATION).average().said("us", Unit::Seconds),
    metric("evicted_keys", "evicted", "evicted", APPLICATION),
    metric("is_slow_log_exist", "slow_log", "slow log", APPLICATION).on_demand(),
    metric("rx_controlled", "throttled", "throttled", APPLICATION).on_demand(),
];

const DCS_NODE: &[Preset] = &[
    metric("cpu_usage", "cpu", "cpu", APPLICATION).percent().broken(95.0).drawn(),
    metric("memory_usage", "memory", "memory", APPLICATION).percent().broken(95.0).drawn(),
    metric("connected_clients", "clients", "clients", APPLICATION),
    metric("rejected_connections", "rejected", "rejected", APPLICATION).broken(1.0).drawn(),
    metric("instantaneous_ops", "ops", "ops", APPLICATION).rate(),
];

const KAFKA: &[Preset] = &[
    metric("group_msgs", "lag", "lag", APPLICATION).drawn(),
    metric("current_partitions", "partitions", "parts", APPLICATION).on_demand(),
];
const KAFKA_BROKER: &[Preset] = &[
    metric("broker_cpu_usage", "cpu", "cpu", APPLICATION).percent().broken(95.0).drawn(),
    metric("broker_disk_usage", "disk", "disk", APPLICATION).percent().broken(95.0).drawn(),
    metric("broker_connections", "connections", "conns", APPLICATION),
    metric("broker_produce_mean", "produce", "produce", APPLICATION).millis().drawn(),
];
const KAFKA_GROUP: &[Preset] = &[metric("consumer_messages_remained", "lag", "lag", APPLICATION).drawn()];
const KAFKA_TOPIC: &[Preset] =
    &[metric("topic_messages_in_rate", "messages_in", "msgs in", APPLICATION).rate().drawn()];

const ECS: &[Preset] = &[
    metric("cpu_util", "cpu", "cpu", APPLICATION).percent().broken(95.0).drawn(),
    metric("mem_util", "memory", "memory", APPLICATION).percent(),
    metric("network_incoming_bytes_aggregate_rate", "net_in", "net in", APPLICATION)
        .average()
        .said("byte/s", Unit::BytesPerSecond),
    metric("network_outgoing_bytes_aggregate_rate", "net_out", "net out", APPLICATION)
        .average()
        .said("byte/s", Unit::BytesPerSecond),
    metric("network_vm_connections", "connections", "conns", APPLICATION),
    metric("network_vm_newconnections", "new_connections", "new conns", APPLICATION).rate().on_demand(),
    metric("disk_read_bytes_rate", "disk_read", "disk rd", APPLICATION)
        .average()
        .said("byte/s", Unit::BytesPerSecond)
        .on_demand(),
    metric("disk_write_bytes_rate", "disk_write", "disk wr", APPLICATION)
        .average()
        .said("byte/s", Unit::BytesPerSecond)
        .on_demand(),
];

const AGENT: &[Preset] = &[
    metric("cpu_usage", "cpu", "cpu", APPLICATION).percent().broken(95.0).drawn(),
    metric("cpu_usage_iowait", "iowait", "iowait", APPLICATION).percent(),
    metric("mem_usedPercent", "memory", "memory", APPLICATION).percent().broken(95.0),
    metric("load_average1", "load", "load", APPLICATION).said("", Unit::Count),
    metric("net_tcp_established", "tcp_established", "tcp est", APPLICATION).drawn(),
    metric("net_tcp_time_wait", "tcp_time_wait", "time wait", APPLICATION),
    metric("net_tcp_total", "tcp_total", "tcp", APPLICATION),
    metric("net_tcp_retrans", "tcp_retrans", "retrans", APPLICATION).percent(),
];
const AGENT_MOUNT: &[Preset] =
    &[metric("disk_usedPercent", "disk", "disk", APPLICATION).percent().broken(95.0).drawn()];
const AGENT_DISK: &[Preset] = &[metric("disk_ioUtils", "disk_io", "disk io", APPLICATION).percent().drawn()];

const NAT: &[Preset] = &[
    metric("snat_connection_ratio", "snat_usage", "snat %", OTHER).percent().broken(95.0).drawn(),
    metric("snat_connection", "snat_connections", "snat", OTHER),
    metric("packets_drop_count_snat_connection_beyond", "dropped_connections", "drops", OTHER).broken(1.0).drawn(),
    metric("packets_drop_count_eip_port_alloc_beyond", "dropped_ports", "no ports", OTHER).broken(1.0),
    metric("inbound_bandwidth", "in_bandwidth", "in", OTHER).average().said(BITS, Unit::BytesPerSecond),
    metric("outbound_bandwidth", "out_bandwidth", "out", OTHER).average().said(BITS, Unit::BytesPerSecond),
];

const SCALING: &[Preset] = &[
    metric("instance_num", "instances", "instances", APPLICATION).drawn(),
    metric("cpu_util", "cpu", "cpu", APPLICATION).percent().broken(95.0),
    metric("mem_util", "memory", "memory", APPLICATION).percent(),
];

const GATEWAY: &[Preset] = &[
    metric("requests", "requests", "requests", TRAFFIC).average().trigger().drawn(),
    metric("error_5xx", "error_5xx", "5xx", APPLICATION).average().drawn(),
    metric("error_4xx", "error_4xx", "4xx", APPLICATION).average(),
    metric("throttled_calls", "throttled", "throttled", TRAFFIC).average().drawn(),
    metric("avg_latency", "latency", "latency", APPLICATION).millis().average(),
    metric("max_latency", "latency_max", "worst", APPLICATION).millis(),
];
const GATEWAY_API: &[Preset] = &[
    metric("req_count", "requests", "requests", TRAFFIC).average().drawn(),
    metric("req_count_5xx", "error_5xx", "5xx", APPLICATION).average().drawn(),
    metric("req_count_4xx", "error_4xx", "4xx", APPLICATION).average(),
    metric("req_count_2xx", "ok_2xx", "2xx", APPLICATION).average(),
    metric("req_count_error", "errors", "errors", APPLICATION).average(),
    metric("avg_latency", "latency", "latency", APPLICATION).millis().average().drawn(),
    metric("max_latency", "latency_max", "worst", APPLICATION).millis(),
];

const ADDRESS: &[Preset] = &[
    metric("upstream_bandwidth", "out_bandwidth", "out", TRAFFIC).average().said(BITS, Unit::BytesPerSecond).drawn(),
    metric("downstream_bandwidth", "in_bandwidth", "in", TRAFFIC).average().said(BITS, Unit::BytesPerSecond).drawn(),
    metric("upstream_bandwidth_usage", "out_usage", "out %", TRAFFIC).percent(),
    metric("downstream_bandwidth_usage", "in_usage", "in %", TRAFFIC).percent(),
];

const fn extra(key: &'static str, dimension: &'static str) -> Extra {
    Extra { key, dimension }
}

const MINUTE: Lapse = Lapse::minutes(1);

/// Every kind there is.
pub const KINDS: &[Kind] = &[
    Kind {
        word: "elb",
        tag: "elb",
        namespace: "SYS.ELB",
        dimension: "lbaas_instance_id",
        extras: &[extra("listener", "lbaas_listener_id"), extra("pool", "lbaas_pool_id")],
        raw: MINUTE,
        metrics: &[(&[], ELB), (&["listener"], ELB), (&["pool"], ELB_POOL)],
    },
    Kind {
        word: "rds",
        tag: "rds",
        namespace: "SYS.RDS",
        dimension: "postgresql_cluster_id",
        extras: &[],
        raw: MINUTE,
        metrics: &[(&[], RDS)],
    },
    Kind {
        word: "dcs",
        tag: "redis",
        namespace: "SYS.DCS",
        dimension: "dcs_instance_id",
        extras: &[extra("node", "dcs_cluster_redis_node")],
        raw: MINUTE,
        metrics: &[(&[], DCS), (&["node"], DCS_NODE)],
    },
    Kind {
        word: "dms",
        tag: "kafka",
        namespace: "SYS.DMS",
        dimension: "kafka_instance_id",
        extras: &[extra("broker", "kafka_broker"), extra("consumer", "kafka_groups"), extra("topic", "kafka_topics")],
        raw: MINUTE,
        metrics: &[(&[], KAFKA), (&["broker"], KAFKA_BROKER), (&["consumer"], KAFKA_GROUP), (&["topic"], KAFKA_TOPIC)],
    },
    Kind {
        word: "ecs",
        tag: "ecs",
        namespace: "SYS.ECS",
        dimension: "instance_id",
        extras: &[],
        raw: Lapse::minutes(5),
        metrics: &[(&[], ECS)],
    },
    Kind {
        word: "agent",
        tag: "host",
        namespace: "AGT.ECS",
        dimension: "instance_id",
        extras: &[extra("mount_point", "mount_point"), extra("disk", "disk")],
        raw: MINUTE,
        metrics: &[(&[], AGENT), (&["mount_point"], AGENT_MOUNT), (&["disk"], AGENT_DISK)],
    },
    Kind {
        word: "nat",
        tag: "nat",
        namespace: "SYS.NAT",
        dimension: "nat_gateway_id",
        extras: &[],
        raw: MINUTE,
        metrics: &[(&[], NAT)],
    },
    Kind {
        word: "as",
        tag: "scale",
        namespace: "SYS.AS",
        dimension: "AutoScalingGroup",
        extras: &[],
        raw: Lapse::minutes(5),
        metrics: &[(&[], SCALING)],
    },
    Kind {
        word: "apig",
        tag: "apig",
        namespace: "SYS.APIC",
        dimension: "instance_id",
        extras: &[extra("api", "api_id")],
        raw: MINUTE,
        metrics: &[(&[], GATEWAY), (&["api"], GATEWAY_API)],
    },
    Kind {
        word: "vpc",
        tag: "eip",
        namespace: "SYS.VPC",
        dimension: "publicip_id",
        extras: &[],
        raw: MINUTE,
        metrics: &[(&[], ADDRESS)],
    },
];

/// A kind by its word.
pub fn kind(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn rows() -> impl Iterator<Item = (&'static Kind, &'static [&'static str], &'static Preset)> {
        KINDS.iter().flat_map(|k| k.metrics.iter().flat_map(move |(e, rows)| rows.iter().map(move |r| (k, *e, r))))
    }

    #[test]
    fn ids_measures_and_short_names_are_told_apart_within_a_resource() {
        let mut seen = BTreeSet::new();
        for (kind, extras, row) in rows() {
            for what in
                [format!("id {}", row.metric), format!("measure {}", row.measure), format!("short {}", row.short)]
            {
                assert!(seen.insert((kind.word, extras, what.clone())), "{} {extras:?}: {what} twice", kind.word);
            }
        }
    }

    #[test]
    fn everything_fits_the_api_and_the_screen() {
        for (kind, extras, row) in rows() {
            assert!(row.short.chars().count() <= 9 && kind.tag.chars().count() <= 5, "{}", row.short);
            assert!((1..=96).contains(&row.metric.len()) && (3..=32).contains(&kind.namespace.len()));
            assert!(extras.iter().all(|e| kind.extras.iter().any(|x| x.key == *e)), "{extras:?}");
            assert!(row.measure.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{}", row.measure);
        }
    }

    #[test]
    fn every_kind_draws_something() {
        for kind in KINDS {
            for (extras, rows) in kind.metrics {
                assert!(rows.iter().any(|r| r.shown == Use::Drawn), "{} {extras:?}", kind.word);
            }
        }
    }

    #[test]
    fn shares_have_a_top_and_nothing_else_has() {
        for (_, _, row) in rows() {
            assert_eq!(row.unit == Unit::Percent, row.ceiling == Some(100.0), "{}", row.metric);
        }
    }
}
