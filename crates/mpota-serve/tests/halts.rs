//! Rollouts that are withheld because too many boards came back.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};

use mpota_format::rollout::{FOREVER, Rollout, Stage};
use mpota_format::version::Version;
use mpota_serve::{Event, FleetOptions, HaltAt, LogHook, Options, Server, WriteOptions};
use serde_json::json;
use support::fleet::{back, figures, fleet, report, shown, tell};
use support::{Folder, TOKEN, WRITER, ask, get, header, json as as_json, text};

const FILE: &str = "/octo/weather/releases/download/rollout/v2.0.0.json";

type Told = Arc<Mutex<Vec<String>>>;

fn log() -> (Told, LogHook) {
    let told = Told::default();
    let hook = Arc::clone(&told);
    let hook: LogHook = Arc::new(move |event| match event {
        Event::Halted { project, version, tried, back } => {
            hook.lock().unwrap().push(format!("{project} {version} {back}/{tried}"));
        }
        Event::Problem(text) => hook.lock().unwrap().push(text.clone()),
        _ => {}
    });
    (told, hook)
}

fn folder() -> Folder {
    let folder = Folder::with_releases();
    for version in ["v2.0.0", "v2.0.0-rc.1", "v2.1.0", "v2.2.0-build.7"] {
        folder.asset("rollout", &format!("{version}.json"), format!("{{\"rollout of\":\"{version}\"}}\n"));
    }
    folder
}

fn halting(folder: &Folder) -> FleetOptions {
    FleetOptions { halt: Some(HaltAt { percent: 10, boards: 5 }), ..fleet(folder) }
}

fn start(folder: &Folder, fleet: FleetOptions) -> (Server, Told) {
    let (told, log) = log();
    let options = Options { fleet: Some(fleet), log: Some(log), ..Options::new(folder.path()) };
    (Server::start(options).unwrap(), told)
}

fn rollout(server: &Server, path: &str) -> u16 {
    get(&format!("{}{path}", server.base_url()), &[]).status().as_u16()
}

/// Boards `from` to `to`, of which the first `bad` came back.
fn boards(server: &Server, prefix: &str, count: usize, bad: usize) {
    for number in 0..count {
        let id = format!("{prefix}{number}");
        let said = if number < bad { back(&id, "v1.9.0", "v2.0.0") } else { report(&id, "v2.0.0") };
        tell(server, &said);
    }
}

#[test]
fn more_than_the_share_of_at_least_so_many_boards_withholds_a_rollout() {
    // Tried, came back, withheld.
    let cases = [
        (4, 4, false),
        (5, 0, false),
        (5, 1, true),
        (9, 1, true),
        (10, 1, false),
        (11, 1, false),
        (10, 2, true),
        (20, 2, false),
        (20, 3, true),
    ];
    for (count, bad, withheld) in cases {
        let folder = folder();
        let (server, told) = start(&folder, halting(&folder));
        // Those that work come first, so that the last report decides.
        for number in (0..count).rev() {
            let id = format!("b{number}");
            tell(&server, &if number < bad { back(&id, "v1.9.0", "v2.0.0") } else { report(&id, "v2.0.0") });
        }
        let expected = if withheld { 404 } else { 302 };
        assert_eq!(rollout(&server, FILE), expected, "{bad} of {count}");
        assert_eq!(told.lock().unwrap().len(), usize::from(withheld), "{bad} of {count}");
    }
    println!("  cases {}: shares", cases.len());
}

