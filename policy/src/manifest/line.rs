//! Byte offsets → 1-based line numbers.

/// Where the lines of a file begin.
pub(crate) struct Lines {
    /// Offsets of line feeds, from the start of the file.
    breaks: Vec<usize>,
}

impl Lines {
    /// Reads the lines of `text`, which begins at `base` in the file.
    pub(crate) fn new(text: &str, base: usize) -> Self {
        let breaks =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| base + at).collect();
        Self { breaks }
    }

    /// The 1-based line that holds `offset`.
    pub(crate) fn of(&self, offset: usize) -> usize {
        self.breaks.partition_point(|line_break| *line_break < offset) + 1
    }

    /// The 1-based line of `offset`, for text that cannot be decoded.
    pub(crate) fn before(bytes: &[u8], offset: usize) -> usize {
        bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
    }
}
