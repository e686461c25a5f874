//! A plan → a commit on the remote branch.
//!
//! Called by [`super::tick`]. Not here: what to do when the race is lost (decide again).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use tidegate_policy::manifest::{Edit, edit};
use tidegate_policy::update::{UpdatePlan, message};

use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, NewCommit, Signature, TreeFile};

/// A manifest larger than this was never planned on.
const FILE_BYTES_MAX: usize = 4 << 20;

/// A file as it is and as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedFile {
    /// Path in the repository.
    pub path: String,
    /// Its bytes now.
    pub old: Bytes,
    /// Its bytes after the plan.
    pub new: Bytes,
}

/// Makes the edits of `plan`; a file that cannot be edited is left out, and its changes leave the plan with
/// those of their groups.
///
/// Each left-out file is returned with the reason.
pub(super) async fn edit_files(
    context: &Context,
    repo: &dyn GitRepo,
    files: &[TreeFile],
    plan: &mut UpdatePlan,
) -> Result<(Vec<EditedFile>, Vec<Failure>), Failure> {
    let mut failures = Vec::new();
    loop {
        let (edited, failed) = try_edits(context, repo, files, plan).await?;
        let paths: BTreeSet<String> = failed.iter().map(|(path, _)| path.clone()).collect();
        failures.extend(failed.into_iter().map(|(_, failure)| failure));
        if paths.is_empty() {
            return Ok((edited, failures));
        }
        plan.leave_out(&paths);
    }
}

/// Makes the edits of `plan` as it is; returns the edited files, and those that cannot be edited.
async fn try_edits(
    context: &Context,
    repo: &dyn GitRepo,
    files: &[TreeFile],
    plan: &UpdatePlan,
) -> Result<(Vec<EditedFile>, Vec<(String, Failure)>), Failure> {
    let mut edits: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for change in &plan.changes {
        edits.entry(change.file.as_str()).or_default().extend(change.edits.iter().cloned());
    }
    let blobs: BTreeMap<&str, &str> =
        files.iter().map(|file| (file.path.as_str(), file.blob.as_str())).collect();
    let ids = edits.keys().map(|path| blobs.get(path).copied().unwrap_or_default().to_owned()).collect();
    let sources = repo.blobs(context, ids, FILE_BYTES_MAX).await?;
    let (mut edited, mut failures) = (Vec::new(), Vec::new());
    for ((path, edits), source) in edits.iter().zip(sources) {
        let Some(old) = source else {
            let failure = Failure::bug(format!("{path} was planned on and cannot be read"));
            failures.push(((*path).to_owned(), failure));
            continue;
        };
        match edit::apply(path, &old, edits) {
            Ok(new) => edited.push(EditedFile { path: (*path).to_owned(), old, new: Bytes::from(new) }),
            Err(error) => {
                let failure = Failure::reject(format!("{path} cannot be edited")).because(error);
                failures.push(((*path).to_owned(), failure));
            }
        }
    }
    Ok((edited, failures))
}

/// Writes the commit; moves no ref. Its time is not before its parent's.
pub(super) async fn write(
    context: &Context,
    repo: &dyn GitRepo,
    plan: &UpdatePlan,
    files: &[EditedFile],
    author: &Signature,
    time: Timestamp,
) -> Result<String, Failure> {
    let commit = NewCommit {
        parent: plan.parent.clone(),
        files: files.iter().map(|file| (file.path.clone(), file.new.clone())).collect(),
        message: message(plan),
        author: author.clone(),
        time,
    };
    repo.commit(context, commit).await
}
