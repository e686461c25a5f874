//! Kubernetes YAML as people write it: which image fields a file holds, where their bytes are,
//! what the objects mean, and how to change an image without touching another byte.
//!
//! Not here: what to change (see [`crate::update`]).
//!
//! [`scan()`] finds image fields for the update loop ([`scan_with`] also at configured [`ImagePaths`]), [`objects()`] reads objects for the sync loop,
//! [`edit`] writes new references.

mod annotations;
mod custom;
pub mod edit;
mod image_paths;
mod kustomization;
pub mod likeness;
mod line;
mod marker;
pub mod objects;
pub mod scan;
mod site;
mod workload;
mod yaml;

pub use image_paths::{ImagePathError, ImagePaths};
pub use objects::objects;
pub use scan::{scan, scan_with};

use std::ops::Range;

use serde::Serialize;

use crate::annotation::ImagePolicy;
use crate::finding::Finding;
use crate::object::Object;

use likeness::Likeness;

/// The stable name of an image field: `path#group/Kind/namespace/name#container`,
/// `path#images/NAME` or `path#/json/pointer` (design: field id).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldId(pub String);

impl FieldId {
    /// Returns the id without the path of its file, if that is `path`.
    pub fn within(&self, path: &str) -> Option<&str> {
        self.0.strip_prefix(path)?.strip_prefix('#')
    }

    /// Whether an id without its path names no object, but an `images:` entry or a place in the file.
    pub fn says_little(within: &str) -> bool {
        within.starts_with("images/") || within.starts_with('/')
    }
}

/// One place in a file that holds an image reference, or the parts of one.
#[derive(Clone, Debug)]
pub struct ImageField {
    /// Stable name.
    pub id: FieldId,
    /// 0-based document in the file.
    pub document: usize,
    /// `Kind/namespace/name` of the object (namespace as written, empty if none), or the kustomization's path.
    pub object: String,
    /// Container name, `volumes/NAME`, `images:` name, or JSON pointer of a marker or a configured path.
    pub container: String,
    /// 1-based line of the first site.
    pub line: usize,
    /// The reference as a whole, composed where it is written in parts (`newName`, `newTag`, `digest`).
    pub image: String,
    /// Where the bytes are; never empty, in file order.
    pub sites: Vec<Site>,
    /// 1-based line of a place that reads the same bytes by an anchor and is no image, if there is one.
    pub shared: Option<usize>,
    /// What may happen to it.
    pub policy: FieldPolicy,
    /// The group that its settings name, whether the rest of them can be read or not: who moves with it.
    pub group: Option<String>,
}

/// The resolved policy of a field.
#[derive(Clone, Debug)]
pub enum FieldPolicy {
    /// No policy: never touched.
    None,
    /// A readable policy.
    Policy(Box<ImagePolicy>),
    /// Unreadable: held, and the finding says why.
    Invalid(Finding),
}

/// Which part of the reference a site holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A whole reference.
    Whole,
    /// The name alone.
    Name,
    /// The tag alone.
    Tag,
    /// The digest alone.
    Digest,
}

/// How the scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// A block scalar (`|` or `>`); the range covers its one content line.
    Block,
}

/// A scalar in the file that holds a part of an image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What it holds.
    pub part: Part,
    /// Byte range of the value without quotes, from the start of the file, BOM included.
    pub range: Range<usize>,
    /// The bytes of `range`.
    pub text: String,
    /// How it is written.
    pub style: Style,
}

/// All that the update loop needs of one file; small enough to be kept for every blob.
#[derive(Clone, Debug, Default)]
pub struct FileScan {
    /// Image fields in file order.
    pub fields: Vec<ImageField>,
    /// Problems; a file with problems may still have fields.
    pub findings: Vec<Finding>,
    /// Chart templates, skipped. Only what could hold an image is looked at.
    pub skipped: usize,
    /// What the file is like, if it has fields whose ids say little, and is not too large to tell.
    pub likeness: Option<Likeness>,
}

/// All that the sync loop needs of one file.
#[derive(Clone, Debug, Default)]
pub struct FileObjects {
    /// Objects in file order, `List` kinds expanded.
    pub objects: Vec<Object>,
    /// Problems: a file with any is incomplete, and nothing is pruned while it is.
    pub findings: Vec<Finding>,
    /// Documents that are no manifests (no `apiVersion`/`kind`), skipped.
    pub skipped: usize,
}

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Byte range in the file before any edit.
    pub range: Range<usize>,
    /// The bytes that are there.
    pub old: String,
    /// The bytes that will be there.
    pub new: String,
}
