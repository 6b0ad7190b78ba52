//! Services: their servers, their balancers, and what goes wrong with them.

use std::net::Ipv4Addr;

use super::super::diagnostic::Diagnostic;
use super::super::file::{File, Servers, Service};
use super::super::text::Path;
use super::Check;
use super::clients::sampler;
use super::descend;
use super::{names, state, steps};
use crate::balancer::affinity::{ConnectionConfig, Sticky};
use crate::balancer::ejection::Ejection;
use crate::balancer::health::HealthCheck;
use crate::balancer::limit::{Limit, LimitKind, WhenFull};
use crate::distribution::Dist;
use crate::model::autoscale::ScalePlan;
use crate::model::balancer::{BalancerPlan, Spread};
use crate::model::blueprint::{GroupPlan, ServerPlan, ServicePlan};
use crate::model::cost::Carries;
use crate::model::flows::FlowPlan;
use crate::model::network::{Delay, NOWHERE};
use crate::strategy::Member;
use crate::time::{Span, Time};

/// Servers in all at most.
const MOST_SERVERS: u64 = 1_000_000;
/// Balancers times servers at most: each balancer keeps a table of its members.
pub(super) const MOST_MEMBERS: u64 = 20_000_000;

/// All services of the file.
pub(super) fn services(file: &File, check: &mut Check<'_>) -> Vec<ServicePlan> {
    let root = Path::root().key("services");
    let total: u64 = file
        .services
        .iter()
        .flat_map(|s| &s.servers)
        .map(|group| u64::from(group.places()))
        .sum();
    if total > MOST_SERVERS {
        check.fault(
            &root,
            "too-large",
            format!("there are {total} servers in all; at most {MOST_SERVERS} are allowed"),
        );
        return Vec::new();
    }
    let names = file.services.iter().map(|service| service.name.as_str());
    names::differ(check, &root, "services", names);
    let mut plans = Vec::new();
    for (index, service) in file.services.iter().enumerate() {
        plans.push(plan(file, index, service, &root.index(index), check));
    }
    plans
}

fn plan(
    file: &File,
    index_of_service: usize,
    service: &Service,
    at: &Path,
    check: &mut Check<'_>,
) -> ServicePlan {
    let mut servers = Vec::new();
    let mut members = Vec::new();
    let mut groups = Vec::new();
    names::groups_differ(check, service, at);
    for (index, group) in service.servers.iter().enumerate() {
        let place = at.key("servers").index(index);
        if let Some(planned) = group_plan(file, (service, at), (group, &place), check) {
            for number in 1..=group.places() {
                let name = if group.places() == 1 {
                    group.name.clone()
                } else {
                    format!("{}-{number}", group.name)
                };
                let position = servers.len() as u32;
                members.push(member(index_of_service, group, &name, (position, number)));
                servers.push(ServerPlan {
                    name,
                    group: groups.len(),
                });
            }
            groups.push(planned);
        }
    }
    if !groups.is_empty() && groups.iter().all(|group: &GroupPlan| group.weight == 0) {
        check.fault(
            &at.key("servers"),
            "no-weight",
            format!(
                "all servers of `{}` have weight 0; nobody would get a request",
                service.name
            ),
        );
    }
    check_balancer(service, servers.len() as u64, at, check);
    let zones = at.key("balancer").key("zones");
    for (index, zone) in service.balancer.zones.iter().enumerate() {
        check.find_zone(file, &zones.index(index), zone);
    }
    ServicePlan {
        name: service.name.clone(),
        servers,
        members: members.into(),
        groups,
        keeps: state::keeps(service, at, check),
        balancer: service.balancer.clone(),
        zones: Vec::new(),
        callers: None,
        flows: flows(&service.balancer.sticky, at, check),
        carries: carries(service),
    }
}

fn carries(service: &Service) -> Carries {
    (service.carries.as_ref()).map_or(Carries::default(), |said| Carries {
        request: said.request.value(),
        answer: said.answer.value(),
    })
}

