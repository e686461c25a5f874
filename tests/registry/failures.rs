//! What a failing registry looks like to the caller: try again, tell the user, or give up in time.

use std::time::{Duration, Instant};

use tidegate_agent::clock::{Clock as _, SystemClock};
use tidegate_agent::context::Context;
use tidegate_agent::error::{Failure, Kind};
use tidegate_agent::registry::Registry as _;
use tidegate_policy::reference::Digest;
use tidegate_tests::sandbox::image::digest;
use tidegate_tests::sandbox::proxy::{Action, FaultProxy, When};
use tidegate_tests::sandbox::registry::{Fault, Options, SandboxRegistry};
use tokio_util::sync::CancellationToken;

use crate::world::{client, client_with, configured, context, repository, tag};

const RETRY: Kind = Kind::Retry { after: None };

async fn start() -> SandboxRegistry {
    let registry = SandboxRegistry::start().await;
    registry.push("acme/web", "1.4.2");
    registry
}

async fn list(host: &str) -> Result<Vec<String>, Failure> {
    client(host).tags(&context(), &repository(host, "acme/web")).await
}

async fn resolve(registry: &SandboxRegistry) -> Result<Option<Digest>, Failure> {
    let host = registry.host();
    client(host).manifest_digest(&context(), &repository(host, "acme/web"), &tag("1.4.2")).await
}

/// Lists and resolves with a fault: both must fail alike.
async fn check(fault: Fault, expect: Kind) {
    let registry = start().await;
    registry.fail("", 2, fault.clone());
    let listed = list(registry.host()).await.expect_err("listing fails");
    let resolved = resolve(&registry).await.expect_err("resolving fails");
    assert_eq!((listed.kind, resolved.kind), (expect, expect), "{}", listed.chain());
    assert!(listed.message.contains(registry.host()), "{listed}");
}

#[tokio::test]
async fn a_server_error_may_pass() {
    for status in [500, 502, 503, 504, 408, 429] {
        check(Fault::status(status), RETRY).await;
    }
}

#[tokio::test]
async fn a_refusal_will_not_pass_by_itself() {
    for status in [403, 410, 418, 451] {
        check(Fault::status(status), Kind::Reject).await;
    }
}

#[tokio::test]
async fn a_wait_that_the_registry_names_is_kept() {
    let wait = |value: &str| Fault::status(429).header("retry-after", value);
    check(wait("120"), Kind::Retry { after: Some(Duration::from_secs(120)) }).await;
    check(wait("1000000000"), Kind::Retry { after: Some(Duration::from_mins(15)) }).await;
    check(Fault::status(503).header("retry-after", "7"), Kind::Retry { after: Some(Duration::from_secs(7)) })
        .await;
    check(wait("in a while"), RETRY).await;
}

#[tokio::test]
async fn a_wait_until_a_date_is_kept() {
    let registry = start().await;
    let date = SystemClock.now() + jiff::SignedDuration::from_secs(100);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).expect("a date");
    registry.fail_next(Fault::status(429).header("retry-after", &date));
    let failure = list(registry.host()).await.expect_err("too many requests");
    let Kind::Retry { after: Some(after) } = failure.kind else { panic!("{:?}", failure.kind) };
    assert!((90..=100).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_may_be_made_again() {
    let registry = start().await;
    let proxy = FaultProxy::start(registry.host().parse().expect("an address")).await;
    let host = proxy.address().to_string();
    for action in [Action::Drop, Action::DropAnswer, Action::Cut(5)] {
        proxy.clear();
        proxy.on(When::any(), action);
        let failure = list(&host).await.expect_err("broken");
        assert_eq!(failure.kind, RETRY, "{}", failure.chain());
    }
    proxy.clear();
    list(&host).await.expect("the proxy is transparent");
    drop(proxy);
    let failure = list(&host).await.expect_err("there is nobody");
    assert_eq!(failure.kind, RETRY);
    assert!(failure.message.contains("cannot be reached"), "{failure}");
}

#[tokio::test]
async fn a_registry_that_trickles_is_left_at_the_deadline() {
    let registry = start().await;
    registry.fail("", 9, Fault::Trickle(Duration::from_millis(100)));
    let context = Context::new(&CancellationToken::new(), Duration::from_millis(300));
    let begun = Instant::now();
    let host = registry.host();
    let failure = client(host).tags(&context, &repository(host, "acme/web")).await.expect_err("too slow");
    assert_eq!(failure.kind, RETRY);
    assert!(begun.elapsed() < Duration::from_secs(5), "the deadline did not end the work");
}

#[tokio::test]
async fn work_that_nobody_wants_any_more_ends() {
    let registry = start().await;
    registry.fail("", 9, Fault::Delay(Duration::from_mins(10)));
    let cancel = CancellationToken::new();
    let context = Context::new(&cancel, Duration::from_mins(10));
    let host = registry.host();
    let (client, web) = (client(host), repository(host, "acme/web"));
    let work = async { client.tags(&context, &web).await };
    let (outcome, ()) = futures::future::join(work, async { cancel.cancel() }).await;
    assert_eq!(outcome.expect_err("cancelled").kind, Kind::Cancelled);
}

#[tokio::test]
async fn a_missing_digest_header_is_made_up_for_by_the_content() {
    let registry = start().await;
    let pushed = registry.push("acme/web", "1.4.2");
    registry.set_options(Options { without_digests: true, ..Options::default() });
    assert_eq!(resolve(&registry).await.expect("resolved").expect("there").as_str(), pushed);
    registry.set_options(Options::default());
    registry.fail_next(Fault::status(405));
    assert_eq!(resolve(&registry).await.expect("resolved").expect("there").as_str(), pushed);
}

#[tokio::test]
async fn a_digest_that_cannot_be_read_is_not_taken_for_none() {
    let short = format!("sha256:{}", "a".repeat(63));
    for digest in ["", "sha256:", "nonsense", short.as_str()] {
        let registry = start().await;
        registry.fail_next(Fault::status(200).header("docker-content-digest", digest));
        let failure = resolve(&registry).await.expect_err("unreadable");
        assert_eq!(failure.kind, Kind::Reject, "{digest:?}");
        assert_eq!(registry.requests().len(), 1, "{digest:?}");
    }
}

#[tokio::test]
async fn content_that_is_not_what_its_digest_says_is_refused() {
    let registry = start().await;
    registry.fail_next(Fault::status(200));
    let lie = digest(b"something else");
    registry.fail_next(Fault::answer(200, "{}").header("docker-content-digest", &lie));
    let failure = resolve(&registry).await.expect_err("a lie");
    assert_eq!(failure.kind, Kind::Reject);
    assert!(failure.message.contains(&lie) && failure.message.contains(&digest(b"{}")), "{failure}");
}

#[tokio::test]
async fn a_manifest_larger_than_the_limit_is_refused() {
    let registry = start().await;
    registry.fail_next(Fault::status(200));
    registry.fail_next(Fault::answer(200, &"x".repeat((4 << 20) + 1)));
    let failure = resolve(&registry).await.expect_err("too large");
    assert!(failure.message.contains("more than 4194304 bytes"), "{failure}");
}

#[tokio::test]
async fn https_to_a_plain_registry_says_what_to_set() {
    let registry = start().await;
    let host = registry.host();
    let listed = client_with(configured(host)).tags(&context(), &repository(host, "acme/web")).await;
    let failure = listed.expect_err("it does not speak TLS");
    assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
    assert!(failure.chain().contains("plainHttp: true"), "{}", failure.chain());
}
