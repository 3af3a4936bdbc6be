//! Faults 6 to 14: releases that are old, mixed up, for somebody else, or changed behind the board's
//! back. They are signed by a key that the board trusts.

use crate::honest::{self, Store};
use crate::rig::{CREATED, Rig, Setup, app, noise, outside, pack};
use mpota_vboard::repository;
use serde_json::json;

#[test]
fn fault_06_the_manifest_that_was_checked_is_the_one_that_is_used() {
    let rig = Rig::new();
    // Whoever asks for it again gets one with another content, and unsigned.
    let evil = String::from_utf8(rig.manifest()).unwrap().replace("zzz.bin", "zzz.evil").into_bytes();
    let second = evil.clone();
    rig.server.script(move |asked| {
        let again = asked.stores("manifest.json") && asked.nth > 0;
        again.then(|| honest::send(honest::content(asked, &second))).flatten()
    });
    let run = rig.board.run_with(&json!({"boots": 1})).unwrap();
    assert!(run.output.contains("v1.1.0 is staged"), "{}", run.output);
    let manifests = rig.server.asked().iter().filter(|a| a.stores("manifest.json")).count();
    assert_eq!(manifests, 1, "{:#?}", rig.server.asked());
    // The trial looks for a newer release, and gets the other one; it is the checked one that stays.
    let run = rig.board.run().unwrap();
    assert!(run.output.contains("v1.1.0 is installed"), "{}", run.output);
    let tree = outside(&rig.board);
    assert!(tree.contains_key("/zzz.bin") && !tree.contains_key("/zzz.evil"));
    assert_eq!(rig.board.read("/.ota/manifest.json").unwrap(), rig.manifest());

    // First the other one, then the good one.
    rig.rewind();
    rig.restore();
    rig.server.script(move |asked| {
        (asked.stores("manifest.json") && asked.nth == 0)
            .then(|| honest::send(honest::content(asked, &evil)))
            .flatten()
    });
    let seen = rig.attack("the first is bad", &["not made over these bytes"]);
    assert_eq!(seen.asked.iter().filter(|a| a.stores("manifest.json")).count(), 1);
    println!("  cases 2: manifests that change between two requests");
}

