//! Where credentials come from, and how they are kept: fetched once, renewed well before they end.
//!
//! Files and commands are read away from the async threads. Each failure says what was tried and what to do.
//! May not know: what is asked with them.

use crate::config::{CredentialConfig, Secret};
use crate::model::Stamp;
use crate::source::huawei::Service;
use crate::source::huawei::identity::{self, Identity};
use crate::source::huawei::line::{Line, Tally};
use crate::source::huawei::trouble::{Kind, Trouble};
use crate::source::huawei::{metadata, token};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After a renewal that failed while the old credentials still serve, the next one is not tried before this.
const AGAIN: Duration = Duration::from_secs(30);

/// The credentials of a block.
#[derive(Debug, Default)]
pub struct Credentials {
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    identity: Arc<Identity>,
    fetched: Stamp,
    /// Not renewed before this.
    again: Option<Instant>,
}

impl Credentials {
    /// The credentials in force, fetched or renewed when it is time. One fetches, all others wait for it.
    pub async fn identity(&self, line: &Line, tally: &mut Tally) -> Result<Arc<Identity>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(k) = kept.as_ref() {
            let now = line.now();
            let waiting = k.again.is_some_and(|again| Instant::now() < again);
            let due = k.identity.is_due(k.fetched, now) && !waiting;
            if !due && k.identity.is_usable(now) {
                return Ok(Arc::clone(&k.identity));
            }
        }
        match fetch(line, tally).await {
            Ok(fresh) => Ok(keep(&mut kept, fresh, line.now())),
            Err(trouble) => {
                let usable = kept.as_mut().filter(|k| k.identity.is_usable(line.now()));
                let Some(k) = usable else { return Err(trouble) };
                // Said in the log only: what we have still serves.
                tracing::warn!(code = %trouble.short(), "credentials could not be renewed yet");
                k.again = Some(Instant::now() + AGAIN);
                Ok(Arc::clone(&k.identity))
            }
        }
    }

    /// What was fetched last, whether it still serves or not.
    pub async fn kept(&self) -> Option<Arc<Identity>> {
        self.kept.lock().await.as_ref().map(|k| Arc::clone(&k.identity))
    }

    /// Fetches anew because `refused` was not accepted; nothing when that gives the same again. When somebody
    /// else has renewed them meanwhile, theirs are taken.
    pub async fn renewed(
        &self,
        refused: &Arc<Identity>,
        line: &Line,
        tally: &mut Tally,
    ) -> Result<Option<Arc<Identity>>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(k) = kept.as_ref().filter(|k| !k.identity.is_same(refused)) {
            return Ok(Some(Arc::clone(&k.identity)));
        }
        let fresh = fetch(line, tally).await?;
        let changed = !fresh.is_same(refused);
        let fresh = keep(&mut kept, fresh, line.now());
        Ok(changed.then_some(fresh))
    }
}

fn keep(kept: &mut Option<Kept>, fresh: Identity, now: Stamp) -> Arc<Identity> {
    let identity = Arc::new(fresh);
    *kept = Some(Kept { identity: Arc::clone(&identity), fetched: now, again: None });
    identity
}

/// Gets credentials from where the configuration says.
async fn fetch(line: &Line, tally: &mut Tally) -> Result<Identity, Trouble> {
    let found = match &line.config.credentials {
        CredentialConfig::Auto => automatic(line, tally).await,
        CredentialConfig::Keys { access_key, secret_key, security_token } => {
            configured(access_key, secret_key, security_token.as_ref()).await.map_err(|e| none(line, CONFIGURED, e))
        }
        CredentialConfig::Environment => match environment(line) {
            Found::Identity(identity) => Ok(*identity),
            Found::Not(why) | Found::Wrong(why) => Err(none(line, "the environment", why)),
        },
        CredentialConfig::Profile(file) => match profile(line, file.clone()).await {
            Found::Identity(identity) => Ok(*identity),
            Found::Not(why) | Found::Wrong(why) => Err(none(line, "the profile file", why)),
        },
        CredentialConfig::Metadata => metadata::fetch(line, tally).await,
        CredentialConfig::Document(secret) => document(secret).await.map_err(|e| none(line, DOCUMENT, e)),
        CredentialConfig::Iam { domain, user, password } => token::fetch(line, domain, user, password, tally).await,
    }?;
    if !found.is_usable(line.now()) {
        let says = "what it gives has ended already: it has to be renewed there, or this machine's clock is wrong";
        return Err(none(line, &found.from, says));
    }
    Ok(found)
}

const CONFIGURED: &str = "access_key and secret_key in [huawei]";
const DOCUMENT: &str = "credentials in [huawei]";

/// A trouble that says that there are none.
pub fn none(line: &Line, from: &str, says: impl Into<String>) -> Trouble {
    let mut trouble = line.trouble(Kind::NoCredentials, Service::Iam, "", says);
    from.clone_into(&mut trouble.proof);
    trouble
}

