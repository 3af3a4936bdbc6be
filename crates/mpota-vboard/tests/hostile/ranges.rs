//! Servers that give parts of a pack in their own way, or none; addresses of IPv6.

use crate::honest::{self, reply};
use crate::rig::{LIMITS, Rig, Setup, app, is_pack, noise, pack};
use crate::server::{Asked, Step};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

/// A board that has the middle one of three files already: two ranges of the pack are needed.
fn two_runs() -> Setup {
    Setup { old: app("v1.0.0").with("yyy.bin", noise(9_000)), ..Setup::default() }
}

/// The ranges that a request asks for.
fn ranges(asked: &Asked) -> Vec<(usize, usize)> {
    let Some(value) = asked.text.lines().find_map(|l| l.strip_prefix("Range: bytes=")) else {
        return Vec::new();
    };
    let pair = |s: &str| s.split_once('-').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap()));
    value.split(',').filter_map(pair).collect()
}

/// An answer of many parts, as nginx and Go give it; `head` makes the header lines of a part.
fn multipart(body: &[u8], wanted: &[(usize, usize)], head: impl Fn(usize, usize) -> String) -> Vec<u8> {
    let mut out = Vec::new();
    for &(from, to) in wanted {
        out.extend(format!("\r\n--0123456789\r\n{}\r\n", head(from, to)).bytes());
        out.extend(&body[from..=to]);
    }
    out.extend(b"\r\n--0123456789--\r\n");
    reply("206 Partial Content", "Content-Type: multipart/byteranges; boundary=0123456789\r\n", &out)
}

fn usual(n: usize) -> impl Fn(usize, usize) -> String {
    move |from, to| {
        format!("Content-Type: application/octet-stream\r\nContent-Range: bytes {from}-{to}/{n}\r\n")
    }
}

/// Answer what is asked of the pack in this way.
fn instead(rig: &Rig, answer: impl Fn(&Asked, &[u8]) -> Option<Vec<Step>> + Send + Sync + 'static) {
    let good = rig.good("v1.1.0", &pack());
    rig.server.script(move |asked| if asked.stores(".pack") { answer(asked, &good) } else { None });
}

/// What was asked of the storage host for the pack, since the server forgot.
fn asked_for_pack(rig: &Rig) -> Vec<Asked> {
    rig.server.asked().into_iter().filter(|a| a.host == 1 && is_pack(a)).collect()
}

#[test]
fn fault_66_parts_in_every_honest_form() {
    let rig = two_runs().rig();
    type Answer = fn(&Asked, &[u8]) -> Option<Vec<Step>>;
    let first_with = |status: &'static str| {
        move |asked: &Asked, body: &[u8]| {
            let (from, to) = *ranges(asked).first()?;
            let range = format!("Content-Range: bytes {from}-{to}/{}\r\n", body.len());
            Some(vec![Step::Send(reply(status, &range, &body[from..=to]))])
        }
    };
    let whole: Answer = |_, body| Some(vec![Step::Send(reply("200 OK", "", body))]);
    let many: Answer =
        |asked, body| Some(vec![Step::Send(multipart(body, &ranges(asked), usual(body.len())))]);
    let slowly: Answer = |asked, body| {
        let answer = multipart(body, &ranges(asked), usual(body.len()));
        Some(vec![Step::Slowly(answer, 700, std::time::Duration::from_millis(1))])
    };
    let closes: Answer = |_, body| Some(vec![Step::Send(reply("200 OK", "", body)), Step::Close]);
    let n = rig.good("v1.1.0", &pack()).len();
    // What is answered, how many requests for it, and whether the file in the middle comes along.
    type Boxed = Box<dyn Fn(&Asked, &[u8]) -> Option<Vec<Step>> + Send + Sync>;
    let cases: [(&str, Boxed, usize, bool); 6] = [
        ("206, one range after the other", Box::new(first_with("206 Partial Content")), 2, false),
        ("200 with Content-Range", Box::new(first_with("200 OK")), 2, false),
        ("all of it", Box::new(whole), 1, true),
        ("many parts", Box::new(many), 1, false),
        ("many parts, piece by piece", Box::new(slowly), 1, false),
        ("all of it, and the end", Box::new(closes), 1, true),
    ];
    let count = cases.len();
    for (name, answer, requests, middle) in cases {
        instead(&rig, answer);
        rig.updates(name);
        let asked = asked_for_pack(&rig);
        assert_eq!(asked.len(), requests, "{name}: {asked:#?}");
        assert_eq!(ranges(&asked[0]).len(), 2, "{name}: {}", asked[0].text);
        // With the manifest and what is around: the middle file is 9,000 bytes.
        let least = rig.server.sent() as usize >= n;
        assert!(least || !middle, "{name}: {} bytes", rig.server.sent());
        assert!(middle || (rig.server.sent() as usize) < n, "{name}: {} of {n} bytes", rig.server.sent());
        assert!(asked.iter().all(|a| a.text.contains("\r\nAccept-Encoding: identity\r\n")), "{name}");
        rig.rewind();
    }
    println!("  cases {count}: forms of an answer with parts");
}