#[test]
fn a_withheld_rollout_is_told_shown_and_kept_over_restarts_until_somebody_lifts_it() {
    let folder = folder();
    let (server, told) = start(&folder, halting(&folder));
    // The address of the storage host is signed, and would be good for an hour.
    let first = get(&format!("{}{FILE}", server.base_url()), &[]);
    let stored = header(&first, "location").to_owned();
    assert_eq!(get(&stored, &[]).status(), 200);
    boards(&server, "b", 6, 2);
    let halted = |server: &Server| {
        let rows = figures(server, "")["withheld"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| format!("{} {}/{}", row["version"], row["came_back"], row["tried"]))
            .collect::<Vec<_>>()
    };
    let check = |server: &Server, told: &Told| {
        assert_eq!(rollout(server, FILE), 404);
        assert_eq!(halted(server), ["\"v2.0.0\" 2/5"]);
        assert_eq!(*told.lock().unwrap(), ["octo/weather v2.0.0 2/5"]);
        let (_, metrics) = shown(server, "/metrics");
        assert!(
            metrics.contains("mpota_rollout_withheld{project=\"octo/weather\",version=\"v2.0.0\"} 1\n"),
            "{metrics}"
        );
        let (_, page) = shown(server, "/fleet");
        assert!(page.contains("is withheld") && page.contains("--resume v2.0.0"), "{page}");
        for other in ["v2.0.0-rc.1", "v2.1.0"] {
            assert_eq!(rollout(server, &FILE.replace("v2.0.0", other)), 302, "{other}");
        }
        assert_eq!(rollout(server, "/octo/weather/releases/download/v1.9.0/manifest.json"), 302);
    };
    check(&server, &told);
    assert_eq!(get(&stored, &[]).status(), 404, "an address that was signed before");
    boards(&server, "c", 100, 0);
    assert_eq!(rollout(&server, FILE), 404, "boards for which it works do not lift it");
    drop(server);
    // Without the rule it stays as well, and another version is not what is lifted.
    let (server, told) = start(&folder, FleetOptions { resume: vec!["v2.1.0".into()], ..fleet(&folder) });
    assert_eq!(
        told.lock().unwrap().remove(0),
        "the rollout of v2.1.0 is not withheld: there is nothing to resume"
    );
    check(&server, &told);
    drop(server);
    let resume = FleetOptions { resume: vec!["v2.0.0".into()], ..halting(&folder) };
    let (server, told) = start(&folder, resume);
    assert_eq!((rollout(&server, FILE), halted(&server).len(), told.lock().unwrap().len()), (302, 0, 0));
    drop(server);
    // It counts anew from then on.
    let (server, told) = start(&folder, halting(&folder));
    assert_eq!((rollout(&server, FILE), told.lock().unwrap().len()), (302, 0));
    boards(&server, "d", 4, 4);
    assert_eq!(rollout(&server, FILE), 302, "four are too few");
    boards(&server, "e", 1, 0);
    assert_eq!(*told.lock().unwrap(), ["octo/weather v2.0.0 4/5"]);
    assert_eq!(rollout(&server, FILE), 404);
}

/// The server again, once it is gone, with its rollout of v2.0.0 lifted or not.
fn again(server: Server, folder: &Folder, lift: bool) -> (Server, Told) {
    drop(server);
    let resume = if lift { vec!["v2.0.0".to_owned()] } else { Vec::new() };
    start(folder, FleetOptions { resume, ..halting(folder) })
}

#[test]
fn boards_that_succeed_after_a_lift_hide_none_that_come_back_after_it() {
    let folder = folder();
    let (server, _) = start(&folder, halting(&folder));
    boards(&server, "b", 10, 8);
    assert_eq!(rollout(&server, FILE), 404);
    let (server, told) = again(server, &folder, true);
    assert_eq!((rollout(&server, FILE), told.lock().unwrap().len()), (302, 0));
    boards(&server, "b", 8, 0);
    // What is counted after the lift is counted after a start too.
    let (server, told) = again(server, &folder, false);
    assert_eq!((rollout(&server, FILE), told.lock().unwrap().len()), (302, 0));
    boards(&server, "c", 8, 8);
    assert_eq!(rollout(&server, FILE), 404);
    assert_eq!(*told.lock().unwrap(), ["octo/weather v2.0.0 1/9"]);
}

