//! Manifests that are refused for a file line.

use super::text::{SMALL_HEADER, edit, edit_bytes, file, full, manifest, small};
use super::{Files, broken};

/// Bytes that are not UTF-8, wherever they stand.
pub const NOT_UTF8: &[(&str, &[u8])] = &[
    ("latin-1", b"l\xfcften"),
    ("overlong-slash", b"a\xc0\xafb"),
    ("overlong-three-bytes", b"a\xe0\x80\xafb"),
    ("overlong-four-bytes", b"a\xf0\x82\x82\xac"),
    ("overlong-zero", b"a\xc0\x80b"),
    ("surrogate", b"a\xed\xa0\x80b"),
    ("surrogate-pair", b"a\xed\xa0\xbd\xed\xb8\x80b"),
    ("beyond-unicode", b"a\xf4\x90\x80\x80b"),
    ("five-bytes", b"a\xf8\x88\x80\x80\x80b"),
    ("lone-continuation", b"a\x80b"),
    ("cut-sequence", b"a\xe2\x82"),
    ("byte-ff", b"a\xffb"),
];

/// Changes to the manifest with everything that break the form of a file line. `SHA` and `CRC` are those of boot.py.
const FORM: &[(&str, &str, &str)] = &[
    // keys
    ("duplicate-path", r#""path":"boot.py","#, r#""path":"boot.py","path":"boot.py","#),
    ("duplicate-path-other", r#""path":"boot.py","#, r#""path":"boot.py","path":"book.py","#),
    ("duplicate-size", r#""size":312,"#, r#""size":312,"size":312,"#),
    ("duplicate-length", r#""length":180"#, r#""length":180,"length":180"#),
    ("order-size-path", r#""path":"boot.py","size":312"#, r#""size":312,"path":"boot.py""#),
    ("order-length-offset", r#""offset":0,"length":180"#, r#""length":180,"offset":0"#),
    ("order-crc32-sha256", r#""sha256":"SHA","crc32":"CRC""#, r#""crc32":"CRC","sha256":"SHA""#),
    ("unknown-key", r#""size":312"#, r#""mode":420,"size":312"#),
    ("unknown-key-first", r#"{"path":"boot.py""#, r#"{"mode":420,"path":"boot.py""#),
    ("unknown-key-last", r#""length":180"#, r#""length":180,"mode":420"#),
    ("key-in-capitals", r#""size":312"#, r#""SIZE":312"#),
    ("key-with-escape", r#""size":312"#, r#""siz\u0065":312"#),
    ("missing-path", r#""path":"boot.py","#, ""),
    ("missing-size", r#""size":312,"#, ""),
    ("missing-sha256", r#""sha256":"SHA","#, ""),
    ("missing-crc32", r#""crc32":"CRC","#, ""),
    ("missing-offset", r#""offset":0,"#, ""),
    ("missing-length", r#","length":180"#, ""),
    ("asset-where-there-is-a-pack", r#""offset":0,"length":180"#, r#""asset":"boot.py""#),
    ("asset-beside-offset", r#""length":180"#, r#""length":180,"asset":"boot.py""#),
    // what is kept: only `true`, and in its place
    ("keep-false", r#""length":180"#, r#""length":180,"keep":false"#),
    ("keep-null", r#""length":180"#, r#""length":180,"keep":null"#),
    ("keep-number", r#""length":180"#, r#""length":180,"keep":1"#),
    ("keep-zero", r#""length":180"#, r#""length":180,"keep":0"#),
    ("keep-text", r#""length":180"#, r#""length":180,"keep":"true""#),
    ("keep-array", r#""length":180"#, r#""length":180,"keep":[true]"#),
    ("keep-object", r#""length":180"#, r#""length":180,"keep":{"true":1}"#),
    ("keep-in-capitals", r#""length":180"#, r#""length":180,"keep":True"#),
    ("keep-nothing", r#""length":180"#, r#""length":180,"keep":"#),
    ("duplicate-keep", r#""length":180"#, r#""length":180,"keep":true,"keep":true"#),
    ("order-keep-length", r#""offset":0,"length":180"#, r#""offset":0,"keep":true,"length":180"#),
    ("order-keep-path", r#"{"path":"boot.py""#, r#"{"keep":true,"path":"boot.py""#),
    ("order-more-keep", r#""length":180"#, r#""length":180,"more":{"a":1},"keep":true"#),
    ("space-before-true", r#""length":180"#, r#""length":180,"keep": true"#),
    // white space and what else JSON allows, or does not
    ("space-after-colon", r#""size":312"#, r#""size": 312"#),
    ("space-after-comma", r#","size":312"#, r#", "size":312"#),
    ("space-at-start", r#"{"path":"boot.py""#, r#" {"path":"boot.py""#),
    ("space-in-brace", r#"{"path":"boot.py""#, r#"{ "path":"boot.py""#),
    ("space-before-brace", r#""length":180}"#, r#""length":180 }"#),
    ("space-before-comma", r#""length":180},"#, r#""length":180} ,"#),
    ("space-at-end", r#""length":180},"#, r#""length":180}, "#),
    ("tab-at-start", r#"{"path":"boot.py""#, "\t{\"path\":\"boot.py\""),
    ("carriage-return-at-end", r#""length":180},"#, "\"length\":180},\r"),
    ("carriage-return-at-last-end", r#""length":520}"#, "\"length\":520}\r"),
    ("space-at-last-end", r#""length":520}"#, r#""length":520} "#),
    ("zero-byte-at-end", r#""length":180},"#, "\"length\":180}\0,"),
    ("line-break-inside", r#","size":312"#, ",\n\"size\":312"),
    ("empty-line", r#""length":180},"#, "\"length\":180},\n"),
    ("empty-line-first", "\"files\":[\n", "\"files\":[\n\n"),
    ("comma-only", r#""length":180},"#, "\"length\":180},\n,"),
    ("comma-doubled", r#""length":180},"#, r#""length":180},,"#),
    ("comma-behind-the-last", r#""length":520}"#, r#""length":520},"#),
    ("comma-behind-the-last-value", r#""length":180}"#, r#""length":180,}"#),
    ("comma-missing-inside", r#","size":312"#, r#""size":312"#),
    ("brace-missing", r#""length":180},"#, r#""length":180,"#),
    ("brace-doubled", r#""length":180},"#, r#""length":180}},"#),
    ("bracket-behind", r#""length":520}"#, r#""length":520}]"#),
    ("two-in-a-line", "\"length\":180},\n", "\"length\":180},"),
    ("empty-object", "\"files\":[\n", "\"files\":[\n{},\n"),
    ("empty-array", "\"files\":[\n", "\"files\":[\n[],\n"),
    ("null", "\"files\":[\n", "\"files\":[\nnull,\n"),
    ("string", "\"files\":[\n", "\"files\":[\n\"boot.py\",\n"),
    ("comment", "\"files\":[\n", "\"files\":[\n// the files\n"),
    ("byte-order-mark", "\"files\":[\n", "\"files\":[\n\u{feff}"),
    ("unquoted-key", r#""size":312"#, "size:312"),
    ("single-quotes", r#""boot.py""#, "'boot.py'"),
    ("html", "\"files\":[\n", "\"files\":[\n<html>\n"),
    // numbers
    ("size-negative", r#""size":312"#, r#""size":-312"#),
    ("size-minus-zero", r#""size":312"#, r#""size":-0"#),
    ("size-plus", r#""size":312"#, r#""size":+312"#),
    ("size-exponent", r#""size":312"#, r#""size":1e3"#),
    ("size-exponent-capital", r#""size":312"#, r#""size":1E3"#),
    ("size-point", r#""size":312"#, r#""size":312.0"#),
    ("size-point-at-end", r#""size":312"#, r#""size":312."#),
    ("size-leading-zero", r#""size":312"#, r#""size":0312"#),
    ("size-hexadecimal", r#""size":312"#, r#""size":0x312"#),
    ("size-underscore", r#""size":312"#, r#""size":3_12"#),
    ("size-string", r#""size":312"#, r#""size":"312""#),
    ("size-true", r#""size":312"#, r#""size":true"#),
    ("size-null", r#""size":312"#, r#""size":null"#),
    ("size-nan", r#""size":312"#, r#""size":NaN"#),
    ("size-infinity", r#""size":312"#, r#""size":Infinity"#),
    ("size-nothing", r#""size":312"#, r#""size":"#),
    ("size-array", r#""size":312"#, r#""size":[312]"#),
    ("size-digits-beyond-ascii", r#""size":312"#, r#""size":٣"#),
    ("size-too-large", r#""size":312"#, r#""size":16777217"#),
    ("size-wraps-32-bits", r#""size":312"#, r#""size":4294967608"#),
    ("size-wraps-64-bits", r#""size":312"#, r#""size":18446744073709551928"#),
    ("offset-negative", r#""offset":0,"#, r#""offset":-1,"#),
    ("offset-minus-zero", r#""offset":0,"#, r#""offset":-0,"#),
    ("offset-two-zeros", r#""offset":0,"#, r#""offset":00,"#),
    ("offset-point", r#""offset":0,"#, r#""offset":0.0,"#),
    ("offset-exponent", r#""offset":0,"#, r#""offset":0e0,"#),
    ("offset-false", r#""offset":0,"#, r#""offset":false,"#),
    ("offset-null", r#""offset":0,"#, r#""offset":null,"#),
    ("offset-string", r#""offset":0,"#, r#""offset":"0","#),
    ("length-negative", r#""length":180"#, r#""length":-180"#),
    ("length-point", r#""length":180"#, r#""length":180.0"#),
    ("length-exponent", r#""length":180"#, r#""length":18e1"#),
    ("length-leading-zero", r#""length":180"#, r#""length":0180"#),
    ("length-true", r#""length":180"#, r#""length":true"#),
    ("length-string", r#""length":180"#, r#""length":"180""#),
    // strings
    ("path-number", r#""boot.py""#, "1"),
    ("path-null", r#""boot.py""#, "null"),
    ("path-true", r#""boot.py""#, "true"),
    ("path-array", r#""boot.py""#, r#"["boot.py"]"#),
    ("path-needless-escape", r#""boot.py""#, r#""boot\u002epy""#),
    ("path-escaped-slash", r#""lib/util.py""#, r#""lib\/util.py""#),
    ("path-escaped-umlaut", r#""lib/util.py""#, r#""lib/\u00fctil.py""#),
    ("path-escaped-surrogates", r#""lib/util.py""#, r#""lib/\ud83d\ude00.py""#),
    ("path-escaped-lone-surrogate", r#""lib/util.py""#, r#""lib/\ud83d.py""#),
    ("path-escaped-line-break-as-number", r#""lib/util.py""#, r#""lib/util.py\u000a""#),
    ("path-escaped-in-capitals", r#""lib/util.py""#, r#""lib/util.py\u001F""#),
    ("path-escaped-backspace", r#""lib/util.py""#, r#""lib/util.py\b""#),
    ("path-escaped-delete", r#""lib/util.py""#, r#""lib/util.py\u007f""#),
    ("path-unknown-escape", r#""lib/util.py""#, r#""lib/util\x2epy""#),
    ("path-without-end", r#""boot.py","#, r#""boot.py,"#),
    ("path-raw-tab", r#""lib/util.py""#, "\"lib/util\t.py\""),
    ("path-raw-zero", r#""lib/util.py""#, "\"lib/util\0.py\""),
    ("path-raw-escape-character", r#""lib/util.py""#, "\"lib/util\u{1b}.py\""),
    ("path-raw-carriage-return", r#""lib/util.py""#, "\"lib/util.py\r\""),
    ("sha256-empty", "SHA", ""),
    ("sha256-prefix", "SHA", "0xSHA"),
    ("sha256-too-long", "SHA", "SHA0"),
    ("sha256-null", r#""SHA""#, "null"),
    ("sha256-array", r#""SHA""#, r#"["SHA"]"#),
    ("sha256-space", "SHA", " SHA"),
    ("crc32-empty", "CRC", ""),
    ("crc32-too-long", "CRC", "0CRC"),
    ("crc32-number", r#""CRC""#, "439041101"),
    ("crc32-null", r#""CRC""#, "null"),
];

/// Changes to a manifest without a pack.
const PLAIN: &[(&str, &str, &str)] = &[
    ("asset-missing", r#","asset":"f0.py""#, ""),
    ("asset-empty", r#""f0.py""#, r#""""#),
    ("asset-null", r#""f0.py""#, "null"),
    ("asset-number", r#""f0.py""#, "0"),
    ("asset-array", r#""f0.py""#, r#"["f0.py"]"#),
    ("asset-slash", "f0.py", "lib/f0.py"),
    ("asset-backslash", "f0.py", r"lib\\f0.py"),
    ("asset-leading-dot", "f0.py", ".f0.py"),
    ("asset-manifest-json", "f0.py", "manifest.json"),
    ("asset-space", "f0.py", "f 0.py"),
    ("asset-umlaut", "f0.py", "fü.py"),
    ("asset-percent", "f0.py", "f%30.py"),
    ("asset-question-mark", "f0.py", "f0.py?x=1"),
    ("asset-line-break", "f0.py", r"f0.py\n"),
    ("asset-needless-escape", "f0.py", r"f\u0030.py"),
    ("asset-url", "f0.py", "https://example.org/f0.py"),
    ("offset-where-there-is-no-pack", r#""asset":"f0.py""#, r#""offset":0,"length":10"#),
    ("offset-beside-asset", r#""asset":"f0.py""#, r#""offset":0,"length":10,"asset":"f0.py""#),
];

/// Paths, as they stand in JSON, that are refused by themselves.
const PATHS: &[(&str, &str)] = &[
    ("empty", ""),
    ("slash-only", "/"),
    ("slashes-only", "//"),
    ("absolute", "/x"),
    ("slash-at-end", "x/"),
    ("slash-doubled", "a//b"),
    ("dot-only", "."),
    ("dot-first", "./x"),
    ("dot-inside", "a/./b"),
    ("dot-last", "a/."),
    ("parent-only", ".."),
    ("parent-first", "../x"),
    ("parent-inside", "a/../b"),
    ("parent-last", "a/.."),
    ("parent-to-the-updater", "lib/../.ota/x"),
    ("three-dots", "..."),
    ("point-at-end", "boot."),
    ("point-at-end-of-folder", "lib./x"),
    ("space-at-end", "boot.py "),
    ("space-at-end-of-folder", "lib /x"),
    ("space-only", " "),
    ("space-between-slashes", "a/ /b"),
    ("backslash", r"lib\\util.py"),
    ("backslash-parent", r"..\\x"),
    ("quote", r#"a\"b"#),
    ("star", "*.py"),
    ("colon", "a:b"),
    ("drive", "C:/x"),
    ("less-than", "a<b"),
    ("greater-than", "a>b"),
    ("question-mark", "a?b"),
    ("bar", "a|b"),
    ("zero", r"a\u0000b"),
    ("zero-at-end", r"boot.py\u0000"),
    ("line-break", r"a\nb"),
    ("carriage-return", r"a\rb"),
    ("tab", r"a\tb"),
    ("escape-character", r"a\u001bb"),
    ("unit-separator", r"a\u001fb"),
    ("delete", "a\u{7f}b"),
    ("updater", ".ota"),
    ("updater-file", ".ota/x"),
    ("updater-state", ".ota/state.0"),
    ("updater-in-capitals", ".OTA/x"),
    ("updater-mixed-case", ".oTa/new/1"),
    ("version-json", "version.json"),
    ("version-json-mixed-case", "Version.JSON"),
    ("version-json-as-folder", "version.json/x"),
];

/// Paths in a wrong order, or that cannot be together.
const ORDER: &[(&str, &[&str])] = &[
    ("unsorted", &["main.py", "boot.py"]),
    ("unsorted-later", &["a", "b", "d", "c"]),
    ("same", &["main.py", "main.py"]),
    ("same-but-for-letter-case", &["A.py", "a.py"]),
    ("same-but-for-letter-case-other-way", &["a.py", "A.py"]),
    ("same-but-for-letter-case-of-folder", &["Lib/a.py", "lib/a.py"]),
    ("by-ascii", &["B.py", "a.py"]),
    ("slash-as-itself", &["a-b", "a/b"]),
    ("slash-behind-point", &["a.b", "a/b"]),
    ("slash-behind-space", &["a b", "a/b"]),
    ("folder-and-its-name-as-prefix", &["lib2", "lib/x"]),
    ("underscore-as-behind-capitals", &["A", "_"]),
    ("umlaut-before-z", &["a", "ä", "z"]),
    ("by-utf-16", &["a", "😀", "\u{ffff}"]),
    ("longer-before-shorter", &["ab", "a"]),
    ("file-in-file", &["lib", "lib/util.py"]),
    ("file-in-file-letter-case", &["LIB", "lib/util.py"]),
    ("file-deep-in-file", &["lib", "lib/a/b/c"]),
    ("file-in-nested-file", &["lib/a", "lib/a/b"]),
    ("file-in-file-later", &["a", "lib", "lib/util.py", "z"]),
    ("folder-before-file-of-its-name", &["lib/util.py", "lib"]),
];

/// Changes to the manifest with everything that leave each line in form.
const LAYOUT: &[(&str, &str, &str)] = &[
    ("first-offset-not-0", r#""offset":0,"#, r#""offset":1,"#),
    ("first-offset-wraps-32-bits", r#""offset":0,"#, r#""offset":4294967296,"#),
    ("first-offset-wraps-64-bits", r#""offset":0,"#, r#""offset":18446744073709551616,"#),
    ("gap", r#""offset":380"#, r#""offset":381"#),
    ("overlap", r#""offset":380"#, r#""offset":379"#),
    ("back-to-0", r#""offset":380"#, r#""offset":0"#),
    ("wraps-64-bits", r#""offset":380"#, r#""offset":18446744073709551996"#),
    ("pack-larger", r#""size":1000"#, r#""size":1001"#),
    ("pack-smaller", r#""size":1000"#, r#""size":999"#),
    ("pack-empty", r#""size":1000"#, r#""size":0"#),
    ("last-too-short", r#""length":520"#, r#""length":519"#),
    ("last-too-long", r#""length":520"#, r#""length":521"#),
    ("longer-than-file", r#""size":2210"#, r#""size":519"#),
    ("longer-than-empty-file", r#""size":312"#, r#""size":0"#),
    ("length-wraps-64-bits", r#""length":180"#, r#""length":18446744073709551796"#),
];

pub fn add(files: &mut Files) {
    let full = full();
    entries(files, &full);
    for (how, path) in PATHS {
        broken(files, "path", how, small(&[path]));
    }
    for (how, path) in [
        ("129-bytes", "p".repeat(129)),
        ("129-bytes-with-umlauts", "p".to_owned() + &"ü".repeat(64)),
        ("300-characters", "p".repeat(300)),
        ("many-parts", "p/".repeat(64) + "p"),
    ] {
        broken(files, "path", how, small(&[&path]));
    }
    broken(files, "path", "in-the-last-line", edit(&full, "lib/util.py\"", "lib/util.py.\""));
    for (how, paths) in ORDER {
        broken(files, "path-order", how, small(paths));
    }

    for (how, from, to) in LAYOUT {
        broken(files, "layout", how, edit(&full, from, to));
    }
    let digits = "9".repeat(300);
    broken(
        files,
        "layout",
        "offset-300-digits",
        edit(&full, "\"offset\":380", &format!("\"offset\":{digits}")),
    );
    broken(
        files,
        "layout",
        "length-300-digits",
        edit(&full, "\"length\":180", &format!("\"length\":{digits}")),
    );
    let three = small(&["a.py", "b.py", "c.py"]);
    broken(files, "layout", "asset-twice", edit(&three, "f1.py", "f0.py"));
    broken(files, "layout", "asset-twice-later", edit(&three, "f2.py", "f0.py"));

    broken(files, "too-large", "by-one-byte", of_size(4_194_305));
}

fn entries(files: &mut Files, full: &str) {
    let line = file("boot.py", 312, "");
    let hash = |key: &str| {
        line.split(key).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    };
    let (sha256, crc32) = (hash("\"sha256\":\""), hash("\"crc32\":\""));
    for (how, from, to) in FORM {
        let fill = |text: &str| text.replace("SHA", &sha256).replace("CRC", &crc32);
        broken(files, "entry", how, edit(full, &fill(from), &fill(to)));
    }
    for (how, from, to) in [
        ("sha256-in-capitals", &sha256, sha256.to_uppercase()),
        ("sha256-too-short", &sha256, sha256[1..].to_owned()),
        ("sha256-other-letter", &sha256, "g".to_owned() + &sha256[1..]),
        ("sha256-digit-beyond-ascii", &sha256, "٣".to_owned() + &sha256[2..]),
        ("sha256-sign", &sha256, "+".to_owned() + &sha256[1..]),
        ("crc32-in-capitals", &crc32, crc32.to_uppercase()),
        ("crc32-too-short", &crc32, crc32[1..].to_owned()),
        ("crc32-other-letter", &crc32, "x".to_owned() + &crc32[1..]),
        ("crc32-underscore", &crc32, "1_".to_owned() + &crc32[2..]),
    ] {
        assert_ne!(*from, to, "{how}");
        broken(files, "entry", how, edit(full, from, &to));
    }
    let plain = small(&["main.py"]);
    for (how, from, to) in PLAIN {
        broken(files, "entry", how, edit(&plain, from, to));
    }
    broken(files, "entry", "asset-101-characters", edit(&plain, "f0.py", &"a".repeat(101)));
    for (how, bytes) in NOT_UTF8 {
        broken(files, "entry", &format!("utf8-{how}"), edit_bytes(full, "lib/util.py", bytes));
    }
    let digits = format!("\"size\":{}", "9".repeat(300));
    broken(files, "entry", "size-300-digits", edit(full, "\"size\":312", &digits));
    let nested = format!("\"size\":{}", "[".repeat(300));
    broken(files, "entry", "nested-300-without-end", edit(full, "\"size\":312", &nested));
    let nested = format!("\"size\":{}1{}", "{\"a\":".repeat(45), "}".repeat(45));
    broken(files, "entry", "nested-45-objects", edit(full, "\"size\":312", &nested));
    broken(files, "entry", "no-files", format!("{SMALL_HEADER}]}}\n"));
    broken(files, "entry", "no-files-signed", format!("{SMALL_HEADER}],\n\"signature\":\"AAAA\"}}\n"));
    broken(
        files,
        "entry",
        "last-is-no-file",
        manifest(SMALL_HEADER, &[file("a", 1, "\"asset\":\"a\""), "{}".into()]),
    );
}

/// A manifest of `size` bytes that has nothing wrong with it but that.
fn of_size(size: usize) -> String {
    let around = SMALL_HEADER.len() + "]}\n".len();
    let line = |i: usize, pad: usize| {
        let (path, asset) = (format!("{i:05}/{}", "p".repeat(94 + pad)), "a".repeat(39));
        format!(
            "{{\"path\":\"{path}\",\"size\":0,\"sha256\":\"{0:0>64}\",\"crc32\":\"{0:0>8}\",\"asset\":\"{i:05}{asset}\"}}",
            ""
        )
    };
    let each = line(0, 0).len() + ",\n".len();
    let count = (size - around + 1) / each;
    let mut missing = size - around + 1 - count * each;
    let lines: Vec<String> = (0..count)
        .map(|i| {
            let pad = missing.min(28);
            missing -= pad;
            line(i, pad)
        })
        .collect();
    assert!(count <= 99_999 && missing == 0, "{count} lines, {missing} bytes missing");
    let text = manifest(SMALL_HEADER, &lines);
    assert_eq!(text.len(), size);
    text
}
