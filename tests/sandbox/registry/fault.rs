//! Trouble that the registry makes on demand.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};

/// Long enough for a written part of an answer to leave before the connection ends.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// What happens to a request instead of, or besides, its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Another answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
    },
    /// The answer comes after a while.
    Delay(Duration),
    /// The answer ends after so many bytes of its body, although more were announced.
    Cut(usize),
    /// The answer's body comes byte by byte, with this time between two.
    Trickle(Duration),
}

impl Fault {
    /// Another answer: a status and a body.
    pub fn answer(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// Another answer: a status alone.
    pub fn status(status: u16) -> Self {
        Self::answer(status, "")
    }

    /// Adds a header to another answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The answer that takes the place of the true one, if there is one.
    pub(super) fn instead(&self) -> Option<Response> {
        let Self::Answer { status, headers, body } = self else { return None };
        let mut response = Response::builder().status(*status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Some(response.body(Body::from(body.clone())).expect("a fault names a valid status and headers"))
    }

    /// Spoils the true answer.
    pub(super) async fn spoil(self, answer: Response) -> Response {
        match self {
            Self::Answer { .. } => answer,
            Self::Delay(time) => {
                tokio::time::sleep(time).await;
                answer
            }
            Self::Cut(length) => {
                let (head, content) = whole(answer).await;
                let part = content.slice(..length.min(content.len()));
                let end = stream::once(async {
                    tokio::time::sleep(BEFORE_CUT).await;
                    Err(std::io::Error::other("cut"))
                });
                let body = stream::once(async { Ok(part) }).chain(end);
                Response::from_parts(head, Body::from_stream(body))
            }
            Self::Trickle(pause) => {
                let (head, content) = whole(answer).await;
                let body = stream::unfold(content, move |mut content| async move {
                    if content.is_empty() {
                        return None;
                    }
                    tokio::time::sleep(pause).await;
                    Some((Ok::<_, std::io::Error>(content.split_to(1)), content))
                });
                Response::from_parts(head, Body::from_stream(body))
            }
        }
    }
}

/// Reads an answer wholly; its head then announces the length.
async fn whole(answer: Response) -> (http::response::Parts, Bytes) {
    let (mut head, body) = answer.into_parts();
    let content = axum::body::to_bytes(body, usize::MAX).await.expect("answers are in memory");
    head.headers.insert(http::header::CONTENT_LENGTH, content.len().into());
    (head, content)
}
