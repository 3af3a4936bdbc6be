//! Faults 19 to 22 and 25: answers that are no release, and networks that go away.

use crate::honest::{self, redirect, reply, send};
use crate::keys::Key;
use crate::rig::{LIMITS, MAIN, Rig, Setup, app, is_pack, pack};
use crate::server::{Asked, Step};
use crate::tls::Proof;
use serde_json::json;
use std::time::Duration;

fn is_first(asked: &Asked) -> bool {
    asked.host == 0 && asked.path.contains("/latest/")
}

/// Answer the first request of a look with these bytes.
fn at_first(rig: &Rig, answer: Vec<u8>) {
    rig.server.script(move |asked| is_first(asked).then(|| vec![Step::Send(answer.clone())]));
}

#[test]
fn fault_19_redirects_that_lead_nowhere() {
    let rig = Rig::new();
    let mut ran = 0;
    for (name, location, words) in [
        ("a loop", "/octo/weather/releases/latest/download/manifest.json", &["redirects without an end"][..]),
        ("a loop by a relative path", "manifest.json", &["redirects without an end"]),
        ("to another scheme", "ftp://127.0.0.1/x", &["not a http(s) address"]),
        ("to a file", "file:///etc/passwd", &["not a http(s) address"]),
        ("in capitals to nothing", "GOPHER://x/", &["not a http(s) address"]),
        ("to a scheme without a host", "mailto:me@example.org", &["not a http(s) address"]),
        ("to no host", "http:///x", &["cannot find", "cannot connect", "not a host"]),
        ("to no port", "http://127.0.0.1:/x", &["not a port"]),
        ("to a port that is none", "http://127.0.0.1:99999999/x", &["not a port"]),
        ("to a port beyond the end", "http://127.0.0.1:65536/x", &["cannot", "not a port"]),
        ("to a closed port", "http://127.0.0.1:1/x", &["cannot connect to 127.0.0.1"]),
        ("with a space", "http://127.0.0.1:1/x y", &["redirect to nowhere"]),
        ("with a tab", "http://127.0.0.1:1/x\ty", &["redirect to nowhere"]),
        ("with a carriage return", "http://127.0.0.1:1/x\rHost: y", &["redirect to nowhere"]),
        ("with a zero", "http://127.0.0.1:1/x\0y", &["redirect to nowhere"]),
        ("with an umlaut", "http://127.0.0.1:1/\u{fc}", &["redirect to nowhere"]),
        ("with an escape sequence", "http://\x1b[2J/", &["redirect to nowhere"]),
        ("empty", "", &["redirect without an address"]),
        ("to a long host", &("http://".to_owned() + &"a.".repeat(700) + "/"), &["cannot find", "not a host"]),
        ("of 5 KB", &("/".to_owned() + &"x".repeat(5000)), &["redirect of over 4160 bytes"]),
    ] {
        let answer = redirect(location);
        at_first(&rig, answer);
        let seen = rig.attack(name, words);
        assert!(seen.asked.len() <= 8, "{name}: {:#?}", seen.asked);
        assert_eq!(seen.run.writes, 0, "{name}");
        ran += 1;
    }
    at_first(&rig, reply("302 Found", "", b""));
    rig.attack("without Location", &["redirect without an address"]);
    at_first(&rig, b"HTTP/1.1 302 Found\r\nLocation: /x\xff\xfe\r\nContent-Length: 0\r\n\r\n".to_vec());
    rig.attack("not UTF-8", &["redirect to nowhere"]);
    // Back and forth between two hosts.
    let urls = [rig.server.url(0), rig.server.url(1)];
    rig.server.script(move |asked| send(redirect(&format!("{}/round/and/round", urls[1 - asked.host]))));
    let seen = rig.attack("two hosts", &["redirects without an end"]);
    assert!(seen.asked.len() <= 8, "{:#?}", seen.asked);
    // A version in the address that is none: what is said of it is short, and on one line.
    for tag in ["x", "v1", &"9".repeat(1500), "v1.1.0%0Aota%20I%20fine", "..", "%00"] {
        at_first(&rig, redirect(&format!("/octo/weather/releases/download/{tag}/manifest.json")));
        rig.attack(&format!("tag {tag:.20}"), &["not a version"]);
        ran += 1;
    }
    println!("  cases {}: redirects", ran + 3);
    assert_eq!(ran, 26);
}

