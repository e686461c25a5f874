//! One branch's mirror and its connection, as the owner thread holds them.
//!
//! The operations are in the modules beside this one. Not here: the thread and who may ask it
//! ([`super::repository`]).

use std::sync::Arc;

use git2::Oid;

use super::http::Connection;
use super::remote::Remote;
use super::store::Store;
use super::trouble::Trouble;
use crate::context::Context;
use crate::error::Failure;

/// A mirror. Handles of libgit2 never leave it.
pub(super) struct Mirror {
    /// Closed before the store's lock is released: fields are dropped in this order.
    repository: Option<git2::Repository>,
    pub(super) store: Store,
    pub(super) remote: Arc<Remote>,
    pub(super) connection: Connection,
    /// Something could not be read: the next fetch clones anew.
    suspect: bool,
    /// Objects were added since the mirror's size was last looked at.
    pub(super) grown: bool,
}

impl Mirror {
    pub(super) fn new(remote: Arc<Remote>, connection: Connection, store: Store) -> Self {
        Self { remote, connection, store, repository: None, suspect: false, grown: true }
    }

    /// Runs one operation; damage to the mirror becomes a failure, and the next fetch mends it.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        work(self).map_err(|trouble| match trouble {
            Trouble::Failed(failure) => failure,
            Trouble::Damaged(error) => {
                self.distrust();
                Failure::retry(format!("the mirror of {} cannot be read", self.remote))
                    .because(error)
                    .hint("it is cloned again with the next fetch")
            }
        })
    }

    /// Closes the mirror; the next fetch clones anew.
    pub(super) fn distrust(&mut self) {
        self.repository = None;
        self.suspect = true;
    }

    /// Throws the mirror away if it is not trusted.
    pub(super) fn discard_if_suspect(&mut self) -> Result<(), Failure> {
        if self.suspect {
            tracing::warn!(event = "git-mirror-discarded", url = %self.remote, "the mirror is cloned again");
            self.repository = None;
            self.store.discard()?;
            self.suspect = false;
        }
        Ok(())
    }

    /// The repository on disk, opened when it is first needed.
    pub(super) fn repository(&mut self) -> Result<&git2::Repository, Trouble> {
        if self.repository.is_none() {
            self.repository = Some(self.store.open()?);
        }
        self.repository
            .as_ref()
            .ok_or_else(|| Trouble::Failed(Failure::bug("a git mirror is open and is not")))
    }

    /// The repository and the commit `revision`, which the caller has from an earlier fetch.
    pub(super) fn commit_at(&mut self, revision: &str) -> Result<git2::Commit<'_>, Trouble> {
        let id = parse_id(revision)?;
        let unknown = Failure::retry(format!("commit {revision} is not in the mirror of {}", self.remote))
            .hint("it is fetched again if the branch still has it");
        match self.repository()?.find_commit(id) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => Err(unknown.because(error).into()),
            commit => Ok(commit?),
        }
    }
}

/// Reads an object id that this process has printed.
pub(super) fn parse_id(text: &str) -> Result<Oid, Failure> {
    if text.len() == 40
        && let Ok(id) = Oid::from_str(text)
    {
        return Ok(id);
    }
    Err(Failure::bug(format!("`{}` is no object id", text.escape_debug())))
}

/// Ends long local work when nobody waits for it.
pub(super) fn keep_going(context: &Context) -> Result<(), Failure> {
    if context.cancel.is_cancelled() || context.remaining().is_zero() {
        return Err(Failure::cancelled("reading the git mirror was given up"));
    }
    Ok(())
}
