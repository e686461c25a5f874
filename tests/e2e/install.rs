//! What a user applies (`manifests/`): the real API server takes it, it fits together, and its rights are enough
//! for the main job and not more.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tidegate_policy::manifest::objects;
use tidegate_tests::harness::control_plane::{ControlPlane, User};
use tidegate_tests::harness::wait::eventually;
use tidegate_tests::story::cluster::config_map as has_config_map;
use tidegate_tests::story::steps;
use tidegate_tests::story::world::{REPOSITORY, World};

use crate::LIMIT;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests"))
}

/// The documents of one file.
fn read(file: &str) -> Vec<Value> {
    let bytes = fs::read(folder().join(file)).expect("a manifest");
    let read = objects(file, &bytes);
    assert_eq!(
        (read.findings.as_slice(), read.skipped),
        ([].as_slice(), 0),
        "{file} can be synced by Tidegate itself"
    );
    read.objects.into_iter().map(|object| object.value).collect()
}

fn only(file: &str) -> Value {
    let [document] = <[Value; 1]>::try_from(read(file)).expect("one document");
    document
}

#[test]
fn the_kustomization_lists_every_file() {
    let text = fs::read_to_string(folder().join("kustomization.yaml")).expect("a kustomization");
    let kustomization: Value = serde_yaml::from_str(&text).expect("YAML");
    let listed: BTreeSet<String> =
        serde_json::from_value(kustomization["resources"].clone()).expect("a list of names");
    let entries = fs::read_dir(folder()).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let files: BTreeSet<String> = names.filter(|name| name != "kustomization.yaml").collect();
    assert_eq!(listed, files);
}

#[test]
fn the_deployment_and_the_configuration_fit_together() {
    let (map, deployment) = (only("configmap.yaml"), only("deployment.yaml"));
    let text = map["data"]["tidegate.yaml"].as_str().expect("the configuration");
    let config = tidegate_agent::config::parse("tidegate.yaml", text).expect("a valid configuration");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mounts = container["volumeMounts"].as_array().expect("mounts");
    let mount = |name: &str| {
        let mount = mounts.iter().find(|mount| mount["name"] == name).expect("a mount");
        mount["mountPath"].as_str().expect("a path").to_owned()
    };
    assert_eq!(container["args"], json!(["run", "--config", format!("{}/tidegate.yaml", mount("config"))]));
    assert_eq!(container["ports"][0]["containerPort"], config.listen.port());
    assert_eq!(config.state.to_str(), Some(mount("state").as_str()));
    assert_eq!(config.cluster.namespace, deployment["metadata"]["namespace"].as_str().expect("a namespace"));
    assert!(text.contains(&format!("{}/password", mount("git"))));
    let volume = pod["volumes"].as_array().expect("volumes").iter().find(|volume| volume["name"] == "config");
    assert_eq!(volume.expect("a volume")["configMap"]["name"], map["metadata"]["name"]);
    assert_eq!(deployment["spec"]["replicas"], 1);
    assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_every_manifest_and_the_pod_passes_the_restricted_standard() {
    if World::real().await.is_none() {
        return;
    }
    let plane = ControlPlane::shared();
    let folder = folder().into_os_string().into_string().expect("UTF-8");
    // A dry run needs the namespace to be there.
    plane.kubectl(&["apply", "-f", &format!("{folder}/namespace.yaml")]).expect("the namespace");
    let dry = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", &folder];
    let taken = plane.kubectl(&dry).expect("every manifest is valid");
    let objects: usize = ["namespace", "serviceaccount", "rbac", "configmap", "deployment"]
        .map(|file| read(&format!("{file}.yaml")).len())
        .iter()
        .sum();
    assert_eq!(taken.lines().filter(|line| line.contains("serverside-applied")).count(), objects, "{taken}");
    // A Deployment whose pods are refused is taken all the same: so ask with the pod itself.
    let template = only("deployment.yaml")["spec"]["template"].clone();
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": template["spec"], "metadata": template["metadata"]});
    pod["metadata"]["name"] = json!("probe");
    pod["metadata"]["namespace"] = json!("tidegate");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), pod.to_string()).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    plane.kubectl(&["create", "--dry-run=server", "-f", path]).expect("the pod is admitted");
}

