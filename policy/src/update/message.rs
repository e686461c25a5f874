//! The commit message of a plan: a subject that a person would write, a table, and trailers.
//!
//! All of it is printable ASCII: no text from a manifest or a registry can end a line, hide or reorder
//! text, or start a trailer. Called by the agent before it commits, and by `tidegate plan`.

use std::fmt::Write as _;

use crate::history::trailer;
use crate::reference::split_written;

use super::{Change, UpdatePlan};

const SUBJECT_CHARS_MAX: usize = 72;
const NAME_CHARS_MAX: usize = 40;
const CELL_CHARS_MAX: usize = 120;
const DIGEST_DIGITS: usize = 12;

/// Writes the commit message of `plan`, which has at least one change.
///
/// The last paragraph holds one `Tidegate-Update` and one `Tidegate-Decision` trailer per change.
pub fn message(plan: &UpdatePlan) -> String {
    let mut text = subject(&plan.changes);
    text.push_str("\n\n");
    text.push_str(&table(&plan.changes));
    text.push('\n');
    for change in &plan.changes {
        text.push_str(&trailer::update(&change.field, &change.from, &change.to));
        text.push('\n');
        text.push_str(&trailer::decision(&change.decision));
        text.push('\n');
    }
    text
}

/// `web: 1.4.2 -> 1.4.3`, `web, worker: 1.4.2 -> 1.4.3`, `checkout: 1.4.2 -> 1.5.0 (3 images)` for a group, or
/// `update 3 images: web 1.4.3, db 15.2, and 1 more`.
fn subject(changes: &[Change]) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut moves: Vec<String> = Vec::new();
    let mut items: Vec<String> = Vec::new();
    for change in changes {
        let (name, (from, to)) = (name(change), versions(change));
        let item = format!("{name} {to}");
        let step = format!("{from} -> {to}");
        push_new(&mut names, name);
        push_new(&mut moves, step);
        push_new(&mut items, item);
    }
    if let ([step], Some(group)) = (moves.as_slice(), group(changes)) {
        return format!("{}: {step} ({} images)", plain(group, NAME_CHARS_MAX), changes.len());
    }
    if let [step] = moves.as_slice() {
        let subject = format!("{}: {step}", names.join(", "));
        if names.len() == 1 || subject.len() <= SUBJECT_CHARS_MAX {
            return subject;
        }
    }
    let count = changes.len();
    let mut subject = format!("update {count} image{}: ", if count == 1 { "" } else { "s" });
    for (index, item) in items.iter().enumerate() {
        let rest = items.len() - index;
        let comma = if index == 0 { "" } else { ", " };
        if index > 0 && subject.len() + item.len() + ", and 1000 more".len() > SUBJECT_CHARS_MAX {
            let _ = write!(subject, "{comma}and {rest} more"); // writing to a String cannot fail
            break;
        }
        subject.push_str(comma);
        subject.push_str(item);
    }
    subject
}

/// The group of all changes, if they are several of one.
fn group(changes: &[Change]) -> Option<&str> {
    let group = changes.first()?.group.as_deref()?;
    let is_one = changes.len() > 1 && changes.iter().all(|change| change.group.as_deref() == Some(group));
    is_one.then_some(group)
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// What people call the thing that changes: the object, or the image of an `images:` entry.
fn name(change: &Change) -> String {
    let text = if change.field.0.contains("#images/") { &change.container } else { &change.object };
    plain(text.rsplit('/').next().unwrap_or(text), NAME_CHARS_MAX)
}

/// What a change moves from and to: the tags, with the digests where only those tell the two apart.
fn versions(change: &Change) -> (String, String) {
    let (from, to) = (version(&change.from, false), version(&change.to, false));
    if from == to { (version(&change.from, true), version(&change.to, true)) } else { (from, to) }
}

/// The tag, or what stands in for it.
fn version(image: &str, with_digest: bool) -> String {
    let version = match split_written(image) {
        Ok(written) => {
            let digest = written.digest.map(short);
            match (written.tag, digest) {
                (Some(tag), Some(digest)) if with_digest => format!("{tag}@{digest}"),
                (Some(tag), _) => tag.to_owned(),
                (None, Some(digest)) => digest,
                (None, None) => "(no tag)".to_owned(),
            }
        }
        Err(_) => image.to_owned(),
    };
    plain(&version, CELL_CHARS_MAX)
}

/// The beginning of a digest, enough for people.
fn short(digest: &str) -> String {
    let algorithm = digest.find(':').map_or(0, |colon| colon + 1);
    digest.chars().take(algorithm + DIGEST_DIGITS).collect()
}

fn table(changes: &[Change]) -> String {
    let header = ["object", "image", "from", "to", "reason"].map(str::to_owned);
    let mut rows = vec![header];
    rows.extend(changes.iter().map(row));
    let mut widths = [0_usize; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  "); // writing to a String cannot fail
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(change: &Change) -> [String; 5] {
    // An object that names no namespace is `Kind//name` to programs, `Kind/name` to people.
    let object = plain(&change.object.replacen("//", "/", 1), CELL_CHARS_MAX);
    let container = plain(&change.container, CELL_CHARS_MAX);
    let place = if name(change) == container { object } else { format!("{object} ({container})") };
    let image = split_written(&change.to).map_or(change.to.as_str(), |written| written.name);
    let (from, to) = versions(change);
    [place, plain(image, CELL_CHARS_MAX), from, to, plain(&change.reason, CELL_CHARS_MAX)]
}

/// Makes a text printable ASCII on one line, at most `chars_max` characters of it.
fn plain(text: &str, chars_max: usize) -> String {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(chars_max).map(printable).collect()
}

#[cfg(test)]
mod tests;
