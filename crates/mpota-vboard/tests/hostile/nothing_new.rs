//! What a look costs where nothing is new, on servers of every kind; and what a cache may hide.

use crate::honest::{redirect, reply};
use crate::rig::{MAIN, Rig, Setup, app};
use crate::server::{Asked, Step};
use serde_json::json;

/// How a server marks its answers.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mark {
    ETag,
    Weak,
    Date,
    Both,
    Range,
    Nothing,
}

const DATE: &str = "Sun, 29 Nov 2026 08:49:37 GMT";

fn asks(asked: &Asked, line: &str) -> bool {
    asked.text.contains(&format!("\r\n{line}\r\n"))
}

/// The answer of a server that marks in this way; `etag` is that of what it has.
fn marked(mark: Mark, asked: &Asked, body: &[u8], etag: &str) -> Vec<u8> {
    let head = match mark {
        Mark::ETag => format!("ETag: \"{etag}\"\r\n"),
        Mark::Weak => format!("ETag: W/\"{etag}\"\r\n"),
        Mark::Date => format!("Last-Modified: {DATE}\r\n"),
        Mark::Both => format!("Last-Modified: {DATE}\r\nETag: \"{etag}\"\r\n"),
        Mark::Range | Mark::Nothing => String::new(),
    };
    let tag = if mark == Mark::Weak { format!("W/\"{etag}\"") } else { format!("\"{etag}\"") };
    let same = asks(asked, &format!("If-None-Match: {tag}"))
        || (mark == Mark::Date && etag == "v1.0.0" && asks(asked, &format!("If-Modified-Since: {DATE}")));
    if same {
        return format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").into_bytes();
    }
    if mark == Mark::Range && asks(asked, "Range: bytes=0-2047") {
        let end = body.len().min(2048);
        let range = format!("Content-Range: bytes 0-{}/{}\r\n", end - 1, body.len());
        return reply("206 Partial Content", &range, &body[..end]);
    }
    reply("200 OK", &head, body)
}

/// A board with v1.0.0, whose manifest has 2,100 bytes and more.
fn rig(setup: Setup) -> Rig {
    let mut old = setup.old.clone();
    for i in 0..14 {
        old = old.with(&format!("data/{i}.txt"), format!("{i}\n"));
    }
    Setup { old, ..setup }.rig()
}

/// Where the releases are, and how: directly, or by a redirect to the storage host.
fn serve(rig: &Rig, mark: Mark, place: &'static str, moved: bool, has: &'static str) {
    let body = rig.good(has, "manifest.json");
    let storage = rig.server.url(1);
    rig.server.script(move |asked| {
        let at = format!(
            "/{}/{}/releases/{place}/manifest.json",
            mpota_vboard::bench::OWNER,
            mpota_vboard::bench::REPO
        );
        let answer = if asked.host == 0 && asked.path == at && moved {
            redirect(&format!("{storage}/moved/manifest.json?sig=1"))
        } else if (asked.host == 0 && asked.path == at) || asked.path.starts_with("/moved/") {
            marked(mark, asked, &body, has)
        } else {
            return None;
        };
        Some(vec![Step::Send(answer)])
    });
}

/// One run of the board, which has nothing to do: its output, and what it cost.
fn look(rig: &Rig, name: &str) -> (String, usize, u64, u32) {
    rig.server.forget();
    let run = rig.board.run().expect("the virtual board");
    eprintln!("--- {name}\n{}", run.output);
    assert!(run.output.contains("app goes on v1.0.0"), "{name}: {}", run.output);
    assert!(!run.output.contains("ota W"), "{name}: {}", run.output);
    (run.output, rig.server.asked().len(), rig.server.sent(), run.writes)
}

#[test]
fn fault_67_nothing_new_is_one_small_request_everywhere() {
    let places: [(&str, &str, &str); 2] =
        [("latest/download", "channel", "None"), ("download/beta", "channel", "'beta'")];
    let mut ran = 0;
    for (place, key, value) in places {
        for moved in [false, true] {
            let rig = rig(Setup::default().set(key, value));
            let all = rig.good("v1.0.0", "manifest.json").len() as u64;
            assert!(all > 2500, "the manifest has {all} bytes");
            for mark in [Mark::ETag, Mark::Weak, Mark::Date, Mark::Both, Mark::Range, Mark::Nothing] {
                let name = format!("{place} {mark:?} moved {moved}");
                serve(&rig, mark, place, moved, "v1.0.0");
                let (_, _, sent, _) = look(&rig, &name);
                assert!(sent >= all, "{name}: {sent} bytes at first");
                // By a date one look of 16 asks for all: see below.
                let looks = if mark == Mark::Date { 6 } else { 2 };
                let mut cheap = 0;
                for _ in 0..looks {
                    let (_, requests, sent, writes) = look(&rig, &name);
                    if mark == Mark::Date && sent >= all {
                        continue;
                    }
                    cheap += 1;
                    let most = match mark {
                        Mark::Range => 2400,
                        Mark::Nothing => 1 << 20,
                        _ => 1000,
                    };
                    assert!(requests == 1 + usize::from(moved) && sent < most, "{name}: {requests}, {sent}");
                    assert_eq!(writes, 0, "{name}");
                }
                assert!(cheap > 0, "{name}");
                // And what is new is found.
                serve(&rig, mark, place, moved, "v1.1.0");
                let output = rig.updates(&name);
                assert!(output.contains("v1.1.0 found"), "{name}: {output}");
                rig.rewind();
                ran += 1;
            }
        }
    }
    println!("  cases {ran}: servers that have nothing new");
    assert_eq!(ran, 24);
}

