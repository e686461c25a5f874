//! Reading request bodies as their Kubernetes types: wrong types and unknown fields are found, nulls dropped.
//!
//! Not here: whether the values make sense (`check`), what is filled in (`defaults`).

use serde_json::Value;

use super::failure::ApiFailure;
use super::kinds::Kind;

/// What to do with unknown fields (`fieldValidation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Dropped.
    Drop,
    /// 400.
    Refuse,
}

/// Reads an object that is to be created or replaced.
pub fn object(kind: &Kind, body: Value, unknown: Unknown) -> Result<Value, ApiFailure> {
    let mut object = envelope(kind, body)?;
    drop_nulls(&mut object);
    let fields = unknown_fields(kind, &object).map_err(|why| {
        ApiFailure::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {why}",
            kind.kind, kind.version, kind.kind
        ))
    })?;
    if fields.is_empty() {
        return Ok(object);
    }
    if unknown == Unknown::Refuse {
        let texts: Vec<String> =
            fields.iter().map(|path| format!("unknown field {:?}", dotted(path))).collect();
        return Err(ApiFailure::bad_request(format!("strict decoding error: {}", texts.join(", "))));
    }
    for path in &fields {
        remove(&mut object, path);
    }
    Ok(object)
}

/// Reads an applied configuration; unknown fields are always refused, as the real server does.
pub fn applied(kind: &Kind, object: Value) -> Result<Value, ApiFailure> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (version, name) = (text("apiVersion"), text("kind"));
    if (version, name) != (kind.api_version().as_str(), kind.kind) {
        let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
        return Err(ApiFailure::bad_request(format!("invalid object type: {version}, Kind={name}")));
    }
    let failed = |path: &str, why: &str| {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        let id = format!("{}/{}; {}", text("namespace"), text("name"), kind.gvk());
        let message = format!("failed to create typed patch object ({id}): {path}: {why}");
        // The real server lets this one through without a reason.
        ApiFailure { reason: "", ..ApiFailure::internal(message) }
    };
    let mut bare = object.clone();
    drop_nulls(&mut bare);
    match unknown_fields(kind, &bare) {
        Err(why) => Err(failed(".", &why)),
        Ok(fields) => match fields.first() {
            Some(path) => Err(failed(&format!(".{}", dotted(path)), "field not declared in schema")),
            None => Ok(object),
        },
    }
}

fn envelope(kind: &Kind, mut body: Value) -> Result<Value, ApiFailure> {
    let wanted = [("kind", kind.kind.to_owned()), ("apiVersion", kind.api_version())];
    let Some(map) = body.as_object_mut() else {
        return Err(ApiFailure::bad_request("the body of the request is not a JSON object"));
    };
    for (key, value) in wanted {
        match map.get(key).and_then(Value::as_str) {
            Some(given) if given != value => {
                return Err(ApiFailure::bad_request(format!(
                    "the {key} in the data ({given}) does not match the expected one ({value})"
                )));
            }
            _ => map.insert(key.to_owned(), Value::String(value)),
        };
    }
    Ok(body)
}

type FieldPath = Vec<String>;

fn unknown_fields(kind: &Kind, object: &Value) -> Result<Vec<FieldPath>, String> {
    let read = kind.round_trip(object.clone())?;
    let mut lost = Vec::new();
    compare(object, &read, &mut Vec::new(), &mut lost);
    Ok(lost)
}

fn compare(sent: &Value, read: &Value, path: &mut FieldPath, lost: &mut Vec<FieldPath>) {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            for (name, value) in sent {
                path.push(name.clone());
                match read.get(name) {
                    Some(read) => compare(value, read, path, lost),
                    None => lost.push(path.clone()),
                }
                path.pop();
            }
        }
        (Value::Array(sent), Value::Array(read)) => {
            for (index, (sent, read)) in sent.iter().zip(read).enumerate() {
                path.push(index.to_string());
                compare(sent, read, path, lost);
                path.pop();
            }
        }
        _ => {}
    }
}

fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if part.parse::<usize>().is_ok() {
            text = format!("{text}[{part}]");
        } else if text.is_empty() {
            text.clone_from(part);
        } else {
            text = format!("{text}.{part}");
        }
    }
    text
}

fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut place = Some(object);
    for part in parents {
        place = match (place, part.parse::<usize>()) {
            (Some(Value::Object(map)), _) => map.get_mut(part),
            (Some(Value::Array(items)), Ok(index)) => items.get_mut(index),
            _ => None,
        };
    }
    if let Some(parent) = place.and_then(Value::as_object_mut) {
        parent.remove(last);
    }
}

/// Drops nulls, which mean "absent" to a typed server.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
