//! Records of the journal, and files that hold none.

use mpota_format::digest::crc32;

use super::{Files, put};

const STATES: [&str; 7] = ["idle", "staged", "swapping", "trial", "confirmed", "undoing", "undone"];
const TRIAL: &str = concat!(
    r#"{"mpota":1,"seq":12,"state":"trial","version":"v1.0.0","next":"v1.1.0","#,
    r#""plan":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bab3a18a29aa8c5ed7a0b","#,
    r#""boots":1,"wakes":2,"tries":5,"most":300,"secs":600,"wait":7200,"hook":1,"repair":0,"early":1,"#,
    r#""bad":"v1.0.5","again":2,"since":1795000000,"why":"ImportError: no module named 'x'"}"#
);

/// A record file that holds this text.
fn record(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [format!("{:08x} ", crc32(text)).as_bytes(), text, b"\n"].concat()
}

/// A record of `size` bytes with a key that nobody knows.
fn of_size(size: usize) -> Vec<u8> {
    let text = |note: usize| {
        format!("{{\"mpota\":1,\"seq\":7,\"state\":\"idle\",\"note\":\"{}\"}}", "n".repeat(note))
    };
    record(text(size - record(text(0)).len()))
}

/// What a reader must find, with all keys.
fn values(changes: &[(&str, &str)]) -> String {
    let empty = [
        ("mpota", "0"),
        ("seq", "0"),
        ("state", "\"\""),
        ("version", "\"\""),
        ("next", "\"\""),
        ("plan", "\"\""),
        ("boots", "0"),
        ("wakes", "0"),
        ("tries", "0"),
        ("most", "0"),
        ("secs", "0"),
        ("wait", "0"),
        ("hook", "0"),
        ("repair", "0"),
        ("early", "0"),
        ("bad", "\"\""),
        ("again", "0"),
        ("since", "0"),
        ("why", "\"\""),
    ];
    for (key, _) in changes {
        assert!(empty.iter().any(|(known, _)| known == key), "{key}");
    }
    let value = |key: &str, empty| changes.iter().find(|(k, _)| *k == key).map_or(empty, |(_, value)| *value);
    let pairs: Vec<String> =
        empty.iter().map(|(key, empty)| format!("\"{key}\":{}", value(key, empty))).collect();
    format!("{{{}}}\n", pairs.join(","))
}

