//! Who may ask: the account, its keys, temporary keys and tokens, and the lock that five bad signatures put
//! on a key. Every secret here is invented and meant to be printed.

use super::reply::{self, Reply};
use super::signature::{ALGORITHM, Claim, date};
use super::text::hexed;
use super::wire::Wire;
use crate::model::{Lapse, Stamp, Zone};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// How far the date of a signature may be from the gateway's clock.
const SKEW: Lapse = Lapse::minutes(15);
/// Bad signatures in a row that lock a key…
const STRIKES: u32 = 5;
/// …for this long.
const LOCKED: Lapse = Lapse::minutes(5);
/// How long a token of a password is good.
const TOKEN_LIFE: Lapse = Lapse::hours(24);

/// The one account there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Access key.
    pub ak: String,
    /// Its secret.
    pub sk: String,
    /// Name of the account (IAM: domain).
    pub domain: String,
    /// A user of it, who may get tokens.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// Projects by region: name and id. The first one owns the data.
    pub projects: Vec<(String, String)>,
    /// What the metadata service of the machine does.
    pub agency: Agency,
}

/// What the metadata service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agency {
    /// The machine has no agency.
    None,
    /// Keys for whoever asks; there are no tokens.
    Open,
    /// Keys for whoever brings a token.
    Token,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            ak: "EMULATORAK0000000001".to_owned(),
            sk: "emulatorSecretThatIsNoSecretAtAll0000001".to_owned(),
            domain: "warroom-emulator".to_owned(),
            user: "observer".to_owned(),
            password: "not-a-secret".to_owned(),
            projects: vec![
                ("ap-southeast-4".to_owned(), "0605767e1b00d5762fd0c003d4d1f4a8".to_owned()),
                ("ap-southeast-3".to_owned(), "0605767e1c80d5f12f5ec003a7a1b2c3".to_owned()),
            ],
            agency: Agency::Token,
        }
    }
}

impl Account {
    /// Id of the project that owns the data; empty when there is none.
    pub fn project(&self) -> &str {
        self.projects.first().map_or("", |(_, id)| id)
    }

    /// Name of that project, which is the region's id.
    pub fn region(&self) -> &str {
        self.projects.first().map_or("", |(name, _)| name)
    }
}

/// Temporary keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// Access key.
    pub ak: String,
    /// Its secret.
    pub sk: String,
    /// What has to come with every request.
    pub token: String,
    /// Until when.
    pub expires: Stamp,
}

/// All keys and tokens given out, and what was done with them.
#[derive(Debug)]
pub struct Keyring {
    /// The account.
    pub account: Account,
    temporary: Vec<Temporary>,
    tokens: Vec<(String, Stamp)>,
    machine: Vec<(String, Stamp)>,
    strikes: BTreeMap<String, (u32, Stamp)>,
    issued: u64,
}

