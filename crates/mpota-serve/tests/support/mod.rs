//! A folder of releases, a client and a raw socket.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use mpota_serve::{Options, Server};
use tempfile::TempDir;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

pub mod fleet;

pub const TOKEN: &str = "github_pat_a_secret";

/// `octo/weather` with three releases, as `DIR/<owner>/<repo>/<tag>`.
pub struct Folder {
    pub dir: TempDir,
}

impl Folder {
    pub fn empty() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub fn with_releases() -> Self {
        let folder = Self::empty();
        for tag in ["v1.6.0", "v1.11.0", "v1.9.0"] {
            folder.asset(tag, "manifest.json", format!("manifest of {tag}\n"));
            folder.asset(tag, "weather.pack", pack(tag));
        }
        folder
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn asset(&self, tag: &str, name: &str, bytes: impl AsRef<[u8]>) {
        self.file(&format!("octo/weather/{tag}/{name}"), bytes);
    }

    pub fn file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn options(&self) -> Options {
        Options { asset_host: Some("localhost".into()), ..Options::new(self.path()) }
    }

    pub fn private(&self) -> Options {
        Options { token: Some(TOKEN.into()), ..self.options() }
    }

    pub fn serve(&self) -> Server {
        Server::start(self.options()).unwrap()
    }

    pub fn serve_private(&self) -> Server {
        Server::start(self.private()).unwrap()
    }
}

/// 300,000 bytes that differ from tag to tag.
pub fn pack(tag: &str) -> Vec<u8> {
    let seed = tag.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (0..300_000u32).map(|n| (n.wrapping_mul(seed) >> 13) as u8).collect()
}

/// A client that follows no redirects and takes every status as an answer.
pub fn agent() -> Agent {
    agent_with(RootCerts::Specific(Vec::new().into()))
}

pub fn agent_trusting(der: &[u8]) -> Agent {
    let certificate = Certificate::from_der(der).to_owned();
    agent_with(RootCerts::Specific(vec![certificate].into()))
}

fn agent_with(roots: RootCerts) -> Agent {
    let tls = TlsConfig::builder().root_certs(roots).build();
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(64 * 1024)
        .timeout_global(Some(Duration::from_secs(30)))
        .tls_config(tls)
        .build()
        .into()
}

pub fn get(url: &str, headers: &[(&str, &str)]) -> Response<Body> {
    get_by(&agent(), url, headers)
}

pub fn get_by(agent: &Agent, url: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.call().unwrap()
}

pub fn head(url: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = agent().head(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.call().unwrap()
}

pub fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub fn bytes(response: Response<Body>) -> Vec<u8> {
    response.into_body().read_to_vec().unwrap()
}

pub fn text(response: Response<Body>) -> String {
    response.into_body().read_to_string().unwrap()
}

pub fn json(response: Response<Body>) -> serde_json::Value {
    assert!(header(&response, "content-type").starts_with("application/json"));
    serde_json::from_str(&text(response)).unwrap()
}

/// Follows redirects by hand and gives every address on the way, the last
/// answer's last.
pub fn follow(url: &str) -> (Vec<String>, Response<Body>) {
    let mut way = vec![url.to_owned()];
    loop {
        let response = get(way.last().unwrap(), &[]);
        if response.status() != 302 {
            return (way, response);
        }
        assert!(way.len() < 5, "too many redirects: {way:?}");
        way.push(header(&response, "location").to_owned());
    }
}

/// The storage host's address of an asset.
pub fn storage_url(server: &Server, tag: &str, name: &str) -> String {
    let base = server.base_url();
    let url = format!("{base}/octo/weather/releases/download/{tag}/{name}");
    let response = get(&url, &[]);
    assert_eq!(response.status(), 302);
    header(&response, "location").to_owned()
}

/// Sends these very bytes and reads until the other side closes.
pub fn raw(server: &Server, request: &str) -> String {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// One GET on a connection of its own, with the path exactly as given.
pub fn raw_get(server: &Server, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: raw\r\nConnection: close\r\n\r\n");
    raw(server, &request)
}

pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("")
}

pub const WRITER: &str = "github_pat_may_write";

/// A server whose releases `WRITER` may change.
pub fn writable(folder: &Folder) -> Options {
    Options { write: Some(mpota_serve::WriteOptions::new(WRITER)), ..folder.options() }
}

/// One request of the REST API with a token; an empty one is none.
pub fn ask(method: &str, url: &str, token: &str, body: impl Into<Vec<u8>>) -> Response<Body> {
    ask_as(method, url, token, "application/json", body)
}

pub fn ask_as(
    method: &str,
    url: &str,
    token: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Response<Body> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.into();
    if matches!(method, "POST" | "PATCH") {
        agent().run(request.header("content-type", content_type).body(body).unwrap()).unwrap()
    } else {
        agent().run(request.body(()).unwrap()).unwrap()
    }
}

/// The releases of `octo/weather` at a server.
pub struct Api {
    pub server: Server,
    pub url: String,
}

impl Api {
    pub fn start(options: Options) -> Self {
        let server = Server::start(options).unwrap();
        let url = format!("{}/api/v3/repos/octo/weather/releases", server.base_url());
        Self { server, url }
    }

    pub fn ask(&self, method: &str, rest: &str, body: &serde_json::Value) -> Response<Body> {
        ask(method, &format!("{}{rest}", self.url), WRITER, body.to_string())
    }

    /// A release; the answer has to be 201.
    pub fn create(&self, body: &serde_json::Value) -> serde_json::Value {
        let response = self.ask("POST", "", body);
        assert_eq!(response.status(), 201);
        json(response)
    }

    pub fn draft(&self, tag: &str) -> serde_json::Value {
        self.create(&serde_json::json!({"tag_name": tag, "draft": true}))
    }

    pub fn try_upload(&self, release: &serde_json::Value, query: &str, bytes: &[u8]) -> Response<Body> {
        let url = release["upload_url"].as_str().unwrap().split('{').next().unwrap().to_owned();
        ask_as("POST", &format!("{url}?{query}"), WRITER, "application/octet-stream", bytes)
    }

    /// An asset; the answer has to be 201.
    pub fn upload(&self, release: &serde_json::Value, name: &str, bytes: &[u8]) -> serde_json::Value {
        let response = self.try_upload(release, &format!("name={name}"), bytes);
        assert_eq!(response.status(), 201);
        json(response)
    }

    pub fn edit(&self, release: &serde_json::Value, body: &serde_json::Value) -> serde_json::Value {
        let response = self.ask("PATCH", &format!("/{}", release["id"]), body);
        assert_eq!(response.status(), 200);
        json(response)
    }

    /// The tag of the latest release; empty if there is none.
    pub fn latest(&self) -> String {
        let response = self.ask("GET", "/latest", &serde_json::Value::Null);
        if response.status() == 404 {
            return String::new();
        }
        json(response)["tag_name"].as_str().unwrap().to_owned()
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
