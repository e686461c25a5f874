//! Parser events → a [`Document`], within bounds.
//!
//! Refused, because readers disagree about them or they are traps: duplicate keys, unknown tags, keys that
//! are no strings to kubectl, cycles, alias bombs, deep nesting. Not here: caps on the file (see
//! [`super::source`]).

mod mapping;

pub(super) use mapping::key_text;

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScanError, Span, Tag};

use super::document::{Content, CoreTag, Document, Node, NodeId, ScalarStyle};
use super::split;

/// Deepest nesting, aliases expanded.
const DEPTH_MAX: usize = 128;

/// Largest file after expansion of aliases: text bytes plus [`NODE_WEIGHT`] for each node.
const WEIGHT_MAX: usize = 64 << 20;

/// What a node costs besides its text; allows a million nodes.
const NODE_WEIGHT: usize = 64;

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Where, in bytes from the start of the file.
    pub(crate) offset: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<&'static str>,
}

impl Broken {
    pub(super) fn at(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), hint: None }
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// A collection whose end has not come yet.
struct Open {
    node: NodeId,
    children: Vec<NodeId>,
}

/// The state of one composition; scalars seen so far survive a failure (see [`super::template`]).
pub(super) struct Composer<'s> {
    pub(super) document: Document<'s>,
    chunk: Range<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    /// Weight of all nodes with aliases expanded, those of the documents before included.
    pub(super) weight: usize,
}

impl<'s> Composer<'s> {
    /// Prepares to read `chunk` of `text`, which begins at `base` in the file; `weight` is used up already.
    pub(super) fn new(text: &'s str, base: usize, chunk: Range<usize>, weight: usize) -> Self {
        let document = Document { text, base, nodes: Vec::new(), root: NodeId(0), comments: Vec::new() };
        Self { document, chunk, open: Vec::new(), anchors: HashMap::new(), weight }
    }

