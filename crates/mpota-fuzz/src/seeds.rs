//! Where mutations begin: every vector of `spec/vectors`, and the words of each format.

use std::fs;
use std::path::{Path, PathBuf};

use mpota_format::journal::{Record, State};

/// The words of a manifest.
pub const MANIFEST: [&str; 47] = [
    "{\"mpota\":1",
    "{\"mpota\":2",
    "\"mpota\":",
    ",\"project\":\"octo/weather\"",
    ",\"version\":\"v1.0.0\"",
    ",\"created\":1750000000",
    ",\"needs\":[\"delta\"]",
    ",\"requires\":{",
    "\"board\":[\"PICO\"]",
    ",\"more\":{\"a\":1}",
    "\"b\":[\"x\",0]",
    "\"flash\":1",
    "\"micropython\":\"1.21\"",
    "\"platform\":[\"esp32\",\"rp2\"]",
    "\"mpy\":\"6.3\"",
    ",\"pack\":{\"asset\":\"a.pack\",\"size\":1000}",
    ",\"hooks\":{",
    "\"post_update\":\"a\"",
    "\"rollback\":\"a\"",
    ",\"files\":[\n",
    "{\"path\":\"",
    "\"size\":",
    ",\"sha256\":\"",
    ",\"crc32\":\"",
    ",\"offset\":0",
    ",\"length\":0",
    ",\"asset\":\"a\"",
    ",\"keep\":true",
    "\"keep\":",
    "]}\n",
    "],\n",
    "\"signature\":\"",
    "\"}\n",
    "},\n",
    "{}",
    "[]",
    "true",
    "false",
    "null",
    ".ota/",
    "version.json",
    "manifest.json",
    "boot.py",
    "A",
    "/",
    "{",
    "}",
];
/// The words of a report.
pub const REPORT: [&str; 20] = [
    "\"id\":\"a\"",
    ",\"version\":\"v1.0.0\"",
    ",\"bad\":\"v1.0.1\"",
    ",\"state\":\"idle\"",
    ",\"why\":\"x\"",
    ",\"micropython\":\"1.25.0\"",
    ",\"board\":\"PICO\"",
    ",\"flash\":1",
    ",\"memory\":0",
    ",\"boots\":2",
    ",\"new\":[{}]",
    "\\u0041",
    "\\u202e",
    "\\n",
    "9007199254740991",
    "1e3",
    "null",
    "{",
    "}",
    ", ",
];
/// The words of a journal record.
pub const RECORD: [&str; 43] = [
    "\"mpota\":1",
    "\"seq\":12",
    "\"seq\":",
    "\"state\":\"idle\"",
    "\"state\":",
    "staged",
    "swapping",
    "trial",
    "confirmed",
    "undoing",
    "undone",
    "\"version\":\"v1.0.0\"",
    "\"next\":\"\"",
    "\"plan\":\"\"",
    "\"boots\":1",
    "\"wakes\":2",
    "\"tries\":3",
    "\"most\":300",
    "\"wait\":7200",
    "\"again\":1",
    "\"since\":1795000000",
    "\"secs\":600",
    "\"hook\":1",
    "\"hook\":0",
    "\"repair\":0",
    "\"repair\":1",
    "\"early\":0",
    "\"early\":1",
    "\"bad\":\"\"",
    "\"why\":\"x\"",
    "{}",
    "[]",
    "true",
    "null",
    ",",
    ":",
    "{",
    "}",
    " ",
    "\"",
    "\\u0069",
    "1.0",
    "-1",
];
/// The words of a rollout.
pub const ROLLOUT: [&str; 26] = [
    "{\"mpota-rollout\":1",
    "{\"mpota-rollout\":2",
    ",\"project\":\"octo/weather\"",
    ",\"version\":\"v1.2.0\"",
    ",\"number\":1795000000",
    ",\"until\":9999999999",
    ",\"halted\":true",
    ",\"halted\":",
    ",\"stages\":[",
    "[0,5]",
    "[1796000000,25]",
    ",[9999999999,100]",
    "]]",
    ",\"boards\":[",
    "\"e6614c311b7e6f35\"",
    "\"A.b_c-d\"",
    "]",
    "}\n",
    ",\n",
    "\"signature\":\"",
    "\"}\n",
    "true",
    "null",
    "-1",
    "101",
    "\\u0061",
];
/// The words of a version.
pub const VERSION: [&str; 16] = [
    "v",
    "V",
    ".",
    "-",
    "+",
    "-rc.1",
    "-alpha",
    "+build",
    "0",
    "00",
    "01",
    "999999999",
    "1000000000",
    "--",
    "..",
    "_",
];

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const BOTH: [&str; 2] = ["valid", "invalid"];

