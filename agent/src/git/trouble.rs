//! What can go wrong on the owner thread: a failure to report, or a mirror that cannot be read.

use crate::error::Failure;

/// Why an operation on a mirror failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// To be reported as it is.
    Failed(Failure),
    /// The mirror on disk is at fault: it is thrown away and cloned again.
    Damaged(git2::Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<git2::Error> for Trouble {
    /// Errors of libgit2 speak of the mirror, but for those of a disk that takes no more.
    fn from(error: git2::Error) -> Self {
        let text = error.message();
        let full = ["No space left", "Disk quota exceeded", "Read-only file system", "Too many open files"];
        if full.iter().any(|sign| text.contains(sign)) {
            return Self::Failed(
                Failure::retry("cannot write the git mirror")
                    .because(error)
                    .hint("the state directory needs room"),
            );
        }
        Self::Damaged(error)
    }
}
