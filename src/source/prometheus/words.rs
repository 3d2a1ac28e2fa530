//! How a scraped service is, in words: which pods answer, what follows from those that do not, and what
//! was odd about the answers. The words stay the same while nothing changes.

use crate::config::ScrapeConfig;
use crate::model::{Lapse, Stamp};
use crate::source::prometheus::scrape::{Found, Watched};
use crate::source::runner::Condition;

/// Pods named in a sentence; the rest is counted.
const NAMED: usize = 3;

/// The state of a service after a round.
pub(super) fn condition(config: &ScrapeConfig, pods: &[Watched], found: &Found, at: Stamp) -> Condition {
    let there = pods.iter().filter(|w| w.is_there()).count();
    if there == 0 {
        return nobody(config, pods);
    }
    if there < pods.len() {
        return some(config, pods, there, at);
    }
    if found.measured == 0 && !config.measures.is_empty() {
        let presets: Vec<&str> = config.presets.iter().map(|p| p.word()).collect();
        return Condition::late(
            "no metrics",
            format!("{} answers, but has none of the metrics of {}", config.name, presets.join(", ")),
            "Run warroom check: it says which presets fit; or name the metrics in [[scrape.metric]].",
        );
    }
    odd(config, pods).unwrap_or_else(Condition::well)
}

fn nobody(config: &ScrapeConfig, pods: &[Watched]) -> Condition {
    let first = pods.iter().find_map(|w| w.refusal.as_ref());
    let code = first.map_or("no answer", |r| r.code.as_str());
    let remedy = first.map_or("", |r| r.remedy.as_str());
    let says = match pods {
        [one] => format!("{}: {}", config.name, told(one)),
        many => format!("none of {} pods of {} answers; {}", many.len(), config.name, list(many.iter())),
    };
    Condition::down(code, says, remedy)
}

fn some(config: &ScrapeConfig, pods: &[Watched], there: usize, at: Stamp) -> Condition {
    let away = || pods.iter().filter(|w| !w.is_there());
    let gone = |w: &&Watched| w.gone(at, config.gone_after);
    let missing = away().filter(|w| !gone(w)).count();
    let follows = if missing > 0 {
        "totals are not known without it; worst values and shares are of the pods that answer".to_owned()
    } else {
        format!("no answer for {} or longer: totals are of the other pods", long(config.gone_after))
    };
    let says = format!("{there} of {} pods of {} answer; {}; {follows}", pods.len(), config.name, list(away()));
    let remedy = away().find_map(|w| w.refusal.as_ref()).map_or("", |r| r.remedy.as_str());
    Condition::late(format!("{there} of {}", pods.len()), says, remedy)
}

/// What is odd about answers that came.
fn odd(config: &ScrapeConfig, pods: &[Watched]) -> Option<Condition> {
    if let Some(w) = pods.iter().find(|w| w.mixed()) {
        return Some(Condition::late(
            "mixed",
            format!("{}: several processes answer as {}: what grows cannot be told", config.name, w.pod.name),
            "Name every pod in targets by its own address: behind a load balancer each answer comes from another.",
        ));
    }
    let read = |w: &Watched| w.reading().map(|r| (w.pod.name.clone(), r.report.clone(), r.dropped, r.stale));
    for (pod, report, dropped, stale) in pods.iter().filter_map(read) {
        if dropped > 0 {
            return Some(Condition::late(
                "labels",
                format!("{}: {pod} has {dropped} samples more than are kept: sums are too low", config.name),
                "A metric there has a label with a value for every order or user; name another one in [[scrape.metric]].",
            ));
        }
        if let Some((line, why)) = report.first_broken {
            let n = report.broken;
            let lines = if n == 1 { "1 line".to_owned() } else { format!("{n} lines") };
            return Some(Condition::late(
                "broken",
                format!("{}: {pod}: {lines} cannot be read, the first is line {line}: {why}", config.name),
                "Mend what writes that line; everything else was read.",
            ));
        }
        if stale > 0 {
            return Some(Condition::late(
                "old",
                format!(
                    "{}: {pod} gives {stale} samples that are older than 5 minutes; they are left out",
                    config.name
                ),
                "What stands behind this endpoint has stopped feeding it.",
            ));
        }
    }
    None
}

fn told(w: &Watched) -> String {
    let why = w.refusal.as_ref().map_or("not asked yet", |r| r.says.as_str());
    format!("{}: {why}", w.pod.name)
}

fn list<'w>(pods: impl Iterator<Item = &'w Watched>) -> String {
    let all: Vec<&Watched> = pods.collect();
    let named = all.iter().take(NAMED).map(|w| told(w)).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn long(l: Lapse) -> String {
    let seconds = l.whole_seconds();
    if seconds % 60 == 0 { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}
