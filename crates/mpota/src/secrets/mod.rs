//! Knows a secret by its name and by what is in it.

mod key;
mod source;
mod text;

use std::fmt;

use crate::allow::is_python;

/// Names that hold passwords by custom, in lower case.
const NAMES: [&str; 7] =
    ["secrets.py", "secret.py", "wifi_config.py", "id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"];

/// Something that is known by how it begins.
struct Token {
    start: &'static str,
    /// How many characters follow at least.
    length: usize,
    /// Whether `-` is one of them.
    dash: bool,
    what: &'static str,
}

const fn token(start: &'static str, length: usize, dash: bool, what: &'static str) -> Token {
    Token { start, length, dash, what }
}

const GITHUB: &str = "it holds a GitHub token";
const SLACK: &str = "it holds a Slack token";
const TOKENS: [Token; 10] = [
    token("ghp_", 36, false, GITHUB),
    token("gho_", 36, false, GITHUB),
    token("ghu_", 36, false, GITHUB),
    token("ghs_", 36, false, GITHUB),
    token("ghr_", 36, false, GITHUB),
    token("github_pat_", 22, false, GITHUB),
    token("glpat-", 20, true, "it holds a GitLab token"),
    token("AKIA", 16, false, "it holds an AWS access key"),
    token("xoxb-", 20, true, SLACK),
    token("xoxp-", 20, true, SLACK),
];

/// Why a file should not be published. The secret itself is not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// The line, from 1, where it is one line.
    pub line: Option<usize>,
    /// How it was seen.
    pub why: String,
}

impl Suspicion {
    fn new(why: impl Into<String>) -> Self {
        Self { line: None, why: why.into() }
    }

    /// A value in plain text, under a name that says what it is.
    fn value(name: &str, line: Option<usize>) -> Self {
        Self { line, why: format!("{name} has its value in plain text") }
    }

    fn at(mut self, bytes: &[u8], offset: usize) -> Self {
        self.line = Some(bytes[..offset].iter().filter(|byte| **byte == b'\n').count() + 1);
        self
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Why this file should not be published, or `None`.
pub fn suspicion(path: &str, bytes: &[u8]) -> Option<Suspicion> {
    by_name(path).or_else(|| by_content(path, bytes))
}

/// The same, by the name alone.
pub fn by_name(path: &str) -> Option<Suspicion> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if NAMES.contains(&name.as_str()) {
        Some(Suspicion::new("a file of this name usually holds passwords or keys"))
    } else if is_environment(&name) {
        Some(Suspicion::new("an environment file usually holds passwords or keys"))
    } else if name.ends_with(".pem") {
        Some(Suspicion::new("a .pem file may hold a private key"))
    } else {
        None
    }
}

fn is_environment(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.")
}

/// The same, by the content alone; the name tells how to read it.
pub fn by_content(path: &str, bytes: &[u8]) -> Option<Suspicion> {
    if let Some(offset) = private_key(bytes) {
        return Some(Suspicion::new("it holds a private key").at(bytes, offset));
    }
    for token in &TOKENS {
        if let Some(offset) = find_token(bytes, token) {
            return Some(Suspicion::new(token.what).at(bytes, offset));
        }
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if is_python(&name) {
        return source::find(bytes);
    }
    let end = if is_environment(&name) { "env" } else { name.rsplit_once('.')?.1 };
    match end {
        "json" => text::json(bytes),
        "toml" => text::toml(bytes),
        "txt" => text::lines(bytes, text::Values::OneWord),
        "ini" | "cfg" | "env" | "yaml" | "yml" | "conf" => text::lines(bytes, text::Values::Any),
        _ => None,
    }
}

fn private_key(bytes: &[u8]) -> Option<usize> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"PRIVATE KEY-----";
    // Between the two stands at most the kind of key ("ENCRYPTED ", "OPENSSH ").
    positions(bytes, BEGIN).find(|at| {
        let rest = &bytes[at + BEGIN.len()..];
        let line = &rest[..rest.len().min(20 + END.len())];
        line.windows(END.len()).any(|window| window == END)
    })
}

fn find_token(bytes: &[u8], token: &Token) -> Option<usize> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || (token.dash && *byte == b'-');
    positions(bytes, token.start.as_bytes()).find(|at| {
        let stands_alone = *at == 0 || !part(&bytes[at - 1]);
        let rest = &bytes[at + token.start.len()..];
        stands_alone && rest.iter().take_while(|b| part(b)).count() >= token.length
    })
}

fn positions<'a>(bytes: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(what.len()).enumerate().filter(move |(_, w)| *w == what).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
