//! Private repositories through GitHub's API, and channels, with the requests counted.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, app_tree, confirmed, run, text, tiny, version};
use mpota_serve::{Fault, FaultKind, ListenerKind};
use mpota_vboard::End;
use mpota_vboard::bench::{Release, TINY_MAIN};
use std::time::Duration;

fn private() -> World {
    let mut world = World::with(|o| o.token = Some("tkn-123".into()));
    world.set("token", "'tkn-123'");
    world.set("insecure_token_over_http", "True");
    world
}

/// How many of the requests went to the API, and their answers.
fn api_calls(world: &World) -> Vec<u16> {
    let calls = world.server.requests().into_iter().filter(|r| r.path.starts_with("/api/"));
    calls.map(|r| r.status).collect()
}

/// Other assets of a release, which no board asks for.
fn more_assets(world: &World, version: &str, count: usize) {
    let folder = world.bench.release_dir(version);
    for n in 0..count {
        std::fs::write(folder.join(format!("firmware-{n:03}.bin")), [n as u8; 9]).unwrap();
    }
}

#[test]
fn a_private_release_of_250_assets_is_found_page_by_page() {
    for plain in [false, true] {
        let world = private();
        let mut release = Release::new("v1.1.0", tiny("v1.1.0"));
        release.plain = plain;
        world.bench.publish(&release).unwrap();
        more_assets(&world, "v1.1.0", 250);
        let board = world.board();
        let first = run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0"), "plain: {plain}");
        let pages = world.server.requests().iter().filter(|r| r.query.contains("per_page=100")).count();
        // The names of files in a release without a pack are looked for on all pages, once.
        assert_eq!(pages, if plain { 3 } else { 0 }, "{}", first.output);
        if !plain {
            // The release, the manifest, the pack; and once more the latest and its manifest, before the end of the trial.
            let calls = world.server.requests();
            let api: Vec<_> = calls.iter().filter(|r| r.listener != ListenerKind::Asset).collect();
            assert_eq!(api.len(), 5, "{api:#?}");
        }
    }
}

#[test]
fn a_private_server_with_everything_on_one_port_updates_a_board() {
    let mut world = World::with(|o| {
        o.token = Some("tkn-123".into());
        o.asset_host = None;
    });
    world.set("token", "'tkn-123'");
    world.set("insecure_token_over_http", "True");
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    let log = run(&board).output;
    assert_eq!(version(&board), confirmed("v1.1.0"), "{log}");
    // The board sends its token to this host and port, so it comes to the storage with it.
    let requests = world.server.requests();
    let stored: Vec<_> = requests.iter().filter(|r| r.path.contains("release-asset")).collect();
    assert!(!stored.is_empty() && stored.iter().all(|r| r.authorization_present), "{stored:#?}");
}

#[test]
fn a_pack_of_another_name_is_looked_for_in_the_list() {
    let world = private();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let folder = world.bench.release_dir("v1.1.0");
    std::fs::rename(folder.join("weather-v1.1.0.pack"), folder.join("other.pack")).unwrap();
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    std::fs::write(folder.join("manifest.json"), manifest.replace("weather-v1.1.0.pack", "other.pack"))
        .unwrap();
    let board = world.board();
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
}

#[test]
fn asking_a_private_repository_again_costs_nothing_of_the_limit_and_no_write() {
    let world = private();
    let board = world.board();
    let first = run(&board);
    assert!(first.writes > 0, "the ETag is written down: {}", first.output);
    for _ in 0..3 {
        assert_eq!(run(&board).writes, 0);
    }
    assert_eq!(api_calls(&world), [200, 304, 304, 304]);
    world.publish("v1.1.0", tiny("v1.1.0"));
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
}

#[test]
fn an_etag_of_another_repository_or_version_is_not_used() {
    let mut cases = 0;
    let world = private();
    let board = world.board();
    run(&board);
    let good = text(&board, "/.ota/etag");
    for broken in [
        good.replace("octo/weather", "octo/other"),
        good.replace("v1.0.0", "v0.9.0"),
        good.replace('\n', " "),
        "\u{0}".repeat(600),
        String::new(),
    ] {
        board.write("/.ota/etag", broken.as_bytes()).unwrap();
        let before = api_calls(&world).len();
        run(&board);
        assert_eq!(api_calls(&world)[before..], [200], "{broken:?}");
        assert_eq!(text(&board, "/.ota/etag"), good, "{broken:?}");
        cases += 1;
    }
    println!("  cases {cases}: notes of an ETag that do not count");
}

