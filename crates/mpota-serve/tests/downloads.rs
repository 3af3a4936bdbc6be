//! The download paths of github.com.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use mpota_serve::{Options, Server};
use support::{Folder, bytes, follow, get, head, header, pack, sha256, storage_url, text};

#[test]
fn latest_leads_over_the_tag_to_the_storage_host() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let base = server.base_url();
    let (way, response) = follow(&format!("{base}/octo/weather/releases/latest/download/weather.pack"));
    assert_eq!(way.len(), 3, "{way:?}");
    assert_eq!(way[1], format!("{base}/octo/weather/releases/download/v1.11.0/weather.pack"));
    assert!(way[2].starts_with(&format!("{}/github-production", server.asset_url())));
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "application/octet-stream");
    assert_eq!(header(&response, "content-length"), "300000");
    assert_eq!(header(&response, "accept-ranges"), "bytes");
    assert!(header(&response, "etag").starts_with('"'));
    assert!(header(&response, "last-modified").ends_with("GMT"));
    assert_eq!(bytes(response), pack("v1.11.0"));
}

#[test]
fn the_storage_host_differs_in_name_and_port() {
    let server = Folder::with_releases().serve();
    assert!(server.base_url().starts_with("http://127.0.0.1:"));
    assert!(server.asset_url().starts_with("http://localhost:"));
    assert_ne!(server.address().port(), server.asset_address().port());
}

#[test]
fn a_chosen_tag_needs_one_redirect() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = "/octo/weather/releases/download/v1.6.0/manifest.json";
    let (way, response) = follow(&format!("{}{url}", server.base_url()));
    assert_eq!(way.len(), 2);
    assert_eq!(text(response), "manifest of v1.6.0\n");
}

#[test]
fn signed_addresses_are_as_long_as_githubs() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = support::storage_url(&server, "v1.6.0", "manifest.json");
    assert!((750..950).contains(&url.len()), "{} {url}", url.len());
}

#[test]
fn redirects_carry_a_header_line_of_three_and_a_half_kilobytes() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = "/octo/weather/releases/latest/download/manifest.json";
    let response = get(&format!("{}{url}", server.base_url()), &[]);
    let length = header(&response, "content-security-policy").len();
    assert!((3_400..3_700).contains(&length), "{length}");
}

#[test]
fn the_latest_page_names_the_tag() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let base = server.base_url();
    let response = get(&format!("{base}/octo/weather/releases/latest"), &[]);
    assert_eq!(response.status(), 302);
    assert_eq!(header(&response, "location"), format!("{base}/octo/weather/releases/tag/v1.11.0"));
}

#[test]
fn what_is_not_there_is_githubs_plain_not_found() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let paths = [
        "/octo/weather/releases/download/v1.6.0/nothing",
        "/octo/weather/releases/download/v9.9.9/manifest.json",
        "/octo/nothing/releases/latest/download/manifest.json",
        "/nobody/weather/releases/latest/download/manifest.json",
        "/octo/weather/releases/download/v1.6.0",
        "/octo/weather/releases/download/v1.6.0/",
        "/octo/weather",
        "/",
    ];
    for path in paths {
        let response = get(&format!("{}{path}", server.base_url()), &[]);
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header(&response, "content-type"), "text/plain; charset=utf-8");
        assert_eq!(text(response), "Not Found", "{path}");
    }
}

#[test]
fn names_are_compared_as_github_does() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let found = |path: &str| get(&format!("{}{path}", server.base_url()), &[]).status();
    assert_eq!(found("/OCTO/Weather/releases/download/v1.6.0/manifest.json"), 302);
    assert_eq!(found("/octo/weather/releases/download/V1.6.0/manifest.json"), 404);
    assert_eq!(found("/octo/weather/releases/download/v1.6.0/Manifest.json"), 404);
}

