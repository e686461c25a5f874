//! One tick of the loop: look at the remote, read, decide, commit, push; and again if the race was lost.
//!
//! Called by [`super::run`] only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tidegate_policy::history::Rewrite;
use tidegate_policy::reference::Repository;
use tidegate_policy::update::{Interest, UpdatePlan, interests};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::{PushOutcome, TreeFile};
use crate::metrics::{Outcome, Step};
use crate::source::SeenRevision;

use super::SourceParts;
use super::commit::{self, EditedFile};
use super::decide::{self, Answer, Question};
use super::event::Next;
use super::ledger::LedgerBook;
use super::memory::Memory;
use super::read::{Known, Reader};
use super::report::Reporter;

const FETCH_LIMIT: Duration = Duration::from_mins(2);
const READ_LIMIT: Duration = Duration::from_mins(5);
const DECIDE_LIMIT: Duration = Duration::from_mins(1);
const RECORD_LIMIT: Duration = Duration::from_secs(15);
const PUSH_LIMIT: Duration = Duration::from_mins(1);
/// What a push under way is given when the process ends.
const PUSH_DRAIN: Duration = Duration::from_secs(15);
/// Lost races in one tick, and the pause after each.
const TRIES_MAX: usize = 10;
const LOST_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// A hook that refuses will refuse again: the same push is tried after 5 min, then less and less often.
const REFUSED_LEAST: Duration = Duration::from_mins(10);
const REFUSED_MOST: Duration = Duration::from_mins(60);

/// The loop's state between ticks.
pub(super) struct SourceLoop {
    pub(super) parts: SourceParts,
    stop: CancellationToken,
    reader: Reader,
    memory: Memory,
    ledger: LedgerBook,
    reporter: Reporter,
    /// The tip that was seen last.
    seen: Option<Arc<SeenRevision>>,
    refused: Option<Refused>,
    refusals: Backoff,
}

/// A push that the server refused for a reason other than a lost race.
struct Refused {
    parent: String,
    decisions: BTreeSet<String>,
    until: Instant,
}

impl SourceLoop {
    pub(super) fn new(parts: SourceParts, stop: CancellationToken) -> Self {
        let source = &parts.source;
        Self {
            stop,
            reader: Reader::new(Arc::clone(&parts.repo), source.path.clone(), source.image_paths.clone()),
            memory: Memory::new(&source.name, parts.cluster.clone()),
            ledger: LedgerBook::new(&source.name, parts.cluster.clone()),
            reporter: Reporter::new(&source.name, parts.metrics.clone()),
            seen: None,
            refused: None,
            refusals: Backoff::new(REFUSED_LEAST, REFUSED_MOST, parts.jitter.clone()),
            parts,
        }
    }

    /// Runs one tick; with `fetch`, the remote is looked at first.
    pub(super) async fn tick(&mut self, fetch: bool) -> Result<Next, Failure> {
        if fetch || self.seen.is_none() {
            self.fetch().await?;
        }
        if !self.parts.source.update {
            return Ok(Next::default());
        }
        for _ in 0..TRIES_MAX {
            let known = self.read().await?;
            let interests = interests(&known.tree, &self.parts.source.guards);
            self.parts.scans.want(interests.clone());
            let answer = self.decide(known, &interests).await?;
            let mut next =
                Next { wake_at: answer.plan.wake_at, retry_at: None, lacks_facts: answer.lacking.is_some() };
            if let Some(until) = self.refused_until(&answer.plan) {
                next.retry_at = Some(until);
            } else if !answer.plan.changes.is_empty() {
                if !self.act(answer.plan).await? {
                    continue;
                }
                next.retry_at = self.refused.as_ref().map(|refused| refused.until);
            }
            return Ok(next);
        }
        Err(Failure::retry(format!("{TRIES_MAX} pushes in a row lost the race")))
    }

    /// Brings the tip here and publishes it if it is new.
    async fn fetch(&mut self) -> Result<(), Failure> {
        self.parts.worker.beat();
        let context = Context::new(&self.stop, FETCH_LIMIT);
        let fetched = self.parts.repo.fetch(&context).await;
        let outcome = if fetched.is_ok() { Outcome::Ok } else { Outcome::Failed };
        self.parts.metrics.fetched(&self.parts.source.name, outcome);
        self.saw(&fetched?).await
    }

    /// Publishes a revision that is on the remote now.
    async fn saw(&mut self, revision: &str) -> Result<(), Failure> {
        if self.seen.as_ref().is_some_and(|seen| seen.revision == revision) {
            return Ok(());
        }
        let context = Context::new(&self.stop, READ_LIMIT);
        let files = Arc::new(self.reader.files(&context, revision).await?);
        let seen = Arc::new(SeenRevision { revision: revision.to_owned(), files });
        self.parts.seen.send_replace(Some(Arc::clone(&seen)));
        tracing::info!(event = "revision", source = self.parts.source.name, revision, "a new revision");
        self.seen = Some(seen);
        Ok(())
    }

