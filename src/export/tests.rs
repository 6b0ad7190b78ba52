use super::*;

fn plan() -> Plan {
    let target = |name: &str, address: &str, weight| Target {
        name: name.to_owned(),
        address: address.to_owned(),
        weight,
        backup: false,
        down: false,
        max_connections: 0,
    };
    Plan {
        name: "web".to_owned(),
        strategy: "least-connections".to_owned(),
        settings: serde_json::Map::new(),
        targets: vec![
            Target {
                max_connections: 64,
                ..target("a", "10.0.0.1:8080", 12)
            },
            target("b", "10.0.0.2:8080", 5),
            Target {
                backup: true,
                ..target("c", "[2001:db8::1]:8080", 1)
            },
            Target {
                down: true,
                ..target("d", "app.example.com", 1)
            },
        ],
    }
}

#[test]
fn nginx() {
    let written = snippet(Product::Nginx, &plan()).unwrap();
    assert_eq!(
        written.text,
        "upstream web {\n    least_conn;\n    server 10.0.0.1:8080 weight=12 max_conns=64;\n    server 10.0.0.2:8080 weight=5;\n    \
         server [2001:db8::1]:8080 backup;\n    server app.example.com down;\n}\n"
    );
    assert!(written.remarks.is_empty());
    // What is written is read as it was meant.
    let read = crate::config::nginx::read_text("web.conf".as_ref(), &written.text).unwrap();
    let weights: Vec<u32> = read.pools[0]
        .servers
        .iter()
        .map(|server| server.weight)
        .collect();
    assert_eq!(weights, [12, 5, 1, 1]);
}

#[test]
fn haproxy() {
    let written = snippet(Product::Haproxy, &plan()).unwrap();
    assert_eq!(
        written.text,
        "backend web\n    balance leastconn\n    server a 10.0.0.1:8080 weight 12 maxconn 64\n    server b 10.0.0.2:8080 weight 5\n    \
         server c 2001:db8::1:8080 weight 1 backup\n    server d app.example.com:80 weight 1 disabled\n"
    );
    let read = crate::config::haproxy::read_text("web.cfg".as_ref(), &written.text).unwrap();
    let weights: Vec<u32> = read.pools[0]
        .servers
        .iter()
        .map(|server| server.weight)
        .collect();
    assert_eq!(weights, [12, 5, 1, 1]);
}

#[test]
fn envoy() {
    let written = snippet(Product::Envoy, &plan()).unwrap();
    let text = format!(
        "static_resources:\n  clusters:\n  - {}",
        written.text.trim_end().replace('\n', "\n    ")
    );
    let read = crate::config::envoy::read_text("web.yaml".as_ref(), &text).unwrap();
    let pool = &read.pools[0];
    assert_eq!(pool.strategy["kind"].as_str(), Some("envoy-least-request"));
    let weights: Vec<u32> = pool.servers.iter().map(|server| server.weight).collect();
    assert_eq!(weights, [12, 5, 1, 1]);
    // A limit of each host, and how it looks for the fewest requests.
    assert_eq!(written.remarks.len(), 2, "{:?}", written.remarks);
}

#[test]
fn others() {
    let ipvs = snippet(Product::Ipvs, &plan()).unwrap();
    assert!(ipvs.text.contains("--scheduler wlc\n"), "{}", ipvs.text);
    assert!(
        ipvs.text
            .contains("--real-server 10.0.0.1:8080 --masquerading --weight 12 --u-threshold 64\n")
    );
    assert!(
        !ipvs.text.contains("app.example.com"),
        "what is down is left out"
    );
    let gateway = snippet(Product::GatewayApi, &plan()).unwrap();
    assert!(
        gateway
            .text
            .contains("    - name: b\n      port: 8080\n      weight: 5\n"),
        "{}",
        gateway.text
    );
    let traefik = snippet(Product::Traefik, &plan()).unwrap();
    assert!(
        traefik
            .text
            .contains("        - name: web-a\n          weight: 12\n")
    );
    assert!(
        traefik
            .text
            .contains("        - url: \"http://[2001:db8::1]:8080\"\n")
    );
    let alb = snippet(Product::Alb, &plan()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&alb.text).unwrap();
    assert_eq!(json[0]["ForwardConfig"]["TargetGroups"][1]["Weight"], 5);
    // What a product cannot say is said.
    for (product, least) in [
        (Product::Ipvs, 2),
        (Product::GatewayApi, 3),
        (Product::Traefik, 3),
        (Product::Alb, 3),
    ] {
        assert!(
            snippet(product, &plan()).unwrap().remarks.len() >= least,
            "{}",
            product.title()
        );
    }
}

#[test]
fn strategies_without_a_counterpart_are_named() {
    let strange = Plan {
        strategy: "prequal".to_owned(),
        ..plan()
    };
    for product in [
        Product::Nginx,
        Product::Haproxy,
        Product::Envoy,
        Product::Ipvs,
    ] {
        let remarks = snippet(product, &strange).unwrap().remarks;
        assert!(
            remarks.iter().any(|remark| remark.contains("`prequal`")),
            "{remarks:?}"
        );
    }
}

/// A name must never become a line of a configuration or a command of a shell, and two names never
/// one.
#[test]
fn names_are_quoted_or_refused() {
    let named = |name: &str, address: &str| {
        let mut plan = plan();
        plan.targets.truncate(2);
        plan.targets[0].name = name.to_owned();
        plan.targets[0].address = address.to_owned();
        plan
    };
    for product in Product::ALL {
        for address in [
            "10.0.0.1;reboot:80",
            "10.0.0.1:80\nserver evil",
            "$(reboot):80",
            "10.0.0.1:80 down",
        ] {
            // Of the address these take the port alone, or nothing.
            let takes_none = product == Product::Alb;
            let written = snippet(product, &named("a", address));
            assert_eq!(
                written.is_ok(),
                takes_none,
                "{} {address:?}",
                product.title()
            );
        }
        let written = snippet(product, &named("a\nb; reboot", "10.0.0.1:80")).unwrap();
        assert!(!written.text.contains("reboot;") && !written.text.contains("; reboot"));
        assert!(!written.text.contains("a\nb"), "{}", written.text);
    }
    for product in [Product::GatewayApi, Product::Traefik, Product::Alb] {
        let refused = snippet(product, &named("B", "10.0.0.1:80")).unwrap_err();
        assert!(
            refused.to_string().contains("would both be called `b`"),
            "{refused}"
        );
    }
    // HAProxy tells `B` from `b`, and has no place for other letters.
    assert!(snippet(Product::Haproxy, &named("B", "10.0.0.1:80")).is_ok());
    let twin = |name: &str| {
        let mut plan = named("a b", "10.0.0.1:80");
        plan.targets[1].name = name.to_owned();
        plan
    };
    assert!(snippet(Product::Haproxy, &twin("a-b")).is_err());
    let socket = named("a", "unix:/run/a b.sock");
    let nginx = snippet(Product::Nginx, &socket).unwrap().text;
    assert!(
        nginx.contains("server \"unix:/run/a b.sock\" weight=12"),
        "{nginx}"
    );
    assert!(snippet(Product::Ipvs, &socket).is_err());
    let haproxy = snippet(Product::Haproxy, &socket).unwrap().text;
    assert!(
        haproxy.contains("server a \"unix@/run/a b.sock\" weight 12"),
        "{haproxy}"
    );
}
