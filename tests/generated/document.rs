//! Documents with images in all the places where they may stand.

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::emit::Node;
use crate::value::{self, pick};

/// The configured paths.
pub(crate) const PATHS: &[(&str, &str, &str)] = &[
    ("argoproj.io", "CronWorkflow", "/spec/workflowSpec/templates/*/container/image"),
    ("monitoring.coreos.com", "Prometheus", "/spec/image"),
    ("example.com", "Runner", "/spec/runners/*"),
];

/// Kinds with a pod template, and the way to its pod spec.
const WORKLOADS: &[(&str, &str, &[&str])] = &[
    ("v1", "Pod", &["spec"]),
    ("v1", "PodTemplate", &["template", "spec"]),
    ("v1", "ReplicationController", TEMPLATE),
    ("apps/v1", "Deployment", TEMPLATE),
    ("apps/v1", "StatefulSet", TEMPLATE),
    ("apps/v1", "DaemonSet", TEMPLATE),
    ("apps/v1", "ReplicaSet", TEMPLATE),
    ("batch/v1", "Job", TEMPLATE),
    ("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ("argoproj.io/v1alpha1", "Rollout", TEMPLATE),
    ("serving.knative.dev/v1", "Service", TEMPLATE),
];
const TEMPLATE: &[&str] = &["spec", "template", "spec"];

/// What is drawn for one file.
pub(crate) struct Drawer<'a> {
    pub(crate) random: &'a mut Rng,
    pub(crate) features: &'a mut BTreeSet<&'static str>,
    /// The images of the fields, in any order.
    pub(crate) images: Vec<String>,
    /// Makes names unique.
    pub(crate) count: usize,
    /// Whether anchors and comments may be used.
    pub(crate) json: bool,
}