#[test]
fn boards_that_come_back_once_more_after_a_lift_count() {
    let folder = folder();
    let (mut server, _) = start(&folder, halting(&folder));
    boards(&server, "b", 6, 6);
    // A second lift counts from there on as well.
    for lift in 1..=2 {
        let told;
        (server, told) = again(server, &folder, true);
        assert_eq!((rollout(&server, FILE), told.lock().unwrap().len()), (302, 0), "lift {lift}");
        // They still say what they came back from before.
        boards(&server, "b", 6, 6);
        assert_eq!(rollout(&server, FILE), 302, "lift {lift}");
        for number in 0..6 {
            let id = format!("b{number}");
            tell(&server, &json!({"id": id, "version": "v2.0.0", "state": "trial", "bad": "v2.0.0"}));
            tell(&server, &back(&id, "v1.9.0", "v2.0.0"));
        }
        assert_eq!(rollout(&server, FILE), 404, "lift {lift}");
        assert_eq!(*told.lock().unwrap(), ["octo/weather v2.0.0 4/5"], "lift {lift}");
    }
}

#[test]
fn a_board_that_takes_the_version_after_all_does_not_count_as_come_back() {
    let folder = folder();
    let (server, _) = start(&folder, halting(&folder));
    boards(&server, "b", 4, 4);
    for number in 0..4 {
        tell(&server, &report(&format!("b{number}"), "v2.0.0"));
    }
    boards(&server, "c", 10, 0);
    assert_eq!(rollout(&server, FILE), 302);
    let versions = figures(&server, "")["versions"].clone();
    let row = versions.as_array().unwrap().iter().find(|row| row["version"] == "v2.0.0").unwrap();
    assert_eq!((&row["tried"], &row["came_back"]), (&json!(14), &json!(0)));
}

#[test]
fn a_file_that_was_emptied_is_told_and_a_new_one_is_not() {
    let folder = folder();
    let (server, told) = start(&folder, halting(&folder));
    assert!(told.lock().unwrap().is_empty());
    boards(&server, "b", 5, 5);
    drop(server);
    std::fs::write(folder.path().join("reports.db"), "").unwrap();
    let (server, told) = start(&folder, halting(&folder));
    let told = told.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].contains("reports.db is there and empty: "), "{told:?}");
    assert_eq!(rollout(&server, FILE), 302);
}

#[test]
fn the_same_version_of_another_project_is_not_withheld() {
    let folder = folder();
    folder.file("octo/clock/v1.0.0/manifest.json", "{}");
    folder.file("octo/clock/rollout/v2.0.0.json", "{}");
    let (server, _) = start(&folder, halting(&folder));
    boards(&server, "b", 6, 6);
    assert_eq!(rollout(&server, FILE), 404);
    assert_eq!(rollout(&server, &FILE.replace("weather", "clock")), 302);
}

#[test]
fn a_version_with_build_metadata_is_withheld_under_the_name_of_its_file() {
    let folder = folder();
    let (server, _) = start(&folder, halting(&folder));
    let file = FILE.replace("v2.0.0", "v2.2.0-build.7");
    assert_eq!(rollout(&server, &file), 302);
    for number in 0..5 {
        tell(&server, &back(&format!("b{number}"), "v1.9.0", "v2.2.0+build.7"));
    }
    assert_eq!(rollout(&server, &file), 404);
}

