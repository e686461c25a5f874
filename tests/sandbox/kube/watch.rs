//! Watches: initial events, changes from the store's log, bookmarks, 410 when the log no longer reaches back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::failure::ApiFailure;
use super::kinds::Kind;
use super::reply::{self, Form};
use super::selector::Selector;
use super::server::Server;
use super::store::{Change, Store};
use super::target::{Query, Target};

struct Watch {
    server: Arc<Server>,
    seen: tokio::sync::watch::Receiver<u64>,
    kind: &'static Kind,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    cursor: u64,
    pending: VecDeque<Value>,
    bookmarks: bool,
    next_bookmark: Instant,
    end: Instant,
    over: bool,
}

/// Opens a watch.
pub fn open(
    server: &Arc<Server>,
    target: &Target,
    query: &Query,
    form: Form,
    selector: Selector,
) -> Result<Response, ApiFailure> {
    let seconds = query.get("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(1800);
    let since = query.resource_version()?;
    let mut watch = Watch {
        server: server.clone(),
        seen: server.subscribe(),
        kind: target.kind,
        namespace: target.namespace.clone(),
        selector,
        form,
        cursor: 0,
        pending: VecDeque::new(),
        bookmarks: query.flag("allowWatchBookmarks"),
        next_bookmark: Instant::now() + server.options.bookmark_interval,
        end: Instant::now() + Duration::from_secs(seconds),
        over: false,
    };
    server.read(|store| watch.begin(store, since, query.flag("sendInitialEvents")))?;
    let lines = stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<Bytes, std::io::Error>(line), watch))
    });
    Ok(reply::respond(200, "application/json", Body::from_stream(lines)))
}

impl Watch {
    fn begin(&mut self, store: &Store, since: Option<u64>, initial: bool) -> Result<(), ApiFailure> {
        if let Some(version) = since.filter(|version| *version > store.version()) {
            return Err(ApiFailure::too_new(version, store.version()));
        }
        match since {
            Some(version) if version > 0 && !initial => self.cursor = version,
            _ => {
                self.cursor = store.version();
                let found = store.list(self.kind, self.namespace.as_deref());
                for (_, object) in found.filter(|(_, object)| self.selector.matches(object)) {
                    self.pending.push_back(event("ADDED", &reply::object(object, self.form)));
                }
                if initial && self.bookmarks {
                    self.pending.push_back(self.bookmark(true));
                }
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(value) = self.pending.pop_front() {
                return Some(Bytes::from(format!("{value}\n")));
            }
            if self.over {
                return None;
            }
            self.seen.borrow_and_update();
            self.read_changes();
            if !self.pending.is_empty() || self.over {
                continue;
            }
            let bookmark_at = if self.bookmarks { self.next_bookmark } else { self.end };
            tokio::select! {
                () = self.server.stop.cancelled() => return None,
                () = tokio::time::sleep_until(self.end) => {
                    self.over = true;
                    if self.bookmarks {
                        self.pending.push_back(self.bookmark(false));
                    }
                }
                () = tokio::time::sleep_until(bookmark_at), if self.bookmarks => {
                    self.next_bookmark = Instant::now() + self.server.options.bookmark_interval;
                    self.pending.push_back(self.bookmark(false));
                }
                changed = self.seen.changed() => changed.ok()?,
            }
        }
    }

    fn read_changes(&mut self) {
        let (cursor, kind, namespace) = (self.cursor, self.kind, self.namespace.clone());
        let (changes, version, forgotten) = self.server.read(|store| {
            (store.since(cursor, kind, namespace.as_deref()), store.version(), store.forgotten())
        });
        let Some(changes) = changes else {
            self.pending.push_back(event("ERROR", &ApiFailure::expired(cursor, forgotten).status()));
            self.over = true;
            return;
        };
        self.cursor = version;
        let events: Vec<Value> = changes.iter().filter_map(|change| self.event_of(change)).collect();
        self.pending.extend(events);
    }

    fn event_of(&self, change: &Change) -> Option<Value> {
        let selected = |object: &Option<Arc<Value>>| {
            object.as_ref().filter(|object| self.selector.matches(object)).cloned()
        };
        let (before, after) = (selected(&change.before), selected(&change.after));
        match (before, after) {
            (None, Some(after)) => Some(event("ADDED", &reply::object(&after, self.form))),
            (Some(_), Some(after)) => Some(event("MODIFIED", &reply::object(&after, self.form))),
            (Some(before), None) => {
                let mut last = reply::object(&before, self.form);
                last["metadata"]["resourceVersion"] = json!(change.version.to_string());
                Some(event("DELETED", &last))
            }
            (None, None) => None,
        }
    }

    fn bookmark(&self, ends_initial: bool) -> Value {
        let mut metadata = json!({"resourceVersion": self.cursor.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let whole =
            json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata});
        event("BOOKMARK", &reply::object(&whole, self.form))
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}
