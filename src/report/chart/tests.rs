//! Charts of invented rows: they read as SVG, say what they must, and never panic.

use super::*;
use crate::report::about::EventKind;
use crate::report::rows::{
    FaultRow, LatencyRow, PairedRow, ServerRow, ServiceRow, SessionRow, SettlingRow, SummaryRow,
    TimelineRow, UtilizationRow,
};
use proptest::prelude::*;

/// The rows of a made-up run.
#[derive(Default)]
struct Invented {
    strategies: Vec<Series>,
    rows: Tables,
    sweep: Vec<SweepRow>,
    events: Vec<Event>,
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
            figure: None,
        });
        let slow = scale * (1.0 + index as f64 * 0.7);
        for (metric, value) in [
            ("mean_ms", slow),
            ("p50_ms", slow * 0.7),
            ("p99_ms", slow * 5.0),
            ("p999_ms", slow * 9.0),
            ("success_share", 1.0 - 0.002 * index as f64),
            ("sessions_lost", 4.0 + index as f64),
            ("sessions_hurt_share", 0.02 + 0.005 * index as f64),
        ] {
            let (strategy, metric) = (name.clone(), metric.to_owned());
            made.rows.summary.push(SummaryRow {
                strategy,
                metric,
                estimate: Some(value),
                half_width_95: Some(value * 0.03),
                n: 20,
                ..SummaryRow::default()
            });
        }
        if index > 0 {
            let verdict = if index % 2 == 0 { "worse" } else { "not shown" };
            made.rows.paired.push(PairedRow {
                strategy: name.clone(),
                baseline: made.strategies[0].name.clone(),
                metric: "mean_ms".to_owned(),
                difference: Some(slow - scale),
                half_width_95: Some(slow * 0.1),
                verdict: verdict.to_owned(),
                ..PairedRow::default()
            });
        }
        for step in 0..100u64 {
            let left = 10f64.powf(-(step as f64) / 20.0);
            made.rows.latency.push(LatencyRow {
                strategy: name.clone(),
                percentile: 100.0 * (1.0 - left),
                response_ms: slow * (0.1 - left.ln()),
                requests_above: (left * 1e6) as u64,
            });
        }
        for server in 0..servers {
            let share = 1.0 / servers as f64;
            made.rows.servers.push(ServerRow {
                strategy: name.clone(),
                server: format!("web/server-{server}"),
                weight: 1.0,
                capacity_share: Some(if index % 2 == 0 {
                    share
                } else {
                    share * (0.5 + server as f64 / servers as f64)
                }),
                request_share: Some(share * (1.0 + 0.1 * ((server * 7 + index) % 5) as f64)),
                utilization: Some(0.5 + 0.4 * ((server * 3 + index) % 7) as f64 / 7.0),
                ..ServerRow::default()
            });
            for stretch in 0..60 {
                made.rows.utilization.push(UtilizationRow {
                    strategy: name.clone(),
                    band: server.min(99) as u32,
                    server: format!("web/server-{server}"),
                    from_s: f64::from(stretch) * 10.0,
                    to_s: f64::from(stretch + 1) * 10.0,
                    utilization: (f64::from(stretch) / 60.0 + server as f64 * 0.05) % 1.0,
                    waiting: f64::from(stretch) * server as f64,
                    ..UtilizationRow::default()
                });
            }
        }
        for stretch in 0..60 {
            let wave = 1.0 + 0.3 * (f64::from(stretch) / 5.0).sin();
            made.rows.timeline.push(TimelineRow {
                strategy: name.clone(),
                from_s: f64::from(stretch) * 10.0,
                to_s: f64::from(stretch + 1) * 10.0,
                requests: 100.0 * wave,
                failed: if stretch > 40 { 30.0 } else { 0.0 },
                unfinished: 0.0,
                repeats: if index % 2 == 1 && stretch > 40 {
                    45.0
                } else {
                    0.0
                },
                p50_ms: (stretch != 30).then_some(slow * wave),
                p99_ms: Some(slow * wave * 6.0),
                sessions_kept_share: Some(1.0 - 0.01 * f64::from(stretch * index as u32 / 20)),
                servers: None,
            });
        }
        for (point, metric) in (0..6)
            .flat_map(|point| ["mean_ms", "p99_ms", "success_share"].map(|metric| (point, metric)))
        {
            made.sweep.push(SweepRow {
                value: format!("{point}/s"),
                value_2: Some(format!("{}ms", point % 2)),
                at: f64::from(point),
                at_2: Some(f64::from(point % 2)),
                strategy: name.clone(),
                metric: metric.to_owned(),
                estimate: Some(slow / 2f64.powi(point)),
                half_width_95: Some(0.1),
                n: 10,
            });
        }
        for step in 1..=100 {
            made.rows.settling.push(SettlingRow {
                strategy: name.clone(),
                time_s: f64::from(step),
                in_system: slow,
                at_busiest: slow,
                settled_s: 30.0,
            });
        }
        for (service, share) in [("web", 1.0), ("a store with a long name", 0.3)] {
            made.rows.services.push(ServiceRow {
                strategy: name.clone(),
                service: service.to_owned(),
                mean_ms: Some(slow * share),
                wait_ms: Some(slow * share * 0.3),
                work_ms: Some(slow * share * 0.2),
                called_ms: Some(slow * share * 0.4),
                requests: 100.0,
                attempts: 140.0,
                failed_attempts: 50.0,
                success_share: Some(0.85),
                attempts_per_client_request: Some(1.4),
                ..ServiceRow::default()
            });
        }
        for stretch in 0..60 {
            made.rows.faults.push(FaultRow {
                strategy: name.clone(),
                fault: "noisy neighbours of web".to_owned(),
                targets: servers as u32,
                from_s: f64::from(stretch) * 10.0,
                to_s: f64::from(stretch + 1) * 10.0,
                held_share: 0.1 + 0.05 * f64::from(stretch % 7),
            });
        }
        for (cause, lost) in [
            ("crash", 3.0),
            ("moved", index as f64),
            ("unreachable", 1.0),
        ] {
            made.rows.sessions.push(SessionRow {
                strategy: name.clone(),
                cause: cause.to_owned(),
                sessions: 200.0,
                lost,
                lost_half_width_95: Some(0.4),
                hurt: lost,
                hurt_half_width_95: Some(0.4),
                hurt_share: Some(lost / 200.0),
            });
        }
    }
    made.events.push(Event {
        from_s: 200.0,
        to_s: Some(260.0),
        kind: EventKind::Crash,
        label: "crash of web/server-3".to_owned(),
        only: Vec::new(),
    });
    made.events.push(Event {
        from_s: 240.0,
        to_s: None,
        kind: EventKind::Slowdown,
        label: "slowdown of web/server-4".to_owned(),
        only: Vec::new(),
    });
    made
}

