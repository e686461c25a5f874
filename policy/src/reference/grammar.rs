//! The grammar of the parts of a reference: host, path, tag, digest.
//!
//! Each check returns the first thing that is wrong, in words. Not here: splitting and normalizing.

use super::{ReferenceError, Repository};

/// Longest repository path after normalization, in bytes.
const PATH_BYTES_MAX: usize = 255;

/// Longest tag, in bytes.
const TAG_BYTES_MAX: usize = 128;

/// Whether `b` is a digit of a digest.
pub(super) fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

/// Checks a name by what it is normalized to.
pub(super) fn check_name(written: &str, name: &Repository) -> Result<(), ReferenceError> {
    check_host(&name.registry)
        .map_err(|problem| ReferenceError::Host { host: name.registry.clone(), problem })?;
    check_path(&name.path).map_err(|problem| ReferenceError::Name { name: written.to_owned(), problem })
}

/// Checks `host[:port]`, where the host is a name, an IPv4 address or an IPv6 address in brackets.
fn check_host(text: &str) -> Result<(), String> {
    let (host, port) = match text.rfind(']') {
        Some(bracket) => text.split_at(bracket + 1),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    match port.strip_prefix(':') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {}
        None if port.is_empty() => {}
        _ => return Err("after the host comes nothing, or `:` and a decimal port".to_owned()),
    }
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').unwrap_or_default();
        let ok = !address.is_empty() && address.bytes().all(|b| b == b':' || b.is_ascii_hexdigit());
        return if ok { Ok(()) } else { Err("the brackets hold no plain IPv6 address".to_owned()) };
    }
    for label in host.split('.') {
        if label.is_empty() {
            return Err("one of its labels is empty".to_owned());
        }
        if let Some(c) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(format!("`{}` is not allowed in it", c.escape_debug()));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label starts and ends with a letter or digit".to_owned());
        }
    }
    Ok(())
}

/// Checks a path of `/`-separated components.
fn check_path(path: &str) -> Result<(), String> {
    if path.len() > PATH_BYTES_MAX {
        return Err(format!("its path has {} bytes, at most {PATH_BYTES_MAX} are allowed", path.len()));
    }
    path.split('/').try_for_each(check_component)
}

/// Checks one component: lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn check_component(component: &str) -> Result<(), String> {
    if component.is_empty() {
        return Err("one of its components is empty".to_owned());
    }
    if let Some(c) = component.chars().find(char::is_ascii_uppercase) {
        return Err(format!("it must be lower case, but holds `{c}`"));
    }
    let is_atom = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Some(c) = component.chars().find(|&c| !is_atom(c) && !matches!(c, '.' | '_' | '-')) {
        return Err(format!("`{}` is not allowed in it", c.escape_debug()));
    }
    if !component.starts_with(is_atom) || !component.ends_with(is_atom) {
        return Err(format!("the component `{component}` must start and end with a letter or digit"));
    }
    for separator in component.split(is_atom).filter(|separator| !separator.is_empty()) {
        if !matches!(separator, "." | "_" | "__") && separator.bytes().any(|b| b != b'-') {
            return Err(format!("`{separator}` is no separator; `.`, `_`, `__` and dashes are"));
        }
    }
    Ok(())
}

/// Checks a tag.
pub(super) fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let problem = if tag.is_empty() {
        "it is empty".to_owned()
    } else if tag.len() > TAG_BYTES_MAX {
        format!("it has {} bytes, at most {TAG_BYTES_MAX} are allowed", tag.len())
    } else if tag.starts_with(['.', '-']) {
        "it must start with a letter, a digit or `_`".to_owned()
    } else if let Some(c) = tag.chars().find(|&c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'))
    {
        format!("`{}` is not allowed in it", c.escape_debug())
    } else {
        return Ok(());
    };
    Err(ReferenceError::Tag { tag: tag.to_owned(), problem })
}

/// Checks a digest: an algorithm that the OCI image specification (descriptor.md, registered algorithms) or
/// the digest library of distribution registers, and as many digits as it has.
pub(super) fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let fail = |problem: &str| {
        Err(ReferenceError::Digest { digest: digest.to_owned(), problem: problem.to_owned() })
    };
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return fail("it needs the form `algorithm:hex`");
    };
    if !is_algorithm(algorithm) {
        return fail("what comes before the `:` is no algorithm name");
    }
    let length = match algorithm {
        "sha256" | "blake3" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return fail("its algorithm is not supported; sha256, sha384, sha512 and blake3 are"),
    };
    if !hex.bytes().all(is_lower_hex) {
        return fail("after the `:` come lower-case hexadecimal digits only");
    }
    if hex.len() != length {
        return fail(&format!("{algorithm} has {length} hexadecimal digits, this has {}", hex.len()));
    }
    Ok(())
}

/// Whether `text` is letters and digits joined by single `-`, `_`, `+` or `.`, each part starting with a letter.
fn is_algorithm(text: &str) -> bool {
    text.split(['-', '_', '+', '.']).all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    })
}
