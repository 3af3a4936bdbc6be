//! The board's HTTP client, its look-up in the API and its addresses, on answers that no server should give: it
//! ends with what it read or with an error of its own, in bounded time and in little memory.

use std::time::Instant;

use mpota_vboard::{Error, Word};

use crate::board::Board;
use crate::mutate::Mutator;

/// The heap that is left to the client, in bytes: what a board has behind its own app.
const HEAP: &str = "65536";

/// A part of the client, and answers that it takes.
struct Kind {
    name: &'static str,
    seeds: &'static [&'static str],
}

const MANIFEST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmanifest\n";
const LATEST: &str = "HTTP/1.1 302 Found\r\nLocation: http://a.example/o/r/releases/download/v1.0.0/manifest.json\r\n\
    Content-Length: 0\r\n\r\nHTTP/1.1 302 Found\r\nlocation: /s/1?sig=a\r\nContent-Length: 0\r\n\r\n\
    HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmanifest\nHTTP/1.1 302 Found\r\nLocation: http://b.example/p\r\n\
    Content-Length: 2\r\n\r\nxx%%%%\nHTTP/1.1 206 Partial Content\r\nContent-Range: bytes 10-49/100\r\n\
    Content-Length: 40\r\n\r\n0123456789012345678901234567890123456789";
const RELEASE: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
    6d\r\n{\"tag_name\":\"v1.0.0\",\"assets\":[{\"id\":7,\"name\":\"manifest.json\",\"state\":\"uploaded\"},\
    {\"id\":8,\"name\":\"r-v1.0.0\r\n1f\r\n.pack\",\"state\":\"uploaded\"}],\"a\":1}\r\n0\r\n\r\n\
    HTTP/1.1 302 Found\r\nLocation: http://b.example/m\r\nContent-Length: 0\r\n\r\n%%%%\n\
    HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmanifest\n%%%%\nHTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n\
    012345678901234567890123456789012345678901234567890123456789";

const KINDS: [Kind; 5] = [
    Kind {
        name: "follow",
        seeds: &[
            MANIFEST,
            LATEST,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: x\r\n\r\n\
             HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-2/11\r\nContent-Length: 2\r\n\r\nel",
            "HTTP/1.0 200 OK\r\n\r\nuntil the end%%%%\nHTTP/1.1 304 Not Modified\r\n\r\n",
            "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n",
            "HTTP/1.1 403 No\r\nX-RateLimit-Remaining: 0\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 307 Go\r\nLocation: ../z\r\nConnection: close\r\n\r\n%%%%\nHTTP/1.1 200 OK\r\n\r\n%%~",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of i%%.%%%%\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        ],
    },
    Kind { name: "find", seeds: &[LATEST, MANIFEST] },
    Kind { name: "token", seeds: &[RELEASE] },
    Kind {
        name: "scan",
        seeds: &[
            "{\"tag_name\":\"v1.0.0\",\"assets\":[{\"id\":7,\"name\":\"manifest.json\",\"state\":\"uploaded\"}],\"b\":{\"c\":[1,2]}}",
            "{\"a\":\"\\\"\\\\\",\"b\":[[[{}]]],\"c\":-1.5e3,\"d\":null,\"e\":true,\"f\":\"\\u00fc\"} ",
        ],
    },
    Kind {
        name: "url",
        seeds: &[
            "https://a.example/o/r/x?y\n/z",
            "http://a.example:8080/o/r\n../../z?q#f",
            "https://a.example\n//b.example:1/x",
            "http://a.example/x\nhttps://b.example",
            "http://u@a.example/a/./b/\n?x=1",
        ],
    },
];

const WORDS: [&str; 60] = [
    "HTTP/1.1 ",
    "HTTP/1.0 ",
    "200 OK",
    "206 Partial Content",
    "204 No Content",
    "304 Not Modified",
    "302 Found",
    "100 Continue",
    "403 Forbidden",
    "404 Not Found",
    "429 Too Many",
    "503 Wait",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    ":",
    "Content-Length: ",
    "Content-Length: 5\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Content-Length: -1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Location: ",
    "Location: http://b.example/x\r\n",
    "Location: /x\r\n",
    "Location: https://a.example/x\r\n",
    "Location: //b.example\r\n",
    "Content-Range: bytes 10-49/100\r\n",
    "Content-Range: bytes */0\r\n",
    "Retry-After: 999999999999\r\n",
    "X-RateLimit-Remaining: 0\r\n",
    "ETag: \"x\"\r\n",
    "0\r\n\r\n",
    "ffffffff\r\n",
    "7fffffff\r\n",
    "-1\r\n",
    "5\r\n",
    "%%%%\n",
    "%%~",
    "%%.",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\"tag_name\":",
    "\"assets\":[",
    "\"id\":",
    "\"name\":",
    "\"state\":\"uploaded\"",
    "http://",
    "https://",
    "ftp://",
    "..",
    "@",
    "?",
];

/// Mutations of answers, until `until`, or so many: how many there were, how many ended without an error, and what
/// must not be.
///
/// # Errors
/// When there is no MicroPython.
pub fn run(seed: u64, rounds: usize, until: Option<Instant>) -> Result<(usize, usize, Vec<String>), Error> {
    let mut board = Board::new("fuzz_http.py", Word::Bits32, "2M", &[HEAP])?;
    let mut mutator = Mutator::new(seed, &WORDS);
    let (mut count, mut fine, mut findings) = (0, 0, Vec::<(String, String)>::new());
    for kind in &KINDS {
        for seed in kind.seeds {
            let said = board.ask(kind.name, seed.as_bytes())?;
            if said.starts_with("raises") {
                findings.push((said, format!("{}: b\"{}\"", kind.name, seed.escape_default())));
            }
        }
    }
    while count < rounds && until.is_none_or(|until| Instant::now() < until) {
        let kind = mutator.pick(&KINDS);
        let seeds: Vec<Vec<u8>> = kind.seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
        let input = mutator.input(&seeds);
        let said = board.ask(kind.name, &input)?;
        count += 1;
        fine += usize::from(said.starts_with("fine"));
        let sort: String = said.split(' ').take(4).collect();
        let known = findings.iter().any(|(other, _)| *other == sort);
        let text = format!("{} {said}\nb\"{}\"", kind.name, input.escape_ascii());
        if !said.starts_with("fine") && !said.starts_with("refused") && !known {
            findings.push((sort, text));
            if said.starts_with("hangs") {
                break; // each of them takes half a minute
            }
        }
    }
    Ok((count, fine, findings.into_iter().map(|(_, text)| text).collect()))
}
