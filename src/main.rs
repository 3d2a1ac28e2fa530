//! Thin start: arguments in, exit code out; what went wrong is said after the terminal was given back.

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;
use warroom::cli::Arguments;
use warroom::runtime::{Ending, start};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (panic_report, eyre) = color_eyre::config::HookBuilder::default().into_hooks();
    // Errors here are sentences of ours; eyre's hook only serves what else may use it.
    let _ = eyre.install();
    warroom::terminal::panic::install(Box::new(move |info| panic_report.panic_report(info).to_string()));
    // One TLS provider for everything; a second installation would only repeat the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ending = start::run(arguments);
    match &ending {
        Ending::Failed(says) | Ending::Refused(says) => {
            let _ = writeln!(std::io::stderr(), "warroom: {says}");
        }
        Ending::Well | Ending::Signal(_) | Ending::Unwell => {}
    }
    ending.exit_code()
}
