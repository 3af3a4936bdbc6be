//! The two GraphQL queries that `gh release` makes for reading: a draft by
//! tag, and the list. They are told by the field they ask for; anything else
//! is an error in GraphQL's own form.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Reply, reply};
use crate::app::{App, Cx};
use crate::catalog::{Release, latest};

/// More than any query of `gh release`.
const MOST_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Query {
    query: String,
    #[serde(default)]
    variables: Variables,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Variables {
    owner: String,
    name: String,
    tag_name: String,
    per_page: Option<usize>,
    end_cursor: Option<String>,
}

/// As at api.github.com and as at a GitHub Enterprise server.
pub(crate) fn routes() -> Router<Arc<App>> {
    let query = post(graphql).layer(DefaultBodyLimit::max(MOST_BYTES));
    Router::new().route("/graphql", query.clone()).route("/api/graphql", query)
}

async fn graphql(State(app): State<Arc<App>>, cx: Cx, query: Result<Json<Query>, JsonRejection>) -> Response {
    reply(app, cx, |app, _, who| {
        let Ok(Json(query)) = query else {
            return error("The query could not be read");
        };
        let wanted = &query.variables;
        let Some(repo) = app.catalog.repo(&wanted.owner, &wanted.name) else {
            return error("Could not resolve to a Repository");
        };
        let mut releases = app.releases(&repo);
        if !app.access.sees_drafts(who) {
            releases.retain(|release| !release.draft);
        }
        if query.query.contains("release(tagName:") {
            let release = releases.iter().find(|r| r.tag == wanted.tag_name);
            let release = release.map(|r| json!({"databaseId": r.id, "isDraft": r.draft}));
            return data(&json!({ "release": release }));
        }
        if query.query.contains("releases(first:") {
            return data(&list(&releases, &query));
        }
        error("This server answers only the queries that gh release makes for reading")
    })
    .await
}

/// A cursor is the number of releases before it.
fn list(releases: &[Release], query: &Query) -> Value {
    let wanted = &query.variables;
    let cursor = wanted.end_cursor.as_deref();
    let start = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let start = releases.len().min(start);
    let size = wanted.per_page.unwrap_or(30).min(100);
    let end = releases.len().min(start + size);
    let newest = latest(releases).map(|release| release.id);
    let nodes: Vec<Value> = releases[start..end]
        .iter()
        .map(|release| {
            let mut node = json!({
                "name": release.meta.name.as_ref().unwrap_or(&release.tag),
                "tagName": release.tag,
                "isDraft": release.draft,
                "isLatest": newest == Some(release.id),
                "isPrerelease": release.prerelease,
                "isImmutable": release.meta.immutable,
                "createdAt": release.created_at,
                "publishedAt": release.published_at,
            });
            // Clients refuse a field that they did not ask for.
            if let Some(fields) = node.as_object_mut() {
                fields.retain(|name, _| query.query.contains(name.as_str()));
            }
            node
        })
        .collect();
    let page = json!({"hasNextPage": end < releases.len(), "endCursor": end.to_string()});
    json!({"releases": {"nodes": nodes, "pageInfo": page}})
}

fn data(repository: &Value) -> Reply {
    Reply::json(&json!({"data": {"repository": repository}}))
}

fn error(message: &str) -> Reply {
    Reply::json(&json!({"errors": [{"message": message}]}))
}
