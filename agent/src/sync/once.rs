//! What a sync would do now, without doing any of it: `tidegate plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tidegate_policy::finding::Finding;
use tidegate_policy::object::{GroupKind, ObjectId};
use tidegate_policy::sync::applyset::{ApplySetId, Extent, PART_OF};
use tidegate_policy::sync::claims::{Claims, Owner, Wish};
use tidegate_policy::sync::desired::{Desired, Hash, Waiting};
use tidegate_policy::sync::met::is_met;
use tidegate_policy::sync::plan::{Outline, PlanInput, plan};
use tidegate_policy::sync::units::expand;
use tidegate_policy::sync::{UnitKey, applyset};

use tokio::sync::Semaphore;

use super::discovery::{Discovery, Known};
use super::files::Files;
use super::hub::{IN_FLIGHT_MAX, Parents};
use super::owners::Owners;
use crate::cluster::{Cluster, Content, LiveMeta, WatchEvent};
use crate::config;
use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, TreeFile};
use crate::source::SeenRevision;

/// How long the whole objects of one kind may take to arrive.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// What a sync of one unit would do.
#[derive(Clone, Debug)]
pub struct UnitPlan {
    /// Objects to apply and to prune.
    pub outline: Outline,
    /// Problems in the unit's files.
    pub findings: Vec<Finding>,
    /// Objects that belong to another, which is named.
    pub refused: Vec<(ObjectId, String)>,
    /// Objects whose kind the server does not serve.
    pub waiting: Vec<(ObjectId, Waiting)>,
}

/// Plans a sync of every unit of a source at a revision; nothing is written.
///
/// `namespace` is Tidegate's own. Objects that are live as desired are left out of `apply`.
pub async fn plan_once(
    context: &Context,
    cluster: &Arc<dyn Cluster>,
    namespace: &str,
    source: &config::Source,
    repo: &dyn GitRepo,
    seen: &SeenRevision,
) -> Result<Vec<UnitPlan>, Failure> {
    let known = Discovery::new(Arc::clone(cluster)).known(context).await?;
    let config_map = GroupKind { group: String::new(), kind: "ConfigMap".to_owned() };
    let parents =
        Parents::read(context, &**cluster, &known.kind(&config_map, Some("v1"))?, namespace).await?;
    let blobs: BTreeMap<&str, &TreeFile> = seen.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let units = expand(&source.path, &source.units, blobs.keys().copied(), &parents.units_of(&source.name));
    let mut files = Files::default();
    let wanted = units.iter().filter(|unit| unit.refusal.is_none()).flat_map(|unit| &unit.files);
    files.load(context, repo, wanted.filter_map(|path| blobs.get(path.as_str()).copied())).await?;
    let mut desired = BTreeMap::new();
    for unit in &units {
        let key = UnitKey::new(&source.name, &unit.name);
        let paths = unit.files.iter().map(String::as_str);
        let built =
            files.desire(&key, namespace, &source.namespace, &known.kinds, paths, unit.refusal.as_ref());
        desired.insert(key, built);
    }
    let outlook = Outlook { context, cluster, namespace, known: &known, parents: &parents };
    let mut lives = BTreeMap::new();
    for (key, desired) in &desired {
        lives.insert(key, outlook.look(key, desired).await?);
    }
    let claims = claims(&desired, &parents, |key| lives.get(key).map(|live| &live.owners));
    Ok(desired
        .iter()
        .filter_map(|(key, desired)| Some(outlook.plan(key, desired, lives.get(key)?, &claims)))
        .collect())
}

fn claims<'a>(
    desired: &BTreeMap<UnitKey, Desired>,
    parents: &Parents,
    owners: impl Fn(&UnitKey) -> Option<&'a BTreeMap<ObjectId, Owner>>,
) -> Claims {
    let wish = |desired: &Desired| Wish {
        objects: desired.objects.keys().chain(&desired.ignored).cloned().collect(),
        complete: desired.is_complete(),
    };
    let wishes = desired.iter().map(|(key, desired)| (key.clone(), wish(desired))).collect();
    let incumbent = |id: &ObjectId| {
        let owner = desired.keys().find_map(|key| owners(key)?.get(id))?;
        if let Owner::ApplySet(set) = owner { parents.units.get(set).cloned() } else { None }
    };
    let mut claims = Claims::default();
    claims.settle(0, wishes, incumbent);
    claims
}

