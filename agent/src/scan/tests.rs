//! A registry whose answers are written down beforehand, and what the subscribers see of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use tidegate_policy::annotation::Platform;
use tidegate_policy::reference::{Digest, Tag};
use tidegate_policy::schedule::Poll;
use tidegate_policy::update::{RepositoryState, ScanError};

use super::*;
use crate::clock::SystemClock;

type Answer = Result<Vec<&'static str>, Failure>;

/// Answers listings from a script; the last answer but a failure repeats.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    last: Mutex<Vec<String>>,
    calls: Mutex<Vec<(String, Instant)>>,
    /// The last digit of every digest.
    digest: AtomicU32,
    /// Whether content is another than its digest says.
    lies: AtomicBool,
}

#[async_trait]
impl Registry for Script {
    async fn tags(&self, _: &Context, repository: &Repository) -> Result<Vec<String>, Failure> {
        self.calls.lock().unwrap().push((repository.path.clone(), Instant::now()));
        match self.answers.lock().unwrap().pop_front() {
            Some(Err(failure)) => Err(failure),
            Some(Ok(tags)) => {
                let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
                self.last.lock().unwrap().clone_from(&tags);
                Ok(tags)
            }
            None => Ok(self.last.lock().unwrap().clone()),
        }
    }

    async fn manifest_digest(
        &self,
        _: &Context,
        _: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, Failure> {
        let last = self.digest.load(Ordering::Relaxed);
        let digest = Digest::parse(&format!("sha256:{}{last}", "0".repeat(63))).unwrap();
        Ok((tag.as_str() != "gone").then_some(digest))
    }

    async fn platforms(
        &self,
        _: &Context,
        _: &Repository,
        _: &Digest,
    ) -> Result<Option<Vec<Platform>>, Failure> {
        if self.lies.load(Ordering::Relaxed) {
            return Err(Failure::reject("another content").contradiction());
        }
        Ok(Some(vec![Platform::new("linux", "amd64", None)]))
    }
}

struct World {
    script: Arc<Script>,
    scanner: Scanner,
    subscription: Subscription,
}

fn repository(path: &str) -> Repository {
    Repository { registry: "r.example.com".into(), path: path.into() }
}

fn interests(paths: &[&str]) -> BTreeMap<Repository, Interest> {
    paths.iter().map(|path| (repository(path), Interest::default())).collect()
}

fn world(answers: impl IntoIterator<Item = Answer>, paths: &[&str]) -> World {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
    let registry = Arc::clone(&script);
    let connect: Connect = Box::new(move |_| {
        Ok(Connection { registry: Arc::clone(&registry) as Arc<dyn Registry>, poll: Duration::from_secs(60) })
    });
    let scanner = Scanner::new(
        connect,
        Jitter::new(1),
        Metrics::new(),
        Arc::new(SystemClock),
        CancellationToken::new(),
    );
    let mut subscription = scanner.subscribe();
    subscription.want(interests(paths));
    World { script, scanner, subscription }
}

impl World {
    /// Waits for the next wake and returns what is known of `a/b` then.
    async fn next(&self) -> RepositoryState {
        tokio::time::timeout(Duration::from_hours(1), self.subscription.changed()).await.expect("a wake");
        self.subscription.snapshot().repositories[&repository("a/b")].clone()
    }

