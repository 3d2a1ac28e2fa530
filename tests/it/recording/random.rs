//! Whatever arrives: a recording gives back the same batches, and the same store.

use super::{applied, read, record, small};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;
use warroom::model::batch::Samples;
use warroom::model::health::{Cost, Loss};
use warroom::model::log::{Level, LogLine};
use warroom::model::note::{ItemId, NoteText, Tick};
use warroom::model::order::{Asked, Attributes, Ledger, Order, OrderStatus, Rows};
use warroom::model::{Batch, Fact, Lapse, Mark, MarkKind, Span, Stamp, Untrusted};
use warroom::source::replay::{Played, play};
use warroom::store::Store;

fn stamp() -> impl Strategy<Value = Stamp> {
    (0_i64..7_200_000_000).prop_map(|n| super::T0 + Lapse(n))
}

fn text() -> impl Strategy<Value = Untrusted> {
    "[\\x00-\\x{2ff}\"\\\\\u{202e}]{0,12}".prop_map(Untrusted::from)
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![4 => (0_i32..500).prop_map(f64::from), 1 => any::<f64>().prop_filter("finite", |v| v.is_finite())]
}

fn fact() -> impl Strategy<Value = Fact> {
    let name = prop_oneof![Just("metrics.users"), Just("mrg.wait \"q\""), Just("kafé.p95")].prop_map(Into::into);
    let samples = (stamp(), prop::collection::vec((name, value()), 0..4));
    let line = (stamp(), text(), "[a-c]{1,2}", 0_u8..3).prop_map(|(at, message, order, kind)| LogLine {
        at,
        service: "mrg".into(),
        level: [Level::Info, Level::Warn, Level::Fatal][kind as usize],
        order: (kind > 0).then(|| order.as_str().into()),
        trace: None,
        stack: vec![message.clone(); usize::from(kind)],
        message,
    });
    let order = ("[a-c]", stamp(), text()).prop_map(|(id, created_at, status)| Order {
        order_id: id.as_str().into(),
        created_at,
        status: OrderStatus::Other(status.raw().to_owned()),
        amount: Some(i64::MAX),
        payment_method: None,
        region: None,
        service_type: None,
        saga_step: None,
        trace_id: None,
        updated_at: None,
        version: None,
        attributes: Attributes::default(),
    });
    let orders = prop::collection::vec(order, 0..3).prop_map(Rows::Orders);
    prop_oneof![
        6 => samples.prop_map(|(at, values)| Fact::Samples(Samples { at, values })),
        3 => prop::collection::vec(line, 0..5).prop_map(Fact::Lines),
        1 => (stamp(), orders).prop_map(|(asof, rows)| {
            Fact::Ledger(Ledger { asof, asked: Asked::Window(Span::new(super::T0, asof)), rows })
        }),
        1 => stamp().prop_map(|at| Fact::Cost(Cost { at, took: Lapse(-1), ..Cost::default() })),
        1 => (stamp(), text()).prop_map(|(at, says)| Fact::Loss(Loss { span: Span::new(at, super::T0), says })),
        1 => (stamp(), text()).prop_map(|(at, text)| {
            Fact::Mark(Mark { at, kind: MarkKind::Alarm, who: text.clone(), text })
        }),
        1 => (stamp(), text()).prop_map(|(at, text)| Fact::Note(NoteText { at, name: "note.md".into(), text })),
        1 => (stamp(), text()).prop_map(|(at, text)| {
            Fact::Tick(Tick { at, item: ItemId("x".into()), who: text.clone(), text, ticked: true, evidence: None })
        }),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let batch = ("(mrg|logs|people)", 1_u64..9, stamp(), prop::collection::vec(fact(), 0..6));
    let batch = batch.prop_map(|(source, seq, seen, facts)| Batch { source: source.as_str().into(), seq, seen, facts });
    prop::collection::vec(batch, 1..40)
}

/// Everything of a store that can be asked, in one text.
fn all(store: &Store) -> String {
    let (from, to) = (super::T0, super::T0 + Lapse::hours(3));
    let mut out = format!("{:?} {:?} {}\n", store.oldest, store.newest, store.logs.arrived());
    for name in store.series_names() {
        let series = store.series(name).unwrap();
        writeln!(out, "{name} {:?}", series.raw(Span::new(from, to))).unwrap();
        for (step, columns) in [(7, 900), (10, 900), (60, 200), (900, 13)] {
            writeln!(out, "{:?}", series.columns(from, Lapse::seconds(step), columns)).unwrap();
        }
    }
    for kept in store.logs.within(Span::new(from, to)) {
        let found = store.logs.get(kept.number);
        writeln!(out, "{} {:?} {} {found:?}", kept.number, kept.line, kept.line.message.raw()).unwrap();
    }
    for (id, entry) in store.orders.entries() {
        writeln!(out, "{id} {entry:?}").unwrap();
    }
    out + &format!("{:?} {:?}", store.marks(to), store.ticks(to).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_recording_gives_back_what_it_was_given(batches in batches(), segment in 200_u64..20_000) {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), small(segment), &batches).finish().unwrap();
        let (got, damage) = read(folder.path());
        prop_assert_eq!(&got, &batches);
        prop_assert_eq!(damage, Vec::<String>::new());
        let live = all(&applied(&batches));
        prop_assert_eq!(all(&applied(&got)), live.clone());

        // What is small enough to be read in full opens to the same store at once.
        let (reader, _) = warroom::recording::Reader::open(folder.path()).unwrap();
        prop_assert_eq!(all(&reader.overview()), live.clone());

        let tape = Box::new(Arc::new(reader).all());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let played: Vec<Batch> = runtime.block_on(async {
            let (commander, commands) = tokio::sync::mpsc::channel(1);
            drop(commander);
            let (out, mut played) = tokio::sync::mpsc::channel(3);
            let player = tokio::spawn(play(tape, f64::INFINITY, commands, out));
            let mut got = Vec::new();
            while let Some(p) = played.recv().await {
                if let Played::Batch(b) = p {
                    got.push(Arc::unwrap_or_clone(b));
                }
            }
            player.await.unwrap();
            got
        });
        prop_assert_eq!(played, batches);
    }
}
