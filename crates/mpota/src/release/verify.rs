//! Is a release what it says: its manifest, every file, its signature.

use miette::Diagnostic;
use mpota_format::digest::hex;
use mpota_format::limits;
use mpota_format::manifest::{Code, FileEntry, Manifest, ManifestError, Place, compiled};
use mpota_format::sshsig::{self, PublicKey, SigError};
use mpota_format::version::is_channel;
use serde::Serialize;
use thiserror::Error;

use crate::check::shadows;
use crate::release::compare::{self, Difference};
use crate::release::contents::{self, Finding};
use crate::release::dist::{self, MANIFEST};
use crate::remote::access::Access;
use crate::remote::lookup;
use crate::remote::source::{Source, SourceError};
use crate::remote::target::Target;

/// What to verify, and how.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// Where the release is.
    pub target: Target,
    /// The server, and what is trusted.
    pub access: Access,
    /// An older release: what would change for boards that have it?
    pub against: Option<Target>,
}

impl VerifyOptions {
    /// Options that ask GitHub and trust no key.
    pub fn new(target: Target) -> Self {
        Self { target, access: Access::default(), against: None }
    }
}

/// Why nothing could be said about the release.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no manifest.
    #[error("there is no release: {0}")]
    #[diagnostic(code(release::not_found))]
    #[diagnostic(help(
        "is the name right? A private repository looks the same from outside: set MPOTA_TOKEN or GH_TOKEN, or log in with `gh auth login`"
    ))]
    NoRelease(String),
    /// There is none that the token may see.
    #[error("there is no release: {place} is not there for the token from {from}")]
    #[diagnostic(code(release::not_for_token))]
    #[diagnostic(help(
        "is the name right, and may the token read it? A fine-grained one needs Contents: read"
    ))]
    NotForToken {
        /// What was asked for.
        place: String,
        /// Where the token came from.
        from: &'static str,
    },
    /// Something cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// It is for a later mpota than this.
    #[error("{place} is for a later mpota")]
    #[diagnostic(code(manifest::newer))]
    #[diagnostic(help("update mpota; a board takes it once it has an updater that knows this"))]
    Newer {
        /// Where it was read.
        place: String,
        /// What must be known.
        #[source]
        source: ManifestError,
    },
    /// The manifest is not one.
    #[error("{place} is not a manifest")]
    #[diagnostic(code(manifest::invalid))]
    #[diagnostic(help("no board takes it; make it with `mpota build` or `mpota manifest`"))]
    Manifest {
        /// Where it was read.
        place: String,
        /// What is wrong with it.
        #[source]
        source: ManifestError,
    },
}

impl VerifyError {
    /// Why the manifest at `place` is not taken.
    pub(crate) fn manifest(place: String, source: ManifestError) -> Self {
        match source.kind() {
            Code::Needs | Code::FormatVersion => Self::Newer { place, source },
            _ => Self::Manifest { place, source },
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Where the release was read.
    pub target: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub project: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// What an updater must know to take it.
    pub needs: Vec<String>,
    /// What it asks of a board, in words: `micropython 1.21`.
    pub requires: Vec<String>,
    /// The hooks: `post_update hooks/migrate.py`.
    pub hooks: Vec<String>,
    /// The pack's name, unless each file is an asset.
    pub pack: Option<String>,
    /// Bytes of all files on a board.
    pub size: u64,
    /// Bytes of all assets but the manifest.
    pub download: u64,
    /// Who signed it.
    pub signature: Signature,
    /// Whether the files themselves were looked at.
    pub files_checked: bool,
    /// The files, in the order of the manifest.
    pub files: Vec<FileReport>,
    /// Its compiled forms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compiled: Vec<Compiled>,
    /// Where the token came from, if it took one to read the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'static str>,
    /// What changes against an older release, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Difference>,
    /// What is good to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// All that is wrong. Nothing: the release is good.
    pub problems: Vec<Problem>,
}

/// The compiled form of the release, for firmware that loads `.mpy` files of one version.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Compiled {
    /// The version of `.mpy` files.
    pub mpy: u8,
    /// Its manifest.
    pub manifest: String,
    /// Bytes of all files on a board.
    pub size: u64,
    /// Bytes of all assets but the manifest.
    pub download: u64,
    /// How many files it has.
    pub files: usize,
}

/// A file of the release.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// Its path on the board.
    pub path: String,
    /// Its bytes on the board.
    pub size: u64,
    /// Its bytes in the release.
    pub stored: u64,
    /// Of its content, in hex.
    pub sha256: String,
    /// The asset that holds it.
    pub asset: String,
    /// Whether a board that has a file there leaves it as it is.
    pub keep: bool,
    /// `ok`, the code of what is wrong, or `-` if it was not looked at.
    pub status: &'static str,
}

