//! What a refusal of the API server means: who can mend it, and how.
//!
//! `Status` is `meta/v1.Status`; the causes of an apply conflict are those of
//! `k8s.io/apimachinery/pkg/util/managedfields`. Called by the other modules of the cluster room.

use std::time::Duration;

use kube::core::Status;
use kube::core::response::{StatusCause, reason};

use super::FieldConflict;
use crate::error::Failure;

const MESSAGE_BYTES_MAX: usize = 1024;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What was tried, after "cannot".
    pub(super) what: String,
    /// Base URL of the server.
    pub(super) server: String,
    /// As answered; `code` is the HTTP status.
    pub(super) status: Box<Status>,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// Whether the server's words may quote a secret.
    pub(super) secretive: bool,
}

impl Refusal {
    /// Whether the named object itself is not there, rather than its kind or namespace.
    ///
    /// The server names the resource in `details.kind`: `plural` tells an absent object from an absent namespace
    /// of the same name.
    pub(super) fn is_missing(&self, plural: &str, name: &str) -> bool {
        let details = self.status.details.as_ref();
        self.status.code == 404
            && details.is_some_and(|details| details.name == name && details.kind == plural)
    }

    /// Whether the object is not the one that was meant: it changed, exists, or is another of the same name.
    pub(super) fn is_conflict(&self) -> bool {
        self.status.code == 409
    }

    /// The fields that other managers hold; empty if that is not the reason.
    pub(super) fn field_conflicts(&self) -> Vec<FieldConflict> {
        let is_one = |cause: &&StatusCause| cause.reason == "FieldManagerConflict";
        self.causes().iter().filter(is_one).map(field_conflict).collect()
    }

    /// Classifies the refusal and says what helps.
    pub(super) fn failure(self) -> Failure {
        let message =
            format!("cannot {}: {} answers {}: {}", self.what, self.server, self.status.code, self.words());
        let after = self.retry_after.or_else(|| {
            let seconds = self.status.details.as_ref()?.retry_after_seconds;
            (seconds > 0).then(|| Duration::from_secs(seconds.into()))
        });
        let (may_pass, hint) = self.remedy();
        let failure = if may_pass { Failure::retry(message).after(after) } else { Failure::reject(message) };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// Whether it may pass by itself, and what a person can do.
    fn remedy(&self) -> (bool, Option<&'static str>) {
        let says = |words: &str| self.status.message.contains(words);
        match self.status.code {
            401 => (true, Some("the credentials are refused: is the token still valid?")),
            403 if self.causes().iter().any(|cause| cause.reason == "NamespaceTerminating") => {
                (true, Some("the namespace is being deleted"))
            }
            403 if says("cannot ") => {
                (false, Some("give the user named here that verb by a Role or ClusterRole"))
            }
            403 if says("exceeded quota") => (true, Some("raise the ResourceQuota or ask for less")),
            404 => (true, Some(self.missing())),
            400 | 422 if says("immutable") => (
                false,
                Some("the field cannot be changed in place: delete the object, or give it another name"),
            ),
            400 | 422 | 500 if says("field not declared in schema") || says("unknown field") => {
                (false, Some("the kind has no such field: check its spelling and the apiVersion"))
            }
            500 if self.is_malformed() => (false, Some("the object does not fit the schema of its kind")),
            413 => (false, Some("the object is too large for the API server")),
            // etcd's own limit comes as an internal error.
            500 if says("request is too large") => {
                (false, Some("the object is too large for etcd (1.5 MiB)"))
            }
            500 if says("webhook") => (true, Some("the admission webhook named here does not work")),
            400 | 422 => (false, Some("mend the fields named here in git")),
            409 | 410 | 429 | 500.. => (true, None),
            _ => (false, None),
        }
    }

    fn missing(&self) -> &'static str {
        match &self.status.details {
            Some(details) if details.kind == "namespaces" => "create the namespace, or add it to git",
            Some(details) if !details.name.is_empty() => "it is gone",
            _ => "the server does not serve this kind: is its CustomResourceDefinition there?",
        }
    }

    /// The server's words on one line, without what may be secret.
    fn words(&self) -> String {
        if self.secretive && (matches!(self.status.code, 400 | 422) || self.is_malformed()) {
            let fields: Vec<&str> = self.causes().iter().map(|cause| cause.field.as_str()).collect();
            let fields = if fields.is_empty() { String::new() } else { format!(" at {}", fields.join(", ")) };
            return format!(
                "the content is invalid{fields} (the server's words are withheld: they may hold it)"
            );
        }
        let message = &self.status.message;
        let text = if message.trim().is_empty() { &self.status.reason } else { message };
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.len() > MESSAGE_BYTES_MAX {
            line.truncate(line.floor_char_boundary(MESSAGE_BYTES_MAX));
            line.push('…');
        }
        line
    }

    /// Whether the object of an apply does not fit its schema, which comes as an internal error.
    fn is_malformed(&self) -> bool {
        let signs = ["failed to create typed patch object", "unable to convert unstructured object"];
        signs.iter().any(|sign| self.status.message.contains(sign))
    }

    fn causes(&self) -> &[StatusCause] {
        self.status.details.as_ref().map_or(&[], |details| &details.causes)
    }
}

/// Whether a watch fails only because it was away for too long; it lists again and goes on.
pub(super) fn is_expired(status: &Status) -> bool {
    status.code == 410 || status.reason == reason::GONE || status.reason == reason::EXPIRED
}

/// Reads `conflict with "NAME" with subresource "scale" using apps/v1 at TIME`.
fn field_conflict(cause: &StatusCause) -> FieldConflict {
    let mut rest = cause.message.as_str();
    let mut quoted_after = |words: &str| {
        let (_, after) = rest.split_once(words)?;
        let end = closing_quote(after)?;
        let (text, tail) = after.split_at(end);
        rest = tail;
        Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
    };
    let manager = quoted_after("conflict with \"").unwrap_or_else(|| cause.message.clone());
    let subresource = quoted_after(" with subresource \"");
    FieldConflict { field: cause.field.clone(), manager, subresource }
}

/// Where a quoted text ends that may hold escaped quotes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests;
