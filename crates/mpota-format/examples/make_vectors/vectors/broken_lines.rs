//! Manifests that are refused for how they end, or where they are cut.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::text::{edit, file, full, signed, small};
use super::{Files, broken};

pub fn add(files: &mut Files) {
    long_and_cut(files);
    endings(files);
    signatures(files);
}

/// `text` up to and with `last`, which must be in it once.
fn until(text: &str, last: &str) -> String {
    assert_eq!(text.matches(last).count(), 1, "{last:?}");
    text.split_inclusive(last).next().unwrap_or_default().to_owned()
}

fn long_and_cut(files: &mut Files) {
    let full = full();
    let signed = signed(&full, "AAAA");
    for (how, text) in [
        ("cut-behind-the-first-colon", until(&full, "{\"mpota\":")),
        ("cut-behind-the-format", until(&full, "{\"mpota\":1")),
        ("cut-in-the-header", until(&full, "\"requires\":{\"micro")),
        ("cut-at-the-end-of-the-header", until(&full, "\"files\":[")),
        ("cut-in-a-path", until(&full, "\"hooks/migrate.py\",\"size")),
        ("cut-in-a-hash", until(&full, "\"size\":2210,\"sha256\":\"")),
        ("cut-in-a-number", until(&full, "\"offset\":38")),
        ("cut-before-a-comma", until(&full, "\"length\":180}")),
        ("cut-behind-a-comma", until(&full, "\"length\":180},")),
        ("cut-at-the-end-of-the-last-file", until(&full, "\"length\":520}")),
        ("cut-in-the-key-signature", until(&signed, "\"sig")),
        ("cut-in-the-signature", until(&signed, "\"signature\":\"AA")),
        ("cut-at-the-end-of-the-signature", until(&signed, "\"signature\":\"AAAA\"}")),
    ] {
        broken(files, "line-too-long", how, text);
    }
    // At 512 bytes it is the path that is too long; one more, and it is the line.
    let path = |length: usize| "p".repeat(length - file("", 10, "\"asset\":\"f0.py\"").len() - 1);
    broken(files, "path", "in-line-of-512-bytes", small(&[&path(512)]));
    broken(files, "line-too-long", "file-513-bytes", small(&[&path(513)]));
    broken(files, "line-too-long", "file-513-bytes-with-comma", small(&[&path(512), "q"]));
    broken(files, "line-too-long", "file-5000-bytes", small(&[&path(5000)]));
    let long = |bytes: usize| super::text::signed(&full, &STANDARD.encode(vec![0; bytes]));
    broken(files, "line-too-long", "signature-516-bytes", long(375));
    broken(files, "line-too-long", "signature-8016-bytes", long(6000));
}

fn endings(files: &mut Files) {
    let full = full();
    let signed = signed(&full, "AAAA");
    let last = "\"length\":520}\n]}\n";
    for (how, ending) in [
        ("nothing-behind-the-files", "\"length\":520}\n"),
        ("bracket-only", "\"length\":520}\n]"),
        ("bracket-and-line-break", "\"length\":520}\n]\n"),
        ("without-line-break", "\"length\":520}\n]}"),
        ("carriage-return", "\"length\":520}\n]}\r\n"),
        ("space", "\"length\":520}\n]} \n"),
        ("space-before", "\"length\":520}\n ]}\n"),
        ("space-inside", "\"length\":520}\n] }\n"),
        ("brace-only", "\"length\":520}\n}\n"),
        ("brace-doubled", "\"length\":520}\n]}}\n"),
        ("empty-line-before", "\"length\":520}\n\n]}\n"),
        ("empty-line-behind", "\"length\":520}\n]}\n\n"),
        ("byte-behind", "\"length\":520}\n]}\n\0"),
        ("space-behind", "\"length\":520}\n]}\n "),
        ("itself-behind", "\"length\":520}\n]}\n]}\n"),
        ("html-behind", "\"length\":520}\n]}\n<!-- served in 3 ms -->\n"),
        ("html-instead", "\"length\":520}\n<html>\n"),
        ("other-list", "\"length\":520}\n],\"files\":[\n]}\n"),
        ("signature-without-bracket", "\"length\":520}\n\"signature\":\"AAAA\"}\n"),
        ("signature-on-the-line-of-the-bracket", "\"length\":520}\n],\"signature\":\"AAAA\"}\n"),
        ("signature-missing", "\"length\":520}\n],\n"),
        ("signature-cut-to-bracket", "\"length\":520}\n],"),
        ("bracket-comma-carriage-return", "\"length\":520}\n],\r\n\"signature\":\"AAAA\"}\n"),
        ("signature-behind-the-end", "\"length\":520}\n]}\n\"signature\":\"AAAA\"}\n"),
    ] {
        broken(files, "ending", how, edit(&full, last, ending));
    }
    broken(files, "ending", "header-only", until(&full, "\"files\":[\n"));
    broken(files, "ending", "cut-between-files", until(&full, "\"length\":180},\n"));
    broken(files, "ending", "comma-missing-between-files", edit(&small(&["a", "b"]), "},\n", "}\n"));
    broken(files, "ending", "whole-manifest-twice-signed", format!("{signed}{signed}"));
    for (how, behind) in
        [("line-break", "\n"), ("signature", "\"signature\":\"AAAA\"}\n"), ("end", "]}\n"), ("byte", "x")]
    {
        broken(files, "ending", &format!("signed-and-{how}-behind"), format!("{signed}{behind}"));
    }
}

