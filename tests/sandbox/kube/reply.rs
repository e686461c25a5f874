//! The forms in which objects leave the server: whole or metadata only, one or as a list.
//!
//! Not here: watch events (`watch`), errors (`failure`).

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::discovery::AGGREGATED_TYPE;
use super::failure::ApiFailure;
use super::kinds::Kind;

/// What the `Accept` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The whole object.
    Whole,
    /// `PartialObjectMetadata`, or its list.
    Metadata,
    /// Aggregated discovery.
    Aggregated,
}

/// Picks the first form of the header that is served.
pub fn form(accept: &str) -> Result<Form, ApiFailure> {
    if accept.trim().is_empty() {
        return Ok(Form::Whole);
    }
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parameters: Vec<&str> = parts.collect();
        if !matches!(media, "application/json" | "application/*" | "*/*") {
            continue;
        }
        let view = parameters.iter().find_map(|parameter| parameter.strip_prefix("as="));
        match view {
            None => return Ok(Form::Whole),
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") if parameters.contains(&"v=v1") => {
                return Ok(Form::Metadata);
            }
            Some("APIGroupDiscoveryList") if parameters.contains(&"v=v2") => return Ok(Form::Aggregated),
            Some(_) => {}
        }
    }
    let mut failure = ApiFailure::bad_request("only application/json is served");
    (failure.code, failure.reason) = (406, "NotAcceptable");
    Err(failure)
}

/// One object in the asked form.
pub fn object(value: &Value, form: Form) -> Value {
    if form == Form::Metadata && value["kind"] != "Status" {
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]})
    } else {
        value.clone()
    }
}

/// A list in the asked form. Items of whole lists carry no kind, as with the real server.
pub fn list(kind: &Kind, items: &[Arc<Value>], version: u64, form: Form) -> Value {
    let metadata = json!({"resourceVersion": version.to_string()});
    if form == Form::Metadata {
        let items: Vec<Value> = items.iter().map(|item| object(item, form)).collect();
        return json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata, "items": items,
        });
    }
    let items: Vec<Value> = items
        .iter()
        .map(|item| {
            let mut item = (**item).clone();
            if let Some(map) = item.as_object_mut() {
                map.remove("kind");
                map.remove("apiVersion");
            }
            item
        })
        .collect();
    json!({
        "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(),
        "metadata": metadata, "items": items,
    })
}

/// A JSON answer.
pub fn json(status: u16, value: &Value) -> Response {
    respond(status, "application/json", Body::from(value.to_string()))
}

/// An aggregated discovery document.
pub fn aggregated(value: &Value) -> Response {
    respond(200, AGGREGATED_TYPE, Body::from(value.to_string()))
}

/// A plain text answer.
pub fn text(status: u16, text: &'static str) -> Response {
    respond(status, "text/plain; charset=utf-8", Body::from(text))
}

/// A refusal.
pub fn failure(failure: &ApiFailure) -> Response {
    let mut response = json(failure.code, &failure.status());
    if failure.code == 429 {
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    }
    response
}

/// An answer of any type.
pub fn respond(status: u16, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// Cuts the connection where an answer would have been.
pub fn cut() -> Response {
    let broken = futures::stream::once(async {
        Err::<bytes::Bytes, std::io::Error>(std::io::Error::other("answer dropped by a test"))
    });
    respond(200, "application/json", Body::from_stream(broken))
}
