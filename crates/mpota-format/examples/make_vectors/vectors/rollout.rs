//! Rollouts: right ones, and wrong in one way each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mpota_format::digest::sha256;

use super::keys::{Blob, test_key};
use super::text::edit;
use super::{Files, put};

/// A rollout with everything: most broken ones are this one with one change.
const FULL: &str = concat!(
    r#"{"mpota-rollout":1,"project":"octo/weather","version":"v1.2.0","number":1795000000,"until":1798000000,"#,
    r#""stages":[[0,5],[1796000000,25]],"boards":["e6614c311b7e6f35"]}"#,
    "\n"
);
/// No more than it must have.
const LEAST: &str =
    "{\"mpota-rollout\":1,\"version\":\"v1.2.0\",\"number\":1,\"until\":1,\"stages\":[[0,0]]}\n";

/// What the reader knows.
#[derive(Clone, Copy)]
struct Context {
    version: &'static str,
    project: &'static str,
    now: u64,
    number: u64,
    keys: bool,
}

const PLAIN: Context =
    Context { version: "v1.2.0", project: "octo/weather", now: 1_796_500_000, number: 0, keys: false };
const KEYS: Context = Context { keys: true, ..PLAIN };
const EARLY: Context = Context { now: 1, ..PLAIN };

fn context(files: &mut Files, folder: &str, context: Context) {
    let Context { version, project, now, number, keys } = context;
    let text = format!(
        "{{\"version\":\"{version}\",\"project\":\"{project}\",\"now\":{now},\"number\":{number},\"keys\":{keys}}}\n"
    );
    put(files, format!("{folder}/context.json"), text);
}

/// A rollout that is refused with `code`.
fn broken(files: &mut Files, code: &str, how: &str, rollout: impl Into<Vec<u8>>, known: Context) {
    let folder = format!("rollout/invalid/{code}-{how}");
    put(files, format!("{folder}/rollout.json"), rollout);
    put(files, format!("{folder}/error"), format!("{code}\n"));
    context(files, &folder, known);
}

/// The same where a board may take it.
fn lax(files: &mut Files, code: &str, how: &str, rollout: impl Into<Vec<u8>>, known: Context) {
    broken(files, code, how, rollout, known);
    put(files, format!("rollout/invalid/{code}-{how}/board"), "may accept\n");
}

/// The facts are those of the text: it is JSON, and a reader must find just that.
fn valid(files: &mut Files, name: &str, rollout: impl Into<Vec<u8>>, known: Context) {
    let folder = format!("rollout/valid/{name}");
    let bytes = rollout.into();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let or = |key: &str, default: &str| json.get(key).map_or(default.to_owned(), ToString::to_string);
    let of = |key: &str| or(key, "?");
    let facts = format!(
        "{{\"version\":{},\"project\":{},\"number\":{},\"until\":{},\"halted\":{},\"stages\":{},\"boards\":{},\"signed\":{}}}\n",
        of("version"),
        or("project", "null"),
        of("number"),
        of("until"),
        or("halted", "false"),
        of("stages"),
        or("boards", "[]"),
        json.get("signature").is_some(),
    );
    put(files, format!("{folder}/rollout.json"), bytes);
    put(files, format!("{folder}/facts.json"), facts);
    context(files, &folder, known);
}

/// The first line as it is signed.
fn message(text: &str) -> String {
    edit(text, "}\n", ",\n")
}

fn with(text: &str, base64: &str) -> String {
    format!("{}\"signature\":\"{base64}\"}}\n", message(text))
}

/// A right signature by this key, after a change that is signed too.
fn signed(text: &str, key: u8, change: impl FnOnce(&mut Blob)) -> String {
    let digest = sha256(message(text).as_bytes());
    let mut blob = Blob::new(&test_key(key), &digest);
    blob.namespace = b"mpota-rollout";
    change(&mut blob);
    blob.sign(&test_key(key), &digest);
    with(text, &STANDARD.encode(blob.bytes()))
}

/// What a signature by key 1 is after a change that is not signed.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let text = signed(FULL, 1, |_| ());
    let (first, second) = text.split_once("\"signature\":\"").unwrap_or_default();
    let mut blob = STANDARD.decode(second.trim_end_matches("\"}\n")).unwrap_or_default();
    change(&mut blob);
    format!("{first}\"signature\":\"{}\"}}\n", STANDARD.encode(blob))
}

