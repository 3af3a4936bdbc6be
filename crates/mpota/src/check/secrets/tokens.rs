//! Tokens and keys that are known by how they look, in any file.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::{self, Kind};

/// Something that is known by how it begins.
struct Token {
    start: &'static str,
    /// How many characters follow at least.
    length: usize,
    /// What besides letters, digits and `_` is one of them.
    also: &'static str,
    what: &'static str,
}

const fn token(start: &'static str, length: usize, also: &'static str, what: &'static str) -> Token {
    Token { start, length, also, what }
}

const GITHUB: &str = "it holds a GitHub token";
const AWS: &str = "it holds an AWS access key";
const SLACK: &str = "it holds a Slack token";
const STRIPE: &str = "it holds a Stripe key";
const DISCORD: &str = "it holds the address of a Discord webhook";
const WEBHOOK: &str = "it holds the address of a webhook";
static TOKENS: [Token; 48] = [
    token("ghp_", 36, "", GITHUB),
    token("gho_", 36, "", GITHUB),
    token("ghu_", 36, "", GITHUB),
    token("ghs_", 36, "", GITHUB),
    token("ghr_", 36, "", GITHUB),
    token("github_pat_", 22, "", GITHUB),
    token("glpat-", 20, "-", "it holds a GitLab token"),
    token("AKIA", 16, "", AWS),
    token("ASIA", 16, "", AWS),
    token("xoxb-", 20, "-", SLACK),
    token("xoxp-", 20, "-", SLACK),
    token("xoxa-", 20, "-", SLACK),
    token("xoxs-", 20, "-", SLACK),
    token("xapp-", 20, "-", SLACK),
    token("sk-", 32, "-", "it holds a secret key that begins with sk-"),
    token("sk_live_", 16, "", STRIPE),
    token("sk_test_", 16, "", STRIPE),
    token("rk_live_", 16, "", STRIPE),
    token("whsec_", 24, "+/", STRIPE),
    token("AIza", 35, "-", "it holds a Google API key"),
    token("ya29.", 40, "-", "it holds a Google access token"),
    token("GOCSPX-", 20, "-", "it holds a Google client secret"),
    token("npm_", 36, "", "it holds an npm token"),
    token("pypi-AgEI", 40, "-", "it holds a PyPI token"),
    token("hf_", 34, "", "it holds a Hugging Face token"),
    token("SG.", 60, ".-", "it holds a SendGrid key"),
    token("dop_v1_", 64, "", "it holds a DigitalOcean token"),
    token("dckr_pat_", 20, "-", "it holds a Docker token"),
    token("shpat_", 32, "", "it holds a Shopify token"),
    token("glsa_", 32, "", "it holds a Grafana token"),
    token("glc_", 32, "+/=", "it holds a Grafana token"),
    token("aio_", 24, "", "it holds an Adafruit IO key"),
    token("discord.com/api/webhooks/", 40, "/-", DISCORD),
    token("discordapp.com/api/webhooks/", 40, "/-", DISCORD),
    token("hooks.slack.com/services/", 30, "/", "it holds the address of a Slack webhook"),
    token("hooks.slack.com/workflows/", 30, "/", "it holds the address of a Slack webhook"),
    token("maker.ifttt.com/use/", 16, "-", "it holds an IFTTT key"),
    token("hooks.zapier.com/hooks/catch/", 12, "/", WEBHOOK),
    token("webhook.office.com/webhookb2/", 60, "/@-", WEBHOOK),
    token("hook.eu1.make.com/", 24, "", WEBHOOK),
    token("hook.us1.make.com/", 24, "", WEBHOOK),
    token("/api/webhook/", 24, "-", WEBHOOK),
    token("ntfy.sh/tk_", 20, "", "it holds a ntfy token"),
    // Keys in base64, without the lines around them. A sequence has its length in the first characters.
    token("IBADANBgkqhkiG9w0BAQEFAASC", 40, "+/=", "it holds a private key"),
    token("IBAAKCAQEA", 60, "+/=", "it holds a private key"),
    token("MHcCAQEEI", 60, "+/=", "it holds a private key"),
    token("MC4CAQAwBQYDK2VwBCIEI", 40, "+/=", "it holds a private key"),
    token("b3BlbnNzaC1rZXktdjE", 60, "+/=", "it holds a private key"),
];

