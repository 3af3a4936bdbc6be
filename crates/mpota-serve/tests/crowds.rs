//! Very many boards at once, and clients that are slow.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use mpota_serve::{Event, Limits, Options, Server};
use support::{Folder, get, storage_url};

const LATEST: &str = "/octo/weather/releases/latest";
/// Threads that answer, and threads for the disk.
const MOST_THREADS: usize = 8 + 32;

/// One of these tests at a time: they count what the whole program uses, and open many sockets.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let sockets = 10_000;
    let allowed = rlimit::increase_nofile_limit(sockets).unwrap();
    assert!(allowed >= sockets, "the system allows {allowed} open files, and this test needs {sockets}");
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(folder: &Folder, limits: Limits) -> Server {
    Server::start(Options { limits, ..folder.options() }).unwrap()
}

/// A board that has sent its request, as the updater writes it.
struct Board(TcpStream);

impl Board {
    fn new(server: &Server) -> Self {
        let socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(socket)
    }

    fn asks(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: mpota\r\n\r\n");
        self.0.write_all(request.as_bytes()).unwrap();
    }

    /// The status of the answer; 0: the connection was closed without one.
    fn status(&mut self) -> u16 {
        let mut answer = Vec::new();
        let mut piece = [0; 8192];
        while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
            match self.0.read(&mut piece) {
                Ok(read) if read > 0 => answer.extend(&piece[..read]),
                Ok(_) => return 0,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                    return 0;
                }
            }
        }
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// All connect and ask before the first of them reads; each goes when it was answered.
fn crowd(server: &Server, boards: usize, path: &str) -> Vec<u16> {
    let mut all: Vec<Board> = (0..boards).map(|_| Board::new(server)).collect();
    all.iter_mut().for_each(|board| board.asks(path));
    all.into_iter().map(|mut board| board.status()).collect()
}

fn most(statuses: &[u16], status: u16) {
    let other = statuses.iter().filter(|got| **got != status).count();
    let closed = statuses.iter().filter(|got| **got == 0).count();
    assert_eq!(other, 0, "of {}: {closed} were closed without an answer", statuses.len());
    println!("  cases {}: boards of a crowd", statuses.len());
}

/// This program's threads that are a server's.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "mpota-serve").count()
}

/// This program's memory, in KB.
#[cfg(target_os = "linux")]
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn each_of_2000_boards_that_ask_at_once_is_answered() {
    let _alone = alone();
    let folder = Folder::with_releases();
    let server = serve(&folder, Limits::default());
    let before = server.connections();
    most(&crowd(&server, 2_000, LATEST), 302);
    assert_eq!(server.connections() - before, 2_000);
}

#[test]
fn boards_beyond_the_places_wait_and_are_answered() {
    let _alone = alone();
    let folder = Folder::with_releases();
    let server = serve(&folder, Limits { connections: 64, ..Limits::default() });
    most(&crowd(&server, 1_000, LATEST), 302);
}

#[cfg(target_os = "linux")]
#[test]
fn a_crowd_at_the_api_is_answered_by_few_threads() {
    let _alone = alone();
    let folder = Folder::with_releases();
    let server = serve(&folder, Limits::default());
    most(&crowd(&server, 500, "/repos/octo/weather/releases/latest"), 200);
    let threads = threads();
    assert!((3..=MOST_THREADS).contains(&threads), "{threads} threads");
}

