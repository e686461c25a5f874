//! JSON merge patch (RFC 7386) and strategic merge patch on plain values.
//!
//! Strategic: lists merge by the key of their shape, `$patch: delete` and `$setElementOrder` are honoured, every
//! other directive is refused. JSON Patch (RFC 6902) is not served.

use serde_json::{Map, Value};

use super::failure::ApiFailure;
use super::shape::Shape;

/// Applies a JSON merge patch.
pub fn merge(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut out = target.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            out.remove(key);
        } else {
            let inner = merge(out.get(key).unwrap_or(&Value::Null), value);
            out.insert(key.clone(), inner);
        }
    }
    Value::Object(out)
}

/// Applies a strategic merge patch.
pub fn strategic(target: &Value, patch: &Value, shape: Shape) -> Result<Value, ApiFailure> {
    match (target, patch) {
        (_, Value::Object(patch)) => {
            strategic_object(target.as_object().cloned().unwrap_or_default(), patch, shape)
        }
        (_, Value::Array(items)) => {
            strategic_list(target.as_array().map_or(&[], Vec::as_slice), items, shape)
        }
        _ => Ok(patch.clone()),
    }
}

fn strategic_object(
    mut out: Map<String, Value>,
    patch: &Map<String, Value>,
    shape: Shape,
) -> Result<Value, ApiFailure> {
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with("$setElementOrder/")) {
        if key.starts_with('$') {
            return Err(ApiFailure::unsupported_media(format!(
                "the patch directive {key} is not served here"
            )));
        }
        if value.is_null() {
            out.remove(key);
        } else {
            let old = out.get(key).unwrap_or(&Value::Null);
            let mut inner = strategic(old, value, shape.field(key))?;
            let order = patch.get(&format!("$setElementOrder/{key}")).unwrap_or(value);
            arrange(&mut inner, order, old, shape.field(key));
            out.insert(key.clone(), inner);
        }
    }
    for (directive, order) in patch {
        let Some(field) = directive.strip_prefix("$setElementOrder/") else { continue };
        if let Some(items) = out.get_mut(field).filter(|_| !patch.contains_key(field)) {
            let old = items.clone();
            arrange(items, order, &old, shape.field(field));
        }
    }
    Ok(Value::Object(out))
}

/// Puts the items that the patch names in its order, and the others where they stood between them.
fn arrange(merged: &mut Value, order: &Value, old: &Value, shape: Shape) {
    if !matches!(shape, Shape::ListMap(..) | Shape::Set) {
        return;
    }
    let key = merge_key(shape);
    let (Some(items), Some(order)) = (merged.as_array_mut(), order.as_array()) else { return };
    let place = |list: &[Value], item: &Value| list.iter().position(|other| same(item, other, key));
    let old = old.as_array().map_or(&[][..], Vec::as_slice);
    let (mut named, others): (Vec<Value>, Vec<Value>) =
        items.drain(..).partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    let mut others = others.into_iter().peekable();
    for item in named {
        // A new item has no old place: it comes before what is left of the others.
        let here = place(old, &item).unwrap_or(0);
        while let Some(other) = others.next_if(|other| place(old, other).is_some_and(|at| at < here)) {
            items.push(other);
        }
        items.push(item);
    }
    items.extend(others);
}

fn merge_key(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::ListMap(keys, _) => keys.first().map(|(key, _)| *key),
        _ => None,
    }
}

fn same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}

fn strategic_list(old: &[Value], patch: &[Value], shape: Shape) -> Result<Value, ApiFailure> {
    let (key, item_shape) = match shape {
        Shape::ListMap(keys, inner) => (keys.first().map(|(key, _)| *key), *inner),
        Shape::Set => (None, Shape::Atomic),
        _ => return Ok(Value::Array(patch.to_vec())),
    };
    let mut out = old.to_vec();
    for item in patch {
        let place = out.iter().position(|live| same(live, item, key));
        if item.get("$patch").and_then(Value::as_str) == Some("delete") {
            out.retain(|live| !same(live, item, key));
        } else if let Some(place) = place {
            let merged = strategic(&out[place], item, item_shape)?;
            out[place] = merged;
        } else {
            out.push(strategic(&Value::Null, item, item_shape)?);
        }
    }
    Ok(Value::Array(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kube::shape;
    use serde_json::json;

    #[test]
    fn a_merge_patch_replaces_lists_and_removes_nulls() {
        let target = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        assert_eq!(merge(&target, &json!({"a": {"c": [3]}, "d": null})), json!({"a": {"b": 1, "c": [3]}}));
    }

    #[track_caller]
    fn check(patch: &Value, expect: &Result<Value, u16>) {
        let target = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "a:1"}, {"name": "side", "image": "s:1"}
        ]}}}});
        let spec = json!({"spec": {"template": {"spec": patch}}});
        let got = strategic(&target, &spec, Shape::Granular(shape::WORKLOAD));
        let got = got.map(|object| object["spec"]["template"]["spec"]["containers"].clone());
        assert_eq!(&got.map_err(|failure| failure.code), expect);
    }

    #[test]
    fn a_strategic_patch_merges_containers_by_name() {
        check(
            &json!({"containers": [{"name": "app", "image": "a:2"}]}),
            &Ok(json!([{"name": "app", "image": "a:2"}, {"name": "side", "image": "s:1"}])),
        );
        check(
            &json!({"containers": [{"name": "side", "$patch": "delete"}]}),
            &Ok(json!([{"name": "app", "image": "a:1"}])),
        );
        check(
            &json!({"$setElementOrder/containers": [{"name": "side"}, {"name": "app"}]}),
            &Ok(json!([{"name": "side", "image": "s:1"}, {"name": "app", "image": "a:1"}])),
        );
        check(&json!({"$retainKeys": ["containers"]}), &Err(415));
    }
}
