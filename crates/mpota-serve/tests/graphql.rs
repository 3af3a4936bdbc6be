//! The two queries of `gh release`.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use mpota_serve::Server;
use serde_json::{Value, json};
use support::{Folder, TOKEN, agent};

const BY_TAG: &str = "query RepositoryReleaseByTag($name:String!$owner:String!$tagName:String!)\
    {repository(owner: $owner, name: $name){release(tagName: $tagName){databaseId,isDraft}}}";
const LIST: &str = "query RepositoryReleaseList($endCursor:String$name:String!$owner:String!\
    $perPage:Int!){repository(owner: $owner, name: $name){releases(first: $perPage, orderBy: \
    {field: CREATED_AT, direction: DESC}, after: $endCursor){nodes{name,tagName,isDraft,isLatest,\
    isPrerelease,createdAt,publishedAt},pageInfo{hasNextPage,endCursor}}}}";

fn ask(server: &Server, path: &str, query: &str, more: &Value, token: Option<&str>) -> Value {
    let mut variables = json!({"owner": "octo", "name": "weather"});
    let more = more.as_object().unwrap().clone();
    variables.as_object_mut().unwrap().extend(more);
    let mut request =
        agent().post(format!("{}{path}", server.base_url())).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("token {token}"));
    }
    let body = json!({"query": query, "variables": variables}).to_string();
    support::json(request.send(body).unwrap())
}

#[test]
fn only_the_tokens_holder_finds_a_draft_by_its_tag() {
    let folder = Folder::with_releases();
    folder.asset("v2.0.0", "release.json", r#"{"draft":true,"id":77}"#);
    let private = folder.serve_private();
    let public = folder.serve();
    let tag = |tag: &str| json!({ "tagName": tag });
    for path in ["/graphql", "/api/graphql"] {
        let draft = ask(&private, path, BY_TAG, &tag("v2.0.0"), Some(TOKEN));
        let release = &draft["data"]["repository"]["release"];
        assert_eq!(release, &json!({"databaseId": 77, "isDraft": true}));
        let open = ask(&private, path, BY_TAG, &tag("v1.6.0"), Some(TOKEN));
        assert_eq!(open["data"]["repository"]["release"]["isDraft"], false);
        let hidden = ask(&public, path, BY_TAG, &tag("v2.0.0"), None);
        assert_eq!(hidden, json!({"data": {"repository": {"release": null}}}));
        let nobody = ask(&private, path, BY_TAG, &tag("v1.6.0"), None);
        assert_eq!(nobody["message"], "Not Found");
        let wrong = ask(&private, path, BY_TAG, &tag("v1.6.0"), Some("x"));
        assert_eq!(wrong["message"], "Bad credentials");
    }
}

#[test]
fn the_list_has_only_the_fields_that_were_asked_for_and_pages() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let mut tags = Vec::new();
    let mut cursor = Value::Null;
    for round in 0..2 {
        let more = json!({"perPage": 2, "endCursor": cursor});
        let answer = ask(&server, "/graphql", LIST, &more, None);
        let releases = &answer["data"]["repository"]["releases"];
        for node in releases["nodes"].as_array().unwrap() {
            assert_eq!(node.as_object().unwrap().len(), 7, "{node}");
            assert_eq!(node["isLatest"], node["tagName"] == "v1.11.0");
            tags.push(node["tagName"].clone());
        }
        assert_eq!(releases["pageInfo"]["hasNextPage"], round == 0);
        cursor = releases["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(tags, ["v1.11.0", "v1.9.0", "v1.6.0"]);
}

#[test]
fn what_it_does_not_know_is_an_error_in_its_own_form() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    for query in ["query{viewer{login}}", ""] {
        let answer = ask(&server, "/graphql", query, &json!({}), None);
        assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    }
    let other = json!({"name": "nothing"});
    let answer = ask(&server, "/graphql", LIST, &other, None);
    assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    let url = format!("{}/graphql", server.base_url());
    let response = agent().post(url).send("nonsense").unwrap();
    assert!(support::json(response)["errors"].is_array());
}
