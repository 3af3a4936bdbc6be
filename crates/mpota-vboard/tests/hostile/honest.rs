//! What GitHub answers to a board, as far as a board asks.

use crate::server::{Asked, Step};
use mpota_vboard::bench::{OWNER, REPO};
use std::collections::BTreeMap;

/// Releases, and how they are read.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Content of an asset, by tag and name.
    pub assets: BTreeMap<(String, String), Vec<u8>>,
    pub latest: String,
    /// Of both hosts.
    pub urls: [String; 2],
    /// With a token the API has to be used.
    pub token: Option<String>,
}

impl Store {
    pub fn put(&mut self, tag: &str, name: &str, content: Vec<u8>) {
        self.assets.insert((tag.into(), name.into()), content);
    }

    pub fn get(&self, tag: &str, name: &str) -> Vec<u8> {
        self.assets.get(&(tag.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    pub fn pack(tag: &str) -> String {
        format!("{REPO}-{tag}.pack")
    }
}

/// A whole answer with its length.
pub fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    out.extend(body);
    out
}

pub fn redirect(to: &str) -> Vec<u8> {
    reply("302 Found", &format!("Location: {to}\r\n"), b"")
}

pub fn send(bytes: Vec<u8>) -> Option<Vec<Step>> {
    Some(vec![Step::Send(bytes)])
}

/// An asset, or the range of it that was asked for.
pub fn content(asked: &Asked, body: &[u8]) -> Vec<u8> {
    match asked.range {
        Some((from, to)) if (from as usize) < body.len() => {
            let to = (to as usize).min(body.len() - 1);
            let range = format!("Content-Range: bytes {from}-{to}/{}\r\n", body.len());
            reply("206 Partial Content", &range, &body[from as usize..=to])
        }
        Some(_) => reply("416 Range Not Satisfiable", "", b""),
        None => reply("200 OK", "", body),
    }
}

pub fn answer(store: &Store, asked: &Asked) -> Vec<Step> {
    vec![Step::Send(bytes(store, asked))]
}

/// The honest answer as it goes over the wire.
pub fn bytes(store: &Store, asked: &Asked) -> Vec<u8> {
    whole(store, asked).unwrap_or_else(|| reply("404 Not Found", "", b"Not Found"))
}

/// The honest answer with `change` applied to the lines of its head behind the first one.
pub fn with_headers(
    store: &Store,
    asked: &Asked,
    change: impl FnOnce(Vec<String>) -> Vec<String>,
) -> Vec<u8> {
    let answer = bytes(store, asked);
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n").map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    let mut out = first.into_bytes();
    for line in change(lines.collect()) {
        out.extend(b"\r\n");
        out.extend(line.bytes());
    }
    out.extend(&answer[end..]);
    out
}

fn whole(store: &Store, asked: &Asked) -> Option<Vec<u8>> {
    let path = asked.path.split('?').next()?;
    let authorized = asked.text.lines().any(|l| l.to_ascii_lowercase().starts_with("authorization:"));
    let find = |tag: &str, name: &str| store.assets.get(&(tag.to_owned(), name.to_owned()));
    let stored = |tag: &str, name: &str| {
        find(tag, name).map(|_| redirect(&format!("{}/store/{tag}/{name}?sig=5f3a", store.urls[1])))
    };
    if asked.host == 1 {
        if authorized {
            return Some(reply("400 Bad Request", "", b"Authorization is not taken here"));
        }
        let (tag, name) = path.strip_prefix("/store/")?.split_once('/')?;
        return find(tag, name).map(|body| content(asked, body));
    }
    let private = store.token.as_ref();
    if let Some(rest) = path.strip_prefix(&format!("/api/v3/repos/{OWNER}/{REPO}/releases/")) {
        if let Some(token) = private
            && !asked.text.contains(&format!("\r\nAuthorization: Bearer {token}\r\n"))
        {
            return Some(reply("404 Not Found", "", br#"{"message":"Not Found"}"#));
        }
        if let Some(id) = rest.strip_prefix("assets/") {
            let ((tag, name), _) = store.assets.iter().nth(id.parse::<usize>().ok()?.checked_sub(7000)?)?;
            return stored(tag, name);
        }
        if rest.starts_with("1/assets?") {
            return Some(reply("200 OK", "", b"[]")); // all that there are stand in the release already
        }
        let tag = if rest == "latest" { &store.latest } else { rest.strip_prefix("tags/")? };
        return Some(reply("200 OK", "", about(store, tag).as_bytes()));
    }
    if private.is_some() {
        return None;
    }
    let rest = path.strip_prefix(&format!("/{OWNER}/{REPO}/releases/"))?;
    if let Some(name) = rest.strip_prefix("latest/download/") {
        let to = format!("{}/{OWNER}/{REPO}/releases/download/{}/{name}", store.urls[0], store.latest);
        return Some(redirect(&to));
    }
    let (tag, name) = rest.strip_prefix("download/")?.split_once('/')?;
    stored(tag, name)
}

/// A release as the API describes it, as far as a board reads that.
fn about(store: &Store, tag: &str) -> String {
    let assets: Vec<String> = store
        .assets
        .keys()
        .enumerate()
        .filter(|(_, (t, _))| t == tag)
        .map(|(i, (_, name))| format!(r#"{{"id":{},"name":"{name}","state":"uploaded"}}"#, 7000 + i))
        .collect();
    format!(r#"{{"id":1,"tag_name":"{tag}","assets":[{}],"body":"notes"}}"#, assets.join(","))
}
