//! The fault proxy itself: what it promises of each kind of trouble.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tidegate_tests::sandbox::client;
use tidegate_tests::sandbox::proxy::{Action, FaultProxy, Moment, When};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(10);

/// A server that counts what reaches it, echoes bodies, and streams what a test sends.
struct Upstream {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
    feed: mpsc::Sender<Bytes>,
}

type Feed = Arc<tokio::sync::Mutex<Option<mpsc::Receiver<Bytes>>>>;

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(AtomicUsize::new(0));
        let (feed, events) = mpsc::channel(8);
        let events: Feed = Arc::new(tokio::sync::Mutex::new(Some(events)));
        let app = axum::Router::new().fallback(answer).with_state((Arc::clone(&seen), events));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen, feed }
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

async fn answer(State((seen, events)): State<(Arc<AtomicUsize>, Feed)>, request: Request) -> Response {
    seen.fetch_add(1, Ordering::SeqCst);
    match request.uri().path() {
        "/watch" => {
            let events = events.lock().await.take().expect("one watch a test");
            let stream = futures::stream::unfold(events, |mut events| async {
                events.recv().await.map(|event| (Ok::<_, Infallible>(event), events))
            });
            Body::from_stream(stream).into_response()
        }
        "/headers" => format!("{:?}", request.headers()).into_response(),
        _ => Body::from_stream(request.into_body().into_data_stream()).into_response(),
    }
}

async fn start() -> (Upstream, FaultProxy) {
    let upstream = Upstream::start().await;
    let proxy = FaultProxy::start(upstream.address).await;
    (upstream, proxy)
}

