//! `mpota rollout`, `mpota halt`, and `mpota publish --rollout`, against a real server.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod immutable;
mod publish;
mod strangers;
mod withheld;

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;

use common::hub::{Hub, READER, TOKEN, words};
use common::{Run, Said, ssh_keygen};
use mpota::publish::Step;
use mpota::publish::rollout::{self, Change, Refusal, RolloutOptions, Wish};
use mpota::publish::{PublishError, publish};
use mpota::remote::token::Token;
use mpota_format::rollout::{FOREVER, Rollout, Stage};
use mpota_format::version::Version;
use mpota_serve::{Options, Server};
use serde_json::Value;

const FILE: &str = "rollout/v1.0.0.json";
const DAY: u64 = 24 * 3600;

/// A server that has v1.0.0, built with the mark.
fn hub() -> (Hub, Server) {
    let hub = Hub::new();
    hub.app.append("mpota.toml", "rollout = true\n");
    hub.build("v1.0.0");
    let server = hub.serve();
    hub.publish(&server, "").said().ok();
    (hub, server)
}

/// The same where `mpota.toml` names a key.
fn hub_with_key() -> (Hub, Server) {
    let hub = Hub::new();
    hub.app.run("key new key").ok();
    hub.app.append("mpota.toml", "rollout = true\nkey = \"key\"\nexclude = [\"key*\"]\n");
    hub.build("v1.0.0");
    let server = hub.serve();
    hub.publish(&server, "").said().ok();
    (hub, server)
}

fn command(hub: &Hub, server: &Server, arguments: &str) -> Command {
    let mut command = hub.app.mpota(arguments.split_whitespace());
    command.args(["--base-url", server.base_url()]).env("MPOTA_TOKEN", TOKEN).env("PATH", "");
    command
}

fn run(hub: &Hub, server: &Server, arguments: &str) -> Said {
    command(hub, server, arguments).said()
}

/// What boards get, whatever the file is called in the server's folder.
fn served(server: &Server, name: &str) -> Vec<u8> {
    let url = format!("{}/octo/weather/releases/download/{name}", server.base_url());
    ureq::get(&url).call().unwrap().body_mut().read_to_vec().unwrap()
}

fn there(server: &Server) -> Rollout {
    Rollout::parse(&served(server, FILE)).unwrap()
}

fn stages(rollout: &Rollout) -> Vec<(u64, u8)> {
    rollout.stages.iter().map(|stage| (stage.from, stage.percent)).collect()
}

#[test]
fn a_rollout_begins_grows_is_halted_and_goes_on() {
    let (hub, server) = hub();
    let before = rollout::now();
    let said = run(&hub, &server, "rollout v1.0.0 5% --after 2d:25% --after 5d:100% --boards b1,b2").ok();
    let first = there(&server);
    let at = |days: u64| before + days * DAY;
    let near = |time: u64, wanted: u64| assert!((wanted..wanted + 60).contains(&time), "{time} and {wanted}");
    assert_eq!(first.stages[0], Stage { from: 0, percent: 5 });
    near(first.stages[1].from, at(2));
    near(first.stages[2].from, at(5));
    assert_eq!((first.stages[1].percent, first.stages[2].percent), (25, 100));
    assert_eq!((first.until, &first.boards[..]), (FOREVER, &["b1".to_owned(), "b2".to_owned()][..]));
    assert_eq!(first.project.as_deref(), Some("octo/weather"));
    assert!(first.signature.is_none() && first.number >= before);
    for line in [
        "version    v1.0.0 of octo/weather",
        "now        5% of the boards",
        "boards     b1, b2",
        "until      no end",
        "signed     no",
    ] {
        assert!(said.out.contains(line), "no {line:?} in {}", said.out);
    }

    run(&hub, &server, "halt v1.0.0").ok();
    let halted = there(&server);
    assert!(halted.halted && halted.number > first.number);
    assert_eq!((stages(&halted), &halted.boards, halted.until), (stages(&first), &first.boards, FOREVER));
    assert!(run(&hub, &server, "rollout v1.0.0").ok().out.contains("now        halted: "));
    let tree = hub.tree();
    run(&hub, &server, "halt v1.0.0").ok();
    assert!(hub.tree() == tree, "a halted rollout was halted again");

    run(&hub, &server, "rollout v1.0.0 25% --for 30d").ok();
    let on = there(&server);
    assert!(!on.halted && on.number > halted.number && on.boards == first.boards);
    assert_eq!(stages(&on), [(0, 25)]);
    near(on.until, at(30));
    let mut command = command(&hub, &server, "rollout v1.0.0");
    command.args(["--boards", ""]).said().ok();
    assert!(there(&server).boards.is_empty() && stages(&there(&server)) == [(0, 25)]);
    let said = run(&hub, &server, "rollout v1.0.0 100%").ok();
    assert!(
        said.err.contains("read back ")
            && said.err.contains("/octo/weather/releases/download/rollout/v1.0.0.json"),
        "{}",
        said.err
    );
    assert_eq!((stages(&there(&server)), there(&server).until), (vec![(0, 100)], FOREVER));
    // It is a release of its own, a prerelease, and has nothing else in it.
    let all = [("rollout", "prerelease"), ("v1.0.0", "latest")];
    assert_eq!(hub.releases(&server), all.map(|(tag, what)| (tag.to_owned(), what)));
    let release = server.releases().into_iter().find(|release| release.tag == "rollout").unwrap();
    assert_eq!(release.assets, ["v1.0.0.json"]);
    hub.whole(&server, "v1.0.0");
}

