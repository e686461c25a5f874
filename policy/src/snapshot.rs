//! What was seen: the tree at a revision and the answers of the registries.
//!
//! Filled by the agent, read by [`crate::history`] and [`crate::update`]. Not here: live objects of a cluster (see
//! [`crate::sync::live`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::annotation::Platform;
use crate::ledger::FirstSeen;
use crate::manifest::FileScan;
use crate::reference::{Digest, Repository, Tag};

/// The files of a source at one revision.
#[derive(Clone, Debug, Default)]
pub struct TreeSnapshot {
    /// Commit id, hex.
    pub revision: String,
    /// Scan of every YAML/JSON file below the source's path, by path in the repository.
    pub files: BTreeMap<String, Arc<FileScan>>,
}

/// What the registries answered.
#[derive(Clone, Debug, Default)]
pub struct RegistrySnapshot {
    /// By repository; a repository that was never listed is absent.
    pub repositories: HashMap<Repository, RepositoryState>,
}

/// The last listing of one repository and the manifests looked up since.
#[derive(Clone, Debug, Default)]
pub struct RepositoryState {
    /// The last complete listing, kept through failures; `None` if there never was one.
    pub tags: Option<Arc<Vec<String>>>,
    /// Why the newest attempt failed; `None` after a success.
    pub error: Option<ScanError>,
    /// How many tags the listing before had, if the last one lost more than half of them.
    pub shrunk_from: Option<usize>,
    /// Facts asked for by a plan: the tag's digest, or that it has no manifest.
    pub manifests: HashMap<Tag, ManifestFact>,
    /// Facts asked for by a plan: what the image of a digest runs on. They never grow old.
    pub platforms: HashMap<Digest, Arc<[Platform]>>,
    /// When its tags were first seen; `None` if nobody asked for that, or the ledger cannot be read.
    pub first_seen: Option<Arc<FirstSeen>>,
    /// Why `first_seen` is missing though somebody asked for it, if more is known than that there is no ledger.
    pub no_ledger: Option<String>,
}

/// Why a listing could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanError {
    /// The registry could not be asked, or refused.
    Unreachable(String),
    /// The listing was cut short.
    Incomplete(String),
}

/// What a HEAD on a tag's manifest said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestFact {
    /// It resolves to this digest.
    Present(Digest),
    /// 404.
    Missing,
    /// The registry contradicts itself: the content is not what its digest says.
    Mismatch(String),
}
