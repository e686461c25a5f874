//! A policy and a list of tags → the chosen tag and, for every other tag, the reason it was not chosen.
//!
//! Filters fall through to the next best tag, in the order of [`Reason`]; the order of the tags never matters.
//! Called by [`crate::update`] and by the CLI verbs `policy select` and `explain`. Not here: holds, how history
//! and missing manifests are found out, registries.

mod judge;
mod rank;
mod sentence;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use judge::Judge;
pub use standing::Standing;

use crate::annotation::ImagePolicy;
use crate::ledger::FirstSeen;

/// Why a tag was filtered out. The names are stable: people and scripts read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
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
    /// Not first seen long enough ago.
    TooYoung,
    /// The registry lists the tag but has no manifest for it.
    ManifestMissing,
    /// The image does not run on a platform that the policy asks for.
    PlatformMissing,
}

/// What is known of a field besides its policy; the default is a field without past.
#[derive(Clone, Copy, Debug, Default)]
pub struct SelectInput<'a> {
    /// The present; needed by `min-age`.
    pub now: Timestamp,
    /// When tags were first seen; without it `newest` selects nothing and `min-age` admits nothing.
    pub first_seen: Option<&'a FirstSeen>,
    /// Only tags first seen at least so long ago: the stricter of the policy's `min-age` and the guard rail.
    pub min_age: Option<SignedDuration>,
    /// Whether the running tag may be left downwards: `downgrade: allow`, permitted by the configuration, and
    /// the running tag was there before the policy last changed.
    pub may_downgrade: bool,
    /// Tags that somebody took out, under `newest`: nothing that is not newer than they are is selected.
    pub barred: &'a [String],
    /// Tags whose image lacks one of the platforms that the policy asks for.
    pub lacking_platform: &'a [String],
    /// The tag now running; without it the plain best is selected. Of a field that follows a digest it says
    /// nothing, and is left out: only the digest tells whether there is a move.
    pub current: Option<&'a str>,
    /// Tags that the field has held, in any order: what an ordered policy admits of them is the floor (P1).
    pub held: &'a [String],
    /// Tags that are known to have no manifest.
    pub missing: &'a [String],
}

/// What became of one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The best of those that passed every filter.
    Selected,
    /// Passed every filter, and another is better.
    Eligible,
    /// Filtered out.
    Rejected,
}

/// One tag and what became of it; its JSON is a stable shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict<'a> {
    /// The tag.
    pub tag: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was rejected; `None` unless it was.
    pub reason: Option<Reason>,
}

/// The chosen tag and a verdict for each tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<'a> {
    /// The tag to move to (without a running tag: the best); `None` if no tag passed.
    pub selected: Option<&'a str>,
    /// In the order of the input. A tag that is listed twice is judged twice, and alike.
    pub verdicts: Vec<Verdict<'a>>,
}

/// The chosen tag and counts: what a plan needs, without a verdict for each tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// As in [`Selection`].
    pub selected: Option<&'a str>,
    /// How many tags passed every filter, the selected one included.
    pub eligible: usize,
    /// How many tags were rejected, by reason.
    pub rejected: BTreeMap<Reason, usize>,
}

impl Reason {
    /// Returns the stable kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotInTags => "not-in-tags",
            Self::Ignored => "ignored",
            Self::NotAVersion => "not-a-version",
            Self::NotANumber => "not-a-number",
            Self::PreRelease => "pre-release",
            Self::OutOfRange => "out-of-range",
            Self::FewerParts => "fewer-parts",
            Self::NotNewer => "not-newer",
            Self::TakenOut => "taken-out",
            Self::TooYoung => "too-young",
            Self::ManifestMissing => "manifest-missing",
            Self::PlatformMissing => "platform-missing",
        }
    }
}

/// Selects, with a verdict for each tag.
///
/// # Guarantees
/// With a running tag that the policy can read, the selected tag is strictly newer. It exceeds every tag of
/// `held` that the policy admits. Neither depends on the order of `tags`, and tags that are left out of the
/// list never make an older one win than is running.
pub fn select<'a, T: AsRef<str>>(
    policy: &'a ImagePolicy,
    tags: &'a [T],
    input: &SelectInput<'a>,
) -> Selection<'a> {
    Judge::new(policy, input).select(tags)
}

/// Selects, with counts only: the same choice as [`select`], and nothing is allocated per tag.
pub fn choose<'a, T: AsRef<str>>(
    policy: &'a ImagePolicy,
    tags: &'a [T],
    input: &SelectInput<'a>,
) -> Choice<'a> {
    Judge::new(policy, input).choose(tags)
}