#[test]
fn each_version_has_a_rollout_of_its_own() {
    let (hub, server) = hub();
    run(&hub, &server, "rollout v1.0.0 100%").ok();
    let first = served(&server, FILE);
    hub.build("v1.1.0+b.2");
    hub.publish(&server, "").said().ok();
    run(&hub, &server, "rollout v1.1.0+b.2 5%").ok();
    assert!(served(&server, FILE) == first);
    assert_eq!(
        Rollout::parse(&served(&server, "rollout/v1.1.0-b.2.json")).unwrap().version.as_str(),
        "v1.1.0+b.2"
    );
    // The same name for another version.
    hub.build("v1.1.0-b.2");
    hub.publish(&server, "").said().ok();
    let before = hub.tree();
    run(&hub, &server, "rollout v1.1.0-b.2 5%").refused(&[
        "error[rollout::same_name]",
        "v1.1.0+b.2",
        "hint: ",
    ]);
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn a_server_gives_a_rollout_out_as_it_gives_a_channel_and_no_cache_keeps_it() {
    let (hub, server) = hub();
    hub.publish(&server, "--channel beta").said().ok();
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let headers = |path: &str| {
        let url = format!("{}/octo/weather/releases/download/{path}", server.base_url());
        let mut answer = ureq::get(&url).call().unwrap();
        let body = answer.body_mut().read_to_vec().unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let told = ["cache-control", "content-type"].map(header);
        (told, header("etag").is_some(), body)
    };
    let (channel, tagged, _) = headers("beta/manifest.json");
    let (rollout, also_tagged, body) = headers(FILE);
    println!("  headers of a channel and a rollout: {channel:?}");
    assert_eq!((rollout.clone(), also_tagged), (channel, tagged));
    assert!(body == served(&server, FILE));
    assert!(
        rollout[0].as_deref().is_none_or(|cache| !cache.contains("immutable") && !cache.contains("max-age")),
        "{rollout:?}"
    );
}

#[test]
fn with_a_key_a_rollout_is_signed_and_ssh_keygen_takes_it() {
    let (hub, server) = hub_with_key();
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let key = mpota::release::keys::show(&hub.app.path("key")).unwrap();
    let said = run(&hub, &server, "rollout v1.0.0").ok();
    assert!(said.out.contains(&format!("signed     {}", key.key.fingerprint())), "{}", said.out);
    let bytes = served(&server, FILE);
    let signature = there(&server).signature.unwrap();
    hub.app.write("allowed", format!("mpota {}\n", key.line));
    hub.app
        .write("sig", format!("-----BEGIN SSH SIGNATURE-----\n{signature}\n-----END SSH SIGNATURE-----\n"));
    let checks = |namespace: &str| {
        hub.app.write("part", mpota_format::rollout::signed_part(&bytes));
        let mut command = ssh_keygen();
        command.args(["-Y", "verify", "-f", "allowed", "-I", "mpota", "-n", namespace, "-s", "sig"]);
        let part = std::fs::File::open(hub.app.path("part")).unwrap();
        command.current_dir(hub.app.path("")).stdin(part).output().unwrap().status.success()
    };
    assert!(checks("mpota-rollout") && !checks("mpota"));
    // By the public half, and ssh-keygen, which finds the private one beside it.
    hub.app.run("key new other").ok();
    let mut command = hub.app.mpota(["rollout", "v1.0.0", "25%", "--key", "other.pub"]);
    command.args(["--base-url", server.base_url()]).env("MPOTA_TOKEN", TOKEN).said().ok();
    let other = mpota::release::keys::show(&hub.app.path("other")).unwrap();
    assert_eq!(mpota_format::rollout::signer(&served(&server, FILE)).unwrap().key, other.key.key);
    // Boards that trust the first key only refuse it, and that is said.
    let said = run(&hub, &server, "rollout v1.0.0").ok();
    assert!(
        said.err.contains("warning[rollout::refused]") && said.err.contains("not trusted"),
        "{}",
        said.err
    );
}

#[test]
fn without_its_key_a_project_gets_no_rollout() {
    let (hub, server) = hub_with_key();
    hub.app.remove("key");
    let before = hub.tree();
    for call in ["rollout v1.0.0 5%", "halt v1.0.0"] {
        run(&hub, &server, call).refused(&["key"]);
    }
    // mpota.toml names none, but the release is signed.
    hub.app.write("mpota.toml", "project = \"octo/weather\"\n");
    run(&hub, &server, "rollout v1.0.0 5%").refused(&[
        "error[rollout::unsigned]",
        "v1.0.0 is signed",
        "--key",
    ]);
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn what_cannot_be_rolled_out_is_refused_and_nothing_is_changed() {
    let (hub, server) = hub();
    hub.app.write("mpota.toml", "project = \"octo/weather\"\n");
    hub.build("v1.1.0");
    hub.publish(&server, "").said().ok();
    let before = hub.tree();
    let mut cases = 0;
    for (call, words) in [
        ("rollout v1.1.0 5%", &["error[rollout::no_mark]", "v1.1.0 was built without", "rollout = true"][..]),
        ("rollout v9.0.0 5%", &["error[rollout::not_published]", "v9.0.0", "mpota publish"]),
        ("rollout 1.0.0 5%", &["error[rollout::not_published]"]),
        ("rollout v1.0.0", &["error[rollout::none]", "mpota rollout v1.0.0 5%"]),
        ("halt v1.0.0", &["error[rollout::none]"]),
        ("rollout v1.0.0 5% --after 9d:25% --for 5d", &["error[rollout::short]", "--for"]),
        ("rollout v1.0.0 5% --after 2d:25% --after 1d:50%", &["error[rollout::invalid]", "out of order"]),
        ("rollout v1.0.0 5% --boards a,a", &["error[rollout::invalid]", "comes twice"]),
        ("rollout v1.0.0 5% --boards a/b", &["error[rollout::invalid]", "cannot have the id"]),
        ("rollout v1.0.0 5% --repo octo/garden", &["error[publish::no_repository]"]),
    ] {
        run(&hub, &server, call).refused(words);
        cases += 1;
    }
    for (call, code) in
        [("rollout v1.0 5%", "usage::rollout_version"), ("rollout v1.0.0 5% --repo octo", "usage::project")]
    {
        let said = run(&hub, &server, call);
        assert!(said.code == 2 && said.err.contains(code), "{}", said.err);
        cases += 1;
    }
    for call in ["rollout v1.0.0 101%", "rollout v1.0.0 5% --after 25%", "rollout v1.0.0 5% --for ever"] {
        assert_eq!(run(&hub, &server, call).code, 2, "{call}");
        cases += 1;
    }
    println!("  cases {cases}: rollouts that are refused");
    assert!(hub.tree() == before, "something was changed");
}

#[test]
fn what_somebody_has_put_in_its_place_is_not_overwritten() {
    let (hub, server) = hub();
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let text = String::from_utf8(served(&server, FILE)).unwrap();
    let mut cases = 0;
    for (content, code) in [
        ("<html>".to_owned(), "rollout::not_a_rollout"),
        (text.replace("\"stages\"", "\"note\":1,\"stages\""), "rollout::not_a_rollout"),
        ("x".repeat(70_000), "rollout::not_a_rollout"),
        (text.replace("octo/weather", "octo/garden"), "rollout::other_project"),
        (text.replace("v1.0.0", "v1.0.1"), "rollout::same_name"),
        (
            text.replace("\"number\":", "\"number\":9999999999,\"x\":").replace(",\"x\":", "\n"),
            "rollout::not_a_rollout",
        ),
    ] {
        hub.put(FILE, content);
        let before = hub.tree();
        for call in ["rollout v1.0.0 25%", "halt v1.0.0", "rollout v1.0.0"] {
            run(&hub, &server, call).refused(&[&format!("error[{code}]")]);
            cases += 1;
        }
        assert!(hub.tree() == before, "something was changed");
    }
    let mut last = Rollout::parse(text.as_bytes()).unwrap();
    last.number = FOREVER;
    hub.put(FILE, last.to_bytes().unwrap());
    run(&hub, &server, "rollout v1.0.0 25%").refused(&["error[rollout::number]"]);
    println!("  cases {}: files that are not the rollout", cases + 1);
}

#[test]
fn a_rollout_without_the_signature_neither_says_the_next_number_nor_passes_unseen() {
    let (hub, server) = hub_with_key();
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let mut forged = there(&server);
    forged.number = FOREVER;
    forged.signature = None;
    hub.put(FILE, forged.to_bytes().unwrap());
    let said = run(&hub, &server, "rollout v1.0.0").ok();
    assert!(
        said.err.contains("warning[rollout::refused]") && said.err.contains("is not signed"),
        "{}",
        said.err
    );
    let said = run(&hub, &server, "rollout v1.0.0 25%").ok();
    assert!(said.err.contains("warning[rollout::replaced]"), "{}", said.err);
    assert!(there(&server).number < FOREVER && there(&server).signature.is_some());
    // One that has ended is told as well.
    run(&hub, &server, "rollout v1.0.0 5% --for 1s").ok();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let said = run(&hub, &server, "rollout v1.0.0").ok();
    assert!(
        said.err.contains("warning[rollout::refused]") && said.err.contains("it counts until"),
        "{}",
        said.err
    );
}

fn how(hub: &Hub, server: &Server) -> RolloutOptions {
    let mut options = RolloutOptions::new("octo/weather", Version::parse("v1.0.0").unwrap());
    options.access.base_url = server.base_url().to_owned();
    options.access.token = |_| Token::new(TOKEN, "the test");
    options.sleep = |_| {};
    assert!(hub.app.path("dist").exists());
    options
}

fn to(percent: u8) -> Wish {
    Wish::Change(Change { percent: Some(percent), ..Change::default() })
}

#[test]
fn who_was_slower_does_not_undo_what_somebody_else_has_said_meanwhile() {
    let (hub, server) = hub();
    let (hub, mut cases) = (Rc::new(hub), 0);
    for first in [true, false] {
        let base = server.base_url().to_owned();
        let mut options = how(&hub, &server);
        let (other, halted) = (how(&hub, &server), Rc::new(Cell::new(false)));
        let seen = Rc::clone(&halted);
        options.tell = Rc::new(move |step| {
            if *step == Step::Planned && !seen.replace(true) {
                let wish = if first { to(1) } else { Wish::Halt };
                rollout::change(&other, &wish).unwrap();
            }
        });
        let error = rollout::change(&options, &to(100)).unwrap_err();
        assert!(matches!(error, PublishError::Rollout(Refusal::Changed { .. })), "{error} {base}");
        assert!(words(&error).contains("mpota rollout v1.0.0") && halted.get());
        assert_eq!((there(&server).halted, stages(&there(&server))), (!first, vec![(0, 1)]));
        cases += 1;
    }
    println!("  cases {cases}: changes by two");
    // With a slow clock the number grows all the same.
    let before = there(&server).number;
    let mut slow = how(&hub, &server);
    slow.now = 1_000_000_000;
    rollout::change(&slow, &to(5)).unwrap();
    assert_eq!(there(&server).number, before + 1);
}

#[test]
fn a_dry_run_says_what_would_be_done_and_changes_nothing() {
    let (hub, server) = hub();
    let before = hub.tree();
    let said = run(&hub, &server, "rollout v1.0.0 5% --dry-run").ok();
    assert!(
        said.out.contains("upload v1.0.0.json to the release rollout") && said.out.contains("5% of"),
        "{}",
        said.out
    );
    assert!(hub.tree() == before);
    run(&hub, &server, "rollout v1.0.0 5%").ok();
    let before = hub.tree();
    let said = run(&hub, &server, "halt v1.0.0 --dry-run").ok();
    assert!(
        said.out.contains("replace v1.0.0.json in the release rollout") && said.out.contains("halted"),
        "{}",
        said.out
    );
    let said = run(&hub, &server, "rollout v1.0.0 1% --dry-run").ok();
    assert!(
        said.err.contains("warning[rollout::lowered]") && said.err.contains("from 5 to 1 percent"),
        "{}",
        said.err
    );
    assert!(hub.tree() == before);
}

#[test]
fn programs_read_the_rollout_as_json() {
    let (hub, server) = hub();
    let json = |call: &str| -> Value { serde_json::from_str(&run(&hub, &server, call).out).unwrap() };
    let none = json("rollout v1.0.0 --json");
    assert_eq!((&none["error"]["code"], &none["exit_code"]), (&"rollout::none".into(), &1.into()));
    let made = json("rollout v1.0.0 5% --boards a --json");
    let shown = json("rollout v1.0.0 --json");
    for told in [&made, &shown] {
        assert_eq!(told["version"], "v1.0.0");
        assert_eq!(told["percent"], 5);
        assert_eq!(told["halted"], false);
        assert_eq!(told["stages"], serde_json::json!([{"from": 0, "percent": 5}]));
        assert_eq!(told["boards"], serde_json::json!(["a"]));
        assert_eq!(told["signed"], Value::Null);
        assert_eq!(told["number"], there(&server).number);
        assert_eq!(told["until"], there(&server).until);
        assert!(told["place"].as_str().unwrap().ends_with("/rollout/v1.0.0.json"));
    }
    assert_eq!((&made["changed"], &shown["changed"]), (&true.into(), &false.into()));
    assert_eq!(json("halt v1.0.0 --json")["halted"], true);
    assert_eq!(json("rollout v1.0.0 100% --json")["until"], Value::Null);
}

#[test]
fn a_private_repository_is_read_back_with_the_token_and_shown_to_whoever_may_read() {
    let hub = Hub { private: true, ..Hub::new() };
    hub.app.append("mpota.toml", "rollout = true\n");
    hub.build("v1.0.0");
    let server = hub.serve();
    hub.publish(&server, "--rollout 5%").said().ok();
    run(&hub, &server, "rollout v1.0.0 25%").ok();
    let mut command = command(&hub, &server, "rollout v1.0.0");
    let said = command.env("MPOTA_TOKEN", READER).said().ok();
    assert!(said.out.contains("now        25% of the boards"), "{}", said.out);
    run(&hub, &server, "rollout v2.0.0 5%").refused(&["error[rollout::not_published]"]);
}

#[test]
fn a_channel_cannot_be_called_rollout() {
    let (hub, server) = hub();
    hub.publish(&server, "--channel rollout").said().refused(&["error[channel::name]"]);
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
