//! A repository in a few lines, and the values that its fields are said to have held.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::annotation::{ImagePolicy, Order, PolicyText};
use crate::finding::Finding;
use crate::manifest::likeness::Likeness;
use crate::manifest::{FieldId, FieldPolicy, FileScan, ImageField};
use crate::snapshot::TreeSnapshot;

use super::*;

mod rules;

const WEB: &str = "apps/Deployment//web#web";

/// Commits of files in a tiny notation: one field a line, `rest | image | policy`.
///
/// Policy is `semver:…`, `none` or `invalid`; a file whose text is `broken` does not parse.
#[derive(Default)]
struct Repo {
    tree: BTreeMap<String, String>,
    commits: Vec<CommitChange>,
    scans: Scans,
}

impl Repo {
    /// Commits `files` (an empty text removes the file) with `message`; ids are c1, c2, …
    fn commit(&mut self, message: &str, files: &[(&str, &str)]) -> &mut Self {
        let mut changes = Vec::new();
        for (path, text) in files {
            let old = self.tree.get(*path).cloned();
            let new = (!text.is_empty()).then(|| (*text).to_owned());
            if let Some(text) = &new {
                self.tree.insert((*path).to_owned(), text.clone());
                self.scans.insert(path, text, Arc::new(scan(path, text)));
            } else {
                self.tree.remove(*path);
            }
            changes.push(FileChange { path: (*path).to_owned(), old, new });
        }
        let id = format!("c{}", self.commits.len() + 1);
        let commit =
            CommitChange { id, message: message.into(), time: Timestamp::UNIX_EPOCH, files: changes };
        self.commits.insert(0, commit);
        self
    }

    fn web(&mut self, images: &[&str]) -> &mut Self {
        for image in images {
            self.commit("by hand", &[("web.yaml", &field(image, "semver:~1"))]);
        }
        self
    }

    fn trace(&self, end: HistoryEnd, rewrite: Option<&Rewrite>) -> Traces {
        let revision = self.commits.first().map(|tip| tip.id.clone()).unwrap_or_default();
        let files = self.tree.iter().map(|(path, text)| (path.clone(), Arc::new(scan(path, text)))).collect();
        let history = History { commits: self.commits.clone(), end, scans: self.scans.clone() };
        trace(&TreeSnapshot { revision, files }, &history, rewrite)
    }

    fn field(&self, id: &str) -> FieldHistory {
        self.trace(HistoryEnd::Root, None).fields[&FieldId(id.into())].clone()
    }

    /// The values held by the web field of `path`, newest first.
    #[track_caller]
    fn check(&self, path: &str, expect: &[&str]) {
        let field = self.field(&format!("{path}#{WEB}"));
        let held: Vec<&str> = field.held.iter().map(|held| held.image.as_str()).collect();
        assert_eq!((held.as_slice(), field.gap), (expect, None));
    }
}

fn field(image: &str, policy: &str) -> String {
    format!("{WEB} | {image} | {policy}")
}

fn scan(path: &str, text: &str) -> FileScan {
    if text == "broken" {
        let finding = Finding {
            file: path.into(),
            line: 1,
            key: None,
            value: None,
            message: "broken".into(),
            hint: None,
        };
        return FileScan { findings: vec![finding], ..FileScan::default() };
    }
    let fields = text.lines().map(|line| {
        let [rest, image, policy] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        ImageField {
            id: FieldId(format!("{path}#{rest}")),
            document: 0,
            object: "Deployment//web".into(),
            container: "web".into(),
            line: 1,
            image: image.into(),
            sites: Vec::new(),
            shared: None,
            group: None,
            policy: read_policy(path, policy),
        }
    });
    let likeness = Likeness::of(text.as_bytes());
    FileScan { fields: fields.collect(), likeness, ..FileScan::default() }
}

fn read_policy(path: &str, text: &str) -> FieldPolicy {
    match text {
        "none" => FieldPolicy::None,
        "invalid" => FieldPolicy::Invalid(scan(path, "broken").findings.remove(0)),
        policy => FieldPolicy::Policy(Box::new(ImagePolicy::new(
            Order::Alphabetical(false),
            PolicyText { policy: policy.into(), ..PolicyText::default() },
        ))),
    }
}

