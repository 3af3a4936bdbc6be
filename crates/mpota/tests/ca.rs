//! `mpota ca`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;
use mpota::board::roots::{self, DEFAULT};
use mpota_serve::Authority;
use mpota_vboard::{MicroPython, Word};

fn files(app: &App, folder: &str) -> Vec<String> {
    app.tree(folder).into_iter().map(|(name, _)| name).filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn by_default_the_authorities_behind_github_are_written_one_der_file_each() {
    let app = App::empty();
    let said = app.run("ca").ok();
    let files = files(&app, "ota_ca");
    assert_eq!(files.len(), DEFAULT.len());
    let printed: Vec<String> = said.out.lines().map(str::to_owned).collect();
    assert_eq!(printed, files.iter().map(|file| format!("ota_ca/{file}")).collect::<Vec<_>>());
    assert!(files.contains(&"isrg-root-x1.der".to_owned()), "{files:?}");
    for file in files {
        let loaded = roots::load(&app.path(format!("ota_ca/{file}"))).unwrap();
        assert!(loaded.len() == 1 && DEFAULT.contains(&&*loaded[0].name), "{file}");
    }
    let before = app.tree("ota_ca");
    app.run("ca").ok();
    assert!(app.tree("ota_ca") == before);
}

#[test]
fn a_board_loads_every_authority_of_the_set() {
    let app = App::empty();
    app.run("ca --all").ok();
    app.write(
        "load.py",
        "import os, tls\n\
         n = 0\n\
         for e in os.ilistdir('ota_ca'):\n    \
             if e[0].endswith('.der'):\n        \
                 context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n        \
                 with open('ota_ca/' + e[0], 'rb') as f:\n            \
                     context.load_verify_locations(f.read())\n        \
                 n += 1\n\
         print('loaded', n)\n",
    );
    let mut micropython = MicroPython::find(Word::Bits64).expect("MicroPython").command("8M");
    let output = micropython.arg("load.py").current_dir(app.path("")).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let count = roots::all().len();
    assert_eq!(said, format!("loaded {count}\n"));
    println!("  cases {count}: authorities loaded by MicroPython");
    assert!(count > 100);
}

#[test]
fn the_list_has_all_of_them_and_writes_nothing() {
    let app = App::empty();
    let said = app.run("ca --list").ok();
    let all = roots::all();
    assert_eq!(said.out.lines().count(), all.len() + 1);
    assert_eq!(said.out.lines().filter(|line| line.starts_with('*')).count(), DEFAULT.len());
    let x1 = all.iter().find(|root| root.name == "ISRG Root X1").unwrap();
    let line = said.out.lines().find(|line| line.contains("ISRG Root X1")).unwrap();
    for word in ["2035-06-04", "1391", &x1.sha256()] {
        assert!(line.contains(word), "no {word} in {line}");
    }
    assert_eq!(x1.sha256(), "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6");
    assert_eq!(app.names(), Vec::<String>::new());
    assert_eq!(app.run("ca --list --prune").code, 2);
}

#[test]
fn names_take_the_place_of_the_default_and_an_unknown_one_is_an_error() {
    let app = App::empty();
    app.mpota(["ca", "--dir", "x", "ISRG Root X2", "amazon-root-ca-1"]).output().unwrap();
    assert_eq!(files(&app, "x"), ["amazon-root-ca-1.der", "isrg-root-x2.der"]);
    let gone = common::Run::said(&mut app.mpota(["ca", "--dir", "y", "DigiCert Global Root CA"]));
    gone.refused(&["DigiCert Global Root CA", "no longer", "--list", "--also"]);
    assert!(!app.path("y").exists());
}

#[test]
fn what_others_wrote_is_kept_and_what_we_wrote_is_removed_only_when_asked() {
    let app = App::empty();
    app.write("ota_ca/mine.der", "mine");
    let said = app.run("ca").ok();
    assert!(said.err.contains("kept mine.der, which is not from here"), "{}", said.err);
    // Changed by somebody: not ours any more.
    app.write("ota_ca/digicert-global-root-g2.der", "changed");
    let said = app.run("ca isrg-root-x1").ok();
    assert!(said.err.contains("kept isrg-root-x2.der of an earlier run: --prune"), "{}", said.err);
    assert_eq!(files(&app, "ota_ca").len(), DEFAULT.len() + 1);
    let said = app.run("ca isrg-root-x1 --prune").ok();
    assert!(said.err.contains("removed isrg-root-x2.der"), "{}", said.err);
    assert_eq!(files(&app, "ota_ca"), ["digicert-global-root-g2.der", "isrg-root-x1.der", "mine.der"]);
    assert_eq!(app.text("ota_ca/mine.der"), "mine");
    let before = app.tree("");
    app.run("ca --prune").refused(&["digicert-global-root-g2.der", "did not write it", "--dir"]);
    assert!(app.tree("") == before, "something was written");
}

#[test]
fn your_own_authority_comes_along_from_pem_der_and_bundles() {
    let app = App::empty();
    let [one, two] = [(); 2].map(|()| Authority::generate().unwrap());
    app.write("one.der", one.certificate_der());
    // With the private key in it, as `mpota serve --ca` keeps it: that stays here.
    app.write("both.pem", one.to_pem() + &two.to_pem());
    app.run("ca isrg-root-x1 --also one.der --dir one").ok();
    let written = app.tree("one");
    assert_eq!(files(&app, "one").len(), 2);
    assert!(written.iter().any(|(_, bytes)| bytes == one.certificate_der()));
    app.run("ca isrg-root-x1 --also one.der --also both.pem --dir two").ok();
    let written = app.tree("two");
    assert_eq!(files(&app, "two").len(), 3, "{:?}", files(&app, "two"));
    for authority in [&one, &two] {
        assert!(written.iter().any(|(_, bytes)| bytes == authority.certificate_der()));
    }
    assert!(!written.iter().any(|(_, bytes)| bytes.windows(11).any(|part| part == b"PRIVATE KEY")));
}

#[test]
fn a_file_that_is_no_certificate_is_refused_and_nothing_is_written() {
    let app = App::empty();
    app.write("text", "hello");
    app.write("cut.der", &Authority::generate().unwrap().certificate_der()[..100]);
    app.write("more.der", [Authority::generate().unwrap().certificate_der(), b"x"].concat());
    for file in ["text", "cut.der", "more.der", "gone"] {
        app.run(&format!("ca --also {file}")).refused(&[file]);
    }
    assert!(!app.path("ota_ca").exists());
}

#[test]
fn a_release_takes_the_folder_along_without_our_record() {
    let app = App::new();
    app.run("ca").ok();
    app.run("build --version v1.0.0").ok();
    let released = app.released();
    assert_eq!(released.iter().filter(|path| path.starts_with("ota_ca/")).count(), DEFAULT.len());
    assert!(!released.iter().any(|path| path.contains("mpota-ca")));
}
