//! Manifests as text, and changes to them.

use mpota_format::digest::{crc32, hex, sha256};

/// The header of [`small`].
pub const SMALL_HEADER: &str = "{\"mpota\":1,\"version\":\"v1.0.0\",\"files\":[\n";

/// A file line without its end; `path` as it stands in JSON, `place` from `"offset"` or `"asset"` on.
///
/// The hashes are those of the path: no such files exist.
pub fn file(path: &str, size: u64, place: &str) -> String {
    let (sha256, crc32) = (hex(&sha256(path.as_bytes())), crc32(path.as_bytes()));
    format!(
        "{{\"path\":\"{path}\",\"size\":{size},\"sha256\":\"{sha256}\",\"crc32\":\"{crc32:08x}\",{place}}}"
    )
}

/// A whole unsigned manifest.
pub fn manifest(header: &str, files: &[String]) -> String {
    format!("{header}{}\n]}}\n", files.join(",\n"))
}

/// A manifest with no more than it must have: one asset for each of these paths, which are as they stand in JSON.
pub fn small(paths: &[&str]) -> String {
    let line = |(i, path): (usize, &&str)| file(path, 10 + i as u64, &format!("\"asset\":\"f{i}.py\""));
    manifest(SMALL_HEADER, &paths.iter().enumerate().map(line).collect::<Vec<_>>())
}

/// A manifest with everything: most broken ones are this one with one change.
pub fn full() -> String {
    let header = concat!(
        r#"{"mpota":1,"project":"octo/weather","version":"v1.2.0","created":1750000000,"#,
        r#""requires":{"micropython":"1.21","platform":["esp32","rp2"],"mpy":"6.3"},"#,
        r#""pack":{"asset":"weather.pack","size":1000},"#,
        r#""hooks":{"post_update":"hooks/migrate.py","rollback":"hooks/undo.py"},"files":["#,
        "\n"
    );
    let files = [
        file("boot.py", 312, r#""offset":0,"length":180"#),
        file("hooks/migrate.py", 200, r#""offset":180,"length":200"#),
        file("hooks/undo.py", 100, r#""offset":380,"length":100"#),
        file("lib/util.py", 2210, r#""offset":480,"length":520"#),
    ];
    manifest(header, &files)
}

/// `text` with a signature line that holds this base64.
pub fn signed(text: &str, base64: &str) -> String {
    edit(text, "\n]}\n", &format!("\n],\n\"signature\":\"{base64}\"}}\n"))
}

/// `text` with `from`, which must be in it once, changed to `to`.
pub fn edit(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    text.replace(from, to)
}

/// Like [`edit`], with bytes that need not be UTF-8.
pub fn edit_bytes(text: &str, from: &str, to: &[u8]) -> Vec<u8> {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    let at = text.find(from).unwrap_or_default();
    [&text.as_bytes()[..at], to, &text.as_bytes()[at + from.len()..]].concat()
}

/// `count` files in a pack that are named by their number and have `size` bytes each, stored.
pub fn numbered(count: u64, size: u64, tail: &str) -> String {
    let header = format!(
        "{{\"mpota\":1,\"version\":\"v1.0.0\",\"pack\":{{\"asset\":\"a\",\"size\":{}}},\"files\":[\n",
        count * size
    );
    let line =
        |i| file(&format!("{i:04}{tail}"), size, &format!("\"offset\":{},\"length\":{size}", i * size));
    manifest(&header, &(0..count).map(line).collect::<Vec<_>>())
}
