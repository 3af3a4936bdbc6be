//! Creating, changing, publishing and deleting releases.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{patch, post};

use super::change::{Change, changing};
use super::errors::{Problem, Reason};
use super::input::Input;
use super::reply::Reply;
use crate::app::{App, Cx};
use crate::catalog::meta::{MakeLatest, Meta};
use crate::catalog::release::timestamp;
use crate::catalog::{Release, names, store};

/// More than a release with the longest text.
const MOST_BYTES: usize = 1024 * 1024;
const RELEASE: &str = "Release";

/// The paths under one prefix.
pub(crate) fn routes(router: Router<Arc<App>>, prefix: &'static str) -> Router<Arc<App>> {
    let at = |rest: &str| format!("{prefix}/repos/{{owner}}/{{repo}}/releases{rest}");
    let limit = || DefaultBodyLimit::max(MOST_BYTES);
    router.route(&at(""), post(move |s, p, cx, body| create(prefix, s, p, cx, body)).layer(limit())).route(
        &at("/{id}"),
        patch(move |s, p, cx, body| update(prefix, s, p, cx, body))
            .delete(move |s, p, cx| delete(prefix, s, p, cx))
            .layer(limit()),
    )
}

type Shared = State<Arc<App>>;
type Three = Path<(String, String, String)>;

/// What is wanted of a release; nothing is said of what is not there.
struct Wanted {
    tag: Option<String>,
    target: Option<String>,
    name: Option<String>,
    body: Option<String>,
    draft: Option<bool>,
    prerelease: Option<bool>,
    make_latest: Option<MakeLatest>,
    notes: bool,
}

impl Wanted {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let input = Input::read(RELEASE, body)?;
        let wanted = Self {
            tag: input.text("tag_name")?,
            target: input.text("target_commitish")?,
            name: input.text("name")?,
            body: input.text("body")?,
            draft: input.flag("draft")?,
            prerelease: input.flag("prerelease")?,
            make_latest: input.make_latest()?,
            notes: input.flag("generate_release_notes")?.unwrap_or(false),
        };
        if wanted.tag.as_ref().is_some_and(|tag| !names::is_tag(tag)) {
            let custom = |field, text: &str| Reason::custom(RELEASE, field, text);
            return Err(Problem::invalid(vec![
                custom(Some("tag_name"), "tag_name is not a valid tag"),
                custom(None, "Published releases must have a valid tag"),
            ]));
        }
        if wanted.target.as_ref().is_some_and(|target| target.chars().any(char::is_control)) {
            return Err(Problem::invalid(vec![Reason::new(RELEASE, "invalid", "target_commitish")]));
        }
        Ok(wanted)
    }

    /// Puts what is wanted into what is noted.
    fn into(self, meta: &mut Meta) {
        meta.tag_name = self.tag.or(meta.tag_name.take());
        meta.target_commitish = self.target.filter(|t| !t.is_empty()).or(meta.target_commitish.take());
        meta.name = self.name.or(meta.name.take());
        meta.body = self.body.or(meta.body.take());
        meta.draft = self.draft.unwrap_or(meta.draft);
        meta.prerelease = self.prerelease.or(meta.prerelease);
        meta.make_latest = self.make_latest.or(meta.make_latest);
    }
}

async fn create(
    prefix: &'static str,
    State(app): Shared,
    Path((o, r)): Path<(String, String)>,
    cx: Cx,
    body: Bytes,
) -> Response {
    changing(app, cx, prefix, (o, r), move |mut change| {
        let mut wanted = Wanted::read(&body)?;
        let Some(tag) = wanted.tag.clone() else {
            return Err(Problem::invalid(vec![Reason::new(RELEASE, "missing_field", "tag_name")]));
        };
        if wanted.notes {
            let page = change.make.page(&format!("commits/{}", crate::web::encode::encode_tag(&tag)));
            let notes = format!("**Full Changelog**: {page}");
            wanted.body = Some(wanted.body.map_or(notes.clone(), |body| format!("{body}\n\n{notes}")));
            wanted.name.get_or_insert_with(|| tag.clone());
        }
        let asks = wanted.make_latest == Some(MakeLatest::Yes);
        let id = change.writing.next_id();
        let now = timestamp(SystemTime::now());
        let mut meta = Meta {
            id: Some(id),
            prerelease: Some(false),
            created_at: Some(now.clone()),
            updated_at: Some(now),
            ..Meta::default()
        };
        wanted.into(&mut meta);
        if !meta.draft {
            publish(&mut change, &mut meta, id, asks)?;
        }
        change.disk(change.writing.create(change.make.repo, id, &tag, &meta))?;
        let made = change.make.release(&change.again(id)?);
        let address = change.make.api(&format!("releases/{id}"));
        Ok(Reply::created(&made, Some(address)))
    })
    .await
}

