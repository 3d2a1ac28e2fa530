//! From arguments to a running program: each command put together from its parts.

use crate::analysis::check::rulebook::Rulebook;
use crate::app::help::{KeyRow, key_table};
use crate::app::keymap::Keymap;
use crate::app::message::{Message, People};
use crate::app::state::{App, Mode, Start};
use crate::cli::{Account, Arguments, Command, Demo, Export, Logs, Options};
use crate::config::Config;
use crate::model::recording::RecorderState;
use crate::model::{Batch, Lapse, Stamp};
use crate::recording::Reader;
use crate::recording::reader::Opening;
use crate::runtime::demo::databases;
use crate::runtime::demo::wiring::{Evening, Wiring};
use crate::runtime::earlier::Earlier;
use crate::runtime::effects::{Hands, now, record_people};
use crate::runtime::folders::Folders;
use crate::runtime::live::{self, Keep, Live, Tally};
use crate::runtime::signals::{Asked, Signals};
use crate::runtime::stage::Stage;
use crate::runtime::{
    Ending, account, analyze, checkup, demo, feed, logfile, logs, reconcile, report, rules, sheet, simulate, tools,
};
use crate::simulator;
use crate::simulator::cloud::Watch;
use crate::simulator::day::Day;
use crate::simulator::scenario::{self, Scenario};
use crate::source::replay::Command as Steer;
use crate::terminal::caps::{Caps, Surroundings, Wishes, decide};
use crate::terminal::screen::Screen;
use clap::CommandFactory as _;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Threads for sources and the rest; the loop has the main one.
const WORKERS: usize = 2;

/// Runs a command to its end.
pub fn run(arguments: Arguments) -> Ending {
    let Arguments { options, command } = arguments;
    match command.unwrap_or(Command::Run) {
        Command::Keys => print(&keys()),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "warroom", &mut out);
            print(&String::from_utf8_lossy(&out))
        }
        Command::Rules(how) => rules::run(&options, &how),
        Command::Man => man(),
        Command::Analyze(how) => analyze::run(&how),
        Command::Logs { what: Logs::Server(how) } => with_runtime(async move { logs::server(&options, &how).await }),
        Command::Logs { what } => logs::run(&what),
        Command::Simulate(how) => with_runtime(async move { simulate::run(&how).await }),
        Command::Run => screen(options, Setting::watch),
        Command::Demo(how) => demo_command(options, how),
        Command::Replay { dir, pace, at } => screen(options, move |s| s.replay(&dir, pace, at.as_deref())),
        Command::Report { dir, at, wait, format, to, worksheet } => {
            let how = report::How { at, form: format, to, worksheet };
            match dir {
                Some(dir) => report::run(&dir, &how),
                None => with_log(|_| with_runtime(async { report::run_live(&options, wait, &how).await })),
            }
        }
        Command::Export { what: Export::Runbook { dir: Some(dir), to, .. } } => report::export(&dir, &to),
        Command::Export { what: Export::Runbook { dir: None, to, wait } } => {
            with_log(|_| with_runtime(async { report::export_live(&options, wait, &to).await }))
        }
        Command::Record => with_runtime(async move { record(&options).await }),
        Command::Huawei { what: Account::Metrics { namespace, json } } => {
            with_runtime(async move { account::metrics(&options, namespace.as_deref(), json).await })
        }
        Command::Reconcile(how) => with_runtime(async move { reconcile::run(&options, &how).await }),
        Command::Orders(how) => with_runtime(async move { reconcile::orders(&options, &how).await }),
        Command::Mcp { what } => with_log(|folders| with_runtime(async { tools::run(&options, folders, &what).await })),
        Command::Check { json } => with_runtime(async move { checkup::run(&options, json).await }),
    }
}