fn signatures(files: &mut Files) {
    let text = signed(&full(), "AAAA");
    let line = "\"signature\":\"AAAA\"}\n";
    for (how, instead) in [
        ("empty", r#""signature":""}"#),
        ("null", r#""signature":null}"#),
        ("number", r#""signature":1}"#),
        ("array", r#""signature":["AAAA"]}"#),
        ("one-character", r#""signature":"A"}"#),
        ("padding-missing", r#""signature":"AAA"}"#),
        ("padding-missing-two", r#""signature":"AA"}"#),
        ("padding-too-much", r#""signature":"AAAA="}"#),
        ("padding-of-four", r#""signature":"AAAA===="}"#),
        ("padding-only", r#""signature":"===="}"#),
        ("padding-three", r#""signature":"A==="}"#),
        ("padding-inside", r#""signature":"AA==AAAA"}"#),
        ("bits-behind-the-end", r#""signature":"AAB="}"#),
        ("bits-behind-the-end-two", r#""signature":"AB=="}"#),
        ("space-inside", r#""signature":"AA AA"}"#),
        ("space-before", r#""signature":" AAAA"}"#),
        ("escaped-line-break", r#""signature":"AAAA\n"}"#),
        ("escaped-slash", r#""signature":"AA\/A"}"#),
        ("escaped-letter", r#""signature":"\u0041AAA"}"#),
        ("character-beyond-base64", r#""signature":"AA*A"}"#),
        ("umlaut", r#""signature":"AAAü"}"#),
        ("armour", r#""signature":"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"}"#),
        ("space-after-colon", r#""signature": "AAAA"}"#),
        ("space-before-brace", r#""signature":"AAAA" }"#),
        ("space-at-start", r#" "signature":"AAAA"}"#),
        ("space-at-end", r#""signature":"AAAA"} "#),
        ("carriage-return", "\"signature\":\"AAAA\"}\r"),
        ("comma-at-end", r#""signature":"AAAA"},"#),
        ("comma-before-brace", r#""signature":"AAAA",}"#),
        ("key-behind", r#""signature":"AAAA","key":"A"}"#),
        ("key-before", r#""key":"A","signature":"AAAA"}"#),
        ("twice", r#""signature":"AAAA","signature":"AAAA"}"#),
        ("other-key", r#""minisign":"AAAA"}"#),
        ("key-in-capitals", r#""Signature":"AAAA"}"#),
        ("brace-missing", r#""signature":"AAAA""#),
        ("brace-doubled", r#""signature":"AAAA"}}"#),
        ("empty-line", ""),
        ("end-of-unsigned", "]}"),
        ("html", "<html>"),
    ] {
        broken(files, "signature", how, edit(&text, line, &format!("{instead}\n")));
    }
    let bytes = [0xfb; 21];
    let full = full();
    broken(files, "signature", "url-alphabet", signed(&full, &URL_SAFE.encode(bytes)));
    broken(files, "signature", "long-without-padding", signed(&full, &STANDARD_NO_PAD.encode([0; 200])));
    let latin = [text.as_bytes().strip_suffix(b"\"}\n").unwrap_or_default(), b"\xfc\"}\n"].concat();
    broken(files, "signature", "not-utf8", latin);
}
