//! The loop on the main thread: one thing happens, the state changes, effects start, a frame is asked for.
//!
//! Keys are drawn at once; facts at most ten times a second; nothing here waits on I/O.

use crate::app::message::{Effect, Message};
use crate::app::state::App;
use crate::app::{hasten, react, settle_piece, unsettled};
use crate::model::Stamp;
use crate::runtime::Ending;
use crate::runtime::effects::{Hands, now};
use crate::runtime::signals::{Asked, Signals};
use crate::source::Sources;
use crate::source::replay::Command;
use crate::terminal::keys::{Input, Keyboard};
use crate::terminal::screen::{Screen, Suspend};
use crate::view::look::Glyphs;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// Facts change the picture at most this often.
const FRAME: Duration = Duration::from_millis(100);
/// The same on a slow link.
const SLOW_FRAME: Duration = Duration::from_secs(1);
/// Messages taken in before the loop looks at keys again.
const GULP: usize = 64;

/// After a key the slow parts of the picture wait this long for the next one.
const AFTER_KEY: Duration = Duration::from_millis(40);

/// When the loop may spend time on what takes long to derive: not right after a key, and not more than a
/// fifth of the time.
#[derive(Default)]
struct Rest {
    until: Option<Instant>,
    spent: Duration,
}

impl Rest {
    fn begin(&mut self, wait: Duration) {
        self.until = Some(Instant::now() + wait);
    }
    fn over(&self, wanted: bool) -> Option<Instant> {
        wanted.then(|| self.until.unwrap_or_else(Instant::now))
    }
    /// Makes one piece; draws when it was the last.
    fn use_it(&mut self, app: &mut App) -> Step {
        let begun = Instant::now();
        let more = settle_piece(app);
        self.spent += begun.elapsed();
        if more {
            return Step::Nothing;
        }
        self.begin((self.spent * 4).max(FRAME));
        self.spent = Duration::ZERO;
        Step::Draw
    }
}

/// Everything the loop owns.
pub struct Stage {
    /// The state.
    pub app: App,
    /// The terminal.
    pub screen: Screen,
    /// What effects can reach.
    pub hands: Hands,
    /// Facts and answers.
    pub feed: mpsc::Receiver<Message>,
    /// Answers of effects: they may not queue behind facts.
    pub answers: mpsc::Receiver<Message>,
    /// Sequences of effects for the terminal.
    pub sequences: mpsc::Receiver<Vec<u8>>,
    /// Cancelled when the terminal is gone.
    pub lost: CancellationToken,
    /// Slow link.
    pub slow: bool,
}

/// What the loop woke up for.
enum Woken {
    Signal(Asked),
    Lost,
    Input(Result<[Option<Input>; 2], String>),
    Answer(Message),
    Sequence(Vec<u8>),
    Facts,
    Tick,
    FrameDue,
    Settle,
}

impl Stage {
    /// Runs until somebody leaves. The terminal is given back before this returns, with the state as it was left.
    pub async fn run(mut self, mut signals: Signals) -> (Ending, Option<Sources>, App) {
        let frame = if self.slow { SLOW_FRAME } else { FRAME };
        let mut keyboard = Keyboard::open();
        let mut gulp = Vec::with_capacity(GULP);
        let mut tick = ticks(now());
        let mut drawn = Instant::now();
        let mut due: Option<Instant> = None;
        let mut rest = Rest::default();
        self.draw();
        let ending = loop {
            let woken = tokio::select! {
                biased;
                asked = signals.next() => Woken::Signal(asked),
                () = self.lost.cancelled() => Woken::Lost,
                inputs = keyboard.next() => Woken::Input(inputs),
                Some(message) = self.answers.recv() => Woken::Answer(message),
                Some(bytes) = self.sequences.recv() => Woken::Sequence(bytes),
                _ = tick.tick() => Woken::Tick,
                () = until(due) => Woken::FrameDue,
                () = until(rest.over(unsettled(&self.app))) => Woken::Settle,
                _ = self.feed.recv_many(&mut gulp, GULP), if !self.feed.is_closed() || !self.feed.is_empty() => Woken::Facts,
            };
            let step = match woken {
                Woken::Signal(asked) => self.signal(asked),
                Woken::Input(Ok(inputs)) => {
                    rest.begin(AFTER_KEY);
                    self.input(inputs)
                }
                Woken::Input(Err(why)) => Step::Leave(self.deaf(&why)),
                Woken::Lost => Step::Leave(self.hung_up()),
                Woken::Answer(message) => self.take(message),
                Woken::Sequence(bytes) => {
                    self.screen.send(&bytes);
                    Step::Nothing
                }
                Woken::Facts => self.facts(&mut gulp),
                Woken::Tick => self.ticked(),
                Woken::FrameDue => Step::Draw,
                Woken::Settle => rest.use_it(&mut self.app),
            };
            match step {
                Step::Leave(ending) => break ending,
                Step::Nothing => {}
                Step::Soon => due = due.or(Some((drawn + frame).max(Instant::now()))),
                Step::Draw => {
                    self.draw();
                    drawn = Instant::now();
                    due = None;
                }
            }
        };
        drop(keyboard);
        self.screen.leave();
        (ending, self.hands.sources.take(), self.app)
    }

    fn draw(&mut self) {
        hasten(&mut self.app);
        self.screen.draw(&self.app);
    }

