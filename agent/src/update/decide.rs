//! Plan, ask for the facts that the plan wants, plan again: a bounded number of times.
//!
//! The decision itself is `tidegate_policy::update::plan`. Called by [`super::tick`] and [`super::once`].

use std::sync::Arc;

use jiff::Timestamp;
use tidegate_policy::history::Rewrite;
use tidegate_policy::update::{Guards, RegistrySnapshot, UpdateInput, UpdatePlan, UpdateReport, check, plan};

use crate::context::Context;
use crate::error::Failure;
use crate::scan::Subscription;

use super::ledger::Ages;
use super::read::Known;

/// Rounds of facts: each one can turn out to be missing, which makes the next best tag wanted.
const ROUNDS_MAX: usize = 8;

/// Everything that is planned on, owned.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) source: String,
    pub(super) branch: String,
    pub(super) known: Arc<Known>,
    pub(super) rewrite: Option<Rewrite>,
    pub(super) guards: Guards,
    pub(super) now: Timestamp,
    pub(super) ages: Ages,
    pub(super) registry: RegistrySnapshot,
}

/// The answer to a question.
pub(super) struct Answer {
    pub(super) plan: UpdatePlan,
    pub(super) report: UpdateReport,
    /// Why some facts could not be had; the fields concerned wait.
    pub(super) lacking: Option<Failure>,
}

impl Question {
    /// Lends the question to `work`.
    pub(super) fn with_input<T>(&self, work: impl FnOnce(&UpdateInput<'_>) -> T) -> T {
        work(&UpdateInput {
            source: &self.source,
            branch: &self.branch,
            tree: &self.known.tree,
            history: &self.known.history,
            registry: &self.registry,
            rewrite: self.rewrite.as_ref(),
            guards: &self.guards,
            now: self.now,
        })
    }
}

/// Decides with the facts that the registries can give; the plan's promises are checked.
pub(super) async fn decide(
    context: &Context,
    question: &mut Question,
    scans: &Subscription,
) -> Result<Answer, Failure> {
    let mut lacking = None;
    for _ in 0..ROUNDS_MAX {
        question.registry = question.ages.attach(scans.snapshot());
        let (plan, report) = think(question.clone()).await?;
        if plan.wanted.is_empty() || lacking.is_some() {
            return Ok(Answer { plan, report, lacking });
        }
        lacking = scans.gather(context, &plan.wanted).await.err();
    }
    let (plan, report) = think(question.clone()).await?;
    let lacking = (!plan.wanted.is_empty())
        .then(|| Failure::retry("too many listed tags have no manifest; the search goes on later"));
    Ok(Answer { plan, report, lacking })
}

/// Plans on a thread where thinking for long disturbs nobody.
async fn think(question: Question) -> Result<(UpdatePlan, UpdateReport), Failure> {
    let thought = tokio::task::spawn_blocking(move || {
        question.with_input(|input| {
            let (plan, report) = plan(input);
            let checked = check(input, &plan);
            checked.map(|()| (plan, report))
        })
    });
    match thought.await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(broken)) => {
            Err(Failure::bug("the plan breaks a promise, and nothing is done").because(broken))
        }
        Err(panic) => Err(Failure::bug("planning ended early").because(panic)),
    }
}
