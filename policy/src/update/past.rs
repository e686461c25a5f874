//! What selection must know of a field's past and of the registry's gaps.
//!
//! Called by [`super::plan`] and [`super::verdicts`].

use crate::history::FieldHistory;
use crate::reference::{ImageReference, Tag, split_written};
use crate::select::SelectInput;

use super::{ManifestFact, RepositoryState};

/// The input of a selection, owned.
pub(super) struct Past {
    current: Option<String>,
    /// Tags that the field has held, as far as it had tags.
    pub(super) held: Vec<String>,
    missing: Vec<String>,
}

impl Past {
    /// Gathers what is known of one field.
    pub(super) fn of(
        history: Option<&FieldHistory>,
        reference: &ImageReference,
        state: &RepositoryState,
    ) -> Self {
        let tag_of = |image: &str| split_written(image).ok()?.tag.map(str::to_owned);
        let held = history.into_iter().flat_map(|history| &history.held);
        let missing = state.manifests.iter().filter(|(_, fact)| **fact == ManifestFact::Missing);
        Self {
            current: reference.tag.as_ref().map(Tag::to_string),
            held: held.filter_map(|held| tag_of(&held.image)).collect(),
            missing: missing.map(|(tag, _)| tag.to_string()).collect(),
        }
    }

    /// Tells whether the field has held `tag`.
    pub(super) fn holds(&self, tag: &str) -> bool {
        self.held.iter().any(|held| held == tag)
    }

    /// Lends it to [`crate::select`].
    pub(super) fn input(&self) -> SelectInput<'_> {
        SelectInput {
            current: self.current.as_deref(),
            held: &self.held,
            missing: &self.missing,
            ..SelectInput::default()
        }
    }
}
