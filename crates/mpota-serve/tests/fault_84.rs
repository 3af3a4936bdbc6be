//! Reports of strangers: bounded, shown as text, and without a weight in the figures.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;

use mpota_format::report::Report;
use mpota_serve::{FleetOptions, Server};
use serde_json::{Value, json};
use support::fleet::{
    REPORTER, back, figures, fleet, guarded, outcome, pipeline, report, request, serve_fleet, shown, tell,
    tell_raw,
};
use support::{Folder, raw, status};

const MARKUP: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</table></main><style>*{display:none}</style>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)&lt;b&gt;",
    "{{7*7}} ${7*7} %0d%0a \\u003cb\\u003e",
];

#[test]
fn fault_84_markup_is_shown_as_text_everywhere() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    for (number, markup) in MARKUP.iter().enumerate() {
        let mut said = back(&format!("b{number}"), "v1.0.0", "v2.0.0");
        for (key, most) in [("why", 200), ("board", 64), ("micropython", 32)] {
            said[key] = json!(&markup[..markup.len().min(most)]);
        }
        tell(&server, &said);
    }
    let mut cases = 0;
    for (number, markup) in MARKUP.iter().enumerate() {
        let board = figures(&server, &format!("?board=b{number}"));
        assert_eq!((&board["why"], &board["history"][0]["why"]), (&json!(markup), &json!(markup)));
        for path in
            ["/fleet".to_owned(), format!("/fleet?board=b{number}"), "/fleet?q=%3C%22%27%3E".to_owned()]
        {
            let (status, page) = shown(&server, &path);
            assert_eq!(status, 200);
            let escaped =
                markup.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            if !path.contains("?q=") {
                assert!(page.contains(&escaped), "{path}: {escaped}");
            }
            assert!(!page.contains(markup) || !markup.contains(['<', '"']), "{path}: {markup}");
            // The page's own script, and no other.
            let scripts = usize::from(!path.contains("board="));
            assert_eq!(page.matches("<script").count(), scripts, "{path}");
            assert_eq!((page.matches("<style").count(), page.matches("<img").count()), (1, 0), "{path}");
            cases += 1;
        }
    }
    let (_, metrics) = shown(&server, "/metrics");
    assert!(!metrics.contains("alert") && !metrics.contains('<'));
    println!("  cases {cases}: pages with markup");
}

#[test]
fn fault_84_every_bad_report_is_refused_counted_and_answered_as_any_other() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    tell(&server, &report("known", "v1.0.0"));
    let before = figures(&server, "");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/report/invalid");
    let mut codes = std::collections::BTreeMap::<String, u64>::new();
    let mut cases = 0;
    for case in std::fs::read_dir(vectors).unwrap() {
        let case = case.unwrap().path();
        let value = std::fs::read(case.join("header")).unwrap();
        let code = std::fs::read_to_string(case.join("error")).unwrap().trim_end().to_owned();
        let mut said = b"GET /octo/weather/releases/latest/download/manifest.json HTTP/1.1\r\nHost: x\r\n\
            Connection: close\r\nMpota-Report: "
            .to_vec();
        said.extend(&value);
        said.extend(b"\r\n\r\n");
        // What no HTTP header can carry does not get that far; a tab and bytes beyond ASCII do.
        let carried = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
        let answer = String::from_utf8_lossy(&server.talk(&said)).into_owned();
        // The end of a line is the end of the header.
        if carried || value.ends_with(b"\n") {
            assert_eq!(status(&answer), "302", "{}", case.display());
        } else {
            assert_eq!(status(&answer), "400", "{}", case.display());
        }
        if carried {
            *codes.entry(code).or_default() += 1;
        }
        cases += 1;
    }
    for (code, count) in &codes {
        assert_eq!(outcome(&server, "refused", Some(code)), *count, "{code}");
    }
    assert_eq!(codes.len(), 9, "every code: {codes:?}");
    let mut after = figures(&server, "");
    let reports = after["reports"].as_array().unwrap();
    let refused: u64 = reports
        .iter()
        .filter(|row| row["outcome"] == "refused")
        .map(|row| row["count"].as_u64().unwrap())
        .sum();
    assert_eq!(refused, codes.values().sum::<u64>());
    // One vector is a good report with the end of a line behind it, and HTTP takes that for its own.
    after["reports"] = before["reports"].clone();
    assert_eq!(after["versions"], before["versions"]);
    assert!(after["boards_known"].as_u64().unwrap() <= 2);
    println!("  cases {cases}: bad reports");
}

#[test]
fn fault_84_long_and_many_headers_are_refused_without_a_weight() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let long = json!({"id": "a", "why": "x".repeat(4096)}).to_string();
    assert_eq!(tell_raw(&server, &long, ""), 302);
    assert_eq!(outcome(&server, "refused", Some("length")), 1);
    let good = report("a", "v1.0.0").to_string();
    let twice = format!(
        "GET /octo/weather/releases/latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Mpota-Report: {good}\r\nMpota-Report: {good}\r\n\r\n"
    );
    assert_eq!(status(&raw(&server, &twice)), "302");
    assert_eq!(outcome(&server, "refused", Some("json")), 1);
    // Larger than a request may be at all.
    let huge = format!("GET / HTTP/1.1\r\nHost: x\r\nMpota-Report: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&String::from_utf8_lossy(&server.talk(huge.as_bytes()))), "431");
    assert_eq!(figures(&server, "")["boards_known"], 0);
    println!("  cases 3: long and many headers");
}

