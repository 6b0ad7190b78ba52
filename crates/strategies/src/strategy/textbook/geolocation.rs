//! Sends a request where a table says that its place belongs: to the members for the zone in which
//! its balancer stands (that of its caller, with `spread = "caller"`), in turn.
//!
//! Rows that name the zone are tried in their order, and then `otherwise`: the first that has a
//! member that is well gets all. So a row for a country stands before that of its continent. Who is
//! in no row, and finds no `otherwise`, gets no answer: the request fails for want of a server
//! (`failed_no_server`), and so does one whose rows and default are all down; with a
//! `panic-threshold` of 1% the members of its first row are named then nevertheless. Members of
//! other rows get nothing from there, whatever happens. Without a table all members take turns.
//!
//! **Sees:** the zone of its balancer, zones and names of members, who is eligible.
//! **Cost of a pick:** constant where somebody of the first row is eligible.
//! **Fails when:** places are unlike: each row has the load of its users, whatever its members can
//! do and others have to spare; and a place that the table forgets is served by nobody.
//! **Source:** AWS, Amazon Route 53 Developer Guide, 2025: "Geolocation routing" (priority to the
//! smallest region; default record; without one "no answer"), "Values specific for geolocation
//! records" (health check: the next larger region, then the default; where all are unhealthy, the
//! record of the smallest region) and "How Amazon Route 53 chooses records when health checking is
//! configured" (no healthy record: all are taken to be healthy). In which order a record's several
//! members are named is not said there, and here they take turns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rings::Rings;
use crate::strategy::{
    BadSetting, Candidates, Context, Member, MemberId, News, Pool, Request, Rule,
};

/// Settings of `geolocation`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Which members serve which zones; of several rows that name a zone the first comes first.
    #[schemars(length(max = 1000))]
    pub places: Vec<GeoRow>,
    /// The members for who is in no row, and for those whose rows have nobody who is well: names as
    /// in `to`. None where it is left out.
    #[schemars(length(max = 1000))]
    pub otherwise: Vec<String>,
}

/// A row of a table of places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GeoRow {
    /// Zones of those who ask.
    #[schemars(length(min = 1, max = 1000))]
    pub from: Vec<String>,
    /// Who serves them: zones in which members stand, groups of servers, or single servers.
    #[schemars(length(min = 1, max = 1000))]
    pub to: Vec<String>,
}

impl Config {
    /// Whether there is a table at all.
    pub fn has_table(&self) -> bool {
        !self.places.is_empty() || !self.otherwise.is_empty()
    }
}

/// Whether a member is meant by a name: of its zone, its group, or its own.
fn is_meant(member: &Member, name: &str) -> bool {
    let number = (member.name.strip_prefix(name)).and_then(|rest| rest.strip_prefix('-'));
    let is_of_group = number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    member.zone.as_deref() == Some(name) || member.name == name || is_of_group
}

/// Members by the rows of a table.
#[derive(Clone, Debug)]
pub struct Geolocation {
    rings: Rings,
}

impl News for Geolocation {
    const GOES_BY_PLACE: bool = true;
    type Config = Config;

