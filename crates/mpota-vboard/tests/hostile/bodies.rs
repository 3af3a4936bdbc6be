//! Faults 15 to 18: bodies that do not end, creep, break off, or are not what was asked for.

use crate::honest::{self, reply};
use crate::rig::{Rig, Setup, is_pack, pack};
use crate::server::{Asked, Step};
use crate::tls::Proof;
use std::time::Duration;

/// Socket buffers on the way take some of what a server sends and nobody reads.
const ON_THE_WAY: u64 = 24 << 20;

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for part in body.chunks(size) {
        out.extend(format!("{:x}\r\n", part.len()).bytes());
        out.extend(part);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

/// Answer the storage host's requests for one asset with `steps`.
fn instead(rig: &Rig, name: &'static str, steps: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static) {
    rig.server.script(move |asked| asked.stores(name).then(|| steps(asked)));
}

#[test]
fn fault_15_an_endless_body_is_read_to_the_signed_size_and_no_further() {
    let rig = Rig::new();
    let good = rig.manifest();
    let header = good[..good.iter().position(|b| *b == b'\n').unwrap() + 1].to_vec();
    let mut ran = 0;
    let mut most = 0;
    for (framing, close) in [
        (UNTIL_CLOSE, &b"xxxxxxxxxxxxxxx\n"[..]),
        (CHUNKED, &b"10\r\nxxxxxxxxxxxxxxx\n\r\n"[..]),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n", &b"xxxxxxxxxxxxxxx\n"[..]),
    ] {
        // A manifest whose first line is right, and whose second never ends.
        let mut start = framing.as_bytes().to_vec();
        let first = if framing == CHUNKED {
            chunked(&header, 4096)[..header.len() + 7].to_vec()
        } else {
            header.clone()
        };
        start.extend(first);
        let more = close.repeat(1024);
        instead(&rig, "manifest.json", move |_| vec![Step::Send(start.clone()), Step::Endless(more.clone())]);
        let seen =
            rig.attack("endless manifest", &["too-large", "entry", "ending", "no space left on the flash"]);
        assert!(seen.sent < ON_THE_WAY, "{} bytes", seen.sent);
        assert!(!seen.tree.keys().any(|path| path.starts_with("/.ota/new/")), "{:?}", seen.tree.keys());
        most = most.max(seen.run.writes);
        ran += 1;
    }
    // Where the flash has less room than a manifest may take.
    let small = Setup { size: 640 << 10, ..Setup::default() }.rig();
    let start = [UNTIL_CLOSE.as_bytes(), &header].concat();
    instead(&small, "manifest.json", move |_| {
        vec![Step::Send(start.clone()), Step::Endless(b"xxxxxxxxxxxxxxx\n".repeat(1024))]
    });
    let seen = small.attack("endless manifest on a small flash", &["no space left on the flash"]);
    assert!(!seen.tree.keys().any(|path| path.starts_with("/.ota/new/")), "{:?}", seen.tree.keys());
    ran += 1;
    // A first line, or a header of the answer, that never ends.
    for endless in [&b"x"[..], b"{\"mpota\":1,"] {
        instead(&rig, "manifest.json", move |_| {
            vec![Step::Send(UNTIL_CLOSE.into()), Step::Endless(endless.repeat(4096))]
        });
        let seen = rig.attack("endless first line", &["not-a-manifest", "line-too-long"]);
        assert_eq!(seen.run.writes, 0);
        ran += 1;
    }
    instead(&rig, "manifest.json", |_| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), Step::Endless(b"x".repeat(4096))]
    });
    assert_eq!(rig.attack("endless header line", &["a header line of over 16 KB"]).run.writes, 0);
    instead(&rig, "manifest.json", |_| {
        vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Endless(b"X: y\r\n".repeat(999))]
    });
    assert_eq!(rig.attack("endless headers", &["too many headers"]).run.writes, 0);
    println!(
        "  cases {}: endless answers before the signature is known; at most {most} writes of the flash",
        ran + 2
    );
    assert_eq!(ran, 6);
}