impl Invented {
    fn study(&self) -> Study<'_> {
        let question = "What does one slow server of ten do to the tail, rule by rule, when nobody has told the balancer about it & what <then>?";
        let caption = "invented.toml · 20 replications of 10min · seed 1";
        Study {
            rows: &self.rows,
            judge: Metric::named("mean_ms"),
            events: &self.events,
            warmup_s: 60.0,
            ..Study::titled(question, caption, &self.strategies)
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
        let charts = pictures(&made.study());
        // By one alone there is no trade-off and no difference, and here it keeps all sessions.
        assert_eq!(charts.len(), if count == 1 { 12 } else { 15 });
        for chart in &charts {
            let tree = roxmltree::Document::parse(&chart.svg).unwrap();
            assert_eq!(tree.root_element().attribute("width"), Some("1200"));
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
                ["(ms", "(s)", "%", "Requests"]
                    .iter()
                    .any(|unit| chart.svg.contains(unit)),
                "{} has no unit",
                chart.name
            );
        }
        assert_eq!(charts, pictures(&made.study()));
        keep(&charts, &format!("{count}x{servers}"));
    }
}

/// What happens to some stands in their maps, and over the lines of all as a strip that says whose
/// it is.
#[test]
fn what_happens_to_some_is_marked_at_them() {
    let mut made = invent(3, 3, 1.0);
    made.rows.faults.clear();
    made.events[1].kind = EventKind::Cold;
    let count = |made: &Invented| {
        let timeline = timeline::draw(&made.study()).unwrap();
        let maps = utilization::draw(&made.study()).unwrap();
        let of = |svg: &str, part: &str| svg.matches(part).count();
        [
            of(&timeline, "crash of web/server-3\n"),
            of(
                &timeline,
                "crash of web/server-3 (strategy &lt;1&gt; &amp; more)\n",
            ),
            of(&maps, "crash of web/server-3\n"),
            // Lines of the crash: its beginning and its end.
            of(&maps, "stroke=\"#B91C4A\""),
        ]
    };
    // Named above the first row of maps, marked in all; a map has two lines, and one more in the
    // timeline's panels is not counted here.
    assert_eq!(count(&made), [1, 0, 2, 6]);
    made.events[0].only = vec![made.strategies[1].name.clone()];
    assert_eq!(count(&made), [0, 1, 1, 2]);
    // Of those who have it none is shown.
    made.events[0].only = vec!["another".to_owned()];
    assert_eq!(count(&made), [0, 0, 0, 0]);
    // Cold servers have a colour of their own, which no fault has.
    let cold = "fill=\"#1D63A8\"";
    let svg = timeline::draw(&made.study()).unwrap();
    assert!(svg.contains(cold), "{svg}");
    made.events[1].kind = EventKind::Slowdown;
    assert!(!timeline::draw(&made.study()).unwrap().contains(cold));
}

