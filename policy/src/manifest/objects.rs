//! A file → the objects in it, for the sync loop.
//!
//! Not here: image fields (see [`crate::manifest::scan`]), namespaces filled in by default, what is
//! applied or pruned (see [`crate::sync`]).

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::FileObjects;
use super::kustomization;
use super::yaml::source::finding;
use super::yaml::{Document, Read, Source};
use crate::object::{GroupKind, Object, ObjectId};

/// Most findings that are listed for one file: one is enough to stop pruning.
const FINDINGS_MAX: usize = 1_000;

/// Reads the objects of a file; `List` kinds are expanded.
///
/// # Guarantees
/// A document that cannot be read is a finding and does not take its neighbours with it. Kustomizations and
/// `Chart.yaml` are no objects. A file encrypted with SOPS gives a finding and no object at all.
pub fn objects(path: &str, bytes: &[u8]) -> FileObjects {
    let mut reader = Reader { path, out: FileObjects::default() };
    if kustomization::is_kustomization_path(path) || is_chart_path(path) {
        return reader.out;
    }
    match Source::new(path, bytes) {
        Err(problem) => reader.out.findings.push(*problem),
        Ok(source) => reader.file(&source),
    }
    reader.out
}

/// Files of a chart that have an `apiVersion` but never a kind.
fn is_chart_path(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("Chart.yaml" | "Chart.lock"))
}

struct Reader<'a> {
    path: &'a str,
    out: FileObjects,
}

impl Reader<'_> {
    fn file(&mut self, source: &Source<'_>) {
        for chunk in &source.chunks {
            match source.read(chunk, false) {
                Read::Empty => {}
                Read::Template => self.out.skipped += 1,
                Read::Broken(problem) => self.out.findings.push(*problem),
                Read::Document(document) => {
                    if document.get(document.root, "sops").is_some() {
                        self.out.objects.clear();
                        self.refuse(
                            source.line(chunk),
                            "the file is encrypted with SOPS and is not applied",
                            "keep it out of the unit's directory",
                        );
                        return;
                    }
                    self.document(&document, source);
                }
            }
        }
    }

    fn document(&mut self, document: &Document<'_>, source: &Source<'_>) {
        let root = document.root;
        let line = source.lines.of(document.node(root).range.start);
        let is_null = matches!(document.scalar(root), Some(Ok(super::yaml::scalar::Scalar::Null)));
        if is_null {
            return;
        }
        let named = |key| document.get(root, key).is_some();
        if !named("apiVersion") && !named("kind") {
            self.out.skipped += 1;
            return;
        }
        match document.value(root) {
            Err(broken) => {
                let line = source.lines.of(broken.offset);
                self.out.findings.push(finding(self.path, line, broken.message, broken.hint));
            }
            Ok(value) => {
                let items = document.get(root, "items").map_or(&[][..], |items| document.items(items));
                let item_lines: Vec<usize> =
                    items.iter().map(|item| source.lines.of(document.node(*item).range.start)).collect();
                self.object(value, line, &item_lines);
            }
        }
    }

    /// Takes an object, or the items of a list; `item_lines` is empty where they are not known.
    fn object(&mut self, value: Value, line: usize, item_lines: &[usize]) {
        let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text("apiVersion").is_some_and(kustomization::is_kustomization) {
            return;
        }
        let (api_version, kind) = match (text("apiVersion"), text("kind")) {
            (Some(api_version), Some(kind)) => (api_version.to_owned(), kind.to_owned()),
            (_, None) => {
                return self.refuse(
                    line,
                    "manifest without kind",
                    "add `kind`, or move the file out of the unit",
                );
            }
            (None, _) => {
                return self.refuse(
                    line,
                    "manifest without apiVersion",
                    "add `apiVersion`, or move the file out of the unit",
                );
            }
        };
        if kind.ends_with("List") && value.get("items").is_some_and(Value::is_array) {
            self.list(value, line, item_lines);
            return;
        }
        match object_id(&value, &api_version, &kind) {
            Ok(id) => {
                let file = self.path.to_owned();
                self.out.objects.push(Object { api_version, id, value, file, line });
            }
            Err((message, hint)) => self.refuse(line, message, hint),
        }
    }

    fn list(&mut self, mut list: Value, line: usize, item_lines: &[usize]) {
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else { return };
        for (index, mut item) in items.into_iter().enumerate() {
            let line = item_lines.get(index).copied().unwrap_or(line);
            type_of_list(&list, &mut item);
            self.object(item, line, &[]);
        }
    }

    fn refuse(&mut self, line: usize, message: &str, hint: &str) {
        if self.out.findings.len() < FINDINGS_MAX {
            self.out.findings.push(finding(self.path, line, message, Some(hint)));
        }
    }
}

/// Gives an item of a typed list (`PodList`) that says nothing of its type the one of the list, as kubectl does.
fn type_of_list(list: &Value, item: &mut Value) {
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = text(list, "kind");
    let Some(kind) = kind.strip_suffix("List").filter(|kind| !kind.is_empty()) else { return };
    if text(item, "kind").is_empty()
        && text(item, "apiVersion").is_empty()
        && let Value::Object(item) = item
    {
        item.insert("apiVersion".to_owned(), text(list, "apiVersion").into());
        item.insert("kind".to_owned(), kind.into());
    }
}

/// Reads the identity of an object.
fn object_id(value: &Value, api_version: &str, kind: &str) -> Result<ObjectId, (&'static str, &'static str)> {
    let metadata = value.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name"));
    let name = match name {
        Some(Value::String(name)) if !name.is_empty() => name.clone(),
        None | Some(Value::Null) if metadata.and_then(|metadata| metadata.get("generateName")).is_some() => {
            return Err(("generateName would make a new object at every sync", "give it a metadata.name"));
        }
        Some(Value::String(_) | Value::Null) | None => {
            return Err(("manifest without metadata.name", "add a name"));
        }
        Some(_) => return Err(("metadata.name is no string", "put it in quotes")),
    };
    let namespace = match metadata.and_then(|metadata| metadata.get("namespace")) {
        None | Some(Value::Null) => None,
        Some(Value::String(namespace)) if namespace.is_empty() => None,
        Some(Value::String(namespace)) => Some(namespace.clone()),
        Some(_) => return Err(("metadata.namespace is no string", "put it in quotes")),
    };
    let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    Ok(ObjectId { kind: GroupKind { group, kind: kind.to_owned() }, namespace, name })
}
