//! One unit: a task that brings its objects to the latest input and keeps them there.
//!
//! Events come from the supervisor (a new input), the watches (an object changed) and timers. They are
//! handled one after the other, so that nothing here needs a lock. Corrections are in `correct`, the prune in `prune`,
//! what is said of it all in `tell`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tidegate_policy::object::ObjectId;
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::applyset::{ApplySetId, Extent};
use tidegate_policy::sync::check::check;
use tidegate_policy::sync::claims::Owner;
use tidegate_policy::sync::desired::DesiredObject;
use tidegate_policy::sync::drift::Recorded;
use tidegate_policy::sync::health::status;
use tidegate_policy::sync::plan::{ApplyPlan, PlanInput, Stage, SyncReport, plan};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::apply::{Outcome, apply, describe};
use super::discovery::Known;
use super::hub::Hub;
use super::inbox::{Inbox, Seen};
use super::owners::Found;
use super::parallel::parallel;
use super::parent::Parent;
use super::prune::Pruning;
use super::report::UnitReport;
use super::state::{Input, Tracked, Trouble, may_pass};
use super::tell::millis;
use crate::backoff::Backoff;
use crate::context::Context;
use crate::error::Failure;
use crate::git::GitRepo;
use crate::metrics::{Action, Step};

/// How long one sync of a unit may take.
const SYNC_LIMIT: Duration = Duration::from_secs(300);
/// How long a kind that was just defined may take to be served.
const SERVED_LIMIT: Duration = Duration::from_secs(30);
/// How often objects are read one by one that cannot be watched.
pub(super) const POLL_EVERY: Duration = Duration::from_secs(600);

pub(super) struct Unit {
    pub(super) hub: Arc<Hub>,
    pub(super) key: UnitKey,
    pub(super) applyset: ApplySetId,
    pub(super) repo: Arc<dyn GitRepo>,
    /// The source's path.
    pub(super) path: String,
    inbox: Arc<Inbox>,
    pub(super) parent: Parent,
    pub(super) input: Arc<Input>,
    pub(super) objects: BTreeMap<ObjectId, Tracked>,
    pub(super) trouble: Trouble,
    pub(super) pruning: Pruning,
    pub(super) backoff: Backoff,
    pub(super) retry_at: Option<Instant>,
    pub(super) show_at: Option<Instant>,
    pub(super) poll_at: Option<Instant>,
    /// The newest input of the supervisor, to end a sync early that is overtaken.
    inputs: watch::Receiver<Arc<Input>>,
    /// What was last told.
    pub(super) reported: Option<UnitReport>,
    /// The revision that was last reported healthy.
    pub(super) healthy: Option<String>,
}

enum Event {
    Input(Arc<Input>),
    Seen(BTreeMap<ObjectId, Seen>),
    Due,
    Stop,
}

