//! Rollouts.

use super::Entry;

pub(super) const TITLE: &str = "Rollouts.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "usage::rollout_version",
        means: "What was given as the version is not one.",
        next: "Use the version as its tag is written, like `v1.2.0`.",
    },
    Entry {
        code: "rollout::not_published",
        means: "There is no published release of this version.",
        next: "Publish it: `mpota publish --version VERSION --rollout 5%`.",
    },
    Entry {
        code: "rollout::no_mark",
        means: "The version was built without the mark that makes boards ask for a rollout. They take it without asking.",
        next: "Write `rollout = true` into `mpota.toml` for the next version.",
    },
    Entry {
        code: "rollout::not_built",
        means: "The release in the folder was built without the mark that makes boards ask for a rollout.",
        next: "Build it again with `mpota build --rollout`.",
    },
    Entry {
        code: "rollout::none",
        means: "The version has no rollout. Boards that ask for one wait.",
        next: "Begin one: `mpota rollout VERSION 5%`.",
    },
    Entry {
        code: "rollout::withheld",
        means: "The server is `mpota serve --halt-at`, and too many of its boards came back from the version. It gives out no rollout that lets boards take the version, whatever was uploaded.",
        next: "If the version is good, start the server with `--resume VERSION`. If not, run `mpota halt VERSION`: a halted rollout is given out.",
    },
    Entry {
        code: "rollout::not_a_rollout",
        means: "In the place of the rollout there is something else.",
        next: "Find out who put it there, delete it, and run the command again.",
    },
    Entry {
        code: "rollout::same_name",
        means: "Another version has its rollout under the same name, because `+` counts as `-` there.",
        next: "Give the next version another name, or delete the other rollout if nobody needs it.",
    },
    Entry {
        code: "rollout::other_project",
        means: "The rollout, or the release, is for another project. No board of this one takes it.",
        next: "Look at `--repo`, and at `project` in `mpota.toml`.",
    },
    Entry {
        code: "rollout::changed",
        means: "Somebody else has changed the rollout between the moment it was read and the moment it was to be exchanged.",
        next: "Look at it with `mpota rollout VERSION`, and run the command again if you still want it.",
    },
    Entry {
        code: "rollout::immutable",
        means: "The release `rollout` is immutable, so no rollout can be changed.",
        next: "Publish to another repository: GitHub never lets this tag be used again.",
    },
    Entry {
        code: "rollout::immutable_new",
        means: "The repository has immutable releases, so a new release `rollout` could never be changed.",
        next: "Disable immutable releases, begin the rollout, and enable them again.",
    },
    Entry {
        code: "rollout::fixed",
        means: "The release `rollout` was made in a repository with immutable releases. It can never be changed.",
        next: "Publish to another repository: GitHub never lets this tag be used again.",
    },
    Entry {
        code: "rollout::unsigned",
        means: "The release is signed, and the rollout would not be. Boards that have keys would refuse it.",
        next: "Sign with the key of the release: `--key FILE`, or `key` in `mpota.toml`.",
    },
    Entry {
        code: "rollout::number",
        means: "The rollout has the highest number that there is, and numbers only grow.",
        next: "Publish the same files as a new version.",
    },
    Entry {
        code: "rollout::short",
        means: "The rollout would end before its last stage begins.",
        next: "Use a longer `--for`, or leave it out.",
    },
    Entry {
        code: "rollout::ended",
        means: "The rollout has ended, and the command says neither a percentage nor how long it shall count from now on.",
        next: "Add `--for`, or a percentage.",
    },
    Entry {
        code: "rollout::invalid",
        means: "The rollout breaks a rule, such as the limit of 8 stages or 32 boards. The message has it.",
        next: "Name fewer stages or boards, each later than the one before, and no board twice.",
    },
    Entry {
        code: "rollout::lowered",
        means: "The share of the boards goes down. Boards that have the version keep it.",
        next: "Nothing, if it is meant. `mpota halt VERSION` stops a rollout for all.",
    },
    Entry {
        code: "rollout::refused",
        means: "The rollout is there, and boards refuse it. The message says why.",
        next: "Publish it again: `mpota rollout VERSION PERCENT`.",
    },
    Entry {
        code: "rollout::replaced",
        means: "The rollout that is there has no good signature, though there is a key. No board with keys accepts it.",
        next: "Find out who put it there. The command replaces it.",
    },
];
