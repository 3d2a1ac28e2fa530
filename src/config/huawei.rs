//! `[huawei]`: the account, how we prove who we are, where its services answer, and how often they may be
//! asked.
//!
//! May not know: how a request is signed or sent. Every problem names its key and what to write instead.

use crate::config::Secret;
use crate::config::cloud_metrics::{self, CloudMetrics};
use crate::config::section::Section;
use crate::model::Lapse;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[huawei]`
#[derive(Clone, Debug)]
pub struct HuaweiConfig {
    /// Name on the dot and in front of every series.
    pub name: String,
    /// Region, like `ap-southeast-4`.
    pub region: String,
    /// Project; found by the region's name when absent.
    pub project_id: Option<String>,
    /// Account, sent with calls of services that know no region.
    pub domain_id: Option<String>,
    /// How we prove who we are.
    pub credentials: CredentialConfig,
    /// Requests a second that each API may get from us.
    pub requests_per_second: f64,
    /// How often the metrics are asked.
    pub interval: Lapse,
    /// Metrics in one batch request; halved by itself when the service refuses.
    pub batch_size: u32,
    /// Endpoints that differ from the public ones: service to URL, without a slash at its end.
    pub endpoints: BTreeMap<String, String>,
    /// Metrics, alarms, events and traces that are asked for.
    pub metrics: CloudMetrics,
}

impl HuaweiConfig {
    /// Name of the source that brings alarms, events and traces as marks.
    pub fn marks_name(&self) -> String {
        format!("{}-marks", self.name)
    }
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum CredentialConfig {
    /// Environment, then profile file, then the metadata service: the first that has them.
    Auto,
    /// Written here.
    Keys {
        /// Access key (AK).
        access_key: Secret,
        /// Secret key (SK).
        secret_key: Secret,
        /// Goes with temporary keys.
        security_token: Option<Secret>,
    },
    /// `HUAWEICLOUD_SDK_AK` and its neighbours.
    Environment,
    /// An ini file with `[basic]`; `~/.huaweicloud/credentials` when absent.
    Profile(Option<PathBuf>),
    /// The metadata service of an ECS host with an agency.
    Metadata,
    /// A command or a file that gives the credential as JSON.
    Document(Secret),
    /// An IAM user's password, exchanged for a token.
    Iam {
        /// The account's name.
        domain: String,
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl CredentialConfig {
    /// Whether a key or a password itself stands in the configuration file.
    pub const fn is_plain(&self) -> bool {
        match self {
            Self::Keys { secret_key, .. } => secret_key.is_plain(),
            Self::Iam { password, .. } => password.is_plain(),
            Self::Auto | Self::Environment | Self::Profile(_) | Self::Metadata | Self::Document(_) => false,
        }
    }
}

/// Services whose endpoint can be set; `metadata` is the ECS metadata service.
pub const ENDPOINTS: [&str; 7] = ["ces", "cts", "aom", "lts", "iam", "rds", "metadata"];

const FORMS: &str = "auto, keys, env, profile, metadata, iam, cmd:COMMAND or file:/path";

/// Reads `[huawei]`; nothing when it is not there or cannot be used.
pub fn huawei(root: &Section<'_>) -> Option<HuaweiConfig> {
    let s = root.section("huawei")?;
    let region = s.needed("region", "the region's id, like ap-southeast-4");
    if let Some(region) = region.as_ref().filter(|r| !is_region(r)) {
        s.problem(
            "region",
            format!("\"{region}\" is no region: its id has letters, digits and -, like ap-southeast-4"),
        );
    }
    let name = s.text("name").unwrap_or_else(|| "huawei".to_owned());
    let out = HuaweiConfig {
        metrics: cloud_metrics::read(&s, &name),
        name,
        region: region.clone().unwrap_or_default(),
        project_id: id(&s, "project_id"),
        domain_id: id(&s, "domain_id"),
        credentials: credentials(&s),
        requests_per_second: rate(&s),
        interval: s.lapse("interval", Lapse::minutes(1), Lapse::seconds(10)),
        batch_size: s.whole("batch_size", 100, 1..=500),
        endpoints: endpoints(&s),
    };
    s.finish();
    region.map(|_| out)
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// An id that becomes part of a path and of a header.
fn id(s: &Section<'_>, key: &str) -> Option<String> {
    let id = s.text(key)?;
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        s.problem(key, "is no id: 32 letters and digits, as the console shows it under My Credentials");
        return None;
    }
    Some(id)
}

/// More than ten a second is refused: the gateway throttles earlier, for everybody who uses the account.
fn rate(s: &Section<'_>) -> f64 {
    let rate = s.positive("requests_per_second", 2.0);
    if rate > 10.0 {
        s.problem("requests_per_second", "is more than 10: the account's limit is shared with everybody else");
    }
    rate
}

fn credentials(s: &Section<'_>) -> CredentialConfig {
    let word = s.text("credentials");
    let folder = s.page().folder();
    let secret = |key: &str| s.text(key).map(|t| Secret::parse(&t, folder));
    let (access, key, token) = (secret("access_key"), secret("secret_key"), secret("security_token"));
    let profile = s.path("profile");
    let (user, domain, password) = (s.text("iam_user"), s.text("iam_domain"), secret("iam_password"));
    // Without the word, what is there says what is meant.
    let said = word.as_deref().unwrap_or(match (&access, &key, &user, &profile) {
        (Some(_), ..) | (_, Some(_), ..) => "keys",
        (_, _, Some(_), _) => "iam",
        (.., Some(_)) => "profile",
        _ => "auto",
    });
    match said {
        "auto" => CredentialConfig::Auto,
        "env" => CredentialConfig::Environment,
        "profile" => CredentialConfig::Profile(profile),
        "metadata" => CredentialConfig::Metadata,
        "keys" => {
            let (access_key, secret_key) = (
                there(s, "access_key", access, "\"env:NAME\" or \"file:/path\" with the access key (AK)"),
                there(s, "secret_key", key, "\"env:NAME\" or \"file:/path\" with the secret key (SK)"),
            );
            CredentialConfig::Keys { access_key, secret_key, security_token: token }
        }
        "iam" => CredentialConfig::Iam {
            domain: there(s, "iam_domain", domain, "the account's name, which an IAM user's token is asked with"),
            user: there(s, "iam_user", user, "the IAM user's name"),
            password: there(s, "iam_password", password, "\"env:NAME\" or \"file:/path\" with the IAM user's password"),
        },
        other if other.starts_with("cmd:") || other.starts_with("file:") => {
            CredentialConfig::Document(Secret::parse(other, folder))
        }
        _ => {
            // What stands there may be a key that somebody put into the wrong line: it is not repeated.
            s.problem("credentials", format!("is none of {FORMS}"));
            CredentialConfig::Auto
        }
    }
}

/// A value that this kind of credentials cannot do without.
fn there<T: Absent>(s: &Section<'_>, key: &str, value: Option<T>, why: &str) -> T {
    value.unwrap_or_else(|| {
        s.problem(key, format!("is missing: {why}"));
        T::absent()
    })
}

/// What stands for a value whose absence was already told.
trait Absent {
    fn absent() -> Self;
}
impl Absent for String {
    fn absent() -> Self {
        Self::new()
    }
}
impl Absent for Secret {
    fn absent() -> Self {
        Self::Plain(String::new().into())
    }
}

fn endpoints(s: &Section<'_>) -> BTreeMap<String, String> {
    let Some(section) = s.section("endpoints") else { return BTreeMap::new() };
    let mut out = BTreeMap::new();
    for service in ENDPOINTS {
        let Some(text) = section.text(service) else { continue };
        match endpoint(&text, service == "metadata") {
            Ok(url) => {
                out.insert(service.to_owned(), url);
            }
            Err(says) => section.problem(service, says),
        }
    }
    section.finish();
    out
}

/// `https://host[:port]`, or `http://` to this host (and to the metadata service, which speaks nothing else).
pub fn endpoint(text: &str, metadata: bool) -> Result<String, String> {
    let form = "write https://HOST, without a path; http:// only for an emulator on 127.0.0.1";
    let url = text.trim().trim_end_matches('/');
    let (secure, host) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => (true, host),
        (_, Some(host)) => (false, host),
        _ => return Err(format!("is no endpoint: {form}")),
    };
    let name = host_name(host);
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if name.is_empty() || !host.chars().all(fit) {
        return Err(format!("is no endpoint: {form}"));
    }
    let open = is_loopback(name) || (metadata && name == "169.254.169.254");
    if !secure && !open {
        return Err(format!("would send credentials over the network in the open: {form}"));
    }
    Ok(url.to_owned())
}

