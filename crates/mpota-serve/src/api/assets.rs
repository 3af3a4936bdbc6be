//! Changing and deleting assets.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::patch;

use super::change::{Change, changing};
use super::errors::{Problem, Reason};
use super::input::Input;
use super::reply::Reply;
use crate::app::{App, Cx};
use crate::catalog::release::timestamp;
use crate::catalog::{Asset, Release, names, store};

const MOST_BYTES: usize = 64 * 1024;
pub(crate) const ASSET: &str = "ReleaseAsset";

/// The paths under one prefix.
pub(crate) fn routes(router: Router<Arc<App>>, prefix: &'static str) -> Router<Arc<App>> {
    router.route(
        &format!("{prefix}/repos/{{owner}}/{{repo}}/releases/assets/{{id}}"),
        patch(move |s, p, cx, body| update(prefix, s, p, cx, body))
            .delete(move |s, p, cx| delete(prefix, s, p, cx))
            .layer(DefaultBodyLimit::max(MOST_BYTES)),
    )
}

type Shared = State<Arc<App>>;
type Three = Path<(String, String, String)>;

/// The asset of this number, and the release that it is of.
fn find<'a>(change: &'a Change<'_>, id: &str) -> Result<(&'a Release, &'a Asset), Problem> {
    let id: u64 = id.parse().map_err(|_| Problem::not_found())?;
    let found = change.releases.iter().find_map(|release| {
        let asset = release.assets.iter().find(|asset| asset.id == id)?;
        Some((release, asset))
    });
    found.ok_or_else(Problem::not_found)
}

/// The name that GitHub would give, or why there is none.
pub(crate) fn name(wanted: &str) -> Result<String, Problem> {
    let invalid = || Problem::invalid(vec![Reason::new(ASSET, "invalid", "name")]);
    names::asset_name(wanted).ok_or_else(invalid)
}

/// No two assets of a release have the same name.
pub(crate) fn name_is_free(release: &Release, name: &str, except: Option<u64>) -> Result<(), Problem> {
    if release.assets.iter().any(|other| other.name == name && Some(other.id) != except) {
        return Err(Problem::invalid(vec![Reason::new(ASSET, "already_exists", "name")]));
    }
    Ok(())
}

async fn update(
    prefix: &'static str,
    State(app): Shared,
    Path((o, r, id)): Three,
    cx: Cx,
    body: Bytes,
) -> Response {
    changing(app, cx, prefix, (o, r), move |change| {
        let (release, asset) = find(&change, &id)?;
        let input = Input::read(ASSET, &body)?;
        let (wanted, label) = (input.text("name")?, input.text("label")?);
        if release.meta.immutable {
            return Err(Problem::refused("Cannot update assets of an immutable release."));
        }
        let mut meta = store::settled(release);
        let Some(note) = meta.assets.get_mut(&asset.file) else { return Err(Problem::server()) };
        if let Some(wanted) = wanted {
            let name = name(&wanted)?;
            name_is_free(release, &name, Some(asset.id))?;
            note.name = (name != asset.file).then_some(name);
        }
        note.label = label.or(note.label.take());
        // Noted, since the time of the file says nothing of this.
        note.created_at = Some(asset.created_at.clone());
        note.updated_at = Some(timestamp(SystemTime::now()));
        change.disk(change.writing.save(&release.folder, &meta))?;
        let release = change.again(release.id)?;
        let asset = release.assets.iter().find(|other| other.id == asset.id).ok_or_else(Problem::server)?;
        Ok(Reply::json(&change.make.asset(&release, asset)))
    })
    .await
}

async fn delete(prefix: &'static str, State(app): Shared, Path((o, r, id)): Three, cx: Cx) -> Response {
    changing(app, cx, prefix, (o, r), move |change| {
        let (release, asset) = find(&change, &id)?;
        if release.meta.immutable {
            return Err(Problem::refused("Cannot delete asset from an immutable release"));
        }
        // A starter has a note only.
        if !asset.path.as_os_str().is_empty() {
            change.disk(std::fs::remove_file(&asset.path))?;
        }
        let mut meta = store::settled(release);
        meta.assets.remove(&asset.file);
        change.disk(change.writing.save(&release.folder, &meta))?;
        Ok(Reply::NoContent)
    })
    .await
}
