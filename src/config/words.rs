//! Words of the configuration that several tables share: units, rollups, sides of normal.

use crate::model::series::{Bad, Rollup, Unit};

/// Units.
pub const UNITS: [(&str, Unit); 9] = [
    ("count", Unit::Count),
    ("users", Unit::Users),
    ("per_second", Unit::PerSecond),
    ("per_minute", Unit::PerMinute),
    ("percent", Unit::Percent),
    ("seconds", Unit::Seconds),
    ("bytes", Unit::Bytes),
    ("bytes_per_second", Unit::BytesPerSecond),
    ("rupiah", Unit::Rupiah),
];
/// How points become a column.
pub const ROLLUPS: [(&str, Rollup); 5] = [
    ("last", Rollup::Last),
    ("max", Rollup::Max),
    ("min", Rollup::Min),
    ("mean", Rollup::Mean),
    ("sum_per_minute", Rollup::SumPerMinute),
];
/// Which side is worrying.
pub const BAD: [(&str, Bad); 3] = [("high", Bad::High), ("low", Bad::Low), ("both", Bad::Both)];