pub fn add(files: &mut Files) {
    let mut valid = |name: &str, bytes: Vec<u8>, changes: &[(&str, &str)]| {
        put(files, format!("journal/valid/{name}"), bytes);
        put(files, format!("journal/valid/{name}.json"), values(changes));
    };
    valid("everything", record(TRIAL), &[]);
    for state in STATES {
        let text = format!("{{\"mpota\":1,\"seq\":3,\"state\":\"{state}\"}}");
        let name = format!("\"{state}\"");
        valid(&format!("state-{state}"), record(text), &[("mpota", "1"), ("seq", "3"), ("state", &name)]);
    }
    let idle = [("mpota", "1"), ("seq", "7"), ("state", "\"idle\"")];
    valid("640-bytes", of_size(640), &idle);
    valid(
        "unknown-keys",
        record(r#"{"mpota":1,"seq":7,"state":"idle","a":[1,{"b":null}],"c":true,"d":"ü","e":-1.5}"#),
        &idle,
    );
    let early = [idle[0], idle[1], idle[2], ("early", "1")];
    valid("early", record(r#"{"mpota":1,"seq":7,"state":"idle","early":1}"#), &early);
    valid("early-two", record(r#"{"mpota":1,"seq":7,"state":"idle","early":2}"#), &idle);
    valid("other-order", record(r#"{"state":"idle","seq":7,"mpota":1}"#), &idle);
    valid("spaces", record(r#"{"mpota": 1, "seq": 7, "state": "idle"}"#), &idle);
    valid("escapes", record(r#"{"mpota":1,"seq":7,"st\u0061te":"idl\u0065"}"#), &idle);
    valid(
        "later-format",
        record(r#"{"mpota":2,"seq":7,"state":"idle","slot":"b"}"#),
        &[("mpota", "2"), idle[1], idle[2]],
    );
    valid("only-what-counts", record(r#"{"seq":7,"state":"idle"}"#), &idle[1..]);
    valid("first", record(r#"{"mpota":1,"seq":1,"state":"idle"}"#), &[idle[0], ("seq", "1"), idle[2]]);
    let seq = "1000000000";
    valid(
        "large-number",
        record(format!("{{\"mpota\":1,\"seq\":{seq},\"state\":\"idle\"}}")),
        &[idle[0], ("seq", seq), idle[2]],
    );
    let version = record(
        r#"{"mpota":1,"seq":7,"state":"undone","version":"v1.0.0","next":"v2.0.0-rc.1+b","boots":2,"bad":"v2.0.0-rc.1+b"}"#,
    );
    let next = "\"v2.0.0-rc.1+b\"";
    let found =
        [("version", "\"v1.0.0\""), ("next", next), ("boots", "2"), ("bad", next), ("state", "\"undone\"")];
    valid("undone", version, &[&idle[..2], &found].concat());
    // `everything` is what its text says.
    files.insert("journal/valid/everything.json".into(), format!("{TRIAL}\n").into());

    for (name, bytes) in invalid() {
        put(files, format!("journal/invalid/{name}"), bytes);
    }
}

fn invalid() -> Vec<(&'static str, Vec<u8>)> {
    let whole = record(TRIAL);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let idle = record(r#"{"mpota":1,"seq":7,"state":"idle"}"#);
    let half = whole.len() / 2;
    let (sum, json) = text.split_at(8);
    let fields = |fields: &str| record(format!("{{\"mpota\":1,{fields}}}"));
    let upper = sum.to_uppercase();
    assert_ne!(sum, upper);
    vec![
        ("empty", Vec::new()),
        ("line-break-only", b"\n".into()),
        ("all-ff", vec![0xff; 512]),
        ("all-00", vec![0; 512]),
        (
            "checksum-of-something-else",
            text.replacen(&sum[..1], if sum.starts_with('0') { "1" } else { "0" }, 1).into(),
        ),
        ("one-bit-changed", text.replace("v1.1.0", "v1.1.1").into()),
        ("checksum-in-capitals", format!("{upper}{json}").into()),
        ("checksum-too-short", text[1..].into()),
        ("checksum-too-long", format!("0{text}").into()),
        ("checksum-missing", json.trim_start().into()),
        ("space-missing", format!("{sum}{}", json.trim_start()).into()),
        ("tab-for-space", text.replacen(' ', "\t", 1).into()),
        ("cut-in-checksum", text[..5].into()),
        ("cut-behind-checksum", text[..9].into()),
        ("cut-in-half", whole[..half].into()),
        ("line-break-missing", text.trim_end().into()),
        ("carriage-return", text.replace('\n', "\r\n").into()),
        ("torn-ff", [&whole[..half], &vec![0xff; whole.len() - half]].concat()),
        ("torn-00", [&whole[..half], &vec![0; whole.len() - half]].concat()),
        ("tail-of-a-longer-one", [&idle[..], &whole[idle.len()..]].concat()),
        ("two-lines", [&idle[..], &idle[..]].concat()),
        ("empty-line-behind", format!("{text}\n").into()),
        ("empty-line-before", format!("\n{text}").into()),
        ("line-break-inside", record("{\"mpota\":1,\"seq\":7,\n\"state\":\"idle\"}")),
        ("ff-behind", [&whole[..], b"\xff"].concat()),
        ("byte-order-mark", format!("\u{feff}{text}").into()),
        ("641-bytes", of_size(641)),
        ("5000-bytes", of_size(5000)),
        ("two-spaces", record(" {\"mpota\":1,\"seq\":7,\"state\":\"idle\"}")),
        ("not-json", record("idle")),
        ("json-two-objects", record("{\"seq\":7,\"state\":\"idle\"}{}")),
        ("json-array", record("[7,\"idle\"]")),
        ("json-string", record("\"idle\"")),
        ("json-number", record("7")),
        ("json-null", record("null")),
        ("json-empty", record("{}")),
        ("nothing-in-it", record("")),
        ("seq-missing", fields("\"state\":\"idle\"")),
        ("seq-zero", fields("\"seq\":0,\"state\":\"idle\"")),
        ("seq-negative", fields("\"seq\":-1,\"state\":\"idle\"")),
        ("seq-fraction", fields("\"seq\":1.5,\"state\":\"idle\"")),
        ("seq-string", fields("\"seq\":\"7\",\"state\":\"idle\"")),
        ("seq-null", fields("\"seq\":null,\"state\":\"idle\"")),
        ("seq-true", fields("\"seq\":true,\"state\":\"idle\"")),
        ("seq-array", fields("\"seq\":[7],\"state\":\"idle\"")),
        ("state-missing", fields("\"seq\":7")),
        ("state-unknown", fields("\"seq\":7,\"state\":\"asleep\"")),
        ("state-empty", fields("\"seq\":7,\"state\":\"\"")),
        ("state-in-capitals", fields("\"seq\":7,\"state\":\"IDLE\"")),
        ("state-with-space", fields("\"seq\":7,\"state\":\"idle \"")),
        ("state-null", fields("\"seq\":7,\"state\":null")),
        ("state-number", fields("\"seq\":7,\"state\":0")),
        ("state-array", fields("\"seq\":7,\"state\":[\"idle\"]")),
        ("boots-string", fields("\"seq\":7,\"state\":\"idle\",\"boots\":\"1\"")),
        ("wakes-string", fields("\"seq\":7,\"state\":\"idle\",\"wakes\":\"1\"")),
        ("most-null", fields("\"seq\":7,\"state\":\"idle\",\"most\":null")),
        ("wait-fraction", fields("\"seq\":7,\"state\":\"idle\",\"wait\":0.5")),
        ("again-negative", fields("\"seq\":7,\"state\":\"idle\",\"again\":-1")),
        ("since-string", fields("\"seq\":7,\"state\":\"idle\",\"since\":\"\"")),
        ("boots-negative", fields("\"seq\":7,\"state\":\"idle\",\"boots\":-1")),
        ("secs-null", fields("\"seq\":7,\"state\":\"idle\",\"secs\":null")),
        ("repair-fraction", fields("\"seq\":7,\"state\":\"idle\",\"repair\":0.5")),
        ("early-string", fields("\"seq\":7,\"state\":\"idle\",\"early\":\"1\"")),
        ("early-true", fields("\"seq\":7,\"state\":\"idle\",\"early\":true")),
        ("early-negative", fields("\"seq\":7,\"state\":\"idle\",\"early\":-1")),
        ("version-number", fields("\"seq\":7,\"state\":\"idle\",\"version\":1")),
        ("why-array", fields("\"seq\":7,\"state\":\"idle\",\"why\":[]")),
    ]
}