/// Who signed the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
#[non_exhaustive]
pub enum Signature {
    /// Nobody.
    Unsigned,
    /// A key that is trusted.
    Trusted {
        /// `SHA256:...`
        fingerprint: String,
        /// The trusted key's comment.
        comment: String,
    },
    /// A key; no keys were given to compare it with.
    Unchecked {
        /// `SHA256:...`
        fingerprint: String,
    },
    /// No board takes it.
    Refused {
        /// The code of `spec/manifest.md`.
        code: &'static str,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A short name for programs.
    pub code: &'static str,
    /// With what.
    pub about: String,
    /// What is wrong, in words.
    pub text: String,
}

impl Problem {
    /// Its code among those of all errors and warnings.
    pub fn diagnostic(&self) -> String {
        format!("verify::{}", self.code.replace('-', "_"))
    }
}

impl Report {
    /// Whether all is well.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, code: &'static str, about: &str, text: impl ToString) {
        self.problems.push(Problem { code, about: about.to_owned(), text: text.to_string() });
    }
}

/// Reads a release and checks all that can be checked.
pub fn verify(options: &VerifyOptions) -> Result<Report, VerifyError> {
    let found = lookup::find(&options.target, options)?;
    let manifest = found.parse()?;
    let mut report = describe(options.target.to_string(), &manifest);
    report.token = found.token;
    check_signature(&mut report, MANIFEST, &found.bytes, &options.access.keys);
    if let Target::Project { project, tag } = &options.target {
        let project = options.access.identity.as_ref().unwrap_or(project);
        check_name(&mut report, project, tag.as_deref().or(found.tag.as_deref()));
    }
    if let Some(target) = &options.against {
        let old = lookup::find(target, options)?.parse()?;
        let size = found.bytes.len() as u64;
        report.against = Some(compare::compare(&manifest, size, &old, target.to_string()));
    }
    let bytes = found.bytes.clone();
    if let Some(source) = found.assets(&manifest) {
        if let Target::Project { tag: Some(tag), .. } = &options.target
            && is_channel(tag)
        {
            check_channel(&mut report, source.as_ref(), tag, &bytes)?;
        }
        let mut names = check_files(&mut report, source.as_ref(), &manifest)?;
        for mpy in manifest.header.compiled() {
            names.extend(check_compiled(&mut report, source.as_ref(), &manifest, mpy, options)?);
        }
        for name in source.names()?.unwrap_or_default() {
            if name != MANIFEST && !dist::is_beside(&name) && !names.contains(&name) {
                report.problem("extra", &name, "it does not belong to the release");
            }
        }
    }
    Ok(report)
}

