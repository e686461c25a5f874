//! What a person does to a repository on the server: commit, revert, reset; and what a person looks at.
//!
//! Everything happens in the bare repository, past the network and the hooks.

use std::io::Write;
use std::thread;
use std::time::Duration;

use git2::build::TreeUpdateBuilder;
use git2::{Commit, DiffFormat, ErrorCode, FileMode, Mempack, Odb, Oid, Repository, Signature, Tree};

use super::GitServer;

/// A commit, as `git log` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Id, hex.
    pub id: String,
    /// Whole message.
    pub message: String,
    /// Author, `Name <address>`.
    pub author: String,
    /// Parents' ids.
    pub parents: Vec<String>,
    /// Committer time, seconds since 1970.
    pub time: i64,
}

impl LogEntry {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl GitServer {
    /// Makes a bare repository with one commit on `branch`, its default branch; returns the commit's id.
    pub fn create_repository<P: AsRef<str>, C: AsRef<[u8]>>(
        &self,
        repository: &str,
        branch: &str,
        files: &[(P, C)],
    ) -> String {
        self.create_empty(repository, branch);
        self.commit(repository, "start", files)
    }

    /// Makes a bare repository without commits, whose default branch will be `branch`.
    pub fn create_empty(&self, repository: &str, branch: &str) {
        let bare = Repository::init_bare(self.path(repository)).unwrap();
        bare.set_head(&format!("refs/heads/{branch}")).unwrap();
        let mut config = bare.config().unwrap();
        config.set_bool("http.receivepack", true).unwrap();
        config.set_bool("receive.autogc", false).unwrap();
    }

    /// Writes files in one commit on the default branch; modes of existing files stay. Returns its id.
    pub fn commit<P: AsRef<str>, C: AsRef<[u8]>>(
        &self,
        repository: &str,
        message: &str,
        files: &[(P, C)],
    ) -> String {
        self.change(repository, message, |bare, base| {
            let mut update = TreeUpdateBuilder::new();
            for (path, content) in files {
                let blob = bare.blob(content.as_ref()).unwrap();
                let mode = base.get_path(path.as_ref().as_ref()).map_or(0o100_644, |entry| entry.filemode());
                let mode = if mode == 0o100_755 { FileMode::BlobExecutable } else { FileMode::Blob };
                update.upsert(path.as_ref(), blob, mode);
            }
            update.create_updated(bare, base).unwrap()
        })
    }

    /// Removes files in one commit on the default branch.
    pub fn remove(&self, repository: &str, message: &str, paths: &[&str]) -> String {
        self.change(repository, message, |bare, base| {
            let mut update = TreeUpdateBuilder::new();
            for path in paths {
                update.remove(*path);
            }
            update.create_updated(bare, base).unwrap()
        })
    }

    /// Sets the mode of one file (`0o100_755`), or makes it a link (`0o120_000`), in one commit.
    pub fn set_mode(&self, repository: &str, path: &str, mode: i32) -> String {
        let mode = match mode {
            0o100_755 => FileMode::BlobExecutable,
            0o120_000 => FileMode::Link,
            _ => FileMode::Blob,
        };
        self.change(repository, "change a mode", |bare, base| {
            let blob = base.get_path(path.as_ref()).unwrap().id();
            TreeUpdateBuilder::new().upsert(path, blob, mode).create_updated(bare, base).unwrap()
        })
    }

    /// Takes a commit back with another one, as `git revert` does.
    pub fn revert(&self, repository: &str, id: &str) -> String {
        let bare = self.bare(repository);
        let reverted = bare.find_commit(Oid::from_str(id).unwrap()).unwrap();
        let subject = reverted.summary().unwrap().unwrap_or_default();
        let message = format!("Revert \"{subject}\"\n\nThis reverts commit {id}.\n");
        self.change(repository, &message, |bare, _| {
            let head = bare.head().unwrap().peel_to_commit().unwrap();
            let reverted = bare.find_commit(reverted.id()).unwrap();
            let mut index = bare.revert_commit(&reverted, &head, 0, None).unwrap();
            assert!(!index.has_conflicts(), "reverting {id} conflicts");
            index.write_tree_to(bare).unwrap()
        })
    }

    /// Points the default branch at a commit, whatever it pointed at.
    pub fn reset(&self, repository: &str, id: &str) {
        let bare = self.bare(repository);
        bare.reference(&head_name(&bare), Oid::from_str(id).unwrap(), true, "reset").unwrap();
    }

    /// Makes a branch at the default branch's tip.
    pub fn create_branch(&self, repository: &str, branch: &str) {
        let bare = self.bare(repository);
        let tip = bare.head().unwrap().target().unwrap();
        bare.reference(&format!("refs/heads/{branch}"), tip, false, "branch").unwrap();
    }

    /// The default branch's tip.
    pub fn head(&self, repository: &str) -> String {
        self.bare(repository).head().unwrap().target().unwrap().to_string()
    }

