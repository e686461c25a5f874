//! End to end on the real parts: `docker-registry`, `git http-backend`, kube-apiserver with its controllers and
//! kwok, and `tidegate run` as a child process. A fault proxy stands before each server.

mod bad_input;
mod crash;
mod git_faults;
mod install;
mod neighbours;
mod registry_faults;
mod state;
mod story;
mod verbs;

use std::time::Duration;

use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

/// How long a fault may take to be reached or to heal.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts the real servers and the daemon, and waits for the first sync; `None` where parts are missing.
async fn synced_world() -> Option<World> {
    let mut world = World::real().await?;
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    steps::first_sync(&world).await.expect("first sync");
    Some(world)
}

/// The messages of the update commits on the branch, newest first.
fn update_commits(world: &World) -> Vec<String> {
    let log = world.git.log(REPOSITORY);
    log.into_iter()
        .map(|commit| commit.message)
        .filter(|message| message.contains("Tidegate-Update:"))
        .collect()
}