#[test]
fn fault_15_an_endless_file_is_read_to_its_signed_size() {
    let mut ran = 0;
    for plain in [false, true] {
        let rig = Setup { plain, ..Setup::default() }.rig();
        let name = if plain { "zzz.bin" } else { ".pack" };
        for framing in [UNTIL_CLOSE, CHUNKED, "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n"] {
            let more = if framing == CHUNKED {
                "400\r\n".to_owned() + &"x".repeat(1024) + "\r\n"
            } else {
                "x".repeat(1024)
            };
            instead(&rig, name, move |_| {
                vec![Step::Send(framing.into()), Step::Endless(more.repeat(16).into_bytes())]
            });
            let words = ["not what the manifest says", "not allowed", "does not unpack"];
            let seen = rig.refused(framing, &words, &serde_json::json!({}));
            assert!(seen.sent < ON_THE_WAY, "{framing}: {} bytes", seen.sent);
            for (path, file) in seen.tree.iter().filter(|(p, _)| p.starts_with("/.ota/new/")) {
                assert!(file.as_ref().unwrap().0 <= 20_000, "{framing}: {path}: {file:?}");
            }
            rig.restore();
            rig.updates(framing);
            rig.rewind();
            ran += 1;
        }
    }
    // What is right at its beginning is taken, and what comes behind it left where it is.
    let rig = Rig::new();
    let good = rig.good("v1.1.0", &pack());
    instead(&rig, ".pack", move |_| {
        vec![Step::Send(UNTIL_CLOSE.into()), Step::Send(good.clone()), Step::Endless(vec![b'x'; 16384])]
    });
    rig.updates("right at its beginning");
    assert!(rig.server.sent() < ON_THE_WAY);
    println!("  cases {}: endless files", ran + 1);
    assert_eq!(ran, 6);
}

#[test]
fn fault_16_a_byte_at_a_time_is_stopped_by_the_total_deadline() {
    let limits = "{'timeout_s': 2, 'deadline_s': 5, 'retries': 1}";
    let rig = Setup::default().set("limits", limits).rig();
    let good = rig.manifest();
    let whole = reply("200 OK", "", &good);
    let head = whole.len() - good.len();
    let body = good.clone();
    let file = rig.good("v1.1.0", &pack());
    let mut ran = 0;
    type Make = Box<dyn Fn(&Asked) -> Option<Vec<Step>> + Send + Sync>;
    let slow = |bytes: Vec<u8>| vec![Step::Slowly(bytes, 1, Duration::from_millis(300))];
    let whole2 = whole.clone();
    let cases: Vec<(&str, Make)> = vec![
        (
            "manifest from its first byte",
            Box::new(move |a| a.stores("manifest.json").then(|| slow(whole.clone()))),
        ),
        (
            "manifest's body",
            Box::new(move |a| {
                let fast = Step::Send(whole2[..head].to_vec());
                a.stores("manifest.json").then(|| [vec![fast], slow(body.clone())].concat())
            }),
        ),
        (
            "redirect",
            Box::new(move |a| {
                a.path.contains("/latest/").then(|| slow(honest::redirect("http://127.0.0.1:1/not/there")))
            }),
        ),
        (
            "redirect's body",
            Box::new(move |a| {
                let head = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 4000\r\n\r\n";
                a.path
                    .contains("/latest/")
                    .then(|| [vec![Step::Send(head.into())], slow(vec![b'x'; 4000])].concat())
            }),
        ),
        (
            "chunks",
            Box::new(move |a| {
                let body = chunked(&good, 1);
                a.stores("manifest.json").then(|| [vec![Step::Send(CHUNKED.into())], slow(body)].concat())
            }),
        ),
        (
            "pack",
            Box::new(move |a| {
                a.stores(".pack").then(|| [vec![Step::Send(UNTIL_CLOSE.into())], slow(file.clone())].concat())
            }),
        ),
    ];
    for (name, script) in cases {
        rig.server.script(script);
        let seen = rig.attack(name, &["gave up after 5 s"]);
        assert!(seen.seconds > 4.0 && seen.seconds < 15.0, "{name}: {} s", seen.seconds);
        ran += 1;
    }
    println!("  cases {ran}: answers that creep");
    assert_eq!(ran, 6);
}

