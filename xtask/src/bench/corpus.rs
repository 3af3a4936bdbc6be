//! What is updated: apps of several sizes, and how much of them changes.

use crate::size::place::text;
use anyhow::Result;
use mpota_vboard::bench::App;
use mpota_vboard::repository;

/// The version that a board has, and the one that it is to get.
pub const VERSIONS: [&str; 2] = ["v1.0.0", "v1.1.0"];

/// An app of some size.
#[derive(Debug, Clone, Copy)]
pub struct Corpus {
    /// Its name in figures.
    pub key: &'static str,
    /// For people.
    pub what: &'static str,
    /// Its files besides `boot.py` and `main.py`.
    files: usize,
    /// Bytes of each of them.
    size: usize,
    /// The flash of the virtual board, in bytes.
    pub flash: u64,
    /// How often times are taken; the shortest counts.
    pub runs: usize,
}

/// All apps.
pub const CORPORA: [Corpus; 4] = [
    Corpus { key: "10", what: "10 files, 60 KB", files: 8, size: 7400, flash: 1 << 20, runs: 7 },
    Corpus { key: "100", what: "100 files, 600 KB", files: 98, size: 6100, flash: 4 << 20, runs: 3 },
    Corpus { key: "1000", what: "1,000 files, 5 MB", files: 998, size: 5000, flash: 32 << 20, runs: 1 },
    Corpus { key: "big", what: "one file of 1 MB", files: 1, size: 1 << 20, flash: 4 << 20, runs: 3 },
];

/// How much of an app differs between the two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Every file.
    All,
    /// One file in ten.
    Tenth,
    /// One file.
    One,
    /// The board has the newest release.
    Nothing,
}

impl Change {
    /// All of them.
    pub const ALL: [Change; 4] = [Self::All, Self::Tenth, Self::One, Self::Nothing];

    /// Its name in figures.
    pub fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenth => "tenth",
            Self::One => "one",
            Self::Nothing => "nothing",
        }
    }

    /// For people.
    pub fn what(self) -> &'static str {
        match self {
            Self::All => "every file changed",
            Self::Tenth => "1 file in 10 changed",
            Self::One => "1 file changed",
            Self::Nothing => "nothing new",
        }
    }

    /// Whether the file of this number is another one in the new version.
    fn has(self, number: Option<usize>) -> bool {
        match self {
            Self::All => true,
            Self::Tenth => number.is_some_and(|n| n % 10 == 3),
            Self::One => number == Some(3),
            Self::Nothing => false,
        }
    }
}

impl Corpus {
    /// Whether this case differs from the others of this app.
    pub fn has(&self, change: Change) -> bool {
        match change {
            Change::All | Change::Nothing => true,
            Change::Tenth => self.files > 1,
            Change::One => self.files > 10,
        }
    }

    /// The app before a change, and after it.
    pub fn versions(&self, change: Change) -> Result<[App; 2]> {
        Ok([self.app(|_| false)?, self.app(|number| change.has(number))?])
    }

    /// The app, where each file is as in the old version, or `changed`. The number of `boot.py` and `main.py` is None.
    fn app(&self, changed: impl Fn(Option<usize>) -> bool) -> Result<App> {
        let version = |number| VERSIONS[usize::from(changed(number))];
        let mut app = App::default();
        for i in 0..self.files {
            let path = match self.files {
                1 => "data/big.txt".to_owned(),
                2..=10 => format!("lib/part{i}.py"),
                _ => format!("data/{:02}/item{i:04}.py", i % 20),
            };
            app = app.with(&path, text(&format!("{} {i}", version(Some(i))), self.size));
        }
        // What belongs to a board, and not to a release, is in life.py.
        let version = version(None);
        let main = format!("# {version}\nimport ota_updater\nota_updater.boot()\nimport life\n");
        let template = std::fs::read_to_string(repository().join("device/template/boot.py"))?;
        Ok(app.with("main.py", main).with("boot.py", format!("{template}# {version}\n")))
    }
}
