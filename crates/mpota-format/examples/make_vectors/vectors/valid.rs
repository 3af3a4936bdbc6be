//! Manifests that every reader takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mpota_format::digest::sha256;

use super::keys::{Blob, test_key};
use super::text::{edit, file, full, manifest, numbered, signed, small};
use super::{Files, put};

/// What a reader must find.
pub struct Facts<'a> {
    pub version: &'a str,
    pub project: Option<&'a str>,
    pub files: u64,
    pub bytes: u64,
    pub kept: u64,
    pub signed: bool,
    /// The loaders with a manifest of their own; the file has it only where there are some.
    pub compiled: &'a [u8],
    /// Whether it has a rollout; the file has it only where it does.
    pub rollout: bool,
}

pub const SMALL: Facts<'static> = Facts {
    version: "v1.0.0",
    project: None,
    files: 1,
    bytes: 10,
    kept: 0,
    signed: false,
    compiled: &[],
    rollout: false,
};
pub const FULL: Facts<'static> = Facts {
    version: "v1.2.0",
    project: Some("octo/weather"),
    files: 4,
    bytes: 2822,
    kept: 0,
    signed: false,
    compiled: &[],
    rollout: false,
};

pub fn valid(files: &mut Files, name: &str, manifest: impl Into<Vec<u8>>, facts: &Facts<'_>) {
    let Facts { version, project, files: count, bytes, kept, signed, compiled, rollout } = facts;
    let project = project.map_or("null".into(), |project| format!("\"{project}\""));
    let compiled = match compiled {
        [] => String::new(),
        some => format!(",\"compiled\":{some:?}").replace(' ', ""),
    };
    let rollout = if *rollout { ",\"rollout\":true" } else { "" };
    let facts = format!(
        "{{\"version\":\"{version}\",\"project\":{project},\"files\":{count},\"bytes\":{bytes},\"kept\":{kept},\"signed\":{signed}{compiled}{rollout}}}\n"
    );
    put(files, format!("manifest/valid/{name}/manifest.json"), manifest);
    put(files, format!("manifest/valid/{name}/facts.json"), facts);
}

pub fn add(files: &mut Files) {
    valid(files, "everything", full(), &FULL);
    valid(files, "one-file", small(&["main.py"]), &SMALL);
    valid(files, "brackets-in-a-path", small(&[&"[{".repeat(60)]), &SMALL);
    let plain = small(&["boot.py", "lib/util.py", "main.py"]);
    valid(files, "plain", plain, &Facts { files: 3, bytes: 33, ..SMALL });
    header_keys(files);
    versions(files);
    paths(files);
    sizes(files);
    keeps(files);
    signatures(files);
}