pub fn add(files: &mut Files) {
    taken(files);
    bytes(files);
    form(files);
    values(files);
    asked(files);
    signatures(files);
}

fn ids(count: usize) -> String {
    let ids: Vec<String> = (0..count).map(|n| format!("\"{n}\"")).collect();
    format!("[{}]", ids.join(","))
}

/// Its first line is of this many bytes, the line break included: it has more boards.
fn padded(bytes: usize) -> String {
    let text = |ids: usize, last: usize| {
        let ids: Vec<String> =
            (0..ids).map(|n| format!("\"{n:064}\"")).chain([format!("\"{:1$}\"", 7, last)]).collect();
        let ids = ids.join(",").replace(' ', "x");
        edit(FULL, "\"e6614c311b7e6f35\"", &ids)
    };
    let ids = (bytes - text(0, 1).len()) / 67;
    let last = 1 + bytes - text(ids, 1).len();
    let text = text(ids, last);
    assert!(text.len() == bytes && last <= 64, "{} bytes", text.len());
    text
}

fn taken(files: &mut Files) {
    valid(files, "everything", FULL, PLAIN);
    valid(files, "least", LEAST, EARLY);
    valid(files, "halted", edit(FULL, ",\"stages\"", ",\"halted\":true,\"stages\""), PLAIN);
    valid(files, "one-stage", edit(FULL, "[[0,5],[1796000000,25]]", "[[0,100]]"), PLAIN);
    let most = "[[0,0],[1,1],[2,2],[3,50],[4,3],[5,0],[6,100],[9999999999,100]]";
    valid(files, "eight-stages-up-and-down", edit(FULL, "[[0,5],[1796000000,25]]", most), PLAIN);
    valid(files, "first-stage-later", edit(FULL, "[0,5]", "[1795999999,5]"), PLAIN);
    valid(files, "32-boards", edit(FULL, "[\"e6614c311b7e6f35\"]", &ids(32)), PLAIN);
    let named = format!("[\"{}\",\"A.Z_a-z\",\"-\",\"240ac4123456\"]", "9".repeat(64));
    valid(files, "ids-of-all-kinds", edit(FULL, "[\"e6614c311b7e6f35\"]", &named), PLAIN);
    valid(files, "no-boards", edit(FULL, ",\"boards\":[\"e6614c311b7e6f35\"]", ""), PLAIN);
    let ends = edit(FULL, "1798000000", "9999999999");
    valid(files, "without-an-end", &*ends, Context { now: 9_999_999_999, ..PLAIN });
    valid(files, "number-largest", edit(FULL, "1795000000", "9999999999"), PLAIN);
    valid(files, "number-the-same", FULL, Context { number: 1_795_000_000, ..PLAIN });
    valid(files, "number-higher", FULL, Context { number: 1_794_999_999, ..PLAIN });
    valid(files, "at-its-end", FULL, Context { now: 1_798_000_000, ..PLAIN });
    valid(files, "without-a-clock", FULL, Context { now: 0, ..PLAIN });
    let capitals = edit(FULL, "octo/weather", "Octo/WEATHER");
    valid(files, "project-in-other-letter-case", capitals, PLAIN);
    let other = Context { version: "1.2.0-rc.1+b.2", ..PLAIN };
    valid(files, "version-with-all-parts", edit(FULL, "v1.2.0", "1.2.0-rc.1+b.2"), other);
    valid(files, "longest", padded(1024), PLAIN);

    valid(files, "signed", signed(FULL, 1, |_| ()), KEYS);
    valid(files, "signed-by-the-second-key", signed(FULL, 2, |_| ()), KEYS);
    valid(files, "signed-and-longest", signed(&padded(1024), 1, |_| ()), KEYS);
    let halted = edit(FULL, ",\"stages\"", ",\"halted\":true,\"stages\"");
    valid(files, "signed-and-halted", signed(&halted, 1, |_| ()), KEYS);
    valid(files, "signed-and-no-keys", signed(FULL, 3, |_| ()), PLAIN);
    valid(files, "signature-not-looked-at", with(FULL, "AAAA"), PLAIN);
}

