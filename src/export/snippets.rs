//! What each product wants to read.

use super::names::{Address, address, distinct, haproxy_word, label, nginx_word, yaml};
use super::strategies::rule;
use super::{Plan, Target, Unsayable, line, unsaid};
use crate::config::{Product, scenario_name};

/// Those that take requests, with a note on others that the product would send some to.
fn active<'p>(
    plan: &'p Plan,
    product: Product,
    remarks: &mut Vec<String>,
) -> impl Iterator<Item = &'p Target> + use<'p> {
    unsaid(plan, product, remarks, "backups", |target| target.backup);
    for target in plan.targets.iter().filter(|target| target.down) {
        remarks.push(format!("{} is down, and left out", target.name));
    }
    plan.targets.iter().filter(|target| !target.down)
}

/// `ngx_http_upstream_module`.
pub(super) fn nginx(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    let rule = rule(plan, Product::Nginx, remarks);
    let mut text = String::new();
    line(
        &mut text,
        format_args!("upstream {} {{", label(&plan.name)?),
    );
    for word in &rule.words {
        line(&mut text, format_args!("    {word};"));
    }
    for target in &plan.targets {
        let place = match address(target)? {
            Address::Socket(path) => nginx_word(&format!("unix:{path}"))?,
            // Without a port nginx takes 80 too.
            Address::Host(..) | Address::Six(..) => target.address.clone(),
        };
        let mut words = format!("server {place}");
        // nginx takes no weight of 0.
        let off = target.down || target.weight == 0;
        if target.weight > 1 {
            words += &format!(" weight={}", target.weight);
        }
        if target.max_connections > 0 {
            words += &format!(" max_conns={}", target.max_connections);
        }
        if target.backup {
            words += " backup";
        }
        if off {
            words += " down";
        }
        line(&mut text, format_args!("    {words};"));
    }
    Ok(text + "}\n")
}

/// Configuration manual 2.6, sections 4.2 and 5.2.
pub(super) fn haproxy(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    let rule = rule(plan, Product::Haproxy, remarks);
    let mut text = String::new();
    line(&mut text, format_args!("backend {}", label(&plan.name)?));
    let mut words = rule.words.iter();
    if let Some(algorithm) = words.next() {
        line(&mut text, format_args!("    balance {algorithm}"));
    }
    for word in words {
        line(&mut text, format_args!("    {word}"));
    }
    let names = distinct(plan, |name| Ok(scenario_name(name)))?;
    for (target, name) in plan.targets.iter().zip(names) {
        let place = match address(target)? {
            Address::Socket(path) => haproxy_word(&format!("unix@{path}")),
            Address::Host(host, port) => format!("{host}:{port}"),
            // The last colon comes before the port.
            Address::Six(host, port) => format!("{host}:{port}"),
        };
        let mut words = format!("server {name} {place} weight {}", target.weight);
        if target.max_connections > 0 {
            words += &format!(" maxconn {}", target.max_connections);
        }
        if target.backup {
            words += " backup";
        }
        if target.down {
            words += " disabled";
        }
        line(&mut text, format_args!("    {words}"));
    }
    Ok(text)
}

/// `config.cluster.v3.Cluster`, Envoy 1.40.
pub(super) fn envoy(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    let rule = rule(plan, Product::Envoy, remarks);
    let word = rule.words.first().map_or("ROUND_ROBIN", String::as_str);
    let mut text = String::new();
    let name = yaml(&label(&plan.name)?);
    line(&mut text, format_args!("name: {name}"));
    line(&mut text, format_args!("type: STRICT_DNS"));
    line(&mut text, format_args!("lb_policy: {word}"));
    line(&mut text, format_args!("load_assignment:"));
    line(&mut text, format_args!("  cluster_name: {name}"));
    line(&mut text, format_args!("  endpoints:"));
    for backup in [false, true] {
        let mut targets = plan
            .targets
            .iter()
            .filter(|target| target.backup == backup)
            .peekable();
        if targets.peek().is_none() {
            continue;
        }
        line(
            &mut text,
            format_args!("  - priority: {}", u8::from(backup)),
        );
        line(&mut text, format_args!("    lb_endpoints:"));
        for target in targets {
            let place = match address(target)? {
                Address::Socket(path) => format!("pipe: {{ path: {} }}", yaml(path)),
                Address::Host(host, port) => socket(host, port),
                Address::Six(host, port) => socket(&host.to_string(), port),
            };
            line(&mut text, format_args!("    - endpoint:"));
            line(&mut text, format_args!("        address:"));
            line(&mut text, format_args!("          {place}"));
            // Envoy takes no weight of 0; a host that is being drained gets nothing new.
            if target.down || target.weight == 0 {
                line(&mut text, format_args!("      health_status: DRAINING"));
            }
            line(
                &mut text,
                format_args!("      load_balancing_weight: {}", target.weight.max(1)),
            );
        }
    }
    unsaid(
        plan,
        Product::Envoy,
        remarks,
        "a limit of each host",
        |target| target.max_connections > 0,
    );
    Ok(text)
}