#[test]
fn a_plain_mirror_answers_at_once() {
    let folder = Folder::with_releases();
    let options = Options { redirects: false, ..folder.options() };
    let server = Server::start(options).unwrap();
    for path in ["latest/download/weather.pack", "download/v1.11.0/weather.pack"] {
        let url = format!("{}/octo/weather/releases/{path}", server.base_url());
        let response = get(&url, &[("range", "bytes=10-19")]);
        assert_eq!(response.status(), 206);
        assert_eq!(bytes(response), &pack("v1.11.0")[10..20]);
        let whole = get(&url, &[("authorization", "Bearer whatever")]);
        assert_eq!(bytes(whole), pack("v1.11.0"));
    }
    let url = format!("{}/octo/weather/releases/latest/download/nothing", server.base_url());
    assert_eq!(text(get(&url, &[])), "Not Found");
}

#[test]
fn head_says_the_same_without_a_body() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = format!("{}/octo/weather/releases/latest/download/weather.pack", server.base_url());
    let redirect = head(&url, &[]);
    assert_eq!(redirect.status(), 302);
    let url = support::storage_url(&server, "v1.11.0", "weather.pack");
    server.clear_requests();
    let (by_get, by_head) = (get(&url, &[]), head(&url, &[]));
    for name in ["content-length", "content-type", "etag", "last-modified"] {
        assert_eq!(header(&by_get, name), header(&by_head, name), "{name}");
    }
    assert_eq!(bytes(by_get).len(), 300_000);
    assert_eq!(bytes(by_head).len(), 0);
    let sent: Vec<u64> = server.requests().iter().map(|r| r.bytes_sent).collect();
    assert_eq!(sent, [300_000, 0]);
}

#[test]
fn without_an_asset_host_everything_is_on_one_port() {
    let folder = Folder::with_releases();
    let server = Server::start(Options::new(folder.path())).unwrap();
    assert_eq!(server.base_url(), server.asset_url());
    let url = format!("{}/octo/weather/releases/latest/download/weather.pack", server.base_url());
    let (way, response) = follow(&url);
    assert_eq!(way.len(), 3);
    assert_eq!(bytes(response), pack("v1.11.0"));
}

#[test]
fn redirects_name_the_host_that_was_asked_for() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let request = "GET /octo/weather/releases/latest HTTP/1.1\r\n\
                   Host: board-lan.example:8080\r\nConnection: close\r\n\r\n";
    let answer = support::raw(&server, request);
    assert!(answer.contains("location: http://board-lan.example:8080/octo/weather/"), "{answer}");
    let bent = "GET /octo/weather/releases/latest HTTP/1.1\r\n\
                Host: evil/@x\r\nConnection: close\r\n\r\n";
    let answer = support::raw(&server, bent);
    assert!(!answer.contains("evil"), "{answer}");
}

#[test]
fn a_stopped_server_frees_its_port_and_keeps_its_log() {
    let folder = Folder::with_releases();
    let mut server = folder.serve();
    let address = server.address();
    get(&format!("{}/", server.base_url()), &[]);
    server.stop();
    server.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
    assert_eq!(server.requests().len(), 1);
    let again = Options { listen: address, ..folder.options() };
    assert_eq!(Server::start(again).unwrap().address(), address);
}

#[test]
fn every_request_is_logged_with_what_came_and_went() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = support::storage_url(&server, "v1.11.0", "weather.pack");
    server.clear_requests();
    assert!(server.requests().is_empty());
    let headers = [("range", "bytes=5-9"), ("user-agent", "board/1")];
    bytes(get(&url, &headers));
    get(&format!("{}/octo/x?y=1", server.base_url()), &[("authorization", "token T")]);
    let log = server.requests();
    let [part, missing] = &log[..] else {
        panic!("{log:?}");
    };
    assert_eq!((part.method.as_str(), part.status), ("GET", 206));
    assert_eq!(part.range.as_deref(), Some("bytes=5-9"));
    assert_eq!((part.bytes_sent, part.tls), (5, false));
    assert_eq!(part.user_agent, "board/1");
    assert_eq!(part.host, server.asset_url().trim_start_matches("http://"));
    assert_eq!(part.listener, mpota_serve::ListenerKind::Asset);
    assert!(!part.authorization_present && missing.authorization_present);
    assert_eq!((missing.path.as_str(), missing.query.as_str()), ("/octo/x", "y=1"));
    assert_eq!(missing.status, 404);
    assert_ne!(part.connection_id, missing.connection_id);
}

