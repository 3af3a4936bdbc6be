//! The storage host.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use mpota_serve::{Options, Server};
use support::{Folder, TOKEN, bytes, get, head, header, json, pack, storage_url, text};

const TAG: &str = "v1.11.0";

fn served() -> (Folder, Server, String) {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = storage_url(&server, TAG, "weather.pack");
    (folder, server, url)
}

#[test]
fn an_authorization_header_is_a_bad_request() {
    let (_folder, _server, url) = served();
    for value in ["Bearer x", "token x", "Basic eDp5"] {
        let response = get(&url, &[("authorization", value)]);
        assert_eq!(response.status(), 400);
        assert!(text(response).contains("<Code>InvalidAuthenticationInfo</Code>"));
    }
}

#[test]
fn where_everything_is_on_one_port_a_token_does_no_harm() {
    let folder = Folder::with_releases();
    for token in [None, Some(TOKEN.to_owned())] {
        let server = Server::start(Options { asset_host: None, token, ..folder.options() }).unwrap();
        let auth = format!("Bearer {TOKEN}");
        let known = [("authorization", &*auth), ("accept", "application/octet-stream")];
        // As a board goes, with the token on each step of its way.
        let tag = format!("{}/api/v3/repos/octo/weather/releases/tags/{TAG}", server.base_url());
        let release = json(get(&tag, &known[..1]));
        let assets = release["assets"].as_array().unwrap();
        let asset = assets.iter().find(|asset| asset["name"] == "manifest.json").unwrap();
        let answer = get(asset["url"].as_str().unwrap(), &known);
        assert_eq!(answer.status(), 302);
        let stored = header(&answer, "location");
        assert!(stored.starts_with(server.base_url()), "{stored}");
        let expected = format!("manifest of {TAG}\n");
        for value in [&*auth, "Bearer x", "Basic eDp5"] {
            let answer = get(stored, &[("authorization", value)]);
            assert_eq!((answer.status().as_u16(), text(answer)), (200, expected.clone()), "{value}");
        }
        // It opens nothing either.
        let altered = stored.replacen("sig=", "sig=x", 1);
        assert_eq!(get(&altered, &known[..1]).status(), 403);
    }
}

#[test]
fn a_range_gets_just_its_bytes() {
    let (_folder, _server, url) = served();
    let whole = pack(TAG);
    let cases = [
        ("bytes=0-0", 0, 1),
        ("bytes=100-65999", 100, 66_000),
        ("bytes=299999-", 299_999, 300_000),
        ("bytes=-7", 299_993, 300_000),
        ("bytes=299990-400000", 299_990, 300_000),
    ];
    for (range, start, end) in cases {
        let response = get(&url, &[("range", range)]);
        assert_eq!(response.status(), 206, "{range}");
        let expected = format!("bytes {start}-{}/300000", end - 1);
        assert_eq!(header(&response, "content-range"), expected);
        let length = (end - start).to_string();
        assert_eq!(header(&response, "content-length"), length);
        assert_eq!(bytes(response), &whole[start..end], "{range}");
    }
}

#[test]
fn a_range_behind_the_end_is_416() {
    let (_folder, _server, url) = served();
    for range in ["bytes=300000-", "bytes=300000-300001", "bytes=-0"] {
        let response = get(&url, &[("range", range)]);
        assert_eq!(response.status(), 416, "{range}");
        assert_eq!(header(&response, "content-range"), "bytes */300000");
    }
}

#[test]
fn ranges_out_of_order_or_bad_ones_get_everything() {
    let (_folder, _server, url) = served();
    for range in ["bytes=5-6,0-1", "bytes=0-1,1-6", "bytes=9-3", "lines=1-2", "bytes=x-"] {
        let response = get(&url, &[("range", range)]);
        assert_eq!(response.status(), 200, "{range}");
        assert_eq!(bytes(response).len(), 300_000);
    }
}

#[test]
fn if_range_gives_the_part_only_of_the_same_file() {
    let (folder, _server, url) = served();
    let first = get(&url, &[("range", "bytes=0-9")]);
    let etag = header(&first, "etag").to_owned();
    let date = header(&first, "last-modified").to_owned();
    let part = |condition: &str| {
        let headers = [("range", "bytes=0-9"), ("if-range", condition)];
        get(&url, &headers).status().as_u16()
    };
    assert_eq!(part(&etag), 206);
    assert_eq!(part(&date), 206);
    assert_eq!(part("\"other\""), 200);
    assert_eq!(part(&format!("W/{etag}")), 200);
    assert_eq!(part("Mon, 01 Jan 2001 00:00:00 GMT"), 200);
    folder.asset(TAG, "weather.pack", vec![b'x'; 300_000]);
    assert_eq!(part(&etag), 200, "the file was replaced");
}

