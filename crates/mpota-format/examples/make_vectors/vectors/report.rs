//! Reports, good and bad.

use super::{Files, put};

const WHOLE: &str = r#"{"id":"e6614c311b7e6f35","version":"v1.2.0","state":"idle","bad":"v1.3.0","why":"raised ValueError ...","micropython":"1.25.0","board":"RPI_PICO_W","flash":123456,"memory":81234,"boots":2}"#;

/// Reports and what is read in them.
const VALID: [(&str, &str, &str); 10] = [
    ("whole", WHOLE, WHOLE),
    ("id-only", r#"{"id":"a"}"#, r#"{"id":"a"}"#),
    (
        "spaces-as-micropython-writes-them",
        r#"{"id": "a", "flash": 0, "boots": 0}"#,
        r#"{"id":"a","flash":0,"boots":0}"#,
    ),
    ("another-order", r#"{"boots":1,"state":"trial","id":"a"}"#, r#"{"id":"a","state":"trial","boots":1}"#),
    ("id-of-all-kinds", r#"{"id":"Aa0._-"}"#, r#"{"id":"Aa0._-"}"#),
    (
        "keys-of-a-later-version",
        r#"{"id":"a","rssi":-60,"more":{"id":"b","list":[1,null]},"on":true}"#,
        r#"{"id":"a"}"#,
    ),
    (
        "markup-is-text",
        r#"{"id":"a","why":"<script>alert('x')</script> & \"y\""}"#,
        r#"{"id":"a","why":"<script>alert('x')</script> & \"y\""}"#,
    ),
    ("escapes", r#"{"\u0069d":"\u0061","why":"a\/b\\c\u003cb"}"#, r#"{"id":"a","why":"a/b\\c<b"}"#),
    (
        "empty-texts",
        r#"{"id":"a","why":"","board":"","micropython":""}"#,
        r#"{"id":"a","why":"","board":"","micropython":""}"#,
    ),
    ("largest-number", r#"{"id":"a","flash":9007199254740991}"#, r#"{"id":"a","flash":9007199254740991}"#),
];

/// Reports, after the code for which they are refused and in which way they are wrong.
const INVALID: [(&str, &str, &str); 41] = [
    ("json", "empty", ""),
    ("json", "text", r#""e6614c311b7e6f35""#),
    ("json", "list", r#"[{"id":"a"}]"#),
    ("json", "cut", r#"{"id":"a""#),
    ("json", "two", r#"{"id":"a"}{"id":"b"}"#),
    ("json", "behind-it", r#"{"id":"a"},"#),
    ("json", "python", "{'id': 'a'}"),
    ("json", "half-of-a-pair", r#"{"id":"a","why":"\ud800"}"#),
    ("json", "not-a-number", r#"{"id":"a","flash":NaN}"#),
    ("json", "leading-zero", r#"{"id":"a","flash":01}"#),
    ("twice", "id", r#"{"id":"a","id":"b"}"#),
    ("twice", "escaped", r#"{"id":"a","\u0069d":"b"}"#),
    ("twice", "unknown", r#"{"id":"a","new":1,"new":2}"#),
    ("id", "missing", r#"{"version":"v1.2.0"}"#),
    ("id", "empty", r#"{"id":""}"#),
    ("id", "number", r#"{"id":1}"#),
    ("id", "null", r#"{"id":null}"#),
    ("id", "space", r#"{"id":"a b"}"#),
    ("id", "slash", r#"{"id":"../a"}"#),
    ("id", "markup", r#"{"id":"<b>"}"#),
    ("id", "escaped-letter", r#"{"id":"\u00e9"}"#),
    ("version", "word", r#"{"id":"a","version":"latest"}"#),
    ("version", "markup", r#"{"id":"a","version":"v1.0.0<b>"}"#),
    ("version", "null", r#"{"id":"a","version":null}"#),
    ("version", "bad-empty", r#"{"id":"a","bad":""}"#),
    ("version", "bad-number", r#"{"id":"a","bad":1}"#),
    ("state", "capital", r#"{"id":"a","state":"Idle"}"#),
    ("state", "empty", r#"{"id":"a","state":""}"#),
    ("state", "long", r#"{"id":"a","state":"abcdefghijklmnopq"}"#),
    ("state", "list", r#"{"id":"a","state":["idle"]}"#),
    ("text", "control", r#"{"id":"a","why":"a\u0007b"}"#),
    ("text", "line-end", r#"{"id":"a","why":"a\nb"}"#),
    ("text", "turned", r#"{"id":"a","why":"\u202egnp"}"#),
    ("text", "delete", r#"{"id":"a","board":"\u007f"}"#),
    ("text", "object", r#"{"id":"a","why":{"a":1}}"#),
    ("text", "number", r#"{"id":"a","micropython":1.25}"#),
    ("number", "negative", r#"{"id":"a","flash":-1}"#),
    ("number", "fraction", r#"{"id":"a","memory":1.5}"#),
    ("number", "text", r#"{"id":"a","boots":"2"}"#),
    ("number", "too-large", r#"{"id":"a","boots":9007199254740992}"#),
    ("number", "true", r#"{"id":"a","boots":true}"#),
];

pub fn add(files: &mut Files) {
    let mut valid = |name: &str, header: String, facts: String| {
        put(files, format!("report/valid/{name}/header"), header);
        put(files, format!("report/valid/{name}/facts.json"), facts + "\n");
    };
    for (name, header, facts) in VALID {
        valid(name, header.into(), facts.into());
    }
    let longest = |key: &str, letters: usize| format!(r#"{{"id":"a","{key}":"{}"}}"#, "x".repeat(letters));
    let lengths = [("why", 200), ("micropython", 32), ("board", 64), ("state", 16)];
    for (key, most) in lengths {
        valid(&format!("longest-{key}"), longest(key, most), longest(key, most));
    }
    let id = format!(r#"{{"id":"{}"}}"#, "f".repeat(64));
    valid("longest-id", id.clone(), id);
    let whole = format!(r#"{{"id":"a"{}}}"#, " ".repeat(768 - 10));
    valid("longest", whole.clone(), r#"{"id":"a"}"#.into());

    let mut invalid = |code: &str, name: &str, header: &[u8]| {
        put(files, format!("report/invalid/{code}-{name}/header"), header);
        put(files, format!("report/invalid/{code}-{name}/error"), format!("{code}\n"));
    };
    for (code, name, header) in INVALID {
        invalid(code, name, header.as_bytes());
    }
    for (key, most) in &lengths[..3] {
        invalid("text", &format!("long-{key}"), longest(key, most + 1).as_bytes());
    }
    invalid("id", "long", format!(r#"{{"id":"{}"}}"#, "f".repeat(65)).as_bytes());
    invalid("length", "one-more", whole.replace('}', " }").as_bytes());
    invalid("length", "4-kb", longest("why", 4096).as_bytes());
    invalid("ascii", "utf-8", "{\"id\":\"a\",\"why\":\"\u{e9}\"}".as_bytes());
    invalid("ascii", "tab", b"{\"id\":\t\"a\"}");
    invalid("ascii", "line-end", b"{\"id\":\"a\"}\n");
    invalid("ascii", "escape", b"{\"id\":\"a\",\"why\":\"\x1b[2J\"}");
    invalid("ascii", "not-utf-8", b"{\"id\":\"a\",\"why\":\"\xff\"}");
}