/// What is asked for is the same all the time, more of one variant than of the other: there is no
/// path to go, but one to see over time, where much fails.
#[test]
fn an_overload_that_nobody_asked_for_is_seen_over_time() {
    let mut made = invent(2, 2, 1.0);
    let mut drawn = |failed: f64, repeats: f64, marked: bool| {
        let second = made.strategies[1].name.clone();
        for row in &mut made.rows.timeline {
            let is_second = row.strategy == second;
            row.requests = if is_second { 1000.0 } else { 100.0 };
            let ill = (200.0..260.0).contains(&row.from_s);
            row.failed = if ill { failed * row.requests } else { 0.0 };
            row.repeats = if ill && is_second { repeats } else { 0.0 };
        }
        if !marked {
            made.events.clear();
            made.rows.faults.clear();
        }
        let svg = goodput::draw(&made.study())?;
        assert!(!svg.contains("Requests asked for"), "no path to go");
        let chart = Chart {
            name: "goodput",
            svg: svg.clone(),
        };
        keep(&[chart], &format!("over-time-{failed}-{repeats}"));
        let parts = [
            "back at 260 s",
            "all that was sent for it (thin)",
            "crash of web",
        ];
        Some(parts.map(|part| svg.matches(part).count()))
    };
    assert_eq!(drawn(0.05, 0.0, true), None);
    assert_eq!(drawn(0.2, 0.0, true), Some([2, 0, 2]));
    assert_eq!(drawn(0.2, 500.0, true), Some([2, 1, 2]));
    // What is tried again is enough to see, and needs no fault.
    assert_eq!(drawn(0.01, 500.0, false), Some([0, 1, 0]));
    assert_eq!(
        drawn(0.2, 0.0, false),
        None,
        "servers do no more at any time"
    );
}

#[test]
fn what_has_no_data_is_left_out() {
    let made = Invented {
        strategies: invent(2, 2, 1.0).strategies,
        ..Invented::default()
    };
    assert_eq!(pictures(&made.study()), []);
}

/// That the success rate of a point is not known is no failure.
#[test]
fn success_is_drawn_where_something_failed() {
    let mut made = invent(2, 2, 1.0);
    let mut drawn = |shares: [Option<f64>; 2]| {
        for row in &mut made.sweep {
            row.estimate = shares[usize::from(row.at > 2.0)];
        }
        let study = Study {
            sweep: &made.sweep,
            ..made.study()
        };
        let charts = pictures(&study);
        charts.iter().any(|chart| chart.name == "sweep-success")
    };
    assert!(!drawn([Some(1.0), None]));
    assert!(drawn([Some(1.0), Some(0.9)]));
}

/// No row of a heat map is of two services.
#[test]
fn rows_of_a_heat_map_keep_to_a_service() {
    let mut made = Invented {
        strategies: invent(1, 1, 1.0).strategies,
        ..Invented::default()
    };
    let sizes = [("edge", 3), ("web", 70), ("store", 29)];
    let all = sizes.iter().flat_map(|&(name, count)| vec![name; count]);
    for (band, name) in (0..).zip(all) {
        made.rows.utilization.push(UtilizationRow {
            strategy: made.strategies[0].name.clone(),
            band,
            server: format!("{name}/server-{band}"),
            to_s: 10.0,
            ..UtilizationRow::default()
        });
    }
    let svg = utilization::draw(&made.study()).unwrap();
    let said = ["edge/server-0", "web/server-3", "store/server-73"];
    assert!(said.iter().all(|name| svg.contains(name)), "{svg}");
    let rows = server_map::Grid::of(&made.study(), 102).row;
    let of = |service: usize| -> Vec<usize> {
        let first: usize = sizes[..service].iter().map(|(_, count)| count).sum();
        rows[first..first + sizes[service].1].to_vec()
    };
    for (one, other) in [(0, 1), (1, 2)] {
        assert!(of(one).iter().max() < of(other).iter().min(), "{rows:?}");
    }
}

