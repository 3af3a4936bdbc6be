//! `mpota publish` killed before and after each of its requests, and run again.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::Run;
use common::hub::{Hub, TOKEN};
use mpota_format::rollout::Rollout;
use mpota_serve::{Fault, FaultKind};

type Tree = Vec<(PathBuf, Vec<u8>)>;

/// From request `at` on nothing is answered; whether that one is still done, `done` says.
fn faults(at: u32, done: bool) -> Vec<Fault> {
    let every = |after, times, kind| Fault { after, times, ..Fault::once("", "", kind) };
    let mut faults = vec![every(at + u32::from(done), u32::MAX, FaultKind::CloseBefore)];
    if done {
        faults.push(every(at, 1, FaultKind::CloseAfter));
    }
    faults
}

/// `mpota publish` with these arguments, or another command that they begin with.
fn command(hub: &Hub, server: &mpota_serve::Server, arguments: &str) -> Command {
    if !arguments.starts_with("rollout ") && !arguments.starts_with("halt ") {
        return hub.publish(server, arguments);
    }
    let mut command = hub.app.mpota(arguments.split_whitespace());
    command.args(["--base-url", server.base_url()]).env("MPOTA_TOKEN", TOKEN).env("PATH", "");
    command
}

/// Starts it, and kills it as soon as it says that a request failed: it did nothing since. `false`
/// where it asks less than that, and so ends well.
fn killed(hub: &Hub, arguments: &str, at: u32, done: bool) -> bool {
    let server = hub.serve_with(faults(at, done));
    let mut command = command(hub, &server, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let failed = lines.map_while(Result::ok).any(|line| {
        seen.push(line);
        seen.last().is_some_and(|line| line.contains("trying again"))
    });
    if failed {
        child.kill().unwrap();
    }
    let code = child.wait().unwrap().code();
    assert_eq!(code, (!failed).then_some(0), "killed by a signal, or done: {seen:?}");
    failed
}

/// Kills it at every request; `between` looks at what boards see then, `after` at the end.
fn every_request(
    hub: &Hub,
    before: &Tree,
    arguments: &str,
    between: impl Fn(&mpota_serve::Server),
    after: impl Fn(&mpota_serve::Server),
) -> u32 {
    hub.reset(before);
    let server = hub.serve();
    command(hub, &server, arguments).said().ok();
    let requests = u32::try_from(server.requests().len()).unwrap();
    after(&server);
    drop(server);
    assert!(requests >= 10, "{requests}");
    let mut cases = 0;
    for at in 0..requests {
        for done in [false, true] {
            hub.reset(before);
            assert!(killed(hub, arguments, at, done), "request {at} did not fail");
            let server = hub.serve();
            between(&server);
            let said = command(hub, &server, arguments).said();
            assert_eq!(said.code, 0, "request {at}, done: {done}: {}", said.err);
            after(&server);
            cases += 1;
        }
    }
    assert_eq!(cases, 2 * requests);
    cases
}

#[test]
fn fault_43_killed_at_every_request_and_run_again_there_is_exactly_one_whole_release() {
    for private in [false, true] {
        let hub = Hub { private, ..Hub::new() };
        let empty = hub.tree();
        let nothing_or_whole = |server: &mpota_serve::Server| {
            if hub.releases(server).iter().any(|(_, what)| *what != "draft") {
                hub.whole(server, "v1.0.0");
            }
            assert!(hub.releases(server).len() <= 1, "{:?}", hub.releases(server));
        };
        let whole = |server: &mpota_serve::Server| {
            hub.whole(server, "v1.0.0");
            assert_eq!(hub.releases(server), [("v1.0.0".to_owned(), "latest")]);
        };
        let cases = every_request(&hub, &empty, "--target main", nothing_or_whole, whole);
        println!("  cases {cases}: publish killed at a request, private: {private}");
    }
}

#[test]
fn fault_43_a_channel_killed_at_every_request_has_the_old_or_the_new_version_and_then_the_new_one() {
    let hub = Hub::new();
    let empty = hub.tree();
    let of_channel = |server: &mpota_serve::Server| {
        let found = server.releases().into_iter().find(|release| release.tag == "beta")?;
        let has = found.assets.iter().any(|name| name == "manifest.json");
        (!found.draft && has).then(|| hub.verified(server, "beta").version)
    };
    let moved = |server: &mpota_serve::Server, version: &str| {
        hub.whole(server, version);
        let beta: Vec<_> = server.releases().into_iter().filter(|release| release.tag == "beta").collect();
        assert_eq!(beta.len(), 1, "{beta:?}");
        assert!(!beta[0].draft && beta[0].prerelease && !beta[0].latest, "{beta:?}");
        assert_eq!(beta[0].assets, ["manifest.json"]);
        let report = hub.verified(server, "beta");
        assert!(report.is_good() && report.version == version, "{report:?}");
        assert!(hub.releases(server).iter().all(|(_, what)| *what != "draft"));
    };
    let first = every_request(
        &hub,
        &empty,
        "--channel beta",
        |server| assert!(of_channel(server).is_none_or(|version| version == "v1.0.0")),
        |server| moved(server, "v1.0.0"),
    );
    println!("  cases {first}: publish with a new channel killed at a request");

    hub.reset(&empty);
    hub.publish(&hub.serve(), "--channel beta").said().ok();
    let before = hub.tree();
    hub.build("v1.1.0");
    let absent = std::cell::Cell::new(0);
    let second = every_request(
        &hub,
        &before,
        "--channel beta",
        |server| match of_channel(server).as_deref() {
            Some("v1.0.0" | "v1.1.0") => {}
            None => absent.set(absent.get() + 1),
            other => panic!("{other:?}"),
        },
        |server| moved(server, "v1.1.0"),
    );
    println!("  cases {second}: publish that moves a channel killed at a request");
    // Between the removal of the old manifest and the new one's name; never anywhere else.
    assert!((1..=4).contains(&absent.get()), "{}", absent.get());
}

/// What boards get as the rollout of v1.0.0.
fn rollout(server: &mpota_serve::Server) -> Option<Rollout> {
    let url = format!("{}/octo/weather/releases/download/rollout/v1.0.0.json", server.base_url());
    let mut answer = match ureq::get(&url).call() {
        Err(ureq::Error::StatusCode(404)) => return None,
        other => other.unwrap(),
    };
    Some(Rollout::parse(&answer.body_mut().read_to_vec().unwrap()).unwrap())
}

#[test]
fn fault_83_publish_with_a_rollout_killed_at_every_request_never_shows_the_version_without_it() {
    let hub = Hub::new();
    hub.app.run("build --version v1.0.0 --rollout").ok();
    let empty = hub.tree();
    let seen = std::cell::Cell::new(0);
    let public = |server: &mpota_serve::Server| {
        hub.releases(server).iter().any(|(tag, what)| tag == "v1.0.0" && *what != "draft")
    };
    let done = |server: &mpota_serve::Server| {
        hub.whole(server, "v1.0.0");
        assert_eq!(rollout(server).unwrap().stages[0].percent, 5);
        let all = [("rollout", "prerelease"), ("v1.0.0", "latest")];
        assert_eq!(hub.releases(server), all.map(|(tag, what)| (tag.to_owned(), what)));
        let release = server.releases().into_iter().find(|release| release.tag == "rollout").unwrap();
        assert_eq!(release.assets, ["v1.0.0.json"]);
    };
    let cases = every_request(
        &hub,
        &empty,
        "--rollout 5%",
        |server| {
            if public(server) {
                assert_eq!(rollout(server).expect("it is public without a rollout").stages[0].percent, 5);
                seen.set(seen.get() + 1);
            }
        },
        done,
    );
    println!("  cases {cases}: publish with a rollout killed at a request, {} of them public", seen.get());
    assert!(seen.get() > 3, "{}", seen.get());
}

#[test]
fn fault_83_a_rollout_killed_at_every_request_is_the_old_one_or_the_new_one_and_then_the_new_one() {
    let hub = Hub::new();
    hub.app.run("build --version v1.0.0 --rollout").ok();
    hub.publish(&hub.serve(), "").said().ok();
    let mut percents = vec![];
    let mut before = hub.tree();
    for (call, percent, halted) in
        [("rollout v1.0.0 5%", 5, false), ("rollout v1.0.0 25%", 25, false), ("halt v1.0.0", 25, true)]
    {
        let absent = std::cell::Cell::new(0);
        let old = percents.last().copied();
        let number = std::cell::Cell::new(0);
        hub.reset(&before);
        number.set(rollout(&hub.serve()).map_or(0, |rollout| rollout.number));
        let cases = every_request(
            &hub,
            &before,
            call,
            |server| match rollout(server) {
                None => absent.set(absent.get() + 1),
                Some(found) => {
                    let now = Some((found.stages[0].percent, found.halted));
                    assert!(now == old || now == Some((percent, halted)), "{now:?}");
                }
            },
            |server| {
                let found = rollout(server).unwrap();
                assert_eq!((found.stages[0].percent, found.halted), (percent, halted));
                assert!(found.number > number.get(), "the number does not grow");
                let release = server.releases().into_iter().find(|release| release.tag == "rollout").unwrap();
                assert!(release.assets == ["v1.0.0.json"] && !release.draft, "{release:?}");
            },
        );
        println!("  cases {cases}: {call} killed at a request, in {} of them no file", absent.get());
        // Between the removal of the old file and the new one's name; never anywhere else.
        assert!(old.is_none() || (1..=4).contains(&absent.get()), "{}", absent.get());
        percents.push((percent, halted));
        before = hub.tree();
    }
}

#[test]
fn fault_43_a_publication_that_is_killed_again_and_again_is_finished_all_the_same() {
    let hub = Hub::new();
    let empty = hub.tree();
    let mut kills = 0;
    for done in [false, true] {
        // Each run is killed one request later than the one before, and goes on with what that left.
        for step in [1, 2, 3] {
            hub.reset(&empty);
            let mut at = 0;
            while killed(&hub, "--channel beta", at, done) {
                at += step;
                kills += 1;
            }
            let server = hub.serve();
            hub.whole(&server, "v1.0.0");
            let all = [("beta", "prerelease"), ("v1.0.0", "latest")];
            assert_eq!(hub.releases(&server), all.map(|(tag, what)| (tag.to_owned(), what)));
            assert_eq!(hub.verified(&server, "beta").version, "v1.0.0");
        }
    }
    println!("  cases {kills}: publish killed again and again");
    assert!(kills >= 40, "{kills}");
}
