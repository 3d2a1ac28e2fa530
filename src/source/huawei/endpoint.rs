//! Where a service answers: the configuration's word, the SDK's environment names, or the public host of
//! the region.
//!
//! May not know: how a request is made.

use crate::config::HuaweiConfig;
use crate::config::huawei::endpoint;

/// The services asked. Names and paths are case-sensitive there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Cloud Eye: metrics, alarms, events.
    Ces,
    /// Cloud Trace Service: who changed what.
    Cts,
    /// Application Operations Management: Prometheus metrics of pods.
    Aom,
    /// Log Tank Service.
    Lts,
    /// Identity and Access Management.
    Iam,
    /// Relational Database Service.
    Rds,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 6] = [Self::Ces, Self::Cts, Self::Aom, Self::Lts, Self::Iam, Self::Rds];
    /// Name in host names and in `[huawei.endpoints]`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ces => "ces",
            Self::Cts => "cts",
            Self::Aom => "aom",
            Self::Lts => "lts",
            Self::Iam => "iam",
            Self::Rds => "rds",
        }
    }
    /// Name as people say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ces => "CES",
            Self::Cts => "CTS",
            Self::Aom => "AOM",
            Self::Lts => "LTS",
            Self::Iam => "IAM",
            Self::Rds => "RDS",
        }
    }
}

/// The hosts of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// URLs without a path, tried in this order when a host cannot be reached.
    pub urls: Vec<String>,
    /// Whether the host was made from the region's name: when it does not exist, the service is not
    /// offered there.
    pub made: bool,
}

/// The endpoint of a service. `variable` reads the environment. The error names the variable that holds
/// no endpoint.
pub fn of(
    config: &HuaweiConfig,
    service: Service,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Endpoint, String> {
    if let Some(url) = config.endpoints.get(service.id()) {
        return Ok(Endpoint { urls: vec![url.clone()], made: false });
    }
    for name in variables(config, service) {
        if let Some(text) = variable(&name).filter(|t| !t.is_empty()) {
            let url = endpoint(&text, false).map_err(|says| format!("the environment variable {name} {says}"))?;
            return Ok(Endpoint { urls: vec![url], made: false });
        }
    }
    let (id, region) = (service.id(), &config.region);
    let mut urls = vec![format!("https://{id}.{region}.myhuaweicloud.com")];
    match service {
        // The one service with a second host in every region.
        Service::Cts => urls.push(format!("https://{id}.{region}.myhuaweicloud.cn")),
        // Knows every region.
        Service::Iam => urls.push("https://iam.myhuaweicloud.com".to_owned()),
        Service::Ces | Service::Aom | Service::Lts | Service::Rds => {}
    }
    Ok(Endpoint { urls, made: true })
}

/// What the SDKs call it in the environment.
fn variables(config: &HuaweiConfig, service: Service) -> Vec<String> {
    let region = config.region.to_ascii_uppercase().replace('-', "_");
    let mut names = vec![format!("HUAWEICLOUD_SDK_REGION_{}_{region}", service.name())];
    if service == Service::Iam {
        names.push("HUAWEICLOUD_SDK_IAM_ENDPOINT".to_owned());
    }
    names
}
