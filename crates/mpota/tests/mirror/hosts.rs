//! Boards update from each kind of host. The table that is printed is the one of docs/hosts.md.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mpota_vboard::bench::{Agent, App, config};
use mpota_vboard::{Board, FileSystem, MicroPython, Word};
use tempfile::TempDir;

use crate::proxy::{Asked, Proxy};
use crate::stores::{Azure, BUCKET, KEY, Nginx, S3, nginx, rclone, s3_environment};
use crate::world::{PREFIX, World, dest, run};

/// What a board did at a host.
struct Row {
    host: &'static str,
    nothing: Vec<Asked>,
    update: Vec<Asked>,
    version: String,
    output: String,
}

impl Row {
    fn print(&self) {
        let sum = |log: &[Asked]| format!("{} / {}", log.len(), bytes(log));
        let works = if self.version == "v1.1.0" { "yes" } else { "no" };
        println!("| {} | {works} | {} | {} |", self.host, sum(&self.nothing), sum(&self.update));
    }
}

fn bytes(log: &[Asked]) -> u64 {
    log.iter().map(|asked| asked.up + asked.down).sum()
}

fn board(world: &World, base_url: &str) -> Board {
    board_with(world, &config(&[("base_url", &format!("'{base_url}'"))]))
}

fn board_with(world: &World, config: &str) -> Board {
    let own: [(&str, &[u8]); 1] = [("secrets.py", config.as_bytes())];
    let folder = world.bench.board_folder("v1.0.0", Agent::Mpy, &own).unwrap();
    Board::new(&MicroPython::find(Word::Bits64).unwrap(), FileSystem::Lfs, &folder).unwrap()
}

fn installed(board: &Board) -> (String, bool) {
    let told: serde_json::Value = serde_json::from_slice(&board.read("/version.json").unwrap()).unwrap();
    (told["version"].as_str().unwrap().to_owned(), told["confirmed"].as_bool().unwrap())
}

/// Enough files that a manifest is longer than what is read of it where nothing is new. One differs between versions.
fn publish(world: &World, version: &str) {
    let app = (0..60).fold(App::tiny(version).unwrap(), |app, number| {
        app.with(&format!("lib/part{number}.py"), format!("# {number}\n").repeat(200))
    });
    world.publish_as(version, app, true);
}

/// A board looks twice at v1.0.0, v1.1.0 comes, and it looks again.
fn visit(host: &'static str, proxy: &Proxy, path: &str, mirror: &dyn Fn(&World)) -> Row {
    let world = World::new(&[]);
    publish(&world, "v1.0.0");
    mirror(&world);
    let board = board(&world, &format!("{}{path}", proxy.url()));
    board.run().unwrap();
    proxy.take();
    // Where a server has a date only, one look of 16 leaves it out: not eight in a row.
    let marked = |asked: &[Asked]| asked.iter().any(|asked| asked.head.contains("\r\nIf-"));
    let mut output = String::new();
    let mut nothing = Vec::new();
    for _ in 0..8 {
        output = board.run().unwrap().output;
        nothing = proxy.take();
        if marked(&nothing) {
            break;
        }
    }
    // `Last-Modified` and nginx's `ETag` tell whole seconds, and both manifests have the same length.
    std::thread::sleep(Duration::from_millis(1100));
    publish(&world, "v1.1.0");
    mirror(&world);
    output += &board.run().unwrap().output;
    let update = proxy.take();
    let (version, confirmed) = installed(&board);
    assert!(confirmed, "{host}: {output}");
    Row { host, nothing, update, version, output }
}

fn to_folder(folder: &Path) -> impl Fn(&World) {
    move |world| drop(run(&mut world.command(folder.to_str().unwrap())).ok())
}

fn to_s3(s3: &S3) -> impl Fn(&World) {
    let address = s3.address;
    move |world| {
        let mut command = world.command(&dest());
        s3_environment(&mut command, address);
        run(&mut command).ok();
    }
}

