//! Paging against registries that page oddly, lie, or stop in the middle.

use tidegate_agent::error::{Failure, Kind};
use tidegate_agent::registry::Registry as _;
use tidegate_tests::sandbox::registry::{Fault, Options, SandboxRegistry};

use crate::world::{client, context, repository};

const LIST: &str = "/tags/list";

/// A registry with `count` tags `t0000`, `t0001`, …
async fn with_tags(count: usize) -> SandboxRegistry {
    let registry = SandboxRegistry::start().await;
    for number in 0..count {
        registry.push("acme/web", &format!("t{number:04}"));
    }
    registry
}

async fn list(registry: &SandboxRegistry) -> Result<Vec<String>, Failure> {
    let host = registry.host();
    client(host).tags(&context(), &repository(host, "acme/web")).await
}

/// Lists with a fault at some request and expects the whole scan to be refused.
async fn check(fault: Fault, kind: Kind, expect: &str) {
    let registry = with_tags(5).await;
    registry.set_options(Options { max_page: Some(2), ..Options::default() });
    // The first page is good: nothing of it may come back.
    registry.fail("last=t0001", 9, fault);
    let failure = list(&registry).await.expect_err("the listing is not complete");
    assert!(failure.chain().contains(expect), "{}", failure.chain());
    assert_eq!(failure.kind, kind, "{}", failure.chain());
}

const RETRY: Kind = Kind::Retry { after: None };

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let registry = with_tags(35).await;
    registry.set_options(Options { max_page: Some(10), ..Options::default() });
    let tags = list(&registry).await.expect("listed");
    assert_eq!((tags.len(), tags[34].as_str()), (35, "t0034"));
    assert_eq!(registry.count("GET", LIST), 4);
    assert_eq!(registry.requests()[3].query, "last=t0029&n=10");
}

#[tokio::test]
async fn a_smaller_page_is_asked_for_when_a_thousand_are_refused() {
    let registry = with_tags(3).await;
    registry.set_options(Options { refuse_over: Some(100), ..Options::default() });
    let client = client(registry.host());
    for _ in 0..2 {
        let tags = client.tags(&context(), &repository(registry.host(), "acme/web")).await;
        assert_eq!(tags.expect("listed").len(), 3);
    }
    let asked: Vec<String> = registry.requests().into_iter().map(|seen| seen.query).collect();
    // The second scan remembers.
    assert_eq!(asked, ["n=1000", "n=100", "n=100"]);
}

#[tokio::test]
async fn no_page_size_is_named_when_any_is_refused() {
    let registry = with_tags(3).await;
    registry.set_options(Options { refuse_over: Some(0), ..Options::default() });
    assert_eq!(list(&registry).await.expect("listed").len(), 3);
    assert_eq!(registry.requests()[2].query, "");
}

#[tokio::test]
async fn a_list_that_is_cut_silently_is_asked_for_beyond_the_cut() {
    let registry = with_tags(1001).await;
    registry.set_options(Options { max_page: Some(1000), without_links: true, ..Options::default() });
    assert_eq!(list(&registry).await.expect("listed").len(), 1001);
}

#[tokio::test]
async fn a_page_that_breaks_off_refuses_the_whole_scan() {
    check(Fault::Cut(10), RETRY, "was not complete").await;
    check(Fault::answer(200, r#"{"name":"acme/web","tags":["t0002","#), RETRY, "a page ends too early").await;
}

#[tokio::test]
async fn a_page_that_is_no_list_refuses_the_whole_scan() {
    let page = Fault::answer(200, "<html>sign in</html>").header("content-type", "text/html");
    check(page, Kind::Reject, "a page is not a list of tags").await;
    check(Fault::answer(200, ""), RETRY, "a page ends too early").await;
    check(Fault::answer(204, ""), Kind::Reject, "answered 204").await;
}

#[tokio::test]
async fn a_page_that_fails_refuses_the_whole_scan() {
    check(Fault::status(500), RETRY, "answered 500").await;
    check(Fault::status(404), Kind::Reject, "answered 404").await;
}

#[tokio::test]
async fn a_page_larger_than_the_limit_is_not_read_to_its_end() {
    let page = format!(r#"{{"tags":["{}"]}}"#, "x".repeat(33 << 20));
    check(Fault::answer(200, &page), Kind::Reject, "answered with more than 33554432 bytes").await;
}

#[tokio::test]
async fn a_link_that_leads_in_a_circle_refuses_the_whole_scan() {
    let page = |tag: &str| {
        let link = "</v2/acme/web/tags/list?last=t0001&n=2>; rel=\"next\"";
        Fault::answer(200, &format!(r#"{{"tags":["{tag}"]}}"#)).header("link", link)
    };
    check(page("other"), Kind::Reject, "its pages go in a circle").await;
    check(page("t0000"), Kind::Reject, "its pages repeat").await;
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let other = with_tags(1).await;
    for target in [other.host(), "evil.example.org"] {
        let link = format!("<http://{target}/v2/acme/web/tags/list?last=b>; rel=\"next\"");
        let page = Fault::answer(200, r#"{"tags":["b"]}"#).header("link", &link);
        check(page, Kind::Reject, &format!("to {target}")).await;
    }
    assert_eq!(other.requests(), []);
}
