//! Signatures by a key that stays where it is: in an ssh-agent, on a card, behind PKCS#11. OpenSSH
//! knows all of these; `ssh-keygen` is asked.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use miette::Diagnostic;
use mpota_format::sshsig::HASH;
use thiserror::Error;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// Why ssh-keygen did not sign.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum KeygenError {
    /// It does not run.
    #[error("cannot run ssh-keygen")]
    #[diagnostic(code(ssh_keygen::missing))]
    #[diagnostic(help(
        "install OpenSSH's client (Debian: openssh-client), or sign with the private key itself"
    ))]
    Start(#[source] io::Error),
    /// It ran and refused.
    #[error("ssh-keygen does not sign with {}: {said}", path.display())]
    #[diagnostic(code(ssh_keygen::refused))]
    #[diagnostic(help(
        "the private half must be in an ssh-agent (`ssh-add -l` tells, `ssh-add FILE` adds it) or beside the .pub file; OpenSSH must be 8.9 or later"
    ))]
    Refused {
        /// The public half.
        path: PathBuf,
        /// What ssh-keygen said.
        said: String,
    },
    /// It printed something else.
    #[error("ssh-keygen printed no SSH signature")]
    #[diagnostic(code(ssh_keygen::output))]
    #[diagnostic(help("look at what `ssh-keygen -Y sign -n mpota -O hashalg=sha256 -f FILE` prints"))]
    Output,
}

/// The SSH signature over `message` by the private half of the key in the file `public`.
pub(crate) fn sign(public: &Path, namespace: &str, message: &[u8]) -> Result<Vec<u8>, KeygenError> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", namespace, "-O"]).arg(format!("hashalg={HASH}"));
    command.arg("-f").arg(public);
    // A passphrase or PIN is asked for on the terminal, not here.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(KeygenError::Start)?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever refuses may not read to the end: how it ended tells more.
        let _ = stdin.write_all(message);
    }
    let output = child.wait_with_output().map_err(KeygenError::Start)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let said = said.unwrap_or("no reason given").to_owned();
        return Err(KeygenError::Refused { path: public.to_owned(), said });
    }
    unarmour(&String::from_utf8_lossy(&output.stdout)).ok_or(KeygenError::Output)
}

/// The signature in the lines that ssh-keygen puts around it.
pub(crate) fn unarmour(text: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(body).ok()
}
