//! The repository itself, and the list of what the API has. Most of it leads to
//! what is not here: clients that want an address for everything find one.

use serde_json::{Map, Value, json};

use super::auth::{Caller, Who};
use super::objects::{Maker, node_id};
use crate::catalog::Release;

/// Keys of a repository, and what follows its own address there.
const ADDRESSES: [(&str, &str); 37] = [
    ("archive_url", "{archive_format}{/ref}"),
    ("assignees_url", "assignees{/user}"),
    ("blobs_url", "git/blobs{/sha}"),
    ("branches_url", "branches{/branch}"),
    ("collaborators_url", "collaborators{/collaborator}"),
    ("comments_url", "comments{/number}"),
    ("commits_url", "commits{/sha}"),
    ("compare_url", "compare/{base}...{head}"),
    ("contents_url", "contents/{+path}"),
    ("contributors_url", "contributors"),
    ("deployments_url", "deployments"),
    ("downloads_url", "downloads"),
    ("events_url", "events"),
    ("forks_url", "forks"),
    ("git_commits_url", "git/commits{/sha}"),
    ("git_refs_url", "git/refs{/sha}"),
    ("git_tags_url", "git/tags{/sha}"),
    ("hooks_url", "hooks"),
    ("issue_comment_url", "issues/comments{/number}"),
    ("issue_events_url", "issues/events{/number}"),
    ("issues_url", "issues{/number}"),
    ("keys_url", "keys{/key_id}"),
    ("labels_url", "labels{/name}"),
    ("languages_url", "languages"),
    ("merges_url", "merges"),
    ("milestones_url", "milestones{/number}"),
    ("notifications_url", "notifications{?since,all,participating}"),
    ("pulls_url", "pulls{/number}"),
    ("releases_url", "releases{/id}"),
    ("stargazers_url", "stargazers"),
    ("statuses_url", "statuses/{sha}"),
    ("subscribers_url", "subscribers"),
    ("subscription_url", "subscription"),
    ("tags_url", "tags"),
    ("teams_url", "teams"),
    ("trees_url", "git/trees{/sha}"),
    ("url", ""),
];

/// What is said of a repository that has not happened to it.
const NOTHING: [(&str, &[&str]); 4] = [
    ("true", &["allow_forking", "allow_merge_commit", "allow_rebase_merge", "allow_squash_merge"]),
    (
        "0",
        &[
            "forks",
            "forks_count",
            "network_count",
            "open_issues",
            "open_issues_count",
            "size",
            "stargazers_count",
            "subscribers_count",
            "watchers",
            "watchers_count",
        ],
    ),
    ("null", &["description", "homepage", "language", "license", "mirror_url"]),
    (
        "false",
        &[
            "allow_auto_merge",
            "allow_update_branch",
            "delete_branch_on_merge",
            "disabled",
            "fork",
            "has_discussions",
            "has_downloads",
            "has_issues",
            "has_pages",
            "has_projects",
            "has_wiki",
            "is_template",
            "use_squash_pr_title_as_default",
            "web_commit_signoff_required",
        ],
    ),
];

/// Keys of the API's root, and what follows its address there.
const ROOT: [(&str, &str); 32] = [
    ("authorizations_url", "authorizations"),
    ("code_search_url", "search/code?q={query}{&page,per_page,sort,order}"),
    ("commit_search_url", "search/commits?q={query}{&page,per_page,sort,order}"),
    ("current_user_repositories_url", "user/repos{?type,page,per_page,sort}"),
    ("current_user_url", "user"),
    ("emails_url", "user/emails"),
    ("emojis_url", "emojis"),
    ("events_url", "events"),
    ("feeds_url", "feeds"),
    ("followers_url", "user/followers"),
    ("following_url", "user/following{/target}"),
    ("gists_url", "gists{/gist_id}"),
    ("hub_url", "hub"),
    ("issue_search_url", "search/issues?q={query}{&page,per_page,sort,order}"),
    ("issues_url", "issues"),
    ("keys_url", "user/keys"),
    ("label_search_url", "search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
    ("notifications_url", "notifications"),
    ("organization_repositories_url", "orgs/{org}/repos{?type,page,per_page,sort}"),
    ("organization_teams_url", "orgs/{org}/teams"),
    ("organization_url", "orgs/{org}"),
    ("public_gists_url", "gists/public"),
    ("rate_limit_url", "rate_limit"),
    ("repository_search_url", "search/repositories?q={query}{&page,per_page,sort,order}"),
    ("repository_url", "repos/{owner}/{repo}"),
    ("starred_gists_url", "gists/starred"),
    ("starred_url", "user/starred{/owner}{/repo}"),
    ("topic_search_url", "search/topics?q={query}{&page,per_page}"),
    ("user_organizations_url", "user/orgs"),
    ("user_repositories_url", "users/{user}/repos{?type,page,per_page,sort}"),
    ("user_search_url", "search/users?q={query}{&page,per_page,sort,order}"),
    ("user_url", "users/{user}"),
];

/// When something happened of which nothing is known.
pub(crate) const ONCE: &str = "2024-01-01T00:00:00Z";

/// The API's root: where all else is.
pub(crate) fn root(page: &str, base: &str) -> Value {
    let mut object: Map<String, Value> =
        ROOT.iter().map(|(key, rest)| ((*key).to_owned(), format!("{base}/{rest}").into())).collect();
    let settings = format!("{page}/settings/connections/applications{{/client_id}}");
    object.insert("current_user_authorizations_html_url".into(), settings.into());
    Value::Object(object)
}

/// A repository, for this caller.
pub(crate) fn object(make: &Maker<'_>, who: &Who, releases: &[Release]) -> Value {
    let (repo, access) = (make.repo, &make.app.access);
    let mut object: Map<String, Value> = ADDRESSES
        .iter()
        .map(|(key, rest)| ((*key).to_owned(), make.api(rest).trim_end_matches('/').into()))
        .collect();
    for (value, keys) in NOTHING {
        // They are JSON: this cannot fail.
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        object.extend(keys.iter().map(|key| ((*key).to_owned(), value.clone())));
    }
    let page = make.page("");
    let page = page.trim_end_matches('/');
    let host = page.split_once("://").map_or(page, |(_, rest)| rest);
    let (host, path) = host.split_once('/').unwrap_or((host, ""));
    let shown = releases.iter().filter(|release| !release.draft);
    let first = shown.clone().map(|release| release.created_at.as_str()).min().unwrap_or(ONCE);
    let last = shown.map(|release| release.updated_at.as_str()).max().unwrap_or(ONCE);
    let own = json!({
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name(),
        "private": access.private,
        "visibility": if access.private { "private" } else { "public" },
        "owner": make.user(),
        "html_url": page,
        "svn_url": page,
        "clone_url": format!("{page}.git"),
        "git_url": format!("git://{host}/{path}.git"),
        "ssh_url": format!("git@{host}:{path}.git"),
        "default_branch": "main",
        "archived": repo.single.is_some(),
        "topics": [],
        "created_at": first,
        "updated_at": last,
        "pushed_at": last,
    });
    object.extend(own.as_object().cloned().unwrap_or_default());
    if who.caller == Caller::Known {
        let writes = access.writes(who);
        let permissions =
            json!({"admin": false, "maintain": false, "push": writes, "triage": false, "pull": true});
        object.insert("permissions".into(), permissions);
    }
    Value::Object(object)
}
