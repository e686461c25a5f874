//! A bounded number of futures at a time, within a unit and over all of them.

use futures::future::BoxFuture;
use futures::stream::{self, Stream, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Failure;

/// Futures of one piece of work that run at a time.
const AT_ONCE_MAX: usize = 8;

/// Runs the futures, a few at a time, and gives their outcomes as they come.
pub(super) fn parallel<'a, T: Send + 'a>(
    work: impl Iterator<Item = BoxFuture<'a, T>>,
) -> impl Stream<Item = T> + Send + Unpin + 'a {
    stream::iter(work.collect::<Vec<_>>()).buffer_unordered(AT_ONCE_MAX)
}

/// Waits for the right to send a request; what waits first is served first.
pub(super) async fn slot(slots: &Semaphore) -> Result<SemaphorePermit<'_>, Failure> {
    slots.acquire().await.map_err(|_| Failure::cancelled("the process ends"))
}
