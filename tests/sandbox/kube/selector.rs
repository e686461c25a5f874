//! Label selectors (equality, sets, existence) and the field selectors that every kind has.

use serde_json::Value;

use super::failure::ApiFailure;

/// What a list or watch is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`.
    pub fn parse(labels: Option<&str>, fields: Option<&str>) -> Result<Self, ApiFailure> {
        let mut selector = Self::default();
        for part in split_outside_parentheses(labels.unwrap_or_default()) {
            selector.labels.push(requirement(part)?);
        }
        for part in fields.unwrap_or_default().split(',').filter(|part| !part.trim().is_empty()) {
            let (path, wanted, value) = equality(part)
                .ok_or_else(|| ApiFailure::bad_request(format!("invalid field selector: {part:?}")))?;
            if !matches!(
                path,
                "metadata.name" | "metadata.namespace" | "type" | "status.phase" | "spec.nodeName"
            ) {
                let why = format!(
                    "{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                );
                return Err(ApiFailure::bad_request(why));
            }
            selector.fields.push((path.to_owned(), wanted, value.to_owned()));
        }
        Ok(selector)
    }

    /// Whether an object is selected.
    pub fn matches(&self, object: &Value) -> bool {
        let label =
            |key: &str| object.pointer("/metadata/labels").and_then(|labels| labels.get(key)?.as_str());
        let labels = self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                label(key).is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| values.iter().all(|barred| barred != value))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Missing(key) => label(key).is_none(),
        });
        labels
            && self.fields.iter().all(|(path, wanted, value)| {
                let pointer = format!("/{}", path.replace('.', "/"));
                let have = object.pointer(&pointer).and_then(Value::as_str).unwrap_or_default();
                (have == value) == *wanted
            })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `a=b`, `a==b` (true) or `a!=b` (false).
fn equality(part: &str) -> Option<(&str, bool, &str)> {
    if let Some((key, value)) = part.split_once("!=") {
        return Some((key.trim(), false, value.trim()));
    }
    let (key, value) = part.split_once("==").or_else(|| part.split_once('='))?;
    Some((key.trim(), true, value.trim()))
}

fn requirement(part: &str) -> Result<Requirement, ApiFailure> {
    let bad = || ApiFailure::bad_request(format!("unable to parse requirement: {part:?}"));
    if let Some((head, rest)) = part.split_once('(') {
        let inside = rest.trim_end().strip_suffix(')').ok_or_else(bad)?;
        let values: Vec<String> = inside.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Ok(Requirement::In(key.to_owned(), values)),
            (Some(key), Some("notin"), None) => Ok(Requirement::NotIn(key.to_owned(), values)),
            _ => Err(bad()),
        };
    }
    if let Some((key, wanted, value)) = equality(part) {
        let (key, values) = (key.to_owned(), vec![value.to_owned()]);
        return Ok(if wanted { Requirement::In(key, values) } else { Requirement::NotIn(key, values) });
    }
    let missing = part.strip_prefix('!');
    let key = missing.unwrap_or(part).trim();
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(bad());
    }
    Ok(if missing.is_some() {
        Requirement::Missing(key.to_owned())
    } else {
        Requirement::Exists(key.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(selector: &str, expect: bool) {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        let selector = Selector::parse(Some(selector), None).expect("the selector parses");
        assert_eq!(selector.matches(&object), expect);
    }

    #[test]
    fn requirements_of_every_form_are_understood() {
        check("", true);
        check("app=web,tier==front", true);
        check("app!=web", false);
        check("absent!=web", true);
        check("app in (api, web), tier", true);
        check("app notin (api)", true);
        check("!app", false);
        check("!absent", true);
        check("absent", false);
    }

    #[test]
    fn a_broken_requirement_is_refused() {
        assert!(Selector::parse(Some("app in (a"), None).is_err());
        assert!(Selector::parse(Some("a b"), None).is_err());
        assert!(Selector::parse(None, Some("spec.replicas=1")).is_err());
    }
}
