//! What would leave a board that never updates again: answers that it should not remember, versions
//! that it should not keep, settings that look right.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{World, confirmed, new_key, run, text, tiny, version};
use mpota_vboard::Board;
use mpota_vboard::bench::{App, Release};
use std::io::{Read, Write};
use std::net::TcpListener;

/// A server that gives each path one answer, then closes; it ends with the tests.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(1000) {
            let Ok(mut stream) = stream else { continue };
            let mut head = Vec::new();
            let mut part = [0; 4096];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(n) if n > 0 => head.extend(&part[..n]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&head).into_owned();
            let _ = stream.write_all(&answer(text.split(' ').nth(1).unwrap_or_default()));
        }
    });
    url
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn private() -> World {
    let mut world = World::with(|o| o.token = Some("tkn-123".into()));
    world.set("token", "'tkn-123'");
    world.set("insecure_token_over_http", "True");
    world
}

/// Let the board ask this API instead, once or for good; returns its settings as they were.
fn ask(board: &Board, api: &str) -> String {
    let own = text(board, "/secrets.py");
    let other = own.replace("{'owner'", &format!("{{'api_url': '{api}', 'owner'"));
    board.write("/secrets.py", other.as_bytes()).unwrap();
    own
}

/// v1.1.0, whose settings are changed by this line of Python.
fn with_setting(version: &str, line: &str) -> App {
    tiny(version).replacing("main.py", "    try:\n", &format!("    {line}\n    try:\n"))
}

