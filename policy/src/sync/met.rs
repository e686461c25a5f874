//! Whether a live object already is what git asks for, told without asking the server to try.
//!
//! A guess for people (`tidegate plan`), on the safe side: what cannot be seen to be equal is reported as
//! a change. The sync loop never relies on it; it applies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::live::our_entry;

/// Tells whether an apply of `desired` would leave `live` as it is.
///
/// `live` is the whole object with its `managedFields`.
pub fn is_met(desired: &Value, live: &Value) -> bool {
    let Some(entry) = our_entry(live) else { return false };
    let has_more = entry.get("fieldsV1").is_none_or(|fields| !is_covered(fields, desired));
    !has_more && includes(desired, live, Place::Top)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    /// Below a key whose values are quantities.
    Quantities,
    Elsewhere,
}

/// Tells whether `live` has all that `desired` has.
fn includes(desired: &Value, live: &Value, place: Place) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => {
            desired.iter().all(|(key, value)| includes_key(key, value, live, place))
        }
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len()
                && desired.iter().zip(live).all(|(desired, live)| includes(desired, live, Place::Elsewhere))
        }
        _ => desired == live || (place == Place::Quantities && quantity(desired) == quantity(live)),
    }
}

fn includes_key(key: &str, value: &Value, live: &Map<String, Value>, place: Place) -> bool {
    let Some(found) = live.get(key) else {
        return match value {
            // The server drops what is empty, and keeps `stringData` as `data`.
            Value::Null => true,
            Value::Object(map) if place == Place::Top && key == "stringData" => {
                is_stored(map, live.get("data"))
            }
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
    };
    let is_quantity = matches!(key, "limits" | "requests" | "capacity" | "hard" | "sizeLimit")
        || (place == Place::Quantities && found.is_object());
    let place = if is_quantity || place == Place::Quantities { Place::Quantities } else { Place::Elsewhere };
    includes(value, found, place)
}

fn is_stored(texts: &Map<String, Value>, data: Option<&Value>) -> bool {
    texts.iter().all(|(key, text)| {
        let stored = data.and_then(|data| data.get(key)).and_then(Value::as_str);
        text.as_str().map(|text| STANDARD.encode(text)).as_deref() == stored
    })
}

/// Reads a quantity; every other text stands for itself.
fn quantity(value: &Value) -> Result<f64, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let (number, unit) = text.split_at(digits.len());
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return Err(text),
    };
    number.parse::<f64>().map(|number| number * factor).map_err(|_| text)
}

/// Tells whether `desired` still has every field that our last apply set.
fn is_covered(fields: &Value, desired: &Value) -> bool {
    let Some(fields) = fields.as_object() else { return true };
    fields.iter().all(|(name, below)| match name.split_once(':') {
        Some(("f", key)) => {
            // The server stores `stringData` under `data`.
            let found =
                desired.get(key).or_else(|| if key == "data" { desired.get("stringData") } else { None });
            found.is_some_and(|value| is_covered(below, value))
        }
        Some(("k", keys)) => item(keys, desired).is_some_and(|item| is_covered(below, item)),
        Some(("v", value)) => {
            let value = serde_json::from_str::<Value>(value).ok();
            desired.as_array().is_some_and(|list| list.iter().any(|item| Some(item) == value.as_ref()))
        }
        // "." is the field itself.
        _ => true,
    })
}

/// Finds a list item by its keys; a key that the item leaves out was filled in by the server.
fn item<'a>(keys: &str, list: &'a Value) -> Option<&'a Value> {
    let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
    let is_it =
        |item: &&Value| keys.iter().all(|(key, value)| item.get(key).is_none_or(|found| found == value));
    list.as_array()?.iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Judges desired against a live object that has `fields` in our entry.
    #[track_caller]
    fn check(desired: &Value, live: &Value, fields: &Value, expect: bool) {
        let mut live = live.clone();
        live["metadata"] =
            json!({"managedFields": [{"manager": "tidegate", "operation": "Apply", "fieldsV1": fields}]});
        assert_eq!(is_met(desired, &live), expect, "{desired} against {live}");
    }

    #[test]
    fn defaults_of_the_server_are_no_change() {
        let desired = json!({"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}});
        let live = json!({"spec": {"replicas": 1, "containers": [{"name": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}});
        let ports =
            json!({"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}});
        let fields = json!({"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:ports": ports}}}});
        check(&desired, &live, &fields, true);
    }

    #[test]
    fn another_value_is_a_change() {
        check(&json!({"data": {"a": "1"}}), &json!({"data": {"a": "2"}}), &json!({}), false);
        check(&json!({"args": ["a"]}), &json!({"args": ["a", "b"]}), &json!({}), false);
    }

    #[test]
    fn a_field_that_left_git_is_a_change() {
        let live = json!({"data": {"a": "1", "b": "2"}});
        check(&json!({"data": {"a": "1"}}), &live, &json!({"f:data": {"f:a": {}, "f:b": {}}}), false);
        check(&json!({"data": {"a": "1"}}), &live, &json!({"f:data": {"f:a": {}}}), true);
    }

    #[test]
    fn quantities_are_compared_by_value() {
        let of = |cpu: Value| json!({"resources": {"limits": {"cpu": cpu}}});
        check(&of(json!("1000m")), &of(json!("1")), &json!({}), true);
        check(&of(json!(1)), &of(json!("1")), &json!({}), true);
        check(&of(json!("1")), &of(json!("2")), &json!({}), false);
    }

    #[test]
    fn a_secret_is_compared_as_the_server_stores_it() {
        let fields = json!({"f:data": {"f:a": {}}});
        check(&json!({"stringData": {"a": "hi"}}), &json!({"data": {"a": "aGk="}}), &fields, true);
        check(&json!({"stringData": {"a": "ho"}}), &json!({"data": {"a": "aGk="}}), &fields, false);
    }

    #[test]
    fn an_object_that_we_never_applied_is_not_met() {
        assert!(!is_met(&json!({}), &json!({"metadata": {}})));
    }
}
