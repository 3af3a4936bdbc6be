//! Signatures: ours for ssh-keygen, and ssh-keygen's for us.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use common::{App, Run, Said, ssh_keygen};

const PASSPHRASE: &str = "open sesame";

/// A key made by ssh-keygen.
fn keygen(app: &App, name: &str, kind: &str, passphrase: &str) {
    let mut command = ssh_keygen();
    command.args(["-q", "-t", kind, "-C", "somebody", "-N", passphrase, "-f"]).arg(app.path(name));
    command.said().ok();
}

/// `ssh-keygen -Y sign` over the signed part of `dist`; leaves `part.sig`.
fn keygen_sign(app: &App, key: &str, options: &[&str]) {
    app.write("part", app.run("sign dist --signed-part").ok().out);
    app.write("askpass", format!("#!/bin/sh\necho '{PASSPHRASE}'\n"));
    fs::set_permissions(app.path("askpass"), fs::Permissions::from_mode(0o755)).unwrap();
    let _ = fs::remove_file(app.path("part.sig"));
    let mut command = ssh_keygen();
    command.args(["-Y", "sign"]).args(options).arg("-f").arg(app.path(key)).arg(app.path("part"));
    command.env("SSH_ASKPASS", app.path("askpass")).env("SSH_ASKPASS_REQUIRE", "force");
    command.said().ok();
}

const RIGHT: [&str; 4] = ["-n", "mpota", "-O", "hashalg=sha256"];

/// `ssh-keygen -Y verify` of `dist/manifest.json`, as spec/manifest.md says it.
fn keygen_verify(app: &App, public: &str, namespace: &str) -> Said {
    let text = app.text("dist/manifest.json");
    let (part, last) = text.trim_end().rsplit_once('\n').unwrap();
    let base64 = last.strip_prefix("\"signature\":\"").unwrap().strip_suffix("\"}").unwrap();
    app.write(
        "manifest.sig",
        format!("-----BEGIN SSH SIGNATURE-----\n{base64}\n-----END SSH SIGNATURE-----\n"),
    );
    app.write("allowed_signers", format!("mpota {}", app.text(public)));
    app.write("signed", format!("{part}\n"));
    let mut command = ssh_keygen();
    command.args(["-Y", "verify", "-I", "mpota", "-n", namespace, "-f"]);
    command.arg(app.path("allowed_signers")).arg("-s").arg(app.path("manifest.sig"));
    command.stdin(Stdio::from(fs::File::open(app.path("signed")).unwrap())).said()
}

/// Two releases folders' worth of app, whose keys are not part of it.
fn app() -> App {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"*.py\", \"lib\"]\n");
    app
}

#[test]
fn ssh_keygen_accepts_what_we_sign_with_its_keys_and_with_ours() {
    let mut tried = 0;
    for (maker, passphrase) in [("keygen", ""), ("keygen", PASSPHRASE), ("mpota", ""), ("mpota", PASSPHRASE)]
    {
        for plain in ["", "--plain"] {
            let app = app();
            if maker == "mpota" {
                app.mpota(["key", "new", "k"]).env("MPOTA_KEY_PASSPHRASE", passphrase).said().ok();
            } else {
                keygen(&app, "k", "ed25519", passphrase);
            }
            let mut build = app.mpota(["build", "--version", "v1.0.0", "--key", "k"]);
            build.args(plain.split_whitespace()).env("MPOTA_KEY_PASSPHRASE", passphrase).said().ok();
            let said = keygen_verify(&app, "k.pub", "mpota").ok();
            assert!(said.out.starts_with("Good \"mpota\" signature"), "{}", said.out);
            assert_ne!(keygen_verify(&app, "k.pub", "file").code, 0);
            tried += 1;
        }
    }
    assert_eq!(tried, 8);
}

#[test]
fn we_accept_what_ssh_keygen_signs_with_and_without_passphrase() {
    for passphrase in ["", PASSPHRASE] {
        let app = app();
        app.run("build --version v1.0.0").ok();
        keygen(&app, "k", "ed25519", passphrase);
        keygen_sign(&app, "k", &RIGHT);
        app.run("sign dist --signature part.sig").ok();
        let said = app.run("verify dist --key k.pub").ok();
        assert!(said.out.contains("good, by SHA256:") && said.out.contains("somebody"), "{}", said.out);
        keygen_verify(&app, "k.pub", "mpota").ok();
        // Signed again, the part that is to be signed is the same.
        assert_eq!(app.run("sign dist --signed-part").ok().out, app.text("part"));
    }
}

#[test]
fn both_ways_give_the_same_bytes() {
    let app = app();
    keygen(&app, "k", "ed25519", "");
    app.run("build --version v1.0.0 --key k").ok();
    let ours = app.text("dist/manifest.json");
    keygen_sign(&app, "k", &RIGHT);
    app.run("sign dist --signature part.sig").ok();
    assert_eq!(app.text("dist/manifest.json"), ours);
    app.run("build --version v1.0.0").ok();
    app.run("sign dist --key k").ok();
    assert_eq!(app.text("dist/manifest.json"), ours);
}

#[test]
fn a_sha512_signature_is_refused_and_the_hint_says_how_to_sign() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    let before = app.tree("dist");
    keygen(&app, "k", "ed25519", "");
    keygen_sign(&app, "k", &["-n", "mpota"]);
    app.run("sign dist --signature part.sig").refused(&["SHA-256", "hint: ", "-O hashalg=sha256"]);
    assert!(app.tree("dist") == before);
}

