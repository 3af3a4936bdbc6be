//! Writes the vectors of `spec/vectors` (all but `ed25519`) anew: the same bytes each time.
//!
//! `cargo run -p mpota-format --example make_vectors`

use std::path::Path;
use std::{fs, io};

mod vectors;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    for folder in vectors::FOLDERS {
        if root.join(folder).exists() {
            fs::remove_dir_all(root.join(folder))?;
        }
    }
    let files = vectors::all();
    for (name, bytes) in &files {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    println!("{} files, {} bytes", files.len(), files.values().map(Vec::len).sum::<usize>());
    Ok(())
}
