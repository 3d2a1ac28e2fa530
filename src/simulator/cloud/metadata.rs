//! The metadata service of a virtual machine: a token by PUT, and the keys of the machine's agency for it.

use super::gateway::Call;
use super::iam::credential;
use super::keyring::Agency;
use super::reply::{Answer, Reply};
use crate::model::Lapse;

/// How long the agency's keys are good.
const LIFE: Lapse = Lapse::hours(24);

fn refused(status: u16, says: &str) -> Reply {
    Reply::text(status, "text/plain", says)
}

/// A token to ask with.
pub fn token(call: &Call<'_>) -> Answer {
    if call.keyring(|k| k.account.agency) != Agency::Token {
        return Err(refused(404, "404 Not Found"));
    }
    let ttl = call.wire.header("x-metadata-token-ttl-seconds").and_then(|t| t.parse().ok());
    match ttl {
        // Our choice: the bounds that other clouds have.
        Some(ttl @ 1..=21_600) => {
            let now = call.wall();
            Ok(Reply::text(200, "text/plain", call.keyring(|k| k.machine_token(now, Lapse::seconds(ttl)))))
        }
        _ => Err(refused(400, "X-Metadata-Token-Ttl-Seconds goes from 1 to 21600")),
    }
}

/// The agency's keys.
pub fn security_key(call: &Call<'_>) -> Answer {
    let now = call.wall();
    let known = |call: &Call<'_>| {
        let token = call.wire.header("x-metadata-token").unwrap_or_default();
        call.keyring(|k| k.knows_machine(token, now))
    };
    match call.keyring(|k| k.account.agency) {
        Agency::None => Err(refused(401, "Please configure Cloud Service Agency first")),
        Agency::Token if !known(call) => Err(refused(401, "a metadata token is needed")),
        _ => Ok(Reply::ok(credential(&call.keyring(|k| k.lend(now, LIFE))))),
    }
}
