//! Text of strangers, made harmless for a terminal.
//!
//! What a server, a manifest, a tag, a file name or a board says may hold characters that move the
//! cursor, colour the screen, set the title, or turn the order of what is read. They are shown as
//! `\u{1b}`, so that they are seen and do nothing.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal, or a reader, could be deceived by it.
fn deceives(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // C0, DEL and C1.
        c if c.is_control() => true,
        // The direction of writing: marks, embeddings, overrides, isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Nothing that is seen: two names look like one.
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' => true,
        // Ends of lines that not every program takes for such.
        '\u{2028}' | '\u{2029}' => true,
        _ => false,
    }
}

/// Each such character as `\u{1b}`.
pub fn text(text: &str) -> Cow<'_, str> {
    written(text, |out, c| {
        // Into a string: it cannot fail.
        let _ = write!(out, "{}", c.escape_unicode());
    })
}

/// JSON that was written already: each such character as `\u001b`, which means the same.
pub fn json(text: &str) -> Cow<'_, str> {
    written(text, |out, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn written(text: &str, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.contains(deceives) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if deceives(c) { escape(&mut out, c) } else { out.push(c) }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_77_every_character_that_deceives_is_escaped_and_no_other() {
        let mut escaped = 0;
        for c in '\0'..=char::MAX {
            let alone = c.to_string();
            let shown = text(&alone);
            let plain = json(&alone);
            if shown == alone {
                assert_eq!(plain, alone);
                continue;
            }
            assert_eq!(shown, format!("\\u{{{:x}}}", u32::from(c)));
            let read: String = serde_json::from_str(&format!("\"{plain}\"")).unwrap();
            assert_eq!(read, alone, "JSON keeps the meaning");
            escaped += 1;
        }
        // 31 of C0 but two, DEL, 32 of C1, 12 of direction, 3 + 5 + 1 without width, 128 tags, 2 ends of lines.
        assert_eq!(escaped, 30 + 1 + 32 + 12 + 9 + 128 + 2);
        for fine in ["räksmörgås\tЖ\n", "日本語 → ✓ “x”", "a\u{301}\u{a0}"] {
            assert_eq!(text(fine), fine);
        }
        println!("  cases {escaped}: characters that deceive");
    }
}
