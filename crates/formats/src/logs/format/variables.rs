//! The variables of nginx, and what those mean that say something of a request.
//!
//! ngx_http_core_module ("Embedded Variables"), ngx_http_log_module, ngx_http_upstream_module,
//! ngx_http_proxy_module, ngx_http_realip_module.

use crate::spelling::slip;

/// What a variable says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Meaning {
    /// Nothing that is asked for here.
    Other,
    /// The client.
    Client,
    /// The client, where the first does not say.
    ClientElse,
    /// The end, as `17/May/2015:10:05:03 +0000`.
    Local,
    /// The end, as `2015-05-17T10:05:03+00:00`.
    Iso,
    /// The end, in seconds with milliseconds.
    Msec,
    /// The request line.
    Request,
    /// The target.
    RequestUri,
    /// The path, perhaps rewritten.
    Uri,
    /// The status.
    Status,
    /// Bytes sent, head and all.
    Bytes,
    /// Bytes of the body sent.
    BodyBytes,
    /// Seconds from the first byte of the request to the last of the answer.
    RequestTime,
    /// The servers.
    UpstreamAddr,
    /// What they took.
    UpstreamTime,
    /// What connecting took.
    UpstreamConnect,
    /// What they took to the head of the answer.
    UpstreamHeader,
    /// Their statuses.
    UpstreamStatus,
    /// The pool.
    Pool,
}

/// How many meanings there are.
pub(super) const MEANINGS: usize = 19;

/// Variables that say something, the better one first where two say the same.
const SPEAKING: &[(&str, Meaning)] = &[
    ("remote_addr", Meaning::Client),
    ("http_x_forwarded_for", Meaning::ClientElse),
    ("proxy_add_x_forwarded_for", Meaning::ClientElse),
    ("http_x_real_ip", Meaning::ClientElse),
    ("proxy_protocol_addr", Meaning::ClientElse),
    ("realip_remote_addr", Meaning::ClientElse),
    ("time_local", Meaning::Local),
    ("time_iso8601", Meaning::Iso),
    ("msec", Meaning::Msec),
    ("request", Meaning::Request),
    ("request_uri", Meaning::RequestUri),
    ("uri", Meaning::Uri),
    ("document_uri", Meaning::Uri),
    ("status", Meaning::Status),
    ("bytes_sent", Meaning::Bytes),
    ("body_bytes_sent", Meaning::BodyBytes),
    ("request_time", Meaning::RequestTime),
    ("upstream_addr", Meaning::UpstreamAddr),
    ("upstream_response_time", Meaning::UpstreamTime),
    ("upstream_connect_time", Meaning::UpstreamConnect),
    ("upstream_header_time", Meaning::UpstreamHeader),
    ("upstream_status", Meaning::UpstreamStatus),
    ("proxy_upstream_name", Meaning::Pool),
    ("upstream_name", Meaning::Pool),
    ("upstream", Meaning::Pool),
    ("proxy_host", Meaning::Pool),
];

/// The others of nginx.
const SILENT: &str = "ancient_browser args binary_remote_addr connection connection_requests connection_time connections_active \
    connections_reading connections_waiting connections_writing content_length content_type date_gmt date_local document_root \
    fastcgi_path_info fastcgi_script_name geoip_city geoip_country_code gzip_ratio host hostname http2 http3 https \
    http_host http_referer http_user_agent http_cookie http_via invalid_referer is_args is_request_port limit_conn_status \
    limit_rate limit_req_status memcached_key modern_browser nginx_version pid pipe proxy_alternative_upstream_name proxy_port \
    proxy_protocol_port proxy_protocol_server_addr proxy_protocol_server_port query_string realip_remote_port realpath_root \
    remote_port remote_user req_id request_body request_body_file request_completion request_filename request_id request_length \
    request_method request_port scheme secure_link secure_link_expires server_addr server_name server_port server_protocol \
    service_name session_log_id slice_range spdy ssl_alpn_protocol ssl_cipher ssl_ciphers ssl_client_cert ssl_client_fingerprint \
    ssl_client_i_dn ssl_client_s_dn ssl_client_serial ssl_client_v_end ssl_client_v_remain ssl_client_v_start ssl_client_verify \
    ssl_curve ssl_curves ssl_early_data ssl_protocol ssl_server_name ssl_session_id ssl_session_reused tcpinfo_rcv_space \
    tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd uid_got uid_reset uid_set upstream_bytes_received upstream_bytes_sent \
    upstream_cache_age upstream_cache_key upstream_cache_last_modified upstream_cache_status upstream_first_byte_time \
    upstream_last_addr upstream_last_server_name upstream_queue_time upstream_response_length upstream_session_time \
    namespace ingress_name service_port";

/// Variables whose names go on with whatever is asked for.
const FAMILIES: &[&str] = &[
    "http_",
    "arg_",
    "cookie_",
    "sent_http_",
    "sent_trailer_",
    "upstream_http_",
    "upstream_trailer_",
    "upstream_cookie_",
    "jwt_",
    "geoip_",
    "geoip2_",
    "otel_",
    "acme_",
    "ssl_",
];

/// What a variable means; an error names the one that was meant, perhaps. A configuration may
/// define others, which say nothing here.
pub(super) fn meaning(name: &str) -> Result<(Meaning, usize), &'static str> {
    if let Some(rank) = SPEAKING.iter().position(|(known, _)| *known == name)
        && let Some(&(_, meaning)) = SPEAKING.get(rank)
    {
        return Ok((meaning, rank));
    }
    let other = Ok((Meaning::Other, usize::MAX));
    if SILENT.split_whitespace().any(|known| known == name)
        || FAMILIES.iter().any(|family| name.starts_with(family))
    {
        return other;
    }
    slip(name, SPEAKING.iter().map(|(known, _)| *known)).map_or(other, Err)
}

/// The variables that tell the time.
pub(super) fn clocks() -> impl Iterator<Item = &'static str> {
    ["msec", "time_iso8601", "time_local"].into_iter()
}

impl Meaning {
    /// Whether a value may hold commas with spaces: the separators of a list.
    pub(super) fn is_list(self) -> bool {
        matches!(
            self,
            Meaning::ClientElse
                | Meaning::UpstreamAddr
                | Meaning::UpstreamTime
                | Meaning::UpstreamConnect
                | Meaning::UpstreamHeader
                | Meaning::UpstreamStatus
        )
    }
}

/// Whether a variable of upstreams that says nothing here is a list too.
pub(super) fn is_silent_list(name: &str) -> bool {
    matches!(
        name,
        "upstream_response_length" | "upstream_bytes_received" | "upstream_bytes_sent"
    ) || name == "upstream_first_byte_time"
}
