//! What later versions add: in `more`, which is passed over, and by words and requirements that must be known.

use super::text::{SMALL_HEADER, edit, edit_bytes, full, signed, small};
use super::valid::{FULL, Facts, SMALL, valid};
use super::{Files, broken};

/// Values of `more` in the right form.
const MORE: &[(&str, &str)] = &[
    ("text", r#"{"note":"to be read by people: (~ !)"}"#),
    ("text-empty", r#"{"note":""}"#),
    ("number-smallest", r#"{"a":0}"#),
    ("number-largest", r#"{"a":9999999999}"#),
    ("array-of-one", r#"{"a":[1]}"#),
    ("array", r#"{"a":["x",0,"","{[,:]}",9999999999]}"#),
    (
        "keys",
        r#"{"-":1,"0":2,"_":3,"a":4,"a-b":5,"a0":6,"a_b":7,"aa":8,"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk":9}"#,
    ),
    (
        "keys-of-the-format",
        r#"{"asset":1,"files":[2],"needs":"x","path":"../x","size":3,"version":"v9.9.9"}"#,
    ),
];

/// What `mpy` cannot be in the `more` of a header; in a file line it means nothing.
const NO_LOADERS: &[(&str, &str)] = &[
    ("number", "6"),
    ("text", r#""6""#),
    ("text-in-array", r#"["6"]"#),
    ("zero", "[0]"),
    ("256", "[256]"),
    ("order", "[7,6]"),
    ("twice", "[6,6]"),
    ("17-of-them", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"),
];

/// What `rollout` cannot be in the `more` of a header; in a file line it means nothing.
const NO_MARK: &[(&str, &str)] =
    &[("0", "0"), ("2", "2"), ("11", "11"), ("text", r#""1""#), ("text-empty", r#""""#), ("array", "[1]")];

/// Values of `more` in a wrong form.
const ILL_FORMED: &[(&str, &str)] = &[
    ("empty", "{}"),
    ("null", "null"),
    ("number", "1"),
    ("text", r#""x""#),
    ("array", "[1]"),
    ("key-empty", r#"{"":1}"#),
    ("key-in-capitals", r#"{"Note":1}"#),
    ("key-with-point", r#"{"a.b":1}"#),
    ("key-umlaut", r#"{"ü":1}"#),
    ("key-33-characters", r#"{"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk":1}"#),
    ("key-with-escape", r#"{"\u0061":1}"#),
    ("key-twice", r#"{"a":1,"a":1}"#),
    ("order", r#"{"b":1,"a":1}"#),
    ("order-hyphen-behind-letters", r#"{"aa":1,"a-":1}"#),
    ("value-null", r#"{"a":null}"#),
    ("value-true", r#"{"a":true}"#),
    ("value-object", r#"{"a":{"b":1}}"#),
    ("value-missing", r#"{"a":}"#),
    ("number-negative", r#"{"a":-1}"#),
    ("number-point", r#"{"a":1.5}"#),
    ("number-exponent", r#"{"a":1e3}"#),
    ("number-leading-zero", r#"{"a":01}"#),
    ("number-too-large", r#"{"a":10000000000}"#),
    ("text-umlaut", r#"{"a":"ü"}"#),
    ("text-quote", r#"{"a":"\""}"#),
    ("text-backslash", r#"{"a":"\\"}"#),
    ("text-line-break", r#"{"a":"\n"}"#),
    ("text-delete", "{\"a\":\"\u{7f}\"}"),
    ("text-needless-escape", r#"{"a":"\u0062"}"#),
    ("array-empty", r#"{"a":[]}"#),
    ("array-nested", r#"{"a":[[1]]}"#),
    ("array-object", r#"{"a":[{"b":1}]}"#),
    ("array-null", r#"{"a":[null]}"#),
    ("array-comma-at-end", r#"{"a":[1,]}"#),
    ("comma-at-end", r#"{"a":1,}"#),
    ("space", r#"{"a": 1}"#),
    ("brace-missing", r#"{"a":1"#),
];

/// Headers of [`small`] that need what is not known, behind `"version":"v1.0.0"`.
const NEEDS: &[(&str, &str)] = &[
    ("one-word", r#","needs":["firmware"]"#),
    ("two-words", r#","needs":["firmware","delta"]"#),
    ("shortest-word", r#","needs":["-"]"#),
    ("longest-word", r#","needs":["wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"]"#),
    ("most-words", r#","needs":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16"]"#),
    ("with-more", r#","needs":["delta"],"more":{"delta":1}"#),
    ("key-of-tomorrow", r#","needs":["delta"],"delta":{"from":["v0.9.0",null,-1.5]},"flash":true"#),
    ("requires-of-tomorrow", r#","needs":["delta"],"requires":["delta"]"#),
    ("pack-of-tomorrow", r#","needs":["delta"],"pack":null"#),
    ("hook-of-tomorrow", r#","needs":["delta"],"hooks":{"before":"../x"}"#),
    ("spaces-of-tomorrow", r#","needs":["delta"], "x" : 1"#),
    ("requires-key-alone", r#","requires":{"flash":4096}"#),
    ("requires-key-first", r#","requires":{"flash":4096,"mpy":"6"}"#),
    ("requires-key-behind-board", r#","requires":{"board":["PICO"],"flash":{"least":[4]}}"#),
    ("requires-key-before-hooks-of-tomorrow", r#","requires":{"flash":4096},"hooks":null"#),
];

/// The same where the form is wrong that every reader knows.
const NEEDS_ILL_FORMED: &[(&str, &str)] = &[
    ("needs-empty", r#","needs":[]"#),
    ("needs-null", r#","needs":null"#),
    ("needs-text", r#","needs":"firmware""#),
    ("needs-object", r#","needs":{"firmware":1}"#),
    ("needs-number", r#","needs":[1]"#),
    ("needs-word-null", r#","needs":[null]"#),
    ("needs-word-empty", r#","needs":[""]"#),
    ("needs-word-in-capitals", r#","needs":["Firmware"]"#),
    ("needs-word-with-underscore", r#","needs":["a_b"]"#),
    ("needs-word-umlaut", r#","needs":["fürm"]"#),
    ("needs-word-with-escape", r#","needs":["\u0066irmware"]"#),
    ("needs-word-33-characters", r#","needs":["wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"]"#),
    ("needs-word-twice", r#","needs":["a","b","a"]"#),
    ("needs-nested", r#","needs":[["a"]]"#),
    ("needs-comma-at-end", r#","needs":["a",]"#),
    ("needs-space", r#","needs": ["a"]"#),
    ("needs-17", r#","needs":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]"#),
    ("needs-behind-requires", r#","requires":{"mpy":"6"},"needs":["a"]"#),
    ("needs-before-created", r#","needs":[],"created":1"#),
    ("needs-twice", r#","needs":["a"],"needs":["b"]"#),
    ("needs-twice-once-null", r#","needs":["a"],"needs":null"#),
    ("needs-and-another-version", r#","needs":["a"],"version":"v1.0.1""#),
    ("needs-and-no-json", r#","needs":["a"],"delta":[1}"#),
    ("needs-and-a-word-without-end", r#","needs":["a"],"delta":"x"#),
    ("requires-unknown-and-twice", r#","requires":{"flash":1},"requires":{"mpy":"6"}"#),
    ("requires-unknown-without-end", r#","requires":{"flash":1"#),
    ("board-empty", r#","requires":{"board":[]}"#),
    ("board-null", r#","requires":{"board":null}"#),
    ("board-text", r#","requires":{"board":"PICO"}"#),
    ("board-number", r#","requires":{"board":[1]}"#),
    ("board-empty-name", r#","requires":{"board":["PICO",""]}"#),
    ("board-twice", r#","requires":{"board":["PICO","PICO"]}"#),
    ("board-umlaut", r#","requires":{"board":["Gerät"]}"#),
    ("board-quote", r#","requires":{"board":["\""]}"#),
    ("board-backslash", r#","requires":{"board":["\\"]}"#),
    ("board-delete", ",\"requires\":{\"board\":[\"a\u{7f}\"]}"),
    ("board-before-mpy", r#","requires":{"board":["PICO"],"mpy":"6"}"#),
    (
        "board-17",
        r#","requires":{"board":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]}"#,
    ),
];

/// The manifest of one file, with this behind its version.
fn with(keys: &str) -> String {
    edit(&small(&["main.py"]), ",\"files\"", &format!("{keys},\"files\""))
}

pub fn add(files: &mut Files) {
    broken(files, "not-a-manifest", "rollout", "{\"mpota-rollout\":1,\"version\":\"v1.0.0\",\"number\":1}\n");
    more(files);
    boards(files);
    let parts = |keys: &str| edit(&with(keys), "\"files\":[", "\"parts\":[");
    broken(files, "needs", "word-and-no-files", parts(r#","needs":["delta"]"#));
    broken(files, "needs", "requires-and-no-files", parts(r#","requires":{"flash":4}"#));
    for (how, keys) in NEEDS {
        broken(files, "needs", how, with(keys));
    }
    for (how, keys) in NEEDS_ILL_FORMED {
        broken(files, "header", how, with(keys));
    }
    let long = format!(",\"requires\":{{\"board\":[\"{}\"]}}", "b".repeat(65));
    broken(files, "header", "board-65-characters", with(&long));
    let needs = r#","needs":["delta"]"#;
    broken(
        files,
        "needs",
        "line-of-tomorrow",
        edit(&with(needs), "\"size\":10", "\"size\":null,\"delta\":[1]"),
    );
    broken(files, "needs", "ending-of-tomorrow", edit(&with(needs), "\n]}\n", "\n],\"sums\":[\n]}\n"));
    broken(
        files,
        "needs",
        "signed",
        signed(&edit(&full(), ",\"requires\"", &format!("{needs},\"requires\"")), "AAAA"),
    );
    broken(files, "version", "beside-needs", edit(&with(needs), "v1.0.0", "v1"));
    let unknown = with(r#","requires":{"flash":1}"#);
    broken(files, "version", "beside-unknown-requires", edit(&unknown, "v1.0.0", "v1"));
    broken(
        files,
        "header",
        "needs-and-not-utf8",
        edit_bytes(&with(r#","needs":["a"],"x":"yy""#), "yy", b"\xff"),
    );
    let long = format!("{needs},\"x\":\"{}\"", "x".repeat(1024));
    broken(files, "line-too-long", "header-with-needs", with(&long));
}

fn more(files: &mut Files) {
    let full = full();
    let header = |more: &str| edit(&full, ",\"files\":", &format!(",\"more\":{more},\"files\":"));
    let line =
        |text: &str, more: &str| edit(text, "\"length\":100}", &format!("\"length\":100,\"more\":{more}}}"));
    for (how, more) in MORE {
        valid(files, &format!("more-{how}"), line(&header(more), more), &FULL);
    }
    valid(files, "more-in-the-header", header(MORE[0].1), &FULL);
    valid(files, "more-in-a-line", line(&full, MORE[0].1), &FULL);
    let plain = edit(&small(&["main.py"]), "\"f0.py\"}", "\"f0.py\",\"more\":{\"mode\":420}}");
    valid(files, "more-behind-an-asset", plain, &SMALL);
    let tomorrow = signed(&line(&header(MORE[5].1), MORE[6].1), "AAAA");
    valid(files, "of-tomorrow", tomorrow, &Facts { signed: true, ..FULL });
    let padded = |around: &str, most: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(most - around.len()));
    let longest = padded(&with(",\"more\":{\"x\":\"\"}")[..SMALL_HEADER.len() + 16], 1024);
    valid(files, "header-line-longest", with(&format!(",\"more\":{longest}")), &SMALL);
    let first = |text: &str| text.lines().nth(1).unwrap_or_default().to_owned() + "\n";
    let short = edit(&small(&["main.py"]), "\"f0.py\"}", "\"f0.py\",\"more\":{\"x\":\"\"}}");
    let longest = edit(&short, "{\"x\":\"\"}", &padded(&first(&short), 512));
    valid(files, "file-line-longest", longest, &SMALL);

    for (how, more) in ILL_FORMED {
        broken(files, "header", &format!("more-{how}"), header(more));
        broken(files, "entry", &format!("more-{how}"), line(&full, more));
    }
    for (how, loaders) in NO_LOADERS {
        let more = format!("{{\"mpy\":{loaders}}}");
        broken(files, "header", &format!("more-mpy-{how}"), header(&more));
        valid(files, &format!("more-mpy-{how}-in-a-line"), line(&full, &more), &FULL);
    }
    for (how, compiled) in [("one", &[6][..]), ("two", &[6, 7]), ("lowest-and-highest", &[1, 255])] {
        let more = format!("{{\"mpy\":{compiled:?}}}").replace(' ', "");
        valid(files, &format!("compiled-for-{how}"), header(&more), &Facts { compiled, ..FULL });
    }
    for (how, mark) in NO_MARK {
        let more = format!("{{\"rollout\":{mark}}}");
        broken(files, "header", &format!("more-rollout-{how}"), header(&more));
        valid(files, &format!("more-rollout-{how}-in-a-line"), line(&full, &more), &FULL);
    }
    let marked = Facts { rollout: true, ..FULL };
    valid(files, "rollout", header(r#"{"rollout":1}"#), &marked);
    let beside = r#"{"mpy":[6],"note":"x","rollout":1,"s":0}"#;
    valid(files, "rollout-beside-others", header(beside), &Facts { compiled: &[6], ..marked });
    let one = r#"{"a":1}"#;
    broken(files, "header", "more-twice", edit(&header(one), "\"more\"", "\"more\":{\"a\":1},\"more\""));
    let early = edit(&full, ",\"hooks\"", &format!(",\"more\":{one},\"hooks\""));
    broken(files, "header", "more-before-hooks", early);
    let early = edit(&full, "\"length\":100}", &format!("\"more\":{one},\"length\":100}}"));
    broken(files, "entry", "more-before-length", early);
    let twice = format!("{one},\"more\":{one}");
    broken(files, "entry", "more-twice", line(&full, &twice));
    let short = |most: usize| padded(&first(&plain_line()), most);
    let long = edit(&plain_line(), "{\"x\":\"\"}", &short(513));
    broken(files, "line-too-long", "file-with-more", long);
}

fn plain_line() -> String {
    edit(&small(&["main.py"]), "\"f0.py\"}", "\"f0.py\",\"more\":{\"x\":\"\"}}")
}

fn boards(files: &mut Files) {
    let longest = format!("{:P>64}", "Raspberry Pi Pico W with RP2040");
    let names: Vec<String> = (0..16).map(|i| format!("\"BOARD_{i:A>30}\"")).collect();
    for (name, keys) in [
        ("requires-board", r#","requires":{"board":["ESP32_GENERIC"]}"#.to_owned()),
        ("requires-board-and-all-else", r#","requires":{"micropython":"1.21","platform":["rp2"],"mpy":"6","board":["RPI_PICO_W","RPI_PICO2_W"]}"#.into()),
        ("requires-board-punctuation", r#","requires":{"board":[" ","!#$%&'()*+,-./:;<=>?@[]^_`{|}~"]}"#.into()),
        ("requires-board-longest", format!(",\"requires\":{{\"board\":[\"{longest}\"]}}")),
        ("requires-board-most", format!(",\"requires\":{{\"board\":[{}]}}", names.join(","))),
    ] {
        valid(files, name, with(&keys), &SMALL);
    }
}
