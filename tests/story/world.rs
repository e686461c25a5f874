//! A registry, a git server and a cluster, and the daemon between them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use tempfile::TempDir;

use super::apps;
use super::cluster::create_namespace;
use crate::harness::control_plane::{ControlPlane, User};
use crate::harness::daemon::{Daemon, Setup};
use crate::harness::docker_registry::DockerRegistry;
use crate::harness::wait::eventually;
use crate::sandbox::git_server::GitServer;
use crate::sandbox::kube::SandboxCluster;
use crate::sandbox::proxy::{FaultProxy, When};
use crate::sandbox::registry::SandboxRegistry;

/// How long further listings may take: a registry that failed is left alone for a while.
const LISTINGS_LIMIT: Duration = Duration::from_secs(60);

/// Which registry the world has.
pub enum RegistryServer {
    /// In process.
    Sandbox(SandboxRegistry),
    /// Debian's `docker-registry`.
    Real(DockerRegistry),
}

impl RegistryServer {
    /// Host and port, as in image references.
    pub fn host(&self) -> String {
        match self {
            Self::Sandbox(registry) => registry.host().to_owned(),
            Self::Real(registry) => registry.host().to_owned(),
        }
    }

    /// Pushes a small image under a tag.
    pub async fn push(&self, repository: &str, tag: &str) -> Result<()> {
        match self {
            Self::Sandbox(registry) => drop(registry.push(repository, tag)),
            Self::Real(registry) => drop(registry.push(repository, tag).await?),
        }
        Ok(())
    }

    /// How many requests for the tags at `path` there were.
    fn listings(&self, path: &str) -> usize {
        match self {
            Self::Sandbox(registry) => registry.count("GET", path),
            Self::Real(registry) => registry.log().matches(&format!("\"GET {path}")).count(),
        }
    }
}

/// Which cluster the world has.
pub enum ClusterServer {
    /// In process.
    Sandbox(SandboxCluster),
    /// The real binaries.
    Real(&'static ControlPlane),
}

impl ClusterServer {
    fn kubeconfig(&self, folder: &Path) -> Result<PathBuf> {
        match self {
            Self::Sandbox(cluster) => cluster.kubeconfig(folder),
            Self::Real(cluster) => Ok(cluster.kubeconfig()),
        }
    }
}

/// Fault proxies between the daemon and each server; people reach the servers directly.
pub struct Proxies {
    /// Before the registry.
    pub registry: FaultProxy,
    /// Before the git server.
    pub git: FaultProxy,
    /// Before the API server.
    pub cluster: FaultProxy,
}

impl Proxies {
    async fn start(registry: &RegistryServer, git: &GitServer, cluster: &ClusterServer) -> Result<Self> {
        let cluster = match cluster {
            ClusterServer::Real(plane) => FaultProxy::start_https(plane.address()).await,
            ClusterServer::Sandbox(cluster) => {
                FaultProxy::start(cluster.url().trim_start_matches("http://").parse()?).await
            }
        };
        Ok(Self {
            registry: FaultProxy::start(registry.host().parse()?).await,
            git: FaultProxy::start(git.address()).await,
            cluster,
        })
    }
}

/// Everything the story is told on; all of it ends on drop.
pub struct World {
    /// The daemon; started by [`World::start_daemon`].
    pub daemon: Option<Daemon>,
    /// Where images are pushed.
    pub registry: RegistryServer,
    /// Holds the repository `fleet`.
    pub git: GitServer,
    /// A client with all rights.
    pub client: Client,
    /// The path of a kubeconfig for the daemon.
    pub kubeconfig: PathBuf,
    /// The cluster itself.
    pub cluster: ClusterServer,
    /// Namespace of the apps; its own in every world, so that worlds share a control plane.
    pub namespace: String,
    /// Tidegate's own namespace.
    pub own_namespace: String,
    /// Host of the images as manifests name it: the registry, or the proxy before it.
    pub image_host: String,
    /// Between the daemon and the servers.
    pub proxies: Option<Proxies>,
    /// State, configuration and logs.
    pub folder: TempDir,
}

/// Name of the config repository on the git server.
pub const REPOSITORY: &str = "fleet";

impl World {
    /// Starts the embedded servers; the apps live in `shop`.
    pub async fn sandbox() -> Result<Self> {
        crate::harness::install_crypto_provider();
        let registry = RegistryServer::Sandbox(SandboxRegistry::start().await);
        let cluster = ClusterServer::Sandbox(SandboxCluster::start().await?);
        Self::furnish(registry, cluster, "", false).await
    }

