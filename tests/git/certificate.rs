//! TLS: only certificates that are trusted, for the host that was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use tidegate_agent::error::Kind;
use tidegate_agent::git::{GitRepo, RemoteConfig, Repository};

use crate::world::{World, context};

#[tokio::test]
async fn a_certificate_of_the_named_authority_is_accepted() {
    let failure = fetch("127.0.0.1", Some("ca.crt")).await;
    assert!(failure.contains("no such repository"), "{failure}");
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let failure = fetch("127.0.0.1", None).await;
    assert!(failure.contains("certificate") && failure.contains("caFile"), "{failure}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let failure = fetch("localhost", Some("ca.crt")).await;
    assert!(failure.contains("certificate"), "{failure}");
}

/// Fetches over TLS from a server that has no repositories.
async fn fetch(host: &str, authority: Option<&str>) -> String {
    let world = World::new();
    let url = format!("https://{host}:{}/fleet", serve());
    let ca_file = authority.map(fixture);
    let config = RemoteConfig { url: url.clone(), ca_file, allow_insecure: false, ..world.config() };
    let failure = Repository::open(&config).unwrap().fetch(&context()).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
    assert!(failure.message.contains(&url), "{failure}");
    failure.chain()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("git/tls").join(name)
}

/// Answers 404 over TLS until the process ends; returns the port.
fn serve() -> u16 {
    let chain =
        CertificateDer::pem_file_iter(fixture("server.crt")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(mut socket), Ok(mut connection)) = (socket, ServerConnection::new(Arc::clone(&config)))
            else {
                return;
            };
            let mut stream = Stream::new(&mut connection, &mut socket);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").ok();
            }
        }
    });
    port
}
