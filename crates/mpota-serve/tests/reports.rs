//! What boards report: who may, what is kept, and who may look.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use mpota_serve::{Error, FleetOptions, Options, Server, WriteOptions};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use support::fleet::{
    MANIFEST, REPORTER, VIEWER, back, bearer, figures, fleet, guarded, outcome, pipeline, report, request,
    serve_fleet, shown, tell, tell_raw,
};
use support::{Folder, TOKEN, WRITER, get, header, json as as_json, raw, status, storage_url, text};

#[test]
fn a_report_is_kept_and_shown_and_the_answer_is_as_without_it() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let address = format!("{}{MANIFEST}", server.base_url());
    let whole = json!({"id": "e6614c311b7e6f35", "version": "v1.2.0", "state": "idle", "bad": "v1.3.0",
        "why": "raised ValueError ...", "micropython": "1.25.0", "board": "RPI_PICO_W", "flash": 123_456,
        "memory": 81_234, "boots": 2});
    let plain = get(&address, &[]);
    let reported = get(&address, &[("mpota-report", &whole.to_string())]);
    assert_eq!(
        (plain.status(), header(&plain, "location")),
        (reported.status(), header(&reported, "location"))
    );
    assert_eq!(reported.status(), 302);
    let all = figures(&server, "");
    assert_eq!(
        (&all["boards_known"], &all["came_back"], &all["matching"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let mut board = all["boards"][0].clone();
    assert!(board["last_seen"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(board["first_seen"], board["last_seen"]);
    for key in ["first_seen", "last_seen"] {
        board.as_object_mut().unwrap().remove(key);
    }
    let mut expected = whole;
    expected["project"] = json!("octo/weather");
    expected["came_back"] = json!(true);
    assert_eq!(board, expected);
}

#[test]
fn reports_count_on_every_address_of_a_projects_releases_and_nowhere_else() {
    let folder = Folder::with_releases();
    folder.asset("beta", "manifest.json", "{}");
    let server = serve_fleet(&folder, fleet(&folder));
    let good = [
        MANIFEST,
        "/Octo/Weather/releases/latest/download/manifest.json",
        "/octo/weather/releases/latest",
        "/octo/weather/releases/download/v1.9.0/manifest.json",
        "/octo/weather/releases/download/beta/manifest.json",
        "/octo/weather/releases/download/rollout/v1.9.0.json",
        "/repos/octo/weather/releases/latest",
        "/api/v3/repos/octo/weather/releases/tags/v1.9.0",
    ];
    let bad = [
        "/",
        "/octo",
        "/octo/weather",
        "/octo/other/releases/latest",
        "/repos/octo/weather",
        "/fleet.json",
        "/metrics",
    ];
    for (number, path) in good.iter().chain(&bad).enumerate() {
        get(
            &format!("{}{path}", server.base_url()),
            &[("mpota-report", &report(&format!("b{number}"), "v1.0.0").to_string())],
        );
    }
    let all = figures(&server, "?per_page=100&sort=id&order=asc");
    let found: Vec<_> = all["boards"].as_array().unwrap().iter().map(|b| b["id"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..good.len()).map(|n| format!("b{n}")).collect();
    assert_eq!(found, expected);
    assert!(all["boards"].as_array().unwrap().iter().all(|board| board["project"] == "octo/weather"));
    assert_eq!(outcome(&server, "elsewhere", None), bad.len() as u64);
    println!("  cases {}: addresses", good.len() + bad.len());
}

#[test]
fn with_a_token_only_those_who_have_it_count_and_everybody_is_answered() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, guarded(&folder));
    let basic = |token: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("board:{token}")))
    };
    let address = format!("{}{MANIFEST}", server.base_url());
    let good = [bearer(REPORTER), basic(REPORTER), format!("token {REPORTER}")];
    let bad = [bearer("another"), basic("another"), bearer(VIEWER), "Bearer".into(), basic("")];
    for (number, authorization) in good.iter().chain(&bad).enumerate() {
        let report = report(&format!("b{number}"), "v1.0.0").to_string();
        let answer = get(&address, &[("mpota-report", &report), ("authorization", authorization)]);
        assert_eq!(answer.status(), 302, "{authorization}");
    }
    assert_eq!(tell_raw(&server, &report("none", "v1.0.0").to_string(), ""), 302);
    assert_eq!(figures(&server, "")["boards_known"], good.len());
    assert_eq!(outcome(&server, "stranger", None), bad.len() as u64 + 1);
    println!("  cases {}: tokens of boards", good.len() + bad.len() + 1);
}

