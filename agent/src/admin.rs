//! `/healthz`, `/readyz` and `/metrics`: read-only, without secrets, without a write API.
//!
//! Not here: who beats (every loop does, see [`crate::progress`]).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::metrics::Metrics;
use crate::progress::Progress;

#[derive(Clone)]
struct Shared {
    progress: Progress,
    metrics: Metrics,
}

/// The listening server.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
}

impl Admin {
    /// Binds the address; a port that is taken is a `Reject` that names it.
    pub async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::reject(format!("cannot listen on {address}"))
                .because(error)
                .hint("change `listen` in the configuration, or end the process that holds the port")
        })?;
        Ok(Self { listener })
    }

    /// The address that was bound.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves until `stop` is cancelled.
    pub async fn serve(self, progress: Progress, metrics: Metrics, stop: CancellationToken) {
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_text))
            .with_state(Shared { progress, metrics });
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(event = "admin", error = %error, "the admin server ended");
        }
    }
}

async fn healthz(State(shared): State<Shared>) -> Response {
    answer(&shared.progress.stalled(), "stalled")
}

async fn readyz(State(shared): State<Shared>) -> Response {
    answer(&shared.progress.unready(), "not ready yet")
}

async fn metrics_text(State(shared): State<Shared>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text()).into_response()
}

fn answer(workers: &[String], what: &str) -> Response {
    if workers.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let mut lines = String::new();
    for worker in workers {
        lines.push_str(what);
        lines.push_str(": ");
        lines.push_str(worker);
        lines.push('\n');
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}
