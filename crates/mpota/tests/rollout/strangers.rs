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

#[test]
fn a_first_rollout_is_not_made_where_it_could_never_be_changed() {
    // The releases are older than the setting: they do not show it.
    let (hub, server) = hub();
    drop(server);
    let write = WriteOptions { immutable: true, ..WriteOptions::new(TOKEN) };
    let server = Server::start(Options { write: Some(write), ..hub.options() }).unwrap();
    let before = hub.tree();
    run(&hub, &server, "rollout v1.0.0 5%").refused(&["error[rollout::immutable_new]"]);
    hub.build("v1.1.0");
    hub.publish(&server, "--rollout 5%").said().refused(&["error[rollout::immutable_new]"]);
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn an_end_that_is_over_is_not_put_off_by_naming_boards() {
    let (hub, server) = hub();
    run(&hub, &server, "rollout v1.0.0 5% --for 1d").ok();
    let until = there(&server).until;
    let mut over = there(&server);
    over.until = rollout::now() - 1;
    let good = hub.get(FILE);
    hub.put(FILE, over.to_bytes().unwrap());
    run(&hub, &server, "rollout v1.0.0 --boards cd").refused(&["error[rollout::ended]", "--for"]);
    hub.put(FILE, good);
    run(&hub, &server, "rollout v1.0.0 --boards ab").ok();
    assert_eq!(there(&server).until, until);
    run(&hub, &server, "rollout v1.0.0 --boards cd --for 3d").ok();
    assert!(there(&server).until > until + DAY);
}
