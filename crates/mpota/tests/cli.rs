//! The command line itself.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{Run, mpota};

const COMMANDS: [&str; 16] = [
    "init",
    "key",
    "manifest",
    "build",
    "sign",
    "publish",
    "verify",
    "ca",
    "serve",
    "install",
    "status",
    "doctor",
    "updater",
    "explain",
    "completions",
    "man",
];

#[test]
fn every_command_has_help_and_the_exit_codes_are_told() {
    let said = mpota().arg("--help").said().ok();
    assert!(said.out.contains("Exit codes:"), "{}", said.out);
    for command in COMMANDS {
        assert!(said.out.contains(&format!("\n  {command} ")), "{command}");
        mpota().args([command, "--help"]).said().ok();
    }
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    for arguments in [&["frobnicate"][..], &[], &["build", "--frobnicate"], &["verify", "a", "b"]] {
        assert_eq!(mpota().args(arguments).said().code, 2, "{arguments:?}");
    }
}

#[test]
fn the_options_that_let_in_what_is_refused_stand_together() {
    for command in ["build", "manifest"] {
        let said = mpota().args([command, "--help"]).said().ok();
        let (_, meant) = said.out.split_once("Yes, I mean it:").expect(command);
        for option in
            ["--allow-secret", "--allow-syntax", "--allow-link", "--allow-shadow", "--allow-no-updater"]
        {
            assert!(meant.contains(option) && said.out.matches(option).count() == 1, "{command} {option}");
        }
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = mpota().args(["completions", shell]).said().ok();
        assert!(said.out.contains("mpota") && said.out.contains("allow-secret"), "{shell}");
    }
}

#[test]
fn every_command_has_a_man_page_that_tells_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    mpota().arg("man").arg(&pages).said().ok();
    let page = |name: &str| std::fs::read_to_string(pages.join(format!("mpota{name}.1"))).expect(name);
    assert!(page("").contains(".TH") && page("").contains("Exit codes"), "{}", page(""));
    for command in COMMANDS {
        assert!(page("").contains(&format!("mpota\\-{command}(1)")), "{command}");
        assert!(page(&format!("-{command}")).contains(".SH NAME"), "{command}");
    }
    assert!(page("-build").contains("allow\\-secret") && page("-key-new").contains("passphrase"));
    println!("  cases {}: commands with a man page", COMMANDS.len());
    // A folder that cannot be made.
    std::fs::write(folder.path().join("file"), "").unwrap();
    mpota().arg("man").arg(folder.path().join("file")).said().refused(&["man pages"]);
}

#[test]
fn the_page_of_all_commands_is_what_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    mpota().arg("man").arg("--markdown").arg(folder.path()).said().ok();
    let page = std::fs::read_to_string(folder.path().join("commands.md")).unwrap();
    for command in COMMANDS {
        assert!(page.contains(&format!("\n## mpota {command}\n")), "{command}");
    }
    let checked_in = mpota_vboard::repository().join("docs/commands.md");
    let checked_in = std::fs::read_to_string(checked_in).unwrap();
    assert!(page == checked_in, "docs/commands.md is not what the program says: run `cargo xtask docs`");
    println!("  cases {}: commands on the page", COMMANDS.len());
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let mut child = mpota();
    child
        .args(["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