#[test]
fn all_values_since_the_field_came_are_held_newest_first() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.1", "web:1.0"]).commit("other", &[("x.yaml", &field("x:1", "none"))]);
    repo.check("web.yaml", &["web:1.0", "web:1.1", "web:1.0"]);
    assert_eq!(repo.field(&format!("web.yaml#{WEB}")).changed_by.as_deref(), Some("c3"));
}

#[test]
fn a_changed_policy_starts_anew_and_the_value_after_it_counts() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.9"]).commit("", &[("web.yaml", &field("web:1.2", "semver:~1.2"))]);
    repo.commit("", &[("web.yaml", &field("web:1.3", "semver:~1.2"))]);
    repo.check("web.yaml", &["web:1.3", "web:1.2"]);
}

#[test]
fn a_policy_that_is_taken_off_and_put_back_starts_anew() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.9"]).commit("", &[("web.yaml", &field("web:1.2", "none"))]);
    repo.web(&["web:1.2"]);
    repo.check("web.yaml", &["web:1.2"]);
}

#[test]
fn an_unreadable_policy_or_file_in_between_forgets_nothing() {
    for between in [field("web:1.9", "invalid"), "broken".to_owned(), String::new()] {
        let mut repo = Repo::default();
        repo.web(&["web:1.0", "web:1.9"]).commit("", &[("web.yaml", &between)]).web(&["web:1.0"]);
        repo.check("web.yaml", &["web:1.0", "web:1.9", "web:1.0"]);
    }
}

#[test]
fn a_release_trailer_starts_its_field_anew_even_in_an_empty_commit() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.9", "web:1.0"]);
    repo.commit(&format!("let it\n\nTidegate-Release: other.yaml#{WEB}"), &[]);
    repo.check("web.yaml", &["web:1.0", "web:1.9", "web:1.0"]);
    repo.commit(&format!("let it\n\nTidegate-Release: web.yaml#{WEB}"), &[]);
    repo.check("web.yaml", &["web:1.0"]);
    assert_eq!(repo.field(&format!("web.yaml#{WEB}")).changed_by.as_deref(), Some("c5"));
}

#[test]
fn a_renamed_file_keeps_the_past_of_its_fields() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.9", "web:1.0"]);
    repo.commit("mv", &[("web.yaml", ""), ("apps/web.yaml", &field("web:1.0", "semver:~1"))]);
    repo.check("apps/web.yaml", &["web:1.0", "web:1.9", "web:1.0"]);
    repo.commit("mv back", &[("apps/web.yaml", ""), ("web.yaml", &field("web:1.0", "semver:~1"))]);
    repo.check("web.yaml", &["web:1.0", "web:1.9", "web:1.0"]);
}

#[test]
fn a_rename_that_also_sets_the_tag_holds_both() {
    let mut repo = Repo::default();
    repo.web(&["web:1.9"])
        .commit("", &[("a.yaml", &field("web:1.0", "semver:~1")), ("web.yaml", "")])
        .check("a.yaml", &["web:1.0", "web:1.9"]);
}

#[test]
fn a_field_that_moved_to_two_files_has_no_history_until_it_starts_anew() {
    let mut repo = Repo::default();
    let text = field("web:1.0", "semver:~1");
    repo.web(&["web:1.0"]).commit("", &[("web.yaml", ""), ("a.yaml", &text), ("b.yaml", &text)]);
    let id = format!("a.yaml#{WEB}");
    assert_eq!(repo.field(&id).gap, Some(Gap::Ambiguous("c2".into())));
    repo.commit(&format!("s\n\nTidegate-Release: {id}"), &[]);
    repo.check("a.yaml", &["web:1.0"]);
    assert!(repo.field(&format!("b.yaml#{WEB}")).gap.is_some());
}

/// A marker or an `images:` entry whose file was renamed and edited in one commit: is its past followed?
#[track_caller]
fn check_rename(rest: &str, before: &str, after: &str, expect: usize) {
    let field = |image: &str, more: &str| format!("{rest} | {image} | semver:~1\n{more}");
    let mut repo = Repo::default();
    repo.commit("", &[("a.yaml", &field("web:1.9", before))]);
    repo.commit("", &[("a.yaml", ""), ("b.yaml", &field("web:1.0", after))]);
    assert_eq!(repo.field(&format!("b.yaml#{rest}")).held.len(), expect, "{before} → {after}");
}

