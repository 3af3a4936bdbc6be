//! Ed25519 keys in the files that OpenSSH uses.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::sshsig::{self, PublicKey};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};
use thiserror::Error;

use crate::files::{self, FileError};
use crate::release::keygen::{self, KeygenError};

/// The largest key file and list of keys that is read.
const LIMIT: u64 = 1 << 20;
const TYPE: &str = "ssh-ed25519";

/// What is wrong with a key.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// There is something at the path where the key shall lie.
    #[error("{} exists already", .0.display())]
    #[diagnostic(code(key::exists))]
    #[diagnostic(help(
        "a key is never overwritten: boards trust it. Show it with `mpota key show`, or name another file"
    ))]
    Exists(PathBuf),
    /// It is not a key file.
    #[error("{} is not a key in the OpenSSH format", path.display())]
    #[diagnostic(code(key::not_a_key))]
    #[diagnostic(help(
        "`mpota key new` and `ssh-keygen -t ed25519` make such files; `ssh-keygen -p -f FILE` converts one"
    ))]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ssh_key::Error,
    },
    /// It is of a type that boards do not check.
    #[error("{} is not an Ed25519 key: {kind}", path.display())]
    #[diagnostic(code(key::kind))]
    #[diagnostic(help(
        "boards check Ed25519 only: make a key with `mpota key new` or `ssh-keygen -t ed25519`"
    ))]
    Kind {
        /// Which file.
        path: PathBuf,
        /// What it is.
        kind: String,
    },
    /// It is on a security key, which signs more than what it is given.
    #[error("{} is a FIDO security key ({kind}): it signs another structure, which boards do not check", path.display())]
    #[diagnostic(code(key::fido))]
    #[diagnostic(help(
        "sign with a plain Ed25519 key: in a file, in an ssh-agent, or on a card that holds one; `mpota key new` makes one"
    ))]
    Fido {
        /// Which file.
        path: PathBuf,
        /// Its type.
        kind: String,
    },
    /// ssh-keygen did not sign.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Keygen(#[from] KeygenError),
    /// Nobody could tell the passphrase.
    #[error("cannot ask for the passphrase of {}", path.display())]
    #[diagnostic(code(key::ask))]
    #[diagnostic(help("set MPOTA_KEY_PASSPHRASE where there is no terminal"))]
    Ask {
        /// Of which key.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It was the wrong one.
    #[error("this is not the passphrase of {}", .0.display())]
    #[diagnostic(code(key::passphrase))]
    #[diagnostic(help("where MPOTA_KEY_PASSPHRASE is set, it is taken and nobody is asked"))]
    Passphrase(PathBuf),
    /// A line of a list of public keys.
    #[error("{}, line {line}: {why}", path.display())]
    #[diagnostic(code(key::line))]
    #[diagnostic(help(
        "a line is `ssh-ed25519 AAAA... comment`, before it, in an allowed_signers file, the name"
    ))]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A list of public keys without one that counts.
    #[error("{} holds no {TYPE} key", .0.display())]
    #[diagnostic(code(key::none), help("put the public line of a key into it: mpota key show KEY"))]
    None(PathBuf),
    /// The key could not be made or used.
    #[error("cannot {0} the key")]
    #[diagnostic(code(key::crypto), help("report this: it is a fault of mpota"))]
    Crypto(&'static str, #[source] ssh_key::Error),
}

/// Tells the passphrase of the key at a path.
pub type Ask<'a> = &'a mut dyn FnMut(&Path) -> io::Result<String>;

/// A key that can sign, here or where it is kept.
#[derive(Clone)]
pub struct SigningKey {
    private: Private,
    public: PublicKey,
}

/// Where the private half is.
#[derive(Clone)]
enum Private {
    Here(Box<PrivateKey>),
    /// ssh-keygen finds it, by the file of the public half.
    Elsewhere(PathBuf),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.fingerprint()).finish()
    }
}

impl SigningKey {
    /// Reads a key file; `ask` is called if it is encrypted. Of a public half ssh-keygen knows where
    /// the private one is: in an ssh-agent, for one.
    pub fn load(path: &Path, ask: Ask<'_>) -> Result<Self, KeyError> {
        let text = files::read_text(path, LIMIT)?;
        if !is_private(&text) {
            let public = parse_public(path, &text)?.key;
            return Ok(Self { private: Private::Elsewhere(path.to_owned()), public });
        }
        let mut private = PrivateKey::from_openssh(&text).map_err(|e| not_a_key(path, e))?;
        check_type(path, &private.algorithm())?;
        if private.is_encrypted() {
            let passphrase = ask(path).map_err(|source| KeyError::Ask { path: path.to_owned(), source })?;
            private =
                private.decrypt(passphrase.as_bytes()).map_err(|_| KeyError::Passphrase(path.to_owned()))?;
        }
        Self::new(private)
    }

    fn new(private: PrivateKey) -> Result<Self, KeyError> {
        let public = PublicLine::of(private.public_key())?.key;
        Ok(Self { private: Private::Here(Box::new(private)), public })
    }

    /// The SSH signature over a message, in this namespace with SHA-256.
    pub(crate) fn sign(&self, namespace: &str, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let private = match &self.private {
            Private::Here(private) => private,
            Private::Elsewhere(public) => return Ok(keygen::sign(public, namespace, message)?),
        };
        let failed = |e| KeyError::Crypto("sign with", e);
        let signature = private.sign(namespace, HashAlg::Sha256, message).map_err(failed)?;
        let bytes = signature.signature_bytes().try_into();
        let bytes = bytes.map_err(|_| failed(ssh_key::Error::FormatEncoding))?;
        Ok(sshsig::blob_in(namespace, &self.public.key, &bytes))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// `SHA256:...`, as ssh-keygen shows it.
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint()
    }
}

