//! Real servers as child processes on free loopback ports, ended even when a test panics.

pub mod control_plane;
pub mod watchdog;