fn vectors(folder: &str, name: &str, kinds: &[&str]) -> Vec<Vec<u8>> {
    let root = repository().join("spec/vectors").join(folder);
    let mut paths: Vec<PathBuf> = Vec::new();
    for kind in kinds {
        let cases = fs::read_dir(root.join(kind)).into_iter().flatten().flatten();
        paths.extend(cases.map(|case| if name.is_empty() { case.path() } else { case.path().join(name) }));
    }
    paths.retain(|path| path.extension().is_none_or(|e| !name.is_empty() || e != "json"));
    paths.sort();
    let found: Vec<Vec<u8>> = paths.iter().filter_map(|path| fs::read(path).ok()).collect();
    assert!(!found.is_empty() && found.len() == paths.len(), "the vectors in {folder} cannot be read");
    found
}

/// Every vector of manifests and signatures.
#[must_use]
pub fn all_manifests() -> Vec<Vec<u8>> {
    ["manifest", "signature"].map(|folder| vectors(folder, "manifest.json", &BOTH)).concat()
}

/// Those that are short enough to be changed thousands of times; the valid ones several times, because most changes
/// of an invalid one leave it as it is.
#[must_use]
pub fn manifests() -> Vec<Vec<u8>> {
    let valid = ["manifest", "signature"].map(|folder| vectors(folder, "manifest.json", &BOTH[..1])).concat();
    let mut all = [all_manifests(), vec![valid; 8].concat()].concat();
    all.retain(|bytes| bytes.len() < 6000);
    all
}

/// Every vector of rollouts, the valid ones several times.
#[must_use]
pub fn rollouts() -> Vec<Vec<u8>> {
    let valid = vectors("rollout", "rollout.json", &BOTH[..1]);
    [vectors("rollout", "rollout.json", &BOTH), vec![valid; 8].concat()].concat()
}

/// Every vector of the journal.
#[must_use]
pub fn all_records() -> Vec<Vec<u8>> {
    vectors("journal", "", &BOTH)
}

/// Every vector of reports, the valid ones several times.
#[must_use]
pub fn reports() -> Vec<Vec<u8>> {
    let valid = vec![vectors("report", "header", &BOTH[..1]); 3].concat();
    [vectors("report", "header", &BOTH), valid].concat()
}

/// The same as [`all_records`], the valid ones several times, and records in which every key has a value.
#[must_use]
pub fn records() -> Vec<Vec<u8>> {
    let own = State::ALL.map(|state| {
        let mut record = Record {
            boots: 1,
            wakes: 2,
            tries: 3,
            most: 300,
            secs: 600,
            wait: 7200,
            again: 1,
            since: 1_795_000_000,
            hook: true,
            repair: true,
            early: true,
            ..Record::new(9, state)
        };
        record.version = "v1.0.0".to_owned();
        (record.next, record.bad, record.why) =
            ("v1.1.0".to_owned(), "v1.0.1".to_owned(), "it hangs".to_owned());
        record.to_bytes().unwrap_or_default()
    });
    let valid = vec![vectors("journal", "", &BOTH[..1]); 3].concat();
    [all_records(), valid, own.to_vec()].concat()
}

/// Every version of the vectors.
#[must_use]
pub fn versions() -> Vec<Vec<u8>> {
    let root = repository().join("spec/vectors/version");
    let text =
        ["order", "invalid"].map(|name| fs::read_to_string(root.join(name)).unwrap_or_default()).concat();
    let found: Vec<Vec<u8>> = text.split([' ', '\n']).map(|version| version.as_bytes().to_vec()).collect();
    assert!(found.len() > 10, "the version vectors cannot be read");
    found
}

/// The trusted keys of the vectors, one a line.
#[must_use]
pub fn keys() -> String {
    let text = fs::read_to_string(repository().join("spec/vectors/signature/keys")).unwrap_or_default();
    assert!(!text.is_empty(), "the keys of the vectors cannot be read");
    text
}

/// Bytes that hardly shrink.
fn noise_of(length: u32) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 ^ (i / 251) as u8).collect()
}

/// Packed files: the size that is claimed in 4 bytes, and the stream.
#[must_use]
pub fn packs() -> Vec<Vec<u8>> {
    let noise = noise_of(600);
    let contents = [
        b"import app\n".repeat(30),
        noise.repeat(6),
        noise,
        vec![0; 5000],
        Vec::new(),
        (0..=255).collect::<Vec<u8>>().repeat(4),
        // in pieces: all compressed, and one stored among them
        b"from machine import Pin\n".repeat(900),
        [vec![1; 17_000], noise_of(20_000), vec![2; 5000]].concat(),
    ];
    let mut all = Vec::new();
    for content in contents {
        for compress in [true, false] {
            let stored = mpota_format::pack::compress(&content, compress).unwrap_or_default();
            let seed = [&(content.len() as u32).to_le_bytes()[..], &stored].concat();
            if stored.len() < content.len() {
                // The same with a header that asks for 256 bytes of window, and perhaps needs more.
                all.push([&seed[..4], &[0x08, 0x1d], &seed[6..]].concat());
            }
            all.push(seed);
        }
    }
    all
}

