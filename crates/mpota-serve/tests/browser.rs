//! The pages for people: who gets them, what stands in them, and what strangers cannot put there.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mpota_format::digest::{crc32, sha256};
use mpota_format::manifest::{FileEntry, Header, Manifest, More, Pack, Place};
use mpota_format::sshsig::{self, PublicKey};
use mpota_format::version::Version;
use mpota_serve::{Options, Server, Tls};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use support::{Folder, TOKEN, WRITER, ask_as, get, header, raw, status, text, writable};

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("me:{token}")))
}

fn key() -> (Ed25519KeyPair, PublicKey) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = pair.public_key().as_ref().try_into().unwrap();
    (pair, PublicKey { key, comment: "octo's key".into() })
}

fn manifest(version: &str, signed: bool) -> Vec<u8> {
    let file = |path: &str, offset, keep| FileEntry {
        path: path.into(),
        size: 5,
        sha256: sha256(b"hello"),
        crc32: crc32(b"hello"),
        place: Place::Packed { offset, length: 5 },
        keep,
        more: More::new(),
    };
    let pack = Pack { asset: format!("weather-{version}.pack"), size: 10 };
    let mut header = Header {
        project: Some("octo/weather".into()),
        created: Some(1_700_000_000),
        pack: Some(pack),
        ..Header::new(Version::parse(version).unwrap())
    };
    header.set_compiled(&[6]);
    let files = vec![file("config.json", 0, true), file("main.py", 5, false)];
    let mut manifest = Manifest { header, files, signature: None };
    if signed {
        let (pair, public) = key();
        let signature = pair.sign(&sshsig::signing_block(&manifest.signed_bytes().unwrap()));
        let blob = sshsig::blob(&public.key, signature.as_ref().try_into().unwrap());
        manifest.signature = Some(STANDARD.encode(blob));
    }
    manifest.to_bytes().unwrap()
}