fn header_keys(files: &mut Files) {
    let base = small(&["main.py"]);
    let project = edit(&base, "1,\"version\"", "1,\"project\":\"Octo-1/we.at_her\",\"version\"");
    valid(files, "project", project, &Facts { project: Some("Octo-1/we.at_her"), ..SMALL });
    let longest = format!("{0}/{0}", "o".repeat(64));
    let project = edit(&base, "1,\"version\"", &format!("1,\"project\":\"{longest}\",\"version\""));
    valid(files, "project-longest", project, &Facts { project: Some(&longest), ..SMALL });

    let platforms: Vec<String> = (0..16).map(|i| format!("\"{i:P>32}\"")).collect();
    for (name, keys) in [
        ("created-first", r#""created":1"#),
        ("created-last", r#""created":9999999999"#),
        ("requires-micropython-two-numbers", r#""requires":{"micropython":"1.21"}"#),
        ("requires-micropython-three-numbers", r#""requires":{"micropython":"1.0.999999999"}"#),
        ("requires-platform", r#""requires":{"platform":["esp32"]}"#),
        ("requires-platform-most", &format!("\"requires\":{{\"platform\":[{}]}}", platforms.join(","))),
        ("requires-platform-letter-case", r#""requires":{"platform":["RP2","rp2"]}"#),
        ("requires-mpy", r#""requires":{"mpy":"6"}"#),
        ("requires-mpy-sub-version", r#""requires":{"mpy":"6.0"}"#),
        ("requires-two", r#""requires":{"micropython":"1.21","mpy":"6.3"}"#),
        ("hooks-post-update", r#""hooks":{"post_update":"main.py"}"#),
        ("hooks-rollback", r#""hooks":{"rollback":"main.py"}"#),
        ("hooks-same-file", r#""hooks":{"post_update":"main.py","rollback":"main.py"}"#),
    ] {
        valid(files, name, edit(&base, ",\"files\"", &format!(",{keys},\"files\"")), &SMALL);
    }

    let asset = edit(&base, "f0.py", &"A-_.z9".repeat(17)[..100]);
    valid(files, "asset-longest-name", asset, &SMALL);
    valid(files, "asset-one-character", edit(&base, "f0.py", "-"), &SMALL);
    let assets = edit(&small(&["a.py", "b.py"]), "f1.py", "F0.py");
    valid(files, "asset-letter-case", assets, &Facts { files: 2, bytes: 21, ..SMALL });
    valid(files, "asset-manifest-json-in-capitals", edit(&base, "f0.py", "Manifest.json"), &SMALL);
}

fn versions(files: &mut Files) {
    let longest = format!("v1.0.0-{}", "a".repeat(57));
    for (name, version) in [
        ("version-without-v", "1.2.3"),
        ("version-zero", "0.0.0"),
        ("version-prerelease", "v2.0.0-rc.1"),
        ("version-prerelease-hyphens", "2.0.0--.-a-0"),
        ("version-prerelease-leading-zero-in-word", "2.0.0-0a.00b"),
        ("version-build", "v2.0.0+build.007"),
        ("version-prerelease-and-build", "2.0.0-alpha.0+0-b"),
        ("version-largest-numbers", "v999999999.999999999.999999999-999999999"),
        ("version-long-digits-in-build", "1.0.0+12345678901234567890"),
        ("version-longest", &longest),
    ] {
        valid(files, name, edit(&small(&["main.py"]), "v1.0.0", version), &Facts { version, ..SMALL });
    }
}

fn paths(files: &mut Files) {
    let long = format!("{}/{}", "d".repeat(60), "f".repeat(67));
    let long_umlauts = "ü".repeat(64);
    for (name, path) in [
        ("path-one-character", "a"),
        ("path-spaces-and-umlauts", " Lüft ung/äöü ß.txt"),
        ("path-beyond-the-basic-plane", "bilder/😀.bin"),
        ("path-128-bytes", &long),
        ("path-128-bytes-of-umlauts", &long_umlauts),
        ("path-leading-dots", ".config/...x/..y"),
        ("path-like-the-updaters", ".ota2/x"),
        ("path-ota-deeper", "lib/.ota/x"),
        ("path-version-json-deeper", "lib/version.json"),
        ("path-version-json-longer", "version.json5"),
        ("path-manifest-json", "manifest.json"),
        ("path-punctuation", "a!#$%&'()+,-;=@[]^_`{}~b"),
        ("path-c1-control-character", "a\u{85}b"),
        ("path-line-separator", "a\u{2028}b"),
        ("path-no-break-space-at-end", "a\u{a0}"),
    ] {
        valid(files, name, small(&[path]), &SMALL);
    }
    for (name, paths) in [
        ("order-slash-is-lowest", &["a", "a b", "b/c", "b c", "b-c", "b.c", "b0"][..]),
        ("order-ignores-letter-case", &["a.py", "B.py", "c.py", "D/x", "d/Y"][..]),
        ("order-bytes-beyond-ascii", &["z", "~", "\u{80}", "ä", "ü", "€", "\u{ffff}", "😀"][..]),
        ("order-letter-case-beyond-ascii", &["Ä.py", "ä.py"][..]),
        ("order-underscore-before-letters", &["_", "A", "a_", "ab"][..]),
        ("order-prefix-that-is-no-directory", &["ab", "ab.py", "abc/d"][..]),
    ] {
        let count = paths.len() as u64;
        let bytes = 10 * count + count * (count - 1) / 2;
        valid(files, name, small(paths), &Facts { files: count, bytes, ..SMALL });
    }
}

fn sizes(files: &mut Files) {
    let header =
        "{\"mpota\":1,\"version\":\"v1.0.0\",\"pack\":{\"asset\":\"a.pack\",\"size\":30},\"files\":[\n";
    let lines = [
        file("compressed.py", 300, "\"offset\":0,\"length\":20"),
        file("empty.py", 0, "\"offset\":20,\"length\":0"),
        file("stored.py", 10, "\"offset\":20,\"length\":10"),
    ];
    valid(files, "pack", manifest(header, &lines), &Facts { files: 3, bytes: 310, ..SMALL });
    let empty = edit(header, "30", "0");
    let line = file("empty.py", 0, "\"offset\":0,\"length\":0");
    valid(files, "pack-empty", manifest(&empty, &[line]), &Facts { bytes: 0, ..SMALL });
    let line = file("empty.py", 0, "\"asset\":\"empty.py\"");
    let empty = manifest(super::text::SMALL_HEADER, &[line]);
    valid(files, "empty-file", empty, &Facts { bytes: 0, ..SMALL });
    let largest = edit(&small(&["main.py"]), "\"size\":10,", "\"size\":16777216,");
    valid(files, "largest-file", largest, &Facts { bytes: 16_777_216, ..SMALL });
    let most = numbered(8192, 8_388_608, "");
    valid(files, "many-files-and-largest-pack", most, &Facts { files: 8192, bytes: 68_719_476_736, ..SMALL });
}

fn keeps(files: &mut Files) {
    let full = full();
    let one = edit(&full, "\"length\":520}", "\"length\":520,\"keep\":true}");
    valid(files, "keep", &*one, &Facts { kept: 1, ..FULL });
    let two = edit(&one, "\"length\":180}", "\"length\":180,\"keep\":true}");
    valid(files, "keep-two-of-four", two, &Facts { kept: 2, ..FULL });
    let more = edit(&full, "\"length\":520}", "\"length\":520,\"keep\":true,\"more\":{\"keep\":0}}");
    valid(files, "keep-before-more", more, &Facts { kept: 1, ..FULL });
    let plain = edit(&small(&["main.py"]), "\"f0.py\"}", "\"f0.py\",\"keep\":true}");
    valid(files, "keep-behind-an-asset", plain, &Facts { kept: 1, ..SMALL });
    let in_more = edit(&full, "\"length\":520}", "\"length\":520,\"more\":{\"keep\":1}}");
    valid(files, "keep-in-more-is-none", in_more, &FULL);
}

fn signatures(files: &mut Files) {
    let text = full();
    let digest = sha256(edit(&text, "\n]}\n", "\n],\n").as_bytes());
    let blob = Blob::new(&test_key(1), &digest).bytes();
    valid(files, "signed", signed(&text, &STANDARD.encode(blob)), &Facts { signed: true, ..FULL });
    // A manifest's reader does not look into the signature.
    for (name, bytes) in [
        ("signature-line-longest", vec![0xfb; 372]),
        ("signature-two-characters-of-padding", vec![0]),
        ("signature-one-character-of-padding", vec![0, 0]),
        ("signature-without-padding", vec![0xff; 3]),
    ] {
        let text = signed(&small(&["main.py"]), &STANDARD.encode(bytes));
        valid(files, name, text, &Facts { signed: true, ..SMALL });
    }
}
