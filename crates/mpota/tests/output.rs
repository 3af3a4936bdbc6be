//! What people and programs get: colours on a terminal only, and JSON that is whole.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::process::{Command, Stdio};

use common::{App, Run};
use serde_json::Value;

/// What the program writes to a terminal.
fn on_a_terminal(app: &App, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let program = env!("CARGO_BIN_EXE_mpota");
    let script = format!("import pty, sys; sys.exit(pty.spawn(['{program}'] + {arguments:?}) >> 8)");
    let mut command = Command::new("python3");
    command.args(["-c", &script]).current_dir(app.path("")).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    command.envs(environment.iter().copied());
    let output = command.output().unwrap_or_else(|error| panic!("cannot run python3 ({error})"));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn colours_are_for_a_terminal_and_for_who_wants_them() {
    let app = App::new();
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], bool);
    let cases: [Case; 7] = [
        (&["verify", "nothing"], &[], true),
        (&["verify", "nothing"], &[("NO_COLOR", "1")], false),
        (&["verify", "nothing"], &[("TERM", "dumb")], false),
        (&["verify", "nothing", "--color", "never"], &[], false),
        (&["verify", "nothing", "--color=always"], &[("NO_COLOR", "1")], true),
        (&["verify", "--frobnicate"], &[], true),
        (&["--color", "never", "verify", "--frobnicate"], &[], false),
    ];
    for (arguments, environment, colored) in &cases {
        let said = on_a_terminal(&app, arguments, environment);
        assert!(said.contains("error"), "{said:?}");
        assert_eq!(said.contains('\u{1b}'), *colored, "{arguments:?} {environment:?}: {said:?}");
    }
    println!("  cases {}: colours on a terminal", cases.len());
    for arguments in ["verify nothing", "verify --frobnicate", "build --help", "verify nothing --color auto"]
    {
        let said = app.run(arguments);
        assert!(!said.err.contains('\u{1b}') && !said.out.contains('\u{1b}'), "{arguments}: {}", said.err);
    }
    let said = app.run("verify nothing --color always");
    assert!(said.err.starts_with("\u{1b}[1m\u{1b}[31merror[target::unknown]\u{1b}[0m: "), "{:?}", said.err);
}

#[test]
fn an_error_is_json_too_and_the_exit_code_stays() {
    let app = App::new();
    let cases = [
        ("build nowhere", "file::missing"),
        ("build --version 1", "release::version"),
        ("manifest --version v1.0.0 nothing.py", ""),
        ("manifest --version v1.0.0 main.py --output -", "usage::json_output"),
        ("verify nothing", "target::unknown"),
        ("verify octo/weather --base-url http://127.0.0.1:9", "server::unreachable"),
        ("publish nowhere", "file::missing"),
        ("status", "mpremote::missing"),
    ];
    for (arguments, code) in cases {
        let plain = app.mpota(arguments.split(' ')).env("PATH", "").said();
        let said = app.mpota(arguments.split(' ').chain(["--json"])).env("PATH", "").said();
        let failed: Value = serde_json::from_str(&said.out).expect(arguments);
        let error = &failed["error"];
        if !code.is_empty() {
            assert_eq!(error["code"], code, "{arguments}: {}", said.out);
        }
        assert!(
            !error["message"].as_str().unwrap().is_empty() && !error["hint"].as_str().unwrap().is_empty()
        );
        assert_eq!((failed["exit_code"].as_i64(), said.code > 0), (Some(i64::from(said.code)), true));
        assert!(arguments.ends_with('-') || plain.code == said.code, "{arguments}");
        let start =
            format!("error[{}]: {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap());
        assert!(said.err.starts_with(&start), "{}", said.err);
    }
    println!("  cases {}: errors as JSON", cases.len());
}

#[test]
fn what_was_built_or_found_is_one_json_value() {
    let app = App::new();
    app.write("firmware.uf2", "x");
    let read = |arguments: &str| {
        let said = app.run(arguments);
        let value: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{arguments}: {}", said.out));
        (said.code, value)
    };
    let (code, built) = read("build --version v1.0.0 --json");
    assert_eq!((code, &built["version"], &built["project"]), (0, &"v1.0.0".into(), &"octo/weather".into()));
    assert!(built["signed"].is_null() && built["files"].as_array().unwrap().len() >= 3, "{built}");
    assert!(app.path(built["manifest"].as_str().unwrap()).is_file(), "{built}");
    assert!(app.path(built["assets"][0].as_str().unwrap()).is_file(), "{built}");
    assert!(built["size"].as_u64() > built["download"].as_u64(), "{built}");
    assert!(built["warnings"].is_array() && built["notes"].is_array(), "{built}");
    let (_, made) = read("manifest --version v1.0.0 main.py lib/util.py --json");
    assert_eq!(made["files"], serde_json::json!(["lib/util.py", "main.py"]));
    let (_, dry) = read("install --dir board --dry-run --json");
    assert!(dry["put"].as_array().unwrap().iter().any(|path| path == "boot.py"), "{dry}");
    assert!(dry["written"] == false && !app.path("board").exists(), "{dry}");
    let (code, there) = read("install --dir board --json");
    assert_eq!((code, &there["version"], &there["written"]), (0, &"v1.0.0".into(), &true.into()), "{there}");
    assert!(there["files"].as_u64() > Some(3) && there["kept"] == serde_json::json!([]), "{there}");
    // A report with a problem is the only value.
    app.write("dist/more", "x");
    let (code, report) = read("verify dist --json");
    assert_eq!((code, &report["problems"][0]["code"]), (1, &"extra".into()));
    let (code, findings) = read("doctor --json");
    assert_eq!((code, findings.is_array()), (1, true));
}
