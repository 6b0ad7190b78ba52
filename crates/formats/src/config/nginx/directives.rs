//! What becomes of each directive: the modules of nginx up to 1.29 with those of NGINX Plus
//! (nginx.org, "Alphabetical index of directives"), and modules of others that are often found.

use super::tree::Directive;
use crate::config::notes::Fate;

const ADMISSION: &str = "a scenario lets all requests in";
const CACHE: &str = "answers that are kept ask no server, and a scenario keeps none: give it the rate of requests that do ask one";
const COPIES: &str = "a scenario sends each request once";
const ONE_TIMEOUT: &str = "an attempt of a scenario has one timeout";
const PROGRAM: &str = "what a program does with requests is not read";
const RATE: &str = "an answer of a scenario takes as long as its service";
const SUBREQUEST: &str = "a scenario asks nobody before it sends a request on";

/// Directives that bear on balance, time or failures, and are not carried over. A `*` at the end
/// stands for any letters.
const LEFT: &[(&str, &str)] = &[
    ("access_by_lua*", PROGRAM),
    ("auth_request", SUBREQUEST),
    ("auth_jwt_key_request", SUBREQUEST),
    ("content_by_lua*", PROGRAM),
    ("degrade", ADMISSION),
    ("js_access", PROGRAM),
    ("js_content", PROGRAM),
    ("limit_conn", ADMISSION),
    ("limit_rate", RATE),
    ("limit_req", ADMISSION),
    ("limit_traffic_rate*", RATE),
    ("limit_upstream_conn", ADMISSION),
    ("limit_upstream_req", ADMISSION),
    ("limit_zone", ADMISSION),
    ("mirror", COPIES),
    ("modsecurity", ADMISSION),
    ("perl", PROGRAM),
    ("post_action", COPIES),
    ("preread_by_lua*", PROGRAM),
    ("proxy_download_rate", RATE),
    (
        "proxy_session_drop",
        "connections of a scenario stay where they are",
    ),
    ("proxy_upload_rate", RATE),
    ("redis_pass", CACHE),
    ("redis2_pass", CACHE),
    ("memc_pass", CACHE),
    ("rewrite_by_lua*", PROGRAM),
    ("set_by_lua*", PROGRAM),
    ("srcache_fetch", CACHE),
];

/// Ends of directives that a family of proxies shares (`proxy_cache`, `fastcgi_cache`) and that
/// bear on requests.
const FAMILY_LEFT: &[(&str, &str)] = &[
    ("cache", CACHE),
    ("limit_rate", RATE),
    ("send_timeout", ONE_TIMEOUT),
];

/// Ends of directives that a family of proxies shares, and that are carried over or have notes of
/// their own.
const FAMILY_CARRIED: &[&str] = &[
    "connect_timeout",
    "next_upstream",
    "next_upstream_timeout",
    "next_upstream_tries",
    "pass",
    "read_timeout",
    "timeout",
];

/// Ends of directives that a family of proxies shares, and that bear on nothing here.
const FAMILY_ASIDE: &[&str] = &[
    "allow_upstream",
    "bind",
    "bind_dynamic",
    "buffer",
    "buffer_size",
    "buffering",
    "buffers",
    "busy_buffers_size",
    "cache_*",
    "catch_stderr",
    "cookie_*",
    "force_ranges",
    "gzip_flag",
    "half_close",
    "headers_hash_*",
    "hide_header",
    "http_version",
    "ignore_client_abort",
    "ignore_headers",
    "index",
    "intercept_errors",
    "keep_conn",
    "max_temp_file_size",
    "method",
    "modifier1",
    "modifier2",
    "no_cache",
    "param",
    "pass_header",
    "pass_request_*",
    "pass_trailers",
    "protocol",
    "protocol_timeout",
    "redirect",
    "request_buffering",
    "request_dynamic_*",
    "requests",
    "responses",
    "send_lowat",
    "set_body",
    "set_header",
    "socket_keepalive",
    "split_path_info",
    "ssl",
    "ssl_*",
    "store",
    "store_access",
    "string",
    "temp_*",
    "upstream_buffer",
    "downstream_buffer",
];

