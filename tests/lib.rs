//! The proof: an in-process sandbox, harnesses for the real servers, and what both are tested with.
//!
//! Not here: the tests themselves (`contract/`, `e2e/`, `tidy/`, one folder a room), the demo and the benches.

pub mod harness;
pub mod sandbox;
pub mod story;
