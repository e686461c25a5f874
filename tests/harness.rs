//! Real servers as child processes on free loopback ports, ended even when a test panics.

pub mod control_plane;
pub mod docker_registry;
pub mod process;
pub mod requirement;
pub mod scratch;
