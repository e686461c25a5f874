//! A policy and a list of tags → the chosen tag and, for every other tag, the reason it was not chosen.
//!
//! Called by [`crate::update`] and by the CLI verb `policy select`. Not here: holds, history lookup, registries.

use serde::Serialize;

/// Why a tag was filtered out. The names are stable: people and scripts read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No line of `tags` matches.
    NotInTags,
    /// A line of `ignore-tags` matches.
    Ignored,
    /// The tag is no version.
    NotAVersion,
    /// The tag is no number.
    NotANumber,
    /// A pre-release, and the range names none.
    PreRelease,
    /// Outside the range.
    OutOfRange,
    /// Fewer numeric parts than the running tag.
    FewerParts,
    /// Not newer than the running tag.
    NotNewer,
    /// The field has held this version or a newer one before: somebody took it out.
    TakenOut,
    /// The registry lists the tag but has no manifest for it.
    ManifestMissing,
}