async fn post(proxy: &FaultProxy, path: &str, body: &str) -> reqwest::Result<String> {
    let url = format!("{}{path}", proxy.url());
    client::new().post(url).body(body.to_owned()).send().await?.error_for_status()?.text().await
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn without_rules_a_request_passes_as_it_is() {
    let (upstream, proxy) = start().await;
    assert_eq!(post(&proxy, "/a?b=c", "hello").await.expect("answered"), "hello");
    assert_eq!(upstream.seen(), 1);
    assert_eq!(proxy.requests(), [("POST".to_owned(), "/a?b=c".to_owned())]);
    let request = client::new().get(format!("{}/headers", proxy.url())).header("authorization", "Bearer x");
    let headers = request.send().await.expect("answered").text().await.expect("text");
    assert!(headers.contains("Bearer x") && headers.contains(&proxy.address().to_string()), "{headers}");
}

#[tokio::test]
async fn a_watch_flows_event_by_event_and_ends_with_its_client() {
    let (upstream, proxy) = start().await;
    let answer = client::new().get(format!("{}/watch", proxy.url())).send().await.expect("answered");
    let mut events = answer.bytes_stream();
    for event in ["one", "two"] {
        upstream.feed.send(event.into()).await.expect("the watch is open");
        // Each event comes before the next one is sent.
        let got = tokio::time::timeout(LIMIT, events.next()).await.expect("in time");
        assert_eq!(got.expect("open").expect("bytes"), event);
    }
    drop(events);
    tokio::time::timeout(LIMIT, upstream.feed.closed()).await.expect("the server's side ends too");
}

#[tokio::test]
async fn the_nth_request_is_answered_by_the_proxy() {
    let (upstream, proxy) = start().await;
    let busy = Action::Respond {
        status: 503,
        headers: vec![("retry-after".into(), "7".into())],
        body: "busy".into(),
    };
    proxy.on(When::new("POST", "/a").nth(2), busy);
    post(&proxy, "/b", "").await.expect("another path");
    post(&proxy, "/a", "").await.expect("the first");
    let answer = client::new().post(format!("{}/a", proxy.url())).send().await.expect("answered");
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!((answer.status().as_u16(), answer.text().await.expect("text").as_str()), (503, "busy"));
    post(&proxy, "/a", "").await.expect("the third");
    assert_eq!(upstream.seen(), 3);
    assert_eq!(proxy.count(&When::path("/a")), 3);
}

#[tokio::test]
async fn a_dropped_request_never_reaches_the_server() {
    let (upstream, proxy) = start().await;
    proxy.on(When::any().times(1), Action::Drop);
    post(&proxy, "/a", "x").await.expect_err("dropped");
    assert_eq!(upstream.seen(), 0);
    post(&proxy, "/a", "x").await.expect("only once");
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_server_having_acted() {
    let (upstream, proxy) = start().await;
    proxy.on(When::any().times(1), Action::DropAnswer);
    post(&proxy, "/a", "x").await.expect_err("the answer is lost");
    assert_eq!(upstream.seen(), 1);
}

#[tokio::test]
async fn an_answer_is_cut_after_so_many_bytes() {
    let (_upstream, proxy) = start().await;
    proxy.on(When::any(), Action::Cut(3));
    let answer = client::new().post(proxy.url()).body("abcdef").send().await.expect("the head comes");
    let mut body = answer.bytes_stream();
    assert_eq!(body.next().await.expect("a part").expect("bytes"), "abc");
    body.next().await.expect("not the end").expect_err("cut");
}

#[tokio::test]
async fn a_delayed_request_arrives_late() {
    let (_upstream, proxy) = start().await;
    proxy.on(When::any(), Action::Delay(Duration::from_millis(100)));
    let begun = Instant::now();
    post(&proxy, "/a", "x").await.expect("answered");
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn the_world_stops_before_the_server_sees_the_request() {
    let (upstream, proxy) = start().await;
    let proxy = Arc::new(proxy);
    let stop = proxy.stop(When::path("/apply").nth(2), Moment::BeforeForwarding);
    post(&proxy, "/apply", "1").await.expect("the first passes");
    let [held, later] = ["/apply", "/other"].map(|path| {
        let proxy = Arc::clone(&proxy);
        async move { post(&proxy, path, "2").await }
    });
    let held = tokio::spawn(held);
    stop.reached(LIMIT).await;
    // What comes later waits too.
    let later = tokio::spawn(later);
    until("the later request arrives", || proxy.count(&When::path("/other")) == 1).await;
    assert_eq!((upstream.seen(), held.is_finished(), later.is_finished()), (1, false, false));
    stop.release();
    assert_eq!(held.await.expect("no panic").expect("answered"), "2");
    assert_eq!(later.await.expect("no panic").expect("answered"), "2");
    assert_eq!(upstream.seen(), 3);
}

#[tokio::test]
async fn the_world_stops_after_the_server_has_acted() {
    let (upstream, proxy) = start().await;
    let proxy = Arc::new(proxy);
    let stop = proxy.stop(When::any(), Moment::AfterAnswer);
    let held = tokio::spawn({
        let proxy = Arc::clone(&proxy);
        async move { post(&proxy, "/push", "x").await }
    });
    stop.reached(LIMIT).await;
    assert_eq!((upstream.seen(), held.is_finished()), (1, false));
    stop.abandon();
    held.await.expect("no panic").expect_err("the answer is lost");
    post(&proxy, "/push", "x").await.expect("the world goes on");
}

#[tokio::test]
async fn a_request_whose_client_died_while_it_was_stopped_is_never_forwarded() {
    let (upstream, proxy) = start().await;
    let proxy = Arc::new(proxy);
    let stop = proxy.stop(When::path("/apply"), Moment::BeforeForwarding);
    let dying = tokio::spawn({
        let proxy = Arc::clone(&proxy);
        async move { post(&proxy, "/apply", "x").await }
    });
    stop.reached(LIMIT).await;
    dying.abort();
    dying.await.expect_err("aborted");
    drop(stop);
    post(&proxy, "/other", "x").await.expect("the world goes on");
    assert_eq!(upstream.seen(), 1);
}

#[tokio::test]
async fn a_partition_cuts_everything_until_it_heals() {
    let (upstream, proxy) = start().await;
    let answer = client::new().get(format!("{}/watch", proxy.url())).send().await.expect("answered");
    proxy.go_down();
    answer.bytes().await.expect_err("cut");
    post(&proxy, "/a", "x").await.expect_err("refused");
    proxy.come_up();
    post(&proxy, "/a", "x").await.expect("healed");
    until("the watch is closed", || upstream.feed.is_closed()).await;
    assert_eq!(upstream.seen(), 2);
}

#[tokio::test]
async fn a_dead_server_looks_dead() {
    let (upstream, proxy) = start().await;
    drop(proxy);
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let nobody = unused.local_addr().expect("bound");
    drop(unused);
    let proxy = FaultProxy::start(nobody).await;
    post(&proxy, "/a", "x").await.expect_err("there is nobody");
    assert_eq!(upstream.seen(), 0);
}