#[test]
fn a_public_repository_is_polled_by_a_fleet_without_a_call_of_the_api() {
    let world = World::new();
    let boards: Vec<_> = (0..4).map(|_| world.board()).collect();
    let mut polls = 0;
    for round in 0..3 {
        if round == 2 {
            world.publish("v1.1.0", tiny("v1.1.0"));
        }
        for board in &boards {
            run(board);
            polls += 1;
        }
    }
    for board in &boards {
        assert_eq!(version(board), confirmed("v1.1.0"));
    }
    assert!(world.server.requests().len() >= polls);
    println!("  cases {polls}: polls of a public repository, {} calls of the API", api_calls(&world).len());
    assert_eq!(api_calls(&world), [0_u16; 0]);
}

#[test]
fn fault_20_a_server_that_wants_to_be_left_alone_is_and_the_app_is_told_for_how_long() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let mut cases = 0;
    for (kind, status, least, most) in [
        (FaultKind::RateLimit { reset: minutes(30) }, 403, 1700, 2800),
        (FaultKind::SecondaryLimit { retry_after: minutes(2) }, 403, 120, 180),
        (FaultKind::TooManyRequests { retry_after: minutes(5) }, 429, 300, 450),
    ] {
        let world = private();
        world.bench.publish(&Release::new("v1.1.0", tiny("v1.1.0"))).unwrap();
        let board = world.board();
        let main =
            text(&board, "/main.py").replace("print('refused:', e)", "print('refused:', e, 'wait', e.wait)");
        board.write("/main.py", main.as_bytes()).unwrap();
        let before = app_tree(&board);
        world.server.add_fault(Fault::once("GET", "/releases", kind.clone()));
        let began = std::time::Instant::now();
        let refused = run(&board);
        assert!(began.elapsed() < Duration::from_secs(30), "it did not wait itself");
        let line = refused.output.lines().find(|l| l.starts_with("refused:")).expect("the app is told");
        assert!(line.contains("asks to wait") && line.contains(&format!("({status})")), "{line}");
        let wait: u64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((least..=most).contains(&wait), "{kind:?}: {wait} s");
        assert_eq!(world.server.requests().len(), 1);
        assert_eq!(app_tree(&board), before);
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0"));
        cases += 1;
    }
    println!("  cases {cases}: limits");
}

#[test]
fn fault_20_a_gateway_that_fails_is_asked_again_with_a_pause() {
    let world = private();
    world.publish("v1.1.0", tiny("v1.1.0"));
    world.server.add_fault(Fault::once("GET", "/releases", FaultKind::BadGateway));
    let board = world.board();
    let run = run(&board);
    assert!(run.output.contains("answers 502") && run.output.contains("again in 1"), "{}", run.output);
    assert_eq!(version(&board), confirmed("v1.1.0"));
}

/// docs/boards.md: an app that has started a watchdog feeds it by a timer while `update()` runs.
#[test]
fn an_app_with_a_watchdog_feeds_it_by_a_timer_during_an_update() {
    let mut updated = Vec::new();
    for feed in [true, false] {
        let world = private();
        let board = world.board();
        let with = |text: &str| {
            text.replace("import app\n", "import app\nwdt = machine.WDT(timeout=600)\n").replace(
                "        staged = ota_updater.update(config)\n",
                "        t = machine.Timer(0)\n        \
                 t.init(mode=t.PERIODIC, period=300, callback=lambda _: wdt.feed())\n        \
                 staged = ota_updater.update(config)\n        t.deinit()\n",
            )
        };
        let mut main = with(TINY_MAIN);
        if !feed {
            main = main.replace("callback=lambda _: wdt.feed()", "callback=lambda _: None");
        }
        board.write("/main.py", main.as_bytes()).unwrap();
        world.publish("v1.1.0", tiny("v1.1.0").with("main.py", with(TINY_MAIN)));
        world.server.add_fault(Fault::once("GET", "/releases", FaultKind::BadGateway));
        let run = run(&board);
        assert!(run.output.contains("ota W again in 1"), "{}", run.output);
        assert_eq!(run.output.contains("board: watchdog"), !feed, "{}", run.output);
        // The next start goes on with the download either way.
        assert_eq!((run.end, version(&board)), (End::Sleep, confirmed("v1.1.0")), "{}", run.output);
        updated.push(feed);
    }
    assert_eq!(updated, [true, false]);
}

