//! The three apps of the story, as they stand in git.

/// Path of the web Deployment in the repository.
pub const WEB: &str = "apps/web.yaml";

/// Path of the `ConfigMap` that leaves git in the story.
pub const BANNER: &str = "apps/banner.yaml";

/// The files of the config repository; `registry` is the host of all images, `namespace` that of all apps.
pub fn files(registry: &str, namespace: &str) -> Vec<(String, String)> {
    let web = format!(
        "# The shop's front end.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: {namespace}
  annotations:
    tidegate.io/policy: semver:^1.4
spec:
  replicas: 2
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
      - name: web
        image: {registry}/acme/web:1.4.2 # moved by Tidegate
        ports:
        - containerPort: 8080
"
    );
    let report = format!(
        "apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
  namespace: {namespace}
  annotations:
    tidegate.io/policy: 'semver:~0.9'
spec:
  schedule: \"0 6 * * *\"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: report
            image: \"{registry}/acme/report:0.9.1\"
"
    );
    let settings = format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: {namespace}
data:
  greeting: hello
  runner-image: {registry}/acme/runner:2.0.0 # tidegate: {registry}/acme/runner policy=semver:2.x
"
    );
    let banner = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: banner\n  namespace: {namespace}\ndata:\n  text: sale\n"
    );
    let namespace_file = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n");
    let files = [
        ("apps/namespace.yaml", namespace_file),
        (WEB, web),
        ("apps/report.yaml", report),
        ("apps/settings.yaml", settings),
        (BANNER, banner),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).to_vec()
}

/// The images that exist before the story begins: repository and tag.
pub const FIRST_IMAGES: &[(&str, &str)] =
    &[("acme/web", "1.4.1"), ("acme/web", "1.4.2"), ("acme/report", "0.9.1"), ("acme/runner", "2.0.0")];
