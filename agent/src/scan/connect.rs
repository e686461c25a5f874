//! The registry hosts of the configuration, and anonymous HTTPS for all others.
//!
//! Called once at start. Not here: HTTP, credentials and realms (see [`crate::registry`]).

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{DEFAULT_POLL, RegistryHost};
use crate::registry::{OciRegistry, RegistryConfig};

use super::{Connect, Connection};

/// Makes the clients of `configured` hosts as they are configured; any other host is asked without a login.
pub fn connect(configured: &[RegistryHost], clock: Arc<dyn Clock>) -> Connect {
    let configured = configured.to_vec();
    Box::new(move |name| {
        let host = configured.iter().find(|host| host.host == name);
        let config = host.map_or_else(|| RegistryConfig::anonymous(name), RegistryConfig::from);
        let registry = Arc::new(OciRegistry::new(config, Arc::clone(&clock))?);
        Ok(Connection { registry, poll: host.map_or(DEFAULT_POLL, |host| host.poll) })
    })
}
