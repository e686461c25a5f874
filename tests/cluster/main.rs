//! The cluster seam against the real Kubernetes API server.

mod plane;
