//! The distribution API over HTTP: pushing, listing, reading and deleting, as far as Tidegate and its tests go.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LINK, LOCATION};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Inner, Options, Seen, Shared};

const DIGEST_HEADER: &str = "docker-content-digest";

/// What a path below `/v2/` names.
enum Target<'a> {
    Tags(&'a str),
    Manifest(&'a str, &'a str),
    Upload(&'a str),
    Blob(&'a str, &'a str),
}

/// Answers every request.
pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let fault = {
        let mut inner = shared.lock();
        inner.seen.push(Seen {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            authorization: header(&head.headers, AUTHORIZATION.as_str()),
        });
        inner.take_fault(head.uri.path_and_query().map_or("", |path| path.as_str()))
    };
    if let Some(answer) = fault.as_ref().and_then(super::Fault::instead) {
        return answer;
    }
    let Ok(content) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = answer(&mut shared.lock(), &shared.host, &head, content);
    match fault {
        Some(fault) => fault.spoil(answer).await,
        None => answer,
    }
}

fn answer(inner: &mut Inner, host: &str, head: &Parts, content: Bytes) -> Response {
    if head.uri.path() == "/token" {
        return inner.gate.give_token(&head.headers);
    }
    let Some(rest) = head.uri.path().strip_prefix("/v2/") else {
        return error(StatusCode::NOT_FOUND, "UNSUPPORTED");
    };
    let target = find_target(rest);
    let name = match target {
        None => "",
        Some(
            Target::Tags(name) | Target::Manifest(name, _) | Target::Upload(name) | Target::Blob(name, _),
        ) => name,
    };
    if let Some(challenge) = inner.gate.challenge(&head.headers, host, name) {
        return challenge;
    }
    match (head.method.as_str(), target) {
        ("GET", None) if rest.is_empty() => (StatusCode::OK, "{}").into_response(),
        ("GET", Some(Target::Tags(_))) => list(inner, name, head.uri.query().unwrap_or_default()),
        ("GET" | "HEAD", Some(Target::Manifest(_, reference))) => {
            let found = inner.store.manifest(name, reference);
            found.map_or_else(|| unknown("MANIFEST"), |manifest| show_manifest(manifest, inner.options))
        }
        ("PUT", Some(Target::Manifest(_, reference))) => {
            let media_type = header(&head.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
            let digest = inner.store.put_manifest(name, reference, &media_type, content);
            (StatusCode::CREATED, [(DIGEST_HEADER, digest)]).into_response()
        }
        ("DELETE", Some(Target::Manifest(_, reference))) => {
            let gone = inner.store.delete(name, reference);
            if gone { StatusCode::ACCEPTED.into_response() } else { unknown("MANIFEST") }
        }
        ("POST", Some(Target::Upload(_))) => {
            (StatusCode::ACCEPTED, [(LOCATION, format!("/v2/{name}/blobs/uploads/1"))]).into_response()
        }
        ("PUT", Some(Target::Upload(_))) => {
            let digest = inner.store.put_blob(name, content);
            (StatusCode::CREATED, [(DIGEST_HEADER, digest)]).into_response()
        }
        ("GET" | "HEAD", Some(Target::Blob(_, digest))) => {
            inner.store.blob(name, digest).map_or_else(|| unknown("BLOB"), IntoResponse::into_response)
        }
        _ => error(StatusCode::NOT_FOUND, "UNSUPPORTED"),
    }
}

/// Reads `<name>/tags/list`, `<name>/manifests/<reference>`, `<name>/blobs/…`; a name may have slashes.
fn find_target(rest: &str) -> Option<Target<'_>> {
    if let Some(name) = rest.strip_suffix("/tags/list") {
        return Some(Target::Tags(name));
    }
    if let Some((name, _)) = rest.split_once("/blobs/uploads/") {
        return Some(Target::Upload(name));
    }
    let (before, last) = rest.rsplit_once('/')?;
    match before.rsplit_once('/')? {
        (name, "manifests") => Some(Target::Manifest(name, last)),
        (name, "blobs") => Some(Target::Blob(name, last)),
        _ => None,
    }
}

fn list(inner: &Inner, name: &str, query: &str) -> Response {
    let parameter = |key: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let asked = parameter("n").map(|n| n.parse::<usize>());
    let limit = match asked {
        None => inner.options.max_page.unwrap_or(usize::MAX),
        Some(Ok(n)) if n <= inner.options.refuse_over.unwrap_or(usize::MAX) => {
            n.min(inner.options.max_page.unwrap_or(usize::MAX))
        }
        Some(_) => return error(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID"),
    };
    let Some((tags, more)) = inner.store.tags(name, parameter("last").as_deref(), limit) else {
        return unknown("NAME");
    };
    let body = json!({"name": name, "tags": tags}).to_string();
    let mut answer = (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response();
    if let (true, Some(last), false) = (more, tags.last(), inner.options.without_links) {
        let link = format!("</v2/{name}/tags/list?last={last}&n={limit}>; rel=\"next\"");
        answer.headers_mut().insert(LINK, link.parse().expect("tags fit a header"));
    }
    answer
}

fn show_manifest(manifest: &super::store::Manifest, options: Options) -> Response {
    let mut answer = manifest.content.clone().into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, manifest.media_type.parse().expect("it came in a header"));
    headers.insert(CONTENT_LENGTH, manifest.content.len().into());
    if !options.without_digests {
        headers.insert(DIGEST_HEADER, manifest.digest.parse().expect("a digest fits a header"));
    }
    answer
}

fn unknown(what: &str) -> Response {
    error(StatusCode::NOT_FOUND, &format!("{what}_UNKNOWN"))
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = json!({"errors": [{"code": code, "message": "by the sandbox"}]}).to_string();
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
