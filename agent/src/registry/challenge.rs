//! Reading of `WWW-Authenticate`: how a registry wants to be asked. RFC 9110 §11.6 and the distribution
//! token specification.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use url::Url;

use super::realm::{self, RealmError};

/// The actions that a reader may be granted; a wider scope is never asked for.
const READ_ACTIONS: [&str; 2] = ["pull", "metadata_read"];
/// More challenges than this are not looked at.
const MAX_CHALLENGES: usize = 16;

/// How to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The login itself.
    Basic,
    /// A token from `realm`, which is bound to the registry.
    Bearer {
        /// Where tokens are given out.
        realm: Url,
        /// Audience, passed on as it came.
        service: Option<String>,
        /// What the token is for.
        scope: String,
    },
}

/// Why there is nothing to answer a challenge with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChallengeError {
    /// There is no challenge of a kind that is understood.
    #[error("it asks for a login in a way that is not understood: {0}")]
    Unknown(String),
    /// The realm is not bound to the registry.
    #[error(transparent)]
    Realm(#[from] RealmError),
}

/// Picks the challenge to answer: a bearer token before a login sent each time.
///
/// `path` is the repository that is asked for; a scope for anything else is replaced.
pub(super) fn read(
    headers: &HeaderMap,
    api: &Url,
    configured_realm: Option<&Url>,
    path: &str,
) -> Result<Challenge, ChallengeError> {
    let mut basic = false;
    let mut seen = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE).iter().take(MAX_CHALLENGES) {
        let text = value.to_str().unwrap_or_default();
        for challenge in
            http_auth::parse_challenges(text).unwrap_or_default().into_iter().take(MAX_CHALLENGES)
        {
            let parameter = |name: &str| {
                challenge
                    .params
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("Bearer") {
                let realm = parameter("realm").unwrap_or_default();
                return Ok(Challenge::Bearer {
                    realm: realm::bind(&realm, api, configured_realm)?,
                    service: parameter("service"),
                    scope: read_scope(parameter("scope"), path),
                });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("Basic");
            seen.push(challenge.scheme.chars().take(32).collect::<String>());
        }
    }
    if basic {
        Ok(Challenge::Basic)
    } else if seen.is_empty() {
        Err(ChallengeError::Unknown("no readable WWW-Authenticate header".to_owned()))
    } else {
        Err(ChallengeError::Unknown(seen.join(", ")))
    }
}

/// Takes the registry's word for the scope only where it is this repository and reading.
fn read_scope(asked: Option<String>, path: &str) -> String {
    let harmless = |scope: &str| {
        let prefix = format!("repository:{path}:");
        !scope.is_empty()
            && scope.split(' ').all(|item| {
                item.strip_prefix(&prefix)
                    .is_some_and(|actions| actions.split(',').all(|action| READ_ACTIONS.contains(&action)))
            })
    };
    asked.filter(|scope| harmless(scope)).unwrap_or_else(|| format!("repository:{path}:pull"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&str], expect: &str) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(WWW_AUTHENTICATE, header.parse().expect("a header value"));
        }
        let api = Url::parse("https://r.example.com/v2/").expect("a URL");
        let got = match read(&map, &api, None, "acme/web") {
            Ok(Challenge::Basic) => "basic".to_owned(),
            Ok(Challenge::Bearer { realm, service, scope }) => {
                format!("bearer {realm} {} {scope}", service.unwrap_or_else(|| "-".to_owned()))
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{headers:?}");
    }

    #[test]
    fn a_bearer_challenge_is_read_with_its_parameters() {
        check(
            &[r#"Bearer realm="https://r.example.com/token",service="r",scope="repository:acme/web:pull""#],
            "bearer https://r.example.com/token r repository:acme/web:pull",
        );
        check(
            &[
                r#"bearer Realm="https://r.example.com/token", scope="repository:acme/web:metadata_read,pull""#,
            ],
            "bearer https://r.example.com/token - repository:acme/web:metadata_read,pull",
        );
    }

    #[test]
    fn a_bearer_challenge_is_preferred_wherever_it_stands() {
        let bearer = r#"Bearer realm="https://r.example.com/token""#;
        let expect = "bearer https://r.example.com/token - repository:acme/web:pull";
        check(&[r#"Basic realm="x""#, bearer], expect);
        check(&[&format!(r#"Basic realm="x, y", {bearer}"#)], expect);
        check(&[r#"Basic realm="x""#], "basic");
    }

    #[test]
    fn a_scope_for_more_than_reading_this_repository_is_replaced() {
        for scope in [
            "repository:acme/web:pull,push",
            "repository:acme/other:pull",
            "repository:acme/web:pull registry:catalog:*",
            "repository:acme/web:pull  repository:acme/web:pull",
            "*",
            "",
        ] {
            check(
                &[&format!(r#"Bearer realm="https://r.example.com/token",scope="{scope}""#)],
                "bearer https://r.example.com/token - repository:acme/web:pull",
            );
        }
    }

    #[test]
    fn a_hostile_realm_is_an_error_even_beside_a_basic_challenge() {
        check(
            &[r#"Basic realm="x", Bearer realm="https://evil.example.org/token""#],
            "registry r.example.com sends its login to evil.example.org, which is not bound to it",
        );
        check(&["Bearer"], "the realm is no URL");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        check(
            &[],
            "it asks for a login in a way that is not understood: no readable WWW-Authenticate header",
        );
        check(&["Negotiate"], "it asks for a login in a way that is not understood: Negotiate");
        check(
            &["\"\","],
            "it asks for a login in a way that is not understood: no readable WWW-Authenticate header",
        );
    }
}
