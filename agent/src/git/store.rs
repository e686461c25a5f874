//! Where a mirror lies on disk: `git/<hash of url and branch>` in the state directory, for us alone.
//!
//! A mirror is a cache: whatever is wrong with it, it is thrown away and cloned again. Not here: fetching
//! ([`super::fetch`]).

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::remote::Remote;
use super::trouble::Trouble;
use crate::error::Failure;

/// So many owners of one mirror get a directory of their own each.
const MAX_OWNERS: u32 = 16;

/// Each fetch adds a pack of two files, and each commit some five loose objects; libgit2 never repacks.
const MAX_PACK_FILES: usize = 400;
const MAX_LOOSE_OBJECTS: usize = 2000;

/// The directory of a mirror, held against other owners in this and other processes.
pub(super) struct Store {
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Takes a directory for the mirror of `remote`; creates nothing in it yet.
    pub(super) fn take(state: &Path, remote: &Remote) -> Result<Self, Failure> {
        let parent = state.join("git");
        let unwritable = |error: io::Error| {
            Failure::reject(format!("cannot write to {}", parent.display()))
                .because(error)
                .hint("the state directory must be writable")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&parent).map_err(unwritable)?;
        let name = name_of(remote);
        for number in 0..MAX_OWNERS {
            let name = if number == 0 { name.clone() } else { format!("{name}-{number}") };
            let lock = File::options()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(parent.join(format!("{name}.lock")))
                .map_err(unwritable)?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: parent.join(name), _lock: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
            }
        }
        Err(Failure::reject(format!("{remote} has more than {MAX_OWNERS} mirrors in {}", parent.display()))
            .hint("name the same repository and branch in fewer sources"))
    }

    /// Opens the mirror, creating an empty one where there is none.
    pub(super) fn open(&self) -> Result<git2::Repository, Trouble> {
        if !self.path.exists() {
            DirBuilder::new().mode(0o700).create(&self.path).map_err(|error| self.failed("create", error))?;
            let repository = git2::Repository::init_bare(&self.path)?;
            self.tighten()?;
            return Ok(repository);
        }
        self.sweep().map_err(|error| Trouble::Damaged(git2::Error::from_str(&error.to_string())))?;
        Ok(git2::Repository::open_bare(&self.path)?)
    }

    /// Removes half-written packs: a process that was killed while it cloned leaves one behind.
    fn sweep(&self) -> io::Result<()> {
        for file in files(&self.path.join("objects/pack"))? {
            let extension = file.extension().unwrap_or_default();
            if extension != "pack" && extension != "idx" {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    /// Tells whether so many packs and loose objects have gathered that a new clone is cheaper to read.
    pub(super) fn is_crowded(&self) -> Result<bool, Failure> {
        let count = || -> io::Result<bool> {
            let mut loose = 0;
            for number in 0..=u8::MAX {
                loose += files(&self.path.join(format!("objects/{number:02x}")))?.len();
            }
            let packs = files(&self.path.join("objects/pack"))?.len();
            Ok(packs > MAX_PACK_FILES || loose > MAX_LOOSE_OBJECTS)
        };
        count().map_err(|error| self.failed("read", error))
    }

    /// Throws the mirror away.
    pub(super) fn discard(&self) -> Result<(), Failure> {
        let removed =
            if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("remove", error)),
            _ => Ok(()),
        }
    }

    /// Takes all permissions from others: libgit2 creates files as the process's umask says.
    pub(super) fn tighten(&self) -> Result<(), Failure> {
        tighten(&self.path).map_err(|error| self.failed("protect", error))
    }

    fn failed(&self, what: &str, error: io::Error) -> Failure {
        Failure::retry(format!("cannot {what} the mirror in {}", self.path.display()))
            .because(error)
            .hint("the state directory must be writable, and ours alone")
    }
}

fn name_of(remote: &Remote) -> String {
    let mut hash = Sha256::new();
    hash.update(remote.url.as_str());
    hash.update([0]);
    hash.update(&remote.branch);
    hash.finalize().iter().take(16).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

/// The entries of a directory; none if there is no such directory.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn tighten(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 && !metadata.is_symlink() {
            fs::set_permissions(entry.path(), Permissions::from_mode(mode & 0o700))?;
        }
        if metadata.is_dir() {
            tighten(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::remote::{DEFAULT_MAX_PACK_BYTES, RemoteConfig};

    fn remote(branch: &str) -> Remote {
        Remote::check(&RemoteConfig {
            url: "https://git.example.com/acme/fleet".into(),
            branch: branch.into(),
            state_dir: PathBuf::new(),
            allow_insecure: false,
            credentials: None,
            ca_file: None,
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        })
        .unwrap()
    }

    fn open_to_others(directory: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.permissions().mode() & 0o077 != 0 {
                found.push(entry.path());
            }
            if metadata.is_dir() {
                found.extend(open_to_others(&entry.path()));
            }
        }
        found
    }

    #[test]
    fn nothing_in_the_state_directory_is_open_to_others() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::take(state.path(), &remote("main")).unwrap();
        let repository = store.open().unwrap();
        repository.blob(b"secret").unwrap();
        assert_ne!(open_to_others(state.path()), Vec::<PathBuf>::new(), "libgit2 protects by itself");
        store.tighten().unwrap();
        assert_eq!(open_to_others(state.path()), Vec::<PathBuf>::new());
    }

    #[test]
    fn half_a_pack_of_a_killed_process_is_removed() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::take(state.path(), &remote("main")).unwrap();
        drop(store.open().unwrap());
        let packs = store.path.join("objects/pack");
        for name in ["pack_git2_1a2b3c", "pack-1.pack", "pack-1.idx"] {
            fs::write(packs.join(name), "x").unwrap();
        }
        drop(store.open().unwrap());
        let mut left: Vec<_> = files(&packs)
            .unwrap()
            .iter()
            .filter_map(|file| file.extension().map(ToOwned::to_owned))
            .collect();
        left.sort();
        assert_eq!(left, ["idx", "pack"]);
        assert_eq!(files(&packs).unwrap().len(), 2);
    }

    #[test]
    fn many_packs_or_loose_objects_are_a_crowd() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::take(state.path(), &remote("main")).unwrap();
        drop(store.open().unwrap());
        let fill = |directory: &str, count: usize| {
            let directory = store.path.join(directory);
            fs::create_dir_all(&directory).unwrap();
            (0..count).for_each(|n| fs::write(directory.join(n.to_string()), "").unwrap());
        };
        fill("objects/pack", MAX_PACK_FILES);
        fill("objects/ab", MAX_LOOSE_OBJECTS);
        assert!(!store.is_crowded().unwrap());
        fill("objects/cd", 1);
        assert!(store.is_crowded().unwrap());
    }

    #[test]
    fn branches_and_second_owners_get_directories_of_their_own() {
        let state = tempfile::tempdir().unwrap();
        let first = Store::take(state.path(), &remote("main")).unwrap();
        let second = Store::take(state.path(), &remote("main")).unwrap();
        let other = Store::take(state.path(), &remote("next")).unwrap();
        assert_ne!(first.path, second.path);
        assert_ne!(first.path, other.path);
        let path = first.path.clone();
        drop(first);
        assert_eq!(Store::take(state.path(), &remote("main")).unwrap().path, path);
    }
}
