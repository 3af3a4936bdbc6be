//! What is taken as an asset, and what is not.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mpota_serve::{Limits, Options, WriteOptions};
use serde_json::{Value, json as js};
use support::{Api, Folder, WRITER, ask, bytes, get, json, raw, status, writable};

/// What lies in the folders of all releases, work in progress too.
fn files(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    for release in std::fs::read_dir(folder.path().join("octo/weather")).unwrap().flatten() {
        for file in std::fs::read_dir(release.path()).unwrap().flatten() {
            names.push(file.file_name().into_string().unwrap());
        }
    }
    names.sort();
    names
}

fn empty() -> Folder {
    let folder = Folder::empty();
    std::fs::create_dir_all(folder.path().join("octo/weather")).unwrap();
    folder
}

/// The head of an upload, for a socket.
fn head(release: &Value, length: &str) -> String {
    format!(
        "POST /api/uploads/repos/octo/weather/releases/{}/assets?name=raw.bin HTTP/1.1\r\nHost: x\r\n\
         User-Agent: raw\r\nAuthorization: Bearer {WRITER}\r\nConnection: close\r\n{length}\r\n\r\n",
        release["id"]
    )
}

#[test]
fn names_are_changed_as_github_changes_them_and_never_lead_out() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    let draft = api.draft("v1");
    let cases = [
        ("a%20b.txt", "a.b.txt"),
        ("a+c.txt", "a.c.txt"),
        ("a%2Bd.txt", "a+d.txt"),
        ("..%2F..%2Fup.txt", "default.up.txt"),
        ("%2Fetc%2Fpasswd", "default.etc.passwd"),
        ("..%5Cwin.txt", "default.win.txt"),
        (".release-json-5", "default.release-json-5"),
        ("caf%C3%A9.txt", "caf.txt"),
        ("nul%00l.txt", "nul.l.txt"),
        ("release.json", "release.json"),
    ];
    for (wanted, name) in cases {
        let asset = api.upload(&draft, wanted, name.as_bytes());
        assert_eq!(asset["name"], name, "{wanted}");
    }
    let list = json(api.ask("GET", &format!("/{}/assets", draft["id"]), &Value::Null));
    for asset in list.as_array().unwrap() {
        let content = bytes(get_content(asset["url"].as_str().unwrap()));
        assert_eq!(content, asset["name"].as_str().unwrap().as_bytes());
    }
    assert_eq!(list.as_array().unwrap().len(), cases.len());
    for wanted in ["name=", "name=..", "label=x", "", &format!("name={}", "x".repeat(300))] {
        let response = api.try_upload(&draft, wanted, b"x");
        assert_eq!(response.status(), 422, "{wanted}");
        assert_eq!(json(response)["errors"][0]["field"], "name");
    }
    assert_eq!(files(&folder).len(), cases.len() + 1);
    println!("  cases {}: names of assets", cases.len() + 5);
}

fn get_content(url: &str) -> ureq::http::Response<ureq::Body> {
    let auth = format!("Bearer {WRITER}");
    let there = get(url, &[("authorization", &auth), ("accept", "application/octet-stream")]);
    get(support::header(&there, "location"), &[])
}

