//! Cloud Eye's metrics of the evening: the rows for every resource, minute by minute, never on the minute.

use super::Mood;
use super::rows::{self, Row};
use crate::model::{Lapse, Stamp};
use crate::simulator::cloud::world::Metric;
use crate::simulator::day::Day;

/// The load balancer.
pub const BALANCER: &str = "77d3ba06-7d3f-4d4b-9b0d-1f4f7e5a6c11";
/// The database of MRG.
pub const MRG: &str = "3c8cc15614ab46f5b8743317555e0de2in03";
/// The databases of UPG, the Orchestrator and Head Office.
pub const OTHERS: [&str; 3] = [
    "8d5e0f5ad1c84a0cb1d9d2b2f3a4c5e6in03",
    "1f0a9b7c6d5e4f3a2b1c0d9e8f7a6b5cin03",
    "aa41c3f0b2d94e0f9c8b7a6d5e4f3c2bin03",
];
/// Hosts that MRG runs on.
pub const HOSTS: [&str; 3] = [
    "2f6b0d0e-9a41-4c7e-8c5f-1b2a3c4d5e6f",
    "5b1d7c3a-0e4f-4d2b-9a8c-7e6f5d4c3b2a",
    "c0ffee11-2233-4455-8677-8899aabbccdd",
];
/// Redis.
pub const REDIS: &str = "e6a1f2b3-c4d5-4e6f-8a9b-0c1d2e3f4a5b";
/// Kafka.
pub const KAFKA: &str = "d41d8cd9-8f00-4204-a980-0998ecf8427e";
/// The NAT gateway.
pub const NAT: &str = "a78839c0-1f6b-4d0b-9c4a-2d3e4f5a6b7c";
/// The group of hosts that grows and shrinks.
pub const SCALING: &str = "bf5c8d1e-7a6b-4c3d-9e2f-1a0b9c8d7e6f";
/// The gateway.
pub const GATEWAY: &str = "9b2e4c6a-8d0f-4b1c-a3e5-f70921b3d5e7";
/// The public address.
pub const ADDRESS: &str = "44c1e8a0-6b2d-4f9e-8c7a-5d3b1f0e9a8c";

/// A resource: its namespace, its dimensions, what is measured of it, and how often.
type Resource<'r> = (&'r str, Vec<(&'r str, &'r str)>, &'r [Row], Lapse);

/// Everything that is measured.
pub fn all(day: &Day, moods: &[(Stamp, Mood<'_>)], rng: &mut fastrand::Rng) -> Vec<Metric> {
    let (minute, five) = (Lapse::minutes(1), Lapse::minutes(5));
    let mut resources: Vec<Resource<'_>> = vec![
        ("SYS.ELB", vec![("lbaas_instance_id", BALANCER)], rows::ELB, minute),
        ("SYS.RDS", vec![("postgresql_cluster_id", MRG)], rows::SUFFERING, minute),
        ("SYS.DCS", vec![("dcs_instance_id", REDIS)], rows::REDIS, minute),
        ("SYS.DMS", vec![("kafka_instance_id", KAFKA)], rows::KAFKA, minute),
        ("SYS.DMS", vec![("kafka_instance_id", KAFKA), ("kafka_groups", "ho-callbacks")], rows::CONSUMER, minute),
        ("SYS.DMS", vec![("kafka_instance_id", KAFKA), ("kafka_broker", "broker-0")], rows::BROKER, minute),
        ("SYS.DMS", vec![("kafka_instance_id", KAFKA), ("kafka_broker", "broker-1")], rows::BROKER, minute),
        ("SYS.NAT", vec![("nat_gateway_id", NAT)], rows::NAT, minute),
        ("SYS.AS", vec![("AutoScalingGroup", SCALING)], rows::SCALING, five),
        ("SYS.APIC", vec![("instance_id", GATEWAY)], rows::GATEWAY, minute),
        ("SYS.VPC", vec![("publicip_id", ADDRESS)], rows::ADDRESS, minute),
    ];
    resources.extend(OTHERS.map(|id| ("SYS.RDS", vec![("postgresql_cluster_id", id)], rows::HEALTHY, minute)));
    resources.extend(HOSTS.map(|id| ("SYS.ECS", vec![("instance_id", id)], rows::ECS, five)));
    resources.extend(HOSTS.map(|id| ("AGT.ECS", vec![("instance_id", id)], rows::AGENT, minute)));
    let mut out = Vec::new();
    for (namespace, dimensions, rows, every) in resources {
        // All metrics of a resource are taken together.
        let phase = Lapse::millis(rng.i64(4_000..48_000));
        for row in rows {
            let points = points(row, moods, every, phase, rng);
            out.push(Metric::new(namespace, row.name, &dimensions, row.unit).with_points(points));
        }
    }
    if let Some(lost) = day.scenario.observed.metrics_lost {
        for metric in &mut out {
            metric.points.retain(|(at, _)| !lost.contains(*at));
        }
    }
    out
}

/// The points of one metric: some seconds off, with some noise, and one in 250 missing.
fn points(
    row: &Row,
    moods: &[(Stamp, Mood<'_>)],
    every: Lapse,
    phase: Lapse,
    rng: &mut fastrand::Rng,
) -> Vec<(Stamp, f64)> {
    let mut out = Vec::with_capacity(moods.len());
    for (at, mood) in moods.iter().filter(|(at, _)| at.0 % every.0 == 0) {
        if rng.u32(0..250) == 0 {
            continue;
        }
        let value = (row.value)(mood);
        let noise = if value.fract() == 0.0 { 0.0 } else { 0.03 * (rng.f64() * 2.0 - 1.0) };
        let value = (value * (1.0 + noise)).clamp(0.0, row.most);
        out.push((*at + phase + Lapse::millis(rng.i64(0..7_000)), (value * 100.0).round() / 100.0));
    }
    out
}
