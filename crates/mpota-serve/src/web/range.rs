//! Range and conditional requests (RFC 9110, sections 13 and 14).

use std::time::{Duration, SystemTime};

use hyper::header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which bytes are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    Whole,
    /// From the first to the last, both counted.
    Part(u64, u64),
    /// Several of those, one behind the other.
    Parts(Vec<(u64, u64)>),
    /// None that exist.
    Nothing,
}

/// So many ranges are given at once.
const MOST: usize = 64;

/// Reads the Range header. What is neither one simple range nor some that lie one
/// behind the other is ignored, as the standard allows.
pub(crate) fn wanted(headers: &HeaderMap, len: u64, etag: &str, modified: SystemTime) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::Whole;
    };
    if let Some(condition) = headers.get(IF_RANGE) {
        let same = condition.to_str().is_ok_and(|condition| {
            condition == etag
                || httpdate::parse_http_date(condition).is_ok_and(|date| date == seconds(modified))
        });
        if !same {
            return Wanted::Whole;
        }
    }
    parse(range, len)
}

fn parse(range: &str, len: u64) -> Wanted {
    let Some(range) = range.trim().strip_prefix("bytes=") else { return Wanted::Whole };
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for range in range.split(',') {
        match one(range, len) {
            Wanted::Part(first, last) => {
                // Who asks for bytes twice could ask for them a thousand times.
                if parts.len() == MOST || parts.last().is_some_and(|(_, end)| first <= *end) {
                    return Wanted::Whole;
                }
                parts.push((first, last));
            }
            Wanted::Nothing => {}
            _ => return Wanted::Whole,
        }
    }
    match parts[..] {
        [] => Wanted::Nothing,
        [(first, last)] => Wanted::Part(first, last),
        _ => Wanted::Parts(parts),
    }
}

fn one(range: &str, len: u64) -> Wanted {
    let Some((first, last)) = range.split_once('-') else { return Wanted::Whole };
    let (first, last) = (first.trim(), last.trim());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return Wanted::Whole;
    }
    // Too large for the type is too large for any file.
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => Wanted::Whole,
        (true, false) => match number(last).min(len) {
            0 => Wanted::Nothing,
            count => Wanted::Part(len - count, len - 1),
        },
        (false, true) if number(first) < len => Wanted::Part(number(first), len - 1),
        (false, true) => Wanted::Nothing,
        (false, false) if number(first) > number(last) => Wanted::Whole,
        (false, false) if number(first) < len => Wanted::Part(number(first), number(last).min(len - 1)),
        (false, false) => Wanted::Nothing,
    }
}

/// Whether the client has it already.
pub(crate) fn unchanged(headers: &HeaderMap, etag: &str, modified: Option<SystemTime>) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        return headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || plain(tag) == plain(etag));
    }
    let Some(modified) = modified else {
        return false;
    };
    headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| httpdate::parse_http_date(value).ok())
        .is_some_and(|since| seconds(modified) <= since)
}

/// HTTP dates know no parts of a second.
fn seconds(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{MOST, Wanted, parse};

    #[test]
    fn reads_every_form_of_a_range() {
        let cases = [
            ("bytes=0-0", Wanted::Part(0, 0)),
            ("bytes=2-5", Wanted::Part(2, 5)),
            ("bytes=2-", Wanted::Part(2, 9)),
            ("bytes=2-99", Wanted::Part(2, 9)),
            ("bytes=-3", Wanted::Part(7, 9)),
            ("bytes=-99", Wanted::Part(0, 9)),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Parts(vec![(0, 1), (3, 4)])),
            ("bytes=0-1, 3-4 ,9-", Wanted::Parts(vec![(0, 1), (3, 4), (9, 9)])),
            ("bytes=0-1,2-4", Wanted::Parts(vec![(0, 1), (2, 4)])),
            ("bytes=0-1,-2", Wanted::Parts(vec![(0, 1), (8, 9)])),
            ("bytes=0-1,30-40", Wanted::Part(0, 1)),
            ("bytes=30-40,50-60", Wanted::Nothing),
            ("bytes=3-4,0-1", Wanted::Whole),
            ("bytes=0-1,1-2", Wanted::Whole),
            ("bytes=0-9,-1", Wanted::Whole),
            ("bytes=0-1,", Wanted::Whole),
            ("bytes=0-1,x", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(parse(header, 10), expected, "{header}");
        }
        let of = |count: usize| (0..count).map(|i| format!("{0}-{0}", 2 * i)).collect::<Vec<_>>().join(",");
        assert!(
            matches!(parse(&format!("bytes={}", of(MOST)), 1000), Wanted::Parts(parts) if parts.len() == MOST)
        );
        assert_eq!(parse(&format!("bytes={}", of(MOST + 1)), 1000), Wanted::Whole);
    }

    #[test]
    fn an_empty_file_has_no_range() {
        assert_eq!(parse("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(parse("bytes=-1", 0), Wanted::Nothing);
    }
}