    /// The default branch's first parents, newest first.
    pub fn log(&self, repository: &str) -> Vec<LogEntry> {
        let bare = self.bare(repository);
        let mut entries = Vec::new();
        let mut next = Some(bare.head().unwrap().peel_to_commit().unwrap());
        while let Some(commit) = next {
            entries.push(entry(&commit));
            next = commit.parent(0).ok();
        }
        entries
    }

    /// A file at the default branch's tip; `None` if there is none.
    pub fn file(&self, repository: &str, path: &str) -> Option<String> {
        self.file_at(repository, "HEAD", path)
    }

    /// A file at a revision (an id, a branch).
    pub fn file_at(&self, repository: &str, revision: &str, path: &str) -> Option<String> {
        let bare = self.bare(repository);
        let object = bare.revparse_single(&format!("{revision}:{path}")).ok()?;
        let blob = object.peel_to_blob().ok()?;
        Some(String::from_utf8_lossy(blob.content()).into_owned())
    }

    /// All entries below the root at a revision, as `(path, mode, id)`.
    pub fn tree(&self, repository: &str, revision: &str) -> Vec<(String, i32, String)> {
        let bare = self.bare(repository);
        let tree = bare.revparse_single(revision).unwrap().peel_to_tree().unwrap();
        let mut entries = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |directory, entry| {
            if entry.kind() != Some(git2::ObjectType::Tree) {
                let name = String::from_utf8_lossy(entry.name_bytes());
                entries.push((format!("{directory}{name}"), entry.filemode(), entry.id().to_string()));
            }
            git2::TreeWalkResult::Ok
        })
        .unwrap();
        entries
    }

    /// What a commit changed, as a unified diff without the commit's header.
    pub fn patch(&self, repository: &str, id: &str) -> String {
        let bare = self.bare(repository);
        let commit = bare.find_commit(Oid::from_str(id).unwrap()).unwrap();
        let old = commit.parent(0).ok().map(|parent| parent.tree().unwrap());
        let diff = bare.diff_tree_to_tree(old.as_ref(), Some(&commit.tree().unwrap()), None).unwrap();
        let mut text = String::new();
        diff.print(DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                text.push(line.origin());
            }
            text.push_str(&String::from_utf8_lossy(line.content()));
            true
        })
        .unwrap();
        text
    }

    fn bare(&self, repository: &str) -> Repository {
        Repository::open_bare(self.path(repository)).unwrap()
    }

    /// Commits what `edit` makes of the tip's tree; tries again when somebody else was quicker.
    fn change(
        &self,
        repository: &str,
        message: &str,
        edit: impl Fn(&Repository, &Tree<'_>) -> Oid,
    ) -> String {
        let bare = self.bare(repository);
        // Thousands of new files become one pack, not thousands of loose objects.
        let odb = bare.odb().unwrap();
        let memory = odb.add_new_mempack_backend(1000).unwrap();
        let branch = head_name(&bare);
        let person = Signature::now("Ana Person", "ana@example.com").unwrap();
        for _ in 0..100 {
            let tip = bare.head().ok().map(|head| head.peel_to_commit().unwrap());
            let empty = bare.treebuilder(None).unwrap().write().unwrap();
            let start = tip.as_ref().map_or_else(|| bare.find_tree(empty), Commit::tree).unwrap();
            let tree = bare.find_tree(edit(&bare, &start)).unwrap();
            let parents: Vec<_> = tip.iter().collect();
            let id = bare.commit(None, &person, &person, message, &tree, &parents).unwrap();
            keep(&bare, &odb, &memory);
            let moved = match &tip {
                Some(tip) => bare.reference_matching(&branch, id, true, tip.id(), "commit"),
                None => bare.reference(&branch, id, false, "commit"),
            };
            match moved {
                Ok(_) => return id.to_string(),
                Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Locked) => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("cannot commit to {repository}: {error}"),
            }
        }
        panic!("cannot commit to {repository}: it is always being written by others");
    }
}

/// Writes what is in memory to disk.
fn keep(bare: &Repository, odb: &Odb<'_>, memory: &Mempack<'_>) {
    let mut pack = git2::Buf::new();
    memory.dump(bare, &mut pack).unwrap();
    memory.reset().unwrap();
    // Header and checksum alone: the same commit was made before.
    if pack.len() > 32 {
        let mut writer = odb.packwriter().unwrap();
        writer.write_all(&pack).unwrap();
        writer.commit().unwrap();
    }
}

fn head_name(bare: &Repository) -> String {
    let head = bare.find_reference("HEAD").unwrap();
    head.symbolic_target().unwrap().expect("HEAD names a branch").to_owned()
}

fn entry(commit: &Commit<'_>) -> LogEntry {
    LogEntry {
        id: commit.id().to_string(),
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        author: commit.author().to_string(),
        parents: commit.parent_ids().map(|id| id.to_string()).collect(),
        time: commit.time().seconds(),
    }
}
