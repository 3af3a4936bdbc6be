//! Whether all is ready, from the app's folder to the board: each finding with the next step.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::Serialize;

use super::fit;
use super::look::Seen;
use super::mpremote::Mpremote;
use super::port;
use super::status::{self, Status};
use crate::app::config::Config;
use crate::app::git;
use crate::files;
use crate::release::build::{self, BuildOptions};
use crate::release::dist::{self, MANIFEST};
use crate::release::keys;
use crate::remote::access::GITHUB;
use crate::remote::token::{self, Place};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// Whether it is right.
    pub ok: bool,
    /// What was found.
    pub says: String,
    /// What to do next; empty where it is right.
    pub next: String,
}

fn good(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, ok: true, says: says.into(), next: String::new() }
}

fn bad(what: &'static str, says: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { what, ok: false, says: says.into(), next: next.into() }
}

/// The error, why, and its hint.
fn failed(what: &'static str, error: &(dyn Diagnostic + 'static)) -> Finding {
    let mut says = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if !says.contains(&cause.to_string()) {
            says = format!("{says}: {cause}");
        }
        source = cause.source();
    }
    bad(what, says, error.help().map(|help| help.to_string()).unwrap_or_default())
}

/// Looks at the app in this folder, and at the board where there is a port.
pub fn look(app: &Path, port: Option<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut prefix = String::new();
    match Config::load(app) {
        Ok(config) => {
            prefix.clone_from(&config.tag_prefix);
            found.push(project(app, &config));
            found.push(tree(app));
            found.push(key(app, &config));
            let (workflow, has_workflow) = workflow(app);
            found.push(token(&config.project, has_workflow));
            found.push(workflow);
        }
        Err(error) => found.push(failed("mpota.toml", &error)),
    }
    found.push(tag(app, &prefix));
    match port {
        Some(port) => found.extend(board(app, port)),
        None => found.push(mpremote()),
    }
    found
}

fn project(app: &Path, config: &Config) -> Finding {
    const WHAT: &str = "mpota.toml";
    let project = &config.project;
    if project == "owner/name" {
        return bad(WHAT, "the project is still owner/name", "write the repository's name into it");
    }
    match git::github_project(app) {
        Some(origin) if !origin.eq_ignore_ascii_case(project) => bad(
            WHAT,
            format!("the project is {project}, and git's remote origin is {origin}"),
            "boards ask the project's repository: correct one of the two",
        ),
        _ => good(WHAT, format!("a release of {project}")),
    }
}

/// Builds it, and throws it away.
fn tree(app: &Path) -> Finding {
    const WHAT: &str = "files";
    let scratch = match super::script::Scratch::new() {
        Ok(scratch) => scratch,
        Err(error) => return failed(WHAT, &error),
    };
    let mut options = match BuildOptions::load(app) {
        Ok(options) => options,
        Err(error) => return failed(WHAT, &error),
    };
    options.version = Some("v0.0.0".to_owned());
    options.output = Some(scratch.path().join("dist"));
    match build::build(&options) {
        Err(error) => failed(WHAT, &error),
        Ok(built) => match built.warnings.first() {
            Some(warning) => bad(WHAT, warning.to_string(), "`mpota build` tells more"),
            None => good(WHAT, "a release can be built"),
        },
    }
}

fn key(app: &Path, config: &Config) -> Finding {
    const WHAT: &str = "key";
    let Some(path) = config.key_path(app) else {
        return good(WHAT, "releases are not signed (mpota key new makes a key)");
    };
    let line = match keys::show(&path) {
        Ok(line) => line,
        Err(error) => return failed(WHAT, &error),
    };
    let mut list: PathBuf = app.to_owned();
    list.extend(config.root.clone());
    list.push("ota_keys");
    let add = format!("mpota key show {} >> {}", path.display(), list.display());
    if !list.exists() {
        return bad(WHAT, "boards do not know it: there is no ota_keys", add);
    }
    match keys::load_public(&list) {
        Err(error) => failed(WHAT, &error),
        Ok(keys) if !keys.contains(&line.key) => bad(WHAT, "boards refuse it: it is not in ota_keys", add),
        Ok(_) => good(WHAT, format!("{} signs, and is in ota_keys", path.display())),
    }
}

