//! What is known of the branch: the tree at its tip and the history of its fields.
//!
//! A blob that was scanned at a path is not scanned there again; a commit that was walked is not walked
//! again. Not here: when to fetch (see [`super::tick`]).

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use tidegate_policy::finding::Finding;
use tidegate_policy::history::{CommitChange, History, HistoryEnd, Scans};
use tidegate_policy::manifest::{FileScan, ImagePaths, scan_with};
use tidegate_policy::update::TreeSnapshot;

use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, TreeFile};

/// First-parent commits that count (design: look-back).
const LOOK_BACK_COMMITS: usize = 1_000;
/// A larger file is reported and not read.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Blobs that are held in memory at a time.
const BATCH_BLOBS: usize = 256;

/// Scans of old blobs that may pile up before they are looked through.
const SPARE_SCANS: usize = 1_000;

/// The tree and the history at one revision.
#[derive(Clone)]
pub struct Known {
    /// Every YAML and JSON file, scanned.
    pub tree: TreeSnapshot,
    /// The first-parent history, with the scan of every blob that it names.
    pub history: History,
}

/// Reads revisions, each on top of what is known of the one before.
pub struct Reader {
    repo: Arc<dyn GitRepo>,
    path: String,
    image_paths: Arc<ImagePaths>,
    known: Option<Arc<Known>>,
    /// Scans that were in use when they were last looked through.
    scans_in_use: usize,
}

impl Reader {
    /// Knows nothing yet.
    pub fn new(repo: Arc<dyn GitRepo>, path: String, image_paths: ImagePaths) -> Self {
        Self { repo, path, image_paths: Arc::new(image_paths), known: None, scans_in_use: 0 }
    }

    /// What was read last.
    pub(super) fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref().filter(|known| known.is_something())
    }

    /// Lists the files at a revision.
    pub async fn files(&self, context: &Context, revision: &str) -> Result<Vec<TreeFile>, Failure> {
        self.repo.files(context, revision, &self.path).await
    }

    /// Reads the tree and the history at `revision`, whose files are `files`.
    pub async fn read(
        &mut self,
        context: &Context,
        revision: &str,
        files: &[TreeFile],
    ) -> Result<Arc<Known>, Failure> {
        if let Some(known) = self.known.as_ref().filter(|known| known.tree.revision == revision) {
            return Ok(Arc::clone(known));
        }
        let walked = self.walk(context, revision).await?;
        let mut known = self.known.take().map_or_else(Known::nothing, Arc::unwrap_or_clone);
        let missing = missing(&known.history.scans, manifests(files).chain(walked.blobs()));
        if let Err(failure) = self.scan(context, &mut known.history.scans, missing).await {
            self.known = Some(Arc::new(known)); // the next try goes on where this one ended
            return Err(failure);
        }
        walked.join(&mut known.history);
        known.tree = tree(revision, files, &known.history.scans);
        self.drop_spare(&mut known, files);
        let known = Arc::new(known);
        self.known = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Lets go of scans that neither the tree nor the history names any more.
    fn drop_spare(&mut self, known: &mut Known, files: &[TreeFile]) {
        if known.history.scans.count() <= 2 * self.scans_in_use + SPARE_SCANS {
            return;
        }
        let commits = known.history.commits.iter().flat_map(blobs);
        let needed: HashSet<_> = manifests(files).chain(commits).collect();
        known.history.scans.retain(|path, blob| needed.contains(&(path, blob)));
        self.scans_in_use = known.history.scans.count();
    }

    /// Reads the tree at a revision that is not the tip; `None` if its objects are not here.
    pub(super) async fn tree_at(&self, context: &Context, revision: &str) -> Option<TreeSnapshot> {
        if let Some(known) = self.known.as_ref().filter(|known| known.tree.revision == revision) {
            return Some(known.tree.clone());
        }
        let files = self.files(context, revision).await.ok()?;
        let mut scans = Scans::default();
        let missing = missing(&scans, manifests(&files));
        self.scan(context, &mut scans, missing).await.ok()?;
        Some(tree(revision, &files, &scans))
    }

    /// Walks the first-parent commits at `revision` down to those that are known.
    async fn walk(&self, context: &Context, revision: &str) -> Result<Walked, Failure> {
        let until = self.known().map(|known| known.tree.revision.as_str());
        let (commits, end) =
            self.repo.history(context, revision, until, LOOK_BACK_COMMITS, &self.path).await?;
        let met = until.is_some() && end == HistoryEnd::Limit && commits.len() < LOOK_BACK_COMMITS;
        Ok(Walked { commits, end, met })
    }

    /// Scans blobs at their paths.
    async fn scan(
        &self,
        context: &Context,
        scans: &mut Scans,
        missing: Vec<(String, String)>,
    ) -> Result<(), Failure> {
        for batch in missing.chunks(BATCH_BLOBS) {
            let ids = batch.iter().map(|(_, blob)| blob.clone()).collect();
            let bytes = self.repo.blobs(context, ids, FILE_BYTES_MAX).await?;
            let work: Vec<_> = batch.iter().cloned().zip(bytes).collect();
            let image_paths = Arc::clone(&self.image_paths);
            let scanned = tokio::task::spawn_blocking(move || {
                let scanned = work.into_iter().map(|((path, blob), bytes)| {
                    let found = bytes
                        .map_or_else(|| too_large(&path), |bytes| scan_with(&path, &bytes, &image_paths));
                    (path, blob, Arc::new(found))
                });
                scanned.collect::<Vec<_>>()
            });
            let scanned =
                scanned.await.map_err(|error| Failure::bug("reading manifests ended").because(error))?;
            for (path, blob, found) in scanned {
                scans.insert(&path, &blob, found);
            }
        }
        Ok(())
    }
}