#[test]
fn a_marker_or_an_entry_is_followed_between_files_that_git_calls_a_rename() {
    let some = (0..9).map(|at| format!("/a{at} | a:1 | none")).collect::<Vec<_>>().join("\n");
    let (some, other) = (some.as_str(), "/x | x:1 | none");
    for rest in ["/data/image", "images/ghcr.io/acme/web"] {
        check_rename(rest, some, some, 2);
        check_rename(rest, some, &format!("{some}\n{other}"), 2);
        check_rename(rest, some, other, 1);
        check_rename(rest, "", some, 1);
    }
    check_rename(WEB, some, other, 2);
}

#[test]
fn files_that_are_too_large_to_compare_are_ambiguous() {
    let text = |image: &str| format!("/data/image | {image} | semver:~1");
    let mut repo = Repo::default();
    repo.commit("", &[("a.yaml", &text("web:1.9"))]);
    repo.commit("", &[("a.yaml", ""), ("b.yaml", &text("web:1.0"))]);
    let large = FileScan { likeness: None, ..scan("b.yaml", &text("web:1.0")) };
    repo.scans.insert("b.yaml", &text("web:1.0"), Arc::new(large));
    assert_eq!(repo.field("b.yaml#/data/image").gap, Some(Gap::Ambiguous("c2".into())));
}

#[test]
fn a_value_outlives_its_policy_only_if_it_did_not_change_with_it_or_after() {
    let cases: [(&[(&str, &str)], bool); 8] = [
        (&[("web:2.0", "semver:2.x"), ("web:2.0", "semver:1.x")], true),
        (&[("web:2.0", "none"), ("web:2.0", "semver:1.x")], true),
        (&[("web:2.0", "semver:2.x"), ("web:2.0", "invalid"), ("web:2.0", "semver:1.x")], true),
        (&[("web:2.0", "semver:2.x")], false),
        (&[("web:2.0", "semver:2.x"), ("web:2.1", "semver:1.x")], false),
        (&[("web:2.0", "semver:2.x"), ("web:2.0", "semver:1.x"), ("web:2.1", "semver:1.x")], false),
        (
            &[
                ("web:2.0", "semver:2.x"),
                ("web:2.0", "semver:1.x"),
                ("web:1.0", "semver:1.x"),
                ("web:2.0", "semver:1.x"),
            ],
            false,
        ),
        (&[("web:2.0", "semver:2.x"), ("web:2.0", "semver:1.x"), ("", ""), ("web:2.0", "semver:1.x")], false),
    ];
    for (steps, expect) in cases {
        let mut repo = Repo::default();
        for (image, policy) in steps {
            let text = if image.is_empty() { String::new() } else { field(image, policy) };
            repo.commit("", &[("web.yaml", &text)]);
        }
        assert_eq!(repo.field(&format!("web.yaml#{WEB}")).outlived_policy, expect, "{steps:?}");
    }
}

#[test]
fn an_update_is_tidegates_only_if_its_trailer_names_field_from_and_to() {
    let id = FieldId(format!("web.yaml#{WEB}"));
    for (trailer, expect) in [
        (trailer::update(&id, "web:1.0", "web:1.1"), Writer::Tidegate),
        (trailer::update(&id, "web:1.0", "web:1.2"), Writer::Person),
        (trailer::update(&FieldId("web.yaml".into()), "web:1.0", "web:1.1"), Writer::Person),
    ] {
        let mut repo = Repo::default();
        repo.web(&["web:1.0"]);
        repo.commit(&format!("s\n\n{trailer}"), &[("web.yaml", &field("web:1.1", "semver:~1"))]);
        assert_eq!(repo.field(&id.0).held[0].by, Some(expect), "{trailer}");
    }
}

#[test]
fn a_shallow_boundary_is_no_history_unless_the_field_started_anew_after_it() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.1"]);
    let id = FieldId(format!("web.yaml#{WEB}"));
    let gap = |repo: &Repo, end| repo.trace(end, None).fields[&id].gap.clone();
    assert_eq!(gap(&repo, HistoryEnd::Shallow), Some(Gap::Shallow));
    assert_eq!(gap(&repo, HistoryEnd::Limit), None);
    repo.commit("", &[("web.yaml", &field("web:1.1", "semver:~1.1"))]);
    assert_eq!(gap(&repo, HistoryEnd::Shallow), None);
}