struct Outlook<'a> {
    context: &'a Context,
    cluster: &'a Arc<dyn Cluster>,
    namespace: &'a str,
    known: &'a Known,
    parents: &'a Parents,
}

/// What the cluster has of one unit.
struct Live {
    /// Whole objects that carry the unit's label.
    members: BTreeMap<ObjectId, LiveMeta>,
    owners: BTreeMap<ObjectId, Owner>,
}

impl Outlook<'_> {
    fn applyset(&self, key: &UnitKey) -> ApplySetId {
        applyset::id(&applyset::parent_name(key), self.namespace)
    }

    async fn look(&self, key: &UnitKey, desired: &Desired) -> Result<Live, Failure> {
        let set = self.applyset(key);
        let mut kinds: BTreeSet<GroupKind> = desired.extent().kinds;
        if let Some(parent) = self.parents.found.get(key) {
            kinds.extend(Extent::read(self.namespace, &parent.annotations).kinds);
        }
        let mut members = BTreeMap::new();
        for kind in kinds {
            members.extend(self.members(&kind, &set).await?.into_iter().map(|live| (live.id.clone(), live)));
        }
        let mut owners: BTreeMap<ObjectId, Owner> =
            members.keys().map(|id| (id.clone(), Owner::ApplySet(set.clone()))).collect();
        let unknown: Vec<ObjectId> =
            desired.objects.keys().filter(|id| !members.contains_key(id)).cloned().collect();
        let finder = Owners::new(Arc::clone(self.cluster), Arc::new(Semaphore::new(IN_FLIGHT_MAX)));
        finder.prefetch(self.context, self.known, unknown.iter()).await;
        for (id, found) in finder.look_up(self.context, self.known, &unknown).await {
            owners.insert(id, found?.owner);
        }
        Ok(Live { members, owners })
    }

    /// Lists the whole objects of a set; where that is denied, what is known of them without their content.
    async fn members(&self, kind: &GroupKind, set: &ApplySetId) -> Result<Vec<LiveMeta>, Failure> {
        let Ok(served) = self.known.kind(kind, None) else { return Ok(Vec::new()) };
        let selector = format!("{PART_OF}={set}");
        let mut events = self.cluster.watch(&served, Some(&selector), Content::Full);
        let list = async {
            let mut list = Vec::new();
            while let Some(event) = events.next().await {
                match event {
                    WatchEvent::Changed(live) => list.push(*live),
                    WatchEvent::Listed => return Some(list),
                    WatchEvent::Failing(_) => return None,
                    WatchEvent::Restarted | WatchEvent::Deleted(_) => list.clear(),
                }
            }
            None
        };
        match tokio::time::timeout_at(self.context.within(LIST_LIMIT).deadline, list).await {
            Ok(Some(list)) => Ok(list),
            Ok(None) | Err(_) => self.cluster.list(self.context, &served, None, Some(&selector)).await,
        }
    }

    fn plan(&self, key: &UnitKey, desired: &Desired, live: &Live, claims: &Claims) -> UnitPlan {
        let set = self.applyset(key);
        let settled: BTreeMap<ObjectId, Hash> = desired
            .objects
            .iter()
            .filter(|(id, object)| {
                live.members.get(id).is_some_and(|live| is_met(&object.value, &live.value))
            })
            .map(|(id, object)| (id.clone(), object.hash))
            .collect();
        let owned: Vec<(ObjectId, &Value)> =
            live.members.iter().map(|(id, live)| (id.clone(), &live.value)).collect();
        let other = |id: &ObjectId| claims.holder(id).filter(|holder| *holder != key).cloned();
        let ids = desired.objects.keys().chain(live.members.keys());
        let foreign = ids.filter_map(|id| Some((id.clone(), other(id)?))).collect();
        let unsettled =
            self.parents.units.values().filter(|unit| claims.is_unsettled(unit)).cloned().collect();
        let (planned, report) = plan(&PlanInput {
            unit: key,
            applyset: &set,
            desired,
            foreign: &foreign,
            owners: &live.owners,
            parents: &self.parents.units,
            unsettled: &unsettled,
            settled: &settled,
            owned: Some(&owned),
            acknowledged: None,
        });
        UnitPlan {
            outline: planned.outline(key),
            findings: desired.findings.clone(),
            refused: report.refused,
            waiting: report.waiting,
        }
    }
}
