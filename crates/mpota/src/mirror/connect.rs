//! How the object store talks to its server: through ureq, as all of this program does, with the same limits of time
//! and the same certificate authorities. The store's own client would bring a second HTTP and TLS stack.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::{ClientOptions, Error as StoreError};
use ureq::http::{Method, Request, Response};

use crate::remote::source;

/// Makes clients that trust the authorities in this file, or the usual ones.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub ca: Option<PathBuf>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient, StoreError> {
        // `AWS_ALLOW_HTTP` and its like; and the addresses that tell the credentials of a machine in a cloud.
        let http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let base = if http { "http://" } else { "https://" };
        let agent = source::agent(base, self.ca.as_deref());
        let failed = |error| StoreError::Generic { store: "mpota", source: Box::new(error) };
        let agent = agent.map_err(failed)?;
        Ok(HttpClient::new(Client(agent)))
    }
}

#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.collect().await?.to_bytes().to_vec());
        let agent = self.0.clone();
        let answer = tokio::task::spawn_blocking(move || send(&agent, request)).await;
        answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?
    }
}

/// Sends a request and reads the whole answer: the largest is a pack.
fn send(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<HttpResponse, HttpError> {
    let bodiless = request.body().is_empty() && ![Method::PUT, Method::POST].contains(request.method());
    // A signature is for one address: a redirect is an answer here, and the store says what it means.
    let answer = if bodiless {
        let request = agent.configure_request(request.map(|_| ()));
        agent.run(request.max_redirects(0).max_redirects_will_error(false).build())
    } else {
        let request = agent.configure_request(request);
        agent.run(request.max_redirects(0).max_redirects_will_error(false).build())
    };
    let (parts, body) = answer.map_err(error)?.into_parts();
    let body = body.into_with_config().limit(u64::MAX).read_to_vec().map_err(error)?;
    Ok(Response::from_parts(parts, body.into()))
}

/// What the store tries again is what may go better then.
fn error(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
