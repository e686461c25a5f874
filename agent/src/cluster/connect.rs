//! From the configuration to two clients of one API server, as one identity.
//!
//! Called by [`super::kubernetes`]. Not here: requests and what their answers mean.

use std::path::Path;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::config::ClusterConfig;
use crate::error::Failure;

/// How long an answer may take to begin or to go on; the apiserver itself gives up after 60 s.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for watches, which are quiet for up to 290 s: only a dead connection is quiet for longer.
const WATCH_READ_TIMEOUT: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Two clients of one API server.
#[derive(Clone)]
pub(super) struct Connection {
    /// For everything that has an answer.
    pub(super) client: Client,
    /// For watches.
    pub(super) watch_client: Client,
    /// Base URL without credentials, for messages.
    pub(super) server: String,
}

impl Connection {
    /// Reads the configuration and makes the clients; nothing is sent yet.
    pub(super) async fn open(settings: &ClusterConfig) -> Result<Self, Failure> {
        Self::new(load(settings).await?)
    }

    fn new(mut config: Config) -> Result<Self, Failure> {
        let agent = HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
        config.headers.push((USER_AGENT, agent));
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // The built-in policy sleeps for minutes inside one call; the loops have their own back-off.
        config.default_retry = false;
        // Counted from the request on, not from when the pooled connection went idle.
        config.reset_reader_on_write = true;
        let server = address(&config.cluster_url);
        let client = |read_timeout| {
            let mut config = config.clone();
            config.read_timeout = Some(read_timeout);
            Client::try_from(config).map_err(|error| {
                Failure::reject(format!("no client can be made for the API server {server}"))
                    .because(error)
                    .hint("check the certificates and keys of the kubeconfig")
            })
        };
        let (client, watch_client) = (client(READ_TIMEOUT)?, client(WATCH_READ_TIMEOUT)?);
        Ok(Self { client, watch_client, server })
    }
}

async fn load(settings: &ClusterConfig) -> Result<Config, Failure> {
    if let Some(path) = &settings.kubeconfig {
        let kubeconfig = Kubeconfig::read_from(path).map_err(|error| unreadable(path, error))?;
        return from_kubeconfig(kubeconfig, &path.display().to_string()).await;
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Config::incluster().map_err(|error| {
            Failure::reject("the service account of this pod cannot be read")
                .because(error)
                .hint("the pod needs `automountServiceAccountToken: true`")
        });
    }
    match Kubeconfig::from_env() {
        Ok(Some(kubeconfig)) => from_kubeconfig(kubeconfig, "$KUBECONFIG").await,
        Ok(None) => Err(Failure::reject("no cluster is configured")
            .hint("set `cluster.kubeconfig` or $KUBECONFIG, or run inside a cluster")),
        Err(error) => Err(unreadable(Path::new("$KUBECONFIG"), error)),
    }
}

async fn from_kubeconfig(kubeconfig: Kubeconfig, origin: &str) -> Result<Config, Failure> {
    refuse_plugins(&kubeconfig, origin)?;
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unreadable(origin.as_ref(), error))
}

/// Refuses a user whose credentials come from a program: whoever can write the kubeconfig would choose
/// what this process executes (CVE-2022-24817).
fn refuse_plugins(kubeconfig: &Kubeconfig, origin: &str) -> Result<(), Failure> {
    let context =
        kubeconfig.contexts.iter().find(|named| Some(&named.name) == kubeconfig.current_context.as_ref());
    let Some(user) = context.and_then(|named| named.context.as_ref()?.user.as_ref()) else { return Ok(()) };
    for named in kubeconfig.auth_infos.iter().filter(|named| named.name == *user) {
        let Some(user) = &named.auth_info else { continue };
        let plugin = match (&user.exec, &user.auth_provider) {
            (None, None) => continue,
            (Some(_), _) => "exec",
            (None, Some(_)) => "auth-provider",
        };
        return Err(Failure::reject(format!(
            "user `{}` of the kubeconfig {origin} gets its credentials from a program (`{plugin}`), which is never run",
            named.name
        ))
        .hint("use a token, a tokenFile or a client certificate"));
    }
    Ok(())
}

fn unreadable(path: &Path, error: KubeconfigError) -> Failure {
    let failure = Failure::reject(format!("the kubeconfig {} cannot be used", path.display()));
    match error {
        // The parser quotes the lines around the mistake, and those may be the credentials.
        KubeconfigError::Parse(error) => match error.location() {
            Some(place) => {
                failure.hint(format!("it is not valid YAML of a kubeconfig: see line {}", place.line()))
            }
            None => failure.hint("it is not valid YAML of a kubeconfig"),
        },
        error => {
            failure.because(error).hint("check `cluster.kubeconfig`, or $KUBECONFIG where that is not set")
        }
    }
}

/// The server's address without user information.
fn address(url: &http::Uri) -> String {
    let host = url.host().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", url.scheme_str().unwrap_or("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             clusters: [{{name: c, cluster: {{server: 'https://x:secret@example.com:6443'}}}}]\n\
             contexts: [{{name: a, context: {{cluster: c, user: u}}}}]\nusers:\n- name: u\n  user: {user}\n\
             - name: other\n  user: {{exec: {{command: /bin/false}}}}\n"
        )
    }

    #[track_caller]
    fn check(user: &str, expect: &str) {
        let outcome = refuse_plugins(&Kubeconfig::from_yaml(&kubeconfig(user)).unwrap(), "/k");
        let text = outcome.map_or_else(|failure| failure.chain(), |()| "used".to_owned());
        assert!(text.contains(expect), "{text}");
    }

    #[test]
    fn a_token_is_used_and_programs_of_other_users_do_not_matter() {
        check("{token: t}", "used");
    }

    #[test]
    fn a_program_is_refused() {
        check("{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh}}", "`exec`");
        check("{auth-provider: {name: oidc, config: {}}}", "`auth-provider`");
        check("{token: t, exec: {command: /bin/sh}}", "never run");
    }

    #[test]
    fn an_address_has_no_credentials() {
        let url = "https://x:secret@example.com:6443/".parse().unwrap();
        assert_eq!(address(&url), "https://example.com:6443");
        assert_eq!(address(&"https://[::1]:1".parse().unwrap()), "https://[::1]:1");
    }

    #[test]
    fn a_broken_kubeconfig_is_named_without_its_lines() {
        let error =
            Kubeconfig::from_yaml("users:\n- name: u\n  user: {token: hunter2, token: [}\n").unwrap_err();
        let text = unreadable(Path::new("/etc/kube"), error).chain();
        assert!(text.contains("/etc/kube") && text.contains("line 3") && !text.contains("hunter2"), "{text}");
    }
}