#[test]
fn fault_16_a_body_below_the_least_speed_is_stopped_long_before_the_deadline() {
    let limits = "{'timeout_s': 3, 'deadline_s': 600, 'retries': 1, 'min_rate': 50}";
    let rig = Setup::default().set("limits", limits).rig();
    let file = rig.good("v1.1.0", &pack());
    instead(&rig, ".pack", move |_| {
        let body = file.clone();
        vec![Step::Send(UNTIL_CLOSE.into()), Step::Slowly(body, 1, Duration::from_secs(1))]
    });
    let seen = rig.attack("one byte a second", &["sends less than 50 bytes a second"]);
    assert!(seen.seconds < 30.0, "{} s", seen.seconds);
    println!("  cases 1: a byte a second, given up after {:.0} s", seen.seconds);
}

#[test]
fn fault_16_silence_is_given_up_at_every_stage() {
    let rig = Setup::default().set("limits", "{'timeout_s': 2, 'deadline_s': 60, 'retries': 1}").rig();
    let mut ran = 0;
    let manifest = reply("200 OK", "", &rig.manifest());
    for at in [0, 1, 20, manifest.len() - rig.manifest().len() + 30, manifest.len() - 1] {
        let part = manifest[..at].to_vec();
        instead(&rig, "manifest.json", move |_| {
            vec![Step::Send(part.clone()), Step::Pause(Duration::from_secs(30))]
        });
        let seen = rig.attack(&format!("silence after {at} bytes"), &["no answer from", "lost"]);
        assert!(seen.seconds < 15.0, "{} s", seen.seconds);
        ran += 1;
    }
    println!("  cases {ran}: servers that fall silent");
    assert_eq!(ran, 5);
}

