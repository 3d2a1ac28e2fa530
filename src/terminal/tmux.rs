//! tmux, asked from outside: options that matter and its paste buffer. Every call is a child process with
//! a deadline; nothing here runs on the thread that draws.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// A tmux that does not answer within this is not asked again.
const DEADLINE: Duration = Duration::from_secs(1);

/// An option's value as tmux prints it; none when tmux does not answer or does not know the option.
/// `scope` is what `show-options` takes: `-s` for the server, `-g` for the session defaults.
pub fn option(scope: &str, name: &str) -> Option<String> {
    let text = run(&["show-options", &format!("{scope}qv"), name], None).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a format says of the client that looks at this pane: `#{client_termfeatures}`.
pub fn display(format: &str) -> Option<String> {
    run(&["display-message", "-p", format], None).ok().map(|t| t.trim().to_owned())
}

/// Puts text into a new paste buffer and asks tmux to pass it to its client's clipboard.
pub fn load_buffer(text: &str) -> Result<(), String> {
    run(&["load-buffer", "-w", "-"], Some(text)).map(|_| ())
}

fn run(args: &[&str], input: Option<&str>) -> Result<String, String> {
    run_program("tmux", args, input, DEADLINE)
}

/// Runs a program that shall answer at once. The error is a fragment for a sentence.
pub(crate) fn run_program(
    program: &str,
    args: &[&str],
    input: Option<&str>,
    deadline: Duration,
) -> Result<String, String> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(program)
        .args(args)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("{program} could not be started ({e})"))?;
    let id = child.id();
    let feed = child.stdin.take().zip(input.map(str::to_owned));
    let (tx, rx) = sync_channel(1);
    std::thread::spawn(move || {
        let written = feed.map_or(Ok(()), |(mut pipe, text)| pipe.write_all(text.as_bytes()));
        // A receiver that gave up has already told its story.
        let _ = tx.send((written, child.wait_with_output()));
    });
    match rx.recv_timeout(deadline) {
        Ok((Ok(()), Ok(out))) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok((_, Ok(out))) => Err(format!("{program} failed ({})", out.status)),
        Ok((_, Err(e))) => Err(format!("{program} was lost ({e})")),
        Err(_) => {
            if let Some(pid) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
                // The thread above collects it.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            Err(format!("{program} gave no answer within {} s", deadline.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let says = run_program("sleep", &["600"], None, Duration::from_millis(50)).unwrap_err();
        assert!(says.contains("no answer"), "{says}");
    }

    #[test]
    fn a_program_is_fed_and_read() {
        assert_eq!(run_program("cat", &[], Some("order gantung"), DEADLINE).unwrap(), "order gantung");
    }
}
