//! An update from end to end, on a real MicroPython with a real file system: one test a feature.
//! What is refused, and why, stands in `hostile/`.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{SETTINGS, World, app_tree, confirmed, run, run_fast, text, tiny, version};
use mpota_serve::Options;
use mpota_vboard::bench::{Agent, Release};
use mpota_vboard::{End, FileSystem};
use serde_json::json;

#[test]
fn takes_the_latest_release_and_keeps_it() {
    let world = World::new();
    world.publish("v1.9.0", tiny("v1.9.0"));
    world.publish("v1.11.0", tiny("v1.11.0"));
    let board = world.board();
    let run = run(&board);
    assert_eq!(run.end, End::Sleep);
    assert!(run.output.contains("app v1.11.0 trial"), "{}", run.output);
    assert_eq!(version(&board), confirmed("v1.11.0"));
    assert_eq!(board.read("/settings.json").unwrap(), SETTINGS);
}

#[test]
fn works_on_every_file_system_and_word_size_and_form_of_the_agent() {
    let mut ran = 0;
    for file_system in FileSystem::ALL {
        for word in [mpota_vboard::Word::Bits64, mpota_vboard::Word::Bits32] {
            for agent in [Agent::Py, Agent::Mpy] {
                let mut world = World::new();
                world.micropython = mpota_vboard::MicroPython::find(word).expect("MicroPython");
                world.file_system = file_system;
                world.agent = agent;
                world.publish("v1.1.0", tiny("v1.1.0").with("new/dir/x.txt", "x").without("lib/util.py"));
                let board = world.board();
                assert!(
                    run(&board).output.contains("v1.1.0 is installed"),
                    "{file_system:?} {word:?} {agent:?}"
                );
                let tree = app_tree(&board);
                assert!(tree.contains_key("/new/dir/x.txt") && !tree.contains_key("/lib/util.py"));
                ran += 1;
            }
        }
    }
    assert_eq!(ran, 16);
    println!("  cases {ran}: file systems, word sizes, forms of the agent");
}

#[test]
fn asking_costs_one_request_and_no_write() {
    let world = World::new();
    let board = world.board();
    let run = run(&board);
    assert_eq!((run.end, run.boots, run.writes), (End::Sleep, 1, 0));
    assert_eq!(world.server.requests().len(), 1);
}

#[test]
fn an_ordinary_boot_writes_nothing() {
    let world = World::new();
    let board = world.board();
    let run = board.run_with(&json!({"wifi": false})).unwrap();
    assert_eq!((run.boots, run.writes), (1, 0));
    assert!(world.server.requests().is_empty());
}

#[test]
fn fetches_only_what_changed_over_two_connections() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    let requests = world.server.requests();
    let pieces: Vec<_> = requests.iter().filter_map(|r| r.range.as_ref().map(|_| r.bytes_sent)).collect();
    assert_eq!(pieces.len(), 1, "one range, for app.py: {requests:#?}");
    assert!(pieces[0] < 40, "app.py alone: {pieces:?}");
    // The update, and the look for a newer one on the trial boot.
    let update: Vec<_> = requests.iter().take_while(|r| r.range.is_none()).collect();
    let connections: std::collections::BTreeSet<_> =
        update.iter().map(|r| (r.connection_id, r.listener == mpota_serve::ListenerKind::Api)).collect();
    assert_eq!(connections.len(), 2, "github.com once, the storage host once: {requests:#?}");
}

#[test]
fn a_server_that_ignores_ranges_and_redirects_nothing_will_do() {
    let world = World::with(|o| o.redirects = false);
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
}

#[test]
fn a_pinned_tag_is_installed_even_when_there_is_a_later_one() {
    let mut world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    world.publish("v1.2.0", tiny("v1.2.0"));
    world.set("tag", "'v1.1.0'");
    let board = world.board();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert_eq!(version(&board), confirmed("v1.1.0"));
    world.server.clear_requests();
    let again = run(&board);
    assert_eq!((again.boots, again.writes), (1, 0));
    assert!(world.server.requests().is_empty(), "nothing can be new: nobody is asked");
}

#[test]
fn a_private_repository_is_read_with_the_token_and_only_there() {
    for plain in [false, true] {
        let mut world = World::with(|o| o.token = Some("tkn-123".into()));
        let mut release = Release::new("v1.1.0", tiny("v1.1.0"));
        release.plain = plain;
        world.bench.publish(&release).unwrap();
        world.set("token", "'tkn-123'");
        world.set("insecure_token_over_http", "True");
        let board = world.board();
        let run = run(&board);
        assert!(run.output.contains("v1.1.0 is installed"), "plain: {plain}");
        assert!(!run.output.contains("tkn-123"));
        let (mut api, mut storage) = (0, 0);
        for request in world.server.requests() {
            if request.listener == mpota_serve::ListenerKind::Asset {
                assert!(!request.authorization_present, "{request:?}");
                storage += 1;
            } else {
                assert!(request.authorization_present, "{request:?}");
                api += 1;
            }
        }
        assert!(api > 0 && storage > 0);
    }
}

#[test]
fn a_private_repository_without_or_with_a_wrong_token_is_refused() {
    for (token, word) in [(None, "token"), (Some("'wrong'"), "token is not accepted")] {
        let mut world = World::with(|o| o.token = Some("tkn-123".into()));
        world.publish("v1.1.0", tiny("v1.1.0"));
        if let Some(token) = token {
            world.set("token", token);
            world.set("insecure_token_over_http", "True");
        }
        let run = run(&world.board());
        assert!(run.output.contains("refused:") && run.output.contains(word), "{token:?}");
        assert_eq!(run.writes, 0);
    }
}

