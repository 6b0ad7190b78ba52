//! Formats of access logs.

use super::tree::Node;

/// The format of a log that has none. (Envoy 1.40, documentation, "Access logging", "Default format
/// string")
const DEFAULT: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% \
    %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
    \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

/// The text formats of the logs of HTTP connection managers: the log's path, or `stdout` or
/// `stderr`, and the format.
pub(super) fn formats(listeners: &[Node]) -> Vec<(String, String)> {
    let mut formats = Vec::new();
    for listener in listeners {
        let chains = listener.get("filter_chains").map(Node::members);
        for chain in chains.unwrap_or_default() {
            let filters = chain.get("filters").map(Node::members);
            for filter in filters.unwrap_or_default() {
                let logs = filter.find(&["typed_config", "access_log"]);
                for log in logs.map(Node::members).unwrap_or_default() {
                    formats.extend(format(log));
                }
            }
        }
    }
    formats.dedup();
    formats
}

fn format(log: &Node) -> Option<(String, String)> {
    let config = log.get("typed_config")?;
    let kind = config.get("@type").and_then(Node::scalar)?;
    let name = match kind.rsplit('.').next()? {
        "FileAccessLog" => config.get("path").and_then(Node::scalar)?,
        "StdoutAccessLog" => "stdout",
        "StderrAccessLog" => "stderr",
        _ => return None,
    };
    let format = config.get("log_format");
    let text = match format {
        Some(format) => {
            let inline = format.find(&["text_format_source", "inline_string"]);
            inline.or_else(|| format.get("text_format"))?.scalar()?
        }
        None if config.get("json_format").is_some()
            || config.get("typed_json_format").is_some() =>
        {
            return None;
        }
        None => config
            .get("format")
            .and_then(Node::scalar)
            .unwrap_or(DEFAULT),
    };
    Some((name.to_owned(), text.to_owned()))
}
