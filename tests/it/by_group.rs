//! What the sessions of each group of clients lose, by itself.

use lbsim::model;
use lbsim::observe::{Loss, laws};
use lbsim::report::rows::ClientsRow;
use lbsim::{Experiment, Report, Scenario};

/// A thousand members of `web`, of whose two servers one dies at 30 s, and as many buyers of
/// `shop`, where nothing happens; bots at `web` hold no session. Nobody is idle for long.
fn world(rest: &str) -> Scenario {
    let group = |name: &str, service: &str, sessions: &str| {
        format!(
            "[[clients]]\nname = '{name}'\nservice = '{service}'\n\
             arrivals = {{ kind = 'poisson', rate = '200/s' }}\n\
             population = {{ kind = 'generated', count = 1000 }}\n{sessions}"
        )
    };
    let service = |name: &str| {
        format!(
            "[[services]]\nname = '{name}'\n\
             servers = [{{ name = 's', count = 2, slots = 50, service = {{ kind = 'constant', value = '1ms' }} }}]\n\
             balancer = {{ sticky = 'cookie', retry = {{ max = 3 }}, health-check = {{ interval = '1s' }} }}\n"
        )
    };
    let held = "sessions = { idle = '1h' }\n";
    let text = format!(
        "question = '?'\nexpect = '!'\n[run]\nduration = '40s'\nwarmup = '20s'\nreplications = 4\n\
         compare = ['random']\n{}{}{}{}{}[[faults]]\nkind = 'crash'\nservers = 'web/s-1'\nat = '30s'\n{rest}",
        group("member", "web", held),
        group("buyer", "shop", held),
        group("bot", "web", ""),
        service("web"),
        service("shop"),
    );
    Scenario::from_text("groups.toml", &text).unwrap_or_else(|fault| panic!("{fault}"))
}

/// Who had its state on the server that died has lost it: about half of the members, and no buyer.
/// Of 1,000 sessions drawn by halves the standard deviation is 16; 100 are more than six.
#[test]
fn each_group_loses_its_own_sessions() {
    let scenario = world("");
    let tally = model::run(&scenario.variants[0].blueprint, 1, 0);
    assert_eq!(laws::violations(&tally), []);
    let [member, buyer, bot] = tally.sessions.parts.as_slice() else {
        panic!("{:?}", tally.sessions.parts);
    };
    let crashed = Loss::Crash as usize;
    assert!(member.all.abs_diff(1000) <= 40 && buyer.all.abs_diff(1000) <= 40);
    assert!(member.hurt[crashed].abs_diff(500) < 100, "{member:?}");
    assert_eq!(member.lost, member.hurt);
    assert!(member.met > 300 && member.met <= member.hurt[crashed]);
    assert!(member.writes_lost >= member.hurt[crashed]);
    assert_eq!(
        (buyer.lost, buyer.hurt),
        ([0; Loss::COUNT], [0; Loss::COUNT])
    );
    assert_eq!((buyer.met, buyer.writes_lost), (0, 0));
    assert!(buyer.writes > 3000);
    assert_eq!(*bot, Default::default());
    // Where there is one group nothing is told apart.
    let one = Scenario::from_text(
        "one.toml",
        "question = '?'\nexpect = '!'\n[run]\nduration = '2s'\ncompare = ['random']\n[[clients]]\n\
         arrivals = { kind = 'poisson', rate = '20/s' }\nsessions = {}\n[[services]]\nname = 'web'\n\
         servers = [{ service = { kind = 'constant', value = '1ms' } }]\n",
    )
    .unwrap();
    let tally = model::run(&one.variants[0].blueprint, 1, 0);
    assert!(tally.sessions.all > 0 && tally.sessions.parts.is_empty());
}

fn report(scenario: Scenario) -> Report {
    Experiment::new(scenario).threads(2).run().unwrap()
}

#[test]
fn sessions_are_shown_and_required_by_group() {
    let lines = [
        ("sessions-hurt for member > 40%", "holds"),
        ("sessions-hurt for member < 40%", "fails"),
        ("sessions-hurt by crash for member < 60%", "holds"),
        ("sessions-lost by moved for member <= 0", "holds"),
        ("sessions-lost by crash for buyer <= 0", "holds"),
        ("sessions-hurt-count by crash for member > 400", "holds"),
        (
            "sessions-lost for member > 100 * sessions-lost for buyer",
            "holds",
        ),
        ("sessions for buyer > 900", "holds"),
        ("met-loss for member > 5%", "holds"),
        ("changes-lost for member > 20%", "holds"),
        ("changes-lost for buyer <= 0%", "holds"),
        ("errors by crash for buyer <= 0%", "holds"),
        ("sessions-set-back for buyer <= 0", "holds"),
        // Nobody knows of those who hold none.
        ("sessions-hurt for bot < 90%", "not shown"),
        ("sessions-lost by crash for bot <= 0", "not shown"),
    ];
    let rest: String = lines
        .iter()
        .map(|(line, _)| format!("[[require]]\nthat = '{line}'\n"))
        .collect();
    let report = report(world(&rest));
    for ((line, due), row) in lines.iter().zip(report.requirements()) {
        assert_eq!(row.decision, *due, "{line}: {row:?}");
    }
    let rows = &report.tables.clients;
    let of = |group: &str, metric: &str| -> Option<&ClientsRow> {
        rows.iter()
            .find(|row| row.clients == group && row.metric == metric)
    };
    let hurt = of("member", "sessions_hurt_share").unwrap();
    assert!(hurt.half_width_95 > Some(0.0) && hurt.n == 4, "{hurt:?}");
    for metric in ["sessions", "sessions_lost", "sessions_hurt"] {
        let both = ["member", "buyer"].map(|group| of(group, metric).unwrap().estimate.unwrap());
        let whole = report
            .tables
            .summary
            .iter()
            .find(|row| row.metric == metric);
        let whole = whole.unwrap().estimate.unwrap();
        assert!((both[0] + both[1] - whole).abs() < 1e-9, "{metric}");
    }
    assert!(of("bot", "sessions").is_none() && of("bot", "mean_ms").is_some());
    // What is known of all together alone is not shown as if it were a group's.
    assert!(of("member", "stale_reads_share").is_none());
}
