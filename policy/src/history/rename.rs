//! Where a field that appeared in a commit came from.
//!
//! A field was renamed if its id, but for the path, vanished from one file and appeared in one other
//! file of the same commit. `images:` entries and markers have ids that say little, so their two files
//! must also be alike. Called by [`super::trace`].

use std::collections::{HashMap, HashSet};

use super::{CommitChange, FileChange, Scans};

/// Where an appeared field was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: the field is new.
    New,
    /// In the file at this path.
    Moved(String),
    /// In one of several files, or it went to several.
    Ambiguous,
}

/// The fields that one commit took out of files and put into files, by id without path.
pub(super) struct Moves<'a> {
    scans: &'a Scans,
    vanished: HashMap<&'a str, Vec<&'a FileChange>>,
    appeared: HashMap<&'a str, Vec<&'a FileChange>>,
}

impl<'a> Moves<'a> {
    /// Indexes a commit.
    pub(super) fn of(commit: &'a CommitChange, scans: &'a Scans) -> Self {
        let mut moves = Self { scans, vanished: HashMap::new(), appeared: HashMap::new() };
        for change in &commit.files {
            let old = rests(scans, &change.path, change.old.as_deref());
            let new = rests(scans, &change.path, change.new.as_deref());
            for rest in old.difference(&new) {
                moves.vanished.entry(rest).or_default().push(change);
            }
            for rest in new.difference(&old) {
                moves.appeared.entry(rest).or_default().push(change);
            }
        }
        moves
    }

    /// Tells where the field `rest`, which appeared in this commit, was before.
    pub(super) fn origin(&self, rest: &str) -> Origin {
        let none = Vec::new();
        let vanished = self.vanished.get(rest).unwrap_or(&none);
        let appeared = self.appeared.get(rest).unwrap_or(&none);
        match (vanished.as_slice(), appeared.as_slice()) {
            ([from], [to]) if !says_little(rest) || self.alike(from, to) => Origin::Moved(from.path.clone()),
            ([], _) | ([_], [_]) => Origin::New,
            _ => Origin::Ambiguous,
        }
    }

    /// Tells whether at least half of the fields of the larger file are in both.
    fn alike(&self, from: &FileChange, to: &FileChange) -> bool {
        if from.old == to.new {
            return true;
        }
        let old = rests(self.scans, &from.path, from.old.as_deref());
        let new = rests(self.scans, &to.path, to.new.as_deref());
        old.intersection(&new).count() * 2 >= old.len().max(new.len())
    }
}

/// Cuts the path off a field id.
pub(super) fn rest_of<'a>(id: &'a str, path: &str) -> Option<&'a str> {
    id.strip_prefix(path)?.strip_prefix('#')
}

/// The ids without path of the fields of one side of a change.
fn rests<'a>(scans: &'a Scans, path: &str, blob: Option<&str>) -> HashSet<&'a str> {
    let scan = blob.and_then(|blob| scans.get(path, blob));
    scan.into_iter().flat_map(|scan| &scan.fields).filter_map(|field| rest_of(&field.id.0, path)).collect()
}

fn says_little(rest: &str) -> bool {
    rest.starts_with("images/") || rest.starts_with('/')
}
