//! How long a server asks to wait.

use std::time::{Duration, SystemTime};

/// Longest wait taken over from a header: a day. Beyond it the header is more likely wrong than meant.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The wait that the headers of an answer ask for. `header` returns the value of a field by its name in lower case.
///
/// `retry-after-ms`, which OpenAI and Azure send, is the finer of the two and goes before [`Retry-After`](retry_after).
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// let header = |name: &str| (name == "retry-after").then_some("120");
/// assert_eq!(tsumugi_robots::requested_wait(header, SystemTime::now()), Some(Duration::from_secs(120)));
/// ```
pub fn requested_wait<'h>(
    header: impl Fn(&'static str) -> Option<&'h str>,
    now: SystemTime,
) -> Option<Duration> {
    let milliseconds = header("retry-after-ms").and_then(number).map(|wait| within_a_day(wait / 1000.0));
    milliseconds.or_else(|| header("retry-after").and_then(|value| retry_after(value, now)))
}

/// A number, whole or not; none for negative ones.
fn number(value: &str) -> Option<f64> {
    value.trim().parse().ok().filter(|number| (0.0..f64::INFINITY).contains(number))
}

fn within_a_day(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64()))
}

/// Reads the value of `Retry-After`: seconds or an HTTP date (RFC 9110, 10.2.3), and the fractions, units (`5s`) and other
/// names of GMT that gateways send. A date in the past is no wait. A wait is at most a day. `None` for anything else.
#[must_use]
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Some(wait) = duration(value) {
        return Some(wait);
    }
    let value = value.trim();
    // The time zone of an HTTP date is always named GMT; gateways write its other names.
    let named = ["+0000", "UTC", "UT"].iter().find_map(|name| value.strip_suffix(name));
    let date = named.map_or_else(|| value.to_owned(), |date| format!("{date}GMT"));
    let date = httpdate::parse_http_date(&date).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}

/// Reads a duration as headers about rate limits have it: `6m0s`, `1.5s`, `20ms`, `1h2m`, or plain seconds; at most a day.
#[must_use]
pub fn duration(value: &str) -> Option<Duration> {
    let value = value.trim();
    if value.parse::<f64>().is_ok() {
        return number(value).map(within_a_day);
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
            ("5s", Some(5.0)),
            ("Sun, 06 Nov 1994 08:49:41 +0000", Some(4.0)),
            ("Sun, 06 Nov 1994 08:49:41 UTC", Some(4.0)),
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
    fn milliseconds_are_finer_than_seconds() {
        let now = SystemTime::now();
        let wait = |milliseconds: Option<&'static str>, seconds: Option<&'static str>| {
            let header = |name: &str| if name == "retry-after-ms" { milliseconds } else { seconds };
            requested_wait(header, now)
        };
        assert_eq!(wait(None, None), None);
        assert_eq!(wait(None, Some("2")), Some(Duration::from_secs(2)));
        assert_eq!(wait(Some("1250"), Some("2")), Some(Duration::from_millis(1250)));
        assert_eq!(wait(Some("soon"), Some("2")), Some(Duration::from_secs(2)));
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("6m0s", Some(360.0)),
            ("20ms", Some(0.02)),
            ("1m30.5s", Some(90.5)),
            ("2", Some(2.0)),
            ("x", None),
            ("", None),
            ("5q", None),
        ] {
            assert_eq!(duration(text).map(|wait| wait.as_secs_f64()), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = retry_after(&text, SystemTime::now());
            let _ = duration(&text);
        }
    }
}
