//! The deadline and cancellation that every effect is given.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Failure;

/// How long a piece of work may take, and the token that ends it early.
#[derive(Clone, Debug)]
pub struct Context {
    /// When the work must have ended.
    pub deadline: Instant,
    /// Cancelled when nobody wants the result any more.
    pub cancel: CancellationToken,
}

impl Context {
    /// Starts a context that ends after `limit` or when `cancel` is cancelled.
    pub fn new(cancel: &CancellationToken, limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit, cancel: cancel.child_token() }
    }

    /// Narrows the deadline for a step of the work.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + limit), cancel: self.cancel.child_token() }
    }

    /// Time left before the deadline.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Runs `work` until it ends, the deadline passes or the context is cancelled; dropping ends the work.
    pub async fn run<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled(format!("{what} was cancelled"))),
            outcome = tokio::time::timeout_at(self.deadline, work) => {
                outcome.unwrap_or_else(|_| Err(Failure::retry(format!("{what} passed its deadline"))))
            }
        }
    }
}
