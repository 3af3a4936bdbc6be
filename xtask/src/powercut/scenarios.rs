//! What happens to a board in the power-cut matrix: one row a scenario.

use anyhow::Result;
use mpota_vboard::FileSystem;
use mpota_vboard::bench::{Agent, App, Bench, Release, TINY_MAIN, compile};
use std::path::PathBuf;

/// Files by path.
type Files = Vec<(String, Vec<u8>)>;

/// One update, and what it has to end in.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// From v1.0.0 to v1.1.0: the first app, and the release.
    make: fn() -> Result<(App, Release)>,
    /// Whether v1.1.0 is kept.
    pub kept: bool,
    /// More files on the board before the update.
    extra: fn(&Bench) -> Result<Files>,
    /// Files of v1.1.0 that are kept: v1.2.0 has them too, and those that were on the board before stay.
    keep: &'static [&'static str],
    /// What is done to it; see `vboard/powercut.py`.
    pub modes: &'static [&'static str],
    /// How the updater lies on the board.
    agent: Agent,
    /// The file systems that it runs on, unless it is asked for by name.
    pub on: &'static [FileSystem],
    /// Whether v1.0.0 was put there by the updater's own records, or by hand.
    by_hand: bool,
}

const CUTS: &[&str] = &["cuts"];

const fn row(name: &'static str, kept: bool, make: fn() -> Result<(App, Release)>) -> Scenario {
    Scenario {
        name,
        make,
        kept,
        extra: |_| Ok(Vec::new()),
        keep: &[],
        modes: CUTS,
        agent: Agent::Mpy,
        on: &FileSystem::ALL,
        by_hand: false,
    }
}

/// The table.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { by_hand: true, ..row("fresh-install", true, || to(|app| app)) },
    row("small-change", true, || to(|app| app)),
    row("every-file", true, || to(every_file)),
    row("file-added", true, || to(|app| app.with("lib/added.py", "# added\n"))),
    row("file-removed", true, || to(|app| app.without("lib/util.py").without("assets/logo.bin"))),
    row("directory-appears", true, || {
        to(|app| app.with("lib/new/deep/a.py", "#\n").with("lib/new/b.py", "#\n"))
    }),
    row("file-becomes-directory", true, || {
        to(|app| app.without("assets/logo.bin").with("assets/logo.bin/small", "1"))
    }),
    row("directory-becomes-file", true, || {
        to(|app| app.without("assets/logo.bin").with("assets", "no more folder"))
    }),
    row("boot.py", true, || to(|app| append(app, "boot.py", "\nprint('new boot')\n"))),
    row("main.py", true, || to(|app| append(app, "main.py", "\n# new\n"))),
    row("updater-to-newer", true, || updater(false)),
    row("updater-to-older", true, || updater(true)),
    // Its source is long: on small blocks that is many times as many cuts of the same kind.
    Scenario { agent: Agent::Py, on: &[FileSystem::Lfs], ..row("updater-compiled", true, updater_compiled) },
    row("undo-after-crash", false, || {
        to(|app| every_file(app).with("app.py", "V = 1 / 0\n").with("more/x.py", "#\n"))
    }),
    row("undo-after-hang", false, || {
        to(|app| append(app, "app.py", "while True:\n    pass\n").without("lib/util.py"))
    }),
    row("undo-by-the-app", false, || {
        to(|app| {
            append(app, "app.py", "import ota_updater, machine\nota_updater.rollback()\nmachine.reset()\n")
        })
    }),
    row("undo-no-import-updater", false, || {
        broken(&[("ota_updater.py", "import sys\n", "import sys\n1 / 0\n")])
    }),
    row("undo-no-such-updater", false, || {
        broken(&[("ota_updater.py", "def boot(feed=None):", "def boot_later():")])
    }),
    row("undo-updater-raises", false, || broken(&[("ota_updater.py", BOOT, "    1 / 0\n")])),
    row("undo-updater-resets", false, || {
        broken(&[("ota_updater.py", BOOT, "    import machine\n    machine.reset()\n")])
    }),
    row("undo-updater-hangs", false, || {
        broken(&[("ota_updater.py", BOOT, "    while True:\n        pass\n")])
    }),
    row("undo-updater-no-watch", false, || {
        broken(&[(
            "ota_trial.py",
            "    if not getattr(ota_updater, \"watched\", False):\n",
            "    1 / 0\n    if True:\n",
        )])
    }),
    Scenario { extra: leftovers, ..row("leftovers", true, || to(|app| app.without("lib/util.py"))) },
    Scenario { extra: half_fetched, ..row("download-resumed", true, || to(every_file)) },
    Scenario { keep: KEPT, extra: owners, ..row("kept-files", true, || kept("pass")) },
    Scenario { keep: KEPT, extra: owners, ..row("kept-files-undone", false, || kept("1 / 0")) },
    Scenario { extra: hiding, ..row("modules-compiled", true, || modules_compiled("")) },
    Scenario { extra: hiding, ..row("modules-compiled-undone", false, || modules_compiled("1 / 0\n")) },
    Scenario { extra: changed, ..row("changed-on-the-board", true, || to(every_file)) },
    row("hooks", true, || hooks("pass")),
    row("hooks-undone", false, || hooks("1 / 0")),
    Scenario { modes: &["write_errors"], ..row("write-errors", true, without_one) },
    Scenario { modes: &["read_errors_1"], ..row("read-errors-1", true, without_one) },
    Scenario { modes: &["read_errors_2"], ..row("read-errors-2", true, without_one) },
    Scenario { modes: &["read_errors_3"], ..row("read-errors-3", true, without_one) },
    Scenario { modes: &["memory"], ..row("memory-errors", true, without_one) },
    Scenario { modes: &["flips"], ..row("bits-turned", true, without_one) },
    Scenario { modes: &["digits"], ..row("digits-turned", true, without_one) },
    Scenario {
        modes: &["digits"],
        ..row("digits-turned-undo", false, || to(|app| every_file(app).with("app.py", "1 / 0\n")))
    },
    Scenario {
        modes: &["flips", "backups"],
        ..row("bits-turned-undo", false, || to(|app| every_file(app).with("app.py", "1 / 0\n")))
    },
];