#[test]
fn fault_66_answers_of_many_parts_that_are_wrong() {
    let rig = two_runs().rig();
    let n = rig.good("v1.1.0", &pack()).len();
    let mut ran = 0;
    type Make = Box<dyn Fn(&[(usize, usize)], &[u8]) -> Vec<u8> + Send + Sync>;
    let with_head = |head: fn(usize, usize, usize) -> String| -> Make {
        Box::new(move |wanted, body| multipart(body, wanted, |from, to| head(from, to, body.len())))
    };
    let wrong = &["wrong Content-Range"][..];
    let cases: Vec<(&str, Make, &[&str])> = vec![
        (
            "in another order",
            Box::new(move |wanted, body| {
                let turned: Vec<_> = wanted.iter().rev().copied().collect();
                multipart(body, &turned, usual(n))
            }),
            wrong,
        ),
        ("without Content-Range", with_head(|_, _, _| "Content-Type: text/plain\r\n".into()), wrong),
        ("of another place", with_head(|_, _, n| format!("Content-Range: bytes 5-6/{n}\r\n")), wrong),
        ("no numbers", with_head(|_, _, _| "Content-Range: bytes a-b/c\r\n".into()), wrong),
        (
            "a number too many",
            with_head(|a, b, n| format!("Content-Range: bytes {a}-{b}{b}{b}{b}{b}{b}{b}{b}{b}{b}/{n}\r\n")),
            wrong,
        ),
        (
            "the end before the beginning",
            with_head(|a, _, n| format!("Content-Range: bytes {a}-0/{n}\r\nX: y\r\n")),
            &["wrong Content-Range", "shorter than promised"],
        ),
        ("a head without an end", with_head(|_, _, _| "x".repeat(9000)), wrong),
        ("lines without an end", with_head(|_, _, _| "x: y\r\n".repeat(2000)), wrong),
        ("nothing", Box::new(|_, body| multipart(body, &[], |_, _| String::new())), wrong),
        (
            "the second one is missing",
            Box::new(move |wanted, body| multipart(body, &wanted[..1], usual(n))),
            // Asked for by itself, and answered in the same way.
            &["wrong Content-Range"],
        ),
        (
            "less than its head says",
            Box::new(move |wanted, body| {
                let less: Vec<_> = wanted.iter().map(|&(a, b)| (a, b - (b - a) / 2)).collect();
                multipart(body, &less, |from, _| {
                    let (a, b) = wanted.iter().find(|(a, _)| *a == from).copied().unwrap_or((0, 0));
                    format!("Content-Range: bytes {a}-{b}/{n}\r\n")
                })
            }),
            &["not what", "not allowed", "does not unpack", "lost", "shorter"],
        ),
    ];
    for (name, make, words) in cases {
        instead(&rig, move |asked, body| Some(vec![Step::Send(make(&ranges(asked), body)), Step::Close]));
        rig.attack(name, words);
        ran += 1;
    }
    // Cut at many places: what has come stays, the rest comes with the next try.
    let body = rig.good("v1.1.0", &pack());
    let answer = multipart(&body, &[(0, 99), (9_200, n - 1)], usual(n)).len();
    for cut in [40, 120, 180, 230, 300, 420, 470, answer - 30, answer - 3] {
        instead(&rig, move |asked, body| {
            let mut whole = multipart(body, &ranges(asked), usual(n));
            whole.truncate(cut);
            Some(vec![Step::Send(whole), Step::Cut])
        });
        if cut < answer - 40 {
            rig.attack(&format!("cut at {cut}"), &["lost", "cut short", "no answer"]);
        } else {
            rig.updates(&format!("cut at {cut}"));
            rig.rewind();
        }
        ran += 1;
    }
    println!("  cases {ran}: answers of many parts that are wrong");
    assert_eq!(ran, 20);
}