#[test]
fn a_board_that_sends_its_token_everywhere_on_this_host_still_gets_its_files() {
    let folder = Folder::with_releases();
    let other = Folder::with_releases();
    let server = serve_fleet(&folder, guarded(&folder));
    for token in [REPORTER, "another"] {
        let address = storage_url(&server, "v1.9.0", "manifest.json");
        let answer = get(&address, &[("authorization", &bearer(token))]);
        assert_eq!((answer.status().as_u16(), text(answer)), (200, "manifest of v1.9.0\n".to_owned()));
    }
    let apart = Server::start(Options { fleet: Some(guarded(&other)), ..other.options() }).unwrap();
    let address = storage_url(&apart, "v1.9.0", "manifest.json");
    assert_eq!(
        get(&address, &[("authorization", &bearer(REPORTER))]).status(),
        400,
        "as a storage host of its own does"
    );
}

#[test]
fn without_tokens_it_listens_to_this_machine_only() {
    let folder = Folder::with_releases();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let start = |report: bool, view: bool, listen| {
        let fleet = FleetOptions {
            report_token: report.then(|| REPORTER.into()),
            view_token: view.then(|| VIEWER.into()),
            ..fleet(&folder)
        };
        Server::start(Options { fleet: Some(fleet), listen, ..Options::new(folder.path()) })
    };
    for (report, view) in [(false, false), (true, false), (false, true)] {
        let error = start(report, view, everywhere).unwrap_err();
        assert!(matches!(error, Error::Unguarded { .. }), "{error}");
        start(report, view, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    }
    println!("  cases 6: tokens and addresses");
}

#[test]
fn the_fleet_is_shown_to_who_has_its_token_and_to_nobody_else() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, guarded(&folder));
    let mut cases = 0;
    for path in ["/fleet", "/fleet.json", "/metrics", "/fleet?board=a", "/fleet.json?board=a"] {
        let address = format!("{}{path}", server.base_url());
        for headers in [None, Some(bearer(REPORTER)), Some(bearer("x")), Some("Basic Og==".to_owned())] {
            let headers: Vec<_> = headers.iter().map(|value| ("authorization", value.as_str())).collect();
            let answer = get(&address, &headers);
            assert_eq!(answer.status(), 401, "{path}");
            assert!(header(&answer, "www-authenticate").starts_with("Basic realm="), "{path}");
            cases += 1;
        }
        let status = shown(&server, path).0;
        assert_eq!(status, if path.contains("board=") { 404 } else { 200 }, "{path}");
        cases += 1;
    }
    println!("  cases {cases}: who may look");
}

#[test]
fn without_a_token_another_name_of_this_machine_is_not_answered() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let hosts = [
        ("localhost", "200"),
        ("LocalHost:8080", "200"),
        ("127.0.0.1:1", "200"),
        ("[::1]:8080", "200"),
        ("[::1]", "200"),
        ("evil.example", "403"),
        ("localhost.evil.example:8080", "403"),
        ("192.168.1.5", "403"),
        ("127.0.0.1.evil.example", "403"),
        ("", "403"),
    ];
    let mut cases = 0;
    for path in ["/fleet", "/fleet.json", "/metrics"] {
        for (host, expected) in hosts {
            let answer =
                raw(&server, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
            assert_eq!(status(&answer), expected, "{path} {host}");
            cases += 1;
        }
    }
    println!("  cases {cases}: names of this machine");
}

#[test]
fn without_reports_nothing_of_it_is_there() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    for path in ["/fleet", "/fleet.json", "/metrics"] {
        assert_eq!(get(&format!("{}{path}", server.base_url()), &[]).status(), 404, "{path}");
    }
    assert_eq!(tell_raw(&server, &report("a", "v1.0.0").to_string(), ""), 302);
    assert!(!folder.path().join("reports.db").exists());
}

