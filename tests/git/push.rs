//! Pushes that are accepted, that lose a race, that are refused.

use tidegate_agent::fence::WriteFence;
use tidegate_agent::git::{GitRepo, PushOutcome};

use crate::world::{FILE, World, commit, context, push};

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
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    let theirs = world.server.commit("fleet", "theirs", &[("other.yaml", "a: 1\n")]);
    world.server.reset("fleet", &tip);
    // The hook runs after the server has read the command, and before it moves the ref.
    let script = format!("unset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main {theirs}");
    world.server.set_hook("fleet", "pre-receive", &script);
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Lost);
    assert_eq!(world.server.head("fleet"), theirs);
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
async fn eight_writers_lose_nothing() {
    let world = std::sync::Arc::new(World::new());
    let files: Vec<_> = (0..8).map(|n| (format!("apps/{n}.yaml"), "n: 0\n")).collect();
    world.server.commit("fleet", "files", &files);
    let before = world.server.log("fleet").len();
    let writers = (0..8).map(|n| {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            let repository = world.open();
            for round in 1..=3 {
                loop {
                    let tip = repository.fetch(&context()).await.unwrap();
                    let new =
                        crate::world::new_commit(&tip, &format!("apps/{n}.yaml"), &format!("n: {round}\n"));
                    let id = repository.commit(&context(), new).await.unwrap();
                    match push(&repository, &id, &tip).await.unwrap() {
                        PushOutcome::Accepted => break,
                        PushOutcome::Lost => {}
                        PushOutcome::Refused(words) => panic!("{words}"),
                    }
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(world.server.log("fleet").len(), before + 24);
    for n in 0..8 {
        assert_eq!(world.server.file("fleet", &format!("apps/{n}.yaml")).unwrap(), "n: 3\n");
    }
}
