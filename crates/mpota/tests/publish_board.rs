//! The whole way: `mpota publish`, a server in the place of GitHub, a board.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

use mpota::publish::{PublishOptions, publish};
use mpota::remote::token::Token;
use mpota_serve::{Options, Server, WriteOptions};
use mpota_vboard::bench::{Agent, App, Bench, Release, config};
use mpota_vboard::{Board, FileSystem, MicroPython, Word};

const WRITER: &str = "the-writers";
const READER: &str = "the-readers";

#[test]
fn a_board_takes_what_was_published_public_and_private_the_latest_a_tag_and_a_channel() {
    let bench = Bench::new().unwrap();
    let versions = [("v1.0.0", "old"), ("v1.1.0", "new"), ("v1.2.0", "newest"), ("v1.3.0-beta.1", "next")];
    for (version, more) in versions {
        let app = App::tiny(version).unwrap().with("lib/name.py", format!("name = '{more}'\n"));
        bench.publish(&Release::new(version, app)).unwrap();
    }
    let micropython = MicroPython::find(Word::Bits64).unwrap();
    let mut cases = 0;
    let wanted = [(None, "newest"), (Some(("tag", "v1.1.0")), "new"), (Some(("channel", "beta")), "next")];
    for (private, (entry, expected)) in [false, true].into_iter().flat_map(|p| wanted.map(|w| (p, w))) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("octo/weather")).unwrap();
        let server = Server::start(Options {
            token: private.then(|| READER.to_owned()),
            write: Some(WriteOptions::new(WRITER)),
            asset_host: Some("localhost".to_owned()),
            ..Options::new(folder.path())
        })
        .unwrap();
        for (version, _) in versions {
            let mut how = PublishOptions::new(bench.release_dir(version), "octo/weather");
            how.access.base_url = server.base_url().to_owned();
            how.access.token = |_| Token::new(WRITER, "the test");
            if version.contains("beta") {
                how.channels.push("beta".into());
            }
            publish(&how).unwrap();
        }
        let quoted = |text: &str| format!("'{text}'");
        let mut entries = vec![("base_url", quoted(server.base_url()))];
        entries.extend(entry.map(|(key, value)| (key, quoted(value))));
        if private {
            entries.extend([("token", quoted(READER)), ("insecure_token_over_http", "True".to_owned())]);
        }
        let entries: Vec<(&str, &str)> = entries.iter().map(|(key, value)| (*key, &**value)).collect();
        let own = config(&entries);
        let own: [(&str, &[u8]); 2] = [("secrets.py", own.as_bytes()), ("settings.json", b"{}")];
        let files = bench.board_folder("v1.0.0", Agent::Mpy, &own).unwrap();
        let board = Board::new(&micropython, FileSystem::Lfs, &files).unwrap();
        server.clear_requests();
        let output = board.run().unwrap().output;
        let expected = format!("name = '{expected}'\n");
        assert_eq!(board.read("/lib/name.py").unwrap(), expected.as_bytes(), "{output}");
        let calls = server.requests().iter().filter(|request| request.path.starts_with("/api/")).count();
        assert_eq!(calls == 0, !private, "{calls} calls of the API");
        println!("  API calls of a board, private: {private}, {entry:?}: {calls}");
        cases += 1;
    }
    println!("  cases {cases}: boards that take what was published");
    assert_eq!(cases, 6);
}