async fn update(
    prefix: &'static str,
    State(app): Shared,
    Path((o, r, id)): Three,
    cx: Cx,
    body: Bytes,
) -> Response {
    changing(app, cx, prefix, (o, r), move |mut change| {
        let release = change.release(&id)?;
        let wanted = Wanted::read(&body)?;
        let (id, folder, was_draft) = (release.id, release.folder.clone(), release.draft);
        if release.meta.immutable {
            immutable_stays(release, &wanted)?;
        }
        let mut meta = store::settled(release);
        let asks = wanted.make_latest;
        wanted.into(&mut meta);
        meta.updated_at = Some(timestamp(SystemTime::now()));
        if asks == Some(MakeLatest::Yes) && (meta.draft || meta.prerelease == Some(true)) {
            return Err(never_latest());
        }
        if meta.draft {
            meta.published_at = None;
            meta.latest_order = None;
        } else if was_draft {
            publish(&mut change, &mut meta, id, asks == Some(MakeLatest::Yes))?;
        } else {
            tag_is_free(&change, &meta, id)?;
            if asks == Some(MakeLatest::Yes) {
                meta.latest_order = Some(change.writing.next_id());
            }
        }
        change.disk(change.writing.save(&folder, &meta))?;
        Ok(Reply::json(&change.make.release(&change.again(id)?)))
    })
    .await
}

async fn delete(prefix: &'static str, State(app): Shared, Path((o, r, id)): Three, cx: Cx) -> Response {
    changing(app, cx, prefix, (o, r), move |mut change| {
        let id = change.release(&id)?.id;
        let place = change.releases.iter().position(|release| release.id == id);
        if let Some(release) = place.map(|place| change.releases.swap_remove(place)) {
            let removed = change.writing.remove(change.make.repo, &release);
            change.disk(removed)?;
        }
        Ok(Reply::NoContent)
    })
    .await
}

/// Makes a release public: from now on it has its tag and may be the latest.
fn publish(change: &mut Change<'_>, meta: &mut Meta, id: u64, asks: bool) -> Result<(), Problem> {
    tag_is_free(change, meta, id)?;
    let prerelease = meta.prerelease == Some(true);
    if asks && prerelease {
        return Err(never_latest());
    }
    meta.published_at = Some(timestamp(SystemTime::now()));
    if !prerelease && *meta.make_latest.get_or_insert(MakeLatest::Yes) == MakeLatest::Yes {
        meta.latest_order = Some(change.writing.next_id());
    }
    meta.immutable = change.make.app.write.as_ref().is_some_and(|write| write.immutable);
    Ok(())
}

fn never_latest() -> Problem {
    let message = "Latest release cannot be draft or prerelease.";
    Problem::invalid(vec![Reason::custom(RELEASE, None, message)])
}

/// Two published releases never have the same tag.
fn tag_is_free(change: &Change<'_>, meta: &Meta, id: u64) -> Result<(), Problem> {
    let tag = meta.tag_name.as_deref().unwrap_or_default();
    if change.releases.iter().any(|other| !other.draft && other.id != id && other.tag == tag) {
        return Err(Problem::invalid(vec![Reason::new(RELEASE, "already_exists", "tag_name")]));
    }
    if !meta.immutable && store::tag_is_used_up(change.make.repo, tag) {
        let custom = |field, text: &str| Reason::custom(RELEASE, field, text);
        return Err(Problem::invalid(vec![
            custom(Some("tag_name"), "tag_name was used by an immutable release"),
            custom(None, "Published releases must have a valid tag"),
        ]));
    }
    Ok(())
}

/// Of a release that cannot be changed only the words can.
fn immutable_stays(release: &Release, wanted: &Wanted) -> Result<(), Problem> {
    let field = if wanted.tag.as_ref().is_some_and(|tag| *tag != release.tag) {
        "tag_name"
    } else if wanted.draft == Some(true) {
        "draft"
    } else if wanted.target.is_some() && wanted.target != release.meta.target_commitish {
        "target_commitish"
    } else {
        return Ok(());
    };
    let message = format!("{field} cannot be changed on an immutable release");
    Err(Problem::invalid(vec![Reason::custom(RELEASE, Some(field), message)]))
}
