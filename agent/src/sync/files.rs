//! The files of a source as objects: a file is read and parsed once for each of its contents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use tidegate_policy::finding::Finding;
use tidegate_policy::manifest::{FileObjects, objects};
use tidegate_policy::sync::desired::{Desired, Kinds, Setting, build};
use tidegate_policy::sync::{UnitKey, applyset};

use crate::context::Context;
use crate::error::Failure;
use crate::git::{GitRepo, TreeFile};

/// The greatest manifest file that is read.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Files {
    /// By path; with the blob that was parsed.
    parsed: HashMap<String, (String, Arc<FileObjects>)>,
}

impl Files {
    /// Reads and parses what is not known yet.
    pub(super) async fn load(
        &mut self,
        context: &Context,
        repo: &dyn GitRepo,
        files: impl Iterator<Item = &TreeFile>,
    ) -> Result<(), Failure> {
        let is_new =
            |file: &&TreeFile| self.parsed.get(&file.path).is_none_or(|(blob, _)| *blob != file.blob);
        let new: Vec<TreeFile> = files.filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let blobs = new.iter().map(|file| file.blob.clone()).collect();
        let contents = repo.blobs(context, blobs, FILE_BYTES_MAX).await?;
        if contents.len() != new.len() {
            return Err(Failure::bug("git gave another number of blobs than was asked for"));
        }
        // Parsing is work of its own: the loop's thread has others to serve.
        let parsed = tokio::task::spawn_blocking(move || {
            let parse = |(file, bytes): (TreeFile, Option<Bytes>)| {
                let objects = Arc::new(read(&file.path, bytes.as_deref()));
                (file.path, (file.blob, objects))
            };
            new.into_iter().zip(contents).map(parse).collect::<Vec<_>>()
        })
        .await
        .map_err(|error| Failure::bug("the parser did not survive a file").because(error))?;
        self.parsed.extend(parsed);
        Ok(())
    }

    /// Merges the loaded files of a unit into what it desires; a refused unit desires nothing, and is incomplete.
    ///
    /// `ours` is Tidegate's namespace, `default` that of objects that name none.
    pub(super) fn desire<'a>(
        &self,
        unit: &UnitKey,
        ours: &str,
        default: &str,
        kinds: &Kinds,
        paths: impl Iterator<Item = &'a str>,
        refusal: Option<&Finding>,
    ) -> Desired {
        if let Some(finding) = refusal {
            return Desired { findings: vec![finding.clone()], ..Desired::default() };
        }
        let applyset = applyset::id(&applyset::parent_name(unit), ours);
        let setting = Setting { namespace: default, applyset: &applyset, kinds };
        let loaded = |path| self.parsed.get(path).map(|(_, objects)| (path, &**objects));
        build(setting, paths.filter_map(loaded))
    }

    /// Forgets files that are no longer in any unit.
    pub(super) fn retain(&mut self, paths: &HashSet<&str>) {
        self.parsed.retain(|path, _| paths.contains(path.as_str()));
    }
}

fn read(path: &str, bytes: Option<&[u8]>) -> FileObjects {
    match bytes {
        Some(bytes) => objects(path, bytes),
        None => FileObjects {
            findings: vec![Finding {
                file: path.to_owned(),
                line: 0,
                key: None,
                value: None,
                message: "larger than 4 MiB; it is not read".to_owned(),
                hint: Some("split the file".to_owned()),
            }],
            ..FileObjects::default()
        },
    }
}