/// `demo`: the list of scenarios, or one of them on the screen.
fn demo_command(options: Options, how: Demo) -> Ending {
    if how.list {
        return print(&scenarios());
    }
    let mut how = how;
    let drawn = how.drill && how.scenario.is_none();
    if drawn && how.seed == demo::SEED {
        how.seed = now().0.unsigned_abs() / 1_000 % 1_000_000;
    }
    let name = match (&how.scenario, drawn) {
        (Some(name), _) => name.as_str(),
        (None, true) => sheet::drawn(how.seed),
        (None, false) => scenario::DEFAULT,
    };
    match scenario::named(name) {
        Ok(scenario) => screen(options, move |s| s.demo(&how, scenario)),
        Err(says) => Ending::Refused(says),
    }
}

/// The sheet of a game day, after the terminal has been given back.
fn judged(ending: Ending, app: &App, day: &Day, took: Lapse) -> Ending {
    match sheet::sheet(app, day, took) {
        Ok(text) => match print(&text) {
            Ending::Well => ending,
            failed => failed,
        },
        Err(says) => Ending::Failed(says),
    }
}

/// Every scenario with what happens in it.
fn scenarios() -> String {
    let width = scenario::list().iter().map(|n| n.len()).max().unwrap_or(0);
    let mut out = String::new();
    for name in scenario::list() {
        let about = scenario::named(name).map_or_else(|e| e, |s| s.about);
        let _ = writeln!(out, "{name:<width$}  {about}");
    }
    out
}

/// Writes to standard output.
pub fn print(text: &str) -> Ending {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ending::Well,
        // `warroom keys | head`: whoever reads has enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ending::Well,
        Err(e) => Ending::Failed(format!("standard output cannot be written ({e})")),
    }
}

/// The key table as people read it: names, keys, what they do.
fn keys() -> String {
    let rows = key_table(&Keymap::default());
    let width = |of: fn(&KeyRow) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (names, keys) = (width(|r| r.name.chars().count()), width(|r| r.keys.chars().count()));
    let mut out = String::new();
    let mut group = "";
    for row in &rows {
        if row.group != group {
            group = row.group;
            let gap = if out.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}{group}");
        }
        let _ = writeln!(out, "  {:<names$}  {:<keys$}  {} ({})", row.name, row.keys, row.does, row.places);
    }
    out
}

fn man() -> Ending {
    let mut out = Vec::new();
    match clap_mangen::Man::new(Arguments::command()).render(&mut out) {
        Ok(()) => print(&String::from_utf8_lossy(&out)),
        Err(e) => Ending::Failed(format!("the man page could not be made ({e})")),
    }
}

fn with_runtime(work: impl Future<Output = Ending>) -> Ending {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(16)
        .thread_name("warroom")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let ending = runtime.block_on(work);
            // A child process or a disk that hangs must not keep the program.
            runtime.shutdown_timeout(std::time::Duration::from_millis(500));
            ending
        }
        Err(e) => Ending::Failed(format!("the system starts no more threads ({e})")),
    }
}

