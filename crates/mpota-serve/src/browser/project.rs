//! The pages of a project: what is the latest, which channels there are, and all versions.

use maud::{Markup, html};
use mpota_format::version::is_channel;

use super::facts::{self, Facts, Signed};
use super::layout::{day, moment, trail};
use super::text::Shown;
use super::{Site, setup};
use crate::api::page::Page;
use crate::catalog::{Release, Repo, latest};
use crate::web::encode::{encode, encode_tag};
use crate::web::pages::page_tag;

/// Versions on a project's front page; the list has the others.
const NEWEST: usize = 5;

/// A project with the releases that the viewer may see.
pub(crate) struct Project {
    pub repo: Repo,
    pub releases: Vec<Release>,
    /// The number of the latest.
    pub latest: Option<u64>,
    pub channels: Vec<Channel>,
}

/// A channel and the version that it has.
pub(crate) struct Channel {
    pub id: u64,
    pub name: String,
    pub version: String,
    pub moved: String,
}

impl Project {
    pub fn new(repo: Repo, releases: Vec<Release>) -> Self {
        let channels = releases.iter().filter(|release| !release.draft && is_channel(&release.tag));
        let channels = channels.filter_map(|release| {
            let version = facts::version(release)?;
            let (name, moved) = (release.tag.clone(), release.updated_at.clone());
            Some(Channel { id: release.id, name, version, moved })
        });
        Self {
            channels: channels.collect(),
            latest: latest(&releases).map(|release| release.id),
            repo,
            releases,
        }
    }

    /// The address of something in the project.
    pub fn at(&self, rest: &str) -> String {
        format!("/{}/{}{rest}", encode(&self.repo.owner, b""), encode(&self.repo.name, b""))
    }

    /// The page of a release.
    pub fn page(&self, release: &Release) -> String {
        self.at(&format!("/releases/tag/{}", encode_tag(&page_tag(release))))
    }

    /// The page of a version, where it is here.
    pub fn page_of(&self, version: &str) -> Option<String> {
        let release = self.releases.iter().find(|release| !release.draft && release.tag == version)?;
        Some(self.page(release))
    }

    /// The way to this project.
    pub fn steps(&self) -> [(String, String); 2] {
        let owner = format!("/{}", encode(&self.repo.owner, b""));
        [(self.repo.owner.clone(), owner), (self.repo.name.clone(), self.at(""))]
    }

    fn newest(&self) -> Option<&Release> {
        self.releases.iter().find(|release| Some(release.id) == self.latest)
    }

    /// All but the channels, the newest first.
    fn versions(&self) -> Vec<&Release> {
        let is_channel = |release: &Release| self.channels.iter().any(|channel| channel.id == release.id);
        self.releases.iter().filter(|release| !is_channel(release)).collect()
    }

    /// `/OWNER/REPO`
    pub fn front(&self, site: &Site<'_>) -> (String, Markup) {
        let versions = self.versions();
        let name = self.repo.full_name();
        let [owner, _] = self.steps();
        let shown = &versions[..versions.len().min(NEWEST)];
        let main = html! {
            (trail(&[(&owner.0, &owner.1)], &self.repo.name))
            h1 { bdi { (Shown(&name)) } }
            @match self.newest() {
                Some(release) => p { "Latest version: " (self.link(release)) ", " (moment(date(release))) },
                None => p { "No version is published as the latest." },
            }
            (self.channel_table())
            h2 { "Versions" }
            (self.table(site, "The newest versions", shown))
            p { a href=(self.at("/releases")) { "All versions (" (versions.len()) ")" } }
            (setup::board(site, Some(&self.repo), None))
        };
        (name, main)
    }

    /// `/OWNER/REPO/releases`
    pub fn list(&self, site: &Site<'_>) -> (String, Markup) {
        let versions = self.versions();
        let page = Page::of(&site.cx.uri);
        let (before, after) = page.beside(versions.len());
        let [owner, repo] = self.steps();
        let to = |page: Page| self.at(&format!("/releases?{}", page.query()));
        let main = html! {
            (trail(&[(&owner.0, &owner.1), (&repo.0, &repo.1)], "releases"))
            h1 { "Releases of " bdi { (Shown(&self.repo.full_name())) } }
            (self.channel_table())
            h2 { "Versions" }
            (self.table(site, "All versions, the newest first", page.cut(&versions)))
            @if before.is_some() || after.is_some() {
                nav.pages aria-label="Pages" {
                    @if let Some(before) = before { a rel="prev" href=(to(before)) { "Newer" } }
                    @if let Some(after) = after { a rel="next" href=(to(after)) { "Older" } }
                }
            }
        };
        (format!("Releases of {}", self.repo.full_name()), main)
    }

