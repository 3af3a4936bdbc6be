//! The clients that people use with GitHub, against `mpota serve`: octokit, PyGithub and `gh` each
//! take a release from draft to deletion.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use mpota_serve::{Options, Server, Tls, WriteOptions};
use mpota_vboard::{clients, repository};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const TOKEN: &str = "ghp_00000000000000000000000000000000writer";

/// A server with the empty repository `octo/weather`.
fn serve(folder: &Path, tls: Tls, asset_host: &str) -> Server {
    std::fs::create_dir_all(folder.join("octo/weather")).unwrap();
    let write = Some(WriteOptions::new(TOKEN));
    let asset_host = Some(asset_host.to_owned());
    let host = Some("localhost".to_owned());
    Server::start(Options { write, tls, host, asset_host, ..Options::new(folder) }).unwrap()
}

fn script(name: &str) -> PathBuf {
    repository().join("crates/mpota-vboard/tests/clients").join(name)
}

/// Runs a client to its end; it has to say how many cases it saw, and at least so many.
fn run(command: &mut Command, server: &Server, least: u32) {
    let out = command.env("BASE", server.base_url()).env("TOKEN", TOKEN).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}{errors}");
    print!("{said}");
    let words: Vec<&str> = said.split_whitespace().collect();
    let cases = words
        .iter()
        .position(|w| *w == "cases")
        .and_then(|at| words[at + 1].trim_end_matches(':').parse().ok());
    assert!(cases >= Some(least), "{said}");
    assert!(server.releases().is_empty(), "it cleaned up");
}

#[test]
fn octokit_takes_a_release_from_draft_to_deletion() {
    let home = clients::npm().unwrap();
    let folder = TempDir::new().unwrap();
    let server = serve(folder.path(), Tls::None, "localhost");
    let mut node = Command::new("node");
    // From standard input, so that its imports are found in the folder it runs in.
    node.args(["--input-type=module", "-"]).current_dir(home);
    node.stdin(Stdio::from(File::open(script("octokit.mjs")).unwrap()));
    run(&mut node, &server, 35);
}

#[test]
fn pygithub_takes_a_release_from_draft_to_deletion() {
    // It follows redirects only to names below the one of its server.
    let mut python = clients::pygithub().unwrap();
    let folder = TempDir::new().unwrap();
    let server = serve(folder.path(), Tls::None, "assets.localhost");
    run(python.arg(script("releases.py")), &server, 30);
}

/// `gh` with a home of its own, which trusts the server's certificate.
struct Gh {
    program: PathBuf,
    home: TempDir,
    server: Server,
    cases: u32,
}

impl Gh {
    fn command(&self, arguments: &[&str]) -> Command {
        let host = self.server.base_url().trim_start_matches("https://");
        let mut gh = Command::new(&self.program);
        gh.args(arguments).args(["-R", &format!("{host}/octo/weather")]).current_dir(self.home.path());
        gh.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        gh.env("GH_HOST", host).env("GH_ENTERPRISE_TOKEN", TOKEN).env("GH_PROMPT_DISABLED", "1");
        gh.env("GH_NO_UPDATE_NOTIFIER", "1").env("SSL_CERT_FILE", self.home.path().join("ca.pem"));
        gh
    }

    /// What it prints; it has to succeed.
    fn ok(&mut self, arguments: &[&str]) -> String {
        let out = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let asked: Vec<_> = self.server.requests();
        let asked: Vec<_> = asked.iter().map(|r| format!("{} {} {}", r.status, r.method, r.path)).collect();
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "gh {arguments:?}: {said}{errors}\n{asked:#?}");
        self.cases += 1;
        said
    }

    /// It has to fail and say this.
    fn refused(&mut self, arguments: &[&str], word: &str) {
        let out = self.command(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && errors.contains(word), "gh {arguments:?}: {errors}");
        self.cases += 1;
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, actual: T, expected: T) {
        assert_eq!(actual, expected);
        self.cases += 1;
    }

    fn view(&mut self, fields: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&["release", "view", "v1.0.0", "--json", fields])).unwrap()
    }
}

#[test]
fn gh_takes_a_release_from_draft_to_deletion() {
    let program = clients::gh().unwrap();
    let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = serve(folder.path(), Tls::SelfSigned { names: Vec::new() }, "localhost");
    std::fs::write(home.path().join("ca.pem"), server.certificate_pem().unwrap()).unwrap();
    let contents = [("small.txt", 6, 3u8), ("with space.bin", 5000, 7), ("large.pack", 3_000_000, 11)];
    let content = |size: usize, seed: u8| -> Vec<u8> { (0..size).map(|n| (n >> 5) as u8 ^ seed).collect() };
    for (name, size, seed) in contents {
        std::fs::write(home.path().join(name), content(size, seed)).unwrap();
    }
    let mut gh = Gh { program, home, server, cases: 0 };

    gh.ok(&["release", "create", "v1.0.0", "--draft", "--title", "One", "--notes", "words", "small.txt"]);
    gh.ok(&["release", "upload", "v1.0.0", "with space.bin", "large.pack"]);
    let draft = gh.view("isDraft,name,body,assets");
    gh.same(
        (&draft["isDraft"], &draft["name"], &draft["body"]),
        (&true.into(), &"One".into(), &"words".into()),
    );
    gh.same(draft["assets"].as_array().unwrap().len(), 3);
    let listed = gh.ok(&["release", "list"]);
    gh.same(listed.contains("v1.0.0") && listed.contains("Draft"), true);
    gh.refused(&["release", "upload", "v1.0.0", "small.txt"], "already exists");
    gh.ok(&["release", "upload", "v1.0.0", "small.txt", "--clobber"]);
    gh.ok(&["release", "edit", "v1.0.0", "--title", "The first", "--notes", "other words"]);
    gh.ok(&["release", "edit", "v1.0.0", "--draft=false", "--latest"]);
    let published = gh.view("isDraft,name,tagName,publishedAt,assets");
    gh.same((&published["isDraft"], &published["name"]), (&false.into(), &"The first".into()));
    let listed = gh.ok(&["release", "list"]);
    gh.same(listed.contains("Latest"), true);
    gh.ok(&["release", "download", "v1.0.0", "-D", "got"]);
    for (name, size, seed) in contents {
        let got = std::fs::read(gh.home.path().join("got").join(name.replace(' ', "."))).unwrap();
        gh.same(got == content(size, seed), true);
    }
    // Published in one go: a draft, the upload, and then the public release.
    gh.ok(&["release", "create", "v1.1.0", "--notes", "more", "large.pack#the label", "--latest=false"]);
    gh.same(gh.server.releases().iter().find(|r| r.latest).map(|r| r.tag.clone()), Some("v1.0.0".into()));
    gh.refused(&["release", "create", "v1.1.0", "--notes", "again"], "already");
    gh.ok(&["release", "delete-asset", "v1.0.0", "small.txt", "--yes"]);
    gh.same(gh.server.releases().iter().map(|r| r.assets.len()).sum(), 3);
    gh.ok(&["release", "delete", "v1.0.0", "--yes"]);
    gh.ok(&["release", "delete", "v1.1.0", "--yes", "--cleanup-tag"]);
    gh.same(gh.server.releases().len(), 0);
    println!("  cases {}: a release through gh", gh.cases);
}
