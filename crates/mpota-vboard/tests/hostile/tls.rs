//! Who the server proves to be.

use mpota_serve::Authority;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub const DAY: Duration = Duration::from_secs(86_400);

/// An authority, and what it says of the server.
pub struct Proof {
    pub authority: Authority,
    pub names: Vec<String>,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
}

impl Proof {
    /// A certificate for both hosts, good today.
    pub fn good() -> Self {
        let now = SystemTime::now();
        Self {
            authority: Authority::generate().expect("an authority"),
            names: vec!["127.0.0.1".into(), "localhost".into()],
            not_before: now - DAY,
            not_after: now + DAY,
        }
    }

    /// The server's side of it.
    pub fn server(&self) -> Arc<ServerConfig> {
        let issued =
            self.authority.issue(&self.names, self.not_before, self.not_after).expect("a certificate");
        let certificate = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).expect("its PEM");
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).expect("its key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a server");
        Arc::new(config)
    }
}
