//! The sync loop against a fake API server, in paused time: every wait is for a condition.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::applyset::PART_OF;
use tidegate_policy::sync::health::Health;
use tidegate_policy::update::Guards;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::fake::FakeCluster;
use super::fake::repo::FakeRepo;
use super::{Parts, Sync, UnitReport, plan_once};
use crate::backoff::Jitter;
use crate::clock::SystemClock;
use crate::cluster::Cluster;
use crate::config;
use crate::context::Context;
use crate::fence::WriteFence;
use crate::git::Signature;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::source::SeenRevision;

mod drift;
mod ownership;
mod prune;
mod revision;

/// One source, `fleet`, with the units given, synced into a fake.
struct World {
    cluster: Arc<FakeCluster>,
    repo: Arc<FakeRepo>,
    units: Vec<String>,
    sync: Sync,
    revisions: watch::Sender<Option<Arc<SeenRevision>>>,
    cancel: CancellationToken,
}

impl World {
    fn new(units: &[&str]) -> Self {
        Self::on(FakeCluster::new(), Arc::new(FakeRepo::default()), units)
    }

    fn on(cluster: Arc<FakeCluster>, repo: Arc<FakeRepo>, units: &[&str]) -> Self {
        let cancel = CancellationToken::new();
        let sync = Sync::new(Parts {
            cluster: Arc::clone(&cluster) as Arc<dyn Cluster>,
            namespace: "tidegate".to_owned(),
            fence: WriteFence::default(),
            clock: Arc::new(SystemClock),
            jitter: Jitter::new(7),
            metrics: Metrics::new(),
            progress: Progress::default(),
            stop: cancel.clone(),
        });
        let revisions = watch::Sender::new(None);
        let world = Self {
            cluster,
            repo,
            units: units.iter().map(ToString::to_string).collect(),
            sync,
            revisions,
            cancel,
        };
        let (sync, source) = (world.sync.clone(), world.source());
        let (repo, seen) = (Arc::clone(&world.repo), world.revisions.subscribe());
        tokio::spawn(async move { sync.source(0, source, repo, seen).await });
        world
    }

    fn source(&self) -> config::Source {
        config::Source {
            guards: Guards::default(),
            image_paths: ImagePaths::default(),
            name: "fleet".to_owned(),
            url: "https://git.example.com/fleet.git".to_owned(),
            branch: "main".to_owned(),
            path: String::new(),
            units: self.units.clone(),
            poll: Duration::from_secs(60),
            update: false,
            sync: true,
            namespace: "shop".to_owned(),
            allow_insecure: false,
            ca_file: None,
            credentials: None,
            author: Signature { name: "Tidegate".to_owned(), email: "tidegate@example.com".to_owned() },
        }
    }

    /// Ends the process and starts another on the same cluster and repository.
    fn restart(self) -> Self {
        self.cancel.cancel();
        let (cluster, repo) = (Arc::clone(&self.cluster), Arc::clone(&self.repo));
        let units: Vec<&str> = self.units.iter().map(String::as_str).collect();
        let seen = self.revisions.borrow().clone();
        let world = Self::on(cluster, repo, &units);
        world.revisions.send_replace(seen);
        world
    }

    fn commit(&self, files: &[(&str, Option<&str>)]) -> String {
        self.commit_saying(files, "Change")
    }

    fn commit_saying(&self, files: &[(&str, Option<&str>)], message: &str) -> String {
        let seen = self.repo.commit(files, message);
        let revision = seen.revision.clone();
        self.revisions.send_replace(Some(seen));
        revision
    }

    fn unit(&self, unit: &str) -> Option<UnitReport> {
        self.sync.health().borrow().units.get(&UnitKey::new("fleet", unit)).cloned()
    }

    /// Waits until a condition holds; fails, showing all units, if it does not within ten minutes of paused time.
    #[track_caller]
    fn until<'a>(
        &'a self,
        what: &'a str,
        holds: impl Fn(&Self) -> bool + 'a,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            for _ in 0..6000 {
                if holds(self) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            panic!("{place}: {what}; units: {:#?}", self.sync.health().borrow().units);
        }
    }

    async fn until_healthy(&self, unit: &str, revision: &str) {
        let what = format!("{unit} is healthy at {revision}");
        let is_healthy = |report: UnitReport| report.health == Health::Current && report.revision == revision;
        self.until(&what, |world| world.unit(unit).is_some_and(is_healthy)).await;
    }

    /// Lets everything come to rest, and forgets the calls made till then.
    async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        self.cluster.take_calls();
    }

    fn data(&self, object: &str, key: &str) -> Value {
        self.cluster.object(object).map_or(Value::Null, |object| object["data"][key].clone())
    }

    /// Returns the parent ConfigMap of a unit.
    fn parent(&self, unit: &str) -> Value {
        let name = tidegate_policy::sync::applyset::parent_name(&UnitKey::new("fleet", unit));
        self.cluster.object(&format!("ConfigMap/tidegate/{name}")).unwrap_or(Value::Null)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A ConfigMap as a manifest.
fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value:?}}}\n---\n")
}

fn config_maps(names: &[&str]) -> String {
    names.iter().map(|name| config_map(name, "1")).collect()
}

fn label(object: &Value) -> &Value {
    &object["metadata"]["labels"][PART_OF]
}
