//! Reading trees and blobs of the mirror by id. There is no checkout: nothing in a tree is followed.

use bytes::Bytes;
use git2::{ErrorCode, ObjectType, Oid, Repository, Tree, TreeEntry};

use super::TreeFile;
use super::mirror::{Mirror, keep_going, parse_id};
use super::trouble::Trouble;
use crate::context::Context;
use crate::error::Failure;

/// A deeper tree is refused.
const MAX_DEPTH: usize = 100;

/// A tree with more entries is refused (one tree object can be named again and again).
const MAX_ENTRIES: usize = 1_000_000;

/// Bits of a mode that tell what an entry is, and their value for a regular file.
const KIND_OF_MODE: i32 = 0o170_000;
const REGULAR: i32 = 0o100_000;

impl Mirror {
    /// Lists regular files below `path`, in path order; none if there is no such directory.
    pub(super) fn files(
        &mut self,
        context: &Context,
        revision: &str,
        path: &str,
    ) -> Result<Vec<TreeFile>, Trouble> {
        let root = self.commit_at(revision)?.tree_id();
        let repository = self.repository()?;
        let root = repository.find_tree(root)?;
        let mut walk = Walk { repository, context, left: MAX_ENTRIES, files: Vec::new() };
        if let Some(id) = directory_at(repository, &root, path)? {
            let prefix = path.trim_matches('/');
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            walk.directory(id, &prefix, 0)?;
        }
        let mut files = walk.files;
        // A well-made tree is in this order already, and has each name once.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    /// Reads blobs; one over `max_bytes` is `None`.
    pub(super) fn blobs(
        &mut self,
        context: &Context,
        ids: &[String],
        max_bytes: usize,
    ) -> Result<Vec<Option<Bytes>>, Trouble> {
        let odb = self.repository()?.odb()?;
        let mut blobs = Vec::with_capacity(ids.len());
        for id in ids {
            keep_going(context)?;
            let id = parse_id(id)?;
            let (size, _) = odb.read_header(id)?;
            blobs.push(if size <= max_bytes {
                Some(Bytes::copy_from_slice(odb.read(id)?.data()))
            } else {
                None
            });
        }
        Ok(blobs)
    }
}

struct Walk<'a> {
    repository: &'a Repository,
    context: &'a Context,
    left: usize,
    files: Vec<TreeFile>,
}

impl Walk<'_> {
    fn directory(&mut self, id: Oid, prefix: &str, depth: usize) -> Result<(), Trouble> {
        keep_going(self.context)?;
        check_depth(depth)?;
        let tree = self.repository.find_tree(id)?;
        for entry in &tree {
            count(&mut self.left)?;
            let Some((name, kind)) = visible(&entry) else { continue };
            let path = format!("{prefix}{name}");
            match kind {
                Kind::File => self.files.push(TreeFile { path, blob: entry.id().to_string() }),
                Kind::Directory => self.directory(entry.id(), &format!("{path}/"), depth + 1)?,
            }
        }
        Ok(())
    }
}

/// Takes one from the entries that may still be read.
pub(super) fn count(left: &mut usize) -> Result<(), Failure> {
    *left = left.checked_sub(1).ok_or_else(|| {
        Failure::reject(format!("the tree has more than {MAX_ENTRIES} entries"))
            .hint("set the source's `path` to the directory that holds manifests")
    })?;
    Ok(())
}

/// The entries that one walk may read.
pub(super) fn budget() -> usize {
    MAX_ENTRIES
}

/// Refuses a tree without end.
pub(super) fn check_depth(depth: usize) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::reject(format!("the tree is more than {MAX_DEPTH} directories deep")));
    }
    Ok(())
}

/// What an entry is, of the things that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file, executable or not.
    File,
    /// A tree.
    Directory,
}

/// Name and kind of an entry; `None` for symlinks, submodules and names that no file system should see.
pub(super) fn visible<'a>(entry: &'a TreeEntry<'_>) -> Option<(&'a str, Kind)> {
    let kind = match (entry.kind(), entry.filemode_raw() & KIND_OF_MODE) {
        (Some(ObjectType::Blob), REGULAR) => Kind::File,
        (Some(ObjectType::Tree), _) => Kind::Directory,
        _ => return None,
    };
    let name = std::str::from_utf8(entry.name_bytes()).ok()?;
    is_harmless(name).then_some((name, kind))
}

fn is_harmless(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.eq_ignore_ascii_case(".git")
        && !name.eq_ignore_ascii_case("git~1")
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}

/// The entry at a path, one name at a time.
pub(super) fn entry_at(
    repository: &Repository,
    root: &Tree<'_>,
    path: &str,
) -> Result<Option<TreeEntry<'static>>, Trouble> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(id) = directory_at(repository, root, directory)? else { return Ok(None) };
    Ok(child(&repository.find_tree(id)?, name))
}

/// The tree at a path; `None` if there is none.
pub(super) fn directory_at(
    repository: &Repository,
    root: &Tree<'_>,
    path: &str,
) -> Result<Option<Oid>, Trouble> {
    let mut id = root.id();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let tree = match repository.find_tree(id) {
            Err(error) if error.code() == ErrorCode::NotFound => return Err(Trouble::Damaged(error)),
            tree => tree?,
        };
        match child(&tree, name) {
            Some(entry) if entry.kind() == Some(ObjectType::Tree) => id = entry.id(),
            _ => return Ok(None),
        }
    }
    Ok(Some(id))
}

/// An entry by name, if its name is harmless.
fn child(tree: &Tree<'_>, name: &str) -> Option<TreeEntry<'static>> {
    // Searched one by one: a tree that is not in order hides entries from a binary search.
    tree.iter()
        .find(|entry| entry.name_bytes() == name.as_bytes() && visible(entry).is_some())
        .map(|entry| entry.to_owned())
}
