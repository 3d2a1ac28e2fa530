//! What is measured: one row for each metric, with how it follows from how things stand.

use super::Mood;

/// A metric of a kind of resource.
pub struct Row {
    /// Its id.
    pub name: &'static str,
    /// The wire's word.
    pub unit: &'static str,
    /// Its value, before noise.
    pub value: fn(&Mood) -> f64,
    /// The largest it can be.
    pub most: f64,
}

const fn row(name: &'static str, unit: &'static str, value: fn(&Mood) -> f64) -> Row {
    Row { name, unit, value, most: f64::INFINITY }
}

const fn share(name: &'static str, value: fn(&Mood) -> f64) -> Row {
    Row { name, unit: "%", value, most: 100.0 }
}

/// SYS.ELB, the load balancer.
pub const ELB: &[Row] = &[
    row("m1_cps", "Count", |m| 0.82 * m.users + 9_000.0 * m.harm),
    row("m2_act_conn", "Count", |m| 0.31 * m.users + 11_000.0 * m.harm),
    row("m3_inact_conn", "Count", |m| 0.5 * m.users),
    row("m4_ncps", "Count/s", |m| 61.0 * m.load + 70.0 * m.harm),
    row("m7_in_Bps", "byte/s", |m| 610_000.0 * m.load),
    row("m8_out_Bps", "byte/s", |m| 3_900_000.0 * m.load * (1.0 - 0.3 * m.harm)),
    row("m22_in_bandwidth", "bit/s", |m| 4_880_000.0 * m.load),
    row("m23_out_bandwidth", "bit/s", |m| 31_200_000.0 * m.load * (1.0 - 0.3 * m.harm)),
    row("m9_abnormal_servers", "Count", |m| (2.4 * m.harm).floor()),
    row("ma_normal_servers", "Count", |m| 8.0 - (2.4 * m.harm).floor()),
    row("mb_l7_qps", "Count/s", |m| 431.0 * m.load),
    row("mc_l7_http_2xx", "Count/s", |m| 424.0 * m.load * (1.0 - 0.14 * m.harm)),
    row("md_l7_http_3xx", "Count/s", |m| 2.0 * m.load),
    row("me_l7_http_4xx", "Count/s", |m| 3.6 * m.load + 14.0 * m.harm),
    row("mf_l7_http_5xx", "Count/s", |m| 1.3 * m.load + 150.0 * m.harm),
    row("m11_l7_http_404", "Count/s", |m| 0.9 * m.load),
    row("m12_l7_http_499", "Count/s", |m| 0.4 * m.load + 46.0 * m.harm),
    row("m13_l7_http_502", "Count/s", |m| 0.1 * m.load + 9.0 * m.harm),
    row("m14_l7_rt", "ms", |m| 96.0 + 1_900.0 * m.harm + 240.0 * m.waiting),
    row("m1c_l7_rt_max", "ms", |m| 1_900.0 + 8_000.0 * m.pressure),
    row("m1d_l7_rt_min", "ms", |_| 2.0),
    row("m15_l7_upstream_4xx", "Count/s", |m| 3.1 * m.load),
    row("m16_l7_upstream_5xx", "Count/s", |m| 1.1 * m.load + 141.0 * m.harm),
    row("m17_l7_upstream_rt", "ms", |m| 90.0 + 1_860.0 * m.harm + 240.0 * m.waiting),
    row("m1e_server_rps", "Count/s", |m| 0.4 + 6.0 * m.harm),
    row("m21_client_rps", "Count/s", |m| 1.2 * m.load + 12.0 * m.harm),
    share("l7_con_usage", |m| 11.0 * m.load),
    share("l7_ncps_usage", |m| 6.0 * m.load),
    share("l7_qps_usage", |m| 8.6 * m.load),
];

