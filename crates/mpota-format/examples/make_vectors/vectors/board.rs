//! Which of the broken manifests a board may accept: it checks what could harm it, and not the form of all else.

use std::collections::BTreeSet;

use super::Files;

/// All cases whose names begin so.
const GROUPS: [&str; 25] = [
    // what a board does not look at
    "header-board-",
    "header-created-",
    "header-micropython-",
    "header-more-",
    "header-mpy-",
    "header-needs-",
    "header-platform-",
    "header-project-",
    "header-requires-",
    "entry-more-",
    "layout-asset-twice",
    // other spellings
    "header-carriage-return",
    "header-comma-",
    "header-duplicate-",
    "header-order-",
    "header-unknown-key",
    "header-utf8-",
    "header-raw-",
    "entry-duplicate-",
    "entry-order-",
    "entry-path-escaped-",
    "entry-path-raw-",
    "entry-space-",
    "entry-unknown-key",
    "entry-utf8-",
];

/// Cases of groups in which a board must refuse others.
const CASES: [&str; 51] = [
    // brackets in a text that a board takes for nesting
    "hook-brackets-behind-an-escape",
    "header-hooks-array",
    "header-hooks-duplicate",
    "header-hooks-empty",
    "header-hooks-empty-path",
    "header-hooks-needless-escape",
    "header-hooks-order",
    "header-hooks-raw-control-character",
    "header-hooks-unknown-key",
    "header-key-with-escape",
    "header-nested-250-arrays",
    "header-nested-90-objects",
    "header-no-line-break-before-the-files",
    "header-pack-duplicate-size",
    "header-pack-order",
    "header-pack-size-leading-zero",
    "header-pack-unknown-key",
    "header-space-after-colon",
    "header-space-after-comma",
    "header-space-at-end",
    "header-space-before-colon",
    "header-space-in-array",
    "header-space-in-object",
    "header-tab-after-comma",
    "header-two-brackets",
    "header-version-needless-escape",
    "entry-asset-beside-offset",
    "entry-asset-needless-escape",
    "entry-brace-missing",
    "entry-carriage-return-at-last-end",
    "entry-comma-behind-the-last-value",
    "entry-comma-missing-inside",
    "entry-crc32-in-capitals",
    "entry-crc32-other-letter",
    "entry-crc32-underscore",
    "entry-keep-nothing",
    "entry-key-with-escape",
    "entry-length-leading-zero",
    "entry-offset-beside-asset",
    "entry-offset-minus-zero",
    "entry-offset-two-zeros",
    "entry-path-needless-escape",
    "entry-path-unknown-escape",
    "entry-sha256-digit-beyond-ascii",
    "entry-sha256-in-capitals",
    "entry-sha256-other-letter",
    "entry-sha256-sign",
    "entry-size-leading-zero",
    "entry-size-minus-zero",
    "entry-tab-at-start",
    "entry-zero-byte-at-end",
];

/// Marks them all, once they are made.
pub fn add(files: &mut Files) {
    let names: BTreeSet<String> = files
        .keys()
        .filter_map(|path| path.strip_prefix("manifest/invalid/")?.strip_suffix("/error").map(str::to_owned))
        .collect();
    let marked = |name: &str| CASES.contains(&name) || GROUPS.iter().any(|group| name.starts_with(group));
    for name in CASES {
        assert!(names.contains(name), "there is no {name}");
    }
    for group in GROUPS {
        assert!(names.iter().any(|name| name.starts_with(group)), "there is no {group}");
    }
    for name in names.iter().filter(|name| marked(name)) {
        super::put(files, format!("manifest/invalid/{name}/board"), "may accept\n");
    }
}
