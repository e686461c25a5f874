//! Windows and polls.

use jiff::{SignedDuration, Timestamp};
use tidegate_policy::schedule::{Poll, Windows};

/// Around the clock changes of 2026 in Europe, America and Australia, a leap day, and the end of a year.
const NOWS: &[&str] = &[
    "2026-03-29T00:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-03-08T06:59:59Z",
    "2026-04-04T15:00:00Z",
    "2028-02-28T23:59:59Z",
    "2026-12-31T23:59:00Z",
];

/// Between a moment and the next change that is announced nothing changes, a closed window says why, and a poll
/// is always later.
pub fn window(data: &[u8]) {
    let text = super::text(data);
    let nows = NOWS.iter().map(|now| now.parse::<Timestamp>().expect("a time"));
    match Windows::parse_list(&text) {
        Ok(windows) => nows.clone().for_each(|now| check(&windows, now)),
        Err((problem, hint)) => assert!(!problem.is_empty() && !hint.is_empty()),
    }
    match Poll::parse(&text) {
        Ok(poll) => {
            for now in nows {
                assert!(poll.next(now).is_none_or(|next| next > now), "{text:?} at {now}");
            }
        }
        Err((problem, hint)) => assert!(!problem.is_empty() && !hint.is_empty()),
    }
}

fn check(windows: &Windows, now: Timestamp) {
    let open = windows.is_open(now);
    assert_eq!(windows.closed_because(now).is_none(), open, "{windows:?} at {now}");
    let Some(next) = windows.next_change(now) else { return };
    assert!(next > now, "{windows:?} at {now}");
    let between = next.duration_since(now);
    for part in [3, 2] {
        let moment = now
            + SignedDuration::from_millis(i64::try_from(between.as_millis() / part).expect("a few years"));
        assert_eq!(windows.is_open(moment), open, "{windows:?} between {now} and {next}");
    }
    assert_eq!(windows.is_open(next - SignedDuration::from_nanos(1)), open, "{windows:?} just before {next}");
}