/// Reads the configuration that the options name, or says what to do when there is none.
pub fn configuration(options: &Options, folders: &Folders) -> Result<Config, String> {
    let file = options.config.clone().unwrap_or_else(|| folders.config_file());
    if options.config.is_none() && !file.exists() {
        return Err(format!(
            "there is no configuration at {}\n\
             To look at the bundled incident, which needs none:\n    warroom demo\n\
             To watch your own systems, copy config.example.toml there, name your databases and logs, then:\n    \
             warroom check\n    warroom",
            file.display()
        ));
    }
    let config = crate::config::load::load(&file)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let (_, faults) = Rulebook::of(&config.incident.rule_files);
    if faults.is_empty() {
        return Ok(config);
    }
    Err(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// What every command with a screen begins with.
struct Setting {
    options: Options,
    folders: Folders,
}

fn screen(options: Options, what: impl FnOnce(Setting) -> Result<Ending, Ending>) -> Ending {
    let folders = Folders::of_process();
    let log = logfile::open(&folders);
    let ending = what(Setting { options, folders }).unwrap_or_else(|e| e);
    drop(log);
    ending
}

/// A command without a screen whose doings stand in the program's log.
fn with_log(what: impl FnOnce(&Folders) -> Ending) -> Ending {
    let folders = Folders::of_process();
    let log = logfile::open(&folders);
    let ending = what(&folders);
    drop(log);
    ending
}

/// What a mode brings to the screen.
struct Show {
    mode: Mode,
    pace: f64,
    caps: Caps,
    mouse: bool,
    slow: bool,
    who: String,
    may_write: bool,
    keymap: Keymap,
    note: Option<PathBuf>,
}

impl Setting {
    fn caps(&self, screen: Option<&crate::config::ScreenConfig>) -> Result<Caps, Ending> {
        decide(&Surroundings::of_process(), &wishes(&self.options, screen)).map_err(Ending::Refused)
    }

    fn watch(self) -> Result<Ending, Ending> {
        let config = configuration(&self.options, &self.folders).map_err(Ending::Refused)?;
        let show = Show {
            mode: Mode::Live,
            pace: 1.0,
            caps: self.caps(Some(&config.screen))?,
            mouse: self.options.mouse || config.screen.mouse,
            slow: self.options.slow || config.screen.slow,
            who: who(Some(&config)),
            may_write: !self.options.view && config.incident.note.is_some(),
            keymap: keymap(&config)?,
            note: config.incident.note.clone(),
        };
        let keep = keep(&self.options, &config, &self.folders);
        let Earlier { store, recorded } = Earlier::read(&keep, &config, now());
        let (recorder, state) = live::open_recorder(&keep, &config, now()).map_err(Ending::Refused)?;
        let cancel = CancellationToken::new();
        Ok(with_runtime(async {
            let mut wires = Wires::new();
            let mut opened = match wires.open(show, self.folders) {
                Ok(opened) => opened,
                Err(ending) => return ending,
            };
            if let Some(store) = store {
                opened.stage.app.go_on(store);
            }
            let started = live::start(&config, recorder, &recorded, wires.post.clone(), &cancel).await;
            match started {
                Ok(live) => Box::pin(wires.live(opened, live, state, &cancel)).await,
                Err(says) => Ending::Failed(says),
            }
        }))
    }

    fn demo(self, how: &Demo, scenario: Scenario) -> Result<Ending, Ending> {
        let (pace, drill) = (how.pace, how.drill);
        let made = demo::Made::later(scenario, how.seed);
        let folder = demo::demo_folder().map_err(Ending::Failed)?;
        let own = how.note.as_deref().map(demo::own_note).transpose().map_err(Ending::Refused)?;
        let note = match &how.note {
            Some(path) => path.clone(),
            None => demo::demo_note(folder.path()).map_err(Ending::Failed)?,
        };
        let kept = self.options.record.clone().filter(|_| !self.options.no_record);
        let recorder = match &kept {
            Some(named) => demo::Shared::named(named).map_err(Ending::Refused)?,
            None => demo::Shared::open(&folder.path().join("recording")),
        };
        let recording = kept.clone().unwrap_or_else(|| folder.path().join("recording"));
        let show = self.tape_show(Mode::Demo, pace, Some(note))?;
        Ok(with_runtime(async {
            let mut wires = Wires::new();
            match wires.open(show, self.folders) {
                Ok(opened) => {
                    let evening = Evening { made, head: Watch::at(simulator::START), recorder, to: wires.post.clone() };
                    // What cannot be had over a wire the demo hands over itself.
                    let wiring = Wiring::open(folder.path(), &evening, databases::binaries(how.generated)).await;
                    wiring.ask(&evening);
                    let tape = demo::demo_tape(&evening, &wiring, own);
                    let steer = demo::start(tape, pace, wires.post.clone(), evening.head.clone());
                    let begun = now();
                    // What people do belongs to a recording that somebody asked for.
                    let people = kept.is_some().then(|| evening.people());
                    let taped = wires.taped(opened, steer, recording, RecorderState::default(), people);
                    let (ending, app) = Box::pin(taped).await;
                    wiring.close().await;
                    if let (true, Ending::Well | Ending::Signal(_)) = (drill, &ending) {
                        return judged(ending, &app, &evening.made.day(), now().since(begun));
                    }
                    ending
                }
                Err(ending) => ending,
            }
        }))
    }

    fn replay(self, dir: &Path, pace: f64, at: Option<&str>) -> Result<Ending, Ending> {
        let (reader, _) = Reader::open(dir).map_err(|e| Ending::Refused(e.to_string()))?;
        let opening = reader.opening();
        let at = at.map(|text| begin(&opening, text)).transpose().map_err(Ending::Refused)?;
        let Opening { store, last, .. } = opening;
        let state = RecorderState {
            folder: dir.display().to_string(),
            damage: reader.damage().iter().map(ToString::to_string).collect(),
            ..RecorderState::default()
        };
        let show = self.tape_show(Mode::Replay, pace, None)?;
        Ok(with_runtime(async {
            let mut wires = Wires::new();
            match wires.open(show, self.folders) {
                Ok(mut opened) => {
                    // A recording in which nothing has arrived yet has neither end nor beginning.
                    let end = last.unwrap_or_else(now);
                    let at = at.unwrap_or(end);
                    opened.stage.app.open(store, at, at >= end);
                    let steer = demo::start_whole(at, end, pace, wires.post.clone());
                    Box::pin(wires.taped(opened, steer, dir.to_owned(), state, None)).await.0
                }
                Err(ending) => ending,
            }
        }))
    }

    fn tape_show(&self, mode: Mode, pace: f64, note: Option<PathBuf>) -> Result<Show, Ending> {
        Ok(Show {
            mode,
            pace,
            caps: self.caps(None)?,
            mouse: self.options.mouse,
            slow: self.options.slow,
            who: who(None),
            may_write: !self.options.view && note.is_some(),
            keymap: Keymap::default(),
            note,
        })
    }
}

/// A screen that is open, before its first frame.
struct Opened {
    stage: Stage,
    signals: Signals,
    done: mpsc::Receiver<People>,
}

/// The channels between the loop and everything else.
struct Wires {
    post: mpsc::Sender<Message>,
    inbox: Option<mpsc::Receiver<Message>>,
}

impl Wires {
    fn new() -> Self {
        let (post, inbox) = mpsc::channel(feed::ROOM);
        Self { post, inbox: Some(inbox) }
    }

    /// Opens the screen: nothing that can take time has been waited for yet.
    fn open(&mut self, show: Show, folders: Folders) -> Result<Opened, Ending> {
        let failed = |e: std::io::Error| Ending::Failed(format!("signals cannot be listened to ({e})"));
        let signals = Signals::listen().map_err(failed)?;
        let lost = CancellationToken::new();
        let screen = Screen::open(show.caps, show.mouse, lost.clone()).map_err(Ending::Refused)?;
        let app = App::new(Start {
            mode: show.mode,
            now: now(),
            size: screen.size(),
            who: show.who,
            may_write: show.may_write,
            keymap: show.keymap,
            pace: show.pace,
            mouse: show.mouse,
        });
        let (answer, answers) = mpsc::channel(64);
        let (sequence, sequences) = mpsc::channel(8);
        let (people, done) = mpsc::channel(64);
        let hands = Hands {
            answers: answer,
            sequences: sequence,
            folders,
            sources: None,
            people,
            note: show.note,
            recording: None,
            player: None,
        };
        let Some(inbox) = self.inbox.take() else {
            return Err(Ending::Failed("the screen was opened twice".to_owned()));
        };
        let stage = Stage { app, screen, hands, feed: inbox, answers, sequences, lost, slow: show.slow };
        Ok(Opened { stage, signals, done })
    }

    async fn live(&self, opened: Opened, live: Live, said: RecorderState, cancel: &CancellationToken) -> Ending {
        let Opened { mut stage, signals, done } = opened;
        let Live { sources, enter, folder, recorder } = live;
        tokio::spawn(record_people(done, enter));
        stage.hands.recording = folder;
        stage.hands.answer(Message::Recorder(said));
        stage.hands.sources = Some(sources);
        let (ending, sources, _) = stage.run(signals).await;
        live::end(sources.unwrap_or_default(), recorder, cancel).await;
        ending
    }

    async fn taped(
        &self,
        opened: Opened,
        steer: mpsc::Sender<Steer>,
        recording: PathBuf,
        said: RecorderState,
        people: Option<mpsc::Sender<Batch>>,
    ) -> (Ending, App) {
        let Opened { mut stage, signals, done } = opened;
        // What people do in a replay is shown, and forgotten with it: the recording is somebody's evidence.
        let enter = people.unwrap_or_else(|| {
            let (enter, entered) = mpsc::channel::<Batch>(64);
            feed::unrecorded(entered, self.post.clone());
            enter
        });
        tokio::spawn(record_people(done, enter));
        stage.hands.recording = Some(recording);
        stage.hands.player = Some(steer);
        stage.hands.answer(Message::Recorder(said));
        let (ending, _, app) = stage.run(signals).await;
        (ending, app)
    }
}

/// `record`: everything but the screen.
async fn record(options: &Options) -> Ending {
    let folders = Folders::of_process();
    let _log = logfile::open(&folders);
    let config = match configuration(options, &folders) {
        Ok(config) => config,
        Err(says) => return Ending::Refused(says),
    };
    if options.no_record {
        return Ending::Refused("record --no-record would do nothing: leave one of them out".to_owned());
    }
    let keep = match keep(options, &config, &folders) {
        Keep::Below(parent) => Keep::Named(parent.join(live::folder_name(now()))),
        keep => keep,
    };
    let Earlier { recorded, .. } = Earlier::read(&keep, &config, now());
    let (recorder, _) = match live::open_recorder(&keep, &config, now()) {
        Ok(opened) => opened,
        Err(says) => return Ending::Refused(says),
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(e) => return Ending::Failed(format!("signals cannot be listened to ({e})")),
    };
    let cancel = CancellationToken::new();
    let (post, mut inbox) = mpsc::channel(feed::ROOM);
    let live = match live::start(&config, recorder, &recorded, post, &cancel).await {
        Ok(live) => live,
        Err(says) => return Ending::Failed(says),
    };
    let Live { sources, enter, folder, recorder } = live;
    drop(enter);
    let zone = &config.incident.zone;
    say(&format!("recording into {}; Ctrl-C or SIGTERM ends it", folder.unwrap_or_default().display()));
    let mut tally = Tally::default();
    let mut status = tokio::time::interval(live::STATUS);
    let ending = loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Terminate | Asked::Interrupt => break Ending::Well,
                Asked::HangUp => break Ending::Signal(asked.exit_code()),
                Asked::Stop | Asked::Continue => {}
            },
            Some(message) = inbox.recv() => tally.count(&message),
            _ = status.tick() => say(&tally.line(now(), zone)),
        }
    };
    // What is still on its way has to be taken, or the recorder would wait for it.
    let drain = tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    live::end(sources, recorder, &cancel).await;
    drain.abort();
    ending
}

