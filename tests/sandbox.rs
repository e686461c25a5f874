//! An in-process world: OCI registry, git server, small Kubernetes API, fault proxy.

pub mod client;
pub mod git_server;
pub mod image;
pub mod kube;
pub mod proxy;
pub mod registry;
