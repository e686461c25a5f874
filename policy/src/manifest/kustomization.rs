//! `images:` of a kustomization → drafts of its image fields.
//!
//! Called by [`super::scan`]; `objects` asks which files are kustomizations. Not here: rendering.

use std::rc::Rc;

use super::scan::{Draft, Scope};
use super::yaml::NodeId;
use super::{Part, site};

/// The keys of an entry that an edit may change, and what they hold.
pub(super) const PARTS: [(&str, Part); 3] =
    [("newName", Part::Name), ("newTag", Part::Tag), ("digest", Part::Digest)];

/// Whether kustomize takes a file of this name for a kustomization.
pub(super) fn is_kustomization_path(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

/// Whether `api_version` is that of kustomize's own files (kustomizations and components).
pub(super) fn is_kustomization(api_version: &str) -> bool {
    api_version.starts_with("kustomize.config.k8s.io/")
}

/// Collects the entries of `images:` that name something to change.
pub(super) fn collect(scope: &mut Scope<'_>, root: NodeId) {
    let document = scope.document;
    let Some(images) = document.get(root, "images") else { return };
    for entry in document.items(images) {
        let text = |key| document.get(*entry, key).and_then(|value| site::value(document, value));
        let Some(name) = text("name") else { continue };
        let mut image = text("newName").unwrap_or_else(|| name.clone());
        if let Some(tag) = text("newTag") {
            image = format!("{image}:{tag}");
        }
        if let Some(digest) = text("digest") {
            image = format!("{image}@{digest}");
        }
        let mut sites = Vec::new();
        for (key, part) in PARTS {
            let Some(value) =
                document.get(*entry, key).filter(|value| site::value(document, *value).is_some())
            else {
                continue;
            };
            match site::site(document, value, part) {
                Ok(site) => sites.push(site),
                Err(problem) => scope.finding(value, format!("`{key}` cannot be edited: {problem}"), None),
            }
        }
        if sites.is_empty() {
            continue;
        }
        sites.sort_by_key(|site| site.range.start);
        scope.draft(Draft {
            id: format!("{}#images/{name}", scope.path),
            object: scope.path.to_owned(),
            container: name,
            image,
            sites,
            annotations: Ok(Rc::default()),
            places: PARTS.iter().map(|(key, _)| (document.target(*entry), Some((*key).into()))).collect(),
        });
    }
}