/// Directives that are carried over, or of which a note of its own says what is not.
const CARRIED: &[&str] = &[
    "geo",
    "health_check",
    "http",
    "include",
    "location",
    "log_format",
    "map",
    "server",
    "set",
    "split_clients",
    "stream",
    "upstream",
    "worker_processes",
];

/// Directives that bear neither on balance nor on time nor on failures: what is listened to, looked
/// at, logged and written, and how nginx itself runs, with the limits of its processes. Requests
/// that nginx answers itself (`return`, `root`) or sends elsewhere by what they say (`rewrite`) are
/// not requests of a pool.
const ASIDE: &[&str] = &[
    "absolute_redirect",
    "accept_mutex*",
    "acceptex_read",
    "access_log",
    "acme_*",
    "add_*",
    "addition_types",
    "aio*",
    "alias",
    "allow",
    "ancient_browser*",
    "api",
    "auth_basic*",
    "auth_delay",
    "auth_http*",
    "auth_jwt*",
    "auth_oidc",
    "auth_request_set",
    "autoindex*",
    "body_filter_by_lua*",
    "break",
    "brotli*",
    "charset*",
    "check_shm_size",
    "check_status",
    "chunked_transfer_encoding",
    "client_body*",
    "client_header*",
    "client_max_body_size",
    "connection_pool_size",
    "cookie_*",
    "create_full_put_path",
    "daemon",
    "dav_*",
    "debug_*",
    "default_type",
    "degradation",
    "deny",
    "devpoll_*",
    "directio*",
    "disable_symlinks",
    "early_hints",
    "echo*",
    "empty_gif",
    "env",
    "epoll_events",
    "error_log",
    "error_page",
    "etag",
    "eventport_events",
    "events",
    "exit_worker_by_lua*",
    "expires",
    "f4f*",
    "fancyindex*",
    "flv",
    "geoip*",
    "google_perftools_profiles",
    "gunzip*",
    "gzip*",
    "health_check_timeout",
    "header_filter_by_lua*",
    "hls*",
    "http2*",
    "http3*",
    "if",
    "if_modified_since",
    "ignore_invalid_headers",
    "image_filter*",
    "imap_*",
    "index",
    "init_by_lua*",
    "init_worker_by_lua*",
    "internal",
    "internal_redirect",
    "iocp_threads",
    "js_*",
    "keepalive*",
    "keyval*",
    "kqueue_*",
    "large_client_header_buffers",
    "least_*",
    "lock_file",
    "limit_conn_*",
    "limit_except",
    "limit_rate_after",
    "limit_req_*",
    "lingering_*",
    "listen",
    "load_module",
    "log_by_lua*",
    "log_not_found",
    "log_subrequest",
    "lua_*",
    "mail",
    "map_hash_*",
    "master_process",
    "match",
    "max_errors",
    "max_headers",
    "max_ranges",
    "merge_slashes",
    "mgmt",
    "min_delete_depth",
    "mirror_request_body",
    "modern_browser*",
    "modsecurity_*",
    "more_*",
    "mp4*",
    "mqtt*",
    "msie_*",
    "multi_accept",
    "num_*",
    "open_file_cache*",
    "open_log_file_cache",
    "opentelemetry*",
    "opentracing*",
    "otel_*",
    "output_buffers",
    "override_charset",
    "pagespeed*",
    "passenger_*",
    "pcre_jit",
    "perl_*",
    "pid",
    "pop3_*",
    "port_in_redirect",
    "post_acceptex",
    "postpone_*",
    "preread_*",
    "protocol",
    "proxy",
    "proxy_pass_error_message",
    "proxy_protocol*",
    "proxy_smtp_auth",
    "quic_*",
    "random_index",
    "read_ahead",
    "real_ip_*",
    "recursive_error_pages",
    "referer_hash_*",
    "request_pool_size",
    "reset_timedout_connection",
    "resolver",
    "resolver_timeout",
    "return",
    "rewrite",
    "rewrite_log",
    "root",
    "rtmp*",
    "satisfy",
    "secure_link*",
    "send_lowat",
    "send_timeout",
    "sendfile*",
    "server_name*",
    "server_names_*",
    "server_tokens",
    "session_log*",
    "set_real_ip_from",
    "slice",
    "smtp_*",
    "source_charset",
    "ssi*",
    "ssl",
    "ssl_*",
    "starttls",
    "status*",
    "stub_status",
    "sub_filter*",
    "subrequest_output_buffer_size",
    "subs_filter*",
    "target",
    "tcp_nodelay",
    "tcp_nopush",
    "thread_pool",
    "timeout",
    "timer_resolution",
    "try_files",
    "types",
    "types_hash_*",
    "underscores_in_headers",
    "uninitialized_variable_warn",
    "upload_*",
    "use",
    "user",
    "userid*",
    "valid_referers",
    "variables_hash_*",
    "vhost_traffic_status*",
    "worker_aio_requests",
    "worker_connections",
    "worker_cpu_affinity",
    "worker_priority",
    "worker_rlimit_*",
    "worker_shutdown_timeout",
    "working_directory",
    "xclient",
    "xml_entities",
    "xslt_*",
    "zone_sync*",
    "zstd*",
];

