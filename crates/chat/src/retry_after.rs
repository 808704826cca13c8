//! How long a server asks to wait.

use std::time::{Duration, SystemTime};

/// Longest wait taken over from a header: a day. Beyond it the header is more likely wrong than meant.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Reads `Retry-After`: whole seconds, a fraction of seconds, or an HTTP date (RFC 9110 10.2.3; fractions are what gateways send).
/// A date in the past is no wait. `None` for anything else.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds >= 0.0 && seconds.is_finite())
            .then(|| Duration::from_secs_f64(seconds.min(86_400.0)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}

/// Reads the durations of `x-ratelimit-reset-*`: `6m0s`, `1.5s`, `20ms`, `1h2m`, or plain seconds.
pub(crate) fn reset_duration(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds >= 0.0 && seconds.is_finite())
            .then(|| Duration::from_secs_f64(seconds.min(86_400.0)));
    }
    let mut total = 0.0;
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        total += number
            * match &unit[..length] {
                "d" => 86_400.0,
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "\u{b5}s" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &unit[length..];
    }
    (!value.is_empty() && f64::is_finite(total)).then(|| Duration::from_secs_f64(total.min(86_400.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let cases = [
            ("7", Some(7.0)),
            (" 0.25 ", Some(0.25)),
            ("Sun, 06 Nov 1994 08:49:41 GMT", Some(4.0)),
            ("Sun, 06 Nov 1994 08:49:01 GMT", Some(0.0)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10.0)),
            ("1e99", Some(86_400.0)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(retry_after(text, now).map(|wait| wait.as_secs_f64()), expected, "{text}");
        }
    }

    #[test]
    fn reset_durations() {
        for (text, expected) in [
            ("6m0s", Some(360.0)),
            ("20ms", Some(0.02)),
            ("1m30.5s", Some(90.5)),
            ("2", Some(2.0)),
            ("x", None),
            ("", None),
            ("5q", None),
        ] {
            assert_eq!(reset_duration(text).map(|wait| wait.as_secs_f64()), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = retry_after(&text, SystemTime::now());
            let _ = reset_duration(&text);
        }
    }
}
