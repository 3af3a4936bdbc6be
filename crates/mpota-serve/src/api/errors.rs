//! What GitHub says when it refuses.

use axum::response::Response;
use hyper::StatusCode;
use serde::Serialize;

use super::reply::JSON;
use crate::web::answer;

/// Where the documentation of nothing in particular is.
const DOCS: &str = "https://docs.github.com/rest";

/// One reason of a 422.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reason {
    resource: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Reason {
    /// With a code that says it all.
    pub fn new(resource: &'static str, code: &'static str, field: &'static str) -> Self {
        Self { resource, code, field: Some(field), message: None }
    }

    /// In words.
    pub fn custom(resource: &'static str, field: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { resource, code: "custom", field, message: Some(message.into()) }
    }
}

/// A refusal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    code: StatusCode,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Reason>,
    documentation_url: String,
    status: String,
}

impl Problem {
    /// With a message only.
    pub fn new(code: StatusCode, message: impl Into<String>) -> Self {
        let status = code.as_u16().to_string();
        Self { code, message: message.into(), errors: Vec::new(), documentation_url: DOCS.into(), status }
    }

    /// 422 with reasons.
    pub fn invalid(errors: Vec<Reason>) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed") }
    }

    /// 422 in a sentence.
    pub fn refused(message: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// Nothing of the kind is there for this caller.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// The disk said no; what it said is in the log, not in the answer.
    pub fn server() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")
    }

    /// Says it in other words.
    pub fn say(&mut self, message: String) {
        self.message = message;
    }

    /// Leads to a page of the documentation.
    pub fn see(mut self, page: &str) -> Self {
        self.documentation_url = format!("{DOCS}/{page}");
        self
    }

    pub fn response(&self) -> Response {
        // Strings only: this cannot fail.
        answer(self.code, JSON, &[], serde_json::to_string(self).unwrap_or_default())
    }
}