/// v1.0.0 and v1.1.0 with one thing different.
fn to(change: impl FnOnce(App) -> App) -> Result<(App, Release)> {
    let one = small("v1.0.0")?;
    let two = change(one.clone().with("app.py", "V = 'v1.1.0'\n"));
    Ok((one, Release::new("v1.1.0", two)))
}

/// A module that v1.1.0 brings compiled.
const EXTRA: &str = "lib/extra.mpy";

/// Modules come compiled: one was there as its source, and of one the owner has put a source there.
fn modules_compiled(more: &str) -> Result<(App, Release)> {
    let [util, extra] = [compile(b"# helpers\n")?, compile(b"# extra\n")?];
    let (one, mut two) = to(|app| app.without("lib/util.py").with("lib/util.mpy", util).with(EXTRA, extra))?;
    two.app = append(two.app, "app.py", more);
    Ok((one, two))
}

/// An import would take it before the release's.
fn hiding(_: &Bench) -> Result<Files> {
    Ok(vec![("lib/extra.py".into(), b"# the owner's\n".to_vec())])
}

/// Every file is another one, and one is gone.
fn without_one() -> Result<(App, Release)> {
    to(|app| every_file(app).without("lib/util.py"))
}

fn small(version: &str) -> Result<App> {
    Ok(App::tiny(version)?
        // LittleFS keeps it right before boot.py.
        .with("about.txt", "A small app.\n")
        .with("assets/logo.bin", (0..3000_u32).map(|i| ((i * i) >> 5) as u8).collect::<Vec<u8>>()))
}

fn append(app: App, path: &str, text: &str) -> App {
    let mut content = app.0.get(path).cloned().unwrap_or_default();
    content.extend_from_slice(text.as_bytes());
    app.with(path, content)
}

fn every_file(app: App) -> App {
    let paths: Vec<String> = app.0.keys().cloned().collect();
    paths.iter().fold(app, |app, path| append(app, path, "\n# every file\n"))
}

/// What `boot()` begins with.
const BOOT: &str = "    global started, watchdog, _keep\n";

