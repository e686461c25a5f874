//! Waiting for a condition with a deadline; nothing here sleeps and hopes.

use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks at `probe` until it gives a value; panics with `what` and the last refusal after `limit`.
///
/// `probe` answers `Ok(value)` when the condition holds and `Err(what was seen instead)` when not yet.
#[track_caller]
pub fn eventually<T, F>(what: &str, limit: Duration, mut probe: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Result<T, String>>,
{
    let caller = Location::caller();
    let what = what.to_owned();
    async move {
        let begun = Instant::now();
        loop {
            let seen = match probe().await {
                Ok(value) => return value,
                Err(seen) => seen,
            };
            assert!(
                begun.elapsed() < limit,
                "{caller}: {what} did not come within {limit:?}; last seen: {seen}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
