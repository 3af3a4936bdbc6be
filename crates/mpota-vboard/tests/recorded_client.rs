//! The other way round: what GitHub answered octokit, byte by byte and header by header, is answered to
//! `mpota verify` and to a board. The recorded release has one file; ours take its place.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, confirmed, run, tiny, version};
use mpota::release::verify::{VerifyOptions, verify};
use mpota::remote::target::Target;
use mpota::remote::token::Token;
use mpota_vboard::clients;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const TOKEN: &str = "github_pat_of_the_test";
const API: &str = "/api/v3/repos/octo/weather/releases";

/// Status, headers and body.
type Answer = (u64, Vec<(String, String)>, Vec<u8>);

/// One answer of the recording, to the first request whose method and path are like this.
fn recorded(method: &str, path: &str) -> (Answer, Value) {
    let scenario = "node_modules/@octokit/fixtures/scenarios/api.github.com/release-assets/raw-fixture.json";
    let bytes = std::fs::read(clients::npm().unwrap().join(scenario)).unwrap();
    let all: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let found = all.into_iter().find(|one| {
        let said = one["path"].as_str().unwrap();
        one["method"] == method && said.contains(path)
    });
    let found = found.unwrap();
    let raw: Vec<&str> =
        found["rawHeaders"].as_array().unwrap().iter().map(|h| h.as_str().unwrap()).collect();
    let headers = raw.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
    let headers = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")).collect();
    ((found["status"].as_u64().unwrap(), headers, Vec::new()), found["response"].clone())
}

/// A server that answers with what was recorded.
struct GitHub {
    address: String,
    /// Path, and whether the token came along.
    asked: Arc<Mutex<Vec<(String, bool)>>>,
}

impl GitHub {
    fn start(world: &World, tag: &str) -> Self {
        let (release, mut object) = recorded("get", "/releases/tags/v1.0.0");
        let (list, assets) = recorded("get", "/assets");
        let (one, _) = recorded("get", "/releases/assets/");
        let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
        let mut ours = Vec::new();
        for file in std::fs::read_dir(world.bench.release_dir(tag)).unwrap().flatten() {
            let mut asset = assets[0].clone();
            let id = asset["id"].as_u64().unwrap() + ours.len() as u64;
            asset["id"] = id.into();
            asset["name"] = file.file_name().into_string().unwrap().into();
            ours.push(asset);
            let content = std::fs::read(file.path()).unwrap();
            answers.insert(format!("{API}/assets/{id}"), (one.0, Vec::new(), content));
        }
        assert!(ours.len() > 1);
        let listed = serde_json::to_vec(&ours).unwrap();
        answers.insert(format!("{API}/{}/assets", object["id"]), (list.0, list.1, listed));
        object["assets"] = ours.into();
        object["tag_name"] = tag.into();
        let body = serde_json::to_vec(&object).unwrap();
        for rest in ["latest".to_owned(), format!("tags/{tag}")] {
            answers.insert(format!("{API}/{rest}"), (release.0, release.1.clone(), body.clone()));
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, log) = (Arc::new(answers), Arc::clone(&asked));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
                std::thread::spawn(move || answer(socket, &answers, &log));
            }
        });
        Self { address, asked }
    }

    /// How many requests had the token, and how many had not.
    fn counts(&self) -> (usize, usize) {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let with = asked.iter().filter(|(_, token)| *token).count();
        assert!(asked.iter().all(|(path, token)| *token == path.starts_with(API)), "{asked:?}");
        (with, asked.len() - with)
    }
}

/// One connection: the recording's connections are closed after each answer.
fn answer(socket: TcpStream, answers: &BTreeMap<String, Answer>, log: &Mutex<Vec<(String, bool)>>) {
    let mut lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let token = headers.iter().any(|line| line.to_lowercase().starts_with("authorization:"));
    log.lock().unwrap().push((path.clone(), token));
    let none = (404, Vec::new(), b"Not Found".to_vec());
    let (status, headers, body) = answers.get(&path).filter(|_| token).unwrap_or(&none);
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        head += &format!("{name}: {value}\r\n");
    }
    let mut socket = socket;
    let _ = socket.write_all(&[head.as_bytes(), b"\r\n", body].concat());
}

#[test]
fn verify_and_boards_read_what_github_answered_octokit() {
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let github = GitHub::start(&world, "v1.1.0");
    let mut cases = 0;
    for target in ["octo/weather", "octo/weather@v1.1.0"] {
        let mut options = VerifyOptions::new(Target::parse(target).unwrap());
        options.access.base_url.clone_from(&github.address);
        options.access.token = |_| Token::new(TOKEN, "the test");
        let report = verify(&options).unwrap();
        assert!(report.is_good(), "{report:?}");
        // The release, the manifest and the pack; before that, as anybody.
        assert_eq!(github.counts(), (3, 1), "{target}");
        cases += 1;
    }
    for settings in [vec![], vec![("tag", "'v1.1.0'")]] {
        let mut world = World::new();
        world.set("base_url", &format!("'{}'", github.address));
        world.set("token", &format!("'{TOKEN}'"));
        world.set("insecure_token_over_http", "True");
        for (key, value) in settings {
            world.set(key, value);
        }
        let board = world.board();
        let ran = run(&board);
        assert_eq!(version(&board), confirmed("v1.1.0"), "{}", ran.output);
        assert!(github.counts().0 >= 3);
        cases += 1;
    }
    println!("  cases {cases}: reads of a recorded release, by the program and by boards");
}
