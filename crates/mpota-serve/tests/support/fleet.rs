//! Boards that report.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use mpota_serve::{FleetOptions, Options, Server};
use serde_json::{Value, json};

use super::{Folder, get};

pub const REPORTER: &str = "the secret of the boards";
pub const VIEWER: &str = "the secret of the fleet";
pub const MANIFEST: &str = "/octo/weather/releases/latest/download/manifest.json";
/// More than any test brings from one address.
pub const ALL_NEW: u32 = 1_000_000;

/// Reports are kept beside the releases.
pub fn fleet(folder: &Folder) -> FleetOptions {
    FleetOptions { new_per_hour: ALL_NEW, ..FleetOptions::new(folder.path().join("reports.db")) }
}

pub fn guarded(folder: &Folder) -> FleetOptions {
    FleetOptions { report_token: Some(REPORTER.into()), view_token: Some(VIEWER.into()), ..fleet(folder) }
}

pub fn serve_fleet(folder: &Folder, fleet: FleetOptions) -> Server {
    Server::start(Options { fleet: Some(fleet), ..Options::new(folder.path()) }).unwrap()
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A report of a board with this version.
pub fn report(id: &str, version: &str) -> Value {
    json!({"id": id, "version": version, "state": "idle"})
}

/// A report of a board that came back.
pub fn back(id: &str, version: &str, bad: &str) -> Value {
    json!({"id": id, "version": version, "state": "idle", "bad": bad, "why": "raised ValueError in <module>"})
}

/// Asks for the manifest, with these words as the report; the status of the answer.
pub fn tell_raw(server: &Server, value: &str, token: &str) -> u16 {
    let mut headers = vec![("mpota-report", value)];
    let token = bearer(token);
    if token != "Bearer " {
        headers.push(("authorization", &token));
    }
    get(&format!("{}{MANIFEST}", server.base_url()), &headers).status().as_u16()
}

pub fn tell(server: &Server, report: &Value) {
    assert_eq!(tell_raw(server, &report.to_string(), ""), 302);
}

/// What is shown to who has the token.
pub fn shown(server: &Server, path: &str) -> (u16, String) {
    let answer = get(&format!("{}{path}", server.base_url()), &[("authorization", &bearer(VIEWER))]);
    (answer.status().as_u16(), super::text(answer))
}

pub fn figures(server: &Server, query: &str) -> Value {
    let (status, text) = shown(server, &format!("/fleet.json{query}"));
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// How many reports ended so.
pub fn outcome(server: &Server, outcome: &str, code: Option<&str>) -> u64 {
    let all = figures(server, "");
    let found = all["reports"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["outcome"] == outcome && row["code"] == json!(code));
    found.unwrap_or_else(|| panic!("{outcome} {code:?}"))["count"].as_u64().unwrap()
}

/// Very many requests, on some connections side by side; how many were answered with 302.
pub fn pipeline(server: &Server, all: usize, request: impl Fn(usize) -> String + Sync) -> usize {
    let connections = 40;
    let request = &request;
    std::thread::scope(|scope| {
        let each = (0..connections)
            .map(|first| scope.spawn(move || on_one(server, (first..all).step_by(connections).map(request))));
        each.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// Requests on one connection that is kept, some written at once and their answers read.
fn on_one(server: &Server, requests: impl Iterator<Item = String>) -> usize {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answered = 0;
    let mut requests = requests.peekable();
    while requests.peek().is_some() {
        let some: Vec<String> = requests.by_ref().take(200).collect();
        socket.write_all(some.concat().as_bytes()).unwrap();
        let mut answers = String::new();
        let mut piece = [0; 65_536];
        // No body: an answer ends with its head.
        while answers.matches("\r\n\r\n").count() < some.len() {
            let read = socket.read(&mut piece).unwrap();
            assert!(read > 0, "closed after {answered} answers and {answers}");
            answers.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        assert_eq!(answers.matches("HTTP/1.1 302 Found\r\n").count(), some.len(), "{answers}");
        answered += some.len();
    }
    answered
}

/// The request of a board that looks for an update.
pub fn request(report: &Value, token: &str) -> String {
    let token = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!(
        "GET {MANIFEST} HTTP/1.1\r\nHost: x\r\nUser-Agent: mpota\r\n{token}Mpota-Report: {report}\r\n\r\n"
    )
}
