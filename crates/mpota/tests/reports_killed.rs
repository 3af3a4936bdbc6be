//! `mpota serve` killed at random while 2,000 boards report.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use common::App;
use serde_json::Value;

const BOARDS: usize = 2_000;
const THREADS: usize = 4;
const ROUNDS: u64 = 6;

fn serve(app: &App) -> (Child, SocketAddr) {
    let mut command = app.mpota(["serve", "dist", "--quiet", "--listen", "127.0.0.1:0"]);
    command.args(["--reports", "reports.db", "--most-new", "1000000"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // All that it prints: it would end if nobody took it.
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(4);
    let lines: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(lines[3], "CONFIG[\"report\"] = True");
    let address = lines[0].split('"').nth(3).unwrap().trim_start_matches("http://").parse().unwrap();
    (child, address)
}

/// One request on a socket; the answer is read later.
fn ask(address: SocketAddr, id: usize, number: u64) -> std::io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let request = format!(
        "GET /octo/weather/releases/latest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Mpota-Report: {{\"id\": \"b{id}\", \"version\": \"v1.0.0\", \"boots\": {number}}}\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    Ok(socket)
}

/// Some boards report at once, and then again, until the server is gone. Notes each report that was answered.
fn report(address: SocketAddr, boards: &[usize], from: u64, answered: &Mutex<BTreeMap<usize, u64>>) {
    for number in from.. {
        let sockets: Vec<_> = boards.iter().map(|id| (*id, ask(address, *id, number))).collect();
        let mut good = 0;
        for (id, socket) in sockets {
            let Ok(mut socket) = socket else { continue };
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            // The whole head, so that it was an answer.
            if answer.starts_with(b"HTTP/1.1 302") && answer.windows(4).any(|four| four == b"\r\n\r\n") {
                answered.lock().unwrap().insert(id, number);
                good += 1;
            }
        }
        if good == 0 {
            return;
        }
    }
}

fn kept(address: SocketAddr) -> BTreeMap<usize, u64> {
    let mut kept = BTreeMap::new();
    for page in 1.. {
        let mut socket = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /fleet.json?per_page=1000&page={page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let all: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        for board in all["boards"].as_array().unwrap() {
            let id = board["id"].as_str().unwrap().trim_start_matches('b').parse().unwrap();
            kept.insert(id, board["boots"].as_u64().unwrap());
        }
        if page >= all["pages"].as_u64().unwrap() {
            break;
        }
    }
    kept
}

#[test]
fn no_report_that_was_answered_is_lost_when_serve_is_killed() {
    let sockets = BOARDS as u64 + 256;
    let allowed = rlimit::increase_nofile_limit(sockets).unwrap();
    assert!(allowed >= sockets, "the system allows {allowed} open files");
    let app = App::new();
    app.run("build --version v1.0.0").ok();
    let answered = Mutex::new(BTreeMap::new());
    let boards: Vec<usize> = (0..BOARDS).collect();
    let mut all = 0;
    for round in 0..ROUNDS {
        let (mut child, address) = serve(&app);
        let from = round * 1_000;
        std::thread::scope(|scope| {
            for boards in boards.chunks(BOARDS / THREADS) {
                scope.spawn(|| report(address, boards, from, &answered));
            }
            // Any moment after some answers, however slow the machine is.
            let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_micros();
            let enough = usize::try_from(nanos % 1_500).unwrap();
            let given = || answered.lock().unwrap().values().filter(|number| **number >= from).count();
            while given() <= enough {
                assert!(child.try_wait().unwrap().is_none(), "it has ended");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(u64::from(nanos % 40)));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let (mut child, address) = serve(&app);
        let kept = kept(address);
        child.kill().unwrap();
        child.wait().unwrap();
        let answered = answered.lock().unwrap();
        for (id, number) in answered.iter() {
            assert!(
                kept.get(id) >= Some(number),
                "round {round}: b{id} has {:?}, and {number} was answered",
                kept.get(id)
            );
        }
        let now = answered.values().filter(|number| **number >= from).count();
        println!("round {round}: {now} boards were answered, {} are kept", kept.len());
        all += now;
    }
    assert!(all > 6, "{all} answers before a kill");
    println!("  cases {all}: boards that were answered before one of {ROUNDS} kills");
}
