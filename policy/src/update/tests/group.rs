//! Fields that move together or not at all.

use proptest::prelude::*;

use super::*;

const MEMBER: &[(&str, &str)] = &[("policy", "semver:~1"), ("group", "checkout")];

/// The members `a`, `b`, … with a running tag each, and the listing of each one's repository.
fn world(members: &[(&str, &[&str])]) -> World {
    let mut world = World::web("1", &[]);
    world.files.clear();
    world.commits.clear();
    for (name, (current, tags)) in ('a'..).zip(members) {
        let image = format!("r.io/{name}:{current}");
        world.set(&format!("{name}.yaml"), &deployment(&name.to_string(), &image, MEMBER));
        world.list(&format!("r.io/{name}"), tags);
    }
    world
}

impl World {
    fn member(&mut self, name: &str) -> &mut RepositoryState {
        let repository = ImageReference::parse(&format!("r.io/{name}")).unwrap().repository;
        self.registry.repositories.get_mut(&repository).unwrap()
    }

    fn tags(&mut self) -> Vec<String> {
        self.tick().iter().map(|to| to.trim_start_matches("r.io/").to_owned()).collect()
    }

    /// The decision and the holds of each member.
    fn members(&self) -> Vec<String> {
        let fields = self.plan().1.fields.into_iter();
        let shown = fields.map(|field| {
            let holds: Vec<_> = field.holds.iter().map(|hold| hold.reason.code()).collect();
            format!("{} {}", field.decision.code(), holds.join(",")).trim_end().to_owned()
        });
        shown.collect()
    }
}

#[track_caller]
fn check(members: &[(&str, &[&str])], expect: &[&str]) {
    let mut world = world(members);
    assert_eq!(world.tags(), expect);
    assert!(world.tick().is_empty());
}

#[test]
fn all_members_move_to_the_greatest_version_that_all_have() {
    let both = &["1.4.0", "1.5.0", "1.6.0"][..];
    check(&[("1.4.0", both), ("1.4.0", &["1.4.0", "1.5.0"])], &["a:1.5.0", "b:1.5.0"]);
    check(&[("1.4.0", both), ("1.4.0", both)], &["a:1.6.0", "b:1.6.0"]);
    check(&[("1.4.0", both), ("1.4.0", &["v1.5.0", "v1.6"])], &["a:1.5.0", "b:v1.5.0"]);
}

#[test]
fn a_member_that_is_there_does_not_block_and_does_not_move() {
    let both = &["1.4.0", "1.5.0"][..];
    check(&[("1.5.0", both), ("1.4.0", both)], &["b:1.5.0"]);
    check(&[("1.5.0", &["1.5.0", "1.6.0"]), ("1.4.0", both)], &["b:1.5.0"]);
    check(&[("1.5.0", both), ("1.5.0", both)], &[]);
}

#[test]
fn without_a_common_version_nobody_moves_and_whoever_could_says_who_is_missing() {
    let mut world = world(&[("1.4.0", &["1.4.0", "1.5.0"]), ("1.4.0", &["1.4.0"])]);
    assert!(world.tick().is_empty());
    assert_eq!(world.members(), ["held group-incomplete", "up-to-date"]);
    let message = world.plan().1.fields[0].holds[0].message.clone();
    assert!(message.contains("1.5.0") && message.contains("b.yaml#apps/Deployment//b#b"), "{message}");
    world.list("r.io/b", &["1.5.0"]);
    assert_eq!(world.tags(), ["a:1.5.0", "b:1.5.0"]);
}

#[test]
fn a_held_member_blocks_the_others_unless_it_is_there() {
    let both = &["1.4.0", "1.5.0"][..];
    let mut blocked = world(&[("1.4.0", both), ("1.4.0", both)]);
    blocked.member("b").error = Some(ScanError::Unreachable("503".into()));
    assert!(blocked.tick().is_empty());
    assert_eq!(blocked.members(), ["held group-incomplete", "held registry-unreachable"]);
    assert!(blocked.plan().0.wanted.is_empty());

    let mut there = world(&[("1.4.0", both), ("1.5.0", both)]);
    there.member("b").error = Some(ScanError::Unreachable("503".into()));
    assert_eq!(there.tags(), ["a:1.5.0"]);

    let mut template = world(&[("1.4.0", both), ("1.4.0", both)]);
    template.set("b.yaml", &deployment("b", "${IMAGE}", MEMBER));
    assert_eq!(template.members(), ["held group-incomplete", "held invalid-policy"]);
}

