//! How the demo's private servers are asked: a configuration as a user writes it, with their addresses in it.

use super::house::House;
use crate::config::{Config, Secret, load};
use crate::model::order::Role;
use crate::model::{Lapse, Span};
use crate::simulator::scenario::Scenario;
use crate::simulator::{END, START};
use std::path::Path;

/// The configuration; an address in it is `URL:` and the name of the system.
const TEXT: &str = include_str!("../../../../assets/demo/databases.toml");
/// The servers are looked at this often, in our own time: at the usual pace, four times in a minute of the evening.
pub const LOOK: Lapse = Lapse::millis(250);
/// And their tables are asked this often.
const ASK: Lapse = Lapse::seconds(1);

/// The configuration for these servers.
pub fn config(houses: &[House], scenario: &Scenario) -> Result<Config, String> {
    let mut config = load::parse(Path::new("databases.toml"), TEXT)
        .0
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    config.incident.window = Some(Span::new(START, END));
    for db in &mut config.databases {
        let house = houses.iter().find(|h| h.system == db.name);
        let house = house.ok_or_else(|| format!("there is no server for {}", db.name))?;
        db.url = Secret::Plain(house.url().into());
        // Our own server may be busy with our own scenery, but it is never far away.
        (db.interval, db.connect_timeout, db.statement_timeout) = (LOOK, Lapse::seconds(10), Lapse::seconds(10));
    }
    // Attempts to tell somebody that nobody keeps are not in a table that is empty; there is none to be asked.
    config.queries.retain(|q| q.role != Role::Callbacks || scenario.observed.callbacks_kept);
    for query in &mut config.queries {
        query.interval = ASK;
    }
    Ok(config)
}