    fn in_charge(config: &Config, members: &[Member]) -> Vec<bool> {
        let rows = config.places.iter().map(|row| &row.to);
        let named: Vec<&String> = rows.chain([&config.otherwise]).flatten().collect();
        let is_named = |member: &Member| {
            !config.has_table() || named.iter().any(|name| is_meant(member, name))
        };
        let serves = |member: &Member| member.is_enabled() && is_named(member);
        members.iter().map(serves).collect()
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn check(config: &Config) -> Result<(), BadSetting> {
        if !config.otherwise.is_empty() && config.places.is_empty() {
            return Err(BadSetting {
                setting: "otherwise",
                message: "is for who is in no row of `places`, and there is none".to_owned(),
            });
        }
        Ok(())
    }

    fn ranks(config: &Config, pool: &Pool) -> Vec<Option<u64>> {
        let members = pool.members();
        if !config.has_table() {
            return vec![Some(0); members.len()];
        }
        let is_here = |zone: &String| pool.zone() == Some(zone.as_str());
        let own = config
            .places
            .iter()
            .filter(|row| row.from.iter().any(is_here));
        let rows: Vec<&Vec<String>> = own.map(|row| &row.to).chain([&config.otherwise]).collect();
        let rank = |member: &Member| {
            let mut rows = rows.iter();
            let row = rows.position(|row| row.iter().any(|name| is_meant(member, name)))?;
            Some(row as u64)
        };
        members.iter().map(rank).collect()
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        Geolocation {
            rings: Rings::new(&Geolocation::ranks(config, cx.pool)),
        }
    }
}

impl Rule for Geolocation {
    fn pick(
        &mut self,
        _: &Request<'_>,
        candidates: Candidates<'_>,
        _: &mut Context<'_>,
    ) -> MemberId {
        self.rings.pick(&candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::{Balancer, Care, Reason};
    use crate::strategy::{Pick, StrategyConfig, Truth};
    use lbsim_engine::rng::{Domain, Seeds};
    use lbsim_engine::time::Time;
    use lbsim_engine::units::Share;

    /// Two in Frankfurt, one in Ohio, one in Virginia.
    const MEMBERS: [(&str, &str); 4] = [
        ("fra-1", "frankfurt"),
        ("fra-2", "frankfurt"),
        ("cmh", "ohio"),
        ("iad", "virginia"),
    ];

    fn balancer(zone: &str, otherwise: &str, care: Care<'_>) -> Balancer {
        let members = (0..).zip(MEMBERS).map(|(position, (name, zone))| Member {
            name: name.to_owned(),
            zone: Some(zone.to_owned()),
            ..Member::new(position, 1)
        });
        let strategy: StrategyConfig = serde_json::from_str(&format!(
            r#"{{ "kind": "geolocation", "otherwise": [{otherwise}], "places": [
                {{ "from": ["texas"], "to": ["cmh"] }},
                {{ "from": ["eu", "af"], "to": ["fra"] }},
                {{ "from": ["texas", "ny"], "to": ["virginia"] }}
            ] }}"#
        ))
        .unwrap();
        let pool = Pool::new(members.collect()).standing_in(zone);
        let rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        Balancer::with_care(0, &strategy, pool, (rng, care))
    }

    fn picks(balancer: &mut Balancer) -> [Pick; 3] {
        [(); 3].map(|()| balancer.pick(Request::UNSEEN, Truth::default(), Time::ZERO))
    }

    fn down(balancer: &mut Balancer, member: MemberId) {
        balancer.set(member, Reason::Down, true, Time::ZERO);
    }

    #[test]
    fn each_place_has_its_own_members_in_turn() {
        let of = |zone| picks(&mut balancer(zone, "", Care::default()));
        let to = |members: [MemberId; 3]| members.map(Pick::Member);
        assert_eq!(of("af"), to([0, 1, 0]));
        assert_eq!(of("texas"), to([2, 2, 2]));
        assert_eq!(of("ny"), to([3, 3, 3]));
    }

    /// From the state to the country, and then to the default; nobody of another place.
    #[test]
    fn a_place_that_is_down_falls_to_the_next_larger_and_then_to_the_default() {
        let mut texas = balancer("texas", r#""fra-2""#, Care::default());
        down(&mut texas, 2);
        assert_eq!(picks(&mut texas), [Pick::Member(3); 3]);
        down(&mut texas, 3);
        assert_eq!(picks(&mut texas), [Pick::Member(1); 3]);
        down(&mut texas, 1);
        assert_eq!(picks(&mut texas), [Pick::Nobody; 3]);
    }

    #[test]
    fn who_is_in_no_row_gets_the_default_or_no_answer() {
        let mut asia = balancer("asia", r#""ohio""#, Care::default());
        assert_eq!(picks(&mut asia), [Pick::Member(2); 3]);
        let mut asia = balancer("asia", "", Care::default());
        assert_eq!(picks(&mut asia), [Pick::Nobody; 3]);
    }

    /// As Route 53 answers where nobody is healthy: with the record of the smallest region.
    #[test]
    fn where_all_are_down_a_threshold_names_the_first_row_nevertheless() {
        let panics = Care {
            panic_threshold: Some(Share::fraction(0.01)),
            ..Care::default()
        };
        let mut texas = balancer("texas", "", panics);
        down(&mut texas, 2);
        assert_eq!(picks(&mut texas), [Pick::Member(3); 3]);
        down(&mut texas, 3);
        assert_eq!(picks(&mut texas), [Pick::Member(2); 3]);
    }
}
