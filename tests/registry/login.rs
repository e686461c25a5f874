//! Logins: to whom they are shown, how often, and to whom never.

use std::path::PathBuf;

use tempfile::TempDir;
use tidegate_agent::error::{Failure, Kind};
use tidegate_agent::registry::{Credentials, OciRegistry, Registry as _, RegistryConfig};
use tidegate_tests::sandbox::registry::{Fault, Options, SandboxRegistry};

use crate::world::{client, client_with, configured, context, repository};

const USER: &str = "ana";
const PASSWORD: &str = "hush-canary";
const BASIC: &str = "Basic YW5hOmh1c2gtY2FuYXJ5";
const LIST: &str = "/v2/acme/web/tags/list";

/// A registry with one tag, and a client that has its login in files.
struct World {
    registry: SandboxRegistry,
    client: OciRegistry,
    room: TempDir,
}

impl World {
    async fn start() -> Self {
        let registry = SandboxRegistry::start().await;
        registry.push("acme/web", "1.4.2");
        let room = tempfile::tempdir().expect("a directory");
        let file = |name: &str, content: &str| -> PathBuf {
            let path = room.path().join(name);
            std::fs::write(&path, content).expect("written");
            path
        };
        let credentials =
            Credentials::Files { username: file("username", USER), password: file("password", PASSWORD) };
        let config = RegistryConfig { plain_http: true, credentials, ..configured(registry.host()) };
        Self { client: client_with(config), registry, room }
    }

    async fn list(&self) -> Result<Vec<String>, Failure> {
        let listed = self.client.tags(&context(), &repository(self.registry.host(), "acme/web")).await;
        if let Err(failure) = &listed {
            // No way of failing shows the login.
            for secret in [PASSWORD, "YW5hOmh1c2gtY2FuYXJ5", "token-"] {
                assert!(!format!("{failure:?} {}", failure.chain()).contains(secret));
            }
        }
        listed
    }

    async fn refused(&self, expect: &str) {
        let failure = self.list().await.expect_err("refused");
        assert_eq!(failure.kind, Kind::Reject, "{}", failure.chain());
        assert!(failure.chain().contains(expect) && failure.hint.is_some(), "{}", failure.chain());
    }

    fn shown(&self) -> Vec<(String, String)> {
        let shown = |seen: tidegate_tests::sandbox::registry::Seen| {
            (seen.path, seen.authorization.unwrap_or_default())
        };
        self.registry.requests().into_iter().map(shown).collect()
    }
}

fn pairs(expect: &[(&str, &str)]) -> Vec<(String, String)> {
    expect.iter().map(|&(path, authorization)| (path.to_owned(), authorization.to_owned())).collect()
}

#[tokio::test]
async fn a_login_is_shown_only_when_asked_for() {
    let world = World::start().await;
    world.list().await.expect("nobody asks for a login");
    assert_eq!(world.shown(), pairs(&[(LIST, "")]));
}

#[tokio::test]
async fn a_basic_challenge_is_answered_and_remembered() {
    let world = World::start().await;
    world.registry.require_basic(USER, PASSWORD);
    world.list().await.expect("listed");
    world.list().await.expect("listed");
    assert_eq!(world.shown(), pairs(&[(LIST, ""), (LIST, BASIC), (LIST, BASIC)]));
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    let world = World::start().await;
    world.registry.require_basic(USER, "another");
    world.refused("answered 401").await;
    assert_eq!(world.registry.count("GET", LIST), 2);
    world.registry.require_bearer(Some((USER, "another")));
    world.refused("/token answered 401").await;
    assert_eq!(world.registry.count("GET", "/token"), 1);
}

#[tokio::test]
async fn a_rotated_password_is_used_at_once() {
    let world = World::start().await;
    world.registry.require_basic(USER, PASSWORD);
    world.list().await.expect("listed");
    world.registry.require_basic(USER, "rotated");
    std::fs::write(world.room.path().join("password"), "rotated").expect("written");
    world.list().await.expect("listed");
    assert_eq!(world.registry.count("GET", LIST), 3);
}

#[tokio::test]
async fn without_a_login_a_basic_challenge_is_refused_with_a_hint() {
    let world = World::start().await;
    world.registry.require_basic(USER, PASSWORD);
    let host = world.registry.host();
    let listed = client(host).tags(&context(), &repository(host, "acme/web")).await;
    let failure = listed.expect_err("there is no login");
    assert!(failure.message.contains("asks for a login and none is configured"), "{failure}");
    assert_eq!((failure.kind, failure.hint.is_some()), (Kind::Reject, true));
}

#[tokio::test]
async fn a_token_is_fetched_with_the_login_and_kept() {
    let world = World::start().await;
    world.registry.require_bearer(Some((USER, PASSWORD)));
    world.list().await.expect("listed");
    world.list().await.expect("listed");
    let expect = [(LIST, ""), ("/token", BASIC), (LIST, "Bearer token-1"), (LIST, "Bearer token-1")];
    assert_eq!(world.shown(), pairs(&expect));
    let asked = &world.registry.requests()[1].query;
    assert!(asked.contains("scope=repository%3Aacme%2Fweb%3Apull") && asked.contains("service="), "{asked}");
}

#[tokio::test]
async fn a_token_is_given_to_the_anonymous_too() {
    let world = World::start().await;
    world.registry.require_bearer(None);
    let host = world.registry.host();
    client(host).tags(&context(), &repository(host, "acme/web")).await.expect("listed");
    assert_eq!(world.shown(), pairs(&[(LIST, ""), ("/token", ""), (LIST, "Bearer token-1")]));
}

