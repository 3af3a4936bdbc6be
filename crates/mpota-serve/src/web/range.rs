//! Range and conditional requests (RFC 9110, sections 13 and 14).

use std::time::{Duration, SystemTime};

use hyper::header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    Whole,
    /// From the first to the last, both counted.
    Part(u64, u64),
    /// None that exist.
    Nothing,
}

/// Reads the Range header. What is not one simple range is ignored, as the
/// standard allows.
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
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
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
    use super::{Wanted, parse};

    #[test]
    fn reads_every_form_of_a_single_range() {
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
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(parse(header, 10), expected, "{header}");
        }
    }

    #[test]
    fn an_empty_file_has_no_range() {
        assert_eq!(parse("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(parse("bytes=-1", 0), Wanted::Nothing);
    }
}
