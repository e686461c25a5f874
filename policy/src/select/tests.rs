//! Selections as tables and properties.

mod age;

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;
use crate::annotation::Setting;
use crate::version::Version;

/// A policy and what is known of a field.
struct Case {
    policy: &'static str,
    tags: &'static str,
    ignore_tags: &'static str,
    current: Option<&'static str>,
    held: &'static [&'static str],
    missing: &'static [&'static str],
}

impl Case {
    fn policy(&self) -> ImagePolicy {
        let pairs = [("policy", self.policy), ("tags", self.tags), ("ignore-tags", self.ignore_tags)];
        let settings: Vec<_> = (pairs.iter())
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| Setting { key: (*key).into(), value: (*value).into(), line: 1 })
            .collect();
        ImagePolicy::resolve(&settings, "web").expect("readable").expect("a policy")
    }

    /// Checks the verdicts, written as `tag reason`, and that the cheap variant agrees;
    /// eligible tags are marked `+`, the selected one `*`.
    #[track_caller]
    fn check(&self, expect: &[&str]) {
        let tags: Vec<&str> = expect.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
        let policy = self.policy();
        let held = self.held.iter().map(ToString::to_string).collect::<Vec<_>>();
        let missing = self.missing.iter().map(ToString::to_string).collect::<Vec<_>>();
        let input =
            SelectInput { current: self.current, held: &held, missing: &missing, ..SelectInput::default() };
        let selection = select(&policy, &tags, &input);
        let found: Vec<_> = selection.verdicts.iter().map(line).collect();
        assert_eq!(found, expect);
        let choice = choose(&policy, &tags, &input);
        assert_eq!(choice.selected, selection.selected);
        let eligible = found.iter().filter(|line| line.ends_with(['+', '*'])).count();
        assert_eq!(choice.eligible, eligible);
        assert_eq!(choice.rejected.values().sum::<usize>(), tags.len() - eligible);
    }
}

fn line(verdict: &Verdict<'_>) -> String {
    let mark = match verdict.outcome {
        Outcome::Selected => "*",
        Outcome::Eligible => "+",
        Outcome::Rejected => verdict.reason.expect("a reason").code(),
    };
    format!("{} {mark}", verdict.tag)
}

const SEMVER: Case =
    Case { policy: "semver:~1.4", tags: "", ignore_tags: "", current: None, held: &[], missing: &[] };

#[test]
fn without_a_running_tag_the_best_is_selected() {
    SEMVER.check(&[
        "1.4.6 +",
        "latest not-a-version",
        "1.4.7 *",
        "1.5.0 out-of-range",
        "1.4.8-rc.1 pre-release",
        "2.0.0-rc.1 pre-release",
        "1.4 +",
        "1.4.2.1 not-a-version",
    ]);
    Case { policy: "semver:>=1.0.0-0", ..SEMVER }.check(&["1.0.0-rc.1 +", "1.0.0-rc.2 *"]);
    SEMVER.check(&[]);
}

#[test]
fn a_running_tag_is_left_only_for_something_newer() {
    let case = Case { current: Some("1.4.2"), ..SEMVER };
    case.check(&["1.4.1 not-newer", "1.4.2 not-newer", "1.4.3 *", "1.5.0 out-of-range"]);
    case.check(&["1.4.1 not-newer", "1.4.2 not-newer"]);
    case.check(&["v1.4.2 not-newer", "1.4.2+b not-newer", "01.4.2 not-newer"]);
    Case { current: Some("1.3.9"), ..SEMVER }.check(&["1.4.0 *", "1.3.10 out-of-range"]);
    Case { current: Some("2.0.0"), ..SEMVER }.check(&["1.4.7 not-newer", "2.0.1 out-of-range"]);
    Case { current: Some("1.4.3-rc.1"), ..SEMVER }.check(&["1.4.2 not-newer", "1.4.3 *"]);
}

