//! Repositories with immutable releases: a rollout that is there goes on, and none begins that could not.

use super::*;
use mpota_serve::{Permission, WriteOptions, WriteToken};

#[test]
fn in_a_repository_with_immutable_releases_a_rollout_that_is_there_is_changed_and_no_new_one_made() {
    let (hub, server) = hub();
    drop(server);
    let immutable = || {
        let write = WriteOptions { immutable: true, ..WriteOptions::new(TOKEN) };
        Server::start(Options { write: Some(write), ..hub.options() }).unwrap()
    };
    let server = immutable();
    hub.build("v1.1.0");
    hub.publish(&server, "").said().ok();
    let before = hub.tree();
    run(&hub, &server, "rollout v1.1.0 5%").refused(&["error[rollout::immutable_new]", "disable immutable"]);
    hub.build("v1.2.0");
    hub.publish(&server, "--rollout 5%").said().refused(&["error[rollout::immutable_new]"]);
    assert!(hub.tree() == before, "something was changed");
    drop(server);
    std::fs::remove_dir_all(hub.repository().join("v1.1.0")).unwrap();
    run(&hub, &hub.serve(), "rollout v1.0.0 5%").ok();
    let server = immutable();
    hub.publish(&server, "--rollout 5%").said().ok();
    run(&hub, &server, "rollout v1.2.0 100%").ok();
    run(&hub, &server, "rollout v1.0.0 25%").ok();
    assert_eq!(stages(&there(&server)), [(0, 25)]);
    let stuck = String::from_utf8(hub.get("rollout/release.json")).unwrap();
    hub.put("rollout/release.json", stuck.replacen('{', "{\"immutable\": true,", 1));
    run(&hub, &hub.serve(), "rollout v1.0.0 50%").refused(&["error[rollout::immutable]"]);
}

#[test]
fn a_first_rollout_is_not_made_where_it_could_never_be_changed() {
    // The releases are older than the setting: they do not show it.
    let (hub, server) = hub();
    drop(server);
    // A fine-grained token is not told the setting.
    let token = WriteToken { secret: TOKEN.into(), permission: Permission::Scopes(vec!["repo".into()]) };
    let write = WriteOptions { immutable: true, tokens: vec![token], ..WriteOptions::new("x") };
    let server = Server::start(Options { write: Some(write), ..hub.options() }).unwrap();
    let before = hub.tree();
    run(&hub, &server, "rollout v1.0.0 5%").refused(&["error[rollout::immutable_new]"]);
    hub.build("v1.1.0");
    hub.publish(&server, "--rollout 5%").said().refused(&["error[rollout::immutable_new]"]);
    assert!(hub.tree() == before, "something was changed");
}
