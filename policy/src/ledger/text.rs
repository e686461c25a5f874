//! The ledger as text: JSON with sorted keys, the same for the same ledger.
//!
//! Tags stand under the time they have in common, because a listing often shows many at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, FirstSeen, Ledger};
use crate::reference::{Digest, ImageReference, Repository};

/// The only form there is.
const VERSION: u32 = 1;

/// The text of a ledger that knows nothing, in bytes.
pub(super) const EMPTY_BYTES: usize = r#"{"version":1,"repositories":{}}"#.len();

/// Why a text is no ledger; every age is unknown then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It is not what this version writes.
    #[error("the ledger of first-seen times cannot be read")]
    Json(#[source] serde_json::Error),
    /// A later version wrote it.
    #[error("the ledger of first-seen times has the form {0}, which this version does not know")]
    Version(u32),
    /// A key is no repository, or a tag stands in two places.
    #[error("the ledger of first-seen times contradicts itself at {0}")]
    Contradiction(String),
}

#[derive(Serialize, Deserialize)]
struct Whole {
    version: u32,
    repositories: BTreeMap<String, Part>,
}

#[derive(Serialize, Deserialize)]
struct Part {
    since: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    before: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: Times,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    gone: Times,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    digests: BTreeMap<String, (String, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unwanted: Option<Timestamp>,
}

type Times = BTreeMap<Timestamp, BTreeSet<String>>;

/// Only the number, so that the text of a later version is named as such whatever its form.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Ledger {
    /// Writes the ledger; the same ledger gives the same text.
    pub fn to_text(&self) -> String {
        let repositories =
            self.repositories.iter().map(|(repository, entry)| (repository.to_string(), Part::of(entry)));
        let whole = Whole { version: VERSION, repositories: repositories.collect() };
        serde_json::to_string(&whole).expect("texts and times have a JSON form")
    }

    /// Reads what [`Ledger::to_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let Version { version } = serde_json::from_str(text).map_err(LedgerError::Json)?;
        if version != VERSION {
            return Err(LedgerError::Version(version));
        }
        let whole: Whole = serde_json::from_str(text).map_err(LedgerError::Json)?;
        let mut repositories = BTreeMap::new();
        for (name, part) in whole.repositories {
            let contradiction = || LedgerError::Contradiction(name.clone());
            let reference = ImageReference::parse(&name).map_err(|_| contradiction())?;
            let entry = part.entry().ok_or_else(contradiction)?;
            let twice = repositories.insert(reference.repository, entry).is_some();
            if reference.tag.is_some() || reference.digest.is_some() || twice {
                return Err(contradiction());
            }
        }
        Ok(Self { repositories })
    }
}

impl Part {
    fn of(entry: &Entry) -> Self {
        let FirstSeen { since, before, tags, gone, digests } = entry.seen.as_ref();
        Self {
            since: *since,
            before: before.iter().cloned().collect(),
            seen: by_time(tags),
            gone: by_time(gone),
            digests: digests
                .iter()
                .map(|(tag, (digest, at))| (tag.clone(), (digest.to_string(), *at)))
                .collect(),
            unwanted: entry.unwanted,
        }
    }

    /// `None` if it contradicts itself.
    fn entry(self) -> Option<Entry> {
        let (tags, gone) = (by_tag(self.seen)?, by_tag(self.gone)?);
        let digests = self.digests.into_iter();
        let digests = digests.map(|(tag, (digest, at))| Some((tag, (Digest::parse(&digest).ok()?, at))));
        let digests = digests.collect::<Option<HashMap<_, _>>>()?;
        let before = self.before.into_iter().collect();
        let seen = FirstSeen { since: self.since, before, tags, gone, digests };
        let is_sound = seen.before.iter().all(|tag| !seen.tags.contains_key(tag))
            && seen.gone.keys().all(|tag| seen.at(tag).is_some());
        is_sound.then(|| Entry { seen: Arc::new(seen), unwanted: self.unwanted })
    }
}

/// How many bytes of the text are one repository's.
pub(super) fn bytes(repository: &Repository, entry: &Entry) -> usize {
    let part = serde_json::to_string(&Part::of(entry)).expect("texts and times have a JSON form");
    let name = repository.to_string();
    part.len() + name.len() + r#""":,"#.len()
}

fn by_time(tags: &HashMap<String, Timestamp>) -> Times {
    let mut times = Times::new();
    for (tag, at) in tags {
        times.entry(*at).or_default().insert(tag.clone());
    }
    times
}

/// `None` if a tag has two times.
fn by_tag(times: Times) -> Option<HashMap<String, Timestamp>> {
    let mut tags = HashMap::new();
    for (at, names) in times {
        for name in names {
            if tags.insert(name, at).is_some() {
                return None;
            }
        }
    }
    Some(tags)
}