/// Requests to the server, as they come over the wire; the first byte says which server.
#[must_use]
pub fn requests() -> Vec<Vec<u8>> {
    let lines = [
        "GET /octo/weather/releases/latest/download/manifest.json",
        "GET /octo/weather/releases/download/v1.11.0/manifest.json",
        "HEAD /octo/weather/releases/download/v1.11.0/weather.pack",
        "GET /octo/weather/releases/latest",
        "GET /repos/octo/weather/releases?per_page=1&page=2",
        "GET /api/v3/repos/octo/weather/releases/latest",
        "GET /repos/octo/weather/releases/tags/v1.6.0",
        "GET /repos/octo/weather/releases/1",
        "GET /repos/octo/weather/releases/assets/1",
        "GET /repos/octo/weather/releases/1/assets?per_page=100",
        "GET /github-production-release-asset/1/2?sp=r&sv=1&se=1&sig=AAAA&rscd=attachment%3Bfilename%3Da",
        "GET /octo/weather/releases/download/..%2f..%2f..%2fsecret.txt/x",
        "GET /octo/weather/releases/download/v1.11.0/%2e%2e%2f%2e%2e/secret.txt",
        "GET //../secret.txt",
        "GET /octo/weather/releases/download/v1.11.0/.env",
        "GET /octo/weather/releases/download/v1.11.0/sub%2fsecret.txt",
        "GET http://x/octo/weather/releases/latest",
    ];
    let posts = [
        ("POST /repos/octo/weather/releases", "{\"tag_name\":\"v2.0.0\",\"name\":\"x\",\"draft\":true}"),
        ("POST /repos/octo/weather/releases", "{\"tag_name\":\"../../../../evil\",\"body\":\"x\"}"),
        (
            "PATCH /repos/octo/weather/releases/1",
            "{\"draft\":false,\"make_latest\":\"true\",\"tag_name\":\"a/../b\"}",
        ),
        ("DELETE /repos/octo/weather/releases/1", ""),
        (
            "POST /api/uploads/repos/octo/weather/releases/1/assets?name=..%2f..%2f..%2f..%2fevil&label=x",
            "content",
        ),
        ("POST /graphql", "{\"query\":\"query{repository(owner:\\\"octo\\\",name:\\\"weather\\\"){id}}\"}"),
    ];
    let head = format!("Host: x\r\nUser-Agent: f\r\nAuthorization: Bearer {TOKEN}\r\nRange: bytes=1-5\r\n");
    let gets = lines.map(|line| format!("\0{line} HTTP/1.1\r\n{head}If-None-Match: \"a\"\r\n\r\n"));
    let posts = posts.map(|(line, body)| {
        let length = body.len();
        let kind = "Content-Type: application/json";
        format!("\x01{line} HTTP/1.1\r\n{head}{kind}\r\nContent-Length: {length}\r\n\r\n{body}")
    });
    let two = gets[1].clone() + &gets[4][1..];
    gets.into_iter().chain(posts).chain([two]).map(String::into_bytes).collect()
}

/// The token that may write on the second server of [`requests`].
pub const TOKEN: &str = "github_pat_fuzz";
/// The words of requests.
pub const REQUEST: [&str; 48] = [
    "GET ",
    "HEAD ",
    "POST ",
    "PATCH ",
    "DELETE ",
    "PUT ",
    "OPTIONS ",
    "/octo/weather",
    "/repos",
    "/api/v3",
    "/api/uploads",
    "/releases",
    "/download/",
    "/latest",
    "/tags/",
    "/assets",
    "v1.11.0",
    "v1.6.0",
    "draft-1",
    "manifest.json",
    "weather.pack",
    "release.json",
    ".env",
    "secret.txt",
    "..",
    "%2e%2e",
    "%2f",
    "%5c",
    "%00",
    "%c0%ae",
    "%",
    "?",
    "&",
    "#",
    "name=",
    "per_page=",
    "page=",
    "Range: bytes=0-0\r\n",
    "Range: bytes=-5\r\n",
    "If-Range: \"x\"\r\n",
    "Transfer-Encoding: chunked\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "Expect: 100-continue\r\n",
    "\"tag_name\":\"",
    "\"draft\":false",
    "\"make_latest\":\"legacy\"",
    "/etc/passwd",
    "Accept: application/octet-stream\r\n",
];
