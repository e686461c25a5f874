//! One classification of failures at the rim: try again, tell the user, or a bug.
//!
//! Every seam returns [`Failure`]; the loops decide by [`Kind`] alone.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may work later, not before `after` if that is given (a server's `Retry-After`).
    Retry {
        /// The least time to wait.
        after: Option<Duration>,
    },
    /// It will not work until a person changes something.
    Reject,
    /// The deadline passed or the work was cancelled.
    Cancelled,
    /// Ours.
    Bug,
}

/// A failed operation: what was tried, on what, why it failed and what helps.
///
/// `message` names the URL, file or key and is free of secrets; `source` is not printed by `Display`.
#[derive(Debug)]
pub struct Failure {
    /// What the caller can do.
    pub kind: Kind,
    /// A lower-case fragment without a full stop.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// Whether an answer came and was cut short: what was read is not the whole.
    pub partial: bool,
    /// Whether the server contradicts itself: asking again is no help, and what it says is not to be used.
    pub contradiction: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that may pass.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::new(Kind::Retry { after: None }, message)
    }

    /// A failure that a person must mend.
    pub fn reject(message: impl Into<String>) -> Self {
        Self::new(Kind::Reject, message)
    }

    /// The work was cancelled or its deadline passed.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(Kind::Cancelled, message)
    }

    /// A broken promise of our own code.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, partial: false, contradiction: false, source: None }
    }

    /// Sets the least time to wait; turns the failure into a retry.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.kind = Kind::Retry { after: wait };
        self
    }

    /// Says that an answer came and was cut short.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// Says that the server contradicts itself.
    #[must_use]
    pub fn contradiction(mut self) -> Self {
        self.contradiction = true;
        self
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Prints the failure, its causes and the hint on one line: the only form that is logged.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause: Option<&(dyn Error + 'static)> = self.source.as_deref().map(|source| source as _);
        while let Some(error) = cause {
            let fragment = error.to_string();
            // Some libraries repeat their source in their own text.
            if !text.contains(&fragment) {
                text.push_str(": ");
                text.push_str(&fragment);
            }
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(" (hint: ");
            text.push_str(hint);
            text.push(')');
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