    fn link(&self, release: &Release) -> Markup {
        html! { a href=(self.page(release)) { bdi { (Shown(&release.tag)) } } }
    }

    /// What is to be known of a release at a glance.
    pub fn tags(&self, release: &Release) -> Markup {
        let channels =
            self.channels.iter().filter(|channel| !release.draft && channel.version == release.tag);
        html! {
            @if Some(release.id) == self.latest { " " span.tag.good { "latest" } }
            @if release.draft { " " span.tag.bad { "draft" } }
            @if release.prerelease { " " span.tag.warn { "prerelease" } }
            @for channel in channels { " " span.tag { "channel " (Shown(&channel.name)) } }
        }
    }

    fn table(&self, site: &Site<'_>, caption: &str, releases: &[&Release]) -> Markup {
        if releases.is_empty() {
            return html! { p { "There is none." } };
        }
        html! {
            table {
                caption { (caption) }
                thead { tr { th scope="col" { "Version" } th scope="col" { "Date" } th.wide scope="col" { "Signed" } } }
                tbody {
                    @for release in releases {
                        tr {
                            th scope="row" { (self.link(release)) (self.tags(release)) }
                            td { (day(date(release))) }
                            td.wide { (glance(&facts::read(site.app, release))) }
                        }
                    }
                }
            }
        }
    }

    fn channel_table(&self) -> Markup {
        if self.channels.is_empty() {
            return html! {};
        }
        html! {
            h2 { "Channels" }
            table {
                caption { "A board with " code { "CONFIG[\"channel\"]" } " takes the version that its channel has" }
                thead { tr { th scope="col" { "Channel" } th scope="col" { "Version" } th scope="col" { "Moved" } } }
                tbody {
                    @for channel in &self.channels {
                        tr {
                            th scope="row" {
                                a href=(self.at(&format!("/releases/tag/{}", encode_tag(&channel.name)))) {
                                    (Shown(&channel.name))
                                }
                            }
                            td {
                                @match self.page_of(&channel.version) {
                                    Some(page) => a href=(page) { (Shown(&channel.version)) },
                                    None => { (Shown(&channel.version)) " " span.tag.bad { "missing" } },
                                }
                            }
                            td { (day(&channel.moved)) }
                        }
                    }
                }
            }
        }
    }
}

/// When it was published, or else made.
pub(crate) fn date(release: &Release) -> &str {
    release.published_at.as_deref().unwrap_or(&release.created_at)
}

/// The signature in a word.
fn glance(facts: &Facts) -> Markup {
    match facts {
        Facts::Fine(_, Signed::No) => html! { span.warn { "not signed" } },
        Facts::Fine(_, Signed::Trusted { comment, fingerprint }) => {
            let whose = if comment.is_empty() { fingerprint } else { comment };
            html! { span.good { "good" } ", by " bdi { (Shown(whose)) } }
        }
        Facts::Fine(_, Signed::By { fingerprint, .. }) => {
            html! { "by " code { (fingerprint.get(..18).unwrap_or(fingerprint)) "…" } }
        }
        Facts::Fine(_, Signed::Refused(_)) => html! { span.bad { "refused" } },
        Facts::Broken(_) => html! { span.bad { "manifest not readable" } },
        Facts::None => html! { span.warn { "no manifest" } },
    }
}

/// All projects.
pub(crate) fn table(projects: &[Project]) -> Markup {
    html! {
        table {
            caption { "Projects on this server" }
            thead {
                tr {
                    th scope="col" { "Project" } th scope="col" { "Latest" } th.wide scope="col" { "Date" }
                    th scope="col" { "Channels" }
                }
            }
            tbody {
                @for project in projects {
                    tr {
                        th scope="row" { a href=(project.at("")) { bdi { (Shown(&project.repo.full_name())) } } }
                        @match project.newest() {
                            Some(release) => { td { (project.link(release)) } td.wide { (day(date(release))) } },
                            None => { td { "none" } td.wide {} },
                        }
                        td {
                            @for (number, channel) in project.channels.iter().enumerate() {
                                @if number > 0 { br; }
                                (Shown(&channel.name)) ": " (Shown(&channel.version))
                            }
                        }
                    }
                }
            }
        }
    }
}
