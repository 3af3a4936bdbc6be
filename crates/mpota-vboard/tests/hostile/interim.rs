//! Answers before the answer, and limits that only a text tells: fault 78.

use crate::honest::reply;
use crate::rig::{Rig, Setup};
use crate::server::Step;
use serde_json::json;
use std::time::Duration;

#[test]
fn fault_78_answers_that_are_not_the_last_are_read_over() {
    let rig = Rig::new();
    let store = rig.store();
    let mut ran = 0;
    for (name, before) in [
        ("100", "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
        (
            "103",
            "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nContent-Length: 9\r\n\r\n".to_owned(),
        ),
        ("both", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".to_owned()),
        ("102 thrice", "HTTP/1.1 102 Processing\r\n\r\n".repeat(3)),
    ] {
        let store = store.clone();
        rig.server.script(move |asked| {
            let mut answer = before.clone().into_bytes();
            answer.extend(crate::honest::bytes(&store, asked));
            Some(vec![Step::Slowly(answer, 4000, Duration::from_millis(1))])
        });
        rig.updates(name);
        rig.rewind();
        ran += 1;
    }
    println!("  cases {ran}: answers before the answer");
    assert_eq!(ran, 4);
}

#[test]
fn fault_78_a_limit_that_only_the_text_tells_is_no_missing_permission() {
    let limit = br#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes.","documentation_url":"https://docs.github.com/rest"}"#;
    let old = br#"{"message":"API rate limit exceeded for user ID 1."}"#;
    let no = br#"{"message":"Resource not accessible by personal access token"}"#;
    let rig = Setup { plain: true, ..Setup::default() }
        .set("token", "'tkn-1'")
        .set("insecure_token_over_http", "True")
        .rig();
    let mut ran = 0;
    for (name, body, waits) in [
        ("secondary", &limit[..], true),
        ("old text", old, true),
        ("permission", no, false),
        ("nothing", b"", false),
    ] {
        for place in ["/releases/latest", "/releases/1/assets", "/assets/"] {
            rig.server.store().token = Some("tkn-1".into());
            rig.server.script(move |asked| {
                asked.path.contains(place).then(|| {
                    vec![Step::Send(reply("403 Forbidden", "Content-Type: application/json\r\n", body))]
                })
            });
            let words = match (waits, place) {
                (true, _) => &["asks to wait 60 s (403)"][..],
                (false, "/releases/latest") => &["the token may not read octo/weather"],
                (false, _) => &["answers 403"],
            };
            rig.refused(&format!("{name} {place}"), words, &json!({}));
            rig.rewind();
            ran += 1;
        }
    }
    println!("  cases {ran}: answers of 403, by what their text says");
    assert_eq!(ran, 12);
}
