//! What a server of one's own is told: header lines, a query, and a report; nobody else is told it.

use crate::rig::{Rig, Setup};

const HEADERS: &str = "{'Authorization': 'Basic Ym9hcmQ6c2VjcmV0', 'X-Place': 'attic'}";

fn rig(report: &str) -> Rig {
    Setup::default()
        .set("headers", HEADERS)
        .set("query", "'sig=a%2Bb&sv=1'")
        .set("report", report)
        .set("insecure_token_over_http", "True")
        .rig()
}

fn count(bytes: &[u8], what: &str) -> usize {
    bytes.windows(what.len()).filter(|w| *w == what.as_bytes()).count()
}

#[test]
fn headers_query_and_report_go_to_the_server_of_base_url_and_to_no_other() {
    let rig = rig("True");
    rig.updates("own");
    let (own, other) = (rig.server.received(0), rig.server.received(1));
    let asked = rig.server.asked();
    let here = asked.iter().filter(|a| a.host == 0).count();
    assert!(here > 0 && here < asked.len(), "{asked:#?}");
    for secret in ["Authorization: Basic Ym9hcmQ6c2VjcmV0\r\n", "X-Place: attic\r\n"] {
        assert_eq!(count(&own, secret), here, "{secret}: with each request");
    }
    assert!(count(&own, "?sig=a%2Bb&sv=1 HTTP/1.1") > 1);
    for secret in ["Ym9hcmQ6c2VjcmV0", "attic", "sv=1", "Mpota-Report"] {
        assert_eq!(count(&other, secret), 0, "{secret}");
    }
    let reports: Vec<serde_json::Value> = asked
        .iter()
        .flat_map(|a| a.text.lines())
        .filter_map(|line| line.strip_prefix("Mpota-Report: "))
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    // A look, and one in the trial.
    assert_eq!(reports.len(), 2, "{reports:#?}");
    assert_eq!(
        (reports[0]["version"].as_str(), reports[0]["state"].as_str()),
        (Some("v1.0.0"), Some("idle"))
    );
    assert_eq!(reports[1]["state"], "trial");
    for report in &reports {
        assert!(report["id"].as_str().is_some_and(|id| id.len() >= 16), "{report}");
        assert!(report["flash"].as_u64().is_some_and(|n| n > 100_000), "{report}");
        assert!(report["memory"].as_u64().is_some_and(|n| n > 1000), "{report}");
        assert!(report["micropython"].as_str().is_some_and(|v| v.starts_with("1.")), "{report}");
        assert_eq!(report["id"], reports[0]["id"]);
    }
    // Nothing of it lies on the flash but the id.
    let tree = rig.board.tree().unwrap();
    for path in tree.keys().filter(|path| path.starts_with("/.ota/") && !path.ends_with("/new")) {
        if let Ok(content) = rig.board.read(path) {
            assert_eq!(count(&content, "Ym9hcmQ6c2VjcmV0") + count(&content, "sv=1"), 0, "{path}");
        }
    }
}

#[test]
fn a_board_that_came_back_says_from_what_and_why() {
    let rig = rig("True");
    rig.board.run_with(&serde_json::json!({"boots": 1})).unwrap();
    // What the new version imports raises, and then it is as it was.
    rig.board.write("/secrets.py", b"1 / 0\n").unwrap();
    let output = rig.board.run_with(&serde_json::json!({"boots": 4})).unwrap().output;
    assert!(output.contains("v1.1.0 failed: ZeroDivisionError"), "{output}");
    rig.configure("report", "True");
    rig.server.forget();
    let output = rig.board.run().unwrap().output;
    assert!(output.contains("app v1.0.0 idle"), "{output}");
    let text = rig.server.asked().iter().map(|a| a.text.clone()).collect::<String>();
    let line = text.lines().find_map(|line| line.strip_prefix("Mpota-Report: ")).unwrap();
    let report: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((report["version"].as_str(), report["bad"].as_str()), (Some("v1.0.0"), Some("v1.1.0")));
    assert!(report["why"].as_str().unwrap().starts_with("ZeroDivisionError("), "{report}");
}

#[test]
fn secrets_are_not_sent_over_http_unless_that_is_said() {
    let mut ran = 0;
    for (key, value) in [("headers", HEADERS), ("query", "'sig=abc'")] {
        let rig = Setup::default().set(key, value).rig();
        let seen = rig.refused(key, &["headers and query are not sent over http"], &serde_json::json!({}));
        assert!(seen.received.iter().all(Vec::is_empty), "{key}");
        ran += 1;
    }
    println!("  cases {ran}: secrets over http");
    assert_eq!(ran, 2);
}

#[test]
fn what_is_no_header_or_no_query_is_an_error_that_says_so() {
    let mut ran = 0;
    for (key, value, why) in [
        ("headers", "'Basic abc'", "CONFIG: headers is not a dict"),
        ("headers", "{'A b': 'c'}", "CONFIG: headers: not a name for it: 'A b'"),
        ("headers", "{'Host': 'evil'}", "CONFIG: headers: not a name for it: 'Host'"),
        ("headers", "{'A': 'b\\r\\nC: d'}", "CONFIG: headers: A is not a text of one line of ASCII"),
        ("headers", "{'A': 5}", "CONFIG: headers: A is not a text of one line of ASCII"),
        ("query", "'a b'", "CONFIG: query: a text like a=1&b=2 without spaces is needed"),
        ("query", "'?a=1'", "CONFIG: query: a text like a=1&b=2 without spaces is needed"),
        ("query", "5", "CONFIG: query is not a text"),
        ("report", "'yes'", "CONFIG: report is neither True nor False"),
    ] {
        let rig = Setup::default().set(key, value).set("insecure_token_over_http", "True").rig();
        let seen = rig.refused(value, &[why], &serde_json::json!({}));
        assert!(seen.received.iter().all(Vec::is_empty), "{value}");
        ran += 1;
    }
    println!("  cases {ran}: headers and queries that are none");
    assert_eq!(ran, 9);
}
