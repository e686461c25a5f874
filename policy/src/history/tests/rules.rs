//! The rules of a field's past, one row each: what was committed, and what counts as held.

use proptest::prelude::*;

use super::*;

/// One commit: who or what made it, and the image and policy of the field after it.
enum Step {
    /// Anybody sets the image.
    Set(&'static str),
    /// Tidegate updates to the image, with its trailer.
    Update(&'static str),
    /// A person sets image and policy.
    Policy(&'static str, &'static str),
    /// A commit that changes nothing here, with this message.
    Empty(&'static str),
    /// Tidegate's message on a commit that another host made of it, with other contents.
    Squash(&'static str),
    /// The file moves to this path, the image as given.
    Move(&'static str, &'static str),
    /// The file goes away.
    Delete,
}
use Step::*;

/// Runs the steps on `a.yaml`, which holds `web:1` under `semver:*`, and returns the field's past at the end.
fn run(steps: &[Step]) -> FieldHistory {
    let mut repo = Repo::default();
    let (mut path, mut image, mut policy) = ("a.yaml", "web:1", "semver:*");
    repo.commit("by hand", &[(path, &field(image, policy))]);
    for step in steps {
        let id = FieldId(format!("{path}#{WEB}"));
        match step {
            Set(to) => {
                repo.commit("by hand", &[(path, &field(to, policy))]);
                image = to;
            }
            Update(to) => {
                let message = format!("s\n\n{}", trailer::update(&id, image, to));
                repo.commit(&message, &[(path, &field(to, policy))]);
                image = to;
            }
            Policy(to, text) => {
                repo.commit("by hand", &[(path, &field(to, text))]);
                (image, policy) = (to, text);
            }
            Empty(message) => drop(repo.commit(&message.replace("FIELD", &id.0), &[])),
            Squash(to) => {
                let message = format!("s (#12)\n\n* web\n\n{}", trailer::update(&id, image, "web:9"));
                repo.commit(&message, &[(path, &field(to, policy))]);
                image = to;
            }
            Move(to_path, to) => {
                repo.commit("mv", &[(path, ""), (to_path, &field(to, policy))]);
                (path, image) = (to_path, to);
            }
            Delete => drop(repo.commit("rm", &[(path, "")])),
        }
    }
    repo.field(&format!("{path}#{WEB}"))
}

/// What is held at the end, newest first; `!` marks what anybody but Tidegate replaced, which bars a digest.
#[track_caller]
fn check(rule: &str, steps: &[Step], expect: &str) {
    let past = run(steps);
    let mut shown = Vec::new();
    let mut replaced_by = Some(Writer::Tidegate);
    for held in &past.held {
        let mark = if replaced_by == Some(Writer::Tidegate) { "" } else { "!" };
        shown.push(format!("{}{mark}", held.image.trim_start_matches("web:")));
        replaced_by = held.by;
    }
    assert_eq!((shown.join(" ").as_str(), past.gap), (expect, None), "{rule}");
}

#[test]
fn what_counts_as_held() {
    check("an update", &[Update("web:2")], "2 1");
    check("a tag set by hand", &[Set("web:2")], "2 1!");
    check("a git revert", &[Update("web:2"), Set("web:1")], "1 2! 1");
    check("a revert of the revert", &[Update("web:2"), Set("web:1"), Set("web:2")], "2 1! 2! 1");
    check("a cherry-pick of an older tag", &[Update("web:3"), Set("web:2")], "2 3! 1");
    check("a squash merge whose message is not what it does", &[Squash("web:2")], "2 1!");
    check("an update after a revert", &[Update("web:2"), Set("web:1"), Update("web:3")], "3 1 2! 1");
    check("there and back by the registry", &[Update("web:2"), Update("web:1")], "1 2 1");
    check("a commit elsewhere", &[Update("web:2"), Empty("docs")], "2 1");
    check("deleted and restored", &[Update("web:2"), Delete, Set("web:1")], "1 2! 1");
    check("renamed", &[Update("web:2"), Move("b.yaml", "web:2")], "2 1");
    check(
        "renamed, and the tag set in the same commit",
        &[Update("web:2"), Move("b.yaml", "web:1")],
        "1 2! 1",
    );
    check("updated after a rename", &[Move("b.yaml", "web:1"), Update("web:2")], "2 1");
}

#[test]
fn what_starts_anew() {
    check("an edited policy", &[Set("web:2"), Policy("web:2", "semver:~2")], "2");
    check("an edited policy with another tag", &[Set("web:2"), Policy("web:1", "semver:~1")], "1");
    check(
        "policy taken off and put back",
        &[Set("web:2"), Policy("web:2", "none"), Policy("web:2", "semver:*")],
        "2",
    );
    check(
        "a policy that could not be read",
        &[Set("web:2"), Policy("web:2", "invalid"), Policy("web:1", "semver:*")],
        "1 2! 1!",
    );
    check("a release", &[Set("web:2"), Empty("s\n\nTidegate-Release: FIELD")], "2");
    check("a release in the subject", &[Set("web:2"), Empty("Tidegate-Release: FIELD\n\nbody")], "2 1!");
    check("a release of another field", &[Set("web:2"), Empty("s\n\nTidegate-Release: FIELDs")], "2 1!");
    check(
        "a release, then a revert",
        &[Set("web:2"), Empty("s\n\nTidegate-Release: FIELD"), Set("web:1")],
        "1 2!",
    );
}

/// `tags` and `hold` are read by the real scanner: which of them is part of the policy?
#[test]
fn edited_tags_start_anew_and_an_edited_hold_or_age_does_not() {
    for (key, before, after, expect) in [
        ("policy", "semver:~1", "semver:~1.0", 1),
        ("tags", "glob:1*", "glob:1.*", 1),
        ("ignore-tags", "glob:x*", "glob:*x", 1),
        ("hold", "incident", "incident 4711", 2),
        ("min-age", "1h", "2h", 2),
        ("pin", "tag", "digest", 2),
        ("window", "0 9 * * * for 1h UTC", "0 9 * * * for 2h UTC", 2),
    ] {
        let mut repo = Repo::default();
        for (image, value) in [("web:1.9", before), ("web:1.0", before), ("web:1.0", after)] {
            let policy = if key == "policy" { "" } else { "    tidegate.io/policy: semver:~1\n" };
            let text = format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n{policy}    tidegate.io/{key}: \"{value}\"\n\
                 spec:\n  containers:\n  - name: c\n    image: {image}\n"
            );
            repo.commit("by hand", &[("a.yaml", "placeholder | x:1 | none")]);
            let scanned = Arc::new(crate::manifest::scan("a.yaml", text.as_bytes()));
            repo.scans.insert("a.yaml", &text, Arc::clone(&scanned));
            let commit = repo.commits.first_mut().unwrap();
            commit.files = vec![FileChange { path: "a.yaml".into(), old: None, new: Some(text) }];
        }
        let mut older = None;
        for commit in repo.commits.iter_mut().rev() {
            let change = commit.files.first_mut().unwrap();
            change.old = older;
            older = change.new.clone();
        }
        let scanned = repo.scans.get("a.yaml", &older.unwrap()).unwrap();
        let tree =
            TreeSnapshot { revision: "c3".into(), files: [("a.yaml".into(), Arc::clone(scanned))].into() };
        let history = History { commits: repo.commits, end: HistoryEnd::Root, scans: repo.scans };
        let traces = trace(&tree, &history, None);
        let [past] = traces.fields.values().collect::<Vec<_>>()[..] else {
            panic!("{key}: {:?}", tree.files)
        };
        assert_eq!(past.held.len(), expect, "{key}");
    }
}

#[test]
fn nothing_counts_that_is_older_than_the_look_back() {
    let mut repo = Repo::default();
    repo.web(&["web:1.0", "web:1.9", "web:1.2"]);
    repo.commits.truncate(2);
    let past = |end| repo.trace(end, None).fields[&FieldId(format!("web.yaml#{WEB}"))].clone();
    let images = |past: &FieldHistory| past.held.iter().map(|held| held.image.clone()).collect::<Vec<_>>();
    let bounded = past(HistoryEnd::Limit);
    assert_eq!(
        (images(&bounded), bounded.gap),
        (vec!["web:1.2".into(), "web:1.9".into(), "web:1.0".into()], None)
    );
    assert_eq!(past(HistoryEnd::Shallow).gap, Some(Gap::Shallow));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Files within a commit, and fields within a file, come in any order.
    #[test]
    fn the_order_of_files_and_fields_does_not_matter(
        steps in prop::collection::vec((0_usize..3, 0_u8..4, any::<bool>()), 1..10),
    ) {
        let run = |turned: bool| {
            let mut repo = Repo::default();
            for (which, tag, moves) in &steps {
                let name = |file: usize| ["a.yaml", "b.yaml", "c.yaml"][file % 3];
                let line = |rest: &str, tag: u8| format!("{rest} | x:{tag} | semver:*");
                let mut lines = [line(WEB, *tag), line("images/x", tag / 2)];
                if turned {
                    lines.reverse();
                }
                let mut files = vec![(name(*which), lines.join("\n"))];
                if *moves && repo.tree.contains_key(name(which + 1)) {
                    files.push((name(which + 1), String::new()));
                }
                if turned {
                    files.reverse();
                }
                let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
                repo.commit("s", &files);
            }
            let traces = repo.trace(HistoryEnd::Root, None);
            let fields: BTreeMap<_, _> =
                traces.fields.into_iter().map(|(id, past)| (id.0, format!("{past:?}"))).collect();
            fields
        };
        prop_assert_eq!(run(false), run(true));
    }
}