/// The RBAC of the manifests for a world's own namespace, so that worlds do not meet.
fn rbac(namespace: &str) -> Value {
    let mut items = read("rbac.yaml");
    for item in &mut items {
        if item["metadata"]["namespace"].is_string() {
            item["metadata"]["namespace"] = json!(namespace);
        } else {
            item["metadata"]["name"] =
                json!(format!("{namespace}-{}", item["metadata"]["name"].as_str().unwrap()));
        }
        if item.pointer("/roleRef/kind") == Some(&json!("ClusterRole")) {
            item["roleRef"]["name"] =
                json!(format!("{namespace}-{}", item["roleRef"]["name"].as_str().unwrap()));
        }
        for subject in item.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
            subject["namespace"] = json!(namespace);
        }
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// The user that the pod of the manifests speaks as.
fn service_account(world: &World) -> String {
    format!("system:serviceaccount:{}:tidegate", world.own_namespace)
}

/// A world whose daemon has the rights of the manifests and no others.
async fn installed_world() -> Option<World> {
    let mut world = World::real().await?;
    let plane = ControlPlane::shared();
    plane.apply_as("installer", &rbac(&world.own_namespace).to_string()).expect("the RBAC is applied");
    let admin = plane.kubeconfig_at(&world.proxies().cluster.url(), User::Admin).expect("a kubeconfig");
    let text = fs::read_to_string(admin).expect("a kubeconfig");
    let mut kubeconfig: Value = serde_json::from_str(&text).expect("JSON");
    kubeconfig["users"][0]["user"]["as"] = json!(service_account(&world));
    world.kubeconfig = world.folder.path().join("installed.kubeconfig");
    fs::write(&world.kubeconfig, kubeconfig.to_string()).expect("a file");
    Some(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_manifests_are_enough_for_the_main_job() {
    let Some(mut world) = installed_world().await else { return };
    let setup = world.setup();
    world.start_daemon(setup).await.expect("the daemon starts");
    steps::first_sync(&world).await.expect("first sync");
    steps::release(&world, "1.4.3").await.expect("a release");
    steps::drift(&world).await.expect("a correction");
    steps::prune(&world).await.expect("a prune");
    let text = world.daemon().log_text();
    assert!(!text.contains("forbidden"), "something is denied: {text}");
    // A kind that the manifests do not name is told, with the file, and its neighbour is applied.
    let (namespace, name) = (&world.namespace, "hidden");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\nstringData: {{key: hunter2}}\n"
    );
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: good, namespace: {namespace}}}\n");
    let files = [("apps/secret.yaml", &secret), ("apps/good.yaml", &map)];
    world.git.commit(REPOSITORY, "Add a Secret", &files);
    eventually("the refusal is told", LIMIT, || async {
        let lines = world.daemon().events("read-failed");
        let words = ["apps/secret.yaml:1", "answers 403", "hint: give the user"];
        let is_it = |line: &&Value| words.iter().all(|word| line.to_string().contains(word));
        lines.iter().find(is_it).map(drop).ok_or_else(|| format!("{lines:?}"))
    })
    .await;
    has_config_map(&world, "good", true).await;
    assert!(!world.daemon().log_text().contains("hunter2"), "the log holds a secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_manifests_are_no_wider_than_the_main_job() {
    let Some(world) = installed_world().await else { return };
    let may = async |verb: &str, group: &str, resource: &str, namespace: Option<&str>| {
        let review: SubjectAccessReview = serde_json::from_value(json!({
            "metadata": {},
            "spec": {
                "user": service_account(&world),
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "namespace": namespace},
            },
        }))
        .expect("a review");
        let api = Api::<SubjectAccessReview>::all(world.client.clone());
        let reviewed = api.create(&PostParams::default(), &review).await.expect("an answer");
        reviewed.status.expect("a status").allowed
    };
    let rbac = "rbac.authorization.k8s.io";
    assert!(may("patch", "apps", "deployments", Some("shop")).await, "the review itself works");
    assert!(may("update", "", "configmaps", Some(&world.own_namespace)).await, "records are ours to write");
    for verb in ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] {
        for (group, resource) in [
            ("", "secrets"),
            ("", "pods"),
            ("", "nodes"),
            ("", "serviceaccounts/token"),
            (rbac, "roles"),
            (rbac, "rolebindings"),
            (rbac, "clusterroles"),
            (rbac, "clusterrolebindings"),
            ("apiextensions.k8s.io", "customresourcedefinitions"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ] {
            assert!(!may(verb, group, resource, None).await, "may {verb} {resource}");
        }
        assert!(!may(verb, "", "secrets", Some(&world.own_namespace)).await, "may {verb} its own Secrets");
    }
    for (verb, group, resource) in [
        ("delete", "", "namespaces"),
        ("impersonate", "", "users"),
        ("impersonate", "", "serviceaccounts"),
        ("escalate", rbac, "clusterroles"),
        ("bind", rbac, "clusterroles"),
        ("create", "", "pods/exec"),
        ("deletecollection", "apps", "deployments"),
        ("*", "*", "*"),
    ] {
        assert!(!may(verb, group, resource, None).await, "may {verb} {resource}");
    }
}