#[test]
fn no_two_assets_have_the_same_name() {
    let folder = empty();
    let api = Api::start(writable(&folder));
    let draft = api.draft("v1");
    let first = api.upload(&draft, "a%20b", b"one");
    let second = api.upload(&draft, "c", b"two");
    let already = js!([{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]);
    let again = api.try_upload(&draft, "name=a.b", b"three");
    assert_eq!(again.status(), 422);
    assert_eq!(json(again)["errors"], already);
    let rest = format!("/assets/{}", second["id"]);
    let renamed = api.ask("PATCH", &rest, &js!({"name": "a b"}));
    assert_eq!(renamed.status(), 422);
    assert_eq!(json(renamed)["errors"], already);
    let renamed = json(api.ask("PATCH", &rest, &js!({"name": "d e", "label": "new"})));
    assert_eq!((&renamed["name"], &renamed["label"]), (&js!("d.e"), &js!("new")));
    assert_eq!(renamed["digest"], second["digest"]);
    // The name that became free is taken by another file than the renamed one.
    let third = api.upload(&draft, "c", b"four");
    let of = |asset: &Value| bytes(get_content(asset["url"].as_str().unwrap()));
    assert_eq!((of(&first), of(&renamed), of(&third)), (b"one".to_vec(), b"two".to_vec(), b"four".to_vec()));
    assert_eq!(api.ask("DELETE", &rest, &Value::Null).status(), 204);
    assert_eq!(of(&third), b"four");
}

#[test]
fn a_thousand_assets_are_the_most_and_come_in_pages() {
    let folder = empty();
    for number in 0..999 {
        folder.asset("v1", &format!("{number:04}"), "x");
    }
    let api = Api::start(writable(&folder));
    let release = json(api.ask("GET", "/tags/v1", &Value::Null));
    api.upload(&release, "the-last", b"x");
    let response = api.try_upload(&release, "name=one-more", b"x");
    assert_eq!(response.status(), 422);
    assert_eq!(json(response)["errors"][0]["field"], "file_count");
    let page = |query: &str| {
        let response = api.ask("GET", &format!("/{}/assets{query}", release["id"]), &Value::Null);
        let link = support::header(&response, "link").to_owned();
        (json(response).as_array().unwrap().len(), link)
    };
    assert_eq!(page("").0, 30);
    assert!(page("").1.contains("page=34>; rel=\"last\""), "{}", page("").1);
    assert_eq!(page("?per_page=100").0, 100);
    assert_eq!(page("?per_page=1000").0, 100);
    assert!(page("?per_page=100&page=9").1.contains("page=10>; rel=\"next\""));
    assert_eq!(page("?per_page=100&page=11").0, 0);
}

#[test]
fn a_length_that_is_missing_wrong_or_too_large_is_refused() {
    let folder = empty();
    let write = WriteOptions { asset_bytes: 1000, ..WriteOptions::new(WRITER) };
    let api = Api::start(Options { write: Some(write), ..folder.options() });
    let draft = api.draft("v1");
    let mut cases = 0;
    let mut refused = |answer: &str, wanted: &str, what: &str| {
        cases += 1;
        assert_eq!(status(answer), wanted, "{answer}");
        assert!(answer.contains(what), "{answer}");
    };
    let chunked = head(&draft, "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n";
    refused(&raw(&api.server, &chunked), "400", "Bad Content-Length");
    refused(&raw(&api.server, &head(&draft, "Content-Length: 0")), "422", "size");
    refused(&raw(&api.server, &(head(&draft, "Content-Length: 1001") + &"x".repeat(1001))), "422", "size");
    refused(&raw(&api.server, &head(&draft, "Content-Length: 99999999999999999999")), "400", "");
    // More than was promised is no part of this request, and not a request.
    let more = head(&draft, "Content-Length: 3").replace("Connection: close\r\n", "") + "abcdef\r\n\r\n";
    let answer = raw(&api.server, &more);
    refused(&answer, "201", "\"size\":3");
    assert_eq!(answer.matches("HTTP/1.1 201").count(), 1);
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    assert_eq!(files(&folder), ["raw.bin", "release.json"]);
    assert_eq!(cases, 5);
    println!("  cases {cases}: lengths of uploads");
}

#[test]
fn an_upload_that_breaks_off_or_drips_leaves_nothing() {
    let folder = empty();
    let write = WriteOptions { slowest: 1_000_000, ..WriteOptions::new(WRITER) };
    let limits = Limits { stall_timeout: Duration::from_millis(400), ..Limits::default() };
    let api = Api::start(Options { write: Some(write), limits, ..folder.options() });
    let draft = api.draft("v1");
    let connect = || {
        let socket = TcpStream::connect(api.server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    };
    let mut broken = connect();
    broken.write_all((head(&draft, "Content-Length: 1000") + "abc").as_bytes()).unwrap();
    drop(broken);
    // Never silent for long enough to be a stall, and still too slow.
    let mut drip = connect();
    drip.write_all(head(&draft, "Content-Length: 100000").as_bytes()).unwrap();
    let mut sent = 0;
    while sent < 2000 && drip.write_all(b"x").is_ok() {
        sent += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(sent < 2000, "it was let go on");
    let mut silent = connect();
    silent.write_all(head(&draft, "Content-Length: 1000").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = silent.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("201"));
    // The last of them may just be cleared away.
    let left = (0..200).map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        files(&folder)
    });
    assert!(left.into_iter().any(|left| left == ["release.json"]), "{:?}", files(&folder));
    assert_eq!(json(api.ask("GET", &format!("/{}/assets", draft["id"]), &Value::Null)), js!([]));
}

#[test]
fn an_immutable_release_is_changed_by_nobody() {
    let folder = empty();
    let write = WriteOptions { immutable: true, ..WriteOptions::new(WRITER) };
    let api = Api::start(Options { write: Some(write), ..folder.options() });
    let draft = api.draft("v1");
    let asset = api.upload(&draft, "a", b"a");
    assert_eq!(draft["immutable"], false);
    let published = api.edit(&draft, &js!({"draft": false}));
    assert_eq!(published["immutable"], true);
    let id = &draft["id"];
    let refused = [
        api.try_upload(&draft, "name=b", b"b"),
        api.ask("DELETE", &format!("/assets/{}", asset["id"]), &Value::Null),
        api.ask("PATCH", &format!("/assets/{}", asset["id"]), &js!({"name": "c"})),
        api.ask("PATCH", &format!("/{id}"), &js!({"tag_name": "v2"})),
        api.ask("PATCH", &format!("/{id}"), &js!({"draft": true})),
        api.ask("PATCH", &format!("/{id}"), &js!({"target_commitish": "elsewhere"})),
    ];
    let cases = refused.len();
    for (number, response) in refused.into_iter().enumerate() {
        assert_eq!(response.status(), 422, "{number}");
        let message = json(response).to_string();
        assert!(message.contains("immutable"), "{message}");
    }
    assert_eq!(api.edit(&draft, &js!({"body": "new words", "tag_name": "v1"}))["body"], "new words");
    assert_eq!(api.ask("DELETE", &format!("/{id}"), &Value::Null).status(), 204);
    let again = api.ask("POST", "", &js!({"tag_name": "v1"}));
    assert_eq!(again.status(), 422);
    assert!(json(again).to_string().contains("tag_name was used by an immutable release"));
    println!("  cases {}: changes of an immutable release", cases + 1);
}

#[test]
fn a_read_only_server_takes_nothing() {
    let folder = Folder::with_releases();
    let before = files(&folder);
    let servers = [Api::start(folder.options()), Api::start(folder.private())];
    let mut cases = 0;
    for (api, token) in servers.iter().flat_map(|api| [(api, ""), (api, support::TOKEN)]) {
        let release = json(ask("GET", &format!("{}/latest", api.url), support::TOKEN, ""));
        let upload = release["upload_url"].as_str().unwrap().split('{').next().unwrap();
        let requests = [
            ("POST", api.url.clone()),
            ("POST", format!("{upload}?name=x")),
            ("PATCH", release["url"].as_str().unwrap().into()),
            ("DELETE", release["url"].as_str().unwrap().into()),
            ("DELETE", release["assets"][0]["url"].as_str().unwrap().into()),
        ];
        for (method, url) in requests {
            let response = ask(method, &url, token, r#"{"tag_name":"v7"}"#);
            assert_eq!(response.status(), if token.is_empty() { 404 } else { 403 }, "{method} {url}");
            cases += 1;
        }
    }
    assert_eq!((files(&folder), cases), (before, 20));
    println!("  cases {cases}: requests to a server that only reads");
}