#[test]
fn the_history_of_a_board_has_its_last_32_changes_and_outlives_the_server() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    for minor in 0..40 {
        for _ in 0..2 {
            tell(&server, &report("a", &format!("v1.{minor}.0")));
        }
    }
    tell(&server, &back("a", "v1.39.0", "v2.0.0"));
    tell(&server, &json!({"id": "a", "version": "v1.39.0", "state": "trial", "bad": "v2.0.0"}));
    let before = figures(&server, "?board=a");
    let history = before["history"].as_array().unwrap().clone();
    assert_eq!(history.len(), 32);
    assert_eq!((&history[0]["version"], &history[30]["version"]), (&json!("v1.9.0"), &json!("v1.39.0")));
    assert_eq!(
        (&history[31]["bad"], &history[31]["why"]),
        (&json!("v2.0.0"), &json!("raised ValueError in <module>"))
    );
    assert_eq!(before["state"], "trial");
    drop(server);
    let server = serve_fleet(&folder, fleet(&folder));
    assert_eq!(figures(&server, "?board=a"), before);
    let versions = figures(&server, "")["versions"].clone();
    let row =
        |version: &str| versions.as_array().unwrap().iter().find(|row| row["version"] == version).cloned();
    assert_eq!(row("v2.0.0").unwrap()["came_back"], 1);
    assert_eq!(row("v1.39.0").unwrap()["installed"], 1);
    assert_eq!(row("v1.8.0"), None, "what is forgotten does not count");
}

