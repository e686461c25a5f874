//! One source: at each revision, which units there are, what each desires, and which of them must act.
//!
//! A unit is told only if its files, its claims or the served kinds changed: other commits are none of its business.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tidegate_policy::finding::Finding;
use tidegate_policy::object::{GroupKind, ObjectId};
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::claims::{Owner, Wish};
use tidegate_policy::sync::desired::Desired;
use tidegate_policy::sync::units::expand;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::discovery::Known;
use super::files::Files;
use super::hub::Hub;
use super::state::Input;
use super::unit::Unit;
use crate::backoff::Backoff;
use crate::config;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::git::{GitRepo, TreeFile};
use crate::source::{SeenReceiver, SeenRevision};

/// How long the work for one revision may take, applies not counted.
const GATHER_LIMIT: Duration = Duration::from_secs(120);
const BEAT_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Supervisor {
    hub: Arc<Hub>,
    order: usize,
    source: config::Source,
    repo: Arc<dyn GitRepo>,
    files: Files,
    units: BTreeMap<String, Slot>,
    known: Option<Arc<Known>>,
    has_read_parents: bool,
    /// When the server is asked again for kinds that it does not serve.
    ask_at: Option<Instant>,
    asking: Backoff,
    /// The tasks of the units.
    tasks: JoinSet<()>,
}

/// What was last made of a unit.
struct Slot {
    files: Vec<TreeFile>,
    refusal: Option<Finding>,
    desired: Arc<Desired>,
    /// Whether `desired` is newer than what the unit was told.
    is_new: bool,
    inputs: Option<watch::Sender<Arc<Input>>>,
}

