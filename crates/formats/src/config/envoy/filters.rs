//! Filters of listeners and of HTTP connection managers: which of them bear on the requests that
//! reach a cluster.

use super::reader::Reader;
use super::tree::Node;
use crate::config::notes::Fate;

const ADMISSION: &str = "a scenario lets all requests in";
const ASKS: &str = "a scenario asks nobody before it sends a request on";
const CACHE: &str = "answers that are kept ask no host, and a scenario keeps none";
const FAULT: &str = "it delays and fails requests on purpose, which a scenario does by its faults";
const PROGRAM: &str = "what a program does with requests is not read";
const RATE: &str = "an answer of a scenario takes as long as its service";
const ROUTED: &str = "requests go where the strategy sends them in a scenario";

/// Filters by the word in their type or name (Envoy 1.40, api/envoy/extensions/filters).
const FILTERS: &[(&str, Fate)] = &[
    ("adaptive_concurrency", Fate::Left(ADMISSION)),
    ("admission_control", Fate::Left(ADMISSION)),
    ("alternate_protocols_cache", Fate::Aside),
    ("api_key_auth", Fate::Aside),
    ("aws_lambda", Fate::Left(ROUTED)),
    ("aws_request_signing", Fate::Aside),
    ("bandwidth_limit", Fate::Left(RATE)),
    ("basic_auth", Fate::Aside),
    ("buffer", Fate::Aside),
    ("cache", Fate::Left(CACHE)),
    ("cache_v2", Fate::Left(CACHE)),
    ("cdn_loop", Fate::Aside),
    ("client_ssl_auth", Fate::Aside),
    ("compressor", Fate::Aside),
    ("connect_grpc_bridge", Fate::Aside),
    ("connection_limit", Fate::Left(ADMISSION)),
    ("cors", Fate::Aside),
    ("credential_injector", Fate::Aside),
    ("csrf", Fate::Aside),
    ("custom_response", Fate::Aside),
    ("decompressor", Fate::Aside),
    ("direct_response", Fate::Aside),
    ("dynamic_forward_proxy", Fate::Left(ROUTED)),
    ("dynamic_modules", Fate::Left(PROGRAM)),
    ("dynamo", Fate::Aside),
    ("echo", Fate::Aside),
    ("ext_authz", Fate::Left(ASKS)),
    ("ext_proc", Fate::Left(ASKS)),
    ("fault", Fate::Left(FAULT)),
    ("file_system_buffer", Fate::Aside),
    ("gcp_authn", Fate::Aside),
    ("geoip", Fate::Aside),
    ("golang", Fate::Left(PROGRAM)),
    ("grpc_field_extraction", Fate::Aside),
    ("grpc_http1_bridge", Fate::Aside),
    ("grpc_http1_reverse_bridge", Fate::Aside),
    ("grpc_json_reverse_transcoder", Fate::Aside),
    ("grpc_json_transcoder", Fate::Aside),
    ("grpc_stats", Fate::Aside),
    ("grpc_web", Fate::Aside),
    ("gzip", Fate::Aside),
    ("header_mutation", Fate::Aside),
    ("header_to_metadata", Fate::Aside),
    ("health_check", Fate::Aside),
    ("http_connection_manager", Fate::Carried),
    ("ip_tagging", Fate::Aside),
    ("json_to_metadata", Fate::Aside),
    ("jwt_authn", Fate::Aside),
    ("kill_request", Fate::Left(FAULT)),
    ("local_ratelimit", Fate::Left(ADMISSION)),
    ("lua", Fate::Left(PROGRAM)),
    ("match_delegate", Fate::Aside),
    ("mongo_proxy", Fate::Aside),
    ("mysql_proxy", Fate::Aside),
    ("oauth2", Fate::Aside),
    ("on_demand", Fate::Aside),
    ("original_src", Fate::Aside),
    ("postgres_proxy", Fate::Aside),
    ("proto_message_extraction", Fate::Aside),
    ("rate_limit_quota", Fate::Left(ADMISSION)),
    ("ratelimit", Fate::Left(ADMISSION)),
    ("rate_limit", Fate::Left(ADMISSION)),
    ("rbac", Fate::Aside),
    ("redis_proxy", Fate::Left(ROUTED)),
    ("router", Fate::Carried),
    ("set_filter_state", Fate::Aside),
    ("set_metadata", Fate::Aside),
    ("sni_cluster", Fate::Left(ROUTED)),
    ("sni_dynamic_forward_proxy", Fate::Left(ROUTED)),
    ("stateful_session", Fate::Carried),
    ("tap", Fate::Aside),
    ("tcp_proxy", Fate::Carried),
    ("thrift_proxy", Fate::Left(ROUTED)),
    ("thrift_to_metadata", Fate::Aside),
    ("upstream_codec", Fate::Aside),
    ("wasm", Fate::Left(PROGRAM)),
    ("zookeeper_proxy", Fate::Aside),
];

/// Notes on filters that bear on requests, and on those that nobody knows.
pub(super) fn notes(reader: &mut Reader, filters: &[Node]) {
    for filter in filters {
        let disabled = filter.get("disabled").and_then(Node::scalar) == Some("true");
        let kind = word(filter).filter(|_| !disabled);
        let Some(kind) = kind else { continue };
        let at = reader.at(filter);
        match fate(kind) {
            Some(Fate::Left(why)) => {
                reader.note(at, format!("The filter `{kind}` is left out: {why}."));
            }
            None => reader.note(
                at,
                format!(
                    "The filter `{kind}` is not known: whether it bears on balance, time or failures cannot be told."
                ),
            ),
            Some(Fate::Carried | Fate::Aside) => {}
        }
    }
}

/// Notes on settings of filters for some requests alone: `typed_per_filter_config`.
pub(super) fn some(reader: &mut Reader, map: &Node) {
    let Some(settings) = map.get("typed_per_filter_config") else {
        return;
    };
    for entry in settings.entries() {
        let kind = last(&entry.name);
        if let Some(Fate::Left(why)) = fate(kind) {
            let at = reader.key_at(settings, &entry.name);
            reader.note(
                at,
                format!("What the filter `{kind}` does here is left out: {why}."),
            );
        }
    }
}

fn fate(kind: &str) -> Option<Fate> {
    let found = FILTERS.iter().find(|(name, _)| *name == kind);
    found.map(|(_, fate)| *fate)
}

/// What kind of filter it is:
/// `type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault` and the name
/// `envoy.filters.http.fault` are `fault`; older names are `envoy.fault`.
fn word(filter: &Node) -> Option<&str> {
    let config = filter.get("typed_config").or_else(|| filter.get("config"));
    let kind = config.and_then(|config| config.get("@type"));
    let kind = kind.and_then(Node::scalar).unwrap_or_default();
    let of_type = kind
        .split_once(".filters.")
        .and_then(|(_, rest)| rest.split('.').nth(1));
    let name = filter.get("name").and_then(Node::scalar)?;
    Some(of_type.unwrap_or_else(|| last(name)))
}

/// The last word of a name: `envoy.filters.http.fault` ends in `fault`.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
