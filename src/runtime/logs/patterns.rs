//! `logs patterns`: the templates of messages with their counts and what varies in them.

use super::{Reading, grouped, remark_cut, written};
use crate::cli;
use crate::model::privacy::{Privacy, masked};
use crate::model::untrusted::shown;
use crate::runtime::Ending;
use crate::runtime::start::print;
use crate::source::dump::{self, Blocks, Read};
use crate::store::miner::{Gathered, Miner, ShapeId, Slot, Template};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

pub(super) fn run(how: &cli::Patterns) -> Result<Ending, Ending> {
    let mut miner = Miner::default();
    let mut ids: Vec<ShapeId> = Vec::new();
    let mut read = Read::default();
    let messages = how.messages || how.ids.is_some();
    let reading = Reading::of(&how.lines, None)?;
    for file in &how.lines.files {
        read += if how.ids.is_some() {
            every_line(file, |line| ids.push(miner.take(line)))
        } else {
            let each = |line: &[u8]| {
                if messages {
                    miner.take(line);
                } else if !line.is_empty() {
                    miner.take(reading.glancer.whole(line, reading.near).message.raw().as_bytes());
                }
                true
            };
            dump::search(file, &reading.ask, &reading.glancer, reading.near, each, || true)
        }
        .map_err(Ending::Failed)?;
    }
    remark_cut(read);
    let all = miner.gather();
    if let Some(path) = &how.ids {
        write(path, &ids, &all).map_err(|e| Ending::Failed(format!("{} cannot be written: {e}", path.display())))?;
    }
    let mut order: Vec<(usize, &Template)> = all.templates.iter().enumerate().filter(|(_, t)| t.lines > 0).collect();
    order.sort_by(|a, b| b.1.lines.cmp(&a.1.lines).then_with(|| a.1.text.cmp(&b.1.text)));
    if how.json {
        let list: Vec<Value> = order.iter().map(|(id, t)| object(*id, t)).collect();
        return Ok(print(&format!("{:#}\n", Value::Array(list))));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(table(&order).as_bytes()).map(|()| Ending::Well).map_err(|e| written(&e))
}

/// Every line, empty ones too: their numbers must stand beside them.
fn every_line(file: &Path, mut each: impl FnMut(&[u8])) -> Result<Read, String> {
    let mut blocks = Blocks::new(dump::open(file)?);
    while let Some(block) = blocks.next().map_err(|e| format!("{} cannot be read on: {e}", dump::name(file)))? {
        for line in dump::lines(block) {
            each(line);
        }
    }
    Ok(blocks.read())
}

fn write(path: &Path, ids: &[ShapeId], all: &Gathered) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for shape in ids {
        writeln!(out, "{}", all.of(*shape).unwrap_or_default())?;
    }
    out.flush()
}

fn table(order: &[(usize, &Template)]) -> String {
    let total: u64 = order.iter().map(|(_, t)| t.lines).sum();
    let mut out = format!("{} lines, {} patterns\n\n", grouped(total), grouped(order.len() as u64));
    let _ = writeln!(out, "{:>11} {:>6}  pattern, and the values of its places", "lines", "share");
    for (_, template) in order {
        let share = template.lines as f64 / total.max(1) as f64 * 100.0;
        let _ = writeln!(out, "{:>11} {share:>5.1}%  {}", grouped(template.lines), fit(&template.text));
        let values: Vec<String> = template.slots.iter().filter(|s| s.top().len() > 1 || s.more()).map(values).collect();
        if !values.is_empty() {
            let _ = writeln!(out, "{:>21}{}", "", values.join(" | "));
        }
    }
    out
}

/// `<n>: 5 12 …`
fn values(slot: &Slot) -> String {
    let mut out = format!("{}:", slot.kind().name());
    for (value, _) in slot.top().iter().take(3) {
        let _ = write!(out, " {}", fit(value));
    }
    if slot.more() || slot.top().len() > 3 {
        out.push_str(" …");
    }
    out
}

fn object(id: usize, template: &Template) -> Value {
    let slot = |s: &Slot| {
        let top: Vec<Value> = s.top().iter().map(|(v, n)| json!({ "value": fit(v), "lines": n })).collect();
        json!({ "kind": s.kind().name(), "top": top, "more": s.more(), "looked_at": s.seen() })
    };
    json!({
        "id": id,
        "pattern": fit(&template.text),
        "lines": template.lines,
        "slots": template.slots.iter().map(slot).collect::<Vec<_>>(),
    })
}

fn fit(text: &str) -> String {
    masked(&shown(text), Privacy::Masked)
}