#[test]
fn what_the_client_has_is_304() {
    let (_folder, _server, url) = served();
    let first = get(&url, &[]);
    let etag = header(&first, "etag").to_owned();
    let date = header(&first, "last-modified").to_owned();
    let several = format!("\"a\", W/{etag}");
    for value in [etag.as_str(), "*", several.as_str()] {
        let response = get(&url, &[("if-none-match", value)]);
        assert_eq!(response.status(), 304, "{value}");
        assert_eq!(header(&response, "etag"), etag);
        assert_eq!(bytes(response).len(), 0);
    }
    assert_eq!(get(&url, &[("if-none-match", "\"a\"")]).status(), 200);
    assert_eq!(get(&url, &[("if-modified-since", &date)]).status(), 304);
    let both = [("if-none-match", "\"a\""), ("if-modified-since", &date)];
    assert_eq!(get(&url, &both).status(), 200);
}

#[test]
fn an_altered_address_is_forbidden() {
    let (_folder, server, url) = served();
    let other = storage_url(&server, "v1.6.0", "manifest.json");
    let (path, query) = url.split_once('?').unwrap();
    let (other_path, other_query) = other.split_once('?').unwrap();
    let later = url.replace("sp=r", "sp=rw");
    let sig = query.split('&').find(|p| p.starts_with("sig=")).unwrap();
    let altered = [
        path.to_owned(),
        format!("{path}?sig=x"),
        format!("{path}?{other_query}"),
        format!("{other_path}?{query}"),
        later,
        url.replace(sig, "sig="),
        format!("{url}&{sig}"),
        format!("{url}&more=1"),
        url.replacen("jwt=e", "jwt=f", 1),
        url.to_ascii_lowercase(),
    ];
    for address in altered {
        assert_ne!(address, url);
        let response = get(&address, &[]);
        assert_eq!(response.status(), 403, "{address}");
        assert!(text(response).contains("<Code>AuthenticationFailed</Code>"));
    }
    assert_eq!(get(&url, &[]).status(), 200);
}

#[test]
fn an_address_expires() {
    let folder = Folder::with_releases();
    let options = Options { url_lifetime: Duration::from_secs(2), ..folder.options() };
    let server = Server::start(options).unwrap();
    let url = storage_url(&server, TAG, "manifest.json");
    assert_eq!(get(&url, &[]).status(), 200);
    std::thread::sleep(Duration::from_millis(2_100));
    let response = get(&url, &[]);
    assert_eq!(response.status(), 403);
    assert!(text(response).contains("expired"));
}

#[test]
fn an_address_of_another_server_is_forbidden() {
    let (folder, _server, url) = served();
    let other = folder.serve();
    let path = url.split_once("/github-production").unwrap().1;
    let moved = format!("{}/github-production{path}", other.asset_url());
    assert_eq!(get(&moved, &[]).status(), 403);
}

#[test]
fn a_deleted_asset_is_404() {
    let (folder, _server, url) = served();
    std::fs::remove_file(folder.path().join("octo/weather/v1.11.0/weather.pack")).unwrap();
    let response = get(&url, &[]);
    assert_eq!(response.status(), 404);
    assert!(text(response).contains("<Code>BlobNotFound</Code>"));
}

#[test]
fn an_empty_asset_has_an_empty_body() {
    let folder = Folder::with_releases();
    folder.asset(TAG, "empty.bin", "");
    let server = folder.serve();
    let url = storage_url(&server, TAG, "empty.bin");
    let response = get(&url, &[]);
    assert_eq!(header(&response, "content-length"), "0");
    assert_eq!(bytes(response).len(), 0);
    assert_eq!(get(&url, &[("range", "bytes=0-")]).status(), 416);
    assert_eq!(head(&url, &[]).status(), 200);
}

#[test]
fn the_storage_host_answers_nothing_else() {
    let (_folder, server, _url) = served();
    for path in ["/octo/weather/releases/latest", "/repos/octo/weather/releases"] {
        let response = get(&format!("{}{path}", server.asset_url()), &[]);
        assert_eq!(response.status(), 404);
        assert_eq!(header(&response, "content-type"), "application/xml");
    }
}
