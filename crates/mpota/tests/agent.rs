//! Signatures by keys whose private half mpota never sees.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{App, Run, Said, program, ssh_keygen};

/// An app with the keys `k` and `other`, which are not part of it.
fn app() -> App {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"*.py\", \"lib\"]\n");
    for name in ["k", "other"] {
        let mut command = ssh_keygen();
        command.args(["-q", "-t", "ed25519", "-C", "somebody", "-N", "", "-f"]).arg(app.path(name));
        command.said().ok();
    }
    app
}

/// `mpota` beside an ssh-agent that lives as long as it does and has taken in the key `loaded`.
/// No file has a private key while it runs.
fn with_agent(app: &App, loaded: &str, arguments: &str) -> Said {
    let script = format!("ssh-add -q {loaded} && mkdir away && mv k other away && exec \"$0\" {arguments}");
    let mut command = program("ssh-agent", "openssh-client");
    command.args(["sh", "-c", &script]).arg(env!("CARGO_BIN_EXE_mpota")).current_dir(app.path(""));
    let said = command.said();
    for name in ["k", "other"] {
        fs::rename(app.path("away").join(name), app.path(name)).unwrap();
    }
    fs::remove_dir(app.path("away")).unwrap();
    said
}

#[test]
fn a_key_in_an_agent_signs_a_build_and_the_bytes_are_those_of_the_private_key() {
    let app = app();
    let said = with_agent(&app, "k", "build --version v1.0.0 --key k.pub").ok();
    assert!(said.err.contains("signed with SHA256:"), "{}", said.err);
    let by_agent = app.tree("dist");
    assert!(app.run("verify dist --key k.pub").ok().out.contains("good, by SHA256:"));
    app.run("build --version v1.0.0 --key k").ok();
    assert!(app.tree("dist") == by_agent);
}

#[test]
fn a_key_in_an_agent_signs_what_is_built_and_a_manifest_made_by_hand() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    with_agent(&app, "k", "sign dist --key k.pub").ok();
    app.run("verify dist --key k.pub").ok();
    with_agent(&app, "k", "manifest --version v1.0.0 boot.py --key k.pub").ok();
    app.run("verify manifest.json --key k.pub").ok();
    app.append("mpota.toml", "key = \"other.pub\"\n");
    with_agent(&app, "other", "build --version v1.0.0").ok();
    app.run("verify dist --key other.pub").ok();
}

#[test]
fn a_private_key_beside_its_public_half_is_found_without_an_agent() {
    let app = app();
    app.run("build --version v1.0.0 --key k.pub").ok();
    app.run("verify dist --key k.pub").ok();
}

#[test]
fn a_key_that_nobody_has_is_refused_and_the_release_stays_as_it_was() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    let before = app.tree("dist");
    with_agent(&app, "other", "sign dist --key k.pub").refused(&["k.pub", "hint: ", "ssh-add"]);
    with_agent(&app, "other", "build --version v1.1.0 --key k.pub").refused(&["k.pub", "ssh-add"]);
    app.remove("k");
    app.run("sign dist --key k.pub").refused(&["k.pub", "ssh-add"]);
    assert!(app.tree("dist") == before);
    let mut nowhere = app.mpota(["sign", "dist", "--key", "k.pub"]);
    nowhere.env("PATH", app.path("")).said().refused(&["cannot run ssh-keygen", "openssh-client"]);
}

#[test]
fn a_security_key_is_refused_before_anything_is_asked_of_it() {
    let app = app();
    let field = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let kind = "sk-ssh-ed25519@openssh.com";
    let blob = [field(kind.as_bytes()), field(&[7; 32]), field(b"ssh:")].concat();
    app.write("fido.pub", format!("{kind} {} somebody\n", BASE64_STANDARD.encode(blob)));
    // OpenSSH takes it for a key: what we refuse is a real one.
    ssh_keygen().arg("-lf").arg(app.path("fido.pub")).said().ok();
    for arguments in ["build --version v1.0.0 --key fido.pub", "key show fido.pub"] {
        app.run(arguments).refused(&["fido.pub", "security key", "boards do not check", "hint: "]);
    }
    assert!(!app.path("dist").exists());
}

#[test]
fn what_ssh_keygen_makes_is_checked_before_it_is_put_in() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    let before = app.tree("dist");
    let path = std::env::var("PATH").unwrap();
    let cases = [
        ("exec ssh-keygen -q -Y sign -n mpota -f k", "SHA-256"),
        ("exec ssh-keygen -q -Y sign -n file -O hashalg=sha256 -f k", "namespace"),
        ("exec ssh-keygen -q -Y sign -n mpota -O hashalg=sha256 -f other", "another key"),
        ("(cat; echo) | exec ssh-keygen -q -Y sign -n mpota -O hashalg=sha256 -f k", "does not fit"),
        ("echo hello", "no SSH signature"),
        ("echo no reason >&2; exit 255", "no reason"),
    ];
    for (line, word) in cases {
        app.write("bin/ssh-keygen", format!("#!/bin/sh\nPATH='{path}'\n{line}\n"));
        fs::set_permissions(app.path("bin/ssh-keygen"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = app.mpota(["sign", "dist", "--key", "k.pub"]);
        command.env("PATH", format!("{}:{path}", app.path("bin").display()));
        command.said().refused(&[word, "hint: "]);
        assert!(app.tree("dist") == before, "{line}");
    }
    println!("  cases {}: an ssh-keygen that does something else", cases.len());
}
