//! Faults 23 and 24: who is told the token, and who is believed to be the server.

use crate::honest::{redirect, reply, send};
use crate::rig::{MAIN, Rig, Seen, Setup, app};
use crate::server::Step;
use crate::tls::{DAY, Proof};
use serde_json::json;
use std::time::{Duration, SystemTime};

const TOKEN: &str = "github_pat_11SECRET0aZ";
const PASSWORD: &str = "hunter2-of-the-wifi";

/// A board that reads a private repository, and prints all it can of an error.
fn private(tls: bool) -> Rig {
    let main = MAIN.replace(
        "    ota_updater.log('W', 'no update: %s' % e)",
        "    ota_updater.log('W', 'no update: %s' % e)
    print('app error', repr(e), e.args, [getattr(e, k) for k in dir(e) if k[0] != '_'])
    import sys
    for m in sys.modules.values():
        if getattr(m, '__name__', '')[:4] == 'ota_':
            print('app module', [(k, getattr(m, k)) for k in dir(m)])",
    );
    let setup =
        Setup { tls: tls.then(Proof::good), old: app("v1.0.0").with("main.py", main), ..Setup::default() };
    let rig = setup
        .set("token", &format!("'{TOKEN}'"))
        .set("password", &format!("'{PASSWORD}'"))
        .set("insecure_token_over_http", if tls { "False" } else { "True" })
        .rig();
    rig.server.store().token = Some(TOKEN.into());
    rig
}

fn has(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|w| w == what.as_bytes())
}

/// The token was sent to the API's host and to no other, and was printed nowhere.
fn kept_secret(name: &str, output: &str, received: &[Vec<u8>; 2]) {
    assert!(has(&received[0], TOKEN), "{name}: the token was not even used");
    for secret in [TOKEN, PASSWORD, "Bearer", "Authorization"] {
        assert!(!has(&received[1], secret), "{name}: {}", String::from_utf8_lossy(&received[1]));
    }
    assert!(!has(&received[0], PASSWORD), "{name}");
    for secret in [TOKEN, PASSWORD, "Bearer"] {
        assert!(!output.contains(secret), "{name}: {output}");
    }
}

fn kept(name: &str, seen: &Seen) {
    assert!(seen.output.contains("app error") && seen.output.contains("app module"), "{}", seen.output);
    kept_secret(name, &seen.output, &seen.received);
}

