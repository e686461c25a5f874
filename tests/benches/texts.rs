//! Tags and files like those of a real fleet, the same in every run.

use std::fmt::Write as _;

use crate::deployment::deployment;

const FILES: usize = 2_000;

/// Tags such as `v4.17.203-9e3779b`, in no order.
pub(crate) fn tags(count: usize) -> Vec<String> {
    let tag = |index: usize| {
        let hash = index.wrapping_mul(0x9e37_79b9) & 0x0fff_ffff;
        format!("v{}.{}.{}-{hash:07x}", hash % 11, hash / 11 % 97, index)
    };
    (0..count).map(tag).collect()
}

/// Deployments, a file each.
pub(crate) fn with_images() -> Vec<(String, String)> {
    (0..FILES).map(|index| (format!("apps/{index}.yaml"), deployment(index))).collect()
}

/// Services, their routes and dashboards: YAML that names no image.
pub(crate) fn without() -> Vec<(String, String)> {
    (0..FILES).map(|index| (format!("net/{index}.yaml"), service(index))).collect()
}

fn service(index: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{index}\n  labels: {{app.kubernetes.io/name: app-{index}}}\n\
         spec:\n  selector: {{app.kubernetes.io/name: app-{index}}}\n  ports:\n  - {{name: http, port: 80, targetPort: http}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dashboard-{index}\ndata:\n  dashboard.json: |\n"
    );
    for panel in 0..40 {
        let _ = writeln!(
            text,
            "    {{\"id\": {panel}, \"type\": \"graph\", \"expr\": \"sum(rate(http_requests_total{{app=\\\"app-{index}\\\"}}[5m]))\"}},"
        ); // writing to a String cannot fail
    }
    text
}

/// One file of at least `bytes` bytes: many Deployments, as generators write them.
pub(crate) fn large_file(bytes: usize) -> String {
    let mut text = String::new();
    for index in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str("---\n");
        text.push_str(&deployment(index));
    }
    text
}