impl Supervisor {
    pub(super) fn new(hub: Arc<Hub>, order: usize, source: config::Source, repo: Arc<dyn GitRepo>) -> Self {
        let asking = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), hub.parts.jitter.clone());
        Self {
            hub,
            order,
            source,
            repo,
            files: Files::default(),
            units: BTreeMap::new(),
            known: None,
            has_read_parents: false,
            ask_at: None,
            asking,
            tasks: JoinSet::new(),
        }
    }

    /// Runs until the process stops and every unit has ended.
    pub(super) async fn run(mut self, revisions: SeenReceiver) {
        self.follow_all(revisions).await;
        while self.tasks.join_next().await.is_some() {}
    }

    async fn follow_all(&mut self, mut revisions: SeenReceiver) {
        let hub = Arc::clone(&self.hub);
        let (mut catalogs, mut claims) = (hub.discovery.subscribe(), hub.claims_changed.subscribe());
        let worker = hub.parts.progress.worker(format!("sync {}", self.source.name), GATHER_LIMIT * 2);
        let jitter = hub.parts.jitter.clone();
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), jitter);
        let mut retry_at: Option<Instant> = None;
        loop {
            tokio::select! {
                () = hub.parts.stop.cancelled() => return,
                changed = revisions.changed() => if changed.is_err() {
                    // Nobody fetches any more: what was seen last stays in force until the process stops.
                    return hub.parts.stop.cancelled().await;
                },
                Ok(()) = catalogs.changed() => {}
                Ok(()) = claims.changed() => {}
                () = until(retry_at) => {}
                () = until(self.ask_at) => self.ask_again().await,
                () = tokio::time::sleep(BEAT_EVERY) => {
                    worker.beat();
                    continue;
                }
            }
            worker.beat();
            let Some(seen) = revisions.borrow_and_update().clone() else { continue };
            match self.follow(&seen).await {
                Ok(()) => {
                    backoff.succeeded();
                    retry_at = None;
                    worker.ready();
                }
                Err(failure) => {
                    warn!(event = "sync-failed", source = %self.source.name, revision = %seen.revision, error = %failure.chain());
                    let after = if let Kind::Retry { after } = failure.kind { after } else { None };
                    retry_at = Some(Instant::now() + backoff.failed(after));
                }
            }
        }
    }

    /// Brings every unit up to a revision, as far as it is touched by it.
    async fn follow(&mut self, seen: &SeenRevision) -> Result<(), Failure> {
        let context = Context::new(&self.hub.parts.stop, GATHER_LIMIT);
        let known = self.hub.discovery.known(&context).await?;
        self.read_parents(&context, &known).await?;
        self.read_units(&context, seen, &known).await?;
        self.settle_claims();
        self.tell_units(seen);
        self.plan_to_ask();
        Ok(())
    }

    async fn read_parents(&mut self, context: &Context, known: &Known) -> Result<(), Failure> {
        if !self.has_read_parents {
            let config_map = GroupKind { group: String::new(), kind: "ConfigMap".to_owned() };
            self.hub.read_parents(context, &known.kind(&config_map, Some("v1"))?).await?;
            self.has_read_parents = true;
        }
        Ok(())
    }

    /// Reads the files of units that changed, and makes them what the units desire.
    async fn read_units(
        &mut self,
        context: &Context,
        seen: &SeenRevision,
        known: &Arc<Known>,
    ) -> Result<(), Failure> {
        let blobs: BTreeMap<&str, &TreeFile> =
            seen.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let units = expand(&self.source.path, &self.source.units, blobs.keys().copied(), &self.known_units());
        let other_kinds = self.known.as_ref().is_none_or(|before| before.kinds != known.kinds);
        let mut changed = Vec::new();
        for unit in units {
            let files: Vec<TreeFile> =
                unit.files.iter().filter_map(|path| blobs.get(path.as_str()).copied()).cloned().collect();
            let slot = self.units.get(&unit.name);
            if other_kinds || slot.is_none_or(|slot| slot.files != files || slot.refusal != unit.refusal) {
                changed.push((unit.name, files, unit.refusal));
            }
        }
        let wanted =
            changed.iter().filter(|(_, _, refusal)| refusal.is_none()).flat_map(|(_, files, _)| files);
        self.files.load(context, &*self.repo, wanted).await?;
        let mut new: BTreeSet<ObjectId> = BTreeSet::new();
        for (name, files, refusal) in changed {
            let desired = Arc::new(self.desire(&name, &files, refusal.as_ref(), known));
            let before = self.units.get(&name).map(|slot| Arc::clone(&slot.desired));
            let is_known =
                |id: &&ObjectId| before.as_ref().is_some_and(|before| before.objects.contains_key(*id));
            new.extend(desired.objects.keys().filter(|id| !is_known(id)).cloned());
            let inputs = self.units.remove(&name).and_then(|slot| slot.inputs);
            self.units.insert(name, Slot { files, refusal, desired, is_new: true, inputs });
        }
        let paths: HashSet<&str> = seen.files.iter().map(|file| file.path.as_str()).collect();
        self.files.retain(&paths);
        self.hub.owners.prefetch(context, known, new.iter()).await;
        self.known = Some(Arc::clone(known));
        Ok(())
    }

    /// Lists the units that were there before: in this process, or by their parents.
    fn known_units(&self) -> Vec<String> {
        let with_parents = self.hub.parents().units_of(&self.source.name);
        self.units.keys().cloned().chain(with_parents).collect()
    }

    fn desire(&self, name: &str, files: &[TreeFile], refusal: Option<&Finding>, known: &Known) -> Desired {
        let (ours, default) = (&self.hub.parts.namespace, &self.source.namespace);
        let paths = files.iter().map(|file| file.path.as_str());
        self.files.desire(&self.key(name), ours, default, &known.kinds, paths, refusal)
    }

    fn key(&self, unit: &str) -> UnitKey {
        UnitKey::new(&self.source.name, unit)
    }

    /// Settles who holds what; other sources look again if that changes something for them.
    fn settle_claims(&mut self) {
        let new = self.units.iter().filter(|(_, slot)| slot.is_new);
        let wishes = new.map(|(name, slot)| {
            let desired = &slot.desired;
            let objects = desired.objects.keys().chain(&desired.ignored).cloned().collect();
            (self.key(name), Wish { objects, complete: desired.is_complete() })
        });
        let wishes: BTreeMap<UnitKey, Wish> = wishes.collect();
        if wishes.is_empty() {
            return;
        }
        let parents = self.hub.parents().units.clone();
        let incumbent = |id: &ObjectId| match self.hub.owners.peek(id)?.owner {
            Owner::ApplySet(set) => parents.get(&set).cloned(),
            _ => None,
        };
        let affected = self.hub.claims().settle(self.order, wishes, incumbent);
        if affected.iter().any(|unit| unit.source != self.source.name) {
            self.hub.claims_changed.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Hands each unit its new input, if there is anything new in it.
    fn tell_units(&mut self, seen: &SeenRevision) {
        let names: Vec<String> = self.units.keys().cloned().collect();
        let unsettled: BTreeSet<UnitKey> = {
            let claims = self.hub.claims();
            names.iter().map(|name| self.key(name)).filter(|key| claims.is_unsettled(key)).collect()
        };
        let held = self.held_units();
        for name in names {
            let key = self.key(&name);
            let Some(slot) = self.units.get_mut(&name) else { continue };
            let claims = self.hub.claims();
            let holder = |id: &ObjectId| claims.holder(id).filter(|holder| **holder != key).cloned();
            let foreign: BTreeMap<ObjectId, UnitKey> =
                slot.desired.objects.keys().filter_map(|id| Some((id.clone(), holder(id)?))).collect();
            drop(claims);
            let before = slot.inputs.as_ref().map(|inputs| Arc::clone(&inputs.borrow()));
            let is_same = !slot.is_new
                && before.is_some_and(|before| {
                    let waits = held.contains(&name) && before.revision != seen.revision;
                    before.foreign == foreign && before.unsettled == unsettled && !waits
                });
            slot.is_new = false;
            if is_same {
                continue;
            }
            let input = Arc::new(Input {
                revision: seen.revision.clone(),
                seen: Instant::now(),
                desired: Arc::clone(&slot.desired),
                foreign,
                unsettled: unsettled.clone(),
            });
            if let Some(inputs) = &slot.inputs {
                inputs.send_replace(input);
            } else {
                let path = &self.source.path;
                slot.inputs = Some(start(&mut self.tasks, &self.hub, &key, &self.repo, path, input));
            }
        }
        self.hub.health.send_modify(|health| {
            health.sources.insert(self.source.name.clone(), seen.revision.clone());
        });
    }

    /// Lists the units whose prune waits for a commit: every revision may bring it.
    fn held_units(&self) -> BTreeSet<String> {
        let health = self.hub.health.borrow();
        let of_source = health.units.iter().filter(|(key, _)| key.source == self.source.name);
        of_source.filter(|(_, report)| report.held.is_some()).map(|(key, _)| key.unit.clone()).collect()
    }

    fn plan_to_ask(&mut self) {
        if self.units.values().all(|slot| slot.desired.waiting.is_empty()) {
            self.ask_at = None;
            self.asking.succeeded();
        } else if self.ask_at.is_none() {
            self.ask_at = Some(Instant::now() + self.asking.failed(None));
        }
    }

    async fn ask_again(&mut self) {
        self.ask_at = None;
        let context = Context::new(&self.hub.parts.stop, GATHER_LIMIT);
        if let Err(failure) = self.hub.discovery.refresh(&context).await {
            info!(event = "discovery-failed", source = %self.source.name, error = %failure.chain());
        }
    }
}

/// Starts the task of a unit; a panic in it is told, and starts it anew.
fn start(
    tasks: &mut JoinSet<()>,
    hub: &Arc<Hub>,
    key: &UnitKey,
    repo: &Arc<dyn GitRepo>,
    path: &str,
    input: Arc<Input>,
) -> watch::Sender<Arc<Input>> {
    let (sender, receiver) = watch::channel(input);
    let (hub, key, repo, path) = (Arc::clone(hub), key.clone(), Arc::clone(repo), path.to_owned());
    tasks.spawn(async move {
        let mut backoff =
            Backoff::new(Duration::from_secs(1), Duration::from_secs(300), hub.parts.jitter.clone());
        loop {
            let unit =
                Unit::new(Arc::clone(&hub), key.clone(), Arc::clone(&repo), path.clone(), receiver.clone());
            if AssertUnwindSafe(unit.run()).catch_unwind().await.is_ok() {
                return;
            }
            error!(event = "panic", source = %key.source, unit = %key.unit, hint = "this is a bug; the unit starts anew");
            tokio::select! {
                () = hub.parts.stop.cancelled() => return,
                () = tokio::time::sleep(backoff.failed(None)) => {}
            }
        }
    });
    sender
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