#[test]
fn plain_releases_and_uncompressed_packs_are_installed() {
    for (plain, compress) in [(true, true), (false, false)] {
        let world = World::new();
        let mut release =
            Release::new("v1.1.0", tiny("v1.1.0").with("lib/util.py", "# other helpers\n".repeat(90)));
        release.plain = plain;
        release.compress = compress;
        world.bench.publish(&release).unwrap();
        let board = world.board();
        assert!(run(&board).output.contains("v1.1.0 is installed"), "plain {plain}, compress {compress}");
        assert_eq!(text(&board, "/lib/util.py").len(), 16 * 90);
    }
}

#[test]
fn files_of_the_old_release_that_are_gone_from_the_new_one_are_removed() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").without("lib/util.py").without("assets/logo.bin"));
    let board = world.board();
    board.write("/readings.csv", b"my own").unwrap();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    let tree = app_tree(&board);
    assert!(!tree.contains_key("/lib/util.py") && !tree.contains_key("/assets/logo.bin"), "{tree:#?}");
    assert!(!tree.contains_key("/assets"), "an empty folder is left");
    assert!(tree.contains_key("/readings.csv") && tree.contains_key("/settings.json"));
}

#[test]
fn files_without_a_release_behind_them_are_never_removed() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").without("lib/util.py"));
    let board = world.board();
    board.remove("/.ota/manifest.json").unwrap();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert!(app_tree(&board).contains_key("/lib/util.py"));
}

#[test]
fn a_damaged_file_is_healed_by_the_next_update() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    board.write("/lib/util.py", b"# damaged").unwrap();
    assert!(run(&board).output.contains("got lib/util.py"));
    assert_eq!(text(&board, "/lib/util.py"), "# helpers\n".repeat(40));
}

#[test]
fn crc32_is_used_where_the_firmware_has_no_sha256_and_the_log_says_so() {
    let mut world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let mut board = world.board();
    board.set("no_sha256", json!(true));
    let log = run(&board).output;
    assert!(log.contains("CRC32 finds accidents, not attackers") && log.contains("v1.1.0 is installed"));

    world.set("limits", "{'retries': 1}");
    let mut board = world.board();
    board.set("no_sha256", json!(true));
    let pack = world.bench.release_dir("v1.1.0").join("weather-v1.1.0.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[4] ^= 1;
    std::fs::write(&pack, bytes).unwrap();
    assert!(run(&board).output.contains("refused:"));
}

#[test]
fn hooks_run_after_the_update_and_after_going_back() {
    let world = World::new();
    let migrate = "with open('migrated', 'w') as f:\n    f.write('1')\nprint('migrating')\n";
    let back = "import os\nos.remove('migrated')\nprint('migrating back')\n";
    let toml = "[hooks]\npost_update = \"hooks/migrate.py\"\nrollback = \"hooks/back.py\"";
    let app = tiny("v1.1.0").with("hooks/migrate.py", migrate).with("hooks/back.py", back);
    world.bench.publish(&Release { toml: toml.into(), ..Release::new("v1.1.0", app.clone()) }).unwrap();
    let board = world.board();
    let log = run(&board).output;
    assert!(log.contains("migrating\n") && log.contains("v1.1.0 is installed"));
    assert!(app_tree(&board).contains_key("/migrated"));

    let board = world.board();
    let bad = app.with("app.py", "V = 1 / 0\n");
    world.bench.publish(&Release { toml: toml.into(), ..Release::new("v1.2.0", bad) }).unwrap();
    world.bench.withdraw("v1.1.0").unwrap();
    let before = app_tree(&board);
    let log = run(&board).output;
    assert!(
        log.contains("migrating\n") && log.contains("migrating back") && log.contains("back on v1.0.0"),
        "{log}"
    );
    assert_eq!(app_tree(&board), before);
}

#[test]
fn https_with_the_servers_own_ca_on_the_board() {
    let world = World::with(|o| {
        *o = Options { tls: mpota_serve::Tls::SelfSigned { names: vec!["localhost".into()] }, ..o.clone() };
    });
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    let without = run(&board);
    assert!(
        without.output.contains("no CA certificates (*.der) in /ota_ca: `mpota ca` writes them"),
        "{}",
        without.output
    );
    let ca = world.server.certificate_der().unwrap().to_vec();
    let folder = world
        .bench
        .board_folder(
            "v1.0.0",
            Agent::Mpy,
            &[
                ("ota_ca/own.der", &ca),
                (
                    "secrets.py",
                    mpota_vboard::bench::config(&[("base_url", &format!("'{}'", world.server.base_url()))])
                        .as_bytes(),
                ),
            ],
        )
        .unwrap();
    let board = mpota_vboard::Board::new(&world.micropython, FileSystem::Lfs, &folder).unwrap();
    assert!(run(&board).output.contains("v1.1.0 is installed"));
    assert!(world.server.requests().iter().filter(|r| r.status < 400).all(|r| r.tls));
}

#[test]
fn every_log_line_is_short_and_has_a_level() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").with("app.py", "V = 1 / 0\n"));
    let log = run_fast(&world.board(), 2).output;
    let mut lines = 0;
    for line in log.lines().filter(|l| l.starts_with("ota ")) {
        assert!(["I", "W", "E"].contains(&line.split(' ').nth(1).unwrap_or("")), "{line}");
        assert!(line.len() <= 120, "{line}");
        lines += 1;
    }
    assert!(lines > 8, "{log}");
}

#[test]
fn repair_installs_the_same_version_again_where_a_file_is_damaged() {
    let mut world = World::new();
    world.set("repair", "True");
    let board = world.board();
    board.write("/lib/util.py", b"# damaged").unwrap();
    assert!(run(&board).output.contains("v1.0.0 is installed"));
    assert_eq!(text(&board, "/lib/util.py"), "# helpers\n".repeat(40));
}
