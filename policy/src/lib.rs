//! Everything that Tidegate decides, for both loops: plain data in, plain data out.
//!
//! ```text
//! TreeSnapshot + History + RegistrySnapshot + now ─► update::plan ─► UpdatePlan + UpdateReport
//! desired objects + LiveSnapshot + claims + now   ─► sync::plan   ─► ApplyPlan  + SyncReport
//! ```
//!
//! There is no IO here, no async, no clock, no environment and no randomness: `now` and every
//! snapshot are arguments, and the same input gives the same output whatever its order.
//! A tidy test and this crate's own `clippy.toml` hold that line.

pub mod finding;
pub mod object;
pub mod quote;
pub mod spelling;

pub mod reference;
pub mod version;

pub mod range;
pub mod schedule;

pub mod annotation;
pub mod select;

pub mod manifest;

pub mod ledger;
pub mod snapshot;

pub mod history;
pub mod update;

pub mod sync;
