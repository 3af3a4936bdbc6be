//! Everything whose smallest heap is looked for.

use super::place::{Kind, Private};
use super::run::Task;
use mpota_vboard::bench::Agent;

/// One of them.
pub struct Case {
    /// Its name in the limits and in JSON.
    pub key: &'static str,
    /// For people.
    pub what: &'static str,
    /// Where it is done.
    pub kind: Kind,
    /// What is done.
    pub task: Task,
    /// Whether `--quick` has it.
    pub quick: bool,
}

impl Case {
    /// Whether a try takes seconds.
    pub fn many(&self) -> bool {
        self.kind.files >= MANY
    }
}

/// Many files.
const MANY: usize = 1000;

/// All of them.
pub fn cases() -> Vec<Case> {
    let kind = Kind::default;
    let private = |others, plain| Kind { private: Some(Private { others, plain }), ..kind() };
    let case = |key, what, kind, task| Case { key, what, kind, task, quick: false };
    let quick = |key, what, kind, task| Case { key, what, kind, task, quick: true };
    vec![
        quick("update", "update of 10 files, 60 KB, signed: ask, fetch, stage", kind(), Task::Update),
        case("update-unsigned", "the same unsigned", Kind { signed: false, ..kind() }, Task::Update),
        case("update-py", "the same signed, from .py", Kind { agent: Agent::Py, ..kind() }, Task::Update),
        case(
            "https",
            "the same over https, certificates checked",
            Kind { https: true, ..kind() },
            Task::Update,
        ),
        case("install", "its installation: swap, trial, confirmed", kind(), Task::Install),
        case(
            "update-1000",
            "update of 1,000 files, 2 MB, signed",
            Kind { files: MANY, ..kind() },
            Task::Update,
        ),
        case("install-1000", "its installation", Kind { files: MANY, ..kind() }, Task::Install),
        case("private-3", "private repository, manifest and pack, 3 assets", private(1, false), Task::Update),
        case(
            "private-100",
            "private repository, the same among 100 assets",
            private(98, false),
            Task::Update,
        ),
        case(
            "private-plain",
            "private repository, an asset per file, 12 in all",
            private(1, true),
            Task::Update,
        ),
        quick("nothing-new", "nothing new", Kind { current: true, ..kind() }, Task::Nothing),
        quick("boot", "ordinary boot", Kind { current: true, ..kind() }, Task::Boot),
    ]
}
