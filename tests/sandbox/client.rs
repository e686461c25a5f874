//! The HTTP client of the tests' own side: plain, without proxies, redirects and retries.

use reqwest::Client;
use reqwest::redirect::Policy;

/// Makes a client for servers on loopback; certificates are not checked.
pub fn new() -> Client {
    // A second installation is refused and changes nothing.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .no_proxy()
        .no_gzip()
        .http1_only()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .tls_certs_only([])
        .tls_danger_accept_invalid_certs(true)
        .build()
        .expect("a client without a certificate store can be built")
}
