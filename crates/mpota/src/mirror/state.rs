//! What this process has compared: a version whose assets and objects have not changed since is not read again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Round;
use super::origin::Release;

/// The versions of one project.
#[derive(Default)]
pub(super) struct State {
    versions: RefCell<BTreeMap<String, Compared>>,
}

struct Compared {
    /// As the source listed it.
    release: Release,
    names: Vec<String>,
    manifest: Vec<u8>,
}

impl State {
    /// The manifest of a version that is right, if neither side shows a change.
    pub fn known(&self, round: &Round<'_>, release: &Release) -> Option<Vec<u8>> {
        let versions = self.versions.borrow();
        let compared = versions.get(&release.tag_name).filter(|compared| compared.release == *release)?;
        let folder = round.folder(&release.tag_name);
        let all = |name: &String| round.bucket.is_known(&format!("{folder}/{name}"), &round.listed);
        compared.names.iter().all(all).then(|| compared.manifest.clone())
    }

    pub fn keep(&self, release: &Release, names: &[String], manifest: &[u8]) {
        let compared =
            Compared { release: release.clone(), names: names.to_vec(), manifest: manifest.to_vec() };
        self.versions.borrow_mut().insert(release.tag_name.clone(), compared);
    }
}
