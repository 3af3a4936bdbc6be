//! Addresses with a password or a key in them, in any file.

use super::key::{self, Kind};

const USER: &str = "it holds an address with a password in it";
const QUERY: &str = "it holds an address with a key in it";

/// Names of a query that hold keys, besides those that say so anywhere.
const KEYS: [&str; 5] = ["key", "appid", "sig", "auth", "code"];

/// What a file holds, and where.
pub(super) fn find(bytes: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    bytes.iter().enumerate().filter_map(|(at, byte)| match byte {
        b':' if bytes[at..].starts_with(b"://") && has_password(&bytes[at + 3..]) => Some((at, USER)),
        b'?' | b'&' if has_key(&bytes[at + 1..]) => Some((at, QUERY)),
        _ => None,
    })
}

fn until<'a>(bytes: &'a [u8], ends: &[u8]) -> Option<(&'a [u8], u8)> {
    // No line is longer than anybody reads.
    let at = bytes.iter().take(512).position(|byte| ends.contains(byte) || byte.is_ascii_control())?;
    Some((&bytes[..at], bytes[at]))
}

/// `user:password@`, or a token before `@`.
fn has_password(rest: &[u8]) -> bool {
    let Some((user, b'@')) = until(rest, b"@/?#\"'`<>() ,\\") else { return false };
    let user = String::from_utf8_lossy(user);
    match user.split_once(':') {
        Some((_, password)) => key::is_value(Kind::Password, password) && !is_filled(password),
        None => {
            user.len() >= 20
                && user.bytes().any(|b| b.is_ascii_digit())
                && key::is_value(Kind::Token, &user)
                && !is_filled(&user)
        }
    }
}

/// Whether something else is to be put in its place when the program runs.
fn is_filled(text: &str) -> bool {
    text.contains(['{', '}', '%', '$', '*']) && !text.contains("%40")
}

/// `api_key=...`
fn has_key(rest: &[u8]) -> bool {
    let Some((name, b'=')) = until(rest, b"=&?\"'`<>() ,\\;") else { return false };
    let end = rest[name.len() + 1..]
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b"&\"'`<>(),\\;#".contains(byte));
    let value = &rest[name.len() + 1..];
    let value = String::from_utf8_lossy(&value[..end.unwrap_or(value.len()).min(512)]);
    let name = String::from_utf8_lossy(name);
    if is_filled(&value) {
        return false;
    }
    match key::kind(&name) {
        Some(kind) => value.len() >= 6 && key::is_value(kind, &value),
        None => {
            let mixed =
                value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
            KEYS.contains(&&*name.to_ascii_lowercase())
                && mixed
                && value.len() >= 16
                && key::is_value(Kind::Token, &value)
        }
    }
}
