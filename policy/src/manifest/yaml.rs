//! YAML as kubectl reads it, with the place of every byte kept.
//!
//! One file is split into documents at its `---` lines first, so that a broken document does not
//! take its neighbours with it; each document becomes an arena of nodes with byte ranges.
//! Called by [`super::scan`], [`super::objects`] and [`super::edit`]. Not here: what the keys mean.

pub(super) mod compose;
pub(super) mod document;
pub(super) mod scalar;
pub(super) mod source;
pub(super) mod split;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub(super) use document::{Document, NodeId, ScalarStyle};
pub(super) use source::{Read, Source};
