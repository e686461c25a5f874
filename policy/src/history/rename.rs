//! Where a field that appeared in a commit came from.
//!
//! A field was renamed if its id, but for the path, vanished from one file and appeared in one other
//! file of the same commit. `images:` entries and markers have ids that say little, so one of their two files
//! must also be what git calls a rename of the other. Called by [`super::trace`].

use std::collections::{HashMap, HashSet};

use crate::manifest::FieldId;

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
            ([from], [to]) if FieldId::says_little(rest) => match self.is_rename(from, to) {
                Some(true) => Origin::Moved(from.path.clone()),
                Some(false) => Origin::New,
                None => Origin::Ambiguous,
            },
            ([from], [_]) => Origin::Moved(from.path.clone()),
            ([], _) => Origin::New,
            _ => Origin::Ambiguous,
        }
    }

    /// Tells whether git would call this a rename; `None` if a file is too large to tell.
    fn is_rename(&self, from: &FileChange, to: &FileChange) -> Option<bool> {
        let likeness =
            |path: &str, blob: &Option<String>| self.scans.get(path, blob.as_deref()?)?.likeness.as_ref();
        if from.old == to.new {
            return Some(true);
        }
        Some(likeness(&from.path, &from.old)?.is_rename_of(likeness(&to.path, &to.new)?))
    }
}

/// The ids without path of the fields of one side of a change.
fn rests<'a>(scans: &'a Scans, path: &str, blob: Option<&str>) -> HashSet<&'a str> {
    let scan = blob.and_then(|blob| scans.get(path, blob));
    scan.into_iter().flat_map(|scan| &scan.fields).filter_map(|field| field.id.within(path)).collect()
}
