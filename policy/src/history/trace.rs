//! The walk along first parents, newest commit first, for all fields of a tree at once.
//!
//! A field that is absent for a while (deleted and restored, or in a file that did not parse) keeps its
//! past: what was taken out stays taken out. Called by [`crate::update::plan`].

use std::collections::HashMap;

use crate::annotation::PolicyText;
use crate::manifest::{FieldId, FieldPolicy, FileScan, ImageField};
use crate::snapshot::TreeSnapshot;

use super::rename::{Moves, Origin};
use super::trailer::{self, Trailers};
use super::{
    CommitChange, FieldHistory, FileChange, Gap, Held, History, HistoryEnd, Rewrite, Traces, Writer,
};

/// Follows every field of `tree` that has a readable policy back to where it last started anew.
///
/// A field starts anew where its resolved `policy`, `tags` or `ignore-tags` changed, and at a commit with
/// the trailer `Tidegate-Release: FIELD`: the value it had after that commit counts, older ones do not.
/// A policy that cannot be read for a while is no change.
///
/// # Assumptions
/// `history` holds the scan of every blob that it names; a missing one is a [`Gap`], never a guess.
pub fn trace(tree: &TreeSnapshot, history: &History, rewrite: Option<&Rewrite>) -> Traces {
    let mut walk = Walk::start(tree, history, rewrite);
    for commit in &history.commits {
        walk.settle_rewrite_at(&commit.id);
        walk.step(commit);
    }
    walk.finish()
}

/// One field on its way into the past.
struct Track {
    /// Id at the tip.
    id: FieldId,
    /// Path at the point reached.
    path: String,
    /// Id without path, the same all the way.
    rest: String,
    /// Resolved settings: they are the same all the way, or the walk is over.
    text: PolicyText,
    /// The value at the point reached.
    image: String,
    /// Whether the field exists at the point reached.
    present: bool,
    /// Whether a person changed it after the point reached.
    touched: bool,
    /// Whether the walk is over for this field.
    done: bool,
    out: FieldHistory,
}

struct Walk<'a> {
    history: &'a History,
    rewrite: Option<&'a Rewrite>,
    tracks: Vec<Track>,
    /// Tracks by their path at the point reached.
    by_path: HashMap<String, Vec<usize>>,
    traces: Traces,
}

impl<'a> Walk<'a> {
    fn start(tree: &TreeSnapshot, history: &'a History, rewrite: Option<&'a Rewrite>) -> Self {
        let mut tracks: Vec<Track> = tree
            .files
            .iter()
            .flat_map(|(path, scan)| scan.fields.iter().filter_map(|field| Track::new(path, field)))
            .collect();
        let begins_here = match history.commits.first() {
            Some(tip) => tip.id == tree.revision,
            None => history.end == HistoryEnd::Shallow,
        };
        if !begins_here {
            for track in &mut tracks {
                track.end_with(Gap::OtherTip);
            }
        }
        let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, track) in tracks.iter().enumerate() {
            by_path.entry(track.path.clone()).or_default().push(index);
        }
        Self { history, rewrite, tracks, by_path, traces: Traces::default() }
    }

    /// Goes back over one commit.
    fn step(&mut self, commit: &CommitChange) {
        let trailers = trailer::read(&commit.message);
        for field in &trailers.releases {
            for track in self.tracks.iter_mut().filter(|track| !track.done) {
                if field.within(&track.path) == Some(track.rest.as_str()) {
                    track.starts_anew_in(commit);
                }
            }
        }
        let mut moves = None;
        let mut renamed = Vec::new();
        for change in &commit.files {
            let Some(indexes) = self.by_path.get(&change.path) else { continue };
            let old = match Side::of(self.history, change) {
                Ok(old) => old,
                Err(gap) => {
                    for &index in indexes {
                        self.tracks.get_mut(index).into_iter().for_each(|track| track.end_with(gap.clone()));
                    }
                    continue;
                }
            };
            for &index in indexes {
                let Some(track) = self.tracks.get_mut(index).filter(|track| !track.done) else { continue };
                if let Some(field) = old.fields.get(track.rest.as_str()) {
                    track.was(field, commit, &trailers);
                } else if track.present {
                    let moves = moves.get_or_insert_with(|| Moves::of(commit, &self.history.scans));
                    match moves.origin(&track.rest) {
                        Origin::Moved(path) => renamed.push((index, path)),
                        Origin::Ambiguous => track.end_with(Gap::Ambiguous(commit.id.clone())),
                        Origin::New => track.appeared_in(commit),
                    }
                }
            }
        }
        for (index, path) in renamed {
            self.move_track(index, path, commit, &trailers);
        }
        self.traces.decisions.extend(trailers.decisions);
    }

    /// Follows a field to the file it was in before `commit`.
    fn move_track(&mut self, index: usize, path: String, commit: &CommitChange, trailers: &Trailers) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        if let Some(indexes) = self.by_path.get_mut(&track.path) {
            indexes.retain(|&other| other != index);
        }
        let from = commit.files.iter().find(|change| change.path == path);
        let old = from.map(|change| Side::of(self.history, change));
        if let Some(Ok(old)) = old
            && let Some(field) = old.fields.get(track.rest.as_str())
        {
            track.was(field, commit, trailers);
        }
        track.path.clone_from(&path);
        self.by_path.entry(path).or_default().push(index);
    }

    /// Decides, once the walk has come to the tip seen after a rewrite, which fields it holds.
    fn settle_rewrite_at(&mut self, commit: &str) {
        if self.rewrite.is_some_and(|rewrite| rewrite.at == commit) {
            self.settle_rewrite();
        }
    }

    fn settle_rewrite(&mut self) {
        let Some(rewrite) = self.rewrite.take() else { return };
        for track in self.tracks.iter_mut().filter(|track| !track.done && !track.touched) {
            let id = FieldId(format!("{}#{}", track.path, track.rest));
            if rewrite.changed.as_ref().is_none_or(|changed| changed.contains(&id)) {
                track.out.gap = Some(Gap::Rewritten(rewrite.at.clone()));
            }
        }
    }

    fn finish(mut self) -> Traces {
        if self.history.end != HistoryEnd::Limit {
            self.settle_rewrite(); // a later rewrite took that tip away: it is not known what came after
        }
        for mut track in self.tracks {
            if !track.done && self.history.end == HistoryEnd::Shallow && track.out.gap.is_none() {
                track.out.gap = Some(Gap::Shallow);
            }
            self.traces.fields.insert(track.id, track.out);
        }
        self.traces
    }
}

