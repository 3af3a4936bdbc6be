//! Publishing, servers and tokens.

use super::Entry;

pub(super) const TITLE: &str = "Publishing, servers and tokens.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "publish::not_good",
        means: "The release in the folder is not right, so it is not published. The message has each problem.",
        next: "Build it again with `mpota build`.",
    },
    Entry {
        code: "publish::other_project",
        means: "The release in the folder is for another project. No board of this one takes it.",
        next: "Correct `project` in `mpota.toml` and build again, or publish with `--app` of the other app.",
    },
    Entry {
        code: "publish::latest_prerelease",
        means: "A prerelease cannot be the latest release.",
        next: "Leave out `--latest`. Boards get a prerelease through a channel: `--channel beta`.",
    },
    Entry {
        code: "publish::no_repository",
        means: "There is no such repository, or the token may not see it.",
        next: "Look at `project` in `mpota.toml` and at the token's repositories.",
    },
    Entry {
        code: "publish::archived",
        means: "The repository is archived, or the server lets nobody write to it.",
        next: "Unarchive it in its settings.",
    },
    Entry {
        code: "publish::commit",
        means: "The server does not take the commit that the tag would have.",
        next: "Push the tag first, then no commit has to be named.",
    },
    Entry {
        code: "publish::moved",
        means: "The repository has another name now. Boards know releases by the old one.",
        next: "Leave `project` as it is, and publish with `--moved --repo NEW/NAME`.",
    },
    Entry {
        code: "publish::published",
        means: "This version is published with other content. Boards may have it, so it is never changed.",
        next: "Build a new version.",
    },
    Entry {
        code: "publish::drafts",
        means: "There is more than one draft of this version.",
        next: "Delete all of them but one, or all, and run the command again.",
    },
    Entry {
        code: "publish::renamed",
        means: "The server keeps an asset under another name. Boards would not find it.",
        next: "Delete the draft and run the command again.",
    },
    Entry {
        code: "publish::refused",
        means: "The server refused a request. The message has its words.",
        next: "Do what the server says.",
    },
    Entry {
        code: "publish::unfinished",
        means: "The upload stopped in the middle. It is a draft, and no board sees it.",
        next: "Run the same command again: it goes on where it stopped.",
    },
    Entry {
        code: "publish::rest",
        means: "The version is published, but something after that is not done, like a channel.",
        next: "Run the same command again.",
    },
    Entry {
        code: "publish::tag_differs",
        means: "The release in the folder has another version than the tag on the current commit.",
        next: "Build again if the tag is what you want to publish: `mpota publish --version VERSION`.",
    },
    Entry {
        code: "publish::waiting",
        means: "The server did not answer as it should. The same request is tried again.",
        next: "Nothing: the program goes on by itself, or gives up after some tries.",
    },
    Entry {
        code: "publish::left",
        means: "The release at the server has an asset that is not part of it. It stays there.",
        next: "Delete it by hand if nobody needs it.",
    },
    Entry {
        code: "channel::name",
        means: "This cannot be the name of a channel.",
        next: "Use a word like `beta`: a letter, then letters, digits and `-`, at most 32.",
    },
    Entry {
        code: "channel::newer",
        means: "The channel has a newer version. Boards on it would not take this one.",
        next: "Publish without `--channel`, or with a higher version.",
    },
    Entry {
        code: "channel::immutable",
        means: "The release that is to be a channel cannot be changed.",
        next: "Switch immutable releases off in the repository's settings, and use a new name.",
    },
    Entry {
        code: "channel::immutable_new",
        means: "The repository has immutable releases, so a new channel could never be moved.",
        next: "Switch immutable releases off, publish with the channel, and switch them on again.",
    },
    Entry {
        code: "channel::fixed",
        means: "The channel was made in a repository with immutable releases. It can never be moved.",
        next: "Use a channel of another name, made while immutable releases are off.",
    },
    Entry {
        code: "channel::not_a_channel",
        means: "A release has the name of the channel, and is something else.",
        next: "Use another name for the channel.",
    },
    Entry {
        code: "token::none",
        means: "There is no token that may write releases.",
        next: "Set `MPOTA_TOKEN` or `GH_TOKEN`, or log in with `gh auth login`.",
    },
    Entry {
        code: "token::permission",
        means: "The token may not write releases of this repository.",
        next: "Give it Contents: read and write (fine-grained), or the scope `repo` (classic).",
    },
    Entry {
        code: "token::refused",
        means: "The server does not accept the token. It has ended, or is for another host.",
        next: "Make a new token. `MPOTA_TOKEN` comes first, then the environment's others, then gh's and git's.",
    },
    Entry {
        code: "server::status",
        means: "The server answered with an error.",
        next: "Try again later. If it stays, ask who runs the server.",
    },
    Entry {
        code: "server::unreachable",
        means: "The server could not be reached: no network, no such name, or a certificate that is not trusted.",
        next: "Look at the address and the network. `--ca FILE` trusts an authority of your own.",
    },
    Entry {
        code: "server::limit",
        means: "The server takes no more requests for some time.",
        next: "Run the same command again then: it goes on where it stopped.",
    },
    Entry {
        code: "server::tries",
        means: "The same request failed again and again.",
        next: "Run the same command again later: it goes on where it stopped.",
    },
    Entry {
        code: "serve::start",
        means: "The server cannot start: the folder is not there, or the address is taken.",
        next: "Look at the folder. `--listen 127.0.0.1:0` takes a free port.",
    },
    Entry {
        code: "serve::unguarded",
        means: "`mpota serve --reports` listens to other machines without a token. Anybody there could report, or see the fleet.",
        next: "Name both tokens with `--report-token-env` and `--fleet-token-env`, or listen on 127.0.0.1.",
    },
    Entry {
        code: "serve::reports",
        means: "The database of reports cannot be used: another server has it, it is damaged, or another version of mpota made it.",
        next: "Stop the other server, or put the file aside: boards report again when they look for an update.",
    },
    Entry {
        code: "serve::halted",
        means: "Too many of the boards that tried a version came back from it. The server withholds its rollout file, so no other board takes it from this server.",
        next: "Sign a halt with `mpota halt VERSION`. If the version is good, start the server with `--resume VERSION`.",
    },
    Entry {
        code: "serve::empty",
        means: "There is no release in the folder that is served.",
        next: "Build one, or name another folder.",
    },
    Entry {
        code: "serve::problem",
        means: "The server met something that it passes over, like a folder that it cannot read. The message has it.",
        next: "Look at what the message names.",
    },
];
