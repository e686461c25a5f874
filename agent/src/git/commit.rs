//! Writing a commit without a worktree: blobs, the trees above them, the commit object.

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Time};

use super::mirror::Mirror;
use super::trouble::Trouble;
use super::{NewCommit, tree};
use crate::error::Failure;

impl Mirror {
    /// Writes a commit whose tree is its parent's but for `files`. No ref is moved.
    ///
    /// # Guarantees
    /// Modes and all other entries stay; the commit is not older than its parent.
    pub(super) fn write(&mut self, new: &NewCommit) -> Result<String, Trouble> {
        let id = self.write_objects(new)?;
        self.grown = true;
        self.store.tighten()?;
        Ok(id.to_string())
    }

    fn write_objects(&mut self, new: &NewCommit) -> Result<Oid, Trouble> {
        let signer = |time| {
            git2::Signature::new(&new.author.name, &new.author.email, &time).map_err(|error| {
                Failure::reject("the commit author cannot be written").because(error).hint(
                    "the source's `author` needs a name and an address, without angle brackets and line ends",
                )
            })
        };
        let tip = self.commit_at(&new.parent)?.id();
        let repository = self.repository()?;
        let parent = repository.find_commit(tip)?;
        let base = parent.tree()?;
        let mut update = TreeUpdateBuilder::new();
        for (path, content) in &new.files {
            let mode = tree::entry_at(repository, &base, path)?
                .filter(|entry| entry.kind() == Some(ObjectType::Blob))
                .and_then(|entry| file_mode(entry.filemode()));
            let Some(mode) = mode else {
                let path = path.escape_debug();
                return Err(Failure::bug(format!("`{path}` is no regular file in {}", new.parent)).into());
            };
            update.upsert(path.as_str(), repository.blob(content)?, mode);
        }
        let tree = repository.find_tree(update.create_updated(repository, &base)?)?;
        let seconds = new.time.as_second().max(parent.time().seconds());
        let signature = signer(Time::new(seconds, 0))?;
        Ok(repository.commit(None, &signature, &signature, &new.message, &tree, &[&parent])?)
    }
}

/// The modes of regular files.
fn file_mode(mode: i32) -> Option<FileMode> {
    [FileMode::Blob, FileMode::BlobExecutable, FileMode::BlobGroupWritable]
        .into_iter()
        .find(|known| i32::from(*known) == mode)
}
