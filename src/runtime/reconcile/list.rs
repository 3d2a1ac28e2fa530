//! The orders of some classes as CSV or JSON, oldest first, one at a time. What is written says as of when it
//! is so and carries a checksum of its lines, so that two people know that they look at the same list.

use crate::analysis::reconcile::flag::{Flag, flags_of};
use crate::analysis::reconcile::worksheet::action_of;
use crate::model::incident::Rules;
use crate::model::order::OrderStatus;
use crate::model::privacy::{Privacy, masked};
use crate::model::untrusted::shown;
use crate::model::{Stamp, Zone};
use crate::runtime::reconcile::engine::Outcome;
use crate::runtime::reconcile::intake::damaged;
use crate::runtime::reconcile::pass::Found;
use crate::spill::Sorted;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, with a header of comments.
    Csv,
    /// One object; an order is a line.
    Json,
}

/// One order of the list, while it waits to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    order_id: String,
    class: String,
    flags: Vec<String>,
    born: Stamp,
    status: Option<String>,
    amount: Option<i64>,
    paid: usize,
    paid_amount: i64,
    recorded: usize,
    recorded_amount: i64,
    upg_refs: Vec<Arc<str>>,
    ho_refs: Vec<Arc<str>>,
    next: String,
    precondition: String,
}

impl Line {
    /// What a list says of an order.
    pub fn of(found: &Found<'_>, rules: &Rules, zone: &Zone) -> Self {
        let Found { id, facts, class, upg_refs, ho_refs } = found;
        let flags = flags_of(facts, rules, zone).beside(*class);
        let action = action_of(facts, *class, rules);
        Self {
            order_id: (*id).to_owned(),
            class: class.key().to_owned(),
            flags: flags.map(|f| Flag::key(f).to_owned()).collect(),
            born: facts.born,
            status: facts.order.map(|o| status(&o.status)),
            amount: facts.order.and_then(|o| o.amount),
            paid: facts.paid,
            paid_amount: facts.paid_amount,
            recorded: facts.recorded,
            recorded_amount: facts.recorded_amount,
            upg_refs: upg_refs.to_vec(),
            ho_refs: ho_refs.to_vec(),
            next: action.key().to_owned(),
            precondition: action.precondition().to_owned(),
        }
    }

    /// As it is written: text that is no identifier is masked, and nothing a terminal would obey is in it.
    fn written(&self, format: Format, zone: &Zone) -> io::Result<String> {
        let status = self.status.as_deref().map(|s| shown(&masked(s, Privacy::Masked)));
        let born = zone.rfc3339(self.born);
        match format {
            Format::Json => {
                let value = serde_json::json!({
                    "order_id": self.order_id, "class": self.class, "flags": self.flags, "born": born,
                    "status": status, "amount": self.amount, "payments": self.paid, "paid_amount": self.paid_amount,
                    "records": self.recorded, "recorded_amount": self.recorded_amount,
                    "upg_refs": self.upg_refs, "ho_refs": self.ho_refs, "next": self.next,
                    "precondition": self.precondition,
                });
                Ok(value.to_string())
            }
            Format::Csv => {
                let joined = |refs: &[Arc<str>]| refs.iter().map(|r| shown(r)).collect::<Vec<_>>().join(" ");
                let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
                out.write_record([
                    &cell(&shown(&self.order_id)),
                    &self.class,
                    &self.flags.join(" "),
                    &born,
                    &cell(&status.unwrap_or_default()),
                    &self.amount.map_or_else(String::new, |a| a.to_string()),
                    &self.paid.to_string(),
                    &self.paid_amount.to_string(),
                    &self.recorded.to_string(),
                    &self.recorded_amount.to_string(),
                    &cell(&joined(&self.upg_refs)),
                    &cell(&joined(&self.ho_refs)),
                    &self.next,
                    &self.precondition,
                ])?;
                let bytes = out.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
                Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
            }
        }
    }
}

/// Columns of the CSV.
const COLUMNS: &str = "order_id,class,flags,born,status,amount,payments,paid_amount,records,recorded_amount,upg_refs,ho_refs,next,precondition";

/// What a spreadsheet would take for a formula is kept from being one.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

fn status(status: &OrderStatus) -> String {
    match status {
        OrderStatus::Created => "created".to_owned(),
        OrderStatus::Active => "active".to_owned(),
        OrderStatus::Complete => "complete".to_owned(),
        OrderStatus::Failed => "failed".to_owned(),
        OrderStatus::Cancelled => "cancelled".to_owned(),
        OrderStatus::Expired => "expired".to_owned(),
        OrderStatus::Other(word) => word.clone(),
    }
}

/// Calls `to` with each line as it is written.
fn each(list: &Sorted, format: Format, zone: &Zone, mut to: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut merge = list.read()?;
    while let Some((_, bytes)) = merge.next()? {
        let line: Line = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        to(&line.written(format, zone)?)?;
    }
    Ok(())
}

/// Writes the list: once over it for the checksum, once to write it.
pub fn write(out: &mut impl Write, outcome: &Outcome, format: Format, zone: &Zone) -> io::Result<()> {
    let Some(list) = &outcome.list else { return Ok(()) };
    let mut hash = Sha256::new();
    each(list, format, zone, |line| {
        hash.update(line.as_bytes());
        hash.update(b"\n");
        Ok(())
    })?;
    let sha256 = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let asof = outcome.asof.map_or_else(|| "never".to_owned(), |t| zone.rfc3339(t));
    let (from, to) = (zone.rfc3339(outcome.window.from), zone.rfc3339(outcome.window.to));
    match format {
        Format::Csv => {
            writeln!(out, "# warroom orders, born from {from} to {to}")?;
            writeln!(out, "# as of {asof}; {} orders", list.records())?;
            writeln!(out, "# sha256 {sha256} of the lines below the column names")?;
            writeln!(out, "{COLUMNS}")?;
            each(list, format, zone, |line| writeln!(out, "{line}"))
        }
        Format::Json => {
            let text = |s: &str| serde_json::Value::from(s).to_string();
            writeln!(out, "{{\"asof\":{},", outcome.asof.map_or_else(|| "null".to_owned(), |_| text(&asof)))?;
            writeln!(out, "\"window\":{{\"from\":{},\"to\":{}}},", text(&from), text(&to))?;
            writeln!(out, "\"sha256\":{},\"count\":{},\"orders\":[", text(&sha256), list.records())?;
            let mut left = list.records();
            each(list, format, zone, |line| {
                left -= 1;
                writeln!(out, "{line}{}", if left > 0 { "," } else { "" })
            })?;
            writeln!(out, "]}}")
        }
    }
}
