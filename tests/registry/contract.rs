//! What the client promises of any registry, run against each that there is.

use tidegate_agent::error::Kind;
use tidegate_agent::registry::Registry as _;
use tidegate_tests::harness::docker_registry::DockerRegistry;
use tidegate_tests::sandbox::client as http_client;
use tidegate_tests::sandbox::image::{self, Image};
use tidegate_tests::sandbox::registry::SandboxRegistry;

use crate::world::{client, context, repository, tag};

/// Declares one test of each case for each registry.
macro_rules! contract {
    ($($case:ident)*) => {
        mod docker {
            $(#[tokio::test]
            async fn $case() {
                if let Some(registry) = super::DockerRegistry::start().await {
                    super::$case(registry.host()).await;
                }
            })*
        }
        mod sandbox {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::SandboxRegistry::start().await.host()).await;
            })*
        }
    };
}

contract! {
    pushed_tags_are_listed
    many_tags_are_all_listed
    a_tag_resolves_to_the_digest_it_was_pushed_with
    a_moved_tag_resolves_to_its_new_digest
    a_missing_tag_resolves_to_nothing
    a_missing_repository_is_refused_by_name
    a_deleted_manifest_takes_its_tags_with_it
}

/// Pushes through the registry's own API and returns the digest.
async fn push(host: &str, path: &str, tag: &str, label: &str) -> String {
    let image = Image::new(label);
    image.push(&http_client::new(), &format!("http://{host}"), path, tag).await.expect("pushed");
    image.digest()
}

async fn list(host: &str, path: &str) -> Vec<String> {
    let mut tags = client(host).tags(&context(), &repository(host, path)).await.expect("listed");
    // The order is the registry's own.
    tags.sort();
    tags
}

async fn resolve(host: &str, path: &str, name: &str) -> Option<String> {
    let digest = client(host).manifest_digest(&context(), &repository(host, path), &tag(name)).await;
    digest.expect("answered").map(|digest| digest.as_str().to_owned())
}

async fn pushed_tags_are_listed(host: &str) {
    for name in ["1.4.2", "1.4.3", "latest"] {
        push(host, "acme/web", name, name).await;
    }
    push(host, "acme/web/deep", "other", "other").await;
    assert_eq!(list(host, "acme/web").await, ["1.4.2", "1.4.3", "latest"]);
    assert_eq!(list(host, "acme/web/deep").await, ["other"]);
}

async fn many_tags_are_all_listed(host: &str) {
    let image = Image::new("many");
    let (client, base) = (http_client::new(), format!("http://{host}"));
    image.push(&client, &base, "acme/many", "t0000").await.expect("pushed");
    let expect: Vec<String> = (0..120).map(|number| format!("t{number:04}")).collect();
    for name in &expect {
        image.tag(&client, &base, "acme/many", name).await.expect("tagged");
    }
    assert_eq!(list(host, "acme/many").await, expect);
}

async fn a_tag_resolves_to_the_digest_it_was_pushed_with(host: &str) {
    let pushed = push(host, "acme/web", "1.4.3", "one").await;
    let other = push(host, "acme/web", "1.4.4", "two").await;
    assert_ne!(pushed, other);
    assert_eq!(resolve(host, "acme/web", "1.4.3").await, Some(pushed));
}

async fn a_moved_tag_resolves_to_its_new_digest(host: &str) {
    push(host, "acme/web", "main", "one").await;
    let second = push(host, "acme/web", "main", "two").await;
    assert_eq!(resolve(host, "acme/web", "main").await, Some(second));
}

async fn a_missing_tag_resolves_to_nothing(host: &str) {
    push(host, "acme/web", "1.4.3", "one").await;
    assert_eq!(resolve(host, "acme/web", "9.9.9").await, None);
    assert_eq!(resolve(host, "acme/none", "9.9.9").await, None);
}

async fn a_missing_repository_is_refused_by_name(host: &str) {
    let failure = client(host)
        .tags(&context(), &repository(host, "acme/none"))
        .await
        .expect_err("there is no such repository");
    assert_eq!(failure.kind, Kind::Reject);
    let words = format!("http://{host}/v2/acme/none/tags/list answered 404 Not Found: NAME_UNKNOWN");
    assert!(failure.message.starts_with(&words), "{}", failure.chain());
    assert!(failure.hint.is_some());
}

async fn a_deleted_manifest_takes_its_tags_with_it(host: &str) {
    let digest = push(host, "acme/web", "1.4.3", "one").await;
    push(host, "acme/web", "1.4.4", "two").await;
    image::delete(&http_client::new(), &format!("http://{host}"), "acme/web", &digest)
        .await
        .expect("deleted");
    assert_eq!(resolve(host, "acme/web", "1.4.3").await, None);
    assert_eq!(list(host, "acme/web").await, ["1.4.4"]);
}
