//! What a request is about: its path and its query, read once.

use std::collections::HashMap;

use super::decode::Unknown;
use super::failure::ApiFailure;
use super::kinds::{self, Kind};

/// The object or collection that a path names.
#[derive(Clone, Debug)]
pub struct Target {
    /// Kind.
    pub kind: &'static Kind,
    /// Namespace, if the path names one (and the kind is namespaced).
    pub namespace: Option<String>,
    /// Name, unless the path names a collection.
    pub name: Option<String>,
    /// `status`, `scale`, or empty.
    pub subresource: String,
}

impl Target {
    /// Whether the group and version of a path are served.
    pub fn is_served_group(path: &str) -> bool {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["api", "v1", ..] => true,
            ["apis", group, "v1", ..] => kinds::groups().contains(group),
            _ => false,
        }
    }

    /// Reads a path; `None` if it serves nothing.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = match parts.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, "v1", rest @ ..] => (*group, rest),
            _ => return None,
        };
        let find = |plural: &str| kinds::by_plural(group, "v1", plural);
        let (kind, namespace, rest) = match rest {
            ["namespaces", namespace, plural, rest @ ..]
                if find(plural).is_some_and(|kind| kind.namespaced) =>
            {
                (find(plural)?, Some((*namespace).to_owned()), rest)
            }
            [plural, rest @ ..] => (find(plural)?, None, rest),
            [] => return None,
        };
        let (name, subresource) = match rest {
            [] => (None, ""),
            [name] => (Some((*name).to_owned()), ""),
            [name, sub] => (Some((*name).to_owned()), *sub),
            _ => return None,
        };
        let is_served = match subresource {
            "" => true,
            "status" => kind.status,
            "scale" => kind.scale,
            _ => false,
        };
        let placed = name.is_none() || namespace.is_some() == kind.namespaced;
        (is_served && placed).then(|| Self { kind, namespace, name, subresource: subresource.to_owned() })
    }
}

/// The query of a request.
#[derive(Clone, Debug, Default)]
pub struct Query(HashMap<String, String>);

impl Query {
    /// Reads the query part of a URL.
    pub fn parse(query: &str) -> Self {
        let url = reqwest::Url::parse(&format!("http://query/?{query}"));
        Self(url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
    }

    /// A value, `None` when absent or empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a value is true.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }

    /// `dryRun=All`; anything else under that name is refused, naming `options` (`PatchOptions`).
    pub fn dry_run(&self, options: &str) -> Result<bool, ApiFailure> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                let why = format!("Unsupported value: [{other:?}]: supported values: \"All\"");
                Err(ApiFailure::invalid_options(options, "dryRun", &why))
            }
        }
    }

    /// `fieldValidation`; the default of the real server is to warn, which drops.
    pub fn unknown(&self) -> Unknown {
        if self.get("fieldValidation") == Some("Strict") { Unknown::Refuse } else { Unknown::Drop }
    }

    /// `resourceVersion` as a number: `None` when unset, an error when it is none.
    pub fn resource_version(&self) -> Result<Option<u64>, ApiFailure> {
        self.get("resourceVersion")
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiFailure::bad_request(format!("invalid resource version: {text:?}")))
            })
            .transpose()
    }
}
