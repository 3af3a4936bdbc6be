//! Texts of strangers, made visible: what cannot be seen, or turns the order of the letters around it, is written out.

use std::fmt::Write as _;

use maud::{Escaper, Render};

/// One line of a stranger's text.
pub(crate) struct Shown<'a>(pub &'a str);

/// Several lines of it.
pub(crate) struct Lines<'a>(pub &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        write(buffer, self.0, |_| false);
    }
}

impl Render for Lines<'_> {
    fn render_to(&self, buffer: &mut String) {
        // Some scripts and most emoji are joined by the last two; they turn nothing around.
        write(buffer, &self.0.replace("\r\n", "\n"), |letter| "\n\t\u{200c}\u{200d}".contains(letter));
    }
}

fn write(buffer: &mut String, text: &str, as_it_is: impl Fn(char) -> bool) {
    let mut out = Escaper::new(buffer);
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = if is_hidden(letter) && !as_it_is(letter) {
            write!(out, "\\u{{{:x}}}", u32::from(letter))
        } else {
            out.write_char(letter)
        };
    }
}

/// Control characters, and those that have no shape of their own (Unicode's Cf, Zl, Zp, and the blank letters).
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text as Python writes it, in quotes.
pub(crate) fn python(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = match letter {
            '"' | '\\' => write!(out, "\\{letter}"),
            _ if is_hidden(letter) => write!(out, "\\U{:08x}", u32::from(letter)),
            _ => write!(out, "{letter}"),
        };
    }
    out + "\""
}

/// Bytes as people read them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    match unit {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None if bytes == 1 => "1 byte".to_owned(),
        None => format!("{bytes} bytes"),
    }
}

/// A part of a path without percent-encoding; none where it is no text.
pub(crate) fn decoded(part: &str) -> Option<String> {
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        out.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::{Lines, Shown, decoded, python, size};
    use maud::Render as _;

    #[test]
    fn nothing_is_hidden_and_nothing_is_markup() {
        let cases = [
            ("plain é 茶", "plain é 茶"),
            ("<script>&\"", "&lt;script&gt;&amp;&quot;"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("a\nb\0\u{7f}\u{9b}", "a\\u{a}b\\u{0}\\u{7f}\\u{9b}"),
            ("\u{200b}\u{feff}\u{e0041}\u{2028}", "\\u{200b}\\u{feff}\\u{e0041}\\u{2028}"),
        ];
        for (text, shown) in cases {
            assert_eq!(Shown(text).render().0, shown, "{text:?}");
        }
        assert_eq!(Lines("a\r\nb\tc\u{202e}\r").render().0, "a\nb\tc\\u{202e}\\u{d}");
        println!("  cases {}: texts of strangers", cases.len() + 1);
    }

    #[test]
    fn texts_for_python_sizes_and_paths() {
        assert_eq!(python("a\"\\\n\u{202e}é"), "\"a\\\"\\\\\\U0000000a\\U0000202eé\"");
        let sizes = [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (12_345, "12.3 kB")];
        let more = [(1_000_000, "1.0 MB"), (999_999, "999.9 kB"), (2_500_000_000, "2.5 GB")];
        for (bytes, shown) in sizes.into_iter().chain(more) {
            assert_eq!(size(bytes), shown);
        }
        let paths =
            [("a+b", Some("a+b")), ("%C3%A9%2f", Some("é/")), ("%", None), ("%zz", None), ("%ff", None)];
        for (path, text) in paths {
            assert_eq!(decoded(path).as_deref(), text, "{path}");
        }
        println!("  cases {}: sizes and paths", sizes.len() + more.len() + paths.len());
    }
}
