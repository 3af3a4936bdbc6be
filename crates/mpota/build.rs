//! Takes the updater's files from `device/` into the program, so that what it knows of the updater is
//! what the updater is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What lies beside the updater: files to copy to `/`, tests, and a list for builds of firmware.
const NO_PART: [&str; 3] = ["template", "tests", "manifest.py"];

fn main() -> io::Result<()> {
    let device = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../device");
    println!("cargo:rerun-if-changed={}", device.display());
    let mut found = Vec::new();
    walk(&device, "", &mut found)?;
    found.sort();
    let mut code = "/// Path below `device/` and content, in order of the paths.\n\
        static FILES: &[(&str, &[u8])] = &[\n"
        .to_owned();
    for (name, path) in found {
        let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.canonicalize()?);
    }
    code.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("updater.rs"), code)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if NO_PART.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, &format!("{name}/"), found)?;
        } else if name.ends_with(".py") {
            found.push((name, path));
        }
    }
    Ok(())
}
