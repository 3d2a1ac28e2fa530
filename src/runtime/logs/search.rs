//! `logs search`: lines as they are found.

use super::{Reading, remark_cut, written};
use crate::cli;
use crate::model::privacy::{Privacy, masked};
use crate::model::untrusted::shown;
use crate::runtime::Ending;
use crate::source::dump::{self, Read};
use crate::source::logs::secrets::Secrets;
use serde_json::json;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

pub(super) fn run(how: &cli::Search) -> Result<Ending, Ending> {
    let reading = Reading::of(&how.lines, Some(&how.pattern))?;
    let secrets = Secrets::new().map_err(|e| Ending::Failed(format!("a built-in pattern does not compile: {e}")))?;
    let out = RefCell::new(BufWriter::with_capacity(64 * 1024, io::stdout().lock()));
    let trouble: RefCell<Option<io::Error>> = RefCell::new(None);
    let mut found = 0_u64;
    let mut read = Read::default();
    let several = how.lines.files.len() > 1;
    for file in &how.lines.files {
        let name = shown(&dump::name(file));
        let prefix = if several && !how.raw { format!("{name}: ") } else { String::new() };
        let each = |line: &[u8]| {
            found += 1;
            let mut out = out.borrow_mut();
            let wrote = if how.count {
                Ok(())
            } else if how.raw {
                out.write_all(line).and_then(|()| out.write_all(b"\n"))
            } else if how.json {
                writeln!(out, "{}", object(line, file, &reading))
            } else {
                let text = String::from_utf8_lossy(line);
                writeln!(out, "{prefix}{}", fit(&secrets.out_of(&text)))
            };
            let well = wrote.map_err(|e| *trouble.borrow_mut() = Some(e)).is_ok();
            well && how.limit.is_none_or(|most| found < most)
        };
        // What was found so far is shown at the end of each block, not when a buffer happens to be full.
        let block = || out.borrow_mut().flush().map_err(|e| *trouble.borrow_mut() = Some(e)).is_ok();
        let done = dump::search(Path::new(file), &reading.ask, &reading.glancer, reading.near, each, block);
        if let Some(e) = trouble.borrow_mut().take() {
            return Ok(written(&e));
        }
        read += done.map_err(Ending::Failed)?;
        if how.limit.is_some_and(|most| found >= most) {
            break;
        }
    }
    if how.count {
        writeln!(out.borrow_mut(), "{found}").map_err(|e| written(&e))?;
    }
    out.borrow_mut().flush().map_err(|e| written(&e))?;
    remark_cut(read);
    Ok(if found > 0 { Ending::Well } else { Ending::Unwell })
}

/// Fit for a terminal and for others' eyes.
fn fit(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|b| (b' '..0x7f).contains(&b));
    let text = if plain { Cow::Borrowed(text) } else { Cow::Owned(shown(text)) };
    Cow::Owned(masked(&text, Privacy::Masked))
}

fn object(line: &[u8], file: &Path, reading: &Reading) -> String {
    let said = reading.glancer.whole(line, reading.near);
    let stack: Vec<String> = said.stack.iter().map(|s| fit(s.raw()).into_owned()).collect();
    let mut all = json!({
        "file": file.display().to_string(),
        "time": said.at.map(|at| reading.zone.format(at, "%Y-%m-%dT%H:%M:%S%.f%:z")),
        "level": said.level,
        "service": said.service,
        "order": said.order,
        "trace": said.trace,
        "message": fit(said.message.raw()),
    });
    if !stack.is_empty() {
        all["stack"] = stack.into();
    }
    all.to_string()
}