#[test]
fn a_missing_scan_and_a_foreign_tip_are_gaps() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.1"]);
    repo.scans.retain(|_, text| !text.contains("1.0"));
    let id = FieldId(format!("web.yaml#{WEB}"));
    assert_eq!(repo.field(&id.0).gap, Some(Gap::Unscanned("web.yaml".into())));
    repo.commits.clear();
    assert_eq!(repo.field(&id.0).gap, Some(Gap::OtherTip));
}

#[test]
fn a_rewrite_holds_the_fields_it_changed_until_a_person_touches_them() {
    let id = FieldId(format!("web.yaml#{WEB}"));
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.1"]);
    let gap = |repo: &Repo, changed: Option<&[&FieldId]>, at: &str| {
        let changed = changed.map(|ids| ids.iter().map(|id| (*id).clone()).collect());
        let rewrite = Rewrite { at: at.into(), changed };
        repo.trace(HistoryEnd::Root, Some(&rewrite)).fields[&id].gap.clone()
    };
    let rewritten = Some(Gap::Rewritten("c2".into()));
    assert_eq!(gap(&repo, None, "c2"), rewritten, "the old tip cannot be read");
    assert_eq!(gap(&repo, Some(&[&id]), "c2"), rewritten);
    assert_eq!(gap(&repo, Some(&[]), "c2"), None, "the value is the same");
    let ours = format!("s\n\n{}", trailer::update(&id, "web:1.1", "web:1.2"));
    repo.commit(&ours, &[("web.yaml", &field("web:1.2", "semver:~1"))]);
    assert_eq!(gap(&repo, None, "c2"), rewritten, "our own commit is no person's");
    repo.web(&["web:1.3"]);
    assert_eq!(gap(&repo, None, "c2"), None);
    repo.commit("", &[("web.yaml", &field("web:1.3", "semver:~1.3"))]);
    assert_eq!(gap(&repo, None, "c5"), Some(Gap::Rewritten("c5".into())));
    repo.commit(&format!("s\n\nTidegate-Release: {}", id.0), &[]);
    assert_eq!(gap(&repo, None, "c5"), None);
}

#[test]
fn a_rewrite_older_than_the_look_back_holds_nothing() {
    let id = FieldId(format!("web.yaml#{WEB}"));
    let mut repo = Repo::default();
    repo.web(&["web:1.0"]);
    repo.commits.clear();
    repo.commit("", &[("x.yaml", &field("x:1", "none"))]);
    let rewrite = Rewrite { at: "gone".into(), changed: None };
    assert_eq!(repo.trace(HistoryEnd::Limit, Some(&rewrite)).fields[&id].gap, None);
    assert!(repo.trace(HistoryEnd::Root, Some(&rewrite)).fields[&id].gap.is_some());
}

#[test]
fn a_rewrite_is_described_by_the_fields_it_changed() {
    let tree = |revision: &str, text: &str| {
        let files = [("a.yaml".to_owned(), Arc::new(scan("a.yaml", text)))].into();
        TreeSnapshot { revision: revision.into(), files }
    };
    let old = tree("c1", "x | x:1 | none\ny | y:1 | none");
    let new = tree("c2", "x | x:2 | none\ny | y:1 | none\nz | z:1 | none");
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| FieldId(format!("a.yaml#{id}"))).collect());
    let first = Rewrite::between(Some(&old), &new, None);
    assert_eq!(first, Rewrite { at: "c2".into(), changed: ids(&["x", "z"]) });
    let again = tree("c3", "x | x:2 | none\ny | y:9 | none\nz | z:1 | none");
    assert_eq!(Rewrite::between(Some(&new), &again, Some(&first)).changed, ids(&["x", "y", "z"]));
    assert_eq!(Rewrite::between(None, &again, Some(&first)).changed, None);
    let unknown = Rewrite { at: "c2".into(), changed: None };
    assert_eq!(Rewrite::between(Some(&new), &again, Some(&unknown)).changed, None);
}
