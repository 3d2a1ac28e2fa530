//! What `warroom check` learns of the sources: each reached once, each answer a line with its remedy.
//!
//! Asks and says; changes nothing there. May not know: how the lines are shown.

use crate::config::Config;
use crate::config::log_server::Kind;
use crate::config::prometheus::Server;
use crate::model::Untrusted;
use crate::source::{engine, huawei, logs, mcp, orders, postgres, prometheus};
use serde::Serialize;

/// Whether something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ok {
    /// It does.
    Yes,
    /// It does in part.
    Partly,
    /// It does not.
    No,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckLine {
    /// The source's name in the configuration.
    pub source: String,
    /// What was tried: `connection`, `statistics`, `query payments`.
    pub what: String,
    /// Whether it works.
    pub ok: Ok,
    /// What was found, in a sentence.
    pub says: Untrusted,
    /// What a person can do, exactly; empty when nothing is needed.
    pub remedy: Untrusted,
}

impl CheckLine {
    /// A line that needs no remedy.
    pub fn yes(source: &str, what: impl Into<String>, says: impl Into<Untrusted>) -> Self {
        Self {
            source: source.to_owned(),
            what: what.into(),
            ok: Ok::Yes,
            says: says.into(),
            remedy: Untrusted::default(),
        }
    }
    /// A line with a remedy.
    pub fn not(
        source: &str,
        what: impl Into<String>,
        ok: Ok,
        says: impl Into<Untrusted>,
        remedy: impl Into<Untrusted>,
    ) -> Self {
        Self { source: source.to_owned(), what: what.into(), ok, says: says.into(), remedy: remedy.into() }
    }
}

/// Reaches every source once, all at the same time, and gives the lines in the order of the configuration.
pub async fn check(config: &Config) -> Vec<CheckLine> {
    // One client for all that asks the cloud: with a wrong key the first refusal is the only one.
    let client = config.huawei.as_ref().map(huawei::Client::new);
    let cloud = async {
        match &client {
            Some(client) => {
                let aom = config.prometheus.iter().any(|p| p.server == Server::Aom);
                let lts = config.log_servers.iter().any(|l| matches!(l.kind, Kind::Lts { .. }));
                huawei::check::lines(client, aom || lts).await
            }
            None => Vec::new(),
        }
    };
    let (databases, metrics) = (postgres::check(config), prometheus::check(config, client.as_ref()));
    let engines = engine::check(config, client.as_ref());
    let (mut lines, cloud, servers, tools, engines) =
        futures_util::future::join5(databases, cloud, metrics, mcp::check(config), engines).await;
    lines.extend(cloud);
    lines.extend(servers);
    lines.extend(config.queries.iter().filter_map(orders::check_files));
    lines.extend(config.logs.iter().flat_map(logs::check));
    lines.extend(tools);
    lines.extend(engines);
    lines
}
