//! Binding of a token realm to the registry that named it, so that a login never reaches another host.
//!
//! Source of the rule: the class of flaws of CVE-2020-15157, where a registry's own
//! challenge chose the host that was given the password.

use url::Url;

use super::address::is_local;

/// Token hosts that lie beside their registry by the registry's own documentation.
const KNOWN_REALMS: [(&str, &str); 1] = [("registry-1.docker.io", "auth.docker.io")];

/// Why a realm is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RealmError {
    /// The realm is no absolute URL.
    #[error("the realm is no URL")]
    Url,
    /// The realm carries a user name or password of its own.
    #[error("the realm on {realm} carries a login of its own")]
    Userinfo { realm: String },
    /// The realm is not https.
    #[error("the realm on {realm} is not https")]
    Scheme { realm: String },
    /// The realm is an address inside the machine or its network, and the registry is not.
    #[error("the realm on {realm} is a local address")]
    LocalAddress { realm: String },
    /// The realm is on a host that nothing binds to the registry.
    #[error("registry {registry} sends its login to {realm}, which is not bound to it")]
    Unbound { registry: String, realm: String },
}

/// Reads a realm and makes sure that it belongs to the registry.
///
/// `api` is the registry's base URL, `configured` the token endpoint that the operator named. Bound are: the
/// registry's own host and port, an entry of the small table, and exactly the configured URL.
pub(super) fn bind(realm: &str, api: &Url, configured: Option<&Url>) -> Result<Url, RealmError> {
    let url = Url::parse(realm).map_err(|_| RealmError::Url)?;
    let shown = authority(&url);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RealmError::Userinfo { realm: shown });
    }
    let http_allowed = api.scheme() == "http";
    if url.scheme() != "https" && !(url.scheme() == "http" && http_allowed) {
        return Err(RealmError::Scheme { realm: shown });
    }
    if is_local(&url) && !is_local(api) {
        return Err(RealmError::LocalAddress { realm: shown });
    }
    if is_bound(&url, api, configured) {
        Ok(url)
    } else {
        Err(RealmError::Unbound { registry: authority(api), realm: shown })
    }
}

fn is_bound(realm: &Url, api: &Url, configured: Option<&Url>) -> bool {
    let same_host = realm.host() == api.host();
    let same_port = realm.port_or_known_default() == api.port_or_known_default();
    let known = KNOWN_REALMS.iter().any(|&(registry, token_host)| {
        api.host_str() == Some(registry)
            && realm.host_str() == Some(token_host)
            && realm.port().is_none()
            && api.port().is_none()
    });
    let named = configured.is_some_and(|named| same_origin(named, realm) && named.path() == realm.path());
    (same_host && same_port) || known || named
}

/// Tells whether two URLs share scheme, host and port.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

/// Host and port of a URL, for people.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Reads `host[:port]` or a URL of that host with the path of the API's root; in lower case.
pub(super) fn host_of(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let root = matches!(path.trim_end_matches('/'), "" | "v1" | "v2");
    (root && !host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registry: &str, realm: &str, expect: &str) {
        let configured = Url::parse("https://login.example.org/jwt/auth").expect("a URL");
        let api = Url::parse(registry).expect("a URL");
        let got = match bind(realm, &api, Some(&configured)) {
            Ok(url) => format!("bound to {}", authority(&url)),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{realm} for {registry}");
    }

    #[test]
    fn the_registrys_own_host_and_port_are_bound() {
        check("https://r.example.com/v2/", "https://r.example.com/token", "bound to r.example.com");
        check("https://r.example.com/v2/", "https://R.example.com:443/token", "bound to r.example.com");
        check(
            "https://r.example.com:5000/v2/",
            "https://r.example.com:5000/t",
            "bound to r.example.com:5000",
        );
        check("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/token", "bound to 127.0.0.1:5000");
    }

    #[test]
    fn docker_hub_has_its_token_host_and_nobody_else_has_it() {
        check("https://registry-1.docker.io/v2/", "https://auth.docker.io/token", "bound to auth.docker.io");
        check(
            "https://evil.example.com/v2/",
            "https://auth.docker.io/token",
            "registry evil.example.com sends its login to auth.docker.io, which is not bound to it",
        );
    }

    #[test]
    fn a_configured_endpoint_is_bound_as_a_whole() {
        let other = "registry r.example.com sends its login to login.example.org, which is not bound to it";
        check(
            "https://r.example.com/v2/",
            "https://login.example.org/jwt/auth",
            "bound to login.example.org",
        );
        check("https://r.example.com/v2/", "https://login.example.org/other", other);
    }

    #[test]
    fn neighbours_siblings_and_look_alikes_are_not_bound() {
        let cases = [
            (
                "https://you.azurecr.io/v2/",
                "https://evil.azurecr.io/token",
                "you.azurecr.io",
                "evil.azurecr.io",
            ),
            (
                "https://r.example.com/v2/",
                "https://r.example.com:444/t",
                "r.example.com",
                "r.example.com:444",
            ),
            (
                "https://r.example.com:444/v2/",
                "https://r.example.com/t",
                "r.example.com:444",
                "r.example.com",
            ),
            ("https://r.example.com/v2/", "https://example.com/t", "r.example.com", "example.com"),
            ("https://r.co.uk/v2/", "https://evil.co.uk/t", "r.co.uk", "evil.co.uk"),
        ];
        for (registry, realm, a, b) in cases {
            check(registry, realm, &format!("registry {a} sends its login to {b}, which is not bound to it"));
        }
    }

    #[test]
    fn downgrades_logins_and_other_schemes_are_refused() {
        let registry = "https://r.example.com/v2/";
        check(registry, "http://r.example.com/token", "the realm on r.example.com is not https");
        check(registry, "file:///etc/passwd", "the realm on ? is not https");
        check(
            registry,
            "https://u:p@r.example.com/t",
            "the realm on r.example.com carries a login of its own",
        );
        check(registry, "r.example.com/token", "the realm is no URL");
    }

    #[test]
    fn local_addresses_are_refused_in_every_spelling() {
        let spellings = [
            ("169.254.169.254", "169.254.169.254"),
            ("0x7f.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
            ("[fd00:ec2::254]", "[fd00:ec2::254]"),
            ("localhost", "localhost"),
            ("metadata.google.internal", "metadata.google.internal"),
        ];
        for (spelling, shown) in spellings {
            check(
                "https://r.example.com/v2/",
                &format!("https://{spelling}/latest"),
                &format!("the realm on {shown} is a local address"),
            );
        }
    }
}
