//! What GitHub answered when octokit's fixtures were recorded, replayed to `mpota publish`.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::answers::{Answers, answer};
use common::hub::{Hub, words};
use mpota::publish::PublishOptions;
use mpota_vboard::clients;
use serde_json::{Value, json};

/// The recorded answers of a scenario, and how often they were used.
struct Recorded {
    all: Vec<Value>,
    used: usize,
}

impl Recorded {
    fn new(scenario: &str) -> Self {
        let scenarios = "node_modules/@octokit/fixtures/scenarios/api.github.com";
        let path = clients::npm().unwrap().join(scenarios).join(scenario).join("normalized-fixture.json");
        let all = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self { all, used: 0 }
    }

    /// The body of the answer to this request; of the first one that has these words.
    fn find(&mut self, method: &str, path: &str, status: u64) -> Value {
        self.used += 1;
        let is = |r: &&Value| {
            r["method"] == method && r["path"].as_str().unwrap().contains(path) && r["status"] == status
        };
        self.all.iter().find(is).unwrap_or_else(|| panic!("{method} {path} {status}")).clone()
    }

    /// The answer, its addresses led here as GitHub Enterprise has them.
    fn reply(&mut self, method: &str, path: &str, status: u64) -> String {
        let found = self.find(method, path, status);
        let here = |text: String| {
            text.replace("https://api.github.com", "HERE/api/v3")
                .replace("https://uploads.github.com", "HERE/api/uploads")
        };
        let location = found["headers"]["location"].as_str().map(|to| format!("Location: {to}\r\n"));
        let body = if status == 204 { String::new() } else { here(found["response"].to_string()) };
        answer(&format!("{status} Recorded"), &here(location.unwrap_or_default()), &body)
    }
}

const CONTENT: &str = "Hello, world!\n";

/// A release by hand with the one file that was uploaded when it was recorded.
fn release(project: &str) -> (Hub, PublishOptions) {
    let hub = Hub::new();
    hub.app.write("hand/test-upload.txt", CONTENT);
    let named = format!("--version v1.0.0 --project {project} --root hand --output hand/manifest.json");
    hub.app.run(&format!("manifest {named} test-upload.txt")).ok();
    let mut how = hub.bare("");
    (how.folder, how.project) = (hub.app.path("hand"), project.to_owned());
    (hub, how)
}

#[test]
fn recorded_uploads_are_understood_and_a_recorded_conflict_is_resolved() {
    for conflict in [false, true] {
        let scenario = if conflict { "release-assets-conflict" } else { "release-assets" };
        let project = format!("octokit-fixture-org/{scenario}");
        let (_hub, how) = release(&project);
        let mut recorded = Recorded::new(scenario);
        let mut draft = recorded.find("get", "/releases/tags/v1.0.0", 200)["response"].clone();
        draft["draft"] = json!(true);
        let list = json!([draft]).to_string().replace("https://uploads.github.com", "HERE/api/uploads");
        let ok = |body: &str| answer("200 OK", "", body);
        let repository = format!("{{\"full_name\": \"{project}\"}}");
        let mut replies = vec![ok(&repository), ok(&list), ok("[]")];
        let mut expected = vec!["GET /api/v3/repos", "GET ", "GET "];
        if conflict {
            replies.push(recorded.reply("post", "/assets?name=", 422));
            replies.extend([ok(&list), recorded.reply("get", "/releases/1000/assets", 200)]);
            // It was recorded before GitHub told digests: the content is looked at.
            replies.extend([ok("Hello, globe!\n"), recorded.reply("delete", "/assets/1000", 204)]);
            expected.extend(["POST /api/uploads", "GET ", "GET ", "GET ", "DELETE "]);
        }
        replies.extend([recorded.reply("post", "/assets?name=", 201), ok(CONTENT)]);
        let refused = r#"{"message": "Resource not accessible by personal access token"}"#;
        replies.push(answer("403 Forbidden", "", refused));
        expected.extend(["POST /api/uploads", "GET ", "POST /api/uploads"]);

        let (error, seen) = Answers::new(replies).refuse(how);
        let asked: Vec<&str> = seen.iter().map(|request| request.lines().next().unwrap()).collect();
        assert_eq!(asked.len(), expected.len(), "{asked:?} {}", words(&error));
        for (line, start) in asked.iter().zip(&expected) {
            assert!(line.starts_with(start), "{line} is not {start}");
        }
        assert!(asked[asked.len() - 3].contains("/releases/1000/assets?name=test-upload.txt "), "{asked:?}");
        assert!(asked.last().unwrap().contains("?name=manifest.json "), "{asked:?}");
        assert!(words(&error).contains("needs Contents: read and write"), "{}", words(&error));
        println!("  cases {}: recorded answers of {scenario}", recorded.used);
        assert_eq!(recorded.used, if conflict { 5 } else { 2 });
    }
}

#[test]
fn the_recorded_rename_of_a_repository_is_followed_to_its_new_name() {
    let (_hub, how) = release("octokit-fixture-org/rename-repository");
    let mut recorded = Recorded::new("rename-repository");
    let moved = recorded.reply("get", "/repos/octokit-fixture-org/rename-repository", 301);
    let found = recorded.reply("get", "/repositories/1000", 200);
    let (error, seen) = Answers::new(vec![moved, found]).refuse(how);
    let said = words(&error);
    assert!(said.contains("has moved to octokit-fixture-org/rename-repository-newname"), "{said}");
    assert!(seen[1].starts_with("GET /api/v3/repositories/1000 "), "{seen:?}");
    println!("  cases {}: recorded answers of a rename", recorded.used);
}