#[test]
fn signatures_for_something_else_are_refused() {
    let app = app();
    app.run("build --version v1.0.0").ok();
    keygen(&app, "k", "ed25519", "");
    keygen(&app, "r", "rsa", "");
    keygen_sign(&app, "k", &["-n", "file", "-O", "hashalg=sha256"]);
    app.run("sign dist --signature part.sig").refused(&["namespace", "-n mpota"]);
    keygen_sign(&app, "r", &RIGHT);
    app.run("sign dist --signature part.sig").refused(&["Ed25519", "hint: "]);
    keygen_sign(&app, "k", &RIGHT);
    app.run("build --version v1.0.1").ok();
    app.run("sign dist --signature part.sig").refused(&["does not fit", "--signed-part"]);
    app.run("sign dist --signature part").refused(&["not an armoured SSH signature"]);
    assert!(app.run("verify dist").ok().out.contains("unsigned"));
}

#[test]
fn the_key_of_mpota_toml_signs_and_an_existing_key_in_the_home_folder_does() {
    let app = app();
    fs::create_dir(app.path(".ssh")).unwrap();
    keygen(&app, ".ssh/id_ed25519", "ed25519", PASSPHRASE);
    app.append("mpota.toml", "key = \"~/.ssh/id_ed25519\"\n");
    let build = |passphrase: &str| {
        let mut command = app.mpota(["build", "--version", "v1.0.0"]);
        command.env("HOME", app.path("")).env("MPOTA_KEY_PASSPHRASE", passphrase).said()
    };
    build(PASSPHRASE).ok();
    app.run("verify dist --key .ssh/id_ed25519.pub").ok();
    build("wrong").refused(&["passphrase of", "id_ed25519"]);
    app.run("build --version v1.0.0 --unsigned").ok();
    assert!(app.run("verify dist").ok().out.contains("unsigned"));
}

#[test]
fn a_passphrase_that_nobody_can_tell_is_an_error_that_names_the_variable() {
    let app = app();
    keygen(&app, "k", "ed25519", PASSPHRASE);
    // Without a terminal of its own there is nobody to ask.
    let mut command = std::process::Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_mpota"));
    command.args(["build", "--version", "v1.0.0", "--key", "k"]).current_dir(app.path(""));
    command.env_remove("MPOTA_KEY_PASSPHRASE").stdin(Stdio::null());
    command.said().refused(&["passphrase", "MPOTA_KEY_PASSPHRASE"]);
}

#[test]
fn verify_tells_trusted_untrusted_unsigned_and_broken_apart() {
    let app = app();
    keygen(&app, "k", "ed25519", "");
    keygen(&app, "other", "ed25519", "");
    app.run("build --version v1.0.0").ok();
    app.run("verify dist --key k.pub").refused(&["not signed"]);
    app.run("sign dist --key k").ok();
    assert!(app.run("verify dist").ok().out.contains("not compared with any key"));
    app.run("verify dist --key k").ok();
    app.run("verify dist --key other.pub --key k.pub").ok();
    app.run("verify dist --key other.pub").refused(&["not trusted"]);
    let text = app.text("dist/manifest.json");
    app.write("dist/manifest.json", text.replace("\"v1.0.0\"", "\"v1.0.9\""));
    app.run("verify dist --key k.pub").refused(&["does not fit"]);
    app.run("verify dist").refused(&["does not fit"]);
}

#[test]
fn lists_of_keys_are_read_as_openssh_writes_them() {
    let app = app();
    for name in ["k", "other"] {
        keygen(&app, name, "ed25519", "");
    }
    keygen(&app, "r", "rsa", "");
    app.run("build --version v1.0.0 --key k").ok();
    let (key, other, rsa) = (app.text("k.pub"), app.text("other.pub"), app.text("r.pub"));
    let cases = [
        (format!("# mine\n\n{other}{key}"), Ok(())),
        (format!("{rsa}{key}"), Ok(())),
        (format!("me@example.com,mpota {key}"), Ok(())),
        (format!("me namespaces=\"git,mpota\" {key}"), Ok(())),
        (format!("me namespaces=\"git\" {key}you {other}"), Err("not trusted")),
        (format!("me valid-before=\"20200101\" {key}"), Err("line 1")),
        (format!("{other}hello\n"), Err("line 2")),
        (rsa.clone(), Err("no ssh-ed25519 key")),
        (String::new(), Err("no ssh-ed25519 key")),
    ];
    for (list, expected) in cases {
        app.write("allowed", &list);
        let said = app.run("verify dist --allowed allowed");
        match expected {
            Ok(()) => said.ok(),
            Err(word) => said.refused(&[word]),
        };
    }
}

#[test]
fn manifest_signs_too() {
    let app = app();
    keygen(&app, "k", "ed25519", "");
    fs::create_dir(app.path("dist")).unwrap();
    app.run("manifest --version v1.0.0 --project octo/weather boot.py --key k --output dist/manifest.json")
        .ok();
    keygen_verify(&app, "k.pub", "mpota").ok();
}

#[test]
fn how_to_sign_must_be_said_once() {
    let app = app();
    assert_eq!(app.run("sign dist").code, 2);
    assert_eq!(app.run("sign dist --key k --signed-part").code, 2);
}
