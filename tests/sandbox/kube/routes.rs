//! HTTP: one handler that reads the target, meets the faults of a test, acts on the store and notes the request.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Value, json};

use super::apply::Writer;
use super::delete::{self, DeleteOptions, Propagation};
use super::discovery;
use super::failure::ApiFailure;
use super::patch;
use super::reply::{self, Form};
use super::scale;
use super::selector::Selector;
use super::server::Server;
use super::shape::Shape;
use super::store::{Key, Store};
use super::target::{Query, Target};
use super::traffic::{Fault, Request};
use super::watch;
use super::write::{self, Write, Written};

/// The router of a server.
pub fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(handle).layer(axum::extract::DefaultBodyLimit::max(16 << 20)).with_state(server)
}

/// The patches that are served; the first is server-side apply.
const PATCHES: [&str; 3] = [
    "application/apply-patch+yaml",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

struct Call {
    method: Method,
    path: String,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The field manager: what the query names, else the first part of the user agent.
    fn manager(&self) -> String {
        let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default().to_owned();
        self.query.get("fieldManager").map_or(agent, str::to_owned)
    }
}

async fn handle(
    State(server): State<Arc<Server>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let full_path = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
    let query = Query::parse(uri.query().unwrap_or_default());
    let call = Call { method, path: uri.path().to_owned(), query, headers, body };
    let fault = server.traffic.fault_for(call.method.as_str(), &full_path);
    let response = match &fault {
        Some(Fault::Status(code)) => reply::failure(&ApiFailure::injected(*code)),
        Some(Fault::Delay(wait)) => {
            tokio::time::sleep(*wait).await;
            answer(&server, &call)
        }
        Some(Fault::DropAnswer) | None => answer(&server, &call),
    };
    server.traffic.note(Request {
        method: call.method.to_string(),
        path: full_path,
        user_agent: call.header(header::USER_AGENT).to_owned(),
        status: response.status().as_u16(),
    });
    if matches!(fault, Some(Fault::DropAnswer)) { reply::cut() } else { response }
}

fn answer(server: &Arc<Server>, call: &Call) -> Response {
    route(server, call).unwrap_or_else(|failure| reply::failure(&failure))
}

fn route(server: &Arc<Server>, call: &Call) -> Result<Response, ApiFailure> {
    match call.path.as_str() {
        "/healthz" | "/readyz" | "/livez" => return Ok(reply::text(200, "ok")),
        "/version" => return Ok(reply::json(200, &version())),
        _ => {}
    }
    let form = reply::form(call.header(header::ACCEPT))?;
    if let Some(document) = discovery::answer(&call.path, form == Form::Aggregated) {
        let combined = matches!(call.path.trim_matches('/'), "api" | "apis");
        let aggregated = form == Form::Aggregated && combined;
        return Ok(if aggregated { reply::aggregated(&document) } else { reply::json(200, &document) });
    }
    let Some(target) = Target::parse(&call.path) else {
        return if Target::is_served_group(&call.path) {
            Err(ApiFailure::no_route())
        } else {
            Ok(reply::text(404, "404 page not found\n"))
        };
    };
    match (&target.name, call.method.as_str()) {
        (None, "GET") => list(server, call, &target, form),
        (None, "POST") => post(server, call, &target, form),
        (None, "DELETE") => delete_all(server, call, &target),
        (Some(name), "GET") => get(server, call, &target, name, form),
        (Some(name), "PUT") => put(server, call, &target, name, form),
        (Some(name), "PATCH") => patch(server, call, &target, name, form),
        (Some(name), "DELETE") if target.subresource.is_empty() => {
            let options = delete_options(call, &target)?;
            let namespace = target.namespace.as_deref();
            let gone = server.write(|store| delete::delete(store, target.kind, namespace, name, &options))?;
            Ok(reply::json(200, &reply::object(&gone, form)))
        }
        _ => Err(ApiFailure::no_such_verb()),
    }
}

fn version() -> Value {
    json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3+sandbox", "platform": "linux/amd64"})
}

fn list(server: &Arc<Server>, call: &Call, target: &Target, form: Form) -> Result<Response, ApiFailure> {
    let selector = Selector::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
    if call.query.flag("watch") {
        return watch::open(server, target, &call.query, form, selector);
    }
    let wanted = call.query.resource_version()?.unwrap_or(0);
    let (items, version) = server.read(|store| {
        let found = store.list(target.kind, target.namespace.as_deref());
        let items: Vec<Arc<Value>> =
            found.filter(|(_, object)| selector.matches(object)).map(|(_, object)| object.clone()).collect();
        (items, store.version())
    });
    if wanted > version {
        return Err(ApiFailure::too_new(wanted, version));
    }
    Ok(reply::json(200, &reply::list(target.kind, &items, version, form)))
}

fn get(
    server: &Arc<Server>,
    call: &Call,
    target: &Target,
    name: &str,
    form: Form,
) -> Result<Response, ApiFailure> {
    if call.query.flag("watch") {
        let selector = Selector::parse(None, Some(&format!("metadata.name={name}")))?;
        return watch::open(server, target, &call.query, form, selector);
    }
    let key = Key::new(target.kind, target.namespace.as_deref(), name);
    let object = server
        .read(|store| store.get(&key).cloned())
        .ok_or_else(|| ApiFailure::not_found(target.kind, name))?;
    let shown = if target.subresource == "scale" { scale::of(&object) } else { (*object).clone() };
    Ok(reply::json(200, &reply::object(&shown, form)))
}

fn write_of(call: &Call, target: &Target) -> Result<Write, ApiFailure> {
    let options = match call.method.as_str() {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        _ => "PatchOptions",
    };
    let writer = Writer { manager: call.manager(), subresource: target.subresource.clone() };
    Ok(Write { writer, dry_run: call.query.dry_run(options)?, unknown: call.query.unknown() })
}

fn body(call: &Call) -> Result<Value, ApiFailure> {
    let kind = call.header(header::CONTENT_TYPE);
    if kind.contains("yaml") {
        return serde_yaml::from_slice(&call.body)
            .map_err(|error| ApiFailure::bad_request(format!("error decoding YAML: {error}")));
    }
    if !(kind.is_empty() || kind.contains("json")) {
        return Err(ApiFailure::unsupported_media(format!(
            "the body of the request was in an unknown format: {kind}"
        )));
    }
    serde_json::from_slice(&call.body)
        .map_err(|error| ApiFailure::bad_request(format!("error decoding JSON: {error}")))
}

fn written(outcome: &Written, target: &Target, form: Form) -> Response {
    let code = if outcome.created { 201 } else { 200 };
    let object = &outcome.object;
    let shown = if target.subresource == "scale" { scale::of(object) } else { (**object).clone() };
    reply::json(code, &reply::object(&shown, form))
}

fn post(server: &Arc<Server>, call: &Call, target: &Target, form: Form) -> Result<Response, ApiFailure> {
    let write = write_of(call, target)?;
    let object = body(call)?;
    if target.kind.namespaced && target.namespace.is_none() {
        return Err(ApiFailure::no_such_verb());
    }
    let namespace = target.namespace.as_deref();
    let outcome = server.write(|store| write::create(store, target.kind, namespace, object, &write))?;
    Ok(written(&outcome, target, form))
}

fn put(
    server: &Arc<Server>,
    call: &Call,
    target: &Target,
    name: &str,
    form: Form,
) -> Result<Response, ApiFailure> {
    let write = write_of(call, target)?;
    let object = body(call)?;
    let namespace = target.namespace.as_deref();
    let outcome = server.write(|store| {
        if target.subresource == "scale" {
            write::patch(store, target.kind, namespace, name, &write, |live| scale::put(live, &object))
        } else {
            write::replace(store, target.kind, namespace, name, object, &write)
        }
    })?;
    Ok(written(&outcome, target, form))
}

fn patch(
    server: &Arc<Server>,
    call: &Call,
    target: &Target,
    name: &str,
    form: Form,
) -> Result<Response, ApiFailure> {
    let write = write_of(call, target)?;
    let media = call.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned();
    if !PATCHES.contains(&media.as_str()) {
        return Err(ApiFailure::unsupported_media("415: Unsupported Media Type"));
    }
    if media != PATCHES[0] && call.query.get("force").is_some() {
        let why = "Forbidden: may not be specified for non-apply patch";
        return Err(ApiFailure::invalid_options("PatchOptions", "force", why));
    }
    let change = body(call)?;
    let outcome = server.write(|store| match media.as_str() {
        "application/apply-patch+yaml" => apply(store, call, target, name, change, &write),
        "application/merge-patch+json" => {
            by_patch(store, target, name, &write, |live| Ok(patch::merge(live, &change)))
        }
        _ => by_patch(store, target, name, &write, |live| {
            patch::strategic(live, &change, Shape::Granular(target.kind.fields))
        }),
    })?;
    Ok(written(&outcome, target, form))
}

fn by_patch(
    store: &mut Store,
    target: &Target,
    name: &str,
    write: &Write,
    change: impl FnOnce(&Value) -> Result<Value, ApiFailure>,
) -> Result<Written, ApiFailure> {
    let namespace = target.namespace.as_deref();
    write::patch(store, target.kind, namespace, name, write, |live| {
        if target.subresource == "scale" {
            scale::put(live, &change(&scale::of(live))?)
        } else {
            change(live)
        }
    })
}

fn apply(
    store: &mut Store,
    call: &Call,
    target: &Target,
    name: &str,
    config: Value,
    write: &Write,
) -> Result<Written, ApiFailure> {
    if call.query.get("fieldManager").is_none() {
        let why = "Required value: is required for apply patch";
        return Err(ApiFailure::invalid_options("PatchOptions", "fieldManager", why));
    }
    if target.subresource == "scale" {
        return Err(ApiFailure::unsupported_media("apply of the scale subresource is not served here"));
    }
    let force = call.query.flag("force");
    write::apply(store, target.kind, target.namespace.as_deref(), name, config, force, write)
}

fn delete_options(call: &Call, target: &Target) -> Result<DeleteOptions, ApiFailure> {
    let body: Value = if call.body.is_empty() { json!({}) } else { body(call)? };
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let policy =
        text("/propagationPolicy").or_else(|| call.query.get("propagationPolicy").map(str::to_owned));
    let propagation = match policy.as_deref() {
        Some("Orphan") => Propagation::Orphan,
        Some("Foreground") => Propagation::Foreground,
        Some("Background") => Propagation::Background,
        Some(other) => {
            let known = "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            let why = format!("Unsupported value: {other:?}: {known}");
            return Err(ApiFailure::invalid_options("DeleteOptions", "propagationPolicy", &why));
        }
        // Jobs keep the default of the time when they had no collector.
        None if target.kind.kind == "Job" => Propagation::Orphan,
        None => Propagation::Background,
    };
    let dry_run = call.query.dry_run("DeleteOptions")? || body["dryRun"] == json!(["All"]);
    Ok(DeleteOptions {
        propagation,
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        dry_run,
    })
}

fn delete_all(server: &Arc<Server>, call: &Call, target: &Target) -> Result<Response, ApiFailure> {
    let selector = Selector::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
    let options = delete_options(call, target)?;
    let deleted = server.write(|store| {
        let found = store.list(target.kind, target.namespace.as_deref());
        let doomed: Vec<(Key, Arc<Value>)> = found
            .filter(|(_, object)| selector.matches(object))
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        let mut items = Vec::new();
        for (key, object) in doomed {
            let namespace = Some(key.namespace.as_str()).filter(|namespace| !namespace.is_empty());
            delete::delete(store, target.kind, namespace, &key.name, &options)?;
            items.push(object);
        }
        Ok(reply::list(target.kind, &items, store.version(), Form::Whole))
    })?;
    Ok(reply::json(200, &deleted))
}
