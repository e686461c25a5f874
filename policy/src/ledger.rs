//! When each tag of a repository was first seen: what `newest` and `min-age` are judged by.
//!
//! Filled from complete listings, kept by the agent in a ConfigMap of each source. Losing it makes every age
//! unknown, which changes nothing by itself. Not here: reading and writing the ConfigMap (the agent's), what
//! follows from an age (see [`crate::select`]).

#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::reference::{Digest, Repository, Tag};

pub use text::LedgerError;

/// Longest text of a ledger: a ConfigMap holds 1 MiB, and this is one of its keys.
pub const LEDGER_BYTES_MAX: usize = 512 << 10;

/// How long a tag that is no longer listed, or a repository that nobody asks for, is remembered.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is known of the tags of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstSeen {
    /// When the repository was first listed in full; what it had then is of unknown age, at least this old.
    pub since: Timestamp,
    /// The tags of that first listing.
    pub before: HashSet<String>,
    /// The tags seen since, with the time of the first listing that showed them.
    pub tags: HashMap<String, Timestamp>,
    /// Those of both that are no longer listed, with the time of the first listing that lacked them.
    pub gone: HashMap<String, Timestamp>,
    /// The digests of tags that are followed, with the time at which the tag was first seen to have it.
    pub digests: HashMap<String, (Digest, Timestamp)>,
}

/// When one tag was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// In the first listing, which was at this time: the tag may be much older.
    Before(Timestamp),
    /// In a later listing, at this time.
    At(Timestamp),
}

impl FirstSeen {
    /// Begins with a complete listing.
    pub fn begin<T: AsRef<str>>(tags: &[T], now: Timestamp) -> Self {
        let before = tags.iter().map(|tag| tag.as_ref().to_owned()).collect();
        Self { since: now, before, ..Self::default() }
    }

    /// Takes in a complete listing; tells whether anything changed.
    ///
    /// # Guarantees
    /// No tag ever looks older than it is, and a later listing never makes a tag younger or older: one that
    /// vanishes and comes back within [`MEMORY`] keeps its time. A clock that was set back gives no tag a time
    /// before those that are known. The order of `tags` does not matter.
    pub fn observe<T: AsRef<str>>(&mut self, tags: &[T], now: Timestamp) -> bool {
        let latest = self.tags.values().copied().fold(self.since, Timestamp::max);
        let listed: HashSet<&str> = tags.iter().map(AsRef::as_ref).collect();
        let mut changed = false;
        for &tag in &listed {
            changed |= self.gone.remove(tag).is_some();
            if self.at(tag).is_none() {
                self.tags.insert(tag.to_owned(), now.max(latest));
                changed = true;
            }
        }
        for tag in self.before.iter().chain(self.tags.keys()).filter(|tag| !listed.contains(tag.as_str())) {
            if !self.gone.contains_key(tag) {
                self.gone.insert(tag.clone(), now);
                changed = true;
            }
        }
        self.forget(now) || changed
    }

    /// When `tag` was first seen; `None` if it never was.
    pub fn at(&self, tag: &str) -> Option<Seen> {
        match self.tags.get(tag) {
            Some(at) => Some(Seen::At(*at)),
            None => self.before.contains(tag).then_some(Seen::Before(self.since)),
        }
    }

    /// Takes in the digest that a tag resolves to now; tells whether it is another one.
    ///
    /// A digest that comes back is new again.
    pub fn resolve(&mut self, tag: &Tag, digest: &Digest, now: Timestamp) -> bool {
        let is_new = self.digests.get(tag.as_str()).is_none_or(|(known, _)| known != digest);
        if is_new {
            self.digests.insert(tag.as_str().to_owned(), (digest.clone(), now));
        }
        is_new
    }

    /// Since when `tag` is known to have this digest; `None` if it never had, or has another one by now.
    pub fn digest_at(&self, tag: &Tag, digest: &Digest) -> Option<Timestamp> {
        self.digests.get(tag.as_str()).filter(|(known, _)| known == digest).map(|(_, at)| *at)
    }

