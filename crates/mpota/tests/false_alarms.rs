//! No alarm where there is no secret: in the sources of packages that others have published.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use mpota::check::secrets;

/// All files below the folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn fault_69_published_packages_raise_no_alarm() {
    let home = mpota_vboard::clients::micropython_packages().unwrap_or_else(|error| panic!("{error}"));
    let (mut all, mut alarms) = (Vec::new(), Vec::new());
    files(&home, &mut all);
    let repository = mpota_vboard::repository();
    for folder in ["device", "examples"] {
        files(&repository.join(folder), &mut all);
    }
    // What pip writes beside them is nobody's source.
    all.retain(|path| {
        !path.iter().any(|part| part.to_string_lossy().ends_with(".dist-info")) && !path.ends_with("complete")
    });
    let python = all.iter().filter(|path| path.extension().is_some_and(|end| end == "py")).count();
    for path in &all {
        let name = path.strip_prefix(&home).or(path.strip_prefix(&repository)).unwrap().to_str().unwrap();
        for seen in secrets::suspicions(name, &fs::read(path).unwrap()) {
            alarms.push(format!("{name}, line {:?}: {seen}", seen.line));
        }
    }
    // This one does hold a password: the one that it has where nobody sets another.
    let known = alarms
        .iter()
        .filter(|alarm| {
            alarm.starts_with("wifi_manager.py, line ") && alarm.contains("password has its value")
        })
        .count();
    alarms.retain(|alarm| !alarm.starts_with("wifi_manager.py, line "));
    println!("  cases {}: files of published packages, {python} of them Python", all.len());
    assert!(python > 150, "{python} files");
    assert_eq!(known, 4, "passwords that are there");
    assert!(alarms.is_empty(), "{} alarms:\n{}", alarms.len(), alarms.join("\n"));
}