fn bytes(files: &mut Files) {
    let long = |from: &str, most: usize| from.to_owned() + &" ".repeat(most - from.len());
    broken(files, "too-large", "spaces-behind", long(FULL, 1537), PLAIN);
    broken(files, "too-large", "no-rollout", "x".repeat(1537), PLAIN);
    broken(files, "ending", "spaces-behind-up-to-the-limit", long(FULL, 1536), PLAIN);
    for (how, text) in [
        ("empty", ""),
        ("html", "<!DOCTYPE html>\n<html>Not Found</html>\n"),
        ("json", "{}\n"),
        ("manifest", "{\"mpota\":1,\"version\":\"v1.0.0\",\"files\":[\n"),
        ("space", " {\"mpota-rollout\":1}\n"),
        ("byte-order-mark", "\u{feff}{\"mpota-rollout\":1}\n"),
        ("cut", "{\"mpota-rollout\""),
    ] {
        broken(files, "not-a-rollout", how, text, PLAIN);
    }
    for (how, number) in
        [("2", "2"), ("10", "10"), ("0", "0"), ("01", "01"), ("large", "99999999999999999999")]
    {
        let text = edit(FULL, "\"mpota-rollout\":1,", &format!("\"mpota-rollout\":{number},"));
        broken(files, "format-version", how, text, PLAIN);
    }
    broken(files, "format-version", "and-nothing-known", "{\"mpota-rollout\":2,\"parts\":[\n]}\n", PLAIN);
    broken(files, "line-too-long", "first", padded(1025), PLAIN);
    broken(files, "line-too-long", "first-without-line-break", FULL.trim_end(), PLAIN);
    broken(files, "line-too-long", "first-cut", &FULL[..60], PLAIN);
    broken(files, "line-too-long", "first-signed", signed(&padded(1025), 1, |_| ()), KEYS);
    broken(files, "line-too-long", "signature", with(FULL, &"A".repeat(500)), PLAIN);
    let whole = signed(FULL, 1, |_| ());
    broken(files, "line-too-long", "signature-without-line-break", whole.trim_end(), KEYS);
    broken(files, "line-too-long", "signature-cut", &whole[..whole.len() - 40], KEYS);
    broken(files, "ending", "signature-missing", message(FULL), KEYS);
    broken(files, "ending", "line-break-behind", FULL.to_owned() + "\n", PLAIN);
    broken(files, "ending", "itself-behind", FULL.repeat(2), PLAIN);
    broken(files, "ending", "signed-and-line-break-behind", whole.clone() + "\n", KEYS);
    broken(files, "ending", "signed-and-signature-behind", whole.clone() + "\"signature\":\"AAAA\"}\n", KEYS);
    broken(files, "ending", "signature-behind-the-end", FULL.to_owned() + "\"signature\":\"AAAA\"}\n", PLAIN);
    for (how, line) in [
        ("empty", "\"signature\":\"\"}"),
        ("no-padding", "\"signature\":\"AAA\"}"),
        ("url-alphabet", "\"signature\":\"__-_\"}"),
        ("number", "\"signature\":1}"),
        ("space", "\"signature\": \"AAAA\"}"),
        ("key-missing", "\"AAAA\"}"),
        ("brace-missing", "\"signature\":\"AAAA\""),
        ("comma-behind", "\"signature\":\"AAAA\"},"),
        ("carriage-return", "\"signature\":\"AAAA\"}\r"),
        ("empty-line", ""),
    ] {
        broken(files, "signature", how, format!("{}{line}\n", message(FULL)), PLAIN);
    }
}