#[test]
fn fault_23_the_token_goes_to_its_own_host_and_nowhere_else() {
    let mut ran = 0;
    for tls in [false, true] {
        let rig = private(tls);
        // An honest update reads the storage host too.
        rig.server.forget();
        let log = rig.updates("honest");
        let received = [rig.server.received(0), rig.server.received(1)];
        assert!(has(&received[1], "GET /store/v1.1.0/weather-v1.1.0.pack"), "both hosts are used");
        kept_secret("honest", &log, &received);
        rig.rewind();
        ran += 1;

        let (a, b) = (rig.server.url(0), rig.server.url(1));
        let port = a.rsplit(':').next().unwrap().to_owned();
        let scheme = if tls { "https" } else { "http" };
        let targets = [
            format!("{b}/x"),
            format!("//{}/x", b.split("://").nth(1).unwrap()),
            // The same machine by another name, or as a name with a user before it.
            format!("{scheme}://localhost:{port}/x"),
            format!("{scheme}://127.0.0.1:{port}@{}/x", b.split("://").nth(1).unwrap()),
            format!("{scheme}://127.0.0.1@{}/x", b.split("://").nth(1).unwrap()),
        ];
        // Sent elsewhere from the release, and from the asset.
        for (i, to) in targets.iter().enumerate() {
            for at in ["/releases/latest", "/releases/assets/"] {
                let target = to.clone();
                rig.server.script(move |asked| {
                    if asked.host == 0 && asked.path == "/x" {
                        assert!(!asked.text.contains(TOKEN) || !asked.text.contains("Host: localhost"));
                    }
                    (asked.host == 0 && asked.path.contains(at)).then(|| vec![Step::Send(redirect(&target))])
                });
                let words = [
                    "answers",
                    "not found",
                    "no release",
                    "not a port",
                    "cannot",
                    "redirect",
                    "not who",
                    "API",
                    "not a host",
                ];
                let seen = rig.attack_private(&format!("{at} to {to}"), &words, TOKEN);
                kept(&format!("{i} {at}"), &seen);
                for asked in seen.asked.iter().filter(|a| a.text.contains("Host: localhost")) {
                    assert!(!asked.text.contains(TOKEN), "{asked:#?}");
                }
                ran += 1;
            }
        }
        // To the storage host and back: round and round.
        let urls = [a, b];
        rig.server.script(move |asked| {
            send(redirect(&format!("{}/back/and/forth?{}", urls[1 - asked.host], asked.nth)))
        });
        let seen = rig.attack_private("back and forth", &["redirects without an end"], TOKEN);
        kept("back and forth", &seen);
        ran += 1;
        for (status, words) in [
            ("401 Unauthorized", &["the token is not accepted"][..]),
            ("403 Forbidden", &["answers 403", "the token may not read"]),
            ("404 Not Found", &["the token may not read it", "not found"]),
            ("429 Too Many", &["asks to wait"]),
            ("500 Oops", &["answers 500"]),
            ("200 OK", &["API", "ends too soon", "not-a-manifest"]),
        ] {
            for at in ["/releases/latest", "/releases/assets/"] {
                rig.server.script(move |asked| {
                    let echo = asked.text.as_bytes();
                    let here = asked.host == 0 && asked.path.contains(at);
                    here.then(|| vec![Step::Send(reply(status, "", echo))])
                });
                kept(status, &rig.attack_private(status, words, TOKEN));
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: answers that want the token; bytes of both hosts searched");
    assert_eq!(ran, 48);
}

#[test]
fn fault_23_the_token_is_not_sent_to_who_cannot_prove_to_be_its_host() {
    let rig = private(true);
    let mut ran = 0;
    let stranger = Proof::good();
    rig.server.prove(0, stranger.server());
    let seen = rig.refused("stranger", &["127.0.0.1 is not who it should be"], &json!({}));
    assert!(seen.received[0].is_empty() && seen.received[1].is_empty(), "something was sent");
    assert!(!seen.output.contains(TOKEN));
    ran += 1;
    // Nor where anybody could be its host, unless the owner says so.
    rig.configure("insecure_skip_tls_verification", "True");
    let seen =
        rig.refused("unchecked", &["the token is not sent: no certificates are checked (insecure_token_without_certificate is not set)"], &json!({}));
    assert!(seen.received[0].is_empty() && !seen.output.contains(TOKEN));
    ran += 1;
    let rig = private(false);
    rig.configure("insecure_token_over_http", "False");
    let seen = rig.refused("http", &["the token is not sent over http"], &json!({}));
    assert!(seen.received[0].is_empty() && !seen.output.contains(TOKEN));
    ran += 1;
    println!("  cases {ran}: nobody to tell it to");
    assert_eq!(ran, 3);
}

#[test]
fn fault_23_no_server_writes_lines_of_its_own_into_the_log() {
    let rig = private(false);
    let mut ran = 0;
    for pinned in [false, true] {
        for tag in ["x\nevil", "v1.1.0\nevil", "x\revil", "\x1b[2Jevil", "\0evil", "v1.1.0-rc\u{7f}evil"] {
            rig.configure("tag", if pinned { "'v1.1.0'" } else { "None" });
            rig.server.script(move |asked| {
                let json = format!(r#"{{"id":7,"tag_name":"{tag}","assets":[]}}"#);
                asked.path.contains("/api/").then(|| vec![Step::Send(reply("200 OK", "", json.as_bytes()))])
            });
            let words = ["not a version", "asked for v1.1.0, was given"];
            let seen = rig.attack_private(&format!("{pinned} {tag:?}"), &words, TOKEN);
            assert!(!seen.output.lines().any(|l| l.starts_with("evil")), "{}", seen.output);
            ran += 1;
        }
    }
    println!("  cases {ran}: tags that would be lines of a log");
    assert_eq!(ran, 12);
}

#[test]
fn fault_24_four_reasons_not_to_believe_a_server_and_four_messages() {
    let good = Proof::good();
    let authority = good.authority.clone();
    let rig = Setup { tls: Some(good), ..Setup::default() }.rig();
    let now = SystemTime::now();
    let mut whys = Vec::new();
    let proof = |change: &dyn Fn(&mut Proof)| {
        let mut proof = Proof { authority: authority.clone(), ..Proof::good() };
        change(&mut proof);
        proof.server()
    };
    let right = proof(&|_| {});
    for (name, certificate, words) in [
        ("another authority", Proof::good().server(), &["trusted", "issuer", "authority"][..]),
        ("another name", proof(&|p| p.names = vec!["example.org".into()]), &["name", "(CN)"]),
        ("expired", proof(&|p| (p.not_before, p.not_after) = (now - DAY * 9, now - DAY)), &["expired"]),
        (
            "not valid yet",
            proof(&|p| (p.not_before, p.not_after) = (now + DAY, now + DAY * 9)),
            &["future", "not yet", "not valid"],
        ),
    ] {
        for host in [0, 1] {
            rig.server.prove(0, right.clone());
            rig.server.prove(1, right.clone());
            rig.server.prove(host, certificate.clone());
            let seen = rig.refused(name, words, &json!({}));
            let who = ["127.0.0.1", "localhost"][host];
            assert!(seen.why.contains(who), "{name}: {}", seen.why);
            assert!(seen.received[host].is_empty(), "{name}: something was sent to {who}");
            whys.push(seen.why.replace(who, "HOST"));
            rig.server.prove(host, right.clone());
            rig.updates(name);
            rig.rewind();
        }
    }
    // A board that has just started, and has not asked for the time.
    let seen = rig.refused("clock", &["the clock is not set"], &json!({"clock": 1_609_459_200}));
    assert!(seen.asked.is_empty());
    whys.push(seen.why);
    rig.updates("clock");
    let different: std::collections::BTreeSet<_> = whys.iter().collect();
    assert_eq!(different.len(), 5, "{whys:#?}");
    println!("  cases {}: certificates that prove nothing", whys.len());
    assert_eq!(whys.len(), 9);
}

#[test]
fn fault_24_a_handshake_has_its_bounds() {
    let limits = "{'timeout_s': 2, 'deadline_s': 60, 'retries': 1}";
    let rig = Setup { tls: Some(Proof::good()), ..Setup::default() }.set("limits", limits).rig();
    let mut ran = 0;
    // A record of a handshake that promises 16 KB.
    let record = [&[0x16, 3, 3, 0x40, 0][..], &[2, 0, 0x3f, 0xfc], &[0; 16_380]].concat();
    let words = [
        "cannot connect to 127.0.0.1",
        "no answer from 127.0.0.1",
        "not who",
        "refuses the TLS of this firmware",
        "does not speak TLS: is it http?",
    ];
    for (name, greeting) in [
        ("says nothing", vec![Step::Pause(Duration::from_secs(40)), Step::Close]),
        ("creeps", vec![Step::Slowly(record[..200].to_vec(), 1, Duration::from_millis(250)), Step::Close]),
        (
            "stops in the middle",
            vec![Step::Send(record[..9000].to_vec()), Step::Pause(Duration::from_secs(40)), Step::Close],
        ),
        ("speaks http", vec![Step::Send(reply("200 OK", "", b"hello")), Step::Close]),
        ("never ends", vec![Step::Endless(record)]),
        ("closes", vec![Step::Close]),
        ("resets", vec![Step::Reset]),
        ("an alert", vec![Step::Send(vec![0x15, 3, 3, 0, 2, 2, 40]), Step::Close]),
    ] {
        rig.server.greet(0, greeting);
        let seen = rig.attack(name, &words);
        assert!(seen.seconds < 20.0, "{name}: {} s", seen.seconds);
        assert_eq!(seen.run.writes, 0, "{name}");
        ran += 1;
    }
    println!("  cases {ran}: handshakes that lead nowhere");
    assert_eq!(ran, 8);
}
