//! What a recording that is continued holds already: the screen opens with it, and the sources do not fetch
//! or read again what is there.

use crate::config::Config;
use crate::model::{Fact, SourceName, Span, Stamp};
use crate::recording::Reader;
use crate::runtime::live::Keep;
use crate::source::Recorded;
use crate::source::logs::{self, Known};
use crate::source::{engine, mcp};
use crate::store::Store;

/// What was there before this run.
#[derive(Default)]
pub struct Earlier {
    /// Everything known, when a recording is continued.
    pub store: Option<Store>,
    /// What the sources need not bring again.
    pub recorded: Recorded,
}

impl Earlier {
    /// Reads the recording that is continued. One that begins now has nothing yet; one that is damaged says
    /// so where it is read. Waits for the disk.
    pub fn read(keep: &Keep, config: &Config, now: Stamp) -> Self {
        let Keep::Named(folder) = keep else { return Self::default() };
        if !folder.exists() {
            return Self::default();
        }
        let Ok((reader, _)) = Reader::open(folder) else { return Self::default() };
        let store = reader.overview();
        let mut recorded = Recorded::default();
        let cloud = config.huawei.iter().map(|h| &h.name);
        for name in cloud.chain(config.prometheus.iter().map(|p| &p.name)) {
            let name = SourceName::from(name.as_str());
            let fetched = store.fetched(&name).cloned().collect();
            recorded.fetched.insert(name, fetched);
        }
        for source in &config.logs {
            let since = logs::since(config, source, now);
            let lines = lines(&reader, &source.name, Span::new(since, now.max(since)));
            recorded.lines.insert(source.name.as_str().into(), lines);
        }
        for mcp in config.mcp.iter().filter(|m| m.search.is_some()) {
            let lines = lines(&reader, &mcp.name, Span::new(mcp::since(config, mcp, now), now));
            recorded.lines.insert(mcp.name.as_str().into(), lines);
        }
        for server in &config.log_servers {
            let lines = lines(&reader, &server.name, Span::new(engine::since(config, server, now), now));
            recorded.lines.insert(server.name.as_str().into(), lines);
        }
        Self { store: (store.generation > 0).then_some(store), recorded }
    }
}

fn lines(reader: &Reader, source: &str, span: Span) -> Known {
    let mut known = Known::default();
    for batch in reader.load(span).iter().filter(|b| b.source.as_ref() == source) {
        for fact in &batch.facts {
            if let Fact::Lines(lines) = fact {
                for line in lines {
                    known.add(line);
                }
            }
        }
    }
    known
}
