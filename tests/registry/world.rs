//! What every case needs: a client for a host, a context, names.

use std::sync::Arc;
use std::time::Duration;

use tidegate_agent::clock::SystemClock;
use tidegate_agent::context::Context;
use tidegate_agent::registry::{OciRegistry, RegistryConfig};
use tidegate_policy::reference::{Repository, Tag};
use tokio_util::sync::CancellationToken;

/// A client that talks plain HTTP to `host`, without a login.
pub fn client(host: &str) -> OciRegistry {
    client_with(RegistryConfig { plain_http: true, ..configured(host) })
}

/// A host that the config file names: it may be on loopback.
pub fn configured(host: &str) -> RegistryConfig {
    RegistryConfig { host: host.to_owned(), ..RegistryConfig::default() }
}

/// A client with a given configuration.
pub fn client_with(config: RegistryConfig) -> OciRegistry {
    OciRegistry::new(config, Arc::new(SystemClock)).expect("a usable configuration")
}

/// A context that ends long after a test should.
pub fn context() -> Context {
    Context::new(&CancellationToken::new(), Duration::from_secs(30))
}

/// A repository on a host.
pub fn repository(host: &str, path: &str) -> Repository {
    Repository { registry: host.to_owned(), path: path.to_owned() }
}

/// A tag.
pub fn tag(text: &str) -> Tag {
    Tag::parse(text).expect("a tag")
}