/// What is known by what stands around its beginning: that, what it is, and how to see it.
type Look = (&'static str, &'static str, fn(&[u8], usize) -> bool);
static LOOKS: [Look; 6] = [
    (BEGIN, "it holds a private key", is_private_key),
    ("eyJ", "it holds a JSON Web Token", is_web_token),
    ("earer ", "it holds a bearer token", is_bearer),
    ("Basic ", "it holds a user and a password for HTTP", is_basic),
    (IFTTT, "it holds an IFTTT key", |bytes, at| is_made(&bytes[at + IFTTT.len()..], 16, b"-")),
    (":", "it holds the token of a Telegram bot", is_telegram),
];
const BEGIN: &str = "-----BEGIN ";
const IFTTT: &str = "/with/key/";

/// Finds all beginnings in one pass, as a file may be large: those of the tokens first.
static STARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let starts = TOKENS.iter().map(|token| token.start).chain(LOOKS.iter().map(|look| look.0));
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(starts).expect("they are few and short")
});

/// What a file holds, and where.
pub(super) fn find(bytes: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    STARTS.find_overlapping_iter(bytes).filter_map(|found| {
        let (at, number) = (found.start(), found.pattern().as_usize());
        match TOKENS.get(number) {
            Some(token) => stands(bytes, at, token).then_some((at, token.what)),
            None => {
                let (_, what, holds) = LOOKS[number - TOKENS.len()];
                holds(bytes, at).then_some((at, what))
            }
        }
    })
}

fn part(byte: u8, also: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || also.contains(&byte)
}

fn run<'a>(bytes: &'a [u8], also: &[u8]) -> &'a [u8] {
    &bytes[..bytes.iter().take_while(|byte| part(**byte, also)).count()]
}

fn stands(bytes: &[u8], at: usize, token: &Token) -> bool {
    let also = token.also.as_bytes();
    // In base64 the beginning stands behind four characters that say the length.
    let inside = token.start.starts_with("IBA") || token.start.contains('/');
    let alone = inside || at == 0 || !part(bytes[at - 1], if also == b"-" { b"-" } else { b"" });
    alone && is_made(&bytes[at + token.start.len()..], token.length, also)
}

/// Whether a machine made what is here: so long, not one character over and over, no word in its place.
fn is_made(rest: &[u8], length: usize, also: &[u8]) -> bool {
    let text = String::from_utf8_lossy(run(rest, also)).into_owned();
    let upper = text.to_ascii_uppercase();
    let kinds = text.bytes().collect::<std::collections::BTreeSet<u8>>().len();
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    text.len() >= length
        && kinds > 1
        && (digit || length == 16 && text == upper)
        && !upper.contains("EXAMPLE")
        && !upper.contains("XXXXXX")
        && !key::is_placeholder(&text)
}

/// Between the two stands at most the kind of key ("ENCRYPTED ", "OPENSSH ").
fn is_private_key(bytes: &[u8], at: usize) -> bool {
    const END: &[u8] = b"PRIVATE KEY-----";
    let rest = &bytes[at + BEGIN.len()..];
    let line = &rest[..rest.len().min(20 + END.len())];
    let Some(end) = line.windows(END.len()).position(|window| window == END) else { return false };
    // In quotes by itself it is what a program looks for; pieces of a text come here joined.
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    !before.is_some_and(|quote| b"'\"`".contains(quote) && rest.get(end + END.len()) == Some(quote))
}

/// Header, claims and signature.
fn is_web_token(bytes: &[u8], at: usize) -> bool {
    let token = run(&bytes[at + 3..], b".-");
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    matches!(parts[..], [header, claims, signature, ..]
        if header.len() >= 10 && claims.starts_with(b"eyJ") && claims.len() >= 10 && signature.len() >= 16)
}

fn is_bearer(bytes: &[u8], at: usize) -> bool {
    let token = String::from_utf8_lossy(run(&bytes[at + 6..], b".-+/=~")).into_owned();
    let digit = token.bytes().any(|byte| byte.is_ascii_digit());
    digit && token.len() >= 12 && key::is_value(Kind::Token, &token)
}

/// `user:password` in base64.
fn is_basic(bytes: &[u8], at: usize) -> bool {
    let Ok(plain) = STANDARD.decode(run(&bytes[at + 6..], b"+/=")) else { return false };
    let Ok(plain) = String::from_utf8(plain) else { return false };
    plain.chars().all(|c| !c.is_control())
        && plain.split_once(':').is_some_and(|(user, password)| {
            !user.is_empty() && !password.is_empty() && key::is_value(Kind::Password, password)
        })
}

/// `123456789:AA...`: a number, and 35 characters.
fn is_telegram(bytes: &[u8], at: usize) -> bool {
    let digits = bytes[..at].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let alone = bytes[..at - digits].last().is_none_or(|byte| !part(*byte, b"-") || *byte == b't');
    let secret = run(&bytes[at + 1..], b"-");
    (8..=11).contains(&digits) && alone && secret.len() == 35 && is_made(secret, 35, b"-")
}
