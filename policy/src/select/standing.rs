//! What a tag counts for, comparable between the members of a group.

use std::cmp::Ordering;

use super::rank::Rank;

/// What a tag counts for in the order of a policy: greater is preferred, and spellings of one version are equal.
///
/// Those of different kinds of policy are never equal, so that versions and numbers cannot be taken for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    rank: Rank<'a>,
    descending: bool,
}

impl Ord for Standing<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.rank.cmp(&other.rank);
        let order = if self.descending { order.reverse() } else { order };
        order.then(self.descending.cmp(&other.descending))
    }
}

impl PartialOrd for Standing<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Standing<'a> {
    pub(super) fn new(rank: Rank<'a>, descending: bool) -> Self {
        Self { rank, descending }
    }
}
