//! A git server, a mirror of its repository `fleet`, and the few steps that most tests take.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;
use tidegate_agent::config::GitCredentials;
use tidegate_agent::context::Context;
use tidegate_agent::error::Failure;
use tidegate_agent::fence::WriteFence;
use tidegate_agent::git::{
    DEFAULT_MAX_PACK_BYTES, GitRepo, NewCommit, PushOutcome, RemoteConfig, Repository, Signature,
};
use tidegate_tests::sandbox::git_server::GitServer;
use tidegate_tests::sandbox::proxy::FaultProxy;
use tokio_util::sync::CancellationToken;

pub(crate) const FILE: &str = "apps/web.yaml";

pub(crate) struct World {
    pub(crate) server: GitServer,
    pub(crate) state: TempDir,
}

impl World {
    /// A server with the repository `fleet`: two files, one of them executable.
    pub(crate) fn new() -> Self {
        let server = GitServer::start();
        server.create_repository("fleet", "main", &[(FILE, "image: web:1\n"), ("run.sh", "exit 0\n")]);
        server.set_mode("fleet", "run.sh", 0o100_755);
        Self { server, state: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn config(&self) -> RemoteConfig {
        RemoteConfig {
            url: self.server.url("fleet"),
            branch: "main".into(),
            state_dir: self.state.path().to_owned(),
            allow_insecure: true,
            credentials: None,
            ca_file: None,
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        }
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(&self.config()).unwrap()
    }

    /// A proxy before the server, and the configuration that goes through it.
    pub(crate) async fn behind_proxy(&self) -> (FaultProxy, RemoteConfig) {
        let proxy = FaultProxy::start(self.server.address()).await;
        let url = format!("{}/fleet", proxy.url());
        (proxy, RemoteConfig { url, ..self.config() })
    }

    /// Writes a password file and the credentials that name it.
    pub(crate) fn password(&self, password: &str) -> GitCredentials {
        let password_file: PathBuf = self.state.path().join("password");
        std::fs::write(&password_file, format!("{password}\n")).unwrap();
        GitCredentials::Password { username: "bob".into(), password_file }
    }
}

pub(crate) fn context() -> Context {
    within(Duration::from_secs(30))
}

pub(crate) fn within(limit: Duration) -> Context {
    Context::new(&CancellationToken::new(), limit)
}

/// A commit of one file, as the update loop would make it.
pub(crate) fn new_commit(parent: &str, path: &str, content: &str) -> NewCommit {
    NewCommit {
        parent: parent.into(),
        files: vec![(path.into(), Bytes::from(content.to_owned()))],
        message: "web: 1 -> 2\n".into(),
        author: Signature { name: "Tidegate".into(), email: "tidegate@example.com".into() },
        time: Timestamp::now(),
    }
}

pub(crate) async fn commit(repository: &Repository, parent: &str, content: &str) -> String {
    repository.commit(&context(), new_commit(parent, FILE, content)).await.unwrap()
}

pub(crate) async fn push(
    repository: &Repository,
    revision: &str,
    expected: &str,
) -> Result<PushOutcome, Failure> {
    repository.push(&context(), &WriteFence::default(), revision, expected).await
}

/// The content of a file at a revision, by the mirror.
pub(crate) async fn read(repository: &Repository, revision: &str, path: &str) -> Option<String> {
    let files = repository.files(&context(), revision, "").await.unwrap();
    let blob = files.into_iter().find(|file| file.path == path)?.blob;
    let blobs = repository.blobs(&context(), vec![blob], 1 << 20).await.unwrap();
    let content = blobs.into_iter().next()??;
    Some(String::from_utf8(content.to_vec()).unwrap())
}
