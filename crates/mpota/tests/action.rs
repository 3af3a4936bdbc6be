//! The steps of the GitHub Action, run as a runner runs them, against `mpota serve`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{App, ssh_keygen};
use serde_json::Value;

const TOKEN: &str = "ghs_000000000000000000000000000000000000";

/// The file as it stands in the repository.
fn action() -> Value {
    let path = mpota_vboard::repository().join("action.yml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An app in its checkout, a key, `mpota serve`, and a runner's folder for what is temporary.
struct Job {
    app: App,
    key: String,
    public: String,
    server: Child,
    base: String,
    inputs: BTreeMap<String, String>,
    /// What the workflow names behind the `@`.
    reference: String,
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// How the steps ended: all of them well, what they printed, and the action's outputs.
struct Ran {
    ok: bool,
    log: String,
    url: String,
}

/// The last line of a script that is `mpota`.
const MPOTA: &str = concat!("exec ", env!("CARGO_BIN_EXE_mpota"), " \"$@\"");

/// A wheel of this version with this script in it.
fn make_wheel(folder: &Path, version: &str, script: &str) {
    let code = "import sys, zipfile\n\
        folder, version, script = sys.argv[1:]\n\
        with zipfile.ZipFile(f'{folder}/mpota-{version}-py3-none-any.whl', 'w') as z:\n    \
            z.write(script, f'mpota-{version}.data/scripts/mpota')\n    \
            info = f'mpota-{version}.dist-info/'\n    \
            z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: py3-none-any\\n')\n    \
            z.writestr(info + 'METADATA', f'Metadata-Version: 2.1\\nName: mpota\\nVersion: {version}\\n')\n    \
            z.writestr(info + 'RECORD', '')\n";
    let out =
        Command::new("python3").arg("-c").arg(code).arg(folder).args([version, script]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

impl Job {
    fn new() -> Self {
        let app = App::new();
        app.write(
            "mpota.toml",
            "project = \"octo/weather\"\nkey = \"~/.ssh/not-here\"\ninclude = [\"*.py\", \"lib/**\"]\n",
        );
        app.commit_all();
        for folder in ["releases", "temp", "temp/bin"] {
            std::fs::create_dir(app.path(folder)).unwrap();
        }
        let mut make = ssh_keygen();
        make.args(["-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f"]).arg(app.path("temp/made"));
        assert!(make.status().unwrap().success());
        let (key, public) = (app.text("temp/made"), app.text("temp/made.pub"));
        app.remove("temp/made");
        let mut serve = app.mpota(["serve", "releases", "--repo", "octo/weather", "--listen", "127.0.0.1:0"]);
        serve.args(["--write-token-env", "WRITER"]).env("WRITER", TOKEN);
        let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.split('"').nth(3).unwrap().to_owned();
        let inputs = [("key", key.as_str()), ("program", env!("CARGO_BIN_EXE_mpota"))];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { app, key, public, server, base, inputs, reference: String::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// What stands between `${{` and `}}`.
    fn value(&self, expression: &str, steps: &BTreeMap<String, String>) -> String {
        let action = action();
        match expression.split('.').collect::<Vec<_>>()[..] {
            ["inputs", name] => {
                let input = &action["inputs"][name];
                assert!(input.is_object(), "there is no input {name}");
                match self.inputs.get(name) {
                    Some(given) => given.clone(),
                    None => self.filled(input["default"].as_str().unwrap_or_default(), steps),
                }
            }
            ["github", "ref_name"] => "v1.0.0".into(),
            ["github", "token"] => TOKEN.into(),
            ["github", "server_url"] => self.base.clone(),
            ["github", "action_repository"] => "octo/mpota".into(),
            ["github", "action_ref"] => self.reference.clone(),
            ["github", "action_path"] => mpota_vboard::repository().display().to_string(),
            ["steps", id, "outputs", name] => steps.get(&format!("{id}.{name}")).cloned().unwrap_or_default(),
            _ => panic!("what is {expression}?"),
        }
    }

    fn filled(&self, text: &str, steps: &BTreeMap<String, String>) -> String {
        let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
        let (expression, after) = rest.split_once("}}").unwrap();
        format!("{before}{}{}", self.value(expression.trim(), steps), self.filled(after, steps))
    }

    /// Every step, as a runner does: after one that failed only those that say `always()`.
    fn run(&self) -> Ran {
        let action = action();
        let (mut ran, mut outputs) =
            (Ran { ok: true, log: String::new(), url: String::new() }, BTreeMap::new());
        for (number, step) in action["runs"]["steps"].as_array().unwrap().iter().enumerate() {
            match step["if"].as_str() {
                None if !ran.ok => continue,
                None | Some("always()") => {}
                Some(other) => panic!("when is {other}?"),
            }
            assert_eq!(step["shell"], "bash");
            let script = step["run"].as_str().unwrap();
            assert!(!script.contains("${{"), "what comes from outside comes by the environment");
            self.app.write("temp/step.sh", script);
            self.app.write("temp/output", "");
            // The environment of a job has more, but nothing of ours.
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(self.app.path("temp/step.sh"));
            let path = std::env::var_os("PATH").unwrap();
            let paths = std::iter::once(self.app.path("temp/bin")).chain(std::env::split_paths(&path));
            bash.env_clear()
                .env("PATH", std::env::join_paths(paths).unwrap())
                .env("HOME", self.app.path("temp"));
            // What lies here is all that this PyPI has.
            bash.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", self.app.path("temp"));
            bash.env("RUNNER_TEMP", self.app.path("temp")).env("GITHUB_OUTPUT", self.app.path("temp/output"));
            bash.env("GITHUB_SHA", "0123456789012345678901234567890123456789");
            bash.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                bash.env(name, self.filled(value.as_str().unwrap(), &outputs));
            }
            let out = bash.current_dir(self.app.path("")).stdin(Stdio::null()).output().unwrap();
            ran.ok &= out.status.success();
            ran.log += &format!("== {number}\n{}", String::from_utf8_lossy(&out.stdout));
            ran.log += &String::from_utf8_lossy(&out.stderr);
            let id = step["id"].as_str().unwrap_or_default();
            for line in self.app.text("temp/output").lines() {
                let (name, value) = line.split_once('=').unwrap();
                outputs.insert(format!("{id}.{name}"), value.to_owned());
            }
        }
        ran.url = self.filled(action["outputs"]["url"]["value"].as_str().unwrap(), &outputs);
        let hidden = [TOKEN, self.key.lines().nth(2).unwrap()];
        assert!(hidden.iter().all(|secret| !ran.log.contains(secret)), "a secret is in the log: {}", ran.log);
        assert!(!self.app.path("temp/mpota-key").exists(), "the key is left");
        ran
    }

    /// The tags that the server has.
    fn released(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.app.path("releases")).unwrap().flatten();
        let mut tags: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        tags.retain(|tag| !tag.starts_with('.'));
        tags.sort();
        tags
    }

    /// A script in the runner's temporary folder.
    fn script(&self, name: &str, lines: &str) -> String {
        let path = self.app.path(format!("temp/{name}"));
        self.app.write(&format!("temp/{name}"), format!("#!/bin/sh\n{lines}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    /// A program that does this before it is `mpota`.
    fn program(self, before: &str) -> Self {
        let path = self.script("program", &format!("{before}\n{MPOTA}"));
        self.with("program", &path)
    }

    /// No program is named. A wheel of this version is on PyPI, `gh` says this of who has built it, and cargo
    /// builds a program too. Each of them tells that it was used.
    fn without_program(mut self, reference: &str, wheel: &str, gh: &str) -> Self {
        self.inputs.remove("program");
        self.reference = reference.into();
        self.script("bin/gh", &format!("echo \"$@\" > \"$RUNNER_TEMP/asked\"\n{gh}"));
        let built =
            "mkdir -p \"$RUNNER_TEMP/mpota/bin\"; cp \"$RUNNER_TEMP/built\" \"$RUNNER_TEMP/mpota/bin/mpota\"";
        self.script("bin/cargo", &format!("[ \"$1\" = install ] || exit 9\n{built}"));
        self.script("built", &format!("echo built > \"$RUNNER_TEMP/used\"\n{MPOTA}"));
        let script = self.script("packed", &format!("echo wheel > \"$RUNNER_TEMP/used\"\n{MPOTA}"));
        if !wheel.is_empty() {
            make_wheel(&self.app.path("temp"), wheel, &script);
        }
        self
    }
}

#[test]
fn a_tag_becomes_a_signed_release_and_the_key_is_gone() {
    let modes = "[ \"$1\" != build ] || stat -c %a \"$RUNNER_TEMP/mpota-key\" > \"$RUNNER_TEMP/mode\"";
    let job = Job::new().with("channel", "beta").program(modes);
    let ran = job.run();
    assert!(ran.ok, "{}", ran.log);
    assert_eq!(ran.url, format!("{}/octo/weather/releases/tag/v1.0.0", job.base));
    assert_eq!(job.released(), ["beta", "v1.0.0"]);
    assert_eq!(job.app.text("temp/mode").trim(), "600", "others could read the key");
    job.app.write("key.pub", &job.public);
    for place in ["octo/weather", "octo/weather@v1.0.0", "octo/weather@beta"] {
        let verify = format!("verify {place} --key key.pub --base-url {}", job.base);
        job.app.run(&verify).ok();
    }
    // Once more is no other release, however the key was pasted.
    let key = job.key.clone();
    let pasted = [key.trim().to_owned(), format!("\n{key}\n \n"), key.replace('\n', "\r\n")];
    let (url, mut cases) = (ran.url, 1);
    let mut job = job;
    for key in pasted {
        job = job.with("key", &key);
        let again = job.run();
        assert!(again.ok && again.url == url, "{key:?}: {}", again.log);
        cases += 1;
    }
    println!("  cases {cases}: runs of the GitHub Action, whose release was read in 3 ways");
}

#[test]
fn what_goes_wrong_publishes_nothing_and_leaves_no_key() {
    let version = "v1.0.0\"; touch stolen; $(touch stolen)";
    let cases = [
        (Job::new().with("key", ""), "the input key is empty"),
        (Job::new().with("key", "no key at all"), "mpota-key"),
        (Job::new().with("token", "wrong"), "token"),
        (Job::new().with("version", version), "version"),
        (Job::new().with("folder", "nowhere"), "nowhere"),
        // The job is cancelled while the key lies there.
        (Job::new().program("[ \"$1\" != build ] || { kill -TERM $PPID; sleep 1; }"), ""),
        (Job::new().program("[ \"$1\" != build ] || { kill -KILL $PPID; sleep 1; }"), ""),
        (Job::new().program("[ \"$1\" != publish ] || exit 7"), ""),
    ];
    let count = cases.len();
    for (number, (job, said)) in cases.into_iter().enumerate() {
        let ran = job.run();
        assert!(!ran.ok && ran.log.contains(said), "{number}: {}", ran.log);
        assert_eq!(ran.url, "", "{number}");
        assert_eq!(job.released(), [""; 0], "{number}");
        assert!(!job.app.path("stolen").exists(), "{number}");
    }
    println!("  cases {count}: runs of the GitHub Action that fail");
}

#[test]
fn the_wheel_is_taken_where_it_was_built_from_what_the_workflow_names_and_else_the_source() {
    let version = env!("CARGO_PKG_VERSION");
    let tag = format!("v{version}");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let good = "exit 0";
    let cases = [
        // What the workflow names, the wheel on PyPI, what `gh` does, what is used, and what `gh` was asked.
        (tag.as_str(), version, good, "wheel", format!("--source-ref refs/tags/{tag}")),
        (commit, version, good, "wheel", format!("--source-digest {commit}")),
        // Somebody else has the name on PyPI, or `gh` is not to be had.
        (&tag, version, "exit 1", "built", "--repo octo/mpota".into()),
        // Nothing is published, or another version.
        (&tag, "", good, "built", String::new()),
        (&tag, "99.0.0", good, "built", String::new()),
        // A branch, and an action that lies in the workflow's own repository.
        ("main", version, good, "built", String::new()),
        ("", version, good, "built", String::new()),
    ];
    for (reference, wheel, gh, used, asked) in &cases {
        let job = Job::new().without_program(reference, wheel, gh);
        let ran = job.run();
        assert!(ran.ok, "{reference:?} {wheel:?}: {}", ran.log);
        assert_eq!(job.app.text("temp/used").trim(), *used, "{reference:?} {wheel:?}: {}", ran.log);
        let question = std::fs::read_to_string(job.app.path("temp/asked")).unwrap_or_default();
        assert_eq!(question.is_empty(), asked.is_empty(), "{reference:?} {wheel:?}: {question}");
        assert!(question.contains(asked.as_str()), "{question}");
        if !asked.is_empty() {
            let workflow = "--signer-workflow octo/mpota/.github/workflows/release.yml";
            assert!(question.contains(workflow) && question.contains("--repo octo/mpota "), "{question}");
        }
        assert_eq!(job.released(), ["v1.0.0"]);
    }
    println!("  cases {}: where the GitHub Action has its program from", cases.len());
    // Nothing to build it with.
    let job = Job::new().without_program("main", version, good);
    job.script("bin/cargo", "exit 1");
    assert!(!job.run().ok && job.released() == [""; 0]);
}