#[test]
fn a_candidate_has_at_least_as_many_parts_as_the_running_tag() {
    let case = Case { policy: "semver:*", current: Some("1.4.2"), ..SEMVER };
    case.check(&[
        "12345678 fewer-parts",
        "1.5 fewer-parts",
        "1.4 fewer-parts",
        "1.4.3 *",
        "latest not-a-version",
    ]);
    Case { policy: "semver:*", current: Some("1.4"), ..SEMVER }.check(&["1.5 +", "2 fewer-parts", "1.5.1 *"]);
}

#[test]
fn a_running_tag_that_is_no_version_enters_the_policy() {
    for current in ["latest", "main-3f2a", "", "1.2.3.4"] {
        let case = Case { current: Some(current), ..SEMVER };
        case.check(&["1.4.6 +", "1.4.7 *", "1.4 +"]);
        assert!(
            Judge::new(&case.policy(), &SelectInput { current: Some(current), ..Default::default() })
                .is_entering()
        );
    }
    let case = Case { current: Some("latest"), held: &["1.4.7", "latest"], ..SEMVER };
    case.check(&["1.4.7 taken-out", "1.4.6 taken-out"]);
}

#[test]
fn what_was_taken_out_stays_out_until_something_newer_appears() {
    let case = Case { current: Some("1.4.2"), held: &["1.4.2", "1.4.4", "1.4.2"], ..SEMVER };
    case.check(&["1.4.2 not-newer", "1.4.3 taken-out", "1.4.4 taken-out", "v1.4.4 taken-out"]);
    case.check(&["1.4.4 taken-out", "1.4.5 *"]);
}

#[test]
fn held_values_count_only_if_the_policy_admits_them() {
    let held = &["2.0.0", "latest", "1.4.9-rc.1", "1.4.8-debug"];
    Case { current: Some("1.4.2"), held, ..SEMVER }.check(&["1.4.3 *"]);
    Case { current: Some("1.4.2"), held: &["1.4.9"], ignore_tags: "glob:*.9", ..SEMVER }.check(&["1.4.3 *"]);
    Case { current: Some("1.4.2"), held: &["1.4.9"], tags: "glob:1.4.?\nglob:1.4.??", ..SEMVER }
        .check(&["1.4.3 taken-out", "1.4.10 *"]);
}

#[test]
fn a_missing_manifest_falls_through_to_the_next_best() {
    Case { current: Some("1.4.2"), missing: &["1.4.7", "1.4.2"], ..SEMVER }.check(&[
        "1.4.7 manifest-missing",
        "1.4.6 *",
        "1.4.5 +",
        "1.4.2 not-newer",
    ]);
}

#[test]
fn spellings_of_one_version_have_one_winner() {
    SEMVER.check(&["1.4.0 +", "v1.4.0 *", "1.4 +", "01.4.0 +"]);
    SEMVER.check(&["01.4.0 +", "1.4.0 +", "1.4.00 *"]);
    Case { policy: "numeric", ..SEMVER }.check(&["7 +", "007 *", "07 +", "6 +"]);
}

#[test]
fn filters_come_before_versions() {
    Case {
        tags: "regex:^v(?P<version>[0-9.]+)-alpine$",
        ignore_tags: "glob:*1.4.9*",
        current: Some("v1.4.2-alpine"),
        ..SEMVER
    }
    .check(&[
        "1.4.5 not-in-tags",
        "latest not-in-tags",
        "v1.4.9-alpine ignored",
        "v1.4.2-alpine not-newer",
        "v1.4.3-alpine *",
        "v1...-alpine not-a-version",
        "v1.4-alpine fewer-parts",
    ]);
}

#[test]
fn a_running_tag_outside_the_series_is_still_never_downgraded() {
    let case = Case { tags: "regex:^v(?P<version>[0-9.]+)-alpine$", current: Some("1.4.2"), ..SEMVER };
    case.check(&["v1.4.1-alpine not-newer", "v1.4.2-alpine not-newer", "v1.4.3-alpine *"]);
    Case { ignore_tags: "glob:1.4.2", current: Some("1.4.2"), ..SEMVER }.check(&["1.4.1 not-newer"]);
}

