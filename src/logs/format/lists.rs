//! Several attempts at several servers, as nginx lists them: `10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80`, each variable with an entry
//! for each attempt (ngx_http_upstream_module, `$upstream_addr`).

use super::Work;
use crate::logs::Entry;
use crate::logs::clock::{SECOND, decimal};
use crate::logs::text::{After, Items, known, push};

/// The lists of one line; those that the log does not have are `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lists<'a> {
    /// Servers.
    pub(super) servers: Option<&'a [u8]>,
    /// Seconds from connecting to the last byte of the answer.
    pub(super) took: Option<&'a [u8]>,
    /// Seconds that connecting took.
    pub(super) connect: Option<&'a [u8]>,
    /// Seconds from connecting to the head of the answer.
    pub(super) header: Option<&'a [u8]>,
    /// Statuses of the answers.
    pub(super) status: Option<&'a [u8]>,
}

/// Nanoseconds of a time in seconds; negative ones are none.
pub(super) fn seconds(text: &[u8]) -> Option<u64> {
    u64::try_from(decimal(text, SECOND)?).ok()
}

/// The sum of a list of times in nanoseconds, where at least one is known.
pub(super) fn total(list: Option<&[u8]>) -> Option<u64> {
    let (mut items, mut sum) = (Items(list), None);
    while let Some((item, _)) = items.take() {
        if let Some(nanos) = seconds(item) {
            sum = Some(sum.unwrap_or(0u64).saturating_add(nanos));
        }
    }
    sum
}

impl Lists<'_> {
    /// Adds the attempts to an entry. The first begins when the request arrives, each other when the one before ends: a log has
    /// no more. What connecting took is not counted as the server's.
    pub(super) fn fill(&self, entry: &mut Entry, work: &mut Work) {
        let mut servers = Items(self.servers);
        let (mut took, mut connect) = (Items(self.took), Items(self.connect));
        let (mut header, mut status) = (Items(self.header), Items(self.status));
        let mut now = entry.arrived;
        while let Some((server, after)) = servers.take() {
            let whole = took.take().and_then(|(item, _)| seconds(item));
            let connect = connect.take().and_then(|(item, _)| seconds(item));
            let header = header.take();
            let status = status.take().map(|(item, _)| item);
            let began = now;
            now = now.saturating_add_unsigned(whole.unwrap_or(0));
            if known(server).is_none() {
                continue;
            }
            // "If a server cannot be selected, the variable keeps the name of the server group": a name without a port.
            if !server.contains(&b':') {
                if entry.pool.is_empty() {
                    push(&mut entry.pool, server);
                }
                continue;
            }
            let code = status.and_then(|text| decimal(text, 1));
            let answered = match header {
                Some((head, _)) => seconds(head).is_some(),
                // Without the time of the head: 502 and 504 are what nginx itself notes when there was no answer.
                None => !matches!(code, Some(502 | 504)) && (status.is_none() || code.is_some()),
            };
            let mut attempt = work.spare.take(server);
            attempt.began = began.saturating_add_unsigned(connect.unwrap_or(0));
            attempt.took = whole
                .filter(|_| answered)
                .map(|whole| whole.saturating_sub(connect.unwrap_or(0)));
            attempt.failed = after == After::Comma || code.is_some_and(|code| code >= 500);
            entry.attempts.push(attempt);
        }
    }
}
