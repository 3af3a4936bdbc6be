//! A version that `mpota serve --halt-at` withholds.

use super::*;
use mpota_serve::{FleetOptions, HaltAt};

/// The server withholds v1.0.0 from now on.
fn come_back(server: &Server) {
    for number in 0..5 {
        let report = format!(r#"{{"id":"b{number}","version":"v0.9.0","bad":"v1.0.0"}}"#);
        let url = format!("{}/api/v3/repos/octo/weather/releases/latest", server.base_url());
        let token = format!("Bearer {TOKEN}");
        ureq::get(&url).header("authorization", &token).header("mpota-report", &report).call().unwrap();
    }
}

#[test]
fn a_withheld_version_is_halted_for_all_and_rolled_out_only_once_it_is_resumed() {
    for private in [false, true] {
        let (mut hub, server) = hub_with_key();
        drop(server);
        hub.private = private;
        let serve = |resume: &[&str]| {
            let file = hub.folder.path().join("reports.db");
            let fleet = FleetOptions {
                halt: Some(HaltAt { percent: 10, boards: 5 }),
                resume: resume.iter().map(ToString::to_string).collect(),
                ..FleetOptions::new(file)
            };
            Server::start(Options { fleet: Some(fleet), ..hub.options() }).unwrap()
        };
        let at = |server: &Server, words: &str| run(&hub, server, words);
        let server = serve(&[]);
        at(&server, "rollout v1.0.0 100%").ok();
        come_back(&server);
        at(&server, "halt v1.0.0").ok();
        assert!(at(&server, "rollout v1.0.0").ok().out.contains("now        halted: "), "private: {private}");
        let said = at(&server, "rollout v1.0.0 25%");
        assert!(!said.err.contains("waiting"), "{}", said.err);
        let words = ["error[rollout::withheld]", "v1.0.0", "hint: ", "mpota serve --resume v1.0.0"];
        said.refused(&words);
        at(&server, "rollout v1.0.0").refused(&words);
        // What stands there is halted all the same.
        at(&server, "halt v1.0.0").ok();
        assert!(at(&server, "rollout v1.0.0").ok().out.contains("now        halted: "), "private: {private}");
        drop(server);
        let server = serve(&["v1.0.0"]);
        at(&server, "rollout v1.0.0 25%").ok();
        assert!(at(&server, "rollout v1.0.0").ok().out.contains("25%"), "private: {private}");
    }
}
