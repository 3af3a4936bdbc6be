//! The GitHub Action, the workflow to copy, and the one that releases this program are what GitHub understands.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use mpota_vboard::{clients, repository};
use std::process::Command;
use tempfile::TempDir;

/// How the workflow names the action; here it lies beside the workflow.
const ELSEWHERE: &str = "OWNER/mpota@v0.1.0";

/// What the linter says of a repository with this action and this workflow; nothing when all is well.
fn lint(action: &str, workflow: &str) -> String {
    let repository = TempDir::new().unwrap();
    let workflows = repository.path().join(".github/workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    std::fs::write(repository.path().join("action.yml"), action).unwrap();
    std::fs::write(workflows.join("release.yml"), workflow).unwrap();
    // It looks for the root of a repository.
    let git = Command::new("git").args(["init", "--quiet"]).current_dir(repository.path()).status();
    assert!(git.unwrap().success());
    let mut linter = clients::workflow_linter().unwrap();
    linter.current_dir(repository.path()).args(["--strict-exit", "--oneline"]);
    let out = linter.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.success(), said.is_empty(), "{:?}: {said}", out.status);
    said
}

fn files() -> (String, String) {
    let read = |name: &str| std::fs::read_to_string(repository().join(name)).unwrap();
    let workflow = read("examples/release.yml");
    assert_eq!(workflow.matches(ELSEWHERE).count(), 1, "it uses the action");
    (read("action.yml"), workflow.replace(ELSEWHERE, "./"))
}

#[test]
fn the_action_and_the_workflow_to_copy_are_clean() {
    let (action, workflow) = files();
    assert_eq!(lint(&action, &workflow), "");
    println!("  cases 2: files that the linter of workflows takes");
}

#[test]
fn a_broken_action_or_workflow_is_refused() {
    let (action, workflow) = files();
    // What is broken, in which file, and the rule that sees it.
    let in_workflow = [
        ("          key: ", "          kez: ", "unknown-action-input"),
        ("          key: ${{ secrets.MPOTA_KEY }}\n", "          channel: beta\n", "missing-action-input"),
        ("contents: write", "contents: wirte", "invalid-permissions"),
        ("secrets.MPOTA_KEY", "secret.MPOTA_KEY", "undefined-property"),
        ("    steps:", "    stebs:", ""),
        ("  push:\n    tags:", "  push:\n    tugs:", ""),
    ];
    let in_action = [
        ("inputs.version", "inputs.verzion", "undefined-property"),
        ("cd \"$FOLDER\"", "cd $FOLDER", "shellcheck"),
        ("if [ -n \"$CHANNEL\" ]; then", "if [ -n \"$CHANNEL\" ]", "shellcheck"),
        ("      shell: bash\n", "", ""),
        ("build --version \"$VERSION\"", "build --version ${{ inputs.version }}", ""),
    ];
    let mut cases = 0;
    for (good, bad, rule) in in_workflow {
        assert!(workflow.contains(good), "{good}");
        let said = lint(&action, &workflow.replacen(good, bad, 1));
        assert!(said.contains("release.yml") && said.contains(rule), "{bad}: {said}");
        cases += 1;
    }
    for (good, bad, rule) in in_action {
        assert!(action.contains(good), "{good}");
        let said = lint(&action.replacen(good, bad, 1), &workflow);
        assert!(said.contains("action.yml") && said.contains(rule), "{bad}: {said}");
        cases += 1;
    }
    println!("  cases {cases}: broken workflows and actions that are refused");
}

/// The workflow that releases this program.
const OWN: &str = ".github/workflows/release.yml";

fn own() -> (String, String) {
    let read = |name: &str| std::fs::read_to_string(repository().join(name)).unwrap();
    (read("action.yml"), read(OWN))
}

#[test]
fn the_release_of_this_program_is_clean_and_what_is_broken_in_it_is_refused() {
    let (action, workflow) = own();
    assert_eq!(lint(&action, &workflow), "");
    let broken = [
        ("id-token: write", "id-token: wirte", "invalid-permissions"),
        ("needs: attest", "needs: atest", ""),
        ("TARGET: ${{ matrix.target }}", "TARGET: ${{ matrix.tarjet }}", "undefined-property"),
        ("pip install --no-index wheels/*.whl", "pip install --no-index $WHEEL", "shellcheck"),
        ("    runs-on: ubuntu-24.04\n    timeout-minutes: 15\n    environment", "    environment", ""),
    ];
    for (good, bad, rule) in broken {
        assert!(workflow.contains(good), "{good}");
        let said = lint(&action, &workflow.replacen(good, bad, 1));
        assert!(said.contains("release.yml") && said.contains(rule), "{bad}: {said}");
    }
    println!("  cases {}: broken releases of this program that are refused", broken.len());
}

#[test]
fn the_workflow_of_the_site_is_clean_and_what_is_broken_in_it_is_refused() {
    let (action, pages) = (own().0, site());
    assert_eq!(lint(&action, &pages), "");
    let said = lint(&action, &pages.replace("pages: write", "pages: wirte"));
    assert!(said.contains("invalid-permissions"), "{said}");
    println!("  cases 2: workflows of the site");
}

/// The workflow that publishes the pages.
fn site() -> String {
    std::fs::read_to_string(repository().join(".github/workflows/pages.yml")).unwrap()
}

/// What the linter does not know.
#[test]
fn the_release_of_this_program_is_pinned_and_is_the_one_that_the_action_trusts() {
    let (action, workflow) = own();
    assert!(action.contains(&format!("--signer-workflow \"$REPOSITORY/{OWN}\"")));
    assert!(workflow.contains(&format!("'{}'", clients::MATURIN)), "another maturin than that of the tests");
    let mut pinned = 0;
    let pages = site();
    for uses in workflow
        .lines()
        .chain(pages.lines())
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
    {
        let (_, commit) = uses.split_once('@').unwrap();
        let (commit, name) = commit.split_once(" # v").expect("a comment with the version");
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{uses}");
        assert!(name.split('.').count() == 3, "{uses}");
        pinned += 1;
    }
    assert!(pinned > 8, "{pinned}");
    println!("  cases {pinned}: pinned actions");
    // One job has the right to each thing, and nothing is published before it is attested.
    for right in ["attestations: write", "contents: write", "environment: pypi"] {
        assert_eq!(workflow.matches(right).count(), 1, "{right}");
    }
    assert_eq!(workflow.matches("needs: attest").count(), 2);
}
