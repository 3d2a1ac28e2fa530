//! The session: copying, asking a source now, holding the picture, pace, the lock, glyphs and mouse.

use crate::app::act::time;
use crate::app::copy;
use crate::app::message::{Effect, People};
use crate::app::state::{App, Cursor, Mode, Place, Screen};
use crate::model::untrusted::shown;
use crate::model::{Lapse, Mark, MarkKind, SourceName, Stamp, Untrusted};

/// A source is asked by hand at most this often.
const REFRESH_EVERY: Lapse = Lapse::seconds(5);
/// The fastest a replay can be asked to play, in seconds a second.
const FASTEST: f64 = 3_600.0;

/// Copies the focused row.
pub fn copy(app: &mut App) -> Vec<Effect> {
    let text = copy::value(app, app.panel(), app.focus());
    give(app, text)
}

/// Copies the list in front as Markdown.
pub fn copy_markdown(app: &mut App) -> Vec<Effect> {
    let text = copy::markdown(app);
    give(app, text)
}

fn give(app: &mut App, text: String) -> Vec<Effect> {
    if text.trim().is_empty() {
        app.say("there is nothing to copy here");
        return Vec::new();
    }
    app.copied = Some(text.clone());
    vec![Effect::Copy(text)]
}

/// Writes the worksheet of the orders in front as CSV, and its checksum beside it.
pub fn worksheet(app: &mut App) -> Vec<Effect> {
    let Some(sheet) = copy::worksheet(app) else {
        app.say("there are no orders to write");
        return Vec::new();
    };
    let at = app.store.incident.zone.format(app.at(), "%Y%m%d-%H%M%S");
    // The sum in the name ties the two files together, however often the same moment is written.
    let name = format!("worksheet-{at}-{}.csv", sheet.sha256.get(..8).unwrap_or_default());
    let sum = format!("{}  {name}\n", sheet.sha256);
    vec![Effect::Export { name: format!("{name}.sha256"), text: sum }, Effect::Export { name, text: sheet.text }]
}

/// Asks the source in front now.
pub fn refresh(app: &mut App) -> Vec<Effect> {
    if app.mode != Mode::Live {
        app.say("a recording has no source to ask");
        return Vec::new();
    }
    let Some(name) = source_in_front(app) else {
        app.say("no source stands in front here");
        return Vec::new();
    };
    let now = app.now;
    let wait = app.refreshed.get(&name).map(|t| REFRESH_EVERY - now.since(*t)).filter(|l| *l > Lapse::ZERO);
    if let Some(wait) = wait {
        app.say(&format!("{} was asked a moment ago; again in {} s", shown(&name), wait.whole_seconds() + 1));
        return Vec::new();
    }
    app.refreshed.insert(name.clone(), now);
    app.say(&format!("asking {} now", shown(&name)));
    vec![Effect::Refresh(SourceName::from(name))]
}

fn source_in_front(app: &App) -> Option<String> {
    match app.place() {
        Place::SourceLog(name) => Some(name.clone()),
        Place::Top(Screen::Sources) => app.store.incident.sources.get(app.focus()).map(|s| s.name.clone()),
        Place::Top(Screen::Database) | Place::Session(_) => app.database_name().map(str::to_owned),
        _ => None,
    }
}

/// Holds the picture while facts go on coming; in a replay or demo playing pauses.
pub fn hold(app: &mut App) -> Vec<Effect> {
    if app.mode == Mode::Live {
        app.held = match app.held {
            Some(_) => None,
            None => Some(app.now),
        };
        return Vec::new();
    }
    if app.pace > 0.0 {
        app.pace_before = app.pace;
        app.pace = 0.0;
    } else {
        app.pace = if app.pace_before > 0.0 { app.pace_before } else { 1.0 };
    }
    vec![Effect::Pace(app.pace)]
}

/// Sets the pace of a replay or demo.
pub fn pace(app: &mut App, text: &str) -> Vec<Effect> {
    if app.mode == Mode::Live {
        app.say("pace is for a replay or the demo; live time goes by itself");
        return Vec::new();
    }
    let number = text.trim().trim_end_matches(['x', '×']).trim().parse::<f64>().ok();
    let Some(pace) = number.filter(|p| p.is_finite() && (0.0..=FASTEST).contains(p)) else {
        app.say(&format!("`{}` is no pace; write seconds a second, 0 to 3600: pace 60", shown(text)));
        return Vec::new();
    };
    if pace == 0.0 && app.pace > 0.0 {
        app.pace_before = app.pace;
    }
    app.pace = pace;
    app.say(&if pace == 0.0 { "paused; Space plays on".to_owned() } else { format!("{pace} s of it in a second") });
    vec![Effect::Pace(pace)]
}

/// Plays a replay or demo from an instant, the cursor when none is given.
pub fn seek(app: &mut App, to: Option<Stamp>) -> Vec<Effect> {
    if app.mode == Mode::Live {
        app.say("live time cannot be played again; the cursor goes back: goto 19:31");
        return Vec::new();
    }
    let to = to.unwrap_or_else(|| app.at());
    app.cursor = Cursor::Now;
    app.ended = false;
    let mut effects = time::live(app);
    effects.push(Effect::Seek(to));
    effects
}

/// Locks the keys for viewers.
pub fn lock(app: &mut App) -> Vec<Effect> {
    app.locked = true;
    app.unlocking = false;
    app.say("keys are locked for viewers; L and then y unlocks");
    Vec::new()
}

/// Shows or masks personal data.
pub fn unmask(app: &mut App) -> Vec<Effect> {
    app.unmasked = !app.unmasked;
    let text = if app.unmasked { REVEALED } else { MASKED };
    app.say(if app.unmasked { "personal data is shown, and that is recorded; :unmask masks it again" } else { MASKED });
    // Who saw it and until when is part of what happened.
    let (text, who) = (Untrusted::from(text), Untrusted::from(app.who.as_str()));
    vec![Effect::Record(People::Mark(Mark { at: app.acted_at(), kind: MarkKind::Note, text, who }))]
}

/// The mark that is recorded when personal data is shown.
pub const REVEALED: &str = "personal data was shown";
/// The mark that is recorded when it is masked again.
pub const MASKED: &str = "personal data is masked";

/// Mouse capture on or off.
pub fn mouse(app: &mut App) -> Vec<Effect> {
    app.mouse = !app.mouse;
    app.say(if app.mouse {
        "the mouse works here; M gives it back to the terminal"
    } else {
        "the mouse is the terminal's again"
    });
    vec![Effect::Mouse(app.mouse)]
}

/// Another set of glyphs.
pub fn glyphs(app: &mut App, name: &str) -> Vec<Effect> {
    match name.trim() {
        set @ ("unicode" | "ascii" | "braille") => vec![Effect::Glyphs(set.to_owned())],
        other => {
            app.say(&format!("`{}` is no set of glyphs; there are unicode, ascii and braille", shown(other)));
            Vec::new()
        }
    }
}