fn map(entries: Vec<(&str, Node)>) -> Node {
    Node::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

impl Drawer<'_> {
    fn name(&mut self, stem: &str) -> String {
        self.count += 1;
        format!("{stem}{}", self.count)
    }

    fn field(&mut self) -> Node {
        let image = value::image(self.random);
        self.images.push(image.clone());
        Node::Image(image)
    }

    fn feature(&mut self, name: &'static str) {
        self.features.insert(name);
    }

    /// Any document that may stand in any file.
    pub(crate) fn document(&mut self) -> Node {
        match self.random.u8(..16) {
            0..=7 => self.workload(false),
            8 => self.list(),
            9 | 10 => self.custom(),
            11 => self.kustomization(),
            12 | 13 if !self.json => self.marked(),
            _ => self.noise(),
        }
    }

    fn metadata(&mut self) -> Node {
        let mut entries = vec![("name", Node::Text(self.name("o")))];
        if self.random.bool() {
            entries.push(("namespace", Node::text("shop")));
        }
        if self.random.u8(..3) == 0 {
            self.feature("annotations");
            let policy = Node::text(pick(self.random, &["semver:~1.4", "numeric", "alphabetical", "none"]));
            entries.push((
                "annotations",
                map(vec![("tidegate.io/policy", policy), ("note", Node::text("image"))]),
            ));
        }
        map(entries)
    }

    fn workload(&mut self, in_list: bool) -> Node {
        let (api_version, kind, path) = WORKLOADS[self.random.usize(..WORKLOADS.len())];
        self.features.insert(kind);
        let mut spare = Vec::new();
        let pod = self.pod(kind, in_list || self.json, &mut spare);
        let spec = path.iter().rev().fold(pod, |node, key| map(vec![(key, node)]));
        let Node::Map(mut entries) = spec else { unreachable!("a path is not empty") };
        let mut all = spare;
        all.push(("apiVersion".to_owned(), Node::text(api_version)));
        all.push(("kind".to_owned(), Node::text(kind)));
        all.push(("metadata".to_owned(), self.metadata()));
        all.append(&mut entries);
        Node::Map(all)
    }

    /// A pod spec; anchors go to `spare` unless `plain`.
    fn pod(&mut self, kind: &'static str, plain: bool, spare: &mut Vec<(String, Node)>) -> Node {
        let anchored = (!plain && self.random.u8(..4) == 0).then(|| {
            let (name, image) = (self.name("i"), value::image(self.random));
            let node = Node::Anchored(name.clone(), Box::new(Node::Image(image.clone())));
            spare.push((format!("x-{name}"), node));
            (name, image)
        });
        let base = (!plain && self.random.u8(..4) == 0).then(|| {
            let (name, image) = (self.name("b"), value::image(self.random));
            let node = map(vec![("image", Node::Image(image.clone())), ("tty", Node::Raw("true"))]);
            spare.push((format!("x-{name}"), Node::Anchored(name.clone(), Box::new(node))));
            (name, image)
        });
        let mut entries = vec![("restartPolicy", Node::text("Always"))];
        let lists: &[&str] = match kind {
            "Pod" => &["initContainers", "containers", "ephemeralContainers"],
            _ => &["initContainers", "containers"],
        };
        for list in lists {
            let count = if *list == "containers" { self.random.usize(1..3) } else { self.random.usize(..2) };
            if count > 0 {
                self.features.insert(list);
                let items = (0..count).map(|_| self.container(kind, anchored.as_ref(), base.as_ref()));
                entries.push((list, Node::List(items.collect())));
            }
        }
        if self.random.u8(..4) == 0 {
            self.feature("image volume");
            let image = map(vec![("reference", self.field()), ("pullPolicy", Node::text("Always"))]);
            let volume = map(vec![("name", Node::Text(self.name("v"))), ("image", image)]);
            let other = map(vec![("name", Node::text("tmp")), ("emptyDir", Node::Raw("{}"))]);
            entries.push(("volumes", Node::List(vec![volume, other])));
        }
        map(entries)
    }

    fn container(
        &mut self,
        kind: &str,
        anchored: Option<&(String, String)>,
        base: Option<&(String, String)>,
    ) -> Node {
        let mut entries = Vec::new();
        if kind != "Service" || self.random.bool() {
            entries.push(("name", Node::Text(self.name("c"))));
        } else {
            self.feature("no name");
        }
        match (anchored, base) {
            (_, Some((name, image))) if self.random.bool() => {
                self.feature("merge key");
                self.images.push(image.clone());
                entries.insert(0, ("<<", Node::Alias(name.clone())));
            }
            (Some((name, image)), _) if self.random.bool() => {
                self.feature("alias");
                self.images.push(image.clone());
                entries.push(("image", Node::Alias(name.clone())));
            }
            _ => {
                let image = self.field();
                entries.insert(self.random.usize(..=entries.len()), ("image", image));
            }
        }
        let variable = map(vec![("name", Node::text("IMAGE")), ("value", Node::text("nginx:0.1"))]);
        entries.push(("env", Node::List(vec![variable])));
        map(entries)
    }

    fn list(&mut self) -> Node {
        self.feature("list");
        let count = self.random.usize(1..4);
        if self.random.bool() {
            let items = (0..count).map(|_| self.workload(true)).collect();
            return map(vec![
                ("apiVersion", Node::text("v1")),
                ("kind", Node::text("List")),
                ("items", Node::List(items)),
            ]);
        }
        self.feature("typed list");
        let mut items = Vec::new();
        for _ in 0..count {
            let (metadata, spec) = (self.metadata(), self.pod("Pod", true, &mut Vec::new()));
            items.push(map(vec![("metadata", metadata), ("spec", spec)]));
        }
        map(vec![
            ("apiVersion", Node::text("v1")),
            ("kind", Node::text("PodList")),
            ("items", Node::List(items)),
        ])
    }

    fn custom(&mut self) -> Node {
        self.feature("configured path");
        let (api_version, kind, spec) = match self.random.u8(..3) {
            0 => {
                let mut templates = Vec::new();
                for _ in 0..self.random.usize(1..4) {
                    let container = map(vec![("image", self.field()), ("command", Node::Raw("[a, b]"))]);
                    templates.push(map(vec![("name", Node::Text(self.name("t"))), ("container", container)]));
                }
                templates.push(map(vec![("name", Node::text("wait")), ("suspend", Node::Raw("{}"))]));
                let workflow =
                    map(vec![("entrypoint", Node::text("t")), ("templates", Node::List(templates))]);
                ("argoproj.io/v1alpha1", "CronWorkflow", map(vec![("workflowSpec", workflow)]))
            }
            1 => (
                "monitoring.coreos.com/v1",
                "Prometheus",
                map(vec![("image", self.field()), ("replicas", Node::Raw("2"))]),
            ),
            _ => {
                let runners = (0..self.random.usize(1..4)).map(|_| self.field()).collect();
                ("example.com/v1", "Runner", map(vec![("runners", Node::List(runners))]))
            }
        };
        let metadata = self.metadata();
        map(vec![
            ("apiVersion", Node::text(api_version)),
            ("kind", Node::text(kind)),
            ("metadata", metadata),
            ("spec", spec),
        ])
    }

    pub(crate) fn kustomization(&mut self) -> Node {
        self.feature("kustomization");
        let mut images = Vec::new();
        for _ in 0..self.random.usize(1..4) {
            let mut entries = vec![("name", Node::Text(self.name("web")))];
            let mut image = format!("web{}", self.count);
            if self.random.u8(..3) == 0 {
                image = value::name(self.random);
                entries.push(("newName", Node::Image(image.clone())));
            }
            match self.random.u8(..6) {
                0 => {}
                1 => {
                    self.feature("digest");
                    image = format!("{image}@{}", value::digest());
                    entries.push(("digest", Node::Image(value::digest())));
                }
                _ => {
                    let tag = value::tag(self.random);
                    image = format!("{image}:{tag}");
                    entries.push(("newTag", Node::Image(tag)));
                }
            }
            if entries.len() > 1 {
                self.images.push(image);
            }
            images.push(map(entries));
        }
        let kind = pick(self.random, &["Kustomization", "Component"]);
        let api_version = if kind == "Component" { "v1alpha1" } else { "v1beta1" };
        let api_version = Node::Text(format!("kustomize.config.k8s.io/{api_version}"));
        map(vec![
            ("apiVersion", api_version),
            ("kind", Node::text(kind)),
            ("resources", Node::Raw("[image.yaml]")),
            ("images", Node::List(images)),
        ])
    }

    /// Values, a `ConfigMap` or a `HelmRelease` with comments of ours.
    fn marked(&mut self) -> Node {
        let (tag, name) = (value::tag(self.random), value::name(self.random));
        self.images.push(format!("{name}:{tag}"));
        let policy = pick(self.random, &["semver:~1.4", "numeric", "alphabetical"]);
        let image = if self.random.bool() {
            self.feature("marker on parts");
            let repository = Node::Marked(name.clone(), format!("tidegate: {name}:name"));
            let tag = Node::Marked(tag, format!("tidegate: {name}:tag policy={policy}"));
            map(vec![("repository", repository), ("tag", tag), ("pullPolicy", Node::text("Always"))])
        } else {
            self.feature("marker on a whole");
            Node::Marked(format!("{name}:{tag}"), format!("tidegate: {name} policy={policy}"))
        };
        let values = map(vec![("replicas", Node::Raw("1")), ("web", image)]);
        let (api_version, kind) = match self.random.u8(..3) {
            0 => return values,
            1 => ("v1", "ConfigMap"),
            _ => ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        };
        self.features.insert(kind);
        let metadata = map(vec![("name", Node::Text(self.name("o")))]);
        let body =
            if kind == "ConfigMap" { ("data", values) } else { ("spec", map(vec![("values", values)])) };
        map(vec![
            ("apiVersion", Node::text(api_version)),
            ("kind", Node::text(kind)),
            ("metadata", metadata),
            body,
        ])
    }

    /// Documents that only look as if they held images.
    fn noise(&mut self) -> Node {
        self.feature("no image");
        let metadata = map(vec![("name", Node::Text(self.name("o")))]);
        let image = map(vec![("type", Node::text("string"))]);
        let spec = match self.random.u8(..3) {
            0 => map(vec![("image", image), ("containers", Node::Raw("[]"))]),
            1 => map(vec![("containers", Node::List(vec![map(vec![("image", Node::text("nginx:1.2"))])]))]),
            _ => map(vec![(
                "template",
                map(vec![(
                    "spec",
                    map(vec![("containers", Node::Raw("[{name: a}, {name: b, image: \"\"}]"))]),
                )]),
            )]),
        };
        let spec = if self.json { map(vec![("image", Node::text("nginx:1.2"))]) } else { spec };
        map(vec![
            ("apiVersion", Node::text("v1")),
            ("kind", Node::text("Thing")),
            ("metadata", metadata),
            ("spec", spec),
        ])
    }
}
