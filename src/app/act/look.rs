//! Lines that are looked at and are not all here: whose engines are to read on, and for which stretch.
//!
//! Only what is in front is read, and only for as long as it is: leaving the lines ends it.

use crate::analysis::fetched;
use crate::app::message::Effect;
use crate::app::state::{App, Mode, Screen};
use crate::model::{Lapse, Span};

/// Of longer stretches nobody looks at the lines one by one: their counts are what is looked at.
const LONGEST: Lapse = Lapse::hours(24);

/// What engines are to be told when it has changed what is in front.
pub fn look(app: &mut App) -> Option<Effect> {
    let wanted = wanted(app);
    if wanted == app.looking {
        return None;
    }
    app.looking = wanted;
    Some(Effect::Look(wanted))
}

/// The stretch in front of which an engine has lines that were not fetched. In whole minutes, so that a stretch
/// that goes on with the clock is not another one every second.
fn wanted(app: &App) -> Option<Span> {
    if app.mode != Mode::Live || app.place().screen() != Some(Screen::Logs) {
        return None;
    }
    let span = fetched::minutes(app.lines_span());
    if span.length() > LONGEST {
        return None;
    }
    // What is being read stays wanted until somebody leaves it; that all of it is here is for the desk to know.
    let same = app.looking.is_some_and(|s| s.from == span.from && s.to <= span.to);
    let more = same || fetched::parts(&app.store, span).iter().any(fetched::Part::has_more);
    more.then(|| if same { app.looking.unwrap_or(span) } else { span })
}
