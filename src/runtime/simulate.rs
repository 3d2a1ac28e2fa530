//! `simulate`: the emulator of the cloud with the bundled evening, for anybody to point a client at.
//!
//! The evening is moved so that `--now` of it is this moment, and goes on from there: signatures are dated by
//! the real clock, and what is polled keeps coming. With `--keep-dates` the data stays in January 2025.

use crate::cli::Simulate;
use crate::model::{Lapse, Stamp, Zone};
use crate::runtime::effects::now;
use crate::runtime::{Ending, export, simulate_postgres};
use crate::simulator::cloud::{
    Account, Clock, Cloud, Faults, INSTANCES, LOG_GROUP, LOG_STREAMS, Running, START, evening,
};
use crate::simulator::day::Day;
use crate::simulator::scenario;
use std::fmt::Write as _;
use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};

/// Runs it until Ctrl-C.
pub async fn run(how: &Simulate) -> Ending {
    if let Some(folder) = &how.export {
        return export::run(how, folder).await;
    }
    if let Some(url) = &how.postgres {
        return simulate_postgres::run(how, url).await;
    }
    if !how.anywhere && !how.listen.ip().is_loopback() {
        return Ending::Refused(format!(
            "{} is not loopback, and whoever reaches the emulator may ask it: listen on 127.0.0.1, or add --anywhere",
            how.listen
        ));
    }
    let Some(instant) = instant(&how.now) else {
        return Ending::Refused(no_time(&how.now));
    };
    let scenario = match scenario::named(&how.scenario) {
        Ok(scenario) => scenario,
        Err(says) => return Ending::Refused(says),
    };
    let planned = Faults::default();
    if let Err(says) = planned.read(how.faults.as_deref().unwrap_or_default()) {
        return Ending::Refused(format!("--faults: {says}"));
    }
    let listened = signal(SignalKind::terminate()).and_then(|end| Ok((end, signal(SignalKind::interrupt())?)));
    let (mut end, mut interrupt) = match listened {
        Ok(signals) => signals,
        Err(e) => return Ending::Failed(format!("signals cannot be listened to ({e})")),
    };
    let by = whole_minutes(now().since(instant));
    let wall = Clock::new(now);
    let (moved, ago) = if how.keep_dates { (Lapse::ZERO, by) } else { (by, Lapse::ZERO) };
    let seed = how.seed;
    let made = tokio::task::spawn_blocking(move || Day::whole(scenario, seed)).await;
    let Ok(day) = made else {
        return Ending::Failed("the day could not be made: this is a fault of warroom".to_owned());
    };
    let cloud = Cloud::new(evening(&day, moved), wall).world_clock(Clock::new(move || now() - ago));
    let running = match cloud.with_control().listen(how.listen).await {
        Ok(running) => running,
        Err(e) => return Ending::Failed(format!("{} cannot be listened on ({e}): choose another port", how.listen)),
    };
    planned.list().into_iter().for_each(|p| running.faults().plan(p));
    if let Err(e) = std::io::stdout().write_all(says(&running, instant, moved).as_bytes()) {
        return Ending::Failed(format!("standard output cannot be written ({e})"));
    }
    // Both end it well; Ctrl-Z stays what the shell makes of it.
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ending::Well
}

/// Down to a whole minute, so that what happened on the minute still does.
pub fn whole_minutes(by: Lapse) -> Lapse {
    Lapse(by.0 - by.0.rem_euclid(Lapse::minutes(1).0))
}

/// A clock time of the evening, or an instant with its zone.
pub fn instant(text: &str) -> Option<Stamp> {
    Stamp::parse_rfc3339(text).or_else(|| Zone::wib().on_day(START, text))
}

/// What is said of a `--now` that is neither.
pub fn no_time(text: &str) -> String {
    format!("--now {text} is no time: write HH:MM of the evening in WIB, or RFC 3339 with its zone")
}