#[test]
fn fault_19_a_redirect_from_https_to_http_is_not_followed() {
    let rig = Setup { tls: Some(Proof::good()), ..Setup::default() }.rig();
    let plain = Rig::new();
    let mut ran = 0;
    for to in [plain.server.url(0) + "/x", plain.server.url(1) + "/store/v1.1.0/manifest.json"] {
        at_first(&rig, redirect(&to));
        rig.attack(&to, &["redirect from https to http refused"]);
        // From the storage host too.
        let target = to.clone();
        rig.server.script(move |asked| (asked.host == 1).then(|| vec![Step::Send(redirect(&target))]));
        rig.attack(&to, &["redirect from https to http refused"]);
        ran += 2;
    }
    assert!(plain.server.asked().is_empty(), "{:#?}", plain.server.asked());
    println!("  cases {ran}: from https to http");
    assert_eq!(ran, 4);
}

/// How the headers of an honest answer are spelled.
type Spell = fn(&str) -> String;

#[test]
fn fault_19_headers_in_any_case_length_and_number_are_read() {
    let rig = Rig::new();
    let mut ran = 0;
    let spellings: [(&str, Spell); 8] = [
        ("lower case", |h| h.replacen("Content-", "content-", 1).replacen("Location", "location", 1)),
        ("upper case", |h| {
            let (name, value) = h.split_once(':').unwrap();
            format!("{}:{value}", name.to_ascii_uppercase())
        }),
        ("no space behind the colon", |h| h.replace(": ", ":")),
        ("spaces around the value", |h| h.replace(": ", ":  \t ") + "  "),
        ("a header line of 4 KB before it", |h| {
            format!("Content-Security-Policy: {}\r\n{h}", "x".repeat(4072))
        }),
        ("a header line of 15 KB before it", |h| format!("X: {}\r\n{h}", "x".repeat(15_000))),
        ("a header without a colon", |h| format!("nonsense\r\n{h}")),
        ("bytes that are not UTF-8", |h| format!("X: \u{fc}\u{0}\u{1b}[31m\r\n{h}")),
    ];
    for (name, spell) in spellings {
        let store = rig.store();
        rig.server.script(move |asked| {
            send(honest::with_headers(&store, asked, |lines| lines.iter().map(|l| spell(l)).collect()))
        });
        rig.updates(name);
        rig.rewind();
        ran += 1;
    }
    // 100 headers in all, and a Location of 1 KB.
    for most in [99, 100] {
        let store = rig.store();
        rig.server.script(move |asked| {
            send(honest::with_headers(&store, asked, |mut lines| {
                while lines.len() < most {
                    lines.insert(0, "X-Fill: 1".into());
                }
                lines
            }))
        });
        rig.updates("100 headers");
        rig.rewind();
        ran += 1;
    }
    let url = rig.server.url(1);
    rig.server.script(move |asked| {
        let one = asked.path.contains("/releases/download/");
        one.then(|| {
            vec![Step::Send(redirect(&format!("{url}/store/v1.1.0/{}?{}", asked.name(), "x".repeat(1024))))]
        })
    });
    rig.updates("Location of 1 KB");
    rig.rewind();
    let urls = [rig.server.url(0), rig.server.url(1)];
    for to in [
        "/octo/weather/releases/download/v1.1.0/manifest.json",
        "HTTP://HOST/octo/weather/releases/download/v1.1.0/manifest.json",
        "../../download/v1.1.0/manifest.json",
        "./../../download/./v1.1.0/manifest.json",
        "//HOST/octo/weather/releases/download/v1.1.0/manifest.json",
        "../../../../../../octo/weather/releases/download/v1.1.0/manifest.json",
    ] {
        at_first(&rig, redirect(&to.replace("HOST", urls[0].trim_start_matches("http://"))));
        rig.updates(to);
        rig.rewind();
        ran += 1;
    }
    println!("  cases {}: honest answers that look different", ran + 1);
    assert_eq!(ran, 16);
}

