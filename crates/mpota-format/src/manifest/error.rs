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
    /// A file line is not of the one form.
    Entry,
    /// A path breaks a rule for paths by itself.
    Path,
    /// A path is not above the one before it, or lies inside it.
    PathOrder,
    /// Offsets, lengths and sizes do not fit, or an asset name comes twice.
    Layout,
    /// More files than allowed.
    TooManyFiles,
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
        Self::Entry,
        Self::Path,
        Self::PathOrder,
        Self::Layout,
        Self::TooManyFiles,
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
            Self::Entry => "entry",
            Self::Path => "path",
            Self::PathOrder => "path-order",
            Self::Layout => "layout",
            Self::TooManyFiles => "too-many-files",
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
#[error("{code} in line {line}: {detail}")]
pub struct ManifestError {
    code: Code,
    line: usize,
    detail: String,
}

impl ManifestError {
    pub(super) fn new(code: Code, line: usize, detail: impl Into<String>) -> Self {
        Self { code, line, detail: detail.into() }
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

    /// What is wrong, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}