    /// Reads the document; `false` if there is nothing in it.
    pub(super) fn run(&mut self, comments: bool) -> Result<bool, Broken> {
        let text = self.document.text.get(self.chunk.clone()).unwrap_or_default();
        if split::is_blank(text) {
            return Ok(false);
        }
        self.line_ends(text)?;
        let options = granit_parser::options! {
            emit_comments: comments,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
        };
        let mut parser = Parser::new_from_str_with_options(text, options);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let range = self.range(&span);
            if let Event::DocumentEnd = event {
                self.rest(range.end)?;
                break;
            }
            self.event(event, range)?;
        }
        Ok(!self.document.nodes.is_empty())
    }

    /// Refuses characters that end a line in YAML 1.1 and are text in YAML 1.2: they could hide a key.
    fn line_ends(&self, text: &str) -> Result<(), Broken> {
        let found = if text.is_ascii() { None } else { text.find(['\u{85}', '\u{2028}', '\u{2029}']) };
        let Some(at) = found else { return Ok(()) };
        let message = "the document holds a character that ends the line to some readers and not to others";
        Err(Broken::at(self.document.base + self.chunk.start + at, message)
            .hint("write it as `\\u0085`, `\\u2028` or `\\u2029` in double quotes"))
    }

    fn event(&mut self, event: Event<'s>, range: Range<usize>) -> Result<(), Broken> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if text.contains('\0') {
                    return Err(Broken::at(range.start, "a value holds a NUL character"));
                }
                if text.is_empty() && range.is_empty() && tag.as_deref().is_some_and(is_non_specific) {
                    return Err(Broken::at(range.start, "the tag `!` stands before nothing"));
                }
                let is_indicator = style == ScalarStyle::Plain && text.starts_with(['?', ':']);
                if is_indicator && self.is_in_flow() {
                    let message =
                        "`?` and `:` begin a key or a value here to some readers and a word to others";
                    return Err(Broken::at(range.start, message).hint("put the word in quotes"));
                }
                let tag = core_tag(tag.as_deref(), &range)?;
                if matches!(tag, Some(CoreTag::Map | CoreTag::Seq)) {
                    return Err(Broken::at(range.start, "the tag does not fit the value"));
                }
                let weight = NODE_WEIGHT + text.len();
                let node = self.push(Content::Scalar { text, style, tag }, range, weight, 1)?;
                self.define(anchor, node);
                self.attach(node);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.start(Content::Sequence(Vec::new()), CoreTag::Seq, anchor, tag.as_deref(), range)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.start(Content::Mapping(Vec::new()), CoreTag::Map, anchor, tag.as_deref(), range)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end)?,
            Event::Alias(anchor) => self.alias(anchor, range)?,
            Event::Comment(..) => self.document.comments.push(range),
            _ => {}
        }
        Ok(())
    }

    /// Whether the innermost collection is written in brackets or braces.
    fn is_in_flow(&self) -> bool {
        let start = self.open.last().map(|open| self.document.node(open.node).range.start);
        start.and_then(|start| self.document.slice(start..start + 1)).is_some_and(|c| c == "[" || c == "{")
    }

    fn start(
        &mut self,
        content: Content<'s>,
        kind: CoreTag,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), Broken> {
        if core_tag(tag, &range)?.is_some_and(|tag| tag != kind) {
            return Err(Broken::at(range.start, "the tag does not fit the value"));
        }
        let node = self.push(content, range, NODE_WEIGHT, 1)?;
        self.define(anchor, node);
        self.open.push(Open { node, children: Vec::new() });
        Ok(())
    }

    fn end(&mut self, end: usize) -> Result<(), Broken> {
        let Some(Open { node, children }) = self.open.pop() else { return Ok(()) };
        let content = match self.document.node(node).content {
            Content::Mapping(_) => {
                let pairs = children.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
                Content::Mapping(self.entries(pairs.collect())?)
            }
            _ => Content::Sequence(children.clone()),
        };
        let (mut weight, mut height) = (NODE_WEIGHT, 0);
        for child in children {
            let child = self.document.node(child);
            weight += child.weight;
            height = height.max(child.height);
        }
        if let Some(slot) = self.document.nodes.get_mut(node.0 as usize) {
            slot.content = content;
            slot.range.end = end.max(slot.range.start);
            slot.weight = weight;
            slot.height = height + 1;
        }
        self.attach(node);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Broken> {
        let at = range.start;
        let target = self.anchors.get(&anchor).copied();
        let target = target.ok_or_else(|| Broken::at(at, "the alias names no anchor of this document"))?;
        if self.open.iter().any(|open| open.node == target) {
            return Err(Broken::at(at, "the alias stands inside the value that it names"));
        }
        let (weight, height) = {
            let node = self.document.node(target);
            (node.weight, node.height)
        };
        let node = self.push(Content::Alias(target), range, weight, height)?;
        self.attach(node);
        Ok(())
    }

    /// Adds a node, within the bounds.
    fn push(
        &mut self,
        content: Content<'s>,
        range: Range<usize>,
        weight: usize,
        height: usize,
    ) -> Result<NodeId, Broken> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > WEIGHT_MAX {
            return Err(Broken::at(range.start, "the file is too large once its aliases are expanded"));
        }
        if self.open.len() + height > DEPTH_MAX {
            return Err(Broken::at(range.start, format!("nested more than {DEPTH_MAX} levels deep")));
        }
        let id = u32::try_from(self.document.nodes.len())
            .map_err(|_| Broken::at(range.start, "the document has too many nodes"))?;
        self.document.nodes.push(Node { content, range, weight, height });
        Ok(NodeId(id))
    }

    fn attach(&mut self, node: NodeId) {
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.document.root = node,
        }
    }

    fn define(&mut self, anchor: usize, node: NodeId) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    /// kubectl reads one document between two `---` lines and drops the rest.
    fn rest(&self, end: usize) -> Result<(), Broken> {
        let rest = self.document.text.get(end - self.document.base..self.chunk.end).unwrap_or_default();
        if split::is_blank(rest) {
            return Ok(());
        }
        Err(Broken::at(end, "something follows the end of the document")
            .hint("begin the next document with a line `---`"))
    }

    /// Turns a span in the chunk into a range in the file.
    fn range(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or_default();
        let base = self.document.base + self.chunk.start;
        base + range.start..base + range.end
    }

    fn syntax(&self, error: &ScanError) -> Broken {
        let offset = error.marker().byte_offset().unwrap_or_default();
        Broken::at(self.document.base + self.chunk.start + offset, format!("not YAML: {}", error.info()))
            .hint("mend the line: its document is left alone until then")
    }
}

/// Whether the tag is `!` alone, which means a string.
fn is_non_specific(tag: &Tag) -> bool {
    tag.original_parts() == ("", "!")
}

/// Maps a tag to one that kubectl knows.
fn core_tag(tag: Option<&Tag>, range: &Range<usize>) -> Result<Option<CoreTag>, Broken> {
    let Some(tag) = tag else { return Ok(None) };
    if is_non_specific(tag) {
        return Ok(Some(CoreTag::Str));
    }
    match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
        Some("str") => Ok(Some(CoreTag::Str)),
        Some("int") => Ok(Some(CoreTag::Int)),
        Some("float") => Ok(Some(CoreTag::Float)),
        Some("bool") => Ok(Some(CoreTag::Bool)),
        Some("null") => Ok(Some(CoreTag::Null)),
        Some("binary") => Ok(Some(CoreTag::Binary)),
        Some("map") => Ok(Some(CoreTag::Map)),
        Some("seq") => Ok(Some(CoreTag::Seq)),
        _ => Err(Broken::at(
            range.start,
            format!("the tag {} is not known", crate::quote::quoted(&tag.original())),
        )),
    }
}
