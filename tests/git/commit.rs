//! Commits as the server has them afterwards.

use std::time::Instant;

use jiff::Timestamp;
use tidegate_agent::git::{GitRepo, NewCommit, PushOutcome};

use crate::world::{FILE, World, commit, context, new_commit, push};

#[tokio::test]
async fn a_commit_changes_its_file_and_nothing_else() {
    let world = World::new();
    let odd = "\u{feff}a: 1\r\n# comment  \r\nb:\t2";
    let before = world.server.commit("fleet", "odd", &[("apps/odd.yaml", odd)]);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Accepted);

    assert_eq!(world.server.head("fleet"), id);
    assert_eq!(world.server.file("fleet", FILE).unwrap(), "image: web:2\n");
    let others = |revision: &str| {
        let mut tree = world.server.tree("fleet", revision);
        tree.retain(|(path, ..)| path != FILE);
        tree
    };
    assert_eq!(others(&id), others(&before));
    let entry = &world.server.log("fleet")[0];
    assert_eq!(entry.message, "web: 1 -> 2\n");
    assert_eq!(entry.author, "Tidegate <tidegate@example.com>");
    assert_eq!(entry.parents, [before]);
}

#[tokio::test]
async fn an_executable_file_stays_executable() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = repository.commit(&context(), new_commit(&tip, "run.sh", "exit 1\n")).await.unwrap();
    push(&repository, &id, &tip).await.unwrap();
    let tree = world.server.tree("fleet", &id);
    let mode = tree.iter().find(|(path, ..)| path == "run.sh").unwrap().1;
    assert_eq!(mode, 0o100_755);
    assert_eq!(world.server.file("fleet", "run.sh").unwrap(), "exit 1\n");
}

#[tokio::test]
async fn a_commit_is_not_older_than_its_parent() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let old = NewCommit { time: Timestamp::UNIX_EPOCH, ..new_commit(&tip, FILE, "image: web:2\n") };
    let id = repository.commit(&context(), old).await.unwrap();
    push(&repository, &id, &tip).await.unwrap();
    let log = world.server.log("fleet");
    assert_eq!(log[0].time, log[1].time);
}

#[tokio::test]
async fn only_regular_files_of_the_parent_can_be_written() {
    let world = World::new();
    world.server.commit("fleet", "link", &[("link.yaml", "run.sh")]);
    world.server.set_mode("fleet", "link.yaml", 0o120_000);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    for path in ["new.yaml", "apps", "link.yaml", "../x", ".git/config", "run.sh/x", "a\0b"] {
        let failure = repository.commit(&context(), new_commit(&tip, path, "x")).await.unwrap_err();
        assert!(failure.message.contains("no regular file"), "{path}: {failure}");
    }
}

#[tokio::test]
async fn ten_thousand_files_are_no_burden() {
    let world = World::new();
    let files: Vec<_> =
        (0..10_000).map(|n| (format!("apps/{}/{n}.yaml", n % 100), format!("n: {n}\n"))).collect();
    world.server.commit("fleet", "many", &files);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    assert_eq!(repository.files(&context(), &tip, "apps").await.unwrap().len(), 10_001);
    let started = Instant::now();
    let id = repository.commit(&context(), new_commit(&tip, "apps/7/7.yaml", "n: 8\n")).await.unwrap();
    assert_eq!(push(&repository, &id, &tip).await.unwrap(), PushOutcome::Accepted);
    let took = started.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
    assert_eq!(world.server.tree("fleet", &id).len(), 10_002);
}