/// The blobs that were not scanned at their path yet, in order.
fn missing<'a>(scans: &Scans, needed: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let missing: BTreeSet<_> = needed.filter(|(path, blob)| scans.get(path, blob).is_none()).collect();
    missing.into_iter().map(|(path, blob)| (path.to_owned(), blob.to_owned())).collect()
}

/// A walk along first parents.
struct Walked {
    commits: Vec<CommitChange>,
    end: HistoryEnd,
    /// Whether it ended at the tip that was known.
    met: bool,
}

impl Walked {
    fn blobs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.commits.iter().flat_map(blobs)
    }

    /// Puts the walk on top of the history that it met, or in its place.
    fn join(self, history: &mut History) {
        if !self.met {
            history.commits = self.commits;
            history.end = self.end;
            return;
        }
        history.commits.splice(0..0, self.commits);
        if history.commits.len() > LOOK_BACK_COMMITS {
            history.commits.truncate(LOOK_BACK_COMMITS);
            history.end = HistoryEnd::Limit;
        }
    }
}

impl Known {
    fn nothing() -> Self {
        let history = History { commits: Vec::new(), end: HistoryEnd::Shallow, scans: Scans::default() };
        Self { tree: TreeSnapshot::default(), history }
    }

    fn is_something(&self) -> bool {
        !self.tree.revision.is_empty()
    }
}

/// The blobs that a commit names, with their paths.
fn blobs(commit: &CommitChange) -> impl Iterator<Item = (&str, &str)> {
    commit.files.iter().flat_map(|change| {
        change.old.iter().chain(&change.new).map(|blob| (change.path.as_str(), blob.as_str()))
    })
}

/// The files that may be manifests.
fn manifests(files: &[TreeFile]) -> impl Iterator<Item = (&str, &str)> {
    let named = |file: &&TreeFile| {
        let extension = Path::new(&file.path).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| {
            ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        })
    };
    files.iter().filter(named).map(|file| (file.path.as_str(), file.blob.as_str()))
}

fn tree(revision: &str, files: &[TreeFile], scans: &Scans) -> TreeSnapshot {
    let files = manifests(files)
        .filter_map(|(path, blob)| Some((path.to_owned(), Arc::clone(scans.get(path, blob)?))));
    TreeSnapshot { revision: revision.to_owned(), files: files.collect() }
}

fn too_large(path: &str) -> FileScan {
    let finding = Finding {
        file: path.to_owned(),
        line: 0,
        key: None,
        value: None,
        message: format!("the file is larger than {} MiB and was not read", FILE_BYTES_MAX >> 20),
        hint: Some("split it, or move it out of the source's path".to_owned()),
    };
    FileScan { findings: vec![finding], ..FileScan::default() }
}
