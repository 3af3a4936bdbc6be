//! Networks with their passwords, in lists, dicts and tuples that have no name for each of them.

use super::key::{self, Kind};

/// A value as it stands in a file, of whatever form that is.
#[derive(Debug)]
pub(super) enum Item {
    /// A text, and its line.
    Text(String, Option<usize>),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
    Other,
}

/// Last words of names of many networks, and of one.
const MANY: [&str; 12] = [
    "networks",
    "wifis",
    "wlans",
    "aps",
    "ssids",
    "credentials",
    "creds",
    "passwords",
    "psks",
    "hotspots",
    "nets",
    "accesspoints",
];
const ONE: [&str; 9] = ["wifi", "wlan", "network", "ap", "sta", "credential", "login", "hotspot", "net"];
/// Words behind them that say nothing.
const FORM: [&str; 11] =
    ["list", "dict", "map", "config", "cfg", "table", "data", "conf", "info", "tuple", "settings"];
/// Keys of settings: what holds them is no list of networks.
const SETTINGS: [&str; 24] = [
    "ssid", "essid", "name", "mode", "ip", "ifconfig", "host", "hostname", "country", "mask", "netmask",
    "subnet", "gateway", "dns", "channel", "timeout", "server", "port", "type", "security", "user",
    "username", "enabled", "status",
];

/// The lines of the passwords in what is called `name`; nothing where no networks are called so.
pub(super) fn passwords(name: &str, item: &Item) -> Vec<Option<usize>> {
    let word = last_word(name);
    let (many, one) = (MANY.contains(&&*word), ONE.contains(&&*word));
    let mut found = Vec::new();
    if many || one {
        search(item, one || word.starts_with("cred"), &mut found);
    }
    found
}

fn names_networks(name: &str) -> bool {
    let word = last_word(name);
    MANY.contains(&&*word) || ONE.contains(&&*word)
}

/// The last word that says something.
fn last_word(name: &str) -> String {
    let mut words = key::words(name);
    while words.len() > 1 && words.last().is_some_and(|last| FORM.contains(&&**last)) {
        words.pop();
    }
    words.pop().unwrap_or_default()
}

/// The same, where the place says that there are networks.
pub(super) fn all(item: &Item) -> Vec<Option<usize>> {
    let mut found = Vec::new();
    search(item, true, &mut found);
    found
}

fn search(item: &Item, one: bool, found: &mut Vec<Option<usize>>) {
    match item {
        Item::Map(entries) => {
            let setting =
                |name: &String| SETTINGS.contains(&&*name.to_lowercase()) || key::kind(name).is_some();
            if entries.iter().any(|(name, _)| setting(name)) {
                return;
            }
            // What is called like networks itself is looked at by itself.
            for (_, value) in entries.iter().filter(|(name, _)| !names_networks(name)) {
                let password = match value {
                    Item::List(items) => items.first(),
                    value => Some(value),
                };
                found.extend(password.and_then(line_of));
            }
        }
        Item::List(items) => match &items[..] {
            [Item::Text(ssid, _), password, ..] if one && !ssid.is_empty() => {
                found.extend(line_of(password));
            }
            items => {
                for item in items {
                    match item {
                        Item::List(pair) => found.extend(pair.get(1).and_then(line_of)),
                        Item::Map(_) => search(item, one, found),
                        _ => {}
                    }
                }
            }
        },
        _ => {}
    }
}

fn line_of(item: &Item) -> Option<Option<usize>> {
    match item {
        Item::Text(text, line) if is_password(text) => Some(*line),
        _ => None,
    }
}

/// Whether a text may be the password of a network, and nothing else that stands there.
pub(super) fn is_password(text: &str) -> bool {
    let address =
        text.bytes().all(|byte| byte.is_ascii_digit() || b".:/".contains(&byte)) && text.contains(['.', ':']);
    let place = text.contains("://") || text.starts_with('/');
    // A sentence, or a line that is to be filled in.
    let prose =
        text.split_whitespace().count() > 4 || text.contains(['\n', '{']) || text.ends_with([':', ' ']);
    (8..=64).contains(&text.len()) && !address && !place && !prose && key::is_value(Kind::Password, text)
}
