//! Answering of challenges: which `Authorization` goes with a request to the registry.
//!
//! Challenges are remembered per repository, so that a poll costs one request and not three.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue};
use url::Url;

use super::challenge::{self, Challenge};
use super::config::RegistryConfig;
use super::credentials;
use super::token::{Authorization, TokenCache};
use super::transport::Transport;
use crate::error::Failure;

/// With more repositories than this, remembered challenges are dropped and asked for again.
const CROWDED: usize = 4096;

/// Who answers the challenges of one registry.
pub(super) struct Authorizer {
    api: Url,
    auth_realm: Option<Url>,
    tokens: TokenCache,
    remembered: Mutex<HashMap<String, Challenge>>,
}

impl Authorizer {
    /// Starts without tokens and challenges.
    pub(super) fn new(api: Url, auth_realm: Option<Url>) -> Self {
        Self { api, auth_realm, tokens: TokenCache::default(), remembered: Mutex::default() }
    }

    /// What to send before the registry has asked: the answer to its last challenge for this repository.
    pub(super) async fn anticipate(
        &self,
        transport: &Transport,
        config: &RegistryConfig,
        path: &str,
    ) -> Result<Option<Authorization>, Failure> {
        let challenge = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        match challenge {
            None => Ok(None),
            Some(challenge) => self.answer(transport, config, &challenge, None).await.map(Some),
        }
    }

    /// Answers the challenge of a 401. `rejected` is what the refused request carried.
    pub(super) async fn respond(
        &self,
        transport: &Transport,
        config: &RegistryConfig,
        path: &str,
        headers: &HeaderMap,
        rejected: Option<&HeaderValue>,
    ) -> Result<Authorization, Failure> {
        let challenge =
            challenge::read(headers, &self.api, self.auth_realm.as_ref(), path).map_err(|error| {
                Failure::reject(format!("{} asks for a login that is not given: {error}", config.host)).hint(
                    "if that is where this registry gives out its tokens, name it as the host's `authRealm`",
                )
            })?;
        let answer = self.answer(transport, config, &challenge, rejected).await?;
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= CROWDED {
            remembered.clear();
        }
        remembered.insert(path.to_owned(), challenge);
        Ok(answer)
    }

    async fn answer(
        &self,
        transport: &Transport,
        config: &RegistryConfig,
        challenge: &Challenge,
        rejected: Option<&HeaderValue>,
    ) -> Result<Authorization, Failure> {
        let login = credentials::read(config).await?;
        match challenge {
            Challenge::Bearer { realm, service, scope } => {
                let wanted = (realm, service.as_deref(), scope.as_str());
                self.tokens.get(transport, wanted, login.as_ref(), rejected).await
            }
            Challenge::Basic => {
                let login = login.ok_or_else(|| {
                    Failure::reject(format!("{} asks for a login and none is configured", config.host))
                        .hint("give the host `credentials` under `registries`")
                })?;
                Ok(Authorization { header: login.basic(), fresh: false })
            }
        }
    }
}
