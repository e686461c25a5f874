//! What is served: built-in kinds, kinds that come later, and groups whose backend is down.

use serde_json::json;
use tidegate_agent::cluster::Cluster;
use tidegate_policy::object::GroupKind;

use crate::ground::{Ground, until};

#[tokio::test]
async fn built_in_kinds_are_found_with_their_scope() {
    let ground = Ground::new("discovery").await;
    let deployment = ground.kind("apps", "Deployment");
    assert_eq!((deployment.version.as_str(), deployment.plural.as_str()), ("v1", "deployments"));
    assert!(deployment.namespaced);
    assert!(!ground.kind("", "Namespace").namespaced);
    let scaler = ground.kind("autoscaling", "HorizontalPodAutoscaler");
    assert_eq!(
        (scaler.version.as_str(), scaler.versions.as_slice()),
        ("v2", ["v2".to_owned(), "v1".into()].as_slice())
    );
    let review = GroupKind { group: "authentication.k8s.io".into(), kind: "TokenReview".into() };
    assert!(!ground.catalog.kinds.contains_key(&review));
}

#[tokio::test]
async fn a_kind_that_is_defined_later_is_found_and_can_be_applied() {
    let ground = Ground::new("discovery").await;
    let kind = GroupKind { group: "later.example.com".into(), kind: "Gate".into() };
    assert!(!ground.catalog.kinds.contains_key(&kind));
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"height": {"type": "integer"}}}}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gates.later.example.com"},
        "spec": {
            "group": "later.example.com",
            "scope": "Cluster",
            "names": {"kind": "Gate", "plural": "gates"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}],
        },
    });
    ground.apply(&definition).await;
    let served = until("the kind", || async {
        ground.cluster.discover(&ground.context).await.unwrap().kinds.get(&kind).cloned()
    })
    .await;
    assert_eq!(
        (served.version.as_str(), served.plural.as_str(), served.namespaced),
        ("v1alpha1", "gates", false)
    );
    let gate = json!({"apiVersion": "later.example.com/v1alpha1", "kind": "Gate",
        "metadata": {"name": "east"}, "spec": {"height": 3}});
    until("the gate", || async {
        // The new path can take a moment longer than its announcement.
        ground.cluster.apply(&ground.context, &ground.fence, &served, &gate, false).await.ok()
    })
    .await;
    let mut misspelt = gate.clone();
    misspelt["spec"]["heigth"] = json!(4);
    let refused =
        ground.cluster.apply(&ground.context, &ground.fence, &served, &misspelt, true).await.unwrap_err();
    assert!(refused.chain().contains("spec.heigth"), "{}", refused.chain());
    let live = ground.cluster.get(&ground.context, &served, None, "east").await.unwrap().unwrap();
    assert_eq!(live.id.to_string(), "Gate/east");
}

#[tokio::test]
async fn a_group_whose_backend_is_down_costs_only_itself() {
    let ground = Ground::new("discovery").await;
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.broken.example.com"},
        "spec": {"group": "broken.example.com", "version": "v1", "groupPriorityMinimum": 100,
            "versionPriority": 100, "insecureSkipTLSVerify": true,
            "service": {"name": "nobody", "namespace": ground.namespace}},
    });
    ground.apply(&service).await;
    let catalog = until("the broken group", || async {
        let catalog = ground.cluster.discover(&ground.context).await.unwrap();
        (!catalog.unavailable.is_empty()).then_some(catalog)
    })
    .await;
    ground.kubectl(&["delete", "apiservice", "v1.broken.example.com"]);
    assert_eq!(catalog.unavailable, ["broken.example.com/v1"]);
    assert!(catalog.kinds.len() > 40, "{}", catalog.kinds.len());
}
