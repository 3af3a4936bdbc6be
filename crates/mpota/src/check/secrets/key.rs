//! Names under which secrets stand, and values that are none.

/// What kind of secret a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Chosen by a person: anything may be one.
    Password,
    /// Made by a machine: long, and with digits.
    Token,
}

/// Ends of words that promise a password.
const PASSWORDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "psk",
    "passwort",
    "secret",
    "wifipass",
    "wlanpass",
    "wifipw",
    "wifipwd",
    "pswd",
    "kennwort",
    "motdepasse",
    "contrasena",
];
/// Words that do, after another word or alone.
const SHORT: [&str; 3] = ["pass", "pwd", "pw"];
/// What stands before `key`, where the key is a password.
const WIFI: [&str; 4] = ["wifi", "wlan", "wpa", "ap"];
/// What stands before `key`, where a machine made it.
const MACHINE: [&str; 12] = [
    "api",
    "access",
    "auth",
    "secret",
    "aio",
    "app",
    "nwk",
    "private",
    "encryption",
    "account",
    "shared",
    "write",
];
/// Last words that make it something about a secret.
const ABOUT: [&str; 30] = [
    "url", "uri", "file", "path", "name", "field", "type", "env", "var", "variable", "header", "length",
    "len", "min", "max", "hint", "label", "prompt", "endpoint", "format", "prefix", "id", "error", "message",
    "msg", "title", "text", "host", "regex", "pattern",
];

/// What the name promises, or `None`.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let words = words(name);
    if words.last().is_some_and(|last| ABOUT.contains(&last.as_str())) {
        return None;
    }
    let ends = |ends: &[&str]| words.iter().any(|word| ends.iter().any(|end| word.ends_with(end)));
    let pairs = |first: &[&str], second: &[&str]| {
        words.windows(2).any(|pair| first.contains(&&*pair[0]) && second.contains(&&*pair[1]))
    };
    if ends(&PASSWORDS)
        || words.last().is_some_and(|last| SHORT.contains(&last.as_str()))
        || pairs(&WIFI, &["key"])
    {
        Some(Kind::Password)
    } else if ends(&["token", "apikey", "appkey"])
        || pairs(&MACHINE, &["key"])
        || pairs(&["blynk"], &["auth"])
    {
        Some(Kind::Token)
    } else {
        None
    }
}

/// `wifiPassword`, `WIFI_PASSWORD` and `wifi-password` as the same two words.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for character in name.chars() {
        let begins = character.is_uppercase() && before_lower;
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        before_lower = character.is_lowercase();
    }
    // `password2` is one more password.
    let words = words.into_iter().map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// Whether the name promises a secret and this is one.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    kind(name).is_some_and(|kind| is_value(kind, value))
}

/// Words of which placeholders are made.
const GENERIC: [&str; 37] = [
    "ssid",
    "user",
    "username",
    "here",
    "my",
    "the",
    "a",
    "wifi",
    "wlan",
    "wi",
    "fi",
    "network",
    "password",
    "passwd",
    "passphrase",
    "psk",
    "pass",
    "pwd",
    "pw",
    "token",
    "secret",
    "key",
    "api",
    "access",
    "auth",
    "github",
    "none",
    "null",
    "default",
    "string",
    "str",
    "some",
    "bearer",
    "or",
    "and",
    "foo",
    "bar",
];
/// Words that make a placeholder of whatever is beside them.
const TELLING: [&str; 13] = [
    "your",
    "enter",
    "insert",
    "change",
    "changeme",
    "changeit",
    "example",
    "placeholder",
    "replace",
    "dummy",
    "redacted",
    "todo",
    "fixme",
];

/// Whether it is a word in the place of a value.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_lowercase();
    let mut characters = lower.chars();
    let first = characters.next();
    let same = first.is_none_or(|first| characters.all(|other| other == first));
    let framed = [("<", ">"), ("{", "}"), ("[", "]"), ("%", "%"), ("%(", ")s"), ("${", "}"), ("$(", ")")];
    let framed = framed.iter().any(|(start, end)| value.starts_with(start) && value.ends_with(end));
    let variable = value.strip_prefix('$').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    });
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let generic = words.iter().all(|word| GENERIC.contains(word) || word.bytes().all(|byte| byte == b'x'));
    let telling = words.iter().any(|word| TELLING.contains(word));
    same || framed || variable || generic || telling
}

/// Whether it is a value, and not a word in its place.
pub(super) fn is_value(kind: Kind, value: &str) -> bool {
    let value = value.trim();
    if is_placeholder(value) {
        return false;
    }
    match kind {
        Kind::Password => true,
        Kind::Token => {
            let digit = value.bytes().any(|byte| byte.is_ascii_digit());
            let place = value.starts_with('/') || value.contains("://");
            !place && !value.contains(char::is_whitespace) && value.len() >= if digit { 6 } else { 16 }
        }
    }
}
