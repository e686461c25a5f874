//! `make bench-latency`: tag pushed → committed → applied → healthy, on the real parts, polling at 1 s.
//!
//! Each release is pushed at a random phase of the poll interval. The commit is seen in the server's own ref, the
//! cluster through a watch; both are looked at from outside the daemon.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::{WatchStreamExt as _, watcher};
use tidegate_tests::story::steps;
use tidegate_tests::story::world::World;
use tokio::sync::watch;

/// Releases that are measured; `N=…` in the environment changes it.
const RELEASES: usize = 200;

/// What one release took.
#[derive(Clone, Copy, Debug)]
struct Sample {
    committed: Duration,
    applied: Duration,
    healthy: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    let count = std::env::var("N")
        .ok()
        .filter(|text| !text.is_empty())
        .map_or(Ok(RELEASES), |text| text.parse())
        .context("N is no number")?;
    let mut world = World::real_without_proxies().await.context("the real servers are missing")?;
    let mut setup = world.setup();
    "1s".clone_into(&mut setup.poll);
    world.start_daemon(setup).await?;
    steps::first_sync(&world).await?;
    let mut live = follow(&world);
    let mut samples = Vec::with_capacity(count);
    for number in 0..count {
        samples.push(measure(&world, &mut live, &format!("1.5.{number}")).await?);
        // A phase of the poll interval that does not repeat: multiples of the golden ratio.
        let phase_millis = (number * 618) % 1000;
        tokio::time::sleep(Duration::from_millis(u64::try_from(phase_millis)?)).await;
    }
    print(&samples);
    Ok(())
}

/// Pushes a tag and waits until it is healthy.
async fn measure(world: &World, live: &mut watch::Receiver<Option<Deployment>>, tag: &str) -> Result<Sample> {
    let before = world.head();
    let image = world.image("acme/web", tag);
    world.registry.push("acme/web", tag).await?;
    let begun = Instant::now();
    while world.head() == before {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(30), "{tag} was not committed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let committed = begun.elapsed();
    live.wait_for(|seen| seen.as_ref().is_some_and(|seen| runs(seen, &image))).await?;
    let applied = begun.elapsed();
    live.wait_for(|seen| seen.as_ref().is_some_and(|seen| runs(seen, &image) && rolled_out(seen))).await?;
    Ok(Sample { committed, applied, healthy: begun.elapsed() })
}

/// Watches the Deployment `web`.
fn follow(world: &World) -> watch::Receiver<Option<Deployment>> {
    let (sender, receiver) = watch::channel(None);
    let api = world.api::<Deployment>();
    tokio::spawn(async move {
        let only = watcher::Config::default().fields("metadata.name=web");
        let mut events = watcher(api, only).default_backoff().applied_objects().boxed();
        while let Some(event) = events.next().await {
            if let Ok(seen) = event {
                sender.send_replace(Some(seen));
            }
        }
    });
    receiver
}

fn runs(seen: &Deployment, image: &str) -> bool {
    let pod = seen.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    pod.and_then(|pod| pod.containers.first()).and_then(|container| container.image.as_deref()) == Some(image)
}

fn rolled_out(seen: &Deployment) -> bool {
    let wanted = seen.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    seen.status.as_ref().is_some_and(|status| {
        status.observed_generation >= seen.metadata.generation
            && [status.replicas, status.updated_replicas, status.available_replicas] == [Some(wanted); 3]
    })
}

fn print(samples: &[Sample]) {
    println!("{} releases, polling at 1 s, milliseconds", samples.len());
    println!("{:<24}{:>8}{:>8}{:>8}{:>8}{:>8}", "step", "min", "mean", "p50", "p95", "max");
    row("pushed to committed", samples, |sample| sample.committed);
    row("committed to applied", samples, |sample| sample.applied.saturating_sub(sample.committed));
    row("applied to healthy", samples, |sample| sample.healthy.saturating_sub(sample.applied));
    row("pushed to applied", samples, |sample| sample.applied);
    row("pushed to healthy", samples, |sample| sample.healthy);
}

fn row(name: &str, samples: &[Sample], of: impl Fn(&Sample) -> Duration) {
    let mut times: Vec<Duration> = samples.iter().map(of).collect();
    times.sort();
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len().max(1)).unwrap_or(1);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    print!("{name:<24}");
    for time in [at(0), mean, at(50), at(95), at(100)] {
        print!("{:>8}", time.as_millis());
    }
    println!();
}