#[test]
fn an_etag_that_means_everything_or_nothing_is_not_remembered() {
    let mut cases = 0;
    for etag in ["*", "W/\"x\", *", "\"a\u{1}b\"", "\"a\rX: y\"", "bare", "\"\"", "\"a\"b\""] {
        let world = private();
        let board = world.board();
        let said = format!("ETag: {etag}\r\n");
        let url = server(move |_| reply("200 OK", &said, br#"{"id":1,"tag_name":"v1.0.0","assets":[]}"#));
        let own = ask(&board, &url);
        assert_eq!(run(&board).writes, 0, "{etag:?}");
        board.write("/secrets.py", own.as_bytes()).unwrap();
        world.publish("v1.1.0", tiny("v1.1.0"));
        run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0"), "{etag:?}");
        cases += 1;
    }
    // Nor does a note that was damaged on flash stop a board for good.
    let world = private();
    let board = world.board();
    run(&board);
    let good = text(&board, "/.ota/etag");
    let rest = good.split_once('\n').unwrap().1;
    for etag in ["*", "W/\"x\", *", "x"] {
        board.write("/.ota/etag", format!("{etag}\n{rest}").as_bytes()).unwrap();
        run(&board);
        assert_eq!(text(&board, "/.ota/etag"), good, "{etag}");
        cases += 1;
    }
    println!("  cases {cases}: ETags that count for nothing");
}

#[test]
fn fault_37_a_version_that_asks_in_the_wrong_place_is_undone() {
    let forbidden = server(|_| reply("403 Forbidden", "", b"<Error><Code>AccessDenied</Code></Error>"));
    let nobody = "http://127.0.0.1:9";
    let mut cases = 0;
    for (url, tag) in
        [(&*forbidden, None), (&*forbidden, Some("'v1.1.0'")), (nobody, None), (nobody, Some("'v1.1.0'"))]
    {
        let mut world = World::new();
        world.set("limits", "{'trial_resets': 2, 'trial_starts': 3}");
        if let Some(tag) = tag {
            world.set("tag", tag);
        }
        let board = world.board();
        world.publish("v1.1.0", with_setting("v1.1.0", &format!("config['base_url'] = '{url}'")));
        let mut log = String::new();
        // A tag gives it a second turn at once.
        for _ in 0..if tag.is_some() { 10 } else { 5 } {
            log += &run(&board).output;
        }
        // An answer of 403 is the version's own fault. Nobody there: that may be the network's.
        let what = if url == nobody { "comes up again: not confirmed in 3 starts" } else { "is blocked" };
        assert!(log.contains(&format!("v1.1.0 {what}")), "{url} {tag:?}: {log}");
        assert_eq!(version(&board), confirmed("v1.0.0"), "{url} {tag:?}");
        cases += 1;
    }
    println!("  cases {cases}: versions that cannot reach their server");
}

#[test]
fn fault_37_a_version_with_settings_that_refuse_every_release_is_undone() {
    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "key");
    let mut cases = 0;
    for (setting, bad) in [
        ("config['limits'] = {'trial_resets': 0}".to_owned(), true),
        ("config['limits'] = {'trial_s': '120'}".to_owned(), true),
        ("config['project'] = 'octo/wether'".to_owned(), true),
        (format!("config['keys'] = [b'{line}']"), true),
        ("config['keys'] = True".to_owned(), true),
        ("config['keys'] = b''".to_owned(), true),
        ("config['keys'] = ['']".to_owned(), true),
        (format!("config['keys'] = ['{}']", &line[..60]), true),
        (format!("config['keys'] = '{line}'"), true),
        (format!("config['keys'] = ('{line}',)"), false),
    ] {
        let mut world = World::new();
        world.set("limits", "{'trial_resets': 2}");
        world.set("keys", &format!("['{line}']"));
        let board = world.board();
        let app = with_setting("v1.1.0", &setting);
        world.bench.publish(&Release { key: Some(key.clone()), ..Release::new("v1.1.0", app) }).unwrap();
        let mut log = String::new();
        for _ in 0..5 {
            log += &run(&board).output;
        }
        assert_eq!(log.contains("v1.1.0 is blocked"), bad, "{setting}: {log}");
        assert_eq!(version(&board), confirmed(if bad { "v1.0.0" } else { "v1.1.0" }), "{setting}");
        cases += 1;
    }
    println!("  cases {cases}: settings that a trial tries out");
}

#[test]
fn fault_03_whatever_stands_as_keys_an_unsigned_release_needs_that_there_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "key");
    let (other, _) = new_key(&dir, "other");
    let mut cases = 0;
    for (value, file, unsigned, signed) in [
        ("None".to_owned(), None, true, true),
        ("[]".to_owned(), None, true, true),
        ("()".to_owned(), None, true, true),
        ("''".to_owned(), None, false, false),
        ("b''".to_owned(), None, false, false),
        ("False".to_owned(), None, false, false),
        ("0".to_owned(), None, false, false),
        ("{}".to_owned(), None, false, false),
        ("[None]".to_owned(), None, false, false),
        (format!("'{line}'"), None, false, false),
        (format!("['ssh-ed25519 AAA%', '{line}']"), None, false, true),
        ("'/ota_keys'".to_owned(), Some(line.clone()), false, true),
        ("'ota_keys'".to_owned(), Some(format!("ssh-ed25519 AAA%\n{line}\n")), false, true),
        ("'ota_keys'".to_owned(), Some(format!("{other}\n  {line}\n")), false, true),
    ] {
        for (is_signed, taken) in [(false, unsigned), (true, signed)] {
            let mut world = World::new();
            world.set("keys", &value);
            let board = world.board();
            if let Some(file) = &file {
                board.write("/ota_keys", file.as_bytes()).unwrap();
            }
            let key = is_signed.then(|| key.clone());
            world.bench.publish(&Release { key, ..Release::new("v1.1.0", tiny("v1.1.0")) }).unwrap();
            let log = run(&board).output;
            let expected = confirmed(if taken { "v1.1.0" } else { "v1.0.0" });
            assert_eq!(version(&board), expected, "{value}, signed: {is_signed}: {log}");
            cases += 1;
        }
    }
    println!("  cases {cases}: values of keys");
}

#[test]
fn a_file_of_keys_stays_however_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "key");
    let mut world = World::new();
    world.set("keys", "'/ota_keys'");
    let publish = |version: &str, app: App| {
        world.bench.publish(&Release { key: Some(key.clone()), ..Release::new(version, app) }).unwrap();
    };
    publish("v1.0.0", tiny("v1.0.0").with("ota_keys", &line));
    let board = world.board();
    publish("v1.1.0", tiny("v1.1.0"));
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
    assert_eq!(text(&board, "/ota_keys"), line);
}

#[test]
fn a_signed_prerelease_that_somebody_calls_the_latest_is_not_for_stable_boards() {
    let world = World::new();
    let beta = "v1.1.0-beta.1";
    world.publish(beta, tiny(beta));
    let meta = r#"{"prerelease": false, "make_latest": "true"}"#;
    std::fs::write(world.bench.release_dir(beta).join("release.json"), meta).unwrap();
    let board = world.board();
    let log = run(&board).output;
    assert!(log.contains("v1.1.0-beta.1 is a prerelease, and neither channel nor tag is set"), "{log}");
    assert_eq!(version(&board), confirmed("v1.0.0"));
    world.publish("v1.1.0", tiny("v1.1.0"));
    std::fs::write(world.bench.release_dir("v1.1.0").join("release.json"), meta).unwrap();
    world.bench.withdraw(beta).unwrap();
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
}