/// Values as no chart expects them.
fn odd_values() -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        prop::sample::select(vec![
            0.0,
            1.0,
            -1.0,
            1e-300,
            1e12,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ]),
        1e-6f64..1e6,
    ];
    prop_oneof![
        // Equal values, and any mix.
        one.clone().prop_map(|value| vec![value]),
        prop::collection::vec(one, 1..12),
    ]
}

impl Invented {
    /// Puts `values`, one after another and again and again, in place of all that was measured.
    fn spoil(&mut self, values: &[f64]) {
        let mut next = values.iter().copied().cycle();
        let mut next = || next.next().unwrap_or(0.0);
        for row in &mut self.rows.summary {
            (row.estimate, row.half_width_95) = (Some(next()), Some(next()));
        }
        for row in &mut self.rows.paired {
            (row.difference, row.half_width_95) = (Some(next()), Some(next()));
        }
        for row in &mut self.rows.latency {
            row.response_ms = next();
        }
        for row in &mut self.rows.servers {
            row.capacity_share = Some(next());
            (row.request_share, row.utilization) = (Some(next()), Some(next()));
        }
        for row in &mut self.rows.timeline {
            (row.p50_ms, row.p99_ms) = (Some(next()), Some(next()));
            (row.requests, row.failed, row.repeats) = (next(), next(), next());
        }
        for row in &mut self.rows.utilization {
            (row.utilization, row.waiting, row.attempts) = (next(), next(), next());
            (row.away_share, row.dead_share) = (next(), next());
        }
        for row in &mut self.rows.services {
            (row.mean_ms, row.wait_ms) = (Some(next()), Some(next()));
            (row.work_ms, row.called_ms) = (Some(next()), Some(next()));
            (row.attempts, row.success_share) = (next(), Some(next()));
            row.attempts_per_client_request = Some(next());
        }
        for row in &mut self.rows.faults {
            row.held_share = next();
        }
        for row in &mut self.rows.sessions {
            (row.lost, row.hurt_share) = (next(), Some(next()));
        }
        for row in &mut self.sweep {
            (row.at, row.estimate, row.half_width_95) = (next(), Some(next()), Some(next()));
            row.at_2 = row.at_2.map(|_| next());
        }
        for row in &mut self.rows.settling {
            (row.in_system, row.settled_s) = (next(), next());
        }
    }
}

/// A picture is no larger than a picture should be, and shows no number that is none.
fn is_sound(chart: &Chart) -> Result<(), TestCaseError> {
    prop_assert!(
        chart.svg.len() < 3_000_000,
        "{}: {}",
        chart.name,
        chart.svg.len()
    );
    for text in chart.svg.split("<text").skip(1) {
        let text = text.split("</text>").next().unwrap_or_default();
        let said = text.split('>').nth(1).unwrap_or_default().to_lowercase();
        prop_assert!(
            !said.contains("nan") && !said.contains("inf"),
            "{} says {said}",
            chart.name
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_rows_do_not_panic(count in 1usize..4, servers in 1usize..4, scale in prop::sample::select(vec![0.0, 1e-9, 1.0, 1e12]), keep_every in 1usize..40) {
        let mut made = invent(count, servers, scale);
        let mut n = 0;
        made.rows.latency.retain(|_| { n += 1; n % keep_every == 0 });
        made.rows.timeline.retain(|row| (row.from_s as usize).is_multiple_of(keep_every));
        made.rows.summary.iter_mut().step_by(keep_every).for_each(|row| row.estimate = None);
        for chart in pictures(&made.study()) {
            is_sound(&chart)?;
            prop_assert!(png(&chart.svg).is_ok(), "{}", chart.name);
        }
    }

    #[test]
    fn odd_values_do_not_panic(count in 1usize..4, servers in 1usize..4, values in odd_values(), swept in any::<bool>(), both in any::<bool>()) {
        let mut made = invent(count, servers, 1.0);
        made.spoil(&values);
        let mut study = made.study();
        if swept {
            study.sweep = &made.sweep;
            study.sweep_and = both.then_some("service");
        }
        for chart in pictures(&study) {
            is_sound(&chart)?;
        }
    }
}
