//! `analyze --bench`: answers for every case of a public labelled data set, in the form its scorer reads.
//!
//! Each set has its own folders and names; what is asked of the analysis is the same as of any other file,
//! with the same settings. Labels are never read.

mod incidents;
mod runs;

use super::Answer;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The answers for `set` in `dir`.
pub fn run(set: &str, dir: &Path, late: usize) -> Result<Answer, String> {
    let answers: Map<String, Value> = match set {
        "nab" => runs::nab(dir)?,
        "skab" => runs::skab(dir)?,
        "sockshop" => incidents::sockshop(dir, late)?,
        "petshop" => incidents::petshop(dir)?,
        "rs" => incidents::rs(dir)?,
        _ => return Err(format!("--bench {set} is not known: name nab, skab, sockshop, petshop or rs")),
    };
    if answers.is_empty() {
        return Err(format!("{} holds no case of {set}: name the folder its cases are in", dir.display()));
    }
    Ok(Answer::found(Value::Object(answers)))
}

/// What a folder holds, by name; nothing when it is none.
fn inside(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

/// The name of a file or folder.
fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Every `.csv` file two folders deep, with `folder/file` as its case.
fn files(dir: &Path) -> Vec<(String, PathBuf)> {
    let csv = |p: &PathBuf| p.extension().is_some_and(|e| e == "csv");
    let of = |folder: PathBuf| {
        let parent = name(&folder);
        inside(&folder).into_iter().filter(csv).map(move |f| (format!("{parent}/{}", name(&f)), f))
    };
    inside(dir).into_iter().flat_map(of).collect()
}