#[test]
fn numbers_are_compared_by_value() {
    let case = Case { policy: "numeric", ..SEMVER };
    case.check(&["9 +", "10 *", "-20 +", "9.5 +", "v11 not-a-number", "1.2.3 not-a-number"]);
    Case { policy: "numeric:desc", ..SEMVER }.check(&["9 +", "10 +", "-20 *"]);
    Case { policy: "numeric", current: Some("20260105"), held: &["20260107"], ..SEMVER }.check(&[
        "20260104 not-newer",
        "020260105 not-newer",
        "20260106 taken-out",
        "100000000000000000000000000 *",
    ]);
    Case { policy: "numeric:desc", current: Some("5"), held: &["3"], ..SEMVER }.check(&[
        "6 not-newer",
        "5 not-newer",
        "4 taken-out",
        "3 taken-out",
        "2 *",
    ]);
    Case {
        policy: "numeric",
        tags: r"regex:^main-[a-f0-9]+-(?P<version>\d+)$",
        current: Some("main-ff-9"),
        ..SEMVER
    }
    .check(&["main-ab-10 *", "main-cd-8 not-newer", "11 not-in-tags"]);
}

#[test]
fn texts_are_compared_by_bytes() {
    let case = Case { policy: "alphabetical", ..SEMVER };
    case.check(&["b *", "a +", "B +", "10 +", "9 +"]);
    Case { policy: "alphabetical:desc", ..SEMVER }.check(&["b +", "a +", "10 *", "9 +"]);
    Case { policy: "alphabetical", current: Some("2026-01-05"), ..SEMVER }.check(&[
        "2026-01-04 not-newer",
        "2026-01-05 not-newer",
        "2026-01-06 *",
    ]);
    // `latest` sorts after every date, but is not one of the series.
    let dates = Case { policy: "alphabetical", tags: "glob:20??-*", current: Some("latest"), ..SEMVER };
    dates.check(&["2026-01-04 +", "2026-01-06 *", "latest not-in-tags"]);
    Case { ignore_tags: "glob:latest", tags: "", ..dates }.check(&["2026-01-06 *", "latest ignored"]);
    Case { policy: "alphabetical", tags: "regex:^a(?P<version>b)?", ..SEMVER }
        .check(&["ab *", "ac not-a-version"]);
}

#[test]
fn a_tag_that_is_listed_twice_is_judged_alike() {
    SEMVER.check(&["1.4.1 *", "1.4.0 +", "1.4.1 *"]);
}

#[test]
fn codes_are_what_is_serialized() {
    let verdict = Verdict { tag: "1.4", outcome: Outcome::Rejected, reason: Some(Reason::FewerParts) };
    assert_eq!(
        serde_json::to_string(&verdict).unwrap(),
        r#"{"tag":"1.4","outcome":"rejected","reason":"fewer-parts"}"#
    );
    for reason in [Reason::NotInTags, Reason::NotAVersion, Reason::TakenOut, Reason::ManifestMissing] {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
    }
}

#[test]
fn sentences_name_the_values() {
    let case = Case { tags: "regex:^[v0-9.a-z-]+$", ignore_tags: "glob:*-bad", ..SEMVER };
    let policy = case.policy();
    let (held, missing) = (["1.4.4".to_owned()], ["1.4.8".to_owned()]);
    let input =
        SelectInput { current: Some("1.4.2"), held: &held, missing: &missing, ..SelectInput::default() };
    let tags = [
        "1.4.7",
        "1.4.6",
        "1.4.2",
        "1.4.1",
        "1.4",
        "2.0.0",
        "1.5.0-rc.1",
        "1.4.4",
        "1.4.8",
        "x",
        "1.4.9-bad",
        "A\u{1b}",
    ];
    let judge = Judge::new(&policy, &input);
    let selection = judge.select(&tags);
    let found: Vec<_> =
        selection.verdicts.iter().map(|verdict| judge.sentence(&selection, verdict)).collect();
    let expect = [
        "1.4.7 is the best that semver:~1.4 admits",
        "1.4.6 passes, and 1.4.7 is preferred",
        "1.4.2 is the running tag",
        "1.4.1 is not newer than the running tag 1.4.2",
        "1.4 has fewer numeric parts than the running tag 1.4.2",
        "2.0.0 is outside ~1.4",
        "1.5.0-rc.1 is a pre-release, and ~1.4 does not ask for it",
        "1.4.4 was taken out: it is not newer than 1.4.4, which was here before",
        "the registry lists 1.4.8 but has no manifest for it",
        "x is not a version",
        "1.4.9-bad matches `glob:*-bad` of `ignore-tags`",
        r"A\u{1b} does not match `regex:^[v0-9.a-z-]+$`",
    ];
    assert_eq!(found, expect);
}

