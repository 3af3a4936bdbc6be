//! Uploading assets: straight to the disk, hashed on the way, and never in
//! sight before they are whole.

use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use http_body::Body as _;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use ring::digest::{Context, SHA256};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::assets::{ASSET, name, name_is_free};
use super::auth::Who;
use super::change::change;
use super::errors::{Problem, Reason};
use super::reply::{Reply, admit, bad_gateway, dress};
use crate::app::{App, Cx, blocking};
use crate::catalog::digest::{Stamp, hex};
use crate::catalog::meta::STARTER;
use crate::catalog::release::timestamp;
use crate::catalog::{Release, store};
use crate::faults::FaultKind;
use crate::web::encode::{decode, in_query};
use crate::web::file::OCTETS;

/// What is read, and thrown away, of a body that is refused: a client that is
/// still sending would see a broken connection and not the answer.
const MOST_THROWN_AWAY: u64 = 64 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;

/// As `upload_url` names it: under the API's own path at api.github.com, under
/// `/api/uploads` at GitHub Enterprise.
pub(crate) fn routes(router: Router<Arc<App>>, prefix: &'static str) -> Router<Arc<App>> {
    let uploads = if prefix.is_empty() { "" } else { "/api/uploads" };
    let path = format!("{uploads}/repos/{{owner}}/{{repo}}/releases/{{id}}/assets");
    router.route(&path, post(move |s, p, cx, body| upload(prefix, s, p, cx, body)))
}

/// An upload that was let in.
struct Plan {
    who: Who,
    names: (String, String, String),
    name: String,
    label: Option<String>,
    content_type: String,
    promised: u64,
    unfinished: Unfinished,
}

/// Goes away by itself, whatever happens to the upload.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn upload(
    prefix: &'static str,
    State(app): State<Arc<App>>,
    Path(names): Path<(String, String, String)>,
    cx: Cx,
    body: Body,
) -> Response {
    let mut response = take(prefix, app, names, cx, body).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn take(
    prefix: &'static str,
    app: Arc<App>,
    names: (String, String, String),
    cx: Cx,
    body: Body,
) -> Response {
    let mut flow = Flow::new(&app, body);
    let (server, asked) = (Arc::clone(&app), cx.clone());
    let planned = tokio::task::spawn_blocking(move || plan(&server, &asked, prefix, names)).await;
    let planned = planned.unwrap_or_else(|_| Err(Box::new(Problem::server().response())));
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusal) => return flow.after_all(*refusal).await,
    };
    if cx.fault == Some(FaultKind::Starter) {
        return flow.after_all(finish(app, cx, prefix, plan, None).await).await;
    }
    match receive(&mut flow, &plan).await {
        Ok(digest) => finish(app, cx, prefix, plan, Some(digest)).await,
        Err(problem) => {
            let who = plan.who.clone();
            drop(plan);
            let mut response = dress(&app, &cx, &who, Reply::Refused(problem));
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

/// Everything that can be said before the first byte of the content.
fn plan(
    app: &App,
    cx: &Cx,
    prefix: &'static str,
    names: (String, String, String),
) -> Result<Plan, Box<Response>> {
    let (who, refused) = admit(app, cx);
    if let Some(refused) = refused {
        return Err(Box::new(dress(app, cx, &who, refused)));
    }
    let query = cx.uri.query().unwrap_or_default();
    let header = |name| cx.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut plan = None;
    let decided = change(app, cx, &who, prefix, (&names.0, &names.1), |mut change| {
        let release = change.release(&names.2)?;
        let missing = || Problem::invalid(vec![Reason::new(ASSET, "missing_field", "name")]);
        let wanted = in_query(query, "name").map(decode).filter(|n| !n.is_empty()).ok_or_else(missing)?;
        let promised = promised(app, header(CONTENT_LENGTH))?;
        let mut name = name(&wanted)?;
        if let Some(FaultKind::Renamed(other)) = &cx.fault {
            name.clone_from(other);
        }
        takes(app, release, &name)?;
        let folder = release.folder.clone();
        let unfinished = store::upload_path(&folder, change.writing.next_id());
        plan = Some(Plan {
            who: who.clone(),
            names: names.clone(),
            label: in_query(query, "label").map(decode),
            content_type: header(CONTENT_TYPE).unwrap_or(OCTETS).to_owned(),
            name,
            promised,
            unfinished: Unfinished(unfinished),
        });
        Ok(Reply::NoContent)
    });
    match (plan, decided) {
        (Some(plan), Ok(_)) => Ok(plan),
        (_, decided) => Err(Box::new(dress(app, cx, &who, decided.into()))),
    }
}

/// How many bytes there will be, if that is said and can be.
fn promised(app: &App, length: Option<&str>) -> Result<u64, Problem> {
    let said = length.and_then(|length| length.parse::<u64>().ok());
    let bad = || Problem::new(StatusCode::BAD_REQUEST, "Bad Content-Length: ");
    let promised = said.ok_or_else(bad)?;
    let most = app.write.as_ref().map_or(0, |write| write.asset_bytes);
    let size = |message: String| Problem::invalid(vec![Reason::custom(ASSET, Some("size"), message)]);
    match promised {
        0 => Err(size("size must be greater than or equal to 1".into())),
        n if n > most => Err(size(format!("size must be less than or equal to {most}"))),
        n => Ok(n),
    }
}

/// Whether the release can have an asset of this name.
fn takes(app: &App, release: &Release, name: &str) -> Result<(), Problem> {
    if release.meta.immutable {
        return Err(Problem::refused("Cannot upload assets to an immutable release."));
    }
    name_is_free(release, name, None)?;
    let most = app.write.as_ref().map_or(0, |write| write.assets);
    if release.assets.len() >= most {
        let message = format!("file_count limited to {most} assets per release");
        return Err(Problem::invalid(vec![Reason::custom(ASSET, Some("file_count"), message)]));
    }
    Ok(())
}

/// Takes the content in; gives its SHA-256.
async fn receive(flow: &mut Flow, plan: &Plan) -> Result<String, Problem> {
    let disk = |_| Problem::server();
    let mut file = BufWriter::with_capacity(BUFFER, File::create(&plan.unfinished.0).await.map_err(disk)?);
    let mut context = Context::new(&SHA256);
    while let Some(bytes) = flow.next().await? {
        if flow.received > plan.promised {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "Bad Content-Length: "));
        }
        context.update(&bytes);
        file.write_all(&bytes).await.map_err(disk)?;
    }
    if flow.received != plan.promised {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Bad Content-Length: "));
    }
    file.flush().await.map_err(disk)?;
    file.get_ref().sync_all().await.map_err(disk)?;
    Ok(format!("sha256:{}", hex(context.finish().as_ref())))
}

