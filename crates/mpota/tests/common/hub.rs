//! A server in the place of GitHub, with the empty repository octo/weather, and an app to publish.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mpota::publish::{PublishError, PublishOptions};
use mpota::release::verify::{VerifyOptions, verify};
use mpota::remote::target::Target;
use mpota::remote::token::Token;
use mpota_serve::{Fault, Options, Server, WriteOptions};
use tempfile::TempDir;

use super::App;

/// May write.
pub const TOKEN: &str = "github_pat_0f_the_writer";
/// May only read.
pub const READER: &str = "github_pat_0f_a_reader";
pub const PACK: &str = "weather-v1.0.0.pack";

/// What the server has, and the app whose releases they are.
pub struct Hub {
    pub app: App,
    pub folder: TempDir,
    pub private: bool,
}

impl Hub {
    /// `dist` holds v1.0.0, the server nothing.
    pub fn new() -> Self {
        let app = App::new();
        app.run("build --version v1.0.0").ok();
        let hub = Self { app, folder: tempfile::tempdir().unwrap(), private: false };
        fs::create_dir_all(hub.repository()).unwrap();
        hub
    }

    /// `dist` holds this version, of another `main.py`.
    pub fn build(&self, version: &str) {
        self.app.append("main.py", &format!("print('{version}')\n"));
        self.app.run(&format!("build --version {version}")).ok();
    }

    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("octo/weather")
    }

    /// A file in the server's folder.
    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.repository().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn get(&self, path: &str) -> Vec<u8> {
        fs::read(self.repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn options(&self) -> Options {
        Options {
            token: self.private.then(|| READER.to_owned()),
            write: Some(WriteOptions::new(TOKEN)),
            asset_host: Some("localhost".to_owned()),
            ..Options::new(self.folder.path())
        }
    }

    pub fn serve(&self) -> Server {
        Server::start(self.options()).unwrap()
    }

    pub fn serve_with(&self, faults: Vec<Fault>) -> Server {
        Server::start(Options { faults, ..self.options() }).unwrap()
    }

    /// `mpota publish`, with the token and no other program.
    pub fn publish(&self, server: &Server, arguments: &str) -> Command {
        let mut command = self.app.mpota(["publish", "--base-url", server.base_url()]);
        command.args(arguments.split_whitespace()).env("MPOTA_TOKEN", TOKEN).env("PATH", "");
        command
    }

    /// The same without a process.
    pub fn how(&self, server: &Server) -> PublishOptions {
        self.bare(server.base_url())
    }

    /// The same to any address.
    pub fn bare(&self, base_url: &str) -> PublishOptions {
        let mut options = PublishOptions::new(self.app.path("dist"), "octo/weather");
        options.access.base_url = base_url.to_owned();
        options.access.token = |_| Token::new(TOKEN, "the test");
        options.sleep = |_| {};
        options
    }

    /// Every release: tag, then `draft`, `prerelease` or `latest`, by tag.
    pub fn releases(&self, server: &Server) -> Vec<(String, &'static str)> {
        let mut all: Vec<_> = server
            .releases()
            .into_iter()
            .map(|release| {
                let what = match (release.draft, release.prerelease, release.latest) {
                    (true, ..) => "draft",
                    (_, true, _) => "prerelease",
                    (.., true) => "latest",
                    _ => "",
                };
                (release.tag, what)
            })
            .collect();
        all.sort();
        all
    }

    /// The tag's release is public and has what lies in `dist`, byte for byte, and nothing else.
    #[track_caller]
    pub fn whole(&self, server: &Server, tag: &str) {
        let of_tag: Vec<_> = server.releases().into_iter().filter(|release| release.tag == tag).collect();
        assert_eq!(of_tag.len(), 1, "{of_tag:?}");
        assert!(!of_tag[0].draft, "{of_tag:?}");
        let mut local: Vec<String> = self.app.tree("dist").into_iter().map(|(name, _)| name).collect();
        local.sort();
        assert_eq!(of_tag[0].assets, local);
        for (name, bytes) in self.app.tree("dist") {
            assert!(self.served(tag, &name) == bytes, "{tag} {name} is not what was built");
        }
        let report = self.verified(server, tag);
        assert!(report.is_good(), "{:?}", report.problems);
    }

    /// An asset as it lies with the server, whatever its folder is called.
    fn served(&self, tag: &str, name: &str) -> Vec<u8> {
        let of_tag = |folder: &Path| {
            let said = fs::read_to_string(folder.join("release.json")).unwrap_or_default();
            folder.ends_with(tag) || said.contains(&format!("\"tag_name\": \"{tag}\""))
        };
        let folders = fs::read_dir(self.repository()).unwrap().map(|entry| entry.unwrap().path());
        let folder = folders.into_iter().find(|folder| of_tag(folder)).expect(tag);
        fs::read(folder.join(name)).unwrap()
    }

    /// What `mpota verify` says to somebody who may read.
    pub fn verified(&self, server: &Server, tag: &str) -> mpota::release::verify::Report {
        let (project, tag) = ("octo/weather".to_owned(), Some(tag.to_owned()));
        let mut how = VerifyOptions::new(Target::Project { project, tag });
        how.access.base_url = server.base_url().to_owned();
        how.access.token = if self.private { |_| Token::new(READER, "the test") } else { |_| None };
        verify(&how).unwrap()
    }

    /// Everything in the server's folder.
    pub fn tree(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push((path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        found.sort();
        found
    }

    /// Takes over what a server had; see [`Hub::tree`].
    pub fn reset(&self, tree: &[(PathBuf, Vec<u8>)]) {
        fs::remove_dir_all(self.folder.path().join("octo")).unwrap();
        fs::create_dir_all(self.repository()).unwrap();
        for (path, bytes) in tree {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

/// An error with all that it says.
pub fn words(error: &PublishError) -> String {
    let mut said = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(source) = inner {
        said = format!("{said}: {source}");
        inner = source.source();
    }
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    format!("{said} hint: {}", help.unwrap_or_default())
}
