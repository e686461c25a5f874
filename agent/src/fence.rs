//! Whether this process may still write: asked before every push, apply and delete.
//!
//! With one replica it closes only when a shutdown has waited long enough; a lease closes it later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Failure;

/// A gate before every write; clones share their state.
#[derive(Clone, Debug, Default)]
pub struct WriteFence {
    closed: Arc<AtomicBool>,
}

impl WriteFence {
    /// Fails once the fence is closed.
    pub fn check(&self) -> Result<(), Failure> {
        if self.closed.load(Ordering::Acquire) {
            Err(Failure::cancelled("this process may no longer write"))
        } else {
            Ok(())
        }
    }

    /// Closes the fence for good.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
