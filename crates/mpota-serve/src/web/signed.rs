//! Addresses of the storage host that cannot be guessed, altered or kept.
//!
//! Everything that is needed to answer one stands in it and is signed with a
//! key that lives as long as the server, so nothing has to be remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use ring::{hmac, rand};
use serde::{Deserialize, Serialize};

use super::encode::{encode, in_query};
use crate::catalog::digest::{Stamp, hex, short_hash};
use crate::catalog::release::timestamp;
use crate::catalog::{Asset, Release, Repo};
use crate::error::{Error, Result};

/// What every path on the storage host begins with.
pub(crate) const PREFIX: &str = "/github-production-release-asset/";

/// What an address is for.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    key: String,
    exp: u64,
    nbf: u64,
    pub owner: String,
    pub repo: String,
    /// The release by its number: a tag may be a draft's too.
    pub release: u64,
    pub name: String,
}

/// Why an address is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was not made here, or was altered.
    Altered,
    /// Its time is over.
    Expired,
}

/// Makes and checks addresses.
pub(crate) struct Signer {
    key: hmac::Key,
    lifetime: Duration,
    /// What was checked before, by path and query: a board asks for many parts of one asset. Only addresses that were
    /// made here come in, so nobody can fill it with others.
    checked: Mutex<HashMap<String, Arc<Claims>>>,
}

/// Addresses beyond which the memory of them starts afresh.
const MOST_CHECKED: usize = 1_000;

impl Signer {
    pub fn new(lifetime: Duration) -> Result<Self> {
        let random = rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| Error::Random)?;
        Ok(Self { key, lifetime, checked: Mutex::default() })
    }

    /// Path and query of an asset's content, about as long as GitHub's.
    pub fn address(&self, repo: &Repo, release: &Release, asset: &Asset, stamp: Stamp) -> String {
        let now = SystemTime::now();
        let claims = Claims {
            iss: "github.com".into(),
            aud: "release-assets.githubusercontent.com".into(),
            key: "key1".into(),
            exp: unix(now + self.lifetime),
            nbf: unix(now),
            owner: repo.owner.clone(),
            repo: repo.name.clone(),
            release: release.id,
            name: asset.name.clone(),
        };
        let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
        // Strings and numbers only: this cannot fail.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let unsigned = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let jwt_tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, unsigned.as_bytes()));
        let etag = stamp.etag();
        let about = ["object", &repo.full_name(), &release.tag, &asset.name, &etag];
        let path = format!("{PREFIX}{}/{}", repo.id, uuid(&about));
        let file = encode(&format!("attachment; filename={}", asset.name), b"");
        let octets = "application%2Foctet-stream";
        let until = encode(&timestamp(now + self.lifetime), b"");
        let from = encode(&timestamp(now), b"");
        let before = format!(
            "sp=r&sv=2018-11-09&sr=b&spr=https&se={until}&rscd={file}&rsct={octets}\
             &skoid={}&sktid={}&skt={from}&ske={until}&sks=b&skv=2018-11-09",
            uuid(&["skoid"]),
            uuid(&["sktid"]),
        );
        let after = format!(
            "jwt={unsigned}.{jwt_tag}&response-content-disposition={file}\
             &response-content-type={octets}"
        );
        let signature = self.sign(&path, &format!("{before}&{after}"));
        let signature = encode(&STANDARD.encode(signature), b"");
        format!("{path}?{before}&sig={signature}&{after}")
    }

    /// What an address is for, if it was made here and is still good.
    pub fn open(&self, uri: &Uri, now: SystemTime) -> std::result::Result<Arc<Claims>, Refused> {
        let whole = uri.path_and_query().map_or("", PathAndQuery::as_str);
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner).get(whole).cloned();
        if let Some(claims) = checked {
            return if unix(now) >= claims.exp { Err(Refused::Expired) } else { Ok(claims) };
        }
        let claims = Arc::new(self.check(uri.path(), uri.query().unwrap_or_default(), now)?);
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= MOST_CHECKED {
            checked.clear();
        }
        checked.insert(whole.to_owned(), Arc::clone(&claims));
        Ok(claims)
    }

    fn check(&self, path: &str, query: &str, now: SystemTime) -> std::result::Result<Claims, Refused> {
        let (signatures, rest): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|pair| pair.starts_with("sig="));
        let [signature] = signatures[..] else {
            return Err(Refused::Altered);
        };
        let expected = self.sign(path, &rest.join("&"));
        // Both sides are MACed once more, so that the comparison takes the same
        // time wherever the first difference lies.
        let expected = encode(&STANDARD.encode(expected), b"");
        let tag = hmac::sign(&self.key, expected.as_bytes());
        let given = signature.trim_start_matches("sig=").as_bytes();
        hmac::verify(&self.key, given, tag.as_ref()).map_err(|_| Refused::Altered)?;
        let claims: Claims = in_query(query, "jwt")
            .and_then(|jwt| jwt.split('.').nth(1))
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or(Refused::Altered)?;
        if unix(now) >= claims.exp {
            return Err(Refused::Expired);
        }
        Ok(claims)
    }

    fn sign(&self, path: &str, query: &str) -> hmac::Tag {
        hmac::sign(&self.key, format!("{path}?{query}").as_bytes())
    }
}

fn unix(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn uuid(parts: &[&str]) -> String {
    let text = hex(&short_hash(parts));
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
