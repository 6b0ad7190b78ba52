//! Popularity that is known is found again.

use super::*;

fn draw(count: usize, exponent: f64, requests: usize, seed: u64) -> Counter {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut sum = 0.0;
    let ends: Vec<f64> = shares(count, exponent)
        .into_iter()
        .map(|share| {
            sum += share;
            sum
        })
        .collect();
    let mut counter = Counter::default();
    for _ in 0..requests {
        let at = uniform(&mut rng);
        counter.add(&format!("10.0.0.{}", ends.partition_point(|&end| end < at)));
    }
    counter
}

/// Within 4.5 standard errors and 0.02 for what drawing the model adds. Ranks as they are seen
/// would give 0.35 for the third.
#[test]
fn exponents_are_recovered() {
    for (count, exponent, requests) in [
        (1000, 0.8, 100_000),
        (1000, 1.2, 50_000),
        (2000, 0.2, 20_000),
        (500, 2.0, 20_000),
        (5000, 0.7, 20_000),
    ] {
        let found = draw(count, exponent, requests, 5).describe().unwrap();
        let slack = 4.5 * found.error + 0.02;
        assert!(
            (found.exponent - exponent).abs() < slack,
            "{count} {exponent}: {found:?}"
        );
        let off = found.count as f64 / count as f64;
        assert!(
            exponent > 1.0 || (0.8..1.25).contains(&off),
            "{count} {exponent}: {found:?}"
        );
        assert!(found.distance < 0.1, "{found:?}");
    }
}

/// Equal members are called equal: none of 300 logs is mistaken (the bound of 4.5 standard
/// deviations, themselves taken from 20 draws, allows 1 in 4000).
#[test]
fn luck_is_not_popularity() {
    let mistaken = (0..300)
        .filter(|&seed| {
            let (count, requests) = [(50, 5000), (1000, 3000), (300, 30_000)][seed as usize % 3];
            draw(count, 0.0, requests, 100 + seed)
                .describe()
                .unwrap()
                .exponent
                > 0.0
        })
        .count();
    assert_eq!(mistaken, 0);
}

#[test]
fn tables_and_sentences() {
    let found = draw(1000, 0.8, 20_000, 3).describe().unwrap();
    let text = toml::to_string(&found.population()).unwrap();
    assert!(
        text.contains("kind = \"generated\"") && text.contains("kind = \"zipf\""),
        "{text}"
    );
    let alike = Likeness::of(vec![3; 100]).unwrap();
    assert_eq!(alike.keys()["popularity"].as_str(), Some("uniform"));
    assert!(
        alike.reasons[1].contains("all alike"),
        "{:?}",
        alike.reasons
    );
    let one = Likeness::of(vec![7]).unwrap();
    assert_eq!((one.count, one.exponent, one.busiest), (1, 0.0, 1.0));
    // One member that makes half of everything is no Zipf.
    let mut odd = vec![10; 1000];
    odd[0] = 10_000;
    let odd = Likeness::of(odd).unwrap();
    assert!(
        odd.reasons.iter().any(|reason| reason.contains("poor fit")),
        "{odd:?}"
    );
    assert_eq!(Likeness::of(vec![0, 0]), None);
}

#[test]
fn memory_is_bounded_and_said_so() {
    let mut counter = Counter::new(3);
    for name in ["a", "b", "c", "d", "a", "e"] {
        counter.add(name);
    }
    let found = counter.describe().unwrap();
    assert_eq!((found.seen, found.requests, counter.total()), (3, 4, 6));
    assert!(
        found
            .reasons
            .iter()
            .any(|reason| reason.contains("2 requests of others are left out"))
    );
}

#[test]
fn of_few_requests_nothing_is_said() {
    for names in [&["a"][..], &["a", "a", "b"]] {
        let mut counter = Counter::default();
        names.iter().for_each(|name| counter.add(name));
        let found = counter.describe().unwrap();
        assert_eq!((found.exponent, found.count), (0.0, found.seen));
        let said = found.reasons.join(" ");
        assert!(said.contains("do not tell"), "{said}");
        for verdict in ["fit", "luck", "at least", "1 members", "1 requests"] {
            assert!(!said.contains(verdict), "{said}");
        }
    }
}