    /// Starts a registry and a git server beside the control plane that all tests of this program share, each
    /// with a fault proxy before it.
    ///
    /// `None` where the machine lacks a part and may skip.
    pub async fn real() -> Option<Self> {
        Self::on_real_servers(true).await
    }

    /// The same without proxies, to measure.
    pub async fn real_without_proxies() -> Option<Self> {
        Self::on_real_servers(false).await
    }

    async fn on_real_servers(proxied: bool) -> Option<Self> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        crate::harness::install_crypto_provider();
        let suffix = format!("-{}", WORLDS.fetch_add(1, Ordering::Relaxed));
        let registry = RegistryServer::Real(DockerRegistry::start().await?);
        let cluster = tokio::task::spawn_blocking(ControlPlane::shared).await.expect("a control plane");
        let world = Self::furnish(registry, ClusterServer::Real(cluster), &suffix, proxied);
        Some(world.await.expect("a world"))
    }

    async fn furnish(
        registry: RegistryServer,
        cluster: ClusterServer,
        suffix: &str,
        proxied: bool,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let git = GitServer::start();
        let proxies = if proxied { Some(Proxies::start(&registry, &git, &cluster).await?) } else { None };
        let image_host = proxies
            .as_ref()
            .map_or_else(|| registry.host(), |proxies| proxies.registry.address().to_string());
        for (repository, tag) in apps::FIRST_IMAGES {
            registry.push(repository, tag).await?;
        }
        let (namespace, own_namespace) = (format!("shop{suffix}"), format!("tidegate{suffix}"));
        let files = apps::files(&image_host, &namespace);
        git.create_repository(REPOSITORY, "main", &files);
        let admin = cluster.kubeconfig(folder.path())?;
        let kubeconfig = match (&cluster, &proxies) {
            (ClusterServer::Real(plane), Some(proxies)) => {
                plane.kubeconfig_at(&proxies.cluster.url(), User::Admin)?
            }
            _ => admin.clone(),
        };
        let client = client(&admin).await?;
        create_namespace(&client, &own_namespace).await?;
        let daemon = None;
        Ok(Self {
            daemon,
            registry,
            git,
            client,
            kubeconfig,
            cluster,
            namespace,
            own_namespace,
            image_host,
            proxies,
            folder,
        })
    }

    /// The API of a kind in the apps' namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The usual configuration: one source, one unit at the root, polled every half second.
    pub fn setup(&self) -> Setup {
        let direct = self.git.url(REPOSITORY);
        let url = match &self.proxies {
            Some(proxies) => {
                let path = direct.splitn(4, '/').nth(3).unwrap_or_default();
                format!("{}/{path}", proxies.git.url())
            }
            None => direct,
        };
        let mut setup = Setup::new(url, &self.image_host, &self.kubeconfig);
        setup.namespace.clone_from(&self.own_namespace);
        setup
    }

    /// Starts the daemon.
    pub async fn start_daemon(&mut self, setup: Setup) -> Result<()> {
        self.daemon = Some(Daemon::start(self.folder.path(), setup).await?);
        Ok(())
    }

    /// The daemon, to kill and restart.
    pub fn daemon_mut(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("the daemon was started")
    }

    /// The fault proxies of a world made by [`World::real`].
    pub fn proxies(&self) -> &Proxies {
        self.proxies.as_ref().expect("this world has fault proxies")
    }

    /// The running daemon.
    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("the daemon was started")
    }

    /// Waits until each repository of the story was listed `rounds` more times, from beginning to end.
    pub async fn after_listings(&self, rounds: usize) {
        let repositories: BTreeSet<&str> = apps::FIRST_IMAGES.iter().map(|(name, _)| *name).collect();
        let count = |repository: &str| {
            let path = format!("/v2/{repository}/tags/list");
            match &self.proxies {
                Some(proxies) => proxies.registry.count(&When::new("GET", &path)),
                None => self.registry.listings(&path),
            }
        };
        let before: Vec<(&str, usize)> = repositories.into_iter().map(|name| (name, count(name))).collect();
        eventually("further listings", LISTINGS_LIMIT, || async {
            // Requests are counted as they arrive: the next one tells that the one before has ended.
            let lacking = before.iter().find(|(name, before)| count(name) < before + rounds + 1);
            lacking.map_or(Ok(()), |(name, before)| Err(format!("{name}: {before}, then {}", count(name))))
        })
        .await;
    }

    /// The id of the branch's tip on the server.
    pub fn head(&self) -> String {
        self.git.head(REPOSITORY)
    }

    /// The reference of an image as manifests name it.
    pub fn image(&self, repository: &str, tag: &str) -> String {
        format!("{}/{repository}:{tag}", self.image_host)
    }
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
