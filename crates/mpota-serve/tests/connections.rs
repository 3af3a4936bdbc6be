//! Connections: kept, bounded, given up.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mpota_serve::{Limits, Options, Server};
use support::{Folder, agent, bytes, get, get_by, pack, raw, status, storage_url};

const REQUEST: &str = "GET /octo/weather/releases/latest HTTP/1.1\r\nHost: x\r\n\r\n";

fn limited(folder: &Folder, limits: Limits) -> Server {
    let options = Options { limits, ..folder.options() };
    Server::start(options).unwrap()
}

/// How long until the server closes the connection.
fn closed_after(mut socket: TcpStream) -> Duration {
    let start = Instant::now();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    start.elapsed()
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address()).unwrap()
}

#[test]
fn one_connection_serves_many_requests() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = storage_url(&server, "v1.11.0", "weather.pack");
    server.clear_requests();
    let agent = agent();
    let before = server.connections();
    for part in 0..20 {
        let range = format!("bytes={}-{}", part * 1000, part * 1000 + 999);
        let body = bytes(get_by(&agent, &url, &[("range", &range)]));
        assert_eq!(body, &pack("v1.11.0")[part * 1000..part * 1000 + 1000]);
    }
    let log = server.requests();
    assert_eq!(log.len(), 20);
    assert!(log.iter().all(|r| r.connection_id == log[0].connection_id));
    assert_eq!(server.connections(), before + 1);
}

#[test]
fn a_client_that_is_slow_with_its_request_is_dropped() {
    let folder = Folder::with_releases();
    let limits = Limits { header_timeout: Duration::from_millis(500), ..Limits::default() };
    let server = limited(&folder, limits);
    let silent = connect(&server);
    let mut slow = connect(&server);
    let writer = {
        let mut slow = slow.try_clone().unwrap();
        std::thread::spawn(move || {
            for byte in REQUEST.bytes().cycle().filter(|byte| *byte != b'\n') {
                if slow.write_all(&[byte]).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let start = Instant::now();
    let mut byte = [0];
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let ended = slow.read(&mut byte);
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    assert!((400..3_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(closed_after(silent) < Duration::from_secs(3));
    writer.join().unwrap();
    assert!(server.requests().is_empty());
}

#[test]
fn an_idle_connection_is_kept_longer_than_a_slow_request() {
    let folder = Folder::with_releases();
    let limits = Limits {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(1_500),
        ..Limits::default()
    };
    let server = limited(&folder, limits);
    let mut socket = connect(&server);
    for _ in 0..2 {
        socket.write_all(REQUEST.as_bytes()).unwrap();
        let mut answer = [0; 16 * 1024];
        let mut got = 0;
        while !answer[..got].ends_with(b"\r\n\r\n") {
            let more = socket.read(&mut answer[got..]).unwrap();
            assert!(more > 0, "closed after {got} bytes");
            got += more;
        }
        std::thread::sleep(Duration::from_millis(900));
    }
    assert_eq!(server.requests().len(), 2);
    let left = closed_after(socket);
    assert!((200..3_000).contains(&left.as_millis()), "{left:?}");
}

#[test]
fn a_client_that_takes_nothing_is_dropped() {
    let folder = Folder::with_releases();
    folder.asset("v1.11.0", "huge.bin", vec![0; 64 << 20]);
    let limits = Limits { stall_timeout: Duration::from_millis(500), ..Limits::default() };
    let server = limited(&folder, limits);
    let url = storage_url(&server, "v1.11.0", "huge.bin");
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut socket = TcpStream::connect(server.asset_address()).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(rest.len() > 100_000, "it did begin: {}", rest.len());
    assert!(rest.len() < 64 << 20, "it was all sent: {}", rest.len());
    assert!(server.requests().last().unwrap().bytes_sent < 64 << 20);
}

#[test]
fn a_client_that_never_sends_the_body_is_dropped() {
    let folder = Folder::with_releases();
    let limits = Limits { stall_timeout: Duration::from_millis(500), ..Limits::default() };
    let server = limited(&folder, limits);
    let mut socket = connect(&server);
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n\
                Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    socket.write_all(head.as_bytes()).unwrap();
    let left = closed_after(socket);
    assert!((400..3_000).contains(&left.as_millis()), "{left:?}");
}

#[test]
fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n";
    let start = " ".repeat(64 * 1024 + 1);
    let answer = raw(&server, &format!("{head}{start}"));
    assert!(answer.contains("could not be read"), "{answer}");
}

#[test]
fn many_slow_clients_do_not_keep_a_quick_one_out() {
    let folder = Folder::with_releases();
    let limits = Limits { connections: 16, header_timeout: Duration::from_secs(600), ..Limits::default() };
    let server = limited(&folder, limits);
    let url = format!("{}/octo/weather/releases/latest", server.base_url());
    let mut slow = Vec::new();
    for round in 0..5 {
        for _ in 0..40 {
            let mut socket = connect(&server);
            let _ = socket.write_all(b"GET / HT");
            slow.push(socket);
        }
        let start = Instant::now();
        assert_eq!(get(&url, &[]).status(), 302, "round {round}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    assert_eq!(slow.len(), 200);
    let open = slow
        .iter_mut()
        .map(|socket| {
            socket.set_nonblocking(true).unwrap();
            socket.read(&mut [0])
        })
        .filter(|ended| {
            let error = ended.as_ref().err();
            error.is_some_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        })
        .count();
    assert!((1..=16).contains(&open), "{open} of 200 are open");
}

#[test]
fn a_download_is_not_given_up_for_newcomers() {
    let folder = Folder::with_releases();
    folder.asset("v1.11.0", "huge.bin", vec![7; 32 << 20]);
    let limits = Limits { connections: 4, ..Limits::default() };
    let server = limited(&folder, limits);
    let url = storage_url(&server, "v1.11.0", "huge.bin");
    let mut body = get(&url, &[]).into_body().into_reader();
    let mut first = [0; 1000];
    body.read_exact(&mut first).unwrap();
    let _slow: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    std::thread::sleep(Duration::from_millis(500));
    let mut rest = Vec::new();
    body.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len() + first.len(), 32 << 20);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let folder = Folder::with_releases();
    let limits = Limits { header_bytes: 8 * 1024, ..Limits::default() };
    let server = limited(&folder, limits);
    let long = "a".repeat(20_000);
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n");
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200));
    let path = format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n");
    for request in [large, many, path] {
        let answer = raw(&server, &request);
        assert!(["431", "414", "400"].contains(&status(&answer)), "{answer}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn what_is_not_http_is_closed() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    for request in ["\r\n\r\nnonsense\r\n\r\n", "\u{16}\u{3}\u{1} hello\r\n\r\n"] {
        let answer = raw(&server, request);
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }
    let url = format!("{}/octo/weather/releases/latest", server.base_url());
    assert_eq!(get(&url, &[]).status(), 302);
}

#[test]
fn only_so_many_requests_are_remembered() {
    let folder = Folder::with_releases();
    let limits = Limits { logged_requests: 3, ..Limits::default() };
    let server = limited(&folder, limits);
    for number in 0..5 {
        get(&format!("{}/{number}", server.base_url()), &[]);
    }
    let paths: Vec<_> = server.requests().into_iter().map(|r| r.path).collect();
    assert_eq!(paths, ["/2", "/3", "/4"]);
}
