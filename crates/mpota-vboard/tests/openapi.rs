//! What `mpota serve` answers is held against GitHub's own description of its API, for every method,
//! path and status that it has. The table of them is `openapi/answers.txt`.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod github;

use github::{Description, Listed, header, send};
use mpota_serve::{Fault, FaultKind, Options, Permission, Server, WriteOptions, WriteToken};
use mpota_vboard::repository;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tempfile::TempDir;
use ureq::Body;
use ureq::http::Response;

const WRITER: &str = "github_pat_writes";
const READER: &str = "github_pat_reads";
const CLASSIC: &str = "ghp_with_a_scope_too_few";
const RELEASES: &str = "/repos/{owner}/{repo}/releases";

/// Statuses that GitHub gives every path, and lists at hardly any. They are in its guides.
const EVERYWHERE: [(u16, &str); 7] = [
    (400, "the request is no JSON object, or an upload does not say its length"),
    (401, "the token is wrong, or there is none where one is needed"),
    (403, "the token may not do this, or a rate limit was reached"),
    (404, "there is no such thing for this caller"),
    (422, "the request asks for something that cannot be"),
    (429, "a secondary rate limit was reached"),
    (502, "the gateway before the API gave up; no JSON"),
];

/// Statuses that the description does not list for a path, but for others: only what a cache asks for.
const CACHED: (u16, &str) = (304, "the client has it already");

struct Checker {
    description: Description,
    /// For each method and path the statuses that were seen; those that are not listed have a `!`.
    table: BTreeMap<String, BTreeSet<String>>,
    cases: u32,
}

impl Checker {
    fn new(name: &str) -> Self {
        Self { description: Description::load(name), table: BTreeMap::new(), cases: 0 }
    }

    /// The answer has this status, and is as GitHub says that it is.
    fn check(&mut self, operation: &str, status: u16, response: Response<Body>) -> Value {
        let (method, path) = operation.split_once(' ').unwrap();
        let what = format!("{operation} {status}");
        let headers = response.headers().clone();
        let kind = header(&response, "content-type");
        let got = response.status().as_u16();
        let text = response.into_body().read_to_string().unwrap();
        assert_eq!(got, status, "{what}: {text}");
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let listed = self.description.answer(method, path, status);
        let errors = match &listed {
            Listed::Json(schema) if status < 300 => schema.errors_closed(&body),
            Listed::Json(schema) => schema.errors(&body),
            Listed::WithoutBody | Listed::No => Vec::new(),
        };
        assert_eq!(errors, Vec::<String>::new(), "{what}: {text}");
        match status {
            204 | 302 | 304 => assert_eq!(text, "", "{what}"),
            502 => assert!(kind.starts_with("text/html") && text.contains("502 Bad Gateway"), "{what}"),
            _ => assert_eq!(kind, "application/json; charset=utf-8", "{what}"),
        }
        if (400..500).contains(&status) {
            self.check_problem(&what, status, &body);
        }
        // A Link is there only where there are more pages.
        for name in self.description.headers(method, path, status) {
            assert!(name == "link" || headers.contains_key(&name), "{what} has no {name}");
        }
        let known = EVERYWHERE.iter().chain([&CACHED]).any(|(code, _)| *code == status);
        let mark = match listed {
            Listed::No => {
                assert!(known, "{what} is neither listed nor in a table");
                "!"
            }
            _ => "",
        };
        self.table.entry(operation.to_owned()).or_default().insert(format!("{status}{mark}"));
        self.cases += 1;
        body
    }

    /// An error says what it is, whether or not the path's description speaks of it.
    fn check_problem(&self, what: &str, status: u16, body: &Value) {
        let schema = if status == 422 { "validation-error" } else { "basic-error" };
        assert_eq!(self.description.named(schema).errors(body), Vec::<String>::new(), "{what}: {body}");
        assert_eq!(body["status"], status.to_string(), "{what}: {body}");
        for key in ["message", "documentation_url"] {
            assert!(body[key].as_str().is_some_and(|text| !text.is_empty()), "{what}: {body}");
        }
    }
}

/// A server, and the part of its addresses that differs between github.com and GitHub Enterprise.
struct Api {
    server: Server,
    prefix: &'static str,
    _folder: TempDir,
}