/// What a place has.
enum Found {
    Identity(Box<Identity>),
    /// Nothing, and why that is plausible.
    Not(String),
    /// Half of it, or something that cannot be read: looking elsewhere would hide the mistake.
    Wrong(String),
}

/// The SDK's chain, without what only containers have.
async fn automatic(line: &Line, tally: &mut Tally) -> Result<Identity, Trouble> {
    let mut tried = Vec::new();
    for found in [environment(line), profile(line, None).await] {
        match found {
            Found::Identity(identity) => return Ok(*identity),
            Found::Not(why) => tried.push(why),
            Found::Wrong(why) => return Err(none(line, "the places that were tried", why)),
        }
    }
    match metadata::fetch(line, tally).await {
        Ok(identity) => Ok(identity),
        Err(trouble) => {
            tried.push(trouble.message.raw().to_owned());
            Err(none(line, "environment, profile file and metadata service", tried.join("; ")))
        }
    }
}

async fn configured(ak: &Secret, sk: &Secret, token: Option<&Secret>) -> Result<Identity, String> {
    let (ak, sk) = (part("access_key", ak).await?, part("secret_key", sk).await?);
    let token = match token {
        Some(token) => Some(part("security_token", token).await?),
        None => None,
    };
    Ok(Identity { rereadable: true, ..Identity::keys(ak, sk, token, CONFIGURED) })
}

async fn part(key: &str, secret: &Secret) -> Result<SecretString, String> {
    secret.obtain().await.map_err(|says| format!("{key}: {says}"))
}

async fn document(secret: &Secret) -> Result<Identity, String> {
    let text = secret.document().await?;
    let found = identity::from_json(secrecy::ExposeSecret::expose_secret(&text), DOCUMENT);
    Ok(Identity { rereadable: true, ..found? })
}

/// `HUAWEICLOUD_SDK_AK` and its neighbours.
fn environment(line: &Line) -> Found {
    let get = |name: &str| {
        let name = format!("HUAWEICLOUD_SDK_{name}");
        (line.around.variable)(&name).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
    };
    let (ak, sk) = match (get("AK"), get("SK")) {
        (Some(ak), Some(sk)) => (ak, sk),
        (None, None) => return Found::Not("HUAWEICLOUD_SDK_AK is not set".to_owned()),
        (ak, _) => {
            let (there, missing) = if ak.is_some() { ("AK", "SK") } else { ("SK", "AK") };
            return Found::Wrong(format!("HUAWEICLOUD_SDK_{there} is set and HUAWEICLOUD_SDK_{missing} is not"));
        }
    };
    let token = get("SECURITY_TOKEN").map(SecretString::from);
    let from = "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK in the environment";
    let mut identity = Identity::keys(ak.into(), sk.into(), token, from);
    (identity.project, identity.domain) = (get("PROJECT_ID"), get("DOMAIN_ID"));
    Found::Identity(Box::new(identity))
}

/// The profile file: the one named, the SDK's variable, or the usual place.
async fn profile(line: &Line, named: Option<PathBuf>) -> Found {
    let variable = || (line.around.variable)("HUAWEICLOUD_SDK_CREDENTIALS_FILE").filter(|t| !t.is_empty());
    let usual = || line.around.home.as_ref().map(|h| h.join(".huaweicloud").join("credentials"));
    let Some(file) = named.or_else(|| variable().map(PathBuf::from)).or_else(usual) else {
        return Found::Not("there is no home folder with a profile file".to_owned());
    };
    let read = tokio::task::spawn_blocking(move || from_profile(&file)).await;
    read.unwrap_or_else(|_| Found::Wrong("the profile file could not be read inside warroom".to_owned()))
}

fn from_profile(file: &Path) -> Found {
    let shown = file.display();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Found::Not(format!("there is no {shown}")),
        Err(e) => return Found::Wrong(format!("{shown} cannot be read ({e}): check its owner and mode")),
    };
    let mut values = ini(&text, "basic");
    let (Some(ak), Some(sk)) = (values.remove("ak"), values.remove("sk")) else {
        return Found::Wrong(format!("{shown} has no ak and sk under [basic]: write ak = …, sk = …"));
    };
    let token = values.remove("security_token").map(SecretString::from);
    let mut identity = Identity::keys(ak.into(), sk.into(), token, shown.to_string());
    (identity.project, identity.domain) = (values.remove("project_id"), values.remove("domain_id"));
    identity.rereadable = true;
    let mode = std::fs::metadata(file).map_or(0, |m| m.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        identity.warning =
            Some((format!("{shown} can be read by others (mode {mode:03o})"), format!("chmod 600 {shown}")));
    }
    Found::Identity(Box::new(identity))
}

/// The values of one section of an ini file, names in lower case, empty ones left out.
fn ini(text: &str, section: &str) -> BTreeMap<String, String> {
    let (mut out, mut inside) = (BTreeMap::new(), false);
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            inside = name.trim() == section;
        } else if let Some((key, value)) = line.split_once(['=', ':']).filter(|(_, v)| inside && !v.trim().is_empty()) {
            out.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    out
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
