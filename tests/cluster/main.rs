//! The cluster seam against the real Kubernetes API server: one control plane for all tests, one
//! namespace for each.

mod apply;
mod connect;
mod delete;
mod discovery;
mod ground;
mod plane;
mod record;
mod watch;