impl Api {
    fn start(prefix: &'static str, change: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        for tag in ["v1.0.0", "v1.1.0"] {
            let release = folder.path().join("octo/weather").join(tag);
            std::fs::create_dir_all(&release).unwrap();
            std::fs::write(release.join("manifest.json"), tag).unwrap();
            std::fs::write(release.join("weather.pack"), "a pack").unwrap();
        }
        let mut write = WriteOptions::new(WRITER);
        let token = |secret: &str, permission| WriteToken { secret: secret.into(), permission };
        write.tokens.push(token(READER, Permission::ContentsRead));
        write.tokens.push(token(CLASSIC, Permission::Scopes(vec!["gist".into()])));
        let mut options = Options { write: Some(write), ..Options::new(folder.path()) };
        options.asset_host = Some("localhost".into());
        change(&mut options);
        Self { server: Server::start(options).unwrap(), prefix, _folder: folder }
    }

    /// What stands for `{owner}` and so on is put in, numbers by the last argument.
    fn url(&self, path: &str, id: &Value) -> String {
        let path = path.replace("{owner}", "octo").replace("{repo}", "weather");
        let path = path.replace("{release_id}", &id.to_string()).replace("{asset_id}", &id.to_string());
        let path = path.replace("{tag}", "v1.1.0").replace("{ref}", "tags/v1.1.0");
        format!("{}{}{path}", self.server.base_url(), self.prefix)
    }

    fn ask(&self, operation: &str, id: &Value, token: &str, more: &[(&str, &str)]) -> Response<Body> {
        self.ask_with(operation, id, token, more, b"{}")
    }

    fn ask_with(
        &self,
        operation: &str,
        id: &Value,
        token: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Response<Body> {
        let (method, path) = operation.split_once(' ').unwrap();
        let mut url = self.url(path, id);
        let upload = is_upload(operation);
        if upload && !self.prefix.is_empty() {
            url = url.replace("/api/v3/", "/api/uploads/");
        }
        if upload && !more.iter().any(|(name, _)| *name == "x-test-no-name") {
            url += "?name=new.bin";
        }
        let authorization = format!("Bearer {token}");
        let mut headers = more.to_vec();
        headers.retain(|(name, _)| !name.starts_with("x-test"));
        if !token.is_empty() {
            headers.push(("authorization", &authorization));
        }
        send(method, &url, &headers, body)
    }

    fn fail_next(&self, kind: FaultKind) {
        self.server.add_fault(Fault::once("", "", kind));
    }
}

fn is_upload(operation: &str) -> bool {
    operation.starts_with("POST") && operation.ends_with("/assets")
}

fn releases(method: &str, rest: &str) -> String {
    format!("{method} {RELEASES}{rest}")
}

/// Everything that `mpota serve` answers below a repository's releases.
fn operations() -> Vec<String> {
    let list = [
        ("GET", ""),
        ("GET", "/latest"),
        ("GET", "/tags/{tag}"),
        ("GET", "/{release_id}"),
        ("GET", "/{release_id}/assets"),
        ("GET", "/assets/{asset_id}"),
        ("POST", ""),
        ("PATCH", "/{release_id}"),
        ("DELETE", "/{release_id}"),
        ("POST", "/{release_id}/assets"),
        ("PATCH", "/assets/{asset_id}"),
        ("DELETE", "/assets/{asset_id}"),
    ];
    list.iter().map(|(method, rest)| releases(method, rest)).collect()
}

/// The ways that lead to an answer of 200 and the like.
fn what_works(checker: &mut Checker, api: &Api) {
    let none = Value::Null;
    let list = checker.check(&releases("GET", ""), 200, api.ask(&releases("GET", ""), &none, "", &[]));
    assert_eq!(list.as_array().unwrap().len(), 2);
    let (release, asset) = (&list[0]["id"], &list[0]["assets"][0]["id"]);
    for operation in operations().iter().filter(|operation| operation.starts_with("GET")) {
        let id = if operation.contains("{asset_id}") { asset } else { release };
        for token in ["", READER, WRITER] {
            let first = api.ask(operation, id, token, &[]);
            let etag = header(&first, "etag");
            checker.check(operation, 200, first);
            checker.check(operation, 304, api.ask(operation, id, token, &[("if-none-match", &etag)]));
        }
    }
    let octets = [("accept", "application/octet-stream")];
    let by_id = releases("GET", "/assets/{asset_id}");
    checker.check(&by_id, 302, api.ask(&by_id, asset, "", &octets));

    let create = releases("POST", "");
    let wanted = json!({"tag_name": "v2.0.0", "draft": true, "name": "Two", "body": "words"}).to_string();
    let draft = checker.check(&create, 201, api.ask_with(&create, &none, WRITER, &[], wanted.as_bytes()));
    let upload = releases("POST", "/{release_id}/assets");
    let made = checker.check(&upload, 201, api.ask_with(&upload, &draft["id"], WRITER, &[], b"content"));
    let label = br#"{"name":"other.bin","label":"a label"}"#;
    let patch = releases("PATCH", "/assets/{asset_id}");
    checker.check(&patch, 200, api.ask_with(&patch, &made["id"], WRITER, &[], label));
    let get = releases("GET", "/{release_id}");
    checker.check(&get, 200, api.ask(&get, &draft["id"], WRITER, &[]));
    let patch = releases("PATCH", "/{release_id}");
    let public = br#"{"draft":false,"prerelease":true}"#;
    checker.check(&patch, 200, api.ask_with(&patch, &draft["id"], WRITER, &[], public));
    for (kind, id) in [("/assets/{asset_id}", &made["id"]), ("/{release_id}", &draft["id"])] {
        let delete = releases("DELETE", kind);
        checker.check(&delete, 204, api.ask(&delete, id, WRITER, &[]));
        checker.check(&delete, 404, api.ask(&delete, id, WRITER, &[]));
    }
}

