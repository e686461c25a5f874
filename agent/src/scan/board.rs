//! What was last seen of every wanted repository, and who wants to know.
//!
//! A failure never takes a listing away: it is noted beside it. Called by the tasks of the repositories,
//! which write, and by the subscriptions, which read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_policy::annotation::Platform;
use tidegate_policy::reference::{Digest, Repository, Tag};
use tidegate_policy::update::{Interest, ManifestFact, RegistrySnapshot, RepositoryState, ScanError};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::interest::Interests;

/// Digests of one repository whose platforms are remembered; a plan asks for a few at a time.
const PLATFORMS_MAX: usize = 1_000;

/// The shared picture; all methods are short and take one lock.
#[derive(Default)]
pub(super) struct Board {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    repositories: HashMap<Repository, Seen>,
    subscribers: HashMap<u64, Subscriber>,
    last_id: u64,
}

#[derive(Default)]
struct Seen {
    state: RepositoryState,
    changed_at: Option<Instant>,
}

#[derive(Default)]
struct Subscriber {
    wanted: BTreeMap<Repository, Interest>,
    bell: Arc<Notify>,
}

/// What a complete listing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ListingChange {
    /// Tags that were not there before.
    pub(super) added: Vec<String>,
    /// How many are gone.
    pub(super) removed: usize,
    /// Whether there was no listing before.
    pub(super) first: bool,
}

impl Board {
    pub(super) fn subscribe(&self) -> u64 {
        self.locked(|inner| {
            inner.last_id += 1;
            inner.subscribers.insert(inner.last_id, Subscriber::default());
            inner.last_id
        })
    }

    pub(super) fn want(&self, id: u64, interests: BTreeMap<Repository, Interest>) {
        self.locked(|inner| {
            if let Some(subscriber) = inner.subscribers.get_mut(&id) {
                subscriber.wanted = interests;
            }
        });
    }

    pub(super) fn unsubscribe(&self, id: u64) {
        self.locked(|inner| inner.subscribers.remove(&id));
    }

    /// Returns what all subscribers together want now, and forgets the rest.
    pub(super) fn wanted(&self) -> BTreeMap<Repository, Interests> {
        self.locked(Inner::forget_unwanted)
    }

    /// What rings when a wanted repository changes; it remembers one ring.
    pub(super) fn bell(&self, id: u64) -> Arc<Notify> {
        self.locked(|inner| {
            inner.subscribers.get(&id).map(|subscriber| Arc::clone(&subscriber.bell)).unwrap_or_default()
        })
    }

    pub(super) fn snapshot<'a>(&self, wanted: impl Iterator<Item = &'a Repository>) -> RegistrySnapshot {
        self.locked(|inner| {
            let seen = wanted.filter_map(|repository| {
                Some((repository.clone(), inner.repositories.get(repository)?.state.clone()))
            });
            RegistrySnapshot { repositories: seen.collect() }
        })
    }

    pub(super) fn changed_at(&self, repository: &Repository) -> Option<Instant> {
        self.locked(|inner| inner.repositories.get(repository)?.changed_at)
    }

    /// Takes in a complete listing; wakes the subscribers if it says anything new.
    ///
    /// Facts about manifests are as old as the listing before, so they are asked for again, but for those of the
    /// tags that are followed by digest, which come with the listing.
    pub(super) fn listed(
        &self,
        repository: &Repository,
        mut tags: Vec<String>,
        followed: HashMap<Tag, ManifestFact>,
    ) -> Option<ListingChange> {
        tags.sort_unstable();
        tags.dedup();
        self.locked(|inner| {
            let seen = inner.seen(repository)?;
            let change = difference(seen.state.tags.as_deref(), &tags);
            if change.is_some() {
                let before = seen.state.tags.as_ref().map_or(0, |tags| tags.len());
                seen.state.shrunk_from = (tags.len() < before.div_ceil(2)).then_some(before);
                seen.state.tags = Some(Arc::new(tags));
                seen.changed_at = Some(Instant::now());
            }
            let recovered = seen.state.error.take().is_some();
            let before = std::mem::replace(&mut seen.state.manifests, followed);
            let doubted = before.values().any(|fact| !matches!(fact, ManifestFact::Present(_)));
            let moved = seen.state.manifests.iter().any(|(tag, fact)| before.get(tag) != Some(fact));
            if change.is_some() || recovered || doubted || moved {
                inner.ring(repository);
            }
            change
        })
    }

    /// Notes that a listing failed; wakes the subscribers if the one before did not.
    pub(super) fn failed(&self, repository: &Repository, error: ScanError) {
        self.locked(|inner| {
            let Some(seen) = inner.seen(repository) else { return };
            let before = seen.state.error.replace(error);
            if before.is_none() {
                inner.ring(repository);
            }
        });
    }

    pub(super) fn resolved(&self, repository: &Repository, tag: &Tag, fact: ManifestFact) {
        self.locked(|inner| {
            if let Some(seen) = inner.seen(repository) {
                seen.state.manifests.insert(tag.clone(), fact);
            }
        });
    }

    /// Notes what the image of a digest runs on.
    pub(super) fn offers(&self, repository: &Repository, digest: Digest, platforms: Vec<Platform>) {
        self.locked(|inner| {
            if let Some(seen) = inner.seen(repository) {
                if seen.state.platforms.len() >= PLATFORMS_MAX {
                    seen.state.platforms.clear();
                }
                seen.state.platforms.insert(digest, platforms.into());
            }
        });
    }

    /// Notes that a digest cannot be had: the tags that name it have this fact now.
    pub(super) fn doubted(&self, repository: &Repository, digest: &Digest, fact: &ManifestFact) {
        self.locked(|inner| {
            let Some(seen) = inner.seen(repository) else { return };
            for known in seen.state.manifests.values_mut() {
                if matches!(known, ManifestFact::Present(of) if of == digest) {
                    *known = fact.clone();
                }
            }
        });
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// The place for a repository; `None` if nobody wants it any more.
    fn seen(&mut self, repository: &Repository) -> Option<&mut Seen> {
        let wanted = self.subscribers.values().any(|subscriber| subscriber.wanted.contains_key(repository));
        wanted.then(|| self.repositories.entry(repository.clone()).or_default())
    }

    fn ring(&self, repository: &Repository) {
        for subscriber in self.subscribers.values().filter(|other| other.wanted.contains_key(repository)) {
            subscriber.bell.notify_one();
        }
    }

    fn forget_unwanted(&mut self) -> BTreeMap<Repository, Interests> {
        let mut wanted: BTreeMap<Repository, Interests> = BTreeMap::new();
        for (repository, interest) in self.subscribers.values().flat_map(|subscriber| &subscriber.wanted) {
            wanted.entry(repository.clone()).or_default().add(interest);
        }
        self.repositories.retain(|repository, _| wanted.contains_key(repository));
        wanted
    }
}

/// Compares two sorted listings; `None` if they are equal.
fn difference(before: Option<&Vec<String>>, after: &[String]) -> Option<ListingChange> {
    let first = before.is_none();
    let before = before.map_or(&[] as &[String], Vec::as_slice);
    if !first && before == after {
        return None;
    }
    let added = after.iter().filter(|tag| before.binary_search(tag).is_err()).cloned().collect();
    let removed = before.iter().filter(|tag| after.binary_search(tag).is_err()).count();
    Some(ListingChange { added, removed, first })
}
