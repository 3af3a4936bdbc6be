//! GitHub's own description of its API (OpenAPI 3.0, from `@octokit/openapi`), and a client for what
//! is held against it.
#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "every test file uses a part of it")]

use jsonschema::{Draft, Validator};
use mpota_vboard::clients;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// What GitHub says of one answer.
pub enum Listed {
    /// The path and method have no such status.
    No,
    /// The status is there, and nothing is said of a body.
    WithoutBody,
    /// The body is described.
    Json(Box<Schema>),
}

/// A body as it is described, twice: as it stands there, and without any key that does not stand there.
pub struct Schema {
    described: Validator,
    closed: Validator,
}

impl Schema {
    /// What is wrong with a body; empty when nothing is.
    pub fn errors(&self, body: &Value) -> Vec<String> {
        said(&self.described, body)
    }

    /// The same, and keys that GitHub does not know are wrong too.
    pub fn errors_closed(&self, body: &Value) -> Vec<String> {
        said(&self.closed, body)
    }
}

fn said(validator: &Validator, body: &Value) -> Vec<String> {
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// One file of the package.
pub struct Description {
    document: Value,
}

impl Description {
    /// `api.github.com`, or `ghes-VERSION` for GitHub Enterprise.
    pub fn load(name: &str) -> Self {
        let path = clients::npm().unwrap().join("node_modules/@octokit/openapi/generated");
        let bytes = std::fs::read(path.join(format!("{name}.json"))).unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        // What `as_json_schema` converts is 3.0's own dialect: 3.1 has none of it.
        assert!(document["openapi"].as_str().unwrap().starts_with("3.0."), "another OpenAPI");
        Self { document }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.resolve(self.document.pointer(&reference[1..]).unwrap()),
            None => value,
        }
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        &self.document["paths"][path][method.to_lowercase()]
    }

    /// What stands there in words.
    pub fn text(&self, method: &str, path: &str) -> &str {
        self.operation(method, path)["description"].as_str().unwrap()
    }

    /// Every method and path that begins with this.
    pub fn operations(&self, prefix: &str) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let methods = ["get", "post", "patch", "put", "delete"];
        paths
            .filter(|(path, _)| path.starts_with(prefix))
            .flat_map(|(path, item)| {
                let held = methods.iter().filter(|method| item.get(**method).is_some());
                held.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect()
    }

    /// The headers that an answer has, as far as that is described.
    pub fn headers(&self, method: &str, path: &str, status: u16) -> Vec<String> {
        let response = self.resolve(&self.operation(method, path)["responses"][status.to_string()]);
        response["headers"].as_object().into_iter().flatten().map(|(name, _)| name.to_lowercase()).collect()
    }

    /// What is said of this status of this method and path.
    pub fn answer(&self, method: &str, path: &str, status: u16) -> Listed {
        let responses = self.operation(method, path)["responses"].as_object().unwrap();
        let Some(response) = responses.get(&status.to_string()) else { return Listed::No };
        match self.resolve(response)["content"]["application/json"].get("schema") {
            Some(schema) => Listed::Json(Box::new(self.schema(schema))),
            None => Listed::WithoutBody,
        }
    }

    /// A schema by its name.
    pub fn named(&self, name: &str) -> Schema {
        self.schema(&json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    fn schema(&self, schema: &Value) -> Schema {
        let build = |closed| {
            let mut root = as_json_schema(schema, closed);
            let (mut found, mut wanted) = (Map::new(), references(schema));
            while let Some(name) = wanted.pop_first() {
                let part = &self.document["components"]["schemas"][&name];
                assert!(part.is_object(), "{name} is described");
                if found.insert(name, as_json_schema(part, closed)).is_none() {
                    wanted.extend(references(part).into_iter().filter(|name| !found.contains_key(name)));
                }
            }
            // Beside a $ref nothing counts in this draft, but it is looked up all the same.
            root["components"] = json!({"schemas": found});
            let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
            options.build(&root).unwrap()
        };
        Schema { described: build(false), closed: build(true) }
    }
}

/// The names of the schemas that this one refers to.
fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str);
            let own = own.map(|to| to.strip_prefix("#/components/schemas/").unwrap().to_owned());
            map.values().flat_map(references).chain(own).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

/// OpenAPI 3.0 is nearly JSON Schema, draft 4: `nullable` stands for one more type. `closed`: an
/// object has the keys that are named, and no others.
fn as_json_schema(schema: &Value, closed: bool) -> Value {
    let Value::Object(map) = schema else {
        let Value::Array(list) = schema else { return schema.clone() };
        return list.iter().map(|part| as_json_schema(part, closed)).collect();
    };
    let mut made: Map<String, Value> = map
        .iter()
        .filter(|(key, _)| !["nullable", "example", "examples", "discriminator"].contains(&key.as_str()))
        .map(|(key, value)| match (key.as_str(), value) {
            // The keys below are names, not keywords.
            ("properties", Value::Object(named)) => {
                let parts = named.iter().map(|(name, part)| (name.clone(), as_json_schema(part, closed)));
                (key.clone(), Value::Object(parts.collect()))
            }
            ("required" | "enum" | "default", _) => (key.clone(), value.clone()),
            _ => (key.clone(), as_json_schema(value, closed)),
        })
        .collect();
    if closed && map.contains_key("properties") && !map.contains_key("additionalProperties") {
        made.insert("additionalProperties".into(), false.into());
    }
    if map.get("nullable") == Some(&Value::Bool(true)) {
        return json!({"anyOf": [{"type": "null"}, made]});
    }
    Value::Object(made)
}

/// A client that follows no redirects and takes every status as an answer.
pub fn client() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
    let config = config.max_redirects_will_error(false).max_response_header_size(64 * 1024);
    config.timeout_global(Some(Duration::from_secs(30))).build().into()
}

/// One request.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Response<Body> {
    let mut request = ureq::http::Request::builder().method(method.to_uppercase().as_str()).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let agent = client();
    if matches!(method.to_uppercase().as_str(), "POST" | "PATCH") {
        agent.run(request.body(body).unwrap()).unwrap()
    } else {
        agent.run(request.body(()).unwrap()).unwrap()
    }
}

pub fn header(response: &Response<Body>, name: &str) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}
