//! Which files of an app's folder are in its release.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder};
use miette::Diagnostic;
use mpota_format::path::check_path;
use thiserror::Error;

use crate::app::belongs;
use crate::files::FileError;

/// What Python leaves lying about: never in a release.
const NEVER: [&str; 2] = ["**/__pycache__", "**/*.pyc"];

/// Why no set of files could be made.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SelectError {
    /// A pattern is not a glob.
    #[error("the pattern {pattern:?} is not a glob")]
    #[diagnostic(
        code(select::pattern),
        help("a pattern is a path with `*`, `**`, `?`, `[abc]` or `{{a,b}}`, like lib/**/*.py")
    )]
    Glob {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
    /// A pattern that should bring files brings none.
    #[error("no file matches {pattern:?} of `{key}`")]
    #[diagnostic(code(select::no_match))]
    #[diagnostic(help(
        "patterns are seen from root: `lib`, `lib/**`, `**/*.py`; is it in .gitignore or excluded?"
    ))]
    NoMatch {
        /// As it was given.
        pattern: String,
        /// The key of `mpota.toml` that it stands under.
        key: &'static str,
    },
    /// There is nothing to release.
    #[error("no file of {} is in the release", .0.display())]
    #[diagnostic(code(select::empty))]
    #[diagnostic(help("look at `include`, `exclude` and .gitignore"))]
    Empty(PathBuf),
    /// A link leads somewhere else.
    #[error("{} is a symlink that leads out of {}, to {}", link.display(), root.display(), target.display())]
    #[diagnostic(code(select::link_out))]
    #[diagnostic(help("put a copy of it here, exclude it, or, if it is meant, --allow-link {path}"))]
    LinkOut {
        /// The link, seen from root.
        path: String,
        /// The link.
        link: PathBuf,
        /// What it must stay in.
        root: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A link to a folder.
    #[error("{} is a symlink to the folder {}", link.display(), target.display())]
    #[diagnostic(code(select::link_to_folder))]
    #[diagnostic(help("only links to files are followed: put a copy of it here, or exclude it"))]
    LinkToFolder {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Something that is neither file nor folder nor link.
    #[error("{} is not a regular file", .0.display())]
    #[diagnostic(code(select::not_a_file))]
    #[diagnostic(help("exclude it"))]
    NotAFile(PathBuf),
    /// A name that is not UTF-8.
    #[error("the name of {} is not UTF-8", .0.display())]
    #[diagnostic(code(select::not_utf8))]
    #[diagnostic(help("rename it, or exclude it"))]
    NotUtf8(PathBuf),
    /// A name that a board may not have.
    #[error("{path}: no board can have a file of this name")]
    #[diagnostic(code(select::path))]
    #[diagnostic(help("rename it, or exclude it; the rules are in spec/manifest.md, Paths"))]
    Path {
        /// Seen from root.
        path: String,
        /// Which rule.
        #[source]
        source: mpota_format::path::PathError,
    },
    /// It cannot be looked at.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The folder cannot be walked.
    #[error("cannot look through {}", path.display())]
    #[diagnostic(code(select::folder), help("may you read the folder?"))]
    Walk {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ignore::Error,
    },
}

/// A file to release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Its path on the board.
    pub path: String,
    /// Where it lies here, links followed.
    pub disk: PathBuf,
}

/// What is wanted from which folder.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// The folder, as it shall lie on the board.
    pub root: &'a Path,
    /// Globs: what is taken.
    pub include: &'a [String],
    /// Globs: what is not.
    pub exclude: &'a [String],
    /// Paths that are taken whatever `.gitignore` and `exclude` say.
    pub also: &'a [String],
    /// Paths of links that may lead out of the folder.
    pub links: &'a [String],
    /// Files and folders, absolute, that are never taken.
    pub never: &'a [PathBuf],
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The files, in the order of their paths.
    pub files: Vec<Selected>,
    /// What does not belong on a board, and no pattern names: folders end in a slash.
    pub left_out: Vec<String>,
}

