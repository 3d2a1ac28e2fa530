//! What a key costs on a whole evening: 13 lanes, 30,000 orders, 100,000 lines. `cargo bench --bench app`.
//! A key has to be on screen within 16 ms; drawing needs 1–2 of them.

use std::sync::OnceLock;
use warroom::app::key::{Code, Key};
use warroom::app::keymap::Keymap;
use warroom::app::state::{Mode, Start};
use warroom::app::{App, Message, react, settle, settle_piece, update};
use warroom::model::{Batch, Fact, Lapse, Span, Stamp};
use warroom::simulator;

fn main() {
    divan::main();
}

/// The demo's evening with every log line twice, a few milliseconds apart.
fn evening() -> &'static App {
    static EVENING: OnceLock<App> = OnceLock::new();
    EVENING.get_or_init(|| {
        let mut app = App::new(Start {
            mode: Mode::Live,
            now: simulator::END,
            size: (200, 50),
            who: "bench".to_owned(),
            may_write: true,
            keymap: Keymap::default(),
            pace: 1.0,
            mouse: false,
        });
        for mut batch in simulator::demo(1) {
            for fact in &mut batch.facts {
                if let Fact::Lines(lines) = fact {
                    *lines = lines
                        .iter()
                        .flat_map(|l| {
                            let mut again = l.clone();
                            again.at = again.at + Lapse::millis(3);
                            [l.clone(), again]
                        })
                        .collect();
                }
            }
            app.store.apply(&batch);
        }
        update(&mut app, simulator::END, Message::Tick);
        app
    })
}

fn press(app: &mut App, now: &mut Stamp, key: Key) {
    *now = *now + Lapse::millis(30);
    react(app, *now, Message::Key(key));
}

/// One key again and again in one place; going there is not measured.
fn key_in(bencher: divan::Bencher<'_, '_>, way: &[Key], key: Key) {
    bencher
        .with_inputs(|| {
            let mut app = evening().clone();
            let mut now = simulator::END;
            for k in way {
                press(&mut app, &mut now, *k);
                settle(&mut app);
            }
            (app, now)
        })
        .bench_local_refs(|(app, now)| press(app, now, key));
}

/// The longest piece that may stand between a key and its answer, after the cursor moved on the Timeline.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn one_piece_of_settling(bencher: divan::Bencher<'_, '_>) {
    bencher
        .with_inputs(|| {
            let mut app = evening().clone();
            press(&mut app, &mut (simulator::END + Lapse::seconds(5)), LEFT);
            app
        })
        .bench_local_refs(settle_piece);
}

/// Each piece of a settling on the Orders screen, which needs most of them: none may keep a key waiting for longer
/// than a frame.
#[divan::bench(sample_count = 10, sample_size = 1, args = 0..13)]
fn piece(bencher: divan::Bencher<'_, '_>, number: usize) {
    bencher
        .with_inputs(|| {
            let mut app = evening().clone();
            let mut now = simulator::END + Lapse::seconds(30);
            press(&mut app, &mut now, Key::char('4'));
            (0..number).for_each(|_| {
                settle_piece(&mut app);
            });
            app
        })
        .bench_local_refs(settle_piece);
}

/// A minute of live on the Hypotheses screen: a line comes every second, and everything is settled every time.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_minute_of_rules(bencher: divan::Bencher<'_, '_>) {
    bencher.with_inputs(|| minute("5")).bench_local_refs(|(app, batch)| live(app, batch));
}

/// The same without any rule: the Sources screen.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_minute_without_rules(bencher: divan::Bencher<'_, '_>) {
    bencher.with_inputs(|| minute("6")).bench_local_refs(|(app, batch)| live(app, batch));
}

fn minute(screen: &str) -> (App, Batch) {
    let mut app = evening().clone();
    let mut now = simulator::END + Lapse::seconds(30);
    screen.chars().for_each(|c| press(&mut app, &mut now, Key::char(c)));
    settle(&mut app);
    let lines = app.store.logs.within(Span::new(simulator::START, simulator::END)).iter().rev();
    let line = lines.map(|k| k.line.clone()).take(1).collect();
    (app, Batch { source: "logs".into(), seq: 1_000_000, seen: now, facts: vec![Fact::Lines(line)] })
}

fn live(app: &mut App, batch: &mut Batch) {
    for second in 1..=60 {
        let now = simulator::END + Lapse::seconds(60 + second);
        if let Some(Fact::Lines(lines)) = batch.facts.first_mut() {
            for line in lines {
                line.at = now;
            }
        }
        batch.seen = now;
        app.store.apply(batch);
        update(app, now, Message::Tick);
    }
}

const LEFT: Key = Key::plain(Code::Left);
const DOWN: Key = Key::plain(Code::Down);

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cursor_on_the_timeline(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[LEFT, LEFT], LEFT);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn row_on_the_timeline(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[LEFT], DOWN);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cursor_on_the_orders(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[Key::char('4'), LEFT], LEFT);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cursor_on_the_logs(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[Key::char('3'), LEFT], LEFT);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn cursor_on_the_hypotheses(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[Key::char('5'), LEFT], LEFT);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn the_screen_of_the_logs(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[LEFT], Key::char('3'));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn zoom(bencher: divan::Bencher<'_, '_>) {
    key_in(bencher, &[LEFT], Key::char('+'));
}

/// The parts a settling is made of, on the same evening.
mod parts {
    use super::evening;
    use warroom::analysis::{check, gap, lane, pattern, reconcile, spike};
    use warroom::simulator;

    #[divan::bench(sample_count = 10, sample_size = 1, args = ["users", "ERROR lines", "paid at UPG", "stuck, by birth", "not at HO, Σ"])]
    fn lane_of(bencher: divan::Bencher<'_, '_>, name: &str) {
        let app = evening();
        let lane =
            app.store.incident.lanes.iter().find(|l| l.name == name).unwrap_or_else(|| &app.store.incident.lanes[0]);
        bencher.bench_local(|| lane::columns(&app.store, lane, &app.axis(), simulator::END, simulator::END));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn standing(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| reconcile::standing(&app.store, app.scope(), simulator::END));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn shared(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| reconcile::shared(&app.store, app.scope(), simulator::END));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn findings(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| check::findings(&app.store, &app.note, app.scope(), simulator::END));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn spoken(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        let hung = check::hung(&app.store, app.scope(), simulator::END);
        bencher.bench_local(|| check::spoken(&app.store, app.scope(), simulator::END, &hung));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn usual_lines(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| check::Usual::read(&app.store));
    }

    /// What is left of the findings when earlier pieces gave what is dear.
    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn rules_alone(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        let (store, scope, at) = (&app.store, app.scope(), simulator::END);
        let given = check::Given {
            carry: None,
            onsets: Some(spike::broke_first(store, at)),
            shared: Some(reconcile::shared(store, scope, at)),
            spoken: Some(check::spoken(store, scope, at, &check::hung(store, scope, at))),
            usual: Some(check::Usual::read(store)),
        };
        bencher
            .with_inputs(|| given.clone())
            .bench_local_values(|given| check::findings_given(store, &app.note, scope, at, given));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn patterns(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| pattern::patterns(&app.store, app.scope(), app.store.incident.baseline));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn broke_first(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| spike::broke_first(&app.store, simulator::END));
    }

    #[divan::bench(sample_count = 10, sample_size = 1)]
    fn gaps(bencher: divan::Bencher<'_, '_>) {
        let app = evening();
        bencher.bench_local(|| gap::gaps(&app.store, app.axis().span(), simulator::END));
    }
}