#[test]
fn two_servers_do_not_have_one_file_and_a_damaged_one_is_an_error() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let start = || Server::start(Options { fleet: Some(fleet(&folder)), ..Options::new(folder.path()) });
    let error = start().unwrap_err();
    assert!(matches!(error, Error::Reports { .. }), "{error}");
    drop(server);
    drop(start().unwrap());
    let path = folder.path().join("reports.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"not a database, whatever its name says").unwrap();
    assert!(matches!(start().unwrap_err(), Error::Reports { .. }));
    // Some bytes of what is in use, one at a time: an error, or nothing that matters.
    let mut refused = 0;
    let places: Vec<usize> =
        (0..whole.len()).step_by(8).filter(|place| whole[*place] != 0).step_by(3).take(60).collect();
    for place in &places {
        let mut damaged = whole.clone();
        damaged[*place] ^= 0x55;
        std::fs::write(&path, &damaged).unwrap();
        match start() {
            Ok(server) => drop(server),
            Err(Error::Reports { .. }) => refused += 1,
            Err(error) => panic!("{place}: {error}"),
        }
    }
    assert!(places.len() > 20 && refused > 0, "{refused} of {}", places.len());
    println!("  cases {}: damaged databases, {refused} refused", places.len() + 1);
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with_releases();
    drop(serve_fleet(&folder, fleet(&folder)));
    let mode = std::fs::metadata(folder.path().join("reports.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn boards_are_found_sorted_and_given_in_pages() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    for (id, version, flash) in [("c", "v1.10.0", 5), ("a", "v1.9.0", 7), ("b", "v1.10.0-rc.1", 6)] {
        let mut report = report(id, version);
        report["flash"] = json!(flash);
        tell(&server, &report);
    }
    tell(&server, &back("d", "v1.9.0", "v1.10.0"));
    let ids = |query: &str| {
        let all = figures(&server, query);
        let ids =
            all["boards"].as_array().unwrap().iter().map(|board| board["id"].as_str().unwrap().to_owned());
        (ids.collect::<String>(), all["matching"].as_u64().unwrap())
    };
    let cases = [
        ("?sort=id&order=asc", "abcd", 4),
        ("?sort=id&order=desc", "dcba", 4),
        ("?sort=version&order=asc", "adbc", 4),
        ("?sort=flash&order=desc", "abcd", 4),
        ("?sort=back&order=desc", "dabc", 4),
        ("?sort=id&order=asc&version=v1.9.0", "ad", 2),
        ("?sort=id&order=asc&back=1", "d", 1),
        ("?sort=id&order=asc&q=VALUEERROR", "d", 1),
        ("?sort=id&order=asc&q=%3Cmodule%3E", "d", 1),
        ("?sort=id&order=asc&state=trial", "", 0),
        ("?sort=id&order=asc&project=octo%2Fweather", "abcd", 4),
        ("?sort=id&order=asc&project=octo%2Fclock", "", 0),
        ("?sort=id&order=asc&per_page=3", "abc", 4),
        ("?sort=id&order=asc&per_page=3&page=2", "d", 4),
        ("?sort=id&order=asc&per_page=3&page=18446744073709551615", "", 4),
        ("?sort=nothing&order=upward&per_page=-1&page=x&q=%ff%00", "", 0),
    ];
    for (query, found, matching) in cases {
        assert_eq!(ids(query), (found.to_owned(), matching), "{query}");
    }
    println!("  cases {}: queries", cases.len());
}

#[test]
fn private_repositories_take_reports_through_the_api() {
    let folder = Folder::with_releases();
    let fleet = FleetOptions { report_token: Some(TOKEN.into()), ..fleet(&folder) };
    let options = Options { token: Some(TOKEN.into()), fleet: Some(fleet), ..Options::new(folder.path()) };
    let server = Server::start(options).unwrap();
    let address = format!("{}/api/v3/repos/octo/weather/releases/latest", server.base_url());
    let report = report("a", "v1.0.0").to_string();
    let answer = get(&address, &[("mpota-report", &report), ("authorization", &bearer(TOKEN))]);
    assert_eq!(as_json(answer)["tag_name"], "v1.11.0");
    assert_eq!(figures(&server, "")["boards_known"], 1);
}

#[test]
fn a_board_with_a_token_of_its_own_and_one_for_reports_sends_two_headers() {
    let folder = Folder::with_releases();
    let options =
        Options { token: Some(TOKEN.into()), fleet: Some(guarded(&folder)), ..Options::new(folder.path()) };
    let server = Server::start(options).unwrap();
    let address = format!("{}/api/v3/repos/octo/weather/releases/latest", server.base_url());
    let (own, reports, other) = (bearer(TOKEN), bearer(REPORTER), bearer("another"));
    let two = |url: &str, report: &str, first: &str, second: &str| {
        let headers = [("mpota-report", report), ("authorization", first), ("authorization", second)];
        get(url, &headers).status().as_u16()
    };
    let asked = [
        (&own, &reports, 200),
        (&reports, &own, 200),
        (&own, &other, 200),
        (&other, &reports, 401),
        (&other, &other, 401),
    ];
    for (number, (first, second, status)) in asked.into_iter().enumerate() {
        let report = report(&format!("b{number}"), "v1.0.0").to_string();
        assert_eq!(two(&address, &report, first, second), status, "{first}, {second}");
    }
    let all = figures(&server, "?sort=id&order=asc");
    let kept: Vec<_> = all["boards"].as_array().unwrap().iter().map(|b| b["id"].as_str().unwrap()).collect();
    assert_eq!(kept, ["b0", "b1", "b3"]);
    assert_eq!(outcome(&server, "stranger", None), 2);
    let fleet = format!("{}/fleet.json", server.base_url());
    for (first, second, status) in
        [(&own, &bearer(VIEWER), 200), (&bearer(VIEWER), &own, 200), (&own, &reports, 401)]
    {
        assert_eq!(two(&fleet, "", first, second), status, "{first}, {second}");
    }
    println!("  cases {}: two headers", asked.len() + 3);
}

#[test]
fn the_token_for_writing_is_no_token_for_reports() {
    let folder = Folder::with_releases();
    let options = Options {
        write: Some(WriteOptions::new(WRITER)),
        fleet: Some(guarded(&folder)),
        ..Options::new(folder.path())
    };
    let server = Server::start(options).unwrap();
    assert_eq!(tell_raw(&server, &report("a", "v1.0.0").to_string(), WRITER), 302);
    assert_eq!(
        (figures(&server, "")["boards_known"].as_u64(), outcome(&server, "stranger", None)),
        (Some(0), 1)
    );
}

#[test]
fn reports_that_come_at_once_share_the_waits_for_the_disk() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let reports = 8_000;
    let begun = std::time::Instant::now();
    let one = |number: usize| request(&report(&format!("b{}", number % 2_000), "v1.0.0"), "");
    assert_eq!(pipeline(&server, reports, one), reports);
    let took = begun.elapsed();
    assert_eq!(outcome(&server, "kept", None), reports as u64);
    let (_, metrics) = shown(&server, "/metrics");
    let writes = metrics.lines().find_map(|line| line.strip_prefix("mpota_report_writes_total "));
    let writes: usize = writes.unwrap().parse().unwrap();
    assert!(writes * 4 < reports, "{writes} waits for {reports} reports");
    println!("  {reports} reports of 2000 boards in {} ms, {writes} waits for the disk", took.as_millis());
}
