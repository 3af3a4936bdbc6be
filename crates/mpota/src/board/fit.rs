//! Whether a release is for a board: by the rules that the board itself has for an update.

use mpota_format::manifest::Requires;

use super::look::Seen;

/// What the release needs and the board is not, and what the board is instead.
pub fn lack(needs: &Requires, seen: &Seen) -> Option<(String, String)> {
    let number = |text: &str| -> Vec<u64> { text.split('.').map(|n| n.parse().unwrap_or(0)).collect() };
    if let Some(least) = &needs.micropython
        && number(least) > number(&seen.version)
    {
        return Some((format!("MicroPython {least}"), format!("MicroPython {}", seen.version)));
    }
    if !needs.platform.is_empty() && !needs.platform.contains(&seen.platform) {
        return Some((needs.platform.join(" or "), seen.platform.clone()));
    }
    let (major, minor) = (seen.mpy & 0xff, seen.mpy >> 8 & 3);
    if let Some(mpy) = &needs.mpy
        && ![format!("{major}.{minor}"), major.to_string()].contains(mpy)
    {
        return Some((format!(".mpy {mpy}"), format!(".mpy {major}.{minor}")));
    }
    let whole = if seen.build.is_empty() { &seen.machine } else { &seen.build };
    let mark = if seen.build.is_empty() { " with " } else { "-" };
    let short = whole.split(mark).next().unwrap_or(whole);
    if !needs.board.is_empty() && !needs.board.iter().any(|name| name == whole || name == short) {
        return Some((needs.board.join(" or "), whole.clone()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_told_from_others_as_it_does_itself() {
        let seen = Seen {
            version: "1.26.1".into(),
            platform: "rp2".into(),
            mpy: 0x306,
            build: "RPI_PICO_W-X".into(),
            ..Seen::default()
        };
        let one = |text: &str| vec![text.to_owned()];
        let none = Requires::default();
        let cases = [
            (none.clone(), true),
            (Requires { micropython: Some("1.26".into()), ..none.clone() }, true),
            (Requires { micropython: Some("1.26.1".into()), ..none.clone() }, true),
            (Requires { micropython: Some("1.27".into()), ..none.clone() }, false),
            (Requires { platform: one("rp2"), ..none.clone() }, true),
            (Requires { platform: one("esp32"), ..none.clone() }, false),
            (Requires { mpy: Some("6".into()), ..none.clone() }, true),
            (Requires { mpy: Some("6.3".into()), ..none.clone() }, true),
            (Requires { mpy: Some("6.2".into()), ..none.clone() }, false),
            (Requires { board: one("RPI_PICO_W"), ..none.clone() }, true),
            (Requires { board: one("RPI_PICO"), ..none }, false),
        ];
        for (needs, fits) in &cases {
            assert_eq!(lack(needs, &seen).is_none(), *fits, "{needs:?}");
        }
        println!("  cases {}: boards that a release is for", cases.len());
    }
}
