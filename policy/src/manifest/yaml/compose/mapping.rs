//! The entries of one mapping: keys become strings, duplicates are refused, `<<` is merged.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::mem::Discriminant;

use super::{Broken, Composer};
use crate::manifest::yaml::document::{Content, CoreTag, Document, NodeId, ScalarStyle};
use crate::manifest::yaml::scalar::Scalar;
use crate::quote::quoted;

/// Up to this many keys are compared one by one.
const FEW: usize = 12;

impl Composer<'_> {
    /// Checks the written entries and adds the merged ones.
    pub(super) fn entries(
        &mut self,
        written: Vec<(NodeId, NodeId)>,
    ) -> Result<Vec<(NodeId, NodeId)>, Broken> {
        let merge = written.iter().position(|(key, _)| is_merge(&self.document, *key));
        if let Some((second, _)) = written.iter().filter(|(key, _)| is_merge(&self.document, *key)).nth(1) {
            let at = self.document.node(*second).range.start;
            return Err(Broken::at(at, "`<<` stands twice in one mapping").hint("give it a list of mappings"));
        }
        let mut keys = Vec::with_capacity(written.len());
        for (index, (key, _)) in written.iter().enumerate() {
            if Some(index) == merge {
                continue;
            }
            keys.push(key_string(&self.document, *key)?);
        }
        if let Some(index) = duplicate(&keys) {
            let index = index + usize::from(merge.is_some_and(|merge| merge <= index));
            let (key, _) = written.get(index).copied().unwrap_or((self.document.root, self.document.root));
            let name = self.document.text(key).unwrap_or_default();
            return Err(Broken::at(
                self.document.node(key).range.start,
                format!("the key {} stands twice in one mapping", quoted(name)),
            )
            .hint("remove one of them"));
        }
        match merge {
            None => Ok(written),
            Some(index) => merged(&self.document, written, index),
        }
    }
}

/// Whether the key is the merge key.
fn is_merge(document: &Document<'_>, key: NodeId) -> bool {
    matches!(
        &document.node(key).content,
        Content::Scalar { text, style: ScalarStyle::Plain, tag: None } if text == "<<"
    )
}

/// Returns the position of the first key that stood before.
fn duplicate(keys: &[Cow<'_, str>]) -> Option<usize> {
    if keys.len() <= FEW {
        return (1..keys.len())
            .find(|&index| keys.iter().take(index).any(|key| Some(key) == keys.get(index)));
    }
    let mut seen = HashSet::with_capacity(keys.len());
    keys.iter().position(|key| !seen.insert(key))
}

/// Reads a key as kubectl does: booleans and integers become strings.
fn key_string<'d>(document: &'d Document<'_>, key: NodeId) -> Result<Cow<'d, str>, Broken> {
    let at = document.node(key).range.start;
    let tag = match &document.node(document.target(key)).content {
        Content::Scalar { tag, .. } => *tag,
        _ => return Err(Broken::at(at, "a mapping key must be a string")),
    };
    if tag.is_some_and(|tag| tag != CoreTag::Str) {
        return Err(Broken::at(at, "a mapping key must be a plain or quoted string, without a tag"));
    }
    key_text(document, key).ok_or_else(|| {
        Broken::at(at, format!("the key {} is no string", quoted(document.text(key).unwrap_or_default())))
            .hint("put it in quotes")
    })
}

/// The string that a key becomes; `None` where kubectl refuses it or rounds it.
pub(in crate::manifest::yaml) fn key_text<'d>(
    document: &'d Document<'_>,
    key: NodeId,
) -> Option<Cow<'d, str>> {
    match document.scalar(key)?.ok()? {
        Scalar::Str(text) => Some(text),
        Scalar::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
        Scalar::Int(value) => Some(Cow::Owned(value.to_string())),
        // Go prints the shortest text that is the same 32-bit number, with an exponent outside this range.
        #[expect(clippy::cast_possible_truncation, reason = "kubectl truncates the same way")]
        Scalar::Float(value) if value == 0.0 || (1e-4..1e6).contains(&value.abs()) => {
            Some(Cow::Owned((value as f32).to_string()))
        }
        Scalar::Float(_) | Scalar::Null => None,
    }
}

/// What sort of scalar a key is.
fn kind<'d>(document: &'d Document<'_>, key: NodeId) -> Option<Discriminant<Scalar<'d>>> {
    document.scalar(key)?.ok().as_ref().map(std::mem::discriminant)
}

/// Appends the entries that `<<` brings and no written key overrides.
fn merged(
    document: &Document<'_>,
    mut written: Vec<(NodeId, NodeId)>,
    index: usize,
) -> Result<Vec<(NodeId, NodeId)>, Broken> {
    let (key, value) = written.remove(index);
    let at = document.node(key).range.start;
    let sources: Vec<NodeId> =
        if document.is_sequence(value) { document.items(value).to_vec() } else { vec![value] };
    let mut seen: HashMap<String, Discriminant<Scalar<'_>>> = written
        .iter()
        .filter_map(|(key, _)| Some((key_text(document, *key)?.into_owned(), kind(document, *key)?)))
        .collect();
    let before: HashSet<String> = written
        .iter()
        .take(index)
        .filter_map(|(key, _)| key_text(document, *key))
        .map(Cow::into_owned)
        .collect();
    for source in sources {
        if !document.is_mapping(source) {
            return Err(Broken::at(at, "`<<` needs a mapping or a list of mappings"));
        }
        for (key, value) in document.entries(source) {
            let name = key_text(document, *key).unwrap_or_default();
            if before.contains(name.as_ref()) {
                return Err(Broken::at(
                    at,
                    format!(
                        "{} stands before `<<`, which brings it too: readers disagree which one holds",
                        quoted(&name)
                    ),
                )
                .hint("make `<<` the first key of the mapping"));
            }
            let kind = kind(document, *key);
            match seen.get(name.as_ref()) {
                None => {
                    seen.extend(kind.map(|kind| (name.into_owned(), kind)));
                    written.push((*key, *value));
                }
                Some(known) if Some(*known) == kind => {}
                // `true` and `"true"` are two keys until JSON makes them one, and chance decides which holds.
                Some(_) => {
                    let message =
                        format!("the key {} comes as a string and as something else", quoted(&name));
                    return Err(Broken::at(at, message).hint("put it in quotes wherever it stands"));
                }
            }
        }
    }
    Ok(written)
}
