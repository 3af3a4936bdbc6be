//! The token that reads a private repository: from the environment, from `gh`, or from git, which
//! asks the keyring. Never from the command line, where every user of the computer could read it.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

/// What the tokens of this program are called.
const OURS: &str = "MPOTA_TOKEN";
/// What others call theirs, for github.com and for every other host.
const GITHUB: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
const ENTERPRISE: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
/// How long another program may take: a keyring that waits for somebody is no answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest token.
const LONGEST: u64 = 4096;

/// A token. It is never printed, and overwritten when it is dropped.
#[derive(Clone)]
pub struct Token {
    secret: Zeroizing<String>,
    from: &'static str,
}

impl Token {
    /// `None` for what cannot be one. `from` says where it was found, for people.
    pub fn new(text: &str, from: &'static str) -> Option<Self> {
        let text = text.trim();
        let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        whole.then(|| Self { secret: Zeroizing::new(text.to_owned()), from })
    }

    /// Where it was found.
    pub fn from(&self) -> &'static str {
        self.from
    }

    /// What a request carries.
    pub(crate) fn header(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", *self.secret))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(the token from {})", self.from)
    }
}

/// What a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `https`, or `http` on this computer.
    pub scheme: String,
    /// The host, with its port where the address has one.
    pub host: String,
    /// `owner/name`.
    pub project: String,
}

impl Place {
    /// Of `project` at an address like `https://github.com`. `None` where a token must not be sent:
    /// over http it is for everybody on the way, unless there is no way.
    pub fn new(base_url: &str, project: &str) -> Option<Self> {
        let (scheme, rest) = base_url.split_once("://")?;
        let host = rest.split('/').next().filter(|host| !host.is_empty() && !host.contains('@'))?;
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let here = ["127.0.0.1", "[::1]", "localhost"].contains(&name);
        (scheme == "https" || scheme == "http" && here).then(|| Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            project: project.to_owned(),
        })
    }
}

/// The first token that is found.
pub fn find(place: &Place) -> Option<Token> {
    let variable = |name: &str| std::env::var(name).ok().map(Zeroizing::new);
    from_environment(&place.host, &variable).or_else(|| from_gh(place)).or_else(|| from_git(place))
}

fn from_environment(host: &str, variable: &dyn Fn(&str) -> Option<Zeroizing<String>>) -> Option<Token> {
    // A token for github.com is nobody else's business.
    let others = if host == "github.com" { GITHUB } else { ENTERPRISE };
    let mut names = [OURS].into_iter().chain(others);
    names.find_map(|name| Token::new(&variable(name)?, name))
}

fn from_gh(place: &Place) -> Option<Token> {
    let mut command = Command::new("gh");
    command.args(["auth", "token", "--hostname", &place.host]).env("GH_PROMPT_DISABLED", "1");
    Token::new(&run(command, "")?, "gh")
}

fn from_git(place: &Place) -> Option<Token> {
    let mut command = Command::new("git");
    command.args(["credential", "fill"]);
    // Nobody is asked: neither on the terminal nor in a window.
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env_remove("SSH_ASKPASS");
    command.env("GCM_INTERACTIVE", "never");
    let Place { scheme, host, project } = place;
    let answer = run(command, &format!("protocol={scheme}\nhost={host}\npath={project}.git\n\n"))?;
    let password = answer.lines().find_map(|line| line.strip_prefix("password="))?;
    Token::new(password, "git credential")
}

/// What a program prints, if it ends well and soon.
fn run(mut command: Command, input: &str) -> Option<Zeroizing<String>> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that wants no input is none the worse.
        let _ = stdin.write_all(input.as_bytes());
    }
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(String::new());
        let read = stdout.take(LONGEST).read_to_string(&mut text);
        let _ = sender.send(read.ok().map(|_| text));
    });
    let text = receiver.recv_timeout(PATIENCE).ok().flatten();
    if text.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    text.filter(|_| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_asked_in_order_and_by_host() {
        let all = [OURS, GITHUB[0], GITHUB[1], ENTERPRISE[0], ENTERPRISE[1]];
        let cases = [
            ("github.com", &all[..], Some(OURS)),
            ("github.com", &all[1..], Some("GH_TOKEN")),
            ("github.com", &all[2..], Some("GITHUB_TOKEN")),
            ("github.com", &all[3..], None),
            ("git.example.com", &all[..], Some(OURS)),
            ("git.example.com", &all[1..], Some("GH_ENTERPRISE_TOKEN")),
            ("git.example.com", &all[4..], Some("GITHUB_ENTERPRISE_TOKEN")),
            ("git.example.com", &all[1..3], None),
            ("github.com.example.com", &all[1..3], None),
        ];
        for (host, set, expected) in cases {
            let variable = |name: &str| set.contains(&name).then(|| Zeroizing::new(format!("of-{name}")));
            let token = from_environment(host, &variable);
            assert_eq!(token.as_ref().map(Token::from), expected, "{host} {set:?}");
            if let (Some(token), Some(name)) = (token, expected) {
                assert_eq!(*token.header(), format!("Bearer of-{name}"));
            }
        }
        println!("  cases {}: tokens in the environment", cases.len());
        let empty = |_: &str| Some(Zeroizing::new(" \n".to_owned()));
        assert!(from_environment("github.com", &empty).is_none());
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new("hunter2\n", "gh").unwrap();
        assert!(!format!("{token} {token:?} {:#?}", Some(&token)).contains("hunter2"));
        assert!(Token::new("two words", "gh").is_none() && Token::new("a\r\nb", "gh").is_none());
    }

    #[test]
    fn over_http_a_token_is_for_this_computer_only() {
        for url in [
            "https://github.com",
            "https://h:8443/x",
            "http://127.0.0.1:80",
            "http://localhost",
            "http://[::1]:1/",
        ] {
            assert!(Place::new(url, "octo/weather").is_some(), "{url}");
        }
        for url in [
            "http://github.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@h",
            "ftp://h",
            "https://",
            "h",
        ] {
            assert!(Place::new(url, "octo/weather").is_none(), "{url}");
        }
        assert_eq!(Place::new("https://h:8443/x", "o/r").unwrap().host, "h:8443");
    }
}
