//! The systems that are simulated, as scenarios.

use lbsim::scenario::Scenario;

/// A system of one service.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Requests a second of simulated time.
    rate: u64,
    /// Requests of a measured run.
    pub(crate) requests: u64,
    strategy: &'static str,
    /// Groups of servers: how many, and how many times as fast as the slowest; the weight is as the
    /// speed.
    servers: &'static [(u32, u32)],
    /// What else there is to say of the clients.
    clients: &'static str,
    /// What else there is to say of the balancer, and of faults.
    balancer: &'static str,
}

/// Ten like servers at load 0.8, from which the others differ in what they are about.
const PLAIN: Workload = Workload {
    name: "",
    about: "",
    rate: 800,
    requests: 1_500_000,
    strategy: "",
    servers: &[(10, 1)],
    clients: "",
    balancer: "",
};

pub(crate) const WORKLOADS: [Workload; 11] = [
    Workload {
        name: "W1",
        about: "10 servers, round-robin",
        strategy: r#""round-robin""#,
        ..PLAIN
    },
    Workload {
        name: "W2",
        about: "10 servers, least-connections",
        strategy: r#""least-connections""#,
        ..PLAIN
    },
    Workload {
        name: "W3",
        about: "1,000 servers, least-connections",
        rate: 80_000,
        strategy: r#""least-connections""#,
        servers: &[(1_000, 1)],
        ..PLAIN
    },
    Workload {
        name: "W4",
        about: "100,000 servers, least-connections",
        rate: 8_000_000,
        // A quarter of a second: the pool starts empty, and takes a few service times to fill.
        requests: 2_000_000,
        strategy: r#""least-connections""#,
        servers: &[(100_000, 1)],
        ..PLAIN
    },
    Workload {
        name: "W5",
        about: "10 unlike servers, weighted-random",
        rate: 1_200,
        strategy: r#""weighted-random""#,
        servers: &[(5, 1), (5, 2)],
        ..PLAIN
    },
    Workload {
        name: "W6",
        about: "10 servers, power-of-d",
        strategy: r#"{ kind = "power-of-d", d = 2 }"#,
        ..PLAIN
    },
    Workload {
        name: "W7",
        about: "100 servers, consistent-hashing",
        // The ring deals out load unevenly: at 0.8 its busiest servers would be overloaded.
        rate: 6_000,
        strategy: r#"{ kind = "consistent-hashing", points = 160 }"#,
        servers: &[(100, 1)],
        clients: r#"
        [clients.population]
        kind = "generated"
        count = 1_000_000
        popularity = { kind = "zipf", exponent = 0.6 }
        "#,
        ..PLAIN
    },
    Workload {
        name: "W8",
        about: "10 servers, crashes and cookies",
        rate: 500,
        strategy: r#""least-connections""#,
        clients: r#"
        population = { kind = "generated", count = 100_000 }
        sessions = { idle = "30min" }
        "#,
        // Servers that went on with work that nobody waits for would be caught in a storm of
        // retries in some rounds and not in others, and rounds would not compare.
        balancer: r#"
        [services.balancer]
        sticky = "cookie"
        timeout = "100ms"
        abandoned = "cancel"
        retry = { max = 2 }
        health-check = { interval = "1s" }

        [[faults]]
        kind = "random-crashes"
        servers = "web"
        mtbf = "60s"
        mttr = "5s"
        "#,
        ..PLAIN
    },
    Workload {
        name: "W9",
        about: "10 servers, a million sessions, cookies",
        requests: 5_000_000,
        strategy: r#""least-connections""#,
        clients: MILLION,
        balancer: "[services.balancer]\nsticky = \"cookie\"",
        ..PLAIN
    },
    Workload {
        name: "W10",
        about: "10 servers, a million sessions, consistent-hashing",
        // The ring deals out load unevenly.
        rate: 500,
        requests: 5_000_000,
        strategy: r#"{ kind = "consistent-hashing", points = 160 }"#,
        clients: MILLION,
        ..PLAIN
    },
    Workload {
        name: "W11",
        about: "1,000 servers, 10 services in three tiers",
        rate: 6_000,
        requests: 500_000,
        strategy: r#""least-connections""#,
        servers: &[(100, 1)],
        balancer: THREE_TIERS,
        ..PLAIN
    },
];

/// Behind the first service four, of which a request asks one on average, and behind each of these
/// one; all have a hundred servers, at load 0.6.
const THREE_TIERS: &str = r#"
        [[services.steps]]
        call = "middle-1"
        blocking = false
        probability = "25%"
        [[services.steps]]
        call = "middle-2"
        blocking = false
        probability = "25%"
        [[services.steps]]
        call = "middle-3"
        blocking = false
        probability = "25%"
        [[services.steps]]
        call = "middle-4"
        blocking = false
        probability = "25%"
        [[services]]
        name = "middle-1"
        steps = [{ call = "back-1", blocking = false }, { call = "back-5", blocking = false, probability = "50%" }]
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "middle-2"
        steps = [{ call = "back-2", blocking = false }]
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "middle-3"
        steps = [{ call = "back-3", blocking = false }]
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "middle-4"
        steps = [{ call = "back-4", blocking = false }]
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "back-1"
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "back-2"
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "back-3"
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "back-4"
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        [[services]]
        name = "back-5"
        servers = [{ count = 100, service = { kind = "exponential", mean = "40ms" } }]
        "#;

/// A million clients, each with a session that goes on for as long as the run: all but one in 150
/// have begun one when each has been drawn five times on average.
const MILLION: &str = r#"
        population = { kind = "generated", count = 1_000_000 }
        sessions = { idle = "100d" }
        "#;

impl Workload {
    /// The system, for as long as about so many requests take to come.
    pub(crate) fn scenario(&self, requests: u64) -> Scenario {
        let servers: String = self
            .servers
            .iter()
            .enumerate()
            .map(|(group, (count, speed))| {
                format!(
                    r#"
        [[services.servers]]
        name = "group-{group}"
        count = {count}
        speed = "{}%"
        weight = {speed}
        service = {{ kind = "exponential", mean = "10ms" }}
        "#,
                    100 * speed
                )
            })
            .collect();
        let text = format!(
            r#"
        question = "What does a request cost?"
        expect = "-"
        [run]
        duration = "{}us"
        compare = [{}]
        [[clients]]
        arrivals = {{ kind = "poisson", rate = "{}/s" }}
        {}
        [[services]]
        name = "web"
        {servers}
        {}
        "#,
            requests * 1_000_000 / self.rate,
            self.strategy,
            self.rate,
            self.clients,
            self.balancer,
        );
        match Scenario::from_text("workload.toml", &text) {
            Ok(scenario) => scenario,
            Err(faults) => panic!("{faults}"),
        }
    }
}