/// What is drawn for the connections of balancers of layer 4.
fn flows(sticky: &Sticky, at: &Path, check: &mut Check<'_>) -> Option<FlowPlan> {
    let said = sticky.connection()?;
    let at = at.key("balancer").key("sticky");
    let mut drawn =
        |key: &str, dist: &Option<Dist<Span>>| sampler(dist.as_ref()?, &at.key(key), check);
    Some(FlowPlan {
        lifetime: drawn("lifetime", &said.lifetime),
        opening: drawn("opening", &said.opening),
        handshake: drawn("handshake", &said.handshake),
    })
}

/// Refuses what a balancer cannot do that sees connections and no requests.
fn check_layer_4(balancer: &BalancerPlan, at: &Path, check: &mut Check<'_>) {
    let said = [
        ("hedge", balancer.hedge.is_some()),
        ("ejection", balancer.ejection.is_some()),
        ("connections", balancer.connections.is_some()),
    ];
    for (key, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
        let message = format!(
            "`{key}` is about requests, and this balancer sees connections (`sticky`, `kind = \"connection\"`)"
        );
        check.fault(&at.key(key), "contradiction", message);
    }
    let limits = [
        ("limit", balancer.limit.as_ref().map(|own| &own.by)),
        (
            "client-limit",
            balancer.client_limit.as_ref().map(|own| &own.by),
        ),
        (
            "server-limit",
            balancer.server_limit.as_ref().map(|own| &own.by),
        ),
    ];
    for (key, kind) in limits {
        if let Some(LimitKind::Aimd(_) | LimitKind::Gradient(_)) = kind {
            let message = "how long a connection lasts says nothing of the load; use `kind = \"fixed\"`, or \"token-bucket\" for new ones a second";
            check.fault(&at.key(key).key("by"), "contradiction", message);
        }
    }
    let opens_ahead = |own: &ConnectionConfig| own.preconnect.is_some();
    if balancer.sticky.connection().is_some_and(opens_ahead) && balancer.strategy.foresees() {
        let message = format!(
            "connections are opened before there are requests, and `{}` foresees what becomes of these; leave it out, or use another strategy",
            balancer.strategy.name()
        );
        let at = at.key("sticky").key("preconnect");
        check.fault(&at, "contradiction", message);
    }
}

/// Server number `number` of its group, counted from 1, at `position` in its pool, counted from 0.
fn member(service: usize, group: &Servers, name: &str, (position, number): (u32, u32)) -> Member {
    let host = Ipv4Addr::from_bits(0x0a00_0000 + ((service as u32) << 20) + position + 1);
    let address = match &group.address {
        None => format!("{host}:80"),
        Some(first) => match first
            .rsplit_once(':')
            .map(|(host, port)| (host, port.parse()))
        {
            Some((host, Ok(port))) => {
                let port: u32 = port;
                format!("{host}:{}", port + number - 1)
            }
            _ => first.clone(),
        },
    };
    Member {
        name: name.to_owned(),
        address,
        backup: group.backup,
        down: group.down,
        max_connections: group.max_connections,
        min_connections: group.min_connections,
        max_queue: group.max_queue,
        max_fails: group.max_fails,
        fail_timeout: group.fail_timeout,
        slow_start: group.slow_start,
        zone: group.zone.clone(),
        priority: group.priority,
        labels: group.labels.clone(),
        ..Member::new(position, group.weight)
    }
}