/// Other spellings of a first line, and keys that it cannot have.
fn form(files: &mut Files) {
    for (how, from, to) in [
        ("space-behind-colon", "\"number\":", "\"number\": "),
        ("space-behind-comma", ",\"until\"", ", \"until\""),
        ("space-in-stages", "[0,5]", "[0, 5]"),
        ("space-at-end", "}\n", "} \n"),
        ("carriage-return", "}\n", "}\r\n"),
        ("tab", ",\"number\"", ",\t\"number\""),
        ("escape-in-key", "\"number\"", "\"n\\u0075mber\""),
        ("escape-in-version", "v1.2.0", "v1\\u002e2.0"),
        ("escape-in-project", "octo/weather", "octo\\/weather"),
        ("escape-in-id", "e6614c311b7e6f35", "\\u0065"),
        ("number-leading-zero", "\"number\":1", "\"number\":01"),
        ("number-point", "1795000000", "1795000000.0"),
        ("number-exponent", "1795000000", "18e8"),
        ("number-plus", "1795000000", "+1795000000"),
        ("percent-leading-zero", "[0,5]", "[0,05]"),
        ("percent-minus-zero", "[0,5]", "[0,-0]"),
        ("format-as-text", "\"mpota-rollout\":1", "\"mpota-rollout\":\"1\""),
        ("format-true", "\"mpota-rollout\":1", "\"mpota-rollout\":true"),
        ("format-1.0", "\"mpota-rollout\":1,", "\"mpota-rollout\":1.0,"),
        ("unknown-key", "\"stages\"", "\"note\":\"x\",\"stages\""),
        ("unknown-key-at-end", "}\n", ",\"note\":1}\n"),
        ("needs", "\"number\"", "\"needs\":[\"x\"],\"number\""),
        ("number-twice", "\"number\":1795000000", "\"number\":1795000000,\"number\":1795000000"),
        ("stages-twice", ",\"boards\"", ",\"stages\":[[0,100]],\"boards\""),
        (
            "order-until-before-number",
            "\"number\":1795000000,\"until\":1798000000",
            "\"until\":1798000000,\"number\":1795000000",
        ),
        ("order-halted-at-end", "}\n", ",\"halted\":true}\n"),
        (
            "order-version-before-project",
            "\"project\":\"octo/weather\",\"version\":\"v1.2.0\"",
            "\"version\":\"v1.2.0\",\"project\":\"octo/weather\"",
        ),
        ("version-missing", "\"version\":\"v1.2.0\",", ""),
        ("number-missing", "\"number\":1795000000,", ""),
        ("until-missing", "\"until\":1798000000,", ""),
        ("stages-missing", "\"stages\":[[0,5],[1796000000,25]],", ""),
        ("brace-missing", "}\n", "\n"),
        ("brace-twice", "}\n", "}}\n"),
        ("bracket-missing", "25]]", "25]"),
        ("comma-at-end-and-brace", "}\n", ",}\n"),
        ("signature-on-the-same-line", "}\n", ",\"signature\":\"AAAA\"}\n"),
    ] {
        broken(files, "form", how, edit(FULL, from, to), PLAIN);
    }
    broken(files, "form", "nothing-but-the-format", "{\"mpota-rollout\":1}\n", PLAIN);
    broken(files, "form", "format-and-comma", "{\"mpota-rollout\":1,\n", PLAIN);
    broken(files, "form", "format-empty", "{\"mpota-rollout\":,\n", PLAIN);
    let text = edit(FULL, "e6614c311b7e6f35", "?");
    let at = text.find('?').unwrap_or_default();
    let bytes = [&text.as_bytes()[..at], b"\xff", &text.as_bytes()[at + 1..]].concat();
    lax(files, "form", "not-utf8", bytes, PLAIN);
}

