//! What each commit changed along first parents: the facts from which a field's history is read.

use git2::{Commit, ErrorCode, Oid, Repository};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tidegate_policy::history::{CommitChange, FileChange, HistoryEnd};

use super::mirror::{Mirror, keep_going, parse_id};
use super::tree::{Kind, budget, check_depth, count, directory_at, visible};
use super::trouble::Trouble;
use crate::context::Context;

impl Mirror {
    /// Walks first parents from `revision`, newest first; see [`super::GitRepo::history`].
    pub(super) fn history(
        &mut self,
        context: &Context,
        revision: &str,
        until: Option<&str>,
        limit: usize,
        path: &str,
    ) -> Result<(Vec<CommitChange>, HistoryEnd), Trouble> {
        let until = until.map(parse_id).transpose()?;
        let mut next = self.commit_at(revision)?.id();
        let repository = self.repository()?;
        let shallow = shallow_boundary(repository);
        let mut changes = Vec::new();
        loop {
            if changes.len() == limit || Some(next) == until {
                return Ok((changes, HistoryEnd::Limit));
            }
            keep_going(context)?;
            let commit = repository.find_commit(next)?;
            if shallow.contains(&commit.id()) {
                return Ok((changes, HistoryEnd::Shallow));
            }
            let parent = match commit.parent_ids().next() {
                Some(id) => Some(repository.find_commit(id)?),
                None => None,
            };
            changes.push(change(repository, context, &commit, parent.as_ref(), path)?);
            match parent {
                Some(parent) => next = parent.id(),
                None => return Ok((changes, HistoryEnd::Root)),
            }
        }
    }

    /// Tells whether `ancestor` is `revision` or can be reached from it; `None` if it is not here.
    pub(super) fn is_ancestor(&mut self, ancestor: &str, revision: &str) -> Result<Option<bool>, Trouble> {
        let ancestor = parse_id(ancestor)?;
        let revision = self.commit_at(revision)?.id();
        let repository = self.repository()?;
        match repository.find_commit(ancestor) {
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Some(ancestor == revision || repository.graph_descendant_of(revision, ancestor)?)),
        }
    }
}

/// The commits whose parents a shallow server did not send.
fn shallow_boundary(repository: &Repository) -> Vec<Oid> {
    if !repository.is_shallow() {
        return Vec::new();
    }
    let text = std::fs::read_to_string(repository.path().join("shallow")).unwrap_or_default();
    text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
}

fn change(
    repository: &Repository,
    context: &Context,
    commit: &Commit<'_>,
    parent: Option<&Commit<'_>>,
    path: &str,
) -> Result<CommitChange, Trouble> {
    let new = directory_at(repository, &commit.tree()?, path)?;
    let old = match parent {
        Some(parent) => directory_at(repository, &parent.tree()?, path)?,
        None => None,
    };
    let prefix = path.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let mut diff = Diff { repository, context, left: budget(), files: Vec::new() };
    diff.directories(old, new, &prefix, 0)?;
    let mut files = diff.files;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(CommitChange {
        id: commit.id().to_string(),
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        time: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::UNIX_EPOCH),
        files,
    })
}

struct Diff<'a> {
    repository: &'a Repository,
    context: &'a Context,
    left: usize,
    files: Vec<FileChange>,
}

impl Diff<'_> {
    fn directories(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Trouble> {
        if old == new {
            return Ok(());
        }
        keep_going(self.context)?;
        check_depth(depth)?;
        let old = self.entries(old)?;
        let new = self.entries(new)?;
        let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (old, new) = (old.get(name).copied(), new.get(name).copied());
            if old == new {
                continue;
            }
            let path = format!("{prefix}{name}");
            let of = |entry: Option<(Kind, Oid)>, kind| entry.filter(|(k, _)| *k == kind).map(|(_, id)| id);
            self.directories(
                of(old, Kind::Directory),
                of(new, Kind::Directory),
                &format!("{path}/"),
                depth + 1,
            )?;
            let (old, new) = (of(old, Kind::File), of(new, Kind::File));
            if old != new && is_structured(name) {
                let hex = |id: Option<Oid>| id.map(|id| id.to_string());
                self.files.push(FileChange { path, old: hex(old), new: hex(new) });
            }
        }
        Ok(())
    }

    fn entries(&mut self, tree: Option<Oid>) -> Result<BTreeMap<String, (Kind, Oid)>, Trouble> {
        let mut entries = BTreeMap::new();
        if let Some(id) = tree {
            for entry in &self.repository.find_tree(id)? {
                count(&mut self.left)?;
                if let Some((name, kind)) = visible(&entry) {
                    entries.entry(name.to_owned()).or_insert((kind, entry.id()));
                }
            }
        }
        Ok(entries)
    }
}

/// Whether a file's name says that it is YAML or JSON.
fn is_structured(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
