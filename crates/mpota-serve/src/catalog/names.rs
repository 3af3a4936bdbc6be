//! Which names a release's tag and assets may have.

/// Longest name of a tag or an asset.
const MOST: usize = 250;

/// The name under which GitHub keeps an uploaded asset: what is neither letter,
/// digit nor one of `_ - + @` becomes a dot, dots in a row become one, and none
/// stands at either end. GitHub's own rule is not written down; this one agrees
/// with what is known of it. None: nothing can be made of it.
pub(crate) fn asset_name(wanted: &str) -> Option<String> {
    let mut name = String::with_capacity(wanted.len());
    for letter in wanted.chars() {
        if letter.is_ascii_alphanumeric() || "_-+@".contains(letter) {
            name.push(letter);
        } else if !name.ends_with('.') {
            name.push('.');
        }
    }
    let name = name.trim_end_matches('.');
    if name.is_empty() && wanted.is_ascii() {
        return None;
    }
    let name = if name.is_empty() || name.starts_with('.') { format!("default{name}") } else { name.into() };
    (name.len() <= MOST).then_some(name)
}

/// Whether git takes this as the name of a tag.
pub(crate) fn is_tag(tag: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let bad = |letter: char| letter.is_control() || " ~^:?*[\\".contains(letter);
    tag.len() <= MOST
        && tag.split('/').all(part)
        && !tag.chars().any(bad)
        && !tag.contains("..")
        && !tag.contains("@{")
        && !tag.starts_with('-')
        && !tag.ends_with('.')
        && tag != "@"
}

/// Whether a tag can be the name of its folder on every system.
pub(crate) fn is_folder_name(tag: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    tag.len() <= 100 && tag.bytes().all(plain) && is_tag(tag)
}

#[cfg(test)]
mod tests {
    use super::{asset_name, is_folder_name, is_tag};

    #[test]
    fn an_assets_name_loses_what_github_replaces() {
        let cases = [
            ("weather-v1.2.0.pack", Some("weather-v1.2.0.pack")),
            ("app_1.0-1~deb.tar.gz", Some("app_1.0-1.deb.tar.gz")),
            ("a b  c.txt", Some("a.b.c.txt")),
            ("prod-(15-5)-x.apk", Some("prod-.15-5.-x.apk")),
            ("x(64)_1.msi", Some("x.64._1.msi")),
            ("../../etc/passwd", Some("default.etc.passwd")),
            ("..\\up.txt", Some("default.up.txt")),
            ("a/b", Some("a.b")),
            ("nul\0byte", Some("nul.byte")),
            (".env", Some("default.env")),
            ("trailing..", Some("trailing")),
            ("茶.txt", Some("default.txt")),
            ("茶", Some("default")),
            ("c++@2.zip", Some("c++@2.zip")),
            ("", None),
            ("..", None),
            ("/", None),
        ];
        for (wanted, name) in cases {
            assert_eq!(asset_name(wanted).as_deref(), name, "{wanted:?}");
        }
        assert_eq!(asset_name(&"x".repeat(251)), None);
        println!("  cases {}: names of assets", cases.len() + 1);
    }

    #[test]
    fn tags_are_what_git_takes_and_folders_are_less() {
        let fine = [("v1.0.0", true), ("weather/v1.0.0", false), ("v1+build.5", true), ("é", false)];
        for (tag, folder) in fine {
            assert!(is_tag(tag), "{tag}");
            assert_eq!(is_folder_name(tag), folder, "{tag}");
        }
        let bad = [
            "", ".", "..", "../x", "a/../b", "/a", "a/", "a//b", ".a", "a/.b", "a b", "a~b", "a^b", "a:b",
            "a?b", "a*b", "a[b", "a\\b", "a\nb", "a\0b", "a..b", "a@{b", "@", "a.lock", "a.", "-a",
        ];
        for tag in bad {
            assert!(!is_tag(tag) && !is_folder_name(tag), "{tag:?}");
        }
        println!("  cases {}: names of tags", fine.len() + bad.len());
    }
}
