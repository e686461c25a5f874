//! Fetching and reading: tips, files, history, damage.

use std::path::{Path, PathBuf};

use tidegate_agent::git::{GitRepo, RemoteConfig, Repository};
use tidegate_policy::history::HistoryEnd;

use crate::world::{FILE, World, context, read};

#[tokio::test]
async fn fetch_clones_and_an_unchanged_tip_costs_one_request() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    assert_eq!(tip, world.server.head("fleet"));
    assert_eq!(read(&repository, &tip, FILE).await.unwrap(), "image: web:1\n");

    world.server.take_requests();
    assert_eq!(repository.fetch(&context()).await.unwrap(), tip);
    let requests = world.server.take_requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].target, "/fleet/info/refs?service=git-upload-pack");
    assert_eq!(requests[0].user_agent, format!("tidegate/{}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn fetch_follows_commits_and_rewritten_branches() {
    let world = World::new();
    let repository = world.open();
    let first = repository.fetch(&context()).await.unwrap();
    let second = world.server.commit("fleet", "two", &[(FILE, "image: web:2\n")]);
    assert_eq!(repository.fetch(&context()).await.unwrap(), second);
    assert_eq!(read(&repository, &second, FILE).await.unwrap(), "image: web:2\n");
    assert_eq!(repository.is_ancestor(&context(), &first, &second).await.unwrap(), Some(true));

    world.server.reset("fleet", &first);
    assert_eq!(repository.fetch(&context()).await.unwrap(), first);
    assert_eq!(repository.is_ancestor(&context(), &second, &first).await.unwrap(), Some(false));
    let unknown = "1234567890123456789012345678901234567890";
    assert_eq!(repository.is_ancestor(&context(), unknown, &first).await.unwrap(), None);
}

#[tokio::test]
async fn only_the_one_branch_is_fetched() {
    let world = World::new();
    let first = world.server.head("fleet");
    let second = world.server.commit("fleet", "two", &[(FILE, "image: web:2\n")]);
    world.server.create_branch("fleet", "other");
    world.server.reset("fleet", &first);
    let repository = world.open();
    assert_eq!(repository.fetch(&context()).await.unwrap(), first);
    assert_eq!(repository.is_ancestor(&context(), &second, &first).await.unwrap(), None);

    let other = Repository::open(&RemoteConfig { branch: "other".into(), ..world.config() }).unwrap();
    assert_eq!(other.fetch(&context()).await.unwrap(), second);
    assert_eq!(mirrors(world.state.path()).len(), 2);
}

#[tokio::test]
async fn files_are_listed_below_a_path_and_links_are_not() {
    let world = World::new();
    world.server.commit("fleet", "more", &[("apps/db/db.yaml", "a: 1\n"), ("apps/link", "../run.sh")]);
    world.server.set_mode("fleet", "apps/link", 0o120_000);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let list = async |path: &str| {
        let files = repository.files(&context(), &tip, path).await.unwrap();
        files.into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["apps/db/db.yaml", "apps/web.yaml", "run.sh"]);
    assert_eq!(list("apps/db").await, ["apps/db/db.yaml"]);
    for nothing in ["nowhere", "../apps", "run.sh", "apps/web.yaml"] {
        assert_eq!(list(nothing).await, Vec::<String>::new(), "{nothing}");
    }
}

#[tokio::test]
async fn names_that_no_file_system_should_see_are_left_out() {
    let world = World::new();
    let bare = git2::Repository::open_bare(world.server.path("fleet")).unwrap();
    let blob = bare.blob(b"evil: true\n").unwrap();
    let mut tree = Vec::new();
    for name in [".GIT", "..", "a/b.yaml", "ok.yaml"] {
        tree.extend_from_slice(format!("100644 {name}\0").as_bytes());
        tree.extend_from_slice(blob.as_bytes());
    }
    let tree = bare.odb().unwrap().write(git2::ObjectType::Tree, &tree).unwrap();
    let person = git2::Signature::now("Eve", "eve@example.com").unwrap();
    let raw = format!("tree {tree}\nauthor {person} 0 +0000\ncommitter {person} 0 +0000\n\nevil\n");
    let commit = bare.odb().unwrap().write(git2::ObjectType::Commit, raw.as_bytes()).unwrap();
    world.server.reset("fleet", &commit.to_string());

    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let files = repository.files(&context(), &tip, "").await.unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["ok.yaml"]);
}