/// What a client needs to know, as it is pasted.
fn says(running: &Running, instant: Stamp, moved: Lapse) -> String {
    let wib = Zone::wib();
    let (endpoint, account) = (running.endpoint(), running.account());
    let mut out = format!(
        "# The evening of 12 January 2025 answers at {endpoint} until Ctrl-C.\n\
         # It is {} of it now, which stands at {}.\n\
         # Faults: curl {endpoint}/emulator/faults -d 'ces.batch=429:7*3'; curl -X DELETE {endpoint}/emulator/faults\n\n\
         # The environment, for warroom and for the official SDKs:\n",
        wib.hm(instant),
        wib.rfc3339(instant + moved),
    );
    out.push_str(&environment(&endpoint, &account));
    out.push_str("\n# config.toml of warroom:\n");
    out.push_str(&configuration(&endpoint, &account, Zone::wib().rfc3339(START + moved)));
    out
}

fn environment(endpoint: &str, account: &Account) -> String {
    let mut out = format!(
        "export HUAWEICLOUD_SDK_AK={}\nexport HUAWEICLOUD_SDK_SK={}\nexport HUAWEICLOUD_SDK_PROJECT_ID={}\n\
         export HUAWEICLOUD_SDK_IAM_ENDPOINT={endpoint}\n",
        account.ak,
        account.sk,
        account.project(),
    );
    let region = account.region().to_ascii_uppercase().replace('-', "_");
    for service in ["CES", "CTS", "AOM", "LTS", "IAM"] {
        let _ = writeln!(out, "export HUAWEICLOUD_SDK_REGION_{service}_{region}={endpoint}");
    }
    out
}

fn configuration(endpoint: &str, account: &Account, from: String) -> String {
    let mut out = format!(
        "# The story begins at {from}.\n[huawei]\nregion = \"{}\"\nproject_id = \"{}\"\ncredentials = \"env\"\n\n\
         [huawei.endpoints]\n",
        account.region(),
        account.project(),
    );
    for service in ["ces", "cts", "aom", "lts", "iam"] {
        let _ = writeln!(out, "{service} = \"{endpoint}\"");
    }
    for (kind, name, id) in INSTANCES {
        let _ = write!(out, "\n[[huawei.instance]]\nkind = \"{kind}\"\nname = \"{name}\"\nid = \"{id}\"\n");
    }
    let targets: Vec<String> = (1..=8).map(|pod| format!("\"{endpoint}/metrics/mrg-api-{pod}\"")).collect();
    let _ = write!(
        out,
        "\n[[scrape]]\nname = \"mrg-api\"\npresets = [\"go\", \"pgxpool\", \"http_server\", \"breaker\"]\ntargets = [\n    {}\n]\n",
        targets.join(",\n    ")
    );
    let _ = write!(
        out,
        "\n[[prometheus]]\nname = \"prom\"\nurl = \"{endpoint}\"\n\n\
         [[prometheus.query]]\nname = \"users\"\npromql = \"sum(app_sessions_active)\"\nunit = \"users\"\n\n\
         [[prometheus.query]]\nname = \"errors\"\nunit = \"percent\"\npromql = \"\"\"\n\
         100 * sum(rate(http_requests_total{{app=\"mrg-api\", code=~\"5..\"}}[2m]))\n    \
         / sum(rate(http_requests_total{{app=\"mrg-api\"}}[2m]))\n\"\"\"\n"
    );
    for (name, _, id) in LOG_STREAMS {
        let _ = write!(
            out,
            "\n[[log_server]]\nname = \"lts-{name}\"\nkind = \"lts\"\ngroup = \"{LOG_GROUP}\"\nstream = \"{id}\"\n\
             per_minute = 60\ncounts = {{ timeout = \"timeout\", connection = \"connection\", circuit = \"circuit\", payment = \"payment\" }}\n"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_that_is_printed_can_be_read() {
        let text = configuration("http://127.0.0.1:18080", &Account::default(), "now".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, &text).unwrap();
        let config = crate::config::load::load(&file).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        assert_eq!((config.huawei.unwrap().endpoints.len(), config.log_servers.len()), (5, 3));
    }

    #[test]
    fn now_is_a_clock_of_the_evening_or_an_instant_with_its_zone() {
        assert_eq!(instant("19:50"), Stamp::parse_rfc3339("2025-01-12T19:50:00+07:00"));
        assert_eq!(instant("2025-01-12T12:50:00Z"), instant("19:50"));
        assert_eq!((instant("soon"), instant("2025-01-12T19:50:00")), (None, None));
        assert_eq!(whole_minutes(Lapse::seconds(119)), Lapse::minutes(1));
    }
}