/// Values of another type or out of their bounds.
fn values(files: &mut Files) {
    let value = |files: &mut Files, how: &str, from: &str, values: &[(&str, &str)]| {
        for (what, to) in values {
            broken(files, "form", &format!("{how}-{what}"), edit(FULL, from, to), PLAIN);
        }
    };
    let kinds = [("null", "null"), ("true", "true"), ("text", "\"5\""), ("array", "[5]"), ("object", "{}")];
    let bounds = [
        ("zero", "0"),
        ("too-large", "10000000000"),
        ("very-large", "18446744073709551617"),
        ("negative", "-5"),
    ];
    let numbers = [&kinds[..], &bounds].concat();
    value(files, "number", "1795000000", &numbers);
    value(files, "until", "1798000000", &numbers);
    value(files, "version", "\"v1.2.0\"", &[("null", "null"), ("number", "1"), ("array", "[\"v1.2.0\"]")]);
    value(files, "project", "\"octo/weather\"", &[("null", "null"), ("number", "1"), ("object", "{}")]);
    let halted = |value: &str| format!("\"until\":1798000000,\"halted\":{value}");
    for (what, to) in [("false", "false"), ("null", "null"), ("1", "1"), ("text", "\"true\"")] {
        let text = edit(FULL, "\"until\":1798000000", &halted(to));
        broken(files, "form", &format!("halted-{what}"), text, PLAIN);
    }
    value(
        files,
        "stages",
        "[[0,5],[1796000000,25]]",
        &[
            ("null", "null"),
            ("empty", "[]"),
            ("object", "{\"0\":5}"),
            ("not-nested", "[0,5]"),
            ("number", "5"),
            ("of-null", "[null]"),
            ("of-empty", "[[]]"),
            ("of-one-number", "[[0]]"),
            ("of-three-numbers", "[[0,5,1]]"),
            ("of-objects", "[{\"0\":5}]"),
            ("nine", "[[0,1],[1,1],[2,1],[3,1],[4,1],[5,1],[6,1],[7,1],[8,1]]"),
            ("comma-at-end", "[[0,5],]"),
            ("order", "[[1796000000,5],[0,25]]"),
            ("twice-the-same-time", "[[0,5],[0,25]]"),
        ],
    );
    value(
        files,
        "percent",
        "[0,5]",
        &[
            ("101", "[0,101]"),
            ("256", "[0,256]"),
            ("negative", "[0,-1]"),
            ("half", "[0,0.5]"),
            ("text", "[0,\"5\"]"),
            ("null", "[0,null]"),
            ("true", "[0,true]"),
            ("very-large", "[0,18446744073709551617]"),
        ],
    );
    value(
        files,
        "from",
        "[0,5]",
        &[("negative", "[-1,5]"), ("text", "[\"0\",5]"), ("null", "[null,5]"), ("false", "[false,5]")],
    );
    let late = edit(FULL, "[1796000000,25]", "[10000000000,25]");
    broken(files, "form", "from-too-large", late, PLAIN);
    value(
        files,
        "boards",
        "[\"e6614c311b7e6f35\"]",
        &[
            ("null", "null"),
            ("empty", "[]"),
            ("text", "\"e6614c311b7e6f35\""),
            ("object", "{\"e6614c311b7e6f35\":1}"),
            ("of-numbers", "[1]"),
            ("of-null", "[null]"),
            ("nested", "[[\"a\"]]"),
            ("comma-at-end", "[\"a\",]"),
        ],
    );
    for (how, boards) in [
        ("twice", "[\"a\",\"b\",\"a\"]".to_owned()),
        ("empty-id", "[\"\"]".into()),
        ("id-of-65-characters", format!("[\"{}\"]", "a".repeat(65))),
        ("id-with-space", "[\"a b\"]".into()),
        ("id-with-slash", "[\"a/b\"]".into()),
        ("id-with-umlaut", "[\"\u{e4}\"]".into()),
        ("id-with-quote", "[\"\\\"\"]".into()),
        ("33", ids(33)),
    ] {
        let text = edit(FULL, "[\"e6614c311b7e6f35\"]", &boards);
        lax(files, "form", &format!("boards-{how}"), text, PLAIN);
    }
}

/// Right ones, but not what was asked for.
fn asked(files: &mut Files) {
    broken(files, "version", "another", edit(FULL, "v1.2.0", "v1.2.1"), PLAIN);
    broken(files, "version", "older", edit(FULL, "v1.2.0", "v1.1.0"), PLAIN);
    broken(files, "version", "without-v", edit(FULL, "v1.2.0", "1.2.0"), PLAIN);
    broken(files, "version", "other-build", FULL, Context { version: "v1.2.0+b", ..PLAIN });
    let of_the_same_name = edit(FULL, "v1.2.0", "v1.2.0-b");
    broken(files, "version", "of-the-same-name", of_the_same_name, Context { version: "v1.2.0+b", ..PLAIN });
    for (how, version) in [("empty", ""), ("two-numbers", "v1.2"), ("word", "latest"), ("slash", "../v1.2.0")]
    {
        broken(files, "version", how, edit(FULL, "v1.2.0", version), PLAIN);
    }
    broken(files, "version", "signed", signed(FULL, 1, |_| ()), Context { version: "v1.3.0", ..KEYS });
    broken(files, "project", "another", edit(FULL, "octo/weather", "octo/garden"), PLAIN);
    broken(files, "project", "of-another-owner", edit(FULL, "octo/weather", "evil/weather"), PLAIN);
    let other = edit(FULL, "octo/weather", "octo/garden");
    broken(files, "project", "another-signed", signed(&other, 1, |_| ()), KEYS);
    for (how, project) in [("empty", ""), ("without-owner", "weather"), ("three-parts", "octo/weather/x")] {
        broken(files, "project", how, edit(FULL, "octo/weather", project), PLAIN);
    }
    let none = edit(FULL, "\"project\":\"octo/weather\",", "");
    valid(files, "no-project-and-no-keys", &*none, PLAIN);
    broken(files, "project", "missing-where-there-are-keys", signed(&none, 1, |_| ()), KEYS);
    broken(files, "expired", "by-a-second", FULL, Context { now: 1_798_000_001, ..PLAIN });
    broken(files, "expired", "signed", signed(FULL, 1, |_| ()), Context { now: 1_900_000_000, ..KEYS });
    broken(files, "expired", "long-ago", LEAST, PLAIN);
    let halted = edit(FULL, ",\"stages\"", ",\"halted\":true,\"stages\"");
    broken(files, "expired", "halted", halted, Context { now: 1_798_000_001, ..PLAIN });
    broken(files, "older", "by-one", FULL, Context { number: 1_795_000_001, ..PLAIN });
    broken(files, "older", "signed", signed(FULL, 1, |_| ()), Context { number: 9_999_999_999, ..KEYS });
    // Which of two rules comes first.
    let late = Context { now: 1_900_000_000, number: 9_999_999_999, ..KEYS };
    broken(files, "expired", "and-older-and-unsigned", FULL, late);
    broken(files, "older", "and-unsigned", FULL, Context { now: 0, ..late });
    broken(files, "version", "and-project", edit(&other, "v1.2.0", "v1.2.1"), late);
    broken(files, "project", "and-expired", &*other, late);
    broken(files, "signature", "and-version", with(&edit(FULL, "v1.2.0", "v1"), "?"), late);
    broken(files, "form", "and-ending", edit(FULL, "[0,5]", "[0,101]") + "\n", late);
}

