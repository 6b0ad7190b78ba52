//! What each product wants to read.

use super::{Plan, Target, line, method, unsaid};
use crate::config::{Product, scenario_name};

/// Names that these products take: small letters, digits and `-`.
fn label(name: &str) -> String {
    let name = scenario_name(name).to_lowercase().replace(['.', '_'], "-");
    name.trim_matches('-').to_owned()
}

/// Host and port; 80 where the address has none.
fn host_and_port(address: &str) -> (&str, &str) {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host.trim_matches(['[', ']']), port)
        }
        _ => (address, "80"),
    }
}

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
pub(super) fn nginx(plan: &Plan, remarks: &mut Vec<String>) -> String {
    let known = [
        ("nginx-round-robin", ""),
        ("nginx-least-conn", "least_conn"),
        ("nginx-ip-hash", "ip_hash"),
        ("nginx-random", "random"),
        ("round-robin", ""),
        ("weighted-round-robin", ""),
        ("least-connections", "least_conn"),
        ("random", "random"),
        ("weighted-random", "random"),
        ("power-of-d", "random two least_conn"),
        ("ip-hash", "ip_hash"),
        ("nginx-hash", "hash $request_uri"),
    ];
    let word = method(plan, &known, Product::Nginx, remarks);
    let mut text = String::new();
    line(&mut text, format_args!("upstream {} {{", label(&plan.name)));
    if !word.is_empty() {
        line(&mut text, format_args!("    {word};"));
    }
    for target in &plan.targets {
        let mut words = format!("server {}", target.address);
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
    text + "}\n"
}

/// Configuration manual 2.6, sections 4.2 and 5.2.
pub(super) fn haproxy(plan: &Plan, remarks: &mut Vec<String>) -> String {
    let known = [
        ("haproxy-roundrobin", "roundrobin"),
        ("haproxy-static-rr", "static-rr"),
        ("haproxy-leastconn", "leastconn"),
        ("haproxy-first", "first"),
        ("haproxy-source", "source"),
        ("haproxy-random", "random"),
        ("round-robin", "roundrobin"),
        ("weighted-round-robin", "roundrobin"),
        ("least-connections", "leastconn"),
        ("power-of-d", "random"),
        ("ip-hash", "source"),
    ];
    let word = method(plan, &known, Product::Haproxy, remarks);
    let mut text = String::new();
    line(&mut text, format_args!("backend {}", label(&plan.name)));
    line(&mut text, format_args!("    balance {word}"));
    for target in &plan.targets {
        let (host, port) = host_and_port(&target.address);
        let mut words = format!(
            "server {} {host}:{port} weight {}",
            scenario_name(&target.name),
            target.weight
        );
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
    text
}

/// `config.cluster.v3.Cluster`, Envoy 1.40. Weights of hosts count with each of these policies.
pub(super) fn envoy(plan: &Plan, remarks: &mut Vec<String>) -> String {
    let known = [
        ("envoy-round-robin", "ROUND_ROBIN"),
        ("envoy-least-request", "LEAST_REQUEST"),
        ("envoy-random", "RANDOM"),
        ("envoy-ring-hash", "RING_HASH"),
        ("envoy-maglev", "MAGLEV"),
        ("round-robin", "ROUND_ROBIN"),
        ("weighted-round-robin", "ROUND_ROBIN"),
        ("least-connections", "LEAST_REQUEST"),
        ("power-of-d", "LEAST_REQUEST"),
        ("random", "RANDOM"),
    ];
    let word = method(plan, &known, Product::Envoy, remarks);
    let mut text = String::new();
    let name = label(&plan.name);
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
            let (host, port) = host_and_port(&target.address);
            line(&mut text, format_args!("    - endpoint:"));
            line(&mut text, format_args!("        address:"));
            line(
                &mut text,
                format_args!(
                    "          socket_address: {{ address: \"{host}\", port_value: {port} }}"
                ),
            );
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
    text
}

/// `ipvsadm(8)`. The address of the service is for whoever runs it to fill in.
pub(super) fn ipvs(plan: &Plan, remarks: &mut Vec<String>) -> String {
    let known = [
        ("ipvs-wrr", "wrr"),
        ("ipvs-rr", "rr"),
        ("ipvs-lc", "lc"),
        ("ipvs-wlc", "wlc"),
        ("ipvs-sed", "sed"),
        ("ipvs-nq", "nq"),
        ("ipvs-sh", "sh"),
        ("ipvs-dh", "dh"),
        ("ipvs-mh", "mh"),
        ("ipvs-fo", "fo"),
        ("ipvs-ovf", "ovf"),
        ("ipvs-lblc", "lblc"),
        ("ipvs-lblcr", "lblcr"),
        ("round-robin", "wrr"),
        ("weighted-round-robin", "wrr"),
        ("least-connections", "wlc"),
    ];
    let word = method(plan, &known, Product::Ipvs, remarks);
    if matches!(word, "rr" | "lc") {
        remarks.push(format!(
            "IPVS's `{word}` does not look at weights, except for 0"
        ));
    }
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
        let (host, port) = host_and_port(&target.address);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let limit = match target.max_connections {
            0 => String::new(),
            most => format!(" --u-threshold {most}"),
        };
        line(
            &mut text,
            format_args!(
                "ipvsadm --add-server --tcp-service \"$VIRTUAL\" --real-server {host}:{port} --masquerading --weight {}{limit}",
                target.weight
            ),
        );
    }
    text
}

/// `gateway.networking.k8s.io/v1`, `HTTPRoute`: weights share requests out among Services.
pub(super) fn gateway_api(plan: &Plan, remarks: &mut Vec<String>) -> String {
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
    line(&mut text, format_args!("  name: {}", label(&plan.name)));
    line(&mut text, format_args!("spec:"));
    line(&mut text, format_args!("  rules:"));
    line(&mut text, format_args!("  - backendRefs:"));
    for target in active(plan, Product::GatewayApi, remarks) {
        let (_, port) = host_and_port(&target.address);
        line(
            &mut text,
            format_args!("    - name: {}", label(&target.name)),
        );
        line(&mut text, format_args!("      port: {port}"));
        line(&mut text, format_args!("      weight: {}", target.weight));
    }
    text
}

/// Traefik 3, file provider: a weighted service over services of one server each.
pub(super) fn traefik(plan: &Plan, remarks: &mut Vec<String>) -> String {
    remarks
        .push("Traefik's weighted service takes turns by weight, whatever the strategy".to_owned());
    let targets: Vec<&Target> = active(plan, Product::Traefik, remarks).collect();
    let name = label(&plan.name);
    let mut text = String::new();
    line(&mut text, format_args!("http:"));
    line(&mut text, format_args!("  services:"));
    line(&mut text, format_args!("    {name}:"));
    line(&mut text, format_args!("      weighted:"));
    line(&mut text, format_args!("        services:"));
    for target in &targets {
        line(
            &mut text,
            format_args!("        - name: {name}-{}", label(&target.name)),
        );
        line(
            &mut text,
            format_args!("          weight: {}", target.weight),
        );
    }
    for target in &targets {
        line(
            &mut text,
            format_args!("    {name}-{}:", label(&target.name)),
        );
        line(&mut text, format_args!("      loadBalancer:"));
        line(&mut text, format_args!("        servers:"));
        let (host, port) = host_and_port(&target.address);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        line(
            &mut text,
            format_args!("        - url: \"http://{host}:{port}\""),
        );
    }
    text
}

/// The default action of a listener, for `aws elbv2 modify-listener --default-actions`.
pub(super) fn alb(plan: &Plan, remarks: &mut Vec<String>) -> String {
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
    let groups: Vec<serde_json::Value> = targets
        .iter()
        .map(|target| {
            serde_json::json!({
                "TargetGroupArn": format!("ARN of the target group {}", label(&target.name)),
                "Weight": target.weight,
            })
        })
        .collect();
    let actions =
        serde_json::json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let text = serde_json::to_string_pretty(&actions).unwrap_or_default();
    text + "\n"
}
