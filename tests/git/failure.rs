//! Servers that are absent, hang, refuse, lie; and what is said about it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidegate_agent::context::Context;
use tidegate_agent::error::{Failure, Kind};
use tidegate_agent::git::{GitRepo, RemoteConfig, Repository};
use tidegate_tests::sandbox::proxy::{Action, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::world::{FILE, World, commit, context, push, within};

#[track_caller]
fn check(failure: &Failure, kind: Kind, words: &[&str]) {
    let text = failure.chain();
    assert_eq!(failure.kind, kind, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(failure.hint.is_some(), "no hint: {text}");
    assert!(!text.contains("s3cret"), "{text}");
}

async fn fetch(config: &RemoteConfig) -> Failure {
    Repository::open(config).unwrap().fetch(&context()).await.unwrap_err()
}

#[tokio::test]
async fn a_missing_branch_names_those_that_exist() {
    let world = World::new();
    let failure = fetch(&RemoteConfig { branch: "prod".into(), ..world.config() }).await;
    check(&failure, Kind::Reject, &[&world.server.url("fleet"), "no branch `prod`", "it has: main"]);
}

#[tokio::test]
async fn an_empty_repository_is_told_from_a_missing_branch() {
    let world = World::new();
    world.server.create_empty("void", "main");
    let url = world.server.url("void");
    let failure = fetch(&RemoteConfig { url: url.clone(), ..world.config() }).await;
    check(&failure, Kind::Reject, &[&url, "no commits"]);
}

#[tokio::test]
async fn a_missing_repository_is_named() {
    let world = World::new();
    let url = world.server.url("nowhere");
    let failure = fetch(&RemoteConfig { url: url.clone(), ..world.config() }).await;
    check(&failure, Kind::Reject, &[&url, "no such repository", "404"]);
}

#[tokio::test]
async fn an_absent_server_may_come_back() {
    let world = World::new();
    let url = format!("http://{}/fleet", free_address().await);
    let failure = fetch(&RemoteConfig { url: url.clone(), ..world.config() }).await;
    check(&failure, Kind::Retry { after: None }, &[&url, "refused"]);
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_a_rotated_one_is_read() {
    let world = World::new();
    world.server.require_login(Some(("bob", "right")));
    let failure = fetch(&world.config()).await;
    check(&failure, Kind::Reject, &["asks for credentials", "401"]);

    let credentials = Some(world.password("s3cret"));
    let repository = Repository::open(&RemoteConfig { credentials, ..world.config() }).unwrap();
    let failure = repository.fetch(&context()).await.unwrap_err();
    check(&failure, Kind::Reject, &[&world.server.url("fleet"), "does not accept the credentials", "401"]);

    world.password("right");
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    push(&repository, &id, &tip).await.unwrap();
    assert_eq!(world.server.head("fleet"), id);
}

#[tokio::test]
async fn a_redirect_to_another_origin_gets_no_credentials() {
    let world = World::new();
    let elsewhere = Raw::start(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let location = format!("http://{}/fleet/info/refs?service=git-upload-pack", elsewhere.address);
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Raw::start(answer.into_bytes()).await;
        let credentials = Some(world.password("s3cret"));
        let failure = fetch(&RemoteConfig { url: server.url(), credentials, ..world.config() }).await;
        check(&failure, Kind::Reject, &["another origin", &elsewhere.address.to_string()]);
        assert!(server.heard().to_lowercase().contains("authorization: basic"));
    }
    assert_eq!(elsewhere.heard(), "");
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_for_the_whole_operation() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    for service in ["git-upload-pack", "git-receive-pack"] {
        let target = format!("/fleet/info/refs?service={service}");
        let moved =
            Action::Respond { status: 301, headers: vec![("location".into(), target)], body: String::new() };
        proxy.on(When::path(&format!("/moved/info/refs?service={service}")), moved);
    }
    let url = format!("{}/moved", proxy.url());
    let repository = Repository::open(&RemoteConfig { url, ..config }).unwrap();
    let tip = repository.fetch(&context()).await.unwrap();
    let id = commit(&repository, &tip, "image: web:2\n").await;
    push(&repository, &id, &tip).await.unwrap();
    assert_eq!(world.server.head("fleet"), id);
}

#[tokio::test]
async fn a_redirect_of_a_request_with_a_body_is_refused() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    let headers = vec![("location".into(), "/fleet/git-upload-pack".into())];
    proxy.on(When::new("POST", ""), Action::Respond { status: 307, headers, body: String::new() });
    check(&fetch(&config).await, Kind::Reject, &["redirects", "307"]);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    let headers = vec![("location".into(), "/fleet/info/refs?service=git-upload-pack".into())];
    proxy.on(When::any(), Action::Respond { status: 302, headers, body: String::new() });
    check(&fetch(&config).await, Kind::Reject, &["redirects more than"]);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closes_does_no_harm() {
    let world = World::new();
    let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
    let server = Raw::answering(answer, 1).await;
    let repository = Repository::open(&RemoteConfig { url: server.url(), ..world.config() }).unwrap();
    for _ in 0..3 {
        let failure = repository.fetch(&context()).await.unwrap_err();
        check(&failure, Kind::Reject, &["no such repository"]);
    }
}

#[tokio::test]
async fn a_pack_that_breaks_off_is_fetched_whole_the_next_time() {
    let world = World::new();
    let (proxy, config) = world.behind_proxy().await;
    let repository = Repository::open(&config).unwrap();
    for length in [0, 20, 300] {
        proxy.on(When::new("POST", "git-upload-pack").nth(1), Action::Cut(length));
        let failure = repository.fetch(&context()).await.unwrap_err();
        assert!(matches!(failure.kind, Kind::Retry { .. }), "{}", failure.chain());
    }
    assert_eq!(repository.fetch(&context()).await.unwrap(), world.server.head("fleet"));
}

#[tokio::test]
async fn what_is_no_git_server_is_said_to_be_none() {
    let world = World::new();
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nlogin".to_vec();
    let server = Raw::start(page).await;
    let failure = fetch(&RemoteConfig { url: server.url(), ..world.config() }).await;
    check(&failure, Kind::Reject, &[&server.url(), "text/html"]);
}

#[tokio::test]
async fn garbage_from_the_server_is_a_failure_and_no_panic() {
    let world = World::new();
    for garbage in ["", "zzzz", "0000", "001e# service=git-upload-pack\n00000009\0\0\0\0\0", "ffff"] {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n";
        let length = garbage.len();
        let server =
            Raw::start(format!("{head}content-length: {length}\r\n\r\n{garbage}").into_bytes()).await;
        let failure = fetch(&RemoteConfig { url: server.url(), ..world.config() }).await;
        assert!(failure.chain().contains(&server.url()), "{}", failure.chain());
    }
}

#[tokio::test]
async fn a_server_in_trouble_says_when_to_come_back() {
    let world = World::new();
    let words = "come back s3cret later";
    let answer = format!(
        "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{words}",
        words.len()
    );
    let server = Raw::start(answer.into_bytes()).await;
    let credentials = Some(world.password("s3cret"));
    let failure = fetch(&RemoteConfig { url: server.url(), credentials, ..world.config() }).await;
    assert_eq!(failure.kind, Kind::Retry { after: Some(Duration::from_secs(7)) });
    assert!(failure.message.contains("come back [redacted] later"), "{failure}");
}

#[tokio::test]
async fn more_bytes_than_allowed_are_not_taken() {
    let world = World::new();
    let noise: Vec<_> = (0_u32..20_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    world.server.commit("fleet", "big", &[(FILE, noise)]);
    let failure = fetch(&RemoteConfig { max_pack_bytes: 4096, ..world.config() }).await;
    check(&failure, Kind::Reject, &["more than 4096 bytes"]);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_at_the_deadline() {
    for head in [Vec::new(), half_an_advertisement()] {
        let world = World::new();
        let server = Raw::start(head).await;
        let repository = Repository::open(&RemoteConfig { url: server.url(), ..world.config() }).unwrap();
        let started = Instant::now();
        let failure = repository.fetch(&within(Duration::from_millis(300))).await.unwrap_err();
        assert!(failure.message.contains("deadline"), "{failure}");
        assert_ended(&repository, started).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left_when_the_work_is_cancelled() {
    let world = World::new();
    let server = Raw::start(half_an_advertisement()).await;
    let repository = Repository::open(&RemoteConfig { url: server.url(), ..world.config() }).unwrap();
    let cancel = CancellationToken::new();
    let context = Context::new(&cancel, Duration::from_secs(60));
    let fetch = repository.fetch(&context);
    let cancelled = async {
        server.connected().await;
        cancel.cancel();
        Instant::now()
    };
    let (fetched, started) = tokio::join!(fetch, cancelled);
    assert_eq!(fetched.unwrap_err().kind, Kind::Cancelled);
    assert_ended(&repository, started).await;
}

#[tokio::test]
async fn a_future_that_is_dropped_ends_its_work() {
    let world = World::new();
    let server = Raw::start(half_an_advertisement()).await;
    let repository = Repository::open(&RemoteConfig { url: server.url(), ..world.config() }).unwrap();
    let context = context();
    tokio::select! {
        _ = repository.fetch(&context) => panic!("the server hangs"),
        () = server.connected() => {}
    }
    assert_ended(&repository, Instant::now()).await;
}

/// The owner thread is free again at once, not after the limit for silence: it answers the next question.
async fn assert_ended(repository: &Repository, started: Instant) {
    let unknown = "1234567890123456789012345678901234567890";
    repository.files(&context(), unknown, "").await.unwrap_err();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// Promises more than it sends.
fn half_an_advertisement() -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n";
    format!("{head}content-length: 4000\r\n\r\n001e# service=git-upload-pack\n0000").into_bytes()
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A server that answers every connection with the same bytes, then says nothing more and does not hang up.
struct Raw {
    address: SocketAddr,
    heard: Arc<Mutex<String>>,
    connected: Arc<tokio::sync::Notify>,
}

impl Raw {
    async fn start(answer: Vec<u8>) -> Self {
        Self::answering(answer, usize::MAX).await
    }

    /// Hangs up on a connection that asks once more than so many times.
    async fn answering(answer: Vec<u8>, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(String::new()));
        let connected = Arc::new(tokio::sync::Notify::new());
        let (ears, notify) = (Arc::clone(&heard), Arc::clone(&connected));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (answer, ears, notify) = (answer.clone(), Arc::clone(&ears), Arc::clone(&notify));
                tokio::spawn(async move {
                    let mut buffer = vec![0; 64 << 10];
                    let mut left = times;
                    while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                        let Some(fewer) = left.checked_sub(1) else { return };
                        left = fewer;
                        ears.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
                        socket.write_all(&answer).await.ok();
                        notify.notify_one();
                    }
                });
            }
        });
        Self { address, heard, connected }
    }

    fn url(&self) -> String {
        format!("http://{}/fleet", self.address)
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until a request has been answered.
    async fn connected(&self) {
        tokio::time::timeout(Duration::from_secs(10), self.connected.notified()).await.unwrap();
    }
}
