//! The steps of the GitHub Action, run as a runner runs them, against `mpota serve`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
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

impl Job {
    fn new() -> Self {
        let app = App::new();
        app.write(
            "mpota.toml",
            "project = \"octo/weather\"\nkey = \"~/.ssh/not-here\"\ninclude = [\"*.py\", \"lib/**\"]\n",
        );
        app.commit_all();
        for folder in ["releases", "temp"] {
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
        Self { app, key, public, server, base, inputs }
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
            bash.env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("HOME", self.app.path("temp"));
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

    /// A program that does this before it is `mpota`.
    fn program(self, before: &str) -> Self {
        let script = format!("#!/bin/sh\n{before}\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_mpota"));
        self.app.write("temp/program", script);
        let path = self.app.path("temp/program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.with("program", path.to_str().unwrap())
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
