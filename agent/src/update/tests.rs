//! The loop against fakes of its seams: races, refusals, lost answers, failing registries, rewrites.

mod fakes;
mod policies;
mod story;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::reference::{ImageReference, Repository};
use tidegate_policy::update::Guards;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::backoff::Jitter;
use crate::clock::Clock;
use crate::config::Source;
use crate::fence::WriteFence;
use crate::git::Signature;
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::scan::{Connect, Connection, Scanner};
use crate::source::{SeenReceiver, SeenRevision};

use super::*;
use fakes::{FakeGit, FakeRegistry, Records};

/// A clock that starts at a fixed time and follows the paused time of the test.
struct TestClock {
    start: tokio::time::Instant,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        start + self.start.elapsed()
    }
}

/// One source, one registry, and the loop between them.
struct World {
    git: Arc<FakeGit>,
    registry: Arc<FakeRegistry>,
    records: Arc<Records>,
    clock: Arc<TestClock>,
    metrics: Metrics,
    update: bool,
    stop: CancellationToken,
    seen: SeenReceiver,
    sender: Option<SeenSender>,
}

fn manifest(image: &str, policy: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n    \
         tidegate.io/policy: {policy}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        \
         image: {image}\n"
    )
}

fn repository() -> Repository {
    ImageReference::parse("r.example.com/web").unwrap().repository
}

impl World {
    /// A repository with `web.yaml` at `tag` and policy `semver:~1.4`, and a registry that lists `tags`.
    fn new(tag: &str, tags: &[&str]) -> Self {
        let git = Arc::new(FakeGit::default());
        git.person("first", &[("web.yaml", &manifest(&format!("r.example.com/web:{tag}"), "semver:~1.4"))]);
        let registry = Arc::new(FakeRegistry::default());
        registry.set(tags);
        let (sender, seen) = watch::channel(None);
        Self {
            git,
            registry,
            records: Arc::default(),
            clock: Arc::new(TestClock { start: tokio::time::Instant::now() }),
            metrics: Metrics::new(),
            update: true,
            stop: CancellationToken::new(),
            seen,
            sender: Some(sender),
        }
    }

    fn source(&self) -> Source {
        Source {
            guards: Guards::default(),
            image_paths: ImagePaths::default(),
            name: "fleet".into(),
            url: "https://git.example.com/fleet.git".into(),
            branch: "main".into(),
            path: String::new(),
            units: Vec::new(),
            poll: Duration::from_secs(60),
            update: self.update,
            sync: true,
            namespace: "default".into(),
            allow_insecure: false,
            ca_file: None,
            credentials: None,
            author: Signature { name: "Tidegate".into(), email: "tidegate@example.com".into() },
        }
    }

    fn scanner(&self) -> Scanner {
        let registry = Arc::clone(&self.registry);
        let connect: Connect =
            Box::new(move |_| Ok(Connection { registry: registry.clone(), poll: Duration::from_secs(10) }));
        Scanner::new(
            connect,
            Jitter::new(3),
            self.metrics.clone(),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            self.stop.clone(),
        )
    }

    /// Starts the loop; a second start stands for a restart of the process.
    fn start(&mut self) {
        let (sender, seen) = match self.sender.take() {
            Some(sender) => (sender, self.seen.clone()),
            None => watch::channel(None),
        };
        self.seen = seen;
        let parts = SourceParts {
            source: self.source(),
            repo: self.git.clone(),
            scans: self.scanner().subscribe(),
            cluster: Some(self.records.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            fence: WriteFence::default(),
            metrics: self.metrics.clone(),
            jitter: Jitter::new(5),
            worker: Progress::default().worker("source fleet", SILENCE_MAX),
            seen: sender,
        };
        tokio::spawn(run(parts, self.stop.clone()));
    }

    fn restart(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.start();
    }

    /// Waits until the published revision satisfies `wanted`.
    async fn until(&mut self, what: &str, wanted: impl Fn(&SeenRevision) -> bool) -> Arc<SeenRevision> {
        let wait = self.seen.wait_for(|seen| seen.as_ref().is_some_and(|seen| wanted(seen)));
        let seen = tokio::time::timeout(Duration::from_hours(6), wait).await;
        seen.unwrap_or_else(|_| panic!("never: {what}")).unwrap().clone().unwrap()
    }

    /// Waits until the image at the published tip has `tag`.
    async fn until_tag(&mut self, tag: &str) -> Arc<SeenRevision> {
        let git = Arc::clone(&self.git);
        self.until(tag, |seen| git.text(&seen.revision, "web.yaml").contains(&format!("web:{tag}\n"))).await
    }

    /// Lets time pass: polls, listings, back-offs.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
