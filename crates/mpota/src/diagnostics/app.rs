//! The app's folder: `mpota.toml`, git's tags, and the files of a release.

use super::Entry;

pub(super) const TITLE: &str = "The app's folder: `mpota.toml`, git's tags, and the files of a release.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "config::invalid",
        means: "`mpota.toml` is not TOML, lacks `project`, or a value is of another kind than it must be. The message has the line and the column.",
        next: "Correct that line. `mpota init` writes an example with every key, into an empty folder.",
    },
    Entry {
        code: "config::project",
        means: "`project` in `mpota.toml` is not of the form `owner/name`. Boards ask this repository on GitHub for releases.",
        next: "Write the name as it stands in the repository's address: `project = \"octo/weather\"`.",
    },
    Entry {
        code: "config::unknown_key",
        means: "`mpota.toml` has a key that does not exist. A misspelt key would otherwise be passed over in silence. The message has the line, and the keys that exist.",
        next: "Correct or remove the key.",
    },
    Entry {
        code: "tag::none",
        means: "The version comes from the git tag on the current commit, and there is no tag.",
        next: "Tag the commit, as in `git tag v1.0.0`, or name the version with `--version`.",
    },
    Entry {
        code: "tag::not_a_version",
        means: "The current commit has a tag, but it is not a version of three numbers.",
        next: "Use a tag like `v1.2.0`, or name the version with `--version`.",
    },
    Entry {
        code: "tag::several",
        means: "The current commit has more than one tag that is a version, so the version is not clear.",
        next: "Name the version with `--version`.",
    },
    Entry {
        code: "tag::taken",
        means: "The tag that the version would have belongs to another commit.",
        next: "Choose another version: a tag stays with its commit.",
    },
    Entry {
        code: "git::missing",
        means: "git is not installed, or not in the `PATH`.",
        next: "Install git, or name the version with `--version`.",
    },
    Entry {
        code: "git::refused",
        means: "git did not do what it was asked. The message has its words.",
        next: "Do what git says. A folder of another user has to be named in git's `safe.directory`.",
    },
    Entry {
        code: "keep::code",
        means: "`keep` in `mpota.toml` matches a file that an update has to replace, like code.",
        next: "Keep only settings and data. Put the file under `replace`, or choose a narrower pattern.",
    },
    Entry {
        code: "keep::and_replace",
        means: "A file matches both `keep` and `replace` in `mpota.toml`.",
        next: "Make one of the two patterns narrower.",
    },
    Entry {
        code: "keep::overwritten",
        means: "The app writes a file on the board that the release also brings. An update would overwrite what the board has written.",
        next: "Put the file under `keep`, or exclude it. Where the update shall replace it, put it under `replace`.",
    },
    Entry {
        code: "select::pattern",
        means: "A pattern in `mpota.toml` cannot be read.",
        next: "A pattern is a path with `*`, `**`, `?`, `[abc]` or `{a,b}`, like `lib/**/*.py`.",
    },
    Entry {
        code: "select::no_match",
        means: "A pattern of `include`, `keep` or `replace` matches no file. It is probably misspelt.",
        next: "Correct the pattern, or remove it. Paths are seen from the board's root.",
    },
    Entry {
        code: "select::empty",
        means: "No file is left for the release.",
        next: "Look at `root`, `include` and `exclude` in `mpota.toml`.",
    },
    Entry {
        code: "select::link_out",
        means: "A symbolic link leads out of the app's folder. What it leads to would be published.",
        next: "Copy the file into the folder, or allow the link with `--allow-link PATH`.",
    },
    Entry {
        code: "select::link_to_folder",
        means: "A symbolic link leads to a folder. Boards have no links.",
        next: "Put the folder itself there, or exclude the link.",
    },
    Entry {
        code: "select::not_a_file",
        means: "A path is neither a file nor a folder, but for example a pipe or a device.",
        next: "Exclude it.",
    },
    Entry {
        code: "select::not_utf8",
        means: "A file has a name that is not UTF-8. A manifest cannot hold it.",
        next: "Rename or exclude the file.",
    },
    Entry {
        code: "select::path",
        means: "A file has a name that not every board can store, like one with `:` or `?`, or one that the updater needs itself.",
        next: "Rename or exclude the file.",
    },
    Entry {
        code: "select::folder",
        means: "A folder of the app could not be looked through. The message has the system's reason.",
        next: "Give yourself the right to read the folder, or exclude it.",
    },
    Entry {
        code: "select::changed",
        means: "A file changed while it was read. The release would hold half of each version.",
        next: "Close what writes the file, and build again.",
    },
    Entry {
        code: "select::twice",
        means: "A file is named twice on the command line.",
        next: "Name it once.",
    },
    Entry {
        code: "secret::found",
        means: "A file holds what looks like a password, a token or a private key, or its name says so. Everybody who can read the release could read it.",
        next: "Move secrets into `secrets.py` on the board, which no release brings. Where the text is not secret, use `--allow-secret PATH`. A secret that was published once has to be changed.",
    },
    Entry {
        code: "check::syntax",
        means: "No board can compile this Python file. The message has the line and the reason.",
        next: "Correct the file, or exclude it. `--allow-syntax PATH` releases it as it is.",
    },
    Entry {
        code: "check::no_updater",
        means: "`boot.py` does not start the updater. A board with this release would never update again.",
        next: "Put `import ota_updater` and `ota_updater.boot()` first in `boot.py`.",
    },
    Entry {
        code: "check::key_line",
        means: "A line of `ota_keys` is not a public key.",
        next: "Correct it: each line is what `mpota key show` prints.",
    },
    Entry {
        code: "check::no_keys",
        means: "`ota_keys` holds no key. A board with this release would refuse every later one.",
        next: "Add a key: `mpota key show KEY >> ota_keys`.",
    },
    Entry {
        code: "check::allow_unused",
        means: "An option allows a file that is not in the release. It is probably misspelt.",
        next: "Correct the path, or leave the option out.",
    },
    Entry {
        code: "shadow::firmware",
        means: "A file has the name of a module of the firmware that the updater needs. MicroPython would load the file in its place.",
        next: "Rename or exclude the file. `--allow-shadow MODULE` releases it; the updater itself loads the firmware's module all the same.",
    },
    Entry {
        code: "shadow::allow_unused",
        means: "`--allow-shadow` names a module that no file of the release hides.",
        next: "Correct the name, or leave the option out.",
    },
    Entry {
        code: "shadow::part",
        means: "The release has some files of the updater, but not all. The board would start a mixture of two updaters.",
        next: "Put in the whole updater with `mpota updater`, or none of it.",
    },
    Entry {
        code: "shadow::twice",
        means: "The release has one module of the updater in two forms, `.py` and `.mpy`, or in two folders.",
        next: "Remove one of the two.",
    },
    Entry {
        code: "shadow::apart",
        means: "The files of the updater are in different folders. They are loaded from one.",
        next: "Put them all into `lib`.",
    },
    Entry {
        code: "shadow::stranger",
        means: "A file lies among the updater's files and has a name like one of them, but is none.",
        next: "Rename or remove the file.",
    },
    Entry {
        code: "shadow::hidden",
        means: "A file of the updater cannot be found by an import, as another file comes first.",
        next: "Rename or remove the file that comes first.",
    },
];