/// The host without its port and brackets.
fn host_name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::load::parse;
    use std::path::Path;

    fn read(text: &str) -> Result<Config, String> {
        let text = format!("[huawei]\nregion = 'ap-southeast-4'\n{text}");
        let problems = |p: Vec<crate::config::Problem>| p.iter().map(|p| format!("{p}\n")).collect::<String>();
        parse(Path::new("/etc/warroom/config.toml"), &text).0.map_err(problems)
    }
    fn block(text: &str) -> HuaweiConfig {
        read(text).unwrap().huawei.unwrap()
    }
    fn says(text: &str) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn what_is_there_says_which_credentials_are_meant() {
        use CredentialConfig as C;
        assert!(matches!(block("").credentials, C::Auto));
        let keys = block("access_key = 'env:A'\nsecret_key = 'file:sk'").credentials;
        let C::Keys { access_key: Secret::Env(ak), secret_key: Secret::File(sk), security_token: None } = keys else {
            panic!("{keys:?}")
        };
        assert_eq!((ak.as_str(), sk.to_str()), ("A", Some("/etc/warroom/sk")));
        assert!(matches!(block("profile = 'p'").credentials, C::Profile(Some(p)) if p.ends_with("p")));
        assert!(matches!(block("credentials = 'profile'").credentials, C::Profile(None)));
        assert!(matches!(block("credentials = 'env'").credentials, C::Environment));
        assert!(matches!(block("credentials = 'metadata'").credentials, C::Metadata));
        assert!(
            matches!(block("credentials = 'cmd:pass x'").credentials, C::Document(Secret::Command(c)) if c == "pass x")
        );
        let iam = "iam_user = 'u'\niam_domain = 'd'\niam_password = 'env:P'";
        assert!(matches!(block(iam).credentials, C::Iam { user, .. } if user == "u"));
    }

    #[test]
    fn every_problem_names_its_line_its_key_and_what_to_write() {
        for (text, told) in [
            ("access_key = 'env:A'", "huawei.secret_key: is missing: \"env:NAME\""),
            ("iam_user = 'u'\niam_password = 'env:P'", "huawei.iam_domain: is missing"),
            ("credentials = 'metdata'", "config.toml:3: huawei.credentials: is none of auto, keys"),
            ("project_id = '../etc'", "config.toml:3: huawei.project_id: is no id"),
            ("requests_per_second = 50", "huawei.requests_per_second: is more than 10"),
            ("requests_per_second = 0", "a number above 0"),
            ("interval = '1s'", "too short"),
            ("batch_size = 501", "from 1 to 500"),
            ("regio = 'x'", "did you mean region?"),
            (
                "[huawei.endpoints]\nces = 'ces.example'",
                "config.toml:4: huawei.endpoints.ces: is no endpoint: write https://",
            ),
            ("[huawei.endpoints]\nces = 'http://ces.example'", "in the open"),
            ("[huawei.endpoints]\nces = 'http://169.254.169.254'", "in the open"),
            ("[huawei.endpoints]\nces = 'https://host/path'", "without a path"),
            ("[huawei.endpoints]\nces = 'https://user:pw@host'", "is no endpoint"),
            ("[huawei.endpoints]\nobs = 'https://host'", "is not a key"),
            ("name = 'people'", "warroom uses that name itself"),
        ] {
            assert!(says(text).contains(told), "{text}\n{}", says(text));
        }
        let region = |text: &str| parse(Path::new("c.toml"), text).0.unwrap_err()[0].to_string();
        assert!(region("[huawei]\n").contains("c.toml:1: huawei.region: is missing"));
        assert!(region("[huawei]\nregion = 'Jakarta 4'").contains("is no region"));
    }

    #[test]
    fn a_key_in_the_wrong_line_is_never_quoted() {
        for text in ["credentials = 'hunter2'", "project_id = 'hunter2 hunter2'", "[huawei.endpoints]\nces = 'hunter2'"]
        {
            assert!(!says(text).contains("hunter2"), "{}", says(text));
        }
    }

    #[test]
    fn a_secret_key_in_a_file_that_others_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let warned = |text: &str| crate::config::load::exposed(&file, &read(text).unwrap());
        let says = warned("access_key = 'env:A'\nsecret_key = 'hunter2'").unwrap();
        assert!(says.contains("huawei") && says.contains("chmod 600") && !says.contains("hunter2"), "{says}");
        assert_eq!(warned("access_key = 'A'\nsecret_key = 'env:S'"), None);
    }

    #[test]
    fn endpoints_are_hosts_and_only_this_machine_is_spoken_to_in_the_open() {
        for (text, metadata, url) in [
            ("https://ces.x.myhuaweicloud.com/", false, "https://ces.x.myhuaweicloud.com"),
            ("http://127.0.0.1:18080", false, "http://127.0.0.1:18080"),
            ("http://[::1]:18080", false, "http://[::1]:18080"),
            ("http://localhost", false, "http://localhost"),
            ("http://169.254.169.254", true, "http://169.254.169.254"),
        ] {
            assert_eq!(endpoint(text, metadata).as_deref(), Ok(url));
        }
        for text in [
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "ftp://h",
            "https://",
            "https://h?x",
            "https://h#x",
            "",
        ] {
            assert!(endpoint(text, false).is_err(), "{text}");
        }
    }
}
