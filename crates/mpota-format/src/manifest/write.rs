//! A manifest to bytes.

use super::error::{Code, ManifestError};
use super::more::text;
use super::{FileEntry, Header, Manifest, Place};
use crate::digest::hex;
use crate::line::quoted;
use crate::path::check_path;

impl Manifest {
    /// The manifest as it is published: signed where it has a signature.
    ///
    /// Nothing is put in order or left out: what is wrong is an error.
    ///
    /// # Errors
    /// The first rule of the spec that the manifest breaks: [`Manifest::parse`] accepts whatever this gives.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        let mut text = self.lines()?;
        match &self.signature {
            None => text.push_str("]}\n"),
            Some(signature) => {
                text.push_str("],\n\"signature\":");
                text.push_str(&quoted(signature));
                text.push_str("}\n");
            }
        }
        Self::parse(text.as_bytes())?;
        Ok(text.into_bytes())
    }

    /// What is to be signed for this manifest, whether it has a signature yet or not.
    ///
    /// # Errors
    /// The first rule of the spec that the manifest, without a signature, breaks.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        let mut text = self.lines()?;
        let files = text.len();
        text.push_str("]}\n");
        Self::parse(text.as_bytes())?;
        text.truncate(files);
        text.push_str("],\n");
        Ok(text.into_bytes())
    }

    /// The header line and the file lines.
    fn lines(&self) -> Result<String, ManifestError> {
        let mut text = header_line(&self.header);
        for (i, file) in self.files.iter().enumerate() {
            if let Err(error) = check_path(&file.path) {
                return Err(ManifestError::new(Code::Path, i + 2, format!("{:?}: {error}", file.path)));
            }
            text.push_str(&file_line(file));
            text.push_str(if i + 1 < self.files.len() { ",\n" } else { "\n" });
        }
        Ok(text)
    }
}

fn header_line(header: &Header) -> String {
    let mut keys = vec!["\"mpota\":1".to_owned()];
    if let Some(project) = &header.project {
        keys.push(format!("\"project\":{}", quoted(project)));
    }
    keys.push(format!("\"version\":{}", quoted(header.version.as_str())));
    if let Some(created) = header.created {
        keys.push(format!("\"created\":{created}"));
    }
    keys.extend(list(&header.needs).map(|words| format!("\"needs\":{words}")));
    let requires = &header.requires;
    keys.extend(object(
        "requires",
        [
            ("micropython", requires.micropython.as_deref().map(quoted)),
            ("platform", list(&requires.platform)),
            ("mpy", requires.mpy.as_deref().map(quoted)),
            ("board", list(&requires.board)),
        ],
    ));
    if let Some(pack) = &header.pack {
        keys.push(format!("\"pack\":{{\"asset\":{},\"size\":{}}}", quoted(&pack.asset), pack.size));
    }
    keys.extend(object(
        "hooks",
        [
            ("post_update", header.hooks.post_update.as_deref().map(quoted)),
            ("rollback", header.hooks.rollback.as_deref().map(quoted)),
        ],
    ));
    keys.extend(text(&header.more).map(|more| format!("\"more\":{more}")));
    format!("{{{},\"files\":[\n", keys.join(","))
}

/// An array of strings; `None` where there are none.
fn list(texts: &[String]) -> Option<String> {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    (!texts.is_empty()).then(|| format!("[{}]", texts.join(",")))
}

/// `"name":{…}` with the keys that have a value; `None` where none has.
fn object<const N: usize>(name: &str, keys: [(&str, Option<String>); N]) -> Option<String> {
    let pairs = keys.into_iter().filter_map(|(key, value)| value.map(|value| format!("\"{key}\":{value}")));
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| format!("\"{name}\":{{{}}}", pairs.join(",")))
}

fn file_line(file: &FileEntry) -> String {
    let place = match &file.place {
        Place::Packed { offset, length } => format!("\"offset\":{offset},\"length\":{length}"),
        Place::Asset { name } => format!("\"asset\":{}", quoted(name)),
    };
    let keep = if file.keep { ",\"keep\":true" } else { "" };
    let more = text(&file.more).map(|more| format!(",\"more\":{more}")).unwrap_or_default();
    format!(
        "{{\"path\":{},\"size\":{},\"sha256\":\"{}\",\"crc32\":\"{:08x}\",{place}{keep}{more}}}",
        quoted(&file.path),
        file.size,
        hex(&file.sha256),
        file.crc32,
    )
}
