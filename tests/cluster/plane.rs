//! What the control plane itself promises to the tests.

use std::time::{Duration, Instant};

use tidegate_tests::harness::control_plane::ControlPlane;

#[test]
fn pods_of_a_deployment_become_ready() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("pods").unwrap();
    plane
        .kubectl(&["-n", &namespace, "create", "deployment", "web", "--image=web:1", "--replicas=2"])
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let ready = ["-n", &namespace, "get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"];
        if plane.kubectl(&ready).unwrap() == "2" {
            break;
        }
        assert!(Instant::now() < deadline, "the pods do not become ready");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn requests_can_be_counted_by_user_agent() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("audit").unwrap();
    let created = |event: &serde_json::Value| {
        event["verb"] == "create" && event["objectRef"]["name"].as_str() == Some(&namespace)
    };
    let requests = plane.requests_of("kubectl/").unwrap();
    assert_eq!(requests.iter().filter(|event| created(event)).count(), 1);
    assert!(plane.requests_of("nobody-like-that/").unwrap().is_empty());
}