/// An address of Envoy.
fn socket(host: &str, port: u16) -> String {
    format!("socket_address: {{ address: \"{host}\", port_value: {port} }}")
}

/// `ipvsadm(8)`. The address of the service is for whoever runs it to fill in.
pub(super) fn ipvs(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    let rule = rule(plan, Product::Ipvs, remarks);
    let word = rule.words.first().map_or("wrr", String::as_str);
    let mut text = String::new();
    line(
        &mut text,
        format_args!("VIRTUAL=\"${{VIRTUAL:?address and port of the service}}\""),
    );
    line(
        &mut text,
        format_args!("ipvsadm --add-service --tcp-service \"$VIRTUAL\" --scheduler {word}"),
    );
    for target in active(plan, Product::Ipvs, remarks) {
        // Its letters stand for themselves in a shell, but for the brackets of IPv6, which would be
        // a pattern.
        let place = match address(target)? {
            six @ Address::Six(..) => format!("'{}'", six.host_and_port(target, Product::Ipvs)?),
            other => other.host_and_port(target, Product::Ipvs)?,
        };
        let limit = match target.max_connections {
            0 => String::new(),
            most => format!(" --u-threshold {most}"),
        };
        line(
            &mut text,
            format_args!(
                "ipvsadm --add-server --tcp-service \"$VIRTUAL\" --real-server {place} --masquerading --weight {}{limit}",
                target.weight
            ),
        );
    }
    Ok(text)
}

/// `gateway.networking.k8s.io/v1`, `HTTPRoute`: weights share requests out among Services.
pub(super) fn gateway_api(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    remarks.push(
        "weights of the Gateway API share requests out among Services by chance, whatever the strategy: each server must be a Service of its own"
            .to_owned(),
    );
    let mut text = String::new();
    line(
        &mut text,
        format_args!("apiVersion: gateway.networking.k8s.io/v1"),
    );
    line(&mut text, format_args!("kind: HTTPRoute"));
    line(&mut text, format_args!("metadata:"));
    line(
        &mut text,
        format_args!("  name: {}", yaml(&label(&plan.name)?)),
    );
    line(&mut text, format_args!("spec:"));
    line(&mut text, format_args!("  rules:"));
    line(&mut text, format_args!("  - backendRefs:"));
    distinct(plan, label)?;
    for target in active(plan, Product::GatewayApi, remarks) {
        let port = address(target)?.port();
        let name = label(&target.name)?;
        line(&mut text, format_args!("    - name: {}", yaml(&name)));
        line(&mut text, format_args!("      port: {port}"));
        line(&mut text, format_args!("      weight: {}", target.weight));
    }
    Ok(text)
}

/// Traefik 3, file provider: a weighted service over services of one server each.
pub(super) fn traefik(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    remarks
        .push("Traefik's weighted service takes turns by weight, whatever the strategy".to_owned());
    let targets: Vec<&Target> = active(plan, Product::Traefik, remarks).collect();
    distinct(plan, label)?;
    let name = label(&plan.name)?;
    let mut text = String::new();
    line(&mut text, format_args!("http:"));
    line(&mut text, format_args!("  services:"));
    line(&mut text, format_args!("    {}:", yaml(&name)));
    line(&mut text, format_args!("      weighted:"));
    line(&mut text, format_args!("        services:"));
    for target in &targets {
        let own = yaml(&format!("{name}-{}", label(&target.name)?));
        line(&mut text, format_args!("        - name: {own}"));
        line(
            &mut text,
            format_args!("          weight: {}", target.weight),
        );
    }
    for target in &targets {
        let own = yaml(&format!("{name}-{}", label(&target.name)?));
        let place = address(target)?.host_and_port(target, Product::Traefik)?;
        line(&mut text, format_args!("    {own}:"));
        line(&mut text, format_args!("      loadBalancer:"));
        line(&mut text, format_args!("        servers:"));
        line(&mut text, format_args!("        - url: \"http://{place}\""));
    }
    Ok(text)
}

/// The default action of a listener, for `aws elbv2 modify-listener --default-actions`.
pub(super) fn alb(plan: &Plan, remarks: &mut Vec<String>) -> Result<String, Unsayable> {
    remarks.push(
        "an Application Load Balancer has weights of target groups, not of targets: each server must be a group of its own".to_owned(),
    );
    let targets: Vec<&Target> = active(plan, Product::Alb, remarks).collect();
    // Quotas of an Application Load Balancer: target groups of an action.
    if targets.len() > 5 {
        remarks.push(format!(
            "an action takes five target groups at most, and there are {}",
            targets.len()
        ));
    }
    distinct(plan, label)?;
    let groups: Vec<serde_json::Value> = targets
        .iter()
        .map(|target| {
            Ok(serde_json::json!({
                "TargetGroupArn": format!("ARN of the target group {}", label(&target.name)?),
                "Weight": target.weight,
            }))
        })
        .collect::<Result<_, Unsayable>>()?;
    let actions =
        serde_json::json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let text = serde_json::to_string_pretty(&actions).unwrap_or_default();
    Ok(text + "\n")
}
