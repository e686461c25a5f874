//! Whole files: documents, their separators, and what stands around them.

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::document::Drawer;
use crate::emit::Emitter;

/// Everything that at least one file must have.
pub(crate) const FEATURES: &[&str] = &[
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HelmRelease",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "Service",
    "StatefulSet",
    "alias",
    "alignment",
    "annotations",
    "broken document",
    "byte-order mark",
    "carriage returns",
    "chart template",
    "comment behind",
    "comment line",
    "configured path",
    "containers",
    "deep lists",
    "digest",
    "directive",
    "document end",
    "double quotes",
    "ephemeralContainers",
    "escapes",
    "flow collection",
    "flow document",
    "folded block",
    "four spaces",
    "image volume",
    "initContainers",
    "json",
    "kustomization",
    "list",
    "literal block",
    "marker on a whole",
    "marker on parts",
    "merge key",
    "next line",
    "no final newline",
    "no image",
    "no name",
    "plain",
    "several documents",
    "single quotes",
    "tagged",
    "trailing blanks",
    "typed list",
];

/// A file and what is known of it.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// The images of its fields, in any order.
    pub(crate) images: Vec<String>,
    /// How many of its documents cannot be read.
    pub(crate) broken: usize,
    pub(crate) features: BTreeSet<&'static str>,
}

impl File {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let mut features = BTreeSet::new();
        let json = random.u8(..10) == 0;
        let is_kustomization = !json && random.u8(..12) == 0;
        let path = if json {
            "deploy/app.json"
        } else if is_kustomization {
            "deploy/kustomization.yaml"
        } else {
            "deploy/app.yaml"
        };
        let count = if json || is_kustomization { 1 } else { random.usize(1..4) };
        let (mut texts, mut images, mut names, mut broken) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..count {
            if count > 1 && random.u8(..16) == 0 {
                texts.push(unreadable(random, &mut features, &mut broken));
                continue;
            }
            let mut drawer = Drawer {
                random: &mut *random,
                features: &mut features,
                images: Vec::new(),
                count: names,
                json,
            };
            let root = if is_kustomization { drawer.kustomization() } else { drawer.document() };
            names = drawer.count;
            images.append(&mut drawer.images);
            texts.push(emit(random, &mut features, json, &root));
        }
        if count > 1 {
            features.insert("several documents");
        }
        let text = join(random, &mut features, &texts, json);
        Self { path: path.to_owned(), text, images, broken, features }
    }
}

/// A document that costs only itself.
fn unreadable(random: &mut Rng, features: &mut BTreeSet<&'static str>, broken: &mut usize) -> String {
    if random.bool() {
        features.insert("chart template");
        return "kind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n".to_owned();
    }
    features.insert("broken document");
    *broken += 1;
    "kind: Pod\nspec:\n  image: [broken\n".to_owned()
}

fn emit(
    random: &mut Rng,
    features: &mut BTreeSet<&'static str>,
    json: bool,
    root: &crate::emit::Node,
) -> String {
    let indent = if random.u8(..4) == 0 { 4 } else { 2 };
    let deep_lists = random.bool();
    if indent == 4 {
        features.insert("four spaces");
    }
    if deep_lists {
        features.insert("deep lists");
    }
    let mut emitter = Emitter { random, features, json, indent, deep_lists, out: String::new() };
    emitter.document(root);
    emitter.out
}

fn join(random: &mut Rng, features: &mut BTreeSet<&'static str>, texts: &[String], json: bool) -> String {
    let mut chance = |feature: &'static str, of: u8| {
        let drawn = random.u8(..of) == 0;
        if drawn {
            features.insert(feature);
        }
        drawn
    };
    let mut text = String::new();
    if !json && chance("directive", 24) {
        text.push_str("%YAML 1.2\n---\n");
    }
    text.push_str(&texts.join("--- # next\n"));
    if !json && chance("document end", 16) {
        text.push_str("...\n");
    }
    if chance("no final newline", 6) {
        text.truncate(text.trim_end().len());
    }
    if chance("carriage returns", 6) {
        text = text.replace('\n', "\r\n");
    }
    if chance("byte-order mark", 12) {
        text.insert(0, '\u{feff}');
    }
    text
}