/// The updater as .mpy files of a release, with these changes: (file, what to replace, by what).
fn updater_files(changes: &[(&str, &str, &str)]) -> Result<Files> {
    let mut files = Vec::new();
    let mut made = 0;
    for (name, source) in mpota_vboard::agent_files()? {
        let mut source = String::from_utf8_lossy(&source).into_owned();
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
            anyhow::ensure!(source.contains(from), "{name} has no {from:?}");
            source = source.replacen(from, to, 1);
            made += 1;
        }
        files.push((format!("lib/{}.mpy", name.trim_end_matches(".py")), compile(source.as_bytes())?));
    }
    anyhow::ensure!(made == changes.len(), "changes of a file that is not there");
    Ok(files)
}

fn with_files(app: App, files: &[(String, Vec<u8>)]) -> App {
    files.iter().fold(app, |app, (path, content)| app.with(path, content))
}

/// Both releases hold the updater; the newer one writes journals of format 2.
fn updater(back: bool) -> Result<(App, Release)> {
    let older = updater_files(&[])?;
    let format = "r[\"mpota\"] = 1\n";
    let later = "r[\"mpota\"] = 2\n    r[\"later\"] = \"unknown to the older one\"\n";
    let newer = updater_files(&[
        ("ota_journal.py", format, later),
        ("ota_updater.py", "started = 0", "started = 0\nnewer = 1"),
    ])?;
    let (one, mut two) = to(|app| append(app, "boot.py", "\nprint('new boot')\n"))?;
    let (first, second) = if back { (newer, older) } else { (older, newer) };
    two.app = with_files(two.app, &second);
    Ok((with_files(one, &first), two))
}

/// A new updater that is none, or does not do its part.
fn broken(changes: &[(&str, &str, &str)]) -> Result<(App, Release)> {
    let (one, mut two) = updater(false)?;
    two.app = with_files(two.app, &updater_files(changes)?);
    Ok((one, two))
}

/// The updater was source, and comes as .mpy: for a while both lie there.
fn updater_compiled() -> Result<(App, Release)> {
    let (one, mut two) = to(|app| app)?;
    two.app = with_files(two.app, &updater_files(&[])?);
    let source = mpota_vboard::agent_files()?;
    Ok((source.iter().fold(one, |app, (name, source)| app.with(&format!("lib/{name}"), source)), two))
}

const KEPT: &[&str] = &["conf.json", "data/new.json"];

/// v1.1.0 brings files that are kept: one that the board has already, and one that is new to it.
fn kept(last: &str) -> Result<(App, Release)> {
    let (one, mut two) = to(|app| append(app, "app.py", &format!("{last}\n")))?;
    two.app = KEPT.iter().fold(two.app, |app, path| app.with(path, "of the release".repeat(50)));
    two.toml = format!("keep = {KEPT:?}");
    Ok((one, two))
}

fn owners(_: &Bench) -> Result<Files> {
    Ok(vec![("conf.json".into(), b"the owner's".repeat(60))])
}

/// A file that is not kept, and was changed.
fn changed(_: &Bench) -> Result<Files> {
    Ok(vec![("lib/util.py".into(), b"# changed by the owner\n".repeat(30))])
}

fn hooks(last: &str) -> Result<(App, Release)> {
    let note = |word: &str| format!("with open('readings.csv', 'a') as f:\n    f.write('{word}')\n");
    let (one, mut two) = to(|app| append(app, "app.py", &format!("{last}\n")))?;
    two.app = two.app.with("hooks/migrate.py", note("forth")).with("hooks/back.py", note("back"));
    two.toml = "[hooks]\npost_update = \"hooks/migrate.py\"\nrollback = \"hooks/back.py\"".into();
    Ok((one, two))
}

fn leftovers(_: &Bench) -> Result<Files> {
    let names = [
        "new/0",
        "new/3",
        "new/plan",
        "new/manifest.json",
        "new/rollback.py",
        "old/0",
        "old/r1",
        "old/ota_updater.py",
    ];
    Ok(names.iter().map(|n| (format!(".ota/{n}"), b"left over".repeat(30))).collect())
}