fn signatures(files: &mut Files) {
    let mut wrong = |code: &str, how: &str, text: String| broken(files, code, how, text, KEYS);
    wrong("unsigned", "plain", FULL.to_owned());
    wrong("sig-form", "short", with(FULL, "AAAA"));
    wrong("sig-form", "cut", damaged(|blob| blob.truncate(100)));
    wrong("sig-form", "byte-behind", damaged(|blob| blob.push(0)));
    wrong("sig-form", "reserved-not-empty", signed(FULL, 1, |blob| blob.reserved = b"x"));
    wrong("sig-key-type", "rsa", signed(FULL, 1, |blob| blob.key = super::keys::typed("ssh-rsa", &[1; 32])));
    for (how, namespace) in [
        ("of-manifests", &b"mpota"[..]),
        ("empty", b""),
        ("file", b"file"),
        ("longer", b"mpota-rollout2"),
        ("capitals", b"mpota-Rollout"),
    ] {
        wrong("sig-namespace", how, signed(FULL, 1, |blob| blob.namespace = namespace));
    }
    for (how, hash) in [("sha512", &b"sha512"[..]), ("empty", b"")] {
        wrong("sig-hash", how, signed(FULL, 1, |blob| blob.hash = hash));
    }
    wrong("sig-unknown-key", "third-key", signed(FULL, 3, |_| ()));
    let right = signed(FULL, 1, |_| ());
    for (how, from, to) in [
        ("percent-changed", "[0,5]", "[0,9]"),
        ("number-changed", "1795000000", "1795000001"),
        ("until-changed", "1798000000", "9999999999"),
        ("board-changed", "e6614c311b7e6f35", "e6614c311b7e6f36"),
        ("halted-added", ",\"stages\"", ",\"halted\":true,\"stages\""),
        ("boards-removed", ",\"boards\":[\"e6614c311b7e6f35\"]", ""),
    ] {
        wrong("sig-bad", how, edit(&right, from, to));
    }
    let halted = edit(FULL, ",\"stages\"", ",\"halted\":true,\"stages\"");
    let unhalted = edit(&signed(&halted, 1, |_| ()), ",\"halted\":true", "");
    wrong("sig-bad", "halted-removed", unhalted);
    wrong("sig-bad", "s-changed", damaged(|blob| *blob.last_mut().unwrap_or(&mut 0) ^= 1));
    let over = |part: &[u8]| {
        let mut blob = Blob::new(&test_key(1), &sha256(part));
        blob.namespace = b"mpota-rollout";
        blob.sign(&test_key(1), &sha256(part));
        with(FULL, &STANDARD.encode(blob.bytes()))
    };
    wrong("sig-bad", "over-the-unsigned-rollout", over(FULL.as_bytes()));
    wrong("sig-bad", "over-all-but-the-line-break", over(message(FULL).trim_end().as_bytes()));
    wrong("sig-bad", "over-nothing", over(b""));
}
