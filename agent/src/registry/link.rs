//! The `Link` header of a paged listing (RFC 8288): where the next page is, without leaving the registry.

use http::HeaderMap;
use http::header::LINK;
use url::Url;

use super::realm::authority;

/// Why the next page is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkError {
    /// The header says that there is more, but not where.
    #[error("the Link header cannot be read")]
    Unreadable,
    /// The next page lies on another host or port.
    #[error("the Link header leads from {from} to {to}")]
    Elsewhere { from: String, to: String },
}

/// Reads the URL of the next page, resolved against the URL of this one.
///
/// The scheme and port of `request` are kept: registries behind a proxy leave them out of absolute links.
/// A link to another host, or to a port that it names and that is not ours, is an error.
pub(super) fn next(headers: &HeaderMap, request: &Url) -> Result<Option<Url>, LinkError> {
    for value in headers.get_all(LINK) {
        let text = value.to_str().map_err(|_| LinkError::Unreadable)?;
        let Some(target) = next_target(text)? else { continue };
        let found = request.join(target).map_err(|_| LinkError::Unreadable)?;
        let port_is_ours = found.port().is_none() || found.port() == request.port_or_known_default();
        let http = matches!(found.scheme(), "http" | "https");
        if !http || found.host() != request.host() || !port_is_ours {
            return Err(LinkError::Elsewhere { from: authority(request), to: authority(&found) });
        }
        let mut url = request.clone();
        url.set_path(found.path());
        url.set_query(found.query());
        return Ok(Some(url));
    }
    Ok(None)
}

/// Finds the target of `rel="next"` among `<target>; key=value; …, <target>; …`.
fn next_target(header: &str) -> Result<Option<&str>, LinkError> {
    let mut rest = header.trim();
    while !rest.is_empty() {
        let inner = rest.strip_prefix('<').ok_or(LinkError::Unreadable)?;
        let (target, after) = inner.split_once('>').ok_or(LinkError::Unreadable)?;
        let (parameters, following) = split_at_comma(after);
        if parameters.split(';').any(is_rel_next) {
            return Ok(Some(target));
        }
        rest = following.trim_start();
    }
    Ok(None)
}

fn is_rel_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(key, value)| {
        key.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split(' ').any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

/// Splits at the first comma that no quotes enclose.
fn split_at_comma(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                let (before, after) = text.split_at(at);
                return (before, after.trim_start_matches(','));
            }
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://r.example.com:5000/v2/acme/web/tags/list?n=2";

    #[track_caller]
    fn check(headers: &[&str], expect: &str) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(LINK, header.parse().expect("a header value"));
        }
        let got = match next(&map, &Url::parse(PAGE).expect("a URL")) {
            Ok(Some(url)) => url.to_string(),
            Ok(None) => "last page".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "{headers:?}");
    }

    const NEXT: &str = "https://r.example.com:5000/v2/acme/web/tags/list?last=b&n=2";

    #[test]
    fn a_next_page_is_resolved_against_this_one() {
        check(&[r#"</v2/acme/web/tags/list?last=b&n=2>; rel="next""#], NEXT);
        check(&[r#"<?last=b&n=2>; rel="next""#], NEXT);
        check(&[r"<https://r.example.com:5000/v2/acme/web/tags/list?last=b&n=2>;rel=next"], NEXT);
    }

    #[test]
    fn other_relations_and_parameters_are_passed_over() {
        check(
            &[r#"</first>; rel="first", </v2/acme/web/tags/list?last=b&n=2>; title="a, b"; REL="Next""#],
            NEXT,
        );
        check(&[r#"</first>; rel="first""#, r#"</v2/acme/web/tags/list?last=b&n=2>; rel="x next""#], NEXT);
        check(&[r#"</first>; rel="first""#], "last page");
        check(&[], "last page");
    }

    #[test]
    fn a_dropped_port_or_scheme_is_kept() {
        check(&[r#"<https://r.example.com/v2/acme/web/tags/list?last=b&n=2>; rel="next""#], NEXT);
        check(&[r#"<http://r.example.com/v2/acme/web/tags/list?last=b&n=2>; rel="next""#], NEXT);
    }

    #[test]
    fn another_host_or_port_is_refused() {
        let elsewhere = "the Link header leads from r.example.com:5000 to ";
        check(&[r#"<https://evil.example.org/x>; rel="next""#], &format!("{elsewhere}evil.example.org"));
        check(&[r#"<//evil.example.org/x>; rel="next""#], &format!("{elsewhere}evil.example.org"));
        check(&[r#"<https://r.example.com:81/x>; rel="next""#], &format!("{elsewhere}r.example.com:81"));
        check(&[r#"<file:///etc/passwd>; rel="next""#], &format!("{elsewhere}?"));
    }

    #[test]
    fn a_link_that_cannot_be_read_is_not_the_last_page() {
        check(&["nonsense"], "the Link header cannot be read");
        check(&["<https://r.example.com/x; rel=next"], "the Link header cannot be read");
    }
}
