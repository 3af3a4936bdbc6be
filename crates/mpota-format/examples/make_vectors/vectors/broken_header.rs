//! Manifests that are refused for their first line.

use super::text::{edit, edit_bytes, full, small};
use super::version::INVALID;
use super::{Files, broken};

/// Changes to the manifest with everything, each of which breaks the form of its header.
const FORM: &[(&str, &str, &str)] = &[
    // keys
    ("duplicate-version", r#""version":"v1.2.0","#, r#""version":"v1.2.0","version":"v1.2.0","#),
    ("duplicate-mpota", r#""mpota":1,"#, r#""mpota":1,"mpota":1,"#),
    ("duplicate-created", r#""created":1750000000,"#, r#""created":1750000000,"created":1750000000,"#),
    ("duplicate-files", r#""files":["#, r#""files":[],"files":["#),
    (
        "order-version-project",
        r#""project":"octo/weather","version":"v1.2.0""#,
        r#""version":"v1.2.0","project":"octo/weather""#,
    ),
    (
        "order-created-version",
        r#""version":"v1.2.0","created":1750000000"#,
        r#""created":1750000000,"version":"v1.2.0""#,
    ),
    (
        "order-pack-requires",
        r#""requires":{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"},"pack":{"asset":"weather.pack","size":1000}"#,
        r#""pack":{"asset":"weather.pack","size":1000},"requires":{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"}"#,
    ),
    (
        "order-hooks-behind-files",
        r#","hooks":{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"},"files":["#,
        r#","files":["hooks":{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"}"#,
    ),
    ("unknown-key", r#""created""#, r#""note":"x","created""#),
    ("unknown-key-last", r#""files":["#, r#""note":1,"files":["#),
    ("key-in-capitals", r#""version""#, r#""VERSION""#),
    ("key-with-escape", r#""version""#, r#""v\u0065rsion""#),
    ("missing-version", r#""version":"v1.2.0","#, ""),
    ("missing-files", r#","files":["#, ""),
    // white space and what else JSON allows, or does not
    ("space-after-colon", r#""version":"#, r#""version": "#),
    ("space-before-colon", r#""version":"#, r#""version" :"#),
    ("space-after-comma", r#","version""#, r#", "version""#),
    ("space-before-number", r#""mpota":1"#, r#""mpota": 1"#),
    ("space-after-number", r#""mpota":1"#, r#""mpota":1 "#),
    ("space-in-array", r#""esp32","rp2""#, r#""esp32", "rp2""#),
    ("space-in-object", r#"{"asset""#, r#"{ "asset""#),
    ("space-at-end", "\"files\":[\n", "\"files\":[ \n"),
    ("tab-after-comma", r#","version""#, ",\t\"version\""),
    ("carriage-return-at-end", "\"files\":[\n", "\"files\":[\r\n"),
    ("no-line-break-before-the-files", "\"files\":[\n", "\"files\":["),
    ("line-break-inside", r#","version""#, ",\n\"version\""),
    ("two-brackets", r#""files":["#, r#""files":[["#),
    ("files-closed", r#""files":["#, r#""files":[]}"#),
    ("comma-at-end", "\"files\":[\n", "\"files\":[,\n"),
    ("comma-missing", r#","version""#, r#""version""#),
    ("comma-doubled", r#","version""#, r#",,"version""#),
    ("comment", r#","version""#, r#",/**/"version""#),
    ("single-quotes", r#""v1.2.0""#, "'v1.2.0'"),
    // the format's number
    ("mpota-point", r#""mpota":1,"#, r#""mpota":1.0,"#),
    ("mpota-exponent", r#""mpota":1,"#, r#""mpota":1e0,"#),
    ("mpota-string", r#""mpota":1,"#, r#""mpota":"1","#),
    ("mpota-true", r#""mpota":1,"#, r#""mpota":true,"#),
    ("mpota-null", r#""mpota":1,"#, r#""mpota":null,"#),
    ("mpota-negative", r#""mpota":1,"#, r#""mpota":-1,"#),
    ("mpota-plus", r#""mpota":1,"#, r#""mpota":+1,"#),
    ("mpota-array", r#""mpota":1,"#, r#""mpota":[1],"#),
    ("mpota-nothing", r#""mpota":1,"#, r#""mpota":,"#),
    // project
    ("project-empty", "octo/weather", ""),
    ("project-null", r#""octo/weather""#, "null"),
    ("project-number", r#""octo/weather""#, "7"),
    ("project-array", r#""octo/weather""#, r#"["octo/weather"]"#),
    ("project-without-slash", "octo/weather", "weather"),
    ("project-without-owner", "octo/weather", "/weather"),
    ("project-without-name", "octo/weather", "octo/"),
    ("project-two-slashes", "octo/weather", "octo/weather/x"),
    ("project-space", "octo/weather", "octo/wea ther"),
    ("project-umlaut", "octo/weather", "octo/wetterhäuschen"),
    ("project-digit-beyond-ascii", "octo/weather", "octo/٣"),
    ("project-escaped-slash", "octo/weather", r"octo\/weather"),
    ("project-escaped-letter", "octo/weather", r"octo/\u0077eather"),
    ("project-line-break", "octo/weather", r"octo/weather\n"),
    // version
    ("version-null", r#""v1.2.0""#, "null"),
    ("version-number", r#""v1.2.0""#, "1.2"),
    ("version-true", r#""v1.2.0""#, "true"),
    ("version-array", r#""v1.2.0""#, r#"["v1.2.0"]"#),
    ("version-needless-escape", "v1.2.0", r"v1.2.\u0030"),
    ("version-string-without-end", r#""v1.2.0""#, r#""v1.2.0"#),
    // created
    ("created-zero", "1750000000", "0"),
    ("created-too-late", "1750000000", "10000000000"),
    ("created-negative", "1750000000", "-1750000000"),
    ("created-exponent", "1750000000", "175e7"),
    ("created-point", "1750000000", "1750000000.0"),
    ("created-leading-zero", "1750000000", "01750000000"),
    ("created-hexadecimal", "1750000000", "0x684EE180"),
    ("created-string", "1750000000", r#""1750000000""#),
    ("created-null", "1750000000", "null"),
    ("created-true", "1750000000", "true"),
    ("created-wraps-64-bits", "1750000000", "18446744073709551617"),
    ("created-wraps-32-bits-negative", "1750000000", "4294967296000000001"),
    // requires
    ("requires-empty", r#"{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"}"#, "{}"),
    ("requires-null", r#"{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"}"#, "null"),
    ("requires-array", r#"{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"}"#, r#"["1.21"]"#),
    ("requires-string", r#"{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"}"#, r#""1.21""#),
    (
        "requires-order",
        r#""micropython":"1.21","platform":["esp32","rp2"]"#,
        r#""platform":["esp32","rp2"],"micropython":"1.21""#,
    ),
    ("requires-duplicate", r#""mpy":"6.3""#, r#""mpy":"6.3","mpy":"6.3""#),
    ("requires-key-in-capitals", r#""mpy":"6.3""#, r#""mpy":"6.3","Flash":"4M""#),
    ("requires-comma-at-end", r#""mpy":"6.3""#, r#""mpy":"6.3","#),
    ("micropython-empty", r#""1.21""#, r#""""#),
    ("micropython-one-number", r#""1.21""#, r#""1""#),
    ("micropython-four-numbers", r#""1.21""#, r#""1.21.0.0""#),
    ("micropython-v", r#""1.21""#, r#""v1.21""#),
    ("micropython-letter", r#""1.21""#, r#""1.x""#),
    ("micropython-prerelease", r#""1.21""#, r#""1.21.0-preview""#),
    ("micropython-leading-zero", r#""1.21""#, r#""1.021""#),
    ("micropython-ten-digits", r#""1.21""#, r#""1.1234567890""#),
    ("micropython-empty-number", r#""1.21""#, r#""1..21""#),
    ("micropython-number", r#""1.21""#, "1.21"),
    ("micropython-null", r#""1.21""#, "null"),
    ("platform-empty", r#"["esp32","rp2"]"#, "[]"),
    ("platform-null", r#"["esp32","rp2"]"#, "null"),
    ("platform-string", r#"["esp32","rp2"]"#, r#""esp32""#),
    ("platform-twice", r#"["esp32","rp2"]"#, r#"["esp32","rp2","esp32"]"#),
    ("platform-empty-name", r#"["esp32","rp2"]"#, r#"["esp32",""]"#),
    ("platform-number", r#"["esp32","rp2"]"#, r#"["esp32",32]"#),
    ("platform-nested", r#"["esp32","rp2"]"#, r#"[["esp32","rp2"]]"#),
    ("platform-space", r#"["esp32","rp2"]"#, r#"["esp 32"]"#),
    ("platform-umlaut", r#"["esp32","rp2"]"#, r#"["gerät"]"#),
    ("platform-33-characters", r#"["esp32","rp2"]"#, r#"["pppppppppppppppppppppppppppppppp3"]"#),
    ("platform-comma-at-end", r#"["esp32","rp2"]"#, r#"["esp32","rp2",]"#),
    (
        "platform-17",
        r#"["esp32","rp2"]"#,
        r#"["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]"#,
    ),
    ("platform-quotes-inside", r#"["esp32","rp2"]"#, r#"["esp32\",\"rp2"]"#),
    ("mpy-empty", r#""6.3""#, r#""""#),
    ("mpy-number", r#""6.3""#, "6"),
    ("mpy-three-numbers", r#""6.3""#, r#""6.3.1""#),
    ("mpy-leading-zero", r#""6.3""#, r#""06.3""#),
    ("mpy-point-at-end", r#""6.3""#, r#""6.""#),
    ("mpy-negative", r#""6.3""#, r#""-6""#),
    // pack
    ("pack-null", r#"{"asset":"weather.pack","size":1000}"#, "null"),
    ("pack-empty", r#"{"asset":"weather.pack","size":1000}"#, "{}"),
    ("pack-string", r#"{"asset":"weather.pack","size":1000}"#, r#""weather.pack""#),
    ("pack-without-size", r#","size":1000"#, ""),
    ("pack-without-asset", r#""asset":"weather.pack","#, ""),
    ("pack-order", r#""asset":"weather.pack","size":1000"#, r#""size":1000,"asset":"weather.pack""#),
    ("pack-unknown-key", r#""size":1000"#, r#""size":1000,"sha256":"""#),
    ("pack-duplicate-size", r#""size":1000"#, r#""size":1000,"size":1000"#),
    ("pack-asset-empty", "weather.pack", ""),
    ("pack-asset-null", r#""weather.pack""#, "null"),
    ("pack-asset-slash", "weather.pack", "a/weather.pack"),
    ("pack-asset-leading-dot", "weather.pack", ".pack"),
    ("pack-asset-manifest-json", "weather.pack", "manifest.json"),
    ("pack-asset-space", "weather.pack", "weather report.pack"),
    ("pack-asset-umlaut", "weather.pack", "häuschen.pack"),
    ("pack-asset-plus", "weather.pack", "v1.0.0+1.pack"),
    ("pack-size-negative", r#""size":1000"#, r#""size":-1000"#),
    ("pack-size-exponent", r#""size":1000"#, r#""size":1e3"#),
    ("pack-size-point", r#""size":1000"#, r#""size":1000.0"#),
    ("pack-size-leading-zero", r#""size":1000"#, r#""size":01000"#),
    ("pack-size-string", r#""size":1000"#, r#""size":"1000""#),
    ("pack-size-true", r#""size":1000"#, r#""size":true"#),
    ("pack-size-null", r#""size":1000"#, r#""size":null"#),
    ("pack-size-too-large", r#""size":1000"#, r#""size":68719476737"#),
    ("pack-size-wraps-64-bits", r#""size":1000"#, r#""size":18446744073709552616"#),
    // hooks
    ("hooks-empty", r#"{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"}"#, "{}"),
    ("hooks-null", r#"{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"}"#, "null"),
    (
        "hooks-array",
        r#"{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"}"#,
        r#"["hooks/migrate.py"]"#,
    ),
    (
        "hooks-order",
        r#""post_update":"hooks/migrate.py","rollback":"hooks/undo.py""#,
        r#""rollback":"hooks/undo.py","post_update":"hooks/migrate.py""#,
    ),
    ("hooks-unknown-key", r#""post_update":"#, r#""pre_update":"hooks/undo.py","post_update":"#),
    (
        "hooks-duplicate",
        r#""rollback":"hooks/undo.py""#,
        r#""rollback":"hooks/undo.py","rollback":"hooks/undo.py""#,
    ),
    ("hooks-empty-path", r#""rollback":"hooks/undo.py""#, r#""rollback":"""#),
    ("hooks-null-path", r#""rollback":"hooks/undo.py""#, r#""rollback":null"#),
    ("hooks-number", r#""rollback":"hooks/undo.py""#, r#""rollback":1"#),
    ("hooks-needless-escape", r#""rollback":"hooks/undo.py""#, r#""rollback":"hooks\/undo.py""#),
    ("hooks-raw-control-character", r#""rollback":"hooks/undo.py""#, "\"rollback\":\"hooks/undo.py\u{1}\""),
];

/// Hooks of the right form that are no file of the release.
const HOOKS: &[(&str, &str)] = &[
    ("missing", "hooks/redo.py"),
    ("other-letter-case", "Hooks/undo.py"),
    ("folder", "hooks"),
    ("leading-slash", "/hooks/undo.py"),
    ("parent", "hooks/../hooks/undo.py"),
    ("current-folder", "./hooks/undo.py"),
    ("doubled-slash", "hooks//undo.py"),
    ("backslash", r"hooks\\undo.py"),
    ("quote", r#"hooks/undo.py\""#),
    ("control-character", r"hooks/undo.py\u0001"),
    ("colon", "C:undo.py"),
    ("updater", ".ota/undo.py"),
    ("version-json", "version.json"),
    ("asset-name", "weather.pack"),
];

pub fn add(files: &mut Files) {
    let full = full();
    for (how, from, to) in FORM {
        broken(files, "header", how, edit(&full, from, to));
    }
    let nested = format!("\"created\":{}{}", "[".repeat(250), "]".repeat(250));
    broken(files, "header", "nested-250-arrays", edit(&full, "\"created\":1750000000", &nested));
    let deep = format!("\"created\":{}", "[".repeat(500));
    broken(files, "header", "nested-500-without-end", edit(&full, "\"created\":1750000000", &deep));
    let nested = "{\"a\":".repeat(90) + "1" + &"}".repeat(90);
    let nested = format!("\"created\":{nested}");
    broken(files, "header", "nested-90-objects", edit(&full, "\"created\":1750000000", &nested));
    let open = format!("\"project\":{}", "[".repeat(600));
    broken(files, "header", "nested-600-without-end", edit(&full, "\"project\":\"octo/weather\"", &open));
    let digits = format!("\"created\":{}", "9".repeat(400));
    broken(files, "header", "created-400-digits", edit(&full, "\"created\":1750000000", &digits));
    let digits = format!("\"size\":{}", "9".repeat(400));
    broken(files, "header", "pack-size-400-digits", edit(&full, "\"size\":1000", &digits));
    broken(files, "header", "pack-asset-101-characters", edit(&full, "weather.pack", &"a".repeat(101)));
    for (how, project) in
        [("owner-65", "o".repeat(65) + "/weather"), ("name-65", "octo/".to_owned() + &"n".repeat(65))]
    {
        broken(files, "header", &format!("project-{how}-characters"), edit(&full, "octo/weather", &project));
    }
    let rollback = "\"rollback\":\"hooks/undo.py";
    for (how, bytes) in super::broken_files::NOT_UTF8 {
        let to = [rollback.as_bytes(), bytes].concat();
        broken(files, "header", &format!("utf8-{how}"), edit_bytes(&full, rollback, &to));
    }
    broken(files, "header", "raw-zero-byte", edit(&full, "octo/weather", "octo/weather\0"));
    broken(files, "header", "raw-delete-in-project", edit(&full, "octo/weather", "octo/weather\x7f"));
    broken(files, "header", "carriage-returns-everywhere", full.replace('\n', "\r\n"));
    let line = |length: usize| {
        let note = "\"note\":\"\",\"created\"";
        let rest = edit(&full, "\"created\"", note).find('\n').unwrap_or_default() + 1;
        let note = format!("\"note\":\"{}\",\"created\"", "x".repeat(length - rest));
        edit(&full, "\"created\"", &note)
    };
    broken(files, "header", "unknown-key-in-line-of-1024-bytes", line(1024));
    broken(files, "line-too-long", "header-1025-bytes", line(1025));
    broken(files, "line-too-long", "header-1000000-bytes", line(1_000_000));

    for (how, path) in HOOKS {
        broken(files, "hook", how, edit(&full, rollback, &format!("\"rollback\":\"{path}")));
    }
    let brackets = format!("\"rollback\":\"\\\"{}", "[{".repeat(200));
    broken(files, "hook", "brackets-behind-an-escape", edit(&full, rollback, &brackets));
    let long = format!("\"rollback\":\"{}", "h".repeat(129));
    broken(files, "hook", "129-bytes", edit(&full, rollback, &long));
    let post = edit(&full, "\"post_update\":\"hooks/migrate.py", "\"post_update\":\"hooks/migrate");
    broken(files, "hook", "post-update-missing", post);
    for (how, length) in [("post-update-kept", 200), ("rollback-kept", 100)] {
        let (from, to) = (format!("\"length\":{length}}}"), format!("\"length\":{length},\"keep\":true}}"));
        broken(files, "hook", how, edit(&full, &from, &to));
    }
    broken(
        files,
        "hook",
        "missing-in-signed",
        super::text::signed(&edit(&full, rollback, "\"rollback\":\"x"), "AAAA"),
    );

    for (how, version) in INVALID {
        broken(files, "version", how, edit(&full, "v1.2.0", version));
    }
    broken(files, "version", "empty", edit(&full, "v1.2.0", ""));
    broken(files, "version", "line-break", edit(&full, "v1.2.0", r"v1.2.0\n"));
    broken(files, "version", "zero-character", edit(&full, "v1.2.0", r"v1.2.0\u0000"));
    broken(files, "version", "quote", edit(&full, "v1.2.0", r#"v1.2.0\""#));
    not_this_format(files, &full);
}

fn not_this_format(files: &mut Files, full: &str) {
    for (how, number) in [("2", "2".to_owned()), ("10", "10".into()), ("400-digits", "1".repeat(400))] {
        let manifest = edit(full, "\"mpota\":1,", &format!("\"mpota\":{number},"));
        broken(files, "format-version", how, manifest);
    }
    broken(
        files,
        "format-version",
        "2-and-all-else-too",
        "{\"mpota\":2,\"entirely\":{\"different\":[1, 2]}}",
    );
    broken(
        files,
        "format-version",
        "2-with-a-long-line",
        format!("{{\"mpota\":2,\"x\":\"{}\"}}\n", "x".repeat(5000)),
    );

    let html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Not Found</title></head>\n<body>404</body>\n</html>\n";
    let small = small(&["main.py"]);
    let no_start: [(&str, Vec<u8>); 18] = [
        ("empty", Vec::new()),
        ("line-break-only", b"\n".into()),
        ("html", html.into()),
        ("github-error", "{\"message\":\"Not Found\",\"status\":\"404\"}".into()),
        ("null", b"null\n".into()),
        ("array", format!("[{small}]").into()),
        ("byte-order-mark", format!("\u{feff}{small}").into()),
        ("leading-space", format!(" {small}").into()),
        ("leading-line-break", format!("\n{small}").into()),
        ("space-in-brace", edit(&small, "{\"mpota\"", "{ \"mpota\"").into()),
        ("space-before-colon", edit(&small, "{\"mpota\":", "{\"mpota\" :").into()),
        ("indented", edit(&small, "{\"mpota\"", "{\n  \"mpota\"").into()),
        ("key-in-capitals", edit(&small, "{\"mpota\"", "{\"MPOTA\"").into()),
        ("key-with-escape", edit(&small, "{\"mpota\"", "{\"\\u006dpota\"").into()),
        (
            "key-later",
            edit(&small, "{\"mpota\":1,\"version\":\"v1.0.0\"", "{\"version\":\"v1.0.0\",\"mpota\":1").into(),
        ),
        ("cut-in-key", b"{\"mpota\"".into()),
        ("utf16", small.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]),
    ];
    for (how, bytes) in no_start {
        broken(files, "not-a-manifest", how, bytes);
    }
}
