//! What a client sends as JSON.

use hyper::StatusCode;
use serde_json::{Map, Value};

use super::errors::{Problem, Reason};
use crate::catalog::meta::MakeLatest;

/// GitHub's bound on a release's text, in characters.
const MOST_TEXT: usize = 125_000;

/// A JSON object and the resource whose fields it has.
pub(crate) struct Input {
    resource: &'static str,
    fields: Map<String, Value>,
}

impl Input {
    /// Reads a request's body; none is an object without fields.
    pub fn read(resource: &'static str, body: &[u8]) -> Result<Self, Problem> {
        let bad = |what: &str| Problem::new(StatusCode::BAD_REQUEST, what);
        if body.is_empty() {
            return Ok(Self { resource, fields: Map::new() });
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { resource, fields }),
            Ok(_) => Err(bad("Body should be a JSON object")),
            Err(_) => Err(bad("Problems parsing JSON")),
        }
    }

    fn wrong(&self, field: &'static str, kind: &str) -> Problem {
        let said = self.fields.get(field).map(Value::to_string).unwrap_or_default();
        let mut shown: String = said.chars().take(100).collect();
        if shown.len() < said.len() {
            shown.push_str("...");
        }
        let mut problem = Problem::invalid(vec![Reason::new(self.resource, "invalid", field)]);
        problem.say(format!("Invalid request.\n\nFor 'properties/{field}', {shown} is not {kind}."));
        problem
    }

    /// A text; null is as good as nothing.
    pub fn text(&self, field: &'static str) -> Result<Option<String>, Problem> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= MOST_TEXT => Ok(Some(text.clone())),
            Some(Value::String(_)) => {
                let message = format!("{field} is too long (maximum is {MOST_TEXT} characters)");
                Err(Problem::invalid(vec![Reason::custom(self.resource, Some(field), message)]))
            }
            Some(_) => Err(self.wrong(field, "a string")),
        }
    }

    /// Yes or no.
    pub fn flag(&self, field: &'static str) -> Result<Option<bool>, Problem> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.wrong(field, "a boolean")),
        }
    }

    /// `make_latest`, which is one of three words.
    pub fn make_latest(&self) -> Result<Option<MakeLatest>, Problem> {
        let field = "make_latest";
        match self.text(field)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(MakeLatest::Yes)),
            Some("false") => Ok(Some(MakeLatest::No)),
            Some("legacy") => Ok(Some(MakeLatest::Legacy)),
            Some(_) => Err(self.wrong(field, "one of true, false, legacy")),
        }
    }
}
