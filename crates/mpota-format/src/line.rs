//! The pieces that lines are made of, each read in the one way that it is written.

use std::fmt::Write as _;

/// What is wrong with a line, in words.
pub(super) type Wrong = String;

/// A line, read from left to right.
#[derive(Clone)]
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Wrong> {
        let text =
            std::str::from_utf8(bytes).map_err(|e| format!("byte {} is not UTF-8", e.valid_up_to() + 1))?;
        Ok(Self { text, at: 0 })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Wrong {
        format!("{what} at byte {}", self.at + 1)
    }

    /// Reads `literal` if it comes next.
    pub(super) fn maybe(&mut self, literal: &str) -> bool {
        let there = self.rest().starts_with(literal);
        if there {
            self.at += literal.len();
        }
        there
    }

    pub(super) fn expect(&mut self, literal: &str) -> Result<(), Wrong> {
        if self.maybe(literal) { Ok(()) } else { Err(self.wrong(format_args!("not `{literal}`"))) }
    }

    /// Whether this character comes next.
    pub(super) fn is_at(&self, c: char) -> bool {
        self.rest().starts_with(c)
    }

    pub(super) fn end(&self) -> Result<(), Wrong> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("something is left over")) }
    }

    /// Reads a string that [`quoted`] could have written.
    pub(super) fn string(&mut self) -> Result<String, Wrong> {
        self.expect("\"")?;
        let from = self.at;
        let mut value = String::new();
        let mut escaped = false;
        for (i, c) in self.rest().char_indices() {
            match c {
                '"' if !escaped => {
                    let source = &self.text[from - 1..=from + i];
                    let value =
                        unescape(&value, source).ok_or_else(|| self.wrong("an escape that is not needed"))?;
                    self.at = from + i + 1;
                    return Ok(value);
                }
                '\0'..' ' => return Err(self.wrong("a control character in the string")),
                _ => {}
            }
            escaped = c == '\\' && !escaped;
            value.push(c);
        }
        Err(self.wrong("a string without an end"))
    }

    /// Reads a string that is not empty.
    pub(super) fn text(&mut self) -> Result<String, Wrong> {
        let value = self.string()?;
        if value.is_empty() { Err(self.wrong("an empty string before here,")) } else { Ok(value) }
    }

    /// Reads a number; one that is too large for 64 bits reads as `u64::MAX`.
    pub(super) fn number(&mut self) -> Result<u64, Wrong> {
        let rest = self.rest();
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        if digits.is_empty() {
            return Err(self.wrong("not a number"));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(self.wrong("a number with a leading zero"));
        }
        self.at += digits.len();
        Ok(digits.parse().unwrap_or(u64::MAX))
    }

    /// Reads a string of lower-case hex digits, as many as fill `bytes`.
    pub(super) fn hex(&mut self, bytes: &mut [u8]) -> Result<(), Wrong> {
        let wrong = self.wrong(format_args!("not a string of {} lower-case hex digits", bytes.len() * 2));
        let text = self.string()?;
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        if text.len() != bytes.len() * 2 {
            return Err(wrong);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong);
            };
            *byte = high << 4 | low;
        }
        Ok(())
    }
}

/// The string that `source`, with its quotes, stands for; `None` where it would be written differently.
fn unescape(inner: &str, source: &str) -> Option<String> {
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let value: String = serde_json::from_str(source).ok()?;
    (quoted(&value) == source).then_some(value)
}

/// `text` as a JSON string, in the one way that the spec writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c)); // writing to a String does not fail
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Result<String, Wrong> {
        let mut line = Line::new(text.as_bytes())?;
        let value = line.string()?;
        line.end()?;
        Ok(value)
    }

    #[test]
    fn a_string_is_read_only_as_it_is_written() {
        for value in ["", "a", "ü€😀", "\"", "\\", "\n\r\t", "\0\x01\x1f", "\x7f\u{80}\u{2028}", "a\\\"b\\\\"]
        {
            assert_eq!(string(&quoted(value)).as_deref(), Ok(value));
        }
        for source in [
            r#""\u0041""#,
            r#""\/""#,
            r#""\b""#,
            r#""\f""#,
            r#""\u000a""#,
            r#""\u001F""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            r#""\x""#,
            "\"a\nb\"",
            "\"\0\"",
            "\"\\\"",
            "\"a",
            "a",
            "",
            "'a'",
        ] {
            assert!(string(source).is_err(), "{source}");
        }
    }

    #[test]
    fn a_number_has_digits_only() {
        let number = |text: &str| {
            Line::new(text.as_bytes()).and_then(|mut l| l.number().and_then(|n| l.end().map(|()| n)))
        };
        assert_eq!(number("0"), Ok(0));
        assert_eq!(number("120"), Ok(120));
        assert_eq!(number(&"9".repeat(400)), Ok(u64::MAX));
        for text in ["", "01", "00", "-1", "+1", "1.0", "1e3", " 1", "true", "\"1\"", "null"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
