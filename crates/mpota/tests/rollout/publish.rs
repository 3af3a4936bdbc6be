//! `mpota publish --rollout`.

use crate::*;

#[test]
fn publish_with_a_rollout_builds_with_the_mark_and_has_it_there_first() {
    let hub = Hub::new();
    let server = hub.serve();
    let said = hub.publish(&server, "--version v1.1.0 --rollout 5%").said().ok();
    assert!(said.err.contains("the rollout of v1.1.0 is there"), "{}", said.err);
    let manifest = mpota::release::dist::read_manifest(&hub.app.path("dist/manifest.json")).unwrap();
    assert!(manifest.header.rollout());
    let rollout = Rollout::parse(&served(&server, "rollout/v1.1.0.json")).unwrap();
    assert_eq!(stages(&rollout), [(0, 5)]);
    hub.whole(&server, "v1.1.0");
    // What runs again changes nothing, also where somebody has gone on with the rollout.
    let before = hub.tree();
    let said = hub.publish(&server, "--rollout 5%").said().ok();
    assert!(said.err.contains("has a rollout already, which stays") && hub.tree() == before, "{}", said.err);
    run(&hub, &server, "rollout v1.1.0 50%").ok();
    let before = hub.tree();
    hub.publish(&server, "--rollout 5%").said().ok();
    assert!(hub.tree() == before, "a rollout was taken back");
    let dry = hub.publish(&server, "--version v1.2.0 --rollout 5% --dry-run").said().ok();
    assert!(dry.out.contains("upload v1.2.0.json to the release rollout"), "{}", dry.out);
    assert!(hub.tree() == before);
}

#[test]
fn publish_refuses_a_rollout_that_no_board_would_ask_for_or_take() {
    let hub = Hub::new();
    let server = hub.serve();
    let before = hub.tree();
    let said = hub.publish(&server, "--rollout 5%").said();
    said.refused(&[
        "error[rollout::not_built]",
        "v1.0.0 in ./dist was built without a rollout",
        "mpota build --rollout",
    ]);
    assert!(hub.tree() == before, "something was changed");
    hub.app.run("key new key").ok();
    hub.app.append("mpota.toml", "exclude = [\"key*\"]\n");
    hub.app.run("build --version v1.0.0 --rollout --key key").ok();
    hub.publish(&server, "--rollout 5%").said().refused(&["error[rollout::unsigned]"]);
    assert!(hub.tree() == before, "something was changed");
    hub.publish(&server, "--rollout 5% --key key").said().ok();
    assert!(mpota_format::rollout::signer(&served(&server, FILE)).is_ok());
    // Without a rollout such a version waits, and that is told.
    hub.app.run("build --version v1.1.0 --rollout --key key").ok();
    let said = hub.publish(&server, "").said().ok();
    assert!(said.err.contains("no board takes v1.1.0 before it has a rollout"), "{}", said.err);
}

#[test]
fn publish_replaces_another_share_that_was_never_seen_by_a_board() {
    let hub = Hub::new();
    hub.app.run("build --version v1.0.0 --rollout").ok();
    let server = hub.serve();
    let said = Rc::new(RefCell::new(Vec::new()));
    let publish_with = |percent: u8| {
        let mut how = hub.how(&server);
        let seen = Rc::clone(&said);
        how.tell = Rc::new(move |step: &Step| seen.borrow_mut().push(step.clone()));
        how.rollout = Some(Change { percent: Some(percent), ..Change::default() });
        publish(&how)
    };
    // A run that was stopped before the publication has left it.
    hub.put("rollout/release.json", r#"{"prerelease": true}"#);
    let mut left =
        Rollout::parse(include_bytes!("../../../../spec/vectors/rollout/valid/one-stage/rollout.json"))
            .unwrap();
    left.version = Version::parse("v1.0.0").unwrap();
    left.number = 9_000_000_000;
    hub.put(FILE, left.to_bytes().unwrap());
    assert!(publish_with(5).unwrap().rollout);
    let said = said.borrow().clone();
    let at = |wanted: &dyn Fn(&Step) -> bool| said.iter().position(wanted).unwrap();
    let brought = at(&|step| *step == Step::Rollout("v1.0.0".into()));
    assert!(
        brought < at(&|step| matches!(step, Step::Published(_))),
        "boards saw the version first: {said:?}"
    );
    assert_eq!((stages(&there(&server)), there(&server).number), (vec![(0, 5)], 9_000_000_001));
}