    fn calls(&self) -> usize {
        self.script.calls.lock().unwrap().len()
    }
}

fn tags(state: &RepositoryState) -> Vec<&str> {
    state.tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_listing_wakes_nobody_whatever_its_order() {
    let world = world([Ok(vec!["1", "2"]), Ok(vec!["2", "1"]), Ok(vec!["2", "1", "3"])], &["a/b"]);
    assert_eq!(tags(&world.next().await), ["1", "2"]);
    assert_eq!(tags(&world.next().await), ["1", "2", "3"]);
    assert_eq!(world.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn three_failed_polls_keep_the_listing_and_the_recovery_wakes() {
    let down = || Err(Failure::retry("503"));
    let world = world([Ok(vec!["1"]), down(), down(), down(), Ok(vec!["1"])], &["a/b"]);
    assert!(world.next().await.error.is_none());
    let state = world.next().await;
    assert_eq!((tags(&state), state.error.clone()), (vec!["1"], Some(ScanError::Unreachable("503".into()))));
    let state = world.next().await;
    assert_eq!((tags(&state), state.error.clone(), world.calls()), (vec!["1"], None, 5));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_was_cut_short_is_told_from_one_that_never_came() {
    let world = world([Err(Failure::reject("half a page").partial())], &["a/b"]);
    let state = world.next().await;
    assert_eq!((state.tags, state.error), (None, Some(ScanError::Incomplete("half a page".into()))));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_asks_for_a_pause_gets_it_from_every_repository() {
    let pause = Failure::retry("429").after(Some(Duration::from_secs(120)));
    let world = world([Err(pause)], &["a/b"]);
    world.next().await;
    let mut other = world.scanner.subscribe();
    other.want(interests(&["c"]));
    other.changed().await;
    let calls = world.script.calls.lock().unwrap();
    let gap = calls[1].1 - calls[0].1;
    assert!(gap >= Duration::from_secs(120), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn failures_space_out_the_polls() {
    let world = world((0..40).map(|_| Err(Failure::retry("503"))), &["a/b"]);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!((15..=30).contains(&world.calls()), "{}", world.calls());
}

#[tokio::test(start_paused = true)]
async fn a_shrunken_listing_says_how_long_it_was() {
    let world = world([Ok(vec!["1", "2", "3", "4"]), Ok(vec!["1"]), Ok(vec!["1", "2", "3"])], &["a/b"]);
    let mut shrunk = Vec::new();
    for _ in 0..3 {
        shrunk.push(world.next().await.shrunk_from);
    }
    assert_eq!(shrunk, [None, Some(4), None]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_is_forgotten_and_not_listed() {
    let mut world = world([Ok(vec!["1"])], &["a/b"]);
    world.next().await;
    world.subscription.want(interests(&[]));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.calls(), 1);
    assert!(world.subscription.snapshot().repositories.is_empty());
    world.subscription.want(interests(&["a/b"]));
    assert_eq!(tags(&world.next().await), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_manifest_is_asked_for_again_after_the_next_listing() {
    let world = world([Ok(vec!["1", "gone"])], &["a/b"]);
    world.next().await;
    let context = Context::new(&CancellationToken::new(), Duration::from_secs(10));
    let wanted = ["1", "gone"].map(|tag| Wanted::Manifest(repository("a/b"), Tag::parse(tag).unwrap()));
    world.subscription.gather(&context, &wanted).await.unwrap();
    let facts = &world.subscription.snapshot().repositories[&repository("a/b")].manifests;
    assert!(matches!(facts[&Tag::parse("1").unwrap()], ManifestFact::Present(_)));
    assert_eq!(facts[&Tag::parse("gone").unwrap()], ManifestFact::Missing);
    assert!(world.next().await.manifests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_followed_tag_is_resolved_with_each_listing_and_its_move_wakes() {
    let mut world = world([Ok(vec!["main", "1"])], &["a/b"]);
    let follow = ["main", "gone"].map(|tag| Tag::parse(tag).unwrap());
    let interest = Interest { follow: follow.into(), ..Interest::default() };
    world.subscription.want([(repository("a/b"), interest)].into());
    let digest_of = |state: &RepositoryState| match state.manifests.get(&Tag::parse("main").unwrap()) {
        Some(ManifestFact::Present(digest)) => digest.to_string(),
        other => panic!("{other:?}"),
    };
    let first = world.next().await;
    assert_eq!(first.manifests.len(), 1, "only listed tags are resolved");
    let first = digest_of(&first);
    world.script.digest.store(7, Ordering::Relaxed);
    assert_ne!(digest_of(&world.next().await), first);
    assert!(world.calls() >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_poll_takes_effect_at_once() {
    let mut world = world([Ok(vec!["1"])], &["a/b"]);
    world.next().await;
    let want = |poll: &str| {
        let interest = Interest { polls: vec![Poll::parse(poll).unwrap()], ..Interest::default() };
        [(repository("a/b"), interest)].into()
    };
    world.subscription.want(want("24h"));
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(world.calls(), 2, "the wait that was under way, and one listing a day");
    world.subscription.want(want("1s"));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!((10..=14).contains(&world.calls()), "{}", world.calls());
}

#[tokio::test(start_paused = true)]
async fn what_an_image_runs_on_stays_known_through_listings() {
    let world = world([Ok(vec!["1"]), Ok(vec!["1", "2"])], &["a/b"]);
    world.next().await;
    let context = Context::new(&CancellationToken::new(), Duration::from_secs(10));
    let digest = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let wanted = Wanted::Platforms(repository("a/b"), digest.clone());
    world.subscription.gather(&context, &[wanted]).await.unwrap();
    let state = world.next().await;
    assert_eq!(tags(&state), ["1", "2"]);
    assert_eq!(state.platforms[&digest].len(), 1);
}

#[tokio::test(start_paused = true)]
async fn content_that_contradicts_its_digest_is_a_fact() {
    let world = world([Ok(vec!["1"])], &["a/b"]);
    world.next().await;
    let context = Context::new(&CancellationToken::new(), Duration::from_secs(10));
    let tag = Tag::parse("1").unwrap();
    let resolve = Wanted::Manifest(repository("a/b"), tag.clone());
    world.subscription.gather(&context, &[resolve]).await.unwrap();
    world.script.lies.store(true, Ordering::Relaxed);
    let digest = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let wanted = Wanted::Platforms(repository("a/b"), digest);
    world.subscription.gather(&context, &[wanted]).await.unwrap();
    let facts = &world.subscription.snapshot().repositories[&repository("a/b")].manifests;
    assert_eq!(facts[&tag], ManifestFact::Mismatch("another content".into()));
}
