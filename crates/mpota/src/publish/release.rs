//! The release of a version: draft, assets, publication, and a look at it from outside.

use mpota_format::version::Version;
use serde_json::json;

use super::answer::{Outcome, Trouble};
use super::error::{PublishError, told};
use super::github::{ReleaseObject, UPLOADED};
use super::{Run, Step};
use crate::release::dist::MANIFEST;
use crate::release::verify::{self, VerifyOptions};
use crate::remote::lookup;
use crate::remote::target::Target;

impl Run<'_> {
    /// What the server has of this version: what is published, and drafts.
    fn found(&self) -> Outcome<(Option<ReleaseObject>, Vec<ReleaseObject>)> {
        let version = self.local.version.as_str();
        let ours = self.link.client.releases()?.into_iter().filter(|release| release.tag_name == version);
        let (drafts, published): (Vec<_>, Vec<_>) = ours.partition(|release| release.draft);
        let published = published.into_iter().next();
        if published.is_none() && drafts.len() > 1 {
            let urls = drafts.into_iter().map(|draft| draft.html_url).collect();
            return Err(PublishError::Drafts { version: version.to_owned(), urls }.into());
        }
        Ok((published, drafts))
    }

    /// Makes the release public, whatever is there of it.
    pub(super) fn release(&self) -> Outcome<()> {
        let (published, mut drafts) = self.found()?;
        let Some(release) = published else { return self.publish(drafts.pop()) };
        // Somebody else published this version meanwhile: a draft of this run is for nothing.
        let made = self.state.borrow().made;
        for draft in drafts.iter().filter(|draft| Some(draft.id) == made) {
            self.link.client.delete_release(draft)?;
        }
        self.state.borrow_mut().draft = None;
        if !release.immutable && self.is_bare(&release)? {
            self.link.tell(Step::Bare(release.html_url.clone()));
            self.begin_rollout(false)?;
            self.fill(&release)?;
        } else {
            self.begin_rollout(true)?;
        }
        self.was_published(&release)
    }

    /// Whether boards see nothing of it: somebody published it by hand, or before its files were there.
    fn is_bare(&self, release: &ReleaseObject) -> Outcome<bool> {
        let assets = self.link.client.assets(release.id)?;
        Ok(!assets.iter().any(|asset| asset.name == MANIFEST && asset.state == UPLOADED))
    }

    fn publish(&self, draft: Option<ReleaseObject>) -> Outcome<()> {
        // Where the tag is there it says which commit is meant. A workflow's token may not name one that
        // changes workflows.
        let commit = match &self.options.commit {
            Some(commit) if !self.link.client.has_tag(self.local.version.as_str())? => Some(commit),
            _ => None,
        };
        let release = match draft {
            Some(draft) => {
                if self.state.borrow().draft.is_none() {
                    self.link.tell(Step::Resumed(draft.html_url.clone()));
                }
                draft
            }
            None => {
                let draft = self.link.client.create(&self.wanted(commit))?;
                self.link.progress();
                self.state.borrow_mut().made = Some(draft.id);
                self.link.tell(Step::Draft(draft.html_url.clone()));
                draft
            }
        };
        self.state.borrow_mut().draft = Some(release.html_url.clone());
        self.fill(&release)?;
        let differs = self.differs(&release)?;
        if !differs.is_empty() {
            let why = format!("the server does not have {} as they were sent", differs.join(", "));
            return Err(Trouble::Again { why, wait: None });
        }
        // Boards that see the version find the rollout.
        self.begin_rollout(false)?;
        let latest = self.becomes_latest()?;
        let mut wanted = json!({
            "draft": false, "prerelease": self.local.version.is_prerelease(),
            "make_latest": if latest { "true" } else { "false" },
        });
        // A draft of an earlier run may be from another commit, and have other notes.
        if let Some(commit) = commit {
            wanted["target_commitish"] = json!(commit);
        }
        if let Some(notes) = self.options.notes.as_ref().filter(|_| !self.options.generate_notes) {
            wanted["body"] = json!(notes);
        }
        let release = self.link.client.update(release.id, &wanted, "publish the draft")?;
        self.link.progress();
        self.is_published(&release, latest);
        self.link.tell(Step::Published(release.html_url));
        Ok(())
    }

    fn wanted(&self, commit: Option<&String>) -> serde_json::Value {
        let version = self.local.version.as_str();
        let mut wanted = json!({
            "tag_name": version, "name": version, "draft": true,
            "prerelease": self.local.version.is_prerelease(),
        });
        if let Some(commit) = commit {
            wanted["target_commitish"] = json!(commit);
        }
        if let Some(notes) = &self.options.notes {
            wanted["body"] = json!(notes);
        }
        if self.options.generate_notes {
            wanted["generate_release_notes"] = json!(true);
        }
        wanted
    }

    fn is_published(&self, release: &ReleaseObject, latest: bool) {
        let mut state = self.state.borrow_mut();
        state.published = true;
        state.done.url = Some(release.html_url.clone());
        state.done.immutable = release.immutable;
        state.done.latest = latest;
    }

    /// An earlier run came as far as that, or somebody published something else.
    fn was_published(&self, release: &ReleaseObject) -> Outcome<()> {
        let differs = self.differs(release)?;
        let version = self.local.version.to_string();
        if !differs.is_empty() {
            let url = release.html_url.clone();
            return Err(PublishError::Published { version, url, differs }.into());
        }
        let mut latest = self.link.client.latest()?.as_deref() == Some(&version);
        if let Some(wanted) = self.options.latest.filter(|wanted| *wanted != latest) {
            let word = if wanted { "true" } else { "false" };
            self.link.client.update(
                release.id,
                &json!({"make_latest": word}),
                "change the latest release",
            )?;
            latest = wanted;
        }
        let before = self.state.borrow().published;
        self.is_published(release, latest);
        let known = self.local.assets.iter().map(|file| file.name.clone());
        let mut state = self.state.borrow_mut();
        // In a run that sent them they were not there before.
        if state.done.uploaded.is_empty() {
            state.done.kept = known.collect();
        }
        drop(state);
        if !before {
            self.link.tell(Step::WasPublished(release.html_url.clone()));
        }
        Ok(())
    }

    /// Whether a board that asks for the latest release is to get this one.
    fn becomes_latest(&self) -> Outcome<bool> {
        if self.local.version.is_prerelease() {
            return Ok(false);
        }
        if let Some(latest) = self.options.latest {
            return Ok(latest);
        }
        let Some(tag) = self.link.client.latest()? else { return Ok(true) };
        let newer = Version::parse(&tag).is_ok_and(|latest| latest > self.local.version);
        if newer {
            self.link.tell(Step::StaysLatest(tag));
        }
        Ok(!newer)
    }

    /// Brings the draft's assets to what they must be.
    fn fill(&self, release: &ReleaseObject) -> Outcome<()> {
        let there = self.link.client.assets(release.id)?;
        for other in there.iter().filter(|asset| !self.local.assets.iter().any(|f| f.name == asset.name)) {
            let known = self.state.borrow().done.left.contains(&other.name);
            if !known {
                self.state.borrow_mut().done.left.push(other.name.clone());
                self.link.tell(Step::Left(other.name.clone()));
            }
        }
        for file in &self.local.assets {
            if let Some(asset) = there.iter().find(|asset| asset.name == file.name) {
                if self.link.same(file, asset)? {
                    let mut state = self.state.borrow_mut();
                    if !state.done.uploaded.contains(&file.name) && !state.done.kept.contains(&file.name) {
                        state.done.kept.push(file.name.clone());
                        drop(state);
                        self.link.tell(Step::Kept(file.name.clone()));
                    }
                    continue;
                }
                self.link.client.delete_asset(asset)?;
                self.link.tell(Step::Removed(file.name.clone()));
            }
            self.link.upload(release, file, &file.name)?;
            self.state.borrow_mut().done.uploaded.push(file.name.clone());
        }
        Ok(())
    }

    /// The names of assets that the server does not have, or has otherwise.
    fn differs(&self, release: &ReleaseObject) -> Outcome<Vec<String>> {
        let there = self.link.client.assets(release.id)?;
        let mut differs = Vec::new();
        for file in &self.local.assets {
            let same = match there.iter().find(|asset| asset.name == file.name) {
                Some(asset) => self.link.same(file, asset)?,
                None => false,
            };
            if !same {
                differs.push(file.name.clone());
            }
        }
        Ok(differs)
    }

    /// How a board looks for it; a private one with the token.
    fn board(&self, tag: Option<&str>) -> VerifyOptions {
        let project = self.options.project.clone();
        let private = self.state.borrow().done.private;
        let mut how = VerifyOptions::new(Target::Project { project, tag: tag.map(str::to_owned) });
        how.access.clone_from(&self.options.access);
        if !private {
            how.access.token = |_| None;
        }
        how
    }

    /// Whether the manifest that a board gets for this tag is the one that was published. It may take
    /// the server a while.
    pub(super) fn board_reads(&self, tag: Option<&str>) -> Outcome<()> {
        let how = self.board(tag);
        let later = |why: String| Trouble::Again { why, wait: None };
        let found = lookup::find(&how.target, &how).map_err(|error| later(error.to_string()))?;
        if found.bytes != self.local.manifest {
            return Err(later(format!(
                "{} is not yet, or not, the manifest that was published",
                found.place
            )));
        }
        self.link.tell(Step::ReadBack(found.place));
        Ok(())
    }

    /// Reads the release as a board does.
    pub(super) fn read_back(&self) -> Outcome<()> {
        let version = self.local.version.as_str();
        self.board_reads(Some(version))?;
        let report = verify::verify(&self.board(Some(version)));
        let report = report.map_err(|error| Trouble::Again { why: error.to_string(), wait: None })?;
        if !report.is_good() {
            let why = format!("what boards read is not right: {}", told(&report.problems));
            return Err(Trouble::Again { why, wait: None });
        }
        if self.state.borrow().done.latest {
            self.board_reads(None)?;
        }
        Ok(())
    }

    /// What a run would do.
    pub(super) fn would(&self) -> Outcome<()> {
        let mut all = Vec::new();
        let mut would = |what: String| all.push(what);
        let version = self.local.version.to_string();
        let (published, mut drafts) = self.found()?;
        let draft = drafts.pop().filter(|_| published.is_none());
        let there = match published.as_ref().or(draft.as_ref()) {
            Some(release) => self.link.client.assets(release.id)?,
            None => Vec::new(),
        };
        let bare = |release: &ReleaseObject| Ok::<_, Trouble>(!release.immutable && self.is_bare(release)?);
        if let Some(release) = &published
            && !bare(release)?
        {
            let differs = self.differs(release)?;
            if !differs.is_empty() {
                let url = release.html_url.clone();
                return Err(PublishError::Published { version, url, differs }.into());
            }
            would(format!("find {version} published: {}", release.html_url));
        } else {
            would(match (&published, &draft) {
                (Some(bare), _) => format!("fill {}, which has no manifest", bare.html_url),
                (None, Some(draft)) => format!("go on with the draft {}", draft.html_url),
                (None, None) => format!("make a draft for the tag {version}"),
            });
            for file in &self.local.assets {
                match there.iter().find(|asset| asset.name == file.name) {
                    Some(asset) if self.link.same(file, asset)? => would(format!("keep {}", file.name)),
                    Some(_) => would(format!("replace {}, {} bytes", file.name, file.size)),
                    None => would(format!("upload {}, {} bytes", file.name, file.size)),
                }
            }
            let latest = self.becomes_latest()?;
            let what = match (self.local.version.is_prerelease(), latest) {
                (true, _) => "as a prerelease",
                (_, true) => "as the latest release",
                _ => "not as the latest release",
            };
            if published.is_none() {
                would(format!("publish {version} {what}"));
            }
        }
        all.extend(self.would_roll_out(published.is_some())?);
        let mut would = |what: String| all.push(what);
        would(format!("read {version} back as a board does"));
        for channel in &self.options.channels {
            would(format!("bring the channel {channel} to {version}"));
        }
        for what in &all {
            self.link.tell(Step::Would(what.clone()));
        }
        self.state.borrow_mut().done.would = all;
        Ok(())
    }
}
