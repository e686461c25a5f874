//! The proof: an in-process sandbox, harnesses for the real servers, and what both are tested with.
//!
//! Not here: the tests themselves (`contract/`, `e2e/`, `tidy/`) and the demo (`demo/`).

pub mod harness;
pub mod sandbox;
