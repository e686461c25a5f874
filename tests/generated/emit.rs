//! A tree → YAML or JSON text, each node in a style that is drawn.

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::value::pick;

/// A node of a document.
#[derive(Clone)]
pub(crate) enum Node {
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    /// Text in any style that keeps it as it is.
    Text(String),
    /// Text in any style; a block scalar may add line feeds.
    Image(String),
    /// Text as it is.
    Raw(&'static str),
    /// Text with a comment on its line.
    Marked(String, String),
    Anchored(String, Box<Node>),
    Alias(String),
}

impl Node {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Whether it needs lines of its own.
    fn has_comment(&self) -> bool {
        match self {
            Self::Map(entries) => entries.iter().any(|(_, value)| value.has_comment()),
            Self::List(items) => items.iter().any(Self::has_comment),
            Self::Anchored(_, node) => node.has_comment(),
            Self::Marked(..) => true,
            Self::Text(_) | Self::Image(_) | Self::Raw(_) | Self::Alias(_) => false,
        }
    }
}

/// The styles of one document.
pub(crate) struct Emitter<'a> {
    pub(crate) random: &'a mut Rng,
    pub(crate) features: &'a mut BTreeSet<&'static str>,
    pub(crate) json: bool,
    /// Spaces a level.
    pub(crate) indent: usize,
    /// Whether `-` stands deeper than the key of the list.
    pub(crate) deep_lists: bool,
    pub(crate) out: String,
}

