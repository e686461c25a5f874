//! The `Retry-After` header (RFC 9110 §10.2.3): seconds or a date.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// A registry cannot silence its scans for longer than this.
const LONGEST: Duration = Duration::from_mins(15);

/// Reads how long to wait; `None` if the header is absent or makes no sense.
pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Only overflow can fail here, and that is past the cap.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expect: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().expect("a header value"));
        let now = "2026-11-22T10:00:00Z".parse().expect("a time");
        assert_eq!(read(&headers, now), expect.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn seconds_and_dates_are_read() {
        check("120", Some(120));
        check("0", Some(0));
        check("Sun, 22 Nov 2026 10:02:00 GMT", Some(120));
        check("Sun, 22 Nov 2026 09:00:00 GMT", Some(0));
    }

    #[test]
    fn absurd_waits_are_capped() {
        check("1000000000", Some(900));
        check("99999999999999999999999999", Some(900));
        check("Wed, 22 Nov 2028 10:00:00 GMT", Some(900));
    }

    #[test]
    fn nonsense_is_no_wait() {
        check("soon", None);
        check("-5", None);
        check("1.5", None);
        check("", None);
    }
}
