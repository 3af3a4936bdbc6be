//! Files that hold secrets by custom, and copies of them.

use super::Suspicion;

/// Names without their end that hold passwords by custom, in lower case.
const STEMS: [&str; 6] =
    ["secrets", "secret", "wifi_config", "wifi_secrets", "wifi_credentials", "wifi_creds"];
/// Ends with which they do.
const ENDS: [&str; 10] = ["py", "mpy", "json", "toml", "yaml", "yml", "ini", "cfg", "txt", "dat"];
/// Whole names.
const NAMES: [&str; 8] =
    ["id_rsa", "id_ecdsa", "id_ed25519", "id_dsa", ".netrc", ".pypirc", ".git-credentials", ".htpasswd"];
/// What editors and people put behind the name of a copy.
const COPIES: [&str; 9] = ["~", ".bak", ".backup", ".orig", ".save", ".old", ".tmp", ".swp", ".copy"];
/// The same, before the end.
const INNER: [&str; 10] =
    ["_bak", "-bak", "_backup", "-backup", "_old", "-old", "_copy", "-copy", " copy", " (copy)"];
/// What stands behind the name of a file to be filled in.
const SAMPLES: [&str; 5] = [".example", ".sample", ".template", ".dist", ".default"];
/// What manages Wi-Fi keeps the networks in files of these names.
const NETWORKS: [&str; 12] = [
    "wifi",
    "wlan",
    "wifis",
    "networks",
    "network",
    "ssids",
    "wifi_networks",
    "known_networks",
    "wifi_profiles",
    "wifi_list",
    "wifilist",
    "profiles",
];

/// Why a file of this name should not be published.
pub fn by_name(path: &str) -> Option<Suspicion> {
    let name = original(path);
    let holds = NAMES.contains(&name.as_str())
        || name.rsplit_once('.').is_some_and(|(stem, end)| STEMS.contains(&stem) && ENDS.contains(&end));
    if is_sample(&file_name(path)) {
        None
    } else if holds {
        Some(Suspicion::new("a file of this name usually holds passwords or keys"))
    } else if is_environment(&name) {
        Some(Suspicion::new("an environment file usually holds passwords or keys"))
    } else if name.ends_with(".pem") {
        Some(Suspicion::new("a .pem file may hold a private key"))
    } else {
        None
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

fn is_sample(name: &str) -> bool {
    !is_environment(name) && SAMPLES.iter().any(|end| name.ends_with(end))
}

/// The file's name in lower case, and of a copy that of what was copied.
pub(super) fn original(path: &str) -> String {
    let mut name = file_name(path);
    while let Some(shorter) = COPIES.iter().chain(&SAMPLES).find_map(|end| {
        let shorter = name.strip_suffix(end).filter(|rest| !rest.is_empty());
        shorter.map(str::to_owned)
    }) {
        name = shorter;
    }
    if let Some((stem, end)) = name.rsplit_once('.')
        && let Some(stem) = INNER.iter().find_map(|copy| stem.strip_suffix(copy))
    {
        name = format!("{stem}.{end}");
    }
    // Vim's: `.secrets.py.swp`.
    match name.strip_prefix('.') {
        Some(rest) if file_name(path).ends_with(".swp") => rest.to_owned(),
        _ => name,
    }
}

pub(super) fn is_environment(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.")
}

/// Whether networks with their passwords are usually in a file of this name.
pub(super) fn of_networks(name: &str) -> bool {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    NETWORKS.contains(&stem) && ["", "dat", "txt", "csv", "json", "conf", "cfg", "db"].contains(&end)
}
