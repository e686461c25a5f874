//! Servers that are not there, never answer, refuse, or have nothing to give.

use std::net::TcpListener;

use tidegate_tests::harness::control_plane::{ControlPlane, User};
use tidegate_tests::harness::process::free_address;
use tidegate_tests::story::world::{REPOSITORY, World};

use super::{deployment, goes_on, lives, said, world_with};

#[tokio::test(flavor = "multi_thread")]
async fn git_sources_without_server_branch_or_commits_are_named_and_do_not_stop_the_good_one() {
    let Some(mut world) = World::real().await else { return };
    world.git.create_empty("empty", "main");
    let dead = format!("http://{}/fleet", free_address().expect("a free port"));
    let (fleet, empty, none) = (world.git.url(REPOSITORY), world.git.url("empty"), world.git.url("none"));
    let source = |name: &str, url: &str, branch: &str| {
        format!("- {{name: {name}, url: '{url}', branch: {branch}, allowInsecure: true, poll: 500ms}}\n")
    };
    let mut setup = world.setup();
    setup.source_extra = [
        source("dead", &dead, "main"),
        source("absent", &none, "main"),
        source("branchless", &fleet, "release"),
        source("empty", &empty, "main"),
    ]
    .concat();
    world.start_daemon(setup).await.expect("the daemon starts");
    let failed = async |source: &str, words: &[&str]| {
        let source = format!("\"source\":\"{source}\"");
        said(&world, "source-failed", &[&[source.as_str(), "hint: "], words].concat()).await;
    };
    failed("dead", &[&dead, "cannot connect"]).await;
    failed("absent", &[&none, "404"]).await;
    failed("branchless", &[&fleet, "no branch `release`", "it has: main"]).await;
    failed("empty", &[&empty, "no commits"]).await;
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registries_that_are_gone_or_never_answer_are_named_and_delay_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_host = silent.local_addr().expect("its address").to_string();
    let dead_host = free_address().expect("a free port").to_string();
    let files = |world: &World| {
        let policy = "tidegate.io/policy: 'semver:~1.4'";
        let of = |name: &str, host: &str| {
            deployment(name, &world.namespace, &format!("{host}/acme/{name}:1.4.1"), policy)
        };
        vec![("apps/gone.yaml", of("gone", &dead_host)), ("apps/silent.yaml", of("silent", &silent_host))]
    };
    let Some(mut world) = world_with(files).await else { return };
    let mut setup = world.setup();
    setup.registries_extra = [&dead_host, &silent_host]
        .map(|host| format!("- {{host: '{host}', plainHttp: true, poll: 500ms}}\n"))
        .concat();
    world.start_daemon(setup).await.expect("the daemon starts");
    let url = format!("http://{dead_host}/v2/acme/gone/tags/list");
    said(&world, "scan-failed", &[&url, "hint: "]).await;
    // The silent one is still being waited for: its scan has neither failed nor ended.
    goes_on(&world).await;
    let waiting = world.daemon().events("scan-failed");
    assert!(!waiting.iter().any(|line| line.to_string().contains(&silent_host)), "{waiting:?}");
    said(&world, "decision", &["apps/gone.yaml", "registry-unreachable", &url]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_not_there_is_named() {
    let Some(mut world) = World::real().await else { return };
    let url = format!("https://{}", free_address().expect("a free port"));
    let mut setup = world.setup();
    setup.kubeconfig = ControlPlane::shared().kubeconfig_at(&url, User::Admin).expect("a kubeconfig");
    world.start_daemon(setup).await.expect("the daemon starts");
    said(&world, "sync-failed", &[&url, "hint: "]).await;
    lives(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_refuses_us_is_named_with_what_it_said() {
    let Some(mut world) = World::real().await else { return };
    let url = world.proxies().cluster.url();
    let mut setup = world.setup();
    setup.kubeconfig = ControlPlane::shared().kubeconfig_at(&url, User::Nobody).expect("a kubeconfig");
    world.start_daemon(setup).await.expect("the daemon starts");
    said(&world, "sync-failed", &[&url, "answers 403", "nobody", "hint: give the user"]).await;
    lives(&world).await;
}
