//! A repository, a registry and a planner: what is committed, commit after commit.

mod check;
mod digest;
mod group;
mod guards;
mod plan;
mod properties;
mod walks;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::history::{CommitChange, FileChange, History, HistoryEnd, Rewrite, Scans};
use crate::manifest::{edit, scan};
use crate::reference::{Digest, ImageReference};

use super::*;

const NOW: &str = "2026-06-01T12:00:00Z";

/// Everything that the planner sees, in a form that is easily changed.
#[derive(Clone)]
struct World {
    files: BTreeMap<String, String>,
    commits: Vec<CommitChange>,
    scans: Scans,
    registry: RegistrySnapshot,
    rewrite: Option<Rewrite>,
    end: HistoryEnd,
    guards: Guards,
    now: Timestamp,
}

impl World {
    /// One Deployment `web` in `web.yaml` with an image of `r.io/web` and annotations.
    fn web(tag: &str, annotations: &[(&str, &str)]) -> Self {
        let mut world = Self {
            files: BTreeMap::new(),
            commits: Vec::new(),
            scans: Scans::default(),
            registry: RegistrySnapshot::default(),
            rewrite: None,
            end: HistoryEnd::Root,
            guards: Guards::default(),
            now: NOW.parse().unwrap(),
        };
        world.set("web.yaml", &deployment("web", &format!("r.io/web:{tag}"), annotations));
        world
    }

    fn commit(&mut self, message: &str, files: &[(&str, &str)]) {
        let mut changes = Vec::new();
        for (path, text) in files {
            let scanned = Arc::new(scan(path, text.as_bytes()));
            self.scans.insert(path, text, scanned);
            let old = self.files.insert((*path).to_owned(), (*text).to_owned());
            changes.push(FileChange { path: (*path).to_owned(), old, new: Some((*text).to_owned()) });
        }
        let id = format!("c{}", self.commits.len() + 1);
        let commit =
            CommitChange { id, message: message.into(), time: Timestamp::UNIX_EPOCH, files: changes };
        self.commits.insert(0, commit);
    }

    fn set(&mut self, path: &str, text: &str) {
        self.commit("by hand", &[(path, text)]);
    }

    /// A person replaces text in `web.yaml`.
    fn replace(&mut self, from: &str, to: &str) {
        let text = self.files["web.yaml"].replace(from, to);
        assert_ne!(text, self.files["web.yaml"], "{from} is not there");
        self.set("web.yaml", &text);
    }

    /// Sets the listing of `r.io/web`; every tag in it has a manifest.
    fn push(&mut self, tags: &[&str]) {
        self.list("r.io/web", tags);
    }

    fn list(&mut self, repository: &str, tags: &[&str]) {
        let repository = ImageReference::parse(repository).unwrap().repository;
        let state = self.registry.repositories.entry(repository).or_default();
        state.tags = Some(Arc::new(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        let digest = digest('0');
        for tag in tags.iter().filter_map(|tag| Tag::parse(tag).ok()) {
            state.manifests.entry(tag).or_insert_with(|| ManifestFact::Present(digest.clone()));
        }
    }

    /// Points a tag of `r.io/web` to the digest that has only this digit.
    fn point(&mut self, tag: &str, digit: char) {
        let fact = ManifestFact::Present(digest(digit));
        self.state().manifests.insert(Tag::parse(tag).unwrap(), fact);
    }

    fn state(&mut self) -> &mut RepositoryState {
        self.registry.repositories.values_mut().next().unwrap()
    }

    fn with_input<T>(&self, work: impl FnOnce(&UpdateInput<'_>) -> T) -> T {
        let files =
            self.files.iter().map(|(path, text)| (path.clone(), Arc::new(scan(path, text.as_bytes()))));
        let revision = self.commits.first().map(|tip| tip.id.clone()).unwrap_or_default();
        let tree = TreeSnapshot { revision, files: files.collect() };
        let history = History { commits: self.commits.clone(), end: self.end, scans: self.scans.clone() };
        work(&UpdateInput {
            guards: &self.guards,
            source: "fleet",
            branch: "main",
            tree: &tree,
            history: &history,
            registry: &self.registry,
            rewrite: self.rewrite.as_ref(),
            now: self.now,
        })
    }

    fn plan(&self) -> (UpdatePlan, UpdateReport) {
        self.with_input(|input| {
            let (plan, report) = plan(input);
            assert_eq!(check(input, &plan), Ok(()));
            (plan, report)
        })
    }

    /// Plans, commits what was planned as Tidegate does, and returns the references written.
    fn tick(&mut self) -> Vec<String> {
        let (plan, _) = self.plan();
        if plan.changes.is_empty() {
            return Vec::new();
        }
        let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
        for change in &plan.changes {
            edits.entry(change.file.clone()).or_default().extend(change.edits.iter().cloned());
        }
        let files: Vec<(String, String)> = edits
            .into_iter()
            .map(|(path, edits)| {
                let edited = edit::apply(&path, self.files[&path].as_bytes(), &edits).unwrap();
                (path, String::from_utf8(edited).unwrap())
            })
            .collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        self.commit(&message(&plan), &files);
        plan.changes.into_iter().map(|change| change.to).collect()
    }

    /// The only field's decision and the codes of its holds.
    fn decision(&self) -> (Decision, Vec<HoldReason>) {
        let (_, report) = self.plan();
        let [field] = report.fields.as_slice() else { panic!("{:?}", report.fields) };
        (field.decision, field.holds.iter().map(|hold| hold.reason).collect())
    }
}

fn digest(digit: char) -> Digest {
    Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).unwrap()
}

fn deployment(name: &str, image: &str, annotations: &[(&str, &str)]) -> String {
    let settings: Vec<_> =
        annotations.iter().map(|(key, value)| format!("    tidegate.io/{key}: \"{value}\"\n")).collect();
    let annotations =
        if settings.is_empty() { String::new() } else { format!("  annotations:\n{}", settings.concat()) };
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n{annotations}spec:\n  template:\n    \
         spec:\n      containers:\n      - name: {name}\n        image: {image} # kept\n"
    )
}
