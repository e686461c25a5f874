//! Merging an applied configuration into a live object, and pruning what its manager no longer sets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fieldset::{FieldSet, Step};
use super::walk::{View, item_step, view};
use crate::sandbox::kube::shape::Shape;

/// Lays `config` over `live`: objects by field, list maps and sets by item, the rest replaced.
pub fn merge(live: &Value, config: &Value, shape: Shape) -> Value {
    match (view(live, shape), view(config, shape)) {
        (View::Object(old), View::Object(new)) => {
            let mut merged = old.clone();
            for (name, value) in new {
                let inner = match old.get(name) {
                    Some(before) => merge(before, value, shape.field(name)),
                    None => value.clone(),
                };
                merged.insert(name.clone(), inner);
            }
            Value::Object(merged)
        }
        (View::Items(old), View::Items(new)) => Value::Array(merge_items(old, new, shape)),
        _ => config.clone(),
    }
}

/// Keeps the live order of items that only the server has, and the applied order among those applied.
fn merge_items(old: &[Value], new: &[Value], shape: Shape) -> Vec<Value> {
    let steps =
        |items: &[Value]| -> Vec<Step> { items.iter().map(|item| item_step(item, shape).0).collect() };
    let (old_steps, new_steps) = (steps(old), steps(new));
    let before: BTreeMap<&Step, &Value> = old_steps.iter().zip(old).collect();
    let merged = |step: &Step, value: &Value| match before.get(step) {
        Some(live) => merge(live, value, item_step(value, shape).1),
        None => value.clone(),
    };
    let mut applied = new_steps.iter().zip(new);
    let mut out = Vec::with_capacity(old.len() + new.len());
    for (step, live) in old_steps.iter().zip(old) {
        if !new_steps.contains(step) {
            out.push(live.clone());
            continue;
        }
        // Shared items come in applied order; one that is not next comes (or came) at its applied place.
        let next_shared = applied.clone().position(|(candidate, _)| before.contains_key(candidate));
        let is_next = next_shared.filter(|place| applied.clone().nth(*place).is_some_and(|(s, _)| s == step));
        for (step, value) in applied.by_ref().take(is_next.map_or(0, |place| place + 1)) {
            out.push(merged(step, value));
        }
    }
    out.extend(applied.map(|(step, value)| merged(step, value)));
    out
}

/// Removes from `merged` what `last` set and neither `kept` (all managers now) nor anything below it holds.
pub fn prune(merged: &Value, last: &FieldSet, kept: &FieldSet, shape: Shape) -> Value {
    match view(merged, shape) {
        View::Leaf => merged.clone(),
        View::Object(map) => {
            let mut out = Map::new();
            for (name, value) in map {
                let step = Step::Field(name.clone());
                let was_set = last.has(&step) || last.below(&step).is_some();
                let is_held = kept.has(&step) || kept.below(&step).is_some();
                if !was_set || is_held {
                    out.insert(name.clone(), prune_below(value, &step, last, kept, shape.field(name)));
                }
            }
            Value::Object(out)
        }
        View::Items(items) => Value::Array(
            items
                .iter()
                .filter_map(|item| {
                    let (step, inner) = item_step(item, shape);
                    let drop = last.has(&step) && !kept.has(&step);
                    (!drop).then(|| prune_below(item, &step, last, kept, inner))
                })
                .collect(),
        ),
    }
}

fn prune_below(value: &Value, step: &Step, last: &FieldSet, kept: &FieldSet, shape: Shape) -> Value {
    match last.below(step) {
        Some(last) => {
            let nothing = FieldSet::default();
            prune(value, last, kept.below(step).unwrap_or(&nothing), shape)
        }
        None => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kube::shape;
    use serde_json::json;

    #[track_caller]
    fn check(live: &[&str], applied: &[&str], expect: &[&str]) {
        let list = |names: &[&str]| -> Value {
            let items: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
            json!(items)
        };
        let merged = merge(&list(live), &list(applied), Shape::ListMap(&[("name", None)], &shape::ANY));
        assert_eq!(merged, list(expect));
    }

    #[test]
    fn applied_items_keep_their_order_and_live_ones_stay() {
        check(&["a", "b"], &["b"], &["a", "b"]);
        check(&["a", "b"], &["c", "b"], &["a", "c", "b"]);
        check(&["a", "b"], &["b", "a"], &["b", "a"]);
        check(&["a", "x", "b"], &["b", "a"], &["x", "b", "a"]);
        check(&[], &["x", "y"], &["x", "y"]);
        check(&["a", "b"], &["a", "n"], &["a", "b", "n"]);
    }
}