/// SYS.RDS of MRG, the database that suffers.
pub const SUFFERING: &[Row] = &[
    share("rds001_cpu_util", |m| 20.0 * m.load.min(1.9) + 4.0 * m.harm),
    share("rds002_mem_util", |m| 61.0 + 4.0 * m.pressure),
    share("rds039_disk_util", |_| 47.0),
    share("disk_io_usage", |m| 14.0 * m.load.min(2.0)),
    share("cpu_wait_usage", |m| 1.1 + 1.4 * m.load),
    share("swap_usage", |_| 0.0),
    row("rds003_iops", "count/s", |m| 610.0 * m.load.min(2.0) * (1.0 - 0.4 * m.harm)),
    row("io_read_delay", "ms", |m| 0.7 + 0.4 * m.load),
    row("io_write_delay", "ms", |m| 1.1 + 0.5 * m.load),
    row("rds004_bytes_in", "byte/s", |m| 1_900_000.0 * m.load),
    row("rds005_bytes_out", "byte/s", |m| 5_100_000.0 * m.load * (1.0 - 0.4 * m.harm)),
    row("rds042_database_connections", "count", |m| (30.0 + 44.0 * m.load.min(1.2) + 108.0 * m.pressure).min(197.0)),
    share("rds083_conn_usage", |m| (30.0 + 44.0 * m.load.min(1.2) + 108.0 * m.pressure).min(197.0) / 2.0),
    row("active_connections", "count", |m| 6.0 * m.load + 70.0 * m.pressure),
    row("idle_transaction_connections", "count", |m| 1.2 * m.load + 88.0 * m.pressure),
    row("lock_waiting_sessions", "count", |m| (0.6 * m.load + 41.0 * m.harm).floor()),
    row("oldest_transaction_duration", "ms", |m| 640.0 + 34_000.0 * m.pressure),
    row("rds081_qps", "count/s", |m| 1_420.0 * m.load * (1.0 - 0.55 * m.harm)),
    row("rds082_tps", "count/s", |m| 306.0 * m.load * (1.0 - 0.6 * m.harm)),
    row("slow_sql_one_second", "count", |m| (0.5 * m.load + 190.0 * m.harm).floor()),
    row("slow_sql_three_second", "count", |m| (90.0 * m.harm).floor()),
    row("slow_sql_five_second", "count", |m| (31.0 * m.harm).floor()),
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
pub const KAFKA: &[Row] =
    &[row("group_msgs", "count", |m| 900.0 * m.load + 61_000.0 * m.harm), row("current_partitions", "count", |_| 96.0)];

/// SYS.DMS, a consumer group of it.
pub const CONSUMER: &[Row] = &[row("consumer_messages_remained", "count", |m| 120.0 * m.load + 58_000.0 * m.harm)];

/// SYS.DMS, a broker.
pub const BROKER: &[Row] = &[
    row("broker_connections", "count", |m| 140.0 + 20.0 * m.load),
    share("broker_cpu_usage", |m| 11.0 * m.load),
    share("broker_disk_usage", |_| 38.0),
    row("broker_produce_mean", "ms", |m| 1.4 + 0.4 * m.load),
];

/// SYS.ECS, every five minutes.
pub const ECS: &[Row] = &[
    share("cpu_util", |m| 16.0 * m.load + 9.0 * m.harm),
    row("disk_read_bytes_rate", "byte/s", |_| 41_000.0),
    row("disk_write_bytes_rate", "byte/s", |m| 310_000.0 * m.load + 900_000.0 * m.harm),
    row("network_incoming_bytes_aggregate_rate", "byte/s", |m| 2_100_000.0 * m.load),
    row("network_outgoing_bytes_aggregate_rate", "byte/s", |m| 4_300_000.0 * m.load),
    row("network_vm_connections", "count", |m| 3_100.0 * m.load + 2_400.0 * m.harm),
];

/// AGT.ECS, the agent on a host.
pub const AGENT: &[Row] = &[
    share("cpu_usage", |m| 16.0 * m.load + 9.0 * m.harm),
    share("cpu_usage_iowait", |m| 0.3 * m.load),
    share("mem_usedPercent", |m| 54.0 + 11.0 * m.harm + 2.0 * m.load),
    row("load_average1", "", |m| 1.9 * m.load + 2.0 * m.harm),
    row("net_tcp_total", "count", |m| 3_200.0 * m.load + 2_500.0 * m.harm),
    row("net_tcp_established", "count", |m| 2_700.0 * m.load + 2_300.0 * m.harm),
    row("net_tcp_time_wait", "count", |m| 300.0 * m.load + 900.0 * m.harm),
    share("net_tcp_retrans", |m| 0.2 + 0.2 * m.harm),
];

/// SYS.NAT
pub const NAT: &[Row] = &[
    row("snat_connection", "count", |m| 5_200.0 * m.load + 9_000.0 * m.harm),
    share("snat_connection_ratio", |m| 9.0 * m.load + 16.0 * m.harm),
    row("packets_drop_count_snat_connection_beyond", "count", |_| 0.0),
    row("packets_drop_count_eip_port_alloc_beyond", "count", |_| 0.0),
    row("inbound_bandwidth", "bit/s", |m| 9_100_000.0 * m.load),
    row("outbound_bandwidth", "bit/s", |m| 6_400_000.0 * m.load),
];

/// SYS.AS, every five minutes.
pub const SCALING: &[Row] = &[
    row("instance_num", "count", |m| if m.load > 1.6 { 10.0 } else { 8.0 }),
    share("cpu_util", |m| 16.0 * m.load),
    share("mem_util", |m| 52.0 + 3.0 * m.load),
];

/// SYS.APIC, the dedicated gateway.
pub const GATEWAY: &[Row] = &[
    row("requests", "count", |m| 17_400.0 * m.load),
    row("error_4xx", "count", |m| 160.0 * m.load + 700.0 * m.harm),
    row("error_5xx", "count", |m| 50.0 * m.load + 8_100.0 * m.harm),
    row("throttled_calls", "count", |_| 0.0),
    row("avg_latency", "ms", |m| 110.0 + 1_900.0 * m.harm),
    row("max_latency", "ms", |m| 2_300.0 + 7_800.0 * m.pressure),
];

/// SYS.VPC, the public address.
pub const ADDRESS: &[Row] = &[
    row("upstream_bandwidth", "bit/s", |m| 31_800_000.0 * m.load),
    row("downstream_bandwidth", "bit/s", |m| 5_100_000.0 * m.load),
    share("upstream_bandwidth_usage", |m| 16.0 * m.load),
    share("downstream_bandwidth_usage", |m| 2.6 * m.load),
];