fn azure_path() -> String {
    format!("/{KEY}/{BUCKET}/{PREFIX}")
}

fn to_azure(azure: &Azure) -> impl Fn(&World) {
    move |world| {
        let mut command = world.command(&format!("az://{BUCKET}/{PREFIX}"));
        azure.environment(&mut command);
        run(&mut command).ok();
        // Again: nothing is sent.
        let said = run(&mut command).ok();
        assert!(said.out.contains(" 0 objects sent"), "{}", said.out);
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    {
        // What is served is the folder that is published to.
        let folder = TempDir::new().unwrap();
        let server = mpota_serve::Server::start(mpota_serve::Options::new(folder.path())).unwrap();
        let put = |world: &World| copy(&world.bench.releases(), folder.path());
        rows.push(visit("`mpota serve`", &Proxy::before(server.address()), "", &put));
    }
    type Serve = fn(&Path) -> crate::stores::Running;
    let servers: [(&str, Serve); 3] = [
        ("nginx", |folder| nginx(&Nginx::Folder(folder))),
        ("`rclone serve http`", |folder| rclone("http", folder)),
        ("`rclone serve webdav`", |folder| rclone("webdav", folder)),
    ];
    for (host, start) in servers {
        let folder = TempDir::new().unwrap();
        let server = start(folder.path());
        rows.push(visit(host, &Proxy::before(server.address), "", &to_folder(folder.path())));
    }
    let path = format!("/{BUCKET}/{PREFIX}");
    {
        let s3 = S3::start();
        rows.push(visit("S3 (s3s-fs), public", &Proxy::before(s3.address), &path, &to_s3(&s3)));
    }
    {
        let azure = Azure::start();
        let proxy = Proxy::before(azure.server.address);
        rows.push(visit("Azure Blob Storage (Azurite), public", &proxy, &azure_path(), &to_azure(&azure)));
        // What Azurite gives a cache between it and boards.
        let lives =
            [("latest/download", "no-cache"), ("download/v1.1.0", "public, max-age=31536000, immutable")];
        for (name, cache) in lives {
            let url =
                format!("{}/{BUCKET}/{PREFIX}/octo/weather/releases/{name}/manifest.json", azure.endpoint());
            let answer = ureq::get(&url).call().unwrap();
            assert_eq!(answer.headers()["cache-control"], cache, "{name}");
            assert_eq!(answer.headers()["content-type"], "application/json", "{name}");
        }
    }
    type Start = fn(&Azure) -> crate::stores::Running;
    let caches: [(&str, Start); 2] = [
        ("the same behind nginx that keeps all for an hour", |azure| {
            nginx(&Nginx::Cache(azure.server.address))
        }),
        ("the same behind nginx that keeps versions for an hour", |azure| {
            nginx(&Nginx::CacheOfVersions(azure.server.address))
        }),
    ];
    for (host, start) in caches {
        let azure = Azure::start();
        let cache = start(&azure);
        rows.push(visit(host, &Proxy::before(cache.address), &azure_path(), &to_azure(&azure)));
    }
    rows
}

#[test]
fn boards_update_from_every_kind_of_host() {
    let rows = rows();
    println!("| host | update works | nothing new: requests / bytes | update: requests / bytes |");
    println!("| --- | --- | --- | --- |");
    rows.iter().for_each(Row::print);
    for row in &rows {
        assert_eq!(row.version, "v1.1.0", "{}: {}\n{:#?}", row.host, row.output, row.update);
        assert_eq!(row.nothing.len(), 1, "{}: {:#?}", row.host, row.nothing);
        let most = match row.host {
            // GitHub's redirect has headers of 3 KB, and `mpota serve` has them too.
            "`mpota serve`" => 4_500,
            // s3s-fs does not look at `If-None-Match`, and a cache that may not keep an answer does not hand it on.
            host if host.contains("s3s-fs") || host.contains("keeps all") => 11_700,
            _ => 600,
        };
        assert!(bytes(&row.nothing) < most, "{}: {:#?}", row.host, row.nothing);
    }
    assert_eq!(rows.len(), 8);
    println!("  cases {}: hosts that a board updates from", rows.len());
}

#[test]
fn a_cache_hides_a_release_where_nothing_is_said_and_not_in_a_mirror() {
    // A copy on a web server that says nothing of caches, as a control: this cache does hide.
    let folder = TempDir::new().unwrap();
    let behind = nginx(&Nginx::Folder(folder.path()));
    let cache = nginx(&Nginx::Cache(behind.address));
    let row = visit("nginx", &Proxy::before(cache.address), "", &to_folder(folder.path()));
    assert_eq!(row.version, "v1.0.0", "{}", row.output);
    let s3 = S3::start();
    let cache = nginx(&Nginx::Cache(s3.address));
    let path = format!("/{BUCKET}/{PREFIX}");
    let row = visit("s3", &Proxy::before(cache.address), &path, &to_s3(&s3));
    assert_eq!(row.version, "v1.1.0", "{}", row.output);
}

/// What a board with these settings says at its look, and the version that it has then.
fn looks(world: &World, base_url: &str, more: &[(&str, &str)]) -> (String, String) {
    let base_url = format!("'{base_url}'");
    let told =
        config(&[&[("base_url", base_url.as_str()), ("insecure_token_over_http", "True")], more].concat());
    let board = board_with(world, &told);
    let output = board.run().unwrap().output;
    (installed(&board).0, output)
}

#[test]
fn a_private_bucket_is_read_with_headers_of_the_config() {
    // A bucket behind Basic, as nginx or rclone ask for it.
    let folder = TempDir::new().unwrap();
    let world = World::new(&["v1.0.0", "v1.1.0"]);
    to_folder(folder.path())(&world);
    let server = crate::stores::rclone_with("http", folder.path(), &["--user", "board", "--pass", "hunter2"]);
    let base = format!("http://{}", server.address);
    let mut ran = 0;
    for (headers, version, why) in [
        ("{'Authorization': 'Basic Ym9hcmQ6aHVudGVyMg=='}", "v1.1.0", "v1.1.0 is installed"),
        (
            "{'Authorization': 'Basic Ym9hcmQ6aHVudGVyMQ=='}",
            "v1.0.0",
            "answers 401: are headers or query of CONFIG missing or wrong?",
        ),
    ] {
        let (installed, output) = looks(&world, &base, &[("headers", headers)]);
        assert_eq!(installed, version, "{output}");
        assert!(output.contains(why), "{output}");
        assert!(!output.contains("hunter") && !output.contains("Ym9hcmQ6aHVudGVy"), "{output}");
        ran += 1;
    }
    println!("  cases {ran}: passwords for a private folder");
    assert_eq!(ran, 2);
}

#[test]
fn a_private_container_is_read_with_a_signature_in_the_query() {
    let azure = Azure::private();
    let world = World::new(&["v1.0.0", "v1.1.0"]);
    to_azure(&azure)(&world);
    let base = format!("http://{}{}", azure.server.address, azure_path());
    let query = azure.read_only();
    let other = query.replace("sp=r", "sp=rl");
    let mut ran = 0;
    for (query, version, why) in [
        (Some(&query), "v1.1.0", "v1.1.0 is installed"),
        (Some(&other), "v1.0.0", "403"),
        (None, "v1.0.0", "403"),
    ] {
        let told = query.map(|query| format!("'{query}'"));
        let more: Vec<_> = told.iter().map(|told| ("query", told.as_str())).collect();
        let (installed, output) = looks(&world, &base, &more);
        assert_eq!(installed, version, "{output}");
        assert!(output.contains(why), "{output}");
        assert!(!output.contains("sig="), "{output}");
        ran += 1;
    }
    println!("  cases {ran}: signatures for a private container");
    assert_eq!(ran, 3);
}

/// A copy of a folder, with the hidden files of a server.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