impl Unit {
    pub(super) fn new(
        hub: Arc<Hub>,
        key: UnitKey,
        repo: Arc<dyn GitRepo>,
        path: String,
        inputs: watch::Receiver<Arc<Input>>,
    ) -> Self {
        let found = hub.parents().found.get(&key).cloned();
        let parent = Parent::new(Arc::clone(&hub), key.clone(), found.as_ref());
        let applyset = parent.applyset().clone();
        let inbox = Arc::new(Inbox::default());
        hub.parents().units.insert(applyset.clone(), key.clone());
        hub.watches.route(applyset.clone(), Arc::clone(&inbox));
        let jitter = hub.parts.jitter.clone();
        let input = Arc::clone(&inputs.borrow());
        Self {
            hub,
            key,
            applyset,
            repo,
            path,
            inbox,
            parent,
            input,
            objects: BTreeMap::new(),
            trouble: Trouble::default(),
            pruning: Pruning::default(),
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(300), jitter),
            retry_at: None,
            show_at: None,
            poll_at: None,
            inputs,
            reported: None,
            healthy: None,
        }
    }

    /// Runs until the process ends.
    pub(super) async fn run(mut self) {
        self.inputs.mark_changed();
        loop {
            match self.next().await {
                Event::Stop => return,
                Event::Input(input) => {
                    if input.revision != self.input.revision {
                        self.objects.values_mut().for_each(Tracked::make_peace);
                    }
                    self.input = input;
                    self.pruning.kept.clear();
                    self.backoff.succeeded();
                    self.sync().await;
                }
                Event::Seen(seen) => self.observe(seen).await,
                Event::Due => self.due().await,
            }
            self.publish();
        }
    }

    async fn next(&mut self) -> Event {
        let due = [self.retry_at, self.show_at, self.poll_at].into_iter().flatten().min();
        let timer = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let cancel = self.hub.parts.stop.clone();
        tokio::select! {
            biased;
            () = cancel.cancelled() => Event::Stop,
            changed = self.inputs.changed() => match changed {
                Ok(()) => Event::Input(Arc::clone(&self.inputs.borrow_and_update())),
                Err(_) => Event::Stop,
            },
            () = self.inbox.arrived() => Event::Seen(self.inbox.take()),
            () = timer => Event::Due,
        }
    }

    async fn due(&mut self) {
        let now = Instant::now();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.retry_at) {
            self.sync().await;
        }
        if is_due(self.poll_at) {
            self.poll().await;
        }
        if is_due(self.show_at) {
            self.show().await;
        }
    }

    /// Syncs once; what failed is tried again later, with back-off.
    async fn sync(&mut self) {
        let context = Context::new(&self.hub.parts.stop, SYNC_LIMIT);
        self.trouble = Trouble::default();
        let outcome = self.sync_once(&context).await;
        let mut after = None;
        if let Err(failure) = outcome {
            if let crate::error::Kind::Retry { after: asked } = failure.kind {
                after = asked;
            }
            warn!(
                event = "sync-failed", source = %self.key.source, unit = %self.key.unit,
                revision = %self.input.revision, error = %failure.chain(),
            );
            self.trouble.general = Some((failure.chain(), may_pass(&failure)));
        }
        if self.trouble.is_clear() {
            self.backoff.succeeded();
            self.retry_at = None;
        } else {
            self.retry_at = Some(Instant::now() + self.backoff.failed(after));
        }
    }

    async fn sync_once(&mut self, context: &Context) -> Result<(), Failure> {
        // What failed may have failed because the server serves other kinds now.
        let is_retry = self.backoff.failures() > 0;
        let discovery = &self.hub.discovery;
        let known =
            if is_retry { discovery.refresh(context).await? } else { discovery.known(context).await? };
        self.watch(&known);
        self.let_go();
        let (plan, found) = self.plan(context, &known).await?;
        for stage in &plan.stages {
            if self.inputs.has_changed().unwrap_or(false) {
                return Ok(());
            }
            self.apply_stage(context, &known, stage, &found).await?;
        }
        if !plan.stages.is_empty() && self.trouble.is_clear() {
            let elapsed = self.input.seen.elapsed();
            self.hub.parts.metrics.step(&self.key.source, Step::Apply, elapsed);
            info!(
                event = "synced", source = %self.key.source, unit = %self.key.unit, revision = %self.input.revision,
                objects = plan.objects().count(), elapsed_ms = millis(elapsed),
            );
        }
        self.prune(context, &known).await?;
        if self.trouble.is_clear() && self.input.desired.is_complete() && self.pruning.held.is_none() {
            self.parent.synced = Some(self.input.revision.clone());
            self.parent.extent = self.extent();
        }
        Ok(())
    }

    /// Watches the kinds of all that is desired, and of all that was.
    fn watch(&mut self, known: &Known) {
        let mut kinds = self.input.desired.extent().kinds;
        kinds.extend(self.parent.extent.kinds.iter().cloned());
        for kind in kinds {
            if let Ok(served) = known.kind(&kind, None) {
                self.hub.watches.ensure(&served);
            }
        }
        if self.poll_at.is_none() {
            self.poll_at = Some(Instant::now() + self.hub.parts.jitter.spread(POLL_EVERY));
        }
    }

    /// Stops to look after objects that are no longer this unit's.
    fn let_go(&mut self) {
        let input = Arc::clone(&self.input);
        let left = &mut self.pruning.left;
        self.objects.retain(|id, _| {
            let stays = input.desired.objects.contains_key(id) && !input.foreign.contains_key(id);
            if !stays && !input.foreign.contains_key(id) {
                left.insert(id.clone());
            }
            stays
        });
        left.retain(|id| !input.desired.objects.contains_key(id));
    }

    /// Plans the applies, looking up the owners of objects that this unit has not applied yet.
    async fn plan(
        &mut self,
        context: &Context,
        known: &Known,
    ) -> Result<(ApplyPlan, BTreeMap<ObjectId, Found>), Failure> {
        let mut found = BTreeMap::new();
        let (_, report) = self.plan_with(&found);
        for (id, outcome) in self.hub.owners.look_up(context, known, &report.wanted).await {
            match outcome {
                Ok(at) => {
                    found.insert(id, at);
                }
                Err(failure) => self.tell_unread(id, &failure),
            }
        }
        let (plan, report) = self.plan_with(&found);
        check(&plan, &self.input.desired, &self.applyset)
            .map_err(|broken| Failure::bug(broken.to_string()))?;
        self.tell(&report);
        Ok((plan, found))
    }

    fn plan_with(&self, found: &BTreeMap<ObjectId, Found>) -> (ApplyPlan, SyncReport) {
        let is_left_alone = |object: &Tracked| object.in_sync || object.is_fighting;
        let settled = self.objects.iter().filter(|(_, object)| is_left_alone(object));
        let settled = settled.map(|(id, object)| (id.clone(), object.hash)).collect();
        let mut owners: BTreeMap<ObjectId, Owner> =
            self.objects.keys().map(|id| (id.clone(), Owner::ApplySet(self.applyset.clone()))).collect();
        owners.extend(found.iter().map(|(id, found)| (id.clone(), found.owner.clone())));
        let parents = self.hub.parents().units.clone();
        plan(&PlanInput {
            unit: &self.key,
            applyset: &self.applyset,
            desired: &self.input.desired,
            foreign: &self.input.foreign,
            owners: &owners,
            parents: &parents,
            unsettled: &self.input.unsettled,
            settled: &settled,
            owned: None,
            acknowledged: None,
        })
    }

    async fn apply_stage(
        &mut self,
        context: &Context,
        known: &Known,
        stage: &Stage,
        found: &BTreeMap<ObjectId, Found>,
    ) -> Result<(), Failure> {
        self.announce(context).await?;
        let hub = Arc::clone(&self.hub);
        let hub = &*hub;
        let one = |object: &Arc<DesiredObject>| {
            let object = Arc::clone(object);
            async move {
                let outcome = apply(hub, context, known, &object).await;
                (object, outcome)
            }
            .boxed()
        };
        let mut outcomes = parallel(stage.objects.iter().map(one));
        while let Some((object, outcome)) = outcomes.next().await {
            let before = found.get(&object.id).and_then(|found| found.resource_version.as_deref());
            self.applied(&object, outcome, before, None);
        }
        let defined: BTreeSet<_> = stage.defines.iter().cloned().collect();
        if !hub.discovery.await_served(context, &defined, SERVED_LIMIT).await? {
            let names = defined.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(Failure::retry(format!("the server does not serve {names} although it is defined")));
        }
        Ok(())
    }

    /// Remembers and tells what became of one apply; `correcting` says what was corrected by it.
    pub(super) fn applied(
        &mut self,
        object: &DesiredObject,
        outcome: Result<Outcome, Failure>,
        before: Option<&str>,
        correcting: Option<&str>,
    ) {
        let id = &object.id;
        let (source, unit, revision) = (&self.key.source, &self.key.unit, &self.input.revision);
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(failure) => {
                let (place, error) = (object.place(), failure.chain());
                warn!(event = "apply-failed", %source, %unit, object = %id, %revision, place, error);
                self.hub.parts.metrics.object(source, unit, Action::Failed);
                self.trouble.fail(id.clone(), &failure);
                if let Some(tracked) = self.objects.get_mut(id) {
                    tracked.in_sync = false;
                }
                return;
            }
        };
        let live = &outcome.applied.live;
        let known = self.objects.get(id).map(|tracked| tracked.recorded.resource_version.as_str());
        let is_unchanged = before.or(known) == Some(live.resource_version.as_str());
        let action = match (correcting, outcome.applied.created) {
            (Some(_), _) => Action::Corrected,
            (None, true) => Action::Created,
            (None, false) if is_unchanged => Action::Unchanged,
            (None, false) => Action::Configured,
        };
        if !outcome.yielded.is_empty() {
            info!(event = "yielded", %source, %unit, object = %id, %revision, fields = %describe(&outcome.yielded));
        }
        if !outcome.taken.is_empty() {
            warn!(event = "taken", %source, %unit, object = %id, %revision, fields = %describe(&outcome.taken));
        }
        match (action, correcting) {
            (_, Some(drift)) => info!(event = "corrected", %source, %unit, object = %id, %revision, drift),
            (Action::Unchanged, None) => debug!(event = "unchanged", %source, %unit, object = %id, %revision),
            _ => info!(event = "applied", %source, %unit, object = %id, %revision, action = ?action),
        }
        self.hub.parts.metrics.object(source, unit, action);
        let status = status(&live.value, self.hub.parts.clock.now());
        let tracked = Tracked::new(object.hash, Recorded::of(&live.value), status);
        let tracked = tracked.after(self.objects.remove(id));
        self.objects.insert(id.clone(), tracked);
        self.trouble.failed.remove(id);
    }

    /// Returns the kinds and namespaces of all that is, or may be, part of the unit.
    pub(super) fn extent(&self) -> Extent {
        let mut extent = self.input.desired.extent();
        let members = self.hub.watches.members(&self.applyset);
        let others: Vec<&ObjectId> = members.iter().chain(&self.pruning.left).collect();
        extent.kinds.extend(others.iter().map(|id| id.kind.clone()));
        extent.namespaces.extend(others.iter().filter_map(|id| id.namespace.clone()));
        extent
    }
}
