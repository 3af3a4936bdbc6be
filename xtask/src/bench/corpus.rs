//! The apps that are updated, and what changes in them.

use crate::size::place::text;
use anyhow::Result;
use mpota_vboard::bench::App;
use mpota_vboard::repository;

/// The version on the board, and the new one.
pub const VERSIONS: [&str; 2] = ["v1.0.0", "v1.1.0"];

/// An app of some size.
#[derive(Debug, Clone, Copy)]
pub struct Corpus {
    /// Its name in figures.
    pub key: &'static str,
    /// For people.
    pub what: &'static str,
    /// The paths of its files, besides `boot.py` and `main.py`. `{n}` is the number of a file, `{folder}` that of its
    /// folder, with 50 files each.
    path: &'static str,
    /// The number of these files.
    files: usize,
    /// Bytes of each of them.
    size: usize,
    /// The flash of the virtual board, in bytes.
    pub flash: u64,
    /// How often times are measured; the shortest counts.
    pub runs: usize,
}

/// All apps. `lib` and `10` differ in their folder only: in `lib/`, where the updater is, a backup is a copy, elsewhere a
/// rename.
pub const CORPORA: [Corpus; 5] = [
    corpus("10", "10 files, 60 KB", "app/part{n}.py", (8, 7400), 1, 7),
    corpus("lib", "10 files, 60 KB, in lib/", "lib/part{n}.py", (8, 7400), 1, 7),
    corpus("100", "100 files, 600 KB", "data/{folder}/item{n}.py", (98, 6100), 4, 3),
    corpus("1000", "1,000 files, 5 MB", "data/{folder}/item{n}.py", (998, 5000), 32, 1),
    corpus("big", "one file of 1 MB", "data/big.txt", (1, 1 << 20), 4, 3),
];

const fn corpus(
    key: &'static str,
    what: &'static str,
    path: &'static str,
    (files, size): (usize, usize),
    flash_mb: u64,
    runs: usize,
) -> Corpus {
    Corpus { key, what, path, files, size, flash: flash_mb << 20, runs }
}

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
    /// Whether this change is measured for this app.
    pub fn has(&self, change: Change) -> bool {
        match change {
            Change::All => true,
            Change::Nothing => self.key != "lib",
            Change::Tenth => self.files > 1 && self.key != "lib",
            Change::One => self.files > 10,
        }
    }

    /// The app before the change and after it.
    pub fn versions(&self, change: Change) -> Result<[App; 2]> {
        Ok([self.app(|_| false)?, self.app(|number| change.has(number))?])
    }

    /// The app. `changed` tells by a file's number whether it is that of the new version; None are `boot.py` and `main.py`.
    fn app(&self, changed: impl Fn(Option<usize>) -> bool) -> Result<App> {
        let version = |number| VERSIONS[usize::from(changed(number))];
        let mut app = App::default();
        for i in 0..self.files {
            let path =
                self.path.replace("{n}", &format!("{i:04}")).replace("{folder}", &format!("{:02}", i / 50));
            app = app.with(&path, text(&format!("{} {i}", version(Some(i))), self.size));
        }
        // life.py is not part of the release: see Place.
        let version = version(None);
        let main = format!("# {version}\nimport ota_updater\nota_updater.boot()\nimport life\n");
        let template = std::fs::read_to_string(repository().join("device/template/boot.py"))?;
        Ok(app.with("main.py", main).with("boot.py", format!("{template}# {version}\n")))
    }
}
