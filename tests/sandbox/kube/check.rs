//! The validation that people run into: names, selectors, required fields, immutable fields.
//!
//! Far from all that the real server checks; not here: types and unknown fields (`decode`).

use serde_json::Value;

use super::failure::ApiFailure;
use super::kinds::Kind;

/// Checks an object before it is stored; `old` is what it replaces.
pub fn object(kind: &Kind, new: &Value, old: Option<&Value>) -> Result<(), ApiFailure> {
    let name = new.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let mut causes = Vec::new();
    check_name(name, &mut causes);
    match kind.kind {
        "Deployment" | "ReplicaSet" => {
            check_selector(new, &mut causes);
            check_strategy(new, &mut causes);
            check_pod_spec(new, "/spec/template/spec", "spec.template.spec", &mut causes);
        }
        "Job" => check_pod_spec(new, "/spec/template/spec", "spec.template.spec", &mut causes),
        "CronJob" => {
            required(new, "/spec/schedule", "spec.schedule", &mut causes);
            let at = "/spec/jobTemplate/spec/template/spec";
            check_pod_spec(new, at, "spec.jobTemplate.spec.template.spec", &mut causes);
        }
        "Pod" => check_pod_spec(new, "/spec", "spec", &mut causes),
        _ => {}
    }
    if let Some(old) = old {
        check_immutable(kind, new, old, &mut causes);
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiFailure::invalid(kind, name, &causes)) }
}

type Causes = Vec<(String, String)>;

fn check_name(name: &str, causes: &mut Causes) {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() {
        causes.push((
            "metadata.name".to_owned(),
            "Required value: name or generateName is required".to_owned(),
        ));
    } else if name.len() > 253 || !name.chars().all(fine) || !name.starts_with(edge) || !name.ends_with(edge)
    {
        let why = format!(
            "Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
             characters, '-' or '.', and must start and end with an alphanumeric character"
        );
        causes.push(("metadata.name".to_owned(), why));
    }
}

fn required(object: &Value, pointer: &str, field: &str, causes: &mut Causes) {
    let missing = match object.pointer(pointer) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    if missing {
        causes.push((field.to_owned(), "Required value".to_owned()));
    }
}

fn check_selector(object: &Value, causes: &mut Causes) {
    required(object, "/spec/selector", "spec.selector", causes);
    let labels = object.pointer("/spec/template/metadata/labels");
    let wanted = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    // An absent selector would match everything: the real server calls that a mismatch, too.
    let matches = wanted.is_some_and(|wanted| {
        wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    });
    if !matches {
        let shown = labels.cloned().unwrap_or_default();
        let why = format!("Invalid value: {shown}: `selector` does not match template `labels`");
        causes.push(("spec.template.metadata.labels".to_owned(), why));
    }
}

fn check_strategy(object: &Value, causes: &mut Causes) {
    let strategy = &object["spec"]["strategy"];
    if strategy["type"] == "Recreate" && !strategy["rollingUpdate"].is_null() {
        let why = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
        causes.push(("spec.strategy.rollingUpdate".to_owned(), why.to_owned()));
    }
}

fn check_pod_spec(object: &Value, pointer: &str, field: &str, causes: &mut Causes) {
    required(object, &format!("{pointer}/containers"), &format!("{field}.containers"), causes);
    for list in ["containers", "initContainers"] {
        let items = object.pointer(&format!("{pointer}/{list}")).and_then(Value::as_array);
        for (index, container) in items.into_iter().flatten().enumerate() {
            for key in ["name", "image"] {
                required(container, &format!("/{key}"), &format!("{field}.{list}[{index}].{key}"), causes);
            }
        }
    }
}

fn check_immutable(kind: &Kind, new: &Value, old: &Value, causes: &mut Causes) {
    let fields: &[&str] = match kind.kind {
        "Deployment" | "ReplicaSet" => &["/spec/selector"],
        "Job" => &["/spec/selector", "/spec/template", "/spec/completions"],
        "RoleBinding" => &["/roleRef"],
        "Secret" => &["/type"],
        _ => &[],
    };
    for pointer in fields {
        if let (Some(before), after) = (old.pointer(pointer), new.pointer(pointer))
            && Some(before) != after
        {
            let shown = after.cloned().unwrap_or_default();
            let why = format!("Invalid value: {shown}: field is immutable");
            causes.push((pointer.trim_start_matches('/').replace('/', "."), why));
        }
    }
    let frozen = old.get("immutable").and_then(Value::as_bool) == Some(true);
    if frozen && (new.get("data") != old.get("data") || new.get("immutable") != old.get("immutable")) {
        causes.push(("data".to_owned(), "Forbidden: field is immutable when `immutable` is set".to_owned()));
    }
}