/// The connection ends here, in every way and in every asset.
#[test]
fn fault_17_a_reset_or_an_end_at_every_byte_offset_class() {
    let rig = Rig::new();
    let mut ran = 0;
    for (name, body) in [("manifest.json", rig.manifest()), (".pack", rig.good("v1.1.0", &pack()))] {
        let n = body.len();
        for (class, sent) in [
            ("before the answer", None),
            ("in the status line", Some((7, 0))),
            ("in the headers", Some((30, 0))),
            ("before the first byte", Some((usize::MAX, 0))),
            ("after the first byte", Some((usize::MAX, 1))),
            ("in the middle", Some((usize::MAX, n / 2))),
            ("before the last byte", Some((usize::MAX, n - 1))),
        ] {
            for end in [Step::Reset, Step::Close] {
                let body = body.clone();
                let last = end.clone();
                instead(&rig, name, move |asked| {
                    // Only what is asked for counts: a range of the pack begins where it begins.
                    let whole = honest::content(asked, &body);
                    let head = whole.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
                    let part = match sent {
                        None => Vec::new(),
                        Some((usize::MAX, k)) => {
                            let k =
                                if k > 1 && asked.range.is_some() { (whole.len() - head) * k / n } else { k };
                            whole[..head + k].to_vec()
                        }
                        Some((at, _)) => whole[..at].to_vec(),
                    };
                    vec![Step::Send(part), Step::Pause(Duration::from_millis(40)), last.clone()]
                });
                let what = format!("{name} {class} {end:?}");
                let words = ["no answer from", "lost", "cut short", "does not speak HTTP", "shorter than"];
                let seen = rig.attack(&what, &words);
                assert!(!seen.output.contains("is staged"), "{what}");
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: ends of a connection");
    assert_eq!(ran, 28);
}

#[test]
fn fault_17_the_same_under_tls_where_an_end_may_come_without_notice() {
    let rig = Setup { tls: Some(Proof::good()), ..Setup::default() }.rig();
    let mut ran = 0;
    for (name, body) in [("manifest.json", rig.manifest()), (".pack", rig.good("v1.1.0", &pack()))] {
        for framing in [None, Some(UNTIL_CLOSE)] {
            for end in [Step::Reset, Step::Close, Step::Cut] {
                let (body, last) = (body.clone(), end.clone());
                instead(&rig, name, move |asked| {
                    // With a length, and with nothing but the connection's end to tell where it ends.
                    let mut part = match framing {
                        None => honest::content(asked, &body),
                        Some(head) => [head.as_bytes(), &body].concat(),
                    };
                    part.truncate(part.len() - 40);
                    vec![Step::Send(part), Step::Pause(Duration::from_millis(40)), last.clone()]
                });
                let words =
                    ["lost", "no answer from", "cut short", "shorter than", "line-too-long", "ending"];
                rig.attack(&format!("{name} {framing:?} {end:?}"), &words);
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: ends of a connection under TLS");
    assert_eq!(ran, 12);
}

#[test]
fn fault_17_lying_lengths_and_broken_chunks() {
    let rig = Rig::new();
    let good = rig.manifest();
    let n = good.len();
    let mut ran = 0;
    let with =
        |head: &str, body: &[u8]| [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), body].concat();
    let chunks = |body: &str| with("Transfer-Encoding: chunked", body.as_bytes());
    let first = String::from_utf8(chunked(&good, 700)).unwrap();
    for (name, answer, words) in [
        ("one byte too many promised", with(&format!("Content-Length: {}", n + 1), &good), &["lost"][..]),
        (
            "far too many promised",
            with("Content-Length: 99999999999999999999999999", &good),
            &["bad Content-Length"],
        ),
        (
            "one byte too few promised",
            with(&format!("Content-Length: {}", n - 1), &good),
            &["cut short", "line-too-long", "ending"],
        ),
        ("nothing promised", with("Content-Length: 0", &good), &["not-a-manifest"]),
        ("no number", with("Content-Length: many", &good), &["bad Content-Length"]),
        ("negative", with("Content-Length: -5", &good), &["bad Content-Length"]),
        ("hexadecimal", with("Content-Length: 0x100", &good), &["bad Content-Length"]),
        ("empty", with("Content-Length:", &good), &["bad Content-Length"]),
        (
            "two of them",
            with(&format!("Content-Length: {n}\r\nContent-Length: 5"), &good),
            &["bad Content-Length"],
        ),
        ("another encoding", with("Transfer-Encoding: gzip", &good), &["unknown Transfer-Encoding"]),
        ("two encodings", with("Transfer-Encoding: gzip, chunked", &good), &["unknown Transfer-Encoding"]),
        ("no size of a chunk", chunks("hello\r\n"), &["broken chunks"]),
        ("negative chunk", chunks("-5\r\nhello\r\n"), &["broken chunks"]),
        ("prefixed chunk", chunks("0x5\r\nhello\r\n"), &["broken chunks"]),
        ("underscore in a chunk", chunks("1_0\r\n0123456789abcdef\r\n"), &["broken chunks"]),
        ("empty size", chunks("\r\nhello\r\n"), &["broken chunks"]),
        ("huge chunk", chunks("fffffffffffffffff\r\nhello"), &["broken chunks"]),
        ("chunk of a size that stays away", chunks("fffffff\r\n{\"mpota\":1,"), &["lost"]),
        ("longer than its size", chunks(&first.replacen("2bc", "2bb", 1)), &["broken chunks"]),
        ("shorter than its size", chunks(&first.replacen("2bc", "2bd", 1)), &["broken chunks"]),
        ("long extension", chunks(&format!("5;{}\r\nhello\r\n", "x".repeat(9000))), &["broken chunks"]),
        ("no last chunk", chunks(first.trim_end_matches("0\r\n\r\n")), &["broken chunks"]),
        ("ends in a size", chunks("2b"), &["broken chunks"]),
        (
            "endless trailers",
            chunks(&(first.trim_end_matches("\r\n").to_owned() + "\r\n" + &"X: y\r\n".repeat(200))),
            &["broken chunks"],
        ),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), &["does not speak HTTP"]),
        ("no status", b"HTTP/1.1 OK\r\n\r\n".to_vec(), &["does not speak HTTP"]),
        ("HTTP/2", b"HTTP/2 200\r\n\r\n".to_vec(), &["does not speak HTTP"]),
        ("binary", vec![0xff; 400], &["does not speak HTTP", "cut short"]),
    ] {
        instead(&rig, "manifest.json", move |_| vec![Step::Send(answer.clone()), Step::Close]);
        let seen = rig.attack(name, words);
        assert!(!seen.output.contains("is staged"), "{name}");
        ran += 1;
    }
    // Chunks are not refused for being chunks, however small.
    instead(&rig, "manifest.json", move |_| {
        vec![Step::Send(with("Transfer-Encoding: CHUNKED", &chunked(&good, 3)))]
    });
    rig.updates("chunks of three bytes");
    println!("  cases {}: lengths and chunks", ran + 1);
    assert_eq!(ran, 28);
}

#[test]
fn fault_18_ranges_ignored_wrong_or_of_an_asset_that_changed() {
    let rig = Rig::new();
    let good = rig.good("v1.1.0", &pack());
    let mut ran = 0;
    let n = good.len();
    let part = |from: usize, to: usize, said: &str, body: &[u8]| {
        let _ = (from, to);
        reply("206 Partial Content", &format!("Content-Range: {said}\r\n"), body)
    };
    for said in [
        "",
        "bytes",
        "bytes */9",
        "bytes 0-5/9",
        "items 0-1/2",
        "bytes -/9",
        "bytes 999999-9999999/99999999",
        "bytes 0-99999999999999999999999999/5",
        "\u{fc}",
    ] {
        let body = good.clone();
        instead(&rig, ".pack", move |_| vec![Step::Send(part(0, 0, said, &body))]);
        rig.attack(&format!("Content-Range {said}"), &["wrong Content-Range"]);
        ran += 1;
    }
    for (status, words) in [
        ("206 Partial Content", &["wrong Content-Range"][..]),
        ("416 Range Not Satisfiable", &["answers 416"]),
        ("204 No Content", &["answers 204"]),
        ("304 Not Modified", &["answers 304"]),
        ("100 Continue", &["does not speak HTTP"]),
    ] {
        let body = good.clone();
        instead(&rig, ".pack", move |_| vec![Step::Send(reply(status, "", &body))]);
        rig.attack(status, words);
        ran += 1;
    }
    // The asset changes between two ranges: the second is of another pack.
    let body = good.clone();
    instead(&rig, ".pack", move |asked| {
        let mut body = body.clone();
        if asked.nth > 0 {
            body.iter_mut().for_each(|b| *b ^= 0x55);
            return vec![Step::Send(honest::content(asked, &body))];
        }
        // Of the ranges that are asked for at once it gives the first.
        let ranges = asked.text.lines().find_map(|l| l.strip_prefix("Range: bytes=0-")).unwrap();
        let to: usize = ranges.split(',').next().unwrap().parse().unwrap();
        vec![Step::Send(part(0, to, &format!("bytes 0-{to}/{n}"), &body[..=to]))]
    });
    let seen = rig.attack("changed between two ranges", &["not what", "not allowed", "does not unpack"]);
    assert!(seen.asked.iter().filter(|a| a.host == 1 && is_pack(a)).count() > 1, "{:#?}", seen.asked);
    assert!(seen.output.contains("got app.py"), "{}", seen.output);
    // The right Content-Range, and less behind it than it says.
    let body = good.clone();
    instead(&rig, ".pack", move |asked| {
        let (from, to) = asked.range.unwrap_or((0, 12)); // many at once: the first of them
        let said = format!("bytes {from}-{to}/{n}");
        vec![Step::Send(part(0, 0, &said, &body[from as usize..from as usize + 3])), Step::Close]
    });
    rig.attack("shorter than it says", &["shorter than promised", "lost"]);
    // Ignored: the whole pack, with 200.
    let body = good;
    instead(&rig, ".pack", move |_| vec![Step::Send(reply("200 OK", "", &body))]);
    let log = rig.updates("ignored");
    assert!(log.contains("got zzz.bin"), "{log}");
    println!("  cases {}: ranges", ran + 3);
    assert_eq!(ran, 14);
}
