//! `/fleet` of `mpota serve` with 1,000 boards, in a headless Chromium. With `MPOTA_SHOTS` it leaves pictures in that
//! folder.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "clients/node.rs"]
mod node;

use mpota_serve::{FleetOptions, HaltAt, Options, Server};
use mpota_vboard::clients;
use std::io::{Read, Write};
use std::net::TcpStream;

const BOARDS: usize = 1_000;
const THREADS: usize = 40;
const REPORTER: &str = "the secret of the boards";
const TOKEN: &str = "the secret of the fleet";

/// What a board says, and what strangers would have it say.
fn report(number: usize) -> String {
    let back = number % 50 == 3;
    let version = if number.is_multiple_of(2) { "v1.0.0" } else { "v1.1.0" };
    let state = if number % 100 == 7 { "trial" } else { "idle" };
    let why = match number {
        3 => "<script>document.title='taken'</script>",
        53 => {
            "a reason without a space: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        }
        _ => "raised OSError [Errno 19] ENODEV in sensor.py, line 41",
    };
    let bad = if back { format!("\"bad\": \"v1.2.0\", \"why\": \"{why}\", ") } else { String::new() };
    // Those that came back run the older version.
    let version = if back { "v1.0.0" } else { version };
    format!(
        "{{\"id\": \"board{number:04}\", \"version\": \"{version}\", \"state\": \"{state}\", {bad}\
         \"micropython\": \"1.25.0\", \"board\": \"RPI_PICO_W\", \"flash\": {}, \"memory\": {}, \"boots\": 1}}",
        500_000 + number * 321,
        90_000 + number
    )
}

fn reports(server: &Server, numbers: impl Iterator<Item = usize>) {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    for number in numbers {
        let said = report(number);
        let request = format!(
            "GET /octo/weather/releases/latest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {REPORTER}\r\n\
             Mpota-Report: {said}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut piece = [0; 8192];
        while !answer.ends_with(b"\r\n\r\n") {
            let read = socket.read(&mut piece).unwrap();
            assert!(read > 0);
            answer.extend(&piece[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 302"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn the_fleet_of_1000_boards_is_read_sorted_filtered_and_live_in_a_browser() {
    let browser = clients::chromium().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let release = folder.path().join("releases/octo/weather/v1.0.0");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::write(release.join("manifest.json"), "{}").unwrap();
    let server = Server::start(Options {
        fleet: Some(FleetOptions {
            report_token: Some(REPORTER.into()),
            view_token: Some(TOKEN.into()),
            halt: Some(HaltAt { percent: 10, boards: 5 }),
            new_per_hour: 2_000,
            ..FleetOptions::new(folder.path().join("reports.db"))
        }),
        ..Options::new(folder.path().join("releases"))
    })
    .unwrap();
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let server = &server;
            scope.spawn(move || reports(server, (first..BOARDS).step_by(THREADS)));
        }
    });
    let mut node = node::script("fleet.mjs");
    node.env("BASE", server.base_url()).env("BROWSER", browser).env("TOKEN", TOKEN).env("REPORTER", REPORTER);
    let (cases, said) = node::cases(&mut node);
    assert!(cases > Some(50), "{said}");
}
