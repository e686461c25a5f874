//! How alike two files are, by git's own measure of a rename.
//!
//! The measure is that of git's `diffcore-delta`: a file is cut into chunks, each a line or 64 bytes of one, and
//! what counts is how many bytes of the larger file stand in chunks of both. Kept in a [`super::FileScan`] where
//! [`crate::history`] needs it, so that the files themselves need not be kept.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

/// Longest chunk, in bytes.
const CHUNK_BYTES_MAX: usize = 64;

/// Most different chunks that are kept of one file.
const CHUNKS_MAX: usize = 4_096;

/// The chunks of a file: enough to compare it with another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Likeness {
    /// Hash of a chunk and bytes in all chunks of that hash, sorted by hash.
    chunks: Vec<(u32, u32)>,
    bytes: u64,
}

impl Likeness {
    /// Reads a file; `None` if it has too many different chunks to be kept.
    pub fn of(file: &[u8]) -> Option<Self> {
        let mut chunks: HashMap<u32, u32> = HashMap::new();
        let mut bytes = 0;
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            for chunk in line.chunks(CHUNK_BYTES_MAX) {
                let mut hasher = DefaultHasher::new();
                // As in git, the kind of line end makes no difference.
                let text = chunk.strip_suffix(b"\n").unwrap_or(chunk);
                hasher.write(text.strip_suffix(b"\r").unwrap_or(text));
                let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
                let count = chunks.entry(u32::from_be_bytes([a, b, c, d])).or_default();
                *count = count.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
                bytes += chunk.len() as u64;
            }
            if chunks.len() > CHUNKS_MAX {
                return None;
            }
        }
        let mut chunks: Vec<_> = chunks.into_iter().collect();
        chunks.sort_unstable();
        Some(Self { chunks, bytes })
    }

    /// Whether at least half of the larger file stands in both.
    pub fn is_rename_of(&self, other: &Self) -> bool {
        let bytes_of = |hash: &u32| {
            let at = other.chunks.binary_search_by_key(hash, |(hash, _)| *hash).ok()?;
            other.chunks.get(at).map(|(_, bytes)| *bytes)
        };
        let shared = self.chunks.iter().filter_map(|(hash, bytes)| Some(bytes_of(hash)?.min(*bytes)));
        let shared: u64 = shared.map(u64::from).sum();
        shared * 2 >= self.bytes.max(other.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expect: bool) {
        let (a, b) = (Likeness::of(a.as_bytes()).unwrap(), Likeness::of(b.as_bytes()).unwrap());
        assert_eq!((a.is_rename_of(&b), b.is_rename_of(&a)), (expect, expect));
    }

    #[test]
    fn half_of_the_larger_file_must_be_in_both() {
        check("aaaa\nbbbb\n", "aaaa\nbbbb\n", true);
        check("aaaa\nbbbb\n", "bbbb\nxxxx\n", true);
        check("aaaa\nbbbb\n", "bbbb\nxxxxx\n", false);
        check("aaaa\nbbbb\n", "bbbb\naaaa\n", true);
        check("a\n", "a\na\na\n", false);
        check("a\na\nb\n", "a\na\nc\n", true);
    }

    #[test]
    fn the_kind_of_line_end_makes_no_difference() {
        check("aaaa\r\nbbbb\r\n", "aaaa\nbbbb", true);
    }

    #[test]
    fn a_long_line_counts_in_pieces() {
        let long = |end: &str| format!("{}{end}", "0123456789abcdef".repeat(16));
        check(&long("x"), &long("y"), true);
    }

    #[test]
    fn a_file_of_too_many_lines_is_not_kept() {
        let lines = |count: usize| (0..count).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(Likeness::of(lines(CHUNKS_MAX).as_bytes()).is_some());
        assert_eq!(Likeness::of(lines(CHUNKS_MAX + 1).as_bytes()), None);
    }
}
