//! The sync side: desired and live objects → what to apply, in which order, and what to prune.
//!
//! Called by the agent's sync loop and by `tidegate plan`. Not here: talking to a cluster.
