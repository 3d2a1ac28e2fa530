//! What is measured: one row for each metric, with how it follows from how things stand.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's path has one lifetime where the table wants any"
)]

use super::Mood;

/// A metric of a kind of resource.
pub struct Row {
    /// Its id.
    pub name: &'static str,
    /// The wire's word.
    pub unit: &'static str,
    /// Its value, before noise.
    pub value: fn(&Mood<'_>) -> f64,
    /// The largest it can be.
    pub most: f64,
}

const fn row(name: &'static str, unit: &'static str, value: fn(&Mood<'_>) -> f64) -> Row {
    Row { name, unit, value, most: f64::INFINITY }
}

const fn share(name: &'static str, value: fn(&Mood<'_>) -> f64) -> Row {
    Row { name, unit: "%", value, most: 100.0 }
}

/// SYS.ELB, the load balancer.
pub const ELB: &[Row] = &[
    row("m1_cps", "Count", |m| 0.82 * m.users + 2.0 * m.now(|b| b.queued)),
    row("m2_act_conn", "Count", |m| 0.31 * m.users + 2.0 * m.now(|b| b.queued)),
    row("m3_inact_conn", "Count", |m| 0.5 * m.users),
    row("m4_ncps", "Count/s", |m| 0.14 * m.requests + 0.2 * m.requests * m.failed),
    row("m7_in_Bps", "byte/s", |m| 1_415.0 * m.requests),
    row("m8_out_Bps", "byte/s", |m| 9_050.0 * m.requests * (1.0 - m.failed)),
    row("m22_in_bandwidth", "bit/s", |m| 11_320.0 * m.requests),
    row("m23_out_bandwidth", "bit/s", |m| 72_400.0 * m.requests * (1.0 - m.failed)),
    row("m9_abnormal_servers", "Count", |m| m.now(|b| b.restarts).min(8.0)),
    row("ma_normal_servers", "Count", |m| 8.0 - m.now(|b| b.restarts).min(8.0)),
    row("mb_l7_qps", "Count/s", |m| m.requests),
    row("mc_l7_http_2xx", "Count/s", |m| 0.985 * m.requests * (1.0 - m.failed)),
    row("md_l7_http_3xx", "Count/s", |m| 0.004_6 * m.requests),
    row("me_l7_http_4xx", "Count/s", |m| 0.008_3 * m.requests),
    row("mf_l7_http_5xx", "Count/s", |m| m.requests * m.failed),
    row("m11_l7_http_404", "Count/s", |m| 0.002 * m.requests),
    row("m12_l7_http_499", "Count/s", |m| 0.000_9 * m.requests + 0.3 * m.requests * m.failed),
    row("m13_l7_http_502", "Count/s", |m| 0.06 * m.requests * m.failed),
    row("m14_l7_rt", "ms", |m| 96.0 * m.slow() + m.wait_mean()),
    row("m1c_l7_rt_max", "ms", |m| 1_900.0 * m.slow() + 1_050.0 * m.waiting),
    row("m1d_l7_rt_min", "ms", |_| 2.0),
    row("m15_l7_upstream_4xx", "Count/s", |m| 0.007 * m.requests),
    row("m16_l7_upstream_5xx", "Count/s", |m| 0.94 * m.requests * m.failed),
    row("m17_l7_upstream_rt", "ms", |m| 90.0 * m.slow() + m.wait_mean()),
    row("m1e_server_rps", "Count/s", |m| 0.4 + 0.008 * m.requests * m.failed),
    row("m21_client_rps", "Count/s", |m| 0.003 * m.requests + 0.02 * m.requests * m.failed),
    share("l7_con_usage", |m| 11.0 * m.load),
    share("l7_ncps_usage", |m| 6.0 * m.load),
    share("l7_qps_usage", |m| 8.6 * m.load),
];

/// SYS.RDS of MRG, the database that suffers.
pub const SUFFERING: &[Row] = &[
    share("rds001_cpu_util", |m| m.minute.db_cpu()),
    share("rds002_mem_util", |m| 58.0 + 0.03 * m.used),
    share("rds039_disk_util", |_| 47.0),
    share("disk_io_usage", |m| 0.013 * m.commits()),
    share("cpu_wait_usage", |m| 1.1 + 1.4 * m.load),
    share("swap_usage", |_| 0.0),
    row("rds003_iops", "count/s", |m| 60.0 + 1.2 * m.commits()),
    row("io_read_delay", "ms", |m| 0.7 + 0.4 * m.load),
    row("io_write_delay", "ms", |m| 1.1 + 0.5 * m.load),
    row("rds004_bytes_in", "byte/s", |m| 4_200.0 * m.commits()),
    row("rds005_bytes_out", "byte/s", |m| 11_300.0 * m.commits()),
    row("rds042_database_connections", "count", |m| m.connections()),
    share("rds083_conn_usage", |m| 100.0 * m.connections() / f64::from(m.minute.set.mrg.max_connections)),
    row("active_connections", "count", |m| m.now(|b| b.running)),
    row("idle_transaction_connections", "count", |m| m.now(|b| b.idle_open)),
    row("lock_waiting_sessions", "count", |m| m.now(|b| b.locked)),
    row("oldest_transaction_duration", "ms", |m| 640.0 * m.slow() + 400.0 * m.now(|b| b.line)),
    row("rds081_qps", "count/s", |m| 3.1 * m.commits()),
    row("rds082_tps", "count/s", |m| m.commits()),
    row("slow_sql_one_second", "count", |m| (0.5 * m.load + 3.0 * m.now(|b| b.locked)).floor()),
    row("slow_sql_three_second", "count", |m| (m.now(|b| b.line) - 3.0).max(0.0)),
    row("slow_sql_five_second", "count", |m| (m.now(|b| b.line) - 6.0).max(0.0)),
    row("rds040_transaction_logs_usage", "MB", |m| 2_100.0 + 300.0 * m.load),
    row("rds043_maximum_used_transaction_ids", "count", |_| 91_300_000.0),
    row("rds045_oldest_replication_slot_lag", "MB", |m| 0.3 * m.load),
    row("rds046_replication_lag", "ms", |m| 40.0 + 30.0 * m.load),
    row("synchronous_replication_blocking_time", "s", |_| 0.0),
];

/// SYS.RDS of the databases that are well.
pub const HEALTHY: &[Row] = &[
    share("rds001_cpu_util", |m| 9.0 + 5.0 * m.load),
    share("rds002_mem_util", |_| 54.0),
    share("rds039_disk_util", |_| 31.0),
    share("disk_io_usage", |m| 5.0 * m.load),
    row("rds003_iops", "count/s", |m| 210.0 * m.load),
    row("rds042_database_connections", "count", |m| 34.0 + 9.0 * m.load),
    share("rds083_conn_usage", |m| 17.0 + 4.5 * m.load),
    row("active_connections", "count", |m| 2.0 * m.load),
    row("idle_transaction_connections", "count", |m| 0.4 * m.load),
    row("lock_waiting_sessions", "count", |_| 0.0),
    row("oldest_transaction_duration", "ms", |m| 210.0 + 60.0 * m.load),
    row("rds081_qps", "count/s", |m| 380.0 * m.load),
    row("rds082_tps", "count/s", |m| 92.0 * m.load),
    share("cpu_wait_usage", |m| 0.6 + 0.3 * m.load),
    row("io_read_delay", "ms", |m| 0.5 + 0.1 * m.load),
    row("io_write_delay", "ms", |m| 0.8 + 0.1 * m.load),
    row("slow_sql_one_second", "count", |_| 0.0),
    row("slow_sql_three_second", "count", |_| 0.0),
    row("slow_sql_five_second", "count", |_| 0.0),
    row("rds046_replication_lag", "ms", |m| 50.0 + 20.0 * m.load),
];

/// SYS.DCS, Redis.
pub const REDIS: &[Row] = &[
    share("cpu_usage", |m| 9.0 * m.load),
    share("memory_usage", |m| 52.0 + 3.0 * m.load),
    share("connections_usage", |m| 3.0 * m.load),
    share("bandwidth_usage", |m| 7.0 * m.load),
    share("keyspace_hits_perc", |_| 97.4),
    row("connected_clients", "Count", |m| 210.0 + 90.0 * m.load),
    row("instantaneous_ops", "Count", |m| 3_900.0 * m.load),
    row("command_max_delay", "ms", |m| 3.0 + m.load),
    row("command_max_rt", "us", |m| 2_800.0 + 400.0 * m.load),
    row("command_avg_rt", "us", |m| 110.0 + 20.0 * m.load),
    row("evicted_keys", "Count", |_| 0.0),
    row("is_slow_log_exist", "", |_| 0.0),
];

/// SYS.DMS, Kafka as a whole.
pub const KAFKA: &[Row] = &[
    row("group_msgs", "count", |m| 60.0 * m.load + m.now(|b| b.pending)),
    row("current_partitions", "count", |_| 96.0),
];

/// SYS.DMS, a consumer group of it.
pub const CONSUMER: &[Row] = &[row("consumer_messages_remained", "count", |m| m.now(|b| b.pending))];

/// SYS.DMS, a broker.
pub const BROKER: &[Row] = &[
    row("broker_connections", "count", |m| 140.0 + 20.0 * m.load),
    share("broker_cpu_usage", |m| 11.0 * m.load),
    share("broker_disk_usage", |_| 38.0),
    row("broker_produce_mean", "ms", |m| 1.4 + 0.4 * m.load),
];

/// SYS.ECS, every five minutes.
pub const ECS: &[Row] = &[
    share("cpu_util", |m| m.host_cpu()),
    row("disk_read_bytes_rate", "byte/s", |_| 41_000.0),
    row("disk_write_bytes_rate", "byte/s", |m| 310_000.0 * m.load + 2_000.0 * m.requests * m.failed),
    row("network_incoming_bytes_aggregate_rate", "byte/s", |m| 2_100_000.0 * m.load),
    row("network_outgoing_bytes_aggregate_rate", "byte/s", |m| 4_300_000.0 * m.load),
    row("network_vm_connections", "count", |m| 3_100.0 * m.load + 0.3 * m.now(|b| b.queued)),
];

/// AGT.ECS, the agent on a host.
pub const AGENT: &[Row] = &[
    share("cpu_usage", |m| m.host_cpu()),
    share("cpu_usage_iowait", |m| 0.3 * m.load),
    share("mem_usedPercent", |m| 50.0 + 0.028 * m.now(|b| b.heap) + 2.0 * m.load),
    row("load_average1", "", |m| 0.12 * m.host_cpu()),
    row("net_tcp_total", "count", |m| 3_200.0 * m.load + 0.32 * m.now(|b| b.queued)),
    row("net_tcp_established", "count", |m| 2_700.0 * m.load + 0.3 * m.now(|b| b.queued)),
    row("net_tcp_time_wait", "count", |m| 300.0 * m.load + 1.2 * m.requests * m.failed),
    share("net_tcp_retrans", |_| 0.2),
];

/// SYS.NAT
pub const NAT: &[Row] = &[
    row("snat_connection", "count", |m| 5_200.0 * m.load + 60.0 * m.now(|b| b.upg_busy)),
    share("snat_connection_ratio", |m| 9.0 * m.load),
    row("packets_drop_count_snat_connection_beyond", "count", |_| 0.0),
    row("packets_drop_count_eip_port_alloc_beyond", "count", |_| 0.0),
    row("inbound_bandwidth", "bit/s", |m| 9_100_000.0 * m.load),
    row("outbound_bandwidth", "bit/s", |m| 6_400_000.0 * m.load),
];

/// SYS.AS, every five minutes.
pub const SCALING: &[Row] = &[
    row("instance_num", "count", |m| f64::from(m.minute.set.mrg.pods)),
    share("cpu_util", |m| 16.0 * m.load),
    share("mem_util", |m| 52.0 + 3.0 * m.load),
];

/// SYS.APIC, the dedicated gateway.
pub const GATEWAY: &[Row] = &[
    row("requests", "count", |m| 60.0 * m.requests),
    row("error_4xx", "count", |m| 0.5 * m.requests),
    row("error_5xx", "count", |m| 60.0 * m.requests * m.failed),
    row("throttled_calls", "count", |_| 0.0),
    row("avg_latency", "ms", |m| 110.0 * m.slow() + m.wait_mean()),
    row("max_latency", "ms", |m| 2_300.0 * m.slow() + 1_050.0 * m.waiting),
];

/// SYS.VPC, the public address.
pub const ADDRESS: &[Row] = &[
    row("upstream_bandwidth", "bit/s", |m| 31_800_000.0 * m.load),
    row("downstream_bandwidth", "bit/s", |m| 5_100_000.0 * m.load),
    share("upstream_bandwidth_usage", |m| 16.0 * m.load),
    share("downstream_bandwidth_usage", |m| 2.6 * m.load),
];
