//! A problem in somebody's input, with all that is needed to mend it.
//!
//! Produced by every reader in this crate; printed by the CLI, logs and events of the agent.

use std::fmt;

use serde::Serialize;

/// One problem in one place: what is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Path in the repository, `/`-separated.
    pub file: String,
    /// 1-based line; 0 when the problem has no line (the whole file).
    pub line: usize,
    /// The annotation, marker or manifest key concerned, if there is one.
    pub key: Option<String>,
    /// The value as written, shortened to 256 bytes.
    pub value: Option<String>,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": ")?;
        if let Some(key) = &self.key {
            write!(f, "`{key}`")?;
            if let Some(value) = &self.value {
                write!(f, " = `{}`", value.escape_debug())?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}
