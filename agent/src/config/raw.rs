//! The file as serde reads it; every struct refuses keys that it does not know.

use std::path::PathBuf;

use serde::Deserialize;

use crate::git::Signature;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Config {
    #[serde(default = "listen")]
    pub(super) listen: String,
    #[serde(default = "state")]
    pub(super) state: PathBuf,
    pub(super) sources: Vec<Source>,
    #[serde(default)]
    pub(super) registries: Vec<Registry>,
    #[serde(default)]
    pub(super) cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) url: String,
    #[serde(default = "branch")]
    pub(super) branch: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) units: Vec<String>,
    #[serde(default = "poll")]
    pub(super) poll: String,
    #[serde(default = "yes")]
    pub(super) update: bool,
    #[serde(default = "yes")]
    pub(super) sync: bool,
    #[serde(default = "namespace")]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) guards: Guards,
    #[serde(default)]
    pub(super) image_paths: Vec<ImagePaths>,
    #[serde(default)]
    pub(super) allow_insecure: bool,
    #[serde(default)]
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) credentials: Option<GitCredentials>,
    #[serde(default = "author")]
    pub(super) author: Signature,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Guards {
    pub(super) min_age: Option<String>,
    #[serde(default)]
    pub(super) window: Vec<String>,
    #[serde(default)]
    pub(super) allow_downgrade: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ImagePaths {
    #[serde(default)]
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) paths: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct GitCredentials {
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Registry {
    pub(super) host: String,
    #[serde(default)]
    pub(super) plain_http: bool,
    #[serde(default)]
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) credentials: Option<RegistryCredentials>,
    #[serde(default = "poll")]
    pub(super) poll: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RegistryCredentials {
    pub(super) docker_config_file: Option<PathBuf>,
    pub(super) username_file: Option<PathBuf>,
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Cluster {
    #[serde(default)]
    pub(super) kubeconfig: Option<PathBuf>,
    #[serde(default = "own_namespace")]
    pub(super) namespace: String,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { kubeconfig: None, namespace: own_namespace() }
    }
}

fn listen() -> String {
    "127.0.0.1:8080".to_owned()
}
fn state() -> PathBuf {
    PathBuf::from("/var/lib/tidegate")
}
fn branch() -> String {
    "main".to_owned()
}
fn poll() -> String {
    "1m".to_owned()
}
fn yes() -> bool {
    true
}
fn namespace() -> String {
    "default".to_owned()
}
fn own_namespace() -> String {
    "tidegate".to_owned()
}
fn author() -> Signature {
    Signature { name: "Tidegate".to_owned(), email: "tidegate@localhost".to_owned() }
}