/// Two versions, a draft and a channel of `octo/weather`.
fn folder() -> Folder {
    let folder = Folder::empty();
    for (version, signed) in [("v1.0.0", false), ("v1.1.0", true)] {
        folder.asset(version, "manifest.json", manifest(version, signed));
        folder.asset(version, &format!("weather-{version}.pack"), "hellohello");
    }
    folder.asset("v1.1.0", "release.json", r#"{"body":"First line\nsecond line"}"#);
    folder.asset("v2.0.0", "manifest.json", manifest("v2.0.0", false));
    folder.asset("v2.0.0", "release.json", r#"{"draft":true,"body":"a secret"}"#);
    folder.asset("beta", "manifest.json", manifest("v1.0.0", false));
    folder
}

fn page(server: &Server, path: &str) -> String {
    let response = get(&format!("{}{path}", server.base_url()), &[HTML]);
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    text(response)
}

#[test]
fn only_who_names_html_gets_a_page() {
    let folder = folder();
    let server = folder.serve();
    let pages = [
        "/",
        "/octo",
        "/octo/weather",
        "/octo/weather/",
        "/OCTO/weather/releases",
        "/octo/weather/releases?page=2&per_page=1",
        "/octo/weather/releases/tag/v1.0.0",
        "/octo/weather/releases/tag/beta",
    ];
    let others = [None, Some("*/*"), Some("application/json"), Some("text/html;q=0"), Some("text/*")];
    let mut cases = 0;
    for path in pages {
        assert!(page(&server, path).starts_with("<!DOCTYPE html>"), "{path}");
        for accept in others {
            let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
            let response = get(&format!("{}{path}", server.base_url()), &headers);
            assert_eq!(response.status(), 404, "{path} {accept:?}");
            assert_eq!(text(response), "Not Found");
            cases += 1;
        }
    }
    println!("  cases {cases}: no page for those who do not ask for one");
    assert_eq!(cases, pages.len() * others.len());
}

/// Status, headers and body, without what differs from one request to the next.
fn whole(folder: &Folder, method: &str, path: &str, headers: &str) -> String {
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: u\r\nConnection: close\r\n{headers}\r\n");
    let answer = raw(&folder.serve(), &request);
    let changing = ["date:", "x-github-request-id:", "x-ratelimit-", "location: "];
    answer.lines().filter(|line| !changing.iter().any(|name| line.starts_with(name))).collect()
}

#[test]
fn paths_of_programs_have_the_same_bytes_whatever_is_accepted() {
    let folder = folder();
    let paths = [
        "/octo/weather/releases/latest",
        "/octo/weather/releases/latest/download/manifest.json",
        "/octo/weather/releases/download/v1.0.0/manifest.json",
        "/octo/weather/releases/download/beta/manifest.json",
        "/repos/octo/weather",
        "/repos/octo/weather/releases",
        "/repos/octo/weather/releases/latest",
        "/repos/octo/weather/releases/tags/v1.0.0",
        "/repos/octo/weather/releases/1",
        "/repos/octo/weather/nothing",
        "/repos/octo",
        "/api/v3",
        "/api/v3/meta",
        "/api/v3/repos/octo/weather/releases",
        "/api/nothing",
        "/meta",
        "/user",
        "/rate_limit",
        "/graphql",
    ];
    for path in paths {
        for method in ["GET", "HEAD"] {
            let (accept, value) = HTML;
            let by_browser = whole(&folder, method, path, &format!("{accept}: {value}\r\n"));
            assert_eq!(by_browser, whole(&folder, method, path, ""), "{method} {path}");
        }
    }
    println!("  cases {}: the same for a browser", paths.len() * 2);
}

#[test]
fn a_page_says_what_is_served() {
    let folder = folder();
    let server = Server::start(Options { trusted: vec![key().1], ..folder.options() }).unwrap();
    let fingerprint = key().1.fingerprint();
    let base = format!("CONFIG[&quot;base_url&quot;] = &quot;{}&quot;", server.base_url());
    let cases: [(&str, &[&str]); 5] = [
        ("/", &["octo/weather", "v1.1.0", "beta: v1.0.0", &base]),
        (
            "/octo/weather",
            &[
                "v1.0.0",
                "not signed",
                "latest</span>",
                "channel beta",
                "CONFIG[&quot;owner&quot;] = &quot;octo&quot;",
            ],
        ),
        ("/octo/weather/releases", &["v1.1.0", "v1.0.0", "octo's key", "All versions"]),
        (
            "/octo/weather/releases/tag/v1.1.0",
            &[
                &fingerprint,
                "octo's key",
                "First line\nsecond line",
                "2023-11-14 22:13 UTC",
                "weather-v1.1.0.pack",
                "10 bytes",
                "for .mpy version 6",
                "main.py",
                "kept if there",
                "CONFIG[&quot;tag&quot;] = &quot;v1.1.0&quot;",
            ],
        ),
        (
            "/octo/weather/releases/tag/beta",
            &[
                "Channel ",
                "/octo/weather/releases/tag/v1.0.0",
                "not signed",
                "CONFIG[&quot;channel&quot;] = &quot;beta&quot;",
            ],
        ),
    ];
    let mut count = 0;
    for (path, said) in cases {
        let page = page(&server, path);
        for word in said {
            assert!(page.contains(word), "{path}: {word}\n{page}");
            count += 1;
        }
        assert!(!page.contains("v2.0.0") && !page.contains("a secret"), "{path}: no drafts");
    }
    println!("  cases {count}: what pages say");
    let list = page(&server, "/octo/weather/releases");
    assert!(list.find("tag/v1.1.0").unwrap() < list.rfind("tag/v1.0.0").unwrap(), "the newest first");

    // Without keys nobody's signature is called good, and one of another key is not either.
    let release = "/octo/weather/releases/tag/v1.1.0";
    let unchecked = page(&folder.serve(), release);
    assert!(unchecked.contains("was not compared with any key") && !unchecked.contains("octo's key"));
    let other = PublicKey { key: [9; 32], comment: String::new() };
    let strange = Server::start(Options { trusted: vec![other], ..folder.options() }).unwrap();
    assert!(page(&strange, release).contains("not one of the keys"));
    let damaged =
        String::from_utf8(manifest("v1.1.0", true)).unwrap().replacen("1700000000", "1700000001", 1);
    folder.asset("v1.1.0", "manifest.json", damaged);
    assert!(page(&server, release).contains("refused</span>: the signature does not fit"));
    folder.asset("v1.1.0", "manifest.json", "{}");
    assert!(page(&server, release).contains("cannot be read"));
}

#[test]
fn addresses_that_the_api_hands_out_answer_in_a_browser() {
    let folder = folder();
    folder.asset("odd", "release.json", r#"{"tag_name":"weather/v0.1.0+a b"}"#);
    let server = Server::start(writable(&folder)).unwrap();
    let auth = basic(WRITER);
    let headers = [HTML, ("authorization", auth.as_str())];
    let list = ask_as("GET", &format!("{}/repos/octo/weather/releases", server.base_url()), WRITER, "", "");
    let repo = ask_as("GET", &format!("{}/repos/octo/weather", server.base_url()), WRITER, "", "");
    let (list, repo) = (support::json(list), support::json(repo));
    let mut addresses = vec![repo["html_url"].clone(), repo["owner"]["html_url"].clone()];
    for release in list.as_array().unwrap() {
        addresses.push(release["html_url"].clone());
        addresses.push(release["author"]["html_url"].clone());
        addresses
            .extend(release["assets"].as_array().unwrap().iter().map(|a| a["browser_download_url"].clone()));
    }
    assert!(addresses.len() > 12, "{addresses:?}");
    for address in &addresses {
        let response = get(address.as_str().unwrap(), &headers);
        assert_eq!(response.status(), 200, "{address}");
    }
    println!("  cases {}: addresses from the API", addresses.len());
}

#[test]
fn drafts_and_private_projects_are_for_the_token() {
    let folder = folder();
    let server = Server::start(writable(&folder)).unwrap();
    let base = server.base_url();
    let (good, bad) = (basic(WRITER), basic("wrong"));
    let list = format!("{base}/octo/weather/releases");
    let shown = text(get(&list, &[HTML, ("authorization", &good)]));
    assert!(shown.contains("draft</span>") && shown.contains("/releases/tag/untagged-"), "{shown}");
    let draft = shown.split("href=\"").find(|rest| rest.contains("untagged-")).unwrap();
    let draft = format!("{base}{}", draft.split('"').next().unwrap());
    assert!(text(get(&draft, &[HTML, ("authorization", &good)])).contains("a secret"));
    assert_eq!(get(&draft, &[HTML]).status(), 404);
    assert!(page(&server, "/").contains("href=\"/login\""));
    assert_eq!(get(&format!("{base}/login"), &[HTML]).status(), 401);
    assert_eq!(get(&format!("{base}/login"), &[HTML, ("authorization", &good)]).status(), 303);
    assert_eq!(get(&list, &[HTML, ("authorization", &bad)]).status(), 401);

    // The same for what is there and what is not.
    let private = folder.serve_private();
    let base = private.base_url();
    let good = basic(TOKEN);
    let download = "/octo/weather/releases/download/v1.0.0/manifest.json";
    let there = [
        "/",
        "/octo",
        "/octo/weather",
        "/octo/weather/releases",
        "/octo/weather/releases/tag/v1.0.0",
        download,
    ];
    let more = ["/nobody", "/octo/weather/releases/tag/v9", "/octo/weather/releases/download/v9/x"];
    let mut cases = 0;
    for path in there.iter().chain(&more) {
        for headers in [vec![HTML], vec![HTML, ("authorization", bad.as_str())]] {
            let response = get(&format!("{base}{path}"), &headers);
            assert_eq!(response.status(), 401, "{path}");
            assert!(header(&response, "www-authenticate").starts_with("Basic realm="), "{path}");
            let said = text(response);
            assert!(!said.contains("octo") && !said.contains("v1."), "{path}: {said}");
            cases += 1;
        }
        let with_token = get(&format!("{base}{path}"), &[HTML, ("authorization", &good)]);
        assert_eq!(with_token.status(), if there.contains(path) { 200 } else { 404 }, "{path}");
        assert!(!text(with_token).contains(TOKEN));
    }
    println!("  cases {cases}: hidden without a token");
    // Whoever asks for no page is told what GitHub tells, token or not.
    assert_eq!(text(get(&format!("{base}{download}"), &[("authorization", &good)])), "Not Found");
}

#[test]
fn a_page_of_somebody_else_changes_nothing_with_a_browsers_token() {
    let folder = folder();
    let server = Server::start(writable(&folder)).unwrap();
    let ask = |origin: &str| {
        let body = r#"{"tag_name":"v3.0.0"}"#;
        let auth = basic(WRITER);
        let length = body.len();
        let head =
            format!("Host: x\r\nUser-Agent: u\r\nAuthorization: {auth}\r\nContent-Length: {length}\r\n");
        let path = "/repos/octo/weather/releases";
        raw(&server, &format!("POST {path} HTTP/1.1\r\n{head}{origin}Connection: close\r\n\r\n{body}"))
    };
    assert_eq!(status(&ask("Origin: http://elsewhere.example\r\n")), "403");
    assert_eq!(status(&ask("Origin: null\r\n")), "403");
    assert_eq!(server.releases().len(), 4);
    assert_eq!(status(&ask("")), "201");
}

#[test]
fn the_certificate_is_named_where_https_is_served() {
    let folder = folder();
    let options = Options { tls: Tls::SelfSigned { names: Vec::new() }, ..folder.options() };
    let server = Server::start(options).unwrap();
    let agent = support::agent_trusting(server.certificate_der().unwrap());
    let page = text(support::get_by(&agent, &format!("{}/octo/weather", server.base_url()), &[HTML]));
    let digest = support::sha256(server.certificate_der().unwrap()).replace("sha256:", "").to_uppercase();
    let pairs: Vec<&str> =
        digest.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    assert!(page.contains(&pairs.join(":")), "{page}");
}

#[test]
fn texts_of_strangers_are_text() {
    let folder = folder();
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}\u{2066}\u{200b}\u{1b}]";
    let meta = serde_json::json!({"tag_name": format!("v9.9.9{evil}"), "name": evil, "body": evil,
        "created_at": "2026-01-01T00:00:00Z", "assets": {"plain.txt": {"label": evil, "name": evil.replace('/', "")}}});
    folder.asset("evil", "release.json", meta.to_string());
    folder.asset("evil", "plain.txt", "x");
    folder.asset("evil", "manifest.json", format!("{{\"mpota\":1,\"project\":\"{evil}"));
    folder.file(&format!("o<b>\u{202e}/r\"'<i>\u{2067}/v1{}/x<u>\u{2028}.py", "\u{200f}&amp;"), "x");
    let server = folder.serve();
    // Every address that some page links to, from the front page on.
    let (mut seen, mut next) = (vec!["/".to_owned()], vec!["/".to_owned()]);
    let mut pages = 0;
    while let Some(path) = next.pop() {
        let response = get(&format!("{}{path}", server.base_url()), &[HTML]);
        if path.contains("/releases/download/") {
            assert_eq!(response.status(), 302, "{path}");
            continue;
        }
        let policy = header(&response, "content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = text(response);
        pages += 1;
        let (_, after) = page.split_once("</style>").unwrap();
        for tag in ["<script", "<img", "<b>", "<i>", "<u>", "<style", "javascript:"] {
            assert!(!after.contains(tag), "{path}: {tag}\n{after}");
        }
        let strange: Vec<char> = page
            .chars()
            .filter(|c| (c.is_control() && *c != '\n') || ('\u{200b}'..='\u{206f}').contains(c) && *c != '…')
            .collect();
        assert!(strange.is_empty(), "{path}: {strange:?}");
        for href in
            after.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        {
            assert!(href.starts_with('/') || href == "#main", "{path}: {href}");
            if href.starts_with('/') && !seen.contains(&href) {
                seen.push(href.clone());
                next.push(href);
            }
        }
    }
    assert!(seen.iter().any(|path| path.contains("v9.9.9%3Cscript")), "{seen:?}");
    assert!(pages > 10, "{seen:?}");
    println!("  cases {pages}: pages with texts of strangers");
}
