//! Who asks, and what they may do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use ring::{hmac, rand};

use crate::error::{Error, Result};
use crate::write::{Permission, WriteOptions};

/// A secret, kept only as a MAC: it can be compared, in constant time, and
/// cannot slip into a log.
pub(crate) struct Secret {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// A secret and what it is for.
pub(crate) struct Token {
    secret: Secret,
    permission: Permission,
}

/// What the Authorization headers amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// There was none.
    Anonymous,
    /// One holds a token; where none is set, any.
    Known,
    /// They hold something else.
    Wrong,
}

/// A caller with what its token may do, if it is one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub caller: Caller,
    pub permission: Option<Permission>,
}

/// Whom the server knows.
pub(crate) struct Access {
    tokens: Vec<Token>,
    /// The repositories are for those with a token only.
    pub private: bool,
    /// Something can be written at all.
    pub writable: bool,
}

impl Secret {
    pub fn new(secret: &str) -> Result<Self> {
        let random = rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| Error::Random)?;
        let tag = hmac::sign(&key, secret.as_bytes());
        Ok(Self { key, tag })
    }

    fn is(&self, given: &[u8]) -> bool {
        hmac::verify(&self.key, given, self.tag.as_ref()).is_ok()
    }

    /// Whether it is one of these. All of them are compared, so that the time says nothing about which one it was.
    pub fn among(&self, given: &[Vec<u8>]) -> bool {
        given.iter().fold(false, |found, given| self.is(given) | found)
    }
}

impl Token {
    fn new(secret: &str, permission: Permission) -> Result<Self> {
        Ok(Self { secret: Secret::new(secret)?, permission })
    }
}

/// The secrets in the Authorization headers. A board that has a token of its own and reports with another one sends two
/// of these headers.
pub(crate) fn given(headers: &HeaderMap) -> Vec<Vec<u8>> {
    headers.get_all(AUTHORIZATION).iter().filter_map(secret).collect()
}

/// The secret in one header: `Bearer T`, `token T`, or Basic with the token as password, all of which GitHub takes.
fn secret(value: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, given) = value.to_str().ok()?.trim().split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some(given.trim().as_bytes().to_vec()),
        "basic" => {
            let pair = STANDARD.decode(given.trim()).ok()?;
            pair.splitn(2, |byte| *byte == b':').nth(1).map(<[u8]>::to_vec)
        }
        _ => None,
    }
}

impl Access {
    /// From the reader's token and the writers'.
    pub fn new(reader: Option<&str>, write: Option<&WriteOptions>) -> Result<Self> {
        let mut tokens = Vec::new();
        for token in write.into_iter().flat_map(|write| &write.tokens) {
            tokens.push(Token::new(&token.secret, token.permission.clone())?);
        }
        if let Some(secret) = reader {
            tokens.push(Token::new(secret, Permission::ContentsRead)?);
        }
        Ok(Self { tokens, private: reader.is_some(), writable: write.is_some() })
    }

    /// Who the Authorization headers say it is.
    pub fn who(&self, headers: &HeaderMap) -> Who {
        let who = |caller, permission| Who { caller, permission };
        if !headers.contains_key(AUTHORIZATION) {
            return who(Caller::Anonymous, None);
        }
        if self.tokens.is_empty() {
            return who(Caller::Known, None);
        }
        let given = given(headers);
        // Every token is compared, so that the time says nothing about which
        // one it was.
        let held: Vec<_> = self.tokens.iter().filter(|token| token.secret.among(&given)).collect();
        match held.first() {
            Some(token) => who(Caller::Known, Some(token.permission.clone())),
            None => who(Caller::Wrong, None),
        }
    }

    /// Whether there is a token at all with which more is to be seen.
    pub fn knows_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Whether there is anything to see for this caller.
    pub fn reads(&self, who: &Who) -> bool {
        match &who.permission {
            Some(permission) => permission.reads(self.private),
            None => !self.private,
        }
    }

    /// Whether this caller may change releases.
    pub fn writes(&self, who: &Who) -> bool {
        self.writable && who.permission.as_ref().is_some_and(|held| held.writes(self.private))
    }

    /// Drafts are for those who may write; where nobody may, for those whom
    /// the repository belongs to.
    pub fn sees_drafts(&self, who: &Who) -> bool {
        if self.writable { self.writes(who) } else { self.private && who.caller == Caller::Known }
    }
}
