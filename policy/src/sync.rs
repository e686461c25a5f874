//! The sync side: desired and live objects → what to apply, in which order, and what to prune.
//!
//! ```text
//! files of a revision ─► units ─► desired ─► claims ─► plan ─► ApplyPlan + SyncReport
//! live objects ─► drift (is it still as we applied it?), health (does it work?), prune (may it go?)
//! ```
//!
//! Called by the agent's sync loop and by `tidegate plan`. Not here: talking to a cluster.

use std::fmt;

use serde::Serialize;

pub mod units;

pub mod desired;
pub mod live;

pub mod applyset;
pub mod claims;

pub mod order;
pub mod prune;

pub mod check;
pub mod met;
pub mod plan;

pub mod drift;
pub mod health;

pub use plan::{ApplyPlan, Outline, PlanInput, Stage, SyncReport, plan};

/// The field manager of every apply.
pub const MANAGER: &str = "tidegate";

/// The name of a unit across all sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct UnitKey {
    /// `sources[].name`.
    pub source: String,
    /// Directory below the source's path; `.` for the path itself.
    pub unit: String,
}

impl UnitKey {
    /// Names a unit of a source.
    pub fn new(source: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { source: source.into(), unit: unit.into() }
    }
}

impl fmt::Display for UnitKey {
    /// Prints `source:unit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.unit)
    }
}
