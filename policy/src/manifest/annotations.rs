//! The annotations of one object that are ours, read once for all of its images.
//!
//! Called by [`super::workload`]. Not here: what the keys mean (see [`crate::annotation`]).

use std::cell::OnceCell;

use super::scan::{Scope, excerpt};
use super::yaml::NodeId;
use super::yaml::source::finding;
use crate::annotation::{AnnotationError, ImagePolicy, Setting};
use crate::finding::Finding;

/// The prefix of the annotations that are ours.
const PREFIX: &str = "tidegate.io/";

/// Longest key; Kubernetes allows 63 bytes after the prefix.
const KEY_BYTES_MAX: usize = 253;

/// Most annotations of ours on one object.
const SETTINGS_MAX: usize = 200;

/// What a container's policy is: none, one, or a problem.
pub(super) type Resolved = Result<Option<ImagePolicy>, Box<Finding>>;

/// The annotations of one object.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    /// All of them, in file order.
    pub(super) settings: Vec<Setting>,
    /// The policy of the containers that no key names; most objects have nothing else.
    common: OnceCell<Resolved>,
}

impl Annotations {
    /// Reads the annotations of `object`; one that is no string is a problem of the whole object.
    pub(super) fn read(scope: &Scope<'_>, object: NodeId) -> Result<Self, Box<Finding>> {
        let document = scope.document;
        let Some(annotations) = document.path(object, &["metadata", "annotations"]) else {
            return Ok(Self::default());
        };
        let mut settings = Vec::new();
        for (key, value) in document.entries(annotations) {
            let Some(name) = document.text(*key).and_then(|key| key.strip_prefix(PREFIX)) else { continue };
            let line = scope.line(*key);
            let problem = |message: &str, hint: &str| {
                Box::new(Finding {
                    key: Some(excerpt(&format!("{PREFIX}{name}"))),
                    value: document.text(*value).map(excerpt),
                    ..finding(scope.path, line, message, Some(hint))
                })
            };
            let Some(text) = document.string(*value) else {
                return Err(problem("the value of an annotation must be a string", "put it in quotes"));
            };
            if name.len() > KEY_BYTES_MAX {
                return Err(problem(
                    "the key is longer than Kubernetes allows",
                    "write at most 63 bytes after the `/`",
                ));
            }
            if settings.len() == SETTINGS_MAX {
                return Err(problem(
                    "the object has more than 200 annotations of this prefix",
                    "split the object",
                ));
            }
            settings.push(Setting { key: name.to_owned(), value: text.into_owned(), line });
        }
        Ok(Self { settings, common: OnceCell::new() })
    }

    /// Resolves the policy of a container.
    pub(super) fn resolve(&self, path: &str, container: &str) -> Resolved {
        let names_it = |setting: &Setting| setting.key.split_once('.').is_some_and(|(_, of)| of == container);
        if self.settings.iter().any(names_it) {
            return resolve(path, PREFIX, &self.settings, container);
        }
        // No container is called "", so only the keys that name none apply.
        self.common.get_or_init(|| resolve(path, PREFIX, &self.settings, "")).clone()
    }
}

/// Resolves settings; a problem names the key as it is written in the file.
pub(super) fn resolve(path: &str, prefix: &str, settings: &[Setting], container: &str) -> Resolved {
    if settings.is_empty() {
        return Ok(None);
    }
    ImagePolicy::resolve(settings, container).map_err(|error| {
        let AnnotationError { key, value, line, message, hint } = error;
        let (key, value) = (Some(format!("{prefix}{key}")), Some(excerpt(&value)));
        Box::new(Finding { key, value, hint, ..finding(path, line, message, None) })
    })
}
