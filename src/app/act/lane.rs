//! Lanes chosen on the Logs screen: a pattern, or the errors of a service, on the timeline of everything.

use crate::analysis::lane::said;
use crate::app::message::{Effect, People};
use crate::app::rows::Panel;
use crate::app::state::App;
use crate::model::Untrusted;
use crate::model::batch::Chosen;
use crate::model::incident::SourceKind;
use crate::model::series::Lane;
use crate::model::untrusted::shown;

/// As many as are still read at a glance, and counted between two keys.
const MOST: usize = 6;

/// Puts the focused pattern, or the errors of the focused line's service, on the timeline, or takes it off.
pub fn choose(app: &mut App) -> Vec<Effect> {
    let Some(lane) = focused(app) else {
        app.say("there is no pattern and no line in this row");
        return Vec::new();
    };
    let lanes = &app.store.incident.lanes;
    let there = lanes.iter().any(|l| l.series == lane.series);
    let chosen = lanes.iter().filter(|l| said::of(&app.store, &l.series).is_some()).count();
    let name = shown(&lane.name);
    if !there && chosen >= MOST {
        app.say(&format!("{MOST} lanes of lines are on the timeline already; T on one of them takes it off"));
        return Vec::new();
    }
    app.say(&if there { format!("{name} is off the timeline") } else { format!("{name} is on the timeline") });
    let who = Untrusted::from(app.who.as_str());
    vec![Effect::Record(People::Lane(Chosen { at: app.acted_at(), lane, shown: !there, who }))]
}

fn focused(app: &App) -> Option<Lane> {
    let row = app.focus();
    match app.panel() {
        Panel::Lines => app.line(row).map(said::errors),
        Panel::Patterns => {
            let template = app.derived.patterns.get(row)?.template.raw().to_owned();
            // Of several sources the first that has a line of it; its gaps are the lane's.
            let wanted = app.store.logs.called(&template);
            let is = |k: &&crate::store::lines::Kept| wanted.is_some_and(|id| app.store.logs.template_of(k) == id);
            let kept = app.store.logs.within(app.scope()).iter().find(is).map(|k| k.source.to_string());
            let first = || {
                let logs = |k: SourceKind| matches!(k, SourceKind::Logs | SourceKind::Mcp);
                app.store.incident.sources.iter().find(|s| logs(s.kind)).map(|s| s.name.clone())
            };
            Some(said::pattern(&kept.or_else(first)?, &template))
        }
        _ => None,
    }
}
