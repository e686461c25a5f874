//! The main job as a story in five steps, told on any world: the sandbox (the demo) or the real servers (the
//! end-to-end test).
//!
//! Every step observes from outside (git, the cluster, the daemon's own port) and panics when what it tells does
//! not happen. Not here: printing (the demo does) and starting servers (see [`world`]).

pub mod apps;
pub mod cluster;
pub mod steps;
pub mod world;
