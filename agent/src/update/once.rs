//! One look at one source, without writing: what `tidegate plan` and `explain` print.

use std::sync::Arc;

use tidegate_policy::manifest::FieldId;
use tidegate_policy::update::{RepositoryState, TagVerdict, UpdatePlan, UpdateReport, interests, verdicts};

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::Source;
use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, TreeFile};
use crate::scan::Subscription;

use super::commit;
pub use super::commit::EditedFile;
use super::decide::{self, Question};
use super::ledger::LedgerBook;
use super::memory::Memory;
use super::read::Reader;

/// What would be committed to a source now, and all that is needed to say why.
pub struct Planned {
    /// The plan.
    pub plan: UpdatePlan,
    /// The decision for every field.
    pub report: UpdateReport,
    /// The files that the plan changes, before and after.
    pub edited: Vec<EditedFile>,
    /// All files at the revision.
    pub files: Arc<Vec<TreeFile>>,
    /// Why some facts could not be had, or a file could not be edited.
    pub failures: Vec<Failure>,
    question: Question,
}

impl Planned {
    /// The revision that was looked at.
    pub fn revision(&self) -> &str {
        &self.plan.parent
    }

    /// Every listed tag of one field's repository with its outcome; `None` if the field has no policy or image
    /// that can be read, or its repository was not listed.
    pub fn verdicts(&self, field: &FieldId) -> Option<Vec<TagVerdict>> {
        self.question.with_input(|input| verdicts(input, field))
    }
}

/// Fetches, lists what the tree needs, and plans; writes nothing.
///
/// Waits until every repository was listed or has failed once, at most until the context's deadline. With a
/// cluster, what the daemon remembers of rewrites is taken into account.
pub async fn plan_once(
    context: &Context,
    source: &Source,
    repo: Arc<dyn GitRepo>,
    mut scans: Subscription,
    cluster: Option<Arc<dyn Cluster>>,
    clock: &dyn Clock,
) -> Result<Planned, Failure> {
    let mut ledger = LedgerBook::new(&source.name, cluster.clone());
    let mut memory = Memory::new(&source.name, cluster);
    memory.load(context).await?;
    let revision = repo.fetch(context).await?;
    let mut reader = Reader::new(Arc::clone(&repo), source.path.clone(), source.image_paths.clone());
    let files = Arc::new(reader.files(context, &revision).await?);
    let known = reader.read(context, &revision, &files).await?;
    let interests = interests(&known.tree, &source.guards);
    let repositories = interests.len();
    scans.want(interests.clone());
    let listed = async {
        while scans.snapshot().repositories.len() < repositories
            || scans.snapshot().repositories.values().any(is_unasked)
        {
            scans.changed().await;
        }
        Ok(())
    };
    context.run("listing the tags", listed).await?;
    let (now, registry) = (clock.now(), scans.snapshot());
    let ages = ledger.ages(context, &interests, &registry, now, None).await;
    let mut question = Question {
        source: source.name.clone(),
        branch: source.branch.clone(),
        known,
        rewrite: memory.rewrite,
        guards: source.guards.clone(),
        now,
        ages,
        registry,
    };
    let decided = decide::decide(context, &mut question, &scans).await?;
    let mut plan = decided.plan;
    let (edited, unedited) = commit::edit_files(context, repo.as_ref(), &files, &mut plan).await?;
    let failures = decided.lacking.into_iter().chain(unedited).collect();
    Ok(Planned { plan, report: decided.report, edited, files, failures, question })
}

/// Whether a repository was neither listed nor failed.
fn is_unasked(state: &RepositoryState) -> bool {
    state.tags.is_none() && state.error.is_none()
}