#[test]
fn fault_67_a_release_whose_files_are_older_is_found() {
    let rig = rig(Setup::default());
    serve(&rig, Mark::Date, "latest/download", false, "v1.0.0");
    look(&rig, "v1.0.0");
    let body = rig.good("v1.1.0", "manifest.json");
    // Copied with its date, or built where all files have the same one: not modified since.
    rig.server.script(move |asked| {
        asked.path.ends_with("/latest/download/manifest.json").then(|| {
            let head = format!("Last-Modified: {DATE}\r\n");
            vec![Step::Send(if asked.text.contains("If-Modified-Since") {
                format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").into_bytes()
            } else {
                reply("200 OK", &head, &body)
            })]
        })
    });
    let mut looks = 0;
    loop {
        let output = rig.board.run().unwrap().output;
        looks += 1;
        if output.contains("v1.1.0 is installed") {
            break;
        }
        assert!(looks < 250, "{output}");
    }
    println!("  cases 1: a release that a date hides, found at look {looks}");
}

#[test]
fn fault_67_what_first_bytes_say_is_not_believed() {
    let rig = rig(Setup::default());
    serve(&rig, Mark::Range, "latest/download", false, "v1.0.0");
    look(&rig, "v1.0.0");
    // Of another project, signed by a key that this board trusts; and before it a first line that says otherwise.
    let good = rig.manifest();
    let text = String::from_utf8(good.clone()).unwrap().replacen("octo/weather", "octo/elsewhere", 1);
    let other = rig.key.sign(text.as_bytes());
    let mut ran = 0;
    for status in ["206 Partial Content", "304 Not Modified"] {
        let (first, other) = (good[..good.len().min(2048)].to_vec(), other.clone());
        rig.server.script(move |asked| {
            asked.path.ends_with("/latest/download/manifest.json").then(|| {
                let part = asked.text.contains("Range:") && status.starts_with("206");
                let range = format!("Content-Range: bytes 0-{}/{}\r\n", first.len() - 1, other.len());
                vec![Step::Send(if part {
                    reply(status, &range, &first)
                } else {
                    reply("200 OK", "", &other)
                })]
            })
        });
        rig.refused(status, &["v1.1.0 is a release of octo/elsewhere"], &json!({}));
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: first bytes of another release");
    assert_eq!(ran, 2);
}

#[test]
fn fault_67_a_mark_of_another_address_or_version_is_not_used() {
    let rig = rig(Setup::default());
    let place = "latest/download";
    let ask = |rig: &Rig| {
        let asked = rig.server.asked();
        asked.iter().filter(|a| a.text.contains("If-None-Match")).count()
    };
    let mut ran = 0;
    for what in ["as it was", "another address", "another version", "repair", "a tag"] {
        serve(&rig, Mark::ETag, place, false, "v1.0.0");
        look(&rig, what);
        match what {
            "another address" => {
                let url = rig.server.url(0).replace("127.0.0.1", "localhost");
                rig.configure("base_url", &format!("'{url}'"));
            }
            "another version" => {
                let note = crate::common::text(&rig.board, "/.ota/etag").replace("v1.0.0", "v0.9.0");
                rig.board.write("/.ota/etag", note.as_bytes()).unwrap();
            }
            "repair" => rig.configure("repair", "True"),
            "a tag" => rig.configure("tag", "'v1.1.0'"),
            _ => {}
        }
        rig.server.forget();
        let output = rig.board.run().unwrap().output;
        assert_eq!(ask(&rig) > 0, what == "as it was", "{what}: {output} {:#?}", rig.server.asked());
        assert!(!output.contains("no update"), "{what}: {output}");
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: marks that are of something else");
    assert_eq!(ran, 5);
}

#[test]
fn fault_67_marks_that_are_none_are_not_sent() {
    let rig = rig(Setup::default());
    let body = rig.good("v1.0.0", "manifest.json");
    let mut ran = 0;
    for mark in [
        "*",
        "\"a\", \"b\"",
        "\"\"",
        "\"\u{fc}\"",
        "unquoted",
        "\"a b\"",
        &format!("\"{}\"", "x".repeat(300)),
    ] {
        let (text, reply_body) = (format!("ETag: {mark}\r\n"), body.clone());
        rig.server.script(move |asked| {
            asked
                .path
                .ends_with("/latest/download/manifest.json")
                .then(|| vec![Step::Send(reply("200 OK", &text, &reply_body))])
        });
        look(&rig, mark);
        look(&rig, mark);
        let asked = rig.server.asked();
        assert!(asked.iter().all(|a| !a.text.contains("If-None-Match")), "{mark}: {asked:#?}");
        rig.rewind();
        ran += 1;
    }
    // What a server does not understand is asked for once, and then no more.
    for status in [
        "400 Bad Request",
        "403 Forbidden",
        "405 Method Not Allowed",
        "412 Precondition Failed",
        "416 Range Not Satisfiable",
        "500 Internal Server Error",
        "501 Not Implemented",
    ] {
        serve(&rig, Mark::ETag, "latest/download", false, "v1.0.0");
        look(&rig, status);
        let again = body.clone();
        rig.server.script(move |asked| {
            asked.path.ends_with("/latest/download/manifest.json").then(|| {
                let odd = asked.text.contains("If-None-Match");
                vec![Step::Send(if odd { reply(status, "", b"") } else { reply("200 OK", "", &again) })]
            })
        });
        rig.refused(status, &[&format!("answers {}", &status[..3])], &json!({}));
        look(&rig, status);
        rig.rewind();
        ran += 1;
    }
    // A range that is longer than the file, and a length that is a lie: as a well-known snippet for Node has it.
    serve(&rig, Mark::Nothing, "latest/download", false, "v1.0.0");
    look(&rig, "Node");
    let again = body.clone();
    rig.server.script(move |asked| {
        asked.path.ends_with("/latest/download/manifest.json").then(|| {
            let range = asked.text.contains("Range:");
            let head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2047/1159\r\nContent-Length: 2048\r\n\r\n";
            vec![Step::Send(if range { [head.as_bytes(), &again[..1159]].concat() } else { reply("200 OK", "", &again) })]
        })
    });
    rig.refused("Node", &["lost", "ETIMEDOUT"], &json!({}));
    let (.., sent, _) = look(&rig, "Node again");
    assert!(sent as usize > body.len());
    // What lies there is no text.
    serve(&rig, Mark::ETag, "latest/download", false, "v1.0.0");
    rig.board.write("/.ota/etag", b"\xff\xfe\n").unwrap();
    look(&rig, "no text");
    look(&rig, "no text");
    assert!(rig.server.asked()[0].text.contains("If-None-Match"));
    println!("  cases {}: marks that are none, and servers that take none", ran + 2);
    assert_eq!(ran, 14);
}

#[test]
fn fault_67_what_a_cache_may_hide_is_said() {
    let main = MAIN.replace(
        "print('app goes on', app.V)",
        "print('app cached', ota_updater.status()['cached_s'])\nprint('app goes on', app.V)",
    );
    let rig = rig(Setup { old: app("v1.0.0").with("main.py", main), ..Setup::default() });
    let body = rig.good("v1.0.0", "manifest.json");
    let mut ran = 0;
    for (head, cached) in [
        ("", 0),
        ("Cache-Control: max-age=60\r\n", 0),
        ("Cache-Control: public, max-age=3600\r\n", 3600),
        ("Cache-Control: max-age=3600, no-cache\r\n", 0),
        ("cache-control: No-Store\r\n", 0),
        ("Cache-Control: s-maxage=900, max-age=0\r\n", 900),
        ("Age: 1200\r\n", 1200),
        ("Age: 1200\r\nCache-Control: max-age=3600\r\n", 3600),
        ("Age: 10\r\n", 0),
        ("Age: x\r\nCache-Control: max-age=y, max-age=\r\n", 0),
        ("Age: 99999999999\r\n", 0),
    ] {
        for same in [false, true] {
            let body = body.clone();
            rig.server.script(move |asked| {
                asked.path.ends_with("/latest/download/manifest.json").then(|| {
                    let head = format!("ETag: \"1\"\r\n{head}");
                    let known = asked.text.contains("If-None-Match: \"1\"");
                    vec![Step::Send(if known {
                        format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").into_bytes()
                    } else {
                        reply("200 OK", &head, &body)
                    })]
                })
            });
            let (output, ..) = look(&rig, head);
            assert!(output.contains(&format!("app cached {cached}\n")), "{head} {same}: {output}");
            assert_eq!(output.contains("a newer release may be hidden"), cached > 0, "{head}: {output}");
            assert_eq!(rig.server.asked()[0].text.contains("If-None-Match"), same, "{head}");
            ran += 1;
        }
        rig.board.remove("/.ota/etag").unwrap();
    }
    println!("  cases {ran}: answers of caches");
    assert_eq!(ran, 22);
}
