use super::*;

fn rollout() -> Rollout {
    Rollout {
        project: Some("octo/weather".into()),
        version: Version::parse("v1.2.0").unwrap(),
        number: 7,
        until: FOREVER,
        halted: false,
        stages: vec![Stage { from: 0, percent: 5 }],
        boards: Vec::new(),
        signature: None,
    }
}

#[test]
fn what_breaks_a_rule_is_not_written() {
    assert!(rollout().to_bytes().is_ok());
    let stage = |from, percent| Stage { from, percent };
    let wrong = [
        Rollout { number: 0, ..rollout() },
        Rollout { until: FOREVER + 1, ..rollout() },
        Rollout { stages: Vec::new(), ..rollout() },
        Rollout { stages: vec![stage(0, 101)], ..rollout() },
        Rollout { stages: vec![stage(5, 1), stage(5, 2)], ..rollout() },
        Rollout { stages: (0..9).map(|n| stage(n, 1)).collect(), ..rollout() },
        Rollout { boards: vec!["a b".into()], ..rollout() },
        Rollout { boards: vec!["a".into(), "a".into()], ..rollout() },
        Rollout { boards: (0..32).map(|n| format!("{n:064}")).collect(), ..rollout() },
        Rollout { project: Some("weather".into()), ..rollout() },
        Rollout { signature: Some("?".into()), ..rollout() },
    ];
    for (i, wrong) in wrong.iter().enumerate() {
        assert!(wrong.to_bytes().is_err(), "{i} is written");
    }
}

#[test]
fn the_asset_of_a_version_has_no_character_that_github_replaces() {
    assert_eq!(asset("v1.2.0"), "v1.2.0.json");
    assert_eq!(asset("1.2.0-rc.1+b.2"), "1.2.0-rc.1-b.2.json");
}

#[test]
fn what_is_signed_is_the_first_line_and_the_same_with_a_signature() {
    let mut rollout = rollout();
    let part = rollout.signed_bytes().unwrap();
    rollout.signature = Some("AAAA".into());
    assert_eq!(rollout.signed_bytes().unwrap(), part);
    assert_eq!(signed_part(&rollout.to_bytes().unwrap()), part);
}
