//! A server that answers what it was told to, whatever it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use mpota::publish::{PublishError, PublishOptions, publish};

/// Answers requests with these, one after the other, and gives back what was asked.
pub struct Answers {
    base: String,
    server: std::thread::JoinHandle<Vec<String>>,
}

impl Answers {
    pub fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let here = base.clone();
        let server = std::thread::spawn(move || {
            let mut seen = Vec::new();
            let mut answers = answers.into_iter();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut asked = String::new();
                while !asked.ends_with("\r\n\r\n") && reader.read_line(&mut asked).unwrap() > 0 {}
                let head = asked.to_lowercase();
                if head.starts_with("get /end") {
                    return seen;
                }
                let length =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                reader.take(length.unwrap_or(0)).read_to_string(&mut asked).unwrap();
                seen.push(asked);
                let answer = answers.next().unwrap_or_else(|| answer("500 Too many", "", ""));
                let answer = answer.replace("HERE", &here).replace("PORT", &port.to_string());
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { base, server }
    }

    /// Publishes to it; gives the error, and what was asked.
    pub fn refuse(self, mut how: PublishOptions) -> (PublishError, Vec<String>) {
        how.access.base_url.clone_from(&self.base);
        let error = publish(&how).unwrap_err();
        let mut end = TcpStream::connect(self.base.strip_prefix("http://").unwrap()).unwrap();
        end.write_all(b"GET /end HTTP/1.1\r\n\r\n").unwrap();
        (error, self.server.join().unwrap())
    }
}

/// An answer; `HERE` and `PORT` in it are the server's own.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    // Its end is that of the connection.
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n{body}")
}
