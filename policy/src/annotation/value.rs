//! The values of `policy`, `pin` and the keys that concern the whole object.

use super::Order;
use crate::quote::quoted;
use crate::range::Range;
use crate::spelling::nearest;

const FORMS: &str = "write `semver:RANGE`, `numeric`, `alphabetical` or `none`";

/// Reads a `policy` into its order and its normalized text; `None` is `none`.
pub(super) fn policy(value: &str) -> Result<Option<(Order, String)>, (String, String)> {
    let (prefix, body) = match value.split_once(':') {
        Some((prefix, body)) => (prefix.trim(), Some(body.trim())),
        None => (value, None),
    };
    let order = match (prefix, body) {
        ("semver", Some(body)) => {
            let range = Range::parse(body).map_err(|error| (error.to_string(), error.hint().to_owned()))?;
            Order::Semver(range)
        }
        ("semver", None) => {
            return Err(("`semver` needs a range".to_owned(), "write `semver:~1.4`".to_owned()));
        }
        ("numeric", _) => Order::Numeric(descending(prefix, body)?),
        ("alphabetical", _) => Order::Alphabetical(descending(prefix, body)?),
        ("none", None) => return Ok(None),
        ("newest" | "digest", _) => {
            return Err((format!("`{prefix}` is not supported by this version"), FORMS.to_owned()));
        }
        _ => return Err(unknown(value, prefix)),
    };
    let text = body.map_or_else(|| prefix.to_owned(), |body| format!("{prefix}:{body}"));
    Ok(Some((order, text)))
}

/// Reads the direction of an order; ascending if none is given.
fn descending(prefix: &str, body: Option<&str>) -> Result<bool, (String, String)> {
    match body {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => Err((
            format!("{} is no direction", quoted(other)),
            format!("write `{prefix}:asc`, where the last wins, or `{prefix}:desc`, where the first wins"),
        )),
    }
}

fn unknown(value: &str, prefix: &str) -> (String, String) {
    let hint = match prefix {
        "numerical" => "did you mean `numeric`?".to_owned(),
        _ if Range::parse(value).is_ok() => format!("the prefix is mandatory: write `semver:{value}`"),
        _ => match nearest(prefix, ["semver", "numeric", "alphabetical", "none", "newest", "digest"]) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => FORMS.to_owned(),
        },
    };
    (format!("{} is no kind of policy", quoted(prefix)), hint)
}

/// Checks `pin`: what is written into git is `repo:tag`.
pub(super) fn pin(value: &str) -> Result<(), (String, String)> {
    match value {
        "tag" => Ok(()),
        "digest" => Err((
            "`digest` is not supported by this version".to_owned(),
            "write `tag`, the default".to_owned(),
        )),
        _ => Err((format!("{} cannot be pinned", quoted(value)), "write `tag`, the default".to_owned())),
    }
}

/// Checks a key that has only the values `allowed`.
pub(super) fn one_of(value: &str, allowed: &[&str]) -> Result<(), (String, String)> {
    if allowed.contains(&value) {
        Ok(())
    } else {
        Err((
            format!("{} is no value of this key", quoted(value)),
            format!("write `{}`", allowed.join("` or `")),
        ))
    }
}
