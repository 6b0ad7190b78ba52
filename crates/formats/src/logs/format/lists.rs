//! Several attempts at several servers, as nginx lists them: `10.0.0.1:80, 10.0.0.2:80 :
//! 10.0.0.3:80`, each variable with an entry for each attempt (ngx_http_upstream_module,
//! `$upstream_addr`).

use super::{NoEntry, Work};
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

/// An entry of a list of times in nanoseconds; `None` for `-`.
fn entry_of(line: &[u8], item: &[u8]) -> Result<Option<u64>, NoEntry> {
    match seconds(item) {
        None if known(item).is_some() => Err(NoEntry::of(line, item, "a length of time is due")),
        nanos => Ok(nanos),
    }
}

/// The sum of a list of times in nanoseconds, where at least one is known.
pub(super) fn total(line: &[u8], list: Option<&[u8]>) -> Result<Option<u64>, NoEntry> {
    let (mut items, mut sum) = (Items(list), None);
    while let Some((item, _)) = items.take() {
        if let Some(nanos) = entry_of(line, item)? {
            sum = Some(sum.unwrap_or(0u64).saturating_add(nanos));
        }
    }
    Ok(sum)
}

impl Lists<'_> {
    /// Adds the attempts to an entry. The first begins when the request arrives, each other when
    /// the one before ends: a log has no more. What connecting took is not counted as the server's.
    pub(super) fn fill(
        &self,
        line: &[u8],
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<(), NoEntry> {
        let mut servers = Items(self.servers);
        let (mut took, mut connect) = (Items(self.took), Items(self.connect));
        let (mut header, mut status) = (Items(self.header), Items(self.status));
        let mut now = entry.arrived;
        let next = |list: &mut Items<'_>| match list.take() {
            Some((item, _)) => entry_of(line, item).map(Some),
            None => Ok(None),
        };
        while let Some((server, after)) = servers.take() {
            let whole = next(&mut took)?.flatten();
            let connect = next(&mut connect)?.flatten();
            let header = next(&mut header)?;
            let status = status.take().map(|(item, _)| item);
            let began = now;
            now = now.saturating_add_unsigned(whole.unwrap_or(0));
            if known(server).is_none() {
                continue;
            }
            // "If a server cannot be selected, the variable keeps the name of the server group": a
            // name without a port.
            if !server.contains(&b':') {
                if entry.pool.is_empty() {
                    push(&mut entry.pool, server);
                }
                continue;
            }
            let code = status.and_then(|text| decimal(text, 1));
            if let Some(text) = status
                && code.is_none()
                && known(text).is_some()
            {
                return Err(NoEntry::of(line, text, "a status is due"));
            }
            let answered = match header {
                Some(head) => head.is_some(),
                // Without the time of the head: 502 and 504 are what nginx itself notes when there
                // was no answer.
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
        Ok(())
    }
}
