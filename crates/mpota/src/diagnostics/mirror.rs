//! Mirrors.

use super::Entry;

pub(super) const TITLE: &str = "Mirrors.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "mirror::source",
        means: "What is to be mirrored is neither a folder nor a repository.",
        next: "Name a folder that is there, or `OWNER/REPO`.",
    },
    Entry {
        code: "mirror::empty",
        means: "There is no release to mirror. Drafts do not count, and a release has a version as its tag and a `manifest.json`.",
        next: "Publish a release first, or look at the name.",
    },
    Entry {
        code: "mirror::destination",
        means: "A mirror cannot be at this address.",
        next: "Use `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, `file:///folder` or a folder. The server of the bucket is named in the environment, like `AWS_ENDPOINT`.",
    },
    Entry {
        code: "mirror::credentials",
        means: "The address has a user, a password or a query in it. Everybody on the computer can read the command line.",
        next: "Put credentials into the environment. Change them, if others use this computer.",
    },
    Entry {
        code: "mirror::store",
        means: "The bucket could not be listed, read or written.",
        next: "Look at the credentials in the environment and at the bucket's name and region, then run the same command again: it goes on where it stopped.",
    },
    Entry {
        code: "mirror::differs",
        means: "An object was sent, and something else was read back. Nothing names it yet, so no board takes it.",
        next: "Run the same command again. If it stays, look at what lies between this computer and the bucket.",
    },
    Entry {
        code: "mirror::client",
        means: "The client of the object store could not be started on this computer.",
        next: "Look at the limits of threads and open files.",
    },
    Entry {
        code: "mirror::unread",
        means: "The source lists a version, a channel or a rollout and does not give a file of it. The rest was taken over.",
        next: "Run the same command again. If it stays, look at that release at the source: upload the file again, or remove the release.",
    },
    Entry {
        code: "mirror::not_good",
        means: "A release, a channel or an object is not right, as `mpota verify` would say. It was not taken over.",
        next: "Run `mpota verify OWNER/REPO@VERSION` with the same keys, and publish a new version.",
    },
    Entry {
        code: "mirror::changed",
        means: "A version has another manifest than the bucket has for it. Boards and caches may have the old one, so the bucket keeps it.",
        next: "Publish a new version. If no board has the old one, remove the version's folder from the bucket and its address from the cache, and run the command again.",
    },
    Entry {
        code: "mirror::older",
        means: "The bucket names a newer version, or has a newer rollout, than the source. It stays.",
        next: "Look whether it is the right source. `--allow-older` lets it go back; boards that have the newer version stay on it.",
    },
    Entry {
        code: "mirror::names",
        means: "`latest`, a channel or a rollout names a version that is not in the bucket, not all of it, or no longer at the source.",
        next: "Look at what is said of that version. The bucket keeps the name as it was.",
    },
    Entry {
        code: "mirror::rollout",
        means: "A file of the release `rollout` is no rollout, or not of the version in its name. It was not taken over.",
        next: "Remove it from the release, and make it again.",
    },
    Entry {
        code: "mirror::withheld",
        means: "The bucket has a rollout that the source does not have any more. It was removed from the bucket: boards wait, as they do at the source.",
        next: "Nothing, if it was meant so, or if the rollout was just being exchanged: the next run brings the new one. Otherwise run `mpota rollout VERSION` to look at it, and make it again.",
    },
    Entry {
        code: "mirror::refused",
        means: "Not all was taken over. Each problem has a line and a code of its own.",
        next: "Look at those codes. What was right is in the mirror.",
    },
    Entry {
        code: "mirror::not_pruned",
        means: "Something was not taken over, so no version was removed.",
        next: "Mend that first, and run the command again.",
    },
    Entry {
        code: "mirror::round",
        means: "A round of `--watch` failed. The next one comes after a longer pause, of an hour at most.",
        next: "Nothing, if it was the network. If it stays, look at what the message names.",
    },
];
