//! Who may ask: nobody is asked, a login with each request, or a token for one.

use std::collections::HashSet;

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::json;

/// What the registry asks of those who ask it.
#[derive(Debug, Default)]
pub(super) enum Gate {
    /// Nothing.
    #[default]
    Open,
    /// A login.
    Basic(Login),
    /// A token. With a login, the token endpoint asks for it.
    Bearer { login: Option<Login>, tokens: Tokens },
}

/// A login, as the `Authorization` header that it makes.
#[derive(Debug)]
pub(super) struct Login(String);

/// The tokens given out so far. They end only when they are revoked, whatever is said of their life.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    valid: HashSet<String>,
    given: usize,
}

impl Login {
    pub(super) fn new(username: &str, password: &str) -> Self {
        Self(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
    }
}

impl Gate {
    /// Answers with a challenge if the request may not pass. `own` is the registry's `host:port`.
    pub(super) fn challenge(&self, headers: &HeaderMap, own: &str, path: &str) -> Option<Response> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let challenge = match self {
            Self::Open => return None,
            Self::Basic(login) if shown == Some(&login.0) => return None,
            Self::Basic(_) => "Basic realm=\"sandbox\"".to_owned(),
            Self::Bearer { tokens, .. }
                if shown
                    .and_then(|shown| shown.strip_prefix("Bearer "))
                    .is_some_and(|t| tokens.valid.contains(t)) =>
            {
                return None;
            }
            Self::Bearer { .. } => {
                format!(
                    "Bearer realm=\"http://{own}/token\",service=\"{own}\",scope=\"repository:{path}:pull\""
                )
            }
        };
        let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]});
        Some((StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)], body.to_string()).into_response())
    }

    /// Answers the token endpoint.
    pub(super) fn give_token(&mut self, headers: &HeaderMap) -> Response {
        let Self::Bearer { login, tokens } = self else { return StatusCode::NOT_FOUND.into_response() };
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if login.as_ref().is_some_and(|login| shown != Some(&login.0)) {
            return (StatusCode::UNAUTHORIZED, "{}").into_response();
        }
        tokens.given += 1;
        let token = format!("token-{}", tokens.given);
        tokens.valid.insert(token.clone());
        let body = json!({"token": token, "expires_in": 300});
        (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }

    /// Makes all tokens given out so far worthless.
    pub(super) fn revoke(&mut self) {
        if let Self::Bearer { tokens, .. } = self {
            tokens.valid.clear();
        }
    }
}
