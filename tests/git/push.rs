//! Pushes that are accepted, that lose a race, that are refused.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_agent::error::Kind;
use tidegate_agent::fence::WriteFence;
use tidegate_agent::git::{GitRepo, PushOutcome, Repository};
use tidegate_tests::sandbox::proxy::{Action, Moment, When};

use crate::world::{FILE, World, commit, context, new_commit, push};

/// How long a request may take to come.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn after_a_push_the_next_fetch_is_one_request() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Accepted);
    world.server.take_requests();
    assert_eq!(repository.fetch(&context()).await.unwrap(), id);
    assert_eq!(world.server.take_requests().len(), 1);
}

#[tokio::test]
async fn a_push_that_somebody_overtook_is_lost_and_keeps_theirs() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let theirs = world.server.commit("fleet", "theirs", &[("other.yaml", "a: 1\n")]);
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Lost);
    assert_eq!(world.server.head("fleet"), theirs);

    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Accepted);
    assert!(world.server.file("fleet", "other.yaml").is_some());
}

#[tokio::test]
async fn a_branch_reset_on_the_server_is_not_restored() {
    let world = World::new();
    let first = world.server.head("fleet");
    world.server.commit("fleet", "bad", &[(FILE, "image: bad\n")]);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    world.server.reset("fleet", &first);
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Lost);
    assert_eq!(world.server.head("fleet"), first);
}

#[tokio::test]
async fn a_race_between_advertisement_and_update_is_lost() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    let repository = Repository::open(&config).unwrap();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let stop = proxy.stop(When::new("POST", "git-receive-pack"), Moment::BeforeForwarding);
    let overtaken = async {
        stop.reached(LIMIT).await;
        let theirs = world.server.commit("fleet", "theirs", &[("other.yaml", "a: 1\n")]);
        stop.release();
        theirs
    };
    let (outcome, theirs) = tokio::join!(push(&repository, &id, &tip), overtaken);
    assert_eq!(outcome.unwrap(), PushOutcome::Lost);
    assert_eq!(world.server.head("fleet"), theirs);
}

#[tokio::test]
async fn a_refusal_while_somebody_else_pushed_is_a_lost_race() {
    let world = World::new();
    world.server.set_hook("fleet", "update", "exit 1");
    let (proxy, config) = world.behind_proxy().await;
    let repository = Repository::open(&config).unwrap();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let stop = proxy.stop(When::new("POST", "git-receive-pack"), Moment::AfterAnswer);
    let overtaken = async {
        stop.reached(LIMIT).await;
        world.server.commit("fleet", "theirs", &[("other.yaml", "a: 1\n")]);
        stop.release();
    };
    let (outcome, ()) = tokio::join!(push(&repository, &id, &tip), overtaken);
    assert_eq!(outcome.unwrap(), PushOutcome::Lost);
}

#[tokio::test]
async fn a_lost_acknowledgement_is_seen_by_the_next_fetch() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    let repository = Repository::open(&config).unwrap();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    proxy.on(When::new("POST", "git-receive-pack").nth(1), Action::DropAnswer);
    let failure = push(&repository, &id, &tip).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Retry { after: None }, "{}", failure.chain());
    assert_eq!(repository.fetch(&context()).await.unwrap(), id);
    assert_eq!(world.server.log("fleet").len(), 3);
    assert_eq!(proxy.count(&When::new("POST", "git-receive-pack")), 1);
}

#[tokio::test]
async fn an_answer_cut_short_is_no_acceptance() {
    for length in [0, 4, 12, 30] {
        let world = World::new();
        let (proxy, config) = world.behind_proxy().await;
        let repository = Repository::open(&config).unwrap();
        let tip = repository.fetch(&context()).await.unwrap();
        let id = commit(&repository, &tip, "image: web:2\n").await;
        proxy.on(When::new("POST", "git-receive-pack").nth(1), Action::Cut(length));
        let outcome = push(&repository, &id, &tip).await;
        assert!(outcome.is_err(), "{length}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_hook_that_declines_is_a_refusal_with_its_words() {
    let world = World::new();
    world.server.set_hook("fleet", "pre-receive", "printf 'only on \\033[31mmondays\\n' >&2; exit 1");
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let PushOutcome::Refused(words) = push(&repository, &id, &tip).await.unwrap() else {
        panic!("the hook declines");
    };
    assert!(words.contains("hook declined") && words.contains("mondays"), "{words}");
    assert!(!words.contains('\u{1b}'), "{words:?}");
    assert_eq!(world.server.head("fleet"), tip);
}

#[tokio::test]
async fn an_update_hook_that_declines_one_ref_is_a_refusal() {
    let world = World::new();
    world.server.set_hook("fleet", "update", "exit 1");
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let outcome = push(&repository, &id, &tip).await.unwrap();
    assert!(matches!(outcome, PushOutcome::Refused(_)), "{outcome:?}");
    assert_eq!(repository.fetch(&context()).await.unwrap(), tip);
}

#[tokio::test]
async fn a_branch_that_is_locked_for_the_moment_is_a_lost_race() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let lock = world.server.path("fleet").join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Lost);
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Accepted);
}

#[tokio::test]
async fn the_mirror_is_for_us_alone() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    assert_eq!(open_to_others(world.state.path()), Vec::<PathBuf>::new());
    let id = commit(&repository, &tip, "image: web:2\n").await;
    push(&repository, &id, &tip).await.unwrap();
    assert_eq!(open_to_others(world.state.path()), Vec::<PathBuf>::new());
}

fn open_to_others(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(entry.path());
        }
        if metadata.is_dir() {
            found.extend(open_to_others(&entry.path()));
        }
    }
    found
}

#[tokio::test]
async fn a_closed_fence_lets_nothing_out() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let fence = WriteFence::default();
    fence.close();
    world.server.take_requests();
    repository.push(&context(), &fence, &id, &tip).await.unwrap_err();
    assert!(world.server.take_requests().iter().all(|request| request.method == "GET"));
    assert_eq!(world.server.head("fleet"), tip);
}

#[tokio::test]
async fn a_server_that_takes_no_pushes_says_so() {
    let world = World::new();
    let bare = git2::Repository::open_bare(world.server.path("fleet")).unwrap();
    bare.config().unwrap().set_bool("http.receivepack", false).unwrap();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let failure = push(&repository, &id, &tip).await.unwrap_err();
    assert!(failure.chain().contains("write access"), "{}", failure.chain());
}

#[tokio::test]
async fn four_writers_lose_nothing() {
    let world = Arc::new(World::new());
    let files: Vec<_> = (0..4).map(|n| (format!("apps/{n}.yaml"), "n: 0\n")).collect();
    world.server.commit("fleet", "files", &files);
    let before = world.server.log("fleet").len();
    let writers = (0..4).map(|n| tokio::spawn(write_twice(Arc::clone(&world), format!("apps/{n}.yaml"))));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(world.server.log("fleet").len(), before + 8);
    for (path, _) in files {
        assert_eq!(world.server.file("fleet", &path).unwrap(), "n: 2\n");
    }
}

async fn write_twice(world: Arc<World>, path: String) {
    let repository = world.open();
    for round in 1..=2 {
        loop {
            let tip = repository.fetch(&context()).await.unwrap();
            let new = new_commit(&tip, &path, &format!("n: {round}\n"));
            let id = repository.commit(&context(), new).await.unwrap();
            match push(&repository, &id, &tip).await.unwrap() {
                PushOutcome::Accepted => break,
                PushOutcome::Lost => {}
                PushOutcome::Refused(words) => panic!("{words}"),
            }
        }
    }
}
