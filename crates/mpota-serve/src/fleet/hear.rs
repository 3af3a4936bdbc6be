//! Taking the header from a request.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::Method;
use mpota_format::report::{HEADER, Report, ReportError};

use super::counts::Outcome;
use super::writer::Heard;
use super::{Fleet, now};
use crate::api::PREFIXES;
use crate::api::auth::{Secret, given};
use crate::app::{App, Cx};

impl Fleet {
    /// Keeps the report of a request, if it has one. Whatever becomes of it, the request is answered as if it had
    /// none.
    pub async fn hear(&self, app: &Arc<App>, cx: &Cx, from: Option<IpAddr>) {
        if cx.headers.contains_key(HEADER) {
            let outcome = self.judge(app, cx, from).await;
            self.counts.count(outcome);
        }
    }

    async fn judge(&self, app: &Arc<App>, cx: &Cx, from: Option<IpAddr>) -> Outcome {
        let known = |secret: &Secret| secret.among(&given(&cx.headers));
        if !self.reporters.as_ref().is_none_or(known) {
            return Outcome::Stranger;
        }
        let mut values = cx.headers.get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Outcome::Refused(ReportError::Json);
        };
        let report = match Report::parse(value.as_bytes()) {
            Ok(report) => report,
            Err(error) => return Outcome::Refused(error),
        };
        let Some((owner, name)) = project(cx).filter(|_| cx.method == Method::GET) else {
            return Outcome::Elsewhere;
        };
        let Some(found) = app.listing(owner, name).await else {
            return Outcome::Elsewhere;
        };
        self.keep(Heard { project: found.repo.full_name(), report, from, now: now() }).await
    }
}

/// The project whose releases are asked for: by their download paths, or by the API.
fn project(cx: &Cx) -> Option<(&str, &str)> {
    let path = cx.uri.path();
    let by_api = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)?.strip_prefix("/repos/"));
    let mut parts = by_api.or_else(|| path.strip_prefix('/'))?.splitn(4, '/');
    let (owner, name, releases) = (parts.next()?, parts.next()?, parts.next()?);
    (releases == "releases").then_some((owner, name))
}
