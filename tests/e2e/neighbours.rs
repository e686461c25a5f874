//! One bad thing harms only itself; what controllers own is left alone.

use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use tidegate_policy::sync::applyset::PART_OF;
use tidegate_tests::harness::wait::eventually;
use tidegate_tests::story::apps::WEB;
use tidegate_tests::story::cluster::is_synced_whole;
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::{LIMIT, synced_world};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_manifest_does_not_stop_its_neighbours() {
    let Some(world) = synced_world().await else { return };
    let broken = steps::file(&world, WEB).replace("name: web", "name: broken") + "   - name: [\n";
    world.git.commit(REPOSITORY, "Break a file", &[("apps/broken.yaml", &broken)]);
    eventually("the file and line are named", LIMIT, || async {
        let log = world.daemon().log();
        let said = log.iter().any(|line| line.to_string().contains("apps/broken.yaml:"));
        if said { Ok(()) } else { Err(format!("{:?}", log.last())) }
    })
    .await;
    steps::release(&world, "1.4.3").await.expect("the neighbours go on");
}

/// A Service without a selector with what it leads to, written by hand: so these kinds, too, are in git.
fn printer(namespace: &str) -> String {
    let metadata = format!("metadata: {{name: printer, namespace: {namespace}}}");
    format!(
        "apiVersion: v1\nkind: Service\n{metadata}\nspec: {{ports: [{{port: 80}}]}}\n---\n\
         apiVersion: v1\nkind: Endpoints\n{metadata}\n\
         subsets: [{{addresses: [{{ip: 192.0.2.7}}], ports: [{{port: 80}}]}}]\n---\n\
         apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n{metadata}\n\
         addressType: IPv4\nendpoints: [{{addresses: [192.0.2.8]}}]\nports: [{{port: 80}}]\n"
    )
}

/// Uids of the Endpoints and of the `EndpointSlices` of the Service `web`, once they carry its label.
async fn endpoints(world: &World) -> Result<Vec<String>, String> {
    let of_web = ListParams::default().labels(&format!("{PART_OF},role=front"));
    let endpoints = world.api::<Endpoints>().list(&of_web).await.map_err(|error| error.to_string())?;
    let slices = world.api::<EndpointSlice>().list(&of_web).await.map_err(|error| error.to_string())?;
    let mut uids: Vec<String> = slices.items.into_iter().filter_map(|slice| slice.metadata.uid).collect();
    uids.extend(endpoints.items.into_iter().filter_map(|endpoints| endpoints.metadata.uid));
    if uids.len() >= 2 { Ok(uids) } else { Err(format!("{uids:?}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_of_a_service_survive_a_prune() {
    let Some(world) = synced_world().await else { return };
    let service = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: {}, labels: {{role: front}}}}\n\
         spec:\n  selector: {{app: web}}\n  ports:\n  - port: 80\n    targetPort: 8080\n",
        world.namespace
    );
    let files = [("apps/service.yaml", &service), ("apps/printer.yaml", &printer(&world.namespace))];
    let added = world.git.commit(REPOSITORY, "Add Services", &files);
    is_synced_whole(&world, &added).await;
    let before = eventually("the controllers make endpoints", LIMIT, || endpoints(&world)).await;
    steps::prune(&world).await.expect("the banner is pruned");
    is_synced_whole(&world, &world.head()).await;
    assert_eq!(endpoints(&world).await.expect("endpoints"), before);
    let pruned = world.daemon().events("pruned");
    assert!(pruned.iter().all(|line| line["object"].to_string().contains("banner")), "{pruned:?}");
}
