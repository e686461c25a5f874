use std::sync::{Arc, Mutex};

use kube::core::Status;
use serde_json::json;
use tokio::time::Instant;

use super::super::live::config_maps;
use super::*;
use crate::backoff::Jitter;

type Outcome = Result<Event<serde_json::Value>, watcher::Error>;

/// A watch whose `n`th opening gives the `n`th script and then stays silent.
fn scripted(scripts: Vec<Vec<Outcome>>) -> impl Stream<Item = WatchEvent> + Unpin {
    let scripts = Arc::new(Mutex::new(scripts.into_iter()));
    let open = move || -> Events {
        let script = scripts.lock().unwrap().next().unwrap_or_default();
        stream::iter(script).chain(stream::pending()).boxed()
    };
    let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), Jitter::new(1));
    let (kind, server) = (config_maps(), "https://api".to_owned());
    let watch =
        Watch { events: open(), open: Box::new(open), kind, server, listing: true, wait: None, backoff };
    endless(watch).boxed()
}

fn object(name: &str) -> serde_json::Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "1"}})
}

fn refused(code: u16, message: &str) -> watcher::Error {
    let status = Status::failure(message, "").with_code(code).boxed();
    if code == 410 {
        watcher::Error::WatchError(status)
    } else {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
    }
}

/// Names the next `count` events and says how long they took.
async fn take(watch: &mut (impl Stream<Item = WatchEvent> + Unpin), count: usize) -> (Vec<String>, Duration) {
    let start = Instant::now();
    let events = watch.take(count).map(|event| match event {
        WatchEvent::Restarted => "restarted".to_owned(),
        WatchEvent::Listed => "listed".to_owned(),
        WatchEvent::Changed(live) => format!("changed {}", live.id),
        WatchEvent::Deleted(live) => format!("deleted {}", live.id),
        WatchEvent::Failing(text) => text,
    });
    (events.collect().await, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn events_are_passed_on_in_order() {
    let mut watch = scripted(vec![vec![
        Ok(Event::Init),
        Ok(Event::InitApply(object("a"))),
        Ok(Event::InitDone),
        Ok(Event::Apply(object("b"))),
        Ok(Event::Delete(object("a"))),
    ]]);
    let (events, _) = take(&mut watch, 5).await;
    let expect = [
        "restarted",
        "changed ConfigMap/shop/a",
        "listed",
        "changed ConfigMap/shop/b",
        "deleted ConfigMap/shop/a",
    ];
    assert_eq!(events, expect);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_come_is_asked_for_again() {
    let mut watch = scripted(vec![vec![Ok(Event::Init)], vec![Ok(Event::Init), Ok(Event::InitDone)]]);
    let (events, took) = take(&mut watch, 4).await;
    assert_eq!(events[1], "the list of ConfigMap does not come from https://api");
    assert_eq!(events[2..], ["restarted", "listed"]);
    assert!(took >= LIST_WITHIN && took < LIST_WITHIN + Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_listed_watch_may_be_silent() {
    let mut watch = scripted(vec![vec![Ok(Event::Init), Ok(Event::InitDone)]]);
    take(&mut watch, 2).await;
    assert!(timeout(Duration::from_secs(3600), watch.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_and_waited_for_longer_and_longer() {
    let refusals = (0..10).flat_map(|_| [Ok(Event::Init), Err(refused(403, "x cannot list configmaps"))]);
    let mut watch = scripted(vec![refusals.collect()]);
    let (events, took) = take(&mut watch, 20).await;
    assert!(
        events[1].contains("cannot list configmaps") && events[1].contains("https://api"),
        "{}",
        events[1]
    );
    // A restart before each refusal is no success: nine waits of 0.5 s, 1 s, … 30 s, at least half of each.
    assert!(took > Duration::from_secs(60), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_expired_watch_lists_again_without_a_word() {
    let mut watch = scripted(vec![vec![
        Ok(Event::Init),
        Ok(Event::InitDone),
        Err(refused(410, "too old resource version")),
        Ok(Event::Init),
        Ok(Event::InitDone),
    ]]);
    let (events, took) = take(&mut watch, 4).await;
    assert_eq!(events, ["restarted", "listed", "restarted", "listed"]);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
