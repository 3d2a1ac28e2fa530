//! What a poll of cloud metrics costs us: 300 metrics planned, their answers read and made into facts. The
//! budget is 10 ms of CPU for the whole poll. And a 10 MB answer: it is read on a thread of its own, so that it
//! delays no key and no other source, however long it takes.
//!
//! `cargo bench --bench metrics`

#![expect(clippy::unwrap_used, reason = "a bench fails loudly")]

use divan::counter::BytesCount;
use serde_json::{Value, json};
use warroom::config::cloud_metrics::Target;
use warroom::config::cloud_presets::Filter;
use warroom::model::{Fact, Lapse, Span, Stamp};
use warroom::source::huawei::ces::{self, Question};
use warroom::source::huawei::known::{Gathered, Known};
use warroom::source::huawei::plan::{self, Period};

const NOW: Stamp = Stamp::from_secs(1_736_686_800);

fn main() {
    divan::main();
}

fn targets(count: usize) -> Vec<Target> {
    let one = |i: usize| Target {
        series: format!("huawei.elb-{}_m{i}", i / 10),
        instance: format!("elb-{}", i / 10),
        namespace: "SYS.ELB".into(),
        metric: format!("m{i}_l7_upstream_rt"),
        dimensions: vec![("lbaas_instance_id".into(), "77d3ba06-7d3f-4d4b-9b0d-1f4f7e5a6c11".into())],
        filter: Filter::Average,
        said: "ms",
        raw: Lapse::minutes(1),
        lane: None,
    };
    (0..count).map(one).collect()
}

/// The requests of one live poll: a quarter of an hour of everything.
fn questions(targets: &[Target]) -> Vec<Question> {
    let span = Span::new(NOW - Lapse::minutes(16), NOW);
    let most = plan::most_metrics(span.length(), Period::Raw, 100, plan::POINTS);
    let all: Vec<usize> = (0..targets.len()).collect();
    let question =
        |asked: &[usize]| Question { asked: asked.to_vec(), filter: Filter::Average, period: Period::Raw, span };
    all.chunks(most).map(question).collect()
}

fn answer(question: &Question, targets: &[Target], points: i64) -> Vec<u8> {
    let entry = |i: &usize| {
        let t = &targets[*i];
        let points: Vec<Value> = (0..points)
            .map(|p| json!({"average": p as f64 + 0.125, "timestamp": (NOW.0 - p * 60_000_000) / 1000}))
            .collect();
        json!({"namespace": t.namespace, "metric_name": t.metric, "unit": "ms", "datapoints": points,
               "dimensions": [{"name": t.dimensions[0].0, "value": t.dimensions[0].1}]})
    };
    json!({"metrics": question.asked.iter().map(entry).collect::<Vec<_>>()}).to_string().into_bytes()
}

/// Everything between an answer's bytes and the facts that are handed over.
fn facts(bytes: &[u8], question: &Question, targets: &[Target], known: &mut [Known]) -> Vec<Fact> {
    let reading = ces::read(serde_json::from_slice(bytes).unwrap(), question, targets, NOW + Lapse::minutes(2));
    let mut gathered = Gathered::default();
    for got in &reading.got {
        let (card, fresh) = known[got.target].take(got);
        gathered.add(known[got.target].name(), card, fresh);
    }
    gathered.facts().collect()
}

#[divan::bench(sample_count = 50)]
fn poll_of_300_metrics(bencher: divan::Bencher<'_, '_>) {
    let targets = targets(300);
    let answers: Vec<Vec<u8>> = questions(&targets).iter().map(|q| answer(q, &targets, 16)).collect();
    let bytes: usize = answers.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| targets.iter().map(Known::new).collect::<Vec<_>>())
        .bench_local_values(|mut known| {
            let mut out = Vec::new();
            for (question, bytes) in questions(&targets).iter().zip(&answers) {
                divan::black_box(question.body(&targets).unwrap());
                out.extend(facts(bytes, question, &targets, &mut known));
            }
            out
        });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn answer_of_ten_megabytes(bencher: divan::Bencher<'_, '_>) {
    let targets = targets(100);
    let question = questions(&targets).remove(0);
    let bytes = answer(&question, &targets, 2_200);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| targets.iter().map(Known::new).collect::<Vec<_>>())
        .bench_local_values(|mut known| facts(&bytes, &question, &targets, &mut known));
}