#[test]
fn fault_23_a_token_before_the_host_is_refused_and_not_repeated() {
    let mut cases = 0;
    for url in ["https://ghp_SECRET@github.invalid", "http://me:ghp_SECRET@github.invalid/x"] {
        let mut world = World::new();
        world.set("base_url", &format!("'{url}'"));
        let log = run(&world.board()).output;
        assert!(log.contains("not a host") && !log.contains("SECRET"), "{log}");
        cases += 1;
    }
    println!("  cases {cases}: addresses with a token in them");
}

#[test]
fn a_list_of_assets_without_an_end_or_a_folder_to_note_it_in_is_an_error_of_the_update() {
    let world = private();
    let board = world.board();
    let entry = |i: u32| format!("{{\"id\":{i},\"name\":\"n{i}\",\"state\":\"uploaded\"}}");
    let page = format!("[{}]", (1..20_000).map(entry).collect::<Vec<_>>().join(","));
    let url = server(move |path| match path.contains("per_page") {
        true => reply("200 OK", "", page.as_bytes()),
        false => reply("200 OK", "", br#"{"id":1,"tag_name":"v1.9.0","assets":[]}"#),
    });
    let own = ask(&board, &url);
    let log = run(&board).output;
    assert!(log.contains("more assets on a page than were asked for"), "{log}");
    assert!(board.read("/.ota/new/ids").unwrap().len() <= 1200);
    board.write("/secrets.py", own.as_bytes()).unwrap();
    world.publish("v1.1.0", tiny("v1.1.0"));
    run(&board);
    assert_eq!(version(&board), confirmed("v1.1.0"));
}

#[test]
fn a_repository_that_has_moved_is_followed_and_its_releases_keep_their_name() {
    let mut cases = 0;
    for (project, taken) in [("octo/weather", true), ("octo/station", false)] {
        let world = World::new();
        let release = Release { project: project.into(), ..Release::new("v1.1.0", tiny("v1.1.0")) };
        world.bench.publish(&release).unwrap();
        let folder = world.bench.release_dir("v1.1.0");
        let url = server(move |path| {
            let to = |to: String| reply("302 Found", &format!("Location: {to}\r\n"), b"");
            if let Some(rest) = path.strip_prefix("/octo/weather/") {
                return to(format!("/octo/station/{rest}"));
            }
            if let Some(name) = path.strip_prefix("/octo/station/releases/latest/download/") {
                return to(format!("/octo/station/releases/download/v1.1.0/{name}"));
            }
            match std::fs::read(folder.join(path.rsplit('/').next().unwrap_or_default())) {
                Ok(bytes) => reply("200 OK", "", &bytes),
                Err(_) => reply("404 Not Found", "", b""),
            }
        });
        let board = world.board();
        let own = text(&board, "/secrets.py").replace(world.server.base_url(), &url);
        board.write("/secrets.py", own.as_bytes()).unwrap();
        let log = run(&board).output;
        assert_eq!(version(&board), confirmed(if taken { "v1.1.0" } else { "v1.0.0" }), "{project}: {log}");
        assert_eq!(log.contains("is a release of octo/station"), !taken, "{log}");
        cases += 1;
    }
    println!("  cases {cases}: releases of a repository that has moved");
}

#[test]
fn fault_19_a_redirect_of_any_length_is_followed() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let manifest = std::fs::read(world.bench.release_dir("v1.1.0").join("manifest.json")).unwrap();
    let url = server(move |path| match path.split_once("/octo/") {
        Some((n, _)) if !n.is_empty() => {
            let more = "x".repeat(n[1..].parse().unwrap());
            let to = format!("/octo/weather/releases/download/v1.1.0/manifest.json?{more}");
            reply("302 Found", &format!("Location: {to}\r\n"), b"")
        }
        _ => reply("200 OK", "", &manifest),
    });
    let board = world.board();
    let main = format!(
        "import machine, ota_updater, secrets\nfor n in range(130):\n    \
         secrets.CONFIG['base_url'] = '{url}/%d' % n\n    \
         print('length', n, ota_updater.check(secrets.CONFIG))\nmachine.deepsleep(1)\n"
    );
    board.write("/main.py", main.as_bytes()).unwrap();
    let log = run(&board).output;
    let cases = (0..130).filter(|n| log.contains(&format!("length {n} v1.1.0\n"))).count();
    println!("  cases {cases}: lengths of a redirect");
    assert_eq!(cases, 130, "{log}");
}