impl Keyring {
    /// The keyring of an account.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            temporary: Vec::new(),
            tokens: Vec::new(),
            machine: Vec::new(),
            strikes: BTreeMap::new(),
            issued: 0,
        }
    }

    /// Whether the request may pass, by its signature or its token. `now` is the gateway's own clock.
    pub fn admit(&mut self, wire: &Wire, now: Stamp) -> Result<(), Reply> {
        match wire.header("authorization") {
            Some(header) if header.starts_with(ALGORITHM) => {
                let claim = Claim::read(header).ok_or_else(|| reply::unauthorized("authorization format incorrect"))?;
                self.signed(wire, &claim, now)
            }
            _ => match wire.header("x-auth-token") {
                Some(token) => self.token(token, now),
                None => Err(reply::unauthorized("x-auth-token not found")),
            },
        }
    }

    fn token(&self, token: &str, now: Stamp) -> Result<(), Reply> {
        match self.tokens.iter().find(|(t, _)| t == token) {
            Some((_, expires)) if *expires > now => Ok(()),
            Some((_, expires)) => Err(expired(*expires)),
            None => Err(reply::unauthorized("decrypt token fail")),
        }
    }

    fn signed(&mut self, wire: &Wire, claim: &Claim, now: Stamp) -> Result<(), Reply> {
        let ak = claim.access.as_str();
        let locked = self.strikes.get(ak).is_some_and(|(n, last)| *n >= STRIKES && now < *last + LOCKED);
        if locked {
            return Err(reply::unauthorized("AK access failed to reach the limit,forbidden."));
        }
        let (secret, temporary) = self.secret(ak)?;
        if let Some(gap) = claim.gap(wire) {
            return Err(reply::unauthorized(&format!("verify aksk signature fail, {gap}")));
        }
        let signed = wire.header("x-sdk-date").and_then(date);
        let Some(signed) = signed else {
            return Err(reply::unauthorized(
                "calc ak sk signature fail:X-Sdk-Date is not of the form YYYYMMDDTHHMMSSZ",
            ));
        };
        if now.since(signed).abs() > SKEW {
            return Err(reply::unauthorized("calc ak sk signature fail:signature expired"));
        }
        let (good, canonical) = claim.verify(wire, &secret);
        if !good {
            let (n, last) = self.strikes.entry(ak.to_owned()).or_default();
            // A lock that is over leaves nothing behind.
            *n = if *n >= STRIKES { 1 } else { *n + 1 };
            *last = now;
            let echo = canonical.replace('\n', "|");
            return Err(reply::unauthorized(&format!("verify aksk signature fail,canonicalRequest:{echo}")));
        }
        self.strikes.remove(ak);
        temporary.map_or(Ok(()), |t| fresh(&t, wire, claim, now))
    }

    fn secret(&self, ak: &str) -> Result<(String, Option<Temporary>), Reply> {
        if ak == self.account.ak {
            return Ok((self.account.sk.clone(), None));
        }
        let found = self.temporary.iter().find(|t| t.ak == ak);
        found
            .map(|t| (t.sk.clone(), Some(t.clone())))
            .ok_or_else(|| reply::unauthorized(&format!("Get secretKey failed,ak:{ak},err:ak not exist")))
    }

    /// A token for the right password; None for a wrong one.
    pub fn password(&mut self, domain: &str, user: &str, password: &str, now: Stamp) -> Option<(String, Stamp)> {
        let a = &self.account;
        if (domain, user, password) != (&a.domain, &a.user, &a.password) {
            return None;
        }
        let token = (self.invent("token", 64), now + TOKEN_LIFE);
        self.tokens.push(token.clone());
        Some(token)
    }

    /// New temporary keys.
    pub fn lend(&mut self, now: Stamp, life: Lapse) -> Temporary {
        let keys = Temporary {
            ak: self.invent("ak", 20).to_ascii_uppercase(),
            sk: self.invent("sk", 40),
            token: format!("{}/+==", self.invent("security", 60)),
            expires: now + life,
        };
        self.temporary.push(keys.clone());
        keys
    }

    /// A token for the metadata service.
    pub fn machine_token(&mut self, now: Stamp, life: Lapse) -> String {
        let token = self.invent("machine", 40);
        self.machine.push((token.clone(), now + life));
        token
    }

    /// Whether a token of the metadata service is good.
    pub fn knows_machine(&self, token: &str, now: Stamp) -> bool {
        self.machine.iter().any(|(t, expires)| t == token && *expires > now)
    }

    /// Ends every token and every temporary key at this instant.
    pub fn expire(&mut self, now: Stamp) {
        self.temporary.iter_mut().for_each(|t| t.expires = t.expires.min(now));
        self.tokens.iter_mut().for_each(|(_, expires)| *expires = (*expires).min(now));
    }

    /// Text that looks random and is the same in every run.
    fn invent(&mut self, what: &str, length: usize) -> String {
        self.issued += 1;
        let seed = format!("{what} {} {}", self.issued, self.account.ak);
        let twice = [Sha256::digest(&seed), Sha256::digest(format!("{seed}+"))];
        twice.iter().map(|d| hexed(d)).collect::<String>().chars().take(length).collect()
    }
}

fn fresh(keys: &Temporary, wire: &Wire, claim: &Claim, now: Stamp) -> Result<(), Reply> {
    let token = wire.header("x-security-token").map(str::trim);
    match token {
        // Our choice: an unsigned token is as good as none.
        None => Err(reply::unauthorized("x-security-token not found")),
        Some(_) if !claim.covers("x-security-token") => Err(reply::unauthorized("x-security-token is not signed")),
        Some(t) if t != keys.token => Err(reply::unauthorized("decrypt token fail")),
        Some(_) if keys.expires <= now => Err(expired(keys.expires)),
        Some(_) => Ok(()),
    }
}

/// What is said about a token whose time is over.
pub fn expired(at: Stamp) -> Reply {
    reply::unauthorized(&format!("token expires, expires_at: {}", instant(at)))
}

/// `2025-01-12T13:52:13.855000Z`, as IAM writes instants.
pub fn instant(at: Stamp) -> String {
    Zone::utc().format(at, "%Y-%m-%dT%H:%M:%S%.6fZ")
}
