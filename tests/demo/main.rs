//! `make demo`: the main job on the embedded sandbox, with the real `tidegate run` as its own process.
//!
//! Exits 0 only if every step was really observed: the steps panic when what they tell does not happen.

mod screen;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use tidegate_tests::story::apps::WEB;
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::screen::Screen;

#[tokio::main]
async fn main() -> Result<()> {
    let screen = Screen::new();
    let begun = Instant::now();
    screen.title("Tidegate: a pushed tag becomes a commit, a commit becomes a rollout");
    let mut world = World::sandbox().await?;
    let setup = world.setup();
    world.start_daemon(setup).await?;
    screen.say(&format!(
        "An OCI registry ({}), a git server and a small Kubernetes API are up on loopback;\n\
         `tidegate run` is process {}. It polls every 500 ms; webhooks are not used.",
        world.registry.host(),
        world.daemon().id()
    ));

    first_sync(&screen, &world).await?;
    let latency = release(&screen, &world).await?;
    not_taken(&screen, &world).await?;
    revert(&screen, &world).await?;
    drift_and_prune(&screen, &world).await?;

    screen.step(6, "Summary");
    screen.done(&format!(
        "five steps observed in {}; tag pushed to healthy took {}",
        screen::time(begun.elapsed()),
        screen::time(latency)
    ));
    if std::env::var("KEEP").is_ok_and(|keep| keep == "1") {
        keep(&screen, &world).await?;
    }
    Ok(())
}

async fn first_sync(screen: &Screen, world: &World) -> Result<()> {
    screen.step(1, "Three apps are synced from git: a Deployment, a CronJob, a marker in a ConfigMap");
    let took = steps::first_sync(world).await?;
    screen.done(&format!("applied and healthy after {}", screen::time(took)));
    Ok(())
}

async fn release(screen: &Screen, world: &World) -> Result<Duration> {
    screen.step(2, "CI pushes acme/web:1.4.3");
    let release = steps::release(world, "1.4.3").await?;
    screen.times(&[
        ("seen", release.seen),
        ("committed", release.committed),
        ("applied", release.applied),
        ("healthy", release.healthy),
    ]);
    screen.commit(&show(world, &release.commit)?);
    screen.done("the change is one line of one file, in a commit that a person could have written");
    Ok(release.healthy)
}

async fn not_taken(screen: &Screen, world: &World) -> Result<()> {
    screen.step(3, "2.0.0 and 1.5.0-rc.1 are pushed, and not taken: the policy is semver:^1.4");
    let explained = steps::not_taken(world, &["2.0.0", "1.5.0-rc.1"]).await?;
    screen.quote("tidegate explain Deployment/shop/web", &explained);
    screen.done("HEAD is unchanged after further complete scans");
    Ok(())
}

async fn revert(screen: &Screen, world: &World) -> Result<()> {
    screen.step(4, "A person reverts the commit, and it sticks");
    let reverted = steps::revert(world, "1.4.2").await?;
    screen.times(&[("the cluster runs 1.4.2 again", reverted.back)]);
    screen.done("after three further complete scans HEAD and the live image are unchanged");
    let release = steps::release(world, "1.4.4").await?;
    screen.done(&format!(
        "1.4.4 is newer than what was taken out: healthy after {}",
        screen::time(release.healthy)
    ));
    Ok(())
}

async fn drift_and_prune(screen: &Screen, world: &World) -> Result<()> {
    screen.step(5, "A person edits the cluster by hand; a file leaves git");
    let corrected = steps::drift(world).await?;
    screen.done(&format!("replicas were set to 5 by hand: corrected to 2 after {}", screen::time(corrected)));
    let pruned = steps::prune(world).await?;
    screen
        .done(&format!("apps/banner.yaml left git: its ConfigMap was pruned after {}", screen::time(pruned)));
    Ok(())
}

async fn keep(screen: &Screen, world: &World) -> Result<()> {
    let daemon = world.daemon();
    screen.quote(
        "Left running until Ctrl-C. Try",
        &format!(
            "export KUBECONFIG={}\n\
             kubectl -n shop get deployments,cronjobs,configmaps\n\
             kubectl -n {} get configmap -l tidegate.io/unit -o yaml\n\
             git clone {} && cd fleet   # edit {WEB}, push, watch the cluster follow\n\
             {} explain Deployment/shop/web --config {}\n\
             curl {}",
            world.kubeconfig.display(),
            world.own_namespace,
            world.git.url(REPOSITORY),
            tidegate_tests::harness::daemon::binary().display(),
            daemon.config().display(),
            daemon.url("/metrics"),
        ),
    );
    Ok(tokio::signal::ctrl_c().await?)
}

/// The commit as `git show` prints it, without the ids of blobs.
fn show(world: &World, commit: &str) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(world.git.path(REPOSITORY))
        .args(["show", "--format=%an <%ae>%n%n%B", "--unified=1", commit])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
