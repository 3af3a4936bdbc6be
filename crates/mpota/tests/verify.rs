//! `mpota verify` finds every kind of damage, wherever the release is.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::{App, Run, mpota};
use mpota_serve::{Options, Server, Tls};

fn built(plain: bool) -> App {
    let app = App::new();
    app.write("data/empty", "");
    app.run(&format!("build --version v1.0.0 {}", if plain { "--plain" } else { "" })).ok();
    app
}

fn codes(app: &App, target: &str) -> Vec<(String, String)> {
    let said = app.run(&format!("verify {target} --json"));
    let report: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let problems = report["problems"].as_array().expect("problems");
    assert_eq!(said.code, i32::from(!problems.is_empty()));
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    problems.iter().map(|problem| (text(&problem["code"]), text(&problem["about"]))).collect()
}

fn found(code: &str, about: &str) -> (String, String) {
    (code.to_owned(), about.to_owned())
}

fn flip(app: &App, path: &str, at: usize) {
    let mut bytes = app.read(path);
    bytes[at] ^= 1;
    app.write(path, bytes);
}

#[test]
fn both_layouts_verify_and_the_table_shows_every_file() {
    for plain in [false, true] {
        let app = built(plain);
        let said = app.run("verify dist").ok();
        for path in ["boot.py", "data/empty", "lib/util.py", "main.py"] {
            let row = said.out.lines().find(|line| line.starts_with(path)).expect(path);
            assert!(row.ends_with("ok"), "{row}");
        }
        assert!(said.out.contains("v1.0.0") && said.out.contains("octo/weather"));
        assert!(said.out.contains("unsigned"));
        assert_eq!(codes(&app, "dist"), []);
    }
}

#[test]
fn a_manifest_alone_is_checked_and_that_is_said() {
    let app = built(false);
    let said = app.run("verify dist/manifest.json").ok();
    assert!(said.err.contains("only the manifest was checked"), "{}", said.err);
    assert!(!said.out.contains("ok"));
}

