//! Knows a secret by its name and by what is in it.

/// Names that hold passwords by custom, in lower case.
const NAMES: [&str; 7] =
    ["secrets.py", "secret.py", "wifi_config.py", "id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"];
/// GitHub's tokens: what they begin with, and how many characters follow at least.
const TOKENS: [(&str, usize); 6] =
    [("ghp_", 36), ("gho_", 36), ("ghu_", 36), ("ghs_", 36), ("ghr_", 36), ("github_pat_", 22)];

/// Why this file should not be published, or `None`.
pub fn suspicion(path: &str, bytes: &[u8]) -> Option<&'static str> {
    by_name(path).or_else(|| by_content(bytes))
}

/// The same, by the name alone.
pub fn by_name(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if NAMES.contains(&name.as_str()) {
        Some("a file of this name usually holds passwords or keys")
    } else if name == ".env" || name.starts_with(".env.") {
        Some("an environment file usually holds passwords or keys")
    } else if name.ends_with(".pem") {
        Some("a .pem file may hold a private key")
    } else {
        None
    }
}

/// The same, by the content alone.
pub fn by_content(bytes: &[u8]) -> Option<&'static str> {
    if has_private_key(bytes) {
        Some("it holds a private key")
    } else if TOKENS.iter().any(|(start, length)| has_token(bytes, start.as_bytes(), *length)) {
        Some("it holds a GitHub token")
    } else {
        None
    }
}

fn has_private_key(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"PRIVATE KEY-----";
    // Between the two stands at most the kind of key ("ENCRYPTED ", "OPENSSH ").
    positions(bytes, BEGIN).any(|at| {
        let rest = &bytes[at + BEGIN.len()..];
        let line = &rest[..rest.len().min(20 + END.len())];
        line.windows(END.len()).any(|window| window == END)
    })
}

fn has_token(bytes: &[u8], start: &[u8], length: usize) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    positions(bytes, start).any(|at| {
        let stands_alone = at == 0 || !part(&bytes[at - 1]);
        stands_alone && bytes[at + start.len()..].iter().take_while(|b| part(b)).count() >= length
    })
}

fn positions<'a>(bytes: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(what.len()).enumerate().filter(move |(_, w)| *w == what).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_in_any_folder_and_letter_case() {
        let names = ["secrets.py", "lib/Secrets.py", "WIFI_CONFIG.py", ".env", ".env.local", "a/k.PEM"];
        for name in names {
            assert!(suspicion(name, b"").is_some(), "{name}");
        }
        for name in ["main.py", "secrets_test.py", "environment.py", "lib/pem.py"] {
            assert!(suspicion(name, b"").is_none(), "{name}");
        }
    }

    #[test]
    fn private_keys_and_tokens_are_known_by_content() {
        let token = format!("TOKEN = \"ghp_{}\"", "a1".repeat(18));
        let fine_grained = format!("github_pat_{}", "Z9".repeat(41));
        for text in [
            "-----BEGIN PRIVATE KEY-----\n",
            "x = '''-----BEGIN OPENSSH PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----",
            &token,
            &fine_grained,
        ] {
            assert!(suspicion("x.py", text.as_bytes()).is_some(), "{text}");
        }
        let short = "ghp_short and not_ghp_".to_owned() + &"a".repeat(40);
        for text in ["-----BEGIN CERTIFICATE-----\n", "-----BEGIN PUBLIC KEY-----", &short] {
            assert!(suspicion("x.py", text.as_bytes()).is_none(), "{text}");
        }
    }
}
