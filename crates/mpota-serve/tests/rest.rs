//! The REST API.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use mpota_serve::{Options, Server};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use support::{Folder, TOKEN, bytes, follow, get, head, header, json, pack, text};

const RELEASE_KEYS: [&str; 20] = [
    "url",
    "assets_url",
    "upload_url",
    "html_url",
    "id",
    "author",
    "node_id",
    "tag_name",
    "target_commitish",
    "name",
    "draft",
    "immutable",
    "prerelease",
    "created_at",
    "updated_at",
    "published_at",
    "assets",
    "tarball_url",
    "zipball_url",
    "body",
];
const ASSET_KEYS: [&str; 14] = [
    "url",
    "id",
    "node_id",
    "name",
    "label",
    "uploader",
    "content_type",
    "state",
    "size",
    "digest",
    "download_count",
    "created_at",
    "updated_at",
    "browser_download_url",
];

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// The keys of a JSON object in the order in which they stand there.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        from.deserialize_map(Collect)
    }
}

fn keys(object: &str) -> Vec<String> {
    serde_json::from_str::<Keys>(object).unwrap().0
}

#[test]
fn a_release_has_githubs_fields_in_githubs_order_and_is_compact() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let body = text(get(&url, &[]));
    assert!(!body.contains('\n') && !body.contains("\": "), "{body}");
    assert_eq!(keys(&body), RELEASE_KEYS);
    let release: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(release["tag_name"], "v1.11.0");
    assert_eq!(release["draft"], false);
    assert_eq!(release["author"]["login"], "octo");
    let upload = release["upload_url"].as_str().unwrap();
    assert!(upload.ends_with("/assets{?name,label}"), "{upload}");
    let asset = &release["assets"][1];
    let alone = text(get(asset["url"].as_str().unwrap(), &[]));
    assert_eq!(keys(&alone), ASSET_KEYS);
    assert_eq!(asset["name"], "weather.pack");
    assert_eq!(asset["size"], 300_000);
    assert_eq!(asset["state"], "uploaded");
    let (_, content) = follow(asset["browser_download_url"].as_str().unwrap());
    assert_eq!(bytes(content), pack("v1.11.0"));
}

#[test]
fn a_digest_is_the_files_and_follows_it() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let digest = |url: &str| json(get(url, &[]))["assets"][0]["digest"].clone();
    folder.asset("v1.11.0", "manifest.json", "abc");
    assert_eq!(digest(&url), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    folder.asset("v1.11.0", "manifest.json", "");
    assert_eq!(digest(&url), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn every_address_in_an_object_leads_somewhere_under_both_prefixes() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    for prefix in ["", "/api/v3"] {
        let base = format!("{}{prefix}/repos/octo/weather/releases", server.base_url());
        let latest = json(get(&format!("{base}/latest"), &[]));
        let by_tag = json(get(&format!("{base}/tags/v1.11.0"), &[]));
        assert_eq!(latest, by_tag);
        assert_eq!(latest["url"], format!("{base}/{}", latest["id"]));
        assert_eq!(json(get(latest["url"].as_str().unwrap(), &[])), latest);
        let assets = json(get(latest["assets_url"].as_str().unwrap(), &[]));
        assert_eq!(assets, latest["assets"]);
        let asset = json(get(assets[0]["url"].as_str().unwrap(), &[]));
        assert_eq!(asset, assets[0]);
        let list = json(get(&base, &[]));
        assert_eq!(list[0], latest);
    }
}

#[test]
fn an_asset_by_id_is_json_or_its_content_on_the_storage_host() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let base = format!("{}/repos/octo/weather/releases", server.base_url());
    let release = json(get(&format!("{base}/tags/v1.9.0"), &[]));
    let url = release["assets"][1]["url"].as_str().unwrap();
    let wants = [("accept", "application/octet-stream")];
    let response = get(url, &wants);
    assert_eq!(response.status(), 302);
    let location = header(&response, "location").to_owned();
    assert!(location.starts_with(server.asset_url()), "{location}");
    assert_eq!(bytes(get(&location, &[])), pack("v1.9.0"));
    let plain = get(url, &[("accept", "application/vnd.github+json")]);
    assert_eq!(json(plain)["name"], "weather.pack");
}

