//! What the client promises of any registry, run against each that there is.

use tidegate_agent::error::Kind;
use tidegate_agent::registry::Registry;
use tidegate_tests::harness::docker_registry::DockerRegistry;

use crate::world::{client, context, repository, tag};

/// Declares one test for each registry.
macro_rules! contract {
    ($($case:ident)*) => {
        mod docker {
            $(#[tokio::test]
            async fn $case() {
                if let Some(registry) = super::DockerRegistry::start().await {
                    super::$case(registry).await;
                }
            })*
        }
    };
}

contract! {
    pushed_tags_are_listed
    a_tag_resolves_to_the_digest_it_was_pushed_with
    a_missing_tag_resolves_to_nothing
    a_missing_repository_is_refused_by_name
}

async fn pushed_tags_are_listed(registry: DockerRegistry) {
    for name in ["1.4.2", "1.4.3", "latest"] {
        registry.push("acme/web", name).await.expect("pushed");
    }
    let host = registry.host();
    let mut tags = client(host).tags(&context(), &repository(host, "acme/web")).await.expect("listed");
    // The order is the registry's own.
    tags.sort();
    assert_eq!(tags, ["1.4.2", "1.4.3", "latest"]);
}

async fn a_tag_resolves_to_the_digest_it_was_pushed_with(registry: DockerRegistry) {
    let pushed = registry.push("acme/web", "1.4.3").await.expect("pushed");
    let other = registry.push("acme/web", "1.4.4").await.expect("pushed");
    assert_ne!(pushed, other);
    let host = registry.host();
    let digest = client(host).manifest_digest(&context(), &repository(host, "acme/web"), &tag("1.4.3")).await;
    assert_eq!(digest.expect("resolved").expect("there").as_str(), pushed);
}

async fn a_missing_tag_resolves_to_nothing(registry: DockerRegistry) {
    registry.push("acme/web", "1.4.3").await.expect("pushed");
    let host = registry.host();
    let digest = client(host).manifest_digest(&context(), &repository(host, "acme/web"), &tag("9.9.9")).await;
    assert_eq!(digest.expect("answered"), None);
}

async fn a_missing_repository_is_refused_by_name(registry: DockerRegistry) {
    let host = registry.host();
    let failure = client(host)
        .tags(&context(), &repository(host, "acme/none"))
        .await
        .expect_err("there is no such repository");
    assert_eq!(failure.kind, Kind::Reject);
    assert!(failure.chain().contains("/v2/acme/none/tags/list answered 404"), "{}", failure.chain());
    assert!(failure.hint.is_some());
}