/// What `mpota publish --channel` makes: a release that holds the manifest of another one.
fn channel(world: &World, name: &str, version: &str) {
    let folder = world.bench.release_dir(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("release.json"), r#"{"prerelease": true, "make_latest": "false"}"#).unwrap();
    std::fs::copy(world.bench.release_dir(version).join("manifest.json"), folder.join("manifest.json"))
        .unwrap();
}

#[test]
fn a_channel_is_followed_and_left_by_configuration_only() {
    for mut world in [World::new(), private()] {
        let private = !world.entries.is_empty();
        world.publish("v1.1.0-beta.1", tiny("v1.1.0-beta.1"));
        channel(&world, "beta", "v1.1.0-beta.1");
        let stable = world.board();
        run(&stable);
        assert_eq!(version(&stable), confirmed("v1.0.0"), "the stable one stays");
        let settings = text(&stable, "/secrets.py");
        world.set("channel", "'beta'");
        let board = world.board();
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0-beta.1"), "private: {private}");
        let before = world.server.requests().len();
        let again = run(&board);
        assert_eq!(again.writes, 0);
        let asked = world.server.requests().len() - before;
        assert_eq!(asked, if private { 3 } else { 2 }, "{}", again.output);
        world.publish("v1.1.0-beta.2", tiny("v1.1.0-beta.2"));
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0-beta.1"), "the channel has not moved");
        channel(&world, "beta", "v1.1.0-beta.2");
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0-beta.2"));
        // Back to the stable ones: at once if there is a newer one, else as soon as there is.
        board.write("/secrets.py", settings.as_bytes()).unwrap();
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0-beta.2"));
        world.publish("v1.1.0", tiny("v1.1.0"));
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0"));
        if !private {
            assert_eq!(api_calls(&world), [0_u16; 0], "no call of the API");
        }
    }
}

#[test]
fn a_channel_that_is_none_is_refused_with_its_name() {
    let mut cases = 0;
    for (entries, word) in [
        (&[("channel", "'beta'")][..], "not found: manifest.json in channel beta of octo/weather"),
        (&[("channel", "'v1.1.0'")], "channel: a word like beta"),
        (&[("channel", "'../x'")], "channel: a word like beta"),
        (&[("channel", "'beta'"), ("tag", "'v1.0.0'")], "channel: a word like beta"),
    ] {
        let mut world = World::new();
        for (key, value) in entries {
            world.set(key, value);
        }
        let board = world.board();
        let run = run(&board);
        assert!(run.output.contains(word), "{entries:?}: {}", run.output);
        assert_eq!(run.writes, 0);
        cases += 1;
    }
    println!("  cases {cases}: channels that are none");
}

#[test]
fn fault_37_a_server_that_has_no_time_was_reached_and_one_that_is_broken_was_not() {
    let mut cases = 0;
    let hour = Duration::from_secs(3600);
    for (kind, kept) in [
        (FaultKind::TooManyRequests { retry_after: hour }, true),
        (FaultKind::RateLimit { reset: hour }, true),
        (FaultKind::BadGateway, false),
    ] {
        let mut world = private();
        world.set("limits", "{'trial_starts': 2}");
        world.publish("v1.1.0", tiny("v1.1.0"));
        // The first look finds the update, those after it are the trial's.
        let fault = Fault { after: 1, times: 99, ..Fault::once("GET", "/releases/latest", kind.clone()) };
        world.server.add_fault(fault);
        let board = world.board();
        let mut log = String::new();
        for _ in 0..4 {
            log += &run(&board).output;
        }
        assert_eq!(log.contains("v1.1.0 comes up again"), !kept, "{kind:?}: {log}");
        assert_eq!(version(&board), confirmed(if kept { "v1.1.0" } else { "v1.0.0" }), "{kind:?}");
        cases += 1;
    }
    println!("  cases {cases}: answers of a server during a trial");
}

#[test]
fn a_version_with_build_metadata_is_found_under_its_tag() {
    for world in [World::new(), private()] {
        world.publish("v1.1.0+build.7", tiny("v1.1.0+build.7"));
        let board = world.board();
        let log = run(&board).output;
        assert_eq!(version(&board), confirmed("v1.1.0+build.7"), "{log}");
        let lists = world.server.requests().iter().filter(|r| r.query.contains("per_page")).count();
        assert_eq!(lists, 0, "the name of the pack was guessed right");
        run(&board);
        assert_eq!(run(&board).writes, 0);
    }
}
