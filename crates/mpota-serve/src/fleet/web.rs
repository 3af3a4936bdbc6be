//! Who may look at the fleet, and what programs are given.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, ETAG, HOST, HeaderName, IF_NONE_MATCH, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::{Map, Value, json};

use super::overview::Overview;
use super::query::Query;
use super::record::{Board, Release};
use super::{Fleet, metrics, now};
use crate::api::auth::given;
use crate::app::{App, Cx, blocking};
use crate::browser;
use crate::web::answer;

/// Boards in one answer, if the request does not say.
const PER_PAGE: usize = 100;
/// How a browser asks for the password.
const CHALLENGE: &str =
    "Basic realm=\"mpota fleet: any name, and the token as the password\", charset=\"UTF-8\"";

/// The addresses. They are there only where reports are kept.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/fleet", get(page)).route("/fleet.json", get(json)).route("/metrics", get(figures))
}

/// Why somebody may not look.
pub(crate) enum Refused {
    /// The token is missing, or is another one.
    Token,
    /// The request names this machine as something else than itself: a page of a stranger may be behind it.
    Host,
}

impl Fleet {
    /// With a token, who has it may look. Without one the server listens to this machine alone, and a browser may
    /// have been led to it under another name.
    fn admit(&self, cx: &Cx) -> Result<(), Refused> {
        if let Some(secret) = &self.viewers {
            return if secret.among(&given(&cx.headers)) { Ok(()) } else { Err(Refused::Token) };
        }
        let host = cx.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host =
            host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(host, _)| host);
        let near = host.eq_ignore_ascii_case("localhost")
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if near { Ok(()) } else { Err(Refused::Host) }
    }
}

/// The mark of what would be shown now. Times are told by the minute.
fn mark(fleet: &Fleet) -> String {
    format!("\"{:x}-{:x}\"", fleet.state().generation(), now() / 60)
}

async fn page(Shared(app): Shared<Arc<App>>, cx: Cx) -> Response {
    let Some(fleet) = app.fleet.clone() else { return browser::not_found(&app) };
    match fleet.admit(&cx) {
        Err(Refused::Token) => return browser::fleet::login(CHALLENGE),
        Err(Refused::Host) => return browser::fleet::elsewhere(),
        Ok(()) => {}
    }
    let query = cx.uri.query().unwrap_or_default();
    if let Some(id) = wanted(query) {
        let history = fleet.history(&id).await;
        return blocking(app, cx, move |app, _| browser::fleet::board(app, &fleet, &id, &history)).await;
    }
    let mark = mark(&fleet);
    if cx.headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == mark.as_bytes()) {
        return not_modified(mark);
    }
    blocking(app, cx, move |_, cx| browser::fleet::list(&fleet, cx.uri.query().unwrap_or_default(), mark))
        .await
}

fn not_modified(mark: String) -> Response {
    answer(StatusCode::NOT_MODIFIED, "text/html; charset=utf-8", &[(ETAG, mark)], "")
}

/// The board that an address names.
fn wanted(query: &str) -> Option<String> {
    let id = crate::web::encode::in_query(query, "board").map(crate::web::encode::decode)?;
    Some(id).filter(|id| !id.is_empty())
}

/// What keeps programs out, and browsers from taking an answer for something else.
fn plain(status: StatusCode, kind: &'static str, more: &[(HeaderName, String)], body: String) -> Response {
    let mut headers = vec![
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (VARY, "Authorization".to_owned()),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin".to_owned()),
    ];
    headers.extend_from_slice(more);
    answer(status, kind, &headers, body)
}

fn refuse(refused: &Refused) -> Response {
    let text = "text/plain; charset=utf-8";
    match refused {
        Refused::Token => {
            let challenge = [(WWW_AUTHENTICATE, CHALLENGE.to_owned())];
            plain(
                StatusCode::UNAUTHORIZED,
                text,
                &challenge,
                "The fleet is shown to who has the token.\n".into(),
            )
        }
        Refused::Host => plain(
            StatusCode::FORBIDDEN,
            text,
            &[],
            "Without --fleet-token-env the fleet is shown at http://localhost only.\n".into(),
        ),
    }
}

async fn json(Shared(app): Shared<Arc<App>>, cx: Cx) -> Response {
    let Some(fleet) = app.fleet.clone() else { return browser::not_found(&app) };
    if let Err(refused) = fleet.admit(&cx) {
        return refuse(&refused);
    }
    let query = cx.uri.query().unwrap_or_default();
    let kind = "application/json; charset=utf-8";
    if let Some(id) = wanted(query) {
        let history = fleet.history(&id).await;
        let state = fleet.state();
        let Some(board) = state.board(&id) else {
            return plain(StatusCode::NOT_FOUND, kind, &[], json!({"message": "Not Found"}).to_string());
        };
        let mut value = describe(&id, board);
        value.insert("history".into(), json!(history));
        return plain(StatusCode::OK, kind, &[], Value::Object(value).to_string());
    }
    blocking(app, cx, move |_, cx| {
        let query = Query::read(cx.uri.query().unwrap_or_default(), PER_PAGE);
        plain(StatusCode::OK, kind, &[], all(&fleet, &query).to_string())
    })
    .await
}

fn describe(id: &str, board: &Board) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("id".into(), json!(id));
    if let Ok(Value::Object(said)) = serde_json::to_value(board) {
        all.extend(said);
    }
    all.insert("came_back".into(), json!(board.came_back()));
    all
}

fn all(fleet: &Fleet, query: &Query) -> Value {
    let now = now();
    let state = fleet.state();
    let overview = Overview::of(&state, now);
    let (boards, matching) = query.select(&state);
    let boards: Vec<_> = boards.into_iter().map(|(id, board)| describe(id, board)).collect();
    let versions = overview.versions.iter().map(|(Release { project, version }, row)| {
        json!({
            "project": project, "version": version, "installed": row.installed, "tried": row.tally.tried,
            "came_back": row.tally.back, "withheld": row.halted,
        })
    });
    let withheld = state.halted().map(|(Release { project, version }, halt)| {
        let tally = halt.tally;
        json!({"project": project, "version": version, "since": halt.at, "tried": tally.tried, "came_back": tally.back})
    });
    let reports = fleet
        .counts
        .all()
        .into_iter()
        .map(|(outcome, code, count)| json!({"outcome": outcome, "code": code, "count": count}));
    json!({
        "now": now,
        "boards_known": overview.boards,
        "seen_in_hour": overview.seen_in_hour,
        "seen_in_day": overview.seen_in_day,
        "came_back": overview.back,
        "versions": versions.collect::<Vec<_>>(),
        "withheld": withheld.collect::<Vec<_>>(),
        "reports": reports.collect::<Vec<_>>(),
        "matching": matching,
        "page": query.page,
        "pages": matching.div_ceil(query.per_page),
        "boards": boards,
    })
}

async fn figures(Shared(app): Shared<Arc<App>>, cx: Cx) -> Response {
    let Some(fleet) = app.fleet.clone() else { return browser::not_found(&app) };
    if let Err(refused) = fleet.admit(&cx) {
        return refuse(&refused);
    }
    blocking(app, cx, move |_, _| {
        let (overview, halted, writes) = {
            let state = fleet.state();
            let halted: Vec<Release> = state.halted().map(|(release, _)| release.clone()).collect();
            (Overview::of(&state, now()), halted, state.writes())
        };
        let text = metrics::text(&fleet, &overview, &halted, writes);
        plain(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", &[], text)
    })
    .await
}
