//! The registry hosts of the configuration, and anonymous HTTPS for all others.
//!
//! Called once at start. Not here: HTTP, credentials and realms (see [`crate::registry`]).

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{DEFAULT_POLL, RegistryCredentials, RegistryHost};
use crate::registry::{Credentials, OciRegistry, RegistryConfig};

use super::{Connect, Connection};

/// Makes the clients of `configured` hosts as they are configured; any other host is asked without a login.
pub fn connect(configured: &[RegistryHost], clock: Arc<dyn Clock>) -> Connect {
    let configured = configured.to_vec();
    Box::new(move |name| {
        let host = configured.iter().find(|host| host.host == name);
        let config = host.map_or_else(
            || RegistryConfig { host: name.to_owned(), ..RegistryConfig::default() },
            registry_config,
        );
        let registry = Arc::new(OciRegistry::new(config, Arc::clone(&clock))?);
        Ok(Connection { registry, poll: host.map_or(DEFAULT_POLL, |host| host.poll) })
    })
}

fn registry_config(host: &RegistryHost) -> RegistryConfig {
    let credentials = match &host.credentials {
        None => Credentials::Anonymous,
        Some(RegistryCredentials::DockerConfig(path)) => Credentials::DockerConfig(path.clone()),
        Some(RegistryCredentials::Password { username_file, password_file }) => {
            Credentials::Files { username: username_file.clone(), password: password_file.clone() }
        }
    };
    RegistryConfig {
        host: host.host.clone(),
        plain_http: host.plain_http,
        ca_file: host.ca_file.clone(),
        credentials,
        auth_realm: None,
    }
}