#[test]
fn a_missing_manifest_of_one_rules_the_version_out_for_all() {
    let both = &["1.4.0", "1.5.0", "1.6.0"][..];
    let mut world = world(&[("1.4.0", both), ("1.4.0", both)]);
    world.member("a").manifests.clear();
    world.member("b").manifests.clear();
    let (plan, _) = world.plan();
    let wanted: Vec<_> = plan.wanted.iter().map(|fact| format!("{fact:?}").contains("1.6.0")).collect();
    assert_eq!(wanted, [true, true], "{:?}", plan.wanted);
    let tag = |tag: &str| Tag::parse(tag).unwrap();
    world.member("a").manifests.insert(tag("1.6.0"), ManifestFact::Present(digest('1')));
    assert_eq!(world.members(), ["waiting", "waiting"]);
    world.member("b").manifests.insert(tag("1.6.0"), ManifestFact::Missing);
    for name in ["a", "b"] {
        world.member(name).manifests.insert(tag("1.5.0"), ManifestFact::Present(digest('1')));
    }
    assert_eq!(world.tags(), ["a:1.5.0", "b:1.5.0"]);
}

#[test]
fn a_member_that_was_never_listed_is_waited_for() {
    let mut world = world(&[("1.4.0", &["1.5.0"]), ("1.4.0", &["1.5.0"])]);
    world.member("b").tags = None;
    assert_eq!(world.members(), ["waiting", "waiting"]);
}

#[test]
fn what_a_person_took_out_of_one_member_is_out_for_all() {
    let both = &["1.4.0", "1.5.0"][..];
    let mut world = world(&[("1.4.0", both), ("1.4.0", both)]);
    assert_eq!(world.tags(), ["a:1.5.0", "b:1.5.0"]);
    for name in ["a", "b"] {
        world.set(&format!("{name}.yaml"), &deployment(name, &format!("r.io/{name}:1.4.0"), MEMBER));
    }
    assert!(world.tick().is_empty());
    world.list("r.io/a", &["1.5.0", "1.6.0"]);
    assert!(world.tick().is_empty());
    world.list("r.io/b", &["1.5.0", "1.6.0"]);
    assert_eq!(world.tags(), ["a:1.6.0", "b:1.6.0"]);
}

#[test]
fn policies_that_do_not_compare_hold_the_group() {
    for (other, expect) in [
        ("numeric", ["held invalid-policy"; 2]),
        ("alphabetical", ["held invalid-policy"; 2]),
        ("newest", ["held group-incomplete", "held invalid-policy"]),
        ("digest:main", ["held group-incomplete", "held invalid-policy"]),
        ("semver:nonsense", ["held group-incomplete", "held invalid-policy"]),
    ] {
        let mut world = world(&[("1.4.0", &["1.5.0"]), ("1", &["2"])]);
        let annotations = [("policy", other), ("group", "checkout")];
        world.set("b.yaml", &deployment("b", "r.io/b:1", &annotations));
        assert_eq!(world.members(), expect, "{other}");
    }
}

#[test]
fn a_member_that_cannot_be_written_takes_the_others_with_it() {
    let both = &["1.4.0", "1.5.0"][..];
    let mut world = world(&[("1.4.0", both), ("1.4.0", both)]);
    let shared = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    tidegate.io/policy.b: semver:~1\n    \
                  tidegate.io/group.b: checkout\nspec:\n  containers:\n  - name: b\n    image: &i r.io/b:1.4.0\n  - name: c\n    image: *i\n";
    world.set("b.yaml", shared);
    assert!(world.tick().is_empty());
    assert_eq!(world.members(), ["held group-incomplete", "held invalid-policy", "no-policy"]);
}

