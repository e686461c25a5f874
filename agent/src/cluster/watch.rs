//! Watches that go on: they list again when they were away for too long and back off when refused.
//!
//! Called by [`super::kubernetes`]. Not here: what a change means (`tidegate_policy::sync`).

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, future, stream};
use kube::Api;
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Event, watcher};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::connect::Connection;
use super::live::live_meta;
use super::refusal::{Refusal, is_expired};
use super::request::unreachable;
use super::{Content, ServedKind, WatchEvent};
use crate::backoff::Backoff;
use crate::error::{Failure, Kind};

/// How long a list may take; a watch that has been listed is quiet for minutes.
const LIST_WITHIN: Duration = Duration::from_secs(60);

type Events = BoxStream<'static, Result<Event<serde_json::Value>, watcher::Error>>;

/// Starts a watch of all namespaces.
pub(super) fn watch(
    connection: &Connection,
    kind: &ServedKind,
    label_selector: Option<&str>,
    content: Content,
    backoff: Backoff,
) -> BoxStream<'static, WatchEvent> {
    let group = &kind.kind.group;
    let resource = ApiResource {
        group: group.clone(),
        version: kind.version.clone(),
        api_version: if group.is_empty() {
            kind.version.clone()
        } else {
            format!("{group}/{}", kind.version)
        },
        kind: kind.kind.kind.clone(),
        plural: kind.plural.clone(),
    };
    let config =
        watcher::Config { label_selector: label_selector.map(str::to_owned), ..watcher::Config::default() };
    let client = connection.watch_client.clone();
    let open = move || -> Events {
        let (client, config) = (client.clone(), config.clone());
        match content {
            Content::Metadata => {
                let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client, &resource);
                watcher(api, config).map(values).boxed()
            }
            Content::Full => {
                let api: Api<DynamicObject> = Api::all_with(client, &resource);
                watcher(api, config).map(values).boxed()
            }
        }
    };
    let watch = Watch {
        events: open(),
        open: Box::new(open),
        kind: kind.clone(),
        server: connection.server.clone(),
        listing: true,
        wait: None,
        backoff,
    };
    endless(watch).boxed()
}

struct Watch {
    events: Events,
    open: Box<dyn Fn() -> Events + Send + Sync>,
    kind: ServedKind,
    server: String,
    /// Between a restart and the end of its list.
    listing: bool,
    /// To be waited before the next event is asked for.
    wait: Option<Duration>,
    backoff: Backoff,
}

fn endless(watch: Watch) -> impl Stream<Item = WatchEvent> + Send {
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await;
        Some((event, watch))
    })
    .filter_map(future::ready)
}

impl Watch {
    async fn next(&mut self) -> Option<WatchEvent> {
        if let Some(wait) = self.wait.take() {
            sleep(wait).await;
        }
        let next = if self.listing {
            // Nothing below limits a list, and a half-open connection would hold it for minutes.
            timeout(LIST_WITHIN, self.events.next()).await
        } else {
            Ok(self.events.next().await)
        };
        match next {
            Ok(Some(Ok(event))) => self.translate(event),
            Ok(Some(Err(error))) => self.failed(error),
            Ok(None) | Err(_) => {
                self.events = (self.open)();
                self.wait = Some(self.backoff.failed(None));
                Some(WatchEvent::Failing(format!(
                    "the list of {} does not come from {}",
                    self.kind.kind, self.server
                )))
            }
        }
    }

    fn translate(&mut self, event: Event<serde_json::Value>) -> Option<WatchEvent> {
        // A restart alone is no success: it comes before every attempt to list.
        match event {
            Event::Init => {
                self.listing = true;
                Some(WatchEvent::Restarted)
            }
            Event::InitDone => {
                self.listing = false;
                self.backoff.succeeded();
                Some(WatchEvent::Listed)
            }
            Event::InitApply(value) => self.object(value).map(|live| WatchEvent::Changed(Box::new(live))),
            Event::Apply(value) => {
                self.backoff.succeeded();
                self.object(value).map(|live| WatchEvent::Changed(Box::new(live)))
            }
            Event::Delete(value) => self.object(value).map(|live| WatchEvent::Deleted(Box::new(live))),
        }
    }

    fn object(&self, value: serde_json::Value) -> Option<super::LiveMeta> {
        live_meta(&self.kind, &self.kind.version, value)
            .inspect_err(|failure| tracing::warn!(event = "watch", "{}", failure.chain()))
            .ok()
    }

    fn failed(&mut self, error: watcher::Error) -> Option<WatchEvent> {
        let failure = self.explain(error);
        let after = match failure.as_ref().map(|failure| failure.kind) {
            Some(Kind::Retry { after }) => after,
            _ => None,
        };
        self.wait = Some(self.backoff.failed(after));
        failure.map(|failure| WatchEvent::Failing(failure.chain()))
    }

    /// Says why; `None` if the watch was only away for too long.
    fn explain(&self, error: watcher::Error) -> Option<Failure> {
        use watcher::Error::{
            InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed,
        };
        let what = format!("watch {}", self.kind.kind);
        let status = match error {
            WatchError(status)
            | WatchStartFailed(kube::Error::Api(status))
            | InitialListFailed(kube::Error::Api(status))
            | WatchFailed(kube::Error::Api(status)) => status,
            InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) => {
                return Some(unreachable(&what, &self.server, error));
            }
            NoResourceVersion => {
                return Some(Failure::reject(format!(
                    "cannot {what} at {}: it cannot be watched",
                    self.server
                )));
            }
        };
        if is_expired(&status) {
            return None;
        }
        let server = self.server.clone();
        Some(Refusal { what, server, status, retry_after: None, secretive: false }.failure())
    }
}

fn values<T: Serialize>(
    event: Result<Event<T>, watcher::Error>,
) -> Result<Event<serde_json::Value>, watcher::Error> {
    // Kubernetes objects are JSON by nature; one that is not becomes null and is reported as unreadable.
    let value = |object: T| serde_json::to_value(object).unwrap_or_default();
    Ok(match event? {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(value(object)),
        Event::Apply(object) => Event::Apply(value(object)),
        Event::Delete(object) => Event::Delete(value(object)),
    })
}

#[cfg(test)]
mod tests;
