//! A page as its parts: fenced blocks, tables, inline code.

use std::path::{Path, PathBuf};

/// One Markdown file of the repository.
pub struct Page {
    /// Path from the root.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A fenced block, or a file that a shell block writes.
pub struct Block {
    /// `page:line` of its first line.
    pub place: String,
    /// The word after the fence.
    pub language: String,
    /// Its lines.
    pub text: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_path_buf()
}

/// The README and everything in `docs/`.
pub fn pages() -> Vec<Page> {
    let mut names = vec!["README.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        for entry in std::fs::read_dir(root().join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().expect("UTF-8 name");
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                names.push(format!("{folder}/{name}"));
            }
        }
    }
    names.sort();
    assert!(names.len() > 5, "pages are missing: {names:?}");
    names.iter().map(|name| page(name)).collect()
}

/// One page by its path from the root.
pub fn page(name: &str) -> Page {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { name: name.to_owned(), text }
}

/// Reads a source file, for lists that the code keeps closed.
pub fn source(name: &str) -> String {
    page(name).text
}

impl Page {
    /// The fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(language), None) => {
                    let place = format!("{}:{}", self.name, number + 2);
                    open = Some(Block { place, language: language.to_owned(), text: String::new() });
                }
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block has no end", self.name);
        blocks
    }

    /// YAML blocks, and the YAML files that shell blocks write with `cat > FILE.yaml <<EOF`.
    pub fn yaml(&self) -> Vec<Block> {
        let mut found = Vec::new();
        for block in self.blocks() {
            if block.language == "sh" {
                found.extend(here_documents(&block));
            } else if block.language == "yaml" {
                found.push(block);
            }
        }
        found
    }

    /// The rows of the table whose first column is called `column`, cells trimmed, without its head.
    pub fn table(&self, column: &str) -> Vec<Vec<String>> {
        let cells = |line: &str| -> Vec<String> {
            let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
            inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
        };
        let mut rows = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with('|') && cells(line).first().is_some_and(|cell| cell == column) {
                lines.next();
                rows.extend(lines.by_ref().take_while(|line| line.starts_with('|')).map(cells));
            }
        }
        assert!(!rows.is_empty(), "{} has no table of `{column}`", self.name);
        rows
    }

    /// The first column of such a table, without back-ticks.
    pub fn names(&self, column: &str) -> Vec<String> {
        self.table(column).iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
    }

    /// Inline code and the lines of shell blocks.
    pub fn code(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for block in self.blocks().iter().filter(|block| block.language == "sh") {
            found.extend(block.text.lines().map(str::to_owned));
        }
        let mut in_block = false;
        for line in self.text.lines() {
            in_block ^= line.starts_with("```");
            if !in_block {
                found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
        found
    }
}

fn here_documents(block: &Block) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = block.text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("cat > ") && line.contains(".yaml <<") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "EOF").flat_map(|line| [line, "\n"]).collect();
            found.push(Block { place: block.place.clone(), language: "yaml".to_owned(), text });
        }
    }
    found
}
