//! Bringing one branch's tip here: a look at the advertised refs, and a download only if the tip is new.

use std::sync::Arc;

use git2::{AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, Oid, RemoteCallbacks};

use super::http::Exchange;
use super::mirror::Mirror;
use super::remote::Remote;
use super::text::printable;
use super::transport::{self, ADDRESS};
use super::trouble::Trouble;
use crate::context::Context;
use crate::error::Failure;

/// So many branches are named in a hint.
const NAMED_BRANCHES: usize = 5;

impl Mirror {
    /// Fetches the branch; returns its tip. An unchanged tip costs one request.
    ///
    /// A mirror that turns out to be damaged is thrown away and cloned, once.
    pub(super) fn fetch(&mut self, context: &Context) -> Result<String, Trouble> {
        self.discard_if_suspect()?;
        match self.fetch_once(context) {
            Err(Trouble::Damaged(error)) => {
                tracing::warn!(event = "git-mirror-damaged", url = %self.remote, error = error.message());
                self.clone_anew(context)
            }
            // Only now: no commit that somebody may still ask for is lost when the tip has not moved.
            Ok((_, false)) if std::mem::take(&mut self.grown) && self.store.is_crowded()? => {
                self.clone_anew(context)
            }
            outcome => outcome,
        }
        .map(|(tip, _)| tip.to_string())
    }

    fn clone_anew(&mut self, context: &Context) -> Result<(Oid, bool), Trouble> {
        self.distrust();
        self.discard_if_suspect()?;
        self.fetch_once(context)
    }

    /// Returns the tip, and whether it is new here.
    fn fetch_once(&mut self, context: &Context) -> Result<(Oid, bool), Trouble> {
        let exchange = self.connection.exchange(context, None)?;
        let remote = Arc::clone(&self.remote);
        let repository = self.repository()?;
        let (tip, new) = transport::through(&exchange, || download(repository, &remote, &exchange))?;
        if new {
            repository.reference(&remote.tracking_reference(), tip, true, "fetch")?;
            // Read now what every reader needs first, so that damage is found while it can be mended.
            repository.find_commit(tip)?.tree()?;
            self.grown = true;
            self.store.tighten()?;
        }
        Ok((tip, new))
    }
}

/// Asks for the branch's tip and downloads it if it is not here; tells whether it is new.
fn download(
    repository: &git2::Repository,
    remote: &Remote,
    exchange: &Arc<Exchange>,
) -> Result<(Oid, bool), Trouble> {
    let mut anonymous = repository.remote_anonymous(ADDRESS)?;
    let mut connection =
        anonymous.connect_auth(Direction::Fetch, None, None).map_err(|error| failed(exchange, error))?;
    let tip = advertised(connection.list().map_err(|error| failed(exchange, error))?, remote)?;
    match repository.refname_to_id(&remote.tracking_reference()) {
        Ok(known) if known == tip => {
            repository.find_commit(tip)?.tree()?;
            return Ok((tip, false));
        }
        Err(error) if error.code() != ErrorCode::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|_| !exchange.is_over());
    let mut options = FetchOptions::new();
    options.download_tags(AutotagOption::None).update_fetchhead(false).remote_callbacks(callbacks);
    let refspec = format!("+{}:{}", remote.reference(), remote.tracking_reference());
    connection.remote().download(&[refspec], Some(&mut options)).map_err(|error| failed(exchange, error))?;
    Ok((tip, true))
}

/// Finds the branch among the advertised refs.
fn advertised(heads: &[git2::RemoteHead<'_>], remote: &Remote) -> Result<Oid, Failure> {
    let name = remote.reference();
    if let Some(head) = heads.iter().find(|head| head.name() == name) {
        return Ok(head.oid());
    }
    let branch = &remote.branch;
    let mut branches = heads.iter().filter_map(|head| head.name().strip_prefix("refs/heads/"));
    let named: Vec<_> = branches.by_ref().take(NAMED_BRANCHES).map(|name| printable(name, None)).collect();
    if named.is_empty() {
        return Err(Failure::reject(format!("{remote} has no commits, so no branch `{branch}`"))
            .hint("push a first commit to it"));
    }
    let more = if branches.next().is_some() { ", …" } else { "" };
    Err(Failure::reject(format!("{remote} has no branch `{branch}`"))
        .hint(format!("it has: {}{more}", named.join(", "))))
}

/// Tells a failed exchange with the server from a mirror that cannot be written.
pub(super) fn failed(exchange: &Exchange, error: git2::Error) -> Trouble {
    let remote = exchange.remote();
    if let Some(failure) = exchange.take_failure() {
        return Trouble::Failed(failure);
    }
    if exchange.is_over() {
        return Trouble::Failed(Failure::cancelled(format!("the git operation on {remote} was given up")));
    }
    match error.class() {
        ErrorClass::Net | ErrorClass::Http | ErrorClass::Indexer | ErrorClass::Zlib => {
            let words = printable(error.message(), exchange.login());
            Trouble::Failed(Failure::retry(format!("{remote} sent what git cannot read: {words}")))
        }
        _ => error.into(),
    }
}