#[test]
fn fault_66_after_a_range_that_failed_the_next_try_takes_all() {
    let rig = two_runs().set("limits", &LIMITS.replace("'retries': 1", "'retries': 2")).rig();
    let mut ran = 0;
    for (name, status, said, words) in [
        ("another range", "206 Partial Content", "bytes 3-7/9", "wrong Content-Range"),
        ("no range", "206 Partial Content", "", "wrong Content-Range"),
        ("another range, 200", "200 OK", "bytes 3-7/9", "wrong Content-Range"),
        ("shorter than promised", "206 Partial Content", "=", "shorter than promised"),
    ] {
        instead(&rig, move |asked, body| {
            let (from, to) = *ranges(asked).first()?;
            let said = if said == "=" { format!("bytes {from}-{to}/{}", body.len()) } else { said.into() };
            Some(vec![Step::Send(reply(
                status,
                &format!("Content-Range: {said}\r\n"),
                &body[from..from + 5],
            ))])
        });
        let run = rig.board.run_with(&json!({"sleep_divide": 50})).unwrap();
        assert!(run.output.contains(words), "{name}: {}", run.output);
        assert!(run.output.contains("v1.1.0 is installed"), "{name}: {}", run.output);
        let asked = asked_for_pack(&rig);
        let last = asked.last().unwrap();
        assert!(asked.len() == 2 && ranges(last).is_empty(), "{name}: {asked:#?}");
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: ranges that fail, and a second try without them");
    assert_eq!(ran, 4);
}

#[test]
fn fault_66_who_takes_no_list_of_ranges_is_asked_for_one() {
    let rig = two_runs().set("limits", &LIMITS.replace("'retries': 1", "'retries': 2")).rig();
    let mut ran = 0;
    for status in [
        "400 Bad Request",
        "403 Forbidden",
        "416 Range Not Satisfiable",
        "500 Oops",
        "",
        "206 Partial Content",
    ] {
        instead(&rig, move |asked, body| {
            let many = ranges(asked).len() > 1;
            many.then(|| match status {
                "" => vec![Step::Close],
                _ => vec![Step::Send(reply(status, "Content-Range: bytes 1-2/3\r\n", &body[..3]))],
            })
        });
        let run = rig.board.run_with(&json!({"sleep_divide": 50})).unwrap();
        assert!(run.output.contains("v1.1.0 is installed"), "{status}: {}", run.output);
        assert!(ranges(&asked_for_pack(&rig)[0]).len() > 1, "{status}");
        rig.rewind();
        ran += 1;
    }
    // One range is refused as well: all of it, then.
    for (status, bad) in [("403 Forbidden", false), ("206 Partial Content", true), ("200 OK", true)] {
        let rig = two_runs().set("limits", &LIMITS.replace("'retries': 1", "'retries': 3")).rig();
        instead(&rig, move |asked, body| {
            let all = ranges(asked);
            let (from, to) = *all.first()?;
            if all.len() > 1 {
                return Some(vec![Step::Close]);
            }
            // Other bytes under the right name, or a refusal.
            let other: Vec<u8> = body[from..=to].iter().map(|b| if bad { b ^ 0x55 } else { *b }).collect();
            let range = format!("Content-Range: bytes {from}-{to}/{}\r\n", body.len());
            Some(vec![Step::Send(reply(status, &range, &other))])
        });
        let run = rig.board.run_with(&json!({"sleep_divide": 50})).unwrap();
        assert!(run.output.contains("v1.1.0 is installed"), "{status}: {}", run.output);
        assert!(ranges(asked_for_pack(&rig).last().unwrap()).is_empty(), "{status}");
        ran += 1;
    }
    println!("  cases {ran}: servers that refuse a list of ranges, or a range");
    assert_eq!(ran, 9);
}

#[test]
fn fault_66_a_compressed_answer_is_said() {
    let rig = Rig::new();
    let mut ran = 0;
    for what in ["manifest.json", ".pack"] {
        for coding in ["gzip", "br", "DEFLATE", "gzip, gzip"] {
            rig.server.script(move |asked| {
                let head = format!("Content-Encoding: {coding}\r\n");
                asked
                    .stores(what)
                    .then(|| vec![Step::Send(reply("200 OK", &head, b"\x1f\x8b\x08 and so on"))])
            });
            rig.attack(&format!("{what} {coding}"), &["sends it compressed, and was asked not to"]);
            ran += 1;
        }
    }
    // Said of plain bytes, by storage that was told so when they were uploaded: fine.
    for coding in ["Identity", "", "aws-chunked", "utf-8", "binary", "none"] {
        let store = rig.store();
        rig.server.script(move |asked| {
            asked.stores("manifest.json").then(|| {
                let add = |mut lines: Vec<String>| {
                    lines.push(format!("Content-Encoding: {coding}"));
                    lines
                };
                vec![Step::Send(honest::with_headers(&store, asked, add))]
            })
        });
        rig.updates(coding);
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: answers that are compressed, or said to be");
    assert_eq!(ran, 14);
}

/// Hand on what comes to the loopback of IPv6, to a port of IPv4; for a few connections.
fn bridge(to: u16) -> u16 {
    let listener = TcpListener::bind("[::1]:0").expect("a loopback of IPv6");
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(20).map_while(Result::ok) {
            let there = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut to) in
                [(stream.try_clone().unwrap(), there.try_clone().unwrap()), (there, stream)]
            {
                std::thread::spawn(move || {
                    let mut buf = [0; 4096];
                    while let Ok(n) = from.read(&mut buf) {
                        if n == 0 || to.write_all(&buf[..n]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    port
}

#[test]
fn fault_66_addresses_of_ipv6() {
    let rig = Rig::new();
    let old: u16 = rig.server.url(0).rsplit(':').next().unwrap().parse().unwrap();
    let new = bridge(old);
    let cases = [
        (format!("http://[::1]:{new}"), json!({})),
        (format!("http://[0:0:0:0:0:0:0:1]:{new}/"), json!({})),
        // A name with an address of IPv6 alone, one with both, and one whose IPv6 leads nowhere.
        (format!("http://weather.example:{new}"), json!({"hosts": {"weather.example": ["::1"]}})),
        (
            format!("http://weather.example:{new}"),
            json!({"hosts": {"weather.example": ["::1", "127.0.0.1"]}}),
        ),
        (
            format!("http://weather.example:{old}"),
            json!({"hosts": {"weather.example": ["::1", "127.0.0.1"]}}),
        ),
        // As ESP-IDF says it, whose sockets take no address of IPv6.
        (format!("http://weather.example:{old}"), json!({"hosts": {"weather.example": [null, "127.0.0.1"]}})),
    ];
    let count = cases.len();
    for (url, options) in cases {
        rig.server.forget();
        rig.configure("base_url", &format!("'{url}'"));
        let run = rig.board.run_with(&options).unwrap();
        assert!(run.output.contains("v1.1.0 is installed"), "{url} {options}: {}", run.output);
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let first = rig.server.asked()[0].text.clone();
        assert!(first.contains(&format!("\r\nHost: {host}\r\n")), "{url}: {first}");
        rig.rewind();
    }
    let refused = [
        ("http://[::1", "not a host: [::1"),
        ("http://[::1]x", "not a host: [::1]x"),
        ("http://[::1]:x", "not a port: x"),
        ("http://::1", "not a port: :1"),
        ("http://[fe80::1%25eth0]:80", "not a host: [fe80::1%25eth0]"),
    ];
    rig.configure("base_url", "'http://weather.example:80'");
    for hosts in [json!([]), json!([null])] {
        let options = json!({"hosts": {"weather.example": hosts}});
        rig.refused("no address", &["cannot find weather.example"], &options);
    }
    rig.rewind();
    for (url, words) in refused {
        rig.configure("base_url", &format!("'{url}'"));
        rig.refused(url, &[words], &json!({}));
        rig.rewind();
    }
    println!("  cases {}: addresses of IPv6", count + 2 + refused.len());
}

#[test]
fn fault_66_a_redirect_of_4_kb_is_followed() {
    let rig = Rig::new();
    let store = rig.store();
    let mut ran = 0;
    for length in [850, 2048, 4000, 4096] {
        let store = store.clone();
        rig.server.script(move |asked| {
            let path = asked.path.split('?').next()?;
            let name = path.rsplit('/').next()?.to_owned();
            if asked.host != 0 || !path.contains("/releases/download/v1.1.0/") {
                return None;
            }
            let to = format!("{}/store/v1.1.0/{name}?sig=", store.urls[1]);
            let to = format!("{to}{}", "a".repeat(length - to.len()));
            Some(vec![Step::Send(honest::redirect(&to))])
        });
        rig.updates(&format!("{length} characters"));
        let longest = rig.server.asked().iter().map(|a| a.path.len()).max().unwrap();
        assert!(longest + 30 > length, "{longest} of {length}");
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: long redirects");
    assert_eq!(ran, 4);
}