#[test]
fn ids_are_unique_and_survive_a_restart() {
    let folder = Folder::with_releases();
    let ids = || {
        let server = folder.serve();
        let url = format!("{}/repos/octo/weather/releases", server.base_url());
        let list = json(get(&url, &[]));
        let releases = list.as_array().unwrap().iter();
        releases
            .flat_map(|release| {
                let assets = release["assets"].as_array().unwrap().iter();
                std::iter::once(release).chain(assets).map(|o| o["id"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let before = ids();
    assert_eq!(before.len(), 9);
    let mut unique = before.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 9);
    assert_eq!(ids(), before);
}

#[test]
fn a_private_repository_does_not_exist_without_its_token() {
    let folder = Folder::with_releases();
    let server = folder.serve_private();
    let base = server.base_url();
    let releases = format!("{base}/repos/octo/weather/releases");
    for rest in ["", "/latest", "/tags/v1.6.0", "/1", "/1/assets", "/assets/1"] {
        let response = get(&format!("{releases}{rest}"), &[]);
        assert_eq!(response.status(), 404);
        assert_eq!(
            text(response),
            r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}"#
        );
    }
    let page = format!("{base}/octo/weather/releases/latest/download/manifest.json");
    for headers in [vec![], vec![("authorization", bearer())]] {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let response = get(&page, &headers);
        assert_eq!(response.status(), 404);
        assert_eq!(text(response), "Not Found");
    }
}

#[test]
fn the_token_opens_a_private_repository_in_every_form_github_takes() {
    let folder = Folder::with_releases();
    let server = folder.serve_private();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let basic = "Basic eDpnaXRodWJfcGF0X2Ffc2VjcmV0";
    let forms = [bearer(), format!("token {TOKEN}"), format!("bearer {TOKEN}"), basic.into()];
    for form in forms {
        let release = json(get(&url, &[("authorization", &form)]));
        assert_eq!(release["tag_name"], "v1.11.0", "{form}");
        let asset = release["assets"][0]["url"].as_str().unwrap();
        let wants = [("authorization", form.as_str()), ("accept", "application/octet-stream")];
        let response = get(asset, &wants);
        assert_eq!(response.status(), 302);
        let content = get(header(&response, "location"), &[]);
        assert_eq!(text(content), "manifest of v1.11.0\n");
    }
}

#[test]
fn of_several_tokens_one_that_is_known_is_enough() {
    let folder = Folder::with_releases();
    let options = Options { token: Some(TOKEN.into()), ..support::writable(&folder) };
    let server = Server::start(options).unwrap();
    let url = format!("{}/repos/octo/weather/releases", server.base_url());
    let (reads, writes) = (format!("token {TOKEN}"), format!("Bearer {}", support::WRITER));
    let create = |values: &[&str]| {
        let mut request = ureq::http::Request::builder().method("POST").uri(&url);
        for value in values {
            request = request.header("authorization", *value);
        }
        let body = format!(r#"{{"tag_name":"v3.{}.{}","draft":true}}"#, values.len(), values[0].len());
        support::agent().run(request.body(body).unwrap()).unwrap().status().as_u16()
    };
    // What is given, whether it may read, and whether it may write.
    let cases: [(&[&str], u16, u16); 6] = [
        (&["Bearer x", &reads], 200, 403),
        (&[&reads, "Digest x"], 200, 403),
        (&[&reads, &writes], 200, 201),
        (&[&writes, &reads], 200, 201),
        (&["Bearer x", "Bearer y", &writes], 200, 201),
        (&["Bearer x", "Bearer y"], 401, 401),
    ];
    for (values, read, write) in cases {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        assert_eq!(get(&url, &headers).status(), read, "{values:?}");
        assert_eq!(create(values), write, "{values:?}");
    }
    println!("  cases {}: several headers", cases.len());
}

#[test]
fn a_wrong_token_is_bad_credentials() {
    let folder = Folder::with_releases();
    let server = folder.serve_private();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let long = format!("Bearer {TOKEN}x");
    let short = &bearer()[..20];
    for value in ["Bearer x", "token", "Bearer ", "Digest x", &long, short, TOKEN] {
        let response = get(&url, &[("authorization", value)]);
        assert_eq!(response.status(), 401, "{value}");
        let body = json(response);
        assert_eq!(body["message"], "Bad credentials");
        assert_eq!(body["status"], "401");
    }
}

#[test]
fn a_request_without_a_user_agent_is_forbidden() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let request = "GET /repos/octo/weather/releases HTTP/1.1\r\nHost: x\r\n\
                   Connection: close\r\n\r\n";
    let answer = support::raw(&server, request);
    assert_eq!(support::status(&answer), "403");
    assert!(answer.contains("Please make sure your request has a User-Agent header"));
}

#[test]
fn what_did_not_change_is_304() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let first = get(&url, &[]);
    let etag = header(&first, "etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let again = get(&url, &[("if-none-match", &etag)]);
    assert_eq!(again.status(), 304);
    assert_eq!(header(&again, "etag"), etag);
    assert_eq!(bytes(again).len(), 0);
    folder.asset("v1.12.0", "manifest.json", "new");
    let changed = get(&url, &[("if-none-match", &etag)]);
    assert_eq!(changed.status(), 200);
    assert_eq!(json(changed)["tag_name"], "v1.12.0");
}

#[test]
fn calls_are_counted_and_a_304_is_free_only_with_a_token() {
    let folder = Folder::with_releases();
    let server = folder.serve_private();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let used = |headers: &[(&str, &str)]| {
        let response = get(&url, headers);
        let number = |name| header(&response, name).parse::<u64>().unwrap();
        let (limit, used) = (number("x-ratelimit-limit"), number("x-ratelimit-used"));
        assert_eq!(number("x-ratelimit-remaining"), limit - used);
        assert!(number("x-ratelimit-reset") > 1_700_000_000);
        assert_eq!(header(&response, "x-ratelimit-resource"), "core");
        assert!(!header(&response, "x-github-request-id").is_empty());
        (limit, used)
    };
    let auth = bearer();
    let known = [("authorization", auth.as_str())];
    assert_eq!(used(&[]), (60, 1));
    assert_eq!(used(&[]), (60, 2));
    assert_eq!(used(&known), (5_000, 1));
    let etag = header(&get(&url, &known), "etag").to_owned();
    let conditional = [known[0], ("if-none-match", etag.as_str())];
    assert_eq!(used(&conditional), (5_000, 2));
    assert_eq!(used(&conditional), (5_000, 2));
    let public = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", public.base_url());
    let etag = header(&get(&url, &[]), "etag").to_owned();
    let second = get(&url, &[("if-none-match", &etag)]);
    assert_eq!(second.status(), 304);
    assert_eq!(header(&second, "x-ratelimit-used"), "2");
}

#[test]
fn a_list_comes_in_pages_that_link_to_each_other() {
    let folder = Folder::with_releases();
    for number in 0..65 {
        folder.asset("v2.0.0", &format!("file-{number:02}.bin"), [number]);
    }
    let server = folder.serve();
    let base = format!("{}/repos/octo/weather/releases", server.base_url());
    let release = json(get(&format!("{base}/latest"), &[]));
    assert_eq!(release["assets"].as_array().unwrap().len(), 65);
    let mut next = Some(release["assets_url"].as_str().unwrap().to_owned());
    let (mut pages, mut names) = (Vec::new(), Vec::new());
    while let Some(url) = next {
        let response = get(&url, &[]);
        let link = header(&response, "link").to_owned();
        next = link.split(", ").find_map(|part| {
            let (url, rel) = part.split_once("; ")?;
            (rel == "rel=\"next\"").then(|| url.trim_matches(['<', '>']).to_owned())
        });
        let page = json(response);
        pages.push(page.as_array().unwrap().len());
        names.extend(page.as_array().unwrap().iter().map(|a| a["name"].to_string()));
    }
    assert_eq!(pages, [30, 30, 5]);
    names.dedup();
    assert_eq!(names.len(), 65);
    let small = get(&format!("{base}?per_page=2&page=2"), &[]);
    assert!(header(&small, "link").contains("rel=\"prev\""));
    let tags: Vec<_> = json(small).as_array().unwrap().iter().map(|r| r["tag_name"].clone()).collect();
    assert_eq!(tags, ["v1.9.0", "v1.6.0"]);
}

#[test]
fn drafts_are_hidden_from_all_but_the_tokens_holder() {
    let folder = Folder::with_releases();
    folder.asset("v3.0.0", "manifest.json", "secret");
    folder.asset("v3.0.0", "release.json", r#"{"draft":true,"id":77}"#);
    let public = folder.serve();
    let base = public.base_url();
    let api = format!("{base}/repos/octo/weather/releases");
    assert_eq!(json(get(&api, &[])).as_array().unwrap().len(), 3);
    for rest in ["/77", "/77/assets", "/tags/v3.0.0"] {
        assert_eq!(get(&format!("{api}{rest}"), &[]).status(), 404, "{rest}");
        let guess = [("authorization", "Bearer guess")];
        assert_eq!(get(&format!("{api}{rest}"), &guess).status(), 404, "{rest}");
    }
    assert_eq!(json(get(&format!("{api}/latest"), &[]))["tag_name"], "v1.11.0");
    let page = format!("{base}/octo/weather/releases/download/v3.0.0/manifest.json");
    assert_eq!(get(&page, &[]).status(), 404);

    let private = folder.serve_private();
    let api = format!("{}/repos/octo/weather/releases", private.base_url());
    let auth = bearer();
    let known = [("authorization", auth.as_str())];
    assert_eq!(json(get(&api, &known)).as_array().unwrap().len(), 4);
    let draft = json(get(&format!("{api}/77"), &known));
    assert_eq!((&draft["draft"], &draft["published_at"]), (&true.into(), &Value::Null));
    assert_eq!(get(&format!("{api}/tags/v3.0.0"), &known).status(), 404);
    assert_eq!(json(get(&format!("{api}/latest"), &known))["tag_name"], "v1.11.0");
}

#[test]
fn head_has_the_headers_of_get() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let (by_head, by_get) = (head(&url, &[]), get(&url, &[]));
    for name in ["content-type", "content-length", "etag"] {
        assert_eq!(header(&by_head, name), header(&by_get, name), "{name}");
        assert!(!header(&by_head, name).is_empty(), "{name}");
    }
    assert_eq!(bytes(by_head).len(), 0);
}

#[test]
fn unknown_paths_and_methods_are_404_in_json() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    for path in ["/repos/octo/weather/nothing", "/api/v3/whatever", "/repos/octo/weather/releases/x"] {
        let response = get(&format!("{}{path}", server.base_url()), &[]);
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(json(response)["message"], "Not Found");
    }
    let url = format!("{}/repos/octo/weather/releases/latest", server.base_url());
    let response = support::agent().delete(&url).call().unwrap();
    assert_eq!(response.status(), 404);
}