/// A compiled form is the same release, signed by the same keys; the names of its assets.
fn check_compiled(
    report: &mut Report,
    source: &dyn Source,
    first: &Manifest,
    mpy: u8,
    options: &VerifyOptions,
) -> Result<Vec<String>, VerifyError> {
    let name = compiled::asset(mpy);
    let bytes = match source.open(&name) {
        Ok(mut asset) => asset.take(limits::MANIFEST as u64 + 1)?,
        Err(SourceError::Missing(_)) => {
            report.problem("missing", &name, format!("{name} is not there, and {MANIFEST} names it"));
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let manifest = Manifest::parse(&bytes).map_err(|source| VerifyError::manifest(name.clone(), source))?;
    let mut own = describe(name.clone(), &manifest);
    check_signature(&mut own, &name, &bytes, &options.access.keys);
    let header = &manifest.header;
    if (&header.version, &header.project) != (&first.header.version, &first.header.project) {
        own.problem("compiled", &name, format!("it is of another release than {MANIFEST}"));
    }
    if !header.compiled().is_empty() {
        own.problem("compiled", &name, "a compiled form names others, and boards look for one only once");
    }
    let takes = header.requires.mpy.as_deref().and_then(|text| text.split('.').next());
    if takes != Some(&mpy.to_string()) {
        own.problem("compiled", &name, format!("it does not require .mpy version {mpy}"));
    }
    let mut names = check_files(&mut own, source, &manifest)?;
    names.push(name.clone());
    report.compiled.push(Compiled {
        mpy,
        manifest: name,
        size: own.size,
        download: own.download,
        files: own.files.len(),
    });
    report.problems.append(&mut own.problems);
    Ok(names)
}

fn describe(target: String, manifest: &Manifest) -> Report {
    let header = &manifest.header;
    let requires = &header.requires;
    let one_of = |names: &[String]| (!names.is_empty()).then(|| names.join(" or "));
    let paths = manifest.files.iter().map(|file| file.path.as_str());
    let named = |name: &str, value: &Option<String>| value.as_ref().map(|v| format!("{name} {v}"));
    let files: Vec<FileReport> = manifest
        .files
        .iter()
        .map(|file| describe_file(file, header.pack.as_ref().map(|p| p.asset.as_str())))
        .collect();
    Report {
        target,
        version: header.version.to_string(),
        project: header.project.clone(),
        created: header.created,
        needs: header.needs.clone(),
        requires: [
            named("micropython", &requires.micropython),
            named("platform", &one_of(&requires.platform)),
            named("mpy", &requires.mpy),
            named("board", &one_of(&requires.board)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        hooks: [named("post_update", &header.hooks.post_update), named("rollback", &header.hooks.rollback)]
            .into_iter()
            .flatten()
            .collect(),
        pack: header.pack.as_ref().map(|pack| pack.asset.clone()),
        size: files.iter().map(|file| file.size).sum(),
        download: files.iter().map(|file| file.stored).sum(),
        signature: Signature::Unsigned,
        files_checked: false,
        files,
        token: None,
        against: None,
        notes: shadows::note(paths, requires.mpy.as_deref()).into_iter().collect(),
        compiled: Vec::new(),
        problems: Vec::new(),
    }
}

fn describe_file(file: &FileEntry, pack: Option<&str>) -> FileReport {
    let (stored, asset) = match &file.place {
        Place::Packed { length, .. } => (*length, pack.unwrap_or_default().to_owned()),
        Place::Asset { name } => (file.size, name.clone()),
        _ => (file.size, String::new()),
    };
    FileReport {
        path: file.path.clone(),
        size: file.size,
        stored,
        sha256: hex(&file.sha256),
        asset,
        keep: file.keep,
        status: "-",
    }
}

fn check_signature(report: &mut Report, name: &str, manifest: &[u8], keys: &[PublicKey]) {
    let checked = if keys.is_empty() {
        sshsig::signer(manifest).map(|key| Signature::Unchecked { fingerprint: key.fingerprint() })
    } else {
        sshsig::check(manifest, keys)
            .map(|key| Signature::Trusted { fingerprint: key.fingerprint, comment: key.comment })
    };
    report.signature = match checked {
        Ok(signature) => signature,
        Err(SigError::Unsigned) if keys.is_empty() => Signature::Unsigned,
        Err(error) => {
            report.problem(error.code(), name, error);
            match error {
                SigError::Unsigned => Signature::Unsigned,
                _ => Signature::Refused { code: error.code() },
            }
        }
    };
}

/// A release must say the name under which it was found.
fn check_name(report: &mut Report, project: &str, tag: Option<&str>) {
    // The tag of a channel is its name.
    if let Some(tag) = tag.filter(|tag| *tag != report.version && !is_channel(tag)) {
        let text = format!("it says version {}, but its tag is {tag}", report.version);
        report.problem("tag", MANIFEST, text);
    }
    // GitHub does not tell upper from lower case in these names.
    if let Some(other) = report.project.clone().filter(|p| !p.eq_ignore_ascii_case(project)) {
        report.problem("project", MANIFEST, format!("it is for {other}: no board of {project} takes it"));
    }
}

/// A channel has the very manifest of the version's own release.
fn check_channel(
    report: &mut Report,
    source: &dyn Source,
    tag: &str,
    bytes: &[u8],
) -> Result<(), SourceError> {
    let own = match source.open(MANIFEST) {
        Ok(mut own) => own.take(bytes.len() as u64 + 1)?,
        Err(SourceError::Missing(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    if own != bytes {
        let text = format!("the channel {tag} has another one than the release {}", report.version);
        report.problem("channel", MANIFEST, text);
    }
    Ok(())
}

/// The names of its assets, too.
fn check_files(
    report: &mut Report,
    source: &dyn Source,
    manifest: &Manifest,
) -> Result<Vec<String>, SourceError> {
    report.files_checked = true;
    let mut number = 0;
    contents::check::<SourceError>(source, manifest, &mut |finding| {
        match finding {
            Finding::Good(..) => report.files[number].status = "ok",
            Finding::Bad(file, fault) => {
                report.files[number].status = fault.code();
                report.problem(fault.code(), &file.path, fault);
            }
            Finding::Release(fault) => {
                report.problem(fault.code(), MANIFEST, fault);
                return Ok(());
            }
            Finding::Pack(fault) => {
                let asset = report.pack.clone().unwrap_or_default();
                report.problem(fault.code(), &asset, fault);
                return Ok(());
            }
        }
        number += 1;
        Ok(())
    })?;
    Ok(dist::asset_names(manifest).into_iter().map(str::to_owned).collect())
}
