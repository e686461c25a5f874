//! A proxy that stands before any HTTP server on loopback and makes trouble at chosen requests.
//!
//! It forwards HTTP/1.1 both ways without buffering, so watches pass. Upstreams may speak HTTPS with any
//! certificate; the client side is always plain HTTP. Not here: faults inside a server (`registry`, …).

mod line;
mod rule;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::{Router, serve};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, StatusCode};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::line::{Cut, LineListener};
pub use self::rule::{Action, Moment, Stop, When};
use self::rule::{Barrier, Effect, Rules};

/// Headers that concern one connection only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
/// Long enough for a written part of an answer to leave before the line is cut.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// A proxy before one server. Dropping it ends it and cuts its connections.
pub struct FaultProxy {
    address: SocketAddr,
    rules: Arc<Rules>,
    lines: Arc<Mutex<CancellationToken>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Forwarder {
    client: Client,
    upstream: String,
    rules: Arc<Rules>,
}

impl FaultProxy {
    /// Starts a proxy on a free port before a server that speaks plain HTTP.
    pub async fn start(upstream: SocketAddr) -> Self {
        Self::before(format!("http://{upstream}")).await
    }

    /// Starts a proxy on a free port before a server that speaks HTTPS; its certificate is not checked.
    pub async fn start_https(upstream: SocketAddr) -> Self {
        Self::before(format!("https://{upstream}")).await
    }

    async fn before(upstream: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let rules = Arc::new(Rules::default());
        let lines = Arc::new(Mutex::new(CancellationToken::new()));
        let forwarder = Forwarder { client: super::client::new(), upstream, rules: Arc::clone(&rules) };
        let app = Router::new().fallback(handle).with_state(forwarder);
        let parents = Arc::clone(&lines);
        let parent = move || parents.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let listener = LineListener { listener, parent };
        let task = tokio::spawn(async move {
            let served = serve(listener, app.into_make_service_with_connect_info::<Cut>()).await;
            served.expect("serving ends only with its task");
        });
        Self { address, rules, lines, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a rule. The first rule that is due for a request decides; all count it.
    pub fn on(&self, when: When, action: Action) {
        self.rules.act(when, action);
    }

    /// Stops the world at a request (the next one of that kind, or its `nth`).
    pub fn stop(&self, when: When, moment: Moment) -> Stop {
        self.rules.stop(when, moment)
    }

    /// Takes all rules away. Stops that were reached stay until their handles end them.
    pub fn clear(&self) {
        self.rules.clear();
    }

    /// Method and path with query of every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<(String, String)> {
        self.rules.seen()
    }

    /// How many requests of a kind there have been; the number in `when` is not looked at.
    pub fn count(&self, when: &When) -> usize {
        self.rules.seen().iter().filter(|(method, path)| when.matches(method, path)).count()
    }

    /// Cuts every connection and refuses new ones, as a network partition does.
    pub fn go_down(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    /// Takes connections again.
    pub fn come_up(&self) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
        self.go_down();
    }
}

async fn handle(
    State(forwarder): State<Forwarder>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let answer = forwarder.handle(request, &cut).await;
    // The status is never seen: the line is dead.
    answer.unwrap_or_else(|Severed| {
        cut.0.cancel();
        status_only(StatusCode::BAD_GATEWAY)
    })
}

/// The connection is to be dropped without an answer.
struct Severed;

impl Forwarder {
    async fn handle(&self, request: Request, cut: &Cut) -> Result<Response, Severed> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        self.rules.note(request.method().as_str(), &path);
        self.rules.wait_for_world().await;
        match self.rules.decide(request.method().as_str(), &path) {
            None => self.forward(request).await,
            Some(Effect::Stop(barrier)) => self.stop(request, &barrier).await,
            Some(Effect::Act(action)) => self.act(request, action, cut).await,
        }
    }

    async fn act(&self, request: Request, action: Action, cut: &Cut) -> Result<Response, Severed> {
        match action {
            Action::Delay(time) => {
                tokio::time::sleep(time).await;
                self.forward(request).await
            }
            Action::Respond { status, headers, body } => Ok(respond(status, &headers, body)),
            Action::Drop => Err(Severed),
            Action::DropAnswer => {
                let answer = self.forward(request).await?;
                axum::body::to_bytes(answer.into_body(), usize::MAX).await.ok();
                Err(Severed)
            }
            Action::Cut(bytes) => {
                let answer = self.forward(request).await?;
                let cut = cut.clone();
                Ok(answer.map(|body| Body::from_stream(cut_after(body.into_data_stream(), bytes, cut))))
            }
        }
    }

    async fn stop(&self, request: Request, barrier: &Barrier) -> Result<Response, Severed> {
        match barrier.moment {
            Moment::BeforeForwarding => {
                if !barrier.hold().await {
                    return Err(Severed);
                }
                self.forward(request).await
            }
            Moment::AfterAnswer => {
                let answer = self.forward(request).await?;
                let (head, body) = answer.into_parts();
                // The head may come before the server has acted: the whole answer cannot.
                let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| Severed)?;
                if barrier.hold().await {
                    Ok(Response::from_parts(head, Body::from(body)))
                } else {
                    Err(Severed)
                }
            }
        }
    }

    /// Passes a request on and returns the answer with its body still flowing; a dead server severs the line.
    async fn forward(&self, request: Request) -> Result<Response, Severed> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut forwarded = self.client.request(head.method, format!("{}{path}", self.upstream));
        if head.headers.contains_key(CONTENT_LENGTH) || head.headers.contains_key(TRANSFER_ENCODING) {
            forwarded = forwarded.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let forwarded = forwarded.headers(end_to_end(&head.headers));
        let answer = forwarded.send().await.map_err(|_| Severed)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = end_to_end(answer.headers());
        Ok(response.map(|_| Body::from_stream(answer.bytes_stream())))
    }
}

/// The headers that are meant for the other end. `Host` is kept, so that a server's links lead to the proxy.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let mut kept = headers.clone();
    for name in HOP_BY_HOP {
        kept.remove(name);
    }
    for name in named {
        kept.remove(name);
    }
    kept
}

fn respond(status: u16, headers: &[(String, String)], body: String) -> Response {
    let mut response = status_only(StatusCode::from_u16(status).expect("a rule names an HTTP status"));
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a rule names a header");
        response.headers_mut().append(name, value.parse().expect("a rule gives a header value"));
    }
    response.map(|_| Body::from(body))
}

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Yields the first `left` bytes and then cuts the line.
fn cut_after<E>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    left: usize,
    cut: Cut,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static
where
    E: Send + 'static,
{
    stream::unfold((body.boxed(), left, cut), |(mut body, left, cut)| async move {
        let chunk = if left == 0 { None } else { body.next().await };
        match chunk {
            Some(Ok(mut chunk)) => {
                chunk.truncate(left);
                let left = left - chunk.len();
                Some((Ok(chunk), (body, left, cut)))
            }
            other => {
                // While this waits, what was yielded before is written out.
                tokio::time::sleep(BEFORE_CUT).await;
                cut.0.cancel();
                other.map(|failed| (failed, (body, 0, cut)))
            }
        }
    })
}
