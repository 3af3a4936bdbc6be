//! What the checks of a release have to know of a file. It is read from the content once, and the content is not kept.

use std::collections::{BTreeMap, BTreeSet};

use mpota_format::digest::sha256;

use crate::app::python;
use crate::check::secrets::{Suspicion, source};
use crate::check::{allow, looks, starts, syntax, writes};

/// Bytes from the beginning of a file that tell what it is.
const BEGIN: usize = 2;

/// What there is to know of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Bytes of it.
    pub size: u64,
    /// Of its content.
    pub sha256: [u8; 32],
    /// Its first bytes.
    pub begin: Vec<u8>,
    /// If it is Python, and there is a syntax tree of it.
    pub python: Option<Python>,
    /// Its content, if it is the file of the keys that a board trusts.
    pub keys: Option<Vec<u8>>,
}

/// What the syntax tree of a Python file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    /// The first thing that no board compiles.
    pub fault: Option<syntax::Fault>,
    /// Whether it starts the updater.
    pub starts: bool,
    /// What it calls of the updater.
    pub calls: BTreeSet<&'static str>,
    /// The paths that it writes, and the first line that does.
    pub writes: BTreeMap<String, usize>,
    /// The secrets in it.
    pub secrets: Vec<Suspicion>,
}

impl Facts {
    /// The facts of the file at this path of a board.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let tree = |module: &python::Module| Python {
            fault: syntax::first_fault(module),
            starts: starts::in_module(module),
            calls: looks::in_module(module),
            writes: writes::in_module(module),
            secrets: source::in_module(module),
        };
        Self {
            size: bytes.len() as u64,
            sha256: sha256(bytes),
            begin: bytes.iter().copied().take(BEGIN).collect(),
            python: if allow::is_python(path) { python::look(bytes, tree) } else { None },
            keys: (path == allow::KEYS).then(|| bytes.to_vec()),
        }
    }
}
