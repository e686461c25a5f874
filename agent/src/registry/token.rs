//! Bearer tokens: fetched once for all who wait, kept until they expire.
//!
//! Source: the distribution token authentication specification. Not here: whether a realm may be asked
//! ([`super::realm`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use reqwest::Request;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::credentials::Login;
use super::transport::{Transport, read_body, show};
use crate::error::Failure;

/// What a server means that says nothing (distribution token specification).
const DEFAULT_LIFETIME_SECS: f64 = 60.0;
const SHORTEST_LIFETIME_SECS: f64 = 30.0;
const LONGEST_LIFETIME_SECS: f64 = 3600.0;
/// A token is not used in the last part of its life: it would expire on its way.
const LEEWAY: Duration = Duration::from_secs(5);
const MAX_TOKEN_BYTES: usize = 256 << 10;
/// With more tokens than this, expired ones are dropped.
const CROWDED: usize = 1024;

/// What a token is for and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    realm: Url,
    service: Option<String>,
    scope: String,
    login: Option<[u8; 32]>,
}

struct Token {
    header: HeaderValue,
    expires: Instant,
}

type Slot = Arc<Mutex<Option<Token>>>;

/// The tokens of one registry.
#[derive(Default)]
pub(super) struct TokenCache {
    slots: Mutex<HashMap<Key, Slot>>,
}

/// An `Authorization` header and whether it was made for this very request.
#[derive(Clone, Debug)]
pub(super) struct Authorization {
    /// The header, marked as sensitive.
    pub(super) header: HeaderValue,
    /// If the registry refuses a fresh one, there is no use in another.
    pub(super) fresh: bool,
}

impl TokenCache {
    /// Returns a token, from the cache unless it has expired or is `rejected`.
    ///
    /// Of several who ask for the same token at once, one fetches it and the others wait.
    pub(super) async fn get(
        &self,
        transport: &Transport,
        (realm, service, scope): (&Url, Option<&str>, &str),
        login: Option<&Login>,
        rejected: Option<&HeaderValue>,
    ) -> Result<Authorization, Failure> {
        let key = Key {
            realm: realm.clone(),
            service: service.map(str::to_owned),
            scope: scope.to_owned(),
            login: login.map(Login::fingerprint),
        };
        let slot = self.slot(key).await;
        let mut slot = slot.lock().await;
        if let Some(token) = slot.as_ref()
            && token.expires > Instant::now() + LEEWAY
            && Some(&token.header) != rejected
        {
            return Ok(Authorization { header: token.header.clone(), fresh: false });
        }
        let token = fetch(transport, (realm, service, scope), login).await?;
        let header = token.header.clone();
        *slot = Some(token);
        Ok(Authorization { header, fresh: true })
    }

    async fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().await;
        if slots.len() >= CROWDED {
            let now = Instant::now();
            slots.retain(|_, slot| {
                slot.try_lock().map_or(true, |held| held.as_ref().is_some_and(|token| token.expires > now))
            });
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

#[derive(Deserialize)]
struct TokenBody {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<Value>,
}

async fn fetch(
    transport: &Transport,
    (realm, service, scope): (&Url, Option<&str>, &str),
    login: Option<&Login>,
) -> Result<Token, Failure> {
    let mut url = realm.clone();
    url.query_pairs_mut()
        .extend_pairs(service.map(|service| ("service", service)))
        .append_pair("scope", scope);
    let mut request = Request::new(Method::GET, url);
    if let Some(login) = login {
        request.headers_mut().insert(AUTHORIZATION, login.basic());
    }
    // The life of a token is counted from before it was asked for.
    let asked = Instant::now();
    let response = transport.send(request).await?;
    if !response.status().is_success() {
        return Err(transport.failure(response).await);
    }
    let unusable = |why: &str| {
        Failure::reject(format!("the token endpoint {} {why}", show(realm)))
            .hint("the registry names this endpoint: ask who runs the registry")
    };
    let body = read_body(response, MAX_TOKEN_BYTES).await?;
    // The parser's words could quote the token.
    let body: TokenBody = serde_json::from_slice(&body).map_err(|_| unusable("did not answer with JSON"))?;
    let token = body.token.or(body.access_token).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| unusable("answered without a token"))?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| unusable("answered with a token that fits no header"))?;
    header.set_sensitive(true);
    Ok(Token { header, expires: asked + lifetime(body.expires_in.as_ref()) })
}

/// Reads `expires_in`, whatever a server makes of it.
fn lifetime(expires_in: Option<&Value>) -> Duration {
    let seconds = expires_in.and_then(Value::as_f64).unwrap_or(DEFAULT_LIFETIME_SECS);
    Duration::from_secs_f64(seconds.clamp(SHORTEST_LIFETIME_SECS, LONGEST_LIFETIME_SECS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expires_in: &str, expect: u64) {
        let value: Value = serde_json::from_str(expires_in).expect("JSON");
        assert_eq!(lifetime(Some(&value)), Duration::from_secs(expect), "{expires_in}");
    }

    #[test]
    fn a_lifetime_is_between_half_a_minute_and_an_hour() {
        check("300", 300);
        check("0", 30);
        check("-1", 30);
        check("1e12", 3600);
        check("\"soon\"", 60);
        check("null", 60);
        assert_eq!(lifetime(None), Duration::from_mins(1));
    }
}
