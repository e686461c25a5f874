//! What the two loops of one source share: the revision of its branch that was seen last.
//!
//! Published by the update loop ([`crate::update`]), followed by the sync loop.

use std::sync::Arc;

use tokio::sync::watch;

use crate::git::TreeFile;

/// A revision that was seen on the remote: fetched from it, or pushed and acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRevision {
    /// Commit id, hex.
    pub revision: String,
    /// Regular files below the source's path, in path order.
    pub files: Arc<Vec<TreeFile>>,
}

/// Where revisions are published; `None` until the first one.
pub type SeenSender = watch::Sender<Option<Arc<SeenRevision>>>;

/// Where revisions are read.
pub type SeenReceiver = watch::Receiver<Option<Arc<SeenRevision>>>;