/// What becomes of a directive outside of upstreams; `None` where nobody knows what it does.
pub(super) fn fate(directive: &Directive) -> Option<Fate> {
    let name = directive.name.text.as_str();
    if is_off(directive) {
        return Some(Fate::Aside);
    }
    // Requests that fail are sent to a place that has a name, often another pool.
    if name == "error_page"
        && directive
            .arguments
            .last()
            .is_some_and(|last| last.text.starts_with('@'))
    {
        return Some(Fate::Left(
            "a request that fails is not sent elsewhere in a scenario",
        ));
    }
    let named = |list: &[&str], name: &str| list.iter().any(|pattern| matches(pattern, name));
    let left = |list: &'static [(&str, &str)], name: &str| {
        let found = list.iter().find(|(pattern, _)| matches(pattern, name))?;
        Some(Fate::Left(found.1))
    };
    let of_family = || {
        let (_, end) = name
            .split_once('_')
            .filter(|(family, _)| super::scope::FAMILIES.contains(family))?;
        match () {
            () if named(FAMILY_CARRIED, end) => Some(Fate::Carried),
            () if named(FAMILY_ASIDE, end) => Some(Fate::Aside),
            () => left(FAMILY_LEFT, end),
        }
    };
    if named(CARRIED, name) {
        return Some(Fate::Carried);
    }
    left(LEFT, name)
        .or_else(of_family)
        .or_else(|| named(ASIDE, name).then_some(Fate::Aside))
}

/// Whether it switches off what it names: `proxy_cache off`, `limit_rate 0`.
fn is_off(directive: &Directive) -> bool {
    matches!(directive.arguments.as_slice(), [word] if matches!(word.text.as_str(), "off" | "0"))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn of(text: &str) -> Option<Fate> {
        fate(&tree::parse(0, text).unwrap()[0])
    }

    #[test]
    fn what_bears_on_requests_is_told_from_what_does_not() {
        for text in [
            "limit_req zone=r;",
            "limit_conn c 100;",
            "proxy_cache k;",
            "fastcgi_cache k;",
            "mirror /copy;",
            "limit_rate 1k;",
            "grpc_send_timeout 3s;",
            "auth_request /auth;",
            "access_by_lua_block { }",
            "error_page 502 = @other;",
        ] {
            assert!(matches!(of(text), Some(Fate::Left(_))), "{text}");
        }
        for text in [
            "proxy_cache off;",
            "mirror off;",
            "limit_rate 0;",
            "limit_req_zone $x zone=r:1m rate=5r/s;",
            "proxy_cache_path /x;",
            "error_page 502 /50x.html;",
            "ssl_certificate x;",
            "proxy_set_header a b;",
        ] {
            assert_eq!(of(text), Some(Fate::Aside), "{text}");
        }
        assert_eq!(of("proxy_read_timeout 3s;"), Some(Fate::Carried));
        assert_eq!(of("proxy_pass http://a;"), Some(Fate::Carried));
        assert_eq!(of("limit_requests 3;"), None);
    }
}