impl Selection<'_> {
    /// The files, and what is not among them.
    pub fn select(&self) -> Result<Found, SelectError> {
        let root = self.root.canonicalize().map_err(FileError::at("read", self.root))?;
        let rules = Rules::new(self)?;
        let mut found = BTreeMap::new();
        let left_out = Arc::new(Mutex::new(BTreeSet::new()));
        for entry in self.walk(&root, &rules, &left_out) {
            let entry = entry.map_err(|source| SelectError::Walk { path: root.clone(), source })?;
            rules.take(&root, &entry, self.links, &mut found)?;
        }
        for path in self.also {
            found.insert(path.clone(), disk_file(&root, &root.join(path), self.links.contains(path))?);
        }
        for (pattern, glob) in self.include.iter().zip(&rules.each) {
            if !found.keys().any(|path| glob.is_match(path)) {
                return Err(SelectError::NoMatch { pattern: pattern.clone(), key: "include" });
            }
        }
        if found.is_empty() {
            return Err(SelectError::Empty(root));
        }
        let files = found.into_iter().map(|(path, disk)| match check_path(&path) {
            Ok(()) => Ok(Selected { path, disk }),
            Err(source) => Err(SelectError::Path { path, source }),
        });
        let left_out = left_out.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        Ok(Found { files: files.collect::<Result<_, _>>()?, left_out })
    }

    fn walk(
        &self,
        root: &Path,
        rules: &Rules,
        left_out: &Arc<Mutex<BTreeSet<String>>>,
    ) -> impl Iterator<Item = Result<DirEntry, ignore::Error>> + use<> {
        // Only what the tree itself says counts, not the settings of who builds.
        let mut builder = WalkBuilder::new(root);
        builder.hidden(false).ignore(false).git_global(false).git_exclude(false);
        builder.git_ignore(true).require_git(false).parents(in_git(root));
        let (root, never, include) = (root.to_owned(), self.never.to_owned(), self.include.to_owned());
        let (exclude, hidden) = (rules.exclude.clone(), !rules.hidden.is_empty());
        let left_out = Arc::clone(left_out);
        builder.filter_entry(move |entry| {
            let path = entry.path().strip_prefix(&root).unwrap_or(entry.path());
            let shown = hidden || !entry.file_name().as_encoded_bytes().starts_with(b".");
            let wanted = shown
                && !is_mpotas(path)
                && entry.file_name() != ".git"
                && !exclude.is_match(path)
                && !never.iter().any(|never| never == entry.path());
            let leaves = wanted
                && belongs::is_left_out(entry.path())
                && !belongs::is_named(&include, &root, entry.path());
            if leaves && entry.depth() > 0 {
                let slash = if entry.path().is_dir() { "/" } else { "" };
                let path = format!("{}{slash}", path.display());
                left_out.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
            }
            entry.depth() == 0 || wanted && !leaves
        });
        builder.build()
    }
}

/// The file at `path` of the folder `root`, where links may lead within `root` only, or anywhere.
pub fn disk_file(root: &Path, path: &Path, anywhere: bool) -> Result<PathBuf, SelectError> {
    let target = path.canonicalize().map_err(FileError::at("read", path))?;
    if !anywhere && !target.starts_with(root) {
        let seen = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let (link, root) = (path.to_owned(), root.to_owned());
        return Err(SelectError::LinkOut { path: seen, link, root, target });
    }
    if target.is_dir() && path.is_symlink() {
        return Err(SelectError::LinkToFolder { link: path.to_owned(), target });
    }
    if !target.is_file() {
        return Err(SelectError::NotAFile(path.to_owned()));
    }
    Ok(target)
}

