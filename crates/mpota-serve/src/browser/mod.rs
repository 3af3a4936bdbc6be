//! Pages for people with a browser. They stand beside what programs ask for: only who names `text/html` in `Accept`
//! gets them, and every other request is answered as if they were not there.

mod facts;
pub(crate) mod fleet;
mod layout;
mod project;
mod release;
mod setup;
mod text;

use axum::response::Response;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, VARY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, StatusCode};
use maud::{Markup, html};

use crate::api::auth::{Caller, Who};
use crate::app::{App, Cx};
use crate::catalog::{Release, Repo};
use crate::web::answer;
use crate::web::pages::page_tag;
use project::Project;

/// Whether a page is wanted: a browser names HTML, boards and clients of the API do not.
pub(crate) fn wanted(cx: &Cx) -> bool {
    let html = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
        named && weight != Some(0.0)
    };
    let accepted = cx.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    [Method::GET, Method::HEAD].contains(&cx.method) && accepted.flat_map(|v| v.split(',')).any(html)
}

/// Who looks, as far as the pages care.
pub(crate) struct Viewer {
    who: Who,
    drafts: bool,
}

/// Lets in whom the API would answer. Everybody else is to be asked for a token, whatever the address is, so that
/// nobody learns what is there.
pub(crate) fn admit(app: &App, cx: &Cx) -> Option<Viewer> {
    let who = app.access.who(&cx.headers);
    if who.caller == Caller::Wrong || !app.access.reads(&who) {
        return None;
    }
    let drafts = app.access.sees_drafts(&who);
    Some(Viewer { who, drafts })
}

impl Viewer {
    /// Whether this release is shown.
    pub fn sees(&self, release: &Release) -> bool {
        !release.draft || self.drafts
    }

    /// The release that a page or a download names.
    pub fn find<'a>(&self, releases: &'a [Release], tag: &str) -> Option<&'a Release> {
        releases.iter().find(|release| self.sees(release) && page_tag(release) == tag)
    }
}

/// The page at an address that nothing else answers.
pub(crate) fn show(app: &App, cx: &Cx) -> Response {
    let path = cx.uri.path();
    let parts: Option<Vec<String>> = path.split('/').skip(1).map(text::decoded).collect();
    let Some(mut parts) = parts else { return not_found(app) };
    if parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let Some(viewer) = admit(app, cx) else { return login() };
    if parts == ["login"] && app.access.knows_tokens() {
        return if viewer.who.caller == Caller::Known { away("/") } else { login() };
    }
    let site = Site { app, cx, viewer };
    site.page(&parts).map_or_else(|| not_found(app), |(title, main)| site.dress(&title, &main))
}

/// Everything that a page is made of.
struct Site<'a> {
    app: &'a App,
    cx: &'a Cx,
    viewer: Viewer,
}

impl Site<'_> {
    fn page(&self, parts: &[&str]) -> Option<(String, Markup)> {
        match parts {
            [] => Some(self.index("Releases", &self.app.catalog.repos())),
            [owner] => {
                let mut repos = self.app.catalog.repos();
                repos.retain(|repo| repo.owner.eq_ignore_ascii_case(owner));
                let name = repos.first()?.owner.clone();
                Some(self.index(&format!("Releases of {name}"), &repos))
            }
            [owner, name] => Some(self.project(owner, name)?.front(self)),
            [owner, name, "releases"] => Some(self.project(owner, name)?.list(self)),
            [owner, name, "releases", "tag", tag @ ..] if !tag.is_empty() => {
                let project = self.project(owner, name)?;
                let release = self.viewer.find(&project.releases, &tag.join("/"))?;
                Some(release::page(self, &project, release))
            }
            _ => None,
        }
    }

    fn project(&self, owner: &str, name: &str) -> Option<Project> {
        Some(self.read(self.app.catalog.repo(owner, name)?))
    }

    fn read(&self, repo: Repo) -> Project {
        let mut releases = self.app.releases(&repo);
        releases.retain(|release| self.viewer.sees(release));
        Project::new(repo, releases)
    }

    fn index(&self, heading: &str, repos: &[Repo]) -> (String, Markup) {
        let projects: Vec<Project> = repos.iter().map(|repo| self.read(repo.clone())).collect();
        let main = html! {
            h1 { (text::Shown(heading)) }
            @if projects.is_empty() {
                p { "There is no project here yet." }
            } @else {
                (project::table(&projects))
            }
            @if self.app.fleet.is_some() { p { a href="/fleet" { "The fleet" } ": the boards that report here" } }
            (setup::board(self, None, None))
        };
        (heading.to_owned(), main)
    }

    fn dress(&self, title: &str, main: &Markup) -> Response {
        let known = self.viewer.who.caller == Caller::Known;
        let login = self.app.access.knows_tokens() && !known;
        respond(StatusCode::OK, &[], &layout::whole(title, main, login))
    }
}

/// 404 for a browser.
pub(crate) fn not_found(app: &App) -> Response {
    let main = html! {
        h1 { "Not found" }
        p { "Nothing is at this address." }
        p { a href="/" { "All projects" } }
    };
    respond(StatusCode::NOT_FOUND, &[], &layout::whole("Not found", &main, app.access.knows_tokens()))
}

/// Asks for the token. It goes into a header, never into an address or a cookie.
pub(crate) fn login() -> Response {
    let challenge = "Basic realm=\"mpota: any name, and the token as the password\", charset=\"UTF-8\"";
    let main = html! {
        h1 { "A token is needed" }
        p { "Enter any user name, and the token as the password." }
        p { a href="/login" { "Try again" } }
    };
    let headers = [(WWW_AUTHENTICATE, challenge.to_owned())];
    respond(StatusCode::UNAUTHORIZED, &headers, &layout::whole("A token is needed", &main, false))
}

fn away(to: &str) -> Response {
    respond(StatusCode::SEE_OTHER, &[(LOCATION, to.to_owned())], &html! {})
}

fn respond(status: StatusCode, more: &[(HeaderName, String)], page: &Markup) -> Response {
    let mut headers = vec![
        (CONTENT_SECURITY_POLICY, layout::POLICY.clone()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin".to_owned()),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin".to_owned()),
        // What a token shows stays in no cache.
        (CACHE_CONTROL, "no-store".to_owned()),
        (VARY, "Accept, Authorization".to_owned()),
    ];
    headers.extend_from_slice(more);
    answer(status, "text/html; charset=utf-8", &headers, page.0.as_str())
}
