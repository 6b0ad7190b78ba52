//! Charts of invented rows: they read as SVG, say what they must, and never panic.

use super::*;
use proptest::prelude::*;

/// The rows of a made-up run.
#[derive(Default)]
struct Invented {
    strategies: Vec<Series>,
    summary: Vec<SummaryRow>,
    latency: Vec<LatencyRow>,
    servers: Vec<ServerRow>,
    timeline: Vec<TimelineRow>,
    utilization: Vec<UtilizationRow>,
    sessions: Vec<SessionRow>,
    faults: Vec<FaultMark>,
}

fn invent(count: usize, servers: usize, scale: f64) -> Invented {
    let mut made = Invented::default();
    for index in 0..count {
        let name = match index {
            3 => "least-response-time decay=1min".to_owned(),
            11 => "join-shortest-queue (oracle)".to_owned(),
            _ => format!("strategy <{index}> & more"),
        };
        made.strategies.push(Series {
            name: name.clone(),
            colour: index,
        });
        let slow = scale * (1.0 + index as f64 * 0.7);
        for (metric, value) in [
            ("mean_ms", slow),
            ("p50_ms", slow * 0.7),
            ("p99_ms", slow * 5.0),
            ("p999_ms", slow * 9.0),
            ("success_share", 1.0 - 0.002 * index as f64),
        ] {
            let (strategy, metric) = (name.clone(), metric.to_owned());
            made.summary.push(SummaryRow {
                strategy,
                metric,
                estimate: Some(value),
                half_width_95: Some(value * 0.03),
                n: 20,
                ..SummaryRow::default()
            });
        }
        for step in 0..100u64 {
            let left = 10f64.powf(-(step as f64) / 20.0);
            made.latency.push(LatencyRow {
                strategy: name.clone(),
                percentile: 100.0 * (1.0 - left),
                response_ms: slow * (0.1 - left.ln()),
                requests_above: (left * 1e6) as u64,
            });
        }
        for server in 0..servers {
            let share = 1.0 / servers as f64;
            made.servers.push(ServerRow {
                strategy: name.clone(),
                server: format!("web/server-{server}"),
                weight: 1.0,
                capacity_share: if index % 2 == 0 {
                    share
                } else {
                    share * (0.5 + server as f64 / servers as f64)
                },
                request_share: Some(share * (1.0 + 0.1 * ((server * 7 + index) % 5) as f64)),
                utilization: Some(0.5 + 0.4 * ((server * 3 + index) % 7) as f64 / 7.0),
                ..ServerRow::default()
            });
            for stretch in 0..60 {
                made.utilization.push(UtilizationRow {
                    strategy: name.clone(),
                    band: server.min(99) as u32,
                    server: format!("web/server-{server}"),
                    from_s: f64::from(stretch) * 10.0,
                    to_s: f64::from(stretch + 1) * 10.0,
                    utilization: (f64::from(stretch) / 60.0 + server as f64 * 0.05) % 1.0,
                });
            }
        }
        for stretch in 0..60 {
            let wave = 1.0 + 0.3 * (f64::from(stretch) / 5.0).sin();
            made.timeline.push(TimelineRow {
                strategy: name.clone(),
                from_s: f64::from(stretch) * 10.0,
                to_s: f64::from(stretch + 1) * 10.0,
                requests: 100.0,
                failed: 0.0,
                p50_ms: (stretch != 30).then_some(slow * wave),
                p99_ms: Some(slow * wave * 6.0),
            });
        }
        for (cause, lost) in [
            ("crash", 3.0),
            ("moved", index as f64),
            ("unreachable", 1.0),
        ] {
            made.sessions.push(SessionRow {
                strategy: name.clone(),
                cause: cause.to_owned(),
                held: 200.0,
                lost,
                lost_half_width_95: Some(0.4),
                lost_share: Some(lost / 200.0),
            });
        }
    }
    made.faults.push(FaultMark {
        from_s: 200.0,
        to_s: Some(260.0),
        label: "crash of web/server-3".to_owned(),
    });
    made.faults.push(FaultMark {
        from_s: 240.0,
        to_s: None,
        label: "slowdown of web/server-4".to_owned(),
    });
    made
}

impl Invented {
    fn study(&self) -> Study<'_> {
        Study {
            question: "What does one slow server of ten do to the tail, rule by rule, when nobody has told the balancer about it & what <then>?",
            scenario: "invented.toml · 20 replications of 10min · seed 1",
            measured: &[],
            sweep: &[],
            sweep_label: "",
            strategies: &self.strategies,
            summary: &self.summary,
            paired: &[],
            settling: &[],
            sweep_and: None,
            judge: "mean_ms",
            exact: &[],
            latency: &self.latency,
            servers: &self.servers,
            timeline: &self.timeline,
            utilization: &self.utilization,
            sessions: &self.sessions,
            faults: &self.faults,
            warmup_s: 60.0,
        }
    }
}

/// With `LBSIM_CHARTS` naming a folder, the pictures are written there to be looked at.
fn keep(charts: &[Chart], set: &str) {
    let Some(folder) = std::env::var_os("LBSIM_CHARTS") else {
        return;
    };
    for chart in charts {
        let path = std::path::Path::new(&folder).join(format!("{}-{set}.png", chart.name));
        std::fs::write(path, png(&chart.svg).unwrap()).unwrap();
    }
}

#[test]
fn charts_say_what_they_must() {
    for (count, servers) in [(1, 3), (2, 10), (12, 10), (14, 1000)] {
        let made = invent(count, servers, 10.0);
        let charts = draw(&made.study());
        assert_eq!(charts.len(), 7);
        for chart in &charts {
            let tree = usvg::Tree::from_str(&chart.svg, &usvg::Options::default()).unwrap();
            assert_eq!(tree.size().width(), 1200.0);
            assert!(
                chart.svg.contains("What does one slow server")
                    && chart.svg.contains("invented.toml"),
                "{}",
                chart.name
            );
            for series in made.strategies.iter().take(12) {
                let name: String = series
                    .name
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;");
                assert!(chart.svg.contains(&name), "{} lacks {name}", chart.name);
            }
            assert!(
                ["(ms", "(s)", "%"]
                    .iter()
                    .any(|unit| chart.svg.contains(unit)),
                "{} has no unit",
                chart.name
            );
        }
        assert_eq!(charts, draw(&made.study()));
        keep(&charts, &format!("{count}x{servers}"));
    }
}

#[test]
fn what_has_no_data_is_left_out() {
    let made = Invented {
        strategies: invent(2, 2, 1.0).strategies,
        ..Invented::default()
    };
    assert_eq!(draw(&made.study()), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn odd_rows_do_not_panic(count in 1usize..4, servers in 1usize..4, scale in prop::sample::select(vec![0.0, 1e-9, 1.0, 1e12]), keep_every in 1usize..40) {
        let mut made = invent(count, servers, scale);
        let mut n = 0;
        made.latency.retain(|_| { n += 1; n % keep_every == 0 });
        made.timeline.retain(|row| (row.from_s as usize).is_multiple_of(keep_every));
        made.summary.iter_mut().step_by(keep_every).for_each(|row| row.estimate = None);
        for chart in draw(&made.study()) {
            prop_assert!(png(&chart.svg).is_ok());
        }
    }
}