impl Track {
    fn new(path: &str, field: &ImageField) -> Option<Self> {
        let FieldPolicy::Policy(policy) = &field.policy else { return None };
        let rest = field.id.within(path)?.to_owned();
        let held = vec![Held { image: field.image.clone(), by: None }];
        Some(Self {
            id: field.id.clone(),
            path: path.to_owned(),
            rest,
            text: policy.text.clone(),
            image: field.image.clone(),
            present: true,
            touched: false,
            done: false,
            out: FieldHistory { held, changed_by: None, outlived_policy: false, gap: None },
        })
    }

    /// Takes in what the field was before `commit`.
    fn was(&mut self, field: &ImageField, commit: &CommitChange, trailers: &Trailers) {
        let anew = match &field.policy {
            FieldPolicy::Policy(policy) => policy.text != self.text,
            FieldPolicy::None => true,
            FieldPolicy::Invalid(_) => false,
        };
        if field.image != self.image || !self.present {
            let id = format!("{}#{}", self.path, self.rest);
            let ours = trailers
                .updates
                .iter()
                .any(|(name, from, to)| name.0 == id && *from == field.image && *to == self.image);
            self.written_in(commit, if ours { Writer::Tidegate } else { Writer::Person });
        }
        if anew {
            self.out.outlived_policy = matches!(self.out.held.as_slice(), [Held { by: None, .. }]);
            self.starts_anew_in(commit);
        } else if field.image != self.image {
            self.image.clone_from(&field.image);
            self.out.held.push(Held { image: field.image.clone(), by: None });
        }
        self.present = true;
    }

    /// Notes that `commit` put the field where it was not before.
    fn appeared_in(&mut self, commit: &CommitChange) {
        self.written_in(commit, Writer::Person);
        self.present = false;
    }

    /// Ends the walk: older values do not count. The commit counts as a change, so that a decision taken
    /// before it may be taken again.
    fn starts_anew_in(&mut self, commit: &CommitChange) {
        self.out.changed_by.get_or_insert_with(|| commit.id.clone());
        self.done = true;
    }

    fn written_in(&mut self, commit: &CommitChange, by: Writer) {
        self.out.changed_by.get_or_insert_with(|| commit.id.clone());
        self.touched |= by == Writer::Person;
        if let Some(held) = self.out.held.last_mut() {
            held.by.get_or_insert(by);
        }
    }

    fn end_with(&mut self, gap: Gap) {
        if !self.done {
            self.out.gap.get_or_insert(gap);
            self.done = true;
        }
    }
}

/// The fields of a file before a commit, by id without path; none if the file was added.
struct Side<'a> {
    fields: HashMap<&'a str, &'a ImageField>,
}

impl<'a> Side<'a> {
    fn of(history: &'a History, change: &FileChange) -> Result<Self, Gap> {
        let scan: Option<&FileScan> = match &change.old {
            None => None,
            Some(blob) => {
                let scan = history.scans.get(&change.path, blob);
                Some(scan.ok_or_else(|| Gap::Unscanned(change.path.clone()))?)
            }
        };
        let fields = scan.into_iter().flat_map(|scan| &scan.fields);
        Ok(Self {
            fields: fields.filter_map(|field| Some((field.id.within(&change.path)?, field))).collect(),
        })
    }
}