fn check_balancer(service: &Service, servers: u64, at: &Path, check: &mut Check<'_>) {
    let balancer = &service.balancer;
    let place = at.key("balancer");
    if u64::from(balancer.instances) * servers > MOST_MEMBERS {
        let message = format!(
            "{} balancers over {servers} servers are more than {MOST_MEMBERS} entries",
            balancer.instances
        );
        check.fault(&place.key("instances"), "too-large", message);
    }
    if let Some(health) = &balancer.health_check {
        check_times(health, &place.key("health-check"), check);
    }
    if let Some(ejection) = &balancer.ejection {
        let at = place.key("ejection");
        ejection.check(&mut |key, message| check.fault(&at.key(key), "out-of-range", message));
        let is_checked = balancer.health_check.is_some()
            && (service.servers.iter())
                .any(|group| group.health_check.as_ref().is_none_or(|own| own.enabled));
        if matches!(ejection, Ejection::ErrorLimit(_)) && !is_checked {
            let message =
                "errors are to count as failed health checks, and there are no health checks";
            let help =
                "give `[services.balancer]` a `health-check`, or use another kind of `ejection`";
            let fault = Diagnostic::error("no-health-check", &at, message.to_owned());
            check.faults.push(fault.help(help.to_owned()));
        }
    }
    let limits = [
        ("limit", &balancer.limit),
        ("server-limit", &balancer.server_limit),
    ];
    for (key, limit) in limits {
        if let Some(limit) = limit {
            check_limit(limit, &place.key(key), check);
        }
    }
    if balancer.own_zone.is_some() && balancer.subset.is_some() {
        let message = "a balancer sends to a subset, or to its own zone first; remove one of them";
        check.fault(&place.key("subset"), "contradiction", message);
    }
    if let Some(own_zone) = &balancer.own_zone {
        let at = place.key("own-zone");
        own_zone.check(&mut |key, message| check.fault(&at.key(key), "out-of-range", message));
        if balancer.zones.is_empty() && balancer.spread != Spread::Caller {
            let message = "these balancers are in no zone";
            let help =
                "say where they are (`zones`), or give each caller its own (`spread = \"caller\"`)";
            let fault = Diagnostic::error("no-zone", &at, message.to_owned());
            check.faults.push(fault.help(help.to_owned()));
        }
    }
    if let Some(limit) = &balancer.client_limit {
        let at = place.key("client-limit").key("by");
        let refuse =
            &mut |key: &str, message: &str| check.fault(&at.key(key), "out-of-range", message);
        limit.by.check(refuse);
    }
    if let Some(connections) = &balancer.connections {
        let at = place.key("connections");
        connections.check(&mut |key, message| {
            check.fault(&descend(&at, key), "out-of-range", message);
        });
    }
    if balancer.sticky.connection().is_some() {
        check_layer_4(balancer, &place, check);
    }
    let limited = balancer.server_limit.is_some();
    let at = place.key("sticky");
    (balancer.sticky).check(limited, &mut |key, message| {
        check.fault(&descend(&at, key), "contradiction", message);
    });
    let at = place.key("retry");
    (balancer.retry).check(&mut |key, message| check.fault(&at.key(key), "out-of-range", message));
    if let Some(limit) = &balancer.server_limit {
        let at = place.key("server-limit");
        if matches!(limit.by, LimitKind::TokenBucket(_)) && limit.when_full == WhenFull::Wait {
            let message = "nobody waits for the tokens of one server; use `when-full = \"refuse\"`, or a `limit` of the balancer";
            check.fault(&at.key("when-full"), "out-of-range", message);
        }
        if !limit.shares.is_empty() {
            let message =
                "a server's limit holds for all classes; give `limit` of the balancer `shares`";
            check.fault(&at.key("shares"), "out-of-range", message);
        }
    }
    if let Some(threshold) = balancer.panic_threshold.filter(|share| share.value() > 1.0) {
        let message = format!("`panic-threshold` is {threshold}; it must be at most 100%");
        check.fault(&place.key("panic-threshold"), "out-of-range", message);
    }
    if let Some(share) = (balancer.hedge.as_ref()).and_then(|hedge| hedge.quantile)
        && !(share.value() > 0.0 && share.value() < 1.0)
    {
        let message = format!("`quantile` is {share}; it must be more than 0% and less than 100%");
        check.fault(&place.key("hedge").key("quantile"), "out-of-range", message);
    }
    if let Some(start) = &balancer.slow_start {
        let at = place.key("slow-start");
        if start.lasts.is_zero() {
            let message = "`lasts` is no time at all; it must be more";
            check.fault(&at.key("lasts"), "out-of-range", message);
        }
        if !(start.least.value() > 0.0 && start.least.value() <= 1.0) {
            let least = start.least;
            let message = format!("`least` is {least}; it must be more than 0% and at most 100%");
            check.fault(&at.key("least"), "out-of-range", message);
        }
    }
}

fn check_limit(limit: &Limit, at: &Path, check: &mut Check<'_>) {
    limit.check(&mut |key, message| check.fault(&descend(at, key), "out-of-range", message));
    if limit.queue_limit.is_some() && limit.when_full == WhenFull::Refuse {
        let message = "nobody waits where `when-full` is \"refuse\", as it is by default";
        check.fault(&at.key("queue-limit"), "out-of-range", message);
    }
}

