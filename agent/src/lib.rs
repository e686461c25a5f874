//! The Tidegate agent: effects around the decisions of `tidegate-policy`.
//!
//! Modules in reading order. Every effect goes through a seam (`Registry`, `GitRepo`, `Cluster`,
//! `Clock`) whose methods take a [`context::Context`] and fail with a [`error::Failure`].

pub mod backoff;
pub mod clock;
pub mod context;
pub mod error;
pub mod fence;

pub mod admin;
pub mod config;
pub mod metrics;
pub mod progress;
pub mod state;
pub mod telemetry;

pub mod cluster;
pub mod git;
pub mod registry;

pub mod source;

pub mod scan;
pub mod update;

pub mod sync;

pub mod daemon;

pub mod args;
pub mod verbs;