#[test]
fn fault_20_a_server_that_asks_to_wait_is_left_alone_for_so_long() {
    let limits = LIMITS.replace("'retries': 1", "'retries': 2");
    let rig = Setup::default().set("limits", &limits).rig();
    let mut ran = 0;
    let mut waits = Vec::new();
    for (status, headers, least) in [
        ("429 Too Many Requests", "Retry-After: 7\r\n", 7000),
        ("503 Service Unavailable", "Retry-After: 3\r\n", 3000),
        ("403 Forbidden", "Retry-After: 5\r\n", 5000),
        ("500 Internal Server Error", "", 1000),
        ("502 Bad Gateway", "", 1000),
        ("500 Internal Server Error", "", 1000),
        ("500 Internal Server Error", "", 1000),
    ] {
        let name = format!("{status} {headers}");
        rig.server.script(move |asked| {
            let first = asked.stores(".pack") && asked.nth == 0;
            first.then(|| vec![Step::Send(reply(status, headers, b"<h1>slow down</h1>"))])
        });
        let run = rig.board.run_with(&json!({"sleep_divide": 200})).unwrap();
        let log = run.output;
        eprintln!("--- {name}\n{log}");
        assert!(log.contains("v1.1.0 is installed"), "{name}: {log}");
        assert!(
            log.contains(&format!("({})", &status[..3]))
                || log.contains(&format!("answers {}", &status[..3])),
            "{name}: {log}"
        );
        let wait: u32 = log.split("again in ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((least..=least * 3 / 2).contains(&wait), "{name}: {wait} ms");
        waits.push(wait);
        rig.rewind();
        ran += 1;
    }
    let last: std::collections::BTreeSet<_> = waits[3..].iter().collect();
    assert!(last.len() > 1, "no jitter: {waits:?}");
    // For more than a minute nobody waits here: the app is told, and what was fetched by then is kept.
    for (status, headers, seconds) in [
        ("503 Service Unavailable", "retry-after: 86400\r\n", 86_400),
        ("429 Too Many Requests", "Retry-After: 61\r\n", 61),
        ("403 Forbidden", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9999999999\r\n", 86_400),
    ] {
        rig.server.script(move |asked| {
            asked.stores(".pack").then(|| vec![Step::Send(reply(status, headers, b""))])
        });
        let seen =
            rig.refused(status, &[&format!("asks to wait {seconds} s")], &json!({"sleep_divide": 200}));
        assert_eq!(seen.asked.iter().filter(|a| a.host == 1 && is_pack(a)).count(), 1, "{status}");
        rig.restore();
        rig.updates(status);
        rig.rewind();
        ran += 1;
    }
    // It goes on asking to: that is what the log says in the end, and no third request follows.
    for (status, headers, word) in [
        ("429 Too Many Requests", "Retry-After: 9\r\n", "asks to wait 9 s (429)"),
        ("500 Oops", "", "answers 500"),
    ] {
        rig.server.script(move |asked| {
            asked.stores(".pack").then(|| vec![Step::Send(reply(status, headers, b""))])
        });
        let seen = rig.refused(status, &[word], &json!({"sleep_divide": 200}));
        assert_eq!(seen.asked.iter().filter(|a| a.host == 1 && is_pack(a)).count(), 2, "{status}");
        rig.restore();
        rig.updates(status);
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: answers that ask for patience, waits of {waits:?} ms");
    assert_eq!(ran, 12);
}

#[test]
fn fault_20_a_look_that_is_turned_away_says_so() {
    let rig = Rig::new();
    let mut ran = 0;
    for (status, headers, words) in [
        ("403 Forbidden", "X-RateLimit-Remaining: 0\r\n", &["asks to wait 60 s (403)"][..]),
        ("429 Too Many Requests", "Retry-After: 7\r\n", &["asks to wait 7 s (429)"]),
        ("503 Service Unavailable", "Retry-After: 7\r\n", &["asks to wait 7 s (503)"]),
        ("500 Internal Server Error", "", &["answers 500"]),
        ("403 Forbidden", "", &["answers 403"]),
        ("418 Teapot", "", &["answers 418"]),
    ] {
        at_first(&rig, reply(status, headers, b"no"));
        assert_eq!(rig.attack(status, words).run.writes, 0);
        ran += 1;
    }
    println!("  cases {ran}: looks that are turned away");
    assert_eq!(ran, 6);
}

#[test]
fn fault_20_a_look_that_is_turned_away_is_tried_again_after_the_wait() {
    let limits = LIMITS.replace("'retries': 1", "'retries': 3");
    let rig = Setup::default().set("limits", &limits).rig();
    let mut ran = 0;
    for (status, headers, least) in [
        ("429 Too Many Requests", "Retry-After: 7\r\n", 7000),
        ("503 Service Unavailable", "Retry-After: 3\r\n", 3000),
        ("403 Forbidden", "Retry-After: 30\r\n", 30_000),
        ("500 Internal Server Error", "", 1000),
        ("502 Bad Gateway", "", 1000),
    ] {
        rig.server.script(move |asked| {
            (is_first(asked) && asked.nth == 0)
                .then(|| vec![Step::Send(reply(status, headers, b"slow down"))])
        });
        let log = rig.board.run_with(&json!({"sleep_divide": 200})).unwrap().output;
        assert!(log.contains("v1.1.0 is installed"), "{status}: {log}");
        assert!(log.contains(&status[..3]), "{status}: {log}");
        let wait: u32 = log.split("again in ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((least..=least * 3 / 2).contains(&wait), "{status}: {wait} ms");
        rig.rewind();
        ran += 1;
    }
    // Three times, and no more.
    at_first(&rig, reply("503 Service Unavailable", "Retry-After: 2\r\n", b""));
    let seen = rig.refused("for ever", &["asks to wait 2 s (503)"], &json!({"sleep_divide": 200}));
    assert_eq!(seen.asked.len(), 3, "{:#?}", seen.asked);
    println!("  cases {}: looks that are tried again", ran + 1);
    assert_eq!(ran, 5);
}

#[test]
fn fault_20_an_error_tells_the_app_how_long_to_wait() {
    let main =
        MAIN.replace("    ota_updater.log('W'", "    print('app waits', e.wait)\n    ota_updater.log('W'");
    let rig = Setup { old: app("v1.0.0").with("main.py", main), ..Setup::default() }.rig();
    let mut ran = 0;
    for (status, headers, wait) in [
        ("429 Too Many Requests", "Retry-After: 777\r\n", 777),
        ("503 Service Unavailable", "Retry-After: 3\r\n", 3),
        ("403 Forbidden", "X-RateLimit-Remaining: 0\r\n", 60),
        ("500 Internal Server Error", "", 0),
        ("404 Not Found", "", 0),
    ] {
        at_first(&rig, reply(status, headers, b""));
        let seen = rig.attack(status, &["asks to wait", "answers 500", "not found"]);
        let told = seen.output.lines().find_map(|l| l.strip_prefix("app waits ")).expect("the app is told");
        let told: u32 = told.parse().unwrap();
        // Up to half as much more, so that a fleet does not come back at once.
        assert!((wait..=wait * 3 / 2).contains(&told), "{status}: {}", seen.output);
        ran += 1;
    }
    println!("  cases {ran}: errors that say how long to wait");
    assert_eq!(ran, 5);
}

#[test]
fn fault_21_a_captive_portal_in_place_of_the_manifest() {
    let rig = Rig::new();
    let mut ran = 0;
    let html = "<!DOCTYPE html>\n<html><head><title>Hotel Wi-Fi</title></head><body>Log in</body></html>\n";
    let long = html.repeat(2000);
    for (name, status, headers, body) in [
        ("html", "200 OK", "Content-Type: text/html\r\n", html),
        ("a long page", "200 OK", "", &long),
        ("white space before it", "200 OK", "", "\r\n  <html>"),
        ("nothing", "200 OK", "", ""),
        ("one line", "200 OK", "", "\n"),
        ("JSON of somebody else", "200 OK", "", "{\"message\":\"Not Found\"}\n"),
        ("a number", "200 OK", "", "1"),
    ] {
        at_first(&rig, reply(status, headers, body.as_bytes()));
        let page = "sends a web page, not a release: does the network want a login?";
        let seen = rig.attack(name, &[if body.contains('<') { page } else { "not-a-manifest" }]);
        assert_eq!(seen.run.writes, 0, "{name}");
        ran += 1;
    }
    // By a redirect to the portal's own page.
    let to = rig.server.url(1) + "/login?from=board";
    let page = html.to_owned();
    rig.server.script(move |asked| {
        send(if asked.host == 0 { redirect(&to) } else { reply("200 OK", "", page.as_bytes()) })
    });
    assert_eq!(rig.attack("redirected", &["sends a web page"]).run.writes, 0);
    // And in the middle of an update: the page instead of the pack.
    rig.server.script(move |asked| {
        asked.stores(".pack").then(|| vec![Step::Send(reply("200 OK", "", long.as_bytes()))])
    });
    rig.attack("instead of the pack", &["not what the manifest says", "not allowed", "does not unpack"]);
    println!("  cases {}: captive portals", ran + 2);
    assert_eq!(ran, 7);
}

#[test]
fn fault_22_three_things_that_are_not_found_three_messages() {
    let rig = Rig::new();
    at_first(&rig, reply("404 Not Found", "", b"Not Found"));
    let release =
        rig.attack("no release", &["not found: manifest.json in release (latest) of octo/weather"]).why;
    // GitHub says the same of a repository that may not be seen: the message has to name both.
    assert!(release.contains("a private repository needs a token"), "{release}");

    rig.server.store().assets.remove(&("v1.1.0".to_owned(), pack()));
    let asset = rig.attack("no asset", &["not found: weather-v1.1.0.pack in release v1.1.0"]).why;
    assert!(!asset.contains("private"), "the manifest was read without one: {asset}");

    let rig = Setup::private().rig();
    rig.server.store().token = Some("tkn-2".into());
    let words = ["the token may not read it"];
    let private = rig.refused("private", &words, &json!({})).why;
    rig.configure("token", "'tkn-2'");
    rig.updates("with the right token");
    assert!(release != asset && asset != private && release != private);
    println!("  cases 3: things that are not found");
}

#[test]
fn fault_25_no_name_no_connection() {
    let rig = Rig::new();
    let mut ran = 0;
    for (name, url, word) in [
        ("DNS", "http://no-such-host.invalid".to_owned(), "cannot find no-such-host.invalid"),
        ("refused", "http://127.0.0.1:1".to_owned(), "cannot connect to 127.0.0.1"),
        ("https refused", "https://127.0.0.1:1".to_owned(), "cannot connect to 127.0.0.1"),
    ] {
        rig.configure("base_url", &format!("'{url}'"));
        let seen = rig.refused(name, &[word], &json!({}));
        assert_eq!(seen.run.writes, 0, "{name}");
        rig.rewind();
        rig.updates(name);
        rig.rewind();
        ran += 1;
    }
    // Every connection is reset at once.
    rig.server.greet(0, vec![Step::Reset]);
    rig.attack("reset", &["no answer from 127.0.0.1", "cannot connect"]);
    rig.server.greet(1, vec![Step::Close]);
    rig.attack("closed by the storage host", &["no answer from localhost"]);
    println!("  cases {}: no connection", ran + 2);
    assert_eq!(ran, 3);
}

#[test]
fn fault_25_wifi_lost_in_the_middle_and_the_next_try_resumes() {
    let mut ran = 0;
    let silence = Step::Pause(Duration::from_secs(30));
    for (plain, end) in [(false, Step::Reset), (true, Step::Reset), (false, Step::Close), (false, silence)] {
        let rig = Setup { plain, ..Setup::default() }.rig();
        let store = rig.store();
        // The last file breaks off near its end.
        rig.server.script(move |asked| {
            let long = asked.range.is_none_or(|(from, to)| to - from > 1000);
            let last = asked.stores("zzz.bin") || (asked.stores(".pack") && long);
            last.then(|| {
                let mut answer = honest::bytes(&store, asked);
                answer.truncate(answer.len() - 500);
                vec![Step::Send(answer), Step::Pause(Duration::from_millis(50)), end.clone(), Step::Close]
            })
        });
        let seen = rig.refused("lost", &["lost", "no answer"], &json!({}));
        assert!(seen.output.contains("got app.py") && seen.output.contains("got yyy.bin"), "{}", seen.output);
        let first = fetched(&rig, &seen.asked);
        rig.restore();
        let log = rig.updates("resumed");
        assert!(!log.contains("got yyy.bin") && log.contains("got zzz.bin"), "{log}");
        let second = fetched(&rig, &rig.server.asked());
        assert!(second > 0 && second < first, "{first} bytes, then {second}");
        println!("  cases 1: {first} bytes asked for, {second} at the next try");
        ran += 1;
    }
    assert_eq!(ran, 4);
}

#[test]
fn fault_25_what_was_fetched_outlives_a_stranger_who_answers_in_between() {
    let mut ran = 0;
    for signed_by in [None, Some(Key::new(5))] {
        let rig = Rig::new();
        let store = rig.store();
        rig.server.script(move |asked| {
            let last = asked.stores(".pack") && asked.range.is_none_or(|(from, to)| to - from > 1000);
            last.then(|| {
                let mut answer = honest::bytes(&store, asked);
                answer.truncate(answer.len() - 500);
                vec![Step::Send(answer), Step::Pause(Duration::from_millis(50)), Step::Reset]
            })
        });
        let seen = rig.refused("lost", &["lost", "no answer"], &json!({}));
        assert!(seen.output.contains("got yyy.bin"), "{}", seen.output);
        let files = |tree: &mpota_vboard::Tree| {
            let new = tree.iter().filter(|(path, _)| path.starts_with("/.ota/new/"));
            new.map(|(path, file)| (path.clone(), file.clone())).collect::<Vec<_>>()
        };
        let before = files(&seen.tree);
        rig.restore();
        // A megabyte that nobody signed, or somebody else.
        let mut bad = String::from_utf8(rig.manifest()).unwrap().into_bytes();
        bad.extend(b"x".repeat(900_000));
        rig.offer(signed_by.map_or(bad, |key| key.sign(&rig.manifest())));
        let seen = rig.refused("stranger", &["cut short", "does not trust"], &json!({}));
        assert_eq!(files(&seen.tree), before, "the stranger's manifest stays, or what was fetched is gone");
        rig.restore();
        let log = rig.updates("resumed");
        assert!(!log.contains("got yyy.bin") && log.contains("got zzz.bin"), "{log}");
        ran += 1;
    }
    println!("  cases {ran}: strangers in between");
    assert_eq!(ran, 2);
}

/// How many bytes of files were asked for.
fn fetched(rig: &Rig, asked: &[Asked]) -> usize {
    let files = asked.iter().filter(|a| a.host == 1 && !a.stores("manifest.json"));
    files
        .map(|a| a.range.map_or_else(|| rig.good("v1.1.0", a.name()).len(), |(a, b)| (b - a) as usize + 1))
        .sum()
}