/// A line on standard error, where a closed one is nobody's problem.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn wishes(options: &Options, screen: Option<&crate::config::ScreenConfig>) -> Wishes {
    let auto = || "auto".to_owned();
    Wishes {
        colors: options.colors.clone().or_else(|| screen.map(|s| s.colors.clone())).unwrap_or_else(auto),
        glyphs: options.glyphs.clone().or_else(|| screen.map(|s| s.glyphs.clone())).unwrap_or_else(auto),
        slow: options.slow || screen.is_some_and(|s| s.slow),
    }
}

/// The terminal's part of a check, and what every screen command decides first.
pub fn caps(options: &Options, config: Option<&Config>) -> Result<Caps, String> {
    decide(&Surroundings::of_process(), &wishes(options, config.map(|c| &c.screen)))
}

fn keymap(config: &Config) -> Result<Keymap, Ending> {
    Keymap::new(&config.keys).map_err(|says| {
        let file = config.file.display();
        Ending::Refused(says.iter().map(|s| format!("{file}: keys: {s}")).collect::<Vec<_>>().join("\n"))
    })
}

fn keep(options: &Options, config: &Config, folders: &Folders) -> Keep {
    match (&options.record, options.no_record) {
        (Some(folder), _) => Keep::Named(folder.clone()),
        (None, true) => Keep::Nothing,
        (None, false) => Keep::Below(live::parent(config, &folders.recordings())),
    }
}

