//! What clients ask besides releases: who they are, what this is, whether the
//! repository is there, and where a tag points.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::auth::Caller;
use super::errors::Problem;
use super::objects::{Maker, node_id};
use super::reply::{Reply, reply};
use super::repository::{self, ONCE};
use crate::app::{App, Cx};
use crate::catalog::digest::{hex, short_hash};
use crate::catalog::{Repo, store};
use crate::write::Permission;

/// The paths under one prefix.
pub(crate) fn routes(router: Router<Arc<App>>, prefix: &'static str) -> Router<Arc<App>> {
    let router = if prefix.is_empty() {
        router
    } else {
        let root = get(move |s, cx| root(prefix, s, cx));
        router.route(prefix, root.clone()).route(&format!("{prefix}/"), root)
    };
    let repo = format!("{prefix}/repos/{{owner}}/{{repo}}");
    router
        .route(&format!("{prefix}/meta"), get(move |s, cx| meta(prefix, s, cx)))
        .route(&format!("{prefix}/user"), get(move |s, cx| user(prefix, s, cx)))
        .route(&format!("{prefix}/rate_limit"), get(rate_limit))
        .route(&repo, get(move |s, p, cx| repository(prefix, s, p, cx)))
        .route(&format!("{repo}/immutable-releases"), get(immutable_releases))
        .route(&format!("{repo}/git/ref/{{*name}}"), get(move |s, p, cx| tag(prefix, s, p, cx)))
        .route(
            &format!("{repo}/git/refs/{{*name}}"),
            axum::routing::delete(move |s, p, cx| delete_tag(prefix, s, p, cx)),
        )
}

type Shared = State<Arc<App>>;
type Three = Path<(String, String, String)>;

async fn root(prefix: &'static str, State(app): Shared, cx: Cx) -> Response {
    reply(app, cx, move |app, cx, _| {
        let page = app.base(cx);
        Reply::json(&repository::root(&page, &format!("{page}{prefix}")))
    })
    .await
}

async fn meta(prefix: &'static str, State(app): Shared, cx: Cx) -> Response {
    reply(app, cx, move |_, _, _| {
        let mut meta = json!({"verifiable_password_authentication": false});
        if !prefix.is_empty() {
            // As a GitHub Enterprise server that knows digests and immutable releases.
            meta["installed_version"] = "3.19.0".into();
        }
        Reply::json(&meta)
    })
    .await
}

async fn user(prefix: &'static str, State(app): Shared, cx: Cx) -> Response {
    reply(app, cx, move |app, cx, who| {
        if who.caller != Caller::Known {
            let problem = Problem::new(hyper::StatusCode::UNAUTHORIZED, "Requires authentication");
            return Reply::Refused(problem);
        }
        // The token's holder owns what there is; without any, somebody.
        let repo = app.catalog.repos().into_iter().next();
        let owner = |repo: &Repo| serde_json::to_value(Maker { app, cx, repo, prefix }.user());
        let mut user = match repo.as_ref().map(owner) {
            Some(Ok(user)) => user,
            _ => json!({"login": "mpota", "id": 1, "node_id": node_id("U", 1), "type": "User"}),
        };
        for (key, value) in [("created_at", ONCE), ("updated_at", ONCE)] {
            user[key] = value.into();
        }
        for key in ["name", "company", "location", "email", "hireable", "bio"] {
            user[key] = Value::Null;
        }
        user["blog"] = "".into();
        for key in ["public_repos", "public_gists", "followers", "following"] {
            user[key] = 0.into();
        }
        Reply::json(&user)
    })
    .await
}

async fn rate_limit(State(app): Shared, cx: Cx) -> Response {
    reply(app, cx, |app, _, who| {
        let numbers = app.rates.headers(who.caller, true, None);
        let of = |name: &str| {
            let found = numbers.iter().find(|(header, _)| header.as_str() == format!("x-ratelimit-{name}"));
            found.and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or(0)
        };
        let core = json!({
            "limit": of("limit"), "used": of("used"), "remaining": of("remaining"), "reset": of("reset"),
        });
        Reply::json(&json!({"resources": {"core": core, "search": core}, "rate": core}))
    })
    .await
}

async fn repository(
    prefix: &'static str,
    State(app): Shared,
    Path((owner, name)): Path<(String, String)>,
    cx: Cx,
) -> Response {
    reply(app, cx, move |app, cx, who| {
        let Some(repo) = app.catalog.repo(&owner, &name) else { return Reply::NotFound };
        let make = Maker { app, cx, repo: &repo, prefix };
        Reply::json(&repository::object(&make, who, &app.releases(&repo)))
    })
    .await
}

/// GitHub tells administrators only, and no fine-grained token has that right here. It says 404 where the setting is off.
async fn immutable_releases(
    State(app): Shared,
    Path((owner, name)): Path<(String, String)>,
    cx: Cx,
) -> Response {
    reply(app, cx, move |app, _, who| {
        if let Some(Permission::ContentsRead | Permission::ContentsWrite) = who.permission {
            let said = "Resource not accessible by personal access token";
            return Reply::Refused(Problem::new(hyper::StatusCode::FORBIDDEN, said));
        }
        let on = app.write.as_ref().is_some_and(|write| write.immutable);
        if !on || who.caller != Caller::Known || app.catalog.repo(&owner, &name).is_none() {
            return Reply::NotFound;
        }
        Reply::json(&json!({"enabled": true, "enforced_by_owner": false}))
    })
    .await
}

/// There is no git here: a tag is there as soon as a release with it is
/// published, and points to a commit that nobody has.
async fn tag(prefix: &'static str, State(app): Shared, Path((o, r, name)): Three, cx: Cx) -> Response {
    reply(app, cx, move |app, cx, _| {
        // Some clients encode the slash: it is looked for here, not in the route.
        let (Some(repo), Some(tag)) = (app.catalog.repo(&o, &r), name.strip_prefix("tags/")) else {
            return Reply::NotFound;
        };
        if !app.releases(&repo).iter().any(|release| !release.draft && release.tag == tag) {
            return Reply::NotFound;
        }
        let make = Maker { app, cx, repo: &repo, prefix };
        let name = repo.full_name();
        let long = hex(&short_hash(&["commit", &name, tag])) + &hex(&short_hash(&["more", &name, tag]));
        let sha = &long[..40];
        let path = crate::web::encode::encode_tag(tag);
        Reply::json(&json!({
            "ref": format!("refs/tags/{tag}"),
            "node_id": node_id("REF", repo.id),
            "url": make.api(&format!("git/refs/tags/{path}")),
            "object": {"sha": sha, "type": "commit", "url": make.api(&format!("git/commits/{sha}"))},
        }))
    })
    .await
}

/// A tag goes with its release, so that there is nothing left to do.
async fn delete_tag(prefix: &'static str, State(app): Shared, Path((o, r, name)): Three, cx: Cx) -> Response {
    super::change::changing(app, cx, prefix, (o, r), move |change| {
        let tag = name.strip_prefix("tags/").ok_or_else(Problem::not_found)?;
        let held = change.releases.iter().any(|release| !release.draft && release.tag == tag);
        if held || store::tag_is_used_up(change.make.repo, tag) {
            return Err(Problem::refused("Cannot delete the tag of a release"));
        }
        Ok(Reply::NoContent)
    })
    .await
}