fn not_a_key(path: &Path, source: ssh_key::Error) -> KeyError {
    let path = path.to_owned();
    match source {
        ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
            KeyError::Kind { path, kind: "it is of another type".to_owned() }
        }
        source => KeyError::NotAKey { path, source },
    }
}

fn check_type(path: &Path, algorithm: &Algorithm) -> Result<(), KeyError> {
    match algorithm {
        Algorithm::Ed25519 => Ok(()),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => {
            Err(KeyError::Fido { path: path.to_owned(), kind: algorithm.as_str().to_owned() })
        }
        other => {
            Err(KeyError::Kind { path: path.to_owned(), kind: format!("its type is {}", other.as_str()) })
        }
    }
}

/// The public half of a key, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicLine {
    /// `ssh-ed25519 AAAA... comment`.
    pub line: String,
    /// The key in it.
    pub key: PublicKey,
}

impl PublicLine {
    fn of(key: &ssh_key::PublicKey) -> Result<Self, KeyError> {
        let line = key.to_openssh().map_err(|e| KeyError::Crypto("write out", e))?;
        let key = PublicKey::parse_line(&line)
            .map_err(|_| KeyError::Crypto("write out", ssh_key::Error::PublicKey))?;
        Ok(Self { line: line.trim_end().to_owned(), key })
    }

    /// What goes into a board's `CONFIG` to make it trust this key.
    pub fn config_line(&self) -> String {
        format!("CONFIG[\"keys\"] = [\"{}\"]", self.line)
    }
}

/// The file beside a private key that holds the public one.
pub fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// Whether a new key can lie at `path`: nothing is there, nor where its public half goes.
pub fn check_free(path: &Path) -> Result<(), KeyError> {
    for path in [path, &public_path(path)] {
        if path.symlink_metadata().is_ok() {
            return Err(KeyError::Exists(path.to_owned()));
        }
    }
    Ok(())
}

/// Makes a key: `path` with mode 0600, and `path.pub`. Never overwrites.
pub fn create(path: &Path, comment: &str, passphrase: Option<&str>) -> Result<PublicLine, KeyError> {
    check_free(path)?;
    let mut key =
        PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(|e| KeyError::Crypto("make", e))?;
    key.set_comment(comment);
    let line = PublicLine::of(key.public_key())?;
    if let Some(passphrase) = passphrase {
        key = key.encrypt(&mut OsRng, passphrase).map_err(|e| KeyError::Crypto("encrypt", e))?;
    }
    let text = key.to_openssh(LineEnding::LF).map_err(|e| KeyError::Crypto("write out", e))?;
    if let Some(folder) = path.parent() {
        make_private_folder(folder)?;
    }
    files::write_new(path, text.as_bytes(), 0o600)?;
    files::write_new(&public_path(path), format!("{}\n", line.line).as_bytes(), 0o644)?;
    Ok(line)
}

fn make_private_folder(folder: &Path) -> Result<(), FileError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(FileError::at("make the folder", folder))
}

/// The public half of the key file at `path`, which may be the private or the public one.
pub fn show(path: &Path) -> Result<PublicLine, KeyError> {
    let text = files::read_text(path, LIMIT)?;
    if !is_private(&text) {
        return parse_public(path, &text);
    }
    let key = PrivateKey::from_openssh(&text).map_err(|e| not_a_key(path, e))?;
    check_type(path, &key.algorithm())?;
    PublicLine::of(key.public_key())
}

fn is_private(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN")
}

fn parse_public(path: &Path, text: &str) -> Result<PublicLine, KeyError> {
    let key = ssh_key::PublicKey::from_openssh(text).map_err(|e| not_a_key(path, e))?;
    check_type(path, &key.algorithm())?;
    PublicLine::of(&key)
}

/// Every key of a list: `.pub`, `authorized_keys` or `allowed_signers`.
pub fn load_public(path: &Path) -> Result<Vec<PublicKey>, KeyError> {
    let text = files::read_text(path, LIMIT)?;
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let failed = |why: String| KeyError::Line { path: path.to_owned(), line: number + 1, why };
        if let Some(key) = public_line(line).map_err(failed)? {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Err(KeyError::None(path.to_owned()));
    }
    Ok(keys)
}

/// The key of one line; `None` where it is for something else.
fn public_line(line: &str) -> Result<Option<PublicKey>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some(at) = words.iter().position(|word| *word == TYPE) else {
        let other = words.iter().any(|word| word.contains("ssh-") || word.contains("ecdsa"));
        return if other { Ok(None) } else { Err(format!("no key of type {TYPE}")) };
    };
    // Before the type stand the signer's name and options, of which one means something here.
    for option in words[..at].iter().skip(1) {
        let namespaces = option.strip_prefix("namespaces=").map(|list| list.trim_matches('"'));
        match namespaces {
            Some(list) if list.split(',').any(|name| name == "mpota") => {}
            Some(_) => return Ok(None),
            None => return Err(format!("the option {option} is not known to mpota")),
        }
    }
    PublicKey::parse_line(&words[at..].join(" ")).map(Some).map_err(|error| format!("not a key: {error}"))
}