/// A folder that has just changed is read for the answer; later the answer comes from what is known.
#[test]
fn a_known_folder_answers_as_one_that_is_read() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let stored = storage_url(&server, "v1.11.0", "weather.pack");
    let page = |rest: &str| format!("{}/octo/weather/releases/{rest}", server.base_url());
    let etag = header(&get(&stored, &[]), "etag").to_owned();
    let addresses = [
        page("latest"),
        page("latest/download/weather.pack"),
        page("latest/download/nothing"),
        page("latest/download/"),
        page("download/v1.9.0/nothing"),
        page("download/v9.9.9/weather.pack"),
        page("download/"),
        stored.clone(),
        stored.replace("sig=", "sig=x"),
    ];
    let conditions: [&[(&str, &str)]; 9] = [
        &[],
        &[("range", "bytes=10-19")],
        &[("range", "bytes=-7")],
        &[("range", "bytes=400000-")],
        &[("range", "bytes=10-19"), ("if-range", "\"other\"")],
        &[("if-none-match", &etag)],
        &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")],
        &[("accept", "text/html")],
        &[("authorization", "Bearer x")],
    ];
    let ask = |url: &str, headers: &[(&str, &str)], with_body: bool| {
        let response = if with_body { get(url, headers) } else { head(url, headers) };
        let plain = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let mut head: Vec<_> =
            response.headers().iter().map(plain).filter(|(name, _)| name != "date").collect();
        head.sort();
        (response.status(), head, sha256(&bytes(response)))
    };
    let mut all = Vec::new();
    for with_body in [true, false] {
        all.extend(addresses.iter().flat_map(|url| conditions.map(|headers| (url, headers, with_body))));
    }
    let mut read = Vec::new();
    for (case, (url, headers, with_body)) in all.iter().enumerate() {
        folder.file(&format!("another-{case}/x"), "");
        read.push(ask(url, headers, *with_body));
    }
    // It is known once it was read twice, some time apart.
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(150));
        get(&addresses[0], &[]);
    }
    for ((url, headers, with_body), read) in all.iter().zip(&read) {
        assert_eq!(*read, ask(url, headers, *with_body), "{url} {headers:?}");
    }
    assert_eq!(all.len(), 162);
    println!("  cases {}: answers from a folder that is known, and from one that is read", all.len());
}

#[test]
fn several_ranges_come_in_one_answer() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = storage_url(&server, "v1.11.0", "weather.pack");
    let whole = pack("v1.11.0");
    let mut ran = 0;
    // The last one is larger than what is sent in one piece.
    for parts in [
        vec![(0, 0), (2, 9)],
        vec![(10, 20), (21, 30), (299_999, 299_999)],
        vec![(0, 149_999), (150_001, 299_999)],
    ] {
        let list: Vec<String> = parts.iter().map(|(a, b)| format!("{a}-{b}")).collect();
        let response = get(&url, &[("range", &format!("bytes={}", list.join(",")))]);
        assert_eq!(response.status(), 206, "{parts:?}");
        let kind = header(&response, "content-type").to_owned();
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=\"").unwrap().trim_end_matches('"');
        let length: usize = header(&response, "content-length").parse().unwrap();
        let mut expected = Vec::new();
        for &(first, last) in &parts {
            let head = format!(
                "Content-Type: application/octet-stream\r\nContent-Range: bytes {first}-{last}/300000"
            );
            expected.extend(format!("\r\n--{boundary}\r\n{head}\r\n\r\n").bytes());
            expected.extend(&whole[first..=last]);
        }
        expected.extend(format!("\r\n--{boundary}--\r\n").bytes());
        let body = bytes(response);
        assert!(body == expected && body.len() == length, "{parts:?}: {length}, {} bytes", body.len());
        ran += 1;
    }
    // Where the file is another one by now, all of it; and the head of an answer has no parts.
    let range = ("range", "bytes=0-1,3-4");
    let response = get(&url, &[range, ("if-range", "\"other\"")]);
    assert_eq!((response.status().as_u16(), bytes(response).len()), (200, 300_000));
    assert_eq!(head(&url, &[range]).status(), 200);
    println!("  cases {}: answers with several ranges", ran + 2);
}
