//! What the agent is told about one registry host. Called by the config file's reader.

use std::path::PathBuf;

use super::realm::host_of;
use crate::config::{RegistryCredentials, RegistryHost};

/// The name under which image references know Docker Hub.
const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers the distribution API.
const DOCKER_HUB_API: &str = "registry-1.docker.io";
/// The names under which Docker Hub's login is kept in a docker config file.
const DOCKER_HUB_ALIASES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// One registry host and how to talk to it.
#[derive(Clone, Debug, Default)]
pub struct RegistryConfig {
    /// Host with optional port, as in image references, e.g. `docker.io` or `registry.example.com:5000`.
    pub host: String,
    /// Talk `http://`. Nothing else ever does.
    pub plain_http: bool,
    /// PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who logs in.
    pub credentials: Credentials,
    /// The token endpoint, if it lies on another host, e.g. `https://gitlab.com/jwt/auth`.
    pub auth_realm: Option<String>,
    /// Refuse loopback, link-local and metadata addresses: for hosts that only a manifest names.
    pub public_only: bool,
}

/// Where the login of one host comes from. Files are read at each use, so a rotated one takes effect at once.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// No login.
    #[default]
    Anonymous,
    /// A docker `config.json`: the entry of `auths` for exactly this host, or no login if there is none.
    DockerConfig(PathBuf),
    /// A user name and a password, each in a file of its own (a trailing line end is dropped).
    Files {
        /// File with the user name.
        username: PathBuf,
        /// File with the password or token.
        password: PathBuf,
    },
}

impl From<&RegistryHost> for RegistryConfig {
    fn from(host: &RegistryHost) -> Self {
        let credentials = match &host.credentials {
            None => Credentials::Anonymous,
            Some(RegistryCredentials::DockerConfig(file)) => Credentials::DockerConfig(file.clone()),
            Some(RegistryCredentials::Password { username_file, password_file }) => {
                Credentials::Files { username: username_file.clone(), password: password_file.clone() }
            }
        };
        Self {
            host: host.host.clone(),
            plain_http: host.plain_http,
            ca_file: host.ca_file.clone(),
            credentials,
            auth_realm: None,
            public_only: false,
        }
    }
}

impl RegistryConfig {
    /// A host that the config file does not name: https, no login, no address of the machine's own.
    pub fn anonymous(host: &str) -> Self {
        Self { host: host.to_owned(), public_only: true, ..Self::default() }
    }

    /// The base URL of the distribution API, with a trailing slash.
    pub(super) fn api(&self) -> String {
        let scheme = if self.plain_http { "http" } else { "https" };
        let host = if self.host == DOCKER_HUB { DOCKER_HUB_API } else { &self.host };
        format!("{scheme}://{host}/v2/")
    }

    /// Tells whether a key of a docker config file's `auths` names this host.
    ///
    /// The host and port must be equal; a key may be written as a URL whose path is empty, `v1` or `v2`.
    pub(super) fn is_docker_config_key(&self, key: &str) -> bool {
        let Some(named) = host_of(key) else { return false };
        if DOCKER_HUB_ALIASES.contains(&self.host.as_str()) {
            DOCKER_HUB_ALIASES.contains(&named.as_str())
        } else {
            named == self.host.to_ascii_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, key: &str, expect: bool) {
        let config = RegistryConfig { host: host.to_owned(), ..RegistryConfig::default() };
        assert_eq!(config.is_docker_config_key(key), expect, "{key} for {host}");
    }

    #[test]
    fn a_key_names_exactly_one_host_and_port() {
        check("r.example.com", "r.example.com", true);
        check("r.example.com", "https://r.example.com", true);
        check("r.example.com", "https://r.example.com/v1/", true);
        check("r.example.com", "R.Example.com", true);
        check("r.example.com:444", "r.example.com:444", true);
        check("r.example.com:444", "r.example.com", false);
        check("r.example.com", "r.example.com:444", false);
        check("r.example.com", "r.example.com.evil.org", false);
        check("r.example.com.evil.org", "r.example.com", false);
        check("b.example.com", "a@b.example.com", false);
        check("r.example.com", "r.example.com/team", false);
        check("r.example.com", "example.com", false);
        check("r.example.com", "", false);
    }

    #[test]
    fn docker_hub_is_known_by_its_aliases_and_only_itself() {
        check("docker.io", "https://index.docker.io/v1/", true);
        check("docker.io", "docker.io", true);
        check("docker.io", "registry-1.docker.io", true);
        check("docker.io", "hub.docker.com", false);
        check("evil.example.com", "https://index.docker.io/v1/", false);
    }

    #[test]
    fn docker_hub_answers_on_its_api_host() {
        let config = RegistryConfig { host: DOCKER_HUB.to_owned(), ..RegistryConfig::default() };
        assert_eq!(config.api(), "https://registry-1.docker.io/v2/");
    }
}
