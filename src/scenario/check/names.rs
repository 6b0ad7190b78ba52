//! Names that must differ: equal ones are refused, with both places.

use std::collections::HashMap;

use super::super::diagnostic::Diagnostic;
use super::super::file::Service;
use super::super::text::Path;
use super::Check;

/// Refuses what has the name of an earlier element of the list at `list`; `what` says what they
/// are.
pub(super) fn differ<'n>(
    check: &mut Check<'_>,
    list: &Path,
    what: &str,
    names: impl IntoIterator<Item = &'n str>,
) {
    differ_at(check, list, what, (0..).zip(names));
}

/// Like [`differ`], where some elements have no name: each name comes with its index.
pub(super) fn differ_at<'n>(
    check: &mut Check<'_>,
    list: &Path,
    what: &str,
    names: impl IntoIterator<Item = (usize, &'n str)>,
) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, name) in names {
        let earlier = *first.entry(name).or_insert(index);
        if earlier != index {
            let message = format!("two {what} are called `{name}`");
            refuse(check, list, (index, earlier), message);
        }
    }
}

/// Refuses two groups of a service, or two servers, or a group and a server of another, that have
/// one name: nobody could tell which of them a fault or a row of results means.
pub(super) fn groups_differ(check: &mut Check<'_>, service: &Service, at: &Path) {
    let list = at.key("servers");
    let names = service.servers.iter().map(|group| group.name.as_str());
    let what = format!("groups of servers of `{}`", service.name);
    differ(check, &list, &what, names.clone());
    let places: HashMap<&str, usize> = names.zip(0..).collect();
    for (index, group) in service.servers.iter().enumerate() {
        let Some(other) = numbered(&group.name).and_then(|(other, number)| {
            let other = *places.get(other)?;
            let count = service.servers[other].places();
            (count > 1 && (1..=count).contains(&number)).then_some(other)
        }) else {
            continue;
        };
        let message = format!(
            "the group of servers `{}` is called as a server of the group `{}`, which has {}",
            group.name,
            service.servers[other].name,
            service.servers[other].places()
        );
        refuse(check, &list, (index, other), message);
    }
}

/// The group and the number of a server that is called `name`, were it one of several.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let (group, digits) = name.rsplit_once('-')?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some((group, number))
}

fn refuse(check: &mut Check<'_>, list: &Path, (here, other): (usize, usize), message: String) {
    let name = |index: usize| list.index(index).key("name");
    let fault = Diagnostic::error("repeated", name(here), message)
        .label("this one")
        .also(name(other), "and this one")
        .help("give each a `name` of its own");
    check.faults.push(fault);
}
