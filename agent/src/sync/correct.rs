//! Drift: every observation of an object is judged, and what is not as applied is applied again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tidegate_policy::object::ObjectId;
use tidegate_policy::sync::applyset::PART_OF;
use tidegate_policy::sync::claims::{Owner, owner};
use tidegate_policy::sync::desired::DesiredObject;
use tidegate_policy::sync::drift::{Drift, Recorded, Verdict, judge};
use tidegate_policy::sync::health::{Health, Status, status};
use tidegate_policy::sync::live;
use tokio::time::Instant;
use tracing::{info, warn};

use super::apply::apply;
use super::discovery::Known;
use super::inbox::Seen;
use super::parallel::parallel;
use super::unit::{POLL_EVERY, Unit};
use crate::cluster::LiveMeta;
use crate::context::Context;
use crate::error::Failure;

/// How long one round of corrections may take.
const CORRECT_LIMIT: Duration = Duration::from_secs(60);

impl Unit {
    /// Looks at what the watches have shown, and corrects what drifted.
    pub(super) async fn observe(&mut self, seen: BTreeMap<ObjectId, Seen>) {
        let context = Context::new(&self.hub.parts.stop, CORRECT_LIMIT);
        let Ok(known) = self.hub.discovery.known(&context).await else { return };
        let mut drifted = BTreeMap::new();
        let mut gone = Vec::new();
        for (id, seen) in seen {
            match seen {
                Seen::Changed(live) => drifted.extend(self.look(&live).map(|drift| (id, drift))),
                Seen::Gone => gone.push(id),
            }
        }
        for (id, drift) in self.confirm(&context, &known, gone).await {
            drifted.insert(id, drift);
        }
        if !drifted.is_empty() {
            self.correct(&context, &known, drifted).await;
        }
    }

    /// Reads every object that cannot be watched.
    pub(super) async fn poll(&mut self) {
        self.poll_at = Some(Instant::now() + self.hub.parts.jitter.spread(POLL_EVERY));
        let unwatched = self.objects.keys().filter(|id| !self.hub.watches.is_watched(&id.kind));
        let unwatched: BTreeMap<ObjectId, Seen> = unwatched.map(|id| (id.clone(), Seen::Gone)).collect();
        if !unwatched.is_empty() {
            self.observe(unwatched).await;
        }
    }

    /// Takes an observation in; tells how the object drifted, if it did.
    fn look(&mut self, live: &LiveMeta) -> Option<Drift> {
        if self.is_stranger_of_ours(&live.id, &live.value) {
            // It left git while nobody looked: the next sync prunes it.
            self.pruning.left.insert(live.id.clone());
            self.retry_at = Some(Instant::now());
            return None;
        }
        let tracked = self.objects.get_mut(&live.id)?;
        let verdict = judge(&tracked.recorded, &self.applyset, &live.value);
        if verdict == Verdict::Stale {
            return None;
        }
        tracked.status = status(&live.value, self.hub.parts.clock.now());
        match verdict {
            Verdict::Drifted(drift) => {
                tracked.in_sync = false;
                if drift == Drift::Label && self.is_taken(live) {
                    return None;
                }
                Some(drift)
            }
            Verdict::InSync | Verdict::Stale => {
                tracked.recorded = Recorded::of(&live.value);
                tracked.in_sync = true;
                None
            }
        }
    }

    /// Lets go of an object that another set or tool has made its own.
    fn is_taken(&mut self, live: &LiveMeta) -> bool {
        let by = match owner(&live.value) {
            Owner::ApplySet(set) if set != self.applyset => match self.hub.parents().units.get(&set) {
                Some(unit) => format!("unit {unit}"),
                None => format!("ApplySet {set}"),
            },
            Owner::Tracked(by) => by,
            Owner::ApplySet(_) | Owner::Nobody | Owner::Absent => return false,
        };
        let place = self.input.desired.objects.get(&live.id).map(|object| object.place());
        warn!(
            event = "refused", source = %self.key.source, unit = %self.key.unit, object = %live.id,
            revision = %self.input.revision, place, reason = %format_args!("it belongs to {by}"),
            hint = "an object has one owner: remove it from here or from there",
        );
        self.objects.remove(&live.id);
        self.trouble.refused.insert(live.id.clone(), by);
        self.retry_at = Some(Instant::now() + self.backoff.failed(None));
        true
    }