/// Those of the paths that one of the patterns matches, which stand under `key`. Each has to match one.
pub(crate) fn matching<'a>(
    patterns: &[String],
    key: &'static str,
    paths: impl Iterator<Item = &'a str> + Clone,
) -> Result<BTreeSet<String>, SelectError> {
    let mut found = BTreeSet::new();
    for pattern in patterns {
        let glob = globs([pattern])?;
        let before =
            paths.clone().filter(|path| glob.is_match(path)).map(|path| found.insert(path.to_owned()));
        if before.count() == 0 {
            return Err(SelectError::NoMatch { pattern: pattern.clone(), key });
        }
    }
    Ok(found)
}

struct Rules {
    include: GlobSet,
    /// The patterns of `include` one by one, to find the one that brings nothing.
    each: Vec<GlobSet>,
    /// Folders below which `include` may want something.
    folders: GlobSet,
    /// Those that name something hidden.
    hidden: GlobSet,
    exclude: GlobSet,
}

impl Rules {
    fn new(selection: &Selection) -> Result<Self, SelectError> {
        let include = selection.include;
        let each = include.iter().map(|pattern| globs([pattern])).collect::<Result<_, _>>()?;
        let never = NEVER.map(str::to_owned);
        Ok(Self {
            include: globs(include)?,
            each,
            folders: globs(&include.iter().flat_map(|pattern| folders(pattern)).collect::<Vec<_>>())?,
            hidden: globs(include.iter().filter(|pattern| is_hidden(pattern)))?,
            exclude: globs(selection.exclude.iter().chain(&never))?,
        })
    }

    /// Whether a file at this path is wanted.
    fn wants(&self, path: &str) -> bool {
        if is_hidden(path) { self.hidden.is_match(path) } else { self.include.is_match(path) }
    }

    fn take(
        &self,
        root: &Path,
        entry: &DirEntry,
        links: &[String],
        found: &mut BTreeMap<String, PathBuf>,
    ) -> Result<(), SelectError> {
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            return Ok(());
        }
        let Some(path) = board_path(root, entry.path()) else {
            return Err(SelectError::NotUtf8(entry.path().to_owned()));
        };
        let folder = entry.path_is_symlink() && entry.path().is_dir();
        if self.wants(&path) || (folder && self.folders.is_match(&path)) {
            let disk = disk_file(root, entry.path(), links.contains(&path))?;
            found.insert(path, disk);
        }
        Ok(())
    }
}

/// Whether the updater keeps something of its own at this path of a board.
fn is_mpotas(path: &Path) -> bool {
    path.as_os_str().eq_ignore_ascii_case(".ota") || path.as_os_str().eq_ignore_ascii_case("version.json")
}

/// Whether `root` lies in a work tree: then `.gitignore` files above it count too.
fn in_git(root: &Path) -> bool {
    root.ancestors().any(|folder| folder.join(".git").exists())
}

fn board_path(root: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}

fn has_wildcard(part: &str) -> bool {
    part.contains(['*', '?', '[', '{', '\\'])
}

/// Globs for the folders that files of this pattern may lie in.
fn folders(pattern: &str) -> Vec<String> {
    if pattern.contains(['{', '[']) {
        // A slash may stand within the brackets: any folder may be one.
        return vec!["**".to_owned()];
    }
    let pattern = normal(pattern);
    let above = pattern.match_indices('/').map(|(at, _)| &pattern[..at]);
    let all = pattern.ends_with("**") || !has_wildcard(pattern);
    above.chain(all.then_some(pattern)).map(str::to_owned).collect()
}

/// A pattern as people write it, without what means nothing.
fn normal(pattern: &str) -> &str {
    pattern.trim_start_matches("./").trim_end_matches('/')
}

fn globs<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Result<GlobSet, SelectError> {
    let mut set = GlobSetBuilder::new();
    for given in patterns {
        let error = |source| SelectError::Glob { pattern: given.clone(), source };
        let pattern = normal(given);
        let mut add = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
            set.add(glob);
            Ok(())
        };
        add(pattern).map_err(error)?;
        if !pattern.rsplit('/').next().is_some_and(has_wildcard) {
            add(&format!("{pattern}/**")).map_err(error)?;
        }
    }
    set.build().map_err(|source| SelectError::Glob { pattern: String::new(), source })
}
