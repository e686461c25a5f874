//! The configuration file: what the operator wrote, validated and typed.
//!
//! Unknown keys are errors with line and hint; keys that this version does not support are refused by
//! name, because a guard rail that is not understood must not be ignored. Secrets are files, never values.
//! Called by the verbs `run`, `plan` and `explain`. Not here: reading the secrets (git and registry rooms do).

mod load;
mod raw;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::update::Guards;

use crate::git::Signature;

pub use load::{load, parse};

/// A valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    pub listen: SocketAddr,
    /// Cache directory; losing it changes latency, never a decision.
    pub state: PathBuf,
    /// Config repositories; at least one, names unique.
    pub sources: Vec<Source>,
    /// Registries that need more than anonymous HTTPS.
    pub registries: Vec<RegistryHost>,
    /// The cluster that is synced.
    pub cluster: ClusterConfig,
}

/// One git repository and branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// DNS label; names the source in logs, metrics and records.
    pub name: String,
    /// `https://…`, or `http://…` with `allow_insecure`.
    pub url: String,
    /// Branch that is followed and written.
    pub branch: String,
    /// Directory below which everything lies; empty for the root, no leading or trailing `/`.
    pub path: String,
    /// Patterns of unit directories below `path`; empty means that `path` is the one unit.
    pub units: Vec<String>,
    /// Time between fetches.
    pub poll: Duration,
    /// Whether images are updated.
    pub update: bool,
    /// Whether the tree is synced into the cluster.
    pub sync: bool,
    /// Namespace of namespaced objects that name none.
    pub namespace: String,
    /// Guard rails of updates; annotations can only tighten them.
    pub guards: Guards,
    /// Where custom kinds keep images.
    pub image_paths: ImagePaths,
    /// Permits `http://`.
    pub allow_insecure: bool,
    /// The only root certificates that are trusted for this git server, PEM; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// How to authenticate to the git server.
    pub credentials: Option<GitCredentials>,
    /// Author and committer of update commits.
    pub author: Signature,
}

/// How to authenticate to a git server; files are read at each use, so that rotation needs no restart.
#[derive(Clone, Debug, PartialEq)]
pub enum GitCredentials {
    /// HTTP basic authentication.
    Password {
        /// User name.
        username: String,
        /// File that holds the password.
        password_file: PathBuf,
    },
    /// A token, sent as the password of `x-access-token`.
    Token {
        /// File that holds the token.
        token_file: PathBuf,
    },
}

/// One registry host.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryHost {
    /// Host with optional port, as it stands in image references.
    pub host: String,
    /// Speak HTTP instead of HTTPS.
    pub plain_http: bool,
    /// Additional root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// How to authenticate.
    pub credentials: Option<RegistryCredentials>,
    /// Time between scans of one repository.
    pub poll: Duration,
}

/// How to authenticate to a registry; files are read again when they change.
#[derive(Clone, Debug, PartialEq)]
pub enum RegistryCredentials {
    /// A docker `config.json` (`auths` only).
    DockerConfig(PathBuf),
    /// User name and password, each in a file.
    Password {
        /// File that holds the user name.
        username_file: PathBuf,
        /// File that holds the password.
        password_file: PathBuf,
    },
}

/// Which cluster, and where Tidegate keeps its own records in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// `None`: in-cluster, else `$KUBECONFIG`.
    pub kubeconfig: Option<PathBuf>,
    /// Tidegate's own namespace.
    pub namespace: String,
}

/// Time between scans of a repository whose registry is not in the configuration.
pub const DEFAULT_POLL: Duration = Duration::from_secs(60);