#[test]
fn a_member_that_shares_its_text_with_one_that_may_not_move_blocks_the_others() {
    let both = &["1.4.0", "1.5.0"][..];
    let mut world = world(&[("1.4.0", both), ("1.4.0", both)]);
    let pod = |b: &str, c: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    tidegate.io/policy: semver:~1\n    \
             tidegate.io/group.b: checkout\nspec:\n  containers:\n  - name: b\n    image: {b}\n  - name: c\n    image: {c}\n"
        )
    };
    world.set("b.yaml", &pod("r.io/b:1.4.0", "r.io/b:1.5.0"));
    world.set("b.yaml", &pod("&i r.io/b:1.4.0", "*i"));
    assert!(world.tick().is_empty());
    assert_eq!(world.members(), ["held group-incomplete", "held invalid-policy", "up-to-date"]);
}

#[test]
fn a_permitted_downgrade_is_made_by_all_members() {
    let both = &["1.4.0", "2.0.0"][..];
    let mut world = world(&[("2.0.0", both), ("2.0.0", both)]);
    world.guards.allow_downgrade = true;
    let down = [("policy", "semver:~1"), ("group", "checkout"), ("downgrade", "allow")];
    let before = [("policy", "semver:~2"), ("group", "checkout"), ("downgrade", "allow")];
    for annotations in [&before, &down] {
        for name in ["a", "b"] {
            let image = format!("r.io/{name}:2.0.0");
            world.set(&format!("{name}.yaml"), &deployment(name, &image, annotations));
        }
    }
    assert_eq!(world.tags(), ["a:1.4.0", "b:1.4.0"]);
    assert!(world.tick().is_empty());
}

#[test]
fn a_group_that_was_split_is_refused() {
    let both = &["1.4.0", "1.5.0"][..];
    let world = world(&[("1.4.0", both), ("1.4.0", both)]);
    let (mut plan, _) = world.plan();
    plan.changes.pop();
    let error = world.with_input(|input| super::super::check(input, &plan)).unwrap_err();
    assert!(matches!(error, PlanError::Split { .. }), "{error}");
    let (mut plan, _) = world.plan();
    plan.leave_out(&["a.yaml".to_owned()].into());
    assert!(plan.changes.is_empty());
}

#[test]
fn the_subject_names_the_group() {
    let both = &["1.4.0", "1.5.0"][..];
    let world = world(&[("1.4.0", both), ("1.4.0", both)]);
    assert!(message(&world.plan().0).starts_with("checkout: 1.4.0 -> 1.5.0 (2 images)\n"));
}

fn listing() -> impl Strategy<Value = (u8, Vec<u8>)> {
    (0_u8..4, prop::collection::vec(0_u8..8, 0..6))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_group_ends_at_one_version_or_stays_and_is_at_rest_then(members in prop::collection::vec(listing(), 1..5)) {
        let make = |members: &[(u8, Vec<u8>)]| {
            let texts: Vec<(String, Vec<String>)> = members.iter().map(|(current, tags)| {
                (format!("1.{current}.0"), tags.iter().map(|tag| format!("1.{tag}.0")).collect())
            }).collect();
            let tags: Vec<Vec<&str>> =
                texts.iter().map(|(_, tags)| tags.iter().map(String::as_str).collect()).collect();
            let members: Vec<_> =
                texts.iter().zip(&tags).map(|((current, _), tags)| (current.as_str(), tags.as_slice())).collect();
            world(&members)
        };
        let mut world = make(&members);
        let moved = world.tags();
        let versions: BTreeSet<_> =
            moved.iter().map(|tag| tag.split_once(':').unwrap().1.to_owned()).collect();
        prop_assert!(versions.len() <= 1, "{moved:?}");
        if let Some(version) = versions.first() {
            prop_assert!(world.plan().1.fields.iter().all(|field| field.image.ends_with(version.as_str())));
        }
        prop_assert!(world.tick().is_empty(), "not at rest");
        // Members in another order of files move alike.
        let turned: Vec<_> = members.iter().rev().cloned().collect();
        let mut versions_of_turned: Vec<_> =
            make(&turned).tags().into_iter().map(|tag| tag.split_once(':').unwrap().1.to_owned()).collect();
        versions_of_turned.dedup();
        prop_assert_eq!(versions_of_turned, versions.into_iter().collect::<Vec<_>>());
    }
}