    /// Reads the tip: tree, history, and whether the branch was rewritten since the last tip.
    async fn read(&mut self) -> Result<Arc<Known>, Failure> {
        self.parts.worker.beat();
        let seen = self.seen.clone().ok_or_else(|| Failure::bug("nothing was fetched"))?;
        let context = Context::new(&self.stop, READ_LIMIT);
        self.memory.load(&context).await?;
        let revision = seen.revision.as_str();
        if self.memory.tip.as_deref() != Some(revision) || self.reader.known().is_none() {
            let before = self.memory.tip.clone().filter(|before| before != revision);
            let rewritten = match &before {
                Some(before) => self.parts.repo.is_ancestor(&context, before, revision).await? != Some(true),
                None => false,
            };
            let old = match &before {
                Some(before) if rewritten => self.reader.tree_at(&context, before).await,
                _ => None,
            };
            let known = self.reader.read(&context, revision, &seen.files).await?;
            let rewrite =
                rewritten.then(|| Rewrite::between(old.as_ref(), &known.tree, self.memory.rewrite.as_ref()));
            if let Some(rewrite) = &rewrite {
                self.log_rewrite(before.as_deref(), rewrite);
            }
            self.memory.note(revision, rewrite);
        }
        let known = self.reader.read(&context, revision, &seen.files).await?;
        let record = Context::new(&self.stop, RECORD_LIMIT);
        if let Err(failure) = self.memory.save(&record, &self.parts.fence).await {
            let source = &self.parts.source.name;
            tracing::warn!(
                event = "record-failed",
                source,
                revision,
                error = failure.chain(),
                "the last tip seen could not be written down; it is tried again"
            );
        }
        Ok(known)
    }

    async fn decide(
        &mut self,
        known: Arc<Known>,
        interests: &BTreeMap<Repository, Interest>,
    ) -> Result<Answer, Failure> {
        self.parts.worker.beat();
        let (now, registry) = (self.parts.clock.now(), self.parts.scans.snapshot());
        let record = Context::new(&self.stop, RECORD_LIMIT);
        let fence = Some(&self.parts.fence);
        let ages = self.ledger.ages(&record, interests, &registry, now, fence).await;
        let context = Context::new(&self.stop, DECIDE_LIMIT);
        let mut question = Question {
            source: self.parts.source.name.clone(),
            branch: self.parts.source.branch.clone(),
            known,
            rewrite: self.memory.rewrite.clone(),
            guards: self.parts.source.guards.clone(),
            now,
            ages,
            registry,
        };
        let answer = decide::decide(&context, &mut question, &self.parts.scans).await?;
        self.reporter.report(&answer.plan, &answer.report);
        if let Some(failure) = &answer.lacking {
            let source = &self.parts.source.name;
            tracing::warn!(
                event = "facts-failed",
                source,
                error = failure.chain(),
                "some fields wait for a manifest"
            );
        }
        Ok(answer)
    }

    /// Until when a push of just this plan is not to be tried again.
    fn refused_until(&self, plan: &UpdatePlan) -> Option<Instant> {
        let refused = self.refused.as_ref()?;
        let same = refused.parent == plan.parent && refused.decisions == decisions(plan);
        (same && refused.until > Instant::now()).then_some(refused.until)
    }

    /// Commits and pushes; `false` if it must be decided again on what the remote has now.
    async fn act(&mut self, mut plan: UpdatePlan) -> Result<bool, Failure> {
        self.parts.worker.beat();
        let files: Arc<Vec<TreeFile>> =
            self.seen.as_ref().map(|seen| Arc::clone(&seen.files)).unwrap_or_default();
        let context = Context::new(&self.stop, READ_LIMIT);
        let (edited, failures) =
            commit::edit_files(&context, self.parts.repo.as_ref(), &files, &mut plan).await?;
        for failure in &failures {
            let source = &self.parts.source.name;
            tracing::error!(
                event = "edit-failed",
                source,
                revision = plan.parent,
                error = failure.chain(),
                "a file is left as it is"
            );
        }
        if edited.is_empty() {
            return Ok(true);
        }
        let revision = self.write(&plan, &edited).await?;
        let outcome = self.push(&revision, &plan.parent).await;
        self.count(&outcome);
        match outcome {
            Ok(PushOutcome::Accepted) => {
                self.refused = None;
                self.refusals.succeeded();
                self.log_commit(&plan, &revision);
                self.saw(&revision).await?;
                Ok(false) // planning again finds the rest, or rest
            }
            Ok(PushOutcome::Lost) => {
                let pause = self.parts.jitter.between(LOST_PAUSE.0, LOST_PAUSE.1);
                tracing::info!(
                    event = "push-lost",
                    source = self.parts.source.name,
                    revision,
                    "somebody else pushed; deciding again"
                );
                tokio::time::sleep(pause).await;
                self.fetch().await.map(|()| false)
            }
            Ok(PushOutcome::Refused(words)) => {
                self.refuse(&plan, &words);
                Ok(true)
            }
            Err(failure) if failure.kind == Kind::Bug || self.stop.is_cancelled() => Err(failure),
            Err(failure) => {
                // The server may have taken it all the same: what it has now decides.
                tracing::warn!(
                    event = "push-failed",
                    source = self.parts.source.name,
                    revision,
                    error = failure.chain(),
                    "the push was not acknowledged"
                );
                self.fetch().await?;
                let arrived = self.seen.as_ref().is_some_and(|seen| seen.revision != plan.parent);
                if arrived { Ok(false) } else { Err(failure) }
            }
        }
    }