/// What a broken download of v1.1.0 leaves: the manifest, one whole file, one torn one.
fn half_fetched(bench: &Bench) -> Result<Files> {
    let manifest = std::fs::read(bench.release_dir("v1.1.0").join("manifest.json"))?;
    let (_, release) = to(every_file)?;
    let paths: Vec<&String> = release.app.0.keys().collect();
    let mut files = vec![(".ota/new/manifest.json".to_owned(), manifest)];
    for (number, path) in paths.iter().enumerate().take(2) {
        let content = &release.app.0[*path];
        let end = if number == 0 { content.len() } else { content.len() / 2 };
        files.push((format!(".ota/new/{number}"), content[..end].to_vec()));
    }
    Ok(files)
}

/// The folders and releases of a scenario.
pub struct Made {
    /// Releases, and the folders below.
    pub bench: Bench,
    /// The same with the goal as the latest release.
    pub goal: Bench,
    /// The board before the update.
    pub before: PathBuf,
    /// The board with v1.1.0.
    pub new: PathBuf,
    /// The board with v1.2.0, which all must reach in the end.
    pub last: PathBuf,
}

impl Scenario {
    /// Bytes of flash: as much as an update of the updater needs, with each file a block at least.
    pub fn flash(&self) -> u32 {
        match self.agent {
            Agent::Py => 1 << 20,
            _ if self.name.contains("updater") => 640 << 10,
            _ => 512 << 10,
        }
    }

    /// How many second cuts for each first one; 0: all. The updater is as many files as five apps of this table, so
    /// there are 25 times as many pairs of cuts as elsewhere, and each file is exchanged in the same steps.
    pub fn second(&self) -> u64 {
        if self.name.contains("updater") { 12 } else { 0 }
    }

    /// How much faster than real the board's timers go: a hang has to be waited for.
    pub fn divide(&self) -> u32 {
        if matches!(self.name, "undo-after-hang" | "undo-updater-hangs") { 100 } else { 1 }
    }

    /// Make the releases and the boards, with the updater sabotaged as told.
    pub fn make(&self, sabotage: &[(&'static str, &'static str, &'static str)]) -> Result<Made> {
        let (mut one, mut two) = (self.make)()?;
        let (app, sabotage): (Vec<_>, Vec<_>) = sabotage.iter().partition(|(file, ..)| *file == "main.py");
        for (file, from, to) in app {
            one = one.replacing(file, from, to);
            two.app = two.app.replacing(file, from, to);
        }
        let mut bench = Bench::new()?;
        bench.sabotage.clone_from(&sabotage);
        bench.publish(&Release::new("v1.0.0", one.clone()))?;
        bench.publish(&two)?;
        let mut goal = Bench::new()?;
        goal.sabotage = sabotage;
        // The goal differs from both: v1.0.0 with more files, and its own app.py.
        let last =
            one.with("app.py", "V = 'v1.2.0'\n").with("main.py", TINY_MAIN).with("goal.txt", "reached");
        let last = self.keep.iter().fold(last, |app, path| app.with(path, &two.app.0[*path]));
        // What the owner has put in its way goes whichever of the two comes first.
        let last = two.app.0.get(EXTRA).iter().fold(last, |app, content| app.with(EXTRA, content));
        let toml = if self.keep.is_empty() { String::new() } else { two.toml.clone() };
        goal.publish(&Release { toml, ..Release::new("v1.2.0", last) })?;
        let config = mpota_vboard::bench::config(&[(
            "limits",
            "{'trial_resets': 2, 'trial_starts': 2, 'trial_s': 4, 'trial_wait_s': 4, 'retries': 1}",
        )]);
        let extra = (self.extra)(&bench)?;
        let mut own: Vec<(&str, &[u8])> = vec![("secrets.py", config.as_bytes()), ("settings.json", b"{}")];
        let mut plain = own.clone();
        own.extend(extra.iter().map(|(p, c)| (p.as_str(), c.as_slice())));
        if !self.keep.is_empty() {
            plain.clone_from(&own);
        }
        let before = bench.board_folder("v1.0.0", self.agent, &own)?;
        if self.by_hand {
            std::fs::remove_dir_all(before.join(".ota"))?;
            std::fs::remove_file(before.join("version.json"))?;
        }
        let new = bench.board_folder("v1.1.0", self.agent, &plain)?;
        let last = goal.board_folder("v1.2.0", self.agent, &plain)?;
        Ok(Made { bench, goal, before, new, last })
    }
}
