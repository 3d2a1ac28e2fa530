//! The table of what the emulator answers: one row for each API with its name, service, method, path and
//! what it demands of a caller. Routing, faults, rate limits and the request log all speak of these rows.

/// Who answers, and so in which shape errors come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Identity: projects, tokens.
    Iam,
    /// Cloud Eye.
    Ces,
    /// Cloud Eye's second interface, which has errors of its own shape.
    CesV2,
    /// Cloud Trace Service.
    Cts,
    /// Log Tank Service.
    Lts,
    /// Application Operations Management: Prometheus behind the gateway.
    Aom,
    /// A plain Prometheus: no gateway in front, nothing signed.
    Prometheus,
    /// The metadata service of a virtual machine: no gateway in front, nothing signed.
    Metadata,
}

/// What an API demands before it looks at the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A signature or a token.
    Gateway,
    /// Nothing.
    Open,
}

macro_rules! apis {
    ($($(#[doc = $doc:literal])+ $api:ident $name:literal $service:ident $auth:ident $method:literal $path:literal;)+) => {
        /// An API of the emulator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Api { $($(#[doc = $doc])+ $api,)+ }

        const TABLE: &[Row] = &[
            $(Row { api: Api::$api, name: $name, service: Service::$service, auth: Auth::$auth, method: $method, path: $path },)+
        ];
    };
}

apis! {
    /// Projects of the account.
    Projects "iam.projects" Iam Gateway "GET" "/v3/projects";
    /// A token for a user's password.
    Tokens "iam.tokens" Iam Open "POST" "/v3/auth/tokens";
    /// Temporary keys for keys or a token.
    SecurityTokens "iam.securitytokens" Iam Gateway "POST" "/v3.0/OS-CREDENTIAL/securitytokens";
    /// A token to ask the metadata service with.
    MetadataToken "metadata.token" Metadata Open "PUT" "/meta-data/latest/api/token";
    /// Temporary keys of the machine's agency.
    SecurityKey "metadata.securitykey" Metadata Open "GET" "/openstack/latest/securitykey";
    /// Points of many metrics.
    Batch "ces.batch" Ces Gateway "POST" "/V1.0/{project}/batch-query-metric-data";
    /// Points of one metric.
    Data "ces.data" Ces Gateway "GET" "/V1.0/{project}/metric-data";
    /// What is measured.
    Metrics "ces.metrics" Ces Gateway "GET" "/V1.0/{project}/metrics";
    /// Alarm rules.
    AlarmsV1 "ces.alarms" Ces Gateway "GET" "/V1.0/{project}/alarms";
    /// Alarm rules, second interface.
    AlarmsV2 "ces.alarms.v2" CesV2 Gateway "GET" "/v2/{project}/alarms";
    /// What alarms did.
    HistoriesV1 "ces.histories" Ces Gateway "GET" "/V1.0/{project}/alarm-histories";
    /// What alarms did, second interface.
    HistoriesV2 "ces.histories.v2" CesV2 Gateway "GET" "/v2/{project}/alarm-histories";
    /// Events by name.
    Events "ces.events" Ces Gateway "GET" "/V1.0/{project}/events";
    /// Each occurrence of one event.
    Event "ces.event" Ces Gateway "GET" "/V1.0/{project}/event/{name}";
    /// Who did what.
    Traces "cts.traces" Cts Gateway "GET" "/v3/{project}/traces";
    /// Log groups.
    Groups "lts.groups" Lts Gateway "GET" "/v2/{project}/groups";
    /// Streams of a group.
    Streams "lts.streams" Lts Gateway "GET" "/v2/{project}/groups/{group}/streams";
    /// Streams of all groups.
    LogStreams "lts.log-streams" Lts Gateway "GET" "/v2/{project}/log-streams";
    /// Lines of a stream.
    Query "lts.query" Lts Gateway "POST" "/v2/{project}/groups/{group}/streams/{stream}/content/query";
    /// How many lines hold a keyword, over time.
    Histogram "lts.histogram" Lts Gateway "POST" "/v2/{project}/lts/keyword-count";
    /// Lines around a line.
    Context "lts.context" Lts Gateway "POST" "/v2/{project}/groups/{group}/streams/{stream}/context";
    /// A range query, by GET.
    AomRange "aom.query_range" Aom Gateway "GET" "/v1/{project}/aom/api/v1/query_range";
    /// A range query, by POST.
    AomRangePost "aom.query_range.post" Aom Gateway "POST" "/v1/{project}/aom/api/v1/query_range";
    /// An instant query, by GET.
    AomQuery "aom.query" Aom Gateway "GET" "/v1/{project}/aom/api/v1/query";
    /// An instant query, by POST.
    AomQueryPost "aom.query.post" Aom Gateway "POST" "/v1/{project}/aom/api/v1/query";
    /// Label names.
    AomLabels "aom.labels" Aom Gateway "GET" "/v1/{project}/aom/api/v1/labels";
    /// Label names, by POST.
    AomLabelsPost "aom.labels.post" Aom Gateway "POST" "/v1/{project}/aom/api/v1/labels";
    /// Values of a label.
    AomValues "aom.values" Aom Gateway "GET" "/v1/{project}/aom/api/v1/label/{name}/values";
    /// Types and helps of metrics.
    AomMetadata "aom.metadata" Aom Gateway "GET" "/v1/{project}/aom/api/v1/metadata";
    /// A range query, by GET.
    PromRange "prometheus.query_range" Prometheus Open "GET" "/api/v1/query_range";
    /// A range query, by POST.
    PromRangePost "prometheus.query_range.post" Prometheus Open "POST" "/api/v1/query_range";
    /// An instant query, by GET.
    PromQuery "prometheus.query" Prometheus Open "GET" "/api/v1/query";
    /// An instant query, by POST.
    PromQueryPost "prometheus.query.post" Prometheus Open "POST" "/api/v1/query";
    /// Label names.
    PromLabels "prometheus.labels" Prometheus Open "GET" "/api/v1/labels";
    /// Label names, by POST.
    PromLabelsPost "prometheus.labels.post" Prometheus Open "POST" "/api/v1/labels";
    /// Values of a label.
    PromValues "prometheus.values" Prometheus Open "GET" "/api/v1/label/{name}/values";
    /// Types and helps of metrics.
    PromMetadata "prometheus.metadata" Prometheus Open "GET" "/api/v1/metadata";
    /// What one pod says about itself.
    Scrape "scrape" Prometheus Open "GET" "/metrics/{name}";
}

struct Row {
    api: Api,
    name: &'static str,
    service: Service,
    auth: Auth,
    method: &'static str,
    path: &'static str,
}

/// The parts of a path that stand in for a name in the table: project, group, stream, event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<(&'static str, String)>);

impl Places {
    /// What stands at a place; empty when the path has no such place.
    pub fn get(&self, place: &str) -> &str {
        self.0.iter().find(|(p, _)| *p == place).map_or("", |(_, v)| v)
    }
}

impl Api {
    /// Every API, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|r| r.api)
    }

    fn row(self) -> &'static Row {
        // The table is made from the variants, in their order.
        &TABLE[self as usize]
    }

    /// Its name in faults, rates and the request log: `ces.batch`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Who answers.
    pub fn service(self) -> Service {
        self.row().service
    }

    /// What it demands.
    pub fn auth(self) -> Auth {
        self.row().auth
    }

    /// The API of that name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|r| r.name == name).map(|r| r.api)
    }

    /// The API that a request line means. Paths are compared case by case, as the services do; one slash
    /// at the end is forgiven, because the signature adds one (our choice).
    pub fn find(method: &str, path: &str) -> Option<(Self, Places)> {
        let path = path.strip_suffix('/').unwrap_or(path);
        TABLE.iter().filter(|r| r.method == method).find_map(|r| Some((r.api, places(r.path, path)?)))
    }
}

fn places(pattern: &'static str, path: &str) -> Option<Places> {
    let mut found = Vec::new();
    let mut given = path.split('/');
    for expected in pattern.split('/') {
        let given = given.next()?;
        match expected.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(place) if !given.is_empty() => found.push((place, super::text::decoded(given))),
            _ if expected == given => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(Places(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_where_its_variant_says() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!((row.api as usize, Api::named(row.name)), (i, Some(row.api)), "{}", row.name);
        }
    }

    #[test]
    fn paths_are_told_apart_by_method_case_and_length() {
        let found =
            Api::find("POST", "/V1.0/p1/batch-query-metric-data").map(|(a, p)| (a, p.get("project").to_owned()));
        assert_eq!(found, Some((Api::Batch, "p1".to_owned())));
        assert_eq!(Api::find("GET", "/V1.0/p1/batch-query-metric-data"), None);
        assert_eq!(Api::find("POST", "/v1.0/p1/batch-query-metric-data"), None);
        assert_eq!(Api::find("GET", "/V1.0//metrics"), None);
        assert_eq!(Api::find("GET", "/V1.0/p1/metrics/more"), None);
    }
}
