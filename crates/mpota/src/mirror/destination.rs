//! Where a mirror is: `s3://bucket/prefix`, `gs://`, `az://`, `file:///` or a folder. Credentials come from the
//! environment only, where neither the list of processes nor the shell's history shows them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, RetryConfig};
use url::Url;

use super::connect::Connector;
use super::error::MirrorError;
use crate::files;

/// How long one request is tried again and again.
const PATIENCE: Duration = Duration::from_secs(60);
const TRIES: usize = 4;

/// A place for a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    text: String,
    kind: Kind,
    prefix: object_store::path::Path,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    S3,
    Google,
    Azure,
    Folder,
}

impl Destination {
    /// Finds out what `text` means.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let unknown = |why: &str| MirrorError::Destination { text: shown(text), why: why.to_owned() };
        if !text.contains("://") {
            return Self::folder(text, PathBuf::from(text));
        }
        let url = Url::parse(text).map_err(|error| unknown(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(MirrorError::Credentials(shown(text)));
        }
        let kind = match url.scheme() {
            "s3" => Kind::S3,
            "gs" => Kind::Google,
            "az" => Kind::Azure,
            "file" => {
                let path = url.to_file_path().map_err(|()| unknown("it is no path of this computer"))?;
                return Self::folder(text, path);
            }
            other => return Err(unknown(&format!("{other}:// is none of s3://, gs://, az://, file:///"))),
        };
        if url.host_str().is_none_or(str::is_empty) || url.port().is_some() || url.fragment().is_some() {
            return Err(unknown("a bucket and a prefix are expected, as in s3://bucket/prefix"));
        }
        let prefix =
            object_store::path::Path::from_url_path(url.path()).map_err(|e| unknown(&e.to_string()))?;
        Ok(Self { text: text.trim_end_matches('/').to_owned(), kind, prefix })
    }

    fn folder(text: &str, path: PathBuf) -> Result<Self, MirrorError> {
        let path = std::path::absolute(&path).map_err(files::FileError::at("find", &path))?;
        let inside = object_store::path::Path::from_absolute_path(&path)
            .map_err(|error| MirrorError::Destination { text: shown(text), why: error.to_string() })?;
        Ok(Self { text: text.to_owned(), kind: Kind::Folder, prefix: inside })
    }

    /// Below this all of the mirror lies.
    pub(super) fn prefix(&self) -> &object_store::path::Path {
        &self.prefix
    }

    /// Whether objects have a type and a lifetime in caches.
    pub(super) fn has_attributes(&self) -> bool {
        self.kind != Kind::Folder
    }

    /// What must be set for it, for people.
    pub(super) fn variables(&self) -> &'static str {
        match self.kind {
            Kind::S3 => {
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; AWS_ENDPOINT for another server than Amazon's, and AWS_ALLOW_HTTP=true where that is plain http"
            }
            Kind::Google => "GOOGLE_SERVICE_ACCOUNT (a file) or GOOGLE_APPLICATION_CREDENTIALS",
            Kind::Azure => {
                "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY; AZURE_STORAGE_ENDPOINT for another server than Azure's"
            }
            Kind::Folder => "nothing: a folder needs no credentials, only the right to write to it",
        }
    }

    pub(super) fn open(&self, ca: Option<&Path>) -> Result<Box<dyn ObjectStore>, MirrorError> {
        let failed = |source| MirrorError::store("open", &self.text, self.variables(), source);
        let connector = Connector { ca: ca.map(Path::to_owned) };
        let retry = RetryConfig { max_retries: TRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let url = self.text.as_str();
        Ok(match self.kind {
            Kind::S3 => {
                let builder = AmazonS3Builder::from_env().with_url(url).with_retry(retry);
                Box::new(builder.with_http_connector(connector).build().map_err(failed)?)
            }
            Kind::Google => {
                let builder = GoogleCloudStorageBuilder::from_env().with_url(url).with_retry(retry);
                Box::new(builder.with_http_connector(connector).build().map_err(failed)?)
            }
            Kind::Azure => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(url).with_retry(retry);
                Box::new(builder.with_http_connector(connector).build().map_err(failed)?)
            }
            Kind::Folder => Box::new(LocalFileSystem::new().with_automatic_cleanup(true)),
        })
    }
}

/// What is said of an address that may hold a secret: nothing before an `@` and behind a `?`.
fn shown(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://...@{host}"),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_place_is_told_from_the_others() {
        let cases = [
            ("s3://releases", Kind::S3, ""),
            ("s3://releases/a/b/", Kind::S3, "a/b"),
            ("gs://releases/a", Kind::Google, "a"),
            ("az://releases/a", Kind::Azure, "a"),
            ("file:///srv/www", Kind::Folder, "srv/www"),
            ("/srv/www", Kind::Folder, "srv/www"),
        ];
        for (text, kind, prefix) in cases {
            let found = Destination::parse(text).unwrap();
            assert_eq!((found.kind, found.prefix.as_ref()), (kind, prefix), "{text}");
        }
        println!("  cases {}: places of a mirror", cases.len());
    }

    #[test]
    fn credentials_in_the_address_are_refused_and_not_repeated() {
        let cases = ["s3://AKIA:hunter2@releases", "az://hunter2@account/a", "az://releases/a?sig=hunter2"];
        for text in cases {
            let error = Destination::parse(text).unwrap_err();
            assert!(matches!(error, MirrorError::Credentials(_)), "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for text in
            ["http://h/a", "s3:///a", "s3://h:1/a", "ftp://h", "https://account.blob.core.windows.net/a"]
        {
            assert!(matches!(Destination::parse(text), Err(MirrorError::Destination { .. })), "{text}");
        }
        println!("  cases 8: addresses that are no place of a mirror");
    }
}
