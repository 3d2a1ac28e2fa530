//! `logs server`: a log server asked from a shell: its own counts by the minute, and the first lines, masked.
//!
//! What it has is asked for when somebody wants to see it. May not know: how a question is put on the wire.

use crate::cli::{AskServer, Options};
use crate::config::log_server::{Kind, LogServerConfig};
use crate::model::health::Cost;
use crate::model::log::LogLine;
use crate::model::privacy::{Privacy, masked};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Span, Zone};
use crate::runtime::effects::now;
use crate::runtime::folders::Folders;
use crate::runtime::start::{configuration, print};
use crate::runtime::{Ending, reconcile};
use crate::source::clock::Clock;
use crate::source::engine::{Ask, Counts, LogEngine, No, api, elastic, loki, lts, past};
use crate::source::huawei::Client;
use crate::source::runner::Condition;
use std::fmt::Write as _;

/// Cells of the longest bar.
const BAR: u64 = 40;
/// Without a stretch and without a window: so long until now.
const RECENT: Lapse = Lapse::minutes(15);
/// Lines on either side of one.
const AROUND: u32 = 10;

/// Runs it.
pub async fn run(options: &Options, how: &AskServer) -> Ending {
    let config = match configuration(options, &Folders::of_process()) {
        Ok(config) => config,
        Err(says) => return Ending::Refused(says),
    };
    let Some(server) = config.log_servers.iter().find(|l| l.name == how.name) else {
        let there: Vec<&str> = config.log_servers.iter().map(|l| l.name.as_str()).collect();
        let there =
            if there.is_empty() { "there is none".to_owned() } else { format!("there are: {}", there.join(", ")) };
        let name = shown(&how.name);
        return Ending::Refused(format!("{} has no [[log_server]] named \"{name}\"; {there}", config.file.display()));
    };
    let now = now();
    let recent = how.stretch.from.is_none() && how.stretch.to.is_none() && config.incident.window.is_none();
    let span = match reconcile::window(&config, &how.stretch, now) {
        Ok(_) if recent => Span::new(now - RECENT, now),
        Ok(span) => span,
        Err(says) => return Ending::Refused(says),
    };
    let server = how.filter.as_deref().map_or_else(|| server.clone(), |f| server.narrowed(f));
    let cloud = config.huawei.as_ref().map(Client::new);
    let asked = Asked { server: &server, span, lines: how.lines, zone: &config.incident.zone };
    let clock = Clock::wall();
    if let Some(number) = &how.around {
        return match lts::Lts::new(&server, cloud.as_ref()) {
            Ok(lts) => asked.around(&lts, number).await,
            Err(condition) => failed(&condition),
        };
    }
    match &server.kind {
        Kind::Lts { .. } => asked.of(lts::Lts::new(&server, cloud.as_ref())).await,
        Kind::Loki { .. } => asked.of(loki::Loki::new(&server, &clock)).await,
        Kind::Elastic { .. } => asked.of(elastic::Elastic::new(&server, &clock)).await,
        Kind::Http { .. } => asked.of(api::Api::new(&server, &clock)).await,
    }
}

fn failed(condition: &Condition) -> Ending {
    let (says, remedy) = (shown(condition.says.raw()), shown(condition.remedy.raw()));
    Ending::Failed(if remedy.is_empty() { says } else { format!("{says}\n  → {remedy}") })
}

struct Asked<'a> {
    server: &'a LogServerConfig,
    span: Span,
    lines: u32,
    zone: &'a Zone,
}

impl Asked<'_> {
    async fn of<E: LogEngine>(&self, engine: Result<E, Condition>) -> Ending {
        let engine = match engine {
            Ok(engine) => engine,
            Err(condition) => return failed(&condition),
        };
        match self.answer(&engine).await {
            Ok(text) => print(&text),
            Err(no) => failed(&no.condition()),
        }
    }

    async fn answer<E: LogEngine>(&self, engine: &E) -> Result<String, No> {
        let (mut out, mut cost) = (String::new(), Cost::default());
        match self.server.counters.first().filter(|_| engine.counts_itself()) {
            Some(all) => {
                // No bar may stand for a part of its minute.
                let counts = engine.counts(all, past::whole(self.span), &mut cost).await?;
                self.bars(&counts, &mut out);
            }
            None => out.push_str("it counts nothing itself: set [log_server.histogram]\n"),
        }
        if self.lines == 0 {
            return Ok(out);
        }
        let ask = Ask { span: self.span, cursor: None, limit: self.lines, near: now() };
        let page = engine.lines(&ask, &mut cost).await?;
        for (key, line) in &page.lines {
            self.line(line, page.names.get(key), &mut out);
        }
        let more = if page.next.is_some() { ", and there are more" } else { "" };
        let _ = writeln!(out, "{} lines{more}", page.lines.len());
        Ok(out)
    }

    fn bars(&self, counts: &Counts, out: &mut String) {
        let most = counts.windows.iter().map(|(_, n)| *n).max().unwrap_or_default().max(1);
        for (at, n) in &counts.windows {
            let bar = "█".repeat(usize::try_from((n * BAR).div_ceil(most)).unwrap_or_default());
            let line = format!("{}  {n:>8}  {bar}", self.zone.format(*at, "%Y-%m-%d %H:%M"));
            let _ = writeln!(out, "{}", line.trim_end());
        }
        let all: u64 = counts.windows.iter().map(|(_, n)| n).sum();
        let _ = writeln!(out, "{all} lines, {} ({})", counts.how.words(), counts.by);
    }

    async fn around(&self, lts: &lts::Lts, number: &str) -> Ending {
        match lts.around(number, AROUND, now(), &mut Cost::default()).await {
            Ok(around) => {
                let mut out = String::new();
                for (i, line) in around.lines.iter().enumerate() {
                    out.push_str(if i == around.before { "> " } else { "  " });
                    self.line(line, None, &mut out);
                }
                print(&out)
            }
            Err(no) => failed(&no.condition()),
        }
    }

    /// A line for a terminal and for others' eyes; behind it what the engine calls it.
    fn line(&self, line: &LogLine, name: Option<&String>, out: &mut String) {
        let fit = |text: &str| masked(&shown(text), Privacy::Masked);
        let at = self.zone.format(line.at, "%Y-%m-%d %H:%M:%S%.3f");
        let name = name.map_or_else(String::new, |n| format!("  #{}", shown(n)));
        let words = fit(line.message.raw());
        let _ = writeln!(out, "{at} {} {} {words}{name}", line.level.letter(), shown(&line.service));
        for below in &line.stack {
            let _ = writeln!(out, "    {}", fit(below.raw()));
        }
    }
}
