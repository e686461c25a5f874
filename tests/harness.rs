//! Real servers as child processes on free loopback ports, ended even when a test panics.