#[test]
fn fault_84_100000_ids_by_one_sender_leave_the_figures_as_they_are() {
    let folder = Folder::with_releases();
    let most = |fleet: FleetOptions| FleetOptions { new_per_hour: 256, ..fleet };
    let server = serve_fleet(&folder, most(guarded(&folder)));
    for number in 0..20 {
        let said = report(&format!("mine{number}"), "v1.0.0").to_string();
        assert_eq!(tell_raw(&server, &said, REPORTER), 302);
    }
    let kept = |server: &Server| {
        let all = figures(server, "");
        ["boards_known", "versions", "matching", "withheld"].map(|key| all[key].clone())
    };
    let before = kept(&server);
    // Without the token: none counts.
    let stranger = |number: usize| request(&back(&format!("s{number}"), "v9.0.0", "v1.0.0"), "");
    assert_eq!(pipeline(&server, 20_000, stranger), 20_000);
    assert_eq!(kept(&server), before);
    assert_eq!(outcome(&server, "stranger", None), 20_000);
    drop(server);
    // Who may report brings so many as one sender may in an hour.
    let server = serve_fleet(&folder, most(fleet(&folder)));
    assert_eq!(kept(&server), before);
    let thief = |number: usize| request(&report(&format!("t{number}"), "v9.0.0"), "");
    assert_eq!(pipeline(&server, 100_000, thief), 100_000);
    assert_eq!(figures(&server, "")["boards_known"], 20 + 256);
    assert_eq!(outcome(&server, "too-many-new", None), 100_000 - 256);
    // A board that is known may report all the same.
    tell(&server, &report("mine7", "v1.1.0"));
    assert_eq!(figures(&server, "?board=mine7")["version"], "v1.1.0");
    let size = std::fs::metadata(folder.path().join("reports.db")).unwrap().len();
    assert!(size < 8 * 1024 * 1024, "{size} bytes");
    println!("  cases 120000: ids by one sender; the database has {size} bytes");
}

#[test]
fn fault_84_a_full_database_takes_no_new_board_and_every_known_one() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, FleetOptions { boards: 300, ..fleet(&folder) });
    let one = |number: usize| request(&report(&format!("b{number}"), "v1.0.0"), "");
    assert_eq!(pipeline(&server, 2_000, one), 2_000);
    assert_eq!(
        (figures(&server, "")["boards_known"].as_u64(), outcome(&server, "full", None)),
        (Some(300), 1_700)
    );
    let known = figures(&server, "")["boards"][0]["id"].as_str().unwrap().to_owned();
    tell(&server, &report(&known, "v1.1.0"));
    tell(&server, &report("new", "v1.1.0"));
    assert_eq!(figures(&server, &format!("?board={known}"))["version"], "v1.1.0");
    assert_eq!(figures(&server, "?q=new")["matching"], 0);
    println!("  cases 2002: reports to a full database");
}

#[test]
fn fault_84_the_figures_for_prometheus_have_a_bound_however_many_versions_and_states_are_told() {
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let one = |number: usize| {
        let state: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        let said = json!({"id": format!("b{number}"), "version": format!("v1.{number}.0"), "state": state});
        request(&said, "")
    };
    assert_eq!(pipeline(&server, 3_000, one), 3_000);
    let (_, metrics) = shown(&server, "/metrics");
    let samples = metrics.lines().filter(|line| !line.starts_with('#')).count();
    assert!((600..700).contains(&samples), "{samples}");
    let other = "mpota_boards{project=\"octo/weather\",version=\"other\",state=\"other\"} 2800\n";
    assert!(metrics.contains(other), "{metrics}");
    let (_, page) = shown(&server, "/fleet");
    assert!(page.len() < 300_000, "{}", page.len());
    assert_eq!(figures(&server, "?per_page=100000")["boards"].as_array().unwrap().len(), 1_000);
    println!("  cases 3000: versions and states");
}

#[test]
fn fault_84_what_a_report_says_is_what_the_reader_took() {
    // The server shows nothing that went past the reader: what it keeps is read again as a report.
    let folder = Folder::with_releases();
    let server = serve_fleet(&folder, fleet(&folder));
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/report/valid");
    let mut cases = 0;
    for case in std::fs::read_dir(vectors).unwrap() {
        let value = std::fs::read(case.unwrap().path().join("header")).unwrap();
        let report = Report::parse(&value).unwrap();
        assert_eq!(tell_raw(&server, std::str::from_utf8(&value).unwrap(), ""), 302);
        let kept = figures(&server, &format!("?board={}", report.id));
        for (key, said) in [("version", &report.version), ("why", &report.why), ("board", &report.board)] {
            assert_eq!(kept[key], said.as_ref().map_or(Value::Null, |said| json!(said)));
        }
        cases += 1;
    }
    assert!(cases > 10);
    println!("  cases {cases}: good reports");
}