/// How the balancers check a group of servers.
fn health_check(
    service: &Service,
    group: &Servers,
    at: &Path,
    check: &mut Check<'_>,
) -> Option<HealthCheck> {
    let place = at.key("health-check");
    match (&service.balancer.health_check, &group.health_check) {
        (None, None) => None,
        (None, Some(_)) => {
            let message = format!(
                "the balancers of `{}` have no `health-check` from which that of these servers could differ",
                service.name
            );
            let help = "give `[services.balancer]` a `health-check`; servers that are not to be checked say \
                        `health-check = { enabled = false }`";
            check
                .faults
                .push(Diagnostic::error("no-health-check", &place, message).help(help.to_owned()));
            None
        }
        (Some(all), None) => Some(all.clone()),
        (Some(_), Some(own)) if own.speaks_of_none() => {
            let message =
                "these servers are not checked (`enabled = false`), and their checks are described";
            check.fault(&place, "contradiction", message);
            None
        }
        (Some(all), Some(own)) => {
            let checks = all.with(own)?;
            // What the balancer says is checked there, once.
            if own
                .interval
                .or(own.fast_interval)
                .or(own.down_interval)
                .or(own.timeout)
                .is_some()
            {
                check_times(&checks, &place, check);
            }
            Some(checks)
        }
    }
}

/// A check comes again after some time, and is over by then.
fn check_times(checks: &HealthCheck, at: &Path, check: &mut Check<'_>) {
    let intervals = [
        ("interval", Some(checks.interval)),
        ("fast-interval", checks.fast_interval),
        ("down-interval", checks.down_interval),
    ];
    let mut sound = true;
    for (key, interval) in intervals {
        if interval.is_some_and(Span::is_zero) {
            let message = format!("`{key}` is no time at all; it must be more");
            check.fault(&at.key(key), "out-of-range", message);
            sound = false;
        }
    }
    if let Some(jitter) = checks.jitter.filter(|share| share.value() > 0.5) {
        let message = format!("`jitter` is {jitter}; it must be at most 50%");
        check.fault(&at.key("jitter"), "out-of-range", message);
        sound = false;
    }
    let shortest = checks.shortest_interval();
    if let Some(timeout) = checks
        .timeout
        .filter(|&timeout| sound && timeout > shortest)
    {
        let message = format!(
            "`timeout` is {timeout}; a check must be over before the next one, which may come after {shortest}"
        );
        check.fault(&at.key("timeout"), "out-of-range", message);
    }
}

