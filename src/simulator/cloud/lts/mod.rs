//! Log Tank Service: groups, streams, lines by keyword, how many there are over time, and what stands around
//! a line.

pub mod context;
pub mod groups;
pub mod histogram;
pub mod keywords;
pub mod lines;
pub mod query;

use super::reply::{Reply, plain};
use super::world::{LogGroup, LogStream, World};

/// A request that is not what it should be.
fn invalid(says: impl Into<String>) -> Reply {
    plain(400, "LTS.0009", says)
}

/// The group of an id, or what is said about one that is not there.
fn group<'w>(world: &'w World, id: &str) -> Result<&'w LogGroup, Reply> {
    let found = world.groups.iter().find(|g| g.id == id);
    found.ok_or_else(|| plain(400, "LTS.0201", format!("The log group does not exist: {id}")))
}

/// The stream of two ids.
fn stream<'w>(world: &'w World, group_id: &str, id: &str) -> Result<&'w LogStream, Reply> {
    let found = group(world, group_id)?.streams.iter().find(|s| s.id == id);
    found.ok_or_else(|| plain(400, "LTS.0208", format!("The log stream does not exist: {id}")))
}
