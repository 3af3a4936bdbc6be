//! Release tags: semantic versions with or without a leading `v`, and their order.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use thiserror::Error;

use crate::limits;

/// Why a text is not a version.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionError {
    /// It has more characters than allowed.
    #[error("the version has more than {max} characters", max = limits::VERSION)]
    TooLong,
    /// It is not of the form of a semantic version; the reason in words.
    #[error("`{text}` is not a semantic version such as v1.2.3 or 1.2.3-rc.1: {reason}")]
    Form {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number in it has too many digits.
    #[error("the version has a number of more than {max} digits", max = limits::VERSION_DIGITS)]
    Number,
}

impl VersionError {
    /// The code of the spec's table.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "version"
    }
}

/// A release's version.
///
/// It keeps the tag as it was written, and that is what is shown. Compared are the precedences: `v1.0.0`,
/// `1.0.0` and `1.0.0+build` are equal. Compare [`Version::as_str`] where the very tag matters.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    /// Without the build metadata, so that its order is the precedence.
    semver: semver::Version,
}

impl Version {
    /// Reads a version such as `v1.2.3-rc.1+build`.
    ///
    /// # Errors
    /// The text is not a semantic version 2.0.0 within the limits.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.chars().count() > limits::VERSION {
            return Err(VersionError::TooLong);
        }
        let bare = text.strip_prefix('v').unwrap_or(text);
        let before_build = bare.split('+').next().unwrap_or_default();
        let too_long =
            |part: &str| part.len() > limits::VERSION_DIGITS && part.bytes().all(|b| b.is_ascii_digit());
        if before_build.split(['.', '-']).take(3).any(too_long) {
            return Err(VersionError::Number);
        }
        let mut semver = semver::Version::parse(bare)
            .map_err(|error| VersionError::Form { text: text.to_owned(), reason: error.to_string() })?;
        if semver.pre.split('.').any(too_long) {
            return Err(VersionError::Number);
        }
        semver.build = semver::BuildMetadata::EMPTY;
        Ok(Self { text: text.to_owned(), semver })
    }

    /// The tag as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a version before a release, such as `1.0.0-rc.1`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.semver.pre.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.semver == other.semver
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.semver.hash(state);
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.semver.cmp(&other.semver)
    }
}

/// Words that are no channel: they mean something else.
const TAKEN: [&str; 5] = ["latest", "stable", "main", "master", crate::rollout::TAG];

/// Whether `text` can name a channel: a tag that is no version, and a word that means nothing else.
#[must_use]
pub fn is_channel(text: &str) -> bool {
    let words = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    words && begins && text.len() <= 32 && !TAKEN.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_ordered_by_precedence_and_not_as_text() {
        assert!(v("1.6.0") < v("v1.11.0"));
        assert!(v("v1.0.0-rc.2") < v("1.0.0-rc.10"));
        assert!(v("1.0.0-rc.1") < v("1.0.0"));
        assert_eq!(v("v1.0.0+a"), v("1.0.0+b"));
    }

    #[test]
    fn the_tag_is_kept_as_written() {
        assert_eq!(v("v1.0.0+a").to_string(), "v1.0.0+a");
        assert!(v("v1.0.0-a").is_prerelease());
    }

    #[test]
    fn numbers_of_ten_digits_are_refused_and_build_metadata_is_not_a_number() {
        for text in ["1234567890.0.0", "v1.0.1234567890", "1.0.0-1234567890", "1.0.0-a.1234567890"] {
            assert_eq!(Version::parse(text), Err(VersionError::Number), "{text}");
        }
        for text in ["999999999.0.0", "1.0.0+1234567890", "1.0.0-a1234567890", "1.0.0-a-1234567890"] {
            assert!(Version::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn sixty_five_characters_are_too_long() {
        assert!(Version::parse(&format!("v1.0.0-{}", "a".repeat(57))).is_ok());
        assert_eq!(Version::parse(&format!("v1.0.0-{}", "a".repeat(58))), Err(VersionError::TooLong));
    }
}
