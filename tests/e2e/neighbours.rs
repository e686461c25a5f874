//! One bad thing harms only itself; what controllers own is left alone.

use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use tidegate_tests::harness::wait::eventually;
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::{LIMIT, synced_world};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_manifest_does_not_stop_its_neighbours() {
    let Some(world) = synced_world().await else { return };
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\n data: [\n";
    let files = [("apps/broken.yaml", broken)];
    world.git.commit(REPOSITORY, "Break a file", &files);
    steps::release(&world, "1.4.3").await.expect("the neighbours go on");
    let said = world.daemon().log().iter().any(|line| line.to_string().contains("apps/broken.yaml:"));
    assert!(said, "the file and line are named");
}

/// Uids of the Endpoints and of the `EndpointSlices` of the Service `web`.
async fn endpoints(world: &World) -> Result<Vec<String>, String> {
    let endpoints = world.api::<Endpoints>().get_opt("web").await.map_err(|error| error.to_string())?;
    let of_web = ListParams::default().labels("kubernetes.io/service-name=web");
    let slices = world.api::<EndpointSlice>().list(&of_web).await.map_err(|error| error.to_string())?;
    let mut uids: Vec<String> = slices.items.into_iter().filter_map(|slice| slice.metadata.uid).collect();
    uids.extend(endpoints.and_then(|endpoints| endpoints.metadata.uid));
    if uids.len() >= 2 { Ok(uids) } else { Err(format!("{uids:?}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_of_a_service_survive_a_prune() {
    let Some(world) = synced_world().await else { return };
    let service = format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: {}\nspec:\n  selector: {{app: web}}\n  \
         ports:\n  - port: 80\n    targetPort: 8080\n",
        world.namespace
    );
    let files = [("apps/service.yaml", &service)];
    world.git.commit(REPOSITORY, "Add a Service", &files);
    let before = eventually("the controllers make endpoints", LIMIT, || endpoints(&world)).await;
    steps::prune(&world).await.expect("the banner is pruned");
    assert_eq!(endpoints(&world).await.expect("endpoints"), before);
}