#[test]
fn the_api_withholds_it_from_boards_and_not_from_who_may_write() {
    let folder = folder();
    let (_, log) = log();
    let options = Options {
        fleet: Some(halting(&folder)),
        log: Some(log),
        token: Some(TOKEN.into()),
        write: Some(WriteOptions::new(WRITER)),
        ..Options::new(folder.path())
    };
    let server = Server::start(options).unwrap();
    let api = format!("{}/api/v3/repos/octo/weather/releases", server.base_url());
    let release = as_json(ask("GET", &format!("{api}/tags/rollout"), WRITER, ""));
    let asset =
        release["assets"].as_array().unwrap().iter().find(|asset| asset["name"] == "v2.0.0.json").unwrap();
    let read = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [("accept", "application/octet-stream"), ("authorization", &*authorization)];
        let answer = get(asset["url"].as_str().unwrap(), &headers);
        match answer.status().as_u16() {
            200 => text(answer),
            302 => text(get(header(&answer, "location"), &[])),
            status => status.to_string(),
        }
    };
    assert_eq!(read(TOKEN), "{\"rollout of\":\"v2.0.0\"}\n");
    for number in 0..5 {
        let said = back(&format!("b{number}"), "v1.9.0", "v2.0.0").to_string();
        let headers = [("mpota-report", &*said), ("authorization", &*format!("Bearer {TOKEN}"))];
        assert_eq!(get(&format!("{api}/latest"), &headers).status(), 200);
    }
    assert_eq!(read(TOKEN), "404");
    assert_eq!(read(WRITER), "{\"rollout of\":\"v2.0.0\"}\n");
    let why = |token: &str| {
        let headers =
            [("accept", "application/octet-stream"), ("authorization", &*format!("Bearer {token}"))];
        header(&get(asset["url"].as_str().unwrap(), &headers), "mpota-withheld").to_owned()
    };
    assert_eq!((why(TOKEN), why(WRITER)), ("v2.0.0".to_owned(), "v2.0.0".to_owned()));
    let halt = of("v2.0.0", 2, true);
    folder.asset("rollout", "v2.0.0.json", &halt);
    assert_eq!((read(TOKEN), why(TOKEN)), (halt.clone(), String::new()));
    assert_eq!((read(WRITER), why(WRITER)), (halt, String::new()));
}

/// A rollout as `mpota rollout` and `mpota halt` upload it.
fn of(version: &str, number: u64, halted: bool) -> String {
    let rollout = Rollout {
        project: Some("octo/weather".into()),
        version: Version::parse(version).unwrap(),
        number,
        until: FOREVER,
        halted,
        stages: vec![Stage { from: 0, percent: 100 }],
        boards: Vec::new(),
        signature: None,
    };
    String::from_utf8(rollout.to_bytes().unwrap()).unwrap()
}

#[test]
fn a_rollout_that_halts_is_given_out_while_the_version_is_withheld() {
    let folder = folder();
    let put = |content: &str| folder.asset("rollout", "v2.0.0.json", content);
    put(&of("v2.0.0", 1, false));
    let (server, _) = start(&folder, halting(&folder));
    let stored = header(&get(&format!("{}{FILE}", server.base_url()), &[]), "location").to_owned();
    boards(&server, "b", 5, 5);
    // As a board reads it, and with an address that was signed before; and what the answer says of it.
    let read = |server: &Server| {
        let first = get(&format!("{}{FILE}", server.base_url()), &[]);
        let why = header(&first, "mpota-withheld").to_owned();
        match first.status().as_u16() {
            302 => (text(get(header(&first, "location"), &[])), why),
            status => (status.to_string(), why),
        }
    };
    let withheld = ("404".to_owned(), "v2.0.0".to_owned());
    let halt = of("v2.0.0", 2, true);
    // What looks like a halt and is none is withheld: boards may read another thing in it.
    let others = [
        of("v2.0.0", 3, false),
        format!("{halt} "),
        halt.replace("\"halted\":", "\"halted\" :"),
        String::new(),
    ];
    for other in &others {
        put(other);
        assert_eq!(read(&server), withheld, "{other}");
        assert_eq!(get(&stored, &[]).status(), 404, "{other}");
        put(&halt);
        assert_eq!(read(&server), (halt.clone(), String::new()));
        assert_eq!(text(get(&stored, &[])), halt);
    }
    let (server, _) = again(server, &folder, false);
    assert_eq!(read(&server), (halt, String::new()));
    put(&of("v2.0.0", 3, false));
    assert_eq!(read(&server), withheld);
    assert_eq!(rollout(&server, &FILE.replace("v2.0.0", "v2.1.0")), 302);
    println!("  cases {}: files beside a halt", others.len());
}