#[tokio::test]
async fn a_token_that_ends_between_two_pages_is_renewed_once() {
    let world = World::start().await;
    for tag in ["a", "b", "c"] {
        world.registry.push("acme/web", tag);
    }
    world.registry.set_options(Options { max_page: Some(2), ..Options::default() });
    world.registry.require_bearer(Some((USER, PASSWORD)));
    // The second page refuses the token that the first took.
    let realm = format!("Bearer realm=\"http://{}/token\"", world.registry.host());
    world.registry.fail("last=", 1, Fault::status(401).header("www-authenticate", &realm));
    assert_eq!(world.list().await.expect("listed").len(), 4);
    assert_eq!(world.registry.count("GET", "/token"), 2);
    world.registry.revoke_tokens();
    assert_eq!(world.list().await.expect("listed").len(), 4);
    assert_eq!(world.registry.count("GET", "/token"), 3);
}

#[tokio::test]
async fn a_registry_that_refuses_every_token_is_left_alone() {
    let world = World::start().await;
    world.registry.require_bearer(Some((USER, PASSWORD)));
    let realm = format!("Bearer realm=\"http://{}/token\"", world.registry.host());
    world.registry.fail(LIST, 99, Fault::status(401).header("www-authenticate", &realm));
    world.refused("answered 401").await;
    assert_eq!((world.registry.count("GET", LIST), world.registry.count("GET", "/token")), (2, 1));
    // The next try has a token that was good enough to be kept: it is renewed once.
    world.refused("answered 401").await;
    assert_eq!((world.registry.count("GET", LIST), world.registry.count("GET", "/token")), (4, 2));
}

#[tokio::test]
async fn many_who_wait_for_one_token_fetch_it_once() {
    let world = World::start().await;
    world.registry.require_bearer(Some((USER, PASSWORD)));
    let lists = futures::future::join_all((0..20).map(|_| world.list())).await;
    assert!(lists.iter().all(Result::is_ok));
    assert_eq!(world.registry.count("GET", "/token"), 1);
}

#[tokio::test]
async fn a_hostile_realm_gets_nothing() {
    let world = World::start().await;
    let evil = SandboxRegistry::start().await;
    let own = world.registry.host();
    for (realm, expect) in [
        (
            format!("http://{}/token", evil.host()),
            format!("registry {own} sends its login to {}", evil.host()),
        ),
        (format!("http://x@{own}/token"), "carries a login of its own".to_owned()),
        (format!("http://{own}@{}/token", evil.host()), "carries a login of its own".to_owned()),
        ("ftp://registry/token".to_owned(), "is not https".to_owned()),
        (String::new(), "the realm is no URL".to_owned()),
    ] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
        let basic = "Basic realm=\"x\"";
        let fault =
            Fault::status(401).header("www-authenticate", &challenge).header("www-authenticate", basic);
        world.registry.fail_next(fault);
        world.refused(&expect).await;
    }
    assert_eq!(evil.requests(), []);
    assert!(world.shown().iter().all(|(_, authorization)| authorization.is_empty()));
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_host_only() {
    let world = World::start().await;
    let evil = SandboxRegistry::start().await;
    evil.push("acme/web", "9.9.9");
    world.registry.require_basic(USER, PASSWORD);
    world.list().await.expect("listed");
    let redirect = |host: &str| {
        Fault::status(307).header("location", &format!("http://{host}/v2/acme/web/tags/list?moved=1"))
    };
    world.registry.fail_next(redirect(world.registry.host()));
    assert_eq!(world.list().await.expect("listed"), ["1.4.2"]);
    assert!(world.registry.requests().last().is_some_and(|seen| seen.query == "moved=1"));
    world.registry.fail_next(redirect(evil.host()));
    world.refused(&format!("redirects to http://{}", evil.host())).await;
    assert_eq!(evil.requests(), []);
}

#[tokio::test]
async fn a_token_endpoint_cannot_send_the_login_elsewhere() {
    let world = World::start().await;
    let evil = SandboxRegistry::start().await;
    world.registry.require_bearer(Some((USER, PASSWORD)));
    let away = Fault::status(302).header("location", &format!("http://{}/token", evil.host()));
    world.registry.fail("/token", 1, away);
    world.refused("which is not followed").await;
    assert_eq!(evil.requests(), []);
}

#[tokio::test]
async fn a_token_that_is_no_header_is_refused() {
    let world = World::start().await;
    world.registry.require_bearer(None);
    for body in [r#"{"token":"a\nb"}"#, "{}", r#"{"token":""}"#, "<html>", "[]"] {
        world.registry.fail("/token", 1, Fault::answer(200, body));
        world.refused("the token endpoint").await;
    }
}

#[tokio::test]
async fn the_login_of_another_host_is_never_shown() {
    let world = World::start().await;
    world.registry.require_basic(USER, PASSWORD);
    let file = world.room.path().join("config.json");
    let config = RegistryConfig {
        plain_http: true,
        credentials: Credentials::DockerConfig(file.clone()),
        ..configured(world.registry.host())
    };
    let client = client_with(config);
    let own = repository(world.registry.host(), "acme/web");
    let auths = |host: &str| format!(r#"{{"auths":{{"{host}":{{"auth":"YW5hOmh1c2gtY2FuYXJ5"}}}}}}"#);
    for host in ["127.0.0.1", "127.0.0.1:1", "localhost", "https://index.docker.io/v1/"] {
        std::fs::write(&file, auths(host)).expect("written");
        client.tags(&context(), &own).await.expect_err("anonymous");
    }
    assert!(world.shown().iter().all(|(_, authorization)| authorization.is_empty()));
    std::fs::write(&file, auths(world.registry.host())).expect("written");
    client.tags(&context(), &own).await.expect("listed");
}
