//! Shares of boards and times, as they are typed.

use std::time::Duration;

/// `5%` or `5`.
pub fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let percent = number.parse().ok().filter(|percent| *percent <= 100 && digits);
    percent.ok_or_else(|| "a share is a whole number from 0 to 100, like 5%".to_owned())
}

/// `30d`, `12h`, or with several units.
pub fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.as_secs() > 0 => Ok(time),
        Ok(_) => Err("a time is at least one second".to_owned()),
        Err(error) => Err(format!("a time is like 30d, 12h or 45min: {error}")),
    }
}

/// `2d:25%`.
pub fn after(text: &str) -> Result<(Duration, u8), String> {
    let (after, share) = text.split_once(':').ok_or("a stage is TIME:PERCENT, like 2d:25%")?;
    Ok((time(after)?, percent(share)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_times_are_read() {
        for (text, value) in [("5%", 5), ("0", 0), ("100%", 100), ("007%", 7)] {
            assert_eq!(percent(text), Ok(value), "{text}");
        }
        let day = Duration::from_secs(24 * 3600);
        for (text, value) in [("30d", 30 * day), ("12h", day / 2), ("1w", 7 * day), ("1d 12h", day + day / 2)]
        {
            assert_eq!(time(text), Ok(value), "{text}");
        }
        assert_eq!(after("2d:25%"), Ok((2 * day, 25)));
        assert_eq!(after("2d:25"), Ok((2 * day, 25)));
    }

    #[test]
    fn what_is_no_share_and_no_time_is_refused() {
        for text in ["", "%", "101%", "-1", "+5", "5.5%", "5 %", "five", "5%%", "256", "999999999999"] {
            assert!(percent(text).is_err(), "{text:?}");
        }
        for text in ["", "0s", "5", "d", "5 parsecs", "-2d"] {
            assert!(time(text).is_err(), "{text:?}");
        }
        for text in ["2d", "2d:", ":25%", "25%:2d", "2d:25%:3"] {
            assert!(after(text).is_err(), "{text:?}");
        }
    }
}
