//! Moving one branch on the server from an expected tip to its descendant, and no other way.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use git2::{Direction, ErrorClass, ErrorCode, Oid, PushOptions, RemoteCallbacks};

use super::PushOutcome;
use super::fetch::failed;
use super::http::Exchange;
use super::mirror::{Mirror, parse_id};
use super::remote::Remote;
use super::text::printable;
use super::transport::{self, ADDRESS};
use super::trouble::Trouble;
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

/// How servers say that the ref was not where the push expected it, or was being moved by another.
const RACES: [&str; 7] = [
    "failed to update ref",
    "incorrect old value",
    "cannot lock ref",
    "failed to lock",
    "lock failure",
    "non-fast-forward",
    "stale info",
];

/// So much of what a hook prints is kept.
const MAX_HOOK_BYTES: usize = 4096;

impl Mirror {
    /// Pushes `revision` to the branch if the server still has it at `expected`.
    ///
    /// # Guarantees
    /// The server is asked to move one ref from `expected` to a descendant of it: a branch that was moved or
    /// reset meanwhile stays as it is. `Accepted` means that the server said so.
    ///
    /// # Caveats
    /// A connection that breaks after the request was sent is a failure, and the push may have been done:
    /// the next fetch tells.
    pub(super) fn push(
        &mut self,
        context: &Context,
        fence: &WriteFence,
        revision: &str,
        expected: &str,
    ) -> Result<PushOutcome, Trouble> {
        let exchange = self.connection.exchange(context, Some(fence))?;
        let remote = Arc::clone(&self.remote);
        let expected = parse_id(expected)?;
        let revision = self.commit_at(revision)?.id();
        let repository = self.repository()?;
        if !repository.graph_descendant_of(revision, expected)? {
            return Err(
                Failure::bug(format!("{revision} does not descend from {expected}: not pushed")).into()
            );
        }
        let outcome = transport::through(&exchange, || {
            let push = Push { repository, remote: &remote, exchange: &exchange, revision, expected };
            push.run()
        })?;
        if outcome == PushOutcome::Accepted {
            repository.reference(&remote.tracking_reference(), revision, true, "push")?;
            self.store.tighten()?;
        }
        Ok(outcome)
    }
}

struct Push<'a> {
    repository: &'a git2::Repository,
    remote: &'a Remote,
    exchange: &'a Arc<Exchange>,
    revision: Oid,
    expected: Oid,
}

impl Push<'_> {
    fn run(&self) -> Result<PushOutcome, Trouble> {
        // What the server said of the ref: nothing, `ok` or why not.
        let answer: RefCell<Option<Result<(), String>>> = RefCell::new(None);
        let hook = RefCell::new(Vec::new());
        let moved = Cell::new(false);
        let mut callbacks = RemoteCallbacks::new();
        callbacks.push_negotiation(|updates| {
            if updates.len() == 1 && updates.iter().all(|update| update.src() == self.expected) {
                return Ok(());
            }
            moved.set(true);
            Err(git2::Error::new(ErrorCode::User, ErrorClass::Callback, "the branch has moved"))
        });
        callbacks.push_update_reference(|name, status| {
            if name == self.remote.reference() {
                answer.replace(Some(status.map_or(Ok(()), |status| Err(status.to_owned()))));
            }
            Ok(())
        });
        callbacks.sideband_progress(|bytes| {
            let mut hook = hook.borrow_mut();
            let room = MAX_HOOK_BYTES.saturating_sub(hook.len()).min(bytes.len());
            hook.extend_from_slice(bytes.get(..room).unwrap_or_default());
            true
        });
        let mut options = PushOptions::new();
        options.packbuilder_parallelism(1).remote_callbacks(callbacks);
        let refspec = format!("{}:{}", self.revision, self.remote.reference());
        let pushed = self.repository.remote_anonymous(ADDRESS)?.push(&[refspec], Some(&mut options));
        drop(options);
        if moved.get() {
            return Ok(PushOutcome::Lost);
        }
        let hook = String::from_utf8_lossy(&hook.take()).into_owned();
        match (answer.take(), pushed) {
            (Some(Ok(())), Ok(())) => Ok(PushOutcome::Accepted),
            (Some(Err(reason)), _) => self.declined(&reason, &hook),
            (_, Err(error)) => Err(self.unclear(error, &hook)),
            (None, Ok(())) => {
                Err(Failure::retry(format!("{} did not say what became of the push", self.remote)).into())
            }
        }
    }

    /// A refusal is a lost race if the server words it so, or if the branch has moved.
    fn declined(&self, reason: &str, hook: &str) -> Result<PushOutcome, Trouble> {
        let said = self.said(reason, hook);
        let lost = RACES.iter().any(|race| said.contains(race)) || self.tip()? != Some(self.expected);
        tracing::info!(event = "git-push-declined", url = %self.remote, lost, said);
        Ok(if lost { PushOutcome::Lost } else { PushOutcome::Refused(said) })
    }

    /// Where the server has the branch now.
    fn tip(&self) -> Result<Option<Oid>, Trouble> {
        let read = || -> Result<_, git2::Error> {
            let mut anonymous = self.repository.remote_anonymous(ADDRESS)?;
            let connection = anonymous.connect_auth(Direction::Fetch, None, None)?;
            let name = self.remote.reference();
            Ok(connection.list()?.iter().find(|head| head.name() == name).map(git2::RemoteHead::oid))
        };
        read().map_err(|error| failed(self.exchange, error))
    }

    fn unclear(&self, error: git2::Error, hook: &str) -> Trouble {
        match failed(self.exchange, error) {
            Trouble::Failed(mut failure) if !hook.trim().is_empty() => {
                let said = printable(hook, self.exchange.login());
                failure.message = format!("{} ({said})", failure.message);
                Trouble::Failed(failure)
            }
            trouble => trouble,
        }
    }

    fn said(&self, reason: &str, hook: &str) -> String {
        let hook = hook.trim();
        let text = if hook.is_empty() { reason.to_owned() } else { format!("{reason}: {hook}") };
        printable(&text, self.exchange.login())
    }
}
