//! HTTPS: whom the client trusts, and that it says what to do about those whom it does not.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidegate_agent::clock::SystemClock;
use tidegate_agent::error::{Failure, Kind};
use tidegate_agent::registry::{OciRegistry, Registry as _, RegistryConfig};
use tidegate_tests::harness::process::{self, Process};
use tidegate_tests::harness::requirement;
use tidegate_tests::sandbox::client as http_client;
use tidegate_tests::sandbox::proxy::FaultProxy;

use crate::world::{client, client_with, configured, context, repository};

const START_LIMIT: Duration = Duration::from_secs(20);
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"name\":\"web\",\"tags\":[\"1.4.2\"]} ";

/// OpenSSL's test server with a certificate of its own authority; it serves one list of tags.
struct TlsServer {
    _process: Process,
    address: SocketAddr,
    room: TempDir,
}

impl TlsServer {
    async fn start() -> Option<Self> {
        let openssl = requirement::program("openssl", "apt-get install openssl")?;
        let room = tempfile::tempdir().expect("a directory");
        make_certificates(&openssl, room.path());
        let list = room.path().join("v2/acme/web/tags");
        fs::create_dir_all(&list).expect("created");
        fs::write(list.join("list?n=1000"), ANSWER).expect("written");
        let address = process::free_address().expect("a free port");
        let mut command = process::command(&openssl);
        command.args(["s_server", "-quiet", "-HTTP", "-cert", "leaf.pem", "-key", "leaf.key"]);
        command.arg("-accept").arg(address.to_string()).current_dir(room.path());
        let mut process = Process::start("openssl", command, &room.path().join("log")).expect("it starts");
        let url = format!("https://{address}/v2/acme/web/tags/list?n=1000");
        let http = http_client::new();
        process
            .ready(START_LIMIT, || async { http.get(&url).send().await.is_ok() })
            .await
            .expect("it answers");
        Some(Self { _process: process, address, room })
    }

    async fn list(&self, ca_file: Option<PathBuf>) -> Result<Vec<String>, Failure> {
        let host = self.address.to_string();
        let config = RegistryConfig { ca_file, ..configured(&host) };
        client_with(config).tags(&context(), &repository(&host, "acme/web")).await
    }
}

fn make_certificates(openssl: &Path, room: &Path) {
    fs::write(room.join("leaf.ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .expect("written");
    for line in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=authority",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -extfile leaf.ext -days 2",
    ] {
        let made = Command::new(openssl).args(line.split(' ')).current_dir(room).output().expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

#[tokio::test]
async fn a_named_authority_is_trusted() {
    let Some(server) = TlsServer::start().await else { return };
    let tags = server.list(Some(server.room.path().join("ca.pem"))).await;
    assert_eq!(tags.expect("listed"), ["1.4.2"]);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_the_hint_says_what_to_name() {
    let Some(server) = TlsServer::start().await else { return };
    let failure = server.list(None).await.expect_err("nobody vouches for it");
    assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
    assert!(failure.chain().contains("`caFile`"), "{}", failure.chain());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Some(server) = TlsServer::start().await else { return };
    let host = format!("localhost:{}", server.address.port());
    let ca_file = Some(server.room.path().join("ca.pem"));
    let registry = client_with(RegistryConfig { ca_file, ..configured(&host) });
    let failure = registry.tags(&context(), &repository(&host, "acme/web")).await.expect_err("not its name");
    assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
}

#[tokio::test]
async fn the_fault_proxy_stands_before_https_as_well() {
    let Some(server) = TlsServer::start().await else { return };
    let proxy = FaultProxy::start_https(server.address).await;
    let host = proxy.address().to_string();
    let tags = client(&host).tags(&context(), &repository(&host, "acme/web")).await;
    assert_eq!(tags.expect("listed"), ["1.4.2"]);
}

#[test]
fn an_authority_that_cannot_be_used_is_named() {
    let room = tempfile::tempdir().expect("a directory");
    let empty = room.path().join("empty.pem");
    fs::write(&empty, "no certificate").expect("written");
    for (file, expect) in [(room.path().join("none.pem"), "cannot be read"), (empty, "holds no certificate")]
    {
        let config = RegistryConfig { ca_file: Some(file.clone()), ..configured("r.example.com") };
        let failure = OciRegistry::new(config, Arc::new(SystemClock)).expect_err("unusable");
        assert_eq!(failure.kind, Kind::Reject);
        assert!(failure.message.contains(&file.display().to_string()), "{failure}");
        assert!(failure.message.contains(expect), "{failure}");
    }
}
