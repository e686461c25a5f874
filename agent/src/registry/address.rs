//! Addresses of the machine itself and of its cloud's metadata: not asked on the word of a manifest or a registry.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Tells whether a URL names loopback, a link-local address (cloud metadata lives there) or a name of theirs.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_local_address(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_local_address(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost") || name == "metadata.google.internal"
        }
        None => true,
    }
}

fn is_local_address(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || v4.is_broadcast(),
        // fd00:ec2::254 is the metadata service of EC2.
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.segments().starts_with(&[0xfd00, 0x0ec2])
        }
    }
}

/// Resolves names, leaving out local addresses: what a name means may change between two lookups, so the
/// addresses that are connected to are the ones that are checked.
pub(super) struct PublicResolver;

/// A name that leads to local addresses only.
#[derive(Debug)]
pub(super) struct LocalName;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            keep_public(found)
        })
    }
}

fn keep_public(found: Vec<SocketAddr>) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let some = !found.is_empty();
    let public: Vec<SocketAddr> =
        found.into_iter().filter(|address| !is_local_address(address.ip())).collect();
    if some && public.is_empty() { Err(LocalName.into()) } else { Ok(Box::new(public.into_iter())) }
}

impl fmt::Display for LocalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to a local address")
    }
}

impl Error for LocalName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &[&str], expect: &str) {
        let found = found.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), 0));
        let got = match keep_public(found.collect()) {
            Ok(kept) => kept.map(|address| address.ip().to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn a_name_is_connected_to_at_its_public_addresses_only() {
        check(&["127.0.0.1", "192.0.2.1", "169.254.169.254", "::1", "10.0.0.1"], "192.0.2.1 10.0.0.1");
        check(
            &["::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "0.0.0.0"],
            "the name leads to a local address",
        );
        check(&[], "");
    }
}
