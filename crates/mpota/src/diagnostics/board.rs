//! A board, what lies on it, and the rest.

use super::Entry;

pub(super) const TITLE: &str = "A board, what lies on it, and the rest.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "mpremote::missing",
        means: "mpremote is not installed. It talks to boards.",
        next: "Install it: `pipx install mpremote`.",
    },
    Entry {
        code: "mpremote::start",
        means: "mpremote is there, but does not run.",
        next: "Install it again: `pipx reinstall mpremote`.",
    },
    Entry {
        code: "board::not_found",
        means: "There is no board at this port, or another program has the port.",
        next: "`mpremote devs` lists the ports. Close Thonny and serial monitors.",
    },
    Entry {
        code: "board::silent",
        means: "The board does not come to its prompt. Its app may sleep, or block the prompt.",
        next: "Press the board's reset button and try again.",
    },
    Entry {
        code: "board::failed",
        means: "There was an error on the board, or the line was cut. The message has the last words.",
        next: "Run the command again: it goes on where it stopped.",
    },
    Entry {
        code: "board::answer",
        means: "The board's answer was cut.",
        next: "Press the board's reset button and try again.",
    },
    Entry {
        code: "board::wrong",
        means: "The release is not for this board. The message has what it needs and what the board is.",
        next: "Look at `[requires]` in `mpota.toml`, or use other firmware.",
    },
    Entry {
        code: "board::full",
        means: "The board's flash has not enough room.",
        next: "Remove what the board does not need: `mpremote fs tree -s`, `mpremote fs rm`.",
    },
    Entry {
        code: "board::copy",
        means: "The copy of a file on this computer is not like the file on the board. Nothing was replaced.",
        next: "Run the command again.",
    },
    Entry {
        code: "board::in_the_way",
        means: "A file lies on the board where a folder has to be, or the other way round.",
        next: "Move it away on the board.",
    },
    Entry {
        code: "install::exists",
        means: "Something of the release, or of the updater, lies in the folder already.",
        next: "`--force` overwrites it, but not the files that the release keeps.",
    },
    Entry {
        code: "install::damaged",
        means: "The release is damaged. Nothing was installed.",
        next: "`mpota verify` tells all about it. Build it again.",
    },
    Entry {
        code: "install::too_much",
        means: "The release is more than a board at a port can hold, so it is not read into memory.",
        next: "`mpota install --dir` lays it out in a folder, to be copied onto a card.",
    },
    Entry {
        code: "install::interrupts",
        means: "An update is under way on the board. It is given up, and the release is installed.",
        next: "Nothing. Without that, wait until the board has finished.",
    },
    Entry {
        code: "updater::others",
        means: "The folder has files of another updater.",
        next: "`--force` replaces them, and names each of them.",
    },
    Entry {
        code: "ca::taken",
        means: "A file lies where a certificate goes, and mpota did not write it.",
        next: "Move it away, or write to another folder with `--dir`.",
    },
    Entry {
        code: "ca::unknown",
        means: "This is not, or no longer, the name of an authority that Mozilla trusts.",
        next: "`mpota ca --list` prints the names.",
    },
    Entry {
        code: "ca::no_certificate",
        means: "The file holds no certificate.",
        next: "Name a PEM file with `-----BEGIN CERTIFICATE-----`.",
    },
    Entry {
        code: "ca::certificate",
        means: "A certificate in the file cannot be read.",
        next: "Get the file again.",
    },
    Entry {
        code: "ca::ended",
        means: "A certificate has ended. Boards whose clock is right refuse it.",
        next: "Leave it out, and take what follows it.",
    },
    Entry {
        code: "doctor::wrong",
        means: "Something is not ready. Each finding has its next step.",
        next: "Do the next steps, from the first to the last.",
    },
    Entry {
        code: "file::missing",
        means: "A file or folder is not there.",
        next: "Look at the path.",
    },
    Entry {
        code: "file::denied",
        means: "You may not read or write a file or folder.",
        next: "Change its permissions, or use another folder.",
    },
    Entry {
        code: "file::exists",
        means: "A file is there already, and is not overwritten.",
        next: "Move it away, or use another name.",
    },
    Entry {
        code: "file::full",
        means: "The disk is full, or your share of it.",
        next: "Make room, and run the command again.",
    },
    Entry {
        code: "file::failed",
        means: "Something about a file or folder did not work. The message has the system's reason.",
        next: "Do what the reason says.",
    },
    Entry {
        code: "usage::project",
        means: "The name of a repository is not of the form `owner/name`.",
        next: "Write it as in the repository's address: `octo/weather`.",
    },
    Entry {
        code: "usage::no_project",
        means: "Neither `mpota.toml` nor the release says to which repository it goes.",
        next: "Use `--repo OWNER/NAME`.",
    },
    Entry {
        code: "usage::shared_project",
        means: "Two apps have the same project. Boards ask it for the latest release, and cannot tell the apps apart.",
        next: "Give each app a repository for its releases: see \"Several apps in one repository\" in [docs/publishing.md](publishing.md).",
    },
    Entry {
        code: "usage::built",
        means: "A key was named for a release that is built already.",
        next: "Name the version to build it, with `--version`, or sign it with `mpota sign`.",
    },
    Entry {
        code: "usage::token_variable",
        means: "The environment variable that was named holds no token.",
        next: "Set it before you start the server.",
    },
    Entry {
        code: "usage::source_date_epoch",
        means: "`SOURCE_DATE_EPOCH` is not a number of seconds.",
        next: "Unset it, or use `--created SECONDS`.",
    },
    Entry {
        code: "usage::json_output",
        means: "`mpota manifest` was to write the manifest and the JSON both to standard output.",
        next: "Name a file with `--output`.",
    },
    Entry {
        code: "usage::unknown_code",
        means: "There is no such code.",
        next: "`mpota explain` lists all of them.",
    },
    Entry {
        code: "internal::json",
        means: "The result could not be written as JSON.",
        next: "Report this: it is a fault of mpota.",
    },
    Entry {
        code: "internal::journal",
        means: "The journal of a board could not be written.",
        next: "Report this: it is a fault of mpota.",
    },
    Entry {
        code: "internal::manifest",
        means: "A manifest that was read could not be written again.",
        next: "Report this: it is a fault of mpota.",
    },
];
