//! Somebody may write to the repository and has no key of the owner's: nothing that they have put there gets the owner's
//! signature, and nothing of it passes for a halt.

use super::*;
use mpota::release::keys::{self, SigningKey};
use mpota::release::sign::sign_rollout;

fn stranger(hub: &Hub) -> SigningKey {
    hub.app.run("key new stranger").ok();
    SigningKey::load(&hub.app.path("stranger"), &mut |_| Ok(String::new())).unwrap()
}

/// A hub with a rollout to 5 percent by its owner, and what a stranger could make of it.
fn forged(change: impl FnOnce(&mut Rollout)) -> (Hub, Server) {
    let (hub, server) = hub_with_key();
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let mut rollout = there(&server);
    change(&mut rollout);
    sign_rollout(&mut rollout, &stranger(&hub)).unwrap();
    hub.put(FILE, rollout.to_bytes().unwrap());
    (hub, server)
}

fn by_the_owner(hub: &Hub, server: &Server) -> bool {
    let owner = keys::show(&hub.app.path("key")).unwrap();
    mpota_format::rollout::signer(&served(server, FILE)).is_ok_and(|signer| signer.key == owner.key.key)
}

#[test]
fn stages_of_a_stranger_are_not_signed() {
    let (hub, server) = forged(|rollout| {
        rollout.stages = vec![Stage { from: 0, percent: 100 }];
        rollout.until = FOREVER;
        rollout.boards = vec!["ab".into()];
    });
    let said = run(&hub, &server, "rollout v1.0.0 --boards E6614C311B7E6F35").ok();
    assert!(said.err.contains("warning[rollout::replaced]"), "{}", said.err);
    let rollout = there(&server);
    assert!(by_the_owner(&hub, &server));
    assert_eq!(
        (stages(&rollout), rollout.boards.clone()),
        (vec![(0, 0)], vec!["e6614c311b7e6f35".to_owned()])
    );
    assert!(rollout.until < FOREVER);
}

#[test]
fn a_halt_of_a_stranger_is_none() {
    let mut cases = 0;
    let far = |rollout: &mut Rollout| rollout.number = FOREVER;
    let halted = |rollout: &mut Rollout| rollout.halted = true;
    let ahead = |rollout: &mut Rollout| rollout.number += DAY;
    for (change, number) in [(&halted as &dyn Fn(&mut Rollout), 0), (&far, 0), (&ahead, DAY)] {
        let (hub, server) = forged(change);
        let before = rollout::now();
        run(&hub, &server, "halt v1.0.0").ok();
        let rollout = there(&server);
        assert!(by_the_owner(&hub, &server) && rollout.halted);
        // Somebody else who may sign and whose clock is ahead is not behind; but nobody takes all numbers.
        assert!((before + number..before + number + 600).contains(&rollout.number), "{}", rollout.number);
        cases += 1;
    }
    println!("  cases {cases}: halts over files of a stranger");
    assert_eq!(cases, 3);
}