fn policies() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "semver:*",
        "semver:~1.1 || >=2.0.0-0",
        "numeric",
        "numeric:desc",
        "alphabetical",
    ])
}

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "v?[0-2]\\.[0-2](\\.[0-2])?(-rc\\.[1-2])?",
        2 => "0?[0-9]{1,2}",
        1 => prop::sample::select(vec!["latest".to_owned(), "main".to_owned()]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_the_input_does_not_matter(
        policy in policies(),
        tags in prop::collection::vec(tag(), 0..12),
        current in prop::option::of(tag()),
        held in prop::collection::vec(tag(), 0..4),
        turn in any::<Index>(),
    ) {
        let policy = Case { policy, ..SEMVER }.policy();
        let input = SelectInput { current: current.as_deref(), held: &held, ..SelectInput::default() };
        let mut turned = tags.clone();
        if !turned.is_empty() {
            let by = turn.index(turned.len());
            turned.rotate_left(by);
        }
        turned.reverse();
        let mut held_reversed = held.clone();
        held_reversed.reverse();
        let input_reversed = SelectInput { held: &held_reversed, ..input };
        let one = select(&policy, &tags, &input);
        let other = select(&policy, &turned, &input_reversed);
        prop_assert_eq!(one.selected, other.selected);
        let sorted = |selection: &Selection<'_>| {
            let mut lines: Vec<_> = selection.verdicts.iter().map(line).collect();
            lines.sort();
            lines
        };
        prop_assert_eq!(sorted(&one), sorted(&other));
        prop_assert_eq!(choose(&policy, &turned, &input).selected, one.selected);
    }

    #[test]
    fn no_part_of_the_list_leads_downwards_or_sideways(
        (tags, part) in prop::collection::vec(tag(), 1..12).prop_flat_map(|tags| {
            let length = tags.len();
            (Just(tags.clone()), subsequence(tags, 0..=length))
        }),
        at in any::<Index>(),
    ) {
        let policy = Case { policy: "semver:>=0.0.0-0", ..SEMVER }.policy();
        let current = &tags[at.index(tags.len())];
        let input = SelectInput { current: Some(current), ..SelectInput::default() };
        if let (Some(from), Some(to)) = (Version::parse(current), select(&policy, &part, &input).selected) {
            prop_assert!(Version::parse(to).unwrap().is_newer_than(&from), "{current} -> {to}");
        }
    }

    #[test]
    fn lower_tags_and_the_past_below_the_floor_change_nothing(
        policy in policies(),
        tags in prop::collection::vec(tag(), 0..12),
        current in prop::option::of(tag()),
    ) {
        let policy = Case { policy, ..SEMVER }.policy();
        let input = SelectInput { current: current.as_deref(), ..SelectInput::default() };
        let all = select(&policy, &tags, &input);
        let best: Vec<_> = all.selected.into_iter().collect();
        prop_assert_eq!(select(&policy, &best, &input).selected, all.selected);
        // What was moved to is not moved away from, and if it is taken out it does not come back.
        if let Some(selected) = all.selected {
            let moved = SelectInput { current: Some(selected), ..input };
            prop_assert_eq!(select(&policy, &tags, &moved).selected, None);
            let held = [selected.to_owned()];
            let reverted = SelectInput { held: &held, ..input };
            prop_assert_eq!(select(&policy, &tags, &reverted).selected, None);
        }
    }
}