fn token(project: &str, workflow: bool) -> Finding {
    const WHAT: &str = "token";
    match Place::new(GITHUB, project).and_then(|place| token::find(&place)) {
        Some(token) => good(WHAT, format!("from {}", token.from())),
        None if workflow => good(WHAT, "none here; the workflow has its own"),
        None => bad(WHAT, "none, and `mpota publish` needs one", "gh auth login, or set MPOTA_TOKEN"),
    }
}

/// Whether a workflow makes releases.
fn workflow(app: &Path) -> (Finding, bool) {
    const WHAT: &str = "workflow";
    let folder = git::root(app).unwrap_or_else(|| app.to_owned()).join(".github/workflows");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "yml" || e == "yaml")) {
        let Ok(text) = files::read_text(path, 1 << 20) else { continue };
        let lines = || text.lines().map(|line| line.split('#').next().unwrap_or_default());
        if !lines().any(|line| line.contains("mpota")) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !lines().any(|line| line.trim() == "contents: write" || line.contains("write-all")) {
            let next = "add to it: permissions: contents: write";
            return (bad(WHAT, format!("{name} may not publish"), next), true);
        }
        return (good(WHAT, name), true);
    }
    (good(WHAT, "none: releases are published from here, with `mpota publish`"), false)
}

fn tag(app: &Path, prefix: &str) -> Finding {
    const WHAT: &str = "tag";
    if let Ok(git::VersionTag { tag, .. }) = git::version_tag(app, prefix) {
        return match git::has_changes(app) {
            Ok(true) => {
                bad(WHAT, format!("{tag}, but files have changed since"), "commit them, and tag that")
            }
            _ => good(WHAT, tag),
        };
    }
    match git::versions(app) {
        Err(error) => failed(WHAT, &error),
        Ok(tags) if tags.is_empty() => bad(
            WHAT,
            "no tag is a version",
            format!("git tag {prefix}v1.0.0 && git push origin {prefix}v1.0.0"),
        ),
        Ok(tags) => good(WHAT, format!("the next release needs one: {} versions have theirs", tags.len())),
    }
}

fn mpremote() -> Finding {
    match Mpremote::find(None) {
        Ok(_) => good("board", "mpremote is there; name a port, and the board is looked at"),
        Err(error) => failed("board", &error),
    }
}

fn board(app: &Path, port: &str) -> Vec<Finding> {
    const WHAT: &str = "board";
    let mpremote = match Mpremote::find(Some(port)) {
        Ok(mpremote) => mpremote,
        Err(error) => return vec![failed(WHAT, &error)],
    };
    let seen = match Seen::look(&mpremote, &port::updater_names(), true) {
        Ok(seen) => seen,
        Err(error) => return vec![failed(WHAT, &error)],
    };
    let install = format!("mpota install {port}");
    let mut found = vec![good(WHAT, format!("{}, MicroPython {}", seen.name(), seen.version))];
    let updater = status::updater_of(&seen);
    found.push(match (seen.has_module("lib/ota_updater"), seen.guard) {
        (false, _) => bad("updater", "it is not in /lib", install),
        (true, false) => bad("updater", "boot.py does not start it", install),
        (true, true) => good("updater", updater),
    });
    let status = Status::of(&seen);
    found.push(match status.bad.is_empty() {
        true => good("version", status.says),
        false => bad(
            "version",
            format!("{}; {} was undone: {}", status.says, status.bad, status.why),
            status.blocked,
        ),
    });
    if let Ok(manifest) = dist::read_manifest(&app.join("dist").join(MANIFEST)) {
        let version = manifest.header.version.to_string();
        found.push(match fit::lack(&manifest.header.requires, &seen) {
            None => good("release", format!("{version} in dist is for this board")),
            Some((wanted, found)) => bad(
                "release",
                format!("{version} in dist needs {wanted}, and this is {found}"),
                "see [requires] in mpota.toml",
            ),
        });
        // A release of which every file changes lies beside the one that runs.
        let size: u64 = manifest.files.iter().map(|file| file.size.div_ceil(seen.block) * seen.block).sum();
        found.push(match size <= seen.free {
            true => good("flash", format!("{} of {} bytes free", seen.free, seen.total)),
            false => bad(
                "flash",
                format!("{} bytes free, and a whole release takes {size}", seen.free),
                "remove files from the board, or make the release smaller",
            ),
        });
    }
    found.push(match seen.files.contains_key("secrets.py") {
        true => good("secrets.py", "it is on the board"),
        false => {
            bad("secrets.py", "it is not on the board: no Wi-Fi", "mpremote fs cp secrets.py :secrets.py")
        }
    });
    found
}
