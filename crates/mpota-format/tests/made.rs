//! What lies in `spec/vectors` is what `make_vectors` makes, no more and no less.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

#[path = "../examples/make_vectors/vectors/mod.rs"]
mod vectors;

static FILES: LazyLock<vectors::Files> = LazyLock::new(vectors::all);

fn list(folder: &Path, name: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder.join(name)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            list(folder, &name, found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn the_vectors_are_those_that_make_vectors_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let files = &*FILES;
    let mut found = BTreeSet::new();
    for folder in vectors::FOLDERS {
        list(&root, folder, &mut found);
    }
    let made: BTreeSet<String> = files.keys().cloned().collect();
    let other: Vec<_> = made.symmetric_difference(&found).collect();
    assert!(other.is_empty(), "made or there, but not both: {other:?}");
    for (name, bytes) in files {
        assert!(fs::read(root.join(name)).unwrap() == *bytes, "{name} differs: run make_vectors");
    }
    assert!(files.values().map(Vec::len).sum::<usize>() < 7_500_000);
}

#[test]
fn no_two_manifests_are_the_same() {
    let files = &*FILES;
    let mut seen = std::collections::BTreeMap::new();
    for (name, bytes) in
        files.iter().filter(|(name, _)| name.starts_with("manifest/") && name.ends_with("/manifest.json"))
    {
        if let Some(other) = seen.insert(bytes, name) {
            panic!("{name} is {other}");
        }
    }
}
