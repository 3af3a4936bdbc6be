//! What `mpota init` finds in a folder: what would be in a release, what belongs to the owner, what is left out.

use std::collections::BTreeSet;
use std::path::Path;

use crate::app::config::{self, Config};
use crate::app::keep;
use crate::app::select::{SelectError, Selection};
use crate::check::allow::is_python;
use crate::files;
use crate::release::input::Input;

/// The largest file that is read to see what it writes.
const LARGEST: u64 = 1 << 20;

/// Paths, as they would be on a board.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Python, compiled or not.
    pub code: Vec<String>,
    /// Other files.
    pub data: Vec<String>,
    /// Those among both that the app writes, or that look like settings.
    pub owners: Vec<String>,
    /// Folders and files that no release has, unless `include` names them.
    pub left_out: Vec<String>,
}

/// Looks through the folder of `mpota.toml` with what stands in it.
pub fn survey(app: &Path, config: &Config) -> Result<Survey, SelectError> {
    let app = app.canonicalize().map_err(files::FileError::at("read", app))?;
    let root = config.root.as_ref().map_or_else(|| app.clone(), |root| app.join(root));
    let never = [app.join(config::FILE), app.join("dist")];
    let (include, exclude) = (&config.include, &config.exclude);
    let selection = Selection { root: &root, include, exclude, also: &[], links: &[], never: &never };
    let found = match selection.select() {
        Err(SelectError::Empty(_) | SelectError::NoMatch { .. }) => return Ok(Survey::default()),
        found => found?,
    };
    let mut survey = Survey { left_out: found.left_out, ..Survey::default() };
    let mut inputs = Vec::new();
    for file in found.files {
        // What is too large to be read, or cannot be, is told by a build.
        let bytes = match is_python(&file.path) {
            true => files::read(&file.disk, LARGEST).unwrap_or_default(),
            false => Vec::new(),
        };
        let code = is_python(&file.path) || file.path.ends_with(".mpy");
        if code { &mut survey.code } else { &mut survey.data }.push(file.path.clone());
        inputs.push(Input::new(file, &bytes));
    }
    let settings = survey.data.iter().filter(|path| is_settings(path)).cloned();
    let owners: BTreeSet<String> = keep::written(&inputs).into_iter().chain(settings).collect();
    survey.owners = owners.into_iter().collect();
    Ok(survey)
}

fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    ["config", "settings", "options", "preferences", "calibration"].contains(&stem.to_lowercase().as_str())
}