/// Puts it in its place, unless the release has changed meanwhile. Without a
/// digest the upload failed, and leaves the shell of an asset.
async fn finish(app: Arc<App>, cx: Cx, prefix: &'static str, plan: Plan, digest: Option<String>) -> Response {
    blocking(app, cx, move |app, cx| {
        let names = (plan.names.0.as_str(), plan.names.1.as_str());
        let reply = change(app, cx, &plan.who, prefix, names, |mut change| {
            let id = change.writing.next_id();
            let release = change.release(&plan.names.2)?;
            takes(app, release, &plan.name)?;
            let taken = |file: &str| release.assets.iter().any(|a| a.file.eq_ignore_ascii_case(file));
            let file = match store::file_name(&plan.name, id) {
                file if taken(&file) => format!("asset-{id}"),
                file => file,
            };
            let now = timestamp(SystemTime::now());
            let mut note = store::note(&plan.name, &file, id);
            note.label.clone_from(&plan.label);
            note.content_type = Some(plan.content_type.clone());
            note.created_at = Some(now.clone());
            note.updated_at = Some(now.clone());
            let Some(digest) = digest else {
                note.state = Some(STARTER.to_owned());
                let mut meta = store::settled(release);
                meta.assets.insert(file, note);
                change.disk(change.writing.save(&release.folder, &meta))?;
                return Ok(Reply::Other(bad_gateway()));
            };
            let metadata = std::fs::metadata(&plan.unfinished.0).map_err(|_| Problem::server())?;
            note.stamp = Some(Stamp::of(&metadata).text());
            note.digest = Some(match &cx.fault {
                Some(FaultKind::WrongDigest) => format!("sha256:{}", "0".repeat(64)),
                Some(FaultKind::NoDigest) => String::new(),
                _ => digest,
            });
            let mut meta = store::settled(release);
            meta.updated_at = Some(now);
            meta.assets.insert(file.clone(), note);
            change.disk(change.writing.add_asset(release, &meta, &plan.unfinished.0, &file))?;
            let release = change.again(release.id)?;
            let made = release.assets.iter().find(|asset| asset.id == id).ok_or_else(Problem::server)?;
            Ok(Reply::created(&change.make.asset(&release, made), None))
        });
        dress(app, cx, &plan.who, reply.into())
    })
    .await
}

/// A body as it comes in, with the bounds on how long that may take.
struct Flow {
    body: Body,
    received: u64,
    since: Instant,
    grace: Duration,
    slowest: u64,
}

impl Flow {
    fn new(app: &App, body: Body) -> Self {
        let slowest = app.write.as_ref().map_or(1024, |write| write.slowest);
        Self { body, received: 0, since: Instant::now(), grace: app.stall_timeout, slowest: slowest.max(1) }
    }

    /// The next piece. A client that stalls is ended by the watchdog, one that
    /// drips here.
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, Problem> {
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await;
            let Some(frame) = frame else { return Ok(None) };
            let broken = |_| Problem::new(StatusCode::BAD_REQUEST, "Bad Content-Length: ");
            let Ok(bytes) = frame.map_err(broken)?.into_data() else { continue };
            self.received += bytes.len() as u64;
            if self.since.elapsed() > self.grace + Duration::from_secs(self.received / self.slowest) {
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "Request Timeout"));
            }
            return Ok(Some(bytes));
        }
    }

    /// Answers once the client has sent everything, within bounds.
    async fn after_all(mut self, response: Response) -> Response {
        while self.received < MOST_THROWN_AWAY {
            if !matches!(self.next().await, Ok(Some(_))) {
                break;
            }
        }
        response
    }
}
