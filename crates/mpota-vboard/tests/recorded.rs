//! What octokit's authors recorded at GitHub, asked of `mpota serve` once more: the same requests in
//! the same order, and each answer compared, key by key and header by header.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod github;

use github::{header, send};
use mpota_serve::{Options, Permission, Server, WriteOptions, WriteToken};
use mpota_vboard::clients;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;

/// Where our answers differ on purpose: key, what differs, why.
const BODIES: [(&str, &str, &str); 11] = [
    ("has_discussions", "more", "GitHub has it since 2022"),
    ("digest", "more", "GitHub has it since 2025, the recording is older"),
    ("immutable", "more", "GitHub has it since 2025"),
    ("updated_at", "more", "GitHub has it for releases since 2025"),
    ("user_view_type", "more", "GitHub has it since 2024"),
    ("status", "more", "GitHub has it in errors since 2024"),
    ("request_id", "less", "only the uploads host said it, and X-GitHub-Request-Id says it too"),
    ("node_id", "value", "made of our numbers"),
    ("avatar_url", "value", "there is no host for pictures"),
    ("temp_clone_token", "less", "there is nothing to clone"),
    ("organization", "less", "owners are people here: a folder does not say what they are"),
];

/// Headers that we do not have, or with another value.
const HEADERS: [(&str, &str); 14] = [
    (
        "access-control-allow-origin",
        "pages of other sites have no business with a server of the local network",
    ),
    ("access-control-expose-headers", "as above"),
    ("connection", "the recording's client closed it"),
    ("content-length", "the body differs, see above"),
    ("date", "it is another day"),
    ("etag", "it is of another body; both have one"),
    ("last-modified", "the entity tag says more"),
    ("referrer-policy", "no browser shows these pages"),
    ("server", "it is not GitHub"),
    ("strict-transport-security", "there may be no TLS, and no promise of it"),
    ("transfer-encoding", "the length is known here"),
    ("vary", "there is no compression to choose"),
    ("x-github-request-id", "it is of another request; both have one"),
    ("x-xss-protection", "browsers have given it up"),
];

/// Headers that say how much is used up: their form is compared.
const NUMBERS: [&str; 3] = ["x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-used"];
/// Headers that we have and the recording has not, for the reason given.
const MORE: [(&str, &str); 3] = [
    (
        "x-accepted-oauth-scopes",
        "the uploads host left it out of errors; clients tell by it which scope is missing",
    ),
    ("x-github-api-version-selected", "versions of the API are younger than the recording"),
    ("x-ratelimit-", "one port stands for the uploads host and the other one, and only that one counts"),
];

struct Replay {
    server: Server,
    token: String,
    /// The recording's numbers and ours.
    ids: BTreeMap<u64, u64>,
    /// Rows of the tables that were needed.
    used: BTreeSet<&'static str>,
    values: u32,
    headers: u32,
    requests: u32,
    /// Compare keys and types only: what is in the repository is not the same.
    only_form: bool,
    _folder: TempDir,
}

