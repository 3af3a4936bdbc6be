//! Every error and warning has a code, and every code a paragraph.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::{Run, mpota};
use mpota::diagnostics;

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The texts themselves name every code.
            if !path.ends_with("diagnostics") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 60, "{}", found.len());
    found
}

/// `word::word`, from the beginning of the text.
fn code(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c)))?;
    let code = &text[..end];
    let (group, name) = code.split_once("::")?;
    (!group.is_empty() && !name.is_empty() && !name.contains(':')).then_some(code)
}

/// The codes in the source: in `code(...)` of an attribute, and as texts.
fn used() -> BTreeMap<String, usize> {
    let mut used = BTreeMap::new();
    for (_, text) in all() {
        for mark in ["code(", "\""] {
            for (at, _) in text.match_indices(mark) {
                let rest = &text[at + mark.len()..];
                let ended =
                    |code: &&str| rest[code.len()..].starts_with(if mark == "\"" { '"' } else { ')' });
                if let Some(code) = code(rest).filter(ended) {
                    *used.entry(code.to_owned()).or_default() += 1;
                }
            }
        }
    }
    used
}

#[test]
fn every_code_has_one_paragraph_and_every_paragraph_a_code() {
    let mut used: BTreeSet<String> = used().into_keys().collect();
    // Made from the problem's own short name.
    let problems = [
        "missing",
        "short",
        "long",
        "packed",
        "too-much",
        "sha256",
        "crc32",
        "extra",
        "tag",
        "project",
        "compiled",
        "channel",
        "unsigned",
        "sig-form",
        "sig-key-type",
        "sig-namespace",
        "sig-hash",
        "sig-unknown-key",
        "sig-bad",
    ];
    used.extend(problems.iter().map(|code| format!("verify::{}", code.replace('-', "_"))));
    let mut told = BTreeSet::new();
    for entry in diagnostics::all() {
        assert!(told.insert(entry.code.to_owned()), "{} comes twice", entry.code);
        assert!(entry.means.ends_with('.') && entry.next.ends_with('.'), "{}", entry.code);
    }
    let missing: Vec<_> = used.difference(&told).collect();
    let stale: Vec<_> = told.difference(&used).collect();
    assert!(missing.is_empty() && stale.is_empty(), "no paragraph: {missing:?}; no such code: {stale:?}");
    assert!(used.len() > 150, "{}", used.len());
    println!("  cases {}: codes with a paragraph", used.len());
}

#[test]
fn problems_of_verify_have_the_codes_that_are_told() {
    let text = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut ran = 0;
    for (path, mark) in [
        ("src/release/contents.rs", "=> \""),
        ("../mpota-format/src/sshsig.rs", "=> \""),
        ("src/release/verify.rs", "report.problem(\""),
    ] {
        for (at, _) in text(path).match_indices(mark) {
            let rest = text(path)[at + mark.len()..].to_owned();
            let code = format!("verify::{}", rest.split('"').next().unwrap().replace('-', "_"));
            assert!(diagnostics::find(&code).is_some(), "{code}");
            ran += 1;
        }
    }
    assert!(ran >= 18, "{ran}");
    println!("  cases {ran}: problems with a paragraph");
}

#[test]
fn every_error_has_a_code_and_a_next_step() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (path, text) in all() {
        for (at, _) in text.match_indices("Diagnostic)]\n") {
            let body = &text[at..];
            let body = &body[..body.find("\n}\n").unwrap()];
            // The attributes and fields of each variant begin with its text.
            for variant in body.split("#[error(").skip(1) {
                if variant.starts_with("transparent)]\n") && variant.contains("#[diagnostic(transparent)]") {
                    continue;
                }
                let helped = variant.contains("help(") || variant.contains("#[help]");
                if !variant.contains("code(") || !helped {
                    wrong.push(format!("{}: {}", path.display(), variant.lines().next().unwrap()));
                }
                ran += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "without a code or a next step:\n{}", wrong.join("\n"));
    assert!(ran > 100, "{ran}");
    println!("  cases {ran}: errors with a code and a next step");
}

#[test]
fn the_page_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(page == diagnostics::page(), "docs/diagnostics.md is not up to date: cargo xtask diagnostics");
}

#[test]
fn explain_prints_what_stands_there_and_lists_the_codes() {
    let list = mpota().arg("explain").said().ok().out;
    let mut ran = 0;
    for entry in diagnostics::all() {
        assert!(list.contains(&format!("\n  {}\n", entry.code)), "{}", entry.code);
        ran += 1;
    }
    println!("  cases {ran}: codes in the list");
    for code in ["config::project", "error[config::project]", "error[config::project]: mpota.toml"] {
        let said = mpota().args(["explain", code]).said().ok();
        let entry = diagnostics::find("config::project").unwrap();
        assert!(said.out.contains(entry.means) && said.out.contains(entry.next), "{}", said.out);
    }
    let said = mpota().args(["explain", "config::nothing"]).said();
    assert!(said.code == 2 && said.err.starts_with("error[usage::unknown_code]: "), "{}", said.err);
}