#[tokio::test]
async fn a_blob_over_the_limit_is_not_read() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let files = repository.files(&context(), &tip, "").await.unwrap();
    let ids: Vec<_> = files.into_iter().map(|file| file.blob).collect();
    let blobs = repository.blobs(&context(), ids, 8).await.unwrap();
    assert_eq!(blobs.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn history_lists_structured_files_along_first_parents() {
    let world = World::new();
    let second = world.server.commit("fleet", "two", &[(FILE, "image: web:2\n"), ("notes.txt", "x")]);
    let third = world.server.remove("fleet", "three\n\nbody", &[FILE]);
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    assert_eq!(tip, third);
    let (commits, end) = repository.history(&context(), &tip, None, 100, "").await.unwrap();
    assert_eq!(end, HistoryEnd::Root);
    assert_eq!(commits.len(), 4);
    assert_eq!(commits[0].message, "three\n\nbody");
    let touched = |index: usize| {
        let kind = |file: &tidegate_policy::history::FileChange| (file.old.is_some(), file.new.is_some());
        commits[index].files.iter().map(|file| (file.path.as_str(), kind(file))).collect::<Vec<_>>()
    };
    assert_eq!(touched(0), [(FILE, (true, false))]);
    assert_eq!(touched(1), [(FILE, (true, true))]);
    assert_eq!(touched(2), []);
    assert_eq!(touched(3), [(FILE, (false, true))]);

    let (commits, end) = repository.history(&context(), &tip, Some(&second), 100, "").await.unwrap();
    assert_eq!((commits.len(), end), (1, HistoryEnd::Limit));
    let (commits, end) = repository.history(&context(), &tip, None, 2, "apps").await.unwrap();
    assert_eq!((commits.len(), end), (2, HistoryEnd::Limit));
    let (commits, _) = repository.history(&context(), &tip, None, 100, "elsewhere").await.unwrap();
    assert!(commits.iter().all(|commit| commit.files.is_empty()));
}

#[tokio::test]
async fn a_damaged_mirror_is_cloned_again_by_fetch() {
    let world = World::new();
    let tip = world.open().fetch(&context()).await.unwrap();
    for damage in [remove_head as fn(&Path), empty_packs, scramble_refs, leave_a_lock, replace_with_a_file] {
        let mirror = settled_mirror(&world).await;
        damage(&mirror);
        let repository = world.open();
        assert_eq!(repository.fetch(&context()).await.unwrap(), tip);
        assert_eq!(read(&repository, &tip, FILE).await.unwrap(), "image: web:1\n");
    }
}

#[tokio::test]
async fn damage_found_while_reading_is_mended_by_the_next_fetch() {
    let world = World::new();
    let repository = world.open();
    let tip = repository.fetch(&context()).await.unwrap();
    let files = repository.files(&context(), &tip, "").await.unwrap();
    drop(repository);
    empty_packs(&settled_mirror(&world).await);

    let repository = world.open();
    let ids = vec![files[0].blob.clone()];
    let failure = repository.blobs(&context(), ids.clone(), 1 << 20).await.unwrap_err();
    assert!(failure.chain().contains(&world.server.url("fleet")), "{}", failure.chain());
    repository.fetch(&context()).await.unwrap();
    assert!(repository.blobs(&context(), ids, 1 << 20).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn a_crowded_mirror_is_cloned_again_when_nothing_is_new() {
    let world = World::new();
    let tip = world.open().fetch(&context()).await.unwrap();
    let mirror = settled_mirror(&world).await;
    crowd(&mirror);
    let repository = world.open();
    assert_eq!(repository.fetch(&context()).await.unwrap(), tip);
    assert!(!crowding_pack(&mirror, 0).exists());
    assert_eq!(read(&repository, &tip, FILE).await.unwrap(), "image: web:1\n");
    world.server.take_requests();
    repository.fetch(&context()).await.unwrap();
    assert_eq!(world.server.take_requests().len(), 1);
}

fn mirrors(state: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state.join("git")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// The only mirror, once the thread that owned it has let it go.
async fn settled_mirror(world: &World) -> PathBuf {
    let mirrors = mirrors(world.state.path());
    assert_eq!(mirrors.len(), 1, "{mirrors:?}");
    let lock = std::fs::File::open(mirrors[0].with_extension("lock")).unwrap();
    tokio::task::spawn_blocking(move || lock.lock().unwrap()).await.unwrap();
    mirrors[0].clone()
}

fn remove_head(mirror: &Path) {
    std::fs::remove_file(mirror.join("HEAD")).unwrap();
}

fn empty_packs(mirror: &Path) {
    for entry in std::fs::read_dir(mirror.join("objects/pack")).unwrap() {
        let file = entry.unwrap().path();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "").unwrap();
    }
}

fn scramble_refs(mirror: &Path) {
    std::fs::write(mirror.join("refs/remotes/origin/main"), "no id\n").unwrap();
}

/// A lock that a killed process left; it matters once the ref has to move.
fn leave_a_lock(mirror: &Path) {
    std::fs::remove_file(mirror.join("refs/remotes/origin/main")).unwrap();
    std::fs::write(mirror.join("refs/remotes/origin/main.lock"), "").unwrap();
}

fn replace_with_a_file(mirror: &Path) {
    std::fs::remove_dir_all(mirror).unwrap();
    std::fs::write(mirror, "").unwrap();
}

/// More packs than a mirror keeps; without an index nobody reads them.
fn crowd(mirror: &Path) {
    (0..401).for_each(|n| std::fs::write(crowding_pack(mirror, n), "").unwrap());
}

fn crowding_pack(mirror: &Path, number: usize) -> PathBuf {
    mirror.join(format!("objects/pack/pack-{number:040}.pack"))
}
