//! The configuration file, watched by content: a bad one keeps the last good one and says so.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::config::{self, Config};
use crate::error::Failure;

/// A file that was read once and is looked at again.
pub(super) struct ConfigFile {
    path: PathBuf,
    seen: Vec<u8>,
    running: Config,
}

impl ConfigFile {
    /// Reads the file; at start a bad one is an error.
    pub(super) fn open(path: &Path) -> Result<(Self, Config), Failure> {
        let config = config::load(path)?;
        let file = Self { path: path.to_owned(), seen: hash(path), running: config.clone() };
        Ok((file, config))
    }

    /// Returns the new configuration if the content has changed, is valid and means something else.
    pub(super) fn changed(&mut self) -> Option<Config> {
        let now = hash(&self.path);
        if now == self.seen {
            return None;
        }
        self.seen = now;
        match config::load(&self.path) {
            Ok(config) if config == self.running => None,
            Ok(config) => {
                if config.listen != self.running.listen || config.state != self.running.state {
                    tracing::warn!(
                        event = "config",
                        "`listen` and `state` take effect when the process starts again"
                    );
                }
                self.running = config.clone();
                Some(config)
            }
            Err(failure) => {
                tracing::error!(
                    event = "config",
                    error = failure.chain(),
                    "the changed configuration is refused; the last good one stays in force"
                );
                None
            }
        }
    }
}

/// An unreadable file hashes to nothing: it counts as a change, and loading it says why it cannot be read.
fn hash(path: &Path) -> Vec<u8> {
    std::fs::read(path).map(|bytes| Sha256::digest(bytes).to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "sources:\n- {name: a, url: https://git.example.com/a}\n";

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidegate.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn only_a_change_of_meaning_reloads() {
        let (_folder, path) = file(GOOD);
        let (mut file, _) = ConfigFile::open(&path).unwrap();
        assert!(file.changed().is_none());
        std::fs::write(&path, format!("# a comment\n{GOOD}")).unwrap();
        assert!(file.changed().is_none());
        std::fs::write(&path, GOOD.replace("name: a", "name: b")).unwrap();
        assert_eq!(file.changed().unwrap().sources[0].name, "b");
        assert!(file.changed().is_none());
    }

    #[test]
    fn a_bad_file_keeps_the_last_good_one() {
        let (_folder, path) = file(GOOD);
        let (mut file, _) = ConfigFile::open(&path).unwrap();
        std::fs::write(&path, "nonsense: true\n").unwrap();
        assert!(file.changed().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(file.changed().is_none());
        std::fs::write(&path, GOOD.replace("name: a", "name: c")).unwrap();
        assert_eq!(file.changed().unwrap().sources[0].name, "c");
    }
}
