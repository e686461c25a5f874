//! One YAML document as an arena of nodes, each with the bytes it came from.
//!
//! Built by [`super::compose`]; aliases and merge keys are resolved, so that a node may be reached by
//! several paths while its bytes exist once. Not here: Kubernetes.

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use granit_parser::ScalarStyle;

use super::scalar::{self, Scalar};

/// Index of a node in its [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(super) u32);

/// The tags that kubectl knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoreTag {
    /// `!!str`, and `!` alone.
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!binary`
    Binary,
    /// `!!map`
    Map,
    /// `!!seq`
    Seq,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Content<'s> {
    /// A scalar, escapes processed, not yet resolved to a type.
    Scalar {
        /// The text.
        text: Cow<'s, str>,
        /// How it is written.
        style: ScalarStyle,
        /// Its explicit tag.
        tag: Option<CoreTag>,
    },
    /// Items in order.
    Sequence(Vec<NodeId>),
    /// Keys and values in order; merged entries follow the written ones.
    Mapping(Vec<(NodeId, NodeId)>),
    /// `*name`: the node that carries the anchor.
    Alias(NodeId),
}

/// A node and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node<'s> {
    /// What it holds.
    pub(crate) content: Content<'s>,
    /// Byte range in the file; of a block scalar from its content on to the next token.
    pub(crate) range: Range<usize>,
    /// Size after expansion of aliases, in units of memory.
    pub(super) weight: usize,
    /// Levels below and including this node after expansion of aliases.
    pub(super) height: usize,
}

/// One document.
#[derive(Clone, Debug)]
pub(crate) struct Document<'s> {
    /// The whole file without a byte-order mark.
    pub(crate) text: &'s str,
    /// Offset of `text` in the file.
    pub(crate) base: usize,
    /// All nodes, in the order of their first byte.
    pub(super) nodes: Vec<Node<'s>>,
    /// The node that is the document.
    pub(crate) root: NodeId,
    /// Byte ranges of the comments that were asked for, `#` included.
    pub(crate) comments: Vec<Range<usize>>,
}

impl<'s> Document<'s> {
    /// Returns a node as written: aliases are not followed.
    pub(crate) fn node(&self, id: NodeId) -> &Node<'s> {
        self.nodes.get(id.0 as usize).expect("ids are made by the composer of this document alone")
    }

    /// Returns the bytes of a range of the file.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<&'s str> {
        self.text.get(range.start.checked_sub(self.base)?..range.end.checked_sub(self.base)?)
    }

    /// Returns all nodes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node<'s>> {
        self.nodes.iter()
    }

    /// Returns the last node that begins at or before `offset`.
    pub(super) fn last_before(&self, offset: usize) -> Option<&Node<'s>> {
        let after = self.nodes.partition_point(|node| node.range.start <= offset);
        self.nodes.get(after.checked_sub(1)?)
    }

    /// Follows aliases to the node that holds the content.
    pub(crate) fn target(&self, id: NodeId) -> NodeId {
        match self.node(id).content {
            // The composer points aliases at content, never at another alias.
            Content::Alias(target) => target,
            _ => id,
        }
    }

    /// Returns the entries of a mapping; nothing for anything else.
    pub(crate) fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.node(self.target(id)).content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the items of a sequence; nothing for anything else.
    pub(crate) fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.node(self.target(id)).content {
            Content::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Whether the node is a mapping.
    pub(crate) fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.node(self.target(id)).content, Content::Mapping(_))
    }

    /// Whether the node is a sequence.
    pub(crate) fn is_sequence(&self, id: NodeId) -> bool {
        matches!(self.node(self.target(id)).content, Content::Sequence(_))
    }

    /// Returns the key and the value at `key` in a mapping.
    pub(crate) fn entry(&self, mapping: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        self.entries(mapping).iter().copied().find(|(name, _)| self.text(*name) == Some(key))
    }

    /// Returns the value at `key` in a mapping.
    pub(crate) fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.entry(mapping, key).map(|(_, value)| value)
    }

    /// Walks down mappings.
    pub(crate) fn path(&self, from: NodeId, keys: &[&str]) -> Option<NodeId> {
        keys.iter().try_fold(from, |node, key| self.get(node, key))
    }

    /// Returns the text of a scalar whatever its type.
    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match &self.node(self.target(id)).content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a scalar that is a string to kubectl.
    pub(crate) fn string(&self, id: NodeId) -> Option<Cow<'_, str>> {
        match self.scalar(id)? {
            Ok(Scalar::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the string at `key` in a mapping.
    pub(crate) fn get_string(&self, mapping: NodeId, key: &str) -> Option<Cow<'_, str>> {
        self.string(self.get(mapping, key)?)
    }

    /// Resolves a scalar; `None` for collections, an error where the tag does not fit the text.
    pub(crate) fn scalar(&self, id: NodeId) -> Option<Result<Scalar<'_>, String>> {
        match &self.node(self.target(id)).content {
            Content::Scalar { text, style, tag } => Some(typed(text, *style, *tag)),
            _ => None,
        }
    }
}

/// Applies style and tag to a scalar's text.
pub(crate) fn typed(text: &str, style: ScalarStyle, tag: Option<CoreTag>) -> Result<Scalar<'_>, String> {
    let as_text = Scalar::Str(Cow::Borrowed(text));
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { scalar::resolve(text) } else { as_text });
    };
    match (tag, scalar::resolve(text)) {
        (CoreTag::Str, _) => Ok(as_text),
        (CoreTag::Binary, _) => binary(text).map(|text| Scalar::Str(Cow::Owned(text))),
        (CoreTag::Int, value @ Scalar::Int(_))
        | (CoreTag::Float, value @ (Scalar::Float(_) | Scalar::Int(_)))
        | (CoreTag::Bool, value @ Scalar::Bool(_))
        | (CoreTag::Null, value @ Scalar::Null) => Ok(value),
        _ => Err("the tag does not fit the value".to_owned()),
    }
}

/// Decodes `!!binary`; Kubernetes strings are UTF-8.
fn binary(text: &str) -> Result<String, String> {
    use base64::Engine as _;
    // Go skips line ends and nothing else.
    let compact = text.replace(['\r', '\n'], "");
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|_| "the `!!binary` value is no base64".to_owned())?;
    String::from_utf8(bytes).map_err(|_| "the `!!binary` value is no UTF-8 text".to_owned())
}
