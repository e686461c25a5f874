//! The sync loop against the real Kubernetes: applies, drift, prune and health as the server has them.
//!
//! Git is a repository in memory here; what happens between git and the loop is tested end to end elsewhere.

mod drift;
mod ownership;
mod repo;
mod revision;
mod world;