/// Every way to be refused that any path can meet.
fn what_is_refused_everywhere(checker: &mut Checker, api: &Api, private: &Api) {
    let list = api.ask(&releases("GET", ""), &Value::Null, "", &[]);
    let list: Value = serde_json::from_str(&list.into_body().read_to_string().unwrap()).unwrap();
    for operation in &operations() {
        let id = if operation.contains("{asset_id}") { &list[0]["assets"][0]["id"] } else { &list[0]["id"] };
        let writes = !operation.starts_with("GET");
        checker.check(operation, 401, api.ask(operation, id, "wrong", &[]));
        // A private repository is not there for those who may not see it.
        for token in ["", CLASSIC] {
            checker.check(operation, 404, private.ask(operation, id, token, &[]));
        }
        if writes {
            checker.check(operation, 401, api.ask(operation, id, "", &[]));
            checker.check(operation, 403, api.ask(operation, id, READER, &[]));
            checker.check(operation, 404, api.ask(operation, id, CLASSIC, &[]));
        }
        if operation.contains("_id}") {
            checker.check(operation, 404, api.ask(operation, &json!(123_456_789), WRITER, &[]));
        }
        let wait = Duration::from_secs(7);
        for (kind, status) in [
            (FaultKind::RateLimit { reset: wait }, 403),
            (FaultKind::SecondaryLimit { retry_after: wait }, 403),
            (FaultKind::TooManyRequests { retry_after: wait }, 429),
            (FaultKind::BadGateway, 502),
        ] {
            api.fail_next(kind);
            checker.check(operation, status, api.ask(operation, id, WRITER, &[]));
        }
    }
}