#[test]
fn fault_07_another_platform_micropython_or_mpy_version() {
    let rig = Rig::new();
    let mut ran = 0;
    for (requires, word) in [
        (r#"{"micropython":"9.1"}"#, "needs MicroPython 9.1"),
        (r#"{"micropython":"1.99.999999999"}"#, "needs MicroPython 1.99"),
        (r#"{"platform":["rp2"]}"#, "is for rp2"),
        (r#"{"platform":["esp32","rp2"]}"#, "is for esp32 or rp2"),
        (r#"{"mpy":"5"}"#, ".mpy files of version 5"),
        (r#"{"mpy":"6.0"}"#, ".mpy files of version 6.0"),
        (r#"{"mpy":"7.3"}"#, ".mpy files of version 7.3"),
    ] {
        rig.offer_signed(|text| text.replace("\"pack\":", &format!("\"requires\":{requires},\"pack\":")));
        let seen = rig.attack(requires, &[word]);
        assert_eq!(seen.run.writes, 0, "{requires}");
        ran += 1;
    }
    // As much as a header takes: the line of the log has its bounds all the same.
    let many: Vec<String> = (0..16).map(|i| format!("\"platform-of-thirty-two-letter{i:02}\"")).collect();
    let many = format!("{{\"platform\":[{}]}}", many.join(","));
    rig.offer_signed(|text| text.replace("\"pack\":", &format!("\"requires\":{many},\"pack\":")));
    rig.attack("16 platforms", &["is for platform-of-"]);
    println!("  cases {}: requirements that the board does not meet", ran + 1);
    assert_eq!(ran, 7);
}

#[test]
fn fault_08_an_older_version_with_a_good_signature() {
    let rig = Setup::default().set("allow_downgrade", "True").rig();
    let mut ran = 0;
    let long = format!("v0.9.9-{}", "a".repeat(56));
    for version in ["v0.9.0", "v1.0.0-rc.1", "v0.10.0", "0.99.99", &long] {
        let text = rig.manifest_of(version);
        let mut store = rig.server.store();
        store.put(version, "manifest.json", rig.key.sign(text.as_bytes()));
        store.latest = version.into();
        drop(store);
        // Even where downgrades are allowed: only one that was asked for by its tag.
        let seen = rig.attack(version, &["der than the installed v1.0.0 (allow_downgrade is not set)"]);
        assert_eq!(seen.run.writes, 0, "{version}");
        ran += 1;
    }
    // Asked for by its tag, without the option.
    let rig = Setup::default().set("tag", "'v0.9.0'").rig();
    let seen = rig.refused("pinned", &["older than the installed v1.0.0 (allow_downgrade"], &json!({}));
    assert!(seen.asked.is_empty());
    rig.configure("tag", "None");
    rig.updates("pinned");
    println!("  cases {}: older versions", ran + 1);
    assert_eq!(ran, 5);
}

#[test]
fn fault_08_a_pinned_older_version_is_installed_where_that_is_allowed() {
    let rig = Setup::default().set("tag", "'v0.9.0'").set("allow_downgrade", "True").rig();
    let text = rig.manifest_of("v0.9.0");
    {
        let mut store = rig.server.store();
        store.put("v0.9.0", "manifest.json", rig.key.sign(text.as_bytes()));
        let content = store.get("v1.1.0", &pack());
        store.put("v0.9.0", &pack(), content);
    }
    let run = rig.board.run().unwrap();
    assert!(run.output.contains("v0.9.0 is installed"), "{}", run.output);
    assert_eq!(crate::common::version(&rig.board), crate::common::confirmed("v0.9.0"));
}

#[test]
fn fault_09_the_same_version_with_other_content() {
    let rig = Rig::new();
    let other = rig.good("v1.0.0", "manifest.json");
    let other = String::from_utf8(other).unwrap().replace(&CREATED.to_string(), "1700000001");
    let mut ran = 0;
    for (name, manifest) in [
        ("signed", rig.key.sign(other.as_bytes())),
        ("unsigned", other.clone().into_bytes()),
        ("cut", rig.good("v1.0.0", "manifest.json")[..300].to_vec()),
    ] {
        // GitHub's redirects tell the version before its manifest; a mirror without them does not.
        rig.server.script(move |asked| {
            let one = asked.path.ends_with("/latest/download/manifest.json");
            one.then(|| honest::send(honest::reply("200 OK", "", &manifest))).flatten()
        });
        let seen =
            rig.attack(name, &["v1.0.0 is offered with other content than the one installed: refused"]);
        assert_eq!(seen.run.writes, 0, "{name}");
        ran += 1;
    }
    println!("  cases {ran}: the installed version with other content");
    assert_eq!(ran, 3);
}

#[test]
fn fault_10_the_age_of_a_release_that_stays_for_ever_is_told_by_status() {
    let main = String::from_utf8(app("v1.0.0").0["main.py"].clone()).unwrap();
    let main = main.replace(
        "print('app goes on'",
        "print('app is of', ota_updater.status()['created'])\nprint('app goes on'",
    );
    let rig = Setup { old: app("v1.0.0").with("main.py", main), ..Setup::default() }.rig();
    rig.server.store().latest = "v1.0.0".into();
    let v1 = rig.good("v1.0.0", "manifest.json");
    rig.server.store().put("v1.0.0", "manifest.json", v1);
    for _ in 0..3 {
        let run = rig.board.run().unwrap();
        assert!(run.output.contains(&format!("app is of {CREATED}\n")), "{}", run.output);
        assert_eq!((run.boots, run.writes), (1, 0));
    }
    assert_eq!(outside(&rig.board), rig.before);
    rig.restore();
    rig.updates("frozen");
    println!("  cases 3: looks at a release that stays the same");
}

#[test]
fn fault_11_files_of_two_releases_mixed_by_a_cache() {
    let rig = Rig::new();
    let mut ran = 0;
    let good = rig.good("v1.1.0", &pack());
    // A pack of the same size, of another release; one that begins as the right one; one of half the size.
    let half = good.len() / 2;
    let mixed = [&good[..half], &noise(half as u32 + 1)[..]].concat();
    for (name, content) in [
        ("another", noise(good.len() as u32)),
        ("the right one at first", mixed[..good.len()].to_vec()),
        ("shorter", good[..half].to_vec()),
        ("one byte in front", [&b"x"[..], &good].concat()),
        ("v1.0.0's", rig.good("v1.0.0", &Store::pack("v1.0.0"))),
    ] {
        rig.server.store().put("v1.1.0", &pack(), content);
        let words =
            ["not what the manifest says", "does not unpack", "not allowed", "shorter than", "Range", "416"];
        let seen = rig.attack(name, &words);
        assert!(!seen.output.contains("is staged"), "{name}");
        ran += 1;
    }
    // Files one by one, of which one is of the other release.
    let rig = Setup { plain: true, ..Setup::default() }.rig();
    rig.server.store().put("v1.1.0", "zzz.bin", noise(20_001)[1..].to_vec());
    rig.attack("plain", &["not what the manifest says: zzz.bin"]);
    println!("  cases {}: mixtures", ran + 1);
    assert_eq!(ran, 5);
}

#[test]
fn fault_12_paths_that_lead_elsewhere_are_refused_though_a_trusted_key_signed_them() {
    let rig = Rig::new();
    let mut ran = 0;
    let good = String::from_utf8(rig.manifest()).unwrap();
    let long = "x".repeat(300);
    for (path, word) in [
        ("../x", "path in"),
        ("zz/../../x", "path in"),
        ("/x", "path in"),
        ("a//b", "path in"),
        ("a/./b", "path in"),
        ("..", "path in"),
        ("", "path in"),
        ("zz\\\\x", "path in"),
        ("zz\\u0000x", "path in"),
        ("zz\0x", "entry in"),
        (&long, "path in"),
        (".ota/state.0", "path in"),
        (".OTA/new/0", "path in"),
        ("version.json", "path in"),
        ("Version.JSON", "path in"),
        ("zz:x", "path in"),
        ("zz ", "path in"),
        ("zz/ /x", "path in"),
    ] {
        rig.offer(rig.key.sign(good.replace("zzz.bin", path).as_bytes()));
        let seen = rig.attack(&format!("path {path:.20}"), &[word, "path in"]);
        assert!(!seen.output.contains("got "), "{path}");
        ran += 1;
    }
    // Two names that FAT cannot tell apart, and a file that is a folder too.
    for name in ["path-order-same-but-for-letter-case", "path-order-file-in-file", "path-order-same"] {
        let vector = repository().join("spec/vectors/manifest/invalid").join(name).join("manifest.json");
        let text = String::from_utf8(std::fs::read(vector).unwrap()).unwrap();
        let header = text.lines().next().unwrap();
        let mine = "{\"mpota\":1,\"project\":\"octo/weather\",\"version\":\"v1.1.0\",\"files\":[";
        rig.offer(rig.key.sign(text.replace(header, mine).as_bytes()));
        rig.attack(name, &["path-order", "is a directory on the board"]);
        ran += 1;
    }
    // A file of the board's own where a folder has to be.
    rig.offer(rig.key.sign(good.replace("zzz.bin", "zzz.bin/x").as_bytes()));
    rig.board.write("/zzz.bin", b"mine").unwrap();
    rig.refused("file", &["zzz.bin is a file on the board, and a directory in the release"], &json!({}));
    rig.rewind();
    rig.restore();
    rig.updates("file");
    println!("  cases {}: paths", ran + 1);
    assert_eq!(ran, 21);
}

#[test]
fn fault_14_an_asset_that_was_replaced_after_publishing() {
    let rig = Rig::new();
    let good = rig.good("v1.1.0", &pack());
    let mut ran = 0;
    // Behind the last file's data comes its Adler-32, which SHA-256 makes needless.
    for at in [0, 1, 5, good.len() - 3000, good.len() - 9] {
        let mut other = good.clone();
        other[at] ^= 0x10;
        rig.server.store().put("v1.1.0", &pack(), other);
        rig.attack(&format!("byte {at}"), &["not what the manifest says", "does not unpack", "not allowed"]);
        ran += 1;
    }
    for (name, asset) in [("manifest gone", "manifest.json"), ("pack gone", &*pack())] {
        rig.server.store().assets.remove(&("v1.1.0".to_owned(), asset.to_owned()));
        rig.attack(name, &["not found"]);
        ran += 1;
    }
    println!("  cases {ran}: replaced assets");
    assert_eq!(ran, 7);
}