impl Replay {
    fn start(repo: &str, recording: &[Value]) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir_all(folder.path().join("octokit-fixture-org").join(repo)).unwrap();
        let first = &recording[0];
        let token = first["reqheaders"]["authorization"].as_str().unwrap().split(' ').nth(1).unwrap();
        let scopes = headers(first)["x-oauth-scopes"].split(", ").map(str::to_owned).collect();
        let mut write = WriteOptions::new("unused");
        write.tokens = vec![WriteToken { secret: token.into(), permission: Permission::Scopes(scopes) }];
        let server = Server::start(Options { write: Some(write), ..Options::new(folder.path()) }).unwrap();
        Self {
            server,
            token: token.into(),
            ids: BTreeMap::new(),
            used: BTreeSet::new(),
            values: 0,
            headers: 0,
            requests: 0,
            only_form: false,
            _folder: folder,
        }
    }

    /// A string of the recording with our host, our numbers, and the only user that there is.
    fn ours(&self, recorded: &str) -> String {
        let base = self.server.base_url();
        let mut text = recorded.to_owned();
        for host in ["https://api.github.com", "https://uploads.github.com", "https://github.com"] {
            text = text.replace(host, base);
        }
        text = text.replace("octokit-fixture-user-a", "octokit-fixture-org");
        for (theirs, ours) in &self.ids {
            text = text.replace(&format!("/{theirs}"), &format!("/{ours}"));
        }
        text
    }

    fn differs(&mut self, path: &str, what: &str, said: &str) {
        let key = path.rsplit('/').next().unwrap();
        let row = BODIES.iter().find(|(name, kind, _)| *name == key && *kind == what);
        let Some((name, ..)) = row else { panic!("{path}: {what}: {said}") };
        self.used.insert(name);
    }

    fn compare(&mut self, path: &str, recorded: &Value, ours: &Value) {
        self.values += 1;
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => self.compare_keys(path, recorded, ours),
            (Value::Array(recorded), Value::Array(ours)) => {
                assert!(self.only_form || recorded.len() == ours.len(), "{path}");
                for (recorded, ours) in recorded.iter().zip(ours) {
                    self.compare(&format!("{path}/0"), recorded, ours);
                }
            }
            (Value::Number(recorded), Value::Number(ours)) if path.ends_with("/id") => {
                let (theirs, own) = (recorded.as_u64().unwrap(), ours.as_u64().unwrap());
                assert_eq!(*self.ids.entry(theirs).or_insert(own), own, "{path} is always the same");
            }
            (Value::String(recorded), Value::String(ours)) => {
                if path.ends_with("_at") {
                    assert_eq!(form(recorded), form(ours), "{path}");
                } else if !self.only_form && self.ours(recorded) != *ours {
                    self.differs(path, "value", &format!("{recorded} is {ours}"));
                }
            }
            (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) if self.only_form => {}
            _ => assert_eq!(recorded, ours, "{path}"),
        }
    }

    fn compare_keys(&mut self, path: &str, recorded: &Map<String, Value>, ours: &Map<String, Value>) {
        // The number first: it stands in the addresses.
        let (id, others): (Vec<_>, Vec<_>) = recorded.iter().partition(|(key, _)| *key == "id");
        for (key, value) in id.into_iter().chain(others) {
            match ours.get(key) {
                Some(own) => self.compare(&format!("{path}/{key}"), value, own),
                None => self.differs(&format!("{path}/{key}"), "less", &value.to_string()),
            }
        }
        for key in ours.keys().filter(|key| !recorded.contains_key(*key)) {
            self.differs(&format!("{path}/{key}"), "more", "not recorded");
        }
    }

    fn compare_headers(
        &mut self,
        what: &str,
        recorded: &BTreeMap<String, String>,
        ours: &BTreeMap<String, String>,
    ) {
        for (name, value) in recorded {
            self.headers += 1;
            let own = ours.get(name);
            if let Some((row, _)) = HEADERS.iter().find(|(row, _)| row == name) {
                self.used.insert(row);
                let both = ["etag", "x-github-request-id"].contains(row);
                assert!(!both || own.is_some(), "{what}: no {name}");
            } else if NUMBERS.contains(&name.as_str()) {
                assert!(own.is_some_and(|own| own.parse::<u64>().is_ok()), "{what}: {name}: {own:?}");
            } else {
                assert_eq!(own, Some(&self.ours(value)), "{what}: {name}");
            }
        }
        for name in ours.keys().filter(|name| !recorded.contains_key(*name)) {
            let row = MORE.iter().find(|(row, _)| name.starts_with(row));
            let length = name == "content-length" && what.ends_with("204");
            let known = row.is_some() || length || HEADERS.iter().any(|(row, _)| row == name);
            assert!(known, "{what}: {name} was not recorded");
            self.used.extend(row.map(|(row, _)| *row));
        }
    }

    /// One request of the recording.
    fn ask(&mut self, recorded: &Value) {
        let text = |key: &str| recorded[key].as_str().unwrap();
        let url = format!("{}{}", self.server.base_url(), self.ours(text("path")));
        let sent = recorded["reqheaders"].as_object().unwrap();
        let skipped = ["host", "content-length", "x-octokit-fixture-ignore"];
        let sent: Vec<(&str, &str)> = sent
            .iter()
            .filter(|(name, _)| !skipped.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        assert!(sent.iter().any(|(_, value)| value.contains(&self.token)));
        let body = match &recorded["body"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let response = send(text("method"), &url, &sent, body.as_bytes());
        let what = format!("{} {} {}", text("method"), text("path"), recorded["status"]);
        assert_eq!(u64::from(response.status().as_u16()), recorded["status"].as_u64().unwrap(), "{what}");
        let own: BTreeMap<String, String> = response
            .headers()
            .keys()
            .map(|name| (name.to_string(), header(&response, name.as_str())))
            .collect();
        let body = response.into_body().read_to_string().unwrap();
        let ours = if body.is_empty() { "".into() } else { serde_json::from_str(&body).unwrap() };
        self.compare("", &recorded["response"], &ours);
        self.compare_headers(&what, &headers(recorded), &own);
        self.requests += 1;
    }
}

/// A date with every digit the same.
fn form(date: &str) -> String {
    date.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

fn recording(scenario: &str) -> Vec<Value> {
    let scenarios = "node_modules/@octokit/fixtures/scenarios/api.github.com";
    let path = clients::npm().unwrap().join(scenarios).join(scenario).join("raw-fixture.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn headers(recorded: &Value) -> BTreeMap<String, String> {
    let raw: Vec<&str> =
        recorded["rawHeaders"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    raw.chunks(2).map(|pair| (pair[0].to_lowercase(), pair[1].to_owned())).collect()
}

#[test]
fn recorded_requests_get_the_recorded_answers() {
    let (mut requests, mut values, mut header_count) = (0, 0, 0);
    let mut used = BTreeSet::new();
    for (scenario, expected) in [("release-assets", 7), ("release-assets-conflict", 7), ("get-repository", 1)]
    {
        let all = recording(scenario);
        // Making the repository and its first commit, and removing it, is done by its folder here.
        let about = |recorded: &&Value| {
            let path = recorded["path"].as_str().unwrap();
            path.contains("/releases") || (scenario == "get-repository" && recorded["method"] == "get")
        };
        let ours: Vec<&Value> = all.iter().filter(about).collect();
        let repo = ours[0]["path"].as_str().unwrap().split('/').nth(3).unwrap();
        let mut replay = Replay::start(repo, &all);
        replay.only_form = scenario == "get-repository";
        for recorded in ours {
            replay.ask(recorded);
        }
        assert_eq!(replay.requests, expected, "{scenario}");
        requests += replay.requests;
        values += replay.values;
        header_count += replay.headers;
        used.extend(replay.used);
    }
    let rows: BTreeSet<&str> = BODIES
        .iter()
        .map(|(name, ..)| *name)
        .chain(HEADERS.iter().chain(&MORE).map(|(name, _)| *name))
        .collect();
    assert_eq!(rows, used, "rows of the tables that nothing needs");
    assert!(values > 300 && header_count > 200, "{values} {header_count}");
    println!(
        "  cases {requests}: recorded requests, of whose answers {values} values and {header_count} headers were compared"
    );
}
