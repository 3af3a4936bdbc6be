//! Why a manifest is refused.

use std::fmt;

use thiserror::Error;

/// What rule of the spec's table a manifest breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The manifest has more bytes than allowed.
    TooLarge,
    /// The first line does not begin as a manifest's does.
    NotAManifest,
    /// Made by a newer mpota.
    FormatVersion,
    /// A line is longer than its limit, or not ended within it.
    LineTooLong,
    /// The header line is not of the one form.
    Header,
    /// The version is not a semantic version.
    Version,
    /// It needs an updater that knows more.
    Needs,
    /// A file line is not of the one form.
    Entry,
    /// A path breaks a rule for paths by itself.
    Path,
    /// A path is not above the one before it, or lies inside it.
    PathOrder,
    /// Offsets, lengths and sizes do not fit, or an asset name comes twice.
    Layout,
    /// Something else than the two endings comes after the files.
    Ending,
    /// The signature line is not base64 in its form.
    Signature,
    /// A hook is not a file of the release.
    Hook,
}

impl Code {
    /// All codes, in the order of the spec's table.
    pub const ALL: [Self; 14] = [
        Self::TooLarge,
        Self::NotAManifest,
        Self::FormatVersion,
        Self::LineTooLong,
        Self::Header,
        Self::Version,
        Self::Needs,
        Self::Entry,
        Self::Path,
        Self::PathOrder,
        Self::Layout,
        Self::Ending,
        Self::Signature,
        Self::Hook,
    ];

    /// The code as the spec writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NotAManifest => "not-a-manifest",
            Self::FormatVersion => "format-version",
            Self::LineTooLong => "line-too-long",
            Self::Header => "header",
            Self::Version => "version",
            Self::Needs => "needs",
            Self::Entry => "entry",
            Self::Path => "path",
            Self::PathOrder => "path-order",
            Self::Layout => "layout",
            Self::Ending => "ending",
            Self::Signature => "signature",
            Self::Hook => "hook",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A manifest that is refused: by which rule, in which line, and what is wrong there in words.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct ManifestError {
    code: Code,
    line: usize,
    detail: String,
    needs: Vec<String>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Code::Needs => f.write_str(&self.detail), // nothing is wrong with the line
            code => write!(f, "{code} in line {}: {}", self.line, self.detail),
        }
    }
}

impl ManifestError {
    pub(super) fn new(code: Code, line: usize, detail: impl Into<String>) -> Self {
        Self { code, line, detail: detail.into(), needs: Vec::new() }
    }

    /// The refusal of a release that needs what nobody here knows.
    pub(super) fn needs(words: Vec<String>) -> Self {
        let detail = format!("needs an updater that knows: {}", words.join(", "));
        Self { needs: words, ..Self::new(Code::Needs, 1, detail) }
    }

    /// The code of the spec's table.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// The same as [`ManifestError::code`], to match on.
    #[must_use]
    pub fn kind(&self) -> Code {
        self.code
    }

    /// The line in question, from 1; line 1 where it is the whole manifest.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What an updater must know to take the release, and this one does not; empty unless the kind is [`Code::Needs`].
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.needs
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}
