//! Releases to mirror, and what lies in a mirror of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mpota::release::keys::{self, SigningKey};
use mpota::release::sign::sign_rollout;
use mpota_format::rollout::{FOREVER, Rollout, Stage};
use mpota_format::version::Version;
use mpota_vboard::bench::{App, Bench, Release};
use tempfile::TempDir;

use crate::common::{Said, mpota};
use crate::stores::BUCKET;

/// Below the bucket.
pub const PREFIX: &str = "a/b";
pub const RELEASES: &str = "octo/weather/releases";

/// A folder of signed releases.
pub struct World {
    pub bench: Bench,
    keys: TempDir,
    key: SigningKey,
}

impl World {
    pub fn new(versions: &[&str]) -> Self {
        let keys = TempDir::new().unwrap();
        let path = keys.path().join("key");
        keys::create(&path, "key", None).unwrap();
        let key = SigningKey::load(&path, &mut |_| Ok(String::new())).unwrap();
        let world = Self { bench: Bench::new().unwrap(), keys, key };
        versions.iter().for_each(|version| world.publish(version));
        world
    }

    pub fn publish(&self, version: &str) {
        self.publish_as(version, App::tiny(version).unwrap(), true);
    }

    pub fn publish_as(&self, version: &str, app: App, signed: bool) {
        let key = signed.then(|| self.key.clone());
        self.bench.publish(&Release { key, ..Release::new(version, app) }).unwrap();
    }

    /// A release with a compiled form, or of one asset a file.
    pub fn publish_form(&self, version: &str, compiled: bool, plain: bool) {
        let app = App::tiny(version).unwrap().with("lib/more.py", "X = 1\n");
        let toml = if compiled { "[mpy]\nversions = [6]\n" } else { "" };
        let key = Some(self.key.clone());
        self.bench.publish(&Release { toml: toml.into(), key, plain, ..Release::new(version, app) }).unwrap();
    }

    pub fn release(&self, tag: &str) -> PathBuf {
        self.bench.release_dir(tag)
    }

    /// A channel of the folder.
    pub fn channel(&self, name: &str, version: &str) {
        fs::create_dir_all(self.release(name)).unwrap();
        fs::copy(self.release(version).join("manifest.json"), self.release(name).join("manifest.json"))
            .unwrap();
    }

    /// A signed rollout of the folder.
    pub fn rollout(&self, version: &str, number: u64) {
        self.rollout_to(version, number, 5);
    }

    pub fn rollout_to(&self, version: &str, number: u64, percent: u8) {
        self.rollout_by(&self.key, version, number, (percent, false));
    }

    /// A signed rollout that no board takes the version by.
    pub fn halt(&self, version: &str, number: u64) {
        self.rollout_by(&self.key, version, number, (100, true));
    }

    /// A rollout that somebody else has signed.
    pub fn halt_by_other(&self, version: &str, number: u64) {
        let path = self.keys.path().join("other");
        keys::create(&path, "other", None).unwrap();
        let key = SigningKey::load(&path, &mut |_| Ok(String::new())).unwrap();
        self.rollout_by(&key, version, number, (100, true));
    }

    fn rollout_by(&self, key: &SigningKey, version: &str, number: u64, (percent, halted): (u8, bool)) {
        fs::create_dir_all(self.release("rollout")).unwrap();
        let mut rollout = Rollout {
            project: Some("octo/weather".into()),
            version: Version::parse(version).unwrap(),
            number,
            until: FOREVER,
            halted,
            stages: vec![Stage { from: 0, percent }],
            boards: Vec::new(),
            signature: None,
        };
        sign_rollout(&mut rollout, key).unwrap();
        let path = self.release("rollout").join(format!("{version}.json"));
        fs::write(path, rollout.to_bytes().unwrap()).unwrap();
    }

    pub fn public_key(&self) -> PathBuf {
        self.keys.path().join("key.pub")
    }

    /// The command for a mirror of the folder at `dest`.
    pub fn command(&self, dest: &str) -> Command {
        let mut command = mpota();
        for (name, _) in std::env::vars() {
            if ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|cloud| name.starts_with(cloud)) {
                command.env_remove(name);
            }
        }
        command.arg("mirror").arg(self.bench.releases()).arg(dest).arg("--key").arg(self.public_key());
        command
    }

    /// What must lie in a mirror: keys below the project's releases, and their content.
    pub fn expected(&self, versions: &[&str], latest: &str, moving: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for tag in versions.iter().chain(moving) {
            for (name, bytes) in files(&self.release(tag)) {
                all.insert(format!("download/{tag}/{name}"), bytes);
            }
        }
        let manifest = fs::read(self.release(latest).join("manifest.json")).unwrap();
        all.insert("latest/download/manifest.json".into(), manifest);
        all
    }
}

pub fn dest() -> String {
    format!("s3://{BUCKET}/{PREFIX}")
}

pub fn run(command: &mut Command) -> Said {
    command.output().unwrap().into()
}

/// All files below a folder, without those that a server keeps for itself.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, at: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with('.') {
                continue;
            }
            let key = if at.is_empty() { name } else { format!("{at}/{name}") };
            match entry.path().is_dir() {
                true => walk(&entry.path(), &key, found),
                false => drop(found.insert(key, fs::read(entry.path()).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, "", &mut found);
    found
}

/// What a mirror lacks, or has beyond this: for a message, and empty where all is right.
#[track_caller]
pub fn same(there: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let keys = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(there), keys(expected));
    for (key, bytes) in expected {
        assert!(there[key] == *bytes, "{key} differs");
    }
}