    async fn write(&self, plan: &UpdatePlan, edited: &[EditedFile]) -> Result<String, Failure> {
        let context = Context::new(&self.stop, READ_LIMIT);
        let parent_time =
            self.reader.known().and_then(|known| known.history.commits.first()).map(|tip| tip.time);
        let now = self.parts.clock.now();
        let time = parent_time.map_or(now, |parent| parent.max(now));
        let author = &self.parts.source.author;
        commit::write(&context, self.parts.repo.as_ref(), plan, edited, author, time).await
    }

    /// Pushes; a stop does not cut it short at once, so that its outcome is usually known.
    async fn push(&self, revision: &str, parent: &str) -> Result<PushOutcome, Failure> {
        let cancel = CancellationToken::new();
        let context = Context::new(&cancel, PUSH_LIMIT);
        let drained = async {
            self.stop.cancelled().await;
            tokio::time::sleep(PUSH_DRAIN).await;
        };
        tokio::select! {
            outcome = self.parts.repo.push(&context, &self.parts.fence, revision, parent) => outcome,
            () = drained => {
                cancel.cancel();
                Err(Failure::cancelled("the push did not end in time"))
            }
        }
    }

    fn refuse(&mut self, plan: &UpdatePlan, words: &str) {
        let wait = self.refusals.failed(None);
        let until = Instant::now() + wait;
        self.refused = Some(Refused { parent: plan.parent.clone(), decisions: decisions(plan), until });
        tracing::error!(
            event = "push-refused",
            source = self.parts.source.name,
            revision = plan.parent,
            changes = plan.changes.len(),
            retry_s = wait.as_secs(),
            error = words,
            "the server refused the commit (hint: is the branch protected, or a hook in the way?)"
        );
    }

    fn count(&self, outcome: &Result<PushOutcome, Failure>) {
        let outcome = match outcome {
            Ok(PushOutcome::Accepted) => Outcome::Ok,
            Ok(PushOutcome::Lost) => Outcome::Lost,
            Ok(PushOutcome::Refused(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        };
        self.parts.metrics.pushed(&self.parts.source.name, outcome);
    }

    fn log_commit(&self, plan: &UpdatePlan, revision: &str) {
        let source = self.parts.source.name.as_str();
        for change in &plan.changes {
            tracing::info!(
                event = "commit",
                source,
                field = change.field.0,
                decision = change.decision,
                revision,
                from = change.from,
                to = change.to,
                "{}",
                change.reason
            );
            let image = tidegate_policy::reference::ImageReference::parse(&change.to).ok();
            if let Some(listed) = image.and_then(|image| self.parts.scans.changed_at(&image.repository)) {
                self.parts.metrics.step(source, Step::Commit, listed.elapsed());
            }
        }
    }

    fn log_rewrite(&self, before: Option<&str>, rewrite: &Rewrite) {
        let changed = rewrite.changed.as_ref().map_or("all".to_owned(), |changed| changed.len().to_string());
        tracing::warn!(
            event = "rewritten",
            source = self.parts.source.name,
            revision = rewrite.at,
            before,
            fields = changed,
            "the branch was rewritten: it is followed, and the fields whose value that changed are held until a person sets them"
        );
    }

    pub(super) fn log_failure(&self, failure: &Failure, wait: Duration) {
        let (source, error) = (&self.parts.source.name, failure.chain());
        let retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        if failure.kind == Kind::Bug {
            tracing::error!(event = "source-failed", source, error, retry_ms, "a bug: please report it");
        } else {
            tracing::warn!(event = "source-failed", source, error, retry_ms, "the source is tried again");
        }
    }
}

fn decisions(plan: &UpdatePlan) -> BTreeSet<String> {
    plan.changes.iter().map(|change| change.decision.clone()).collect()
}