#[cfg(target_os = "linux")]
#[test]
fn clients_that_take_nothing_hold_little_memory() {
    let _alone = alone();
    let folder = Folder::with_releases();
    folder.asset("v1.11.0", "huge.bin", vec![7; 16 << 20]);
    let server = serve(&folder, Limits::default());
    let url = storage_url(&server, "v1.11.0", "huge.bin");
    let path = url.splitn(4, '/').nth(3).unwrap();
    let boards = 400;
    let mut all: Vec<TcpStream> =
        (0..boards).map(|_| TcpStream::connect(server.asset_address()).unwrap()).collect();
    let before = memory();
    for socket in &mut all {
        socket.write_all(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    }
    let begun = Instant::now();
    while server.requests().iter().filter(|request| request.bytes_sent > 0).count() < boards {
        assert!(begun.elapsed() < Duration::from_secs(20), "not all downloads have begun");
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_secs(1));
    let more = memory().saturating_sub(before);
    assert!(more < 64 * 1024, "{more} KB for {boards} answers");
    println!("  {more} KB for {boards} answers that nobody takes");
}

#[test]
fn clients_that_take_nothing_give_way() {
    let _alone = alone();
    let folder = Folder::with_releases();
    folder.asset("v1.11.0", "huge.bin", vec![7; 16 << 20]);
    let server = serve(&folder, Limits { connections: 4, ..Limits::default() });
    let url = storage_url(&server, "v1.11.0", "huge.bin");
    let path = url.splitn(4, '/').nth(3).unwrap();
    let mut slow: Vec<TcpStream> =
        (0..4).map(|_| TcpStream::connect(server.asset_address()).unwrap()).collect();
    for socket in &mut slow {
        socket.write_all(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    }
    let begun = Instant::now();
    while server.requests().iter().filter(|request| request.bytes_sent > 0).count() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(20), "not all downloads have begun");
        sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    most(&crowd(&server, 3, LATEST), 302);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn silent_clients_give_way_and_no_board_does() {
    let _alone = alone();
    let folder = Folder::with_releases();
    let limits = Limits { connections: 32, header_timeout: Duration::from_secs(600), ..Limits::default() };
    let server = serve(&folder, limits);
    let silent: Vec<Board> = (0..64).map(|_| Board::new(&server)).collect();
    most(&crowd(&server, 200, LATEST), 302);
    let closed = silent.into_iter().filter_map(|mut board| {
        board.0.set_nonblocking(true).unwrap();
        board.0.read(&mut [0]).ok()
    });
    assert!(closed.count() > 32, "silent clients have kept their places");
}

/// The server is too busy to read: each of its threads is held up in the log.
#[test]
fn a_request_in_the_socket_is_answered_before_its_place_is_given_up() {
    const WAITING: usize = 8;
    let _alone = alone();
    let folder = Folder::with_releases();
    let threads = available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let hold = Duration::from_millis(900);
    let log = move |event: &Event| {
        if let Event::Request(request) = event
            && request.path == "/hold"
        {
            sleep(hold);
        }
    };
    let limits = Limits { connections: threads + WAITING, ..Limits::default() };
    let server = Server::start(Options { limits, log: Some(Arc::new(log)), ..folder.options() }).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let mut waiting: Vec<Board> = (0..WAITING).map(|_| Board::new(&server)).collect();
        for board in &mut waiting {
            board.asks(LATEST);
            assert_eq!(board.status(), 302);
        }
        let mut holding: Vec<Board> = (0..threads).map(|_| Board::new(&server)).collect();
        for board in &mut holding {
            board.asks("/hold");
            // One thread each: what is held up takes no other.
            sleep(Duration::from_millis(20));
        }
        let mut newcomers: Vec<Board> = (0..WAITING).map(|_| Board::new(&server)).collect();
        for board in waiting.iter_mut().chain(&mut newcomers) {
            board.asks(LATEST);
        }
        statuses.extend(waiting.iter_mut().map(Board::status));
        drop(waiting);
        statuses.extend(newcomers.iter_mut().map(Board::status));
    }
    most(&statuses, 302);
}

#[test]
fn every_change_in_the_folder_is_seen_by_the_next_request() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let latest = || {
        let response = get(&format!("{}{LATEST}", server.base_url()), &[]);
        support::header(&response, "location").rsplit('/').next().unwrap_or_default().to_owned()
    };
    let content = || {
        let (_, response) = support::follow(&format!("{}{LATEST}/download/manifest.json", server.base_url()));
        (support::header(&response, "etag").to_owned(), support::text(response))
    };
    let at = |path: &str| folder.path().join("octo/weather").join(path);
    let mut changes = 0;
    for round in 0..3 {
        // So long that nothing is read again without a reason.
        let quiet = || {
            for _ in 0..3 {
                latest();
                sleep(Duration::from_millis(120));
            }
        };
        quiet();
        for newer in 0..4 {
            let tag = format!("v2.{round}.{newer}");
            folder.asset(&tag, "manifest.json", "new");
            assert_eq!(latest(), tag, "a release was added");
            changes += 1;
        }
        quiet();
        let said = format!("v2.{round}.3/release.json");
        std::fs::write(at(&said), r#"{"draft":true }"#).unwrap();
        assert_eq!(latest(), format!("v2.{round}.2"), "it has become a draft");
        std::fs::write(at(&said), r#"{"draft":false}"#).unwrap();
        assert_eq!(latest(), format!("v2.{round}.3"), "and is none any more, in as many bytes");
        quiet();
        let address = || {
            let url = storage_url(&server, &format!("v2.{round}.3"), "manifest.json");
            url.split('?').next().unwrap_or_default().to_owned()
        };
        let before = (content(), address());
        std::fs::write(at(&format!("v2.{round}.3/manifest.json")), "NEW").unwrap();
        let after = (content(), address());
        assert_ne!(before.1, after.1, "the same address for another content");
        let (before, after) = (before.0, after.0);
        assert_eq!((before.1.as_str(), after.1.as_str()), ("new", "NEW"));
        assert_ne!(before.0, after.0, "the same entity tag for another content");
        quiet();
        std::fs::rename(at(&format!("v2.{round}.3")), at(&format!("v3.{round}.0"))).unwrap();
        assert_eq!(latest(), format!("v3.{round}.0"), "it was renamed");
        std::fs::remove_dir_all(at(&format!("v3.{round}.0"))).unwrap();
        assert_eq!(latest(), format!("v2.{round}.2"), "it is gone");
        std::fs::rename(folder.path().join("octo"), folder.path().join("away")).unwrap();
        assert_eq!(latest(), "", "the whole repository is gone");
        std::fs::rename(folder.path().join("away"), folder.path().join("octo")).unwrap();
        assert_eq!(latest(), format!("v2.{round}.2"), "and is back");
        changes += 7;
    }
    assert_eq!(changes, 33);
    println!("  cases {changes}: changes in the folder");
}
