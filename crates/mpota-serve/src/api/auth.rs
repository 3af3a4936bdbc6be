//! Who asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use ring::{hmac, rand};

use crate::error::{Error, Result};

/// The secret, kept only as a MAC: it can be compared, in constant time, and
/// cannot slip into a log.
pub(crate) struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// What an Authorization header amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// There was none.
    Anonymous,
    /// It holds the token; where none is set, any.
    Known,
    /// It holds something else.
    Wrong,
}

impl Token {
    pub fn new(secret: &str) -> Result<Self> {
        let random = rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| Error::Random)?;
        let tag = hmac::sign(&key, secret.as_bytes());
        Ok(Self { key, tag })
    }

    fn is(&self, given: &[u8]) -> bool {
        hmac::verify(&self.key, given, self.tag.as_ref()).is_ok()
    }
}

/// Reads the Authorization header: `Bearer T`, `token T`, or Basic with the
/// token as password, all of which GitHub takes.
pub(crate) fn caller(headers: &HeaderMap, token: Option<&Token>) -> Caller {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Caller::Anonymous;
    };
    let Some(token) = token else {
        return Caller::Known;
    };
    let right = header.to_str().ok().and_then(|header| header.trim().split_once(' ')).is_some_and(
        |(scheme, given)| match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => token.is(given.trim().as_bytes()),
            "basic" => STANDARD.decode(given.trim()).is_ok_and(|pair| {
                let password = pair.splitn(2, |byte| *byte == b':').nth(1);
                password.is_some_and(|password| token.is(password))
            }),
            _ => false,
        },
    );
    if right { Caller::Known } else { Caller::Wrong }
}
