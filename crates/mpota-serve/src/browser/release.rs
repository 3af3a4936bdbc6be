//! The page of one release: its files, what is in its pack, who signed it, its notes.

use maud::{Markup, html};
use mpota_format::manifest::{FileEntry, Manifest, Place};

use super::facts::{self, Facts, Signed};
use super::layout::{moment, trail};
use super::project::{Project, date};
use super::text::{Lines, Shown, size};
use super::{Site, setup};
use crate::catalog::Release;
use crate::catalog::digest::hex;
use crate::catalog::release::timestamp_of;
use crate::web::encode::{encode, encode_tag};
use crate::web::pages::page_tag;

/// `/OWNER/REPO/releases/tag/TAG`
pub(crate) fn page(site: &Site<'_>, project: &Project, release: &Release) -> (String, Markup) {
    let facts = facts::read(site.app, release);
    let channel = project.channels.iter().find(|channel| channel.id == release.id);
    let [owner, repo] = project.steps();
    let releases = project.at("/releases");
    let steps: [(&str, &str); 3] = [(&owner.0, &owner.1), (&repo.0, &repo.1), ("releases", &releases)];
    let title = release.meta.name.as_deref().filter(|name| !name.is_empty() && *name != release.tag);
    let setting = if channel.is_some() { "channel" } else { "tag" };
    let main = html! {
        (trail(&steps, &release.tag))
        h1 {
            @if channel.is_some() { "Channel " }
            bdi { (Shown(&release.tag)) } (project.tags(release))
        }
        @if let Some(title) = title { p { bdi { (Shown(title)) } } }
        @if release.draft { p.warn { "This is a draft: boards do not see it." } }
        (summary(project, release, &facts))
        @if let Some(notes) = release.meta.body.as_deref().filter(|notes| !notes.trim().is_empty()) {
            h2 { "Notes" }
            pre.notes dir="auto" { (Lines(notes)) }
        }
        (assets(project, release))
        @if let Facts::Fine(manifest, _) = &facts { (contents(manifest)) }
        @if !release.draft { (setup::board(site, Some(&project.repo), Some((setting, &release.tag)))) }
    };
    (format!("{} of {}", release.tag, project.repo.full_name()), main)
}

fn summary(project: &Project, release: &Release, facts: &Facts) -> Markup {
    html! {
        dl {
            dt { @if release.published_at.is_some() { "Published" } @else { "Created" } }
            dd { (moment(date(release))) }
            @match facts {
                Facts::None => { dt { "Manifest" } dd.warn { "there is none: no board takes this release" } },
                Facts::Broken(why) => {
                    dt { "Manifest" } dd { span.bad { "cannot be read" } ": " (Shown(why)) }
                },
                Facts::Fine(manifest, signed) => (header(project, release, manifest, signed)),
            }
        }
    }
}

fn header(project: &Project, release: &Release, manifest: &Manifest, signed: &Signed) -> Markup {
    let header = &manifest.header;
    let version = header.version.to_string();
    let requires = &header.requires;
    let one_of = |names: &[String]| (!names.is_empty()).then(|| names.join(" or "));
    let compiled: Vec<String> = header.compiled().iter().map(ToString::to_string).collect();
    let rows = [
        ("Project", header.project.clone()),
        ("MicroPython", requires.micropython.as_ref().map(|version| format!("{version} or later"))),
        ("Platform", one_of(&requires.platform)),
        (".mpy version", requires.mpy.clone()),
        ("Also compiled", one_of(&compiled).map(|versions| format!("for .mpy version {versions}"))),
        ("Board", one_of(&requires.board)),
        ("Runs after the update", header.hooks.post_update.clone()),
        ("Runs after an undo", header.hooks.rollback.clone()),
    ];
    html! {
        @if version != release.tag {
            dt { "Version" }
            dd {
                @match project.page_of(&version) {
                    Some(page) => a href=(page) { (Shown(&version)) },
                    None => (Shown(&version)),
                }
            }
        }
        @if let Some(made) = header.created {
            dt { "Made" }
            dd { (moment(&timestamp_of(made))) }
        }
        dt { "Signature" }
        dd { (signature(signed)) }
        @for (name, value) in &rows {
            @if let Some(value) = value { dt { (name) } dd { (Shown(value)) } }
        }
    }
}

/// In the words of `mpota verify`.
fn signature(signed: &Signed) -> Markup {
    match signed {
        Signed::No => html! { span.warn { "not signed" } },
        Signed::Trusted { fingerprint, comment } => {
            html! { span.good { "good" } ", by " code { (fingerprint) } " " bdi { (Shown(comment)) } }
        }
        Signed::By { fingerprint, compared: false } => {
            html! { "by " code { (fingerprint) } ", which was not compared with any key" }
        }
        Signed::By { fingerprint, compared: true } => {
            html! { "by " code { (fingerprint) } ", " span.warn { "which is not one of the keys that this server knows" } }
        }
        Signed::Refused(why) => html! { span.bad { "refused" } ": " (Shown(why)) },
    }
}

fn assets(project: &Project, release: &Release) -> Markup {
    let tag = encode_tag(&page_tag(release));
    let to = |name: &str| project.at(&format!("/releases/download/{tag}/{}", encode(name, b"")));
    html! {
        h2 { "Files" }
        @if release.assets.is_empty() {
            p { "There is none." }
        } @else {
            table {
                caption { "Files of this release, to download" }
                thead { tr { th scope="col" { "Name" } th.number scope="col" { "Size" } } }
                tbody {
                    @for asset in &release.assets {
                        tr {
                            th scope="row" {
                                @if asset.path.as_os_str().is_empty() {
                                    bdi { (Shown(&asset.name)) } " " span.tag.bad { "upload not finished" }
                                } @else {
                                    a href=(to(&asset.name)) { bdi { (Shown(&asset.name)) } }
                                }
                                @if let Some(label) = asset.label.as_deref().filter(|label| !label.is_empty()) {
                                    " " bdi { (Shown(label)) }
                                }
                            }
                            td.number { (size(asset.stamp.len)) }
                        }
                    }
                }
            }
        }
    }
}

/// What a board gets.
fn contents(manifest: &Manifest) -> Markup {
    let stored = |file: &FileEntry| match &file.place {
        Place::Packed { length, .. } => *length,
        _ => file.size,
    };
    let (on_board, to_fetch) =
        (manifest.files.iter().map(|file| file.size).sum(), manifest.files.iter().map(stored).sum());
    let pack = manifest.header.pack.as_ref();
    html! {
        h2 { "On the board" }
        p { (manifest.files.len()) " files, " (size(on_board)) " on the board, " (size(to_fetch)) " to download." }
        table {
            caption {
                @match pack {
                    Some(pack) => { "What is in the pack " (Shown(&pack.asset)) },
                    None => "Each file is a file of the release",
                }
            }
            thead {
                tr {
                    th scope="col" { "Path" }
                    th.number scope="col" { "Size" }
                    th.number.wide scope="col" { "Stored" }
                    th.wide scope="col" { "SHA-256" }
                }
            }
            tbody {
                @for file in &manifest.files {
                    tr {
                        th scope="row" {
                            bdi { (Shown(&file.path)) }
                            @if file.keep { " " span.tag { "kept if there" } }
                        }
                        td.number { (size(file.size)) }
                        td.number.wide { (size(stored(file))) }
                        td.wide { code { (&hex(&file.sha256)[..12]) } }
                    }
                }
            }
        }
    }
}