    /// One message through `react`, and its effects.
    fn take(&mut self, message: Message) -> Step {
        let effects = react(&mut self.app, now(), message);
        self.perform(effects)
    }

    fn facts(&mut self, gulp: &mut Vec<Message>) -> Step {
        for message in gulp.drain(..) {
            if let Step::Leave(ending) = self.take(message) {
                return Step::Leave(ending);
            }
        }
        Step::Soon
    }

    fn ticked(&mut self) -> Step {
        #[cfg(debug_assertions)]
        rehearse();
        if self.screen.gone() {
            return Step::Leave(self.hung_up());
        }
        self.take(Message::Tick)
    }

    fn input(&mut self, inputs: [Option<Input>; 2]) -> Step {
        for input in inputs.into_iter().flatten() {
            let step = match input {
                Input::Key(key) => self.take(Message::Key(key)),
                Input::Paste(text) => self.take(Message::Paste(text)),
                Input::Resize => self.resized(),
                Input::Suspend => self.suspend(Suspend::Job),
            };
            if let Step::Leave(ending) = step {
                return Step::Leave(ending);
            }
        }
        Step::Draw
    }

    fn resized(&mut self) -> Step {
        let (width, height) = self.screen.resized();
        self.take(Message::Resize(width, height))
    }

    fn signal(&mut self, asked: Asked) -> Step {
        match asked {
            Asked::HangUp => Step::Leave(self.hung_up()),
            Asked::Terminate | Asked::Interrupt => Step::Leave(Ending::Signal(asked.exit_code())),
            Asked::Stop => self.suspend(Suspend::Process),
            // The kernel sends SIGCONT after SIGHUP when a terminal goes away.
            Asked::Continue => match self.screen.resume() {
                Ok(()) => self.resized(),
                Err(_) if self.screen.gone() => Step::Leave(self.hung_up()),
                Err(says) => Step::Leave(Ending::Failed(says)),
            },
        }
    }

    /// Keys cannot be read: a hang-up, or a terminal that is still there to be given back.
    fn deaf(&self, why: &str) -> Ending {
        if self.screen.gone() {
            return self.hung_up();
        }
        Ending::Failed(format!("keys cannot be read from the terminal any more ({why}): start warroom again"))
    }

    fn hung_up(&self) -> Ending {
        self.screen.hang_up();
        Ending::Signal(Asked::HangUp.exit_code())
    }

    fn suspend(&mut self, whom: Suspend) -> Step {
        // The reader of keys stops with the whole process and goes on with it. It is not closed: crossterm's
        // next reader sometimes hears nothing any more.
        match self.screen.suspend(whom) {
            Ok(()) => self.resized(),
            Err(_) if self.screen.gone() => Step::Leave(self.hung_up()),
            Err(says) => Step::Leave(Ending::Failed(says)),
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Step {
        for effect in effects {
            match effect {
                Effect::Quit => return Step::Leave(Ending::Well),
                Effect::SaveNote(edit) => self.hands.save_note(edit),
                Effect::Record(people) => self.hands.record(people),
                Effect::Copy(text) => self.hands.copy(text, self.screen.ways()),
                Effect::Export { name, text } => self.hands.export(name, text),
                Effect::Refresh(source) => self.hands.refresh(&source),
                Effect::Want(span) => self.hands.want(span),
                Effect::Look(span) => self.hands.look(span),
                Effect::Load(span) => self.hands.load(span),
                Effect::Pace(pace) => self.hands.play(Command::Pace(pace)),
                Effect::Seek(at) => self.hands.play(Command::Seek(at)),
                Effect::Repaint => self.screen.repaint(),
                Effect::Mouse(on) => self.screen.mouse(on),
                Effect::Glyphs(name) => match glyphs(&name) {
                    Some(glyphs) => self.screen.glyphs(glyphs),
                    None => self.hands.answer(Message::Said(format!("no glyphs are called {name}"))),
                },
            }
        }
        Step::Draw
    }
}

/// What follows from one thing that happened.
enum Step {
    /// Nothing to see.
    Nothing,
    /// A frame when its time has come.
    Soon,
    /// A frame at once.
    Draw,
    /// The end.
    Leave(Ending),
}

fn glyphs(name: &str) -> Option<Glyphs> {
    Some(match name {
        "unicode" => Glyphs::Unicode,
        "ascii" => Glyphs::Ascii,
        "braille" => Glyphs::Braille,
        _ => return None,
    })
}

/// One tick a second, just after the second turns, so that the clock on the screen never skips one. The
/// ticks follow the monotonic clock: a wall clock that jumps moves the display, not the rhythm.
fn ticks(now: Stamp) -> Interval {
    let into = now.0.rem_euclid(1_000_000) as u64;
    let first = Instant::now() + Duration::from_micros(1_005_000 - into);
    let mut tick = interval_at(first, Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// What the tests of the terminal provoke: a panic here or in a task. Not in a release.
#[cfg(debug_assertions)]
fn rehearse() {
    #[expect(clippy::panic, reason = "this is what is being rehearsed")]
    fn fall() {
        panic!("asked to panic");
    }
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| match std::env::var("WARROOM_PANIC").as_deref() {
        Ok("ui") => fall(),
        Ok("task") => drop(tokio::spawn(async { fall() })),
        _ => {}
    });
}