    /// Forgets the tags that have been gone for long.
    fn forget(&mut self, now: Timestamp) -> bool {
        let Self { before, tags, gone, digests, .. } = self;
        let known = gone.len();
        gone.retain(|tag, since| {
            let keep = now.duration_since(*since) < MEMORY;
            if !keep {
                before.remove(tag);
                tags.remove(tag);
                digests.remove(tag);
            }
            keep
        });
        gone.len() < known
    }
}

/// What is known of the repositories of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    repositories: BTreeMap<Repository, Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    seen: Arc<FirstSeen>,
    /// Since when nobody asks for it.
    unwanted: Option<Timestamp>,
}

/// A repository that is too large to be remembered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {tags} tags of {repository} do not fit into the ledger of this source, which holds {} KiB", LEDGER_BYTES_MAX >> 10)]
pub struct Dropped {
    /// Which.
    pub repository: Repository,
    /// How many tags it has.
    pub tags: usize,
}

impl Ledger {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.repositories.is_empty()
    }

    /// What is known of one repository.
    pub fn get(&self, repository: &Repository) -> Option<&Arc<FirstSeen>> {
        self.repositories.get(repository).map(|entry| &entry.seen)
    }

    /// Takes in a complete listing, the first one or a later one; tells whether anything changed.
    pub fn observe<T: AsRef<str>>(&mut self, repository: &Repository, tags: &[T], now: Timestamp) -> bool {
        if let Some(entry) = self.repositories.get_mut(repository) {
            return Arc::make_mut(&mut entry.seen).observe(tags, now);
        }
        let seen = Arc::new(FirstSeen::begin(tags, now));
        self.repositories.insert(repository.clone(), Entry { seen, unwanted: None });
        true
    }

    /// Takes in the digest of a tag that is followed, for a repository that was listed; tells whether it is another.
    pub fn resolve(&mut self, repository: &Repository, tag: &Tag, digest: &Digest, now: Timestamp) -> bool {
        let Some(entry) = self.repositories.get_mut(repository) else { return false };
        entry.seen.digest_at(tag, digest).is_none()
            && Arc::make_mut(&mut entry.seen).resolve(tag, digest, now)
    }

    /// Notes which repositories are asked for, and forgets those that nobody has asked for in a long time.
    ///
    /// Tells whether anything changed. A policy that is gone for a day does not cost the ages of its tags.
    pub fn want(&mut self, is_wanted: impl Fn(&Repository) -> bool, now: Timestamp) -> bool {
        let mut changed = false;
        self.repositories.retain(|repository, entry| {
            let unwanted =
                if is_wanted(repository) { None } else { Some(entry.unwanted.map_or(now, |at| at)) };
            changed |= unwanted != entry.unwanted;
            entry.unwanted = unwanted;
            let keep = unwanted.is_none_or(|at| now.duration_since(at) < MEMORY);
            changed |= !keep;
            keep
        });
        changed
    }

    /// Drops what does not fit into [`LEDGER_BYTES_MAX`]: first what nobody asks for, then the largest.
    ///
    /// Returns what was dropped of that which somebody asks for: its ages begin anew with the next listing
    /// that fits.
    pub fn fit(&mut self) -> Vec<Dropped> {
        let mut sizes: Vec<(bool, usize, Repository)> = self
            .repositories
            .iter()
            .map(|(repository, entry)| {
                (entry.unwanted.is_some(), text::bytes(repository, entry), repository.clone())
            })
            .collect();
        sizes.sort();
        let mut bytes = text::EMPTY_BYTES + sizes.iter().map(|(_, bytes, _)| bytes).sum::<usize>();
        let mut dropped = Vec::new();
        while bytes > LEDGER_BYTES_MAX
            && let Some((unwanted, size, repository)) = sizes.pop()
        {
            bytes -= size;
            let Some(entry) = self.repositories.remove(&repository) else { continue };
            if !unwanted {
                let tags = entry.seen.before.len() + entry.seen.tags.len();
                dropped.push(Dropped { repository, tags });
            }
        }
        dropped
    }
}
