//! `huawei metrics`: what the account has, as a piece of configuration to paste, or as JSON for machines.

use crate::cli::Options;
use crate::runtime::folders::Folders;
use crate::runtime::{Ending, start};
use crate::source::huawei::{Client, discover};
use std::io::Write as _;

/// Lists and prints.
pub async fn metrics(options: &Options, namespace: Option<&str>, json: bool) -> Ending {
    let config = match start::configuration(options, &Folders::of_process()) {
        Ok(config) => config,
        Err(says) => return Ending::Refused(says),
    };
    let Some(block) = &config.huawei else {
        return Ending::Refused(format!(
            "{} has no [huawei]: write one with region and credentials, as config.example.toml shows",
            config.file.display()
        ));
    };
    let resources = match discover::resources(&Client::new(block), namespace).await {
        Ok(resources) => resources,
        Err(trouble) => {
            let condition = trouble.condition();
            let [says, remedy] = [&condition.says, &condition.remedy].map(|t| crate::model::untrusted::shown(t.raw()));
            return Ending::Failed(if remedy.is_empty() { says } else { format!("{says}\n  → {remedy}") });
        }
    };
    let text = if json {
        let mut text = serde_json::to_string_pretty(&resources).unwrap_or_else(|e| format!("{{\"error\": \"{e}\"}}"));
        text.push('\n');
        text
    } else {
        discover::as_toml(&block.region, &resources)
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ending::Well,
        // `warroom huawei metrics | head`: whoever reads has enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ending::Well,
        Err(e) => Ending::Failed(format!("standard output cannot be written ({e})")),
    }
}
