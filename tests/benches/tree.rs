//! One file of 10,000 changes: what it costs to know all image fields again.
//!
//! The reader is the daemon's own, on its own mirror of a repository that is fetched over HTTP before the clock
//! starts. Measured is everything between a fetched revision and the new snapshot: listing the tree, walking the
//! history, reading and scanning the one blob.

mod deployment;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate_agent::context::Context;
use tidegate_agent::git::{DEFAULT_MAX_PACK_BYTES, GitRepo, RemoteConfig, Repository};
use tidegate_agent::update::Reader;
use tidegate_policy::manifest::ImagePaths;
use tidegate_tests::sandbox::git_server::GitServer;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use deployment::deployment;

const FILES: usize = 10_000;

struct World {
    server: GitServer,
    repository: Arc<Repository>,
    _state: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let server = GitServer::start();
        let files: Vec<_> = (0..FILES).map(|index| (path(index), deployment(index))).collect();
        server.create_repository("fleet", "main", &files);
        let state = tempfile::tempdir().expect("a folder");
        let repository = Repository::open(&RemoteConfig {
            url: server.url("fleet"),
            branch: "main".into(),
            state_dir: state.path().to_owned(),
            allow_insecure: true,
            credentials: None,
            ca_file: None,
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        });
        Self { server, repository: Arc::new(repository.expect("a mirror")), _state: state }
    }

    /// Changes one file and brings the commit here.
    async fn change(&self, round: usize) -> String {
        let index = round * 37 % FILES;
        let text = deployment(index).replace("1.4.2", &format!("1.4.{}", 3 + round));
        self.server.commit("fleet", "one image", &[(path(index), text)]);
        self.repository.fetch(&context()).await.expect("the commit")
    }
}

fn path(index: usize) -> String {
    format!("apps/team-{}/app-{index}/deployment.yaml", index % 20)
}

fn context() -> Context {
    Context::new(&CancellationToken::new(), Duration::from_mins(5))
}

async fn read(reader: &mut Reader, revision: &str) -> usize {
    let files = reader.files(&context(), revision).await.expect("the tree");
    let known = reader.read(&context(), revision, &files).await.expect("the snapshot");
    known.tree.files.values().map(|scan| scan.fields.len()).sum()
}

fn one_of_many(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let world = World::new();
    let mut reader =
        Reader::new(Arc::clone(&world.repository) as Arc<dyn GitRepo>, String::new(), ImagePaths::default());
    runtime.block_on(async {
        let revision = world.repository.fetch(&context()).await.expect("the first commit");
        let begun = Instant::now();
        let fields = read(&mut reader, &revision).await;
        println!("first read of {FILES} files, {fields} image fields: {:?}", begun.elapsed());
    });
    let mut round = 0;
    criterion.bench_function("one file of 10,000 changed", |bencher| {
        bencher.iter_custom(|times| {
            runtime.block_on(async {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    round += 1;
                    let revision = world.change(round).await;
                    let begun = Instant::now();
                    read(&mut reader, &revision).await;
                    spent += begun.elapsed();
                }
                spent
            })
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = one_of_many
}
criterion_main!(benches);