#[test]
fn a_bit_turned_anywhere_in_the_pack_is_found() {
    let app = built(false);
    let pack = "dist/weather-v1.0.0.pack";
    let whole = app.read(pack);
    let mut tried = 0;
    for at in (0..whole.len()).step_by(7) {
        flip(&app, pack, at);
        let said = codes(&app, "dist");
        assert_eq!(said.len(), 1, "{at}: {said:?}");
        app.write(pack, &whole);
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn a_pack_that_is_cut_grown_or_gone_is_found() {
    let app = built(false);
    let pack = "dist/weather-v1.0.0.pack";
    let name = "weather-v1.0.0.pack";
    let whole = app.read(pack);
    app.write(pack, &whole[..whole.len() - 1]);
    assert_eq!(codes(&app, "dist"), [found("short", "main.py"), found("short", name)]);
    app.write(pack, [&whole[..], b"x"].concat());
    assert_eq!(codes(&app, "dist"), [found("long", name)]);
    app.remove(pack);
    let missing = codes(&app, "dist");
    assert_eq!(missing.len(), 5);
    assert!(missing.iter().all(|(code, _)| code == "missing"), "{missing:?}");
}

#[test]
fn damage_to_plain_assets_is_found() {
    let app = built(true);
    let whole = app.read("dist/main.py");
    flip(&app, "dist/main.py", 5);
    assert_eq!(codes(&app, "dist"), [found("sha256", "main.py")]);
    app.write("dist/main.py", &whole[..whole.len() - 1]);
    assert_eq!(codes(&app, "dist"), [found("short", "main.py")]);
    app.append("dist/main.py", "xx");
    assert_eq!(codes(&app, "dist"), [found("long", "main.py")]);
    app.write("dist/main.py", &whole);
    app.remove("dist/lib-util.py");
    assert_eq!(codes(&app, "dist"), [found("missing", "lib/util.py")]);
}

#[test]
fn something_that_does_not_belong_is_found() {
    for plain in [false, true] {
        let app = built(plain);
        app.write("dist/more.bin", "x");
        app.write("dist/release.json", "{}");
        assert_eq!(codes(&app, "dist"), [found("extra", "more.bin")]);
    }
}

#[test]
fn a_wrong_crc32_with_the_right_sha256_is_found() {
    let app = built(true);
    let text = app.text("dist/manifest.json");
    let at = text.find("\"crc32\":\"").unwrap() + 9;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    app.write("dist/manifest.json", format!("{}{digit}{}", &text[..at], &text[at + 1..]));
    assert_eq!(codes(&app, "dist"), [found("crc32", "boot.py")]);
}

#[test]
fn a_damaged_manifest_is_refused_with_its_code() {
    let app = built(false);
    let text = app.text("dist/manifest.json");
    let pretty = text.replace("\"size\":", "\"size\": ");
    let cases: [(&str, Vec<u8>); 5] = [
        ("not-a-manifest", b"<html>sign in</html>\n".to_vec()),
        ("not-a-manifest", Vec::new()),
        ("format-version", text.replace("\"mpota\":1", "\"mpota\":2").into_bytes()),
        ("header", pretty.into_bytes()),
        ("ending", text.as_bytes()[..text.len() - 3].to_vec()),
    ];
    for (code, bytes) in cases {
        app.write("dist/manifest.json", bytes);
        app.run("verify dist").refused(&[code, "manifest.json"]);
    }
    app.remove("dist/manifest.json");
    app.run("verify dist").refused(&["manifest.json is not there"]);
}

#[test]
fn a_manifest_without_end_is_not_read_to_its_end() {
    let app = built(false);
    app.write("dist/manifest.json", [b"{\"mpota\":1".to_vec(), vec![b' '; 5 << 20]].concat());
    app.run("verify dist").refused(&["too-large"]);
}

#[test]
fn targets_that_are_nothing_are_refused_with_a_hint() {
    let app = App::new();
    for target in ["nothing", "a/b/c", "octo/weather@latest"] {
        app.run(&format!("verify {target}")).refused(&[target.split('@').next_back().unwrap(), "hint: "]);
    }
}

fn served(app: &App, tls: Tls) -> Server {
    Server::start(Options { tls, ..Options::new(app.path("releases")) }).expect("a server")
}

/// Two releases of octo/weather, in the layout that the server wants.
fn releases() -> App {
    let app = App::new();
    for version in ["v1.0.0", "v1.1.0"] {
        app.run(&format!("build --version {version} --output releases/octo/weather/{version}")).ok();
    }
    app
}

#[test]
fn owner_repo_is_the_latest_release_and_a_tag_names_one() {
    let app = releases();
    let server = served(&app, Tls::None);
    let base = server.base_url();
    let latest = app.run(&format!("verify octo/weather --base-url {base}")).ok();
    assert!(latest.out.contains("v1.1.0") && latest.out.contains("ok"), "{}", latest.out);
    let named = app.run(&format!("verify octo/weather@v1.0.0 --base-url {base}/")).ok();
    assert!(named.out.contains("v1.0.0") && named.out.contains("ok"), "{}", named.out);
    app.run(&format!("verify octo/weather@v3.0.0 --base-url {base}")).refused(&["v3.0.0", "hint: "]);
    app.run(&format!("verify octo/rain --base-url {base}")).refused(&["octo/rain"]);
}

#[test]
fn a_url_is_a_release_with_or_without_the_manifests_name() {
    let app = releases();
    let server = served(&app, Tls::None);
    let url = format!("{}/octo/weather/releases/download/v1.0.0", server.base_url());
    for end in ["", "/", "/manifest.json"] {
        let said = app.run(&format!("verify {url}{end}")).ok();
        assert!(said.out.contains("ok") && said.out.contains("v1.0.0"), "{}", said.out);
    }
}

#[test]
fn a_release_under_another_tag_or_project_is_found() {
    let app = releases();
    std::fs::rename(app.path("releases/octo/weather/v1.0.0"), app.path("releases/octo/weather/v0.9.0"))
        .unwrap();
    std::fs::create_dir(app.path("releases/evil")).unwrap();
    std::fs::rename(app.path("releases/octo/weather"), app.path("releases/evil/weather")).unwrap();
    let server = served(&app, Tls::None);
    let base = server.base_url();
    let said = app.run(&format!("verify evil/weather@v1.1.0 --base-url {base}"));
    said.refused(&["octo/weather", "no board of evil/weather"]);
    let said = app.run(&format!("verify evil/weather@v0.9.0 --base-url {base}"));
    assert_eq!(said.code, 1);
    assert!(said.err.contains("its tag is v0.9.0"), "{}", said.err);
}

#[test]
fn https_is_checked_against_the_given_authority() {
    let app = releases();
    let server = served(&app, Tls::SelfSigned { names: Vec::new() });
    let base = server.base_url();
    assert!(base.starts_with("https://"), "{base}");
    app.write("ca.pem", server.certificate_pem().expect("a certificate"));
    app.run(&format!("verify octo/weather --base-url {base} --ca ca.pem")).ok();
    app.run(&format!("verify octo/weather --base-url {base}")).refused(&[base]);
    app.run(&format!("verify octo/weather --base-url {base} --ca boot.py"))
        .refused(&["boot.py", "certificate"]);
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_names_it() {
    mpota().args(["verify", "http://127.0.0.1:1/x"]).said().refused(&["http://127.0.0.1:1/x/manifest.json"]);
}

#[test]
fn a_release_of_tomorrow_is_refused_by_what_it_needs_and_what_may_be_passed_over_is() {
    let app = built(false);
    let manifest = String::from_utf8(app.read("dist/manifest.json")).unwrap();
    let with = |keys: &str| manifest.replace(",\"pack\":", &format!(",{keys},\"pack\":"));
    let mut tried = 0;
    for (keys, words) in [
        (r#""needs":["firmware","delta"]"#, "firmware, delta"),
        (r#""requires":{"flash":4096}"#, "requires.flash"),
    ] {
        app.write("dist/manifest.json", with(keys));
        let needs = format!("needs an updater that knows: {words}");
        app.run("verify dist").refused(&["is for a later mpota", &needs, "hint: update mpota"]);
        app.run("sign dist --signed-part").refused(&["is for a later mpota", &needs]);
        tried += 1;
    }
    app.write("dist/manifest.json", manifest.replace("{\"mpota\":1,", "{\"mpota\":2,"));
    app.run("verify dist").refused(&["is for a later mpota", "format 2"]);
    let more = manifest.replace(",\"files\":[", ",\"more\":{\"note\":\"x\"},\"files\":[");
    assert_ne!(more, manifest);
    app.write("dist/manifest.json", more);
    assert_eq!(codes(&app, "dist"), []);
    println!("  cases {}: releases of a later mpota", tried + 2);
}

#[test]
fn a_large_file_lies_in_pieces_and_damage_in_one_is_told_by_its_number() {
    let app = App::new();
    let text: String = (0..4000).map(|line| format!("line {line}\n")).collect();
    app.write("data/large.txt", &text);
    app.run("build --version v1.0.0").ok();
    assert_eq!(codes(&app, "dist"), []);
    let manifest = mpota::release::dist::read_manifest(&app.path("dist/manifest.json")).unwrap();
    let file = manifest.files.iter().find(|file| file.path == "data/large.txt").unwrap();
    let mpota_format::manifest::Place::Packed { offset, length } = file.place else { panic!("no pack") };
    let pieces = text.len().div_ceil(16_384);
    assert!(pieces == 3 && length < file.size / 2, "{pieces} pieces, {length} bytes");
    let pack = "dist/weather-v1.0.0.pack";
    let last = offset + length - 1; // of the checksum of the third piece
    flip(&app, pack, last as usize);
    let said = app.run("verify dist");
    assert!(
        said.code == 1 && said.err.contains("data/large.txt: it is damaged in the pack: piece 3: "),
        "{}",
        said.err
    );
}
