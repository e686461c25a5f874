//! Refusals in the words and codes of a Kubernetes API server (`Status` objects).
//!
//! Not here: how they travel (`reply`), when they arise.

use serde_json::{Value, json};

use super::kinds::Kind;

/// A refusal: HTTP code, reason, message and details as the real server words them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct ApiFailure {
    /// HTTP status code.
    pub code: u16,
    /// `reason` of the Status.
    pub reason: &'static str,
    /// `message` of the Status.
    pub message: String,
    /// `details` of the Status, or null.
    pub details: Value,
}

impl ApiFailure {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, kind: &Kind, name: &str) -> Self {
        self.details = json!({"name": name, "kind": kind.plural});
        if !kind.group.is_empty() {
            self.details["group"] = json!(kind.group);
        }
        self
    }

    fn empty_details(mut self) -> Self {
        self.details = json!({});
        self
    }

    /// 422 for the options of a request.
    pub fn invalid_options(options: &str, field: &str, why: &str) -> Self {
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {field}: {why}");
        let mut failure = Self::new(422, "Invalid", message);
        failure.details = json!({
            "group": "meta.k8s.io", "kind": options,
            "causes": [{"field": field, "message": why, "reason": cause_reason(why)}],
        });
        failure
    }

    /// 422 for a patch whose outcome cannot be read as the kind.
    pub fn invalid_patch(why: &str) -> Self {
        let mut failure = Self::new(422, "Invalid", format!(" \"\" is invalid: patch: Invalid value: {why}"));
        let cause = json!({"field": "patch", "message": why, "reason": "FieldValueInvalid"});
        failure.details = json!({"causes": [cause]});
        failure
    }

    /// 404 for an object.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", kind.resource())).about(kind, name)
    }

    /// 404 for a path that serves nothing.
    pub fn no_route() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").empty_details()
    }

    /// 409 for a create of what exists.
    pub fn exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource()))
            .about(kind, name)
    }

    /// 409 for a lost optimistic write or a precondition that does not hold.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// 409 for a delete whose precondition does not hold; the real server names the kind here.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let mut failure = Self::conflict(kind, name, why);
        failure.message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.qualified());
        failure.details["kind"] = json!(kind.kind);
        failure
    }

    /// 409 of server-side apply, one cause for each field and manager.
    pub fn apply_conflict(message: String, causes: &[Value]) -> Self {
        let mut failure = Self::new(409, "Conflict", message);
        failure.details = json!({"causes": causes});
        failure
    }

    /// 422 with one cause for each `(field, message)`.
    pub fn invalid(kind: &Kind, name: &str, causes: &[(String, String)]) -> Self {
        let texts: Vec<String> = causes.iter().map(|(field, why)| format!("{field}: {why}")).collect();
        let text = if texts.len() == 1 { texts.concat() } else { format!("[{}]", texts.join(", ")) };
        let message = format!("{} {name:?} is invalid: {text}", kind.qualified());
        let mut failure = Self::new(422, "Invalid", message).about(kind, name);
        failure.details["kind"] = json!(kind.kind);
        failure.details["causes"] = causes
            .iter()
            .map(|(field, why)| json!({"field": field, "message": why, "reason": cause_reason(why)}))
            .collect();
        failure
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 403.
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} {name:?} is forbidden: {why}", kind.resource());
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    /// 405.
    pub fn no_such_verb() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).empty_details()
    }

    /// 410: the resourceVersion is older than what is kept.
    pub fn expired(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    /// 504: the resourceVersion is newer than anything written.
    pub fn too_new(asked: u64, current: u64) -> Self {
        let mut failure = Self::new(
            504,
            "Timeout",
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        );
        failure.details = json!({"causes": [
            {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        ], "retryAfterSeconds": 1});
        failure
    }

    /// 415.
    pub fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message).empty_details()
    }

    /// 500, for what the real server also answers so.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", message)
    }

    /// An answer that a test asked for.
    pub fn injected(code: u16) -> Self {
        let reason = match code {
            401 => "Unauthorized",
            403 => "Forbidden",
            409 => "Conflict",
            410 => "Expired",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "InternalError",
        };
        Self::new(code, reason, "fault injected by a test")
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

fn cause_reason(why: &str) -> &'static str {
    if why.starts_with("Required value") {
        "FieldValueRequired"
    } else if why.starts_with("Unsupported value") {
        "FieldValueNotSupported"
    } else if why.starts_with("Forbidden") {
        "FieldValueForbidden"
    } else {
        "FieldValueInvalid"
    }
}