    /// Reads objects that the watch lost: some are gone, some lost only their label.
    async fn confirm(
        &mut self,
        context: &Context,
        known: &Known,
        ids: Vec<ObjectId>,
    ) -> Vec<(ObjectId, Drift)> {
        for id in &ids {
            self.pruning.left.remove(id);
        }
        let hub = Arc::clone(&self.hub);
        let read = |id: ObjectId| {
            let hub = &hub;
            async move {
                let live = match known.kind(&id.kind, None) {
                    Ok(kind) => {
                        hub.parts.cluster.get(context, &kind, id.namespace.as_deref(), &id.name).await
                    }
                    Err(failure) => Err(failure),
                };
                (id, live)
            }
            .boxed()
        };
        let ids: Vec<ObjectId> = ids.into_iter().filter(|id| self.objects.contains_key(id)).collect();
        let reads: Vec<(ObjectId, Result<Option<LiveMeta>, Failure>)> =
            parallel(ids.into_iter().map(read)).collect().await;
        let mut drifted = Vec::new();
        for (id, live) in reads {
            let drift = match live {
                Ok(Some(live)) => self.look(&live),
                Ok(None) => {
                    if let Some(tracked) = self.objects.get_mut(&id) {
                        tracked.in_sync = false;
                        tracked.status = Status::new(Health::NotFound, "it was deleted");
                    }
                    Some(Drift::Deleted)
                }
                Err(failure) => {
                    self.trouble.fail(id.clone(), &failure);
                    self.retry_at = Some(Instant::now() + self.backoff.failed(None));
                    None
                }
            };
            drifted.extend(drift.map(|drift| (id, drift)));
        }
        drifted
    }

    async fn correct(&mut self, context: &Context, known: &Known, drifted: BTreeMap<ObjectId, Drift>) {
        let desired = Arc::clone(&self.input.desired);
        let mut objects = Vec::new();
        for (id, drift) in drifted {
            let (Some(tracked), Some(object)) = (self.objects.get_mut(&id), desired.objects.get(&id)) else {
                continue;
            };
            let (source, unit, revision) = (&self.key.source, &self.key.unit, &self.input.revision);
            if tracked.is_fighting {
                continue;
            }
            if tracked.may_correct(Instant::now()) {
                objects.push((Arc::clone(object), drift));
            } else {
                warn!(event = "fighting", %source, %unit, object = %id, %revision, %drift, hint = "somebody keeps changing it; it is left alone until the next revision");
            }
        }
        if objects.is_empty() {
            return;
        }
        if let Err(failure) = self.announce(context).await {
            info!(event = "correction-waits", source = %self.key.source, unit = %self.key.unit, error = %failure.chain());
            self.retry_at = Some(Instant::now() + self.backoff.failed(None));
            return;
        }
        let hub = Arc::clone(&self.hub);
        let hub = &*hub;
        let one = |(object, drift): (Arc<DesiredObject>, Drift)| {
            async move {
                let outcome = apply(hub, context, known, &object).await;
                (object, drift, outcome)
            }
            .boxed()
        };
        let outcomes: Vec<_> = parallel(objects.into_iter().map(one)).collect().await;
        for (object, drift, outcome) in outcomes {
            let is_failure = outcome.is_err();
            self.applied(&object, outcome, None, Some(&drift.to_string()));
            if is_failure {
                self.retry_at = Some(Instant::now() + self.backoff.failed(None));
            }
        }
    }

    /// Tells whether an observed object is a member that git does not name, and that was not looked at yet.
    fn is_stranger_of_ours(&self, id: &ObjectId, value: &serde_json::Value) -> bool {
        !self.input.desired.objects.contains_key(id)
            && !self.pruning.left.contains(id)
            && !self.pruning.kept.contains(id)
            && live::label(value, PART_OF) == Some(&self.applyset.0)
            && live::is_labelled_by_us(value)
            && live::controller(value).is_none()
    }
}
