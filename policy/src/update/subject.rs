//! One field with a readable policy and image, and all that is known of it.
//!
//! Called by [`super::plan`], [`super::check`] and [`super::verdicts`]. Not here: what follows from it.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};

use crate::annotation::{ImagePolicy, Order};
use crate::history::{FieldHistory, Held, Traces, Writer};
use crate::ledger::FirstSeen;
use crate::manifest::ImageField;
use crate::reference::{Digest, ImageReference, Tag, split_written};
use crate::select::SelectInput;

use super::decision::{self, Identity};
use super::{ManifestFact, RepositoryState, UpdateInput};

/// What is known of a repository that was never listed.
static UNKNOWN: LazyLock<RepositoryState> = LazyLock::new(RepositoryState::default);

/// One field and what is known of it.
pub(super) struct Subject<'a> {
    pub(super) input: &'a UpdateInput<'a>,
    pub(super) file: &'a str,
    pub(super) field: &'a ImageField,
    pub(super) policy: &'a ImagePolicy,
    pub(super) reference: ImageReference,
    pub(super) state: &'a RepositoryState,
    pub(super) history: Option<&'a FieldHistory>,
    /// Every decision id that stands in a trailer.
    decisions: &'a HashSet<String>,
    pub(super) past: Past,
}

/// What selection must know of a field's past and of the registry's gaps, owned.
pub(super) struct Past {
    now: Timestamp,
    first_seen: Option<Arc<FirstSeen>>,
    min_age: Option<SignedDuration>,
    pub(super) may_downgrade: bool,
    current: Option<String>,
    /// Tags that the field has held, as far as it had tags.
    held: Vec<String>,
    /// Tags that somebody took out.
    barred: Vec<String>,
    missing: Vec<String>,
    lacking_platform: Vec<String>,
    /// Digests that somebody took out.
    pub(super) barred_digests: BTreeSet<String>,
}

impl<'a> Subject<'a> {
    /// Gathers what is known of a field.
    pub(super) fn new(
        input: &'a UpdateInput<'a>,
        traces: &'a Traces,
        (file, field): (&'a str, &'a ImageField),
        policy: &'a ImagePolicy,
        reference: ImageReference,
    ) -> Self {
        let state = input.registry.repositories.get(&reference.repository).unwrap_or(&UNKNOWN);
        let history = traces.fields.get(&field.id);
        let past = Past::of(input, policy, history, &reference, state);
        Self { input, file, field, policy, reference, state, history, decisions: &traces.decisions, past }
    }

    /// The image after a move to `tag`, its name spelt as before.
    pub(super) fn image_at(&self, tag: Option<&Tag>, digest: Option<&Digest>) -> String {
        let image = self.field.image.as_str();
        let mut text = split_written(image).map_or(image, |written| written.name).to_owned();
        let parts = [(':', tag.map(Tag::as_str)), ('@', digest.map(Digest::as_str))];
        for (sign, part) in parts.into_iter().filter_map(|(sign, part)| Some((sign, part?))) {
            text.push(sign);
            text.push_str(part);
        }
        text
    }

    /// The id of the decision to move to the image `to`, and whether it was taken before.
    pub(super) fn decision(&self, to: &str) -> (String, bool) {
        let id = decision::id(&Identity {
            branch: self.input.branch,
            field: &self.field.id,
            from: &self.field.image,
            to,
            policy: &self.policy.text,
            changed_by: self.history.and_then(|history| history.changed_by.as_deref()),
        });
        let is_taken = self.decisions.contains(&id);
        (id, is_taken)
    }

    /// Whether the ages of tags matter to this field.
    pub(super) fn needs_ages(&self) -> bool {
        self.policy.order == Order::Newest || self.min_age().is_some()
    }

    /// The stricter of the policy's `min-age` and the guard rail.
    pub(super) fn min_age(&self) -> Option<SignedDuration> {
        self.policy.min_age.max(self.input.guards.min_age)
    }
}

impl Past {
    fn of(
        input: &UpdateInput<'_>,
        policy: &ImagePolicy,
        history: Option<&FieldHistory>,
        reference: &ImageReference,
        state: &RepositoryState,
    ) -> Self {
        let follows_digest = matches!(policy.order, Order::Digest(_));
        let tag_of = |image: &str| split_written(image).ok()?.tag.map(str::to_owned);
        let digest_of = |image: &str| split_written(image).ok()?.digest.map(str::to_owned);
        let held = history.map(|history| history.held.as_slice()).unwrap_or_default();
        let min_age = policy.min_age.max(input.guards.min_age);
        let outlived = history.is_some_and(|history| history.outlived_policy);
        let facts = || state.manifests.iter();
        Self {
            now: input.now,
            first_seen: state.first_seen.clone(),
            // The age of a tag that moves says nothing; that of its digest is judged by the planner.
            min_age: min_age.filter(|_| !follows_digest),
            may_downgrade: policy.downgrade && input.guards.allow_downgrade && outlived,
            current: reference.tag.as_ref().filter(|_| !follows_digest).map(Tag::to_string),
            held: held.iter().filter_map(|held| tag_of(&held.image)).collect(),
            barred: taken_out(held).filter_map(tag_of).collect(),
            barred_digests: taken_out(held).filter_map(digest_of).collect(),
            missing: facts()
                .filter(|(_, fact)| **fact == ManifestFact::Missing)
                .map(|(tag, _)| tag.to_string())
                .collect(),
            lacking_platform: facts()
                .filter(|(_, fact)| lacks_platform(policy, state, fact))
                .map(|(tag, _)| tag.to_string())
                .collect(),
        }
    }

    /// Tells whether the field has held `tag`.
    pub(super) fn holds(&self, tag: &str) -> bool {
        self.held.iter().any(|held| held == tag)
    }

    /// Counts `tag` as taken out.
    pub(super) fn take_out(&mut self, tag: &str) {
        self.held.push(tag.to_owned());
        self.barred.push(tag.to_owned());
    }

    /// Lends it to [`crate::select`].
    pub(super) fn input(&self) -> SelectInput<'_> {
        SelectInput {
            now: self.now,
            first_seen: self.first_seen.as_deref(),
            min_age: self.min_age,
            may_downgrade: self.may_downgrade,
            barred: &self.barred,
            lacking_platform: &self.lacking_platform,
            current: self.current.as_deref(),
            held: &self.held,
            missing: &self.missing,
        }
    }
}

/// The values that anything but an update by Tidegate replaced, of values newest first.
fn taken_out(held: &[Held]) -> impl Iterator<Item = &str> {
    held.iter()
        .zip(held.iter().skip(1))
        .filter(|(newer, _)| newer.by != Some(Writer::Tidegate))
        .map(|(_, older)| older.image.as_str())
}

/// Whether the image of a tag is known to lack a platform that the policy asks for.
fn lacks_platform(policy: &ImagePolicy, state: &RepositoryState, fact: &ManifestFact) -> bool {
    let ManifestFact::Present(digest) = fact else { return false };
    let Some(offered) = state.platforms.get(digest) else { return false };
    !policy.platforms.iter().all(|asked| asked.is_met_by(offered))
}