impl Emitter<'_> {
    /// Writes a whole document.
    pub(crate) fn document(&mut self, root: &Node) {
        let in_flow = self.json || !root.has_comment() && self.chance(16);
        match root {
            Node::Map(entries) if !in_flow => self.entries(entries, 0, false),
            _ => {
                self.features.insert(if self.json { "json" } else { "flow document" });
                self.flow(root);
                self.out.push('\n');
            }
        }
    }

    fn chance(&mut self, of: u8) -> bool {
        self.random.u8(..of) == 0
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    /// Entries in lines; the first is on the line of a `-` already if `inline`.
    fn entries(&mut self, entries: &[(String, Node)], column: usize, inline: bool) {
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 || !inline {
                if self.chance(12) {
                    self.features.insert("comment line");
                    self.pad(column);
                    self.put("# image: nginx:9.9, é\n");
                }
                self.pad(column);
            }
            let quoted = key != "<<" && self.chance(12);
            self.put(&if quoted { format!("\"{key}\"") } else { key.clone() });
            self.out.push(':');
            self.value(value, column);
        }
    }

    fn value(&mut self, node: &Node, column: usize) {
        match node {
            Node::Anchored(name, node) => {
                self.put(&format!(" &{name}"));
                self.value(node, column);
            }
            Node::Map(entries) if !entries.is_empty() && (node.has_comment() || !self.chance(5)) => {
                self.out.push('\n');
                self.entries(entries, column + self.indent, false);
            }
            Node::List(items) if !items.is_empty() && (node.has_comment() || !self.chance(8)) => {
                self.out.push('\n');
                self.items(items, column + if self.deep_lists { self.indent } else { 0 });
            }
            Node::Map(_) | Node::List(_) => {
                self.features.insert("flow collection");
                self.out.push(' ');
                self.flow(node);
                self.end_of_line();
            }
            Node::Text(text) => self.text(text, column, None, true),
            Node::Image(text) => self.text(text, column, None, false),
            Node::Marked(text, comment) => self.text(text, column, Some(comment), false),
            Node::Raw(text) => {
                self.put(&format!(" {text}"));
                self.end_of_line();
            }
            Node::Alias(name) => {
                self.put(&format!(" *{name}"));
                self.end_of_line();
            }
        }
    }

    fn items(&mut self, items: &[Node], column: usize) {
        for item in items {
            self.pad(column);
            self.out.push('-');
            match item {
                Node::Map(entries) if !entries.is_empty() && (item.has_comment() || !self.chance(6)) => {
                    let gap = if self.chance(4) { 3 } else { 1 };
                    self.pad(gap);
                    self.entries(entries, column + 1 + gap, true);
                }
                _ => self.value(item, column),
            }
        }
    }

    fn end_of_line(&mut self) {
        if self.chance(6) {
            self.features.insert("comment behind");
            self.put("  # was image: nginx:0.9");
        } else if self.chance(8) {
            self.features.insert("trailing blanks");
            self.put("  ");
        }
        self.out.push('\n');
    }

    /// Text after a key or a `-`.
    fn text(&mut self, text: &str, column: usize, comment: Option<&str>, exact: bool) {
        let deeper = " ".repeat(column + self.indent);
        let comment = comment.map(|comment| format!(" # {comment}"));
        let behind = comment.clone().unwrap_or_default();
        match self.random.u8(..14) {
            0 => {
                self.features.insert("literal block");
                let header = if exact { "|-" } else { pick(self.random, &["|", "|-", "|+"]) };
                self.put(&format!(" {header}{behind}\n{deeper}{text}\n"));
            }
            1 => {
                self.features.insert("folded block");
                let header = if exact { ">-" } else { pick(self.random, &[">", ">-", ">+"]) };
                self.put(&format!(" {header}{behind}\n{deeper}{text}\n"));
            }
            2 if comment.is_none() => {
                self.features.insert("next line");
                let text = self.scalar(text, false);
                self.put(&format!("\n{deeper}{text}\n"));
            }
            style => {
                self.out.push(' ');
                if style == 3 {
                    self.features.insert("alignment");
                    self.put("    ");
                }
                let text = self.scalar(text, false);
                self.put(&text);
                match comment {
                    Some(comment) => self.put(&format!("{comment}\n")),
                    None => self.end_of_line(),
                }
            }
        }
    }

    /// Text on one line.
    fn scalar(&mut self, text: &str, in_flow: bool) -> String {
        let needs_quotes = matches!(text, "null" | "Null")
            || text.starts_with('[')
            || in_flow && text.contains(['[', ']', '{', ',']);
        let text = match self.random.u8(..8) {
            _ if self.json => self.double(text),
            0 | 1 => {
                self.features.insert("single quotes");
                format!("'{text}'")
            }
            2 | 3 => self.double(text),
            _ if needs_quotes => format!("'{text}'"),
            _ => {
                self.features.insert("plain");
                text.to_owned()
            }
        };
        if !self.json && self.chance(16) {
            self.features.insert("tagged");
            return format!("!!str {text}");
        }
        text
    }

    fn double(&mut self, text: &str) -> String {
        self.features.insert("double quotes");
        let first = text.chars().next().filter(|_| self.chance(8));
        match first {
            Some(first) => {
                self.features.insert("escapes");
                format!("\"\\u{:04x}{}\"", u32::from(first), &text[first.len_utf8()..])
            }
            None => format!("\"{text}\""),
        }
    }

    /// A node on one line.
    fn flow(&mut self, node: &Node) {
        let colon = if self.json && self.random.bool() { ":" } else { ": " };
        match node {
            Node::Map(entries) => {
                self.out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    self.comma(index);
                    let key = if self.json { format!("\"{key}\"") } else { key.clone() };
                    self.put(&format!("{key}{colon}"));
                    self.flow(value);
                }
                self.out.push('}');
            }
            Node::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.comma(index);
                    self.flow(item);
                }
                self.out.push(']');
            }
            Node::Anchored(name, node) => {
                self.put(&format!("&{name} "));
                self.flow(node);
            }
            Node::Alias(name) => self.put(&format!("*{name}")),
            Node::Raw(text) => self.put(text),
            Node::Text(text) | Node::Image(text) | Node::Marked(text, _) => {
                let text = self.scalar(text, true);
                self.put(&text);
            }
        }
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            let line = self.json && self.chance(3);
            self.put(if line { ",\n\t" } else { ", " });
        }
    }
}
