//! Scripts for node that look at pages.

use mpota_vboard::repository;
use std::process::Command;

/// One of the scripts beside this file. With `MPOTA_SHOTS` it leaves pictures in that folder.
pub fn script(name: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(repository().join("crates/mpota-vboard/tests/clients").join(name));
    if let Some(shots) = std::env::var_os("MPOTA_SHOTS") {
        node.env("SHOTS", shots);
    }
    node
}

/// Run it, which must end well: how many cases it tells, and all that it says.
pub fn cases(node: &mut Command) -> (Option<usize>, String) {
    let out = node.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    print!("{said}");
    (said.split_whitespace().nth(1).and_then(|n| n.trim_end_matches(':').parse().ok()), said)
}
