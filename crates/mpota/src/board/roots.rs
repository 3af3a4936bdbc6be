//! Certificate authorities for boards: those that Mozilla trusts, and your own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use mpota_format::digest::{hex, sha256};
use thiserror::Error;
use ureq::tls::PemItem;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::files::{self, FileError};

/// What is behind GitHub's hosts today and was recently. A board that trusts all of them goes on
/// working when GitHub moves from one to another, as it has done before.
pub const DEFAULT: [&str; 8] = [
    // github.com and api.github.com: Sectigo's, which chain up to these two.
    "USERTrust ECC Certification Authority",
    "USERTrust RSA Certification Authority",
    // The roots that Sectigo moves to: newer chains end here.
    "Sectigo Public Server Authentication Root E46",
    "Sectigo Public Server Authentication Root R46",
    // *.githubusercontent.com, where the assets are: Let's Encrypt.
    "ISRG Root X1",
    "ISRG Root X2",
    // Before that, all of them: DigiCert. Its first root, without a number, is in Mozilla's set no more.
    "DigiCert Global Root G2",
    "DigiCert Global Root G3",
];

/// A certificate authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The subject's common name, or what stands for it.
    pub name: String,
    /// The same as a file name, without its end.
    pub slug: String,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
    /// The certificate.
    pub der: Vec<u8>,
}

impl Root {
    /// Reads a certificate.
    fn parse(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        let name = common_name(certificate.subject())?;
        let expires = certificate.validity().not_after.timestamp();
        rest.is_empty().then(|| Self { slug: slug(&name), name, expires, der: der.to_owned() })
    }

    /// SHA-256 of the certificate, in hex.
    pub fn sha256(&self) -> String {
        hex(&sha256(&self.der))
    }

    /// The name of its file on the board.
    pub fn file(&self) -> String {
        format!("{}.der", self.slug)
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let parts =
        name.iter_common_name().chain(name.iter_organizational_unit()).chain(name.iter_organization());
    parts.filter_map(|part| part.as_str().ok()).find(|part| !part.trim().is_empty()).map(str::to_owned)
}

/// In lower case, with one `-` for whatever no file system has to store.
fn slug(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug: String = words.collect::<Vec<_>>().join("-").chars().take(60).collect();
    if slug.is_empty() { "ca".to_owned() } else { slug }
}

/// Why there are no such authorities.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum RootError {
    /// A name that is not in Mozilla's set.
    #[error("{0:?} is not, or no longer, one of the authorities that Mozilla trusts")]
    #[diagnostic(code(ca::unknown))]
    #[diagnostic(help("`mpota ca --list` prints them all; --also FILE adds one of your own"))]
    Unknown(String),
    /// A file without a certificate.
    #[error("{} holds no certificate", .0.display())]
    #[diagnostic(code(ca::no_certificate))]
    #[diagnostic(help("it must be a certificate in DER, or a PEM file with -----BEGIN CERTIFICATE-----"))]
    NoCertificate(PathBuf),
    /// A certificate that cannot be read.
    #[error("certificate {number} of {} cannot be read", path.display())]
    #[diagnostic(code(ca::certificate))]
    #[diagnostic(help("look at it with `openssl x509 -text -noout`: it must be X.509, and have a subject"))]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Which one in it, from 1.
        number: usize,
    },
    /// The file cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// All that Mozilla trusts, in the order of their names; no two have the same file name.
pub fn all() -> Vec<Root> {
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let mut roots: Vec<Root> = certificates.iter().filter_map(|der| Root::parse(der)).collect();
    roots.sort_by(|a, b| (&a.slug, &a.der).cmp(&(&b.slug, &b.der)));
    make_unique(&mut roots);
    roots
}

/// Those of a set with these names, or these file names.
pub fn named(roots: &[Root], names: &[impl AsRef<str>]) -> Result<Vec<Root>, RootError> {
    let find = |name: &str| {
        let file = name.strip_suffix(".der").unwrap_or(name);
        let found = roots.iter().find(|r| r.name.eq_ignore_ascii_case(name) || r.slug == file);
        found.cloned().ok_or_else(|| RootError::Unknown(name.to_owned()))
    };
    names.iter().map(|name| find(name.as_ref())).collect()
}

/// Every certificate of a file, PEM or DER.
pub fn load(path: &Path) -> Result<Vec<Root>, RootError> {
    let bytes = files::read(path, 1 << 20)?;
    let pem: Vec<Vec<u8>> = ureq::tls::parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate.der().to_owned()),
            _ => None,
        })
        .collect();
    let is_der = bytes.first() == Some(&0x30);
    let certificates = match pem.is_empty() {
        false => pem,
        true if is_der => vec![bytes],
        true => return Err(RootError::NoCertificate(path.to_owned())),
    };
    let numbered = certificates.iter().enumerate();
    let parse = |(number, der): (usize, &Vec<u8>)| {
        Root::parse(der).ok_or_else(|| RootError::Certificate { path: path.to_owned(), number: number + 1 })
    };
    numbered.map(parse).collect()
}

/// Puts some of its digest behind the file name of every certificate that shares it with another.
pub fn make_unique(roots: &mut [Root]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for root in roots.iter() {
        *count.entry(root.slug.clone()).or_default() += 1;
    }
    for root in roots.iter_mut().filter(|root| count.get(&root.slug).is_some_and(|count| *count > 1)) {
        root.slug = format!("{}-{}", root.slug, &root.sha256()[..8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_authority_of_the_set_is_read_and_has_a_file_name_of_its_own() {
        let roots = all();
        assert_eq!(roots.len(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(roots.len() > 100, "{}", roots.len());
        let mut files: Vec<String> = roots.iter().map(Root::file).collect();
        files.sort();
        files.dedup();
        assert_eq!(files.len(), roots.len());
        assert!(files.iter().all(|file| mpota_format::path::is_asset_name(file)));
        println!("  cases {}: authorities", roots.len());
    }

    #[test]
    fn those_that_github_needs_are_still_in_the_set() {
        assert_eq!(named(&all(), &DEFAULT).unwrap().len(), DEFAULT.len());
    }

    #[test]
    fn a_name_is_found_in_any_letter_case_and_as_a_file_name() {
        let roots = all();
        for name in ["ISRG Root X1", "isrg root x1", "isrg-root-x1", "isrg-root-x1.der"] {
            assert_eq!(named(&roots, &[name]).unwrap()[0].name, "ISRG Root X1", "{name}");
        }
        let error = named(&roots, &["DigiCert Global Root CA"]).unwrap_err();
        assert!(error.to_string().contains("no longer"), "{error}");
    }
}
