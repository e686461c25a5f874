//! One HTTP request as one run of `git http-backend` (CGI, RFC 3875); bodies are streamed both ways.

use std::process::Stdio;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderName, StatusCode, header};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Request, Shared};

/// Answers a request.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name: HeaderName| header_text(&parts.headers, &name).unwrap_or_default();
    let authorization = header_text(&parts.headers, &header::AUTHORIZATION);
    shared.requests.lock().unwrap().push(Request {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        authorization: authorization.clone(),
        user_agent: text(header::USER_AGENT),
    });
    let login = shared.login.lock().unwrap().clone();
    if let Some((user, password)) = &login {
        let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        if authorization.as_deref() != Some(&expected) {
            return simple(StatusCode::UNAUTHORIZED, &[(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]);
        }
    }
    let mut command = Command::new(&shared.backend);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &shared.projects)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", &shared.projects)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE))
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", login.map_or("anonymous".to_owned(), |(user, _)| user))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for (name, variable) in [
        (header::CONTENT_LENGTH, "CONTENT_LENGTH"),
        (header::CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
        (HeaderName::from_static("git-protocol"), "GIT_PROTOCOL"),
    ] {
        if let Some(value) = header_text(&parts.headers, &name) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().expect("git http-backend starts");
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    tokio::spawn(send(body, stdin.expect("a pipe to the backend")));
    respond(child, stdout.expect("a pipe from the backend")).await
}

/// Copies the request's body; a backend that has heard enough closes its end.
async fn send(body: Body, mut stdin: ChildStdin) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        if stdin.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// Reads the backend's headers, then streams its body. The child lives as long as the stream.
async fn respond(child: Child, stdout: ChildStdout) -> Response {
    let mut stdout = BufReader::new(stdout);
    let mut response = Response::builder();
    let mut line = String::new();
    while stdout.read_line(&mut line).await.is_ok_and(|count| count > 0) {
        let header = line.trim_end();
        let Some((name, value)) = header.split_once(": ") else { break };
        response = if name.eq_ignore_ascii_case("status") {
            response.status(value.split(' ').next().unwrap_or("500"))
        } else {
            response.header(name, value)
        };
        line.clear();
    }
    let chunks = futures::stream::unfold((child, stdout), |(child, mut stdout)| async move {
        let mut buffer = vec![0; 32 << 10];
        match stdout.read(&mut buffer).await {
            Ok(0) => None,
            Ok(count) => {
                buffer.truncate(count);
                Some((Ok(Bytes::from(buffer)), (child, stdout)))
            }
            Err(error) => Some((Err(error), (child, stdout))),
        }
    });
    response.body(Body::from_stream(chunks)).unwrap_or_else(|_| simple(StatusCode::BAD_GATEWAY, &[]))
}

fn simple(status: StatusCode, headers: &[(HeaderName, &str)]) -> Response {
    let response = headers
        .iter()
        .fold(Response::builder().status(status), |response, (name, value)| response.header(name, *value));
    response.body(Body::empty()).expect("a status and plain headers")
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
