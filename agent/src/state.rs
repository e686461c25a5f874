//! The state directory: a cache, locked by the daemon, replaced by a temporary one when it cannot be written.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Failure;

/// A directory that is ours while this lives.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    _lock: Option<File>,
    _temporary: Option<TempDir>,
}

impl StateDirectory {
    /// Opens and locks `path`; falls back to a temporary directory, loudly, if it cannot be written.
    ///
    /// A directory locked by another process is a `Reject`: two daemons with one configuration are a mistake.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        match lock(path) {
            Ok(lock) => Ok(Self { path: path.to_owned(), _lock: Some(lock), _temporary: None }),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::reject(format!("the state directory {} is in use", path.display()))
                    .hint("another tidegate runs with the same `state`"))
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(
                    event = "state",
                    path = %path.display(),
                    error = %error,
                    "the state directory cannot be written; a temporary one is used and every start clones again"
                );
                Self::temporary()
            }
        }
    }

    /// Makes a directory of its own, for verbs that run beside the daemon.
    pub fn temporary() -> Result<Self, Failure> {
        let temporary = tempfile::Builder::new().prefix("tidegate-").tempdir().map_err(|error| {
            Failure::reject("cannot make a temporary directory").because(error).hint("set TMPDIR")
        })?;
        Ok(Self { path: temporary.path().to_owned(), _lock: None, _temporary: Some(temporary) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(path: &Path) -> Result<File, TryLockError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(TryLockError::Error)?;
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join("lock"))
        .map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_locked_until_it_is_dropped() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        let first = StateDirectory::open(&path).unwrap();
        let chain = StateDirectory::open(&path).expect_err("locked").chain();
        assert!(chain.contains("in use"), "{chain}");
        drop(first);
        assert_eq!(StateDirectory::open(&path).unwrap().path(), path);
    }

    #[test]
    fn a_path_that_cannot_be_written_gives_a_temporary_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let state = StateDirectory::open(&file.path().join("below-a-file")).unwrap();
        assert!(state.path().is_dir());
        assert!(!state.path().starts_with(file.path()));
    }
}