/// Requests that ask for something that cannot be.
fn what_is_wrong_with_a_request(checker: &mut Checker, api: &Api) {
    let latest = api.ask(&releases("GET", "/latest"), &Value::Null, "", &[]);
    let latest: Value = serde_json::from_str(&latest.into_body().read_to_string().unwrap()).unwrap();
    let (release, asset) = (&latest["id"], &latest["assets"][0]["id"]);
    let [create, edit, rename, upload] = [
        releases("POST", ""),
        releases("PATCH", "/{release_id}"),
        releases("PATCH", "/assets/{asset_id}"),
        releases("POST", "/{release_id}/assets"),
    ];
    for (operation, id) in [(&create, release), (&edit, release), (&rename, asset)] {
        for body in ["{", "[]"] {
            checker.check(operation, 400, api.ask_with(operation, id, WRITER, &[], body.as_bytes()));
        }
    }
    let cases = [
        (&create, release, "{}"),
        (&create, release, r#"{"tag_name":"v1.0.0"}"#),
        (&create, release, r#"{"tag_name":"../up"}"#),
        (&create, release, r#"{"tag_name":7}"#),
        (&edit, release, r#"{"draft":"yes"}"#),
        (&edit, release, r#"{"prerelease":true,"make_latest":"true"}"#),
        (&edit, release, r#"{"tag_name":"v1.0.0"}"#),
        (&rename, asset, r#"{"name":".."}"#),
        (&rename, asset, r#"{"name":"weather.pack"}"#),
        (&upload, release, ""),
    ];
    for (operation, id, body) in cases {
        checker.check(operation, 422, api.ask_with(operation, id, WRITER, &[], body.as_bytes()));
    }
    let nameless = [("x-test-no-name", "")];
    checker.check(&upload, 422, api.ask_with(&upload, release, WRITER, &nameless, b"x"));
    let made = checker.check(&upload, 201, api.ask_with(&upload, release, WRITER, &[], b"x"));
    checker.check(&upload, 422, api.ask_with(&upload, release, WRITER, &[], b"x"));
    let delete = releases("DELETE", "/assets/{asset_id}");
    checker.check(&delete, 204, api.ask(&delete, &made["id"], WRITER, &[]));
    let chunked = [("transfer-encoding", "chunked")];
    checker.check(&upload, 400, api.ask_with(&upload, release, WRITER, &chunked, b"x"));
    // A release that was published as immutable stays as it is.
    let public = api.ask_with(&create, release, WRITER, &[], br#"{"tag_name":"v3.0.0"}"#);
    assert_eq!(public.status(), 201);
}

/// What clients ask besides releases.
fn around_releases(checker: &mut Checker, api: &Api, private: &Api) {
    let none = &Value::Null;
    let (user, limits, repo) = ("GET /user", "GET /rate_limit", "GET /repos/{owner}/{repo}");
    let (root, tag) = ("GET /", "GET /repos/{owner}/{repo}/git/ref/{ref}");
    let delete = "DELETE /repos/{owner}/{repo}/git/refs/{ref}";
    for operation in [limits, repo, root, tag, "GET /meta"] {
        // At github.com's own path is its front page: one port stands for both hosts.
        if operation == root && api.prefix.is_empty() {
            continue;
        }
        checker.check(operation, 200, api.ask(operation, none, "", &[]));
        checker.check(operation, 200, api.ask(operation, none, WRITER, &[]));
        checker.check(operation, 401, api.ask(operation, none, "wrong", &[]));
    }
    checker.check(user, 200, api.ask(user, none, READER, &[]));
    checker.check(user, 401, api.ask(user, none, "", &[]));
    for operation in [repo, tag] {
        checker.check(operation, 404, private.ask(operation, none, "", &[]));
    }
    checker.check(delete, 422, api.ask(delete, none, WRITER, &[]));
    let gone = api.url("/repos/{owner}/{repo}/git/refs/tags/v9", none);
    let bearer = format!("Bearer {WRITER}");
    checker.check(delete, 204, send("DELETE", &gone, &[("authorization", &bearer)], b""));
    checker.check(delete, 403, api.ask(delete, none, READER, &[]));
    checker.check(delete, 401, api.ask(delete, none, "", &[]));
}

fn everything(description: &str, prefix: &'static str) -> Checker {
    let mut checker = Checker::new(description);
    let api = Api::start(prefix, |_| {});
    let private = Api::start(prefix, |options| options.token = Some("another".into()));
    what_works(&mut checker, &api);
    what_is_refused_everywhere(&mut checker, &api, &private);
    what_is_wrong_with_a_request(&mut checker, &api);
    around_releases(&mut checker, &api, &private);
    checker
}

/// What GitHub describes below a repository's releases and `mpota serve` does not have.
const NOT_HERE: [&str; 4] = [
    "POST /repos/{owner}/{repo}/releases/generate-notes",
    "GET /repos/{owner}/{repo}/releases/{release_id}/reactions",
    "POST /repos/{owner}/{repo}/releases/{release_id}/reactions",
    "DELETE /repos/{owner}/{repo}/releases/{release_id}/reactions/{reaction_id}",
];

#[test]
fn every_answer_is_one_that_github_describes() {
    let mut cases = 0;
    let mut table =
        "# What `mpota serve` answers. Statuses with a ! are not listed by GitHub's description of\n\
         # the path, but GitHub's guides have them for every path:\n"
            .to_owned();
    for (status, reason) in EVERYWHERE.iter().chain([&CACHED]) {
        table += &format!("#   {status}: {reason}\n");
    }
    for (description, prefix) in [("api.github.com", ""), ("ghes-3.19", "/api/v3")] {
        let checker = everything(description, prefix);
        let described = checker.description.operations(RELEASES);
        let here: BTreeSet<String> =
            checker.table.keys().filter(|operation| operation.contains(RELEASES)).cloned().collect();
        let missing: BTreeSet<&str> = described.difference(&here).map(String::as_str).collect();
        assert_eq!(missing, NOT_HERE.into(), "{description}");
        table += &format!("\n{description}\n");
        for (operation, statuses) in &checker.table {
            let statuses: Vec<&str> = statuses.iter().map(String::as_str).collect();
            table += &format!("{operation}: {}\n", statuses.join(" "));
        }
        cases += checker.cases;
    }
    let path = repository().join("crates/mpota-vboard/tests/openapi/answers.txt");
    if std::env::var_os("MPOTA_WRITE_ANSWERS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, table, "{}: MPOTA_WRITE_ANSWERS=1 writes it", path.display());
    assert!(cases > 300, "{cases}");
    println!("  cases {cases}: answers that GitHub's description allows");
}

/// The description's words have this state, its schema has not.
#[test]
fn what_a_failed_upload_leaves_differs_in_its_state_only() {
    let checker = Checker::new("api.github.com");
    let api = Api::start("", |_| {});
    let (upload, list) = (releases("POST", "/{release_id}/assets"), releases("GET", "/{release_id}/assets"));
    let latest = api.ask(&releases("GET", "/latest"), &Value::Null, "", &[]);
    let latest: Value = serde_json::from_str(&latest.into_body().read_to_string().unwrap()).unwrap();
    api.fail_next(FaultKind::Starter);
    let response = api.ask_with(&upload, &latest["id"], WRITER, &[], b"content");
    assert_eq!(response.status(), 502);
    let listed = api.ask(&list, &latest["id"], WRITER, &[]).into_body().read_to_string().unwrap();
    let (_, path) = list.split_once(' ').unwrap();
    let Listed::Json(schema) = checker.description.answer("GET", path, 200) else {
        panic!("it is described");
    };
    let errors = schema.errors_closed(&serde_json::from_str(&listed).unwrap());
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("/state: \"starter\" is not one of"), "{errors:?}");
    let described = checker.description.text("POST", &upload[5..]);
    assert!(described.contains("an empty asset with a state of `starter`"), "{described}");
}

#[test]
fn a_broken_answer_is_not_taken_for_githubs() {
    let checker = Checker::new("api.github.com");
    let api = Api::start("", |_| {});
    let latest = api.ask(&releases("GET", "/latest"), &Value::Null, "", &[]);
    let latest: Value = serde_json::from_str(&latest.into_body().read_to_string().unwrap()).unwrap();
    let Listed::Json(schema) = checker.description.answer("GET", &format!("{RELEASES}/latest"), 200) else {
        panic!("it is described");
    };
    assert_eq!(schema.errors_closed(&latest), Vec::<String>::new());
    let breaks: [(&str, Value); 14] = [
        ("/id", json!("7")),
        ("/id", json!(7.5)),
        ("/draft", json!("false")),
        ("/tag_name", Value::Null),
        ("/created_at", json!("yesterday")),
        ("/created_at", json!("2026-13-01T00:00:00Z")),
        ("/html_url", json!("not a uri")),
        ("/author", Value::Null),
        ("/author/site_admin", json!(0)),
        ("/assets", json!({})),
        ("/assets/0/state", json!("starter")),
        ("/assets/0/size", json!("7")),
        ("/assets/0/digest", json!(7)),
        ("/assets/0/uploader/login", Value::Null),
    ];
    let mut cases = 0;
    for (pointer, wrong) in &breaks {
        let mut broken = latest.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(!schema.errors(&broken).is_empty(), "{pointer} {wrong} is taken");
        cases += 1;
    }
    for (parent, key) in
        [("", "upload_url"), ("", "published_at"), ("/author", "type"), ("/assets/0", "digest")]
    {
        let mut broken = latest.clone();
        broken.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        assert!(!schema.errors(&broken).is_empty(), "{parent} without {key} is taken");
        cases += 1;
    }
    for nullable in
        ["/body", "/tarball_url", "/name", "/published_at", "/assets/0/digest", "/assets/0/uploader"]
    {
        let mut fine = latest.clone();
        *fine.pointer_mut(nullable).unwrap() = Value::Null;
        assert_eq!(schema.errors(&fine), Vec::<String>::new(), "{nullable}");
        cases += 1;
    }
    let mut more = latest.clone();
    more["assets"][0]["colour"] = "blue".into();
    assert!(schema.errors(&more).is_empty() && !schema.errors_closed(&more).is_empty());
    for body in [json!({"message": 7}), json!([]), json!("Not Found")] {
        assert!(!checker.description.named("basic-error").errors(&body).is_empty(), "{body} is taken");
        cases += 1;
    }
    println!("  cases {}: broken answers that the description tells apart", cases + 1);
}
