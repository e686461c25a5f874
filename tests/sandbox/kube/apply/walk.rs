//! Walks over typed values: their field sets, their differences.
//!
//! Not here: merging and pruning (`merge`), ownership (`managers`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fieldset::{FieldSet, Step};
use crate::sandbox::kube::shape::Shape;

/// What a value is once its shape and its content are known.
pub(super) enum View<'a> {
    Object(&'a Map<String, Value>),
    Items(&'a [Value]),
    Leaf,
}

/// Looks at a value the way its shape wants it seen.
pub(super) fn view(value: &Value, shape: Shape) -> View<'_> {
    match (value, shape) {
        (Value::Object(map), Shape::Granular(_)) => View::Object(map),
        (Value::Array(items), Shape::Set | Shape::ListMap(..)) => View::Items(items),
        _ => View::Leaf,
    }
}

/// The path step and the shape of a list's item.
pub(super) fn item_step(item: &Value, list: Shape) -> (Step, Shape) {
    let Shape::ListMap(keys, inner) = list else {
        return (Step::Item(item.to_string()), Shape::Atomic);
    };
    let found: BTreeMap<&str, Value> = keys
        .iter()
        .filter_map(|(key, default)| {
            let value = item.get(*key).filter(|value| !value.is_null()).cloned();
            Some((*key, value.or_else(|| default.map(Value::from))?))
        })
        .collect();
    (Step::Key(serde_json::to_string(&found).expect("a map of JSON values is JSON")), *inner)
}

/// The fields that `value` sets.
pub fn field_set(value: &Value, shape: Shape) -> FieldSet {
    let mut set = FieldSet::default();
    collect(value, shape, &mut Vec::new(), &mut set);
    set
}

fn collect(value: &Value, shape: Shape, path: &mut Vec<Step>, set: &mut FieldSet) {
    match view(value, shape) {
        View::Leaf => set.insert(path),
        View::Object(map) => {
            if map.is_empty() {
                set.insert(path);
            }
            for (name, inner) in map {
                path.push(Step::Field(name.clone()));
                collect(inner, shape.field(name), path, set);
                path.pop();
            }
        }
        View::Items(items) => {
            for item in items {
                let (step, inner) = item_step(item, shape);
                path.push(step);
                set.insert(path);
                collect(item, inner, path, set);
                path.pop();
            }
        }
    }
}

/// Which fields differ between two values.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Only in the second.
    pub added: FieldSet,
    /// In both, different.
    pub modified: FieldSet,
    /// Only in the first.
    pub removed: FieldSet,
}

/// Compares two objects of one shape.
pub fn compare(old: &Value, new: &Value, shape: Shape) -> Comparison {
    let mut found = Comparison::default();
    descend(present(old), present(new), shape, &mut Vec::new(), &mut found);
    found
}

fn present(value: &Value) -> Option<&Value> {
    Some(value).filter(|value| !value.is_null())
}

fn descend(
    old: Option<&Value>,
    new: Option<&Value>,
    shape: Shape,
    path: &mut Vec<Step>,
    out: &mut Comparison,
) {
    let (old_view, new_view) = (old.map(|value| view(value, shape)), new.map(|value| view(value, shape)));
    let hollow = |view: &Option<View<'_>>| match view {
        None => true,
        Some(View::Object(map)) => map.is_empty(),
        Some(View::Items(items)) => items.is_empty(),
        Some(View::Leaf) => false,
    };
    let leaf = matches!(old_view, Some(View::Leaf)) || matches!(new_view, Some(View::Leaf));
    match (old, new) {
        (None, Some(_)) => out.added.insert(path),
        (Some(_), None) => out.removed.insert(path),
        (Some(a), Some(b)) if (leaf || (hollow(&old_view) && hollow(&new_view))) && a != b => {
            out.modified.insert(path);
        }
        _ => {}
    }
    if leaf {
        return;
    }
    let before = children(old_view.as_ref(), shape);
    let after = children(new_view.as_ref(), shape);
    for (step, (inner, value)) in &before {
        path.push(step.clone());
        descend(Some(value), after.get(step).map(|(_, value)| *value), *inner, path, out);
        path.pop();
    }
    for (step, (inner, value)) in after.iter().filter(|(step, _)| !before.contains_key(step)) {
        path.push(step.clone());
        descend(None, Some(value), *inner, path, out);
        path.pop();
    }
}

fn children<'a>(view: Option<&View<'a>>, shape: Shape) -> BTreeMap<Step, (Shape, &'a Value)> {
    match view {
        Some(View::Object(map)) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (Step::Field(name.clone()), (shape.field(name), value)))
            .collect(),
        Some(View::Items(items)) => items
            .iter()
            .map(|item| {
                let (step, inner) = item_step(item, shape);
                (step, (inner, item))
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}
