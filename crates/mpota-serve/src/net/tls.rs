//! Certificates made on the spot, or given.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Result};
use crate::options::Tls;

const DAY: Duration = Duration::from_secs(24 * 3600);
const AUTHORITY_DAYS: u32 = 3650;
/// What browsers and phones accept at most.
const LEAF_DAYS: u32 = 397;

/// A small certificate authority of one's own: one ECDSA P-256 key.
///
/// A board that is given its certificate trusts every server that it signs
/// for. Keep its PEM to go on with the same one after a restart.
#[derive(Clone)]
pub struct Authority {
    cert_der: Vec<u8>,
    key_pem: String,
}

/// A certificate and its key, both PEM.
#[derive(Clone)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key.
    pub key_pem: String,
}

impl Authority {
    /// A new authority, good for ten years.
    pub fn generate() -> Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = Self::params(&key);
        let now = SystemTime::now();
        params.not_before = (now - DAY).into();
        params.not_after = (now + DAY * AUTHORITY_DAYS).into();
        Ok(Self { cert_der: params.self_signed(&key)?.der().to_vec(), key_pem: key.serialize_pem() })
    }

    /// What [`Authority::to_pem`] gave.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let bad = |what: &str| Error::Certificate(format!("the authority's PEM {what}"));
        let cert = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad("holds no certificate"))?;
        let start = pem.find("-----BEGIN PRIVATE KEY-----").ok_or_else(|| bad("holds no private key"))?;
        let key = KeyPair::from_pem(&pem[start..])?;
        Ok(Self { cert_der: cert.to_vec(), key_pem: key.serialize_pem() })
    }

    /// Certificate and private key, to be kept where only the owner reads it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificate_pem() + &self.key_pem
    }

    /// The certificate as DER: what a board is given to trust.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.cert_der
    }

    /// The certificate as PEM, for curl and browsers.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem_certificate(&self.cert_der)
    }

    /// A server certificate for these host names and IP addresses, good from
    /// one moment to another.
    pub fn issue(
        &self,
        names: &[String],
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Result<IssuedCertificate> {
        let authority_key = KeyPair::from_pem(&self.key_pem)?;
        let issuer = Issuer::new(Self::params(&authority_key), authority_key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(Vec::new())?;
        for name in names.iter().collect::<BTreeSet<_>>() {
            if let Ok(address) = name.parse::<IpAddr>() {
                params.subject_alt_names.push(SanType::IpAddress(address));
            }
            // Addresses are also put in as names: mbedTLS before 3.5, which
            // many boards have, compares an address with nothing else.
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.distinguished_name = DistinguishedName::new();
        let common = names.first().map_or("mpota serve", String::as_str);
        params.distinguished_name.push(DnType::CommonName, common);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        let cert = params.signed_by(&key, &issuer)?;
        Ok(IssuedCertificate { cert_pem: cert.pem(), key_pem: key.serialize_pem() })
    }

    /// The authority's own fields, the same whenever its key is the same.
    fn params(key: &KeyPair) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let id: String =
            params.key_identifier(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("mpota serve {id}");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCertificate").finish_non_exhaustive()
    }
}

/// How one listener does TLS, and whom its clients have to trust.
#[derive(Clone)]
pub(crate) struct Setup {
    pub acceptor: Option<TlsAcceptor>,
    pub trust_der: Option<Vec<u8>>,
    authority: Option<Authority>,
}

/// Sets a listener up. `names` are what it is reached by, `before` is another
/// listener of the same server, whose authority is used again.
pub(crate) fn setup(tls: &Tls, names: &[String], before: Option<&Setup>) -> Result<Setup> {
    let (authority, more) = match tls {
        Tls::None => {
            return Ok(Setup { acceptor: None, trust_der: None, authority: None });
        }
        Tls::Given { cert_pem, key_pem } => {
            let chain = chain(cert_pem)?;
            let trust_der = chain.last().map(|cert| cert.to_vec());
            return Ok(Setup { acceptor: Some(acceptor(chain, key_pem)?), trust_der, authority: None });
        }
        Tls::SelfSigned { names } => match before.and_then(|setup| setup.authority.clone()) {
            Some(authority) => (authority, names),
            None => (Authority::generate()?, names),
        },
        Tls::Authority { authority, names } => (authority.clone(), names),
    };
    let all: Vec<String> = names.iter().chain(more).cloned().collect();
    let now = SystemTime::now();
    let leaf = authority.issue(&all, now - DAY, now + DAY * LEAF_DAYS)?;
    Ok(Setup {
        acceptor: Some(acceptor(chain(&leaf.cert_pem)?, &leaf.key_pem)?),
        trust_der: Some(authority.cert_der.clone()),
        authority: Some(authority),
    })
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(Error::Certificate("the PEM holds no certificate".into()));
    }
    Ok(chain)
}

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint` writes it.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key_pem: &str) -> Result<TlsAcceptor> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
        .map_err(|error| Error::Certificate(format!("private key: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(crate) fn pem_certificate(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}
