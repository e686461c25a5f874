//! Image references: `registry/repository:tag@digest`, read as a container runtime reads them.
//!
//! Source: the `distribution/reference` grammar (v0.6) and the OCI distribution specification.
//! Not here: default tags (`latest` is never filled in) and asking a registry anything.
//! Called by the readers of manifests, the planner of updates and the CLI verb `reference parse`.

mod grammar;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::quote::quoted;

/// The registry that a reference without one means.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
///
/// A tag moves and a digest does not, so the one is never taken for the other:
///
/// ```compile_fail
/// use tidegate_policy::reference::{Digest, Tag};
/// fn pin(_: &Digest) {}
/// pin(&Tag::parse("1.4.2").unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Tag(String);

/// A digest: `algorithm:hex`, of a registered algorithm and its exact length, lower case.
///
/// ```
/// use tidegate_policy::reference::Digest;
/// fn pin(_: &Digest) {}
/// pin(&Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

/// A repository in normalized form, e.g. registry `docker.io`, path `library/nginx`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Repository {
    /// Host with optional port; `docker.io` for Docker Hub.
    pub registry: String,
    /// Path below the registry.
    pub path: String,
}

/// A normalized image reference; `Display` prints its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// Where the image lives.
    pub repository: Repository,
    /// Its tag; no default is filled in.
    pub tag: Option<Tag>,
    /// Its digest.
    pub digest: Option<Digest>,
}

/// The parts of a valid reference as written: an edit must keep the spelling of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// Everything before the tag and the digest, e.g. `nginx` or `ghcr.io/acme/web`.
    pub name: &'a str,
    /// The tag, without its colon.
    pub tag: Option<&'a str>,
    /// The digest, without its `@`.
    pub digest: Option<&'a str>,
}

/// Why a text is no image reference: what is wrong, and in which part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// There is no repository name.
    #[error("the image reference {} has no repository name", quoted(.text))]
    NoName {
        /// The whole text.
        text: String,
    },
    /// 64 hexadecimal digits are the id of a local image, not a name.
    #[error("{} is the id of a local image, not a repository name", quoted(.text))]
    ImageId {
        /// The whole text.
        text: String,
    },
    /// The registry part is no host.
    #[error("{} is no registry host: {problem}", quoted(.host))]
    Host {
        /// The part before the first `/`.
        host: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The repository name breaks the grammar.
    #[error("{} is no repository name: {problem}", quoted(.name))]
    Name {
        /// The name as written.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The tag breaks the grammar.
    #[error("{} is no tag: {problem}", quoted(.tag))]
    Tag {
        /// The tag as written.
        tag: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The digest breaks the grammar, or its algorithm is not registered.
    #[error("{} is no digest: {problem}", quoted(.digest))]
    Digest {
        /// The digest as written.
        digest: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Splits a reference as written, without normalizing it; fails where [`ImageReference::parse`] fails.
pub fn split_written(text: &str) -> Result<Written<'_>, ReferenceError> {
    if text.len() == 64 && text.bytes().all(grammar::is_lower_hex) {
        return Err(ReferenceError::ImageId { text: text.to_owned() });
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let last_component = rest.rfind('/').map_or(0, |slash| slash + 1);
    // A port is followed by a path, so a colon in the last component starts a tag.
    let (name, tag) = match rest.get(last_component..).and_then(|last| last.split_once(':')) {
        Some((last, tag)) => (rest.get(..last_component + last.len()).unwrap_or(rest), Some(tag)),
        None => (rest, None),
    };
    if name.is_empty() {
        return Err(ReferenceError::NoName { text: text.to_owned() });
    }
    grammar::check_name(name, &normalize(name))?;
    tag.map_or(Ok(()), grammar::check_tag)?;
    digest.map_or(Ok(()), grammar::check_digest)?;
    Ok(Written { name, tag, digest })
}

/// Fills in what a runtime fills in: the registry, and `library/` on Docker Hub.
fn normalize(name: &str) -> Repository {
    let (registry, path) = match name.split_once('/') {
        Some(("index.docker.io", path)) => (DEFAULT_REGISTRY, path),
        // Repository paths are lower case, so upper case means a host.
        Some((host, path))
            if host == "localhost"
                || host.contains(['.', ':'])
                || host.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (host, path)
        }
        _ => (DEFAULT_REGISTRY, name),
    };
    let path = if registry == DEFAULT_REGISTRY && !path.contains('/') {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    Repository { registry: registry.to_owned(), path }
}

impl Tag {
    /// Reads a tag.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        grammar::check_tag(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Digest {
    /// Reads a digest of a registered algorithm: `sha256`, `sha384`, `sha512` or `blake3`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        grammar::check_digest(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ImageReference {
    /// Reads and normalizes a reference.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let written = split_written(text)?;
        Ok(Self {
            repository: normalize(written.name),
            tag: written.tag.map(|tag| Tag(tag.to_owned())),
            digest: written.digest.map(|digest| Digest(digest.to_owned())),
        })
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for ImageReference {
    /// Prints `registry/path[:tag][@digest]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
