//! What `warroom check` says of a `[huawei]` block: who we are, which project, each service that is used
//! asked once for as little as possible, and the clock.
//!
//! Asks the services one after the other: with a wrong key the first refusal is the only one.

use crate::config::HuaweiConfig;
use crate::model::Lapse;
use crate::source::check::{CheckLine, Ok as Works};
use crate::source::huawei::trouble::{Kind, Trouble, plainly};
use crate::source::huawei::{Ask, Client, Service};

/// From this difference of the clocks on it is worth a word; from 15 minutes on nothing is accepted.
const WORTH_A_WORD: Lapse = Lapse::minutes(2);

/// The lines of a client's block. `others`: whether something else asks through it, AOM or LTS, and has lines of its
/// own.
pub async fn lines(client: &Client, others: bool) -> Vec<CheckLine> {
    let mut out = Vec::new();
    match credentials(client).await {
        Ok(line) => out.push(line),
        Err(trouble) => {
            out.push(not(client, "credentials", &trouble));
            return out;
        }
    }
    match client.project().await {
        Ok(id) => out.push(CheckLine::yes(client.name(), "project", project(client.config(), &id))),
        Err(trouble) => {
            out.push(not(client, "project", &trouble));
            return out;
        }
    }
    let mut skew = None;
    for service in used(client.config(), others) {
        let what = service.name();
        match client.call(least(service)).await {
            Ok(answer) => {
                skew = answer.skew.or(skew);
                let says = format!("{} answers in {} ms", answer.from.place, answer.took.0 / 1000);
                out.push(CheckLine::yes(client.name(), what, says));
            }
            Err(trouble) => {
                skew = trouble.cost.skew.or(skew);
                out.push(not(client, what, &trouble));
            }
        }
    }
    out.extend(skew.map(|skew| clock(client, skew)));
    out
}

async fn credentials(client: &Client) -> Result<CheckLine, Trouble> {
    let identity = client.introduce().await?;
    let lasting = identity.expires.map(|end| format!("; they last {} yet", plainly(end.since(client.now()))));
    let says = format!("from {}{}", identity.from, lasting.unwrap_or_default());
    Ok(match &identity.warning {
        Some((warning, remedy)) => {
            let says = format!("{says}; {warning}");
            CheckLine::not(client.name(), "credentials", Works::Partly, says, remedy.as_str())
        }
        None => CheckLine::yes(client.name(), "credentials", says),
    })
}

fn project(config: &HuaweiConfig, id: &str) -> String {
    match config.project_id {
        Some(_) => format!("{id}, as configured"),
        None => format!("{id}, found for {}", config.region),
    }
}

/// The services that the block asks. One that asks none yet is asked for metrics, to see whether the keys are
/// accepted.
fn used(config: &HuaweiConfig, others: bool) -> Vec<Service> {
    let metrics = &config.metrics;
    let ces = !metrics.targets.is_empty() || metrics.alarms || metrics.events;
    let idle = !ces && !metrics.traces && !others;
    let services = [(Service::Ces, ces || idle), (Service::Cts, metrics.traces)];
    services.into_iter().filter(|(_, used)| *used).map(|(service, _)| service).collect()
}

/// The cheapest question that one of them answers.
fn least(service: Service) -> Ask<'static> {
    if service == Service::Cts {
        return Ask::get(service, "/v3/{project_id}/traces").with("trace_type", "system").with("limit", 1);
    }
    Ask::get(service, "/V1.0/{project_id}/metrics").with("limit", 1)
}

fn clock(client: &Client, skew: Lapse) -> CheckLine {
    let what = "clock";
    if skew.abs() < WORTH_A_WORD {
        return CheckLine::yes(client.name(), what, format!("differs from the cloud's by {}", plainly(skew)));
    }
    let side = if skew > Lapse::ZERO { "behind" } else { "ahead of" };
    let says = format!(
        "this machine's clock is {} {side} the cloud's; from 15 min on every signature is refused",
        plainly(skew)
    );
    let ok = if skew.abs() < Lapse::minutes(15) { Works::Partly } else { Works::No };
    CheckLine::not(client.name(), what, ok, says, "timedatectl set-ntp true, or chronyc makestep")
}

fn not(client: &Client, what: &str, trouble: &Trouble) -> CheckLine {
    let ok = if matches!(trouble.kind, Kind::Throttled { .. }) { Works::Partly } else { Works::No };
    CheckLine::not(client.name(), what, ok, trouble.happened(), trouble.remedy())
}