fn who(config: Option<&Config>) -> String {
    let login = || ["USER", "LOGNAME"].iter().find_map(|n| std::env::var(n).ok()).filter(|n| !n.is_empty());
    config.and_then(|c| c.screen.who.clone()).or_else(login).unwrap_or_else(|| "somebody".to_owned())
}

/// The instant that `--at` means.
pub fn begin(opening: &Opening, text: &str) -> Result<Stamp, String> {
    let zone = &opening.store.incident.zone;
    let (Some(first), Some(last)) = (opening.first, opening.last) else {
        return Err(format!("--at {text} is not in the recording: nothing has been recorded yet"));
    };
    let at = Stamp::parse_rfc3339(text).or_else(|| zone.on_day(first, text)).ok_or_else(|| {
        format!("--at {text} is no time: write 19:24 (in {}) or 2025-01-12T19:24:00+07:00", zone.name)
    })?;
    // Minutes are typed: the one in which the recording begins counts as its beginning.
    if at > last || at < first.floor(Lapse::minutes(1), zone) {
        let (first, last) = (zone.rfc3339(first), zone.rfc3339(last));
        return Err(format!("--at {text} is not in the recording: it goes from {first} to {last}"));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn opening(first: &str, last: &str) -> Opening {
        Opening { store: Store::default(), first: Stamp::parse_rfc3339(first), last: Stamp::parse_rfc3339(last) }
    }

    #[test]
    fn at_is_a_clock_of_the_first_day_or_a_whole_time_and_must_be_recorded() {
        let evening = opening("2025-01-12T19:12:30+07:00", "2025-01-13T00:30:00+07:00");
        let half_past = Stamp::parse_rfc3339("2025-01-12T19:30:00+07:00").unwrap();
        assert_eq!(begin(&evening, "19:30"), Ok(half_past));
        assert_eq!(begin(&evening, "2025-01-12T12:30:00Z"), Ok(half_past));
        assert!(begin(&evening, "2025-01-13T00:15:00+07:00").is_ok());
        assert!(begin(&evening, "19:12").is_ok(), "the minute in which it begins");
        for outside in ["19:11", "00:15", "2025-01-13T00:31:00+07:00"] {
            let says = begin(&evening, outside).unwrap_err();
            assert!(says.contains("from 2025-01-12T19:12:30+07:00 to 2025-01-13T00:30:00+07:00"), "{says}");
        }
        assert!(begin(&evening, "seven").unwrap_err().contains("is no time"));
    }

    #[test]
    fn no_instant_is_in_a_recording_without_a_batch() {
        let empty = Opening { store: Store::default(), first: None, last: None };
        assert!(begin(&empty, "19:30").unwrap_err().contains("nothing has been recorded yet"));
    }
}