fn group_plan(
    file: &File,
    (of, at_service): (&Service, &Path),
    (group, at): (&Servers, &Path),
    check: &mut Check<'_>,
) -> Option<GroupPlan> {
    let health_check = health_check(of, group, at, check);
    if let Some(limit) = &group.limit {
        check_limit(limit, &at.key("limit"), check);
        if limit.when_full == WhenFull::Wait {
            let message = "who finds a server's own limit reached is refused; for waiting there are `slots` and `queue-limit`";
            check.fault(&at.key("limit").key("when-full"), "out-of-range", message);
        }
    }
    (group.discipline).check(&mut |key, message| {
        check.fault(&at.key("discipline").key(key), "out-of-range", message);
    });
    let service = sampler(&group.service, &at.key("service"), check);
    let steps = steps::steps(file, (of, at_service), (group, at), check);
    if let Some(checks) = &health_check {
        let takes = checks.work.seconds() / group.speed.value();
        if takes >= checks.patience().seconds() {
            let message = format!(
                "`work` is {}, which one of these servers cannot do within the {} that a check is waited for: all would be down for ever",
                checks.work,
                checks.patience()
            );
            check.fault(&at.key("health-check"), "out-of-range", message);
        }
    }
    let to_server = delay(file, group, at, check);
    let mut sound = true;
    if let Some(cold) = &group.cold {
        cold.check(&mut |key, message| {
            check.fault(&at.key("cold").key(key), "out-of-range", message);
            sound = false;
        });
    }
    if let Some(under_load) = &group.under_load {
        under_load.check(&mut |key, message| {
            check.fault(&at.key("under-load").key(key), "out-of-range", message);
            sound = false;
        });
    }
    let mut refuse = |key: &str, message: String| {
        check.fault(&at.key(key), "out-of-range", message);
        sound = false;
    };
    if !(1e-6..=1e6).contains(&group.speed.value()) {
        refuse(
            "speed",
            format!(
                "`speed` is {}; it must be 0.0001% to 100000000%",
                group.speed
            ),
        );
    }
    if let Some((_, port)) = group.address.as_ref().and_then(|own| own.rsplit_once(':'))
        && let Ok(port) = port.parse::<u32>()
        && port + (group.places() - 1) > u32::from(u16::MAX)
    {
        let last = port + (group.places() - 1);
        refuse(
            "address",
            format!(
                "`address` begins at port {port}, and the last of {} servers would have port {last}; the highest is 65535",
                group.places()
            ),
        );
    }
    if group.memory.total.value() == 0 {
        refuse("memory", "`total` memory is 0B; it must be more".to_owned());
    }
    if let (Some(joins), Some(leaves)) = (group.joins, group.leaves)
        && leaves <= joins
    {
        refuse(
            "leaves",
            format!("`leaves` is {leaves}, which is not after `joins`, {joins}"),
        );
    }
    let total = group.memory.total.value() as f64;
    let autoscale = autoscale(group, at, check);
    sound.then_some(())?;
    Some(GroupPlan {
        name: group.name.clone(),
        slots: group.slots,
        speed: group.speed.value(),
        weight: group.weight,
        queue_limit: group.queue_limit.unwrap_or(u32::MAX),
        limit: group.limit.clone(),
        discipline: group.discipline,
        service: service?,
        per_size: group.per_size.map_or(0.0, Span::seconds),
        steps: state::around(file, (of, at_service), group, steps?, check),
        least_called: 0.0,
        least_held: 0.0,
        memory_total: total,
        memory_base: group.memory.base.value() as f64 / total,
        memory_per_request: group.memory.per_request.value() as f64 / total,
        agent_interval: group.agent_interval,
        cost: group.cost,
        cost_per_million: group.cost_per_million,
        cold: group.cold.clone(),
        under_load: group.under_load.clone(),
        health_check,
        to_server: to_server?,
        zone: NOWHERE,
        joins: Time::ZERO + group.joins.unwrap_or(Span::ZERO),
        leaves: group
            .leaves
            .map_or(Time::NEVER, |leaves| Time::ZERO + leaves),
        autoscale,
    })
}

/// How the number of servers of a group changes.
fn autoscale(group: &Servers, at: &Path, check: &mut Check<'_>) -> Option<ScalePlan> {
    let settings = group.autoscale.as_ref()?;
    let at = at.key("autoscale");
    settings.check(group.count, &mut |key, message| {
        check.fault(&descend(&at, key), "out-of-range", message);
    });
    if group.joins.or(group.leaves).is_some() {
        let message = "these servers join or leave at a given time (`joins`, `leaves`), and an autoscaler orders and removes them";
        let help = "leave out `joins` and `leaves`, or plan the numbers: `by = { kind = \"schedule\", plan = [...] }`";
        let fault = Diagnostic::error("contradiction", &at, message.to_owned());
        check.faults.push(fault.help(help.to_owned()));
    }
    let boot = match &settings.boot {
        Some(boot) => Some(sampler(boot, &at.key("boot"), check)?),
        None => None,
    };
    Some(ScalePlan {
        settings: settings.clone(),
        start: group.count,
        boot,
    })
}

fn delay(file: &File, group: &Servers, at: &Path, check: &mut Check<'_>) -> Option<Delay> {
    let network = Path::root().key("network");
    let mut dist = file.network.balancer_to_server.as_ref();
    let mut place = network.key("balancer-to-server");
    if let Some(name) = &group.zone {
        check.find_zone(file, &at.key("zone"), name)?;
        if let Some(own) = file
            .network
            .zones
            .get(name)
            .and_then(|zone| zone.balancer_to_server.as_ref())
        {
            dist = Some(own);
            place = network
                .key("zones")
                .key(name.as_str())
                .key("balancer-to-server");
        }
    }
    match dist {
        None => Some(Delay::None),
        Some(dist) => sampler(dist, &place, check).map(Delay::new),
    }
}
