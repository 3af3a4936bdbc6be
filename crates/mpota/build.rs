//! Takes the updater's files from `device/` into the program, so that what it knows of the updater is
//! what the updater is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What lies beside the updater: files to copy to `/`, tests, a list for builds of firmware, and the updater
/// once more, compiled.
const NO_PART: [&str; 4] = ["template", "tests", "manifest.py", COMPILED];
/// Made by `cargo xtask package`, so that nobody who builds this program needs Python and mpy-cross.
const COMPILED: &str = "compiled";

fn main() -> io::Result<()> {
    let device = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../device");
    println!("cargo:rerun-if-changed={}", device.display());
    let mut code = String::new();
    for (list, folder, end) in [("FILES", device.clone(), ".py"), ("COMPILED", device.join(COMPILED), ".mpy")]
    {
        let mut found = Vec::new();
        walk(&folder, "", end, &mut found)?;
        found.sort();
        let _ = writeln!(code, "/// Path below its folder and content, in order of the paths.");
        let _ = writeln!(code, "static {list}: &[(&str, &[u8])] = &[");
        for (name, path) in found {
            let _ = writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.canonicalize()?);
        }
        code.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("updater.rs"), code)
}

fn walk(folder: &Path, prefix: &str, end: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if NO_PART.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, &format!("{name}/"), end, found)?;
        } else if name.ends_with(end) {
            found.push((name, path));
        }
    }
    Ok(())
}
